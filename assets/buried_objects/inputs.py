"""The models and their inputs."""

from functools import partial

import dagster as dg
from pydantic import Field, field_validator

from assets import wiring
from assets.settings import GraphConfig, by_profile
from models.buried_objects.networks import DESIGNS


class Models(GraphConfig, section="buried_objects/models"):
    """Which of the study's networks are trained."""

    trained: list[str] = Field(
        by_profile(quick=["rnn1", "rnn5", "convrnn1"], published=list(DESIGNS)),
        description="of " + ", ".join(DESIGNS),
    )

    @field_validator("trained")
    @classmethod
    def known(cls, names: list[str]) -> list[str]:
        """Refuse names of nothing, and no name at all; put them in the study's order."""
        if not names or not set(names) <= set(DESIGNS):
            raise ValueError(f"name one or more of {', '.join(DESIGNS)}")
        return [name for name in DESIGNS if name in names]


ARCHITECTURES = dg.StaticPartitionsDefinition(list(DESIGNS))
"""All of the study's networks."""

TRAINED = Models.model_validate({}).trained
MODELS = dg.StaticPartitionsDefinition(TRAINED)
"""Those to train."""


asset_in = partial(wiring.asset_in, "buried_objects")
"""Name an asset of this system; ``partitions`` maps the partitions that are read."""


ARCHITECTURE = {"architecture": asset_in("architecture", partitions=dg.IdentityPartitionMapping())}
"""A network's own architecture."""

RESULTS = {
    "architecture": asset_in(
        "architecture", partitions=dg.SpecificPartitionsPartitionMapping(TRAINED)
    ),
    **{name: asset_in(name) for name in ("evaluation", "history")},
}
"""Of all trained networks."""

KNOWN = {name: asset_in(name) for name in ("labels", "splits", "windows")}

SCANS = {"scans": asset_in("scans"), **KNOWN}
"""Inputs of the study's networks."""

PROJECTED = {"projected": asset_in("projected"), **KNOWN}
"""Inputs of the upgrade."""

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

split_in = partial(wiring.split_in, "buried_objects")
"""Name some splits of an asset of this system, which are loaded as a dict by split."""


def of_all(*names: str) -> dict[str, dg.AssetIn]:
    """Name results of all trained networks, and with ``upgrade_`` those of the upgrade."""
    return {key: asset_in(key) for name in names for key in (name, f"upgrade_{name}")}

"""The models and their inputs."""

from functools import partial
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from assets import wiring
from assets.settings import StageConfig
from models.solar_flares.networks import DESIGNS, SETTINGS

ARCHITECTURES = dg.StaticPartitionsDefinition(list(DESIGNS))
MODELS = dg.MultiPartitionsDefinition(
    {"architecture": ARCHITECTURES, "setting": dg.StaticPartitionsDefinition(list(SETTINGS))}
)
"""Every architecture in every setting: 7 x 3, keys such as ``basic|short``."""


asset_in = partial(wiring.asset_in, "solar_flares")
"""Name an asset of this system."""
split_in = partial(wiring.split_in, "solar_flares")
"""Name some splits of an asset of this system, which are loaded as a dict by split."""


class Form(StageConfig, section="solar_flares/architecture"):
    """The form of the networks' inputs."""

    form: Literal["sequences", "steps", "windows"] = Field(
        default="sequences",
        description="sequences: a record's 60 steps; steps: single steps, as published; windows: "
        "100 rows across records with their labels as an input, as published (leaks both ways)",
    )


FEATURES = "sequences" if Form().form == "sequences" else "steps"
"""What the networks read: it depends on the configured form."""


def features_in(*splits: str) -> dict[str, dg.AssetIn]:
    """What the networks read of some splits, as a stage's input."""
    return {"features": split_in(FEATURES, splits=splits)}


def statistics_in(*splits: str) -> dict[str, dg.AssetIn]:
    """What the upgrade reads of some splits, as a stage's input."""
    return {"statistics": split_in("statistics", splits=splits)}


def chosen(context: dg.AssetExecutionContext) -> tuple[str, str]:
    """Return architecture and setting of the partition that is built."""
    keys: Any = context.partition_key
    named = keys.keys_by_dimension
    return named["architecture"], named["setting"]

"""The system's models and what each reads: the graph's edges, said once."""

from typing import Any, Literal

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig
from models.arrays import Arrays
from models.solar_flares.networks import DESIGNS, SETTINGS

ARCHITECTURES = dg.StaticPartitionsDefinition(list(DESIGNS))
MODELS = dg.MultiPartitionsDefinition(
    {"architecture": ARCHITECTURES, "setting": dg.StaticPartitionsDefinition(list(SETTINGS))}
)
"""Every architecture in every setting: 7 x 3, keys such as ``basic|short``."""


def asset_in(*path: str) -> dg.AssetIn:
    """Name an asset of this system."""
    return dg.AssetIn(["solar_flares", *path])


class Form(StageConfig, section="solar_flares/architecture"):
    """What the networks take in."""

    form: Literal["sequences", "steps", "windows"] = Field(
        default="sequences",
        description="sequences: a record's 60 steps; steps: single steps, as published; windows: "
        "100 rows across records with their labels as an input, as published (leaks both ways)",
    )


FEATURES = "sequences" if Form().form == "sequences" else "steps"
EXAMPLES = {name: asset_in(name) for name in ("records", "splits", FEATURES)}
"""What the networks read: labels and regions, splits, and the features of the configured form."""

STATISTICS = {name: asset_in(name) for name in ("records", "splits", "statistics")}
"""What the upgrade reads."""

Inputs = dict[str, Arrays]
"""Loaded `EXAMPLES` or `STATISTICS`."""


def chosen(context: dg.AssetExecutionContext) -> tuple[str, str]:
    """Architecture and setting of the partition that is built."""
    keys: Any = context.partition_key
    named = keys.keys_by_dimension
    return named["architecture"], named["setting"]

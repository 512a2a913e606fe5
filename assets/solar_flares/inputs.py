"""The system's models and what each reads: the graph's edges, said once."""

from typing import Any

import dagster as dg

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


EXAMPLES = {name: asset_in(name) for name in ("records", "splits", "sequences", "steps")}
"""What the networks read: labels and regions, splits, and both forms of the features."""

STATISTICS = {name: asset_in(name) for name in ("records", "splits", "statistics")}
"""What the upgrade reads."""

Inputs = dict[str, Arrays]
"""Loaded `EXAMPLES` or `STATISTICS`."""


def chosen(context: dg.AssetExecutionContext) -> tuple[str, str]:
    """Architecture and setting of the partition that is built."""
    keys: Any = context.partition_key
    named = keys.keys_by_dimension
    return named["architecture"], named["setting"]

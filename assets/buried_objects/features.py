"""Features of a trace for the upgrade: background removed, gain, and 128 numbers."""

import dagster as dg

from assets.buried_objects.inputs import asset_in
from assets.wiring import BY_SPLIT
from models.arrays import Arrays, Blocks
from models.buried_objects.features import projected_of
from models.types import JsonDict


@dg.asset(
    key=["buried_objects", "projected"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins={"examples": asset_in("examples"), "scaling": asset_in("scaling")},
)
def projected(examples: Arrays, scaling: JsonDict) -> Blocks:
    """Each trace of a split without its scan's mean trace, with gain, as 128 logarithms of power.

    - `values` (traces, 128): ln(1 + mean power) of 0.47 ns each
    - `label`, `scan`, `trace`, `part`, `windows`: as in `examples`
    """
    return projected_of(examples, scaling["gain"])

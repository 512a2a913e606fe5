"""Features of a trace for the upgrade: background removed, gain, and 128 numbers."""

import dagster as dg

from assets.buried_objects.inputs import asset_in
from models.arrays import Arrays, Blocks
from models.buried_objects.features import projected_of
from models.types import JsonDict


@dg.asset(
    key=["buried_objects", "projected"],
    io_manager_key="arrays",
    ins={name: asset_in(name) for name in ("scans", "labels", "scaling")},
)
def projected(scans: Arrays, labels: Arrays, scaling: JsonDict) -> Blocks:
    """Each trace without its scan's mean trace, with gain, as 128 logarithms of power.

    - `values` (traces, 128): ln(1 + mean power) of 0.47 ns each
    """
    return projected_of(scans["ez"], labels, scaling["gain"])

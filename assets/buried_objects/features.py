"""What the upgrade sees of a trace: background removed, gain, and 128 numbers."""

from typing import Any

import dagster as dg

from assets.buried_objects.inputs import asset_in
from models.arrays import Arrays, Blocks
from models.buried_objects.features import projected_of


@dg.asset(
    key=["buried_objects", "projected"],
    group_name="buried_objects",
    tags={"stage": "features"},
    io_manager_key="arrays",
    ins={name: asset_in(name) for name in ("scans", "labels", "scaling")},
)
def projected(scans: Arrays, labels: Arrays, scaling: dict[str, Any]) -> Blocks:
    """Each trace without its scan's mean trace, with gain, as 128 logarithms of power."""
    return projected_of(scans["ez"], labels, scaling)

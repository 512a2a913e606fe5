"""Mean, deviation and gain of the field, from the training scans alone."""

from typing import Any

import dagster as dg

from assets.buried_objects.inputs import asset_in
from models.arrays import Arrays
from models.buried_objects.features import scaling_of


@dg.asset(
    key=["buried_objects", "scaling"],
    group_name="buried_objects",
    tags={"stage": "scaling"},
    io_manager_key="json",
    ins={name: asset_in(name) for name in ("scans", "labels", "splits")},
)
def scaling(scans: Arrays, labels: Arrays, splits: Arrays) -> dg.Output[dict[str, Any]]:
    """Mean and deviation of the training scans' field, and the gain of each sample."""
    found = scaling_of(scans["ez"], labels, splits)
    shown = {"mean (V/m)": found["mean"], "deviation (V/m)": found["deviation"]}
    return dg.Output(found, metadata=shown | {"traces": found["traces"]})

"""Mean and deviation of each row of frequency, from the training images alone."""

from typing import Any

import dagster as dg

from assets.gravitational_waves.inputs import asset_in
from models.arrays import Arrays
from models.gravitational_waves.fitting import scaling_of


@dg.asset(
    key=["gravitational_waves", "scaling"],
    group_name="gravitational_waves",
    tags={"stage": "scaling"},
    io_manager_key="json",
    ins={"images": asset_in("images"), "splits": asset_in("splits")},
)
def scaling(images: Arrays, splits: Arrays) -> dg.Output[dict[str, Any]]:
    """Mean and standard deviation of the 140 rows of frequency over the training images."""
    found = scaling_of(images, splits)
    means = found["mean"]
    return dg.Output(found, metadata={"lowest mean": min(means), "highest mean": max(means)})

"""Mean and standard deviation of each frequency row, from the training images alone."""

import dagster as dg

from assets.gravitational_waves.inputs import asset_in
from models.arrays import Arrays
from models.gravitational_waves.features import scaling_of
from models.types import JsonDict


@dg.asset(
    key=["gravitational_waves", "scaling"],
    io_manager_key="json",
    ins={"images": asset_in("images"), "splits": asset_in("splits")},
)
def scaling(images: Arrays, splits: Arrays) -> dg.Output[JsonDict]:
    """Mean and standard deviation of the 140 rows of frequency over the training images."""
    fitted = scaling_of(images, splits).to_dict()
    means = fitted["mean"]
    return dg.Output(fitted, metadata={"lowest mean": min(means), "highest mean": max(means)})

"""Mean and standard deviation of each frequency row, from the training images alone."""

import dagster as dg

from assets.gravitational_waves.inputs import split_in
from models.arrays import Arrays
from models.gravitational_waves.features import scaling_of
from models.types import JsonDict


@dg.asset(
    key=["gravitational_waves", "scaling"],
    io_manager_key="json",
    ins={"examples": split_in("examples", splits=["train"])},
)
def scaling(examples: dict[str, Arrays]) -> dg.Output[JsonDict]:
    """Mean and standard deviation of the 140 rows of frequency over the training images."""
    fitted = scaling_of(examples["train"]).to_dict()
    means = fitted["mean"]
    return dg.Output(fitted, metadata={"lowest mean": min(means), "highest mean": max(means)})

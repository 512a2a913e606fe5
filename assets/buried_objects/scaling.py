"""Mean, standard deviation and gain of the field, from the training scans alone."""

import dagster as dg

from assets.buried_objects.inputs import split_in
from models.arrays import Arrays
from models.buried_objects.features import scaling_of
from models.types import JsonDict


@dg.asset(
    key=["buried_objects", "scaling"],
    io_manager_key="json",
    ins={"examples": split_in("examples", splits=["train"])},
)
def scaling(examples: dict[str, Arrays]) -> dg.Output[JsonDict]:
    """Mean and standard deviation of the training scans' field, and the gain of each sample."""
    fitted = scaling_of(examples["train"]).to_dict()
    metadata = {"mean (V/m)": fitted["mean"], "std (V/m)": fitted["std"]}
    return dg.Output(fitted, metadata=metadata | {"traces": fitted["traces"]})

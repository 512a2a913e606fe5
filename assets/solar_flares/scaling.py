"""Mean and standard deviation of each parameter, from the training records alone."""

import dagster as dg

from assets.solar_flares.inputs import asset_in
from models.arrays import Arrays
from models.solar_flares.features import scaling_of
from models.solar_flares.records import PARAMETERS
from models.types import JsonDict


@dg.asset(
    key=["solar_flares", "scaling"],
    io_manager_key="json",
    ins={"records": asset_in("records"), "splits": asset_in("splits")},
)
def scaling(records: Arrays, splits: Arrays) -> dg.Output[JsonDict]:
    """Mean and standard deviation of the 25 parameters over the training records."""
    fitted = scaling_of(records, splits).to_dict()
    table = [
        dg.TableRecord({"parameter": name, "mean": mean, "std": std})
        for name, mean, std in zip(PARAMETERS, fitted["mean"], fitted["std"], strict=True)
    ]
    return dg.Output(fitted, metadata={"parameters": dg.MetadataValue.table(table)})

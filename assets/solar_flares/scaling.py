"""Mean and deviation of each parameter, from the training records alone."""

from typing import Any

import dagster as dg

from assets.solar_flares.inputs import asset_in
from models.arrays import Arrays
from models.solar_flares.fitting import scaling_of
from models.solar_flares.records import PARAMETERS


@dg.asset(
    key=["solar_flares", "scaling"],
    group_name="solar_flares",
    tags={"stage": "scaling"},
    io_manager_key="json",
    ins={"records": asset_in("records"), "splits": asset_in("splits")},
)
def scaling(records: Arrays, splits: Arrays) -> dg.Output[dict[str, Any]]:
    """Mean and standard deviation of the 25 parameters over the training records."""
    found = scaling_of(records, splits)
    table = [
        dg.TableRecord({"parameter": name, "mean": found["mean"][k], "sd": found["deviation"][k]})
        for k, name in enumerate(PARAMETERS)
    ]
    return dg.Output(found, metadata={"parameters": dg.MetadataValue.table(table)})

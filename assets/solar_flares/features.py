"""What the models see of a record: its sequence, its single steps, its statistics."""

from typing import Any

import dagster as dg

from assets.solar_flares.inputs import asset_in
from models.arrays import Arrays, Blocks
from models.solar_flares import fitting

RECORDS = {"records": asset_in("records"), "scaling": asset_in("scaling")}


@dg.asset(
    key=["solar_flares", "sequences"],
    group_name="solar_flares",
    tags={"stage": "features"},
    io_manager_key="arrays",
    ins=RECORDS,
)
def sequences(records: Arrays, scaling: dict[str, Any]) -> Blocks:
    """The system's main form: each record as one standardised sequence without gaps, (60, 25)."""
    return fitting.sequences_of(records, scaling)


@dg.asset(
    key=["solar_flares", "steps"],
    group_name="solar_flares",
    tags={"stage": "features"},
    io_manager_key="arrays",
    ins=RECORDS,
)
def steps(records: Arrays, scaling: dict[str, Any]) -> Blocks:
    """The published form: standardised single time steps, (1, 25), those with a gap dropped."""
    return fitting.steps_of(records, scaling)


@dg.asset(
    key=["solar_flares", "statistics"],
    group_name="solar_flares",
    tags={"stage": "features"},
    io_manager_key="arrays",
    ins=RECORDS,
)
def statistics(records: Arrays, scaling: dict[str, Any]) -> Blocks:
    """Eight statistics of each standardised parameter over a record, (200,)."""
    return fitting.statistics_of(records, scaling)

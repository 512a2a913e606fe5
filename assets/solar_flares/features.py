"""Features of a record: its sequence, its single steps, its statistics."""

import dagster as dg

from assets.solar_flares.inputs import asset_in
from models.arrays import Arrays, Blocks
from models.scaling import Scaling
from models.solar_flares.features import sequences_of, statistics_of, steps_of
from models.types import JsonDict

RECORDS = {"records": asset_in("records"), "scaling": asset_in("scaling")}


@dg.asset(
    key=["solar_flares", "sequences"],
    io_manager_key="arrays",
    ins=RECORDS,
)
def sequences(records: Arrays, scaling: JsonDict) -> Blocks:
    """The system's main form: each record as one standardised sequence without gaps, (60, 25).

    - `values` (n, 60, 25): standard deviations of a parameter, a sample every 12 minutes
    """
    return sequences_of(records, Scaling.from_dict(scaling))


@dg.asset(
    key=["solar_flares", "steps"],
    io_manager_key="arrays",
    ins=RECORDS,
)
def steps(records: Arrays, scaling: JsonDict) -> Blocks:
    """The published form: standardised single time steps, (1, 25), those with a gap dropped.

    - `values` (m, 1, 25): standard deviations of a parameter
    - `record` (m,): the record that a step comes from
    """
    return steps_of(records, Scaling.from_dict(scaling))


@dg.asset(
    key=["solar_flares", "statistics"],
    io_manager_key="arrays",
    ins=RECORDS,
)
def statistics(records: Arrays, scaling: JsonDict) -> Blocks:
    """Eight statistics of each standardised parameter over a record, (200,).

    - `values` (n, 200): mean, spread, slope, last hour and so on of each parameter in turn;
      standard deviations, or decades of the training mean
    """
    return statistics_of(records, Scaling.from_dict(scaling))

"""Features of a record: its sequence, its single steps, its statistics."""

import dagster as dg

from assets.solar_flares.inputs import asset_in
from assets.wiring import BY_SPLIT
from models.arrays import Arrays, Blocks
from models.scaling import Scaling
from models.solar_flares.features import features_of, sequences_of, statistics_of, steps_of
from models.types import JsonDict

READ = {name: asset_in(name) for name in ("records", "splits", "scaling")}


@dg.asset(
    key=["solar_flares", "sequences"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins=READ,
)
def sequences(
    context: dg.AssetExecutionContext, records: Arrays, splits: Arrays, scaling: JsonDict
) -> Blocks:
    """The system's main form: each record of a split as one standardised sequence, (60, 25).

    - `values` (n, 60, 25): standard deviations of a parameter, a sample every 12 minutes, no gaps
    - `label`, `id`, `region` (n,): as in `records`
    """
    standard = Scaling.from_dict(scaling)
    return features_of(records, splits, context.partition_key, sequences_of, standard)


@dg.asset(
    key=["solar_flares", "steps"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins=READ,
)
def steps(
    context: dg.AssetExecutionContext, records: Arrays, splits: Arrays, scaling: JsonDict
) -> Blocks:
    """The published form: standardised single time steps of a split, those with a gap dropped.

    - `values` (m, 1, 25): standard deviations of a parameter
    - `label`, `id`, `region` (m,): of the record that a step comes from
    """
    standard = Scaling.from_dict(scaling)
    return features_of(records, splits, context.partition_key, steps_of, standard)


@dg.asset(
    key=["solar_flares", "statistics"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins=READ,
)
def statistics(
    context: dg.AssetExecutionContext, records: Arrays, splits: Arrays, scaling: JsonDict
) -> Blocks:
    """Eight statistics of each standardised parameter over a record of a split, (200,).

    - `values` (n, 200): mean, spread, slope, last hour and so on of each parameter in turn;
      standard deviations, or decades of the training mean
    - `label`, `id`, `region` (n,): as in `records`
    """
    standard = Scaling.from_dict(scaling)
    return features_of(records, splits, context.partition_key, statistics_of, standard)

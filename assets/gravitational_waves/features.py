"""Features of models that don't read the image itself."""

import dagster as dg

from assets.gravitational_waves.inputs import EXAMPLES, asset_in
from models.arrays import Arrays, Blocks
from models.gravitational_waves.features import columns_of, features_of, pixels_of
from models.scaling import Scaling
from models.types import JsonDict

READ = {name: asset_in(name) for name in ("examples", "scaling")}


@dg.asset(
    key=["gravitational_waves", "columns"],
    io_manager_key="arrays",
    partitions_def=EXAMPLES,
    ins=READ,
)
def columns(examples: Arrays, scaling: JsonDict) -> Blocks:
    """Standardised columns of a split in the order of time, pooled in pairs, (85, 70).

    - `values` (n, 85, 70): time, then frequency; standard deviations of a row of frequency
    - `class`, `target`, `label`, `id`, `group`, `snr`, `duration` (n,): as in `examples`
    """
    return features_of(examples, Scaling.from_dict(scaling), columns_of)


@dg.asset(
    key=["gravitational_waves", "pixels"],
    io_manager_key="arrays",
    partitions_def=EXAMPLES,
    ins=READ,
)
def pixels(examples: Arrays, scaling: JsonDict) -> Blocks:
    """Means of 5 x 5 standardised pixels of a split, (952,).

    - `values` (n, 952): 28 rows of frequency by 34 of time; standard deviations
    - `class`, `target`, `label`, `id`, `group`, `snr`, `duration` (n,): as in `examples`
    """
    return features_of(examples, Scaling.from_dict(scaling), pixels_of)

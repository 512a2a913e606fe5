"""Each star by itself: its curve standardised, with its running mean beside it."""

import dagster as dg

from assets.exoplanets.inputs import CURVES
from assets.wiring import BY_SPLIT
from models.arrays import Arrays, Blocks
from models.exoplanets.splits import features_of
from models.exoplanets.transforms import cnn_channels


@dg.asset(
    key=["exoplanets", "scaled"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins=CURVES,
)
def scaled(context: dg.AssetExecutionContext, curves: Arrays, splits: Arrays) -> Blocks:
    """Channels (n, 3197, 2) of a split: the standardised curve and its 200-point running mean.

    - `curve` (n, 3197, 2): both in standard deviations of the curve, a cadence every 29.4 minutes
    - `star`, `host`, `kind`, `label`, `snr` (n,): as in `curves`
    """
    name = context.partition_key
    return features_of(curves, splits, name, lambda flux: {"curve": cnn_channels(flux)})

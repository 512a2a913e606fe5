"""Each star by itself: its curve standardised, with its running mean beside it."""

import dagster as dg

from assets.exoplanets.inputs import asset_in
from models.arrays import Arrays, Blocks, map_blocks
from models.exoplanets.transforms import cnn_channels


@dg.asset(
    key=["exoplanets", "scaled"],
    io_manager_key="arrays",
    ins={"curves": asset_in("curves")},
)
def scaled(curves: Arrays) -> Blocks:
    """Channels (n, 3197, 2): the standardised curve and its 200-point running mean.

    - `curve` (n, 3197, 2): both in standard deviations of the curve, a cadence every 29.4 minutes
    """
    return map_blocks(curves, lambda b: {"curve": cnn_channels(b["flux"])}, names=["flux"])

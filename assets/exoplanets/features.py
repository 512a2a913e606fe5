"""What the models see of a curve: its spectrum, or its best transit candidate."""

import dagster as dg

from assets.exoplanets.inputs import CURVES
from assets.wiring import BY_SPLIT
from models.arrays import Arrays, Blocks
from models.exoplanets.splits import features_of
from models.exoplanets.transforms import spectrum, standardise
from models.exoplanets.transit_search import vetting_features


@dg.asset(
    key=["exoplanets", "spectra"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins=CURVES,
)
def spectra(context: dg.AssetExecutionContext, curves: Arrays, splits: Arrays) -> Blocks:
    """Magnitude of the Fourier transform of each standardised curve of a split, (n, 1599, 1).

    - `spectrum` (n, 1599, 1): from 0 to 284 µHz, in standard deviations of the curve
    - `star`, `host`, `kind`, `label`, `snr` (n,): as in `curves`
    """
    name = context.partition_key
    return features_of(curves, splits, name, lambda flux: {"spectrum": spectrum(standardise(flux))})


@dg.asset(
    key=["exoplanets", "candidates"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins=CURVES,
)
def candidates(context: dg.AssetExecutionContext, curves: Arrays, splits: Arrays) -> Blocks:
    """The best transit candidate of each curve of a split: vetting features and two views.

    - `features` (n, 39): signal-to-noise, period (days), depth (noise of a cadence) and 36 more
    - `global_view` (n, 201): the whole period, folded; noise of a cadence
    - `local_view` (n, 61): the transit and its surroundings, folded; noise of a cadence
    - `star`, `host`, `kind`, `label`, `snr` (n,): as in `curves`
    """
    return features_of(curves, splits, context.partition_key, vetting_features, rows=256)

"""What the models see of a curve: its spectrum, or its best transit candidate."""

import dagster as dg

from assets.exoplanets.inputs import asset_in
from models.arrays import Arrays, Blocks, map_blocks
from models.exoplanets.transforms import spectrum, standardise
from models.exoplanets.transit_search import vetting_features


@dg.asset(
    key=["exoplanets", "spectra"],
    io_manager_key="arrays",
    ins={"curves": asset_in("curves")},
)
def spectra(curves: Arrays) -> Blocks:
    """Magnitude of the Fourier transform of each standardised curve, (n, 1599, 1).

    - `spectrum` (n, 1599, 1): from 0 to 284 µHz, in standard deviations of the curve
    """
    return map_blocks(
        curves, lambda b: {"spectrum": spectrum(standardise(b["flux"]))}, names=["flux"]
    )


@dg.asset(
    key=["exoplanets", "candidates"],
    io_manager_key="arrays",
    ins={"curves": asset_in("curves")},
)
def candidates(curves: Arrays) -> Blocks:
    """The best transit candidate of each curve: vetting features, global and local view.

    - `features` (n, 39): signal-to-noise, period (days), depth (noise of a cadence) and 36 more
    - `global_view` (n, 201): the whole period, folded; noise of a cadence
    - `local_view` (n, 61): the transit and its surroundings, folded; noise of a cadence
    """
    return map_blocks(curves, lambda b: vetting_features(b["flux"]), names=["flux"], rows=256)

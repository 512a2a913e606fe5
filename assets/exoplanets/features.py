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
    """Magnitude of the Fourier transform of each standardised curve, (n, 1599, 1)."""
    return map_blocks(
        curves, lambda b: {"spectrum": spectrum(standardise(b["flux"]))}, names=["flux"]
    )


@dg.asset(
    key=["exoplanets", "candidates"],
    io_manager_key="arrays",
    ins={"curves": asset_in("curves")},
)
def candidates(curves: Arrays) -> Blocks:
    """The best transit candidate of each curve: vetting features, global and local view."""
    return map_blocks(curves, lambda b: vetting_features(b["flux"]), names=["flux"], rows=256)

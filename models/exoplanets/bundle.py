"""Bundle quiet stretches of real Kepler light curves, the noise of `simulation.injected`.

``python -m models.exoplanets.bundle FOLDER`` rebuilds ``data/quiet_kepler.h5`` from a folder with
the 46 light curves that are named in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from models.exoplanets.readers import Quarter, iter_kepler_quarters

BUNDLE = Path(__file__).parent / "data" / "quiet_kepler.h5"

PROVENANCE = (
    "NASA Kepler mission, long-cadence light curves (PDCSAP_FLUX), public archive at MAST, data "
    "release 25 and before; known transits and eclipses and all gaps replaced by local trend and "
    "noise; relative to the quarter's median, less 1"
)

LICENCE = "Public domain (work of the United States government, NASA/Kepler mission)"


@dataclass(frozen=True)
class Signal:
    """A periodic dip to remove from a light curve.

    Parameters
    ----------
    period : float
        Days.
    centres : tuple of float
        Middle of a primary eclipse and, if there is one, of a secondary; BKJD days.
    half_width : float
        Days masked on either side.
    harmonics : int
        Harmonics of the orbit to fit and subtract: the light and tides of the companion between
        the eclipses.
    """

    period: float
    centres: tuple[float, ...]
    half_width: float
    harmonics: int = 0


SIGNALS = {
    # Periods of the planets as published (HAT-P-7b Pal et al. 2008, HAT-P-11b Bakos et al. 2010,
    # TrES-2b O'Donovan et al. 2006); all else measured on these very curves, folded.
    10666592: Signal(2.204737, (121.3578, 122.4602), 0.11, harmonics=3),
    10748390: Signal(4.887802, (124.8132,), 0.08),
    11446443: Signal(2.470613, (122.7635,), 0.07),
    # The four false positives are eclipsing binaries, or stars blended with one.
    8655354: Signal(6.71980, (133.025, 136.405), 0.12),
    10464078: Signal(19.404513, (172.4746, 184.41), 0.32),
    10485250: Signal(16.469820, (180.8832, 187.00), 0.26),
    11909839: Signal(10.405954, (177.1987, 182.68), 0.22),
}
"""Known signals by number in the Kepler Input Catalog."""

SHORTEST = 2000
"""Minimum cadences of a stretch."""

CURVED_GAP = 60
"""Maximum cadences of a gap filled by a cubic; longer ones get a straight line."""

SIDE = 73
"""Good cadences fitted on either side of a gap: 1.5 days."""

ABUT_DAYS = 1.5
"""Quarters closer than this are joined: quarters 0 and 1 are too short alone."""


@dataclass(frozen=True)
class Stretch:
    """Real noise of one star.

    Parameters
    ----------
    kic : int
        The star's number in the Kepler Input Catalog.
    quarter : str
        Time stamp of the file, the first if several were joined.
    level : float
        Median flux, e-/s.
    noise : ndarray of shape (n,), float32
        Relative flux minus 1, every 29.4 minutes.
    """

    kic: int
    quarter: str
    level: float
    noise: NDArray[np.float32]


def read_bundle(path: Path = BUNDLE) -> list[Stretch]:
    """Read the stretches, by star and quarter."""
    stretches = []
    with h5py.File(path) as file:
        for kic in sorted(file, key=int):
            for quarter, stored in sorted(file[kic].items()):
                noise = (stored[:] * stored.attrs["scale"]).astype(np.float32)
                stretches.append(Stretch(int(kic), quarter, float(stored.attrs["level"]), noise))
    return stretches


def write_bundle(stretches: list[Stretch], path: Path) -> None:
    """Write the stretches as int16 to ``/<kic>/<quarter>``, with their unit as ``scale``.

    The largest value becomes 32767, so the unit is finer than a tenth of the noise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["provenance"] = PROVENANCE
        file.attrs["licence"] = LICENCE
        for stretch in stretches:
            scale = float(np.abs(stretch.noise).max()) / 32767
            stored = file.create_dataset(
                f"{stretch.kic}/{stretch.quarter}",
                data=np.round(stretch.noise / scale).astype(np.int16),
                compression="gzip",
                compression_opts=9,
                shuffle=True,
            )
            stored.attrs["scale"], stored.attrs["level"] = scale, stretch.level


def quiet_stretches(folder: Path) -> list[Stretch]:
    """Clean the light curves of the stars in `SIGNALS`.

    Raises
    ------
    BadInput
        As `models.exoplanets.readers.iter_kepler_quarters`.
    """
    quarters = (quarter for quarter in iter_kepler_quarters(folder) if quarter.kic in SIGNALS)
    stretches = (clean(quarter) for quarter in _joined(quarters))
    return [stretch for stretch in stretches if len(stretch.noise) >= SHORTEST]


def _joined(quarters: Iterator[Quarter]) -> Iterator[Quarter]:
    """Join quarters shorter than `SHORTEST` to the star's next one within `ABUT_DAYS`."""
    pending: Quarter | None = None
    for quarter in quarters:
        joined = quarter
        if pending is not None and pending.kic == quarter.kic:
            gap = float(np.nanmin(quarter.time) - np.nanmax(pending.time))
            if gap < ABUT_DAYS:
                joined = _join(pending, quarter, gap)
        pending = quarter if len(quarter.flux) < SHORTEST else None
        yield joined


def _join(first: Quarter, second: Quarter, gap: float) -> Quarter:
    cadence = float(np.nanmedian(np.diff(first.time)))
    missing = np.full(round(gap / cadence) - 1, np.nan)
    # A star moves to other pixels between quarters, which changes its level.
    ratio = float(np.nanmedian(second.flux[:98]) / np.nanmedian(first.flux[-98:]))  # 2 days each
    return Quarter(
        kic=first.kic,
        name=first.name,
        time=np.concatenate([first.time, missing, second.time]),
        flux=np.concatenate([first.flux * ratio, missing, second.flux]),
        quality=np.concatenate([first.quality, np.zeros(len(missing), np.int32), second.quality]),
        disposition=first.disposition,
        file=first.file,
    )


def clean(quarter: Quarter) -> Stretch:
    """Replace a star's known dips, and all gaps, by trend and noise as around them.

    A gap gets the local trend (a cubic fitted to 1.5 days on either side; over more than 60
    cadences a straight line) plus the repeated residuals of the fit, so it scatters as its
    surroundings.
    """
    n = len(quarter.flux)
    there = np.isfinite(quarter.time)
    # Cadences are regular but for the light travel time: times can be interpolated.
    time = np.interp(np.arange(n), np.flatnonzero(there), quarter.time[there])
    signal = SIGNALS[quarter.kic]
    good = np.isfinite(quarter.flux)
    for centre in signal.centres:
        phase = (time - centre + signal.period / 2) % signal.period - signal.period / 2
        good &= np.abs(phase) > signal.half_width
    level = float(np.median(quarter.flux[good]))
    noise = np.where(good, quarter.flux / level - 1, 0.0)
    if signal.harmonics:
        noise[good] -= _phase_curve(time[good], noise[good], signal)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], good, [True]]).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        noise[start:stop] = _bridge(noise, good, int(start), int(stop))
    return Stretch(quarter.kic, quarter.name, level, noise.astype(np.float32))


def _phase_curve(
    time: NDArray[np.float64], noise: NDArray[np.float64], signal: Signal
) -> NDArray[np.float64]:
    """Fit harmonics of the orbit beside a slow trend, by least squares; return the harmonics."""
    angle = 2 * np.pi * time[:, None] / signal.period * np.arange(1, signal.harmonics + 1)
    waves = np.hstack([np.cos(angle), np.sin(angle)])
    slow = np.polynomial.chebyshev.chebvander(2 * (time - time[0]) / np.ptp(time) - 1, 12)
    weights, *_ = np.linalg.lstsq(np.hstack([waves, slow]), noise, rcond=None)
    curve: NDArray[np.float64] = waves @ weights[: waves.shape[1]]
    return curve


def _bridge(
    noise: NDArray[np.float64], good: NDArray[np.bool_], start: int, stop: int
) -> NDArray[np.float64]:
    """Return trend and noise to fill ``noise[start:stop]``."""
    usable = np.flatnonzero(good)
    middle = int(np.searchsorted(usable, start))
    before, after = usable[max(0, middle - SIDE) : middle], usable[middle : middle + SIDE]
    gap = np.arange(start, stop)
    if len(before) and len(after) and len(gap) <= CURVED_GAP:
        fit, residual = _robust_fit(np.concatenate([before, after]), noise, degree=3)
        trend = fit(gap)
    else:
        sides = [_robust_fit(side, noise, degree=2) for side in (before, after) if len(side)]
        near = [side for side in (before[-1:], after[:1]) if len(side)]
        ends = [float(fit(place)[0]) for (fit, _), place in zip(sides, near, strict=True)]
        trend = np.interp(gap, np.concatenate(near), ends)
        residual = np.concatenate([residual for _, residual in sides])
    filled: NDArray[np.float64] = trend + np.resize(residual, len(gap))
    return filled


def _robust_fit(
    cadence: NDArray[np.intp], noise: NDArray[np.float64], *, degree: int
) -> tuple[np.polynomial.Polynomial, NDArray[np.float64]]:
    """Fit a polynomial without outliers: flares, jumps, parts of dips outside the mask.

    Returns it and the residuals of the cadences fitted.
    """
    kept = cadence
    for _ in range(5):
        fit = np.polynomial.Polynomial.fit(kept, noise[kept], degree)
        residual = noise[cadence] - fit(cadence)
        kept = cadence[np.abs(residual) <= 4 * 1.4826 * np.median(np.abs(residual))]
    return fit, noise[kept] - fit(kept)


def main() -> None:
    """Build the bundle from a folder of light curves."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="folder of Kepler long-cadence light curves")
    parser.add_argument("--out", type=Path, default=BUNDLE)
    arguments = parser.parse_args()
    stretches = quiet_stretches(arguments.folder)
    write_bundle(stretches, arguments.out)
    stars = len({stretch.kic for stretch in stretches})
    size = arguments.out.stat().st_size
    print(f"{arguments.out}: {len(stretches)} stretches of {stars} stars, {size:,} bytes")


if __name__ == "__main__":
    main()

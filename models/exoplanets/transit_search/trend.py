"""Remove a star's variability and a telescope's drift from a curve with gaps, keeping transits.

References
----------
Hippke et al. 2019, AJ 158, 143 (wotan): of 24 methods a sliding biweight keeps transits best, in a
window three times as long as the transit.
Cleveland 1979, J. Am. Stat. Assoc. 74, 829: the same with a line in each window, which has no bias
at the ends of a curve.
Beaton & Tukey 1974, Technometrics 16, 147: the biweight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transit_search.boxes import CADENCE_DAYS, Floats

WINDOWS = (3.0, 2.0, 1.5, 1.0, 0.7)
"""Days: three times the longest transit that a window keeps whole."""

TOLERANCE = 1.1
"""The longest window is taken whose residual noise exceeds the least by at most this factor."""

CUTOFF = 5.0
"""Residuals beyond this many times the scatter have no weight (Hippke et al. 2019, section 3.4)."""

GAP_DAYS = 0.75
"""A longer gap ends a segment, which has a trend of its own."""


def noise_of(residual: Floats, cadences: int = 1) -> float:
    """Estimate the noise of means of so many cadences, robustly; 0 where there are none."""
    if cadences > 1:
        whole = residual[: len(residual) // cadences * cadences].reshape(-1, cadences)
        residual = whole.mean(axis=1)
    finite = residual[np.isfinite(residual)]
    if not len(finite):
        return 0.0
    return 1.4826 * float(np.median(np.abs(finite - np.median(finite))))


def trend_of(flux: Floats, window: float, hidden: NDArray[np.bool_] | None = None) -> Floats:
    """Fit the slow part of a curve: a line in a window around each cadence, with biweights.

    Parameters
    ----------
    flux : ndarray of shape (m,)
        One value a cadence (`CADENCE_DAYS`), NaN where there is none.
    window : float
        Days.
    hidden : ndarray of bool, shape (m,), optional
        Cadences that the trend must not follow: known transits. It goes on below them.

    Returns
    -------
    ndarray of shape (m,)
        NaN where the flux is.
    """
    known = np.isfinite(flux)
    visible = known if hidden is None else known & ~hidden
    trend = np.full(len(flux), np.nan)
    for start, stop in segments(known):
        part = slice(start, stop)
        seen = visible[part]
        if seen.any():
            trend[part] = _segment_trend(flux[part], seen, window)
        else:
            trend[part] = np.median(flux[part][known[part]])
    return np.where(known, trend, np.nan)


def segments(known: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last (exclusive) cadence of each stretch without a long gap."""
    (places,) = np.nonzero(known)
    if not len(places):
        return []
    cuts = np.nonzero(np.diff(places) * CADENCE_DAYS > GAP_DAYS)[0]
    return list(
        zip(
            places[np.concatenate([[0], cuts + 1])].tolist(),
            (places[np.concatenate([cuts, [len(places) - 1]])] + 1).tolist(),
            strict=True,
        )
    )


def best_window(flux: Floats) -> float:
    """Choose the longest window whose trend still follows the star's variability, in days.

    It is judged by the noise of 3 hours' means, the length of a transit.
    """
    noises = [noise_of(flux - trend_of(flux, window), 6) for window in WINDOWS]
    limit = TOLERANCE * min(noises)
    return next(w for w, noise in zip(WINDOWS, noises, strict=True) if noise <= limit)


def _segment_trend(flux: Floats, seen: NDArray[np.bool_], window: float) -> Floats:
    from scipy.ndimage import median_filter

    places = np.arange(len(flux))
    bridged = np.interp(places, places[seen], flux[seen])
    half = max(round(window / CADENCE_DAYS / 2), 2)
    size = min(2 * half + 1, len(flux))
    line: Floats = median_filter(bridged, size, mode="nearest")
    values = np.where(seen, flux, 0.0)
    # A running median leaves nothing of a slope without noise: second differences tell the noise.
    white = noise_of(np.diff(bridged, n=2)) / np.sqrt(6)
    for _ in range(4):
        scale = max(noise_of((flux - line)[seen]), white)
        if not scale > 0:
            return line
        line = _weighted_lines(values, seen.astype(float), line, half, CUTOFF * scale)
    return line


def _weighted_lines(values: Floats, seen: Floats, line: Floats, half: int, reach: float) -> Floats:
    """Fit a line around each cadence, weighted by distances from ``line``; return its middle."""
    weight = seen * np.square(np.maximum(1 - np.square((values - line) / reach), 0))
    shift = np.arange(-half, half + 1.0)

    def sums(terms: Floats, power: int) -> Floats:
        # Convolution turns the kernel about.
        return np.convolve(terms, (-shift) ** power)[half:-half]

    count, moment, square = (sums(weight, power) for power in range(3))
    total, product = (sums(weight * values, power) for power in range(2))
    spread = count * square - moment**2
    # A window with little to fit (all of it in transit) keeps what it had.
    enough = (count > 3) & (spread > 0)
    fitted = (square * total - moment * product) / np.where(enough, spread, 1)
    return np.where(enough, fitted, line)

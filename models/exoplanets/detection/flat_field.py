"""Remove the drift of K2's telescope from raw photometry, by the star's place on the detector.

With two wheels left, the telescope rolled, and its thrusters set it back every six hours: a star
moved to and fro over pixels of unlike sensitivity.

References
----------
Vanderburg & Johnson 2014, PASP 126, 948: self-flat-fielding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW_DAYS = 10.0
"""Days that one relation of flux to place is fitted to: it changes with the slow drift."""

TREND_CADENCES = 73
"""Cadences of the running median that stands for the star's own variability: 1.5 days."""

BINS, DEGREE, ROUNDS = 15, 5, 4
"""Bins along the path, degree of the polynomial that the path is, and iterations."""


def self_flat_field(time: Floats, flux: Floats, x: Floats, y: Floats) -> Floats:
    """Divide by the sensitivity along the path of a star.

    Parameters
    ----------
    time, flux : ndarray of shape (m,)
        Days, ascending, and any unit; finite, without the cadences when thrusters fired.
    x, y : ndarray of shape (m,)
        Place of the star in pixels; where it is not known, the flux stays as it is.

    Returns
    -------
    ndarray of shape (m,)
        In the unit of the flux.
    """
    flux = np.asarray(flux, np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    total, weights = np.zeros(len(flux)), np.zeros(len(flux))
    # Windows overlap by half and fade into each other: an edge would be a step in the flux.
    for middle in np.arange(time[0], time[-1] + WINDOW_DAYS, WINDOW_DAYS / 2):
        weight = 1 - np.abs(time - middle) / (WINDOW_DAYS / 2)
        rows = np.flatnonzero(known & (weight > 0))
        if len(rows) >= 10 * BINS:
            total[rows] += weight[rows] * _flat(flux[rows], _arc_length(x[rows], y[rows]))
            weights[rows] += weight[rows]
    return np.where(weights > 0, total / np.where(weights > 0, weights, 1), flux)


def _arc_length(x: Floats, y: Floats) -> Floats:
    """Measure each place along the path, a polynomial about its main direction."""
    places = np.stack([x - np.median(x), y - np.median(y)])
    _, axes = np.linalg.eigh(np.cov(places))
    across, along = axes.T @ places
    path = np.polynomial.Polynomial.fit(along, across, DEGREE).deriv()
    steps = np.linspace(along.min(), along.max(), 1000)
    length = np.cumsum(np.sqrt(1 + path(steps) ** 2)) * (steps[1] - steps[0])
    return np.asarray(np.interp(along, steps, length))


def _flat(flux: Floats, arc: Floats) -> Floats:
    from scipy.ndimage import median_filter

    edges = np.quantile(arc, np.linspace(0, 1, BINS + 1))
    index = np.clip(np.searchsorted(edges, arc, side="right") - 1, 0, BINS - 1)
    middles = np.array([np.median(arc[index == k]) for k in range(BINS)])
    corrected = flux
    for _ in range(ROUNDS):
        own = median_filter(corrected, min(TREND_CADENCES, len(flux)), mode="nearest")
        # Medians ignore transits and flares.
        levels = np.array([np.median((flux / own)[index == k]) for k in range(BINS)])
        corrected = flux / np.interp(arc, *_extended(middles, levels / np.median(levels), arc))
    return np.asarray(corrected)


def _extended(middles: Floats, levels: Floats, arc: Floats) -> tuple[Floats, Floats]:
    """Extend levels to both ends of the path, along the last two of each end."""
    ends = []
    for a, b, end in ((0, 1, arc.min()), (-1, -2, arc.max())):
        step = middles[b] - middles[a]
        slope = (levels[b] - levels[a]) / step if step else 0.0
        ends.append((end, levels[a] + slope * (end - middles[a])))
    (first, low), (last, high) = ends
    return np.concatenate([[first], middles, [last]]), np.concatenate([[low], levels, [high]])

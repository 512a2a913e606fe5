"""Fold light curves and bin them into AstroNet's global and local views.

References
----------
Shallue & Vanderburg 2018, AJ 155, 94 (AstroNet), section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transit_search.boxes import Floats

GLOBAL_BINS = 201

LOCAL_BINS = 61

LOCAL_DURATIONS = 4.0
"""Durations covered by the local view on either side of the transit (AstroNet)."""

LOCAL_BIN_DURATIONS = 0.16
"""Width of a bin of the local view, in durations; bins overlap slightly (AstroNet)."""


def phase_fold_and_sort_light_curve(
    time: Floats, flux: NDArray[np.floating], period: float, epoch: float
) -> tuple[Floats, NDArray[np.floating]]:
    """Fold a curve and sort it by phase.

    Returns
    -------
    phase : ndarray of shape (m,)
        Days, ascending in [-period / 2, period / 2), with the transit around 0.
    flux : ndarray of shape (m,)
        In that order.

    Examples
    --------
    >>> phase, flux = phase_fold_and_sort_light_curve(
    ...     np.array([0.0, 1.0, 2.0]), np.array([7, 8, 9]), period=4.0, epoch=1.0)
    >>> phase.tolist(), flux.tolist()
    ([-1.0, 0.0, 1.0], [7, 8, 9])
    """
    phase = _phases(time, period, epoch)
    order = np.argsort(phase, kind="stable")
    return phase[order], np.asarray(flux)[order]


def _phases(time: Floats, period: float, epoch: float) -> Floats:
    return np.asarray((time - epoch + period / 2) % period - period / 2)


def global_view(
    phase: Floats, flux: NDArray[np.floating], period: float, *, bins: int = GLOBAL_BINS
) -> NDArray[np.float32]:
    """Bin a folded curve over the whole period.

    Parameters
    ----------
    phase, flux : ndarray of shape (m,)
        From `phase_fold_and_sort_light_curve`.
    period : float
        Days.
    bins : int
        Bins of equal width over the period.

    Returns
    -------
    ndarray of shape (bins,), float32
        Medians, shifted and scaled so that their median is 0 and their minimum -1. Empty bins are
        interpolated.
    """
    edges = np.linspace(-period / 2, period / 2, bins + 1)
    return _normalised_view(phase, flux, edges[:-1], edges[1:])


def local_view(
    phase: Floats,
    flux: NDArray[np.floating],
    period: float,
    duration: float,
    *,
    bins: int = LOCAL_BINS,
) -> NDArray[np.float32]:
    """Bin a folded curve up to four durations on either side of its transit.

    Parameters
    ----------
    phase, flux : ndarray of shape (m,)
        From `phase_fold_and_sort_light_curve`.
    period, duration : float
        Days.
    bins : int
        Bins of 0.16 durations, evenly spread.

    Returns
    -------
    ndarray of shape (bins,), float32
        Scaled as by `global_view`.
    """
    reach = min(LOCAL_DURATIONS * duration, period / 2)
    width = LOCAL_BIN_DURATIONS * duration
    left = np.linspace(-reach, reach - width, bins)
    return _normalised_view(phase, flux, left, left + width)


def _normalised_view(
    phase: Floats, flux: NDArray[np.floating], left: Floats, right: Floats
) -> NDArray[np.float32]:
    view = _bin_medians(phase, flux, left, right)
    known = np.isfinite(view)
    if not known.any():
        return np.zeros(len(view), np.float32)
    bins = np.arange(len(view))
    view = np.interp(bins, bins[known], view[known])
    view -= np.median(view)
    depth = -view.min()
    return np.asarray(view / depth if depth > 0 else view, np.float32)


def _bin_medians(phase: Floats, flux: NDArray[np.floating], left: Floats, right: Floats) -> Floats:
    """Return the median of the flux in each bin [left, right); NaN for empty bins.

    Parameters
    ----------
    phase : ndarray of shape (m,)
        Ascending.
    left, right : ndarray of shape (bins,)
        Edges, each ascending; bins may overlap.
    """
    first = np.searchsorted(phase, left)
    counts = np.searchsorted(phase, right) - first
    starts = np.cumsum(counts) - counts
    bins = np.repeat(np.arange(len(left)), counts)
    members = np.arange(len(bins)) - starts[bins] + first[bins]
    values = np.asarray(flux, np.float64)[members]
    values = values[np.lexsort((values, bins))]
    medians = np.full(len(left), np.nan)
    some = counts > 0
    low = starts[some] + (counts[some] - 1) // 2
    high = starts[some] + counts[some] // 2
    medians[some] = (values[low] + values[high]) / 2
    return medians

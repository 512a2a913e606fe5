"""Remove slow variability from light curves and estimate their noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transit_search.boxes import Floats

MEDIAN_CADENCES = 31
"""Width of the running median, 15 hours; it ignores dips shorter than half of that."""

SMOOTH_CADENCES = 51
"""Width of the local parabola that replaces the median, 25 hours."""

CLIP = 5.0
"""Brightenings beyond this many times the noise (flares, cosmic rays) are clipped."""


def detrend(flux: NDArray[np.floating]) -> Floats:
    """Subtract variability slower than a transit from each curve.

    A running median exposes dips and flares of any depth, but follows a star with spots that
    rotates in days only roughly. So cadences beyond three times the noise from it are replaced by
    it, and a parabola fitted around each cadence (Savitzky & Golay 1964) becomes the baseline;
    this is done three times. A dip of many hours on a steep slope loses up to a quarter of its
    depth.

    Parameters
    ----------
    flux : ndarray of shape (n, m)
        Evenly sampled curves. Cadences that are not finite are interpolated for the fit, and stay
        as they are.

    Returns
    -------
    ndarray of shape (n, m), float64
        In the unit of ``flux``.
    """
    from scipy.ndimage import median_filter
    from scipy.signal import savgol_filter

    flux = np.asarray(flux, np.float64)
    bridged = np.array([_bridge(row) for row in flux]).reshape(flux.shape)
    baseline = np.array(
        [median_filter(row, min(MEDIAN_CADENCES, len(row)), mode="reflect") for row in bridged]
    ).reshape(flux.shape)
    if flux.shape[1] >= SMOOTH_CADENCES:
        for _ in range(3):
            residual = bridged - baseline
            outlying = np.abs(residual) > 3 * noise(residual)[:, np.newaxis]
            baseline = savgol_filter(
                np.where(outlying, baseline, bridged), SMOOTH_CADENCES, polyorder=2, axis=1
            )
    return np.asarray(flux - baseline)


def _bridge(row: Floats) -> Floats:
    finite = np.isfinite(row)
    if finite.all() or not finite.any():
        return np.where(finite, row, 0)
    (known,) = np.nonzero(finite)
    return np.interp(np.arange(len(row)), known, row[known])


def noise(residual: NDArray[np.floating]) -> Floats:
    """Estimate each curve's noise: 1.4826 times the median of its absolute values.

    Parameters
    ----------
    residual : ndarray of shape (n, m)
        Detrended curves. Where the median is 0, because over half of the values are, the standard
        deviation is taken.

    Returns
    -------
    ndarray of shape (n,), float64
        In the unit of the flux; 0 for a constant curve, or one without finite values.

    Examples
    --------
    >>> noise(np.array([[-1.0, 1.0, -1.0, 1.0], [0.0, 0.0, 0.0, np.nan]]))
    array([1.4826, 0.    ])
    """
    scale = np.zeros(len(residual))
    for i, row in enumerate(np.asarray(residual, np.float64)):
        finite = row[np.isfinite(row)]
        if len(finite):
            scale[i] = 1.4826 * np.median(np.abs(finite)) or finite.std()
    return scale

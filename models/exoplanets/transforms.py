"""Transform light curves for the networks: scaling, channels and spectra.

Each function treats the rows of a batch separately, so it gives the same result for any blocks of
a stream.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CADENCES = 3197
"""Points of one curve of the published set, at the long cadence of 29.4 minutes (65.3 days)."""

BINS = CADENCES // 2 + 1
"""Points of its spectrum without the mirrored half: 1599, from 0 to just below 284 uHz."""

RUNNING_MEAN_CADENCES = 200
"""Width of the running mean that is the CNN's second channel: 4.1 days."""


def standardise(flux: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale each curve to mean 0 and standard deviation 1, by itself.

    Means and variances of stars differ by orders of magnitude. Only a star's own values are used,
    so nothing leaks from one split to another.

    Parameters
    ----------
    flux : ndarray of shape (n, cadences)
        Curves in any unit (the published set: electrons per second).

    Returns
    -------
    ndarray of shape (n, cadences), float32
        Without unit. A constant curve becomes zeros.

    Examples
    --------
    >>> standardise(np.array([[1.0, 3.0], [5.0, 5.0]])).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    flux = _curves(flux)
    # Flux can be large compared with its scatter: subtract in double precision.
    centred = flux - flux.mean(axis=1, keepdims=True, dtype=np.float64)
    scale = centred.std(axis=1, keepdims=True)
    # A constant curve keeps only rounding errors.
    rounding = np.finfo(flux.dtype).eps * np.abs(flux).max(axis=1, keepdims=True)
    constant = scale <= rounding
    centred /= np.where(constant, 1.0, scale)
    return np.where(constant, 0.0, centred).astype(np.float32)


def running_mean(
    flux: NDArray[np.floating], width: int = RUNNING_MEAN_CADENCES
) -> NDArray[np.float32]:
    """Smooth each curve along time.

    Parameters
    ----------
    flux : ndarray of shape (n, cadences)
        Curves.
    width : int
        Cadences averaged. An even window reaches one cadence further back than forward; beyond
        the ends the curve is mirrored (``mode="reflect"`` of `scipy.ndimage.uniform_filter1d`).

    Returns
    -------
    ndarray of shape (n, cadences), float32
        In the unit of ``flux``.
    """
    from scipy.ndimage import uniform_filter1d

    smoothed = uniform_filter1d(_curves(flux), width, axis=1, output=np.float32)
    return np.asarray(smoothed, dtype=np.float32)


def cnn_channels(
    flux: NDArray[np.floating], width: int = RUNNING_MEAN_CADENCES
) -> NDArray[np.float32]:
    """Compute the CNN's two channels: the standardised curve and its running mean.

    The study does not name its second channel; this is that of the best-known public network on
    the same set.

    Returns
    -------
    ndarray of shape (n, cadences, 2), float32
        Without unit.
    """
    scaled = standardise(flux)
    return np.stack([scaled, running_mean(scaled, width)], axis=-1)


def spectrum(flux: NDArray[np.floating]) -> NDArray[np.float32]:
    """Compute the magnitude of each curve's Fourier transform at frequencies from 0.

    Parameters
    ----------
    flux : ndarray of shape (n, cadences)
        Curves, standardised for the study's features.

    Returns
    -------
    ndarray of shape (n, cadences // 2 + 1, 1), float32
        In the unit of ``flux`` (unnormalised transform). The first bin is the sum of the curve.
    """
    return np.abs(_transform(flux))[..., np.newaxis]


def _transform(flux: NDArray[np.floating]) -> NDArray[np.complex64]:
    from scipy import fft

    # Single precision halves the work; the rows are shared by one thread per core.
    transform = fft.rfft(_curves(flux).astype(np.float32, copy=False), axis=1, workers=-1)
    return np.asarray(transform, dtype=np.complex64)


def _curves(flux: NDArray[np.floating]) -> NDArray[np.floating]:
    flux = np.asarray(flux)
    if flux.ndim != 2:
        raise ValueError(
            f"expected curves of shape (stars, cadences), got shape {flux.shape}; "
            "give one star as flux[np.newaxis]"
        )
    if not np.issubdtype(flux.dtype, np.floating):
        flux = flux.astype(np.float64)
    return flux

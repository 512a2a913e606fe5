"""Search light curves for periodic boxes.

Flux is detrended and in units of its own noise, so a depth is also the signal-to-noise of one
cadence.

References
----------
Kovács, Zucker & Mazeh 2002, A&A 391, 369: box least squares.
Ofir 2014, A&A 561, A138: how finely to sample periods and durations.
Winn 2010, in "Exoplanets", equation 19: duration of a transit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CADENCE_DAYS = 29.4244 / 1440.0
"""Days between the midpoints of two Kepler long cadences."""

OVERSAMPLE = 2
"""Phase bins across the shortest duration searched."""


class Box(NamedTuple):
    """The best box of one curve.

    Parameters
    ----------
    period, epoch, duration : float
        Days; the epoch is the middle of the first transit after the curve's first cadence.
    depth : float
        Mean outside minus mean inside, in the unit of the flux.
    snr : float
        ``depth`` over its error for noise of 1.
    """

    period: float
    epoch: float
    duration: float
    depth: float
    snr: float


class Band(NamedTuple):
    """Trial periods that share their trial durations, all in days."""

    periods: Floats
    durations: Floats


class Peak(NamedTuple):
    """The best box of one curve, and its height above the periodogram in its scatter."""

    box: Box
    detection_efficiency: float


def expected_duration(period: float | Floats) -> Any:
    """Return the duration in days of a central transit of a Sun-like star (Winn 2010).

    Parameters
    ----------
    period : float or ndarray
        Days.

    Examples
    --------
    >>> print(f"{expected_duration(365.25) * 24:.1f} hours")
    13.0 hours
    """
    return 13 / 24 * np.cbrt(np.asarray(period) / 365.25)


def search_bands(span: float, period_min: float, period_max: float) -> list[Band]:
    """Choose periods and durations finely enough to miss no transit.

    A band spans a factor of 4 in period. Its durations reach from 0.5 to 1.5 times the expected
    duration for a Sun-like star (small stars and grazing transits; large stars and binaries) in
    steps of 1.5, and never below two cadences. From one period to the next the last transit of
    the curve moves by the shortest duration, so the nearest trial period smears a transit by at
    most half of it.

    Parameters
    ----------
    span : float
        Days from the first to the last cadence.
    period_min, period_max : float
        Days; ``period_max`` at most ``span / 2``, so that two transits are seen.

    Raises
    ------
    ValueError
        The periods are not ascending or don't fit the span.
    """
    if not 8 * CADENCE_DAYS <= period_min < period_max:
        raise ValueError(
            f"periods must ascend from at least {8 * CADENCE_DAYS:.3f} days, "
            f"got {period_min} to {period_max}"
        )
    if period_max > span / 2:
        raise ValueError(
            f"the curve spans {span:.1f} days: at least two transits are needed, so ask for "
            f"periods up to {span / 2:.1f} days, not {period_max}"
        )
    bands = []
    low = period_min
    while low < period_max:
        high = min(4 * low, period_max)
        shortest = max(0.5 * float(expected_duration(low)), 2 * CADENCE_DAYS)
        longest = min(1.5 * float(expected_duration(high)), 0.25 * low)
        steps = max(int(np.ceil(np.log(longest / shortest) / np.log(1.5))), 0)
        trials = int(np.ceil(np.log(high / low) * span / shortest)) + 1
        bands.append(
            Band(
                np.geomspace(low, high, trials),
                np.geomspace(shortest, longest, steps + 1) if steps else np.array([shortest]),
            )
        )
        low = high
    return bands


def box_least_squares(
    time: Floats,
    flux: NDArray[np.floating],
    periods: Floats,
    durations: Floats,
    *,
    oversample: int = OVERSAMPLE,
    weights: Floats | None = None,
) -> NDArray[np.float32]:
    """Search many curves with the same cadences for periodic boxes.

    At a trial period each cadence falls into the same phase bin in all curves, so one sparse
    product sums all curves into bins. Boxes are sums of neighbouring bins; longer ones are built
    from shorter ones.

    Parameters
    ----------
    time : ndarray of shape (m,), float64
        Days, ascending; gaps and uneven steps are allowed.
    flux : ndarray of shape (n, m)
        Curves in units of their noise. Cadences that are not finite count as average ones: they
        dilute a transit, and never make one.
    periods, durations : ndarray
        Days. All durations are tried at all periods.
    oversample : int
        Phase bins across the shortest duration; boxes begin and end at their edges.
    weights : ndarray of shape (m,), optional
        The number of cadences of noise 1 that each value averages; 1 by default.

    Returns
    -------
    ndarray of shape (n, periods), float32
        The largest depth over its error at each period, as the ``depth_snr`` of astropy's
        ``BoxLeastSquares.power(objective="snr")`` for errors of 1; 0 where there is no dip.
    """
    time = _ascending(time)
    widths, bin_width = _box_widths(periods, durations, oversample)
    chain = _addition_chain(widths)
    n, m = np.shape(flux)
    # Single and double precision differ in the last bits, and a row must have the same power in a
    # batch of one.
    many = n > 1 or weights is None
    weights = np.ones(m) if weights is None else weights
    power = np.empty((n, len(periods)), np.float32)
    blocks = [
        (slice(start, start + _BLOCK), _centred(flux[start : start + _BLOCK], weights).T.copy())
        for start in range(0, n, _BLOCK)
    ]
    # Folding costs as much as summing a few dozen curves, so it is done once for all blocks. A
    # block stays in the processor's cache for a chunk of periods.
    for first in range(0, len(periods), _CHUNK):
        folds = [
            _fold(time, weights, period, bin_width, widths, many=many)
            for period in periods[first : first + _CHUNK]
        ]
        for rows, columns in blocks:
            for offset, fold in enumerate(folds):
                power[rows, first + offset] = _deepest_boxes(fold, columns, chain)
    return power


_BLOCK = 256  # curves: enough to outweigh the calls, few enough for the cache

_CHUNK = 64  # periods


class _Fold(NamedTuple):
    """The assignment of cadences to phase bins at one period."""

    sum: Callable[[NDArray[np.float32]], NDArray[Any]]  # curves (m, n) -> sums in bins (bins, n)
    factors: dict[int, NDArray[np.float32]]  # width of a box in bins -> (bins, 1)


def _fold(
    time: Floats,
    weights: Floats,
    period: float,
    bin_width: float,
    widths: Sequence[int],
    *,
    many: bool,
) -> _Fold:
    from scipy import sparse

    count = int(np.ceil(period / bin_width))
    index = _phase_bins(time, period, bin_width, count)
    total = _cumulative(np.bincount(index, weights=weights, minlength=count), widths[-1])
    ends = np.asarray(widths)[:, np.newaxis] + np.arange(count)
    factors = _box_factor(total[ends] - total[:count], total[count])
    by_width = dict(zip(widths, factors[..., np.newaxis], strict=True))
    if many:
        ones = np.ones(len(time), np.float32), index, np.arange(len(time) + 1, dtype=np.int32)
        bins = sparse.csc_array(ones, shape=(count, len(time))).tocsr()
        return _Fold(lambda columns: bins @ columns, by_width)
    # For one curve, building the matrix would cost more than the sum.
    return _Fold(
        lambda columns: np.bincount(index, weights=columns[:, 0], minlength=count)[:, np.newaxis],
        by_width,
    )


def _phase_bins(time: Floats, period: float, bin_width: float, count: int) -> NDArray[np.int32]:
    since = time - time[0]
    phase = since - period * np.floor(since / period)
    # Rounding may leave a phase at the period itself.
    bins: NDArray[np.int32] = np.minimum((phase / bin_width).astype(np.int32), count - 1)
    return bins


def _box_factor(inside: Floats, cadences: float) -> NDArray[np.float32]:
    """Return the factor from a box's sum to depth over error; 0 if nothing is inside or outside.

    With r of N cadences inside and a total of 0, depth = -s N / (r (N - r)) and its variance is
    1 / r + 1 / (N - r), so depth / error = -s sqrt(N / (r (N - r))): Kovács et al., equation 5.
    """
    product = inside * (cadences - inside)
    # Sums of whole numbers in double precision are exact: an empty box has exactly 0.
    factor = np.sqrt(cadences / np.maximum(product, 0.5))
    return np.where(product > 0, -factor, 0).astype(np.float32)


def _deepest_boxes(
    fold: _Fold, columns: NDArray[np.float32], chain: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """Return the largest depth over error of each curve, a column of ``columns``."""
    sums = fold.sum(columns)
    count = len(sums)
    boxes = {1: np.concatenate([sums, sums[: max(fold.factors)]])}
    for width, shorter in chain:
        tail = boxes[width - shorter][shorter:]
        boxes[width] = boxes[shorter][: len(tail)] + tail[: len(boxes[shorter])]
    best = np.zeros(columns.shape[1], np.float32)
    for width, factor in fold.factors.items():
        np.maximum(best, (boxes[width][:count] * factor).max(axis=0), out=best)
    return best


def _addition_chain(widths: Iterable[int]) -> list[tuple[int, int]]:
    """List (width, shorter) such that shorter and width - shorter precede it, or are 1.

    >>> _addition_chain([4, 6])
    [(2, 1), (4, 2), (6, 4)]
    """
    made = [1]
    chain: list[tuple[int, int]] = []

    def make(width: int) -> None:
        if width in made:
            return
        shorter = max((w for w in made if width - w in made), default=(width + 1) // 2)
        make(shorter)
        make(width - shorter)
        made.append(width)
        chain.append((width, shorter))

    for width in sorted(widths):
        make(width)
    return chain


def _box_widths(periods: Floats, durations: Floats, oversample: int) -> tuple[list[int], float]:
    """Return the widths of the boxes in bins, ascending, and the width of a bin in days."""
    periods, durations = np.atleast_1d(periods), np.atleast_1d(durations)
    if not (np.min(durations) > 0 and np.max(durations) < np.min(periods)):
        raise ValueError(
            f"durations must be above 0 and below the shortest period, got durations from "
            f"{np.min(durations):g} to {np.max(durations):g} days and periods from "
            f"{np.min(periods):g} days"
        )
    bin_width = float(np.min(durations)) / oversample
    return sorted({round(float(d) / bin_width) for d in durations}), bin_width


def _ascending(time: Floats) -> Floats:
    time = np.asarray(time, np.float64)
    if time.ndim != 1 or len(time) < 2 or not np.all(np.diff(time) >= 0):
        raise ValueError("times must be finite and ascend: drop cadences without a time, and sort")
    return time


def _centred(flux: NDArray[np.floating], weights: Floats) -> NDArray[np.float32]:
    """Weight each row and make its sum 0; values that are not finite count as its mean."""
    finite = np.isfinite(flux)
    known = np.where(finite, flux, 0.0)
    total = np.sum(known * weights, axis=1) / np.maximum(np.sum(finite * weights, axis=1), 1)
    return np.asarray(np.where(finite, known - total[:, np.newaxis], 0) * weights, np.float32)


def _cumulative(values: NDArray[Any], wrap: int) -> NDArray[Any]:
    """Cumulate, from 0 and past the end by ``wrap`` bins."""
    return np.concatenate([[0], np.cumsum(np.concatenate([values, values[:wrap]]))])


def find_boxes(
    time: Floats,
    flux: NDArray[np.floating],
    bands: Sequence[Band],
    *,
    periodogram: Callable[
        [Floats, NDArray[np.floating], Floats, Floats], NDArray[np.float32]
    ] = box_least_squares,
) -> list[Peak]:
    """Find the best box of each curve: over all trial periods, then finer ones around the best.

    Parameters
    ----------
    time, flux
        As for `box_least_squares`.
    bands : sequence of Band
        From `search_bands`.
    periodogram : callable
        `box_least_squares`, or a faster equivalent.
    """
    power = np.concatenate(
        [periodogram(time, flux, band.periods, band.durations) for band in bands], axis=1
    )
    span = time[-1] - time[0]
    trials = [(band, period) for band in bands for period in band.periods]
    peaks = []
    for row, curve in zip(power, flux, strict=True):
        at = int(np.argmax(row))
        median = np.median(row)
        scatter = 1.4826 * np.median(np.abs(row - median))
        band, period = trials[at]
        # A trial period's neighbours are a shortest duration away by the end of the curve.
        step = band.durations[0] / span
        periods = period * np.exp(np.linspace(-step, step, 2 * _REFINE + 1))
        box = fit_box(time, curve, periods, _finer(band.durations), oversample=2 * OVERSAMPLE)
        peaks.append(Peak(box, _over(float(row[at] - median), float(scatter))))
    return peaks


_REFINE = 10  # finer trial periods to either side


def _finer(durations: Floats) -> Floats:
    return np.geomspace(durations[0], durations[-1], 2 * len(durations) - 1)


def fit_box(
    time: Floats,
    flux: NDArray[np.floating],
    periods: Floats,
    durations: Floats,
    *,
    oversample: int = OVERSAMPLE,
) -> Box:
    """Find the best box of one curve over a few periods.

    Parameters
    ----------
    time, flux : ndarray of shape (m,)
        As for `box_least_squares`, but one curve.
    periods, durations, oversample
        As for `box_least_squares`.
    """
    time = _ascending(time)
    widths, bin_width = _box_widths(periods, durations, oversample)
    m = len(time)
    centred = _centred(np.asarray(flux)[np.newaxis], np.ones(m))[0]
    best = Box(float(np.atleast_1d(periods)[0]), np.nan, np.nan, np.nan, 0.0)
    for period in np.atleast_1d(periods):
        count = int(np.ceil(period / bin_width))
        index = _phase_bins(time, period, bin_width, count)
        inside = _cumulative(np.bincount(index, minlength=count), widths[-1])
        sums = _cumulative(np.bincount(index, weights=centred, minlength=count), widths[-1])
        for width in widths:
            r = inside[width : count + width] - inside[:count]
            s = sums[width : count + width] - sums[:count]
            snr = s * _box_factor(r, m)
            at = int(np.argmax(snr))
            if snr[at] > best.snr:
                epoch = float(time[0] + ((at + width / 2) * bin_width) % period)
                depth = float(-s[at] * m / (r[at] * (m - r[at])))
                best = Box(float(period), epoch, width * bin_width, depth, float(snr[at]))
    return best


def _long_periodogram(
    time: Floats, flux: NDArray[np.floating], periods: Floats, durations: Floats
) -> NDArray[np.float32]:
    """Approximate `box_least_squares` for one curve that may span years, many times faster.

    Neighbouring periods of `search_bands` differ by a shortest duration at the end of the curve.
    Within a sixteenth of the curve, sixteen of them hardly differ: so each sixteenth is folded
    once for sixteen periods, and only its means at each phase are folded for each period.
    """
    power = []
    since = time - time[0]
    blocks = np.minimum((16 * since / since[-1]).astype(int), 15)
    bin_width = durations[0] / OVERSAMPLE
    centred = _centred(flux, np.ones(len(time)))[0]
    for first in range(0, len(periods), 16):
        some = periods[first : first + 16]
        period = some[len(some) // 2]
        cycle = np.floor(since / period)
        phase = since - cycle * period
        bins = int(np.ceil(period / bin_width))
        index = blocks * bins + np.minimum((phase / bin_width).astype(int), bins - 1)
        counts = np.bincount(index, minlength=16 * bins)
        used = counts > 0
        sums = [np.bincount(index, weights=w, minlength=16 * bins) for w in (centred, phase, cycle)]
        mean_flux, mean_phase, mean_cycle = (total[used] / counts[used] for total in sums)
        # A whole number of cycles, so that the phase is unchanged.
        mean_time = np.round(mean_cycle) * period + mean_phase
        order = np.argsort(mean_time)
        power.append(
            box_least_squares(
                mean_time[order],
                mean_flux[np.newaxis, order],
                some,
                durations,
                weights=counts[used][order].astype(np.float64),
            )
        )
    return np.concatenate(power, axis=1)


def _over(value: float, whole: float) -> float:
    """Divide; NaN if ``whole`` is not positive."""
    return value / whole if whole > 0 else np.nan

"""Transit search: box least squares, phase-folded views, and what tells a planet from a mimic.

Here belongs everything between a light curve and the numbers by which a candidate is vetted: the
search over a batch of curves (`box_least_squares`, `vetting_features`), the search of one star's
stitched quarters (`stitch_quarters`, `search`, `verdict`), and the folded views of AstroNet. The
classifier that reads the features is `vetting`.

Times are in days, and folded phases too: a transit lies around phase 0. Inside this module flux
is detrended and in units of its own noise unless a docstring says otherwise, so that a depth is
also the signal-to-noise of one cadence. The published set has its background subtracted, so a
depth as a fraction of the star's light is only known for raw quarters.

References
----------
Kovács, Zucker & Mazeh 2002, A&A 391, 369: box least squares.
Ofir 2014, A&A 561, A138: how finely to sample periods and durations.
Shallue & Vanderburg 2018, AJ 155, 94 (AstroNet), section 3: global and local views.
Coughlin et al. 2016, ApJS 224, 12, appendix A: odd/even, secondary and model-shift tests.
Winn 2010, in "Exoplanets", equation 19: duration of a transit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CADENCE_DAYS = 29.4244 / 1440.0
"""Days between the midpoints of two Kepler long cadences."""

MEDIAN_CADENCES = 31
"""Width of the running median, 15 hours: a dip shorter than half of it leaves no trace in it."""

SMOOTH_CADENCES = 51
"""Width of the local parabola that takes the median's place, 25 hours."""

GAP_DAYS = 0.75
"""A longer hole in a raw curve ends a segment: detrending doesn't reach across."""

CLIP = 5.0
"""Brightenings beyond this many times the noise (flares, cosmic rays) are cut to it."""

OVERSAMPLE = 2
"""Phase bins across the shortest duration searched."""

GLOBAL_BINS = 201
LOCAL_BINS = 61
LOCAL_DURATIONS = 4.0
"""Durations that the local view reaches to either side of the transit (AstroNet)."""
LOCAL_BIN_DURATIONS = 0.16
"""Width of a bin of the local view, in durations: its bins overlap a little (AstroNet)."""

FEATURE_NAMES = (
    "snr",  # depth of the best box over its error
    "period",  # days
    "duration",  # days
    "duration_over_period",
    "duration_over_expected",  # expected: central transit of a Sun-like star
    "depth",  # in units of the noise of one cadence
    "detection_efficiency",  # peak above the periodogram's median, in its own scatter
    "half_power",  # best box at half the period over the peak
    "double_power",  # best box at twice the period over the peak
    "transits",  # seen, with at least half their cadences
    "odd_even_snr",  # difference of odd and even depths over its error
    "odd_even_depth",  # the same, over the depth
    "depth_scatter_snr",  # root mean square of (one depth - mean depth) / error
    "depth_scatter",  # standard deviation of single depths over the depth
    "deepest_share",  # share of the deepest transit in the squared signal-to-noise
    "shallowest_depth",  # depth of the shallowest transit over the depth
    "opposite_snr",  # box at half a period from the transit
    "opposite_depth",  # over the depth
    "secondary_snr",  # deepest other box at the same period and duration
    "secondary_depth",  # over the depth
    "secondary_phase",  # cycles from the transit, 0 to 0.5
    "tertiary_snr",  # next deepest after both
    "brightening_snr",  # strongest upward box
    "phase_scatter",  # of the boxes that are none of these; 1 for white noise
    "trapezoid_snr",  # depth of the best trapezoid over its error
    "trapezoid_duration",  # from first to last contact, in durations of the box
    "ingress",  # share of ingress in the best trapezoid: 0.05 a box, 0.5 a V
    "v_snr",  # signal-to-noise of the best V less that of the best flat-bottomed trapezoid
    "shape",  # depth of the outer half of the transit over the inner: box 1, V about 0.33
    "wings",  # depth just outside the box, over the depth
    "asymmetry_snr",  # second half deeper than the first, over its error
    "flare",  # highest cadence
    "dip",  # lowest cadence
    "skewness",
    "bright_share",  # share of cadences above 4
    "dim_share",  # share of cadences below -4
    "autocorrelation",  # of neighbouring cadences outside transit
    "jump",  # largest step between adjacent half days of the raw curve
    "variability",  # log10 of the raw curve's standard deviation over the noise
)
"""Columns of ``features``, in order. Undefined ones are NaN."""


class Box(NamedTuple):
    """The best box of one curve.

    Parameters
    ----------
    period, epoch, duration
        Days; the epoch is the middle of the first transit after the curve's first cadence.
    depth
        Mean outside minus mean inside, in the unit of the flux.
    snr
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


def expected_duration(period: float | Floats) -> Any:
    """Days that a central transit of a star like the Sun takes: 13 hours at one year (Winn 2010).

    Parameters
    ----------
    period
        Days.
    """
    return 13 / 24 * np.cbrt(np.asarray(period) / 365.25)


def search_bands(span: float, period_min: float, period_max: float) -> list[Band]:
    """Choose periods and durations such that no transit is missed for the grid being coarse.

    The band is cut every factor of 4 in period. Within each the durations reach from 0.5 to 1.5
    times what is expected of a star like the Sun (small stars and grazing transits; large stars
    and binaries) in steps of 1.5, and never below two cadences. From one period to the next the
    last transit of the curve moves by the shortest duration, so the nearest trial period smears
    a transit by at most half of it.

    Parameters
    ----------
    span
        Days from the first to the last cadence.
    period_min, period_max
        Days; ``period_max`` at most ``span / 2``, so that two transits can be seen.

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

    Every cadence of a trial period falls into the same phase bin in all curves: the bins are
    found once, and one sparse product sums all curves into them. Boxes are sums of neighbouring
    bins, longer ones built from shorter ones.

    Parameters
    ----------
    time
        Days, shape (m,), ascending; gaps and uneven steps are fine.
    flux
        Curves, shape (n, m), in units of their noise. Cadences that are not finite count as
        average ones: they dilute a transit, and never make one.
    periods, durations
        Days. All durations are tried at all periods.
    oversample
        Phase bins across the shortest duration; boxes begin and end at their edges.
    weights
        Shape (m,): how many cadences of noise 1 each value is the mean of; 1 by default.

    Returns
    -------
    Shape (n, periods), float32: the largest depth over its error at each period, as the
    ``depth_snr`` that astropy's ``BoxLeastSquares.power(objective="snr")`` gives for errors of 1.
    Only dips count: where there are none it is 0.
    """
    time = _ascending(time)
    widths, bin_width = _box_widths(periods, durations, oversample)
    chain = _addition_chain(widths)
    n, m = np.shape(flux)
    # Sums in single precision differ in their last bits from those in double, and a row shall
    # have the same power in a batch of one.
    many = n > 1 or weights is None
    weights = np.ones(m) if weights is None else weights
    power = np.empty((n, len(periods)), np.float32)
    blocks = [
        (slice(start, start + _BLOCK), _centred(flux[start : start + _BLOCK], weights).T.copy())
        for start in range(0, n, _BLOCK)
    ]
    # Folding costs as much as summing a few dozen curves, so it is done once for all blocks; a
    # block stays in the processor's cache while it goes through a chunk of periods.
    for first in range(0, len(periods), _CHUNK):
        folds = [
            _fold(time, weights, period, bin_width, widths, many=many)
            for period in periods[first : first + _CHUNK]
        ]
        for rows, columns in blocks:
            for offset, fold in enumerate(folds):
                power[rows, first + offset] = _deepest_boxes(fold, columns, chain)
    return power


_BLOCK = 256  # curves: enough to outweigh the calls, few enough to stay near the processor
_CHUNK = 64  # periods


class _Fold(NamedTuple):
    """How the cadences fall into phase bins at one period."""

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
    # Making the matrix would cost more than the one sum that is asked for.
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
    """Give what turns a box's sum into depth over error; 0 for boxes with nothing in or out.

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
    """Give the largest depth over error for each curve, a column of ``columns``."""
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
    """List (width, shorter) such that shorter and width - shorter stand before it, or are 1.

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
    """Give the widths of the boxes in bins, ascending, and the width of a bin in days."""
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
    """Weigh each row and make its sum 0; what is not finite counts as the row's mean."""
    finite = np.isfinite(flux)
    known = np.where(finite, flux, 0.0)
    total = np.sum(known * weights, axis=1) / np.maximum(np.sum(finite * weights, axis=1), 1)
    return np.asarray(np.where(finite, known - total[:, np.newaxis], 0) * weights, np.float32)


def fit_box(
    time: Floats,
    flux: NDArray[np.floating],
    periods: Floats,
    durations: Floats,
    *,
    oversample: int = OVERSAMPLE,
) -> Box:
    """Find the best box of one curve, over a few periods.

    Parameters
    ----------
    time, flux
        As for `box_least_squares`, but one curve, shape (m,).
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


def _cumulative(values: NDArray[Any], wrap: int) -> NDArray[Any]:
    """Sum from the start, beginning with 0 and going on past the end by ``wrap`` bins."""
    return np.concatenate([[0], np.cumsum(np.concatenate([values, values[:wrap]]))])


def detrend(flux: NDArray[np.floating]) -> Floats:
    """Subtract from each curve what varies more slowly than a transit.

    A running median finds dips and flares whatever their depth, but follows a spotted star that
    turns in days only roughly. So cadences that lie beyond three times the noise from it are
    replaced by it, and a parabola fitted around each cadence (Savitzky & Golay 1964) takes its
    place; and twice more with that. A dip of many hours on a steep slope loses up to a quarter of
    its depth.

    Parameters
    ----------
    flux
        Curves, shape (n, m), evenly sampled. Cadences that are not finite are bridged by a
        straight line for the fit, and stay as they are.

    Returns
    -------
    Shape (n, m), float64, in the unit of ``flux``.
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
    residual
        Detrended curves, shape (n, m). Where over half of the values are equal, which a median
        can't measure, the standard deviation is taken.

    Returns
    -------
    Shape (n,), in the unit of the flux; 0 for a constant curve, or one without finite values.
    """
    scale = np.zeros(len(residual))
    for i, row in enumerate(np.asarray(residual, np.float64)):
        finite = row[np.isfinite(row)]
        if len(finite):
            scale[i] = 1.4826 * np.median(np.abs(finite)) or finite.std()
    return scale


def phase_fold_and_sort_light_curve(
    time: Floats, flux: NDArray[np.floating], period: float, epoch: float
) -> tuple[Floats, NDArray[np.floating]]:
    """Fold a curve and sort it by phase.

    Returns
    -------
    Phases in days, ascending in [-period / 2, period / 2) with the transit around 0, and the flux
    in that order.
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
    phase, flux
        From `phase_fold_and_sort_light_curve`.
    period
        Days.
    bins
        Bins of equal width that share the period.

    Returns
    -------
    Shape (bins,), float32: medians, shifted and scaled so that their median is 0 and their
    minimum -1. Bins without a cadence lie on a line between their neighbours.
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
    """Bin a folded curve around its transit: up to four durations to either side.

    Parameters
    ----------
    phase, flux
        From `phase_fold_and_sort_light_curve`.
    period, duration
        Days.
    bins
        Bins of 0.16 durations, evenly spread.

    Returns
    -------
    Shape (bins,), float32, as of `global_view`.
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
    """Give the median of the flux in each bin [left, right); NaN for empty bins.

    Parameters
    ----------
    phase
        Ascending.
    left, right
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


def transit_statistics(
    time: Floats, flux: NDArray[np.floating], period: float, epoch: float, duration: float
) -> dict[str, float]:
    """Measure what tells a planet's transits from eclipsing binaries and glitches.

    Parameters
    ----------
    time, flux
        One curve, shape (m,), finite, detrended, in units of its noise.
    period, epoch, duration
        Days; the epoch is the middle of a transit.

    Returns
    -------
    Those of `FEATURE_NAMES` from ``transits`` to ``asymmetry_snr`` and ``autocorrelation``; NaN
    where there are too few cadences or transits for one.
    """
    phase = _phases(time, period, epoch)
    away = np.abs(phase)
    inside = away < duration / 2
    outside = flux[away > duration]
    base = _mean(outside)
    depth = base - _mean(flux[inside])
    return {
        **_single_transits(time[inside], flux[inside], period, epoch, duration, base),
        **_other_boxes(phase, flux - base, period, duration, depth),
        **_trapezoids(phase, flux, duration),
        "shape": _over(
            base - _mean(flux[inside & (away >= duration / 4)]),
            base - _mean(flux[away < duration / 4]),
        ),
        "wings": _over(base - _mean(flux[(away >= duration / 2) & (away < duration)]), depth),
        "asymmetry_snr": _difference_snr(flux[inside & (phase < 0)], flux[inside & (phase >= 0)]),
        "autocorrelation": _neighbour_correlation(outside - base),
    }


def _single_transits(
    time: Floats,
    flux: NDArray[np.floating],
    period: float,
    epoch: float,
    duration: float,
    base: float,
) -> dict[str, float]:
    """Compare the transits with each other; only cadences in transit are given."""
    names = (
        "transits",
        "odd_even_snr",
        "odd_even_depth",
        "depth_scatter_snr",
        "depth_scatter",
        "deepest_share",
        "shallowest_depth",
    )
    number = np.round((time - epoch) / period).astype(int)
    which, member = np.unique(number, return_inverse=True)
    counts = np.bincount(member, minlength=len(which))
    # Half of the cadences that an unbroken curve has in a transit, and at least one.
    seen = counts >= max(0.5 * duration / CADENCE_DAYS, 1)
    if not seen.any():
        return dict.fromkeys(names, np.nan) | {"transits": 0.0}
    depths = base - np.bincount(member, weights=flux, minlength=len(which))[seen] / counts[seen]
    counts, which = counts[seen], which[seen]
    mean = float(np.average(depths, weights=counts))
    snr = depths * np.sqrt(counts)
    values = {
        "transits": float(len(depths)),
        "odd_even_snr": np.nan,
        "odd_even_depth": np.nan,
        "depth_scatter_snr": np.nan,
        "depth_scatter": np.nan,
        "deepest_share": float(np.max(snr**2) / max(np.sum(snr**2), 1e-12)),
        "shallowest_depth": _over(float(depths.min()), mean),
    }
    if len(depths) > 1:
        values["depth_scatter_snr"] = float(np.sqrt(np.mean((depths - mean) ** 2 * counts)))
        values["depth_scatter"] = _over(float(depths.std(ddof=1)), mean)
    odd = which % 2 == 1
    if odd.any() and not odd.all():
        halves = [np.average(depths[half], weights=counts[half]) for half in (odd, ~odd)]
        # Starspots and detrending make depths differ by more than noise: let their own scatter
        # within each half count as error where it is larger.
        errors = [
            max(1 / counts[half].sum(), depths[half].var(ddof=1) / half.sum())
            if half.sum() > 1
            else 1 / counts[half].sum()
            for half in (odd, ~odd)
        ]
        difference = float(abs(halves[0] - halves[1]))
        values["odd_even_snr"] = difference / float(np.sqrt(sum(errors)))
        values["odd_even_depth"] = _over(difference, mean)
    return values


def _other_boxes(
    phase: Floats, flux: NDArray[np.floating], period: float, duration: float, depth: float
) -> dict[str, float]:
    """Look for other dips and rises at the same period, with boxes as long as the transit.

    The model-shift test of Coughlin et al. 2016: steps of a quarter of the duration, the transit
    and 1.5 durations to either side left out.
    """
    names = (
        "opposite_snr",
        "opposite_depth",
        "secondary_snr",
        "secondary_depth",
        "secondary_phase",
        "tertiary_snr",
        "brightening_snr",
        "phase_scatter",
    )
    values = dict.fromkeys(names, np.nan)
    opposite = flux[np.abs(phase) > (period - duration) / 2]
    if len(opposite):
        values["opposite_snr"] = -_mean(opposite) * float(np.sqrt(len(opposite)))
        values["opposite_depth"] = _over(-_mean(opposite), depth)
    count = round(period / (duration / 4))
    step = period / count
    index = np.floor((phase + duration / 2) / step).astype(int) % count
    inside = _cumulative(np.bincount(index, minlength=count), 4)
    sums = _cumulative(np.bincount(index, weights=flux, minlength=count), 4)
    r = (inside[4:] - inside[:-4])[:count]
    mean = (sums[4:] - sums[:-4])[:count] / np.maximum(r, 1)
    snr = -mean * np.sqrt(r)
    cycle = np.arange(count) / count
    distance = np.minimum(cycle, 1 - cycle) * period
    rest = (distance > 1.5 * duration) & (r > 0)
    if not rest.any():
        return values
    second = int(np.argmax(np.where(rest, snr, -np.inf)))
    values["secondary_snr"] = float(snr[second])
    values["secondary_depth"] = _over(-float(mean[second]), depth)
    values["secondary_phase"] = float(distance[second] / period)
    values["brightening_snr"] = float(-snr[rest].min())
    apart = np.abs(cycle - cycle[second])
    rest &= np.minimum(apart, 1 - apart) * period > 1.5 * duration
    if rest.any():
        values["tertiary_snr"] = float(snr[rest].max())
        values["phase_scatter"] = float(snr[rest].std())
    return values


_TRAPEZOID_DURATIONS = np.geomspace(0.8, 2.2, 7)
_TRAPEZOID_SHIFTS = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
_TRAPEZOID_INGRESSES = np.array([0.05, 0.15, 0.3, 0.5])


def _trapezoids(phase: Floats, flux: NDArray[np.floating], duration: float) -> dict[str, float]:
    """Fit trapezoids of some durations, shifts and ingresses, each with its best depth."""
    names = ("trapezoid_snr", "trapezoid_duration", "ingress", "v_snr")
    near = np.abs(phase) < 2 * duration
    phase, flux = phase[near], flux[near]
    if len(phase) < 4:
        return dict.fromkeys(names, np.nan)
    length = _TRAPEZOID_DURATIONS[:, np.newaxis, np.newaxis, np.newaxis] * duration
    middle = _TRAPEZOID_SHIFTS[:, np.newaxis, np.newaxis] * duration
    # An exposure smears the ingress over a cadence.
    ingress = np.maximum(_TRAPEZOID_INGRESSES[:, np.newaxis] * length, CADENCE_DAYS)
    model = np.clip((length / 2 - np.abs(phase - middle)) / ingress, 0, 1)
    model -= model.mean(axis=-1, keepdims=True)
    square = np.einsum("dsip,dsip->dsi", model, model)
    snr = -(model @ flux) / np.sqrt(np.where(square > 0, square, np.inf))
    best = np.unravel_index(np.argmax(snr), snr.shape)
    return {
        "trapezoid_snr": float(snr[best]),
        "trapezoid_duration": float(_TRAPEZOID_DURATIONS[best[0]]),
        "ingress": float(_TRAPEZOID_INGRESSES[best[2]]),
        "v_snr": float(snr[..., 3].max() - snr[..., :2].max()),
    }


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if len(values) else np.nan


def _over(value: float, whole: float) -> float:
    """Divide, where there is something to divide by."""
    return value / whole if whole > 0 else np.nan


def _difference_snr(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    if not len(first) or not len(second):
        return np.nan
    return float((first.mean() - second.mean()) / np.sqrt(1 / len(first) + 1 / len(second)))


def _neighbour_correlation(values: NDArray[np.floating]) -> float:
    square = float(np.sum(values**2)) if len(values) > 1 else 0.0
    return _over(float(np.sum(values[1:] * values[:-1])), square)


def vetting_features(
    flux: NDArray[np.floating],
    *,
    period_min: float = 0.5,
    period_max: float | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Search each curve for transits, and describe the best candidate of each.

    Parameters
    ----------
    flux
        Curves, shape (n, m), evenly sampled at Kepler's long cadence, in any unit and with any
        offset; cadences that are not finite are left out.
    period_min, period_max
        Days searched; the longest by default is half of the curve, where two transits fit.

    Returns
    -------
    ``features`` (n, len(FEATURE_NAMES)), ``global_view`` (n, 201) and ``local_view`` (n, 61), all
    float32. Features that are undefined are NaN. A curve without scatter or without finite values
    has an ``snr`` of 0, NaN for all other features, and views of zeros. Each row is the same in
    whatever batch it comes.
    """
    flux = np.asarray(flux, np.float64)
    flux = np.where(np.isfinite(flux), flux, np.nan)
    n, m = flux.shape
    time = np.asarray(np.arange(m) * CADENCE_DAYS, np.float64)
    bands = search_bands(time[-1], period_min, time[-1] / 2 if period_max is None else period_max)
    residual = detrend(flux)
    scale = noise(residual)
    rounding = 1e-9 * np.max(np.abs(flux), axis=1, initial=0, where=np.isfinite(flux))
    (rows,) = np.nonzero(scale > rounding)
    features = np.full((n, len(FEATURE_NAMES)), np.nan, np.float32)
    features[:, FEATURE_NAMES.index("snr")] = 0
    global_views = np.zeros((n, GLOBAL_BINS), np.float32)
    local_views = np.zeros((n, LOCAL_BINS), np.float32)
    scaled = residual[rows] / scale[rows, np.newaxis]
    peaks = find_boxes(time, np.minimum(scaled, CLIP), bands)
    for row, curve, peak in zip(rows, scaled, peaks, strict=True):
        known = np.isfinite(curve)
        values = _describe(time[known], curve[known], peak) | _curve_statistics(
            flux[row, known], curve[known], scale[row]
        )
        features[row] = [values.get(name, np.nan) for name in FEATURE_NAMES]
        if peak.box.snr > 0:
            phase, folded = phase_fold_and_sort_light_curve(
                time[known], np.minimum(curve[known], CLIP), peak.box.period, peak.box.epoch
            )
            global_views[row] = global_view(phase, folded, peak.box.period)
            local_views[row] = local_view(phase, folded, peak.box.period, peak.box.duration)
    return {"features": features, "global_view": global_views, "local_view": local_views}


class Peak(NamedTuple):
    """The best box of one curve, and how far it stands out of the periodogram."""

    box: Box
    detection_efficiency: float


def find_boxes(
    time: Floats,
    flux: NDArray[np.floating],
    bands: Sequence[Band],
    *,
    periodogram: Callable[
        [Floats, NDArray[np.floating], Floats, Floats], NDArray[np.float32]
    ] = box_least_squares,
) -> list[Peak]:
    """Find the best box of each curve: all trial periods first, then finer ones around the best.

    Parameters
    ----------
    time, flux
        As for `box_least_squares`.
    bands
        From `search_bands`.
    periodogram
        `box_least_squares`, or something quicker.
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


def _long_periodogram(
    time: Floats, flux: NDArray[np.floating], periods: Floats, durations: Floats
) -> NDArray[np.float32]:
    """Do the work of `box_least_squares` for one curve that may span years, many times faster.

    Neighbouring periods of `search_bands` differ by a shortest duration at the end of the curve.
    Within a sixteenth of the curve, sixteen of them are all but the same: so each sixteenth is
    folded once for sixteen periods, and only its means at each phase are folded for each of them.
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
        # A whole number of cycles, so that the phase stays what it was.
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


_REFINE = 10  # finer trial periods to either side


def _finer(durations: Floats) -> Floats:
    return np.geomspace(durations[0], durations[-1], 2 * len(durations) - 1)


def _describe(time: Floats, flux: NDArray[np.floating], peak: Peak) -> dict[str, float]:
    """Give the features of a candidate in one curve of finite values."""
    box = peak.box
    if box.snr <= 0:
        return {"snr": box.snr}
    clipped = np.minimum(flux, CLIP)
    at_half, at_double = (
        fit_box(time, clipped, np.array([factor * box.period]), np.array([box.duration])).snr
        if factor * box.period > box.duration
        else np.nan
        for factor in (0.5, 2.0)
    )
    return {
        "snr": box.snr,
        "period": box.period,
        "duration": box.duration,
        "duration_over_period": box.duration / box.period,
        "duration_over_expected": box.duration / float(expected_duration(box.period)),
        "depth": box.depth,
        "detection_efficiency": peak.detection_efficiency,
        "half_power": at_half / box.snr,
        "double_power": at_double / box.snr,
        **transit_statistics(time, clipped, box.period, box.epoch, box.duration),
    }


def _curve_statistics(
    raw: NDArray[np.floating], flux: NDArray[np.floating], scale: float
) -> dict[str, float]:
    """Give the features that don't depend on a candidate; ``raw`` is the curve as given."""
    centred = flux - flux.mean()
    half_day = round(0.5 / CADENCE_DAYS)
    steps = np.abs(_window_means(raw, half_day))
    return {
        "flare": float(flux.max()),
        "dip": float(flux.min()),
        "skewness": _over(float(np.mean(centred**3)), float(np.mean(centred**2)) ** 1.5),
        "bright_share": float(np.mean(flux > 4)),
        "dim_share": float(np.mean(flux < -4)),
        "jump": float(steps.max() / scale) if len(steps) else np.nan,
        "variability": float(np.log10(raw.std() / scale)),
    }


def _window_means(raw: NDArray[np.floating], width: int) -> Floats:
    """Give, for each place, the mean of the next ``width`` values less that of those before."""
    total = np.concatenate([[0.0], np.cumsum(raw - raw.mean())])
    means = (total[width:] - total[:-width]) / width
    return np.asarray(means[width:] - means[:-width])


@dataclass(frozen=True)
class Candidate:
    """The best periodic dip of one star.

    Parameters
    ----------
    period, period_error, epoch, duration
        Days, the epoch in the time scale given (raw Kepler quarters: BJD - 2454833).
    depth, depth_error
        As fractions of the star's light.
    snr
        Depth over its error for white noise.
    features
        The columns of `FEATURE_NAMES` that describe a candidate.
    """

    period: float
    epoch: float
    duration: float
    depth: float
    depth_error: float
    snr: float
    features: dict[str, float]


def stitch_quarters(
    quarters: Iterable[tuple[Floats, NDArray[np.floating], NDArray[np.integer]]],
) -> tuple[Floats, Floats]:
    """Join the quarters of one star into one detrended curve.

    Each quarter is divided by its median, cut where it has a hole of over 0.75 days (or ends),
    and each piece is detrended by itself.

    Parameters
    ----------
    quarters
        For each quarter: time in days, flux in any unit, and SAP_QUALITY. Cadences with a
        quality flag, without a time or without flux are dropped.

    Returns
    -------
    Time in days, ascending, and flux as a fraction of the star's light, about 0; both (m,).

    Raises
    ------
    ValueError
        No usable cadence is left, or quarters overlap.
    """
    times, fluxes = [], []
    for time, flux, quality in quarters:
        good = (np.asarray(quality) == 0) & np.isfinite(time) & np.isfinite(flux)
        if not good.any():
            continue
        kept, light = np.asarray(time)[good], np.asarray(flux, np.float64)[good]
        relative = light / np.median(light) - 1
        for piece in np.split(relative, np.nonzero(np.diff(kept) > GAP_DAYS)[0] + 1):
            fluxes.append(detrend(piece[np.newaxis])[0])
        times.append(kept)
    if not times:
        raise ValueError("no cadence has a time, a flux and a clean SAP_QUALITY")
    joined, flat = np.concatenate(times), np.concatenate(fluxes)
    order = np.argsort(joined, kind="stable")
    if np.any(np.diff(joined[order]) == 0):
        raise ValueError("the same time stands in two places: give each quarter of a star once")
    return joined[order], flat[order]


def search(time: Floats, flux: Floats, period_min: float, period_max: float) -> Candidate:
    """Search one star's curve, with gaps or not, for transits.

    Parameters
    ----------
    time, flux
        From `stitch_quarters`: shape (m,), days and fractions of the star's light.
    period_min, period_max
        Days.

    Raises
    ------
    ValueError
        The curve is constant, or too short for the periods.
    """
    scale = float(noise(flux[np.newaxis])[0])
    if not scale > 0:
        raise ValueError("the curve has no scatter to search: it is constant or has no values")
    known = np.isfinite(flux)
    time, scaled = time[known], flux[known] / scale
    bands = search_bands(time[-1] - time[0], period_min, period_max)
    (peak,) = find_boxes(
        time, np.minimum(scaled, CLIP)[np.newaxis], bands, periodogram=_long_periodogram
    )
    box = peak.box
    return Candidate(
        period=box.period,
        epoch=box.epoch,
        duration=box.duration,
        depth=box.depth * scale,
        depth_error=box.depth * scale / box.snr if box.snr > 0 else np.nan,
        snr=box.snr,
        features=_describe(time, scaled, peak),
    )


class Verdict(NamedTuple):
    """What the light curve says of a candidate.

    Parameters
    ----------
    disposition
        ``"planet candidate"``, ``"false positive"`` or ``"no transit"``.
    reasons
        Why it is not a planet candidate; empty for one.
    """

    disposition: str
    reasons: tuple[str, ...]


MIN_SNR = 7.1
"""Kepler's detection threshold (Jenkins, Caldwell & Borucki 2002, ApJ 564, 495)."""

MAX_PLANET_DEPTH = 0.035
"""A planet of 1.8 Jupiter radii, the largest known, before a star like the Sun."""

MIN_SIGNIFICANCE = 5.0
"""Errors by which odd and even transits must differ, or a secondary stand out."""

MIN_MARGIN = 3.0
"""Errors by which a secondary must be deeper than the next dip (Coughlin et al. 2016)."""

MIN_SHAPE = 0.45
"""Outer over inner depth below which a dip is V-shaped, as of two grazing stars."""


def verdict(candidate: Candidate) -> Verdict:
    """Say whether a candidate can be a planet, from its light curve alone.

    A background binary that imitates a planet's light curve in every respect, which takes
    centroids or spectra to tell, passes for a planet candidate here.

    Parameters
    ----------
    candidate
        From `search`.
    """
    found = candidate.features
    if candidate.snr < MIN_SNR:
        return Verdict("no transit", (f"signal-to-noise {candidate.snr:.1f} is below {MIN_SNR}",))
    reasons = []
    if candidate.depth > MAX_PLANET_DEPTH:
        reasons.append(f"the dips are {candidate.depth:.1%} deep: too large for a planet")
    # Starspots and what detrending leaves are no white noise: judge against their scatter.
    red = max(found["phase_scatter"], 1.0)
    if found["odd_even_snr"] / red > MIN_SIGNIFICANCE and found["odd_even_depth"] > 0.02:
        reasons.append(
            f"odd and even dips differ by {found['odd_even_depth']:.0%}: two stars that eclipse "
            f"each other every {2 * candidate.period:.4f} days"
        )
    # (Star's radius / distance)^2, from the time in transit: the share of a planet's transit
    # depth that it could reflect at full phase if it threw back all light.
    reflected = (np.pi * candidate.duration / candidate.period) ** 2
    if (
        found["secondary_snr"] / red > MIN_SIGNIFICANCE
        and found["secondary_snr"] - found["tertiary_snr"] > MIN_MARGIN
        and found["secondary_depth"] > reflected
    ):
        reasons.append(
            f"a second dip at phase {found['secondary_phase']:.3f} has "
            f"{found['secondary_depth']:.1%} of the depth, and a planet could reflect "
            f"{reflected:.1%}: its companion shines by itself"
        )
    if found["shape"] < MIN_SHAPE:
        reasons.append(
            f"the dips are V-shaped (outer half {found['shape']:.2f} of the inner): grazing stars"
        )
    if found["duration_over_period"] > 0.15:
        reasons.append(f"the dips last {found['duration_over_period']:.0%} of the period")
    if found["deepest_share"] > 0.5:
        reasons.append("one dip has over half of the signal: it doesn't recur")
    return Verdict("false positive" if reasons else "planet candidate", tuple(reasons))

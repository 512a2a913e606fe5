"""Measure what tells a planet's transits from mimics.

Flux is detrended and in units of its own noise unless a docstring says otherwise. The published set
has its background subtracted, so a depth as a fraction of the star's light is only known for raw
quarters.

References
----------
Coughlin et al. 2016, ApJS 224, 12, appendix A: odd/even, secondary and model-shift tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transit_search.boxes import (
    CADENCE_DAYS,
    Floats,
    Peak,
    _cumulative,
    _over,
    expected_duration,
    find_boxes,
    fit_box,
    search_bands,
)
from models.exoplanets.transit_search.detrending import CLIP, detrend, noise
from models.exoplanets.transit_search.views import (
    GLOBAL_BINS,
    LOCAL_BINS,
    _phases,
    global_view,
    local_view,
    phase_fold_and_sort_light_curve,
)

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


def vetting_features(
    flux: NDArray[np.floating],
    *,
    period_min: float = 0.5,
    period_max: float | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Search each curve for transits, and describe the best candidate of each.

    Parameters
    ----------
    flux : ndarray of shape (n, m)
        Curves sampled at Kepler's long cadence, in any unit and with any offset; cadences that
        are not finite are left out.
    period_min, period_max : float
        Days; by default up to half of the curve, where two transits fit.

    Returns
    -------
    dict
        ``features`` of shape (n, len(FEATURE_NAMES)), ``global_view`` (n, 201) and ``local_view``
        (n, 61), all float32. Undefined features are NaN. A curve without scatter or finite values
        has an ``snr`` of 0, NaN for all other features, and views of zeros. A row does not depend
        on its batch.
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


def _describe(time: Floats, flux: NDArray[np.floating], peak: Peak) -> dict[str, float]:
    """Compute the features of a candidate in one curve of finite values."""
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


def transit_statistics(
    time: Floats, flux: NDArray[np.floating], period: float, epoch: float, duration: float
) -> dict[str, float]:
    """Measure what tells a planet's transits from eclipsing binaries and glitches.

    Parameters
    ----------
    time, flux : ndarray of shape (m,)
        One curve, finite, detrended, in units of its noise.
    period, epoch, duration : float
        Days; the epoch is the middle of a transit.

    Returns
    -------
    dict of str to float
        Those of `FEATURE_NAMES` from ``transits`` to ``asymmetry_snr``, and ``autocorrelation``;
        NaN where there are too few cadences or transits.
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
    """Compare the transits with each other; the cadences are those in transit."""
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
        # Starspots and detrending make depths differ by more than noise: the scatter within each
        # half is the error where it is larger.
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
    """Find other dips and rises at the same period, with boxes as long as the transit.

    The model-shift test of Coughlin et al. 2016, in steps of a quarter of the duration, without
    the transit and 1.5 durations on either side.
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
    """Fit the depth of trapezoids over a grid of durations, shifts and ingresses."""
    names = ("trapezoid_snr", "trapezoid_duration", "ingress", "v_snr")
    near = np.abs(phase) < 2 * duration
    phase, flux = phase[near], flux[near]
    if len(phase) < 4:
        return dict.fromkeys(names, np.nan)
    length = _TRAPEZOID_DURATIONS[:, np.newaxis, np.newaxis, np.newaxis] * duration
    middle = _TRAPEZOID_SHIFTS[:, np.newaxis, np.newaxis] * duration
    # An exposure smears the ingress over one cadence.
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


def _curve_statistics(
    raw: NDArray[np.floating], flux: NDArray[np.floating], scale: float
) -> dict[str, float]:
    """Compute the features that need no candidate; ``raw`` is the curve before detrending."""
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
    """Return, at each place, the mean of the next ``width`` values minus that of the last."""
    total = np.concatenate([[0.0], np.cumsum(raw - raw.mean())])
    means = (total[width:] - total[:-width]) / width
    return np.asarray(means[width:] - means[:-width])


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if len(values) else np.nan


def _difference_snr(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    if not len(first) or not len(second):
        return np.nan
    return float((first.mean() - second.mean()) / np.sqrt(1 / len(first) + 1 / len(second)))


def _neighbour_correlation(values: NDArray[np.floating]) -> float:
    square = float(np.sum(values**2)) if len(values) > 1 else 0.0
    return _over(float(np.sum(values[1:] * values[:-1])), square)

"""Search a star, compute what the trained models read of it, and give their verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.detection import Recording, TrainedModel, TrainingRange, Verdict, outside
from models.exoplanets.training import score
from models.exoplanets.transforms import CADENCES, cnn_channels, spectrum, standardise
from models.exoplanets.transit_search import CADENCE_DAYS, FEATURE_NAMES, vetting_features
from models.exoplanets.transit_search.candidates import MIN_SNR
from models.exoplanets.transit_search.planets import Signal, find_planets, on_grid
from models.intervals import Metric
from models.sampling import read_rows
from models.types import JsonDict

READINGS_FROM: tuple[str, ...] = ()
"""Stored assets that `readings` needs: none, as every curve is scaled by itself."""

SEARCH = "search"
"""Name of the transit search among the models: it decides by rules, and isn't trained."""

CANDIDATE = "planet candidate"

MISSING_LIMIT = 0.1
"""Share of a window that may be interpolated without a warning."""

PERIOD_LIMIT = CADENCES * CADENCE_DAYS / 2
"""Days: longer periods have less than two transits in the curves that the models are trained on."""

BANDS = 16
"""Bands of frequency, equally wide in its logarithm, whose power tells unlike curves."""

SEARCHED = (25, 75)
"""Test curves, with a planet and without one, that the search's error rates are measured on."""


def readings(recording: Recording, stored: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Search a star for planets, and compute the features of the trained models.

    Parameters
    ----------
    recording
        From `read_recording`.
    stored
        Nothing is needed.

    Returns
    -------
    dict
        Of the search: ``signals`` (k,), JSON of each, the strongest first; ``time``, ``flat``,
        ``trend`` (m,), the curve on a grid of 29.4 minutes; ``noise``, ``window``, ``complete``
        (1,); ``noisy`` (stretches, 2), first and last day of what was left out; ``trial_period``,
        ``trial_snr`` (trials,), the periodogram, thinned out. Of the w
        windows of 3197 cadences: ``curve`` (w, 3197, 2), ``spectrum`` (w, 1599, 1), ``start`` and
        ``stop`` (days), ``missing`` (share interpolated or padded). Of the signals:
        ``features`` (k, 39) as for the vetting model, NaN where it can't be used.
    """
    time, flux = recording.arrays["time"], recording.arrays["flux"]
    grid, light = on_grid(time, flux - 1)
    search = find_planets(grid, light)
    windows = _windows(recording)
    rows = np.stack([row for _, row, _ in windows])
    starts = np.array([days[0] for days, _, _ in windows])
    power = search.periodogram
    thinned = _thinned(power.period, power.snr)
    return {
        "signals": np.array([json.dumps(signal.to_dict()) for signal in search.signals], np.str_),
        "time": grid,
        "flat": search.flat,
        "trend": search.trend,
        "noise": np.array([search.noise]),
        "window": np.array([search.window]),
        "complete": np.array([search.complete]),
        "noisy": np.array(search.noisy).reshape(-1, 2),
        "trial_period": power.period[thinned],
        "trial_snr": power.snr[thinned],
        "curve": cnn_channels(rows),
        "spectrum": spectrum(standardise(rows)),
        "start": starts,
        "stop": np.array([days[-1] for days, _, _ in windows]),
        "missing": np.array([missing for _, _, missing in windows]),
        "features": _candidate_features(search.signals, rows, starts),
    }


def signals_of(features: Mapping[str, NDArray[Any]]) -> list[Signal]:
    """Read the signals of `readings`."""
    return [Signal.from_dict(json.loads(str(text))) for text in features["signals"]]


def _windows(recording: Recording) -> list[tuple[NDArray[np.float64], NDArray[np.float32], float]]:
    """Cut each file into curves as long as those of training: days, flux and what is made up.

    Gaps are interpolated as in training. A curve that is longer gives windows that overlap; one
    that is shorter is mirrored at its end.
    """
    windows = []
    time, flux, file = (recording.arrays[name] for name in ("time", "flux", "file"))
    for number in np.unique(file):
        chosen = file == number
        grid, light = on_grid(time[chosen], flux[chosen])
        known = np.isfinite(light)
        filled = np.interp(np.arange(len(light)), np.flatnonzero(known), light[known])
        count = -(-len(filled) // CADENCES)
        for first in np.linspace(0, max(len(filled) - CADENCES, 0), count).round().astype(int):
            part = slice(first, first + CADENCES)
            row, days, there = filled[part], grid[part], int(known[part].sum())
            if len(row) < CADENCES:
                row = np.pad(row, (0, CADENCES - len(row)), mode="symmetric")
            centred = np.asarray(row - np.median(row), np.float32)
            windows.append((days, centred, 1 - there / CADENCES))
    return windows


def _thinned(period: NDArray[np.float64], snr: NDArray[np.float64]) -> NDArray[np.intp]:
    """Choose the best trial of each of 4000 intervals of period."""
    bins = np.floor(np.log(period / period[0]) / np.log(period[-1] / period[0]) * 4000)
    order = np.lexsort((snr, bins))
    last = np.flatnonzero(np.diff(bins[order], append=np.inf))
    return np.asarray(order[last])


def _candidate_features(
    signals: Sequence[Signal], rows: NDArray[np.float32], starts: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Compute the vetting features of each signal in the window that holds most of its transits.

    As in training, the window is searched for its best dip; the other signals are cut out.
    """
    features = np.full((len(signals), len(FEATURE_NAMES)), np.nan, np.float32)
    chosen: list[int] = []
    curves = []
    offsets = np.arange(CADENCES) * CADENCE_DAYS
    for place, signal in enumerate(signals):
        if signal.period is None or signal.period.value > PERIOD_LIMIT:
            continue
        counts = [
            sum(start <= middle <= start + offsets[-1] for middle in signal.transits)
            for start in starts
        ]
        best = int(np.argmax(counts))
        if counts[best] < 2:
            continue
        days = starts[best] + offsets
        hidden = np.zeros(CADENCES, bool)
        for other in signals:
            if other is not signal:
                hidden |= other.inside(days, 1.3)
        hidden &= ~signal.inside(days)
        chosen.append(place)
        curves.append(np.where(hidden, np.nan, rows[best].astype(np.float64)))
    if chosen:
        features[chosen] = vetting_features(np.stack(curves))["features"]
    return features


# what the models were trained on ----------------------------------------------------------------


def training_range(candidates: Arrays, spectra: Arrays, test: Arrays) -> JsonDict:
    """Say where the training curves lie, and how often the search errs on test curves.

    Parameters
    ----------
    candidates, spectra
        Features of the training split.
    test
        ``curve`` and ``label`` of the test split.

    Returns
    -------
    dict
        ``features`` and ``power``, each a `TrainingRange`; ``search``, error rates as of
        `models.detection.TrainedModel`.
    """
    features = np.asarray(candidates["features"])
    known = np.isfinite(features).any(axis=0)
    if not known.all():
        features = np.where(known, features, 0.0)
    return {
        "features": TrainingRange.fit(features).to_dict(),
        "power": TrainingRange.fit(band_power(np.asarray(spectra["spectrum"]))).to_dict(),
        "search": search_errors(test),
    }


def band_power(spectra: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute the logarithm of the mean power of curves in bands of frequency, shape (n, 16)."""
    power = np.square(np.asarray(spectra, np.float64)[:, 1:, 0])
    edges = np.unique(np.geomspace(1, power.shape[1] + 1, BANDS + 1).round().astype(int)) - 1
    total = np.add.reduceat(power, edges[:-1], axis=1) / np.diff(edges)
    return np.asarray(np.log10(total + 1e-6))


def search_errors(test: Arrays) -> JsonDict:
    """Measure how often the search misses a test star's planet, or finds what isn't there."""
    labels = np.asarray(test["label"])
    rates = {}
    for name, label, most in (("missed", 1, SEARCHED[0]), ("false_alarms", 0, SEARCHED[1])):
        some = np.flatnonzero(labels == label)
        some = some[np.linspace(0, len(some) - 1, min(most, len(some))).round().astype(int)]
        flagged = sum(_is_flagged(row) for row in read_rows(test["curve"], some)[..., 0])
        errors = len(some) - flagged if label else flagged
        rates[name] = (
            Metric.exact(errors, len(some)).to_dict()
            if len(some)
            else Metric.undefined("the test rows have none").to_dict()
        )
    return rates


def _is_flagged(row: NDArray[np.floating]) -> bool:
    time = np.arange(len(row)) * CADENCE_DAYS
    # Rows have lost their level: depths are small in this unit, so none is too deep for a planet.
    flux = np.asarray(row, np.float64)
    flux = 1e-3 * (flux - np.median(flux)) / max(float(np.ptp(flux)), 1e-30)
    try:
        search = find_planets(np.asarray(time), flux)
    except ValueError:  # a constant curve
        return False
    return any(signal.disposition == CANDIDATE for signal in search.signals)


# verdicts ---------------------------------------------------------------------------------------


def verdicts(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    models: Mapping[str, TrainedModel],
    ranges: Mapping[str, Any],
) -> list[Verdict]:
    """Give the verdicts of the search and of every trained model.

    The search and the vetting model judge each signal, the other models each window.

    Parameters
    ----------
    recording, features
        From `read_recording` and `readings`.
    models
        By name: ``random_forest``, ``fft_lstm``, ``cnn``, ``composite``, ``vetting``.
    ranges
        From `training_range`.
    """
    signals = signals_of(features)
    common = [
        outside("cadence", float(recording.facts["cadence"]), 29.0, 29.9, "min"),
        *_length(recording),
    ]
    result = _searched(recording, features, signals, ranges)
    for name, model in models.items():
        if name == "vetting":
            result += _vetted(recording, features, signals, model, ranges, common[:1])
        else:
            result += _window_verdicts(recording, features, name, model, ranges, common)
    return result


def _length(recording: Recording) -> list[str | None]:
    counts = np.bincount(recording.arrays["file"])
    span = [
        float(np.ptp(recording.arrays["time"][recording.arrays["file"] == k]))
        for k in range(len(counts))
    ]
    trained = CADENCES * CADENCE_DAYS
    shorter = sum(days < 0.95 * trained for days in span)
    longer = sum(days > 1.05 * trained for days in span)
    warnings: list[str | None] = []
    if shorter:
        warnings.append(
            f"length of {min(span):.1f} days: trained on {trained:.1f} days, so it was mirrored at "
            "its end"
        )
    if longer:
        warnings.append(
            f"length of {max(span):.1f} days: trained on {trained:.1f} days, so it was cut into "
            "windows"
        )
    return warnings


def name_of(signal: Signal) -> str:
    """Name a signal: its period, or the time of a single dip."""
    if signal.period is None:
        return f"dip at day {signal.epoch.value:.2f}"
    return f"{signal.period.value:.4f} days"


def _searched(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    signals: Sequence[Signal],
    ranges: Mapping[str, Any],
) -> list[Verdict]:
    warnings = _kept(
        None if features["complete"][0] else "the search was stopped: too many dips",
        *(
            f"day {start:.1f} to {stop:.1f} was left out: its noise is far above the rest's"
            for start, stop in features["noisy"]
        ),
    )
    rates = dict(ranges["search"])
    if not signals:
        best = float(features["trial_snr"].max())
        return [
            Verdict(
                recording.name, "whole curve", SEARCH, "no transit", False, min(best, MIN_SNR),
                MIN_SNR, rates, warnings,
            )
        ]  # fmt: skip
    return [
        Verdict(
            recording.name,
            name_of(signal),
            SEARCH,
            signal.disposition,
            signal.disposition == CANDIDATE,
            signal.snr,
            MIN_SNR,
            rates,
            warnings,
            signal.to_dict(),
        )
        for signal in signals
    ]


def _vetted(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    signals: Sequence[Signal],
    model: TrainedModel,
    ranges: Mapping[str, Any],
    common: Sequence[str | None],
) -> list[Verdict]:
    around = TrainingRange.from_dict(ranges["features"])
    period = FEATURE_NAMES.index("period")
    result = []
    for signal, row in zip(signals, features["features"], strict=True):
        if signal.period is None:
            continue
        recurring = float(row[period])
        same = any(abs(recurring * n / signal.period.value - 1) < 0.01 for n in (0.5, 1, 2))
        if not same:
            reason = (
                outside("period", signal.period.value, 0.5, PERIOD_LIMIT, "days")
                if not np.isfinite(recurring)
                else f"in 65.3 days the best dip recurs every {recurring:.2f} days: not this one"
            )
            result.append(
                Verdict(
                    recording.name, name_of(signal), model.name, "not judged", None,
                    threshold=model.threshold, error_rates=model.error_rates,
                    warnings=_kept(*common, reason or "fewer than two transits in 65.3 days"),
                )
            )  # fmt: skip
            continue
        value = float(score("vetting", model.fitted, {"features": row[np.newaxis]})[0])
        flagged = model.threshold is not None and value >= model.threshold
        result.append(
            Verdict(
                recording.name,
                name_of(signal),
                model.name,
                "planet" if flagged else "no planet",
                flagged,
                value,
                model.threshold,
                model.error_rates,
                _kept(*common, around.warning(row[np.newaxis], FEATURE_NAMES)),
            )
        )
    return result


def _window_verdicts(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    name: str,
    model: TrainedModel,
    ranges: Mapping[str, Any],
    common: Sequence[str | None],
) -> list[Verdict]:
    around = TrainingRange.from_dict(ranges["power"])
    power = band_power(features["spectrum"])
    inputs = {
        "random_forest": ("curve",),
        "fft_lstm": ("spectrum",),
        "composite": ("curve", "spectrum"),
    }.get(name, ("curve",))
    scores = score(name, model.fitted, {part: features[part] for part in inputs})
    result = []
    for row, value in enumerate(scores):
        missing = float(features["missing"][row])
        flagged = model.threshold is not None and bool(value >= model.threshold)
        result.append(
            Verdict(
                recording.name,
                f"day {features['start'][row]:.1f} to {features['stop'][row]:.1f}",
                name,
                "planet" if flagged else "no planet",
                flagged,
                float(value),
                model.threshold,
                model.error_rates,
                _kept(
                    *common,
                    around.warning(power[[row]]),
                    f"{missing:.0%} of its cadences are made up: interpolated or mirrored"
                    if missing > MISSING_LIMIT
                    else None,
                ),
            )
        )
    return result


def _kept(*warnings: str | None) -> tuple[str, ...]:
    return tuple(filter(None, warnings))

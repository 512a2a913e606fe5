"""Bring a scan to the trained geometry, score its traces with every model, and find the spans."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays, Block, on_disk
from models.buried_objects.detection.echoes import (
    REACH,
    depth_of,
    first_strong,
    summed,
    velocity_of,
)
from models.buried_objects.detection.geometry import (
    LATE,
    STRETCHES,
    Calibration,
    Gridded,
    Line,
    calibrate,
    echoes_of,
    line_of,
    stretches_of,
    time_step,
    trained_geometry,
)
from models.buried_objects.evaluation import events
from models.buried_objects.features import FEATURES, project
from models.buried_objects.report import UPGRADE
from models.buried_objects.scans import SPACING, TIME_WINDOW
from models.buried_objects.smoothing import decide
from models.buried_objects.training import score_scans
from models.buried_objects.windows import TRACES
from models.detection import Recording, TrainedModel, TrainingRange, Verdict, outside
from models.sampling import read_rows
from models.types import JsonDict

READINGS_FROM = ("scaling", "training_range")
"""Stored assets that `readings` needs."""

LARGE = ("traces", "projected")
"""Arrays that grow with a line, and may be too large for memory."""

OVER, BESIDE = "over an object", "no object"

RAW_EVERY = 16
"""Of the training traces, one is looked at raw."""

COMPARED = slice(round(LATE / TIME_WINDOW * FEATURES), None)
"""Features that tell unlike traces: those after the direct wave, before which there is nothing."""

FEATURE_NAMES, STRETCH_NAMES = (
    tuple(f"its {what} at {1e9 * TIME_WINDOW * (k + 0.5) / count:.1f} ns" for k in range(count))
    for what, count in (("echoes", FEATURES), ("field", STRETCHES))
)

PROFILE = 600
"""Scores along the line, for its picture, that the first verdict of each model keeps."""

SAMPLED = 64
"""Traces of a line that are looked at raw."""

TOLERANCE = 0.01
"""Relative: a spacing, time step or window within it is the trained one."""

PERMITTIVITIES = (5.0, 7.0)
"""Relative permittivities that are taken for the trained one: velocities within a tenth of its."""


def training_range(training: Arrays, projected: Arrays, scaling: JsonDict) -> JsonDict:
    """Say where the training scans lie: their geometry, and the features of their traces.

    Parameters
    ----------
    training, projected
        Traces of the training split, and their features.
    scaling
        As stored.
    """
    some = read_rows(training["ez"], np.arange(0, len(training["ez"]), RAW_EVERY))
    return {
        "geometry": trained_geometry(training, scaling["gain"]),
        "features": TrainingRange.fit(np.asarray(projected["values"])[:, COMPARED]).to_dict(),
        "raw": TrainingRange.fit(stretches_of(some)).to_dict(),
    }


def readings(recording: Recording, stored: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Bring a scan to the trained geometry and level, and compute its features.

    Parameters
    ----------
    recording
        From `read_recording`.
    stored
        ``scaling`` and ``training_range``, as JSON.

    Returns
    -------
    dict
        Of the traces of the line, one every 2 cm: ``position`` (n,), metres; ``known`` (n,), False
        in gaps; ``projected`` float32 (n, 128), the features, on disk; ``strength`` (n,), the
        greatest power of the echoes summed along hyperbolas with their apex below a trace, and
        ``delay`` (n,), seconds after the direct wave of the first strong one. ``calibration``:
        `Calibration.to_array`.
    """
    gain = np.asarray(stored["scaling"]["gain"], dtype=np.float32)
    line = line_of(recording.arrays["position"], recording.arrays["usable"])
    how = calibrate(recording, line, gain, stored["training_range"]["geometry"])
    gridded = Gridded(recording, line, len(gain), how)
    velocity = velocity_of(recording.facts["permittivity"])

    def features() -> Iterator[Block]:
        for rows, echoes in echoes_of(gridded, around=REACH):
            own = slice(min(rows.start, REACH), min(rows.start, REACH) + rows.stop - rows.start)
            power, after = summed(echoes, velocity, how.direct, how.frequency)
            delay, strength = first_strong(power[own], after, how.frequency)
            values = project(echoes[own] * gain)
            yield {"projected": values, "delay": delay, "strength": strength}

    arrays: dict[str, Any] = on_disk(features())
    return {
        "position": line.position,
        "known": line.known,
        "projected": arrays["projected"],
        "delay": np.asarray(arrays["delay"][:]),
        "strength": np.asarray(arrays["strength"][:]),
        "calibration": how.to_array(),
    }


def verdicts(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    models: Mapping[str, TrainedModel],
    ranges: Mapping[str, Any],
) -> list[Verdict]:
    """Find the spans of a line that lie over an object, with every model.

    A model that finds none has one verdict, on the whole line. The score of a span is the highest
    of its traces, smoothed as the model's own decision has it. The details of a verdict are those
    of `span_details`; the first one of a model has ``profile`` too, its scores along the line.

    Parameters
    ----------
    recording, features
        From `read_recording` and `readings`.
    models
        By name.
    ranges
        From `training_range`.
    """
    line = line_of(recording.arrays["position"], recording.arrays["usable"])
    around = TrainingRange.from_dict(ranges["features"])
    raw = raw_warning(recording, features, line, ranges)
    common = geometry_warnings(recording, features, ranges["geometry"])
    result = []
    for name, model in models.items():
        scores = trace_scores(recording, features, name, model, line)
        decision = model.evaluation.details["decision"]
        smooth, flagged = decide(scores, np.zeros(len(scores), np.int32), decision)
        flagged &= features["known"]
        spans = events(flagged)
        profile = _thinned(smooth)
        for first, last in spans or [(0, len(scores) - 1)]:
            rows = slice(first, last + 1)
            own = features["projected"][rows][:, COMPARED]
            warning = around.warning(own, FEATURE_NAMES[COMPARED]) if name == UPGRADE else raw
            best = float(smooth[rows].max())
            if spans:
                details = span_details(recording, features, line, first, last)
                part = place_of(recording, details)
            else:
                highest = int(np.argmax(smooth))
                details = span_details(recording, features, line, highest, highest)
                part = f"whole line, highest at {place_of(recording, details)}"
            if profile:
                details["profile"], profile = profile, []
            result.append(
                Verdict(
                    recording.name,
                    part,
                    name,
                    OVER if spans else BESIDE,
                    bool(spans),
                    best,
                    model.threshold,
                    model.error_rates,
                    (*common, *([warning] if warning else [])),
                    details,
                )
            )
    return result


def _thinned(scores: NDArray[np.float64]) -> list[float]:
    """Return the highest score of each of up to `PROFILE` stretches of a line."""
    starts = np.linspace(0, len(scores), min(len(scores), PROFILE), endpoint=False).astype(int)
    return [round(float(score), 4) for score in np.maximum.reduceat(scores, starts)]


def trace_scores(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    name: str,
    model: TrainedModel,
    line: Line,
) -> NDArray[np.float64]:
    """Score every trace of a line with a model; shape (n,)."""
    scan = np.zeros(len(features["position"]), np.int32)
    if name == UPGRADE:
        return score_scans(model.fitted, {"scan": scan, "values": features["projected"]})
    how = Calibration.from_array(features["calibration"])
    gridded = Gridded(recording, line, int(model.fitted.input_shape[2]), how)
    return score_scans(model.fitted, {"scan": scan, "ez": gridded})


def span_details(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    line: Line,
    first: int,
    last: int,
) -> JsonDict:
    """Describe a span: its ends and the traces in it, and place and depth of its strongest echo.

    ``start``, ``stop`` and ``apex`` are metres along the line, of the outer edges of its traces
    and of the one above the echo; ``traces`` counts from 1, as recorded; ``two_way_ns`` is from the
    transmitter to the object and back, ``passes_ns`` on the time axis of the training scans.
    """
    how = Calibration.from_array(features["calibration"])
    position = features["position"]
    row = first + int(np.argmax(features["strength"][first : last + 1]))
    facts = recording.facts
    depth = depth_of(
        float(features["delay"][row]), how.frequency, facts["permittivity"], facts["offset"]
    )
    recorded = line.recorded(first, last)
    return {
        "start": float(position[first]) - SPACING / 2,
        "stop": float(position[last]) + SPACING / 2,
        "traces": [recorded[0] + 1, recorded[1] + 1],
        "apex": float(position[row]),
        "passes_ns": 1e9 * (how.direct + float(features["delay"][row])),
        "two_way_ns": 1e9 * depth.delay,
        "depth": depth.depth,
        "depth_low": depth.low,
        "depth_high": depth.high,
        "velocity": depth.velocity,
    }


def place_of(recording: Recording, details: JsonDict) -> str:
    """Name a span by its metres, or by its traces where their spacing is unknown."""
    if recording.facts["spacing"] is None:
        first, last = details["traces"]
        return f"traces {first} to {last}" if first < last else f"trace {first}"
    start, stop = details["start"], details["stop"]
    if stop - start < 1.5 * SPACING:
        return f"{(start + stop) / 2:.2f} m"
    return f"{start:.2f} to {stop:.2f} m"


def raw_warning(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    line: Line,
    ranges: Mapping[str, Any],
) -> str | None:
    """Warn where the raw traces, which the study's networks read, are unlike those of training."""
    how = Calibration.from_array(features["calibration"])
    gridded = Gridded(recording, line, ranges["geometry"]["samples"], how)
    starts = np.linspace(0, len(gridded) - 1, min(len(gridded), SAMPLED)).astype(int).tolist()
    some = np.concatenate([gridded[start : start + 1] for start in starts])
    return TrainingRange.from_dict(ranges["raw"]).warning(stretches_of(some), STRETCH_NAMES)


def geometry_warnings(
    recording: Recording, features: Mapping[str, NDArray[Any]], trained: JsonDict
) -> list[str]:
    """Warn of what lies outside training: frequency, time, spacing, length, amplitude, survey."""
    facts, how = recording.facts, Calibration.from_array(features["calibration"])
    step = 1e12 * time_step(trained["samples"])
    window = step * trained["samples"] / 1000
    low, _, high = trained["frequency"]
    trained_mhz = math.floor(low / 1e6), math.ceil(high / 1e6)
    warnings = [
        outside("radar frequency", round(how.frequency / 1e6), *trained_mhz, "MHz"),
        _coarse("sample interval", 1e12 * facts["dt"], step, "ps"),
        _window(facts["window_ns"] - 1e9 * max(how.shift, 0), window),
        _spacing(facts["spacing"]),
        _length(len(features["position"])),
        _amplitude(how, trained),
    ]
    if facts["permittivity"] is not None:
        warnings.append(outside("relative permittivity", facts["permittivity"], *PERMITTIVITIES))
    if facts["survey"]:
        warnings.append(
            f"survey mode {facts['survey']}: trained on antennas side by side along the line"
        )
    if how.moveout * how.frequency <= 1 and not how.direct:
        warnings.append("no direct wave: time zero is taken as recorded, and depths count from it")
    if how.moveout * how.frequency > 1:
        warnings.append(
            f"moveout: the direct wave arrives {1e9 * how.moveout:.1f} ns later at one end of the "
            "line than at the other, as in a CMP or WARR gather, which is no profile"
        )
    return [warning for warning in warnings if warning]


def _window(window: float, trained: float) -> str | None:
    """Warn of a time window, nanoseconds after time zero, that isn't the trained one."""
    if abs(window / trained - 1) <= 2 * TOLERANCE:
        return None
    rest = "the rest is cut off" if window > trained else "the rest is taken as silence"
    return f"time window of {window:.4g} ns: trained on {trained:.3g} ns, {rest}"


def _coarse(what: str, value: float, trained: float, unit: str) -> str | None:
    """Warn of an interval above the trained one; what is finer is thinned out or averaged."""
    if value <= trained * (1 + TOLERANCE):
        return None
    return f"{what} of {value:.4g} {unit}: trained on {trained:.4g} {unit}"


def _spacing(spacing: float | None) -> str | None:
    if spacing is None:
        return f"trace spacing unknown: {SPACING} m is taken, as in training"
    return _coarse("trace spacing", spacing, SPACING, "m")


def _length(traces: int) -> str | None:
    if traces >= TRACES:
        return None
    return (
        f"length of {SPACING * traces:.2f} m: models read windows of {SPACING * TRACES:g} m, the "
        "rest is taken as silence"
    )


def _amplitude(how: Calibration, trained: JsonDict) -> str | None:
    if how.factor != 1:
        return (
            f"amplitude in another unit: multiplied by {how.factor:.3g}, so that its strongest "
            "echoes are as strong as a training scan's, which come from an object; where there is "
            "none, false alarms are likelier"
        )
    low, _, high = trained["level"]
    return outside("amplitude of the echoes", round(how.level, 2), low, high)

"""Forecasts for new recordings of active regions.

A recording is a region's SHARP series over hours to days (CSV or SWAN-SF's tab-separated files, of
which those of one patch are put together) or a file of records (JSON lines as on Kaggle). It is cut
into windows of 12 hours, an hour apart; each gets the probability of a flare of class M or X within
the next 24 hours.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.arrays import Arrays
from models.detection import (
    Recording,
    TrainedModel,
    TrainingRange,
    Verdict,
    caveats,
    find_files,
    group_by_name,
    outside,
    verdict_rows,
)
from models.errors import BadInput
from models.reporting import Picture, Report, Section, report
from models.scaling import Scaling
from models.solar_flares.features import compress, sequences, statistic_names, window_statistics
from models.solar_flares.ingestion import FoldFile, read_json_lines
from models.solar_flares.networks import FORM_SHAPES
from models.solar_flares.records import PARAMETERS, SAMPLES
from models.solar_flares.swan_sf import sample_value
from models.training import predict
from models.types import JsonDict

SUFFIXES = (".csv", ".json", ".jsonl", ".json.gz", ".jsonl.gz")
READINGS_FROM = ("scaling",)
"""Stored assets that `readings` needs."""

CADENCE = 720.0
"""Seconds between two samples."""
STRIDE = 5
"""Samples between the starts of two windows: an hour."""
MISSING_LIMIT = 0.2
"""Share of a window's samples that may be missing without a warning."""
LONGEST = 100_000
"""Samples of a series: more than two years is no region's."""

_PATCH = re.compile(r"_id\[(\d+)\]")
_SHOWN = ("TOTUSJH", "R_VALUE", "USFLUX")


def group_files(paths: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Group files by recording: SWAN-SF series by their patch (HARP), others one by one."""

    def name(file: Path) -> str:
        patch = _PATCH.search(file.name)
        return f"HARP{patch[1]}" if patch else re.sub(r"\.(csv|jsonl?)(\.gz)?$", "", file.name)

    return group_by_name(find_files(paths, SUFFIXES), name)


# reading ----------------------------------------------------------------------------------------


def read_recording(name: str, files: Sequence[Path]) -> Recording:
    """Read one recording.

    Returns
    -------
    Recording
        ``windows`` float32, shape (n, 60, 25), as recorded, missing samples NaN; ``end`` float64,
        shape (n,): POSIX seconds of a window's last sample, NaN where unknown; ``id`` strings.

    Raises
    ------
    BadInput
        A file can't be read; names it, and row and column where there is one.
    """
    for file in files:
        if not file.is_file():
            raise BadInput(
                "it is not there" if not file.exists() else "it is no file",
                file=file,
                expected="a series of one region, or records as JSON lines",
                remedy="Correct the path.",
            )
        if file.stat().st_size == 0:
            raise BadInput(
                "it is empty",
                file=file,
                expected="a series of one region, or records as JSON lines",
                remedy="Copy it again.",
            )
    if ".json" in files[0].name.lower():
        return _records(name, files)
    return _series(name, files)


def _records(name: str, files: Sequence[Path]) -> Recording:
    blocks = [
        block
        for number, file in enumerate(files, start=1)
        for block in read_json_lines([FoldFile(file, number)], {})
    ]
    windows = np.concatenate([block["values"] for block in blocks])
    identity = np.concatenate([block["id"] for block in blocks])
    return Recording(
        name,
        {"windows": windows, "end": np.full(len(windows), np.nan), "id": identity},
        {"files": [file.name for file in files], "windows": len(windows)},
    )


def _series(name: str, files: Sequence[Path]) -> Recording:
    notes: list[str] = []
    parts = [_table(file, notes) for file in files]
    time = np.concatenate([part[0] for part in parts])
    values = np.concatenate([part[1] for part in parts])
    order = np.argsort(time, kind="stable")
    time, values = time[order], values[order]
    steps = np.diff(np.unique(time))
    cadence = float(np.median(steps)) if steps.size else CADENCE
    place = np.rint((time - time[0]) / CADENCE).astype(np.int64)
    if place[-1] >= LONGEST:
        raise BadInput(
            f"its rows span {(time[-1] - time[0]) / 86400:.0f} days",
            file=files[0],
            column="Timestamp",
            expected="the passage of one region",
            remedy="Split the file by region.",
        )
    grid = np.full((max(int(place[-1]) + 1, SAMPLES), len(PARAMETERS)), np.nan, np.float32)
    shift = len(grid) - 1 - int(place[-1])  # a short series ends its one window
    near = np.abs(time - time[0] - place * CADENCE) <= CADENCE / 2
    grid[place[near] + shift] = values[near]
    if shift:
        notes.append(f"{place[-1] + 1} samples are fewer than {SAMPLES}: the rest is missing.")
    if abs(cadence - CADENCE) > 1:
        notes.append(f"A sample every {cadence / 60:g} min was put on a grid of 12 min.")
    starts = np.arange(0, len(grid) - SAMPLES + 1, STRIDE)
    if starts[-1] != len(grid) - SAMPLES:
        starts = np.append(starts, len(grid) - SAMPLES)
    windows = grid[starts[:, None] + np.arange(SAMPLES)]
    known = np.isfinite(windows).any(axis=(1, 2))
    if not known.any():
        raise BadInput(
            "it has no value at all",
            file=files[0],
            expected="SHARP parameters as numbers",
            remedy="Download the series again.",
        )
    if not known.all():
        notes.append(f"{np.count_nonzero(~known)} windows lie in a gap and are left out.")
    end = time[0] + (starts + SAMPLES - 1 - shift) * CADENCE
    windows, end = windows[known], end[known]
    facts = {
        "files": [file.name for file in files],
        "first": _text(time[0]),
        "last": _text(time[-1]),
        "cadence": cadence,
        "windows": len(windows),
    }
    arrays = {"windows": windows, "end": end, "id": np.array([_text(moment) for moment in end])}
    return Recording(name, arrays, facts, tuple(dict.fromkeys(notes)))


def _table(file: Path, notes: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Read times (POSIX seconds) and parameters of a series."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as handle:
            first = handle.readline()
            handle.seek(0)
            rows = list(csv.reader(handle, delimiter="\t" if "\t" in first else ","))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"it is no text table ({error})",
            file=file,
            expected="comma- or tab-separated values",
            remedy="Export the series as CSV.",
        ) from error
    header = [column.strip() for column in rows[0]]
    clock = next((c for c in header if c.lower() in ("timestamp", "time", "t_rec")), None)
    if clock is None:
        raise BadInput(
            "it has no column of times",
            file=file,
            expected="a column Timestamp, such as 2014-02-03 17:00:00",
            remedy="Name the column of times Timestamp.",
        )
    absent = [parameter for parameter in PARAMETERS if parameter not in header]
    if len(absent) > len(PARAMETERS) // 2:
        raise BadInput(
            f"it lacks {len(absent)} of the {len(PARAMETERS)} parameters, {absent[0]} among them",
            file=file,
            expected="SHARP parameters under their keywords, such as TOTUSJH",
            remedy="Name the columns as JSOC does.",
        )
    if absent:
        notes.append(f"{', '.join(absent)} missing: taken as unknown throughout.")
    if len(rows) < 2:
        raise BadInput(
            "it has a header and no rows",
            file=file,
            expected=f"a row every {CADENCE / 60:.0f} min",
            remedy="Export the series again.",
        )
    places = {
        column: header.index(name) for column, name in enumerate(PARAMETERS) if name in header
    }
    time = np.empty(len(rows) - 1)
    values = np.full((len(rows) - 1, len(PARAMETERS)), np.nan, np.float32)
    at = header.index(clock)
    for number, row in enumerate(rows[1:], start=1):
        time[number - 1] = _moment(row[at] if at < len(row) else "", file, number, clock)
        for column, place in places.items():
            text = row[place].strip() if place < len(row) else ""
            values[number - 1, column] = sample_value(
                text, file, number, PARAMETERS[column], "Correct the row."
            )
    return time, values


def _moment(text: str, file: Path, row: int, column: str) -> float:
    cleaned = text.strip().removesuffix("_TAI").replace(".", "-", 2).replace("_", " ", 1)
    try:
        moment = datetime.fromisoformat(cleaned if cleaned[4:5] == "-" else text.strip())
    except ValueError as error:
        raise BadInput(
            f"{text!r} is no time",
            file=file,
            row=row,
            column=column,
            expected="a time such as 2014-02-03 17:00:00 (UTC)",
            remedy="Correct the row.",
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%d %H:%M")


# features and verdicts --------------------------------------------------------------------------


def readings(recording: Recording, stored: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Compute the features of the windows, scaled as in training.

    Parameters
    ----------
    recording
        From `read_recording`.
    stored
        ``scaling``, as JSON.

    Returns
    -------
    dict
        ``sequences`` (n, 60, 25) and ``statistics`` (n, 200), float32; ``missing``, the share of a
        window's samples that are missing, (n,).
    """
    scaling = Scaling.from_dict(stored["scaling"])
    windows = recording.arrays["windows"]
    return {
        "sequences": sequences({"values": scaling.standardise(windows)})["values"],
        "statistics": window_statistics({"values": compress(windows, scaling)}),
        "missing": np.isnan(windows).mean(axis=(1, 2)),
    }


def training_range(training: Arrays) -> JsonDict:
    """Say where the training records lie, from their statistics."""
    return {"statistics": TrainingRange.fit(np.asarray(training["values"])).to_dict()}


def verdicts(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    models: Mapping[str, TrainedModel],
    ranges: Mapping[str, Any],
) -> list[Verdict]:
    """Forecast every window with every model.

    A network of the published ``windows`` form reads the labels of its rows: it can't forecast, and
    says so. One of the ``steps`` form forecasts from a window's last sample.

    Parameters
    ----------
    recording, features
        From `read_recording` and `readings`.
    models
        By name; an estimator is the calibrated upgrade.
    ranges
        From `training_range`.
    """
    around = TrainingRange.from_dict(ranges["statistics"])
    distance = around.distance(features["statistics"])
    seconds = recording.facts.get("cadence", CADENCE)
    common = [outside("cadence", seconds / 60, 11.98, 12.02, "min")]
    warnings: list[tuple[str, ...]] = []
    for row in range(len(distance)):
        share = float(features["missing"][row])
        reasons = [*common]
        if distance[row] > 1:
            reasons.append(around.warning(features["statistics"][[row]], statistic_names()))
        if share > MISSING_LIMIT:
            reasons.append(f"{share:.0%} of its samples are missing")
        warnings.append(tuple(filter(None, reasons)))
    result = []
    for name, model in models.items():
        scores = _scores(model, features)
        if scores is None:
            label = "no forecast: this network reads labels"
            result.append(Verdict(recording.name, "whole", name, label, None))
            continue
        assert model.threshold is not None
        calibrated = hasattr(model.fitted, "predict_proba")
        for row, score in enumerate(scores):
            flare = bool(score >= model.threshold)
            details: JsonDict = {"end": str(recording.arrays["id"][row])}
            if calibrated:
                details |= _observed(model, float(score))
            result.append(
                Verdict(
                    recording.name,
                    f"24 h after {recording.arrays['id'][row]}",
                    name,
                    "flare of class M or X" if flare else "quiet",
                    flare,
                    float(score),
                    model.threshold,
                    model.error_rates,
                    warnings[row],
                    details,
                )
            )
    return result


def _scores(model: TrainedModel, features: Mapping[str, NDArray[Any]]) -> Any:
    if hasattr(model.fitted, "predict_proba"):
        return np.asarray(model.fitted.predict_proba(features["statistics"])[:, 1])
    shape = tuple(model.fitted.input_shape[1:])
    if shape == FORM_SHAPES["windows"]:
        return None
    values = features["sequences"]
    return predict(model.fitted, values if shape == FORM_SHAPES["sequences"] else values[:, -1:])


def _observed(model: TrainedModel, forecast: float) -> JsonDict:
    """How often such a forecast came true on the test rows."""
    bins = model.evaluation.details.get("reliability") or {"start": []}
    for k, start in enumerate(bins["start"]):
        if start <= forecast < bins["stop"][k] or forecast == bins["stop"][k] == 1:
            return {f"observed {name}": bins[name][k] for name in ("count", "low", "high")} | {
                "observed": bins["observed"][k]
            }
    return {"observed": None}


# sheet ------------------------------------------------------------------------------------------


def sheet(
    recording: Recording, features: Mapping[str, NDArray[Any]], all_verdicts: Sequence[Verdict]
) -> Report:
    """Render the page of one recording: forecast over time, parameters, and each model's verdict.

    Parameters
    ----------
    recording, features, all_verdicts
        From `read_recording`, `readings` and `verdicts`.
    """
    by_model: dict[str, list[Verdict]] = {}
    for verdict in all_verdicts:
        if verdict.score is not None:
            by_model.setdefault(verdict.model, []).append(verdict)
    latest = [windows[-1] for windows in by_model.values()]
    best = next((v for v in latest if "observed" in v.details), latest[0] if latest else None)
    prose = [*recording.notes, *caveats(latest)]
    if best is not None:
        prose.insert(0, _forecast(best))
    sections = [
        Section(
            "Forecast",
            prose=prose,
            table=verdict_rows(latest),
            pictures=[
                Picture("forecast", _forecast_picture(recording, by_model), FORECAST_CAPTION)
            ],
        ),
        Section(
            "Parameters",
            pictures=[
                Picture(
                    "parameters",
                    _parameter_picture(recording),
                    "Parameters of the region as recorded, hours before the last sample.",
                )
            ],
        ),
    ]
    return report(f"Flare forecast for {recording.name}", sections)


FORECAST_CAPTION = (
    "Probability of a flare of class M or X within 24 hours, by the last sample of each window. "
    "Bold: the calibrated classifier; dotted: its threshold; thin: the networks, whose scores are "
    "not calibrated."
)


def _forecast(verdict: Verdict) -> str:
    observed = verdict.details.get("observed")
    seen = (
        f" Of test forecasts like this, {_percent(observed)} came true "
        f"[{_percent(verdict.details['observed low'])}, "
        f"{_percent(verdict.details['observed high'])}]."
        if observed is not None
        else ""
    )
    end = verdict.details["end"]
    return f"{_percent(verdict.score)} within 24 hours after {end} ({verdict.model}).{seen}"


def _percent(share: float | None) -> str:
    percent = 100 * (share or 0.0)
    return f"{percent:.0f} %" if percent >= 1 else f"{percent:.1f} %"


def _forecast_picture(recording: Recording, by_model: Mapping[str, Sequence[Verdict]]) -> bytes:
    figure, (axes,) = plots.new_figure(7.2, 3.2)
    hours = _hours(recording)
    for windows in by_model.values():
        scores = [float(verdict.score or 0) for verdict in windows]
        if "observed" in windows[0].details:
            axes.plot(hours, scores, ".-", color=plots.POSITIVE, linewidth=2, zorder=3)
            axes.axhline(windows[0].threshold, color=plots.POSITIVE, linestyle=":", linewidth=1)
        else:
            axes.plot(hours, scores, "-", color=plots.GREY, linewidth=0.6, alpha=0.6)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("probability")
    axes.set_xlabel(_hours_label(recording))
    return plots.to_png(figure, recording.name)


def _parameter_picture(recording: Recording) -> bytes:
    figure, panels = plots.new_figure(7.2, 4.8, rows=len(_SHOWN), share=True)
    last = recording.arrays["windows"][:, -1]
    hours = _hours(recording)
    if len(last) == 1:  # one window: its samples
        last = recording.arrays["windows"][0]
        hours = (np.arange(SAMPLES) - SAMPLES + 1) * CADENCE / 3600
    for axes, name in zip(panels, _SHOWN, strict=True):
        axes.plot(hours, last[:, PARAMETERS.index(name)], ".-", color=plots.NEGATIVE, linewidth=1)
        axes.set_ylabel(name, fontsize=9)
    panels[-1].set_xlabel(_hours_label(recording))
    return plots.to_png(figure, recording.name)


def _hours(recording: Recording) -> NDArray[np.float64]:
    end = recording.arrays["end"]
    return (end - end[-1]) / 3600 if np.isfinite(end).all() else np.arange(len(end), dtype=float)


def _hours_label(recording: Recording) -> str:
    end = recording.arrays["end"]
    return f"hours before {_text(end[-1])} UTC" if np.isfinite(end).all() else "record"

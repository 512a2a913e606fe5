"""Verdicts of trained models on new recordings: the types that every system's `detection` shares.

A system's `detection` module has the same five functions: `group_files` (which files are one
recording), `read_recording`, `readings` (its features, scaled as in training), `verdicts` and
`sheet` (a page about it). They are plain functions of data: `assets` gives them lineage, and `faint
detect` calls them for people in a hurry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.evaluation import Evaluation
from models.intervals import Metric
from models.reporting import comparison_table
from models.scaling import Scaling, fit_scaling
from models.types import JsonDict

TYPICAL = 0.99
"""Share of the training rows that lie within the range that counts as typical."""


@dataclass(frozen=True)
class Recording:
    """One recording as it was read.

    Attributes
    ----------
    name
        Unique among recordings, such as the star or the file's name without its suffix.
    arrays
        The signal and what belongs to it, by name.
    facts
        What the file says about itself (instrument, sample rate, units), as JSON.
    notes
        What was repaired or left out while it was read, each a sentence.
    """

    name: str
    arrays: Mapping[str, NDArray[Any]]
    facts: JsonDict = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainedModel:
    """A trained model with what a verdict needs beside it.

    Attributes
    ----------
    name
        The model, such as ``cnn``.
    fitted
        The network or estimator.
    threshold
        Scores at or above it are positive; None for a model that takes no decision.
    evaluation
        The model on its test rows.
    others
        What else its verdicts need, by name, such as its decoder.
    """

    name: str
    fitted: Any
    threshold: float | None
    evaluation: Evaluation
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def error_rates(self) -> JsonDict:
        """How often it errs on its test rows at its threshold: rates with exact intervals.

        ``missed``: share of the positives below the threshold; ``false_alarms``: share of the
        negatives at or above it. Each is a `models.intervals.Metric` as JSON.
        """
        counts = self.evaluation.counts
        return {
            "missed": _share(counts["fn"], counts["tp"] + counts["fn"], "positives"),
            "false_alarms": _share(counts["fp"], counts["fp"] + counts["tn"], "negatives"),
        }


def _share(errors: int, rows: int, what: str) -> JsonDict:
    if rows == 0:
        return Metric.undefined(f"the test rows have no {what}").to_dict()
    return Metric.exact(errors, rows).to_dict()


@dataclass(frozen=True)
class Verdict:
    """What one model says about one part of a recording.

    Attributes
    ----------
    recording
        Its name.
    part
        Which part, in the field's terms: a period, a span of seconds, a window.
    model
        The model.
    label
        What it is taken for, such as ``planet candidate``.
    positive
        Whether the score reaches the threshold; None for a model that takes no decision.
    score, threshold
        None where there is none.
    error_rates
        As of `TrainedModel`.
    warnings
        Where the recording lies outside what the model was trained on, each a sentence.
    details
        What a system adds, such as epoch and depth, as JSON.
    """

    recording: str
    part: str
    model: str
    label: str
    positive: bool | None
    score: float | None = None
    threshold: float | None = None
    error_rates: JsonDict = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    details: JsonDict = field(default_factory=dict)

    def to_dict(self) -> JsonDict:
        """Return it as JSON."""
        return asdict(self) | {"warnings": list(self.warnings)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Verdict:
        """Read what `to_dict` returned."""
        return cls(**{**stored, "warnings": tuple(stored["warnings"])})

    def warned(self, warnings: Iterable[str]) -> Verdict:
        """Return a copy with more warnings."""
        return replace(self, warnings=(*self.warnings, *warnings))


@dataclass(frozen=True)
class TrainingRange:
    """Where a model's training rows lie, to tell rows that are unlike all of them.

    The distance of a row is the root mean square of its standardised features; 1 is the distance
    that `TYPICAL` of the training rows stay within.

    Attributes
    ----------
    scaling
        Mean and standard deviation of the training rows.
    typical
        Distance before it is divided by itself.

    Examples
    --------
    >>> around = TrainingRange.fit([[0.0], [1.0], [2.0]])
    >>> around.distance([[1.0], [21.0]]).round(1).tolist()
    [0.0, 20.0]
    """

    scaling: Scaling
    typical: float

    @classmethod
    def fit(cls, features: AnyArray) -> TrainingRange:
        """Fit to training rows: array of shape (n, features), NaN where a feature is missing."""
        rows = np.asarray(features, dtype=np.float64)
        unscaled = cls(fit_scaling([rows]), 1.0)
        typical = float(np.quantile(unscaled.distance(rows), TYPICAL))
        return replace(unscaled, typical=typical or 1.0)

    def distance(self, features: AnyArray) -> NDArray[np.float64]:
        """Compute how far rows lie from the training rows, shape (n,); above 1 is untypical."""
        squares = np.square(self.scaling.standardise(features).astype(np.float64))
        present = np.isfinite(squares)
        total = np.where(present, squares, 0.0).sum(axis=1)
        return np.asarray(np.sqrt(total / np.maximum(present.sum(axis=1), 1)) / self.typical)

    def farthest(self, features: AnyArray) -> tuple[int, float]:
        """Find the feature that lies farthest out in the median row, in standard deviations."""
        rows = self.scaling.standardise(features).astype(np.float64)
        median = np.median(np.where(np.isfinite(rows), rows, 0.0), axis=0)
        column = int(np.argmax(np.abs(median)))
        return column, float(median[column])

    def warning(self, features: AnyArray, names: Sequence[str] | None = None) -> str | None:
        """Say that rows are unlike the training rows; None where most of them are typical.

        With ``names`` of the features, the one that lies farthest out is named.
        """
        distance = float(np.median(self.distance(features)))
        if distance <= 1:
            return None
        text = (
            f"unlike the training data: its features lie {distance:.1f} times as far out as "
            f"{TYPICAL:.0%} of them"
        )
        if names is None:
            return text
        column, deviation = self.farthest(features)
        return f"{text}, {names[column]} {deviation:+.1f} standard deviations"

    def to_dict(self) -> JsonDict:
        """Return it as JSON."""
        return {"scaling": self.scaling.to_dict(), "typical": self.typical}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> TrainingRange:
        """Read what `to_dict` returned."""
        return cls(Scaling.from_dict(stored["scaling"]), float(stored["typical"]))


def outside(what: str, value: float, low: float, high: float, unit: str = "") -> str | None:
    """Warn that a property of a recording lies outside what the models were trained on.

    >>> outside("cadence", 2.0, 29.0, 30.0, "min")
    'cadence of 2 min: trained on 29 ... 30 min'
    >>> outside("cadence", 29.4, 29.0, 30.0, "min") is None
    True
    """
    if low <= value <= high:
        return None
    unit = f" {unit}" if unit else ""
    trained = f"{low:.6g}" if low == high else f"{low:.6g} ... {high:.6g}"
    return f"{what} of {value:.6g}{unit}: trained on {trained}{unit}"


def verdict_rows(verdicts: Iterable[Verdict]) -> list[JsonDict]:
    """Make the table rows of a sheet, one a verdict."""
    return [
        {
            "part": verdict.part,
            "model": verdict.model,
            "verdict": verdict.label,
            "score": verdict.score,
            "threshold": verdict.threshold,
            **{f"{name} in tests": rate for name, rate in verdict.error_rates.items()},
        }
        for verdict in verdicts
    ]


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    """Render verdicts for a terminal: a line each, and the models' error rates below.

    Warnings are cut at their first colon, but for those of all verdicts, which stand below.
    """
    several = len(verdicts) > 1
    common = [w for w in verdicts[0].warnings if all(w in v.warnings for v in verdicts) and several]
    rows = [
        {
            "recording": verdict.recording,
            "part": verdict.part,
            "model": verdict.model,
            "verdict": verdict.label,
            "score": verdict.score,
            "warnings": "; ".join(w.partition(":")[0] for w in verdict.warnings if w not in common)
            or None,
        }
        for verdict in verdicts
    ]
    tested = (verdict for verdict in verdicts if verdict.error_rates)
    first = {verdict.model: verdict for verdict in reversed(list(tested))}
    rates = [
        {"model": name}
        | ({} if verdict.threshold is None else {"threshold": verdict.threshold})
        | {f"{rate} in tests": value for rate, value in verdict.error_rates.items()}
        for name, verdict in first.items()
    ]
    tables = [comparison_table(table) for table in (rows, rates) if table]
    below = ["\n".join(caveats([replace(verdicts[0], warnings=tuple(common))]))] if common else []
    return "\n\n".join([*tables, *below])


def caveats(verdicts: Iterable[Verdict]) -> list[str]:
    """List the distinct warnings of verdicts, each a sentence for a sheet."""
    warnings = dict.fromkeys(w for verdict in verdicts for w in verdict.warnings)
    return [f"Take care: {warning}." for warning in warnings]


def find_files(paths: Iterable[Path], suffixes: Collection[str]) -> list[Path]:
    """List the files of paths, sorted: of a folder, those below it with one of the suffixes.

    A file that is named counts whatever its suffix is. A path that isn't there is listed too, so
    that reading it says so.
    """
    files: dict[Path, None] = {}
    for path in paths:
        inside = (
            sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and file.name.lower().endswith(tuple(suffixes))
                and not file.name.startswith(".")
            )
            if path.is_dir()
            else [path]
        )
        files |= dict.fromkeys(inside)
    return list(files)


def name_each(files: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Name files of which each is a recording: by stem, and by folders where that isn't unique.

    Files that differ in their suffix alone are named with it.

    >>> list(name_each([Path("/a/talk.wav"), Path("/b/talk.wav"), Path("/b/song.mp3")]))
    ['song', 'a/talk', 'b/talk']
    >>> list(name_each([Path("/a/talk.wav"), Path("/a/talk.mp3")]))
    ['talk.wav', 'talk.mp3']
    """
    places = {file.parent.resolve() / file.name: file for file in files}
    stems = Counter(place.with_suffix("") for place in places)
    left = {
        place: (
            *place.parts[:-1],
            place.stem if stems[place.with_suffix("")] == 1 else place.name,
        )
        for place in places
    }
    names: dict[str, tuple[Path, ...]] = {}
    depth = 1
    while left:
        tails = {place: "/".join(parts[-depth:]) for place, parts in left.items()}
        uses = Counter(tails.values())
        names |= {tail: (places[place],) for place, tail in tails.items() if uses[tail] == 1}
        left = {place: left[place] for place, tail in tails.items() if uses[tail] > 1}
        depth += 1
    return names


def group_by_name(
    files: Iterable[Path], name_of: Callable[[Path], str]
) -> dict[str, tuple[Path, ...]]:
    """Group files by the name of their recording."""
    groups: dict[str, list[Path]] = {}
    for file in files:
        groups.setdefault(name_of(file), []).append(file)
    return {name: tuple(group) for name, group in groups.items()}

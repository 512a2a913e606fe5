"""Verdicts on new recordings, the same for every system: trained models put to work."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from models.detection import Recording, TrainedModel, Verdict, verdict_table
from models.evaluation import Evaluation
from models.reporting import Report
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

READERS = 2
"""Recordings read at a time."""


class Stored(Protocol):
    """The project's stored assets, as a command is given them."""

    def __call__(self, key: str, partition: str | None = None) -> Any:
        """Load an asset, or one partition of it."""

    def record(self, key: str, partition: str | None = None) -> Any:
        """Return its record; None where it has not been built."""

    def partitions(self, key: str) -> list[str]:
        """List the partitions that are stored."""

    def rebuild(self, keys: Sequence[str]) -> None:
        """Bring assets up to date, with all that they are built from."""


@dataclass(frozen=True)
class Model:
    """Where a model is stored: keys without the system.

    Attributes
    ----------
    fitted, evaluation
        The network or estimator; its evaluation, which holds its threshold if it takes decisions.
    partitioned
        Whether each partition is a model, with the partition's key as its name.
    names
        The partitions that are models, where some of the assets have others as well.
    others
        What else its verdicts need, such as its decoder: keys by name, partitioned likewise.
    shared
        What else they need that all partitions share, such as a language model.
    """

    fitted: str
    evaluation: str
    partitioned: bool = False
    names: Sequence[str] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)

    def own(self) -> dict[str, str]:
        """Return the key of each part of its own."""
        return {"fitted": self.fitted, "evaluation": self.evaluation, **self.others}

    def parts(self) -> dict[str, str]:
        """Return the key of each part by its name."""
        return self.own() | dict(self.shared)

    def trained(self, name: str, parts: Mapping[str, Any]) -> TrainedModel:
        """Put a model's loaded parts together."""
        evaluation = Evaluation.from_dict(parts["evaluation"])
        return TrainedModel(
            name,
            parts["fitted"],
            evaluation.details.get("threshold"),
            evaluation,
            {other: parts[other] for other in (*self.others, *self.shared)},
        )


@dataclass(frozen=True)
class Detector:
    """What a system needs to give verdicts on new recordings.

    Attributes
    ----------
    system
        Its name.
    science
        The module ``detection`` of its models.
    models
        By name.
    data
        Key, without the system, of the asset whose stage chose what the models are trained on.
    leading
        The model that the terminal shows unless asked for another.
    large
        Arrays of a recording and its readings that may not fit in memory: they stay on disk.
    """

    system: str
    science: ModuleType
    models: Mapping[str, Model]
    data: str
    leading: str
    large: Sequence[str] = ()

    def needs(self) -> list[str]:
        """List the assets that a verdict needs."""
        parts = [part for model in self.models.values() for part in model.parts().values()]
        names = dict.fromkeys([*parts, *self.science.READINGS_FROM, "training_range"])
        return [f"{self.system}/{name}" for name in names]

    def places(self, stored: Stored) -> dict[str, tuple[Model, str | None]]:
        """Find every stored model: where it lies, and in which partition, by its name."""
        places: dict[str, tuple[Model, str | None]] = {}
        for name, model in self.models.items():
            if model.partitioned:
                parts = [stored.partitions(f"{self.system}/{key}") for key in model.own().values()]
                keys = [key for key in parts[0] if all(key in part for part in parts)]
                places |= {key: (model, key) for key in keys}
            else:
                places[name] = (model, None)
        return places


@dataclass(frozen=True)
class Detection:
    """The verdicts on one recording."""

    recording: Recording
    readings: Mapping[str, Any]
    verdicts: Sequence[Verdict]


class Trained:
    """A system's trained models, loaded to give verdicts.

    Parameters
    ----------
    detector
        The system's.
    stored
        The project's stored assets.
    names
        The models to use, of those that `Detector.places` finds.
    """

    def __init__(self, detector: Detector, stored: Stored, names: Sequence[str]) -> None:
        self._detector = detector
        self._stored = stored
        self._shared: dict[str, Any] = {}
        places = detector.places(stored)
        self.models = {name: self._load(name, *places[name]) for name in names}
        self._ranges = self._part("training_range")
        self._scaling = {name: self._part(name) for name in detector.science.READINGS_FROM}

    def _part(self, name: str, partition: str | None = None) -> Any:
        return self._stored(f"{self._detector.system}/{name}", partition)

    def _load(self, name: str, model: Model, partition: str | None) -> TrainedModel:
        own = {part: self._part(key, partition) for part, key in model.own().items()}
        for key in model.shared.values():
            if key not in self._shared:
                self._shared[key] = self._part(key)
        shared = {part: self._shared[key] for part, key in model.shared.items()}
        return model.trained(name, own | shared)

    def describe(self) -> str:
        """Say which models give the verdicts, and what they are trained on."""
        record = self._stored.record(f"{self._detector.system}/{self._detector.data}")
        source = record.version["config"].get("source", "unknown") if record else "unknown"
        names = list(self.models)
        listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        return f"Models: {listed}. Trained on: {self._detector.data}, source {source}."

    def read(self, name: str, files: Sequence[Path]) -> tuple[Recording, dict[str, Any]]:
        """Read a recording, and compute its features; errors as of `read_recording`."""
        science = self._detector.science
        recording = science.read_recording(name, files)
        return recording, science.readings(recording, self._scaling)

    def detect(self, recording: Recording, readings: Mapping[str, Any]) -> Detection:
        """Give the verdicts of all models on a recording."""
        science = self._detector.science
        verdicts = science.verdicts(recording, readings, self.models, self._ranges)
        return Detection(recording, readings, verdicts)

    def sheet(self, detection: Detection) -> Report:
        """Render the page of a recording."""
        page: Report = self._detector.science.sheet(
            detection.recording, detection.readings, detection.verdicts
        )
        return page


def catalogue(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Make one table of verdicts: a row each, warnings joined and details as JSON text."""
    import pandas as pd

    rows = [
        {
            **{k: v for k, v in verdict.to_dict().items() if k not in ("error_rates", "details")},
            **{name: rate["value"] for name, rate in verdict.error_rates.items()},
            "warnings": "; ".join(verdict.warnings),
            "details": json.dumps(verdict.details, sort_keys=True),
        }
        for verdict in verdicts
    ]
    columns = [one.name for one in fields(Verdict) if one.name != "error_rates"]
    return pd.DataFrame(rows, columns=None if rows else columns)


# the command ------------------------------------------------------------------------------------


def answer(options: argparse.Namespace, stored: Stored) -> tuple[str, int]:
    """Answer `faint detect`: verdicts, and exit status 1 where a recording was skipped."""
    if options.system not in systems():
        options.error(f"no system {options.system!r}; there are {', '.join(systems())}")
    detector: Detector = import_module(f"assets.{options.system}.detection").DETECTOR
    groups = detector.science.group_files(options.paths)
    if not groups:
        return f"no recordings in {', '.join(map(str, options.paths))}", 1
    _build_missing(detector, stored, options.error, yes=options.yes)
    names = list(detector.places(stored))
    for name in options.model or ():
        if name not in names:
            options.error(f"no model {name!r}; there are {', '.join(names)}")
    trained = Trained(detector, stored, options.model or names)
    print(trained.describe(), file=sys.stderr)
    skipped: dict[str, str] = {}
    verdicts: list[Verdict] = []
    notes: dict[str, list[str]] = {}
    for detection in detections(trained, groups, skipped):
        verdicts += detection.verdicts
        notes[detection.recording.name] = list(detection.recording.notes)
        if options.to is not None:
            _write(options.to / detection.recording.name, trained.sheet(detection).as_files())
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    if options.to is not None and verdicts:
        catalogue(verdicts).to_parquet(options.to / "catalogue.parquet", index=False)
    status = 1 if skipped else 0
    if options.json:
        whole: JsonDict = {
            "verdicts": [verdict.to_dict() for verdict in verdicts],
            "notes": notes,
            "skipped": skipped,
        }
        return json.dumps(whole, indent=1), status
    leading = detector.leading if detector.leading in names else names[0]
    return _table(verdicts, options.model or [leading]), status


def systems() -> list[str]:
    """Name the systems that give verdicts."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/detection.py"))


def detections(
    trained: Trained, groups: Mapping[str, Sequence[Path]], skipped: dict[str, str]
) -> Iterator[Detection]:
    """Give verdicts on recordings, reading the next ones meanwhile.

    Parameters
    ----------
    trained
        The models.
    groups
        Files by recording.
    skipped
        Filled with the reason why a recording could not be read.
    """
    from rich.console import Console
    from rich.progress import Progress

    names, quiet = list(groups), not sys.stderr.isatty()
    with (
        ThreadPoolExecutor(READERS) as pool,
        Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar,
    ):
        shown = bar.add_task("recordings", total=len(names))
        waiting = {n: pool.submit(trained.read, n, groups[n]) for n in names[:READERS]}
        for place, name in enumerate(names):
            try:
                read = waiting.pop(name).result()
            except (OSError, ValueError) as error:  # `BadInput` is a ValueError
                skipped[name] = _reason(error)
                read = None
            for n in names[place + READERS : place + READERS + 1]:
                waiting[n] = pool.submit(trained.read, n, groups[n])
            if read is not None:
                yield trained.detect(*read)
            bar.advance(shown)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _build_missing(
    detector: Detector, stored: Stored, refuse: Callable[[str], NoReturn], *, yes: bool
) -> None:
    missing = [
        key for key in detector.needs() if stored.record(key) is None and not stored.partitions(key)
    ]
    if not missing:
        return
    what = f"{len(missing)} assets of {detector.system} have not been built yet"
    if not yes:
        asked = sys.stdin.isatty()
        if asked:
            print(f"{what}. Training may take from minutes to hours. Build them? [y/N] ", end="")
        if not asked or input().strip().lower() not in ("y", "yes"):
            refuse(f"{what}: run faint rebuild 'group:{detector.system}', or add --yes")
    stored.rebuild(missing)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _table(verdicts: Sequence[Verdict], models: Sequence[str]) -> str:
    chosen = [verdict for verdict in verdicts if verdict.model in models]
    others = len(verdicts) - len(chosen)
    table = verdict_table(chosen) if chosen else "no verdicts"
    return table + (f"\n\n{others} verdicts of other models: see --json or --to" if others else "")

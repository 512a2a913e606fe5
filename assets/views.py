"""Views that all systems share: what the web UI shows of a result once it is stored.

A system's module `views` names the view of each of its assets. Views are no part of the stages, so
that an edited picture makes nothing stale: see `orchestration.views`. Each returns metadata by
title; drawing is done by `models`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg
import numpy as np

from assets.inbox import FACTS
from assets.metadata import picture
from models import data_plots, plots
from models.evaluation import Evaluation
from models.examples import caught, most_wrong
from models.metrics import reliability
from models.reporting import cell_text
from models.sampling import SPLITS
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

Metadata = dict[str, Any]
LISTED = 10
"""Rows of a table that are shown."""
INLINE = 3
"""Pictures of a report that are shown beside its link."""


class Built(Protocol):
    """A result that has just been stored: `orchestration.views.Built`."""

    @property
    def key(self) -> str:
        """Slash-joined key of the asset."""

    @property
    def partition(self) -> str | None:
        """Which partition; None of an asset without."""

    @property
    def value(self) -> Any:
        """What was stored."""

    def read(self, key: str, partition: str | None = None) -> Any:
        """Read another asset, by default the same partition of it."""


View = Callable[[Built], Metadata]
Draw = Callable[[Built], Mapping[str, bytes]]


def beside(built: Built, name: str) -> Any:
    """Read another asset of the same model, such as its history."""
    system, _, own = built.key.partition("/")
    model, of_one, _ = own.rpartition("_")
    return built.read(f"{system}/{model}{of_one}{name}")


def of_system(built: Built, name: str) -> Any:
    """Read another asset of the system."""
    return built.read(f"{built.key.partition('/')[0]}/{name}")


def model_of(built: Built) -> str:
    """Name the model that an asset belongs to: its partition, or the start of its name."""
    return built.partition or built.key.partition("/")[2].rpartition("_")[0]


def drawing(draw: Draw) -> View:
    """Show pictures by title."""

    def view(built: Built) -> Metadata:
        return {title: picture(png) for title, png in draw(built).items()}

    return view


def table(rows: Iterable[Mapping[str, object]]) -> dg.MetadataValue:
    """Show rows as a table; numbers stay numbers, everything else is text."""
    records = [dg.TableRecord({name: _cell(value) for name, value in row.items()}) for row in rows]
    return dg.MetadataValue.table(records) if records else dg.MetadataValue.text("none")


def _cell(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, str | int | float | bool) else str(plain)


def head(frame: pd.DataFrame, columns: Sequence[str] | None = None) -> dg.MetadataValue:
    """Show the first rows of a table, and of its columns the named ones."""
    chosen = frame.head(LISTED)[list(columns or frame.columns)]
    rows: Any = chosen.to_dict("records")
    return table(rows)


# the stages -------------------------------------------------------------------------------------


def rows(built: Built) -> Metadata:
    """Show the first rows of a table."""
    return {"first rows": head(built.value)}


def splits(label: Callable[[Built], Any], classes: tuple[str, str]) -> View:
    """Show how many of each class are in each split.

    Parameters
    ----------
    label
        Reads the labels, 0 or 1, of all rows.
    classes
        Names of negatives and positives.
    """

    def view(built: Built) -> Metadata:
        code, labels = np.asarray(built.value["split"]), np.asarray(label(built))
        counts = {
            name: {what: int(np.sum(labels[code == k] == c)) for c, what in enumerate(classes)}
            for k, name in enumerate(SPLITS)
        }
        shares = {
            f"{classes[1]} in {name} (%)": 100 * parts[classes[1]] / max(sum(parts.values()), 1)
            for name, parts in counts.items()
        }
        return {"class balance": picture(data_plots.balance(counts)), **shares}

    return view


def architecture(built: Built) -> Metadata:
    """Show the layers of a network."""
    layers = [
        {
            "layer": layer["layer"],
            "type": layer["type"],
            "output": " x ".join("any" if n is None else str(n) for n in _flat(layer["shape"])),
        }
        for layer in built.value["output_shapes"]
    ]
    return {"layers": len(layers), "layers in order": table(layers)}


def _flat(shape: Sequence[Any]) -> Sequence[Any]:
    return shape[0] if shape and isinstance(shape[0], list) else shape


def history(metric: str = "accuracy") -> View:
    """Show loss and one metric by epoch, and the last of each as a number."""

    def view(built: Built) -> Metadata:
        values, best = built.value["values"], built.value.get("best_epoch")
        phases = [(epochs, rate) for epochs, rate in built.value.get("phases", ())]
        drawn = plots.learning_curves(
            values, phases=phases, best_epoch=best, metric=metric, title=model_of(built)
        )
        last = {f"last {name.replace('_', ' ')}": series[-1] for name, series in values.items()}
        return {"learning curves": picture(drawn), **last}

    return view


def estimator(built: Built) -> Metadata:
    """Show the settings of an estimator."""
    settings = {k: str(v) for k, v in sorted(built.value.get_params(deep=False).items())}
    return {"parameters": table({"parameter": k, "value": v} for k, v in settings.items())}


@dataclass(frozen=True)
class Scored:
    """How the predictions of a system are read and shown.

    Attributes
    ----------
    classes
        Names of negatives and positives.
    draw
        Draws the signals of some rows of the predictions, with their scores, by title.
    label, score
        Columns of the predictions.
    part
        Which rows are evaluated; by default all.
    """

    classes: tuple[str, str]
    draw: Callable[[Built, pd.DataFrame, str], Mapping[str, bytes]]
    label: str = "label"
    score: str = "score"
    part: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame

    def columns(self, frame: pd.DataFrame) -> tuple[Any, Any, Any]:
        """Return labels, scores and decisions."""
        return (
            frame[self.label].to_numpy(),
            frame[self.score].to_numpy(),
            frame["flagged"].to_numpy(),
        )

    def examples(self, frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Choose what was caught, and what was decided most wrongly."""
        columns = self.columns(frame)
        chosen = {"most wrong": most_wrong(*columns), "caught": caught(*columns)}
        return {title: frame.iloc[rows] for title, rows in chosen.items() if len(rows)}


def predictions(scored: Scored) -> View:
    """Show the scores of all rows, and those decided most wrongly."""

    def view(built: Built) -> Metadata:
        frame = scored.part(built.value)
        labels, scores, flagged = scored.columns(frame)
        threshold, title = float(beside(built, "threshold")["value"]), model_of(built)
        drawn = plots.score_scatter(labels, scores, threshold, classes=scored.classes, title=title)
        listed = {title: head(part) for title, part in scored.examples(frame).items()}
        return {
            "scores": picture(drawn),
            "flagged": int(flagged.sum()),
            "wrong": int((labels.astype(bool) != flagged).sum()),
            **listed,
        }

    return view


def evaluation(
    scored: Scored, pictures: Callable[[str, pd.DataFrame, Evaluation, Built], Mapping[str, bytes]]
) -> View:
    """Show what `pictures` draws, the reliability of probabilities, and examples.

    Parameters
    ----------
    scored
        How predictions are read.
    pictures
        Draws the system's own pictures of a model.
    """

    def view(built: Built) -> Metadata:
        frame, result = beside(built, "predictions"), Evaluation.from_dict(built.value)
        part, title = scored.part(frame), model_of(built)
        drawn = dict(pictures(title, frame, result, built))
        labels, scores, _ = scored.columns(part)
        if "reliability" not in drawn and scores.min() >= 0 and scores.max() <= 1:
            drawn["reliability"] = plots.reliability_diagram(
                reliability(labels, scores), float(np.mean(labels)), title=title
            )
        for name, rows in scored.examples(part).items():
            signals = scored.draw(built, rows, f"{title}: {name}")
            drawn |= {name if len(signals) == 1 else f"{name}, {k}": v for k, v in signals.items()}
        return {title: picture(png) for title, png in drawn.items()}

    return view


def comparison(built: Built) -> Metadata:
    """Show the models beside the published ones, as a table."""
    rows = [{name: cell_text(value) for name, value in row.items()} for row in built.value["rows"]]
    return {"models": table(rows)}


def report(built: Built) -> Metadata:
    """Show the first pictures of a report; its link is added where it is stored."""
    files: Mapping[str, bytes] = built.value
    first = [name for name in files if name.startswith("pictures/")]
    order = sorted(first, key=lambda name: files["report.md"].find(name.encode()))
    chosen = {name.split("/")[-1].removesuffix(".png"): name for name in order[:INLINE]}
    return {title: picture(files[name]) for title, name in chosen.items()}


def training_range(built: Built) -> Metadata:
    """Show where the training data lie: mean and spread of features by number, and all else."""
    scalings = {k: v["scaling"] for k, v in built.value.items() if _has_scaling(v)}
    drawn = {
        name: picture(
            data_plots.spread(
                np.arange(len(scaling["mean"])),
                scaling["mean"],
                scaling["std"],
                x_label=f"{name}, by number",
                y_label="over the training data",
            )
        )
        for name, scaling in scalings.items()
    }
    others = {name: value for name, value in built.value.items() if name not in scalings}
    return drawn | {"range": table({"what": k, "value": v} for k, v in _flat_facts(others))}


def _has_scaling(value: object) -> bool:
    return isinstance(value, Mapping) and "scaling" in value


def _flat_facts(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """List what JSON holds, nested names joined; of long lists only how long they are."""
    if isinstance(value, Mapping):
        for part, inner in value.items():
            yield from _flat_facts(inner, f"{name}, {part}" if name else str(part))
    elif isinstance(value, list) and len(value) > LISTED:
        yield name, f"{len(value)} values"
    else:
        yield name, f"{value:.6g}" if isinstance(value, float) else str(value)


# an inbox ---------------------------------------------------------------------------------------


def arrays(built: Built) -> Metadata:
    """Show named arrays as they are."""
    drawn = data_plots.overview(built.value, title=built.partition or "")
    return {"arrays": picture(drawn)} if drawn else {}


def recording(built: Built) -> Metadata:
    """Show a recording's arrays, and what it says of itself."""
    stored: JsonDict = json.loads(built.value[FACTS][:][0])
    every = {**stored["facts"], **{f"note {k}": n for k, n in enumerate(stored["notes"], 1)}}
    drawn = data_plots.overview(
        {name: built.value[name] for name in built.value if name != FACTS},
        title=built.partition or "",
    )
    shown = {"arrays": picture(drawn)} if drawn else {}
    rows = ({"fact": name, "value": str(value)} for name, value in every.items())
    return {**shown, "facts": table(rows)}


DETECTION: dict[str, View] = {
    "training_range": training_range,
    "recording": recording,
    "readings": arrays,
    "sheet": report,
    "catalogue": rows,
}
"""Views of the assets of a system that gives verdicts on new recordings; the verdicts themselves
are a table."""

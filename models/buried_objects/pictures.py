"""Pictures of the buried-object assets: B-scans with spans, features, labels, gain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models import data_plots, plots
from models.arrays import ArrayLike, Arrays
from models.buried_objects.evaluation import events
from models.buried_objects.report import EXAMPLES, KINDS, visible
from models.buried_objects.scans import FIRST, SPACING, TIME_WINDOW, Integers, runs
from models.buried_objects.windows import places_of
from models.evaluation import Evaluation
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

WORST = 5
"""Scans that a picture of a model's errors shows."""
TRACES_SHOWN = 3
DRAWN_SCANS = 60
"""Scans whose labels a picture shows."""


def _ends(traces: int) -> tuple[float, float]:
    return FIRST - SPACING / 2, FIRST + SPACING * (traces - 0.5)


def scan_picture(
    ez: NDArray[np.float32],
    label: Integers,
    flagged: Mapping[str, NDArray[np.bool_]],
    *,
    title: str = "",
) -> bytes:
    """Draw a B-scan with the true span over it, and below it what each model flags.

    Parameters
    ----------
    ez
        Traces of one scan, shape (traces, samples), V/m. Drawn without its mean trace, each moment
        of time scaled by its own std, so that late echoes are visible beside early ones.
    label
        Shape (traces,), 1 over the object.
    flagged
        By model, shape (traces,).
    title
        Of what scan.
    """
    scaled = visible(ez)
    ends = FIRST - SPACING / 2, FIRST + SPACING * (len(ez) - 0.5)
    spans: dict[str, Integers | NDArray[np.bool_]] = {"true": label, **flagged}
    low = 0.5 + 0.22 * len(spans)
    figure, (image, bars) = plots.new_figure(6.4, 3.6 + low, rows=2, heights=(3.6, low), share=True)
    image.imshow(
        scaled.T, aspect="auto", cmap="gray", extent=(*ends, 1e9 * TIME_WINDOW, 0), zorder=0
    )  # fmt: skip
    for place, (name, decided) in enumerate(spans.items()):
        colour = plots.ACCENT if name == "true" else plots.POSITIVE
        for first, last in events(decided):
            start, stop = (FIRST + SPACING * (trace + side)
                           for trace, side in ((first, -0.5), (last, 0.5)))  # fmt: skip
            bars.barh(-place, stop - start, left=start, height=0.7, color=colour)
            if name == "true" or len(flagged) == 1:
                style = "-" if name == "true" else "--"
                for edge in (start, stop):
                    image.axvline(edge, color=colour, linewidth=1.3, linestyle=style)
    image.set_ylabel("time (ns)")
    image.grid(visible=False)
    bars.set_yticks(-np.arange(len(spans)), list(spans))
    bars.set_ylim(0.6 - len(spans), 0.6)
    bars.set_xlim(*ends)
    bars.set_xlabel("transmitter (m)")
    return plots.to_png(figure, title)


def traces(ez: ArrayLike) -> bytes:
    """Draw the first traces as they were recorded, shape (n, samples)."""
    first = np.asarray(ez[:TRACES_SHOWN], dtype=np.float64)
    figure, (axes,) = plots.new_figure(6.4, 3.0)
    nanoseconds = np.linspace(0, 1e9 * TIME_WINDOW, first.shape[1])
    axes.plot(nanoseconds, first.T, linewidth=0.8)
    axes.set_xlabel("time (ns)")
    axes.set_ylabel("vertical field (V/m)")
    axes.margins(x=0.01)
    return plots.to_png(figure, "")


def first_scans(examples: Arrays) -> dict[str, bytes]:
    """Draw the first scans with the true span of the object."""
    scan, label = (np.asarray(examples[name]) for name in ("scan", "label"))
    drawn: dict[str, bytes] = {}
    for start, length in zip(*runs(scan), strict=True):
        if len(drawn) == EXAMPLES:
            break
        rows = slice(int(start), int(start + length))
        name = f"scan {scan[start]}"
        drawn[name] = scan_picture(np.asarray(examples["ez"][rows]), label[rows], {}, title=name)
    return drawn


def worst_scans(table: pd.DataFrame, ez: ArrayLike, *, title: str) -> dict[str, bytes]:
    """Draw the scans with the most traces decided wrongly.

    Parameters
    ----------
    table
        From `evaluation.predictions`.
    ez
        The traces of the table.
    title
        Of the pictures.
    """
    wrong = (table["label"] == 1) != table["flagged"]
    by_scan = wrong.groupby(table["scan"]).sum().sort_values(ascending=False, kind="stable")
    drawn: dict[str, bytes] = {}
    for scan, count in by_scan.head(WORST).items():
        of_scan = np.flatnonzero(table["scan"] == scan)
        part, rows = table.iloc[of_scan], slice(int(of_scan[0]), int(of_scan[-1]) + 1)
        drawn[f"scan {scan}"] = scan_picture(
            np.asarray(ez[rows]),
            part["label"].to_numpy(),
            {"flagged": part["flagged"].to_numpy()},
            title=f"{title}, scan {scan}: {count} of {len(part)} traces wrong",
        )
    return drawn


def labels(stored: Arrays) -> bytes:
    """Draw which traces of the first scans lie over an object."""
    starts, lengths = runs(np.asarray(stored["scan"]))
    label = np.asarray(stored["label"])
    shown = min(DRAWN_SCANS, len(starts))
    image = np.full((shown, int(lengths.max())), np.nan)
    for number, (start, length) in enumerate(zip(starts[:shown], lengths[:shown], strict=True)):
        image[number, :length] = label[start : start + length]
    figure, (axes,) = plots.new_figure(6.4, 1.2 + 0.06 * shown)
    axes.grid(visible=False)
    axes.imshow(
        image, aspect="auto", cmap="Oranges", vmin=0, vmax=1.3, interpolation="nearest",
        extent=(*_ends(image.shape[1]), shown, 0),
    )  # fmt: skip
    axes.set_xlabel("transmitter (m); over an object: dark")
    axes.set_ylabel("scan")
    return plots.to_png(figure, "")


def projected(examples: Arrays) -> bytes:
    """Draw the features of the first scans: logarithm of power by time."""
    values, scan = examples["values"], np.asarray(examples["scan"])
    starts, lengths = runs(scan)
    first = list(zip(starts, lengths, strict=True))[:EXAMPLES]
    figure, panels = plots.new_figure(6.4, 0.6 + 2.6 * len(first), rows=len(first), share=True)
    for axes, (start, length) in zip(panels, first, strict=True):
        part = np.asarray(values[int(start) : int(start + length)])
        axes.grid(visible=False)
        axes.imshow(part.T, aspect="auto", extent=(*_ends(len(part)), 1e9 * TIME_WINDOW, 0))
        axes.set_title(f"scan {scan[start]}", loc="left", fontsize=8.5, pad=2)
        axes.set_ylabel("time (ns)")
    panels[-1].set_xlabel("transmitter (m)")
    return plots.to_png(figure, "")


def gain(scaling: JsonDict) -> bytes:
    """Draw the gain of each sample of a trace."""
    values = np.asarray(scaling["gain"], dtype=np.float64)
    return data_plots.spread(
        np.linspace(0, 1e9 * TIME_WINDOW, values.size),
        np.log10(values),
        x_label="time (ns)",
        y_label="logarithm of the gain",
    )


def scenes(table: pd.DataFrame) -> bytes:
    """Draw where the objects lie: depth against radius, by what they are made of."""
    figure, (axes,) = plots.new_figure(5.4, 3.6)
    made = (table["material"] + " " + table["filling"]).str.strip().replace("", "unknown")
    for number, (name, part) in enumerate(table.groupby(made, sort=True)):
        colour = plots.CYCLE[number % len(plots.CYCLE)]
        axes.plot(
            100 * part["radius"], 100 * part["depth"], "o^sDv"[number % 5], color=colour,
            label=f"{name} ({len(part)})", markersize=5, alpha=0.8,
        )  # fmt: skip
    axes.invert_yaxis()
    axes.set_xlabel("radius (cm)")
    axes.set_ylabel("depth of the axis (cm)")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
    return plots.to_png(figure, "")


def windows(examples: Arrays) -> dict[str, float]:
    """Count the windows of each training batch."""
    batches, counts = np.unique(places_of(examples).part, return_counts=True)
    return {
        f"batch {batch}" if batch > 0 else "not for training": float(count)
        for batch, count in zip(batches, counts, strict=True)
    }


def example_scans(table: pd.DataFrame) -> list[int]:
    """Choose the test scans that pictures show: the first ones."""
    return [int(scan) for scan in table["scan"].unique()[:EXAMPLES]]


def scan_pictures(
    tables: Mapping[str, pd.DataFrame], test: Arrays, *, title: str
) -> dict[str, bytes]:
    """Draw the first test scans with the spans of one model or several.

    Parameters
    ----------
    tables
        `evaluation.predictions` by model.
    test
        ``ez`` of the same traces.
    title
        Of the pictures.
    """
    drawn: dict[str, bytes] = {}
    first = next(iter(tables.values()))
    for scan in example_scans(first):
        rows = np.flatnonzero(first["scan"] == scan)
        ez = np.asarray(test["ez"][int(rows[0]) : int(rows[-1]) + 1])
        label = first["label"].to_numpy()[rows]
        flagged = {
            model: table.loc[table["scan"] == scan, "flagged"].to_numpy()
            for model, table in tables.items()
        }
        drawn[f"scan {scan}"] = scan_picture(ez, label, flagged, title=f"{title}, scan {scan}")
    return drawn


def results(
    title: str,
    table: pd.DataFrame,
    evaluation: Evaluation,
    test: Arrays,
    history: JsonDict | None = None,
) -> dict[str, bytes]:
    """Draw a model's results on the test scans; loss and accuracy where it has a history."""
    labels, scores = table["label"].to_numpy(), table["smoothed"].to_numpy()
    threshold = evaluation.threshold
    drawn = scan_pictures({title: table}, test, title=title)
    drawn |= {
        "precision and recall": plots.precision_recall(labels, scores, threshold, title=title),
        "confusion": plots.confusion_matrix(evaluation.counts, classes=KINDS, title=title),
    }
    if history is not None:
        drawn["training"] = plots.learning_curves(history["values"], title=title)
    return drawn

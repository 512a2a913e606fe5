"""Figures of the reports and the web UI: from plain arrays to the bytes of a PNG.

Equal input gives equal bytes: figures hold no date or version, and are drawn without pyplot's
global state. Colours are those of Okabe & Ito (2008), which any colour vision can distinguish;
marker, line style or label differ too.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike as AnyArray

from models.intervals import Metric
from models.sampling import binary_labels
from models.thresholds import labelled_scores, roc

DPI = 90
POSITIVE, NEGATIVE, ACCENT, OTHER = "#D55E00", "#0072B2", "#009E73", "#CC79A7"
CYCLE = (NEGATIVE, POSITIVE, ACCENT, OTHER, "#E69F00", "#56B4E9", "#000000")
GREY = "#6b6b6b"

#: Scatter plots show about this many examples of a class at most, evenly picked.
SCATTER_LIMIT = 3000


class _Dots(NamedTuple):
    marker: str
    colour: str
    size: float


def learning_curves(
    values: Mapping[str, Sequence[float]],
    *,
    phases: Sequence[tuple[int, float]] = (),
    best_epoch: int | None = None,
    metric: str = "accuracy",
    title: str = "",
) -> bytes:
    """Draw loss and one metric by epoch, of training and validation.

    Parameters
    ----------
    values : mapping of str to sequence of float
        As ``History.values``: ``loss`` and, where known, ``val_loss``, the metric and its ``val_``.
    phases : sequence of (int, float)
        Epochs and learning rate of each phase; changes are marked.
    best_epoch : int, optional
        Epoch, from 1, whose weights were kept; marked unless it is the last.
    metric : str
        Name of the metric in the second panel, left out where it was not recorded.
    title : str
        What was trained.
    """
    shown = [name for name in ("loss", metric) if name in values]
    figure, panels = new_figure(4.6 * len(shown), 3.4, columns=len(shown))
    for axes, name in zip(panels, shown, strict=True):
        for key, label, colour, style in (
            (name, "training", NEGATIVE, "o-"),
            (f"val_{name}", "validation", POSITIVE, "s--"),
        ):
            if key in values:
                epochs = np.arange(1, len(values[key]) + 1)
                size = 4 if epochs.size <= 40 else 0
                axes.plot(epochs, values[key], style, color=colour, label=label, markersize=size)
        run = len(values[name])
        _mark_phases(axes, phases, run)
        if best_epoch is not None and best_epoch < run:
            axes.axvline(best_epoch, color=ACCENT, linewidth=1.2, label="weights kept")
        integer_ticks(axes)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name.replace("_", " "))
        if name != "loss" and max(values[name]) <= 1:
            axes.set_ylim(top=min(1.02, axes.get_ylim()[1]))
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside lower center", ncols=2 * len(panels), frameon=False, fontsize=9
    )
    return to_png(figure, title)


def roc_curve(
    labels: AnyArray, scores: AnyArray, threshold: float | None = None, *, title: str = ""
) -> bytes:
    """Draw sensitivity against false-positive rate, with the chosen threshold on it.

    Parameters
    ----------
    labels : array-like of shape (n,)
        0 or 1, with both classes.
    scores : array-like of shape (n,)
        Finite.
    threshold : float, optional
        Threshold to mark.
    title : str
        The model and the rows.
    """
    points = roc(labels, scores)
    fpr = np.r_[0, points["false_positive_rate"]]
    sensitivity = np.r_[0, points["sensitivity"]]
    area = float(np.trapezoid(sensitivity, fpr))
    figure, (axes,) = new_figure(4.4, 4.2)
    axes.plot([0, 1], [0, 1], ":", color=GREY, label="chance")
    axes.plot(fpr, sensitivity, color=NEGATIVE, label=f"area {area:.3f}")
    if threshold is not None:
        positive, values = labelled_scores(labels, scores)
        flagged = values >= threshold
        at = float(flagged[~positive].mean()), float(flagged[positive].mean())
        axes.plot(*at, "D", color=POSITIVE, markersize=8, label=f"threshold {threshold:.3g}")
    _unit_square(axes)
    axes.set_xlabel("false-positive rate")
    axes.set_ylabel("sensitivity (recall)")
    axes.legend(loc="lower right")
    return to_png(figure, title)


def crossover(
    labels: AnyArray, scores: AnyArray, threshold: float | None = None, *, title: str = ""
) -> bytes:
    """Draw sensitivity and specificity against the threshold; parameters as :func:`roc_curve`."""
    points = roc(labels, scores)
    thresholds = points["thresholds"]
    figure, (axes,) = new_figure(5.2, 3.6)
    axes.plot(thresholds, points["sensitivity"], color=POSITIVE, label="sensitivity")
    specificity = 1 - points["false_positive_rate"]
    axes.plot(thresholds, specificity, "--", color=NEGATIVE, label="specificity")
    if threshold is not None:
        label = f"threshold {threshold:.3g}"
        axes.axvline(threshold, color=GREY, linestyle=":", linewidth=1.5, label=label)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("threshold on the score")
    axes.set_ylabel("share classified correctly")
    legend_above(axes, 3)
    return to_png(figure, title)


def precision_recall(
    labels: AnyArray, scores: AnyArray, threshold: float | None = None, *, title: str = ""
) -> bytes:
    """Draw precision against recall, with the base rate; parameters as :func:`roc_curve`."""
    points = roc(labels, scores)
    positive, values = labelled_scores(labels, scores)
    positives = np.count_nonzero(positive)
    tp = points["sensitivity"] * positives
    fp = points["false_positive_rate"] * (positive.size - positives)
    precision, recall = tp / (tp + fp), points["sensitivity"]
    average = float(np.sum(np.diff(recall, prepend=0) * precision))
    figure, (axes,) = new_figure(4.4, 4.2)
    base = positives / positive.size
    axes.axhline(base, color=GREY, linestyle=":", label=f"base rate {base:.3g}")
    axes.step(
        np.r_[0, recall],
        np.r_[precision[0], precision],
        where="pre",
        color=NEGATIVE,
        label=f"average precision {average:.3f}",
    )
    flagged = values >= threshold if threshold is not None else np.zeros_like(positive)
    if flagged.any():
        at = float(flagged[positive].mean()), float(positive[flagged].mean())
        axes.plot(*at, "D", color=POSITIVE, markersize=8, label=f"threshold {threshold:.3g}")
    _unit_square(axes)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    legend_above(axes, 2)
    return to_png(figure, title)


def score_scatter(
    labels: AnyArray,
    scores: AnyArray,
    threshold: float | None = None,
    *,
    classes: tuple[str, str] = ("negative", "positive"),
    title: str = "",
) -> bytes:
    """Draw the score of every example in its order, coloured by class.

    Of a class with more than `SCATTER_LIMIT` examples every n-th is shown; the legend says so.

    Parameters
    ----------
    labels, scores, threshold, title
        As for :func:`roc_curve`; one class is enough.
    classes : tuple of str
        Names of negatives and positives.
    """
    positive, values = labelled_scores(labels, scores)
    figure, (axes,) = new_figure(6.4, 3.4)
    for rows, name, few, many in (
        (np.flatnonzero(~positive), classes[0], _Dots("o", NEGATIVE, 14), _Dots("o", NEGATIVE, 5)),
        (np.flatnonzero(positive), classes[1], _Dots("D", POSITIVE, 46), _Dots("D", POSITIVE, 9)),
    ):
        shown = rows[:: max(-(-rows.size // SCATTER_LIMIT), 1)]
        dots = few if shown.size <= 500 else many
        of = "" if shown.size == rows.size else f"{shown.size:,} of "
        axes.scatter(
            shown, values[shown], s=dots.size, marker=dots.marker, color=dots.colour, alpha=0.75,
            edgecolors="white", linewidths=0.5 if dots is few else 0,
            label=f"{name} ({of}{rows.size:,})",
        )  # fmt: skip
    if threshold is not None:
        label = f"threshold {threshold:.3g}"
        axes.axhline(threshold, color="black", linestyle="--", linewidth=1, label=label)
    axes.set_xlabel("example")
    axes.set_ylabel("score")
    legend_above(axes, 3)
    return to_png(figure, title)


def confusion_matrix(
    counts: Mapping[str, int],
    *,
    classes: tuple[str, str] = ("negative", "positive"),
    title: str = "",
) -> bytes:
    """Draw the four counts, shaded by the share of their actual class.

    Parameters
    ----------
    counts : mapping of str to int
        ``tp``, ``fp``, ``fn`` and ``tn``.
    classes : tuple of str
        Names of negatives and positives.
    title : str
        The model and the rows.
    """
    table = np.array([[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]])
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, (axes,) = new_figure(3.9, 3.5)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        colour = "white" if share[row, column] > 0.55 else "black"
        axes.text(
            column, row, f"{count:,}\n{share[row, column]:.1%}",
            ha="center", va="center", color=colour, fontsize=12,
        )  # fmt: skip
    axes.set_xticks([0, 1], classes)
    axes.set_yticks([0, 1], classes, rotation=90, va="center")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    return to_png(figure, title)


def decisions(
    labels: AnyArray,
    scores: AnyArray,
    threshold: float,
    counts: Mapping[str, int],
    *,
    classes: tuple[str, str],
    title: str,
) -> dict[str, bytes]:
    """Draw scores, ROC, precision and recall, and confusion; parameters as of each."""
    return {
        "scores": score_scatter(labels, scores, threshold, classes=classes, title=title),
        "ROC": roc_curve(labels, scores, threshold, title=title),
        "precision and recall": precision_recall(labels, scores, threshold, title=title),
        "confusion": confusion_matrix(counts, classes=classes, title=title),
    }


def curves(
    x: AnyArray,
    rows: AnyArray,
    labels: AnyArray,
    *,
    x_label: str,
    y_label: str,
    names: Sequence[str] | None = None,
    classes: tuple[str, str] = ("negative", "positive"),
    log: bool = False,
    title: str = "",
) -> bytes:
    """Draw a few series, one below the other, positives first and in their colour.

    Parameters
    ----------
    x : array-like of shape (m,)
        Shared by all rows.
    rows : array-like of shape (k, m)
        Up to about 8 series; NaN leaves a gap.
    labels : array-like of shape (k,)
        0 or 1.
    x_label, y_label : str
        Axis labels, with units.
    names : sequence of str, optional
        Name of each row.
    classes : tuple of str
        Names of negatives and positives.
    log : bool
        Draw lines on a logarithmic scale, as of amplitude spectra; values up to 0 leave a gap.
    title : str
        The data.
    """
    places, series = np.asarray(x, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    positive = binary_labels(labels)
    if series.shape != (positive.size, places.size):
        raise ValueError(
            f"{positive.size} labels and {places.size} places need rows of shape "
            f"{(positive.size, places.size)}, not {series.shape}"
        )
    style = {"ls": "-"} if log else {"marker": ".", "ls": "none"}
    order = np.argsort(~positive, kind="stable")
    figure, panels = new_figure(6.4, 0.9 + 1.15 * positive.size, rows=positive.size, share=True)
    for axes, row in zip(panels, order, strict=True):
        colour = POSITIVE if positive[row] else NEGATIVE
        values = np.where(series[row] > 0, series[row], np.nan) if log else series[row]
        axes.plot(places, values, color=colour, markersize=2, linewidth=0.7, **style)
        if log:
            axes.set_yscale("log")
        axes.margins(x=0.01)
        name = classes[int(positive[row])] + (f": {names[row]}" if names is not None else "")
        axes.set_title(name, loc="left", fontsize=8.5, pad=2, color=colour)
        axes.tick_params(labelsize=8)
    panels[-1].set_xlabel(x_label)
    figure.supylabel(y_label, fontsize=10)
    return to_png(figure, title)


def images(
    pictures: AnyArray,
    names: Sequence[str],
    *,
    extent: tuple[float, float, float, float],
    x_label: str,
    y_label: str,
    log: bool = False,
    columns: int = 4,
    title: str = "",
) -> bytes:
    """Draw a few pictures side by side, on one colour scale.

    Parameters
    ----------
    pictures : array-like of shape (k, rows, columns)
        From 1 to about 16; row 0 is drawn at the top.
    names : sequence of str
        Name of each picture.
    extent : tuple of float
        Left, right, bottom and top of every picture in the units of the axes.
    x_label, y_label : str
        Axis labels, with units.
    log : bool
        Whether the rows are equally spaced in the logarithm of y.
    columns : int
        Pictures in a row.
    title : str
        The data.
    """
    shown = np.asarray(pictures, dtype=np.float64)
    if shown.ndim != 3 or len(shown) != len(names) or not len(shown):
        raise ValueError(f"{len(names)} names need as many pictures, not {shown.shape}")
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    figure, panels = new_figure(1.0 + 1.9 * columns, 0.8 + 1.7 * rows, rows=rows, columns=columns)
    left, right, bottom, top = extent
    x = np.linspace(left, right, shown.shape[2] + 1)
    y = (np.geomspace if log else np.linspace)(top, bottom, shown.shape[1] + 1)
    for axes, picture, name in zip(panels, shown, names, strict=False):
        axes.grid(visible=False)
        axes.pcolormesh(x, y, picture, vmin=shown.min(), vmax=shown.max(), rasterized=True)
        if log:
            axes.set_yscale("log")
        axes.set_title(name, loc="left", fontsize=8.5, pad=2)
        axes.tick_params(labelsize=7)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    figure.supxlabel(x_label, fontsize=10)
    figure.supylabel(y_label, fontsize=10)
    return to_png(figure, title)


def reliability_diagram(
    bins: Mapping[str, Sequence[float]], base_rate: float, *, title: str = ""
) -> bytes:
    """Draw observed against forecast frequency, and the number of forecasts in each bin.

    Parameters
    ----------
    bins : mapping
        As :func:`models.metrics.reliability` returns.
    base_rate : float
        Share of positives, drawn as the line of no resolution.
    title : str
        The model and the rows.
    """
    figure, (axes, below) = new_figure(4.4, 5.2, rows=2, heights=(3.4, 1))
    forecast, observed = np.array(bins["forecast"]), np.array(bins["observed"])
    error = [observed - np.array(bins["low"]), np.array(bins["high"]) - observed]
    axes.plot([0, 1], [0, 1], ":", color=GREY, label="perfectly reliable")
    axes.axhline(base_rate, color=ACCENT, linestyle="--", linewidth=1, label="base rate")
    axes.errorbar(
        forecast, observed, np.maximum(error, 0), fmt="o-", color=NEGATIVE, capsize=3,
        label="forecasts, 95 %",
    )  # fmt: skip
    _unit_square(axes)
    axes.tick_params(labelbottom=False)
    axes.set_ylabel("observed frequency")
    legend_above(axes, 2)
    start, stop = np.array(bins["start"]), np.array(bins["stop"])
    below.bar(start, bins["count"], width=stop - start, align="edge", color=NEGATIVE, alpha=0.7)
    below.set_yscale("log")
    below.set_xlim(-0.02, 1.02)
    below.set_xlabel("forecast probability")
    below.set_ylabel("forecasts")
    return to_png(figure, title)


def comparison(
    ours: Mapping[str, Metric],
    published: Mapping[str, float | None],
    *,
    x_label: str,
    title: str = "",
) -> bytes:
    """Draw one metric of every model with its interval, beside the published figure.

    Parameters
    ----------
    ours
        By model; an undefined metric is marked as such.
    published
        By model, the published value; None or absent where there is none.
    x_label : str
        The metric.
    title : str
        The rows.
    """
    names = list(ours)
    figure, (axes,) = new_figure(6.2, 1.5 + 0.42 * len(names))
    place = np.arange(len(names))[::-1]
    known = [value for value in published.values() if value is not None]
    for y, name in zip(place, names, strict=True):
        value, low, high = ours[name].value, ours[name].low, ours[name].high
        if value is None:
            axes.annotate(
                "undefined", (0, y), xycoords=axes.get_yaxis_transform(), xytext=(6, 0),
                textcoords="offset points", va="center", color=GREY, fontsize=9,
            )  # fmt: skip
            continue
        known.append(value)
        if low is not None and high is not None:
            axes.plot([low, high], [y, y], color=NEGATIVE, linewidth=6, alpha=0.3)
            known += [low, high]
        axes.plot(value, y, "o", color=NEGATIVE, markersize=7)
    for y, name in zip(place, names, strict=True):
        value = published.get(name)
        if value is not None:
            axes.plot(value, y, "D", color=POSITIVE, markersize=7, markerfacecolor="none", mew=1.8)
    axes.plot([], [], "o-", color=NEGATIVE, label="ours, 95 % interval")
    axes.plot([], [], "D", color=POSITIVE, markerfacecolor="none", mew=1.8, label="published")
    axes.set_yticks(place, names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    if known and min(known) >= 0 and max(known) <= 1:
        axes.set_xlim(-0.02, 1.02)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(x_label)
    legend_above(axes, 2)
    return to_png(figure, title)


def recall_by_bin(bins: Sequence[Mapping[str, Any]], *, x_label: str, title: str = "") -> bytes:
    """Draw recall by bin, with intervals and the number of positives.

    Parameters
    ----------
    bins
        As :func:`models.metrics.by_bin` returns; those outside the edges stand at the right.
    x_label : str
        The binned quantity, with unit.
    title : str
        The model and the rows.
    """
    figure, (axes,) = new_figure(max(4.6, 1.4 + 0.75 * len(bins)), 3.6)
    names = [
        entry["outside"].replace(" ", "\n", 1)
        if entry.get("outside")
        else f"{entry['start']:g}-{entry['stop']:g}"
        for entry in bins
    ]
    for place, entry in enumerate(bins):
        recall = entry["recall"]
        if recall["value"] is not None:
            axes.bar(place, recall["value"], width=0.7, color=NEGATIVE, alpha=0.75)
            error = [[recall["value"] - recall["low"]], [recall["high"] - recall["value"]]]
            axes.errorbar(place, recall["value"], error, fmt="none", color="black", capsize=4)
        axes.text(place, 1.03, f"{entry['found']} of {entry['count']}", ha="center", fontsize=8.5)
    axes.set_ylim(0, 1.12)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xticks(range(len(bins)), names)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(x_label)
    axes.set_ylabel("recall, 95 % interval")
    return to_png(figure, title)


def new_figure(
    width: float,
    height: float,
    *,
    rows: int = 1,
    columns: int = 1,
    heights: Sequence[float] | None = None,
    share: bool = False,
) -> tuple[Any, list[Any]]:
    """Create a figure of this size in inches, with panels in one style."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    panels = figure.subplots(
        rows, columns, squeeze=False, sharex=share, height_ratios=heights
    ).ravel()
    for axes in panels:
        axes.set_facecolor("white")
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.tick_params(labelsize=9, color=GREY)
    return figure, list(panels)


def to_png(figure: Any, title: str) -> bytes:
    """Render a figure of `new_figure` under its title; equal figures give equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if title:
        figure.suptitle(title, fontsize=11)
    target = io.BytesIO()
    FigureCanvasAgg(figure).print_png(target, metadata={"Software": None})
    return target.getvalue()


def _unit_square(axes: Any) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)


def legend_above(axes: Any, columns: int) -> None:
    """Put the legend above the panel, where it hides nothing."""
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, frameon=False, fontsize=9
    )


def integer_ticks(axes: Any) -> None:
    """Tick the x axis at whole numbers, such as epochs."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _mark_phases(axes: Any, phases: Sequence[tuple[int, float]], run: int) -> None:
    """Mark where the learning rate changes, between two epochs."""
    end = 0
    for (epochs, before), (_, after) in itertools.pairwise(phases):
        end += epochs
        if end < run:
            label = f"learning rate {before:g} to {after:g}"
            axes.axvline(end + 0.5, color=GREY, linestyle=":", linewidth=1.5, label=label)

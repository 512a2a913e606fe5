"""Figures of data sets and features: how many, how far spread, how different by class.

As `models.plots`, in whose style they are: from plain arrays to the bytes of a PNG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike as AnyArray

from models.arrays import Arrays
from models.plots import CYCLE, NEGATIVE, POSITIVE, legend_above, new_figure, to_png
from models.sampling import binary_labels

#: Rows of an array that an overview shows about.
OVERVIEW_ROWS = 2000


def balance(
    counts: Mapping[str, Mapping[str, float]], *, x_label: str = "examples", title: str = ""
) -> bytes:
    """Draw one bar a group, such as a split, of parts that are its classes.

    Parameters
    ----------
    counts
        By group and class; every group has the same classes. Parts have their number beside them.
    x_label : str
        What is counted, with unit.
    title : str
        The data.
    """
    names = list(counts)
    classes = list(dict.fromkeys(name for parts in counts.values() for name in parts))
    figure, (axes,) = new_figure(6.2, 1.5 + 0.45 * len(names))
    place = np.arange(len(names))[::-1]
    start = np.zeros(len(names))
    for number, name in enumerate(classes):
        length = np.array([counts[group].get(name, 0) for group in names], dtype=np.float64)
        shown = ", ".join(f"{value:,.4g}" for value in length)
        colour = CYCLE[number % len(CYCLE)]
        axes.barh(place, length, left=start, height=0.65, color=colour, label=f"{name} ({shown})")
        start += length
    axes.set_yticks(place, names)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(x_label)
    legend_above(axes, 2)
    return to_png(figure, title)


def bars(values: Mapping[str, float], *, x_label: str, title: str = "") -> bytes:
    """Draw a bar for each value, in their order; ``x_label`` says what they are, with unit."""
    figure, (axes,) = new_figure(6.2, max(2.3, 0.9 + 0.27 * len(values)))
    place = np.arange(len(values))[::-1]
    axes.barh(place, list(values.values()), height=0.7, color=NEGATIVE)
    for y, value in zip(place, values.values(), strict=True):
        axes.annotate(
            f"{value:,.4g}", (value, y), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=8,
        )  # fmt: skip
    axes.set_yticks(place, list(values))
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(x_label)
    return to_png(figure, title)


def spread(
    x: AnyArray,
    mean: AnyArray,
    std: AnyArray | None = None,
    *,
    x_label: str,
    y_label: str,
    log: bool = False,
    title: str = "",
) -> bytes:
    """Draw a line and one standard deviation about it.

    Parameters
    ----------
    x, mean, std : array-like of shape (m,)
        Places, mean and standard deviation; without the last, the line alone.
    x_label, y_label : str
        Axis labels, with units.
    log : bool
        Draw x on a logarithmic scale.
    title : str
        The data.
    """
    places, middle = np.asarray(x, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    figure, (axes,) = new_figure(6.2, 3.2)
    if std is not None:
        wide = np.asarray(std, dtype=np.float64)
        axes.fill_between(
            places, middle - wide, middle + wide, color=NEGATIVE, alpha=0.25, linewidth=0,
            label="one standard deviation",
        )  # fmt: skip
    axes.plot(places, middle, color=NEGATIVE, linewidth=1.2, label="mean")
    if log:
        axes.set_xscale("log")
    axes.margins(x=0.01)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if std is not None:
        legend_above(axes, 2)
    return to_png(figure, title)


def distributions(
    values: AnyArray,
    labels: AnyArray,
    names: Sequence[str],
    *,
    classes: tuple[str, str] = ("negative", "positive"),
    count: int = 6,
    title: str = "",
) -> bytes:
    """Draw histograms by class of the features whose class means lie farthest apart.

    Parameters
    ----------
    values : array-like of shape (n, k)
        Features; NaN is left out.
    labels : array-like of shape (n,)
        0 or 1.
    names : sequence of str
        Of the k features.
    classes : tuple of str
        Names of negatives and positives.
    count : int
        Features to draw at most.
    title : str
        The data.
    """
    features, positive = np.asarray(values, dtype=np.float64), binary_labels(labels)
    if features.shape != (positive.size, len(names)):
        raise ValueError(
            f"{positive.size} labels and {len(names)} names need values of shape "
            f"{(positive.size, len(names))}, not {features.shape}"
        )
    apart = np.zeros(len(names))
    for column in range(len(names)):
        both = [part[np.isfinite(part)] for part in _by_class(features[:, column], positive)]
        width = np.concatenate(both).std() if min(map(len, both)) else 0
        if width > 0:
            apart[column] = abs(both[0].mean() - both[1].mean()) / width
    chosen = np.argsort(-apart, kind="stable")[:count]
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, panels = new_figure(2.6 * columns, 2.1 * rows + 0.5, rows=rows, columns=columns)
    for axes, column in zip(panels, chosen, strict=False):
        known = features[np.isfinite(features[:, column]), column]
        low, high = np.percentile(known, [1, 99]).tolist() if known.size else (0.0, 1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges = np.linspace(low, high, 26)
        for part, name, colour in zip(
            _by_class(features[:, column], positive), classes, (NEGATIVE, POSITIVE), strict=True
        ):
            share, _ = np.histogram(part[np.isfinite(part)].clip(edges[0], edges[-1]), edges)
            axes.stairs(share / max(share.sum(), 1), edges, color=colour, label=name, linewidth=1.4)
        axes.set_title(names[column], loc="left", fontsize=8.5, pad=2)
        axes.tick_params(labelsize=7)
    for axes in panels[len(chosen) :]:
        axes.set_visible(False)
    handles, labels_ = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels_, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    figure.supylabel("share of the class", fontsize=9)
    return to_png(figure, title)


def _by_class(values: Any, positive: Any) -> tuple[Any, Any]:
    return values[~positive], values[positive]


def overview(arrays: Arrays, *, count: int = 6, title: str = "") -> bytes | None:
    """Draw numeric arrays one below the other: a line, or an image of rows and what they hold.

    Parameters
    ----------
    arrays
        By name, which may be stored: of long ones every n-th row is read.
    count : int
        Arrays to draw at most.
    title : str
        The data.

    Returns
    -------
    bytes or None
        None where no array has more than one number.
    """
    numeric = {
        name: values
        for name, values in arrays.items()
        if np.dtype(values.dtype).kind in "biuf" and values.shape and len(values) > 1
    }
    chosen = dict(list(numeric.items())[:count])
    if not chosen:
        return None
    figure, panels = new_figure(6.4, 0.6 + 1.5 * len(chosen), rows=len(chosen))
    for axes, (name, values) in zip(panels, chosen.items(), strict=True):
        step = max(1, len(values) // OVERVIEW_ROWS)
        drawn = np.asarray(values[::step], dtype=np.float64)
        drawn = drawn.reshape(len(drawn), -1)[:, :OVERVIEW_ROWS]
        if drawn.shape[1] == 1:
            axes.plot(np.arange(len(drawn)) * step, drawn[:, 0], color=NEGATIVE, linewidth=0.7)
        else:
            axes.grid(visible=False)
            extent = (0, len(values), 0, drawn.shape[1])
            axes.imshow(drawn.T, aspect="auto", origin="lower", extent=extent)
        shape = " x ".join(map(str, values.shape))
        axes.set_title(f"{name} ({shape})", loc="left", fontsize=8.5, pad=2)
        axes.tick_params(labelsize=7)
    panels[-1].set_xlabel("row")
    return to_png(figure, title)

"""Charts of reports: from arrays to paths that a page shows and its script zooms.

A chart is drawn once, here, as paths in a square of `SIDE` units; the page stretches that square to
its plot, and the script (`models.reporting.script`) zooms by changing what part of it is seen. So a
chart is complete without scripts, is sharp at any size, and equal input gives equal text.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

SIDE = 10_000
"""Units of a plot's side; points are rounded to one."""

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, INK, QUIET = range(8)
"""Tones: colours of Okabe & Ito (2008), which the style sheet makes darker or lighter."""

TONES = ("#0072b2", "#c94f00", "#00795a", "#a8487f", "#946200", "#2a7fb0", "#1c1f23", "#7a838c")
"""The tones on white."""

MARGIN = 0.03
"""Share of the range of the data that is left free on each side."""

LISTED = 100
"""Points of a chart that its table lists, evenly picked."""

TICKS = 6
FEW_DECADES = 1.5
"""Decades of a logarithmic axis below which it has ticks at 1, 2 and 5."""

FEW_BARS = 8


@dataclass(frozen=True)
class Axis:
    """An axis; ``label`` has the unit.

    Attributes
    ----------
    label
        The quantity with its unit, such as ``time (days)``.
    low, high
        Limits; by default those of the data, with a margin. An axis may run downwards.
    log
        Whether it is logarithmic; values up to 0 are left out.
    names
        Categories, which stand at 0, 1, 2, and so on.
    whole
        Whether only whole numbers have a meaning, such as epochs.
    """

    label: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    names: Sequence[str] = ()
    whole: bool = False


@dataclass(frozen=True)
class Series:
    """Points of one kind.

    Attributes
    ----------
    name
        In the legend; an empty one has no place there.
    x, y
        Array-likes of shape (n,); NaN leaves a gap.
    kind
        ``line`` joins the points, ``spans`` does so thickly, ``bars`` stand on the x axis.
    tone
        One of `BLUE` and the others.
    dashed
        Whether a line is dashed, or dots are square.
    points
        What each point is, shown while the pointer is on it.
    low, high
        Ends of an interval of each point, shape (n,); ``across``: along x instead of y.
    """

    name: str
    x: AnyArray
    y: AnyArray
    kind: Literal["line", "dots", "bars", "spans"] = "line"
    tone: int = BLUE
    dashed: bool = False
    points: Sequence[str] = ()
    low: AnyArray | None = None
    high: AnyArray | None = None
    across: bool = False


@dataclass(frozen=True)
class Rule:
    """A line across the plot, at an ``x`` or a ``y``, or between two points ``ends``."""

    name: str
    x: float | None = None
    y: float | None = None
    tone: int = QUIET
    dashed: bool = True
    diagonal: bool = False


@dataclass(frozen=True)
class Image:
    """A PNG that fills ``extent``: left, right, bottom and top in the axes' units."""

    png: bytes = field(repr=False)
    extent: tuple[float, float, float, float]


@dataclass(frozen=True)
class Chart:
    """One plot with what is said of it.

    Attributes
    ----------
    name
        Unique in the report; becomes the name of its file.
    title
        One line above it.
    caption
        What there is to see, with the essential numbers: the chart's text alternative.
    x, y
        Axes.
    series, rules, image
        What is drawn, the image first.
    wide
        Whether it takes the whole width of the page.
    square
        Whether both axes have the same length.
    """

    name: str
    title: str
    caption: str
    x: Axis
    y: Axis
    series: Sequence[Series] = ()
    rules: Sequence[Rule] = ()
    image: Image | None = None
    wide: bool = False
    square: bool = False


@dataclass(frozen=True)
class Scale:
    """An axis with its limits."""

    axis: Axis
    low: float
    high: float

    def place(self, values: AnyArray) -> NDArray[np.float64]:
        """Return places from 0 to `SIDE`, NaN where there is none."""
        given = np.asarray(values, dtype=np.float64)
        low, high = self._ends()
        return np.clip((_level(given, self.axis.log) - low) / (high - low), -10, 11) * SIDE

    def _ends(self) -> tuple[float, float]:
        if self.axis.log:
            return math.log10(self.low), math.log10(self.high)
        return self.low, self.high

    def ticks(self) -> list[tuple[float, str]]:
        """Return places in percent with their labels."""
        if self.axis.names:
            values = [float(k) for k in range(len(self.axis.names))]
            texts = list(self.axis.names)
        else:
            values = _log_ticks(self.low, self.high) if self.axis.log else []
            least = 1.0 if self.axis.whole else 0.0
            values = values if len(values) > 1 else _ticks(self.low, self.high, least)
            texts = [number(value) for value in values]
        places = self.place(values) / SIDE * 100
        return [(round(float(p), 3), text) for p, text in zip(places, texts, strict=True)]

    @property
    def data(self) -> str:
        """What the script needs: limits, and what lies between them."""
        kind = "log" if self.axis.log else "whole" if self.axis.whole else "linear"
        return f"{self.low:.9g} {self.high:.9g} {kind}"


def _level(values: NDArray[np.float64], log: bool) -> NDArray[np.float64]:
    if not log:
        return values
    return np.asarray(np.log10(np.where(values > 0, values, np.nan)))


def number(value: float) -> str:
    """Write a number for people, with four digits at least.

    >>> number(0.30000000000000004), number(1500000.0), number(3197.0), number(-0.0)
    ('0.3', '1.5e+06', '3197', '0')
    """
    text = f"{value:.4g}" if abs(value) < 10_000 else f"{value:.5g}"
    return "0" if text == "-0" else text


def _ticks(low: float, high: float, least: float) -> list[float]:
    """Choose round values, at most `TICKS` steps of 1, 2 or 5 times a power of ten."""
    low, high = min(low, high), max(low, high)
    rough = max((high - low) / TICKS, least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = math.log10(high / low)
    parts = (1, 2, 5) if decades < FEW_DECADES else (1,)
    every = max(1, math.ceil(decades / TICKS))
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [k * 10.0**p for p in powers if p % every == 0 for k in parts]
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def _scale(axis: Axis, values: Sequence[AnyArray]) -> Scale:
    if axis.names:
        return Scale(axis, -0.5, len(axis.names) - 0.5)
    given = [np.asarray(part, dtype=np.float64).ravel() for part in values]
    levels = _level(np.concatenate([np.empty(0), *given]), axis.log)
    levels = levels[np.isfinite(levels)]
    low, high = (float(levels.min()), float(levels.max())) if levels.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    free = MARGIN * (high - low)
    low, high = low - free, high + free
    if axis.log:
        low, high = 10.0**low, 10.0**high
    return Scale(
        axis, low if axis.low is None else axis.low, high if axis.high is None else axis.high
    )


@dataclass(frozen=True)
class Mark:
    """One path of a drawn chart; ``cls`` are its classes, ``points`` as of `Series`."""

    path: str
    cls: str
    tone: int
    name: str = ""
    points: Sequence[str] = ()
    kind: str = ""


@dataclass(frozen=True)
class Drawn:
    """A chart as the templates need it.

    Attributes
    ----------
    chart
        The chart.
    x, y
        Its scales.
    marks
        Paths, in the order in which they are drawn.
    image
        Place (x, y, width, height) and data URI of the image, or None.
    legend
        Marks that are named there.
    rows
        Its points as a table, and ``left_out``, how many of them that does not list.
    """

    chart: Chart
    x: Scale
    y: Scale
    marks: Sequence[Mark]
    image: tuple[tuple[int, int, int, int], str] | None
    legend: Sequence[Mark]
    rows: Sequence[dict[str, Any]]
    left_out: int

    @property
    def label_width(self) -> int:
        """Characters of the longest label of the y axis."""
        return max([4, *(len(text) for _, text in self.y.ticks())])


def draw(chart: Chart) -> Drawn:
    """Draw a chart.

    Raises
    ------
    ValueError
        A series has x, y, points or intervals of different lengths.
    """
    xs: list[AnyArray] = []
    ys: list[AnyArray] = []
    for series in chart.series:
        _require_equal_lengths(chart, series)
        xs.append(series.x)
        ys.append(series.y)
        for ends in (series.low, series.high):
            if ends is not None:
                (xs if series.across else ys).append(ends)
        if series.kind == "bars" and not chart.y.log:
            ys.append([0.0])
    xs += [[rule.x] for rule in chart.rules if rule.x is not None]
    ys += [[rule.y] for rule in chart.rules if rule.y is not None]
    if chart.image is not None:
        xs.append(chart.image.extent[:2])
        ys.append(chart.image.extent[2:])
    x, y = _scale(chart.x, xs), _scale(chart.y, ys)
    marks = [_rule(rule, x, y) for rule in chart.rules]
    for series in chart.series:
        marks += _marks(series, x, y)
    ordered = sorted(marks, key=lambda mark: not mark.kind)  # rules come last
    named = {mark.name: mark for mark in reversed(ordered) if mark.name}
    legend = [mark for mark in ordered if mark.name and named[mark.name] is mark]
    rows, left_out = _rows(chart)
    return Drawn(
        chart,
        x,
        y,
        marks,
        _placed(chart.image, x, y) if chart.image is not None else None,
        legend if len(legend) > 1 else [],
        rows,
        left_out,
    )


def _require_equal_lengths(chart: Chart, series: Series) -> None:
    size = np.size(series.x)
    others = {"y": np.size(series.y)}
    if series.points:
        others["points"] = len(series.points)
    others |= {
        name: np.size(ends)
        for name, ends in (("low", series.low), ("high", series.high))
        if ends is not None
    }
    for name, length in others.items():
        if length != size:
            raise ValueError(
                f"chart {chart.name!r}, series {series.name!r}: {size} x need as many {name}, "
                f"not {length}"
            )


def _marks(series: Series, x: Scale, y: Scale) -> list[Mark]:
    across, up = x.place(series.x), SIDE - y.place(series.y)
    marks = []
    if series.low is not None and series.high is not None:
        scale = x if series.across else y
        ends = [scale.place(part) for part in (series.low, series.high)]
        low, high = ends if series.across else (SIDE - ends[0], SIDE - ends[1])
        path = "".join(
            f"M{a:.0f},{v:.0f}H{b:.0f}" if series.across else f"M{u:.0f},{a:.0f}V{b:.0f}"
            for u, v, a, b in zip(across, up, low, high, strict=True)
            if np.isfinite([u, v, a, b]).all()
        )
        marks.append(Mark(path, "interval", series.tone))
    good = np.isfinite(across) & np.isfinite(up)
    points = [text for text, shown in zip(series.points, good, strict=False) if shown]
    places = np.rint(np.column_stack([np.where(good, across, 0), np.where(good, up, 0)])).astype(
        int
    )
    if series.kind == "bars":
        base = SIDE if y.axis.log else round(SIDE - float(y.place([max(0.0, y.low)])[0]))
        path = "".join(f"M{u},{base}V{v}" for u, v in places[good].tolist())
        classes = "bars" if int(good.sum()) <= FEW_BARS else "bars narrow"
    elif series.kind == "dots":
        path = _dots(places[good])
        classes = "dots" if int(good.sum()) <= 300 else "dots many"
    else:
        path = _line(places, good)
        classes = "line" if series.kind == "line" else "line spans"
    if series.dashed:
        classes += " square" if series.kind == "dots" else " dashed"
    marks.append(Mark(path, classes, series.tone, series.name, points, series.kind))
    return marks


def _dots(places: NDArray[np.int_]) -> str:
    if not len(places):
        return ""
    steps = np.diff(places, axis=0).tolist()
    first = f"M{places[0, 0]},{places[0, 1]}h0"
    return first + "".join(f"m{dx},{dy}h0" for dx, dy in steps)


def _line(places: NDArray[np.int_], good: NDArray[np.bool_]) -> str:
    parts, pen = [], None
    for (u, v), shown in zip(places.tolist(), good.tolist(), strict=True):
        if not shown:
            pen = None
        elif pen is None:
            parts.append(f"M{u},{v}")
            pen = (u, v)
        else:
            parts.append(f"l{u - pen[0]},{v - pen[1]}")
            pen = (u, v)
    return "".join(parts)


def _rule(rule: Rule, x: Scale, y: Scale) -> Mark:
    if rule.diagonal:
        path = f"M0,{SIDE}L{SIDE},0"
        ends = [scale.place([max(x.low, y.low), min(x.high, y.high)]) for scale in (x, y)]
        (a, b), (c, d) = ends[0].tolist(), (SIDE - ends[1]).tolist()
        path = f"M{a:.0f},{c:.0f}L{b:.0f},{d:.0f}"
    elif rule.x is not None:
        path = f"M{x.place([rule.x])[0]:.0f},0V{SIDE}"
    else:
        assert rule.y is not None
        path = f"M0,{SIDE - y.place([rule.y])[0]:.0f}H{SIDE}"
    return Mark(path, "rule dashed" if rule.dashed else "rule", rule.tone, rule.name)


def _placed(image: Image, x: Scale, y: Scale) -> tuple[tuple[int, int, int, int], str]:
    left, right = x.place(image.extent[:2])
    bottom, top = SIDE - y.place(image.extent[2:])
    place = (round(left), round(top), round(right - left), round(bottom - top))
    return place, f"data:image/png;base64,{base64.b64encode(image.png).decode('ascii')}"


def _rows(chart: Chart) -> tuple[list[dict[str, Any]], int]:
    """Return points as rows of a table, evenly picked, and how many are left out."""
    every = max(1, -(-sum(np.size(series.x) for series in chart.series) // LISTED))
    total = 0
    rows: list[dict[str, Any]] = []
    several = len({series.name for series in chart.series}) > 1
    for series in chart.series:
        columns: dict[str, Sequence[Any]] = {}
        size = np.size(series.x)
        if several:
            columns["series"] = [series.name] * size
        if series.points:
            columns["point"] = series.points
        columns[chart.x.label] = _cells(chart.x, series.x)
        columns[chart.y.label] = _cells(chart.y, series.y)
        if series.low is not None and series.high is not None and not series.points:
            columns["low"], columns["high"] = (
                [number(v) for v in np.asarray(ends, dtype=np.float64).tolist()]
                for ends in (series.low, series.high)
            )
        drawn = np.isfinite(np.asarray(series.x, dtype=np.float64) + np.asarray(series.y))
        total += int(drawn.sum())
        rows += [
            {name: values[k] for name, values in columns.items()}
            for k in np.flatnonzero(drawn)[::every].tolist()
        ]
    return rows, total - len(rows)


def _cells(axis: Axis, values: AnyArray) -> list[str]:
    given = np.asarray(values, dtype=np.float64).tolist()
    if axis.names:
        return [axis.names[round(value)] for value in given]
    return [number(value) for value in given]


def heat(values: AnyArray, *, colours: str = "viridis", low: float, high: float) -> bytes:
    """Colour an array as a PNG with a pixel for each value; equal input gives equal bytes.

    Parameters
    ----------
    values : array-like of shape (rows, columns)
        Row 0 becomes the top.
    colours
        A colour map of matplotlib.
    low, high
        Values of its first and its last colour.
    """
    from matplotlib import colormaps
    from PIL import Image as Pillow

    share = (np.asarray(values, dtype=np.float64) - low) / ((high - low) or 1.0)
    picture = Pillow.fromarray(np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8), mode="P")
    table = np.asarray(colormaps[colours](np.arange(256)), dtype=np.float64)[:, :3]
    picture.putpalette(np.rint(table * 255).astype(np.uint8).tobytes())
    target = io.BytesIO()
    picture.save(target, format="PNG", optimize=True)
    return target.getvalue()

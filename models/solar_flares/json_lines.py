"""Parse lines of JSON into records, and report broken lines.

A line is parsed in one of two ways with the same result. The fast way compares the line, but for
its numbers, byte by byte with one that was parsed before; if they match, only the numbers are
extracted and converted, many lines at once, by code that releases the interpreter's lock. All other
lines go through Python's json.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.solar_flares.records import ID_LENGTH, LARGEST, PARAMETERS, SAMPLES

_SAMPLE_KEYS = tuple(str(sample) for sample in range(SAMPLES))
_KNOWN_SAMPLES = frozenset(_SAMPLE_KEYS)


@dataclass
class Piece:
    """Consecutive lines of a file: those to parse, and what was seen of the others."""

    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    seen: int = 0

    def add(self, number: int, line: bytes, sampled: bool) -> int:
        """Take in a line; returns the bytes that it adds to what is to be parsed."""
        line = line.strip()
        if not line:
            return 0
        self.seen += 1
        if sampled:
            self.lines.append(line)
            self.numbers.append(number)
            return len(line)
        if not (line.startswith(b"{") and line.endswith(b"}")):
            self.bad.append((number, "it does not begin with { and end with }"))
        return 0


@dataclass(frozen=True)
class Parsed:
    """What came of some lines: k records, and the lines that are none."""

    values: NDArray[np.float32]  # (k, 60, 25)
    labels: list[int]
    ids: list[str]
    bad: list[tuple[int, str]]  # line number and reason
    lines: int  # not blank, whether sampled or not


@dataclass(frozen=True, eq=False)
class Layout:
    """How a line looks, but for its numbers."""

    skeleton: bytes  # the line and its line feed, numbers left out
    gaps: NDArray[np.int64]  # lengths of its parts before, between and after the numbers
    spaced: bool  # a blank after each colon
    id: int  # which of the numbers is the id,
    label: int  # the class,
    values: NDArray[np.intp]  # and the values; shape (60, 25)


def parse(piece: Piece, layout: Layout | None) -> tuple[Parsed, Layout | None]:
    """Parse a piece; returns also the layout that its lines have, to be tried on the next."""
    bad = list(piece.bad)
    if layout is not None and (fast := _parse_fast(piece.lines, layout)) is not None:
        return Parsed(*fast, bad, piece.seen), layout
    values, labels, ids = [], [], []
    for number, line in zip(piece.numbers, piece.lines, strict=True):
        parsed = None if layout is None else _parse_fast([line], layout)
        if parsed is None:
            try:
                parsed = _parse_strictly(line)
            except _BrokenLineError as error:
                bad.append((number, str(error)))
                continue
            layout = _layout(line, parsed) or layout
        values.append(parsed[0])
        labels += parsed[1]
        ids += parsed[2]
    stacked = np.concatenate(values) if values else np.empty((0, SAMPLES, len(PARAMETERS)), "f4")
    return Parsed(stacked, labels, ids, sorted(bad), piece.seen), layout


_Fields = tuple[NDArray[np.float32], list[int], list[str]]


class _BrokenLineError(ValueError):
    """A line is not a record."""


def _parse_strictly(line: bytes) -> _Fields:
    try:
        record = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise _BrokenLineError(f"not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise _BrokenLineError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise _BrokenLineError("nested too deeply for a record") from error
    if not isinstance(record, dict):
        raise _BrokenLineError("not an object with id, classNum and values")
    for key in ("id", "classNum", "values"):
        if key not in record:
            raise _BrokenLineError(f"it has no {key}")
    name, label, series = record["id"], record["classNum"], record["values"]
    if isinstance(name, bool) or not isinstance(name, int | str):
        raise _BrokenLineError(f"id is {name!r}, neither a whole number nor text")
    if len(str(name)) > ID_LENGTH:
        raise _BrokenLineError(f"id is longer than {ID_LENGTH} characters")
    if isinstance(label, bool) or not isinstance(label, int) or label not in (0, 1):
        raise _BrokenLineError(f"classNum is {label!r}, neither 0 nor 1")
    if not isinstance(series, dict):
        raise _BrokenLineError("values is not an object of parameters")
    values = np.empty((1, SAMPLES, len(PARAMETERS)), dtype=np.float32)
    for column, parameter in enumerate(PARAMETERS):
        if parameter not in series:
            raise _BrokenLineError(f"it has no {parameter}")
        values[0, :, column] = _samples(parameter, series[parameter])
    return values, [label], [str(name)]


def _samples(parameter: str, samples: Any) -> list[float]:
    if not isinstance(samples, dict):
        raise _BrokenLineError(f"{parameter} is not an object of samples")
    if not samples.keys() <= _KNOWN_SAMPLES:
        odd = next(key for key in samples if key not in _KNOWN_SAMPLES)
        raise _BrokenLineError(f"{parameter} has a sample {odd!r}, expected 0 ... {SAMPLES - 1}")
    values = []
    for key in _SAMPLE_KEYS:
        value = samples.get(key)
        if value is None:
            value = math.nan
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise _BrokenLineError(f"{parameter} sample {key} is {value!r}, not a number")
        elif abs(value) > LARGEST:
            raise _BrokenLineError(f"{parameter} sample {key} is {value!r}, beyond 32-bit floats")
        values.append(float(value))
    return values


def _layout(line: bytes, parsed: _Fields) -> Layout | None:
    """Describe the layout of a parsed line; None if lines like it can't be parsed the fast way."""
    places: dict[Any, int] = {}
    for key, value in json.loads(line).items():
        if key != "values":
            places[key] = len(places)
            continue
        for parameter, samples in value.items():
            if not isinstance(samples, dict):
                return None
            for sample in samples:
                places[parameter, sample] = len(places)
    try:
        values = [[places[p, sample] for p in PARAMETERS] for sample in _SAMPLE_KEYS]
    except KeyError:
        return None
    whole = line + b"\n"
    colon = whole.index(b":")
    spaced = whole[colon + 1 : colon + 2] == b" "
    starts = _starts(np.frombuffer(whole, dtype=np.uint8), spaced).tolist()
    if len(starts) != len(places):
        return None
    stops = [start + len(_END.split(whole[start : start + 99], maxsplit=1)[0]) for start in starts]
    parts = [whole[a:b] for a, b in zip([0, *stops], [*starts, len(whole)], strict=True)]
    layout = Layout(
        skeleton=b"".join(parts),
        gaps=np.array([len(part) for part in parts]),
        spaced=spaced,
        id=places["id"],
        label=places["classNum"],
        values=np.array(values),
    )
    again = _parse_fast([line], layout)
    # Text, lists and repeated keys among the members are what the fast way can't tell apart.
    if again is None or not np.array_equal(again[0], parsed[0], equal_nan=True):
        return None
    return layout if again[1:] == parsed[1:] else None


_END = re.compile(rb"[,} \t]")


def _starts(text: NDArray[np.uint8], spaced: bool) -> NDArray[np.intp]:
    """Find where the numbers of a text begin: after a colon, unless an object does."""
    skip = 2 if spaced else 1
    after = np.flatnonzero(text[:-skip] == ord(":")) + skip
    return np.asarray(after[text[after] != ord("{")])


def _parse_fast(lines: Sequence[bytes], layout: Layout) -> _Fields | None:
    """Parse lines that have the layout; None if one hasn't, or holds what json would refuse."""
    import pyarrow as pa
    from pyarrow import compute

    count, numbers = len(lines), len(layout.gaps) - 1
    if count == 0:
        return np.empty((0, SAMPLES, len(PARAMETERS)), dtype=np.float32), [], []
    joined = b"\n".join(lines) + b"\n"
    text = np.frombuffer(joined, dtype=np.uint8)
    starts = _starts(text, layout.spaced)
    if len(starts) != count * numbers:
        return None
    # The layout says how long the gap after each number is, and with that where the number ends.
    gaps, is_number, expected = _expected(layout, count)
    stops = np.empty_like(starts)
    np.subtract(starts[1:], gaps[:-1], out=stops[:-1])
    stops[-1] = len(text) - gaps[-1]
    if np.any(stops <= starts):
        return None
    missing = _missing(text, starts, stops)
    if missing is None:
        return None
    # The text seen as strings: gap, number, gap, number, ..., gap. Arrow compares and converts
    # them where they lie, each kind with the other one masked.
    edges = np.empty(2 * len(starts) + 2, dtype=np.int32)
    edges[0], edges[1:-1:2], edges[2:-1:2], edges[-1] = 0, starts, stops, len(text)
    same = compute.equal(_strings(edges, ~is_number, joined), expected)
    if not compute.all(same).as_py():
        return None
    if missing.any():
        is_number = is_number.copy()
        is_number[1::2] = ~missing
    try:
        cast = compute.cast(_strings(edges, is_number, joined), pa.float64())
    except pa.ArrowInvalid:
        return None
    floats = np.frombuffer(cast.buffers()[1], dtype=np.float64, count=len(cast))[1::2].copy()
    floats[missing] = np.nan
    labels, ids = [], []
    for first in range(0, len(starts), numbers):
        name = joined[starts[first + layout.id] : stops[first + layout.id]]
        label = joined[starts[first + layout.label] : stops[first + layout.label]]
        if not re.fullmatch(rb"-?\d{1,18}", name) or label not in (b"0", b"1"):
            return None
        ids.append(str(int(name)))
        labels.append(int(label))
    values = floats.reshape(count, numbers)[:, layout.values]
    if np.fmax.reduce(np.abs(values), axis=None) > LARGEST:
        return None
    return values.astype(np.float32), labels, ids


@lru_cache(maxsize=16)
def _expected(layout: Layout, count: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], Any]:
    """Describe ``count`` lines of a layout: the gaps after numbers, what is a number, the text."""
    numbers = len(layout.gaps) - 1
    gaps = np.tile(layout.gaps[1:], count)
    gaps[numbers - 1 : -1 : numbers] += layout.gaps[0]  # from a line's end to the next one's start
    is_number = np.zeros(2 * len(gaps) + 1, dtype=bool)
    is_number[1::2] = True
    edges = np.zeros(2 * len(gaps) + 2, dtype=np.int32)
    edges[1:] = np.repeat(np.cumsum(np.append(layout.gaps[0], gaps)), 2)[:-1]
    return gaps, is_number, _strings(edges, ~is_number, layout.skeleton * count)


def _strings(edges: NDArray[np.int32], valid: NDArray[np.bool_], text: bytes) -> Any:
    """Arrow's view of a text, cut at the edges, without a copy."""
    import pyarrow as pa

    mask = np.packbits(valid, bitorder="little")
    buffers = [pa.py_buffer(mask), pa.py_buffer(edges), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(valid), buffers)


def _missing(
    text: NDArray[np.uint8], starts: NDArray[np.intp], stops: NDArray[np.intp]
) -> NDArray[np.bool_] | None:
    """Tell which numbers are ``NaN`` or ``null``; None if any isn't written as JSON allows.

    Arrow would read ``01``, ``.5``, ``5.``, ``5.e3`` and ``inf`` too. Whether a line that holds
    one is broken would then depend on the lines around it.
    """

    def digit(characters: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return np.asarray(characters - np.uint8(ord("0")) < 10)

    first, second = text[starts], text[starts + 1]
    minus = first == ord("-")
    missing = ~minus & ~digit(first)
    for place in np.flatnonzero(missing):
        if text[starts[place] : stops[place]].tobytes() not in (b"NaN", b"null"):
            return None
    exponent = np.concatenate([np.flatnonzero(text == ord(sign)) for sign in "eE"])
    zero = starts[minus & (second == ord("0"))]
    odd = (
        np.any(minus & ~digit(second)),
        np.any((first == ord("0")) & digit(second)),
        np.any(digit(text[zero + 2])),
        np.any(text[stops - 1] == ord(".")),
        np.any(text[exponent - 1] == ord(".")),
    )
    return None if any(odd) else missing


def to_json_line(block: Mapping[str, Any], row: int) -> str:
    """Write a row of a block as a line of the published files, line feed included."""
    name = str(block["id"][row])
    values = np.asarray(block["values"][row], dtype=np.float64)
    record = {
        "id": int(name) if re.fullmatch(r"0|[1-9][0-9]*", name) else name,
        "classNum": int(block["label"][row]),
        "values": {
            parameter: dict(zip(_SAMPLE_KEYS, values[:, column].tolist(), strict=True))
            for column, parameter in enumerate(PARAMETERS)
        },
    }
    return json.dumps(record) + "\n"

"""Profiles as field radars store them: GSSI's DZT, and Sensors & Software's DT1 with its HD.

The header of a DZT is that of GSSI's manual (SIR 30 Manual MN 93-101, appendix B). Of a DT1, every
trace has a header of 25 floats and a comment; the HD beside it is text (Sensors & Software, EKKO
file formats). `readgssi` reads DZT as well, but is under the AGPL, and brings ObsPy and more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, on_disk
from models.errors import BadInput

FOOT = 0.3048
UNITS = {
    "m": 1.0,
    "metres": 1.0,
    "meters": 1.0,
    "ft": FOOT,
    "feet": FOOT,
    "cm": 0.01,
    "in": FOOT / 12,
}

HEADER = 1024
"""Bytes of a DZT's header, for each channel."""

_DZT = np.dtype(
    {
        "names": ["data", "samples", "bits", "per_metre", "range", "gain", "channels",
                  "permittivity", "antenna"],
        "formats": ["<u2", "<u2", "<u2", "<f4", "<f4", "<u2", "<u2", "<f4", "S14"],
        "offsets": [2, 4, 6, 14, 26, 42, 52, 54, 98],
        "itemsize": HEADER,
    }
)  # fmt: skip
READ = 1 << 22
"""Bytes read at a time: a line of any length takes as much memory."""

_STORED: dict[int, np.dtype[Any]] = {8: np.dtype("u1"), 16: np.dtype("<u2"), 32: np.dtype("<i4")}
_A_DZT = "a profile of a GSSI radar (DZT)"
_A_DT1 = "a profile of a Sensors & Software radar (DT1, with its HD beside it)"


@dataclass
class Profile:
    """Traces as they were recorded, and what the file says about them.

    Attributes
    ----------
    traces
        Shape (n, samples), of the type they are stored in; 0 is no field. Those of instruments are
        on disk.
    dt
        Seconds between samples.
    position
        Metres along the line, shape (n,); None where unknown.
    frequency, permittivity, offset
        Nominal centre frequency (Hz), relative permittivity of the ground and metres between
        transmitter and receiver, as stated; None where they aren't.
    kind
        The format.
    instrument
        Whether it is in counts of a field radar, from a time zero of its own.
    survey
        How the antennas were moved, if not side by side along the line; otherwise empty.
    notes
        What was left out or taken for granted, each a sentence.
    """

    traces: ArrayLike
    dt: float
    position: NDArray[np.float64] | None = None
    frequency: float | None = None
    permittivity: float | None = None
    offset: float | None = None
    kind: str = ""
    instrument: bool = False
    survey: str = ""
    notes: list[str] = field(default_factory=list)


def read_dzt(file: Path) -> Profile:
    """Read the first channel of a DZT.

    The first two samples of a trace hold its number and marks; they get the value of the third.

    Raises
    ------
    BadInput
        It is no DZT, or holds no trace.
    """
    stored = file.stat().st_size
    with file.open("rb") as opened:
        header = opened.read(HEADER)
    if len(header) < HEADER:
        raise _bad(f"it ends after {len(header)} bytes, within its header", file, _A_DZT)
    head = np.frombuffer(header, _DZT, 1)[0]
    samples, bits, channels = (int(head[name]) for name in ("samples", "bits", "channels"))
    channels = max(channels, 1)
    window, data = float(head["range"]), int(head["data"])
    if bits not in _STORED:
        raise _bad(f"its header says {bits} bits a sample, not 8, 16 or 32", file, _A_DZT)
    if samples < 16 or not 0 < window < 1e5 or channels > 16:
        raise _bad(
            f"its header says {samples} samples in {window:g} ns, {channels} channels", file, _A_DZT
        )
    start = HEADER * (data if data < HEADER else channels)
    notes = []
    trace = np.dtype([("all", _STORED[bits], (channels, samples))])
    count, rest = divmod(stored - start, trace.itemsize)
    if count < 1:
        raise _bad(f"it ends after {stored} bytes, before its first trace", file, _A_DZT)
    if rest:
        notes.append(f"The file is cut short: its {count} whole traces are used.")
    if channels > 1:
        notes.append(f"The first of its {channels} channels is used.")
    if head["gain"] > 2:
        notes.append("Gain was set on the instrument when it was recorded; it is left as it is.")

    def first_channel() -> Iterator[dict[str, NDArray[Any]]]:
        for block in _blocks(file, start, trace, count, _A_DZT):
            values = block["all"][:, 0].copy()
            if bits < 32:  # about the middle of their range: flipping the first bit subtracts it
                values ^= values.dtype.type(1 << (bits - 1))
                values = values.view(f"i{bits // 8}")
            values[:, :2] = values[:, 2:3]
            yield {"traces": values}

    per_metre, permittivity = float(head["per_metre"]), float(head["permittivity"])
    named = re.search(rb"(\d+)\s*MHz", head["antenna"], re.IGNORECASE)
    return Profile(
        on_disk(first_channel())["traces"],
        window * 1e-9 / samples,
        np.arange(count, dtype=np.float64) / per_metre if 0 < per_metre < 1e4 else None,
        frequency=1e6 * float(named[1]) if named else None,
        permittivity=permittivity if 1 <= permittivity <= 100 else None,
        kind="GSSI DZT",
        instrument=True,
        notes=notes,
    )


def read_dt1(files: Sequence[Path]) -> Profile:
    """Read a DT1 with its HD.

    Raises
    ------
    BadInput
        One of the two is missing or damaged.
    """
    by_suffix = {file.suffix.lower(): file for file in files}
    if ".dt1" not in by_suffix:
        raise _bad("there is no DT1 beside it", files[0], _A_DT1, "Copy the DT1 too.")
    file = by_suffix[".dt1"]
    if ".hd" not in by_suffix:
        raise _bad("there is no HD beside it", file, _A_DT1, "Copy the HD too.")
    settings = _settings(by_suffix[".hd"])
    samples = int(settings.number("NUMBER OF PTS/TRC", 16, 1e6))
    window = settings.number("TOTAL TIME WINDOW", 0.01, 1e6)
    stored = file.stat().st_size
    trace = np.dtype([("head", "<f4", 25), ("comment", "S28"), ("samples", "<i2", samples)])
    count, rest = divmod(stored, trace.itemsize)
    if count < 1:
        raise _bad(f"it ends after {stored} bytes, within its first trace", file, _A_DT1)
    [head] = next(_blocks(file, 0, trace, 1, _A_DT1))["head"]
    if head[2] != samples or head[5] not in (0, 2):
        raise _bad(
            f"its first trace has {head[2]:g} samples of {head[5]:g} bytes, the HD says "
            f"{samples}; samples have 2 bytes",
            file,
            _A_DT1,
        )
    arrays = on_disk(
        {"traces": block["samples"], "position": block["head"][:, 1].astype(np.float64)}
        for block in _blocks(file, 0, trace, count, _A_DT1)
    )
    notes = []
    if rest:
        notes.append(f"The file is cut short: its {count} whole traces are used.")
    elif (said := settings.optional("NUMBER OF TRACES")) not in (None, count):
        notes.append(f"The HD says {said:.0f} traces, the DT1 holds {count}.")
    unit = UNITS.get(settings.text.get("POSITION UNITS", "m").lower())
    if unit is None:
        unit = 1.0
        notes.append(f"Positions in {settings.text['POSITION UNITS']!r} are taken as metres.")
    frequency, offset = (
        settings.optional(name) for name in ("NOMINAL FREQUENCY", "ANTENNA SEPARATION")
    )
    mode = settings.text.get("SURVEY MODE", "")
    return Profile(
        arrays["traces"],
        window * 1e-9 / samples,
        _positions(np.asarray(arrays["position"][:]), settings, unit),
        frequency=1e6 * frequency if frequency else None,
        offset=None if offset is None else unit * offset,
        kind="Sensors & Software DT1",
        instrument=True,
        survey="" if "reflection" in mode.lower() else mode,
        notes=notes,
    )


@dataclass(frozen=True)
class _Settings:
    """What an HD says, by name."""

    file: Path
    text: dict[str, str]

    def optional(self, name: str) -> float | None:
        """Return a number, None where there is none."""
        try:
            value = float(self.text[name])
        except (KeyError, ValueError):
            return None
        return value if math.isfinite(value) else None

    def number(self, name: str, low: float, high: float) -> float:
        """Return a number within bounds; `BadInput` where there is none."""
        value = self.optional(name)
        if value is None or not low <= value <= high:
            raise _bad(
                f"its {name} is {self.text[name]!r}" if name in self.text else f"it lacks {name}",
                self.file,
                "the header of a DT1",
            )
        return value


def _settings(file: Path) -> _Settings:
    lines = file.read_bytes().decode("latin-1").splitlines()
    pairs = (line.partition("=") for line in lines)
    return _Settings(file, {name.strip().upper(): text.strip() for name, _, text in pairs})


def _positions(
    stored: NDArray[np.float64], settings: _Settings, unit: float
) -> NDArray[np.float64] | None:
    """Return those in the traces' headers; where they are of no use, those that the HD implies."""
    if np.isfinite(stored).all() and np.ptp(stored) > 0:
        return unit * stored
    step = settings.optional("STEP SIZE USED")
    if not step:
        return None
    first = settings.optional("STARTING POSITION") or 0.0
    return np.asarray(unit * (first + step * np.arange(len(stored))), dtype=np.float64)


def _blocks(
    file: Path, start: int, trace: np.dtype[Any], count: int, expected: str
) -> Iterator[NDArray[Any]]:
    """Read ``count`` traces of a file, some at a time."""
    some = max(1, READ // trace.itemsize)
    with file.open("rb") as opened:
        opened.seek(start)
        for first in range(0, count, some):
            wanted = min(some, count - first)
            read = opened.read(wanted * trace.itemsize)
            if len(read) < wanted * trace.itemsize:
                raise _bad("it became shorter while it was read", file, expected)
            yield np.frombuffer(read, trace, wanted)


def _bad(
    problem: str, file: Path, expected: str, remedy: str = "Copy it from the instrument again."
) -> BadInput:
    return BadInput(problem, file=file, expected=expected, remedy=remedy)

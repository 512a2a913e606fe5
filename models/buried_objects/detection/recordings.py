"""Find and read new scans: gprMax outputs, tables, arrays, and profiles of field radars.

A recording is one line (B-scan):

- a DZT; or a DT1 with its HD;
- gprMax outputs, ``.out`` or ``.h5``: a merged one, or one a trace, numbered, in a folder;
- a table (CSV) or an array (NumPy's ``.npy`` or ``.npz``) of traces x samples. In a table, lines
  such as ``# dt: 1e-10``, and in an ``.npz`` arrays of these names, may say ``dt`` (s),
  ``spacing`` (m between traces), ``frequency`` (Hz), ``permittivity`` and ``offset`` (m from
  transmitter to receiver).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike
from models.buried_objects.detection.geometry import position_of, time_step
from models.buried_objects.detection.instruments import Profile, read_dt1, read_dzt
from models.buried_objects.readers import (
    LONGEST_STEP,
    OUTPUTS,
    SCENES,
    SHORTEST_STEP,
    natural_order,
    read_field,
)
from models.buried_objects.scans import SPACING
from models.detection import Recording, find_files
from models.errors import BadInput

SUFFIXES = (*OUTPUTS, ".csv", ".npy", ".npz", ".dzt", ".dt1", ".hd")

LARGEST = 2**30
"""Bytes of a table, an array or an output, which are read as a whole."""

BLOCK = 4096
"""Traces that are looked at together."""

LONGEST = 500_000
"""Traces of a resampled line: 10 km."""

LEAST_SAMPLES = 16
"""Of a trace."""

BACKGROUND = 0.5
"""Share of the power that is equal in all traces of a scan, that of the direct wave: where the rows
of a table have less than its columns, which have more, they are exchanged."""

NAMES: Mapping[str, tuple[float, float]] = {
    "dt": (SHORTEST_STEP, LONGEST_STEP),
    "spacing": (1e-4, 100.0),
    "frequency": (1e6, 1e11),
    "permittivity": (1.0, 100.0),
    "offset": (0.0, 100.0),
}
"""What a table or an array may say of itself, and within which bounds, in SI units."""

_FORMATS = "a radar scan: DZT, DT1 with HD, gprMax output, CSV, .npy or .npz"
_TABLE = "numbers, a row a trace"
_ARRAY = "a NumPy array of numbers, traces x samples"
_MERGED = "the traces of a scan, merged, or one a file, numbered, in a folder"


def group_files(paths: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Group files by recording: a DT1 with its HD, numbered gprMax outputs of a folder.

    A recording is named for its file, with the folders between it and the path that was given;
    where two would have the same name, with folders above it or with its suffix.
    """
    groups: dict[tuple[Path, str, str], list[Path]] = {}
    roots: dict[tuple[Path, str, str], Path] = {}
    for path in paths:
        for file in find_files([path], SUFFIXES):
            if file.name == SCENES and path.is_dir():
                continue
            suffix = file.suffix.lower()
            stem, kind = file.stem, suffix
            if suffix in (".dt1", ".hd"):
                kind = "dt1"
            elif suffix in OUTPUTS:
                kind = "gprMax"
                if "_merged" not in stem:
                    stem = re.sub(r"\d+$", "", stem) or file.parent.name
            place = (file.parent, stem, kind)
            roots.setdefault(place, path if path.is_dir() else file.parent)
            own = groups.setdefault(place, [])
            own += [one for one in (file, *_partners(file)) if one not in own]
    for own in groups.values():
        own.sort(key=natural_order)
    return {name: tuple(groups[place]) for place, name in _names(groups, roots).items()}


def _partners(file: Path) -> list[Path]:
    """Find the HD of a DT1 that was named alone, and the DT1 of an HD."""
    wanted = {".dt1": ".hd", ".hd": ".dt1"}.get(file.suffix.lower())
    if wanted is None or not file.parent.is_dir():
        return []
    beside = (file.with_suffix(suffix) for suffix in (wanted, wanted.upper()))
    return [one for one in beside if one.is_file()][:1]


def _names(
    groups: Iterable[tuple[Path, str, str]], roots: Mapping[tuple[Path, str, str], Path]
) -> dict[tuple[Path, str, str], str]:
    names: dict[tuple[Path, str, str], str] = {}
    for place in groups:
        folder, stem, _ = place
        between = folder.relative_to(roots[place]).parts
        names[place] = " ".join((*between, stem))
    for part in ("folder", "suffix"):
        for name in _twice(names.values()):
            for place in [place for place, own in names.items() if own == name]:
                more = place[0].resolve().name if part == "folder" else place[2].lstrip(".")
                names[place] = f"{more} {name}"
    for name in _twice(names.values()):
        same = [place for place, own in names.items() if own == name]
        names |= {place: f"{name} {number}" for number, place in enumerate(same, start=1)}
    return names


def _twice(names: Iterable[str]) -> list[str]:
    every = list(names)
    return [name for name in dict.fromkeys(every) if every.count(name) > 1]


# reading ----------------------------------------------------------------------------------------


def read_recording(name: str, files: Sequence[Path]) -> Recording:
    """Read a scan.

    Returns
    -------
    Recording
        ``traces``, shape (n, samples), of the type they are stored in, those of field radars on
        disk; ``position`` float64, shape
        (n,), metres along the line, NaN throughout where unknown; ``usable`` bool, shape (n,),
        False for a trace with NaN or of one value throughout. The facts have ``dt`` (s),
        ``frequency``, ``permittivity`` and ``offset`` as stated, else None, ``instrument`` and
        ``survey`` (see `instruments.Profile`), and for people ``format``, ``files``, ``traces``,
        ``samples``, ``window_ns`` and ``spacing`` (m, None where unknown).

    Raises
    ------
    BadInput
        A file can't be read; names it.
    """
    for file in files:
        if not file.is_file():
            problem = "it is no file" if file.exists() else "it is not there"
            raise BadInput(problem, file=file, expected=_FORMATS, remedy="Correct the path.")
        if file.stat().st_size == 0:
            raise BadInput("it is empty", file=file, expected=_FORMATS, remedy="Copy it again.")
        size = file.stat().st_size
        if size > LARGEST and file.suffix.lower() not in (".dzt", ".dt1"):
            raise BadInput(
                f"it holds {size / 2**30:.1f} GB",
                file=file,
                expected=f"at most {LARGEST / 2**30:g} GB",
                remedy="Cut the line into parts.",
            )
    profile = _profile(files)
    traces: Any = profile.traces
    if len(traces) < 2:
        raise BadInput(
            "it is a single trace (A-scan)",
            file=files[0],
            expected=_MERGED if files[0].suffix.lower() in OUTPUTS else "the traces of a line",
            remedy="Give all traces of the line: a trace is compared with those around it.",
        )
    usable = _usable(traces)
    notes = list(profile.notes)
    if lost := int(np.count_nonzero(~usable)):
        problem = f"{lost} of its {len(traces)} traces are constant or hold NaN"
        if lost > len(traces) - 2:
            raise BadInput(
                problem, file=files[0], expected="traces of numbers", remedy="Export it again."
            )
        notes.append(f"{problem}: they are left out.")
    position = profile.position
    if position is not None and not np.ptp(position[usable]) > 0:
        position = None
    if position is None:
        position = np.full(len(traces), np.nan)
        notes.append(f"The spacing of its traces is unknown: {SPACING} m is taken.")
    length = np.ptp(position_of(position)[usable])
    if not length / SPACING < LONGEST:
        raise BadInput(
            f"its traces span {length / 1000:.6g} km",
            file=files[0],
            expected=f"a line of up to {LONGEST * SPACING / 1000:g} km",
            remedy="Correct its positions, or cut it into parts.",
        )
    return Recording(
        name,
        {"traces": traces, "position": position, "usable": usable},
        _facts(profile, files, position),
        tuple(notes),
    )


def _facts(
    profile: Profile, files: Sequence[Path], position: NDArray[np.float64]
) -> dict[str, Any]:
    spacing = float(np.median(np.abs(np.diff(position))))
    return {
        "format": profile.kind,
        "files": [file.name for file in files[:10]],
        "traces": len(profile.traces),
        "samples": int(profile.traces.shape[1]),
        "dt": profile.dt,
        "window_ns": 1e9 * profile.dt * profile.traces.shape[1],
        "spacing": None if np.isnan(spacing) else spacing,
        "frequency": profile.frequency,
        "permittivity": profile.permittivity,
        "offset": profile.offset,
        "instrument": profile.instrument,
        "survey": profile.survey,
    }


def _profile(files: Sequence[Path]) -> Profile:
    suffix = files[0].suffix.lower()
    if suffix == ".dzt":
        return read_dzt(files[0])
    if suffix in (".dt1", ".hd"):
        return read_dt1(files)
    if suffix in OUTPUTS:
        return _outputs(files)
    if suffix in (".npy", ".npz"):
        return _array(files[0])
    if suffix == ".csv":
        return _table(files[0])
    raise BadInput(
        f"files that end in {suffix!r} aren't known", file=files[0], expected=_FORMATS,
        remedy="Convert it, or correct its name.",
    )  # fmt: skip


def _usable(traces: ArrayLike) -> NDArray[np.bool_]:
    """Tell traces with values from those of one value or with NaN; shape (n,)."""
    result = np.empty(len(traces), bool)
    for block in (slice(start, start + BLOCK) for start in range(0, len(traces), BLOCK)):
        values = np.asarray(traces[block])
        result[block] = (values != values[:, :1]).any(axis=1)
        if values.dtype.kind == "f":
            result[block] &= np.isfinite(values).all(axis=1)
    return result


def _outputs(files: Sequence[Path]) -> Profile:
    """Read gprMax outputs: a merged one, or one a trace."""
    read = [read_field(file) for file in files]
    (field, dt), spacing = read[0], _output_spacing(files)
    if len(files) == 1:
        traces = field.T if field.ndim == 2 else field[np.newaxis]
    else:
        for file, (one, _) in zip(files, read, strict=True):
            if one.ndim != 1:
                raise BadInput(
                    f"it holds {one.shape[1]} traces, though by its name it is one of several",
                    file=file,
                    expected=_MERGED,
                    remedy="Let the names of merged outputs end in _merged.",
                )
            if len(one) != len(field):
                raise BadInput(
                    f"it has {len(one)} samples, {files[0].name} {len(field)}",
                    file=file,
                    expected=_MERGED,
                    remedy="Run it again.",
                )
        traces = np.stack([one for one, _ in read])
    return Profile(_single(traces), dt, _every(spacing, len(traces)), kind="gprMax output")


def _output_spacing(files: Sequence[Path]) -> float | None:
    """Return the metres between traces: from the receiver's places, or its steps."""
    places = []
    for file in files[:2]:
        with h5py.File(file, "r") as opened:
            places.append(np.asarray(opened["/rxs/rx1"].attrs.get("Position", np.nan), float))
            steps, cells = (
                np.asarray(opened.attrs.get(name, np.nan), float).ravel()
                for name in ("rxsteps", "dx_dy_dz")
            )
    spacing = (
        np.linalg.norm(steps * cells) if len(files) == 1 else np.linalg.norm(places[1] - places[0])
    )
    low, high = NAMES["spacing"]
    return float(spacing) if low <= spacing <= high else None


def _array(file: Path) -> Profile:
    """Read a NumPy array; never a pickle."""
    said: dict[str, float] = {}
    try:
        with file.open("rb") as opened:
            loaded = np.load(opened, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                traces = loaded
            else:
                arrays = {name: loaded[name] for name in loaded.files}
                tables = [name for name, one in arrays.items() if one.ndim == 2]
                if len(tables) != 1:
                    raise BadInput(
                        f"it holds {len(tables)} arrays of two dimensions, not one",
                        file=file, expected=_ARRAY, remedy="Save the scan alone.",
                    )  # fmt: skip
                traces = arrays[tables[0]]
                said = {name: _said(file, name, arrays[name]) for name in NAMES if name in arrays}
    except BadInput:
        raise
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise BadInput(
            f"it can't be read ({error})", file=file, expected=_ARRAY,
            remedy="Save it again, with numpy.save and without objects.",
        ) from error  # fmt: skip
    if traces.ndim != 2 or traces.dtype.kind not in "fiu":
        raise BadInput(
            f"its array is {traces.dtype} of shape {traces.shape}", file=file, expected=_ARRAY,
            remedy="Save the scan as a table of numbers.",
        )  # fmt: skip
    return _plain(file, traces, said, "NumPy array")


def _table(file: Path) -> Profile:
    """Read a table; an empty cell is NaN."""
    said: dict[str, float] = {}
    rows: list[NDArray[np.float32]] = []
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                text = line.strip()
                if text.startswith("#"):
                    name, _, value = text.lstrip("# ").partition(":")
                    if name.strip() in NAMES:
                        said[name.strip()] = _said(file, name.strip(), value.strip())
                elif text:
                    rows.append(_row(file, number, text))
                    if len(rows[-1]) != len(rows[0]):
                        raise BadInput(
                            f"it has {len(rows[-1])} values, the first trace {len(rows[0])}",
                            file=file, row=number, expected="traces of one length",
                            remedy="Export the scan again.",
                        )  # fmt: skip
    except UnicodeDecodeError as error:
        raise BadInput(
            f"it is no text ({error})", file=file, expected=_TABLE, remedy="Export it as CSV."
        ) from error
    if not rows:
        raise BadInput("it holds no trace", file=file, expected=_TABLE, remedy="Export it again.")
    return _plain(file, np.stack(rows), said, "CSV")


def _row(file: Path, number: int, text: str) -> NDArray[np.float32]:
    separator = next((mark for mark in (",", ";", "\t") if mark in text), None)
    cells = text.split(separator)
    with np.errstate(over="ignore"):  # what is too large becomes inf
        try:
            return np.array(cells, dtype=np.float64).astype(np.float32)
        except ValueError:
            values = np.empty(len(cells), np.float32)
            for column, cell in enumerate(cells, start=1):
                try:
                    values[column - 1] = float(cell) if cell.strip() else np.nan
                except ValueError as error:
                    raise BadInput(
                        f"{cell.strip()!r} is not a number", file=file, row=number,
                        column=str(column), expected=_TABLE,
                        remedy="Leave only numbers, and lines that begin with #.",
                    ) from error  # fmt: skip
            return values


def _said(file: Path, name: str, value: Any) -> float:
    """Read a property that a file states of itself."""
    low, high = NAMES[name]
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not low <= number <= high:
        raise BadInput(
            f"{name} is {value}", file=file, expected=f"{name} of {low:g} to {high:g}, in SI units",
            remedy="Correct it.",
        )  # fmt: skip
    return number


def _plain(file: Path, traces: NDArray[Any], said: Mapping[str, float], kind: str) -> Profile:
    """Make a profile of a table or an array, with what it says of itself."""
    count, samples = traces.shape
    notes = []
    if samples < LEAST_SAMPLES or (not said and _exchanged(traces)):
        raise BadInput(
            f"it holds {count} traces of {samples} samples: rows and columns may be exchanged",
            file=file, expected="a row a trace", remedy="Transpose it.",
        )  # fmt: skip
    if "dt" not in said:
        dt = time_step(samples)
        notes.append(
            f"Its time step isn't stated: a sample every {1e12 * dt:.0f} ps is taken, "
            f"{1e9 * dt * samples:.1f} ns in all."
        )
    return Profile(
        _single(traces),
        said.get("dt", time_step(samples)),
        _every(said.get("spacing"), count),
        frequency=said.get("frequency"),
        permittivity=said.get("permittivity"),
        offset=said.get("offset"),
        kind=kind,
        notes=notes,
    )


def _exchanged(traces: NDArray[Any]) -> bool:
    values = np.nan_to_num(traces.astype(np.float64), posinf=0, neginf=0)
    power = np.square(values).sum()
    if power == 0:
        return False
    rows, columns = (
        np.square(values.mean(axis=axis)).sum() * values.shape[axis] / power for axis in (0, 1)
    )
    return bool(columns > BACKGROUND > rows)


def _every(spacing: float | None, count: int) -> NDArray[np.float64] | None:
    return None if spacing is None else np.asarray(spacing * np.arange(count), dtype=np.float64)


def _single(traces: NDArray[Any]) -> NDArray[Any]:
    """Halve doubles, which no radar needs; integers stay."""
    if traces.dtype.kind != "f":
        return np.ascontiguousarray(traces)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(traces, dtype=np.float32)

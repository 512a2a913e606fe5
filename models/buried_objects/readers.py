"""Scans read from files.

List the scans of a folder and read one of them. In the folder, a scan is

- a folder of gprMax outputs, one a trace, in the order of the numbers in their names; or one output
  in which gprMax has merged them. Outputs are HDF5, ``.out`` up to version 3 and ``.h5`` from 4 on,
  with the attributes ``Iterations`` and ``dt`` and the field in ``/rxs/rx1/Ez``;
- a table ``.csv`` without a header, or an array ``.npy``, of traces x samples.

``scenes.csv`` beside them says what lies under each: columns ``name`` (of the scan's folder or
file, without its suffix) and ``radius`` (m), from which the labels follow; and, where known,
``depth``, ``height``, ``offset`` (m), ``frequency`` (Hz), ``material`` and ``filling``.

A folder ``test`` beside them holds more scans in the same way, for the test alone.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import fields
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from models.buried_objects.scans import TIME_STEP, Scene
from models.errors import BadInput

SCENES = "scenes.csv"
TEST = "test"
OUTPUTS = (".out", ".h5")
SUFFIXES = (*OUTPUTS, ".csv", ".npy")
FIELD = "/rxs/rx1/Ez"
SHORTEST_STEP, LONGEST_STEP = 1e-14, 1e-9
"""Seconds: of cells from some micrometres to a third of a metre."""

_OUTPUT = f"a gprMax output: HDF5 with the attributes Iterations and dt, and {FIELD}"
_REMEDY = "Copy or make the scan again, or take it out of the folder."


def find_scans(folder: Path) -> list[tuple[str, Path]]:
    """Name the scans of a folder and where each lies, in the order of their names.

    Raises
    ------
    BadInput
        There is no such folder, it holds no scan, or two of one name.
    """
    scans: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=natural_order) if folder.is_dir() else []:
        if path.is_dir():
            is_scan = path.name != TEST and any(one.suffix in OUTPUTS for one in path.iterdir())
        else:
            is_scan = path.suffix in SUFFIXES and path.name != SCENES
        if not is_scan:
            continue
        name = path.name if path.is_dir() else path.stem
        if name in scans:
            raise BadInput(
                f"{scans[name].name} and {path.name} are both called {name!r}",
                file=folder,
                expected="one scan of a name",
                remedy="Take one of the two away.",
            )
        scans[name] = path
    if not scans:
        raise BadInput(
            "it holds no scan" if folder.is_dir() else "it is not a folder",
            file=folder,
            expected="gprMax outputs (a folder a scan, or merged), .csv or .npy files",
            remedy="Correct `path`.",
        )
    return list(scans.items())


def read_scenes(folder: Path) -> dict[str, Scene]:
    """Read what lies under the scans of a folder, by their names.

    Raises
    ------
    BadInput
        There is no ``scenes.csv``, a column is missing, or a value is not what it should be.
    """
    path = folder / SCENES
    expected = "a table with the columns name and radius (m), a row a scan"
    remedy = "The labels follow from the radius: add it."
    if not path.is_file():
        raise BadInput("it is not there", file=path, expected=expected, remedy=remedy)
    scenes: dict[str, Scene] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.DictReader(file)
        for column in ("name", "radius"):
            if column not in (lines.fieldnames or ()):
                problem = f"column {column!r} is missing"
                raise BadInput(problem, file=path, expected=expected, remedy=remedy)
        for row, line in enumerate(lines, start=1):
            if line["name"] in scenes:
                problem = f"{line['name']!r} comes twice"
                raise BadInput(
                    problem, file=path, row=row, column="name", expected=expected, remedy=remedy
                )
            scenes[line["name"]] = _scene(path, row, line)
    return scenes


def _scene(path: Path, row: int, line: dict[str, str]) -> Scene:
    known: dict[str, float | str] = {}
    for column in (one.name for one in fields(Scene) if one.name != "seed"):
        text = (line.get(column) or "").strip()
        if column in ("material", "filling"):
            known[column] = text
            continue
        if not text and column != "radius":
            continue
        try:
            known[column] = float(text)
        except ValueError:
            known[column] = math.nan
        if not 0 <= float(known[column]) < math.inf or (column == "radius" and not known[column]):
            raise BadInput(
                f"{text!r} is not a {column}",
                file=path,
                row=row,
                column=column,
                expected="a number above 0, in " + ("Hz" if column == "frequency" else "metres"),
                remedy="Correct it.",
            )
    return Scene(**known)  # type: ignore[arg-type]


def read_scan(path: Path, *, step: int = 1) -> NDArray[np.float32]:
    """Read a scan from where `find_scans` found it.

    Parameters
    ----------
    path
        A folder or file.
    step
        Every ``step``-th sample is read. gprMax outputs of other time steps than the study's are
        first interpolated to its; tables and arrays are taken to have them.

    Returns
    -------
    float32 array, shape (traces, samples)

    Raises
    ------
    BadInput
        A file is truncated or damaged, lacks something, or holds what is no finite number, or
        another shape.
    OSError
        The file system failed.
    """
    if path.is_dir():
        outputs = sorted(
            (one for one in path.iterdir() if one.suffix in OUTPUTS), key=natural_order
        )
        traces = [read_trace(one, step=step) for one in outputs]
        if len({len(trace) for trace in traces}) > 1:
            odd = next(k for k, trace in enumerate(traces) if len(trace) != len(traces[0]))
            raise BadInput(
                f"it has {len(traces[odd])} samples, {outputs[0].name} {len(traces[0])}",
                file=outputs[odd],
                expected="traces of one length in a scan",
                remedy=_REMEDY,
            )
        return np.stack(traces)
    if path.suffix in OUTPUTS:
        field, dt = read_field(path)
        if field.ndim != 2:
            raise BadInput(
                "it is a single trace",
                file=path,
                expected="the merged traces of a scan, samples x traces",
                remedy="Put the traces of a scan into a folder of their own, or merge them.",
            )
        _require_traces_by_samples(path, field.T.shape)
        return _finite(path, _on_grid(field.T, dt, step))
    table = _array(path) if path.suffix == ".npy" else _table(path)
    _require_traces_by_samples(path, table.shape)
    return _finite(path, table[:, ::step])


def read_trace(path: Path, *, step: int = 1) -> NDArray[np.float32]:
    """Read one trace from a gprMax output, shape (samples,); errors are those of `read_scan`."""
    field, dt = read_field(path)
    if field.ndim != 1:
        raise BadInput(
            f"it holds {field.shape[1]} traces",
            file=path,
            expected="one trace a file in a scan's folder",
            remedy="Put merged scans beside the folders, not into them.",
        )
    return np.asarray(_finite(path, _on_grid(field[None], dt, step))[0])


def read_field(path: Path) -> tuple[NDArray[np.float64], float]:
    """Read the field of a gprMax output, (samples,) or (samples, traces), and its time step, s.

    Raises
    ------
    BadInput
        It is truncated or damaged, or lacks something.
    """
    try:
        with h5py.File(path, "r") as file:
            iterations = int(file.attrs.get("Iterations", 0))
            dt = float(file.attrs.get("dt", 0))
            field = np.asarray(file[FIELD][()] if FIELD in file else [], dtype=np.float64)
            others = ", ".join(file["/rxs/rx1"]) if "/rxs/rx1" in file else ""
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        problem = f"it can't be read ({error})"
        raise BadInput(problem, file=path, expected=_OUTPUT, remedy=_REMEDY) from error
    problem = ""
    if not iterations or not dt:
        problem = "it lacks Iterations or dt"
    elif not SHORTEST_STEP < dt < LONGEST_STEP:
        problem = f"its time step is {dt:g} s"
    elif field.size == 0:
        problem = f"it has no {FIELD}" + (f", only {others}" if others else "")
    elif field.ndim not in (1, 2) or len(field) != iterations:
        problem = f"{FIELD} has shape {field.shape} for {iterations} iterations"
    if problem:
        raise BadInput(problem, file=path, expected=_OUTPUT, remedy=_REMEDY)
    return field, dt


def _on_grid(field: NDArray[np.float64], dt: float, step: int) -> NDArray[np.float64]:
    """Take every ``step``-th of the study's samples; shape (traces, samples)."""
    if abs(dt / TIME_STEP - 1) < 1e-3:
        return field[:, ::step]
    given = np.arange(field.shape[1]) * (dt / (step * TIME_STEP))
    wanted = np.arange(math.floor(given[-1] + 1e-6) + 1)
    return np.array([np.interp(wanted, given, trace) for trace in field])


def _array(path: Path) -> NDArray[np.generic]:
    try:
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise
    except (ValueError, EOFError, OSError) as error:
        problem = f"it can't be read ({error})"
        raise BadInput(problem, file=path, expected=_TABLE, remedy=_REMEDY) from error
    if table.ndim != 2 or table.dtype.kind not in "fiu":
        problem = f"it is {table.dtype} of shape {table.shape}"
        raise BadInput(problem, file=path, expected=_TABLE, remedy=_REMEDY)
    return np.asarray(table)


def _table(path: Path) -> NDArray[np.generic]:
    import pandas as pd

    try:
        table = pd.read_csv(path, header=None, dtype=np.float64)
    except FileNotFoundError:
        raise
    except (ValueError, UnicodeDecodeError) as error:  # pandas' own errors are ValueErrors
        problem = f"it can't be read ({str(error).strip()})"
        raise BadInput(problem, file=path, expected=_TABLE, remedy=_REMEDY) from error
    return table.to_numpy()


_TABLE = "numbers, traces x samples, without a header"


def _require_traces_by_samples(path: Path, shape: tuple[int, ...]) -> None:
    traces, samples = shape
    if traces < 2 or samples <= traces:
        problem = f"it holds {traces} traces of {samples} samples"
        if samples > 1:
            problem += ": rows and columns may be exchanged"
        raise BadInput(problem, file=path, expected=_TABLE, remedy=_REMEDY)


def _finite(path: Path, scan: NDArray[np.generic]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what is too large becomes inf
        result = np.array(scan, dtype=np.float32)
    broken = np.flatnonzero(~np.isfinite(result).all(axis=-1))
    if broken.size:
        problem = f"trace {broken[0] + 1} holds an empty value, NaN or inf"
        raise BadInput(problem, file=path, expected="finite numbers", remedy=_REMEDY)
    return result


def natural_order(path: Path) -> tuple[list[tuple[int, int | str]], str]:
    """Order trace10 behind trace9; a key for sorting."""
    parts = re.findall(r"\d+|\D+", path.stem)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts], path.suffix

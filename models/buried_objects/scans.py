"""The layout of a radar scan, the scene below it, and the labels of its traces.

`models.buried_objects.simulation` and `models.buried_objects.gprmax` simulate scans,
`models.buried_objects.readers` reads them and `models.buried_objects.streaming` streams them.

A scan is a B-scan: traces (A-scans) of the vertical electric field at the receiver, V/m for a
current of 1 A, float32 (traces, samples). The transmitter of trace i is `FIRST` + `SPACING` i
metres along a line, the receiver ``offset`` beyond it, and a cylinder's axis crosses below
`CENTRE`. In the store every row is a trace, and a scan is a run of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Block, Blocks

if TYPE_CHECKING:
    import pandas as pd

TRACES = 144
FIRST, SPACING, CENTRE = 0.04, 0.02, 1.5  # m
WIDTH, AIR, GROUND = 3.0, 0.25, 3.0  # m: the line's length, air above and ground below it
OFFSET = 0.04  # m from the transmitter to the receiver
SPEED = 299_792_458.0  # m/s
CELLS = (0.002, 0.004)  # m, along the line and down, of the study's finite differences
TIME_WINDOW = 60e-9  # s

TIME_STEP = 1 / (SPEED * (CELLS[0] ** -2 + CELLS[1] ** -2) ** 0.5)
"""Seconds between two samples, 5.97 ps: the longest stable step for those cells (Courant limit)."""

SAMPLES = 10_057
"""Samples of a trace: 60 ns."""

PERMITTIVITY = 6.0
"""Of the ground, relative."""

CONDUCTIVITY = 0.002
"""Of the ground, S/m: dry sand to loam (Daniels 2004, Ground Penetrating Radar, 2nd ed., table
4.1); the study doesn't say."""

Integers = NDArray[np.integer[Any]]
"""Scan numbers or labels of traces, shape (n,)."""

FILLINGS = {"metal": ("solid",), "PVC": ("air", "water")}
"""What a cylinder is made of and filled with."""

WALL = 0.15
"""Thickness of a PVC cylinder's wall, of its radius."""

ROUGHNESS, CORRELATION, HIGHEST = 0.003, 0.1, 0.008
"""Of the ground's surface: standard deviation, length of correlation and greatest height, m."""


@dataclass(frozen=True)
class Scene:
    """The scene below a scan.

    Parameters
    ----------
    radius, depth, height, offset
        Of the cylinder; from the mean surface down to its axis; of the antennas above the mean
        surface; from transmitter to receiver. Metres, NaN where unknown.
    material, filling
        Among `FILLINGS`; empty where unknown.
    frequency
        Centre of the Ricker wavelet, Hz.
    seed
        Of the surface, the stones and the noise.
    """

    radius: float
    depth: float = float("nan")
    height: float = float("nan")
    material: str = ""
    filling: str = ""
    frequency: float = float("nan")
    offset: float = OFFSET
    seed: int = 0


def positions(traces: int = TRACES) -> NDArray[np.float64]:
    """Where the transmitter stands, metres along the line; shape (traces,)."""
    return np.asarray(FIRST + SPACING * np.arange(traces), dtype=np.float64)


def labels_of(traces: int, radius: float) -> NDArray[np.int8]:
    """Label each trace: 1 where its position lies within ``radius`` of `CENTRE`, else 0.

    Both edges count as within, whatever the rounding of the positions.
    """
    return (np.abs(positions(traces) - CENTRE) <= radius + 1e-9).astype(np.int8)


def surface(seed: int) -> NDArray[np.float64]:
    """Heights of the rough ground above its mean, metres, every `SPACING` from 0 to `WIDTH`.

    A Gaussian process with a Gaussian correlation, clipped at `HIGHEST`, which is less than the
    antennas' least height.

    Returns
    -------
    float64 array, shape (151,)
    """
    points = round(WIDTH / SPACING) + 1
    lags = np.arange(-25, 26) * SPACING
    kernel = np.exp(-2 * (lags / CORRELATION) ** 2)  # the correlation, convolved from two of these
    white = np.random.default_rng([seed, 1]).standard_normal(points + len(lags) - 1)
    heights = np.convolve(white, kernel / np.linalg.norm(kernel), mode="valid")
    return np.asarray(np.clip(ROUGHNESS * heights, -HIGHEST, HIGHEST))


def label_blocks(scenes: pd.DataFrame) -> Blocks:
    """Stream the labels of stored scans, one block a scan.

    Parameters
    ----------
    scenes
        ``scan``, ``traces``, ``radius`` and ``test`` of every scan; skipped ones have 0 traces.

    Returns
    -------
    Blocks of ``label`` int8, ``scan`` int32, ``trace`` int16 and ``test`` bool, the rows of the
    stored traces.
    """

    def block(scan: int, traces: int, radius: float, test: bool) -> Block:
        return {
            "label": labels_of(traces, radius),
            "scan": np.full(traces, scan, np.int32),
            "trace": np.arange(traces, dtype=np.int16),
            "test": np.full(traces, test),
        }

    rows = zip(*(scenes[name] for name in ("scan", "traces", "radius", "test")), strict=True)
    return Blocks(block(scan, traces, *others) for scan, traces, *others in rows if traces)


def runs(scan: Integers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row and length of each scan, from the scan number of every row."""
    starts = np.flatnonzero(np.diff(scan, prepend=-1))
    return starts, np.diff(starts, append=len(scan))


def table_of(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the scenes as a table, one row a scan, with the same types however many there are."""
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return table.astype(COLUMNS)


COLUMNS = {
    "scan": "int32", "name": "str", "test": "bool", "traces": "int32", "radius": "float64",
    "depth": "float64", "height": "float64", "material": "str", "filling": "str",
    "frequency": "float64", "offset": "float64", "seed": "int64", "status": "str",
}  # fmt: skip
"""Columns of the table of scenes; ``status`` is ``read``, or ``skipped: `` and why."""

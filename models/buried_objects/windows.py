"""Windows of neighbouring traces, the inputs of the models: choose them, read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays
from models.buried_objects.scans import Integers, runs
from models.sampling import Rows

TRACES = 100
"""Traces of a window."""

PER_SCAN = 10
"""Random windows of a scan."""


def windows_of(
    scan: int, length: int, seed: int, per_scan: int = PER_SCAN, traces: int = TRACES
) -> NDArray[np.bool_]:
    """Choose random windows of a scan, the same whatever other scans there are.

    Parameters
    ----------
    scan, length
        Its number and its traces.
    seed
        Seed of the choice.
    per_scan
        Windows, at least 1. They overlap, and may be equal.
    traces
        Traces of a window; a shorter scan is taken whole.

    Returns
    -------
    bool array, shape (length, per_scan)
        Whether each trace lies in each window.
    """
    generator = np.random.default_rng([seed, scan])
    start = generator.integers(0, max(length - traces, 0) + 1, per_scan)
    trace = np.arange(length)[:, None]
    return np.asarray((trace >= start) & (trace < start + traces))


class Places(NamedTuple):
    """Where windows lie, in the order of the scans.

    Attributes
    ----------
    start, length
        First row and number of rows, int64, shape (windows,).
    part
        The part of their scans, shape (windows,).
    """

    start: Rows
    length: Rows
    part: Integers


def places_of(examples: Arrays) -> Places:
    """Return where the windows of a split lie.

    Parameters
    ----------
    examples
        ``windows`` (n, per_scan), ``scan`` and ``part`` (n,) of its traces.
    """
    inside, part = np.asarray(examples["windows"]), np.asarray(examples["part"])
    first = runs(np.asarray(examples["scan"]))[0]
    row = np.where(inside, np.arange(len(inside))[:, None], len(inside))
    start = np.minimum.reduceat(row, first, axis=0)
    length = np.add.reduceat(inside, first, axis=0, dtype=np.int64)
    return Places(start.ravel(), length.ravel(), np.repeat(part[first], inside.shape[1]))


def read_windows(
    rows: ArrayLike, start: AnyArray, length: AnyArray, traces: int = TRACES
) -> NDArray[np.generic]:
    """Read windows of rows, one read per window.

    Parameters
    ----------
    rows
        Shape (n, ...), stored or in memory.
    start, length
        First row and number of rows of each window, shape (windows,).
    traces
        Rows of a window as returned.

    Returns
    -------
    array of shape (windows, traces, ...), of the type of ``rows``
        Short windows are padded with 0.
    """
    starts, lengths = np.asarray(start), np.asarray(length)
    result = np.zeros((len(starts), traces, *rows.shape[1:]), rows.dtype)
    for window, (one, many) in enumerate(zip(starts, lengths, strict=True)):
        result[window, :many] = rows[one : one + many]
    return result

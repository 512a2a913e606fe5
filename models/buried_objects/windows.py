"""Windows of neighbouring traces, the inputs of the models: choose them, read them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays
from models.buried_objects.scans import runs

TRACES = 100
"""Traces of a window."""

PER_SCAN = 10
"""Random windows of a scan."""


def windows_of(
    labels: Arrays, splits: Arrays, seed: int, per_scan: int = PER_SCAN, traces: int = TRACES
) -> dict[str, NDArray[np.generic]]:
    """Choose random windows of every scan, the same whatever other scans there are.

    Parameters
    ----------
    labels
        ``scan``, shape (n,).
    splits
        ``split`` and ``part``, shape (n,).
    seed
        Seed of the choice.
    per_scan
        Windows of a scan, at least 1. They overlap, and may be equal.
    traces
        Traces of a window; a shorter scan is taken whole.

    Returns
    -------
    dict, a row a window, in the order of the scans
        ``start`` int64, its first row; ``length`` int16, its traces; ``scan`` int32; ``split`` and
        ``batch`` int8, its scan's split and part.
    """
    scan = np.asarray(labels["scan"])
    first, lengths = runs(scan)
    starts = [
        row + np.random.default_rng([seed, int(scan[row])]).integers(
            0, max(length - traces, 0) + 1, per_scan
        )
        for row, length in zip(first, lengths, strict=True)
    ]  # fmt: skip
    start = np.concatenate(starts).astype(np.int64)
    return {
        "start": start,
        "length": np.repeat(np.minimum(lengths, traces), per_scan).astype(np.int16),
        "scan": scan[start].astype(np.int32),
        "split": np.asarray(splits["split"])[start],
        "batch": np.asarray(splits["part"])[start],
    }


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

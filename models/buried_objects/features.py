"""What a model may see of a trace in place of its 10,057 samples: 128 numbers.

Here belong the field's first steps (Daniels 2004, Ground Penetrating Radar, 2nd ed., chapter 7):
the mean trace of a scan is taken off, which takes the direct wave and the flat surface with it;
a gain that grows with time makes up for spreading and absorption; and the result is projected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays, Block, Blocks
from models.buried_objects.scans import runs
from models.sampling import TRAIN

FEATURES = 128

SMOOTHING = 1 / 30
"""Of the window: the stretch over which the power is averaged for the gain, 2 ns."""

LARGEST_GAIN = 1e6
"""Times the gain where the power is greatest: silence is not blown up."""


def without_background(scan: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the mean trace off a scan, (traces, samples)."""
    return np.asarray(scan - scan.mean(axis=0, dtype=np.float64), dtype=np.float32)


def scaling_of(ez: ArrayLike, labels: Arrays, splits: Arrays) -> dict[str, Any]:
    """Measure the training scans, one at a time.

    Parameters
    ----------
    ez
        Traces, shape (n, samples).
    labels
        ``scan``, shape (n,).
    splits
        ``split``, shape (n,).

    Returns
    -------
    dict
        ``traces`` counted; ``mean`` and ``deviation`` of the field, V/m; and ``gain``, one number
        a sample: 1 over the root of the mean power without background, smoothed over 2 ns.
    """
    split = np.asarray(splits["split"])
    total, squares, traces = 0.0, 0.0, 0
    power = np.zeros(ez.shape[1])
    for rows in _scans(labels):
        if split[rows.start] != TRAIN:
            continue
        scan = np.asarray(ez[rows])
        total += float(scan.sum(dtype=np.float64))
        squares += float(np.square(scan, dtype=np.float64).sum())
        power += np.square(without_background(scan), dtype=np.float64).sum(axis=0)
        traces += len(scan)
    values = traces * ez.shape[1]
    mean = total / values
    return {
        "traces": traces,
        "mean": mean,
        "deviation": float(np.sqrt(max(squares / values - mean**2, 0.0))),
        "gain": _gain(power / traces).tolist(),
    }


def _gain(power: NDArray[np.float64]) -> NDArray[np.float64]:
    half = max(1, round(SMOOTHING * len(power) / 2))
    padded = np.pad(power, half, mode="edge")
    smooth = np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
    least = smooth.max() / LARGEST_GAIN**2
    return np.asarray(1 / np.sqrt(np.maximum(smooth, least if least > 0 else 1.0)))


def projected_of(ez: ArrayLike, labels: Arrays, scaling: Mapping[str, Any]) -> Blocks:
    """Project every trace, a scan at a time.

    Parameters
    ----------
    ez, labels
        As for `scaling_of`.
    scaling
        What `scaling_of` returned.

    Returns
    -------
    Blocks of ``values``, float32 (traces, 128), one block a scan.
    """
    gain = np.asarray(scaling["gain"], dtype=np.float32)

    def block(rows: slice) -> Block:
        return {"values": project(without_background(np.asarray(ez[rows])) * gain)}

    return Blocks(block(rows) for rows in _scans(labels))


def project(scan: NDArray[np.float32], features: int = FEATURES) -> NDArray[np.float32]:
    """Take the logarithm of the mean power in equal stretches of time, about half a nanosecond.

    The power of an echo is where its wavelet is, whatever its phase, and half a nanosecond is less
    than a period of the shortest. Silence is 0: the feature is ln(1 + power).

    Parameters
    ----------
    scan
        Shape (traces, samples), with gain, at least ``features`` samples.
    features
        Stretches.

    Returns
    -------
    float32 array, shape (traces, features)
    """
    edges = np.linspace(0, scan.shape[1], features + 1).astype(np.int64)
    power = np.add.reduceat(scan * scan, edges[:-1], axis=1) / np.diff(edges)
    return np.log1p(power).astype(np.float32)


def _scans(labels: Arrays) -> Iterator[slice]:
    starts, lengths = runs(np.asarray(labels["scan"]))
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        yield slice(start, start + length)

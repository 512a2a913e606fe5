"""Features of a trace: 128 numbers in place of its 10,057 samples.

The field's first steps (Daniels 2004, Ground Penetrating Radar, 2nd ed., chapter 7): subtract the
mean trace of a scan, and with it the direct wave and the flat surface; apply a gain that grows with
time, against spreading and absorption; project the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.arrays import Arrays, Block, Blocks
from models.buried_objects.scans import runs
from models.buried_objects.splits import KNOWN
from models.scaling import Scaling, fit_scaling
from models.types import JsonDict

FEATURES = 128

SMOOTHING = 1 / 30
"""Of the window: the stretch over which the power is averaged for the gain, 2 ns."""

LARGEST_GAIN = 1e6
"""Times the gain at the greatest power, so that silence is not amplified without limit."""


def without_background(scan: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract the mean trace of a scan, (traces, samples)."""
    return np.asarray(scan - scan.mean(axis=0, dtype=np.float64), dtype=np.float32)


@dataclass(frozen=True)
class FieldScaling:
    """Statistics of the training scans.

    Attributes
    ----------
    scaling
        Mean and standard deviation of the field, V/m, one feature.
    traces
        Number of training traces.
    gain
        float64, shape (samples,): 1 over the root of the mean power without background, smoothed
        over 2 ns.
    """

    scaling: Scaling
    traces: int
    gain: NDArray[np.float64]

    def to_dict(self) -> JsonDict:
        """Return ``traces``, ``mean``, ``std`` and ``gain``, for JSON."""
        mean, std = float(self.scaling.mean[0]), float(self.scaling.std[0])
        return {"traces": self.traces, "mean": mean, "std": std, "gain": self.gain.tolist()}


def scaling_of(training: Arrays) -> FieldScaling:
    """Compute the statistics of the training scans, one at a time.

    Parameters
    ----------
    training
        ``ez``, shape (n, samples), V/m, and ``scan``, shape (n,).
    """
    ez = training["ez"]
    power = np.zeros(ez.shape[1])

    def values() -> Iterator[NDArray[np.float32]]:
        for rows in scans_of(training):
            scan = np.asarray(ez[rows])
            power[:] += np.square(without_background(scan), dtype=np.float64).sum(axis=0)
            yield scan.reshape(-1, 1)

    scaling = fit_scaling(values())
    return FieldScaling(scaling, len(ez), _gain(power / len(ez)))


def _gain(power: NDArray[np.float64]) -> NDArray[np.float64]:
    half = max(1, round(SMOOTHING * len(power) / 2))
    padded = np.pad(power, half, mode="edge")
    smooth = np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
    least = smooth.max() / LARGEST_GAIN**2
    return np.asarray(1 / np.sqrt(np.maximum(smooth, least if least > 0 else 1.0)))


def projected_of(examples: Arrays, gain: AnyArray) -> Blocks:
    """Project every trace, a scan at a time.

    Parameters
    ----------
    examples
        As for `scaling_of`, and what else is `KNOWN` of each trace.
    gain : array-like of shape (samples,)
        Of the training scans.

    Returns
    -------
    Blocks of ``values``, float32 (traces, 128), and what is known; one block a scan.
    """
    factors = np.asarray(gain, dtype=np.float32)

    def block(rows: slice) -> Block:
        scan = np.asarray(examples["ez"][rows])
        known = {name: np.asarray(examples[name][rows]) for name in KNOWN}
        return {"values": project(without_background(scan) * factors), **known}

    return Blocks(block(rows) for rows in scans_of(examples))


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


def scans_of(examples: Arrays) -> Iterator[slice]:
    """Yield the rows of each scan; ``examples`` holds ``scan``, shape (n,)."""
    starts, lengths = runs(np.asarray(examples["scan"]))
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        yield slice(start, start + length)

"""Standardise features by the mean and standard deviation of the training rows.

scikit-learn's ``StandardScaler.partial_fit`` does the same where every block has a value of every
feature; a block without one turns its statistics into NaN (seen in 1.7), and gaps are common here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.types import JsonDict


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each feature over the training rows.

    Attributes
    ----------
    mean, std
        float64, shape (features,), in the features' units; the std of a constant feature is 1.
    samples
        Values that each is computed from, int64, shape (features,).
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    samples: NDArray[np.int64]

    def to_dict(self) -> JsonDict:
        """Return the fields as lists, for JSON."""
        return {name: array.tolist() for name, array in vars(self).items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, AnyArray]) -> Scaling:
        """Read what `to_dict` returned."""
        return cls(
            np.asarray(stored["mean"], np.float64),
            np.asarray(stored["std"], np.float64),
            np.asarray(stored["samples"], np.int64),
        )

    def standardise(self, values: AnyArray) -> NDArray[np.float32]:
        """Subtract the mean and divide by the standard deviation; NaN stays NaN.

        Parameters
        ----------
        values : array-like of shape (..., features)
        """
        scaled = (np.asarray(values, dtype=np.float64) - self.mean) / self.std
        return np.asarray(scaled, dtype=np.float32)


def fit_scaling(blocks: Iterable[AnyArray], names: Sequence[str] | None = None) -> Scaling:
    """Compute mean and standard deviation in one pass; missing values (NaN) don't count.

    Blocks are merged by the pairwise update of Chan, Golub and LeVeque (1983, The American
    Statistician 37, 242) in float64, which does not cancel where means are large.

    Parameters
    ----------
    blocks : iterable of array-like of shape (n, features)
        The training rows alone.
    names
        Names of the features, for errors.

    Raises
    ------
    ValueError
        If there are no rows, or a feature has no value at all.

    Examples
    --------
    >>> fit_scaling([[[1.0], [3.0]], [[float("nan")], [5.0]]]).mean
    array([3.])
    """
    count: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    mean = squares = np.zeros(0)
    for block in blocks:
        values = np.asarray(block, dtype=np.float64)
        if count.size == 0:
            count = np.zeros(values.shape[1], dtype=np.int64)
            mean, squares = np.zeros(values.shape[1]), np.zeros(values.shape[1])
        known = ~np.isnan(values)
        added = known.sum(axis=0)
        total = np.maximum(count + added, 1)
        centre = np.where(known, values, 0.0).sum(axis=0) / np.maximum(added, 1)
        shift = np.where(added > 0, centre - mean, 0.0)
        spread = np.where(known, values - centre, 0.0)
        squares += (spread**2).sum(axis=0) + shift**2 * count * added / total
        mean += shift * added / total
        count += added
    if not count.any():
        raise ValueError("the training split has no values: there is nothing to scale by")
    if not count.all():
        labels = names or [str(number) for number in range(count.size)]
        empty = [name for name, values in zip(labels, count, strict=True) if values == 0]
        raise ValueError(
            f"the training rows have no value of {', '.join(empty)}: without one there is nothing "
            "to scale by; check the file, or take a larger sample"
        )
    std = np.sqrt(squares / count)
    # Rounding leaves a constant feature with a std near, not at, zero.
    constant = std <= 1e-12 * np.abs(mean)
    return Scaling(mean, np.where(constant, 1.0, std), count)

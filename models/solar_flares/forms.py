"""The forms in which networks take records, and the scaling before them.

Here belong the statistics of the training records, the published single steps and windows, and the
60-step sequences that are the system's own main form.
Records come as `models.solar_flares.records` describes them; scores are for `models.metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Block
from models.solar_flares.records import PARAMETERS

LOOKBACK, STEP, DELAY = 600, 6, 300
"""Published windows, in rows: how far back, one row in how many, how far ahead."""

LOGARITHMIC = (
    *("TOTUSJH", "TOTBSQ", "TOTPOT", "TOTUSJZ", "ABSNJZH"),
    *("SAVNCPP", "USFLUX", "MEANPOT", "XR_MAX"),
)
"""Sums and energies that are never negative and run over decades (Bobra and Couvidat 2015,
Astrophysical Journal 798, 135, table 1; R_VALUE is a logarithm as recorded)."""
_LOGARITHMIC = np.array([PARAMETERS.index(name) for name in LOGARITHMIC])

FLOOR = 1e-4
"""Least ratio to the training mean: what a quiet region has of a great one's energy."""


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each parameter over the training records.

    Attributes
    ----------
    mean, deviation
        float64, shape (25,), in the parameters' units; the deviation of a parameter that doesn't
        vary is 1.
    samples
        Values that each is taken over, int64, shape (25,).
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    samples: NDArray[np.int64]


def fit_scaling(blocks: Iterable[Block]) -> Scaling:
    """Take the statistics of the training records, block by block; missing samples don't count.

    Blocks are merged by the pairwise update of Chan, Golub and LeVeque (1983, The American
    Statistician 37, 242), in float64: squares of TOTPOT don't fit float32.

    Parameters
    ----------
    blocks
        Training records only, with ``values`` of shape (n, 60, 25).

    Raises
    ------
    ValueError
        A parameter has no value at all.
    """
    count = np.zeros(len(PARAMETERS), dtype=np.int64)
    mean = np.zeros(len(PARAMETERS))
    squares = np.zeros(len(PARAMETERS))
    for block in blocks:
        values = np.asarray(block["values"], dtype=np.float64).reshape(-1, len(PARAMETERS))
        known = ~np.isnan(values)
        more = known.sum(axis=0)
        total = np.maximum(count + more, 1)
        centre = np.where(known, values, 0.0).sum(axis=0) / np.maximum(more, 1)
        apart = np.where(more > 0, centre - mean, 0.0)
        spread = np.where(known, values - centre, 0.0)
        squares += (spread**2).sum(axis=0) + apart**2 * count * more / total
        mean += apart * more / total
        count += more
    if not count.all():
        empty = [name for name, one in zip(PARAMETERS, count, strict=True) if one == 0]
        raise ValueError(
            f"the training records have no value of {', '.join(empty)}: without one there is "
            "nothing to scale by; check the file, or take a larger sample"
        )
    deviation = np.sqrt(squares / count)
    # Rounding leaves a constant parameter with a deviation near, not at, zero.
    constant = deviation <= 1e-12 * np.abs(mean)
    return Scaling(mean, np.where(constant, 1.0, deviation), count)


def standardise(values: NDArray[Any], scaling: Scaling) -> NDArray[np.float32]:
    """Subtract the training mean and divide by the training deviation; NaN stays NaN.

    Parameters
    ----------
    values
        Shape (..., 25).
    """
    scaled = (np.asarray(values, dtype=np.float64) - scaling.mean) / scaling.deviation
    return np.asarray(scaled, dtype=np.float32)


def compress(values: NDArray[Any], scaling: Scaling) -> NDArray[np.float32]:
    """Standardise, but take the `LOGARITHMIC` parameters as logarithms of their training means.

    They run over decades, so that standardised as they are a few great regions hold nearly all of
    the spread. Taken as log10 of the ratio to the training mean, and no less than `FLOOR` of it,
    a value of zero or below included; NaN stays NaN.

    Parameters
    ----------
    values
        Shape (..., 25), as recorded.
    """
    compressed = standardise(values, scaling)
    ratio = np.asarray(values, dtype=np.float64)[..., _LOGARITHMIC] / scaling.mean[_LOGARITHMIC]
    compressed[..., _LOGARITHMIC] = np.log10(np.maximum(ratio, FLOOR))
    return compressed


def single_steps(block: Block) -> dict[str, NDArray[Any]]:
    """Take records apart into time steps, without those that lack a value, as published.

    Parameters
    ----------
    block
        ``values`` of shape (n, 60, 25), standardised, and per record whatever else.

    Returns
    -------
    ``values`` float32, shape (m, 1, 25), in the order of records and samples, and for each step
    the record's label, id, region and whatever else the block has, shape (m,).
    """
    values = np.asarray(block["values"], dtype=np.float32)
    record, sample = np.nonzero(~np.isnan(values).any(axis=2))
    rest = {name: array[record] for name, array in block.items() if name != "values"}
    return {"values": values[record, sample][:, np.newaxis], **rest}


def sequences(block: Block) -> dict[str, NDArray[Any]]:
    """Fill the gaps of records, so that each is one sequence of 60 steps.

    A missing sample takes the value before it, a missing start the first value after it, and a
    parameter that a record lacks altogether 0, which is the training mean once standardised. No
    value comes from another record.

    Parameters
    ----------
    block
        ``values`` of shape (n, 60, 25), standardised, and per record whatever else.

    Returns
    -------
    The same names; ``values`` float32, shape (n, 60, 25), without NaN.
    """
    values = np.asarray(block["values"], dtype=np.float32)
    steps = np.arange(values.shape[1])[:, np.newaxis]
    known = ~np.isnan(values)
    before = np.maximum.accumulate(np.where(known, steps, -1), axis=1)
    first = known.argmax(axis=1, keepdims=True)
    filled = np.take_along_axis(values, np.where(before < 0, first, before), axis=1)
    return {**block, "values": np.nan_to_num(filled, nan=0.0)}


class PublishedWindows:
    """The study's windows over consecutive time steps, cut when they are read.

    A window is every 6th of 600 rows; its target is the label of the row 300 after its end. Two
    leaks come with that, and are kept because the published figures have them:

    - windows run on across records, so that a window mixes regions, and its target may belong to
      another record than its rows;
    - each row carries its label as a 26th input. With 60 rows a record and records of a region
      (or a class) in a row, the labels of the rows tell much about the label to be predicted.

    Parameters
    ----------
    steps
        Time steps of one fold, shape (m, 1, 25), as `single_steps` makes them.
    labels
        Label of each, shape (m,).

    Attributes
    ----------
    shape
        (m - 900, 100, 26): window, step (oldest first), 25 parameters and the label.
    targets
        float32, shape (m - 900,).

    Raises
    ------
    ValueError
        There are fewer than 901 rows.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, steps: ArrayLike, labels: ArrayLike) -> None:
        count = len(steps) - LOOKBACK - DELAY
        if count < 1:
            raise ValueError(
                f"windows need more than {LOOKBACK + DELAY} time steps, but there are "
                f"{len(steps)}: take a larger sample of the fold"
            )
        self._steps = steps
        self._labels = np.asarray(labels[:], dtype=np.float32)
        self.shape = (count, LOOKBACK // STEP, len(PARAMETERS) + 1)
        self.targets = self._labels[LOOKBACK + DELAY :]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, windows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """Cut the windows asked for; shape (k, 100, 26)."""
        chosen = np.arange(len(self))[windows]
        if chosen.size == 0:
            return np.empty((0, *self.shape[1:]), dtype=np.float32)
        first = int(chosen.min())
        last = int(chosen.max()) + LOOKBACK
        rows = np.concatenate(
            [
                np.asarray(self._steps[first:last], dtype=np.float32)[:, 0],
                self._labels[first:last, np.newaxis],
            ],
            axis=1,
        )
        steps = (chosen - first)[:, np.newaxis] + np.arange(0, LOOKBACK, STEP)
        return np.asarray(rows[steps])

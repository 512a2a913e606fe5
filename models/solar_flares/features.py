"""Features of solar-flare records: sequences, the published single steps and windows, statistics.

`models.solar_flares.records` describes a record.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays, Block, Blocks, iter_blocks, map_blocks
from models.sampling import SPLITS, TRAIN, rows_of
from models.scaling import Scaling, fit_scaling
from models.solar_flares.records import PARAMETERS, SAMPLES
from models.solar_flares.splits import KNOWN

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
"""Least ratio to the training mean: that of a quiet region's energy to a large one's."""

STATISTICS = (
    "mean",  # over the 12 hours
    "std",  # standard deviation over them
    "slope",  # least-squares change over them
    "last",  # mean of the last hour
    "change",  # last hour less first hour
    "least",
    "greatest",
    "roughness",  # standard deviation of the differences from sample to sample
)
"""Statistics of each parameter, in the order of `window_statistics`."""

HOUR = 5  # samples


def scaling_of(records: Arrays, splits: Arrays) -> Scaling:
    """Compute mean and standard deviation of each parameter over the training records."""
    blocks = iter_blocks(records, names=["values"], only=rows_of(splits, TRAIN))
    return fit_scaling(
        (block["values"].reshape(-1, len(PARAMETERS)) for block in blocks), PARAMETERS
    )


def features_of(
    records: Arrays,
    splits: Arrays,
    name: str,
    compute: Callable[[Block, Scaling], Block],
    scaling: Scaling,
) -> Blocks:
    """Compute the features of one split, with what is known of each record.

    Parameters
    ----------
    records, splits
        All rows.
    name
        Of the split.
    compute
        `sequences_of`, `steps_of` or `statistics_of`.
    scaling
        Of the training records.
    """
    only = rows_of(splits, SPLITS.index(name))
    names = ("values", *KNOWN)
    return map_blocks(records, lambda block: compute(block, scaling), names=names, only=only)


def sequences_of(records: Block, scaling: Scaling) -> Block:
    """Standardise records and fill their gaps: ``values``, float32, (n, 60, 25)."""
    return sequences({**records, "values": scaling.standardise(records["values"])})


def steps_of(records: Block, scaling: Scaling) -> Block:
    """Take standardised records apart: ``values``, float32, (m, 1, 25)."""
    return single_steps({**records, "values": scaling.standardise(records["values"])})


def statistics_of(records: Block, scaling: Scaling) -> Block:
    """Summarise compressed records: ``values``, float32, (n, 200), NaN without a sample."""
    compressed = compress(records["values"], scaling)
    return {**records, "values": window_statistics({"values": compressed})}


def compress(values: NDArray[Any], scaling: Scaling) -> NDArray[np.float32]:
    """Standardise, but take the `LOGARITHMIC` parameters as logarithms of their training means.

    They range over decades: standardised as they are, a few large regions hold nearly all of the
    spread. Each becomes log10 of its ratio to the training mean, at least log10 of `FLOOR`, also
    for values of zero or below; NaN stays NaN.

    Parameters
    ----------
    values
        Shape (..., 25), as recorded.
    """
    compressed = scaling.standardise(values)
    ratio = np.asarray(values, dtype=np.float64)[..., _LOGARITHMIC] / scaling.mean[_LOGARITHMIC]
    compressed[..., _LOGARITHMIC] = np.log10(np.maximum(ratio, FLOOR))
    return compressed


def single_steps(block: Block) -> dict[str, NDArray[Any]]:
    """Split records into time steps, without those that miss a value, as published.

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
    """The study's windows over consecutive time steps, made when they are read.

    A window is every 6th of 600 rows; its target is the label of the row 300 after its end. Two
    leaks come with that, and are kept because the published figures have them:

    - windows run on across records, so that a window mixes regions, and its target may belong to
      another record than its rows;
    - each row carries its label as a 26th input. With 60 rows a record and records of a region
      (or a class) in a row, the labels of the rows tell much about the label to be predicted.

    Parameters
    ----------
    steps
        Time steps of one split, shape (m, 1, 25), as `single_steps` makes them.
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
        """Return the chosen windows, shape (k, 100, 26)."""
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


def window_statistics(block: Block) -> NDArray[np.float32]:
    """Summarise records.

    Parameters
    ----------
    block
        ``values`` of shape (n, 60, 25), scaled (TOTPOT squared doesn't fit float32), missing
        samples as NaN.

    Returns
    -------
    float32, shape (n, 200): `STATISTICS` of the first parameter, then of the second, and so on.
    Missing samples are left out; a statistic without samples is NaN.
    """
    values = np.asarray(block["values"], dtype=np.float32)
    time = np.linspace(-0.5, 0.5, SAMPLES, dtype=np.float32)[:, None]
    known = ~np.isnan(values)
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        # NumPy warns of slices without a number; NaN is the answer meant here.
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(values, axis=1)
        middle = np.where(known, time, 0.0).sum(axis=1) / known.sum(axis=1)
        when = np.where(known, time - middle[:, None], 0.0)
        apart = np.where(known, values - mean[:, None], 0.0)
        last = np.nanmean(values[:, -HOUR:], axis=1)
        statistics = [
            mean,
            np.nanstd(values, axis=1),
            (when * apart).sum(axis=1) / (when**2).sum(axis=1),
            last,
            last - np.nanmean(values[:, :HOUR], axis=1),
            np.nanmin(values, axis=1),
            np.nanmax(values, axis=1),
            np.nanstd(np.diff(values, axis=1), axis=1),
        ]
    return np.stack(statistics, axis=2).reshape(len(values), -1).astype(np.float32)


def statistic_names() -> list[str]:
    """Name each column of `window_statistics`, such as ``TOTUSJH mean``."""
    return [f"{parameter} {statistic}" for parameter in PARAMETERS for statistic in STATISTICS]

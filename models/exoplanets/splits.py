"""The exoplanet splits: the published test file, and the training file shared out by host star."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.sampling import SPLITS, TEST, split


def split_curves(curves: Arrays, validation: float, test: float, seed: int) -> NDArray[np.int8]:
    """Give each curve its split.

    Parameters
    ----------
    curves
        ``label``, ``host`` and ``part`` (1 for the published test file), shape (n,).
    validation
        Share of the training file that is for validation.
    test
        Share that is for testing where there is no test file.
    seed
        Seed of the random choices.

    Returns
    -------
    int8 array, shape (n,)
        0 train, 1 validation, 2 test.

    Raises
    ------
    ValueError
        If a split would have no planet, or nothing else; see `models.sampling.split`.
    """
    label, part = np.asarray(curves["label"]), np.asarray(curves["part"])
    host = np.asarray(curves["host"])
    pool = np.flatnonzero(part == 0)
    shares = {"train": 1 - validation, "validation": validation}
    if not np.any(part == 1):
        shares = {name: share * (1 - test) for name, share in shares.items()} | {"test": test}
    groups = None if len(np.unique(host[pool])) == len(pool) else host[pool]
    chosen = split(label[pool], groups, shares, seed)
    result = np.full(len(part), TEST, np.int8)
    for name, rows in chosen.items():
        result[pool[rows]] = SPLITS.index(name)
    if not np.any(label[result == TEST] == 1):
        raise ValueError(
            "split 'test' has no planet: the test file (part 1) needs at least one row of label 2"
        )
    return result

"""The exoplanet splits: the published test file; the training file is split by host star."""

from __future__ import annotations

import numpy as np

from models.arrays import Arrays
from models.sampling import SPLITS, TEST, Split, split


def split_curves(curves: Arrays, validation: float, test: float, seed: int) -> Split:
    """Split the curves.

    Parameters
    ----------
    curves
        ``label``, ``host`` and ``part`` (1 for the published test file), shape (n,).
    validation
        Share of the training file for validation.
    test
        Share for testing where there is no test file.
    seed
        Seed of the random choices.

    Raises
    ------
    ValueError
        If a split would have no planet, or nothing else; see `models.sampling.split`.
    """
    label, part = np.asarray(curves["label"]), np.asarray(curves["part"])
    host = np.asarray(curves["host"])
    pool = np.flatnonzero(part == 0)
    shares = {"train": 1 - validation, "validation": validation}
    test_file = bool(np.any(part == 1))
    if not test_file:
        shares = {name: share * (1 - test) for name, share in shares.items()} | {"test": test}
    groups = None if len(np.unique(host[pool])) == len(pool) else host[pool]
    result = np.full(len(part), TEST, np.int8)
    for name, rows in split(label[pool], groups, shares, seed).items():
        result[pool[rows]] = SPLITS.index(name)
    if not np.any(label[result == TEST] == 1):
        raise ValueError(
            "split 'test' has no planet: the test file (part 1) needs at least one row of label 2"
        )
    kept = "by curve" if groups is None else "host stars kept whole"
    return Split(result, f"{'the published test file' if test_file else 'no test file'}; {kept}")

"""The exoplanet splits: the published test file; the training file is split by host star."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import BLOCK_ROWS, Arrays, Block, Blocks, map_blocks
from models.sampling import SPLITS, TEST, Split, rows_of, split

KNOWN = ("star", "host", "kind", "label", "snr")
"""What is known of each curve beside its light: it stays with its features."""


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
    method = f"{'the published test file' if test_file else 'no test file'}; {kept}"
    return Split(result, method, {"label": label, "host": host})


def features_of(
    curves: Arrays,
    splits: Arrays,
    name: str,
    compute: Callable[[NDArray[np.floating[Any]]], Block],
    rows: int = BLOCK_ROWS,
) -> Blocks:
    """Compute the features of one split, with what is known of each curve.

    Parameters
    ----------
    curves, splits
        All rows.
    name
        Of the split.
    compute
        Returns the features of some curves, from flux of shape (m, 3197).
    rows
        Curves at a time.
    """

    def features(block: Block) -> Block:
        return {**compute(block["flux"]), **{name: block[name] for name in KNOWN}}

    only = rows_of(splits, SPLITS.index(name))
    return map_blocks(curves, features, rows=rows, names=("flux", *KNOWN), only=only)


def inputs_of(examples: Arrays) -> Arrays:
    """Return the features of `features_of` without what is known of each curve."""
    return {name: array for name, array in examples.items() if name not in KNOWN}

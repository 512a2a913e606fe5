"""The solar-flare splits: folds that are disjoint in time, or whole active regions."""

from __future__ import annotations

import numpy as np

from models.arrays import Arrays
from models.sampling import SPLITS, Split, split

KNOWN = ("id", "region", "label")
"""What is known of each record beside its parameters: it stays with its features."""

FOLDS = (1, 2, 3)
"""The folds that the study trains on, validates and tests with."""


def split_records(records: Arrays, validation: float, test: float, seed: int) -> Split:
    """Split the records.

    Folds 1, 2 and 3 are the splits, as in the study, where all are there. Otherwise active regions
    are split, each whole.

    Parameters
    ----------
    records
        ``label``, ``region`` and ``fold``, shape (n,).
    validation, test
        Shares of the records, used only where fold 1, 2 and 3 are not all there.
    seed
        Seed of the random choices.

    Returns
    -------
    Split
        With the columns ``label`` and ``region``.

    Raises
    ------
    ValueError
        If a split would have no flare, or nothing else; see `models.sampling.split`.
    """
    label, fold = np.asarray(records["label"]), np.asarray(records["fold"])
    columns = {"label": label, "region": np.asarray(records["region"])}
    if np.unique(fold).tolist() == list(FOLDS):
        return Split((fold - 1).astype(np.int8), "by fold: train 1, validation 2, test 3", columns)
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    result = np.empty(len(label), np.int8)
    for name, rows in split(label, columns["region"], shares, seed).items():
        result[rows] = SPLITS.index(name)
    method = "by active region: the folds 1, 2 and 3 are not all there"
    return Split(result, method, columns)

"""The buried-object splits: by scan, and the ten parts that the study trains with in turn."""

from __future__ import annotations

import numpy as np

from models.arrays import Arrays
from models.sampling import SPLITS, TRAIN, Split, split

PARTS = 10
"""Parts of the scans: the first is for validation, the model is fitted on each of the others in
turn."""

NO_PART = -1
"""The part of the scans for testing, which the study doesn't have."""


def split_scans(
    labels: Arrays, validation: float, test: float, seed: int, parts: int = PARTS
) -> Split:
    """Split the traces by scan.

    The splits get a like share of positive traces; the training scans form parts at random.

    Parameters
    ----------
    labels
        ``label`` and ``scan``, shape (n,).
    validation, test
        Shares of the scans; 0.1 and nothing in the study.
    seed
        Seed of the random choices.
    parts
        The validation scans, and this many less one of training scans; at least 2.

    Returns
    -------
    Split
        With the column ``part``, int8, shape (n,): 0 validation, 1 and so on the parts trained with
        in turn, `NO_PART` test.

    Raises
    ------
    ValueError
        A split would have no positive or no negative (see `models.sampling.split`), or a part no
        scan.
    """
    scan = np.asarray(labels["scan"])
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    part = np.full(len(scan), NO_PART, np.int8)
    code = np.empty(len(scan), np.int8)
    for name, rows in split(np.asarray(labels["label"]), scan, shares, seed).items():
        code[rows] = SPLITS.index(name)
        if name == "validation":
            part[rows] = 0
    scans = np.unique(scan[code == TRAIN])
    if len(scans) < parts - 1:
        raise ValueError(
            f"{len(scans)} training scans don't make {parts - 1} parts: make or read more scans, "
            "or ask for fewer parts"
        )
    order = np.random.default_rng(seed).permutation(scans)
    for number, chosen in enumerate(np.array_split(order, parts - 1), start=1):
        part[np.isin(scan, chosen)] = number
    return Split(code, "by scan", {"part": part})

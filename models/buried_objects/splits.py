"""The buried-object splits: by scan, and the parts that the study trains with in turn; examples."""

from __future__ import annotations

import numpy as np

from models.arrays import Arrays, Block, Blocks
from models.buried_objects.scans import runs
from models.buried_objects.windows import windows_of
from models.sampling import SPLITS, TEST, TRAIN, Split, split

PARTS = 10
"""Parts of the scans: the first is for validation, the model is fitted on each of the others in
turn."""

NO_PART = -1
"""The part of the scans for testing, which the study doesn't have."""

KNOWN = ("label", "scan", "trace", "part", "windows")
"""What is known of each trace beside its field: it stays with its features."""


def split_scans(
    labels: Arrays, validation: float, test: float, seed: int, parts: int = PARTS
) -> Split:
    """Split the traces by scan.

    The splits get a like share of positive traces; the training scans form parts at random. Scans
    for the test alone change nothing in how the others are split.

    Parameters
    ----------
    labels
        ``label``, ``scan``, ``trace`` and ``test`` (whether it is for the test alone), shape (n,).
    validation, test
        Shares of the scans; 0.1 and nothing in the study.
    seed
        Seed of the random choices.
    parts
        The validation scans, and this many less one of training scans; at least 2.

    Returns
    -------
    Split
        With the columns ``label``, ``scan``, ``trace`` and ``part``, int8, shape (n,): 0
        validation, 1 and so on the parts trained with in turn, `NO_PART` test.

    Raises
    ------
    ValueError
        A split would have no positive or no negative (see `models.sampling.split`), or a part no
        scan.
    """
    columns = {name: np.asarray(labels[name]) for name in ("label", "scan", "trace")}
    scan, shared = columns["scan"], np.flatnonzero(~np.asarray(labels["test"]))
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    part = np.full(len(scan), NO_PART, np.int8)
    code = np.full(len(scan), TEST, np.int8)
    for name, rows in split(columns["label"][shared], scan[shared], shares, seed).items():
        code[shared[rows]] = SPLITS.index(name)
        if name == "validation":
            part[shared[rows]] = 0
    scans = np.unique(scan[code == TRAIN])
    if len(scans) < parts - 1:
        raise ValueError(
            f"{len(scans)} training scans don't make {parts - 1} parts: make or read more scans, "
            "or ask for fewer parts"
        )
    order = np.random.default_rng(seed).permutation(scans)
    for number, chosen in enumerate(np.array_split(order, parts - 1), start=1):
        part[np.isin(scan, chosen)] = number
    return Split(code, "by scan", {"part": part, **columns})


def examples_of(scans: Arrays, splits: Arrays, name: str, *, per_scan: int, seed: int) -> Blocks:
    """Stream the scans of a split with what is known of each trace, and random windows of them.

    Parameters
    ----------
    scans
        ``ez``, shape (n, samples), V/m.
    splits
        From `split_scans`.
    name
        Of the split.
    per_scan, seed
        Of the windows; see `models.buried_objects.windows.windows_of`.

    Returns
    -------
    Blocks of ``ez`` and `KNOWN`, one block a scan.
    """
    known = {column: np.asarray(splits[column]) for column in KNOWN if column in splits}
    code, scan = np.asarray(splits["split"]), known["scan"]

    def block(start: int, length: int) -> Block:
        rows = slice(start, start + length)
        return {
            "ez": np.asarray(scans["ez"][rows]),
            **{column: values[rows] for column, values in known.items()},
            "windows": windows_of(int(scan[start]), length, seed, per_scan),
        }

    return Blocks(
        block(int(start), int(length))
        for start, length in zip(*runs(scan), strict=True)
        if code[start] == SPLITS.index(name)
    )

"""Which examples of a scored set are worth a look: the most wrong ones, and what was caught."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike as AnyArray

from models.arrays import ArrayLike
from models.sampling import Rows, binary_labels
from models.thresholds import labelled_scores

COUNT = 5
"""Examples of a kind that are shown."""
DRAWN = 20_000
"""Rows of a data set that a histogram is drawn from about."""


def most_wrong(labels: AnyArray, scores: AnyArray, flagged: AnyArray, count: int = COUNT) -> Rows:
    """Choose the wrong decisions that lie farthest beyond the threshold.

    How far is counted in examples between, so that scores of any scale can be compared.

    Parameters
    ----------
    labels, scores, flagged : array-like of shape (n,)
        0 or 1; finite; the decisions, 0 or 1.
    count
        How many at most.

    Returns
    -------
    int64 array
        Row numbers, the most wrong one first.

    Examples
    --------
    >>> most_wrong([1, 1, 0, 0, 1], [0.1, 0.4, 0.9, 0.2, 0.8], [0, 0, 1, 0, 1]).tolist()
    [0, 2, 1]
    """
    positive, values = labelled_scores(labels, scores)
    decided = binary_labels(flagged, what="decisions")
    wrong = np.flatnonzero(positive != decided)
    ranks = _ranks(values)
    border = np.count_nonzero(~decided) - 0.5
    order = np.argsort(-np.abs(ranks[wrong] - border), kind="stable")
    return np.asarray(wrong[order][:count])


def _ranks(values: AnyArray) -> Rows:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")


def caught(labels: AnyArray, scores: AnyArray, flagged: AnyArray, count: int = COUNT) -> Rows:
    """Choose the positives that were flagged, highest scores first; as `most_wrong`."""
    positive, values = labelled_scores(labels, scores)
    found = np.flatnonzero(positive & binary_labels(flagged, what="decisions"))
    return np.asarray(found[np.argsort(-values[found], kind="stable")][:count])


def of_all_models(
    labels: AnyArray,
    scores: Mapping[str, AnyArray],
    flagged: Mapping[str, AnyArray],
    count: int,
) -> dict[str, Rows]:
    """Choose the examples that most models get wrong, and positives that most of them find.

    Among those that equally many models get wrong, the mean rank of their scores decides.

    Parameters
    ----------
    labels : array-like of shape (n,)
        0 or 1.
    scores, flagged
        By model, array-likes of shape (n,): finite scores and decisions.
    count
        How many of a kind at most.

    Returns
    -------
    dict of str to int64 array
        Row numbers of ``missed``, ``false alarm`` and ``found``, the clearest first.

    Examples
    --------
    >>> scores = {"a": [0.1, 0.9, 0.8, 0.2], "b": [0.2, 0.8, 0.3, 0.9]}
    >>> flagged = {"a": [0, 1, 1, 0], "b": [0, 1, 0, 1]}
    >>> chosen = of_all_models([1, 1, 0, 0], scores, flagged, 2)
    >>> {kind: rows.tolist() for kind, rows in chosen.items()}
    {'missed': [0], 'false alarm': [3, 2], 'found': [1]}
    """
    positive = binary_labels(labels)
    decided = np.array([binary_labels(one, what="decisions") for one in flagged.values()])
    share = decided.mean(axis=0)
    rank = np.mean([_ranks(labelled_scores(labels, one)[1]) for one in scores.values()], axis=0)
    chosen: dict[str, Rows] = {}
    for kind, rows, sign in (
        ("missed", np.flatnonzero(positive & (share < 1)), 1),
        ("false alarm", np.flatnonzero(~positive & (share > 0)), -1),
        ("found", np.flatnonzero(positive & (share > 0)), -1),
    ):
        left = np.setdiff1d(rows, chosen.get("missed", []))
        order = np.lexsort((left, sign * rank[left], sign * share[left]))
        chosen[kind] = np.asarray(left[order][:count])
    return chosen


def first_of_each(labels: AnyArray | ArrayLike, count: int = 3) -> Rows:
    """Choose the first positives and then the first negatives.

    >>> first_of_each([0, 1, 0, 1, 1], count=2).tolist()
    [1, 3, 0, 2]
    """
    positive = binary_labels(np.asarray(labels))
    return np.concatenate([np.flatnonzero(positive == kind)[:count] for kind in (True, False)])


def evenly(count: int, limit: int = DRAWN) -> slice:
    """Choose about ``limit`` of ``count`` rows, every n-th.

    >>> evenly(10, limit=3)
    slice(None, None, 3)
    """
    return slice(None, None, max(1, count // limit))


def rows_of_names(names: AnyArray | ArrayLike, wanted: AnyArray) -> Rows:
    """Return the first row of each wanted name, in their order.

    >>> rows_of_names(["a", "b", "c"], ["c", "a"]).tolist()
    [2, 0]

    Raises
    ------
    ValueError
        A wanted name is in no row.
    """
    every, looked_for = np.asarray(names).astype(str), np.asarray(wanted).astype(str)
    known, first = np.unique(every, return_index=True)
    places = np.searchsorted(known, looked_for).clip(max=max(len(known) - 1, 0))
    if looked_for.size and (not len(known) or not (known[places] == looked_for).all()):
        raise ValueError("an example is not in its data set")
    return np.asarray(first[places] if looked_for.size else places, dtype=np.int64)

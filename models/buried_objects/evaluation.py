"""Evaluate decisions about traces: counts, F1 in two versions, Jaccard index, events.

Every metric has its interval by scan: scans are resampled whole, as their traces are nearly copies
of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.buried_objects.scans import Integers
from models.buried_objects.smoothing import decide
from models.buried_objects.windows import Places
from models.evaluation import Evaluation, evaluate
from models.intervals import GroupStatistic
from models.sampling import Rows
from models.thresholds import max_f1
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

COLLAR = 5
"""Traces, 0.1 m, by which an event's first and last trace may each be wrong."""

OWN_THRESHOLD = 0.5
"""The study decides for the likelier class."""

Columns = NDArray[np.float64]
"""Sums by scan, shape (scans, k)."""

Flags = NDArray[np.bool_]
"""Whether each trace is flagged, shape (n,)."""


def predictions(test: Arrays, scores: NDArray[np.float64], decision: JsonDict) -> pd.DataFrame:
    """Return a table of traces: scan, trace, label, score, smoothed, flagged.

    Parameters
    ----------
    test
        ``label``, ``scan`` and ``trace`` of the traces.
    scores
        From `training.score_scans`.
    decision
        From `smoothing.choose`.
    """
    import pandas as pd

    columns = {name: np.asarray(test[name]) for name in ("scan", "trace", "label")}
    smooth, flagged = decide(scores, columns["scan"], decision)
    return pd.DataFrame(columns | {"score": scores, "smoothed": smooth, "flagged": flagged})


def evaluate_predictions(
    table: pd.DataFrame,
    decision: JsonDict,
    windows: Places,
    *,
    resamples: int,
    seed: int,
    published: Mapping[str, float] | None = None,
) -> Evaluation:
    """Evaluate predictions of a split, each trace counted once.

    Beside the metrics of `models.evaluation.evaluate`, where those of decisions are of the flagged
    spans: ``f1_as_printed``, ``jaccard`` and ``event_f1``; and, with ``_at_0.5``, those of the
    study's own decision (the likelier class, not smoothed). Details: ``decision``, ``events``
    (``actual``, ``predicted``, ``found``) and ``place_alone``, see `place_alone`.

    Parameters
    ----------
    table
        From `predictions`.
    decision
        Chosen on validation.
    windows
        Those over which the Jaccard index is a mean, by rows of the table.
    resamples, seed
        Of the intervals.
    published
        Figures of the study under the names used here.
    """
    label, score, smooth, flagged, scan = (
        table[name].to_numpy() for name in ("label", "score", "smoothed", "flagged", "scan")
    )
    own = score >= OWN_THRESHOLD
    statistics: dict[str, GroupStatistic] = {}
    for suffix, decided in (("", flagged), ("_at_0.5", own)):
        statistics[f"f1_as_printed{suffix}"] = GroupStatistic(
            counts(label, decided, scan), _as_printed, "no trace is wrong", "scan"
        )
        statistics[f"jaccard{suffix}"] = GroupStatistic(
            overlaps(label, decided, scan, windows.start, windows.length),
            _mean,
            "no window has an object or a flagged trace",
            "scan",
        )
    matches = matched(label, flagged, scan)
    statistics["event_f1"] = GroupStatistic(matches, _event_f1, "there are no events", "scan")
    evaluation = evaluate(
        label,
        smooth,
        decision["value"],
        flagged=flagged,
        decisions={"_at_0.5": own},
        statistics=statistics,
        groups=scan,
        resamples=resamples,
        seed=seed,
        published=published,
    )
    totals = matches.sum(axis=0).astype(int).tolist()
    events_ = dict(zip(("actual", "predicted", "found"), totals, strict=True))
    return evaluation.with_details(
        decision=dict(decision), events=events_, place_alone=place_alone(table)
    )


def place_alone(table: pd.DataFrame) -> float:
    """Return the largest F1 of flagging the same traces in every scan, with the labels known."""
    label = table["label"].to_numpy()
    share = table.groupby("trace")["label"].transform("mean").to_numpy()
    flagged = share >= max_f1(label, share).value
    return float(2 * (label[flagged] == 1).sum() / (flagged.sum() + label.sum()))


def counts(label: Integers, flagged: Flags, scan: Integers) -> Columns:
    """Count TP, FP and FN of each scan, shape (scans, 3)."""
    actual, decided = label == 1, flagged == 1
    code = np.unique(scan, return_inverse=True)[1]
    kinds = (actual & decided, ~actual & decided, actual & ~decided)
    return np.stack([np.bincount(code, rows) for rows in kinds], axis=1)


def overlaps(
    label: Integers,
    flagged: Flags,
    scan: Integers,
    start: Rows,
    length: Rows,
) -> Columns:
    """Sum each scan's Jaccard indices TP / (TP + FP + FN), and count the windows that have one.

    Parameters
    ----------
    label, flagged, scan
        Of every trace of a split, shape (n,).
    start, length
        First row and traces of every window, shape (windows,).

    Returns
    -------
    float64 array, shape (scans, 2)
        A window without object and without flagged trace has no index.
    """
    actual, decided = label == 1, flagged == 1
    both = np.r_[0, np.cumsum(actual & decided)]
    either = np.r_[0, np.cumsum(actual | decided)]
    last = start + length
    inside, around = both[last] - both[start], either[last] - either[start]
    names, code = np.unique(scan, return_inverse=True)
    defined = around > 0
    of = code[start[defined]]
    sums = np.bincount(of, inside[defined] / around[defined], names.size)
    return np.stack([sums, np.bincount(of, minlength=names.size)], axis=1)


def events(flagged: Flags | Integers) -> list[tuple[int, int]]:
    """Return first and last trace of every run of flagged ones in a scan, shape (traces,)."""
    edges = np.diff(np.r_[0, np.asarray(flagged, dtype=np.int8), 0])
    return list(
        zip(
            np.flatnonzero(edges > 0).tolist(),
            (np.flatnonzero(edges < 0) - 1).tolist(),
            strict=True,
        )
    )


def matched(label: Integers, flagged: Flags, scan: Integers, collar: int = COLLAR) -> Columns:
    """Count each scan's events: actual ones, predicted ones, and those of them that match.

    A predicted event matches an actual one, once, whose first and whose last trace each lie within
    the collar (event-based F-score; Mesaros et al. 2016, Applied Sciences 6, section 5.2).

    Returns
    -------
    float64 array, shape (scans, 3)
    """
    result = []
    for name in np.unique(scan):
        actual, predicted = events(label[scan == name]), events(flagged[scan == name])
        free = list(predicted)
        hits = 0
        for first, last in actual:
            near = [e for e in free if abs(e[0] - first) <= collar and abs(e[1] - last) <= collar]
            if near:
                # Events are disjoint and in order: the earliest that fits leaves most to the next.
                free.remove(near[0])
                hits += 1
        result.append((len(actual), len(predicted), hits))
    return np.array(result, dtype=np.float64)


def _as_printed(sums: Columns) -> Columns:
    """Return F1 as the study printed it: TP / (0.5 (FP + FN))."""
    tp, fp, fn = sums.T
    return np.asarray(tp / (0.5 * (fp + fn)))


def _mean(sums: Columns) -> Columns:
    total, count = sums.T
    return np.asarray(total / count)


def _event_f1(sums: Columns) -> Columns:
    actual, predicted, hits = sums.T
    return np.asarray(2 * hits / (actual + predicted))

"""What answers about traces are worth: counts, F1 twice over, Jaccard index, events.

Every measure has its interval by scan: scans are resampled whole, as their traces are nearly copies
of each other. What a model's answers don't determine is undefined, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.buried_objects.smoothing import decide
from models.metrics import evaluate
from models.sampling import read_rows, rows_of

if TYPE_CHECKING:
    import pandas as pd

COLLAR = 5
"""Traces, 0.1 m, by which an event's first and last trace may each be wrong."""

OWN_CUT = 0.5
"""Where the study decides: for the likelier class."""

Columns = NDArray[np.float64]
Measure = Callable[[Columns], Columns]


def predictions(
    labels: Arrays,
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    decision: Mapping[str, Any],
) -> pd.DataFrame:
    """Give a table of traces: row, scan, trace, label, score, smoothed, flagged.

    Parameters
    ----------
    labels
        ``label``, ``scan`` and ``trace`` of all rows.
    rows, scores
        From `fitting.score_scans`.
    decision
        From `smoothing.choose`.
    """
    import pandas as pd

    columns = {name: read_rows(labels[name], rows) for name in ("scan", "trace", "label")}
    smooth, flagged = decide(scores, columns["scan"], decision)
    return pd.DataFrame(
        {"row": rows} | columns | {"score": scores, "smoothed": smooth, "flagged": flagged}
    )


def judge(
    table: pd.DataFrame,
    decision: Mapping[str, Any],
    windows: Arrays,
    code: int,
    *,
    resamples: int,
    seed: int,
    published: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Evaluate predictions of a split, each trace counted once.

    Beside what `models.metrics.evaluate` gives, whose measures at the threshold are here those of
    the flagged spans: ``f1_as_printed``, ``jaccard`` and ``event_f1``; and, with ``_at_0.5``, what
    the study's own decision (the likelier class, not smoothed) gives.

    Parameters
    ----------
    table
        From `predictions`.
    decision
        Chosen on validation.
    windows
        ``start``, ``length`` and ``split``: the windows over which the Jaccard index is a mean.
    code
        The split of the table.
    resamples, seed
        Of the intervals.
    published
        Figures of the study under the names used here.

    Returns
    -------
    dict
        As `models.metrics.evaluate`, with ``decision`` and ``events`` (``actual``, ``predicted``,
        ``found``).
    """
    label, score, smooth, flagged, scan = (
        table[name].to_numpy() for name in ("label", "score", "smoothed", "flagged", "scan")
    )
    settings: dict[str, Any] = {"resamples": resamples, "seed": seed}
    groups = {"groups": scan, **settings}
    judged = evaluate(label, smooth, decision["value"], **groups, published=published)
    spans = evaluate(label, flagged.astype(float), 0.5, **groups)
    own = evaluate(label, score, OWN_CUT, **groups)["metrics"]
    judged["counts"] = spans["counts"]
    asked = rows_of(windows, code)
    placed = read_rows(windows["start"], asked), read_rows(windows["length"], asked)
    found = matched(label, flagged, scan)
    metrics = judged["metrics"]
    for name in ("accuracy", "precision", "recall", "f1", "tss", "hss2", "frequency_bias"):
        metrics[name] = spans["metrics"][name]
    for suffix, held, said in (("", spans["metrics"], flagged), ("_at_0.5", own, score >= OWN_CUT)):
        counted = counts(label, said, scan)
        metrics |= {f"{name}{suffix}": held[name] for name in ("precision", "recall", "f1")}
        metrics[f"f1_as_printed{suffix}"] = by_scan(
            counted, _as_printed, "no trace is wrong", **settings
        )
        metrics[f"jaccard{suffix}"] = by_scan(
            overlaps(label, said, scan, table["row"].to_numpy(), *placed),
            _mean,
            "no window has an object or a flagged trace",
            **settings,
        )
    metrics["event_f1"] = by_scan(found, _event_f1, "there are no events", **settings)
    judged["decision"] = dict(decision)
    actual, predicted, hits = (int(total) for total in found.sum(axis=0))
    judged["events"] = {"actual": actual, "predicted": predicted, "found": hits}
    return judged


def counts(label: NDArray[Any], flagged: NDArray[Any], scan: NDArray[Any]) -> Columns:
    """Count TP, FP and FN of each scan, shape (scans, 3)."""
    actual, said = label == 1, flagged == 1
    code = np.unique(scan, return_inverse=True)[1]
    return np.stack(
        [np.bincount(code, held) for held in (actual & said, ~actual & said, actual & ~said)],
        axis=1,
    )


def overlaps(
    label: NDArray[Any],
    flagged: NDArray[Any],
    scan: NDArray[Any],
    row: NDArray[np.int64],
    start: NDArray[np.int64],
    length: NDArray[Any],
) -> Columns:
    """Sum each scan's Jaccard indices TP / (TP + FP + FN), and count the windows that have one.

    Parameters
    ----------
    label, flagged, scan, row
        Of every trace of a split, shape (n,), rows ascending.
    start, length
        First row and traces of every window, shape (windows,).

    Returns
    -------
    float64 array, shape (scans, 2)
        A window without object and without flagged trace has no index.
    """
    actual, said = label == 1, flagged == 1
    both = np.r_[0, np.cumsum(actual & said)]
    either = np.r_[0, np.cumsum(actual | said)]
    first = np.searchsorted(row, start)
    last = first + length
    inside, around = both[last] - both[first], either[last] - either[first]
    names, code = np.unique(scan, return_inverse=True)
    defined = around > 0
    of = code[first[defined]]
    sums = np.bincount(of, inside[defined] / around[defined], names.size)
    return np.stack([sums, np.bincount(of, minlength=names.size)], axis=1)


def events(flagged: NDArray[Any]) -> list[tuple[int, int]]:
    """Give first and last trace of every run of flagged ones in a scan, shape (traces,)."""
    edges = np.diff(np.r_[0, np.asarray(flagged, dtype=np.int8), 0])
    return list(
        zip(
            np.flatnonzero(edges > 0).tolist(),
            (np.flatnonzero(edges < 0) - 1).tolist(),
            strict=True,
        )
    )


def matched(
    label: NDArray[Any], flagged: NDArray[Any], scan: NDArray[Any], collar: int = COLLAR
) -> Columns:
    """Count each scan's events: actual ones, predicted ones, and those of them that match.

    A predicted event matches an actual one, once, whose first and whose last trace each lie within
    the collar (event-based F-score; Mesaros et al. 2016, Applied Sciences 6, section 5.2).

    Returns
    -------
    float64 array, shape (scans, 3)
    """
    result = []
    for name in np.unique(scan):
        actual, said = events(label[scan == name]), events(flagged[scan == name])
        free = list(said)
        hits = 0
        for first, last in actual:
            near = [e for e in free if abs(e[0] - first) <= collar and abs(e[1] - last) <= collar]
            if near:
                # Events are disjoint and in order: the earliest that fits leaves most to the next.
                free.remove(near[0])
                hits += 1
        result.append((len(actual), len(said), hits))
    return np.array(result, dtype=np.float64)


def by_scan(
    columns: Columns, measure: Measure, undefined: str, *, resamples: int, seed: int
) -> dict[str, Any]:
    """Work out a measure of sums over scans, with its interval by resampling scans.

    Parameters
    ----------
    columns
        What is summed, shape (scans, k).
    measure
        From sums, shape (m, k), to values, shape (m,), not finite where undefined.
    undefined
        What to say where the value is.
    resamples, seed
        Bootstrap resamples, and their seed.

    Returns
    -------
    dict
        As a metric of `models.metrics.evaluate`.
    """
    none: dict[str, Any] = {"value": None, "low": None, "high": None}
    generator = np.random.default_rng(seed)
    scans = len(columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(measure(columns.sum(axis=0, keepdims=True))[0])
        times = generator.multinomial(scans, np.full(scans, 1 / scans), resamples)
        drawn = measure(times @ columns)
    if not np.isfinite(value):
        return none | {"reason": undefined}
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size < resamples / 2:
        return none | {"value": value, "reason": "undefined in most resamples"}
    low, high = (float(end) for end in np.percentile(drawn, [2.5, 97.5]))
    if high - low < 1e-12:
        reason = "every resample gives this value: too few to tell"
        return none | {"value": value, "reason": reason}
    return {"value": value, "low": low, "high": high, "method": "bootstrap"}


def _as_printed(sums: Columns) -> Columns:
    """What the study printed as F1: TP / (0.5 (FP + FN))."""
    tp, fp, fn = sums.T
    return np.asarray(tp / (0.5 * (fp + fn)))


def _mean(sums: Columns) -> Columns:
    total, many = sums.T
    return np.asarray(total / many)


def _event_f1(sums: Columns) -> Columns:
    actual, said, hits = sums.T
    return np.asarray(2 * hits / (actual + said))

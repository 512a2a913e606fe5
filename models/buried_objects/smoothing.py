"""From scores of neighbouring traces to spans: a median filter and hysteresis.

Both are chosen on validation scans. An object covers a run of traces: the median removes single
traces that stand out, and with hysteresis a trace above the upper threshold carries its neighbours
above the lower one (Canny 1986, IEEE PAMI 8, section VIII).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.buried_objects.scans import Integers, runs
from models.metrics import confusion
from models.thresholds import labelled_scores, max_f1
from models.types import JsonDict

Scores = NDArray[np.float64]

QUANTILES = np.linspace(0.5, 0.995, 34)
"""Of the smoothed scores, tried as upper thresholds: at most every second trace is above it."""


def median(score: Scores, scan: Integers, width: int) -> Scores:
    """Replace each score by the median of those around it in its scan.

    Parameters
    ----------
    score, scan
        Shape (n,); rows of a scan lie together.
    width
        Traces, odd; the ends of a scan are continued with their last value.

    Raises
    ------
    ValueError
        The width is even, or less than 1.
    """
    if width < 1 or width % 2 == 0:
        raise ValueError(f"the width of a median is odd and 1 or more, not {width}")
    result = np.array(score, dtype=np.float64)
    for first, length in zip(*runs(scan), strict=True):
        padded = np.pad(result[first : first + length], width // 2, mode="edge")
        around = np.lib.stride_tricks.sliding_window_view(padded, width)
        result[first : first + length] = np.median(around, axis=1)
    return result


def hysteresis(score: Scores, scan: Integers, low: float, high: float) -> NDArray[np.bool_]:
    """Flag runs of scores at or above ``low`` in which one is at or above ``high``; shape (n,)."""
    above = score >= low
    start = above & ~(np.r_[False, above[:-1]] & (scan == np.r_[scan[:1], scan[:-1]]))
    run = np.cumsum(start)
    sure = np.bincount(run[above & (score >= high)], minlength=int(run[-1]) + 1 if run.size else 1)
    return np.asarray(above & (sure[run] > 0), dtype=np.bool_)


def decide(score: Scores, scan: Integers, decision: JsonDict) -> tuple[Scores, NDArray[np.bool_]]:
    """Smooth scores and flag spans; ``decision`` is from `choose`."""
    smooth = median(score, scan, decision["median"])
    return smooth, hysteresis(smooth, scan, decision["low"], decision["value"])


def choose(
    label: Integers,
    score: Scores,
    scan: Integers,
    *,
    medians: Sequence[int],
    ratios: Sequence[float],
) -> JsonDict:
    """Choose median, upper and lower threshold for the largest F1 over validation traces.

    Of equals the narrowest median, then the largest ratio, then the highest threshold: what changes
    the scores least.

    Parameters
    ----------
    label, score, scan
        Of validation traces, shape (n,).
    medians
        Widths to try, odd; 1 leaves the scores as they are.
    ratios
        Lower thresholds to try, as shares of the upper one, above 0 and at most 1 (no hysteresis).

    Returns
    -------
    dict
        ``value`` (upper threshold), ``low``, ``median``, ``rule``, ``f1`` and, of the best single
        threshold without smoothing, ``unsmoothed_f1``.

    Raises
    ------
    ValueError
        The input is malformed or of one class, or there is nothing to try.
    """
    actual, values = labelled_scores(label, score)
    if not medians or not ratios or not all(0 < ratio <= 1 for ratio in ratios):
        raise ValueError(
            f"medians {list(medians)} and ratios {list(ratios)}: try one of each or more, ratios "
            "above 0 and at most 1"
        )
    plain = max_f1(actual, values).value
    tried: list[tuple[float, float, float, int]] = []
    for width in sorted(medians):
        smooth = median(values, scan, width)
        single = max_f1(actual, smooth).value
        highs = sorted({single, *np.quantile(smooth, QUANTILES).tolist()}, reverse=True)
        tried += [
            (_f1(actual, hysteresis(smooth, scan, ratio * high, high)), high, ratio * high, width)
            for ratio in sorted(ratios, reverse=True)
            for high in highs
        ]
    f1, high, low, width = max(tried, key=lambda one: one[0])
    return {
        "value": high,
        "low": low,
        "median": width,
        "rule": "median and hysteresis for the largest F1",
        "f1": f1,
        "unsmoothed_f1": _f1(actual, values >= plain),
    }


def _f1(actual: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> float:
    counts = confusion(actual, flagged)
    return round(2 * counts.tp / (2 * counts.tp + counts.fp + counts.fn), 12)

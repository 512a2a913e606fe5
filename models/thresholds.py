"""Choose a threshold on rows that are not the test set.

A row is flagged where its score is at or above the threshold, as in scikit-learn.

Two traps, both met in print: a threshold chosen on the rows that it is then evaluated on is tuned
on the test set, so choose on validation or on out-of-fold scores and store the value before the
test set is read; scikit-learn's first ROC threshold is infinite, flags nothing, and is dropped
here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.sampling import binary_labels
from models.types import JsonDict


@dataclass(frozen=True)
class Threshold:
    """A threshold, the rule that chose it, and its rates on the rows it was chosen on.

    ``sensitivity`` is the share of positives at or above ``value``, ``specificity`` that of
    negatives below it.
    """

    value: float
    rule: str
    sensitivity: float
    specificity: float
    positives: int
    negatives: int

    def to_dict(self) -> JsonDict:
        """Return the fields as JSON."""
        return asdict(self)


def labelled_scores(
    labels: AnyArray, scores: AnyArray
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Check labels and scores, and return them as booleans and ``float64``, both shape (n,).

    Raises
    ------
    ValueError
        If the labels are not 0 or 1, the lengths differ, there are no rows, or a score is not a
        finite number; names the first such row.
    """
    positive = binary_labels(labels)
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != positive.shape:
        raise ValueError(
            f"need one score per label, shape {positive.shape}, not {values.shape}: "
            "take the column of the positive class"
        )
    if values.size == 0:
        raise ValueError("there are no labels and scores")
    broken = np.flatnonzero(~np.isfinite(values))
    if broken.size:
        raise ValueError(
            f"scores must be finite, but row {broken[0] + 1} holds {values[broken[0]]} "
            f"({broken.size} of {values.size} rows): the model that gave them is broken"
        )
    return positive, values


def roc(labels: AnyArray, scores: AnyArray) -> dict[str, NDArray[np.float64]]:
    """Return the points of the ROC, one per distinct score, from the highest down.

    Parameters
    ----------
    labels
        Shape (n,), 0 or 1.
    scores
        Shape (n,), higher for more likely positives.

    Returns
    -------
    dict of str to float64 array
        ``thresholds``, falling; ``sensitivity`` and ``false_positive_rate``, rising to 1. The
        infinite threshold, which flags nothing, is left out.

    Raises
    ------
    ValueError
        If the input is malformed or of one class only.
    """
    from sklearn.metrics import roc_curve

    positive, values = labelled_scores(labels, scores)
    if positive.all() or not positive.any():
        raise ValueError(
            f"a threshold needs positives and negatives to choose on, but all {positive.size} "
            f"labels are {int(positive[0])}: check the split"
        )
    false_positive_rate, sensitivity, thresholds = roc_curve(
        positive, values, drop_intermediate=False
    )
    return {
        "thresholds": thresholds[1:],
        "sensitivity": sensitivity[1:],
        "false_positive_rate": false_positive_rate[1:],
    }


def crossover(labels: AnyArray, scores: AnyArray) -> Threshold:
    """Choose the point of the ROC where sensitivity meets specificity.

    Sensitivity rises and specificity falls along the ROC. They seldom meet in a point: taken is
    the score at which they differ least, of two that differ alike the one with the larger sum,
    and then the higher threshold. Constant scores leave one point, which flags everything.

    Parameters
    ----------
    labels, scores
        As for :func:`roc`, from validation or out of fold, never from the test set.
    """
    points = roc(labels, scores)
    sensitivity, specificity = points["sensitivity"], 1 - points["false_positive_rate"]
    # Rounded, so that equal differences of unequal shares compare as equal.
    difference = np.round(np.abs(sensitivity - specificity), 12)
    total = np.round(sensitivity + specificity, 12)
    chosen = int(np.lexsort((-points["thresholds"], -total, difference))[0])
    return _threshold("crossover", points, chosen, labels)


def max_tss(labels: AnyArray, scores: AnyArray) -> Threshold:
    """Choose the largest true skill statistic, sensitivity + specificity - 1 (Youden's J).

    Of equals the highest threshold. Parameters as for :func:`crossover`.
    """
    points = roc(labels, scores)
    skill = np.round(points["sensitivity"] - points["false_positive_rate"], 12)
    return _threshold("max_tss", points, int(np.argmax(skill)), labels)


def max_f1(labels: AnyArray, scores: AnyArray) -> Threshold:
    """Choose the largest F1; of equals the highest threshold.

    F1 depends on the share of positives: one chosen on a balanced sample misleads on a real one.
    Parameters as for :func:`crossover`.
    """
    points = roc(labels, scores)
    positive = binary_labels(labels)
    positives = np.count_nonzero(positive)
    hits = points["sensitivity"] * positives
    false_alarms = points["false_positive_rate"] * (positive.size - positives)
    f1 = np.round(2 * hits / (hits + false_alarms + positives), 12)
    return _threshold("max_f1", points, int(np.argmax(f1)), labels)


def at_false_positive_rate(labels: AnyArray, scores: AnyArray, rate: float) -> Threshold:
    """Choose the lowest threshold that flags at most the given share of negatives.

    Where even the highest score flags more, the threshold lies just above it and flags nothing.

    Parameters
    ----------
    labels, scores
        As for :func:`crossover`.
    rate
        Largest false-positive rate, 0 ... 1. With fewer than 1 / ``rate`` negatives none may be
        flagged, and the rate on other rows is poorly known.

    Raises
    ------
    ValueError
        If the rate is out of range, or as for :func:`roc`.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"a false-positive rate lies in 0 ... 1, not at {rate}")
    points = roc(labels, scores)
    allowed = int(np.searchsorted(points["false_positive_rate"], rate + 1e-12, side="right"))
    rule = f"at_false_positive_rate({rate:g})"
    if allowed == 0:
        positive = binary_labels(labels)
        positives = int(np.count_nonzero(positive))
        above = float(np.nextafter(points["thresholds"][0], np.inf))
        return Threshold(above, rule, 0.0, 1.0, positives, positive.size - positives)
    return _threshold(rule, points, allowed - 1, labels)


def _threshold(
    rule: str, points: dict[str, NDArray[np.float64]], chosen: int, labels: AnyArray
) -> Threshold:
    positive = binary_labels(labels)
    positives = int(np.count_nonzero(positive))
    return Threshold(
        value=float(points["thresholds"][chosen]),
        rule=rule,
        sensitivity=float(points["sensitivity"][chosen]),
        specificity=float(1 - points["false_positive_rate"][chosen]),
        positives=positives,
        negatives=positive.size - positives,
    )


RULES: dict[str, Callable[[AnyArray, AnyArray], Threshold]] = {
    "crossover": crossover,
    "max_tss": max_tss,
    "max_f1": max_f1,
    "at_fpr_0.001": lambda labels, scores: at_false_positive_rate(labels, scores, 1e-3),
}
"""The rules that a setting may name."""

"""Evaluate the gravitational-wave models: on chirps, on all classes, and on injected chirps.

Where every class is predicted, a chirp's score is the margin of its class over the best other one:
at 0 or above the prediction is chirp. Every metric of chirps then means the same for both tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.evaluation import Evaluation, evaluate
from models.gravitational_waves.published import RESULTS
from models.gravitational_waves.splits import is_positive
from models.gravitational_waves.training import own_threshold, score
from models.intervals import GroupStatistic, Metric
from models.metrics import cross_entropy, recall_by_bin
from models.sampling import group_codes
from models.thresholds import RULES, Threshold
from models.training import Estimator, Network
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

SNR_EDGES = (0.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0, 1000.0)
"""Bins of the signal-to-noise ratio of injected chirps."""


def margin(scores: NDArray[np.float64], classes: JsonDict) -> NDArray[np.float64]:
    """Return the score of a chirp, (n,): as it is, or its class's margin over the best other."""
    if scores.ndim == 1:
        return scores
    positive = np.isin(np.arange(scores.shape[1]), classes["positive"])
    return np.asarray(scores[:, positive].max(axis=1) - scores[:, ~positive].max(axis=1))


def decision_threshold(model: str, classes: JsonDict) -> float:
    """Return the threshold from which a model itself decides for a chirp."""
    return 0.0 if classes["task"] == "classes" else own_threshold(model)


def validation_scores(
    model: str, fitted: Network | Estimator, validation: Arrays, classes: JsonDict
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Return labels and scores of the validation images; parameters as `training.score`."""
    label = is_positive(np.asarray(validation["class"]), classes)
    return label, margin(score(model, fitted, validation, classes), classes)


def choose_threshold(
    rule: str, labels: NDArray[np.int8], scores: NDArray[np.float64], classes: JsonDict
) -> Threshold:
    """Choose a threshold; where every class is predicted, the largest wins.

    Parameters
    ----------
    rule
        One of `models.thresholds.RULES`.
    labels, scores
        From `validation_scores`.
    classes
        From `splits.classes_of`.
    """
    if classes["task"] == "chirp":
        return RULES[rule](labels, scores)
    flagged, actual = scores >= 0, labels == 1
    counts = int(actual.sum()), int((~actual).sum())
    rates = float(flagged[actual].mean()), float(1 - flagged[~actual].mean())
    return Threshold(0.0, "the largest class", *rates, *counts)


def predictions(
    model: str,
    fitted: Network | Estimator,
    splits: Mapping[str, Arrays],
    classes: JsonDict,
    threshold: float,
) -> pd.DataFrame:
    """Score the images of some splits.

    Parameters
    ----------
    model, fitted, classes
        As `training.score` takes them.
    splits
        The examples by the name of their split.
    threshold
        Scores from which an image is flagged as a chirp.

    Returns
    -------
    DataFrame
        id, group, split, label (class name), chirp (0 or 1), snr, score and flagged; with
        ``predicted``, a class name, where every class is predicted.
    """
    import pandas as pd

    tables = []
    for split, examples in splits.items():
        scores = score(model, fitted, examples, classes)
        columns: dict[str, Any] = {k: np.asarray(examples[k]) for k in ("id", "group", "label")}
        columns["split"] = np.full(len(scores), split)
        columns["chirp"] = is_positive(np.asarray(examples["class"]), classes)
        columns["snr"] = np.asarray(examples["snr"])
        columns["score"] = margin(scores, classes)
        columns["flagged"] = columns["score"] >= threshold
        if scores.ndim == 2:
            columns["predicted"] = np.array(classes["names"])[scores.argmax(axis=1)]
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def chirps(table: pd.DataFrame) -> pd.DataFrame:
    """List the images flagged as chirps, highest score first: id, score, split, actual label."""
    flagged = table[table["flagged"]].sort_values(["score", "id"], ascending=[False, True])
    return flagged[["id", "score", "split", "label"]].reset_index(drop=True)


def efficiency(
    model: str,
    fitted: Network | Estimator,
    trials: Arrays,
    classes: JsonDict,
    threshold: float,
) -> list[JsonDict]:
    """Compute the recall of injected chirps in bins of their signal-to-noise ratio.

    Parameters
    ----------
    model, fitted, classes
        As `training.score` takes them.
    trials
        Injected chirps outside the training set.
    threshold
        Chosen on validation.

    Returns
    -------
    list of dict
        As `models.metrics.recall_by_bin`; empty where another class is looked for.
    """
    if not is_positive(np.asarray(trials["class"]), classes).all():
        return []
    flagged = margin(score(model, fitted, trials, classes), classes) >= threshold
    return recall_by_bin(np.asarray(trials["snr"]), flagged, SNR_EDGES)


def evaluate_predictions(
    model: str,
    table: pd.DataFrame,
    threshold: float,
    classes: JsonDict,
    *,
    resamples: int,
    seed: int,
) -> Evaluation:
    """Evaluate a model's predictions of the test images; intervals resample groups.

    Beside the metrics of `models.evaluation.evaluate`: ``accuracy_at_own_threshold`` and
    ``recall_at_own_threshold``, and ``loss``, which are what the study published; ``chirps``, by
    split how many are found at both thresholds; ``classes``; and, where every class is predicted,
    the metrics and details of `class_statistics` and `class_details`.

    Parameters
    ----------
    model
        Its name.
    table
        From `predictions`, of validation and test images.
    threshold
        Chosen on validation.
    classes
        From `splits.classes_of`.
    resamples, seed
        Of the intervals.
    """
    test = table[table["split"] == "test"]
    label, scores = test["chirp"].to_numpy(), test["score"].to_numpy()
    group, own = test["group"].to_numpy().astype(str), decision_threshold(model, classes)
    probabilities = bool(scores.min() >= 0 and scores.max() <= 1)
    names = list(classes["names"])
    statistics = {"loss": cross_entropy(label, scores, group)} if probabilities else {}
    if "predicted" in table:
        statistics |= class_statistics(test, names)
    evaluation = evaluate(
        label,
        scores,
        threshold,
        decisions={"_at_own_threshold": scores >= own},
        statistics=statistics,
        groups=group,
        resamples=resamples,
        seed=seed,
        published=RESULTS.get(model) if classes["task"] == "chirp" else None,
    ).with_details(
        classes=classes,
        chirps={
            name: {
                "of": int(part["chirp"].sum()),
                "found": int((part["flagged"] & (part["chirp"] == 1)).sum()),
                "found_at_own_threshold": int(
                    ((part["score"] >= own) & (part["chirp"] == 1)).sum()
                ),
            }
            for name, part in table.groupby("split")
        },
    )
    if not probabilities:
        reason = evaluation.metrics["brier"].reason or ""
        evaluation = evaluation.with_metrics({"loss": Metric.undefined(reason)})
    if "predicted" not in table:
        return evaluation
    if evaluation.details["groups"] == len(test):
        right = int((test["label"] == test["predicted"]).sum())
        evaluation = evaluation.with_metrics({"class_accuracy": Metric.exact(right, len(test))})
    return evaluation.with_details(**class_details(test, names))


def confusion_by_group(test: pd.DataFrame, names: list[str]) -> NDArray[np.float64]:
    """Count, for each group, how many images of each class are predicted as which.

    Parameters
    ----------
    test
        ``label``, ``predicted`` and ``group``.
    names
        All classes.

    Returns
    -------
    float64 array of shape (groups, classes, classes)
        Actual class first.
    """
    place = {name: code for code, name in enumerate(names)}
    actual, predicted = (test[k].map(place).to_numpy() for k in ("label", "predicted"))
    size, groups = len(names), group_codes(test["group"].to_numpy().astype(str), len(test))
    count = int(groups.max()) + 1
    cells = (groups * size + actual) * size + predicted
    return np.bincount(cells, minlength=count * size**2).reshape(count, size, size).astype(float)


def class_statistics(test: pd.DataFrame, names: list[str]) -> dict[str, GroupStatistic]:
    """Return ``class_accuracy`` and ``macro_f1``, the mean F1 of the classes with a test image.

    Parameters as `confusion_by_group`.
    """
    counts, size = confusion_by_group(test, names), len(names)
    sums = counts.reshape(len(counts), -1)

    def accuracy(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(totals[:, :: size + 1].sum(axis=1) / totals.sum(axis=1))

    def macro_f1(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        square = totals.reshape(-1, size, size)
        actual, predicted = square.sum(axis=2), square.sum(axis=1)
        f1 = 2 * totals[:, :: size + 1] / np.maximum(actual + predicted, 1)
        return np.asarray(np.where(actual > 0, f1, 0).sum(axis=1) / (actual > 0).sum(axis=1))

    reason = "there are no test images"
    return {
        "class_accuracy": GroupStatistic(sums, accuracy, reason),
        "macro_f1": GroupStatistic(sums, macro_f1, reason),
    }


def class_details(test: pd.DataFrame, names: list[str]) -> JsonDict:
    """Return ``by_class`` and ``confusion``.

    ``by_class``: by name the images, those rightly named, recall, precision and F1; ``confusion``:
    by actual class, how many were predicted as which. Parameters as `confusion_by_group`.
    """
    counts = confusion_by_group(test, names).sum(axis=0)
    return {
        "by_class": {
            name: _one_class(counts, code)
            for code, name in enumerate(names)
            if counts[code].sum() + counts[:, code].sum()
        },
        "confusion": {
            name: {names[k]: int(counts[code, k]) for k in np.flatnonzero(counts[code])}
            for code, name in enumerate(names)
            if counts[code].sum()
        },
    }


def _one_class(counts: NDArray[np.float64], code: int) -> JsonDict:
    actual, predicted, right = counts[code].sum(), counts[:, code].sum(), counts[code, code]
    return {
        "images": int(actual),
        "right": int(right),
        "recall": float(right / actual) if actual else None,
        "precision": float(right / predicted) if predicted else None,
        "f1": float(2 * right / (actual + predicted)),
    }

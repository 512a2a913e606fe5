"""What the models' answers are worth: on chirps, on all classes, and on injected chirps.

Where every class is asked for, a chirp's score is the margin of its class over the best other one:
at 0 or above the model says chirp. Every measure of chirps then means the same for both tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.gravitational_waves.fitting import READS, columns_of, own_cut, pixels_of, score
from models.gravitational_waves.published import RESULTS
from models.gravitational_waves.splits import is_positive
from models.metrics import binomial_interval, by_bin, cross_entropy, evaluate
from models.sampling import SPLITS, VALIDATION, group_codes, read_rows, rows_of
from models.thresholds import Threshold, at_false_positive_rate, max_f1

if TYPE_CHECKING:
    import pandas as pd

SNR_EDGES = (0.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0, 1000.0)
"""Bins of the signal-to-noise ratio of injected chirps."""

RULES: dict[str, Callable[[Any, Any], Threshold]] = {
    "max_f1": max_f1,
    "at_fpr_0.001": lambda labels, scores: at_false_positive_rate(labels, scores, 1e-3),
}
"""How a threshold may be chosen on validation."""


def margin(scores: NDArray[np.float64], classes: Mapping[str, Any]) -> NDArray[np.float64]:
    """Give the score of a chirp, (n,): as it is, or its class's margin over the best other one."""
    if scores.ndim == 1:
        return scores
    positive = np.isin(np.arange(scores.shape[1]), classes["positive"])
    return np.asarray(scores[:, positive].max(axis=1) - scores[:, ~positive].max(axis=1))


def cut_of(model: str, classes: Mapping[str, Any]) -> float:
    """Where a model itself decides for a chirp."""
    return 0.0 if classes["task"] == "classes" else own_cut(model)


def choose_threshold(rule: str, model: str, fitted: Any, features: Mapping[str, Any]) -> Threshold:
    """Choose a threshold on validation scores; where every class is asked for, the largest wins.

    Parameters
    ----------
    rule
        One of `RULES`.
    model, fitted, features
        As `fitting.score` takes them.
    """
    classes, rows = features["classes"], rows_of(features["splits"], VALIDATION)
    label = is_positive(np.asarray(features["splits"]["class"])[rows], classes)
    scores = margin(score(model, fitted, features, rows), classes)
    if classes["task"] == "chirp":
        return RULES[rule](label, scores)
    said, actual = scores >= 0, label == 1
    counts = int(actual.sum()), int((~actual).sum())
    shares = float(said[actual].mean()), float(1 - said[~actual].mean())
    return Threshold(0.0, "the largest class", *shares, *counts)


def predictions(
    model: str, fitted: Any, features: Mapping[str, Any], codes: list[int], threshold: float
) -> pd.DataFrame:
    """Ask a model about the images of some splits.

    Parameters
    ----------
    model, fitted, features
        As `fitting.score` takes them.
    codes
        The splits.
    threshold
        Scores from which an image is flagged as a chirp.

    Returns
    -------
    Table with id, group, split, label (class name), chirp (0 or 1), snr, score and flagged; with
    ``predicted``, a class name, where every class is asked for.
    """
    import pandas as pd

    images, classes = features["images"], features["classes"]
    split = np.asarray(features["splits"]["split"])
    rows = np.concatenate([rows_of(features["splits"], code) for code in codes])
    scores = score(model, fitted, features, rows)
    label = is_positive(np.asarray(features["splits"]["class"])[rows], classes)
    columns: dict[str, Any] = {k: read_rows(images[k], rows) for k in ("id", "group", "label")}
    columns["split"] = np.array(SPLITS)[split[rows]]
    columns |= {"chirp": label, "snr": read_rows(images["snr"], rows)}
    columns |= {"score": margin(scores, classes)}
    columns["flagged"] = columns["score"] >= threshold
    if scores.ndim == 2:
        columns["predicted"] = np.array(classes["names"])[scores.argmax(axis=1)]
    return pd.DataFrame(columns)


def chirps(table: pd.DataFrame) -> pd.DataFrame:
    """List the images found to be chirps, the surest first: id, score, split, and actual label."""
    found = table[table["flagged"]].sort_values(["score", "id"], ascending=[False, True])
    return found[["id", "score", "split", "label"]].reset_index(drop=True)


def efficiency(
    model: str,
    fitted: Any,
    trials: Arrays,
    features: Mapping[str, Any],
    scaling: Mapping[str, Any],
    threshold: float,
) -> list[dict[str, Any]]:
    """Work out the recall of injected chirps in bins of their signal-to-noise ratio.

    Parameters
    ----------
    model, fitted, features
        As `fitting.score` takes them.
    trials
        Injected chirps that nothing was learnt from: ``image``, ``label`` and ``snr``.
    scaling
        Of the training images.
    threshold
        Chosen on validation.

    Returns
    -------
    list of dict
        As `models.metrics.by_bin`; empty where chirps are not what is looked for.
    """
    classes = features["classes"]
    names = np.array(classes["names"])[classes["positive"]]
    if not np.isin(np.asarray(trials["label"]), names).all():
        return []
    seen: dict[str, Any] = {"images": trials, "classes": classes}
    if model in READS:
        asset, name = READS[model]
        blocks = (pixels_of if asset == "pixels" else columns_of)(trials, scaling)
        seen[asset] = {name: np.concatenate([block[name] for block in blocks])}
    scores = score(model, fitted, seen, np.arange(len(trials["image"])))
    return by_bin(np.asarray(trials["snr"]), margin(scores, classes) >= threshold, SNR_EDGES)


def judge(
    model: str,
    table: pd.DataFrame,
    threshold: float,
    classes: Mapping[str, Any],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Evaluate a model's predictions of the test images; intervals resample groups.

    Beside what `models.metrics.evaluate` gives: ``accuracy_at_own_cut`` and ``recall_at_own_cut``,
    and ``loss``, which are what the study published; ``chirps``, by split how many were found at
    the threshold and at the own cut; and, where every class is asked for, what `judge_classes`
    gives.

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
    group, own = test["group"].to_numpy().astype(str), cut_of(model, classes)
    settings: dict[str, Any] = {"groups": group, "resamples": resamples, "seed": seed}
    published = RESULTS.get(model) if classes["task"] == "chirp" else None
    judged = evaluate(label, scores, threshold, **settings, published=published)
    at_own = evaluate(label, scores, own, **settings)["metrics"]
    loss: dict[str, Any] = {"value": None, "low": None, "high": None}
    if judged["metrics"]["brier"]["value"] is None:
        loss["reason"] = judged["metrics"]["brier"]["reason"]
    else:
        loss = cross_entropy(label, scores, group, resamples=resamples, seed=seed)
    judged["metrics"] |= {f"{name}_at_own_cut": at_own[name] for name in ("accuracy", "recall")}
    judged["metrics"]["loss"] = loss
    judged["chirps"] = {
        name: {
            "of": int(held["chirp"].sum()),
            "found": int((held["flagged"] & (held["chirp"] == 1)).sum()),
            "found_at_own_cut": int(((held["score"] >= own) & (held["chirp"] == 1)).sum()),
        }
        for name, held in table.groupby("split")
    }
    if "predicted" in table:
        wider = judge_classes(test, list(classes["names"]), resamples=resamples, seed=seed)
        judged["metrics"] |= wider.pop("metrics")
        judged |= wider
    return judged


def judge_classes(
    test: pd.DataFrame, names: list[str], *, resamples: int, seed: int
) -> dict[str, Any]:
    """Judge answers to which class an image is of.

    Parameters
    ----------
    test
        ``label``, ``predicted`` and ``group``.
    names
        All classes.
    resamples, seed
        Of the intervals.

    Returns
    -------
    dict
        ``metrics``: ``class_accuracy`` and ``macro_f1``, the mean F1 of the classes that have a
        test image, with intervals by group; ``by_class``: by name the images, those rightly named,
        recall, precision and F1; ``confusion``: by actual class, how many were taken for which.
    """
    place = {name: code for code, name in enumerate(names)}
    actual, predicted = (test[k].map(place).to_numpy() for k in ("label", "predicted"))
    size, groups = len(names), group_codes(test["group"].to_numpy().astype(str), len(test))

    def measured(weights: NDArray[Any]) -> tuple[NDArray[Any], float, float]:
        counts = np.bincount(actual * size + predicted, weights, size * size).reshape(size, size)
        both = counts.sum(axis=0) + counts.sum(axis=1)
        f1 = 2 * np.diag(counts) / np.maximum(both, 1)
        return counts, np.trace(counts) / counts.sum(), f1[counts.sum(axis=1) > 0].mean()

    generator, many = np.random.default_rng(seed), int(groups.max()) + 1
    drawn = np.array(
        [
            measured(np.bincount(generator.integers(0, many, many), minlength=many)[groups])[1:]
            for _ in range(resamples)
        ]
    )
    counts, *values = measured(np.ones(len(test)))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    metrics: dict[str, Any] = {
        name: {"value": float(value), "low": float(low[k]), "high": float(high[k])}
        | {"method": "bootstrap"}
        for k, (name, value) in enumerate(zip(("class_accuracy", "macro_f1"), values, strict=True))
    }
    if many == len(test):
        exact = binomial_interval(round(np.trace(counts)), len(test))
        metrics["class_accuracy"] |= dict(zip(("low", "high"), exact, strict=True))
        metrics["class_accuracy"]["method"] = "exact"
    return {
        "metrics": metrics,
        "by_class": {
            name: _one_class(counts, code)
            for name, code in place.items()
            if counts[code].sum() + counts[:, code].sum()
        },
        "confusion": {
            name: {names[k]: int(counts[code, k]) for k in np.flatnonzero(counts[code])}
            for name, code in place.items()
            if counts[code].sum()
        },
    }


def _one_class(counts: NDArray[Any], code: int) -> dict[str, Any]:
    held, taken, right = counts[code].sum(), counts[:, code].sum(), counts[code, code]
    return {
        "images": int(held),
        "right": int(right),
        "recall": float(right / held) if held else None,
        "precision": float(right / taken) if taken else None,
        "f1": float(2 * right / (held + taken)),
    }

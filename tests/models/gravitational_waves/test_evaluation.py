"""Margins, chirps found, thresholds and metrics of every class, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.gravitational_waves import evaluation
from models.intervals import Metric, group_metrics

CHIRP = {"names": ["Blip", "Chirp", "Whistle"], "positive": [1], "task": "chirp"}
EVERY = CHIRP | {"task": "classes"}


def table(score, label, split=None, **columns):
    count = len(score)
    chirp = [int(name == "Chirp") for name in label]
    frame = {"id": [f"image-{k}" for k in range(count)], "group": [f"g{k}" for k in range(count)]}
    frame |= {"label": label, "split": split or ["test"] * count, "chirp": chirp, "score": score}
    return pd.DataFrame(frame | columns)


def test_a_margin_is_over_the_best_other_class():
    scores = np.array([[0.2, 0.5, 0.3], [0.6, 0.4, 0.0]])
    np.testing.assert_allclose(evaluation.margin(scores, EVERY), [0.2, -0.2])
    np.testing.assert_array_equal(evaluation.margin(scores[:, 1], CHIRP), [0.5, 0.4])
    assert evaluation.decision_threshold("deep_cnn", EVERY) == 0.0
    assert evaluation.decision_threshold("deep_cnn", CHIRP) == 0.5
    assert evaluation.decision_threshold("linear_svc", CHIRP) == 0.0


def test_chirps_found_are_listed_the_surest_first_with_what_they_are():
    predicted = table([0.2, 0.9, 0.7], ["Blip", "Chirp", "Whistle"], ["validation", "test", "test"])
    predicted["flagged"] = predicted["score"] >= 0.5
    flagged = evaluation.chirps(predicted)
    assert flagged.columns.tolist() == ["id", "score", "split", "label"]
    assert flagged["id"].tolist() == ["image-1", "image-2"]
    assert flagged["label"].tolist() == ["Chirp", "Whistle"]


def test_chirps_are_counted_by_split_at_both_thresholds():
    predicted = table(
        [0.1, 0.4, 0.6, 0.1, 0.2, 0.3, 0.8],
        ["Blip", "Chirp", "Chirp", "Blip", "Blip", "Chirp", "Chirp"],
        ["validation"] * 3 + ["test"] * 4,
    )
    predicted["flagged"] = predicted["score"] >= 0.3
    result = evaluation.evaluate_predictions(
        "deep_cnn", predicted, 0.3, CHIRP, resamples=100, seed=0
    )
    assert result.details["rows"] == 4
    assert result.details["chirps"]["validation"] == {
        "of": 2,
        "found": 2,
        "found_at_own_threshold": 1,
    }
    assert result.details["chirps"]["test"] == {"of": 2, "found": 2, "found_at_own_threshold": 1}
    assert result.value("recall") == 1.0
    assert result.value("recall_at_own_threshold") == 0.5
    assert result.value("accuracy_at_own_threshold") == 0.75
    loss = -np.mean(np.log([0.9, 0.8, 0.3, 0.8]))
    assert result.value("loss") == pytest.approx(loss)
    assert result.published["loss"] == 0.00076
    assert result.details["classes"] == CHIRP
    assert "by_class" not in result.details


def test_a_distance_has_no_loss():
    predicted = table([-2.0, 3.0, -1.0, 1.0], ["Blip", "Chirp", "Blip", "Chirp"])
    predicted["flagged"] = predicted["score"] >= 0
    result = evaluation.evaluate_predictions(
        "linear_svc", predicted, 0.0, CHIRP, resamples=100, seed=0
    )
    assert result.value("loss") is None
    assert "no probabilities" in result.metrics["loss"].reason
    assert result.value("accuracy_at_own_threshold") == 1.0


def test_intervals_resample_groups():
    predicted = table(
        [0.1, 0.2, 0.9, 0.8, 0.3, 0.7], ["Blip", "Blip", "Chirp", "Chirp", "Blip", "Chirp"]
    )
    predicted["flagged"] = predicted["score"] >= 0.5
    predicted["group"] = ["a", "a", "b", "b", "c", "d"]
    result = evaluation.evaluate_predictions("gan", predicted, 0.5, CHIRP, resamples=100, seed=0)
    assert result.details["groups"] == 4
    assert result.details["intervals"]["by"] == "group"


def test_every_class_is_evaluated_by_hand():
    predicted = table(
        [0.0] * 4,
        ["Blip", "Blip", "Chirp", "Whistle"],
        predicted=["Blip", "Chirp", "Chirp", "Blip"],
    )
    names = [*EVERY["names"], "Zebra"]
    metrics = group_metrics(evaluation.class_statistics(predicted, names), resamples=100, seed=0)
    assert metrics["class_accuracy"].value == 0.5
    # F1: Blip 2 * 1 / 4, Chirp 2 * 1 / 3, Whistle 0; no image is a zebra
    assert metrics["macro_f1"].value == pytest.approx((1 / 2 + 2 / 3) / 3)
    details = evaluation.class_details(predicted, names)
    assert details["confusion"]["Blip"] == {"Blip": 1, "Chirp": 1}
    assert set(details["by_class"]) == {"Blip", "Chirp", "Whistle"}
    assert details["by_class"]["Whistle"] == {
        "images": 1,
        "right": 0,
        "recall": 0.0,
        "precision": None,
        "f1": 0.0,
    }


def test_the_accuracy_over_independent_images_has_its_exact_interval():
    predicted = table(
        [-0.2, 0.3, 0.4, -0.1],
        ["Blip", "Blip", "Chirp", "Whistle"],
        predicted=["Blip", "Chirp", "Chirp", "Blip"],
    )
    predicted["flagged"] = predicted["score"] >= 0
    result = evaluation.evaluate_predictions(
        "deep_cnn", predicted, 0.0, EVERY, resamples=100, seed=0
    )
    assert result.metrics["class_accuracy"] == Metric.exact(2, 4)
    assert result.metrics["macro_f1"].method == "bootstrap"
    assert set(result.details["by_class"]) == {"Blip", "Chirp", "Whistle"}


class Fixed:
    """A stand-in for a fitted SVC."""

    classes_ = np.arange(3)

    def __init__(self, scores):
        self.scores = scores

    def decision_function(self, x):
        return self.scores[x[:, 0].astype(int)]


def examples():
    code = np.array([1, 0, 1, 2, 0, 0, 1, 2], np.int16)
    name = np.array([f"image-{k}" for k in range(8)])
    every = {
        "values": np.arange(8, dtype=np.float32)[:, None],
        "class": code,
        "label": np.array(EVERY["names"])[code],
        "id": name,
        "group": name,
        "snr": np.full(8, 9.0),
    }
    parts = {"validation": slice(4), "test": slice(4, None)}
    return {
        part: {name: values[rows] for name, values in every.items()} for part, rows in parts.items()
    }


def test_a_threshold_comes_from_the_scores_of_validation():
    fitted = Fixed(np.array([3.0, 1.0, 2.0, -1.0]))
    validation = evaluation.validation_scores("linear_svc", fitted, examples()["validation"], CHIRP)
    threshold = evaluation.choose_threshold("max_f1", *validation, CHIRP)
    assert (threshold.value, threshold.positives, threshold.negatives) == (2.0, 2, 2)
    strict = evaluation.choose_threshold("at_fpr_0.001", *validation, CHIRP)
    assert strict.specificity == 1.0


def test_the_largest_class_wins_where_every_class_is_asked_for():
    scores = np.eye(3)[[1, 1, 0, 2, 0, 0, 1, 1]]
    splits = examples()
    validation = evaluation.validation_scores(
        "linear_svc", Fixed(scores), splits["validation"], EVERY
    )
    threshold = evaluation.choose_threshold("max_f1", *validation, EVERY)
    assert (threshold.value, threshold.rule) == (0.0, "the largest class")
    assert (threshold.sensitivity, threshold.specificity) == (0.5, 0.5)
    said = evaluation.predictions("linear_svc", Fixed(scores), splits, EVERY, 0.0)
    assert said["predicted"].tolist()[:4] == ["Chirp", "Chirp", "Blip", "Whistle"]
    assert said["flagged"].tolist() == [True, True, False, False, False, False, True, True]
    assert said["split"].tolist() == ["validation"] * 4 + ["test"] * 4
    assert said["chirp"].tolist() == [1, 0, 1, 0, 0, 0, 1, 0]
    assert said["id"].tolist() == [f"image-{k}" for k in range(8)]


def test_efficiency_is_the_recall_of_injected_chirps_by_their_loudness():
    trials = {
        "values": np.arange(4, dtype=np.float32)[:, None],
        "snr": np.array([5.0, 9.0, 9.5, 40.0]),
        "class": np.ones(4, np.int16),
    }
    fitted = Fixed(np.array([-1.0, -1.0, 2.0, 2.0]))
    bins = evaluation.efficiency("linear_svc", fitted, trials, CHIRP, 0.0)
    assert [(b["found"], b["count"]) for b in bins if b["count"]] == [(0, 1), (1, 2), (1, 1)]
    other = CHIRP | {"positive": [0]}
    assert evaluation.efficiency("linear_svc", fitted, trials, other, 0.0) == []

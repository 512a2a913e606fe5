"""Metrics equal those computed by hand and scikit-learn's; intervals are honest at small counts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.evaluation import Evaluation, evaluate, permuted_control
from models.intervals import Metric, ratio
from models.thresholds import Threshold

# The published composite: 10 found of 570 stars, 4 of the 5 planets among them.
LABELS = np.r_[np.ones(5, int), np.zeros(565, int)]
SCORES = np.r_[np.full(4, 0.95), 0.1, np.full(6, 0.94), np.linspace(0, 0.9, 559)]


def noisy(rows, seed=0, positives=0.1):
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < positives).astype(int)
    return labels, 1 / (1 + np.exp(1 - generator.normal(size=rows) - 1.5 * labels))


def test_counts_and_metrics_at_the_threshold_by_hand():
    result = evaluate(LABELS, SCORES, 0.93, seed=0)
    assert result.counts == {
        "found": 10, "actual": 5, "missed": 1, "false_alarms": 6,
        "tp": 4, "fp": 6, "fn": 1, "tn": 559,
    }  # fmt: skip
    value = result.values()
    assert value["accuracy"] == 563 / 570
    assert value["precision"] == 0.4
    assert value["recall"] == 0.8
    assert value["f1"] == pytest.approx(8 / 15)
    assert value["tss"] == pytest.approx(0.8 - 6 / 565)
    assert value["hss2"] == pytest.approx(2 * (4 * 559 - 1 * 6) / (5 * 560 + 10 * 565))
    assert value["frequency_bias"] == 2
    assert (result.details["rows"], result.details["groups"], result.threshold) == (570, None, 0.93)
    assert result.details["base_rate"] == 5 / 570


def test_brier_and_its_skill_by_hand():
    metrics = evaluate([1, 0, 0, 0], [0.8, 0.4, 0.2, 0.0], 0.5, seed=0).metrics
    assert metrics["brier"].value == pytest.approx((0.04 + 0.16 + 0.04) / 4)
    assert metrics["brier_skill"].value == pytest.approx(1 - 0.06 / (0.25 * 0.75))


def test_a_row_at_the_threshold_is_flagged():
    assert evaluate([1, 0], [0.5, 0.4], 0.5, seed=0).counts["tp"] == 1
    assert evaluate([1, 0], [0.5, 0.4], np.nextafter(0.5, 1), seed=0).counts["tp"] == 0
    chosen = Threshold(0.5, "crossover", 1, 1, 1, 1)
    assert evaluate([1, 0], [0.5, 0.4], chosen, seed=0).threshold == 0.5


def test_five_found_of_five_is_not_certainty():
    scores = np.where(LABELS, 0.9, np.linspace(0, 0.5, 570))
    metrics = evaluate(LABELS, scores, 0.6, seed=0).metrics
    assert metrics["recall"].value == 1
    assert metrics["recall"].low == pytest.approx(0.4782, abs=1e-4)  # 0.025 ** (1 / 5)
    assert metrics["precision"].low == metrics["recall"].low
    assert metrics["recall"].method == "exact"
    assert metrics["recall_at_fpr_0.01"].low == metrics["recall"].low
    for name in ("f1", "tss", "hss2"):
        assert metrics[name].low < 0.75
        assert metrics[name].high == 1
    for name in ("average_precision", "roc_auc"):  # perfect, and no resample can say how surely
        assert metrics[name].value == 1
        assert metrics[name].low is metrics[name].high is None
        assert "every resample" in metrics[name].reason


def test_recall_at_a_false_positive_rate_by_hand():
    labels = np.r_[np.ones(4), np.zeros(1000)]
    # One positive above all, then 5 negatives, one positive, 5 negatives, one positive, ...
    scores = np.r_[1.0, 0.94, 0.88, 0.1, np.full(5, 0.95), np.full(5, 0.9), np.full(990, 0.5)]
    metrics = evaluate(labels, scores, 0.9, seed=0).metrics
    assert metrics["recall_at_fpr_0.01"].value == 0.75  # 10 of 1000 negatives
    assert metrics["recall_at_fpr_0.001"].value == 0.25
    assert metrics["precision_at_recall_0.9"].value == pytest.approx(4 / 1004)
    assert metrics["recall_at_precision_0.9"].value == 0.25


def test_what_the_rows_do_not_determine_is_none_with_the_reason():
    metrics = evaluate([1, 0, 0], [0.3, 0.2, 0.1], 0.5, seed=0).metrics
    assert metrics["precision"] == Metric.undefined("no row is flagged")
    assert metrics["recall"].value == metrics["f1"].value == 0
    assert metrics["recall_at_fpr_0.01"].value is None
    assert metrics["recall_at_fpr_0.01"].reason == "2 negatives cannot show a rate of 0.01"
    metrics = evaluate([0, 0], [-3.0, 2.0], 0.5, seed=0).metrics
    assert metrics["brier"].reason == "scores are no probabilities: -3 ... 2"
    for name in ("recall", "f1", "tss", "average_precision", "roc_auc"):
        assert metrics[name].value is None
        assert metrics[name].reason == "there are no positives"
    assert metrics["accuracy"].value == 0.5
    metrics = evaluate([1, 1], [0.3, 0.7], 0.5, seed=0).metrics
    assert metrics["recall"].value == 0.5
    assert metrics["roc_auc"].reason == "there are no negatives"


def test_results_are_json_and_depend_on_the_seed_alone():
    labels, scores = noisy(300)
    first = evaluate(labels, scores, 0.5, seed=3, published={"f1": 0.53})
    stored = json.loads(json.dumps(first.to_dict(), allow_nan=False))
    assert Evaluation.from_dict(stored) == first
    assert first == evaluate(labels, scores, 0.5, seed=3, published={"f1": 0.53})
    assert first != evaluate(labels, scores, 0.5, seed=4, published={"f1": 0.53})
    assert first.published == {"f1": 0.53}


def test_intervals_hold_the_value_and_copies_in_a_group_do_not_narrow_them():
    labels, scores = noisy(200)
    single = evaluate(labels, scores, 0.5, seed=0).metrics
    copies = np.repeat(np.arange(200), 10)
    grouped = evaluate(labels[copies], scores[copies], 0.5, groups=copies, seed=0)
    naive = evaluate(labels[copies], scores[copies], 0.5, seed=0).metrics
    assert (grouped.details["groups"], grouped.details["positive_groups"]) == (200, labels.sum())
    assert grouped.details["intervals"]["by"] == "group"
    for name in ("roc_auc", "average_precision", "brier"):
        assert single[name].low < single[name].value < single[name].high
        width, of_groups, too_narrow = (
            m[name].high - m[name].low for m in (single, grouped.metrics, naive)
        )
        assert of_groups == pytest.approx(width, rel=0.15)
        assert too_narrow < width / 2


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    covered = {"roc_auc": 0, "tss": 0, "recall": 0}
    # Scores of the classes are N(0, 1) and N(1, 1): area Phi(1 / sqrt 2), threshold 0.5.
    truth = {"roc_auc": 0.7602, "recall": 0.6915, "tss": 0.3829}
    generator = np.random.default_rng(1)
    for seed in range(200):
        labels = np.arange(150) < 30
        scores = generator.normal(size=150) + labels
        metrics = evaluate(labels, scores, 0.5, resamples=200, seed=seed).metrics
        for name, value in truth.items():
            covered[name] += metrics[name].low <= value <= metrics[name].high
    # 190 of 200 are due, with a standard deviation of 3.1.
    assert all(count >= 180 for count in covered.values()), covered


def test_one_group_of_positives_yields_no_interval():
    labels, scores = noisy(100)
    groups = np.where(labels, -1, np.arange(100))
    metrics = evaluate(labels, scores, 0.5, groups=groups, seed=0).metrics
    assert metrics["roc_auc"].value is not None
    assert metrics["roc_auc"].low is None
    assert "one group holds all positives" in metrics["roc_auc"].reason


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"row 2 holds inf \(1 of 2 rows\)"):
        evaluate([1, 0], [0.1, np.inf], 0.5, seed=0)
    with pytest.raises(ValueError, match="threshold is not a number"):
        evaluate([1, 0], [0.1, 0.2], np.nan, seed=0)
    with pytest.raises(ValueError, match="100 resamples or more, not 10"):
        evaluate([1, 0], [0.1, 0.2], 0.5, resamples=10, seed=0)
    with pytest.raises(ValueError, match="one group per row"):
        evaluate([1, 0], [0.1, 0.2], 0.5, groups=[1], seed=0)


def test_permuted_control_passes_a_fair_split_and_catches_a_leak():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(400, 5))
    labels = (x[:, 0] + generator.normal(size=400) > 0.5).astype(int)
    train, held_out = np.arange(300), np.arange(300, 400)

    def fair(permuted):
        weights = x[train].T @ (permuted - permuted.mean())
        return x[held_out] @ weights

    def leaky(permuted):
        return labels[held_out] + generator.normal(size=100)

    result = permuted_control(labels[train], fair, labels[held_out], seed=0)
    assert result.as_chance
    assert result.roc_auc == pytest.approx(0.5, abs=result.tolerance)
    assert result.average_precision == pytest.approx(result.base_rate, abs=0.2)
    json.dumps(result.to_dict())
    caught = permuted_control(labels[train], leaky, labels[held_out], seed=0)
    assert not caught.as_chance
    with pytest.raises(ValueError, match="both classes held out, not 0 positives"):
        permuted_control(labels[train], fair, np.zeros(100), seed=0)


def test_further_decisions_and_statistics_come_from_the_same_resamples():
    labels, scores = noisy(300)
    groups = np.arange(300) // 3
    wrong = ratio((scores >= 0.5) != labels, np.ones(300), groups)
    settings = {"groups": groups, "resamples": 200, "seed": 1}
    together = evaluate(
        labels,
        scores,
        0.5,
        decisions={"_at_0.3": scores >= 0.3},
        statistics={"error": wrong},
        **settings,
    )
    alone = evaluate(labels, scores, 0.3, **settings)
    for name in ("accuracy", "precision", "recall", "f1", "tss", "hss2", "frequency_bias"):
        assert together.metrics[f"{name}_at_0.3"] == alone.metrics[name]
    error = together.metrics["error"]
    assert error.value == pytest.approx(1 - together.value("accuracy"))
    assert error.low < error.value < error.high


@pytest.mark.parametrize("groups", [None, np.arange(300) // 3])
def test_a_second_decision_does_not_change_the_first(groups):
    labels, scores = noisy(300)
    settings = {"groups": groups, "resamples": 100, "seed": 2}
    plain = evaluate(labels, scores, 0.5, **settings)
    both = evaluate(labels, scores, 0.5, decisions={"_x": scores >= 0.2}, **settings)
    assert {name: both.metrics[name] for name in plain.metrics} == plain.metrics


def test_decisions_may_be_other_than_scores_above_the_threshold():
    labels, scores = noisy(100)
    result = evaluate(labels, scores, 0.5, flagged=labels, seed=0)
    assert result.value("f1") == 1
    assert result.value("roc_auc") == evaluate(labels, scores, 0.5, seed=0).value("roc_auc")


def test_details_and_metrics_are_added_to_a_copy():
    first = Evaluation({"actual": 1}, {"f1": Metric(0.5, 0.2, 0.7, "bootstrap")})
    more = first.with_metrics({"tss": Metric.undefined("why")}).with_details(note="text")
    assert first.details == {}
    assert more.values() == {"f1": 0.5}
    assert more.to_dict() == {
        "note": "text",
        "counts": {"actual": 1},
        "metrics": {
            "f1": {"value": 0.5, "low": 0.2, "high": 0.7, "method": "bootstrap"},
            "tss": {"value": None, "low": None, "high": None, "reason": "why"},
        },
    }
    assert Evaluation.from_dict(more.to_dict()) == more

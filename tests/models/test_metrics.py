"""Measures equal those worked by hand and scikit-learn's; intervals own up to small counts."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.metrics import (
    _Ranking,
    binomial_interval,
    by_bin,
    confusion,
    cross_entropy,
    evaluate,
    permuted_control,
    proportional_chance_criterion,
    ratio,
    reliability,
)
from models.thresholds import Threshold

# The published composite: 10 found of 570 stars, 4 of the 5 planets among them.
LABELS = np.r_[np.ones(5, int), np.zeros(565, int)]
SCORES = np.r_[np.full(4, 0.95), 0.1, np.full(6, 0.94), np.linspace(0, 0.9, 559)]


def noisy(rows, seed=0, positives=0.1):
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < positives).astype(int)
    return labels, 1 / (1 + np.exp(1 - generator.normal(size=rows) - 1.5 * labels))


def test_counts_and_measures_at_the_threshold_by_hand():
    result = evaluate(LABELS, SCORES, 0.93, seed=0)
    assert result["counts"] == {
        "found": 10, "actual": 5, "missed": 1, "false_alarms": 6,
        "tp": 4, "fp": 6, "fn": 1, "tn": 559,
    }  # fmt: skip
    value = {name: entry["value"] for name, entry in result["metrics"].items()}
    assert value["accuracy"] == 563 / 570
    assert value["precision"] == 0.4
    assert value["recall"] == 0.8
    assert value["f1"] == pytest.approx(8 / 15)
    assert value["tss"] == pytest.approx(0.8 - 6 / 565)
    assert value["hss2"] == pytest.approx(2 * (4 * 559 - 1 * 6) / (5 * 560 + 10 * 565))
    assert value["frequency_bias"] == 2
    assert (result["rows"], result["groups"], result["threshold"]) == (570, None, 0.93)
    assert result["base_rate"] == 5 / 570


def test_brier_and_its_skill_by_hand():
    metrics = evaluate([1, 0, 0, 0], [0.8, 0.4, 0.2, 0.0], 0.5, seed=0)["metrics"]
    assert metrics["brier"]["value"] == pytest.approx((0.04 + 0.16 + 0.04) / 4)
    assert metrics["brier_skill"]["value"] == pytest.approx(1 - 0.06 / (0.25 * 0.75))


def test_a_row_at_the_threshold_is_flagged():
    assert evaluate([1, 0], [0.5, 0.4], 0.5, seed=0)["counts"]["tp"] == 1
    assert evaluate([1, 0], [0.5, 0.4], np.nextafter(0.5, 1), seed=0)["counts"]["tp"] == 0
    chosen = Threshold(0.5, "crossover", 1, 1, 1, 1)
    assert evaluate([1, 0], [0.5, 0.4], chosen, seed=0)["threshold"] == 0.5


def test_five_found_of_five_is_not_certainty():
    scores = np.where(LABELS, 0.9, np.linspace(0, 0.5, 570))
    metrics = evaluate(LABELS, scores, 0.6, seed=0)["metrics"]
    assert metrics["recall"]["value"] == 1
    assert metrics["recall"]["low"] == pytest.approx(0.4782, abs=1e-4)  # 0.025 ** (1 / 5)
    assert metrics["precision"]["low"] == metrics["recall"]["low"]
    assert metrics["recall"]["method"] == "exact"
    assert metrics["recall_at_fpr_0.01"]["low"] == metrics["recall"]["low"]
    for name in ("f1", "tss", "hss2"):
        assert metrics[name]["low"] < 0.75
        assert metrics[name]["high"] == 1
    for name in ("average_precision", "roc_auc"):  # perfect, and no resample can say how surely
        assert metrics[name]["value"] == 1
        assert metrics[name]["low"] is metrics[name]["high"] is None
        assert "every resample" in metrics[name]["reason"]


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 3)), min_size=2, max_size=40
    ).filter(lambda rows: len({label for label, _, w in rows if w}) == 2)
)
def test_ranking_equals_scikit_learn_with_ties_and_weights(rows):
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels, scores, weights = (np.array(column) for column in zip(*rows, strict=True))
    ranking = _Ranking(labels, scores.astype(float), 4.0)
    got = ranking.measure(
        weights[None, ranking.positive_rows], weights[None, ranking.negative_rows]
    )
    assert got["roc_auc"][0] == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))
    assert got["average_precision"][0] == pytest.approx(
        average_precision_score(labels, scores, sample_weight=weights)
    )
    # A weight is a repetition.
    again = np.repeat(np.arange(labels.size), weights)
    repeated = _Ranking(labels[again], scores[again].astype(float), 4.0)
    ones = np.ones((1, repeated.positives)), np.ones((1, repeated.negatives))
    for name, values in repeated.measure(*ones).items():
        assert got[name] == pytest.approx(values, nan_ok=True), name


def test_recall_at_a_false_positive_rate_by_hand():
    labels = np.r_[np.ones(4), np.zeros(1000)]
    # One positive above all, then 5 negatives, one positive, 5 negatives, one positive, ...
    scores = np.r_[1.0, 0.94, 0.88, 0.1, np.full(5, 0.95), np.full(5, 0.9), np.full(990, 0.5)]
    metrics = evaluate(labels, scores, 0.9, seed=0)["metrics"]
    assert metrics["recall_at_fpr_0.01"]["value"] == 0.75  # 10 of 1000 negatives
    assert metrics["recall_at_fpr_0.001"]["value"] == 0.25
    assert metrics["precision_at_recall_0.9"]["value"] == pytest.approx(4 / 1004)
    assert metrics["recall_at_precision_0.9"]["value"] == 0.25


def test_what_the_rows_do_not_determine_is_none_with_the_reason():
    metrics = evaluate([1, 0, 0], [0.3, 0.2, 0.1], 0.5, seed=0)["metrics"]
    assert metrics["precision"] == {
        "value": None, "low": None, "high": None, "reason": "no row is flagged",
    }  # fmt: skip
    assert metrics["recall"]["value"] == metrics["f1"]["value"] == 0
    assert metrics["recall_at_fpr_0.01"]["value"] is None
    assert metrics["recall_at_fpr_0.01"]["reason"] == "2 negatives cannot show a rate of 0.01"
    metrics = evaluate([0, 0], [-3.0, 2.0], 0.5, seed=0)["metrics"]
    assert metrics["brier"]["reason"] == "scores are no probabilities: -3 ... 2"
    for name in ("recall", "f1", "tss", "average_precision", "roc_auc"):
        assert metrics[name]["value"] is None
        assert metrics[name]["reason"] == "there are no positives"
    assert metrics["accuracy"]["value"] == 0.5
    metrics = evaluate([1, 1], [0.3, 0.7], 0.5, seed=0)["metrics"]
    assert metrics["recall"]["value"] == 0.5
    assert metrics["roc_auc"]["reason"] == "there are no negatives"


def test_results_are_json_and_depend_on_the_seed_alone():
    labels, scores = noisy(300)
    first = evaluate(labels, scores, 0.5, seed=3, published={"f1": 0.53})
    assert json.loads(json.dumps(first, allow_nan=False)) == first
    assert first == evaluate(labels, scores, 0.5, seed=3, published={"f1": 0.53})
    assert first != evaluate(labels, scores, 0.5, seed=4, published={"f1": 0.53})
    assert first["published"] == {"f1": 0.53}


def test_intervals_hold_the_value_and_copies_in_a_group_do_not_narrow_them():
    labels, scores = noisy(200)
    single = evaluate(labels, scores, 0.5, seed=0)["metrics"]
    copies = np.repeat(np.arange(200), 10)
    grouped = evaluate(labels[copies], scores[copies], 0.5, groups=copies, seed=0)
    naive = evaluate(labels[copies], scores[copies], 0.5, seed=0)["metrics"]
    assert (grouped["groups"], grouped["positive_groups"]) == (200, labels.sum())
    assert grouped["intervals"]["by"] == "group"
    for name in ("roc_auc", "average_precision", "brier"):
        assert single[name]["low"] < single[name]["value"] < single[name]["high"]
        width, of_groups, too_narrow = (
            m[name]["high"] - m[name]["low"] for m in (single, grouped["metrics"], naive)
        )
        assert of_groups == pytest.approx(width, rel=0.15)
        assert too_narrow < width / 2


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    covered = {"roc_auc": 0, "tss": 0, "recall": 0}
    # Scores of the classes are N(0, 1) and N(1, 1): area Phi(1 / sqrt 2), cut at 0.5.
    truth = {"roc_auc": 0.7602, "recall": 0.6915, "tss": 0.3829}
    generator = np.random.default_rng(1)
    for seed in range(200):
        labels = np.arange(150) < 30
        scores = generator.normal(size=150) + labels
        metrics = evaluate(labels, scores, 0.5, resamples=200, seed=seed)["metrics"]
        for name, value in truth.items():
            covered[name] += metrics[name]["low"] <= value <= metrics[name]["high"]
    # 190 of 200 are due, with a standard deviation of 3.1.
    assert all(count >= 180 for count in covered.values()), covered


def test_one_group_of_positives_yields_no_interval():
    labels, scores = noisy(100)
    groups = np.where(labels, -1, np.arange(100))
    metrics = evaluate(labels, scores, 0.5, groups=groups, seed=0)["metrics"]
    assert metrics["roc_auc"]["value"] is not None
    assert metrics["roc_auc"]["low"] is None
    assert "one group holds all positives" in metrics["roc_auc"]["reason"]


def test_a_thousand_resamples_of_five_thousand_rows_take_a_moment():
    labels, scores = noisy(5000)
    start = time.perf_counter()
    evaluate(labels, scores, 0.5, seed=0)
    assert time.perf_counter() - start < 2


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"row 2 holds inf \(1 of 2 rows\)"):
        evaluate([1, 0], [0.1, np.inf], 0.5, seed=0)
    with pytest.raises(ValueError, match="threshold is not a number"):
        evaluate([1, 0], [0.1, 0.2], np.nan, seed=0)
    with pytest.raises(ValueError, match="100 resamples or more, not 10"):
        evaluate([1, 0], [0.1, 0.2], 0.5, resamples=10, seed=0)
    with pytest.raises(ValueError, match="one group per row"):
        evaluate([1, 0], [0.1, 0.2], 0.5, groups=[1], seed=0)
    with pytest.raises(ValueError, match="2 labels and 3 predictions differ"):
        confusion([1, 0], [1, 0, 0])
    with pytest.raises(ValueError, match=r"predictions must be 0 or 1, but row 1 holds 0\.7"):
        confusion([1, 0], [0.7, 0.1])


def test_confusion_by_hand():
    assert confusion([1, 1, 1, 0, 0], [1, 1, 0, 1, 0]) == {"tp": 2, "fp": 1, "fn": 1, "tn": 1}


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),  # Clopper & Pearson (1934) as tabulated
    [(5, 5, 0.4782, 1.0), (0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129)],
)
def test_binomial_interval_is_the_tabulated_one(k, n, low, high):
    assert binomial_interval(k, n) == pytest.approx((low, high), abs=1e-4)


def test_binomial_interval_needs_trials():
    with pytest.raises(ValueError, match="no proportion: 0 of 0"):
        binomial_interval(0, 0)


def test_reliability_by_hand():
    result = reliability([0, 1, 1, 0, 1], [0.1, 0.15, 0.9, 1.0, 0.9], bins=5)
    assert result["start"] == [0.0, 0.8]
    assert result["stop"] == [0.2, 1.0]
    assert result["count"] == [2, 3]
    assert result["forecast"] == pytest.approx([0.125, 2.8 / 3])
    assert result["observed"] == pytest.approx([1 / 2, 2 / 3])
    assert result["low"][0] == pytest.approx(binomial_interval(1, 2)[0])
    json.dumps(result)
    with pytest.raises(ValueError, match=r"scores span -1 \.\.\. 2: calibrate"):
        reliability([0, 1], [-1, 2])


def test_by_bin_counts_every_positive_once():
    result = by_bin([4, 7, 7.5, 12, 12, 30, np.nan], [0, 1, 0, 1, 1, 1, 0], [4, 7, 12, 12.5])
    assert [(b["start"], b["stop"], b["count"], b["found"]) for b in result] == [
        (4, 7, 1, 0), (7, 12, 2, 1), (12, 12.5, 2, 2), (None, None, 1, 1), (None, None, 1, 0),
    ]  # fmt: skip
    assert result[1]["recall"]["value"] == 0.5
    assert result[1]["recall"]["low"] == pytest.approx(0.0126, abs=1e-4)
    assert [b.get("outside") for b in result[3:]] == ["beyond the edges", "not known"]
    assert by_bin([1], [1], [5, 6])[0]["recall"]["value"] is None
    with pytest.raises(ValueError, match="edges must rise"):
        by_bin([1], [1], [5, 5])


@pytest.mark.parametrize(
    ("others", "flares", "chance", "bar"),
    [
        (345_796, 68_555, 0.7238, 0.9048),
        (464_614, 82_858, 0.7431, 0.9289),
        (69_094, 12_680, 0.7380, 0.9225),
    ],
)
def test_proportional_chance_criterion_is_the_published_one(others, flares, chance, bar):
    found = proportional_chance_criterion([others, flares])
    assert found["chance"] == pytest.approx(chance, abs=5e-5)
    assert found["bar"] == pytest.approx(bar, abs=5e-5)
    assert found["note"] is None


def test_a_chance_bar_above_one_is_said_to_be_so():
    rare = proportional_chance_criterion([0.95, 0.05])
    assert rare["bar"] == pytest.approx(1.25 * 0.905)
    assert rare["note"] == "the bar exceeds 1: no model can pass it"
    with pytest.raises(ValueError, match="0 or more, and one above 0"):
        proportional_chance_criterion([-1, 2])


def test_ratio_by_hand_with_its_interval_by_whole_groups():
    # One group errs 1 in 8, the other 3 in 4; a resample holds the first, both or the second.
    found = ratio([1, 0, 3], [4, 4, 4], ["a", "a", "b"], resamples=400, seed=0)
    assert found["value"] == pytest.approx(4 / 12)
    assert (found["low"], found["high"]) == pytest.approx((1 / 8, 3 / 4))
    assert found["method"] == "bootstrap"


def test_cross_entropy_by_hand():
    found = cross_entropy(
        np.array([1, 0]), np.array([0.5, 0.75]), np.array(["a", "b"]), resamples=100, seed=0
    )
    assert found["value"] == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert found["low"] == pytest.approx(math.log(2))
    assert found["high"] == pytest.approx(math.log(4))


def test_a_certain_mistake_costs_what_keras_says():
    found = cross_entropy(
        np.array([1, 1]), np.array([0.0, 0.0]), np.array(["a", "b"]), resamples=100, seed=0
    )
    assert found["value"] == pytest.approx(-math.log(1e-7))


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
    assert result["as_chance"]
    assert result["roc_auc"] == pytest.approx(0.5, abs=result["tolerance"])
    assert result["average_precision"] == pytest.approx(result["base_rate"], abs=0.2)
    json.dumps(result)
    caught = permuted_control(labels[train], leaky, labels[held_out], seed=0)
    assert not caught["as_chance"]
    with pytest.raises(ValueError, match="both classes held out, not 0 positives"):
        permuted_control(labels[train], fair, np.zeros(100), seed=0)

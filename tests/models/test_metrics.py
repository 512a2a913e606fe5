"""Measures equal those computed by hand and scikit-learn's."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.intervals import binomial_interval, group_metrics
from models.metrics import (
    Counts,
    Decisions,
    Ranking,
    confusion,
    cross_entropy,
    proportional_chance_criterion,
    recall_by_bin,
    reliability,
)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 3)), min_size=2, max_size=40
    ).filter(lambda rows: len({label for label, _, w in rows if w}) == 2)
)
def test_ranking_equals_scikit_learn_with_ties_and_weights(rows):
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels, scores, weights = (np.array(column) for column in zip(*rows, strict=True))
    ranking = Ranking(labels, scores.astype(float))
    got = ranking.measure(weights[None].astype(float))
    assert got["roc_auc"][0] == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))
    assert got["average_precision"][0] == pytest.approx(
        average_precision_score(labels, scores, sample_weight=weights)
    )
    # A weight is a repetition.
    again = np.repeat(np.arange(labels.size), weights)
    repeated = Ranking(labels[again], scores[again].astype(float))
    for name, values in repeated.measure(np.ones((1, again.size))).items():
        assert got[name] == pytest.approx(values, nan_ok=True), name


def test_confusion_by_hand():
    assert confusion([1, 1, 1, 0, 0], [1, 1, 0, 1, 0]) == Counts(tp=2, fp=1, fn=1, tn=1)


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


def test_recall_by_bin_counts_every_positive_once():
    result = recall_by_bin([4, 7, 7.5, 12, 12, 30, np.nan], [0, 1, 0, 1, 1, 1, 0], [4, 7, 12, 12.5])
    assert [(b["start"], b["stop"], b["count"], b["found"]) for b in result] == [
        (4, 7, 1, 0), (7, 12, 2, 1), (12, 12.5, 2, 2), (None, None, 1, 1), (None, None, 1, 0),
    ]  # fmt: skip
    assert result[1]["recall"]["value"] == 0.5
    assert result[1]["recall"]["low"] == pytest.approx(0.0126, abs=1e-4)
    assert [b.get("outside") for b in result[3:]] == ["beyond the edges", "not known"]
    assert recall_by_bin([1], [1], [5, 6])[0]["recall"]["value"] is None
    with pytest.raises(ValueError, match="edges must rise"):
        recall_by_bin([1], [1], [5, 5])


@pytest.mark.parametrize(
    ("others", "flares", "chance", "bar"),
    [
        (345_796, 68_555, 0.7238, 0.9048),
        (464_614, 82_858, 0.7431, 0.9289),
        (69_094, 12_680, 0.7380, 0.9225),
    ],
)
def test_proportional_chance_criterion_is_the_published_one(others, flares, chance, bar):
    criterion = proportional_chance_criterion([others, flares])
    assert criterion["chance"] == pytest.approx(chance, abs=5e-5)
    assert criterion["bar"] == pytest.approx(bar, abs=5e-5)
    assert criterion["note"] is None


def test_a_chance_bar_above_one_is_said_to_be_so():
    rare = proportional_chance_criterion([0.95, 0.05])
    assert rare["bar"] == pytest.approx(1.25 * 0.905)
    assert rare["note"] == "the bar exceeds 1: no model can pass it"
    with pytest.raises(ValueError, match="0 or more, and one above 0"):
        proportional_chance_criterion([-1, 2])


def test_cross_entropy_by_hand():
    statistic = cross_entropy([1, 0], [0.5, 0.75], ["a", "b"])
    metric = group_metrics({"loss": statistic}, resamples=100, seed=0)["loss"]
    assert metric.value == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert metric.low == pytest.approx(math.log(2))
    assert metric.high == pytest.approx(math.log(4))


def test_a_certain_mistake_costs_what_keras_says():
    statistic = cross_entropy([1, 1], [0.0, 0.0], ["a", "b"])
    metric = group_metrics({"loss": statistic}, resamples=100, seed=0)["loss"]
    assert metric.value == pytest.approx(-math.log(1e-7))


def test_decisions_under_weights_equal_repeated_rows():
    labels = np.array([1, 1, 0, 0, 1], bool)
    flagged = np.array([1, 0, 1, 0, 1], bool)
    weights = np.array([2, 1, 0, 3, 1])
    again = np.repeat(np.arange(5), weights)
    weighted = Decisions(labels, flagged).measure(weights[None].astype(float))
    repeated = Decisions(labels[again], flagged[again])
    assert repeated.counts == Counts(tp=3, fp=0, fn=1, tn=3)
    for name, values in repeated.measure(np.ones((1, again.size))).items():
        assert weighted[name] == pytest.approx(values), name


def test_malformed_decisions_are_refused():
    with pytest.raises(ValueError, match="2 labels and 3 predictions differ"):
        confusion([1, 0], [1, 0, 0])
    with pytest.raises(ValueError, match=r"predictions must be 0 or 1, but row 1 holds 0\.7"):
        confusion([1, 0], [0.7, 0.1])

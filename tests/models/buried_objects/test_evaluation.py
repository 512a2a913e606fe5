"""Metrics by hand: per trace, per window, per event."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.buried_objects import evaluation
from models.buried_objects.windows import Places
from models.intervals import GroupStatistic, Metric, group_metrics


def table(label, score, decision=None):
    """Scans of 10 traces."""
    count = len(label)
    labels = {
        "label": np.array(label, np.int8),
        "scan": np.repeat(np.arange(count // 10), 10).astype(np.int32),
        "trace": np.tile(np.arange(10), count // 10).astype(np.int16),
    }
    decision = decision or {"value": 0.6, "low": 0.6, "median": 1}
    return evaluation.predictions(labels, np.array(score, float), decision), decision


def windows(starts, length):
    return Places(np.array(starts), np.full(len(starts), length), np.full(len(starts), -1))


LABEL = [*[0, 0, 1, 1, 1, 1, 0, 0, 0, 0], *[0, 0, 0, 0, 1, 1, 0, 0, 0, 0]]
SCORE = [*[0, 0, 0, 0.9, 0.9, 0.9, 0.7, 0, 0, 0], *[0, 0.9, 0, 0, 0.55, 0.9, 0, 0, 0, 0]]


def test_both_f1_by_hand():
    """TP 3 + 1, FP 1 + 1, FN 1 + 1; at 0.5 one more is found."""
    predicted, decision = table(LABEL, SCORE)
    result = evaluation.evaluate_predictions(
        predicted, decision, windows([0, 10], 10), resamples=100, seed=0
    )
    metrics = result.values()
    counts = {name: result.counts[name] for name in ("tp", "fp", "fn")}
    assert counts == {"tp": 4, "fp": 2, "fn": 2}
    assert metrics["precision"] == pytest.approx(4 / 6)
    assert metrics["recall"] == pytest.approx(4 / 6)
    assert metrics["f1"] == pytest.approx(4 / 6)
    assert metrics["f1_as_printed"] == pytest.approx(4 / (0.5 * 4))
    assert metrics["f1_at_0.5"] == pytest.approx(10 / 13)
    assert metrics["f1_as_printed_at_0.5"] == pytest.approx(5 / 1.5)
    assert metrics["jaccard"] == pytest.approx((3 / 5 + 1 / 3) / 2)
    assert result.details["intervals"]["by"] == "group"
    assert result.details["decision"] == decision


def test_jaccard_is_a_mean_over_windows_that_have_one():
    """Traces 0-4: 2 of 3; 5-9: 1 of 2; 10-13: a false one, 0 of 1; 16-19: nothing, left out."""
    predicted, _ = table(LABEL, SCORE)
    overlap = evaluation.overlaps(
        predicted["label"].to_numpy(),
        predicted["flagged"].to_numpy(),
        predicted["scan"].to_numpy(),
        np.array([0, 5, 10, 16]),
        np.array([5, 5, 4, 4]),
    )
    np.testing.assert_allclose(overlap, [[2 / 3 + 1 / 2, 2], [0, 1]])


def test_events_are_runs_and_match_within_the_collar():
    assert evaluation.events(np.array([1, 1, 0, 1, 0, 0, 1])) == [(0, 1), (3, 3), (6, 6)]
    assert evaluation.events(np.zeros(3)) == []
    label = np.zeros(60, int)
    label[20:40] = 1
    scan = np.zeros(60, int)
    for first, last, hits in ((25, 35, 1), (26, 40, 0), (15, 45, 1), (15, 46, 0)):
        said = np.zeros(60, int)
        said[first:last] = 1
        assert evaluation.matched(label, said, scan, 5).tolist() == [[1, 1, hits]]
    # one predicted event is no match for two
    label[:] = 0
    label[[20, 22]] = 1
    said[:] = 0
    said[21] = 1
    assert evaluation.matched(label, said, scan, 5).tolist() == [[2, 1, 1]]


def test_undefined_stays_undefined_with_its_reason():
    predicted, decision = table(LABEL, [0.1] * 20)
    result = evaluation.evaluate_predictions(
        predicted, decision, windows([0, 6], 4), resamples=100, seed=0
    )
    metrics = result.metrics
    assert metrics["precision"].value is None
    assert "no row is flagged" in metrics["precision"].reason
    assert metrics["f1"].value == 0
    assert metrics["f1_as_printed"].value == 0
    assert metrics["event_f1"].value == 0
    predicted, decision = table(LABEL, LABEL)
    result = evaluation.evaluate_predictions(
        predicted, decision, windows([6, 16], 4), resamples=100, seed=0
    )
    metrics = result.metrics
    assert metrics["f1"].value == metrics["event_f1"].value == 1
    assert metrics["f1_as_printed"] == Metric.undefined("no trace is wrong")
    assert "no window has an object" in metrics["jaccard"].reason


def test_intervals_resample_scans():
    """Half the scans all right, half all wrong: traces within them say nothing more."""
    label = [0, 0, 0, 1, 1, 1, 1, 0, 0, 0] * 8
    score = np.array(label, float)
    score[40:] = 0.0
    predicted, decision = table(label, score)
    result = evaluation.evaluate_predictions(
        predicted, decision, windows([0], 10), resamples=500, seed=0
    )
    event = result.metrics["event_f1"]
    assert event.value == pytest.approx(2 * 4 / (8 + 4))
    assert event.low < 0.45
    assert event.high > 0.85
    assert result.details["groups"] == 8
    again = evaluation.evaluate_predictions(
        predicted, decision, windows([0], 10), resamples=500, seed=0
    )
    assert again == result


def test_one_scan_has_no_interval():
    sums = np.array([[2.0, 1.0, 1.0]])
    statistic = GroupStatistic(sums, evaluation._as_printed, "-", "scan")
    metric = group_metrics({"f1": statistic}, resamples=100, seed=0)["f1"]
    assert metric == Metric(2.0, reason="there is only one scan")


def test_the_place_alone_by_hand():
    """Three scans have an object at 2-4, one at 3-5: flagged are 2-4, 11 of 12 rightly."""
    label = np.tile([0, 0, 1, 1, 1, 0], (4, 1))
    label[3] = [0, 0, 0, 1, 1, 1]
    table = pd.DataFrame({"trace": np.tile(np.arange(6), 4), "label": label.ravel()})
    assert evaluation.place_alone(table) == pytest.approx(11 / 12)

"""Spans by median and hysteresis, and measures by hand: per trace, per window, per event."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects import judging, smoothing
from models.sampling import TEST

SCAN = np.array([0] * 6 + [1] * 4)


def test_a_median_stays_within_its_scan():
    score = np.array([0.0, 0.9, 0.0, 0.8, 0.8, 0.1, 0.7, 0.0, 0.0, 0.6])
    found = smoothing.median(score, SCAN, 3)
    np.testing.assert_allclose(found, [0.0, 0.0, 0.8, 0.8, 0.8, 0.1, 0.7, 0.0, 0.0, 0.6])
    np.testing.assert_array_equal(smoothing.median(score, SCAN, 1), score)
    for width in (0, 2):
        with pytest.raises(ValueError, match="odd and 1 or more"):
            smoothing.median(score, SCAN, width)


def test_hysteresis_keeps_runs_with_a_sure_trace_and_does_not_cross_scans():
    score = np.array([0.5, 0.9, 0.5, 0.1, 0.5, 0.5, 0.5, 0.1, 0.8, 0.5])
    found = smoothing.hysteresis(score, SCAN, 0.4, 0.8)
    assert found.tolist() == [True, True, True, False, False, False, False, False, True, True]
    # one threshold alone is the same as a cut
    np.testing.assert_array_equal(smoothing.hysteresis(score, SCAN, 0.5, 0.5), score >= 0.5)
    assert not smoothing.hysteresis(score, SCAN, 0.4, 2.0).any()


def test_smoothing_is_chosen_where_it_helps():
    generator = np.random.default_rng(0)
    scan = np.repeat(np.arange(8), 60)
    label = np.tile((np.arange(60) // 20 == 1).astype(int), 8)
    score = np.clip(0.35 + 0.3 * label + 0.25 * generator.normal(size=label.size), 0, 1)
    found = smoothing.choose(label, score, scan, medians=[1, 5, 9], ratios=[1.0, 0.6])
    assert found["median"] > 1
    assert found["f1"] > found["unsmoothed_f1"] + 0.1
    assert found["low"] <= found["value"]
    _, flagged = smoothing.decide(score, scan, found)
    tp = np.sum(flagged & (label == 1))
    assert found["f1"] == pytest.approx(2 * tp / (flagged.sum() + label.sum()))


def test_without_need_scores_are_left_as_they_are():
    label = np.tile([0, 0, 1, 1, 0], 4)
    found = smoothing.choose(
        label, label * 0.8 + 0.1, np.repeat([0, 1], 10), medians=[1, 3], ratios=[0.5, 1.0]
    )
    assert (found["median"], found["f1"], found["low"]) == (1, 1.0, found["value"])
    with pytest.raises(ValueError, match="ratios above 0 and at most 1"):
        smoothing.choose(label, label, label, medians=[1], ratios=[1.5])
    with pytest.raises(ValueError, match="needs positives and negatives"):
        smoothing.choose(label * 0, label, label, medians=[1], ratios=[1.0])


def table(label, score, decision=None):
    """Scans of 10 traces."""
    count = len(label)
    labels = {
        "label": np.array(label, np.int8),
        "scan": np.repeat(np.arange(count // 10), 10).astype(np.int32),
        "trace": np.tile(np.arange(10), count // 10).astype(np.int16),
    }
    decision = decision or {"value": 0.6, "low": 0.6, "median": 1}
    rows = np.arange(count)
    return judging.predictions(labels, rows, np.array(score, float), decision), decision


def windows(starts, length, split=TEST):
    return {
        "start": np.array(starts),
        "length": np.full(len(starts), length, np.int16),
        "split": np.full(len(starts), split, np.int8),
    }


LABEL = [*[0, 0, 1, 1, 1, 1, 0, 0, 0, 0], *[0, 0, 0, 0, 1, 1, 0, 0, 0, 0]]
SCORE = [*[0, 0, 0, 0.9, 0.9, 0.9, 0.7, 0, 0, 0], *[0, 0.9, 0, 0, 0.55, 0.9, 0, 0, 0, 0]]


def test_both_f1_by_hand():
    """TP 3 + 1, FP 1 + 1, FN 1 + 1; at 0.5 one more is found."""
    held, decision = table(LABEL, SCORE)
    judged = judging.judge(held, decision, windows([0, 10], 10), TEST, resamples=100, seed=0)
    metrics = {name: entry["value"] for name, entry in judged["metrics"].items()}
    counts = {name: judged["counts"][name] for name in ("tp", "fp", "fn")}
    assert counts == {"tp": 4, "fp": 2, "fn": 2}
    assert metrics["precision"] == pytest.approx(4 / 6)
    assert metrics["recall"] == pytest.approx(4 / 6)
    assert metrics["f1"] == pytest.approx(4 / 6)
    assert metrics["f1_as_printed"] == pytest.approx(4 / (0.5 * 4))
    assert metrics["f1_at_0.5"] == pytest.approx(10 / 13)
    assert metrics["f1_as_printed_at_0.5"] == pytest.approx(5 / 1.5)
    assert metrics["jaccard"] == pytest.approx((3 / 5 + 1 / 3) / 2)
    assert judged["intervals"]["by"] == "group"
    assert judged["decision"] == decision


def test_jaccard_is_a_mean_over_windows_that_have_one():
    """Traces 0-4: 2 of 3; 5-9: 1 of 2; 10-13: a false one, 0 of 1; 16-19: nothing, left out."""
    held, _ = table(LABEL, SCORE)
    found = judging.overlaps(
        held["label"].to_numpy(),
        held["flagged"].to_numpy(),
        held["scan"].to_numpy(),
        held["row"].to_numpy(),
        np.array([0, 5, 10, 16]),
        np.array([5, 5, 4, 4]),
    )
    np.testing.assert_allclose(found, [[2 / 3 + 1 / 2, 2], [0, 1]])


def test_events_are_runs_and_match_within_the_collar():
    assert judging.events(np.array([1, 1, 0, 1, 0, 0, 1])) == [(0, 1), (3, 3), (6, 6)]
    assert judging.events(np.zeros(3)) == []
    label = np.zeros(60, int)
    label[20:40] = 1
    scan = np.zeros(60, int)
    for first, last, hits in ((25, 35, 1), (26, 40, 0), (15, 45, 1), (15, 46, 0)):
        said = np.zeros(60, int)
        said[first:last] = 1
        assert judging.matched(label, said, scan, 5).tolist() == [[1, 1, hits]]
    # one predicted event is no match for two
    label[:] = 0
    label[[20, 22]] = 1
    said[:] = 0
    said[21] = 1
    assert judging.matched(label, said, scan, 5).tolist() == [[2, 1, 1]]


def test_undefined_stays_undefined_with_its_reason():
    held, decision = table(LABEL, [0.1] * 20)
    judged = judging.judge(held, decision, windows([0, 6], 4), TEST, resamples=100, seed=0)
    metrics = judged["metrics"]
    assert metrics["precision"]["value"] is None
    assert "no row is flagged" in metrics["precision"]["reason"]
    assert metrics["f1"]["value"] == 0
    assert metrics["f1_as_printed"]["value"] == 0
    assert metrics["event_f1"]["value"] == 0
    held, decision = table(LABEL, LABEL)
    judged = judging.judge(held, decision, windows([6, 16], 4), TEST, resamples=100, seed=0)
    metrics = judged["metrics"]
    assert metrics["f1"]["value"] == metrics["event_f1"]["value"] == 1
    assert metrics["f1_as_printed"] == {
        "value": None, "low": None, "high": None, "reason": "no trace is wrong",
    }  # fmt: skip
    assert "no window has an object" in metrics["jaccard"]["reason"]


def test_intervals_resample_scans():
    """Half the scans all right, half all wrong: traces within them say nothing more."""
    label = [0, 0, 0, 1, 1, 1, 1, 0, 0, 0] * 8
    score = np.array(label, float)
    score[40:] = 0.0
    held, decision = table(label, score)
    judged = judging.judge(held, decision, windows([0], 10), TEST, resamples=500, seed=0)
    event = judged["metrics"]["event_f1"]
    assert event["value"] == pytest.approx(2 * 4 / (8 + 4))
    assert event["low"] < 0.45
    assert event["high"] > 0.85
    assert judged["groups"] == 8
    again = judging.judge(held, decision, windows([0], 10), TEST, resamples=500, seed=0)
    assert again == judged


def test_one_scan_has_no_interval():
    found = judging.by_scan(
        np.array([[2.0, 1.0, 1.0]]), judging._as_printed, "-", resamples=100, seed=0
    )
    assert (found["value"], found["low"]) == (2.0, None)
    assert "too few to tell" in found["reason"]

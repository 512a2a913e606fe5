"""Spans by median and hysteresis."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects import smoothing

SCAN = np.array([0] * 6 + [1] * 4)


def test_a_median_stays_within_its_scan():
    score = np.array([0.0, 0.9, 0.0, 0.8, 0.8, 0.1, 0.7, 0.0, 0.0, 0.6])
    smoothed = smoothing.median(score, SCAN, 3)
    np.testing.assert_allclose(smoothed, [0.0, 0.0, 0.8, 0.8, 0.8, 0.1, 0.7, 0.0, 0.0, 0.6])
    np.testing.assert_array_equal(smoothing.median(score, SCAN, 1), score)
    for width in (0, 2):
        with pytest.raises(ValueError, match="odd and 1 or more"):
            smoothing.median(score, SCAN, width)


def test_hysteresis_keeps_runs_with_a_sure_trace_and_does_not_cross_scans():
    score = np.array([0.5, 0.9, 0.5, 0.1, 0.5, 0.5, 0.5, 0.1, 0.8, 0.5])
    flagged = smoothing.hysteresis(score, SCAN, 0.4, 0.8)
    assert flagged.tolist() == [True, True, True, False, False, False, False, False, True, True]
    # two equal thresholds are the same as one
    np.testing.assert_array_equal(smoothing.hysteresis(score, SCAN, 0.5, 0.5), score >= 0.5)
    assert not smoothing.hysteresis(score, SCAN, 0.4, 2.0).any()


def test_smoothing_is_chosen_where_it_helps():
    generator = np.random.default_rng(0)
    scan = np.repeat(np.arange(8), 60)
    label = np.tile((np.arange(60) // 20 == 1).astype(int), 8)
    score = np.clip(0.35 + 0.3 * label + 0.25 * generator.normal(size=label.size), 0, 1)
    chosen = smoothing.choose(label, score, scan, medians=[1, 5, 9], ratios=[1.0, 0.6])
    assert chosen["median"] > 1
    assert chosen["f1"] > chosen["unsmoothed_f1"] + 0.1
    assert chosen["low"] <= chosen["value"]
    _, flagged = smoothing.decide(score, scan, chosen)
    tp = np.sum(flagged & (label == 1))
    assert chosen["f1"] == pytest.approx(2 * tp / (flagged.sum() + label.sum()))


def test_without_need_scores_are_left_as_they_are():
    label = np.tile([0, 0, 1, 1, 0], 4)
    chosen = smoothing.choose(
        label, label * 0.8 + 0.1, np.repeat([0, 1], 10), medians=[1, 3], ratios=[0.5, 1.0]
    )
    assert (chosen["median"], chosen["f1"], chosen["low"]) == (1, 1.0, chosen["value"])
    with pytest.raises(ValueError, match="ratios above 0 and at most 1"):
        smoothing.choose(label, label, label, medians=[1], ratios=[1.5])
    with pytest.raises(ValueError, match="needs positives and negatives"):
        smoothing.choose(label * 0, label, label, medians=[1], ratios=[1.0])

"""Exact and bootstrap intervals, and the reasons where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from models.intervals import (
    GroupStatistic,
    Metric,
    binomial_interval,
    bootstrap_metric,
    group_bootstrap,
    group_metrics,
    ratio,
)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),  # Clopper & Pearson (1934) as tabulated
    [(5, 5, 0.4782, 1.0), (0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129)],
)
def test_binomial_interval_is_the_tabulated_one(k, n, low, high):
    assert binomial_interval(k, n) == pytest.approx((low, high), abs=1e-4)


def test_binomial_interval_needs_trials():
    with pytest.raises(ValueError, match="no proportion: 0 of 0"):
        binomial_interval(0, 0)


def test_ratio_by_hand_with_its_interval_by_whole_groups():
    # One group errs 1 in 8, the other 3 in 4; a resample holds the first, both or the second.
    statistic = ratio([1, 0, 3], [4, 4, 4], ["a", "a", "b"])
    metric = group_metrics({"rate": statistic}, resamples=400, seed=0)["rate"]
    assert metric.value == pytest.approx(4 / 12)
    assert (metric.low, metric.high) == pytest.approx((1 / 8, 3 / 4))
    assert metric.method == "bootstrap"


def test_each_stratum_is_resampled_by_itself():
    strata = np.array([0, 2]), np.array([1, 3, 4])
    generator = np.random.default_rng(0)
    (weights,) = group_bootstrap(strata, 50, generator)
    assert weights.shape == (50, 5)
    assert (weights[:, strata[0]].sum(axis=1) == 2).all()
    assert (weights[:, strata[1]].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) > 5


def test_resamples_come_in_blocks_of_bounded_size(monkeypatch):
    monkeypatch.setattr("models.intervals.RESAMPLE_VALUES", 30)
    blocks = list(group_bootstrap([np.arange(3)], 25, np.random.default_rng(0), columns=10))
    assert [len(block) for block in blocks] == [3] * 8 + [1]


def test_a_statistic_that_the_groups_do_not_determine_has_a_reason():
    def found(sums, unit="group"):
        statistic = GroupStatistic(
            np.array(sums, float), lambda s: s[:, 0] / s[:, 1], "nothing below the line", unit
        )
        return group_metrics({"x": statistic}, resamples=100, seed=0)["x"]

    assert found([[1, 0], [1, 0]]) == Metric.undefined("nothing below the line")
    assert found([[1, 2]], "scan") == Metric(0.5, reason="there is only one scan")
    same = found([[1, 2], [2, 4]])
    assert same == Metric(0.5, reason="every resample gives this value: too few to tell")


def test_statistics_of_different_groups_are_refused():
    one, two = ratio([1, 2], [1, 1], None), ratio([1, 2, 3], [1, 1, 1], None)
    with pytest.raises(ValueError, match=r"number of groups: \[2, 3\]"):
        group_metrics({"one": one, "two": two}, resamples=100, seed=0)


def test_an_interval_needs_most_resamples():
    drawn = np.array([0.2, np.nan, np.nan, 0.4, np.nan])
    assert bootstrap_metric(0.3, drawn) == Metric(0.3, reason="undefined in most resamples")


def test_a_metric_is_stored_and_read():
    metric = Metric.exact(1, 10)
    assert metric.to_dict() == {
        "value": 0.1,
        "low": pytest.approx(0.0025, abs=1e-4),
        "high": pytest.approx(0.4450, abs=1e-4),
        "method": "exact",
    }
    assert Metric.from_dict(metric.to_dict()) == metric

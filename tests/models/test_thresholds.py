"""Thresholds are where the rules put them by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.thresholds import (
    Threshold,
    at_false_positive_rate,
    crossover,
    max_f1,
    max_tss,
    roc,
)

# By hand, from the highest score down (P = 4, N = 6):
#   score  .9  .8  .7  .6  .5  .4  .3  .2  .1  .0
#   label   1   0   1   1   0   0   1   0   0   0
#   sens  1/4 1/4 2/4 3/4 3/4 3/4   1   1   1   1
#   spec    1 5/6 5/6 5/6 4/6 3/6 3/6 2/6 1/6   0
SCORES = np.arange(10)[::-1] / 10
LABELS = np.array([1, 0, 1, 1, 0, 0, 1, 0, 0, 0])

RULES = [crossover, max_tss, max_f1, lambda y, s: at_false_positive_rate(y, s, 0.2)]


def test_roc_has_one_point_per_score_and_no_infinite_threshold():
    points = roc(LABELS, SCORES)
    assert points["thresholds"].tolist() == SCORES.tolist()
    assert points["sensitivity"] == pytest.approx(np.array([1, 1, 2, 3, 3, 3, 4, 4, 4, 4]) / 4)
    assert points["false_positive_rate"] == pytest.approx(
        np.array([0, 1, 1, 1, 2, 3, 3, 4, 5, 6]) / 6
    )


def test_crossover_takes_the_score_where_the_two_differ_least():
    # |sens - spec| is 1/12 at both .6 (3/4, 5/6) and .5 (3/4, 4/6): .6 has the larger sum.
    chosen = crossover(LABELS, SCORES)
    assert (chosen.value, chosen.rule) == (0.6, "crossover")
    assert (chosen.sensitivity, chosen.specificity) == pytest.approx((3 / 4, 5 / 6))
    assert (chosen.positives, chosen.negatives) == (4, 6)


def test_max_tss_and_max_f1_by_hand():
    # TSS is largest at .6: 3/4 - 1/6. F1 at .6 is 6 / (6 + 1 + 1), at .3 it is 8 / (8 + 3).
    assert max_tss(LABELS, SCORES).value == 0.6
    assert max_f1(LABELS, SCORES).value == 0.6
    # F1 weighs what is rare: with nine times the negatives .9 is best, 2 / (1 + 4) against
    # 6 / (3 + 9 + 4) at .6, which TSS does not notice.
    labels = np.r_[LABELS, np.zeros(48, int)]
    scores = np.r_[SCORES, np.tile(SCORES[LABELS == 0], 8)]
    assert max_f1(labels, scores).value == 0.9
    assert max_tss(labels, scores).value == 0.6


@pytest.mark.parametrize(
    ("rate", "value"), [(0, 0.9), (0.16, 0.9), (1 / 6, 0.6), (0.2, 0.6), (0.5, 0.3), (1, 0.0)]
)
def test_at_false_positive_rate_takes_the_lowest_score_allowed(rate, value):
    assert at_false_positive_rate(LABELS, SCORES, rate).value == value


def test_at_false_positive_rate_flags_nothing_where_the_best_score_is_a_negative():
    chosen = at_false_positive_rate([0, 1], [0.7, 0.3], 0.5)
    assert chosen == Threshold(np.nextafter(0.7, 1), "at_false_positive_rate(0.5)", 0, 1, 1, 1)
    with pytest.raises(ValueError, match=r"lies in 0 \.\.\. 1, not at 1\.5"):
        at_false_positive_rate([0, 1], [0.7, 0.3], 1.5)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40).filter(
        lambda rows: len({label for label, _ in rows}) == 2
    )
)
def test_every_rule_says_how_its_threshold_really_does(rows):
    labels = np.array([label for label, _ in rows])
    scores = np.array([score for _, score in rows]) / 7
    for rule in RULES:
        chosen = rule(labels, scores)
        assert np.isfinite(chosen.value)
        flagged = scores >= chosen.value
        assert chosen.sensitivity == pytest.approx(flagged[labels].mean())
        assert chosen.specificity == pytest.approx((~flagged)[~labels].mean())


def test_constant_scores_flag_everything_and_show_it():
    chosen = crossover([0, 1, 0], [0.5, 0.5, 0.5])
    assert (chosen.value, chosen.sensitivity, chosen.specificity) == (0.5, 1.0, 0.0)


def test_a_threshold_is_plain_data():
    assert max_tss([0, 1], [0.2, 0.7]).to_dict() == {
        "value": 0.7,
        "rule": "max_tss",
        "sensitivity": 1.0,
        "specificity": 1.0,
        "positives": 1,
        "negatives": 1,
    }


@pytest.mark.parametrize("rule", RULES)
def test_bad_input_is_refused(rule):
    with pytest.raises(ValueError, match="all 3 labels are 1: check the split"):
        rule([1, 1, 1], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"row 2 holds nan \(1 of 2 rows\)"):
        rule([1, 0], [0.1, np.nan])
    with pytest.raises(ValueError, match=r"shape \(2,\), not \(3,\)"):
        rule([1, 0], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"shape \(2,\), not \(2, 2\): take the column"):
        rule([1, 0], [[0.1, 0.9], [0.8, 0.2]])
    with pytest.raises(ValueError, match="no labels"):
        rule([], [])
    with pytest.raises(ValueError, match="row 1 holds 2"):
        rule([2, 1], [0.1, 0.2])

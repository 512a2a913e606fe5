"""The misprinted F1 and the published figures."""

from __future__ import annotations

import pytest

from models.buried_objects.published import EARLIER, results, true_f1


@pytest.mark.parametrize(
    ("printed", "precision", "recall", "true"),
    [(0.27, 0.70, 0.12, 0.212), (0.29, 0.37, 0.16, 0.227)],
)
def test_the_printed_f1_is_too_high(printed, precision, recall, true):
    assert true_f1(printed) == pytest.approx(true, abs=0.004)
    assert true_f1(printed) == pytest.approx(
        2 * precision * recall / (precision + recall), abs=0.01
    )
    # 12 of 100 found, 5 more flagged: printed 12 / (0.5 (5 + 88))
    assert true_f1(12 / (0.5 * 93)) == pytest.approx(2 * 12 / (2 * 12 + 93))


def test_a_network_that_predicts_no_event_has_no_published_precision():
    assert "precision_at_0.5" not in results("lstm2")
    assert results("lstm2")["f1_at_0.5"] == 0
    assert results("rnn5")["f1_as_printed_at_0.5"] == 0.27
    assert all(EARLIER[name][1] > results(name)["f1_as_printed_at_0.5"] for name in EARLIER)

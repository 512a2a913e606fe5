"""The figures that the study printed agree with each other, but for the one known slip."""

from __future__ import annotations

import pytest

from models.exoplanets.published import RESULTS, TEST_PLANETS, TEST_STARS


@pytest.mark.parametrize("name", RESULTS)
def test_precision_and_recall_follow_from_the_printed_counts(name):
    printed = RESULTS[name]
    hits = TEST_PLANETS - printed["missed"]
    assert 0 <= hits <= printed["found"] <= TEST_STARS
    if name == "fft_lstm":  # it flags every star, so it misses none, but a recall of 0 is printed
        assert (printed["found"], hits, printed["recall"]) == (TEST_STARS, TEST_PLANETS, 0.0)
        return
    precision, recall = hits / max(printed["found"], 1), hits / TEST_PLANETS
    assert printed["precision"] == pytest.approx(precision, abs=0.005)
    assert printed["recall"] == pytest.approx(recall, abs=0.005)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    assert printed["f1"] == pytest.approx(f1, abs=0.005)

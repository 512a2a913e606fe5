"""The published figures agree with the counts that the study gives."""

from __future__ import annotations

import pytest

from models.gravitational_waves.published import CHIRPS, GRAVITY_SPY, MILLISECONDS, RESULTS
from models.gravitational_waves.simulation import PUBLISHED_CHIRPS, PUBLISHED_IMAGES


@pytest.mark.parametrize("name", RESULTS)
def test_recall_and_accuracy_follow_from_the_chirps_found(name):
    hits, actual = CHIRPS[name]["test"]
    images = PUBLISHED_IMAGES["test"]
    assert actual == PUBLISHED_CHIRPS["test"]
    assert RESULTS[name]["recall_at_own_threshold"] == hits / actual
    # Both networks err on chirps alone: no other image is flagged.
    accuracy = 1 - (actual - hits) / images
    assert RESULTS[name]["accuracy_at_own_threshold"] == pytest.approx(accuracy, abs=6e-4)


def test_an_image_takes_its_share_of_an_epoch():
    assert pytest.approx(1000 * 384 / 5587, abs=0.5) == MILLISECONDS


def test_the_note_gives_the_accuracy_of_finding_none():
    share = 1 - PUBLISHED_CHIRPS["test"] / PUBLISHED_IMAGES["test"]
    assert f"{share:.1%}".replace("%", " %") in GRAVITY_SPY

"""Simulated spectrograms: as many as asked for, reproducible, neither trivial nor hopeless."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from models.gravitational_waves import images as layout
from models.gravitational_waves.images import CLASSES, SHAPE
from models.gravitational_waves.simulation import (
    FAINTEST,
    PUBLISHED_CHIRPS,
    PUBLISHED_IMAGES,
    SHARES,
    _labels,
    _snr,
    simulate,
)


def gathered(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


@pytest.fixture(scope="module")
def made():
    return gathered(simulate({"train": 120, "test": 30}, {"train": 20, "test": 5}, seed=3))


def test_rows_are_as_the_interface_says(made):
    assert made["image"].shape == (150, *SHAPE)
    assert {name: made[name].dtype.str[1:] for name in made} == {
        "image": "f4",
        "label": "U24",
        "id": "U32",
        "part": "i1",
        "group": "U40",
        "snr": "f4",
        "duration": "f4",
    }
    assert Counter(made["part"].tolist()) == {0: 120, 2: 30}
    assert len(set(made["id"])) == len(set(made["group"])) == 150
    assert set(made["label"]) <= set(CLASSES)


def test_the_counts_are_those_asked_for(made):
    for part, chirps in ((0, 20), (2, 5)):
        assert (made["label"][made["part"] == part] == "Chirp").sum() == chirps
    # 100 others: blips are 1869 of 5981, koi fish 830.
    others = Counter(made["label"][made["part"] == 0].tolist())
    assert 31 <= others["Blip"] <= 32
    assert 13 <= others["Koi_Fish"] <= 14


def test_the_published_balance_is_exact():
    for part, count in PUBLISHED_IMAGES.items():
        labels = _labels(count, PUBLISHED_CHIRPS[part], np.random.default_rng(0))
        counts = Counter(labels)
        assert len(labels) == count
        assert counts["Chirp"] == PUBLISHED_CHIRPS[part]
        for name, share in SHARES.items():
            due = share * (count - PUBLISHED_CHIRPS[part]) / sum(SHARES.values())
            assert abs(counts[name] - due) < 1


def test_the_same_seed_makes_the_same_whatever_the_blocks(made, monkeypatch):
    monkeypatch.setattr(layout, "BLOCK_ROWS", 7)
    blocks = list(simulate({"train": 120, "test": 30}, {"train": 20, "test": 5}, seed=3))
    assert len(blocks) == 18 + 5
    again = gathered(blocks)
    for name, values in made.items():
        np.testing.assert_array_equal(values, again[name])
    other = gathered(simulate({"test": 3}, {"test": 1}, seed=4))
    assert not np.array_equal(other["image"], made["image"][made["part"] == 2][:3])


def test_values_are_distributed_as_the_published_ones(made, shared):
    import h5py

    with h5py.File(shared / "data/gravity_spy/gravityspy_mini_v1d1_layout.h5") as file:
        blips = file["Blip/train"]
        real = np.concatenate([blips[name]["0.5.png"][()] for name in blips])
    ours = made["image"][made["label"] == "Blip"]
    wanted, found = (np.percentile(x, [10, 25, 50, 75, 90]) for x in (real, ours))
    np.testing.assert_allclose(found, wanted, rtol=0.1)


def test_chirps_are_mostly_faint():
    generator = np.random.default_rng(0)
    drawn = np.array([_snr(generator, 8.0) for _ in range(4000)])
    assert drawn.min() >= 8
    # Evenly in space: an eighth of all are twice as loud as the faintest.
    assert (drawn > 16).mean() == pytest.approx(1 / 8, abs=0.02)


def test_signal_to_noise_shows_in_the_picture(made):
    chirps = made["label"] == "Chirp"
    assert made["snr"][chirps].min() >= FAINTEST
    assert (made["snr"][made["label"] == "No_Glitch"] == 0).all()
    loud = made["image"][made["snr"] > 15].max(axis=(1, 2))
    empty = made["image"][made["label"] == "No_Glitch"].max(axis=(1, 2))
    assert np.median(loud) > 1.2 * np.median(empty)


def test_brightness_alone_does_not_find_chirps(made):
    from sklearn.metrics import average_precision_score

    chirps = made["label"] == "Chirp"
    for score in (made["image"].mean((1, 2)), made["image"].max((1, 2)), made["image"].std((1, 2))):
        for sign in (1, -1):
            assert average_precision_score(chirps, sign * score) < 0.5


@pytest.mark.parametrize(
    ("images", "chirps", "options", "text"),
    [
        ({"train": 3}, {"train": 4}, {}, "4 chirps don't go into 3 images"),
        ({"dev": 3}, {"dev": 1}, {}, "train, validation, test"),
        ({"train": 3}, {"test": 1}, {}, "same parts"),
        ({"train": 3}, {"train": 1}, {"faintest": 0.0}, "faintest must lie between"),
    ],
)
def test_impossible_wishes_are_refused(images, chirps, options, text):
    with pytest.raises(ValueError, match=text):
        simulate(images, chirps, **options)


def test_longer_pictures_are_made_of_longer_data():
    block = next(iter(simulate({"train": 1}, {"train": 1}, duration=4.0)))
    assert block["image"].shape == (1, *SHAPE)

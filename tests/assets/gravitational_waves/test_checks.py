"""Each check of the system passes on good data and names what is wrong with bad data."""

from __future__ import annotations

import numpy as np

from assets.gravitational_waves import checks

CLASSES = {"names": ["Blip", "Chirp"], "positive": [1], "task": "chirp"}


def images(width: int = 170) -> dict[str, np.ndarray]:
    return {
        "image": np.zeros((3, 140, width), np.float32),
        "label": np.array(["Chirp", "Blip", "Blip"]),
        "id": np.array(["a", "b", "c"]),
        "part": np.array([0, 1, -1], np.int8),
        "group": np.array(["1", "1", "2"]),
    }


def test_images_need_their_shape_a_part_a_class_and_an_id_of_their_own() -> None:
    assert checks.well_formed(images()) == {}
    assert "expected (140, 170)" in checks.well_formed(images(169))["image"]
    parted = images() | {"part": np.array([0, 3, -1])}
    assert checks.well_formed(parted) == {"part": "holds [-1, 0, 3], expected 0, 1, 2 or -1"}
    twice = images() | {"id": np.array(["a", "c", "c"])}
    assert checks.well_formed(twice) == {"id": "c is there twice"}
    nameless = images() | {"label": np.array(["Chirp", "", "Blip"])}
    assert checks.well_formed(nameless) == {"label": "an image has no class"}


def test_a_pixel_without_a_number_is_named() -> None:
    assert checks.known_pixels(images()) == {}
    held = images()
    held["image"][1, 3, 4] = np.nan
    assert checks.known_pixels(held) == {"image": "row 2 is not finite"}


def test_a_group_in_two_splits_is_named() -> None:
    group = np.array(["1", "1", "2"])
    assert checks.groups_apart({"split": np.array([0, 0, 1]), "group": group}) == {}
    problems = checks.groups_apart({"split": np.array([0, 1, 1]), "group": group})
    assert problems == {"in two splits": "1"}


def test_a_split_without_chirps_is_named() -> None:
    codes, split = np.array([0, 1, 0, 1, 0, 0]), np.array([0, 0, 1, 1, 2, 2])
    problems = checks.classes_present({"class": codes, "split": split}, CLASSES)
    assert problems == {"test": "holds only the labels [0]"}
    codes[5] = 1
    assert checks.classes_present({"class": codes, "split": split}, CLASSES) == {}


def test_a_feature_that_is_not_finite_is_named_and_an_unknown_snr_is_none() -> None:
    held = {"values": np.zeros((3, 952)), "snr": np.full(3, np.nan)}
    assert checks.finite_features(held) == {}
    held["values"][2, 5] = np.inf
    assert checks.finite_features(held) == {"values": "row 3 is not finite"}


def test_an_upgrade_near_chance_fails() -> None:
    def evaluated(value: float | None) -> dict[str, object]:
        return {"metrics": {"roc_auc": {"value": value}}}

    assert checks.better_than_chance(evaluated(0.95)) == {}
    assert checks.better_than_chance(evaluated(0.6)) == {"roc_auc": "0.600 is below 0.8"}
    assert checks.better_than_chance(evaluated(None)) == {"roc_auc": "undefined"}

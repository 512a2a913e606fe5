"""Official splits are kept; without them groups are shared out whole; classes have their codes."""

from __future__ import annotations

import numpy as np
import pytest

from models.gravitational_waves.splits import (
    KNOWN,
    class_codes,
    classes_of,
    examples_of,
    images_of,
    is_positive,
    split_images,
)


def images(parts, positive=4):
    count = len(parts)
    label = np.where(np.arange(count) % positive == 0, "Chirp", "Blip").astype("U24")
    return {
        "part": np.array(parts, np.int8),
        "label": label,
        "group": np.array([f"second-{k // 2}" for k in range(count)], "U40"),
    }


def chirp_or_not(table):
    return classes_of(table["label"], "Chirp", "chirp")


def test_classes_are_numbered_in_alphabetical_order_and_chirps_are_among_them():
    classes = classes_of(np.array(["Whistle", "Blip", "Whistle"]), "Blip", "classes")
    assert classes == {"names": ["Blip", "Chirp", "Whistle"], "positive": [0], "task": "classes"}
    codes = class_codes(np.array(["Whistle", "Chirp", "Blip"]), classes)
    assert codes.tolist() == [2, 1, 0]
    assert codes.dtype == np.int16
    assert is_positive(codes, classes).tolist() == [0, 0, 1]


def test_a_class_that_no_image_is_of_cannot_be_looked_for():
    with pytest.raises(ValueError, match=r"'Chirp' and of others .* there are Blip, Whistle: set"):
        classes_of(np.array(["Blip", "Whistle"]), "Chirp", "chirp")
    with pytest.raises(ValueError, match="there are Chirp: set"):
        classes_of(np.array(["Chirp"]), "Chirp", "chirp")
    with pytest.raises(ValueError, match="no task 'all'; there are chirp, classes"):
        classes_of(np.array(["Blip", "Chirp"]), "Chirp", "all")


def test_the_official_split_is_kept():
    table = images([0] * 8 + [1] * 8 + [2] * 8)
    split = split_images(table, chirp_or_not(table), 0.2, 0.2, seed=0)
    assert split.method == "as published"
    assert split.codes.tolist() == table["part"].tolist()
    assert split.codes.dtype == np.int8
    assert split.columns["class"].tolist() == [int(name == "Chirp") for name in table["label"]]
    assert split.columns["group"].tolist() == table["group"].tolist()


def test_an_official_split_without_chirps_in_a_part_is_refused():
    table = images([0] * 8 + [1] * 3 + [2] * 8)
    table["label"][8:11] = "Blip"
    with pytest.raises(ValueError, match="'validation' has 0 images of the positive class among 3"):
        split_images(table, chirp_or_not(table), 0.2, 0.2, seed=0)


@pytest.mark.parametrize("parts", [[-1] * 120, [0] * 119 + [-1], [0] * 60 + [1] * 60])
def test_without_an_official_split_groups_are_shared_out_whole(parts):
    table = images(parts)
    split = split_images(table, chirp_or_not(table), 0.2, 0.3, seed=2)
    assert split.method.startswith("by group")
    assert np.bincount(split.codes).tolist() == pytest.approx([60, 24, 36], abs=3)
    for group in np.unique(table["group"]):
        assert len(set(split.codes[table["group"] == group])) == 1
    again = split_images(table, chirp_or_not(table), 0.2, 0.3, seed=2)
    assert again.codes.tolist() == split.codes.tolist()


def test_too_few_chirps_for_three_splits_are_refused():
    table = images([-1] * 40, positive=39)
    with pytest.raises(ValueError, match="would get no positives"):
        split_images(table, chirp_or_not(table), 0.2, 0.2, seed=0)


@pytest.mark.parametrize(("task", "target"), [("chirp", [1, 0]), ("classes", [1, 2])])
def test_examples_of_a_split_have_their_class_and_their_target(task, target):
    table = {
        "image": np.arange(4, dtype=np.float32)[:, None, None],
        "label": np.array(["Blip", "Chirp", "Blip", "Whistle"]),
        "snr": np.array([1.0, 2.0, 3.0, 4.0]),
        "duration": np.full(4, 0.5),
        "part": np.full(4, -1),
    }
    table |= {name: np.array(list("abcd")) for name in ("id", "group")}
    classes = classes_of(table["label"], "Chirp", task)
    splits = {"split": np.array([0, 2, 1, 2])}
    (block,) = examples_of(images_of(table, splits, "test"), classes)
    assert list(block) == ["image", *KNOWN]
    assert block["id"].tolist() == ["b", "d"]
    assert block["image"].ravel().tolist() == [1.0, 3.0]
    assert block["class"].tolist() == [1, 2]
    assert block["target"].tolist() == target
    assert block["target"].dtype == np.int16

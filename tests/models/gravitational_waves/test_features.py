"""Scaling and pooled features by hand."""

from __future__ import annotations

import numpy as np

from models.gravitational_waves import features as features_of
from models.sampling import TRAIN
from models.scaling import Scaling


def whole(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def standard(mean=0.0, std=1.0):
    return Scaling(np.zeros(140) + mean, np.zeros(140) + std, np.ones(140, np.int64))


def test_scaling_is_that_of_the_rows_of_training_images():
    generator = np.random.default_rng(0)
    # A large mean does not cancel in the std.
    image = 1000 + generator.random((88, 140, 170), dtype=np.float32)
    images, splits = {"image": image}, {"split": np.repeat([0, 1, 2], (48, 20, 20))}
    features = {"scaling": features_of.scaling_of(images, splits)}
    training = images["image"][splits["split"] == TRAIN].astype(np.float64)
    np.testing.assert_allclose(features["scaling"].mean, training.mean(axis=(0, 2)), rtol=1e-9)
    std = training.std(axis=(0, 2))
    np.testing.assert_allclose(features["scaling"].std, std, rtol=1e-6)
    louder = images["image"].copy()
    louder[splits["split"] != TRAIN] *= 9
    again = features_of.scaling_of(images | {"image": louder}, splits)
    assert again.to_dict() == features["scaling"].to_dict()


def test_a_row_that_never_changes_is_not_divided_by_zero():
    images = {"image": np.full((4, 140, 170), 0.5, np.float32)}
    scaling = features_of.scaling_of(images, {"split": np.zeros(4, np.int8)})
    assert scaling.std.tolist() == [1.0] * 140
    assert not whole(features_of.pixels_of(images, scaling))["values"].any()


def test_columns_are_means_of_two_by_two_pixels_with_time_first():
    image = np.arange(140 * 170, dtype=np.float32).reshape(1, 140, 170)
    scaling = standard()
    columns = whole(features_of.columns_of({"image": image}, scaling))["values"]
    assert columns.shape == (1, 85, 70)
    assert columns.dtype == np.float32
    assert columns[0, 3, 2] == image[0, 4:6, 6:8].mean()
    pixels = whole(features_of.pixels_of({"image": image}, scaling))["values"]
    assert pixels.shape == (1, 28 * 34)
    assert pixels[0, 34 + 2] == image[0, 5:10, 10:15].mean()


def test_standardising_goes_by_row_of_frequency():
    image = np.ones((1, 140, 170), np.float32)
    scaling = standard(np.arange(140.0), 2.0)
    columns = whole(features_of.columns_of({"image": image}, scaling))["values"]
    np.testing.assert_allclose(columns[0, 0, 1], ((1 - 2) / 2 + (1 - 3) / 2) / 2)

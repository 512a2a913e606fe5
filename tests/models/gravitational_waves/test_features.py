"""Scaling and pooled features by hand."""

from __future__ import annotations

import numpy as np

from models.gravitational_waves.features import columns_of, features_of, pixels_of, scaling_of
from models.gravitational_waves.splits import KNOWN
from models.scaling import Scaling


def standard(mean=0.0, std=1.0):
    return Scaling(np.zeros(140) + mean, np.zeros(140) + std, np.ones(140, np.int64))


def test_scaling_is_that_of_the_rows_of_training_images():
    generator = np.random.default_rng(0)
    # A large mean does not cancel in the std.
    image = 1000 + generator.random((48, 140, 170), dtype=np.float32)
    scaling, exact = scaling_of({"image": image}), image.astype(np.float64)
    np.testing.assert_allclose(scaling.mean, exact.mean(axis=(0, 2)), rtol=1e-9)
    np.testing.assert_allclose(scaling.std, exact.std(axis=(0, 2)), rtol=1e-6)


def test_a_row_that_never_changes_is_not_divided_by_zero():
    image = np.full((4, 140, 170), 0.5, np.float32)
    scaling = scaling_of({"image": image})
    assert scaling.std.tolist() == [1.0] * 140
    assert not pixels_of(image, scaling).any()


def test_features_come_with_what_is_known_of_their_examples():
    image = np.random.default_rng(0).random((3, 140, 170), dtype=np.float32)
    examples = {"image": image} | {name: np.arange(3) for name in KNOWN}
    (block,) = features_of(examples, standard(), pixels_of)
    assert list(block) == ["values", *KNOWN]
    np.testing.assert_array_equal(block["values"], pixels_of(image, standard()))
    assert block["target"].tolist() == [0, 1, 2]


def test_columns_are_means_of_two_by_two_pixels_with_time_first():
    image = np.arange(140 * 170, dtype=np.float32).reshape(1, 140, 170)
    scaling = standard()
    columns = columns_of(image, scaling)
    assert columns.shape == (1, 85, 70)
    assert columns.dtype == np.float32
    assert columns[0, 3, 2] == image[0, 4:6, 6:8].mean()
    pixels = pixels_of(image, scaling)
    assert pixels.shape == (1, 28 * 34)
    assert pixels[0, 34 + 2] == image[0, 5:10, 10:15].mean()


def test_standardising_goes_by_row_of_frequency():
    image = np.ones((1, 140, 170), np.float32)
    scaling = standard(np.arange(140.0), 2.0)
    columns = columns_of(image, scaling)
    np.testing.assert_allclose(columns[0, 0, 1], ((1 - 2) / 2 + (1 - 3) / 2) / 2)

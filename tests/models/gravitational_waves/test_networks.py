"""The published layers have the parameters that they must, and what they take and give."""

from __future__ import annotations

import numpy as np
import pytest

from models.architectures import architecture_with_cost, from_architecture
from models.gravitational_waves import networks, upgrade
from models.training import seeded


def test_the_shallow_cnn_has_the_parameters_of_the_published_layers():
    described = networks.describe("shallow_cnn")
    convolutions = (9 * 1 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64
    # 140 x 170 -> 138 x 168 -> 69 x 84 -> 67 x 82 -> 33 x 41 -> 31 x 39
    dense = (31 * 39 * 64 + 1) * 64 + (64 + 1) * 2
    assert described["parameters"] == convolutions + dense == 5_008_002
    assert described["published_parameters"] == 5_008_002
    assert described["difference"] == ""
    assert [entry["shape"] for entry in described["output_shapes"]] == [
        *([140, 170, 1], [138, 168, 32], [69, 84, 32], [67, 82, 64], [33, 41, 64]),
        *([31, 39, 64], [77_376], [64], [2]),
    ]


def test_the_deep_cnn_has_the_parameters_of_the_published_layers():
    described = networks.describe("deep_cnn")
    convolutions = 10 * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 128 + (9 * 128 + 1) * 128
    # ... 31 x 39 -> 15 x 19 -> 13 x 17 -> 6 x 8
    dense = (6 * 8 * 128 + 1) * 512 + 513
    assert described["parameters"] == convolutions + dense == 3_387_009
    assert described["output_shapes"][-1]["shape"] == [1]


def test_multiplications_are_counted_by_hand():
    found = networks.describe("deep_cnn")["multiplications"]
    by_hand = (
        9 * 32 * 138 * 168
        + 9 * 32 * 64 * 67 * 82
        + 9 * 64 * 128 * 31 * 39
        + 9 * 128 * 128 * 13 * 17
        + 6144 * 512
        + 512
    )
    assert found == by_hand
    gru = 2 * 85 * (70 * 96 + 32 * 96)
    assert networks.describe("recurrent")["multiplications"] == gru + 64
    cheap = architecture_with_cost(upgrade.network(12))["multiplications"]
    assert cheap < found / 10


@pytest.mark.parametrize("model", networks.BUILDERS)
def test_told_apart_classes_change_the_output_alone_and_that_is_said(model):
    described = networks.describe(model, 5)
    assert described["output_shapes"][-1]["shape"] == [5]
    if model in networks.PUBLISHED:
        assert "for 5 classes" in described["difference"]


@pytest.mark.parametrize("model", networks.BUILDERS)
def test_a_network_comes_back_from_its_description_with_the_same_description(model):
    described = networks.describe(model)
    again = architecture_with_cost(from_architecture(described))
    assert again["config"] == described["config"]
    assert again["parameters"] == described["parameters"]
    assert networks.describe(model) == described


def test_images_need_no_channel_axis():
    image = np.random.default_rng(0).random((2, 140, 170), dtype=np.float32)
    found = []
    for x in (image, image[..., None]):
        seeded(0)
        found.append(networks.deep_cnn().predict_on_batch(x))
    np.testing.assert_array_equal(*found)


def test_generated_images_are_what_the_discriminator_takes():
    seeded(1)
    made = networks.generator().predict_on_batch(np.zeros((3, networks.LATENT), np.float32))
    assert made.shape == (3, 140, 170, 1)
    assert 0 < made.min() <= made.max() < 1
    outputs = networks.discriminator().predict_on_batch(made)
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)

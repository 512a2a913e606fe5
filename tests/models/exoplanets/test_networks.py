"""The published networks: layers, shapes and parameter counts to the last one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.architectures import architecture, from_architecture
from models.exoplanets import networks

BUILDERS = {
    "cnn": networks.cnn,
    "fft_lstm": networks.fft_lstm,
    "composite": networks.composite,
}


@pytest.mark.parametrize(
    ("name", "parameters", "trainable"),
    [("cnn", 85_993, 85_881), ("fft_lstm", 40_800, 40_800), ("composite", 126_792, 126_680)],
)
def test_parameters_are_exactly_as_published_but_for_the_second_lstm_bias(
    name, parameters, trainable
):
    published = networks.PUBLISHED[name]
    described = architecture(BUILDERS[name](), published)
    assert described["parameters"] == parameters
    assert described["trainable_parameters"] == trainable
    second_biases = 0 if name == "cnn" else 4 * 75 + 4 * 37
    assert described["published_parameters"] - parameters == second_biases
    assert described["published_trainable_parameters"] - trainable == second_biases
    assert bool(described["difference"]) == bool(second_biases)


def test_the_cnn_has_the_published_output_shapes():
    shapes = architecture(networks.cnn())["output_shapes"]
    by_type = [
        tuple(entry["shape"])
        for entry in shapes
        if entry["type"] in ("Conv1D", "MaxPooling1D", "Flatten")
    ]
    assert by_type == [
        (3177, 8),
        (794, 8),
        (774, 16),
        (194, 16),
        (174, 32),
        (44, 32),
        (24, 64),
        (6, 64),
        (384,),
    ]
    assert [entry["type"] for entry in shapes].count("BatchNormalization") == 3
    assert [entry["type"] for entry in shapes][-5:] == [
        *("Dropout", "Dense", "Dropout", "Dense", "Dense")
    ]


def test_the_composite_joins_64_and_25_wide_branches():
    described = architecture(networks.composite())
    shapes = {entry["layer"]: entry["shape"] for entry in described["output_shapes"]}
    assert shapes["cnn_dense_2"] == [64]
    assert shapes["fft_dropout"] == [25]
    assert shapes["joined"] == [89]
    assert shapes["planet"] == [1]


def test_a_network_has_the_same_configuration_whatever_was_built_before():
    first = json.dumps(architecture(networks.composite()), sort_keys=True)
    networks.cnn()
    networks.fft_lstm()
    assert json.dumps(architecture(networks.composite()), sort_keys=True) == first


def test_a_stored_architecture_builds_the_same_network_with_the_same_seeded_weights():
    import keras

    described = json.loads(json.dumps(architecture(networks.cnn())))
    keras.utils.set_random_seed(7)
    first = from_architecture(described)
    keras.utils.set_random_seed(7)
    second = from_architecture(described)
    assert architecture(first) == described
    assert not first.compiled
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_composite_takes_both_inputs_by_name():
    import keras

    keras.utils.set_random_seed(0)
    network = networks.composite()
    given = {
        "curve": np.zeros((2, 3197, 2), np.float32),
        "spectrum": np.zeros((2, 1599, 1), np.float32),
    }
    answer = np.asarray(network(given, training=False))
    assert answer.shape == (2, 1)
    assert np.all((answer > 0) & (answer < 1))


def test_the_forest_is_the_published_one_and_seeded():
    forest = networks.random_forest(seed=3)
    assert (forest.n_estimators, forest.criterion, forest.random_state) == (100, "gini", 3)

"""The 16 networks: their counts by hand, their layers as listed, and TimeDistributed spelt out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.architectures import architecture, from_architecture
from models.buried_objects import networks
from models.buried_objects.networks import COUNTS, DESIGNS, TRACES, network
from models.training import seeded

keras = pytest.importorskip("keras")

# Keras 3 asks TensorFlow's variables for NumPy arrays in a way that NumPy 2 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

OUT = 100 * 2 + 2


def test_there_are_16():
    assert len(DESIGNS) == len(COUNTS) == 16
    assert set(DESIGNS) == set(COUNTS)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        # An LSTM has 4 u (d + u + 1) weights, a SimpleRNN u (d + u + 1), a batch norm 4 d.
        (
            "lstm1",
            4 * (10_057 + 100 + 200 + 200)
            + (400 * 10_158 + 800 * 301 + 800 * 401 + 400 * 301 + OUT),
        ),
        ("rnn1", 40_228 + 100 * 10_158 + OUT),
        ("rnn5", 40_228 + 100 * 10_058 + 400 + 100 * 201 + OUT),
        # (10,057 - 5) / 10 + 1 = 1,006 places, pooled (1,006 - 5) / 2 + 1 = 501
        ("convrnn1", 4 + 300 + 501 * 50 * 100 + 100 + 20_100 + OUT),
        # 5,024 places, pooled 2,510; batch norms after the convolution and after Flatten
        ("convrnn3", 4 + 550 + 200 + 4 * 125_500 + 125_500 * 100 + 100 + 20_100 + OUT),
        # 2,512 places, pooled 1,254, 311 places after the second convolution, pooled 154
        ("convrnn4", 4 + 650 + 200 + 12_020 + 80 + 2_100 + 20_100 + OUT),
        ("convrnn6", 4 + 650 + 200 + 12_020 + 4 * 3_080 + 308_100 + 20_100 + OUT),
    ],
)
def test_parameter_counts(name, parameters):
    described = networks.describe(name, 10_057)
    assert described["parameters"] == parameters == COUNTS[name][0]
    assert described["difference"] == ""


@pytest.mark.parametrize("name", DESIGNS)
def test_every_network_has_the_counts_worked_out_and_labels_every_trace(name):
    built = network(name, 10_057)
    trainable = sum(int(np.prod(weight.shape)) for weight in built.trainable_weights)
    assert (built.count_params(), trainable) == COUNTS[name]
    assert built.output_shape == (None, TRACES, 2)
    assert built.layers[-1].activation is keras.activations.softmax


@pytest.mark.parametrize("name", DESIGNS)
def test_other_traces_than_published_are_said_and_the_data_build_the_same_network(name):
    described = networks.describe(name, 300)
    assert "10,057 samples a trace, built here for 300" in described["difference"]
    again = from_architecture(json.loads(json.dumps(described)))
    assert architecture(again)["config"] == described["config"]


def test_regularisation_and_dropout_as_listed():
    def of(name, kind, what):
        return [what(layer) for layer in network(name, 300).layers if kind in layer.name]

    def l2(layer):
        return round(float(layer.kernel_regularizer.l2), 6)

    def dropout(layer):
        return layer.dropout

    assert of("lstm2", "lstm", l2) == [0.2] * 8
    assert of("lstm2", "lstm", dropout) == [0.5] * 8
    assert of("lstm3", "lstm", dropout) == [0.2] * 4 + [0.5] * 4
    assert [of(f"lstm{k}", "lstm", l2)[0] for k in (1, 3, 4, 5)] == [0.2, 0.01, 0.05, 0.03]
    assert [of(f"rnn{k}", "rnn", l2) for k in (1, 2, 3, 4, 5)] == [
        [0.03], [0.05], [0.1], [0.05], [0.05],
    ]  # fmt: skip
    assert of("rnn4", "dense", lambda layer: layer.units) == [100, 200, 250]
    assert of("convrnn6", "conv", l2) == [0.2, 0.2]
    assert of("convrnn5", "conv", lambda layer: layer.kernel_regularizer) == [None, None]
    kinds = [layer.name.rpartition("_")[0] for layer in network("convrnn5", 300).layers]
    assert kinds[1:7] == ["norm", "dropout", "conv", "pool", "norm", "conv"]


def test_a_convolution_over_one_of_two_axes_is_the_published_time_distributed_one():
    seeded(0)
    ours = network("convrnn1", 64)
    window = keras.Input((TRACES, 64, 1))
    x = keras.layers.BatchNormalization()(window)
    for layer in (
        keras.layers.Conv1D(50, 5, strides=10, activation="relu"),
        keras.layers.MaxPooling1D(5, 2),
        keras.layers.Flatten(),
        keras.layers.Dense(100),
    ):
        x = keras.layers.TimeDistributed(layer)(x)
    x = keras.layers.SimpleRNN(100, return_sequences=True)(x)
    published = keras.Model(window, keras.layers.Dense(2, activation="softmax")(x))
    weights = [np.asarray(weight) for weight in ours.get_weights()]
    shaped = [
        value.reshape(own.shape) for value, own in zip(weights, published.weights, strict=True)
    ]
    published.set_weights(shaped)
    x = np.random.default_rng(0).normal(size=(2, TRACES, 64, 1)).astype(np.float32)
    np.testing.assert_allclose(ours(x), published(x), atol=1e-5)


def test_traces_of_0_are_masked():
    seeded(0)
    built = network("rnn1", 16)
    x = np.random.default_rng(0).normal(size=(1, TRACES, 16)).astype(np.float32)
    x[:, 60:] = 0
    answer = np.asarray(built(x))
    # Equal to rounding: rows of one matrix product may differ in the last digit.
    np.testing.assert_allclose(answer[0, 60:], np.repeat(answer[0, 59:60], 40, axis=0), rtol=1e-6)


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match=r"no network is called 'lstm6'; there are lstm1, lstm2"):
        network("lstm6", 300)
    with pytest.raises(ValueError, match=r"200 samples are too short for convrnn5: only 3 places"):
        network("convrnn5", 200)

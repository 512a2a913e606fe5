"""The upgrade: small, using both sides, shifted in training alone, and repeatable."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.architectures import architecture, from_architecture
from models.buried_objects import networks, upgrade
from models.buried_objects.training import Settings, score_scans
from models.buried_objects.windows import windows_of
from models.training import seeded

# Keras 3 asks TensorFlow's variables for NumPy arrays in a way that NumPy 2 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

VALUES = 16


def test_counts_by_hand():
    described = upgrade.describe(128, 0)
    block = 3 * 24 * 24 + 4 * 24
    assert described["parameters"] == 4 + 129 * 24 + 5 * block + 2 * 25
    assert described["multiplications"] == 100 * (128 * 24 + 5 * 3 * 24 * 24 + 2 * 24)


def test_it_takes_less_than_a_twentieth_of_any_published_networks_multiplications():
    ours = upgrade.describe(128, 0)["multiplications"]
    for name in ("rnn1", "rnn5", "convrnn4"):
        assert ours < networks.describe(name, 10_057)["multiplications"] / 20


def test_it_is_built_again_from_data():
    described = upgrade.describe(VALUES, 3)
    again = from_architecture(json.loads(json.dumps(described)))
    assert architecture(again)["config"] == described["config"]


def test_a_trace_depends_on_31_on_either_side():
    seeded(0)
    built = upgrade.network(VALUES, 0)
    x = np.random.default_rng(0).normal(size=(1, 100, VALUES)).astype(np.float32)
    changed = x.copy()
    changed[0, 50] += 5
    moved = np.abs(built.predict_on_batch(x) - built.predict_on_batch(changed))[0, :, 1]
    assert np.flatnonzero(moved > 1e-7).min() >= 50 - 31
    assert np.flatnonzero(moved > 1e-7).max() <= 50 + 31
    assert (moved[[30, 70]] > 0).all()


def test_windows_are_shifted_in_time_in_training_alone():
    import keras

    seeded(0)
    built = upgrade.network(VALUES, 0)
    inner = keras.Model(built.input, built.get_layer("traces").output)
    x = np.zeros((8, 100, VALUES), np.float32)
    x[:, :, 8] = 1
    outputs = np.asarray(inner(x, training=False))
    assert (outputs.argmax(axis=2) == 8).all()
    moved = np.asarray(inner(x, training=True)).argmax(axis=2)
    assert len(set(moved[:, 0].tolist())) > 1
    assert np.abs(moved - 8).max() <= upgrade.SHIFT * VALUES
    np.testing.assert_array_equal(moved, np.repeat(moved[:, :1], 100, axis=1))


@pytest.fixture(scope="module")
def traces():
    """Echoes at any depth over an object in the middle third."""
    generator = np.random.default_rng(0)
    scan = np.repeat(np.arange(8), 110).astype(np.int32)
    trace = np.tile(np.arange(110), 8).astype(np.int16)
    label = (trace * 3 // 110 == 1).astype(np.int8)
    values = 0.3 * generator.normal(size=(len(scan), VALUES)).astype(np.float32)
    values[np.arange(len(scan)), 4 + scan] += 3 * label
    windows = np.concatenate([windows_of(k, 110, seed=0, per_scan=3) for k in range(8)])
    known = {"label": label, "scan": scan, "part": np.ones(len(scan)), "windows": windows}
    return {"values": values, **known}


def of_scans(traces, first, last):
    rows = slice(110 * first, 110 * (last + 1))
    return {name: values[rows] for name, values in traces.items()}


def test_it_learns_and_repeats_itself(traces):
    described = upgrade.describe(VALUES, 1)
    settings = Settings(epochs=8, patience=10, batch=4, seed=2)
    training, validation = of_scans(traces, 0, 4), of_scans(traces, 5, 5)
    one, other = (upgrade.fit_upgrade(described, training, validation, settings) for _ in range(2))
    history = one.history
    assert history == other.history
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert history.phases[0].epochs == 6
    assert history.phases[1].learning_rate == pytest.approx(history.phases[0].learning_rate / 10)
    assert history.to_dict()["seen"] == 15 * history.epochs
    test = of_scans(traces, 6, 7)
    scores, label = score_scans(one.model, test), test["label"]
    assert scores[label == 1].mean() > scores[label == 0].mean() + 0.2

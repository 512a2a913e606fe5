"""The exoplanet models are trained on the training split alone and score any rows."""

from __future__ import annotations

import numpy as np
import pytest

from models.architectures import architecture
from models.exoplanets.training import fit_candidates, fit_forest, fit_network, score
from models.exoplanets.transit_search import FEATURE_NAMES
from models.sampling import TEST, TRAIN, VALIDATION
from models.training import Phase

ROWS = 60


@pytest.fixture(scope="module")
def curves():
    return {"label": np.array([1, 0, 0] * (ROWS // 3), np.int8)}


@pytest.fixture(scope="module")
def splits():
    return {
        "split": np.array(([TRAIN] * 6 + [VALIDATION] * 2 + [TEST] * 2) * (ROWS // 10), np.int8)
    }


@pytest.fixture(scope="module")
def inputs(curves):
    """Curves of 16 cadences in two channels: those with a planet dip in the middle."""
    curve = np.random.default_rng(0).normal(size=(ROWS, 16, 2)).astype(np.float32)
    curve[curves["label"] == 1, 6:10, 0] -= 8
    return {"curve": curve}


@pytest.fixture(scope="module")
def examples(curves, splits, inputs):
    """Make the rows of each split."""

    def rows(code, given=inputs):
        return part({**given, **curves}, splits["split"] == code)

    return rows


def part(arrays, chosen):
    return {name: array[chosen] for name, array in arrays.items()}


def small(inputs=("curve",)):
    """Describe a network of one unit on flattened inputs."""
    import keras

    given = [keras.Input((16, 2), name=name) for name in inputs]
    flat = [keras.layers.Flatten()(one) for one in given]
    joined = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return architecture(keras.Model(given, keras.layers.Dense(1, activation="sigmoid")(joined)))


def fitted(described, training, validation, seed=0):
    options = {"phases": [Phase(2, 0.05), Phase(1, 0.01)], "batch": 4, "steps": 5, "seed": seed}
    return fit_network(described, training, validation, **options)


def test_a_network_is_trained_in_its_phases_and_ranks_the_planets_first(examples):
    result = fitted(small(), examples(TRAIN), examples(VALIDATION))
    assert result.history.values["learning_rate"] == [0.05, 0.05, 0.01]
    assert set(result.history.values) >= {"loss", "accuracy", "val_loss", "val_accuracy"}
    scores = score("cnn", result.model, examples(TEST))
    labels = examples(TEST)["label"]
    assert scores.shape == labels.shape
    assert scores[labels == 1].min() > scores[labels == 0].max()


def test_what_else_is_known_of_a_curve_teaches_nothing(examples):
    named = {"star": np.array(["x"] * 36), "snr": np.full(36, np.nan)}
    first, same = (
        fitted(small(), given, examples(VALIDATION)).model.get_weights()
        for given in (examples(TRAIN), examples(TRAIN) | named)
    )
    for one, two in zip(first, same, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_network_of_several_inputs_takes_them_by_name(inputs, examples):
    both = {"curve": inputs["curve"], "other": np.zeros((ROWS, 16, 2), np.float32)}
    model = fitted(small(("other", "curve")), examples(TRAIN, both), examples(VALIDATION, both))
    assert score("composite", model.model, examples(TEST, both)).shape == (12,)


def test_the_forest_reads_the_curve_without_its_running_mean(inputs, examples):
    forest = fit_forest(examples(TRAIN), seed=0)
    assert forest.n_features_in_ == 16
    two = {"curve": inputs["curve"][:2]}  # with a planet, and without
    scores = score("random_forest", forest, two)
    assert scores[0] > 0.5 > scores[1]
    spoilt = {"curve": two["curve"] * np.array([1, 1000], np.float32)}
    np.testing.assert_array_equal(score("random_forest", forest, spoilt), scores)


def test_the_vetting_model_is_fitted_to_candidates(curves, splits):
    label = curves["label"]
    generator = np.random.default_rng(1)
    features = generator.normal(size=(ROWS, len(FEATURE_NAMES))).astype(np.float32)
    features[:, 0] += 9 * label
    candidates = {"features": features, **curves, "host": np.array(["x"] * ROWS)}
    trees = fit_candidates(part(candidates, splits["split"] == TRAIN), seed=0)
    scores = score("vetting", trees, part(candidates, splits["split"] == TEST))
    assert scores.shape == (12,)
    assert ((scores >= 0) & (scores <= 1)).all()

"""Trainings of every family learn, repeat themselves and give scores."""

from __future__ import annotations

import numpy as np
import pytest

from models.gravitational_waves import features as pooled
from models.gravitational_waves import networks, training
from models.gravitational_waves.splits import (
    classes_of,
    examples_of,
    images_of,
    is_positive,
    split_images,
)
from models.sampling import SPLITS

QUICK = {"epochs": 2, "learning_rate": 2e-3, "batch": 16, "patience": 0, "seed": 5}


def whole(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def simulated(counts=(48, 20, 20), seed=0, task="chirp"):
    """Lines that rise (chirps), fall and stay, over noise: the examples of each split."""
    generator = np.random.default_rng(seed)
    part = np.repeat([0, 1, 2], counts).astype(np.int8)
    kind = np.arange(len(part)) % 3
    rows, columns = np.arange(140)[:, None], np.arange(170)
    image = 0.1 + 0.05 * generator.random((len(part), 140, 170), dtype=np.float32)
    for k, shape in enumerate(kind):
        middle = generator.uniform(60, 80) + np.array([1, -1, 0])[shape] * (columns - 85) * 0.6
        image[k] += 0.7 * np.exp(-(((rows - middle) / 6) ** 2)).astype(np.float32)
    label = np.array(["Chirp", "Whistle", "Power_Line"], "U24")[kind]
    identity = np.array([f"image-{k:03d}" for k in range(len(part))], "U32")
    snr = np.full(len(part), np.nan, np.float32)
    images = {"image": image, "label": label, "id": identity, "part": part}
    images |= {"group": identity.astype("U40"), "snr": snr}
    images["duration"] = np.full(len(part), 0.5, np.float32)
    classes = classes_of(label, "Chirp", task)
    splits = split_images(images, classes, 0.2, 0.2, 0).to_arrays()
    examples = {
        name: whole(examples_of(images_of(images, splits, name), classes)) for name in SPLITS
    }
    scaling = pooled.scaling_of(examples["train"])

    def pool(how):
        return {k: whole(pooled.features_of(rows, scaling, how)) for k, rows in examples.items()}

    return {
        "classes": classes,
        "examples": examples,
        "columns": pool(pooled.columns_of),
        "pixels": pool(pooled.pixels_of),
    }


def of(model, features):
    """What a model reads of each split."""
    return features[training.FEATURES.get(model, "examples")]


@pytest.fixture(scope="module")
def features():
    return simulated()


def fit(model, features):
    how = training.fit_gan if model == "gan" else training.fit_network
    classes = len(features["classes"]["names"]) if features["classes"]["task"] == "classes" else 0
    read = of(model, features)
    described = networks.describe(model, classes)
    return how(model, described, read["train"], read["validation"], **QUICK)


@pytest.mark.parametrize("model", ["recurrent", "gan"])
def test_a_training_repeats_itself_and_learns(features, model):
    one, other = (fit(model, features) for _ in range(2))
    history = one.history
    assert history == other.history
    assert history.epochs == 2
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    test = of(model, features)["test"]
    scores = training.score(model, one.model, test, features["classes"])
    assert scores.shape == (20,)
    assert ((scores >= 0) & (scores <= 1)).all()
    label = test["target"]
    assert scores[label == 1].mean() > scores[label == 0].mean()
    assert set(history.values) >= {"loss", "accuracy", "val_loss", "val_accuracy"}
    # How surely the GAN tells generated images from real ones.
    assert all(0 <= value <= 1 for value in history.values.get("generated", []))


@pytest.mark.parametrize("model", ["shallow_cnn", "deep_cnn"])
def test_the_published_cnns_train_and_answer_in_probabilities(model):
    small = simulated((16, 6, 6))
    settings = QUICK | {"epochs": 1, "batch": 8}
    described, read = networks.describe(model), small["examples"]
    result = training.fit_network(model, described, read["train"], read["validation"], **settings)
    built, history = result.model, result.history
    assert set(history.values) >= {"loss", "accuracy", "val_loss", "val_accuracy"}
    # One epoch of 16 images, each passed forward once and backward twice.
    assert history.details["multiplications"] == described["multiplications"] * 16 * 3
    scores = training.score(model, built, read["test"], small["classes"])
    outputs = built.predict_on_batch(read["test"]["image"])
    np.testing.assert_allclose(scores, outputs[:, -1], rtol=1e-6)


def test_the_svc_separates_what_a_line_separates(features):
    test = features["pixels"]["test"]
    label = is_positive(test["class"], features["classes"])
    fitted = training.fit_svc(features["pixels"]["train"], penalty=1e-2, seed=0)
    scores = training.score("linear_svc", fitted, test, features["classes"])
    assert scores[label == 1].min() > scores[label == 0].max()
    assert training.own_threshold("linear_svc") == 0.0


def test_every_class_is_asked_for_where_the_task_says_so():
    features = simulated(task="classes")
    test = features["pixels"]["test"]
    assert set(test["target"]) == {0, 1, 2}
    fitted = training.fit_svc(features["pixels"]["train"], penalty=1e-2, seed=0)
    scores = training.score("linear_svc", fitted, test, features["classes"])
    assert (scores.argmax(axis=1) == test["target"]).all()
    built = networks.recurrent(3)
    found = training.score("recurrent", built, features["columns"]["test"], features["classes"])
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_a_class_without_training_images_is_never_the_largest():
    features = simulated(task="classes")
    classes = features["classes"] | {"names": [*features["classes"]["names"], "Zebra"]}
    fitted = training.fit_svc(features["pixels"]["train"], penalty=1e-2, seed=0)
    some = {name: values[:5] for name, values in features["pixels"]["test"].items()}
    scores = training.score("linear_svc", fitted, some, classes)
    assert scores.shape == (5, 4)
    assert (scores.argmin(axis=1) == 3).all()

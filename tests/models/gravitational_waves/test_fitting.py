"""Features by hand, and trainings of every family that learn, repeat themselves and give scores."""

from __future__ import annotations

import numpy as np
import pytest

from models.gravitational_waves import fitting, networks
from models.gravitational_waves.splits import classes_of, split_images
from models.sampling import TEST, TRAIN, rows_of

QUICK = {"epochs": 2, "learning_rate": 2e-3, "batch": 16, "patience": 0, "seed": 5}


def whole(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def made_up(counts=(48, 20, 20), seed=0, task="chirp"):
    """Lines that rise (chirps), fall and stay, over noise."""
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
    splits, _ = split_images(images, classes, 0.2, 0.2, 0)
    scaling = fitting.scaling_of(images, splits)
    return {
        "images": images,
        "classes": classes,
        "splits": splits,
        "scaling": scaling,
        "columns": whole(fitting.columns_of(images, scaling)),
        "pixels": whole(fitting.pixels_of(images, scaling)),
    }


@pytest.fixture(scope="module")
def features():
    return made_up()


def test_scaling_is_that_of_the_rows_of_training_images(features):
    images, splits = features["images"], features["splits"]
    learnt = images["image"][splits["split"] == TRAIN].astype(np.float64)
    np.testing.assert_allclose(features["scaling"]["mean"], learnt.mean(axis=(0, 2)), rtol=1e-9)
    deviation = learnt.std(axis=(0, 2))
    np.testing.assert_allclose(features["scaling"]["deviation"], deviation, rtol=1e-6)
    louder = images["image"].copy()
    louder[splits["split"] != TRAIN] *= 9
    assert fitting.scaling_of(images | {"image": louder}, splits) == features["scaling"]


def test_a_row_that_never_changes_is_not_divided_by_zero():
    images = {"image": np.full((4, 140, 170), 0.5, np.float32)}
    scaling = fitting.scaling_of(images, {"split": np.zeros(4, np.int8)})
    assert scaling["deviation"] == [1.0] * 140
    assert not whole(fitting.pixels_of(images, scaling))["values"].any()


def test_columns_are_means_of_two_by_two_pixels_with_time_first():
    image = np.arange(140 * 170, dtype=np.float32).reshape(1, 140, 170)
    scaling = {"mean": [0.0] * 140, "deviation": [1.0] * 140}
    columns = whole(fitting.columns_of({"image": image}, scaling))["values"]
    assert columns.shape == (1, 85, 70)
    assert columns.dtype == np.float32
    assert columns[0, 3, 2] == image[0, 4:6, 6:8].mean()
    pixels = whole(fitting.pixels_of({"image": image}, scaling))["values"]
    assert pixels.shape == (1, 28 * 34)
    assert pixels[0, 34 + 2] == image[0, 5:10, 10:15].mean()


def test_standardising_goes_by_row_of_frequency():
    image = np.ones((1, 140, 170), np.float32)
    scaling = {"mean": np.arange(140.0).tolist(), "deviation": [2.0] * 140}
    columns = whole(fitting.columns_of({"image": image}, scaling))["values"]
    np.testing.assert_allclose(columns[0, 0, 1], ((1 - 2) / 2 + (1 - 3) / 2) / 2)


def fit(model, features):
    how = fitting.fit_gan if model == "gan" else fitting.fit_network
    asked = len(features["classes"]["names"]) if features["classes"]["task"] == "classes" else 0
    return how(model, networks.described(model, asked), features, **QUICK)


@pytest.mark.parametrize("model", ["recurrent", "gan"])
def test_a_training_repeats_itself_and_learns(features, model):
    (one, history), (other, again) = (fit(model, features) for _ in range(2))
    assert history == again
    assert history.epochs == 2
    for left, right in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    rows = rows_of(features["splits"], TEST)
    scores = fitting.score(model, one, features, rows)
    assert scores.shape == (20,)
    assert ((scores >= 0) & (scores <= 1)).all()
    label = fitting.targets(features)[rows]
    assert scores[label == 1].mean() > scores[label == 0].mean()
    assert set(history.values) >= {"loss", "accuracy", "val_loss", "val_accuracy"}
    # How surely the GAN tells generated images from real ones.
    assert all(0 <= value <= 1 for value in history.values.get("generated", []))


@pytest.mark.parametrize("model", ["shallow_cnn", "deep_cnn"])
def test_the_published_cnns_train_and_answer_in_probabilities(model):
    small = made_up((16, 6, 6))
    settings = QUICK | {"epochs": 1, "batch": 8}
    built, history = fitting.fit_network(model, networks.described(model), small, **settings)
    assert set(history.values) >= {"loss", "accuracy", "val_loss", "val_accuracy"}
    rows = rows_of(small["splits"], TEST)
    scores = fitting.score(model, built, small, rows)
    found = built.predict_on_batch(small["images"]["image"][rows])
    np.testing.assert_allclose(scores, found[:, -1], rtol=1e-6)


def test_the_svc_separates_what_a_line_separates(features):
    rows = rows_of(features["splits"], TEST)
    label = fitting.targets(features)[rows]
    fitted = fitting.fit_svc(features, penalty=1e-2, seed=0)
    scores = fitting.score("linear_svc", fitted, features, rows)
    assert scores[label == 1].min() > scores[label == 0].max()
    assert fitting.own_cut("linear_svc") == 0.0


def test_every_class_is_asked_for_where_the_task_says_so():
    features = made_up(task="classes")
    rows = rows_of(features["splits"], TEST)
    code = fitting.targets(features)
    assert set(code) == {0, 1, 2}
    fitted = fitting.fit_svc(features, penalty=1e-2, seed=0)
    scores = fitting.score("linear_svc", fitted, features, rows)
    assert (scores.argmax(axis=1) == code[rows]).all()
    built = networks.recurrent(3)
    found = fitting.score("recurrent", built, features, rows)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_a_class_without_training_images_is_never_the_largest():
    features = made_up(task="classes")
    features["classes"] = features["classes"] | {"names": [*features["classes"]["names"], "Zebra"]}
    fitted = fitting.fit_svc(features, penalty=1e-2, seed=0)
    scores = fitting.score("linear_svc", fitted, features, np.arange(5))
    assert scores.shape == (5, 4)
    assert (scores.argmin(axis=1) == 3).all()

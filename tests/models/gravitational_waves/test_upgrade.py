"""The upgrade is trained on training images and injections alone, and ranks chirps."""

from __future__ import annotations

import numpy as np
import pytest

from models.architectures import architecture_with_cost
from models.gravitational_waves import training, upgrade

NAMES = ["Blip", "Chirp", "Whistle"]


def simulated(count=60, seed=0):
    """Blobs, rising lines and falling lines; few of them rise."""
    generator = np.random.default_rng(seed)
    kind = generator.choice(3, count, p=[0.5, 0.2, 0.3])
    rows, columns = np.arange(140)[:, None], np.arange(170)
    image = 0.1 + 0.05 * generator.random((count, 140, 170), dtype=np.float32)
    for k, shape in enumerate(kind):
        slope = np.array([0, 1, -1])[shape]
        near = ((rows - 70 - slope * (columns - 85) * 0.6) / 6) ** 2
        near = near + ((columns - 85) / 10) ** 2 * (shape == 0)
        image[k] += 0.7 * np.exp(-near).astype(np.float32)
    return image, kind.astype(np.int16)


@pytest.fixture(scope="module")
def examples():
    image, kind = simulated()
    injected, rises = simulated(seed=1)
    parts = {"train": slice(20), "validation": slice(20, 40), "test": slice(40, None)}
    return {name: {"image": image[rows], "class": kind[rows]} for name, rows in parts.items()} | {
        "injections": {"image": injected[rises == 1], "class": rises[rises == 1]}
    }


def test_training_images_come_first_and_injections_after_them(examples):
    train, injected = examples["train"], examples["injections"]
    x, codes = upgrade.joined(train, injected)
    np.testing.assert_array_equal(x[:20], train["image"])
    np.testing.assert_array_equal(x[20:], injected["image"])
    np.testing.assert_array_equal(codes[:20], train["class"])
    assert codes[20:].tolist() == [1] * len(injected["class"])


def test_class_weights_by_hand():
    weights = upgrade.class_weights(np.array([0, 0, 0, 0, 1]), 3)
    # 1/2 and 1, which over the images make 4 * 1/2 + 1 = 3, to be 5
    assert weights[0] == pytest.approx(1 / 2 * 5 / 3)
    assert weights[1] == pytest.approx(5 / 3)
    assert weights[0] * 4 + weights[1] == pytest.approx(5)


def test_it_learns_repeats_itself_and_scores_the_chirp_class(examples):
    described = architecture_with_cost(upgrade.network(3))
    settings = {"epochs": 6, "learning_rate": 2e-3, "batch": 8, "patience": 0, "seed": 2}
    parts = [examples[name] for name in ("train", "validation", "injections")]
    one, other = (upgrade.fit_upgrade("upgrade", described, *parts, **settings) for _ in range(2))
    history = one.history
    images = 20 + len(examples["injections"]["class"])
    assert history.details["multiplications"] == 3 * described["multiplications"] * 6 * images
    assert history == other.history
    assert history.values["learning_rate"] == pytest.approx([2e-3] * 5 + [2e-4])
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert history.values["accuracy"][-1] > history.values["accuracy"][0]
    classes = {"names": NAMES, "positive": [1], "task": "chirp"}
    scores = training.score("upgrade", one.model, examples["test"], classes)
    every = one.model.predict_on_batch(examples["test"]["image"])
    np.testing.assert_allclose(scores, every[:, 1], rtol=1e-6)

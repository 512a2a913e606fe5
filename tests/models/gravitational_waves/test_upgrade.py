"""The upgrade is trained on training images and injections alone, and ranks chirps."""

from __future__ import annotations

import numpy as np
import pytest

from models.architectures import architecture_with_cost
from models.gravitational_waves import training, upgrade
from models.sampling import TEST, rows_of

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
def features():
    image, kind = simulated()
    injected, rises = simulated(seed=1)
    return {
        "images": {"image": image, "label": np.array(NAMES)[kind]},
        "splits": {"class": kind, "split": np.repeat([0, 1, 2], 20).astype(np.int8)},
        "classes": {"names": NAMES, "positive": [1], "task": "chirp"},
        "injections": {"image": injected[rises == 1], "label": np.array(NAMES)[rises[rises == 1]]},
    }


def test_training_images_come_first_and_injections_after_them(features):
    x, codes = upgrade.training_images(features)
    injected = features["injections"]["image"]
    np.testing.assert_array_equal(x[:20], features["images"]["image"][:20])
    np.testing.assert_array_equal(x[20:], injected)
    np.testing.assert_array_equal(codes[:20], features["splits"]["class"][:20])
    assert codes[20:].tolist() == [1] * len(injected)


def test_class_weights_by_hand():
    weights = upgrade.class_weights(np.array([0, 0, 0, 0, 1]), 3)
    # 1/2 and 1, which over the images make 4 * 1/2 + 1 = 3, to be 5
    assert weights[0] == pytest.approx(1 / 2 * 5 / 3)
    assert weights[1] == pytest.approx(5 / 3)
    assert weights[0] * 4 + weights[1] == pytest.approx(5)


def test_it_learns_repeats_itself_and_scores_the_chirp_class(features):
    described = architecture_with_cost(upgrade.network(3))
    settings = {"epochs": 6, "learning_rate": 2e-3, "batch": 8, "patience": 0, "seed": 2}
    one, other = (upgrade.fit_upgrade("upgrade", described, features, **settings) for _ in range(2))
    history = one.history
    assert history == other.history
    assert history.values["learning_rate"] == pytest.approx([2e-3] * 5 + [2e-4])
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert history.values["accuracy"][-1] > history.values["accuracy"][0]
    rows = rows_of(features["splits"], TEST)
    scores = training.score("upgrade", one.model, features, rows)
    every = one.model.predict_on_batch(features["images"]["image"][rows])
    np.testing.assert_allclose(scores, every[:, 1], rtol=1e-6)

"""Pictures of the gravitational-wave assets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.gravitational_waves import pictures
from models.gravitational_waves.images import SHAPE

PNG = b"\x89PNG"
GENERATOR = np.random.default_rng(1)
IMAGES = {
    "image": GENERATOR.uniform(size=(6, *SHAPE)).astype(np.float32),
    "label": np.array(["Chirp", "Blip", "Blip", "Tomte", "Blip", "Tomte"]),
    "id": np.array(list("abcdef")),
    "snr": np.array([9, 10, 11, 12, 30, 31], np.float32),
    "duration": np.full(6, 0.5, np.float32),
}
CLASSES = {"names": ["Blip", "Chirp", "Tomte"], "positive": [1]}


def drawn(monkeypatch, draw):
    """What is passed on to be drawn side by side: pictures and their names."""
    seen = []
    original = pictures.plots.images

    def spy(values, names, **named):
        seen.append((np.asarray(values), list(names)))
        return original(values, names, **named)

    monkeypatch.setattr(pictures.plots, "images", spy)
    assert draw().startswith(PNG)
    return seen[0]


def test_classes_are_counted_the_most_frequent_first():
    assert pictures.classes(IMAGES["label"]) == {"Blip": 3, "Tomte": 2, "Chirp": 1}


def test_scored_images_are_those_of_their_names(monkeypatch):
    table = pd.DataFrame({"id": ["d", "a"], "label": ["Tomte", "Chirp"], "score": [0.5, 0.25]})
    values, names = drawn(monkeypatch, lambda: pictures.scored_images(IMAGES, table))
    assert names == ["Tomte, 0.5", "Chirp, 0.25"]
    np.testing.assert_array_equal(values, IMAGES["image"][[3, 0]])


def test_columns_are_turned_so_that_time_runs_to_the_right(monkeypatch):
    columns = np.arange(6 * 4 * 3.0).reshape(6, 4, 3)  # four steps of three bands
    stored = IMAGES | {"values": columns}
    values, names = drawn(monkeypatch, lambda: pictures.pooled(stored, (3, 4)))
    assert names == ["Blip", "Chirp", "Tomte"]
    np.testing.assert_array_equal(values[1], columns[0].T)


def test_pixels_keep_their_rows_of_frequency(monkeypatch):
    pixels = np.arange(6 * 952.0).reshape(6, 952)
    values, _ = drawn(monkeypatch, lambda: pictures.pixels(IMAGES | {"values": pixels}))
    np.testing.assert_array_equal(values[1], pixels[0].reshape(28, 34))


def test_the_class_looked_for_is_averaged_apart_from_the_rest(monkeypatch):
    values, names = drawn(monkeypatch, lambda: pictures.chirp_and_rest(IMAGES, CLASSES))
    assert names == ["looked for", "all others"]
    np.testing.assert_allclose(values[0], IMAGES["image"][0])
    np.testing.assert_allclose(values[1], IMAGES["image"][1:].mean(axis=0), rtol=1e-6)


def test_simulated_chirps_and_scaling_are_drawn():
    scaling = {"mean": [0.1] * SHAPE[0], "std": [0.02] * SHAPE[0]}
    assert pictures.simulated(IMAGES).startswith(PNG)
    assert pictures.loudness(IMAGES).startswith(PNG)
    assert pictures.scaling(scaling).startswith(PNG)

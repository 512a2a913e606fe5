"""Pictures of data sets and features: PNGs, the same for the same input, that show their words."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from models import data_plots
from tests.models.figure_text import words

GENERATOR = np.random.default_rng(0)
LABELS = np.r_[np.ones(6, int), np.zeros(120, int)]
SCORES = 1 / (1 + np.exp(2 - GENERATOR.normal(size=126) - 2 * LABELS))
FEATURES = np.stack([SCORES, SCORES, LABELS, np.full(126, np.nan)], axis=1)
ROWS = GENERATOR.normal(size=(3, 50))
AXES = {"x_label": "time (days)", "y_label": "flux"}

PICTURES = {
    "balance": lambda: data_plots.balance(
        {"train": {"quiet": 90, "flare": 10}, "test": {"quiet": 45, "flare": 5}}, title="splits"
    ),
    "bars": lambda: data_plots.bars({"Blip": 30, "Chirp": 4, "Tomte": 2}, x_label="images"),
    "spread": lambda: data_plots.spread([1, 10, 100], [1, 2, 3], [0.5, 0.5, 1], log=True, **AXES),
    "line": lambda: data_plots.spread([1, 2, 3], [1, 2, 3], **AXES),
    "distributions": lambda: data_plots.distributions(FEATURES, LABELS, ["x", "y", "z", "empty"]),
    "overview": lambda: data_plots.overview(
        {"flux": np.arange(9000.0), "image": ROWS, "name": np.array(["a", "b"]), "one": ROWS[:1]}
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_small_png_and_always_the_same(name):
    png = PICTURES[name]()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 300 <= width <= 900
    assert 200 <= height <= 700
    assert len(png) < 200_000
    assert png == PICTURES[name]()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("balance", ["train", "test", "quiet (90, 45)", "flare (10, 5)", "examples", "splits"]),
        ("bars", ["Chirp", "4", "images"]),
        ("spread", ["mean", "one standard deviation", "time (days)"]),
        ("overview", ["flux (9000)", "image (3 x 50)"]),
    ],
)
def test_a_picture_names_what_it_shows(monkeypatch, name, expected):
    assert set(expected) <= set(words(monkeypatch, data_plots, PICTURES[name]))


def test_the_features_that_differ_most_between_the_classes_come_first(monkeypatch):
    shown = words(
        monkeypatch,
        data_plots,
        lambda: data_plots.distributions(FEATURES, LABELS, list("abcd"), count=2),
    )
    assert [text for text in shown if text in "abcd"] == ["c", "a"]


def test_distributions_need_a_name_for_each_feature_and_a_label_for_each_row():
    with pytest.raises(ValueError, match=r"need values of shape \(126, 3\), not \(126, 4\)"):
        data_plots.distributions(FEATURES, LABELS, list("abc"))


def test_an_overview_of_nothing_that_can_be_drawn_is_none():
    assert data_plots.overview({"name": np.array(["a", "b"]), "single": np.array([1.0])}) is None


def test_an_overview_reads_every_nth_row_of_a_long_array():
    asked = []

    class Stored:
        shape, dtype = (10_000_000,), np.dtype("f4")

        def __len__(self):
            return self.shape[0]

        def __getitem__(self, rows):
            asked.append(rows)
            return np.zeros(len(range(*rows.indices(len(self)))), self.dtype)

    assert data_plots.overview({"strain": Stored()})
    assert asked == [slice(None, None, 5000)]

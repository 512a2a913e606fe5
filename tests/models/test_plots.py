"""Every picture is a PNG of the right size, the same for the same input, and shows its words."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models import plots
from models.evaluation import evaluate
from models.intervals import Metric
from models.metrics import recall_by_bin, reliability
from tests.models.figure_text import words

GENERATOR = np.random.default_rng(0)
LABELS = np.r_[np.ones(6, int), np.zeros(120, int)]
SCORES = 1 / (1 + np.exp(2 - GENERATOR.normal(size=126) - 2 * LABELS))
HISTORY = {
    "loss": [0.9, 0.5, 0.4, 0.45],
    "val_loss": [1.0, 0.7, 0.5, 0.6],
    "accuracy": [0.5, 0.7, 0.8, 0.8],
}
ROWS = GENERATOR.normal(size=(3, 50))
AXES = {"x_label": "time (days)", "y_label": "flux"}
INTERVAL = Metric(0.5, 0.3, 0.7)
UNKNOWN = Metric.undefined("no row is flagged")

PICTURES = {
    "learning": lambda: plots.learning_curves(
        HISTORY, phases=[(2, 1e-3), (2, 1e-4)], best_epoch=3, title="CNN"
    ),
    "one epoch": lambda: plots.learning_curves({"loss": [0.3]}),
    "roc": lambda: plots.roc_curve(LABELS, SCORES, 0.5, title="CNN"),
    "crossover": lambda: plots.crossover(LABELS, SCORES, 0.5),
    "precision recall": lambda: plots.precision_recall(LABELS, SCORES, 0.5),
    "nothing flagged": lambda: plots.precision_recall(LABELS, SCORES, 2.0),
    "scatter": lambda: plots.score_scatter(LABELS, SCORES, 0.5, classes=("quiet", "flare")),
    "no positives": lambda: plots.score_scatter(np.zeros(9), SCORES[:9]),
    "images": lambda: plots.images(
        np.arange(240.0).reshape(5, 6, 8), list("abcde"), extent=(-1, 1, 10, 2048), log=True, **AXES
    ),
    "confusion": lambda: plots.confusion_matrix({"tp": 4, "fp": 6, "fn": 1, "tn": 559}),
    "confusion of none": lambda: plots.confusion_matrix({"tp": 0, "fp": 0, "fn": 0, "tn": 0}),
    "curves": lambda: plots.curves(np.arange(50), ROWS, [0, 1, 0], names=list("abc"), **AXES),
    "spectra": lambda: plots.curves(np.arange(50), np.abs(ROWS), [0, 1, 0], log=True, **AXES),
    "reliability": lambda: plots.reliability_diagram(reliability(LABELS, SCORES), 0.05),
    "comparison": lambda: plots.comparison(
        {"CNN": INTERVAL, "LSTM": UNKNOWN}, {"CNN": 0.25, "LSTM": None}, x_label="F1"
    ),
    "by bin": lambda: plots.recall_by_bin(
        recall_by_bin([6, 8, 30, np.nan], [0, 1, 1, 1], [5, 7, 10, 12]), x_label="SNR"
    ),
}


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_small_png_and_always_the_same(name):
    png = PICTURES[name]()
    width, height = size(png)
    assert 300 <= width <= 900
    assert 200 <= height <= 700
    assert len(png) < 200_000
    assert png == PICTURES[name]()
    assert b"matplotlib" not in png.lower()  # no software, no version, no date
    assert b"tEXt" not in png
    assert b"tIME" not in png


def test_pyplot_is_not_used():
    script = (
        "import sys; from models import plots;"
        "plots.confusion_matrix(dict(tp=1, fp=2, fn=3, tn=4));"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    root = Path(plots.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0


def test_pictures_differ_where_the_data_do():
    assert plots.roc_curve(LABELS, SCORES) != plots.roc_curve(LABELS, SCORES, 0.5)
    assert plots.roc_curve(LABELS, SCORES) != plots.roc_curve(LABELS, -SCORES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("learning", ["CNN", "loss", "epoch", "learning rate 0.001 to 0.0001", "weights kept"]),
        ("roc", ["CNN", "false-positive rate", "sensitivity (recall)", "threshold 0.5"]),
        ("scatter", ["quiet (120)", "flare (6)", "score"]),
        ("confusion", ["559\n98.9%", "4\n80.0%", "predicted", "actual"]),
        ("confusion of none", ["0\n0.0%"]),
        ("curves", ["positive: b", "negative: a", "time (days)", "flux"]),
        ("comparison", ["CNN", "LSTM", "undefined", "F1", "published"]),
        ("by bin", ["5-7", "1 of 1", "0 of 0", "not\nknown", "beyond\nthe edges", "SNR"]),
        ("reliability", ["forecast probability", "observed frequency", "perfectly reliable"]),
    ],
)
def test_a_picture_names_what_it_shows(monkeypatch, name, expected):
    assert set(expected) <= set(words(monkeypatch, plots, PICTURES[name]))


def test_the_areas_shown_are_those_of_the_evaluation(monkeypatch):
    value = evaluate(LABELS, SCORES, 0.5, seed=0).values()
    for name, metric, label in (
        ("roc", "roc_auc", "area"),
        ("precision recall", "average_precision", "average precision"),
    ):
        assert f"{label} {value[metric]:.3f}" in words(monkeypatch, plots, PICTURES[name])


def test_the_scatter_of_very_many_says_how_many_are_shown(monkeypatch):
    labels = np.r_[np.ones(10), np.zeros(9000)]
    texts = words(monkeypatch, plots, lambda: plots.score_scatter(labels, np.linspace(0, 1, 9010)))
    assert "negative (3,000 of 9,000)" in texts
    assert "positive (10)" in texts


def test_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"need rows of shape \(3, 49\), not \(3, 50\)"):
        plots.curves(np.arange(49), ROWS, [0, 1, 0], **AXES)
    with pytest.raises(ValueError, match="row 1 holds nan"):
        plots.roc_curve([1, 0], [np.nan, 0.5])


def test_images_need_a_name_each():
    with pytest.raises(ValueError, match=r"2 names need as many pictures, not \(3, 4, 4\)"):
        plots.images(np.zeros((3, 4, 4)), ["a", "b"], extent=(0, 1, 0, 1), **AXES)


def test_a_picture_can_be_read_back():
    from matplotlib.image import imread

    image = imread(io.BytesIO(PICTURES["confusion"]()))
    assert image.std() > 0.1


def test_decisions_are_drawn_as_each_picture_by_itself():
    counts, classes = evaluate(LABELS, SCORES, 0.5, seed=0).counts, ("quiet", "flare")
    drawn = plots.decisions(LABELS, SCORES, 0.5, counts, classes=classes, title="CNN")
    assert drawn == {
        "scores": plots.score_scatter(LABELS, SCORES, 0.5, classes=classes, title="CNN"),
        "ROC": plots.roc_curve(LABELS, SCORES, 0.5, title="CNN"),
        "precision and recall": plots.precision_recall(LABELS, SCORES, 0.5, title="CNN"),
        "confusion": plots.confusion_matrix(counts, classes=classes, title="CNN"),
    }

"""Pictures of the exoplanet assets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.exoplanets import pictures
from models.exoplanets.evaluation import evaluate_predictions
from models.exoplanets.transit_search import CADENCE_DAYS

PNG = b"\x89PNG"
GENERATOR = np.random.default_rng(1)
CURVES = {
    "flux": GENERATOR.normal(size=(6, 200)).astype(np.float32),
    "label": np.array([0, 1, 0, 1, 0, 0], np.int8),
    "kind": np.array(["quiet", "planet", "eclipsing_binary", "planet", "quiet", "flare"]),
    "snr": np.array([np.nan, 9.5, np.nan, 20.0, np.nan, np.nan]),
    "star": np.array(list("abcdef")),
}


def titles(monkeypatch, draw):
    """What is passed on as names of curves."""
    seen = []
    original = pictures.plots.curves

    def spy(x, rows, labels, **named):
        seen.append((np.asarray(labels).tolist(), list(named["names"])))
        return original(x, rows, labels, **named)

    monkeypatch.setattr(pictures.plots, "curves", spy)
    assert draw().startswith(PNG)
    return seen[0]


def test_kinds_are_counted_the_most_frequent_first():
    assert pictures.kinds(CURVES) == {"planet": 2, "quiet": 2, "eclipsing binary": 1, "flare": 1}


def test_planets_are_named_by_their_signal_and_other_curves_by_their_kind(monkeypatch):
    labels, names = titles(monkeypatch, lambda: pictures.curves(CURVES))
    assert labels == [1, 1, 0, 0, 0]
    assert names == ["SNR 9.5", "SNR 20.0", "quiet", "eclipsing binary", "quiet"]


def test_scored_curves_are_those_of_their_stars(monkeypatch):
    table = pd.DataFrame({"star": ["f", "b"], "score": [0.75, 0.1234]})
    labels, names = titles(monkeypatch, lambda: pictures.scored_curves(CURVES, table))
    assert labels == [0, 1]
    assert names == ["flare, score 0.750", "SNR 9.5, score 0.123"]


def test_a_dip_is_folded_onto_itself_and_averaged():
    # Dips of 0.1 day every 2 days, the first at 0.5; ten samples an hour.
    time = np.arange(0, 20, 1 / 240)
    flux = np.where(np.abs((time - 0.5 + 1) % 2 - 1) < 0.05, -0.01, 0.0)
    star = {"period": 2.0, "epoch": 0.5, "duration": 0.1}
    hours, means = pictures._binned(time, flux, star, bins=5)
    np.testing.assert_allclose(hours, [-4.8, -2.4, 0, 2.4, 4.8], atol=1e-9)
    assert means[2] == pytest.approx(-0.01, rel=0.05)
    np.testing.assert_allclose(means[[0, 1, 3, 4]], 0, atol=1e-3)


def test_every_picture_of_curves_is_drawn_and_always_the_same():
    scaled = GENERATOR.normal(size=(6, 200, 2)).astype(np.float32)
    spectrum = np.abs(GENERATOR.normal(size=(6, 101, 1)))
    candidates = {
        "features": GENERATOR.normal(size=(6, len(pictures.FEATURE_NAMES))),
        "global_view": GENERATOR.normal(size=(6, 201)),
    }
    for draw in (
        lambda: pictures.channels({**CURVES, "curve": scaled}),
        lambda: pictures.spectra({**CURVES, "spectrum": spectrum}),
        lambda: pictures.candidates({**CURVES, **candidates})["features"],
        lambda: pictures.candidates({**CURVES, **candidates})["folded curves"],
    ):
        png = draw()
        assert png.startswith(PNG)
        assert png == draw()


def quarters():
    """One star with a dip every two days, in one quarter."""
    time = np.arange(0, 30, CADENCE_DAYS)
    flux = 1000.0 + GENERATOR.normal(size=time.size)
    flux[np.abs((time - 0.5 + 1) % 2 - 1) < 0.1] -= 50
    return {
        "kic": np.full(time.size, 7, np.int32),
        "quarter": np.full(time.size, "q1"),
        "time": time,
        "flux": flux.astype(np.float32),
        "quality": np.zeros(time.size, np.int32),
    }


def test_raw_quarters_and_folded_dips_are_drawn():
    table = quarters()
    star = {"kic": 7, "period": 2.0, "epoch": 0.5, "duration": 0.2, "verdict": "false positive"}
    assert pictures.quarters(table).startswith(PNG)
    assert pictures.folded(table, [star]).startswith(PNG)


def test_rounds_of_cross_validation_are_drawn_with_their_intervals():
    one = {"metrics": {"average_precision": {"value": 0.5, "low": 0.25, "high": 0.75}}}
    assert pictures.rounds({"rounds": [one, one]}).startswith(PNG)


def test_only_a_network_has_learning_curves():
    label = np.repeat([1, 0], [12, 48])
    scores = np.clip(np.random.default_rng(0).normal(0.3 + 0.4 * label, 0.2), 0, 1)
    table = pd.DataFrame(
        {
            "host": [f"host {k % 20}" for k in range(60)],
            "kind": np.where(label == 1, "planet", "flare"),
            "label": label,
            "snr": np.where(label == 1, 12.0, np.nan),
            "score": scores,
            "flagged": scores >= 0.5,
        }
    )
    evaluation = evaluate_predictions("cnn", table, 0.5, 100, 0)
    history = {"values": {"loss": [1.0, 0.5], "accuracy": [0.5, 0.8]}, "phases": [[2, 1e-3]]}
    drawn = pictures.results("cnn", table, evaluation, history)
    assert all(png.startswith(b"\x89PNG") for png in drawn.values())
    without = pictures.results("vetting", table, evaluation, None)
    assert set(drawn) - set(without) == {"loss and accuracy"}

"""Comparison of the solar-flare models."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.solar_flares import evaluation, report
from models.solar_flares.published import RESULTS, TEST_BAR
from models.solar_flares.training import describe


def table(regions=12, per_region=5, seed=0):
    generator = np.random.default_rng(seed)
    label = np.repeat(np.arange(regions) % 3 == 0, per_region).astype(np.int8)
    score = np.clip(0.25 + 0.4 * label + 0.15 * generator.standard_normal(len(label)), 0.01, 0.99)
    region = np.repeat([f"AR{k}" for k in range(regions)], per_region)
    frame = {"id": np.arange(len(label)).astype(str), "region": region, "label": label}
    return pd.DataFrame(frame | {"score": score, "flagged": score >= 0.4})


def test_the_comparison_has_ours_beside_the_published_and_says_what_leaks():
    result = evaluation.evaluate_predictions(table(), 0.4, 100, 0, (0.7, 0.8))
    networks = {"basic|short": result, "stacked|long": result}
    chance = {"test": {"chance": 0.8, "bar": 1.0, "note": "no accuracy can exceed it"}}
    better = evaluation.evaluate_predictions(table(seed=1), 0.45, 100, 0)
    leaky = better.with_details(note=evaluation.LEAK)
    stored = {name: one.to_dict() for name, one in networks.items()}
    comparison = report.comparison(stored, better.to_dict(), leaky.to_dict(), chance)
    models = [row["model"] for row in comparison["rows"]]
    assert models == ["basic short", "", "stacked long", "", "upgrade"]
    assert comparison["rows"][1]["accuracy_at_0.5"] == 0.7
    notes = "\n".join(comparison["notes"])
    assert "LEAKY on purpose" in notes
    assert "no accuracy can exceed it" in notes
    assert str(TEST_BAR) in notes


def test_the_report_is_made_of_the_comparison_the_histories_and_examples():
    predicted = table()
    result = evaluation.evaluate_predictions(predicted, 0.4, 100, 0).to_dict()
    chance = {"test": {"chance": 0.8, "bar": 1.0, "note": ""}}
    leaky = result | {"note": evaluation.LEAK}
    compared = report.comparison({"basic|short": result}, result, leaky, chance)
    sequences = {
        "values": np.zeros((4, 60, 25), np.float32),
        "label": np.array([0, 1, 0, 1], np.int8),
        "region": np.array(["AR1", "AR2", "AR3", "AR4"]),
    }
    history = {"values": {"loss": [0.5], "recall": [0.4]}}
    made = report.report(
        compared,
        {"basic": describe("basic", "sequences")},
        {"basic|short": history},
        predicted,
        sequences,
    )
    assert "pictures/basic-short-training.png" in made.files
    assert "pictures/basic-short-reliability.png" in made.files
    assert "pictures/totusjh.png" in made.files
    assert "Proportional chance" in made.markdown


def test_no_published_accuracy_exceeds_the_bar():
    figures = [pair for settings in RESULTS.values() for pair in settings.values()]
    assert len(figures) == 18
    assert max(accuracy for accuracy, _ in figures) == 0.8860 < TEST_BAR

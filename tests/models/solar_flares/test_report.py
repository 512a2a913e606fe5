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


def test_no_published_accuracy_exceeds_the_bar():
    figures = [pair for settings in RESULTS.values() for pair in settings.values()]
    assert len(figures) == 18
    assert max(accuracy for accuracy, _ in figures) == 0.8860 < TEST_BAR


def test_the_report_has_every_network_and_a_page_for_each_record_worth_a_look():
    frame = table()
    frame["flagged"] = frame["score"] >= 0.6
    result = evaluation.evaluate_predictions(frame, 0.6, 100, 0, (0.7, 0.8)).to_dict()
    history = {"values": {"loss": [0.7, 0.5], "recall": [0.1, 0.4]}}
    networks = ("basic|short", "basic|long")
    chance = {"test": {"chance": 0.8, "bar": 1.0, "note": ""}}
    compared = {
        "notes": ["It leaks."], "rows": [{"model": "basic"}], "chance": chance,
        "networks": dict.fromkeys(networks, result), "upgrade": result,
    }  # fmt: skip
    values = np.random.default_rng(2).normal(size=(len(frame), 60, 25)).astype(np.float32)
    written = report.report(
        compared,
        {"basic": describe("basic", "sequences")},
        dict.fromkeys(networks, history),
        frame,
        {"id": frame["id"].to_numpy(), "values": values},
    )
    titles = ["short: loss by epoch", "short: reliability", "long: recall by epoch", "Reliability"]
    assert all(f"![{title}]" in written.markdown for title in titles)
    assert "Proportional chance" in written.markdown
    missed = frame[(frame["label"] == 1) & ~frame["flagged"]].sort_values("score").iloc[0]
    page = written.files["examples/missed-1.md"].decode()
    assert page.startswith(f"# {missed['region']}, record {missed['id']}: missed")
    assert f"Flare; forecast {missed['score']:.3f}." in page
    start, *_, end = values[int(missed["id"]), :, 0]
    assert f"From {start:.3g} to {end:.3g} standard deviations in 12 hours." in page
    assert page.count("](../charts/") == len(report.SHOWN)

"""Judgement of predictions, and what the comparison says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.solar_flares import judging, summary
from models.solar_flares.published import RESULTS, TEST_BAR


def table(regions=12, per_region=5, seed=0):
    generator = np.random.default_rng(seed)
    label = np.repeat(np.arange(regions) % 3 == 0, per_region).astype(np.int8)
    score = np.clip(0.25 + 0.4 * label + 0.15 * generator.standard_normal(len(label)), 0.01, 0.99)
    region = np.repeat([f"AR{k}" for k in range(regions)], per_region)
    frame = {"id": np.arange(len(label)).astype(str), "region": region, "label": label}
    return pd.DataFrame(frame | {"score": score, "flagged": score >= 0.4})


def test_judgement_is_by_region_and_cuts_twice():
    held = table()
    judged = summary.judge(held, 0.4, 100, 0, RESULTS["basic"]["short"])
    assert judged["groups"] == 12
    assert judged["intervals"]["by"] == "group"
    at_half = np.mean((held["score"] >= 0.5) == (held["label"] == 1))
    assert judged["metrics"]["accuracy_at_0.5"]["value"] == pytest.approx(at_half)
    flagged = held["score"] >= 0.4
    tss = flagged[held["label"] == 1].mean() - flagged[held["label"] == 0].mean()
    assert judged["metrics"]["tss"]["value"] == pytest.approx(tss)
    assert judged["published"] == {"accuracy_at_0.5": 0.7530, "recall_at_0.5": 0.9581}
    assert sum(judged["reliability"]["count"]) == len(held)


def test_the_comparison_has_ours_beside_the_published_and_says_what_leaks():
    judged = summary.judge(table(), 0.4, 100, 0, (0.7, 0.8))
    networks = {"basic|short": judged, "stacked|long": judged}
    chance = {"test": {"chance": 0.8, "bar": 1.0, "note": "no accuracy can exceed it"}}
    better = summary.judge(table(seed=1), 0.45, 100, 0)
    found = summary.comparison(networks, better, better | {"note": judging.LEAK}, chance)
    models = [row["model"] for row in found["rows"]]
    assert models == ["basic short", "", "stacked long", "", "upgrade"]
    assert found["rows"][1]["accuracy_at_0.5"] == 0.7
    notes = "\n".join(found["notes"])
    assert "LEAKY on purpose" in notes
    assert "no accuracy can exceed it" in notes
    assert str(TEST_BAR) in notes


def test_no_published_accuracy_exceeds_the_bar():
    figures = [pair for settings in RESULTS.values() for pair in settings.values()]
    assert len(figures) == 18
    assert max(accuracy for accuracy, _ in figures) == 0.8860 < TEST_BAR

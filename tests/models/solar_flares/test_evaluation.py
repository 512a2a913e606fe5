"""Evaluation by active region, and the control that leaks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.solar_flares import evaluation
from models.solar_flares.published import RESULTS
from models.solar_flares.training import Examples


def table(regions=12, per_region=5, seed=0):
    generator = np.random.default_rng(seed)
    label = np.repeat(np.arange(regions) % 3 == 0, per_region).astype(np.int8)
    score = np.clip(0.25 + 0.4 * label + 0.15 * generator.standard_normal(len(label)), 0.01, 0.99)
    region = np.repeat([f"AR{k}" for k in range(regions)], per_region)
    frame = {"id": np.arange(len(label)).astype(str), "region": region, "label": label}
    return pd.DataFrame(frame | {"score": score, "flagged": score >= 0.4})


def test_predictions_name_what_each_label_is_from():
    features = {
        "id": np.array(["a", "b", "c"]),
        "region": np.array(["A", "A", "B"]),
        "label": np.array([0, 1, 1], np.int8),
    }
    chosen = Examples(np.zeros((2, 100, 26)), features, ahead=1)
    made = evaluation.predictions(chosen, np.array([0.2, 0.7]), 0.7)
    assert made.columns.tolist() == ["id", "region", "label", "score", "flagged"]
    assert made["id"].tolist() == ["b", "c"]
    assert made["region"].tolist() == ["A", "B"]
    assert made["flagged"].tolist() == [False, True]


def test_evaluation_is_by_region_and_at_two_thresholds():
    predicted = table()
    result = evaluation.evaluate_predictions(predicted, 0.4, 100, 0, RESULTS["basic"]["short"])
    assert result.details["groups"] == 12
    assert result.details["intervals"]["by"] == "group"
    at_half = np.mean((predicted["score"] >= 0.5) == (predicted["label"] == 1))
    assert result.value("accuracy_at_0.5") == pytest.approx(at_half)
    flagged = predicted["score"] >= 0.4
    tss = flagged[predicted["label"] == 1].mean() - flagged[predicted["label"] == 0].mean()
    assert result.value("tss") == pytest.approx(tss)
    assert result.published == {"accuracy_at_0.5": 0.7530, "recall_at_0.5": 0.9581}
    assert sum(result.details["reliability"]["count"]) == len(predicted)


def test_the_control_with_regions_torn_apart_looks_better_than_it_is():
    generator = np.random.default_rng(0)
    region = np.repeat(np.arange(40), 6)
    label = (region % 4 == 0).astype(np.int8)
    # Each region has its own values, and labels depend on nothing but the region.
    values = generator.normal(size=(40, 200))[region] + 0.01 * generator.normal(size=(240, 200))
    parts = {"train": slice(120), "validation": slice(120, 180), "test": slice(180, None)}
    statistics = {
        name: {"label": label[rows], "values": values[rows].astype(np.float32)}
        for name, rows in parts.items()
    }
    leaky = evaluation.leaky_control(statistics, seed=1)
    assert leaky.value("roc_auc") > 0.9
    assert leaky.details["note"] == evaluation.LEAK

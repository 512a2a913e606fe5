"""What the comparison and the report say, in both outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.gravitational_waves import evaluation, report

CLASSES = {"names": ["Blip", "Chirp"], "positive": [1], "task": "chirp"}
MODELS = ("shallow_cnn", "deep_cnn", "linear_svc", "recurrent", "gan", "upgrade")


def parts(model, high=0.9, task="chirp"):
    """Forty test images, two of them chirps, and validation likewise; one chirp scores ``high``."""
    label = ["Chirp"] * 2 + ["Blip"] * 38
    frame = {
        "id": [f"{split}-{k}" for split in ("validation", "test") for k in range(40)],
        "label": label * 2,
        "split": ["validation"] * 40 + ["test"] * 40,
        "score": ([high, 0.3] + [0.1] * 37 + [0.35]) * 2,
    }
    table = pd.DataFrame(frame)
    table["snr"] = np.where(table["label"] == "Chirp", 12.0, np.nan)
    table["group"], table["chirp"] = table["id"], (table["label"] == "Chirp").astype(int)
    table["flagged"] = table["score"] >= 0.3
    if task == "classes":
        table["predicted"] = table["label"]
    classes = CLASSES | {"task": task}
    result = evaluation.evaluate_predictions(model, table, 0.3, classes, resamples=100, seed=0)
    return result.with_details(by_snr=[]), table


def evaluations(**high):
    return {model: parts(model, high.get(model, 0.9))[0] for model in MODELS}


def stored(results):
    return {model: result.to_dict() for model, result in results.items()}


IMAGES = {
    "id": np.array([f"test-{k}" for k in range(40)]),
    "image": np.random.default_rng(0).random((40, 140, 170), np.float32),
    "label": np.array(["Blip", "Chirp", "Blip", "Whistle"] * 10),
    "duration": np.full(40, 0.5, np.float32),
}
COSTS = {"deep_cnn": 4e9, "upgrade": 1e9}
CURVES = {
    "values": {"loss": [0.5, 0.2], "accuracy": [0.9, 0.95]},
    "phases": [[2, 1e-3]],
    "best_epoch": 2,
}
HISTORIES = {model: CURVES | {"multiplications": cost} for model, cost in COSTS.items()}


def test_the_study_s_finding_is_said_to_recur_or_not():
    none = report.finding(parts("shallow_cnn", high=0.4)[0])
    assert none.startswith(
        "The study's finding recurs: the shallow CNN, at the published threshold of 0.5"
    )
    assert "finds 0 of 2 test chirps at an accuracy of 0.9500" in none
    some = report.finding(parts("shallow_cnn", high=0.9)[0])
    assert "does not recur here" in some
    assert "finds 1 of 2" in some


def test_the_upgrade_s_verdict_is_said_either_way():
    better = report.verdict(evaluations(deep_cnn=0.2), COSTS)
    assert "above the deep CNN's" in better
    assert "lower training cost: 0.25 of its multiplications (1e+09 against 4e+09)" in better
    worse = report.verdict(evaluations(upgrade=0.2), {"deep_cnn": 1.0, "upgrade": 2.0})
    assert "BELOW" in worse
    assert "NOT lower" in worse
    assert "equal to" in report.verdict(evaluations(), COSTS)


def test_the_comparison_has_ours_beside_the_published():
    comparison = report.comparison(stored(evaluations()), HISTORIES)
    rows = {(row["model"], row["result"]): row for row in comparison["rows"]}
    assert [row["model"] for row in comparison["rows"] if row["model"]] == list(MODELS)
    assert rows["deep_cnn", "ours"]["chirps in test"] == "2 of 2 (1 at its own threshold)"
    published = [row for row in comparison["rows"] if row["result"] == "published"]
    assert [row["chirps in test"] for row in published] == ["0 of 10", "9 of 10"]
    assert [row["chirps in validation"] for row in published] == ["0 of 9", "9 of 9"]
    assert published[1]["accuracy_at_own_threshold"] == 0.99915
    assert published[1]["loss"] == 0.00076
    notes = "\n".join(comparison["notes"])
    assert "not comparable" in notes
    assert "40 test images, 2 of them chirps" in notes


def test_every_class_adds_its_metrics_and_has_no_published_row():
    results = {model: parts(model, task="classes")[0] for model in MODELS}
    comparison = report.comparison(stored(results), HISTORIES)
    assert len(comparison["rows"]) == len(MODELS)
    assert comparison["rows"][0]["class_accuracy"]["value"] == 1.0


@pytest.mark.parametrize("task", ["chirp", "classes"])
def test_the_report_lists_the_chirps_of_every_model(task):
    results = {model: parts(model, task=task) for model in MODELS}
    compared = report.comparison(stored({k: one for k, (one, _) in results.items()}), HISTORIES)
    made = report.report(compared, {k: table for k, (_, table) in results.items()}, IMAGES)
    assert made.markdown.count("Flagged as chirps in validation and test") == len(MODELS)
    assert "test-0" in made.markdown
    assert "pictures/classes.png" in made.files
    assert "charts/deep-cnn-loss.svg" in made.files
    assert ("deep_cnn: every class" in made.html) == (task == "classes")
    page = made.files["examples/found-1.md"].decode()
    assert page.startswith("# test-0: found by 6 of 6 models")
    assert "Chirp, signal-to-noise ratio 12.0." in page
    assert "data:image/png" in made.files["examples/found-1.html"].decode()
    assert sum(map(len, made.as_files().values())) < 5_000_000


def test_a_model_that_finds_nothing_says_so():
    result, table = parts("gan", high=0.2)
    table = table.assign(flagged=False)
    compared = {
        "notes": [],
        "rows": [],
        "evaluations": {"gan": result.to_dict()},
        "histories": {},
    }
    made = report.report(compared, {"gan": table}, IMAGES)
    assert "Flagged as chirps in validation and test: none." in made.markdown

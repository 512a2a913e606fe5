"""Comparison, pictures and report of the exoplanet models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.exoplanets import report
from models.exoplanets.evaluation import evaluate_predictions
from models.exoplanets.published import RESULTS
from models.reporting import ModelResults

STARS = 60
CROSS_VALIDATION = {
    "rounds": [{}, {}],
    "folds": 5,
    "by_host": True,
    "mean_average_precision": 0.6,
    "sd_average_precision": 0.05,
}
CONTROL = {"as_chance": True, "roc_auc": 0.52}
HISTORY = {
    "values": {"loss": [1.0, 0.5], "val_loss": [1.1, 0.7], "accuracy": [0.5, 0.8]},
    "phases": [[1, 1e-3], [1, 2e-4]],
}


def table(seed=0):
    generator = np.random.default_rng(seed)
    label = np.repeat([1, 0], [12, STARS - 12])
    scores = np.clip(generator.normal(0.3 + 0.4 * label, 0.2), 0, 1)
    return pd.DataFrame(
        {
            "star": [f"KIC {k}" for k in range(STARS)],
            "host": [f"host {k % 20}" for k in range(STARS)],
            "kind": np.where(label == 1, "planet", "eclipsing_binary"),
            "label": label,
            "snr": np.where(label == 1, generator.uniform(7.2, 40, STARS), np.nan),
            "score": scores,
            "flagged": scores >= 0.5,
        }
    )


@pytest.fixture(scope="module")
def evaluations():
    return {
        model: evaluate_predictions(model, table(seed), 0.5, 100, 0)
        for seed, model in enumerate(("cnn", "vetting"))
    }


@pytest.fixture(scope="module")
def curves():
    generator = np.random.default_rng(3)
    return {
        "star": table()["star"].to_numpy(),
        "flux": generator.normal(1, 0.1, (STARS, 40)).astype(np.float32),
    }


def test_the_published_figures_stand_below_ours_and_the_notes_say_what_was_compared(evaluations):
    comparison = report.comparison(evaluations, CROSS_VALIDATION, CONTROL)
    assert [row["model"] for row in comparison["rows"]] == ["cnn", "", "vetting"]
    assert comparison["rows"][1]["f1"] == RESULTS["cnn"]["f1"]
    notes = " ".join(comparison["notes"])
    assert "60 test stars, 12 with a planet, noise of 20 host stars" in notes
    assert "5-fold cross-validation (host stars kept whole): average precision 0.600" in notes
    assert "standard deviation 0.050 over 2 rounds" in notes
    assert "ROC area 0.520, as chance" in notes


def test_a_leak_is_named_and_one_round_has_no_spread(evaluations):
    one = CROSS_VALIDATION | {"rounds": [{}], "by_host": False}
    notes = report.comparison(evaluations, one, {"as_chance": False, "roc_auc": 0.9})["notes"]
    assert notes[-1].endswith("NOT AS CHANCE: something leaks.")
    assert "(by star): average precision 0.600." in notes[-2]


def test_only_a_network_has_learning_curves(evaluations):
    drawn = report.charts("cnn", ModelResults(evaluations["cnn"], table(0), HISTORY))
    without = report.charts("vetting", ModelResults(evaluations["vetting"], table(1)))
    titles = ["Scores", "Decisions at the threshold", "ROC", "Precision and recall"]
    titles.append("Planets found, by signal-to-noise")
    assert [chart.title for chart in without] == titles
    assert [chart.title for chart in drawn] == [*titles, "Loss by epoch", "Accuracy by epoch"]


def test_a_point_of_the_scores_says_which_star_it_is(evaluations):
    scores = report.charts("cnn", ModelResults(evaluations["cnn"], table(0)))[0]
    planets = scores.series[1]
    lowest = table(0)[:12].sort_values("score").iloc[0]
    assert (planets.points[0], planets.y[0]) == (lowest["star"], lowest["score"])


def test_a_star_without_a_planet_has_no_published_period():
    star = {"kic": 1, "disposition": "FALSE POSITIVE", "period": 2.5, "depth": 0.001, "snr": 12.3}
    star |= {"verdict": "eclipsing binary", "reasons": ["odd and even differ", "deep"]}
    planet = star | {"planet": "X b", "published_period": 2.4999, "reasons": []}
    rows = report.known_planet_rows([star, planet])
    assert rows[0] == {
        "star": "KIC 1",
        "planet": "-",
        "archive": "false positive",
        "period (days)": "2.50000",
        "published": "-",
        "depth": "0.100%",
        "signal-to-noise": "12",
        "verdict": "eclipsing binary",
        "why": "odd and even differ; deep",
    }
    assert (rows[1]["published"], rows[1]["why"]) == ("2.49990", "-")


@pytest.fixture(scope="module")
def written(evaluations, curves):
    models = {
        "cnn": ModelResults(evaluations["cnn"], table(0), HISTORY),
        "vetting": ModelResults(evaluations["vetting"], table(1)),
    }
    compared = report.comparison(evaluations, CROSS_VALIDATION, CONTROL)
    return report.report(compared, {"stars": []}, curves, models)


def test_the_report_has_every_model_its_charts_and_the_known_planets(written):
    assert {"charts/average-precision.svg", "charts/cnn-roc.svg", "charts/cnn-loss.svg"} <= set(
        written.files
    )
    assert "charts/vetting-loss.svg" not in written.files
    assert "Flagged among stars without a planet: eclipsing binary " in written.markdown
    assert "Real planets in raw Kepler quarters" in written.html


def test_each_star_worth_a_look_has_a_page_with_its_curve_and_what_the_models_say(
    written, evaluations
):
    tables = [table(0), table(1)]
    wrong = sum((t["label"] == 1) & ~t["flagged"] for t in tables)
    page = written.files["examples/missed-1.md"].decode()
    star = table(0).loc[int(page.split("KIC ")[1].split(":")[0])]
    assert wrong[star.name] == wrong.max()
    assert f"{star['star']}: missed by {wrong.max()} of 2 models" in page
    assert f"Planet, transit signal-to-noise {star['snr']:.1f}. Noise of host star" in page
    assert "40 cadences over 0.8 days" in page
    scores = [t.loc[star.name, "score"] for t in tables]
    assert [f"{score:.3f}" in page for score in scores] == [True, True]
    assert "examples/false-alarm-1.html" in written.files
    assert "examples/found-1.html" in written.files

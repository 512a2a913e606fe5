"""Evaluation of the exoplanet models: tables, details by hand, cross-validation, the control."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.evaluation import (
    cross_validate,
    evaluate_predictions,
    predictions,
    vetting_control,
)
from models.exoplanets.transit_search import FEATURE_NAMES

ROWS = 80


@pytest.fixture
def curves():
    """Eight curves: three planets, a binary, four quiet stars; two curves of the first host."""
    return {
        "star": np.array([f"KIC {k}" for k in range(8)]),
        "host": np.array(["a", "a", *"bcdefg"]),
        "kind": np.array(["planet"] * 3 + ["eclipsing_binary"] + ["quiet"] * 4),
        "label": np.array([1, 1, 1, 0, 0, 0, 0, 0]),
        "snr": np.array([8.0, 12.0, 20.0, *[np.nan] * 5]),
    }


@pytest.fixture(scope="module")
def search():
    """Candidates of 40 stars with a planet and 40 without, which one feature separates."""
    labels = np.array([0, 1] * (ROWS // 2))
    features = np.random.default_rng(0).normal(size=(ROWS, len(FEATURE_NAMES)))
    features[:, 0] += 6 * labels
    host = np.array([f"host {k}" for k in range(ROWS)])
    return {"features": features.astype(np.float32), "label": labels, "host": host}


def by_split(examples):
    """The first half for training, the second for the test."""
    half = ROWS // 2
    return {
        "train": {name: array[:half] for name, array in examples.items()},
        "test": {name: array[half:] for name, array in examples.items()},
    }


def test_predictions_say_what_is_known_and_flag_from_the_threshold_on(curves):
    some = {name: array[2:5] for name, array in curves.items()} | {"curve": np.zeros((3, 4))}
    table = predictions(some, np.array([0.5, 0.2, 0.9]), 0.5)
    assert table.columns.tolist() == [
        *("star", "host", "kind", "label", "snr"),
        *("score", "flagged"),
    ]
    assert table["star"].tolist() == ["KIC 2", "KIC 3", "KIC 4"]
    assert table["kind"].tolist() == ["planet", "eclipsing_binary", "quiet"]
    assert table["flagged"].tolist() == [True, False, True]


def test_details_are_counted_by_hand(curves):
    scores = np.array([0.1, 0.8, 0.9, 0.7, 0.6, 0.2, 0.2, 0.1])
    table = predictions(curves, scores, 0.5)
    evaluation = evaluate_predictions("cnn", table, 0.5, 200, 0)
    assert evaluation.counts["found"] == 4
    assert evaluation.value("precision") == pytest.approx(2 / 4)
    assert evaluation.value("recall") == pytest.approx(2 / 3)
    assert evaluation.published["found"] == 3
    assert evaluation.details["hosts"] == 7
    assert evaluation.details["false_alarms_by_kind"] == {
        "eclipsing_binary": {"stars": 1, "flagged": 1},
        "quiet": {"stars": 4, "flagged": 1},
    }
    by_snr = {
        (e["start"], e["stop"]): (e["found"], e["count"]) for e in evaluation.details["by_snr"]
    }
    assert by_snr[7.1, 10.0] == (0, 1)
    assert by_snr[10.0, 15.0] == by_snr[15.0, 25.0] == (1, 1)


def test_a_model_that_the_study_lacks_has_no_published_figures(curves):
    table = predictions(curves, np.linspace(0, 1, 8), 0.5)
    assert evaluate_predictions("vetting", table, 0.5, 200, 0).published == {}


def test_cross_validation_scores_every_star_by_models_that_have_not_seen_it(search):
    result = cross_validate(by_split(search), folds=2, repeats=2, seed=0)
    assert (result["folds"], result["by_host"], len(result["rounds"])) == (2, True, 2)
    precisions = [one["metrics"]["average_precision"]["value"] for one in result["rounds"]]
    assert result["mean_average_precision"] == pytest.approx(np.mean(precisions))
    assert result["sd_average_precision"] == pytest.approx(np.std(precisions))
    assert min(precisions) > 0.95
    # Labels at random can't be predicted for stars that were left out.
    shuffled = search | {"label": np.random.default_rng(1).permutation(search["label"])}
    chance = cross_validate(by_split(shuffled), folds=2, repeats=1, seed=0)
    assert chance["mean_average_precision"] < 0.75


def test_with_fewer_hosts_than_folds_stars_are_split_one_by_one(search):
    few = search | {"host": np.array(["a", "b"] * (ROWS // 2))}
    assert not cross_validate(by_split(few), folds=3, repeats=1, seed=0)["by_host"]


def test_a_model_trained_on_permuted_labels_ranks_as_chance_does(search):
    control = vetting_control(*by_split(search).values(), seed=0)
    assert control.as_chance
    assert control.base_rate == 0.5

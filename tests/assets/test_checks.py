"""Each shared check passes on good data and names what is wrong with bad data."""

from __future__ import annotations

import numpy as np

from assets import checks
from assets.exoplanets import checks as exoplanets


def test_finite_names_the_first_row_that_is_not() -> None:
    values = np.zeros((5, 2), np.float32)
    assert checks.finite({"flux": values}) == {}
    values[3, 1] = np.nan
    assert checks.finite({"flux": values}) == {"flux": "row 4 is not finite"}


def test_finite_counts_rows_over_blocks() -> None:
    values = np.zeros((2500, 1))
    values[2400] = np.inf
    assert checks.finite({"flux": values}) == {"flux": "row 2401 is not finite"}


def test_finite_ignores_what_cannot_be_nan() -> None:
    assert checks.finite({"star": np.array(["a", "b"]), "label": np.array([0, 1])}) == {}


def test_disjoint_names_the_groups_in_two_splits() -> None:
    hosts = np.array(["A", "A", "B", "C", "C"])
    assert checks.disjoint(hosts, np.array([0, 0, 1, 2, 2])) == {}
    assert checks.disjoint(hosts, np.array([0, 1, 1, 2, 0])) == {"in two splits": "A, C"}


def test_both_classes_names_the_split_with_one() -> None:
    names = ("train", "validation")
    labels = np.array([0, 1, 0, 1])
    assert checks.both_classes(labels, np.array([0, 0, 1, 1]), names) == {}
    wrong = checks.both_classes(labels, np.array([0, 1, 0, 1]), names)
    assert wrong == {
        "train": "holds only the labels [0]",
        "validation": "holds only the labels [1]",
    }


def test_parameter_counts_differ_only_with_a_reason() -> None:
    network = {
        "parameters": 10,
        "trainable_parameters": 8,
        "published_parameters": 12,
        "published_trainable_parameters": 10,
    }
    assert checks.parameter_counts(network) == {
        "parameters": "10 (8 trainable), published are 12 (10)"
    }
    assert checks.parameter_counts(network | {"difference": "two biases"}) == {}
    assert checks.parameter_counts({"parameters": 10, "trainable_parameters": 8}) == {}


def test_metric_floor_fails_below_it_and_where_undefined() -> None:
    def evaluated(value: float | None) -> dict[str, object]:
        return {"metrics": {"roc_auc": {"value": value}}}

    assert checks.metric_floor(evaluated(0.8), "roc_auc", 0.8) == {}
    assert checks.metric_floor(evaluated(0.79), "roc_auc", 0.8) == {"roc_auc": "0.790 is below 0.8"}
    assert checks.metric_floor(evaluated(None), "roc_auc", 0.8) == {"roc_auc": "undefined"}


def curves(cadences: int = 3197) -> dict[str, np.ndarray]:
    return {
        "flux": np.zeros((3, cadences), np.float32),
        "label": np.array([0, 1, 0], np.int8),
        "star": np.array(["a", "b", "c"]),
    }


def test_curves_need_their_length_their_labels_and_one_row_a_star() -> None:
    assert exoplanets.well_formed(curves()) == {}
    assert "expected (3197,)" in exoplanets.well_formed(curves(100))["flux"]
    labelled = curves() | {"label": np.array([1, 2, 1])}
    assert exoplanets.well_formed(labelled) == {"label": "holds [1, 2], expected 0 and 1"}
    twice = curves() | {"star": np.array(["a", "b", "a"])}
    assert exoplanets.well_formed(twice) == {"star": "a star has more than one row"}


def test_a_planet_that_is_not_recovered_is_named() -> None:
    star = {"planet": "X b", "period": 2.5, "published_period": 2.2, "recovered": False}
    problems = exoplanets.planets_recovered({"stars": [star, {"kic": 1}]})
    assert problems == {"X b": "found 2.50000 days, published 2.2"}
    assert exoplanets.planets_recovered({"stars": [star | {"recovered": True}]}) == {}


def test_a_control_that_knows_something_fails() -> None:
    assert exoplanets.control_is_chance({"as_chance": True, "roc_auc": 0.5}) == {}
    assert exoplanets.control_is_chance({"as_chance": False, "roc_auc": 0.9}) == {"ROC area": 0.9}


def test_the_leader_is_above_all_whose_measure_is_defined() -> None:
    values = {"cnn": 0.3, "lstm": None, "upgrade": 0.4}
    assert checks.leads(values) == {}
    assert checks.leads(values | {"cnn": 0.4}) == {"cnn": "0.400 against 0.400"}
    assert checks.leads(values | {"upgrade": None}) == {"upgrade": "undefined"}
    assert checks.leads(values, ours="cnn") == {"upgrade": "0.400 against 0.300"}

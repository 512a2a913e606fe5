"""Each check of the system passes on good data and names what is wrong with bad data."""

from __future__ import annotations

import numpy as np

from assets.solar_flares import checks


def records(samples: int = 60) -> dict[str, np.ndarray]:
    return {
        "values": np.zeros((3, samples, 25), np.float32),
        "label": np.array([0, 1, 0], np.int8),
        "id": np.array(["1", "2", "1"]),
        "fold": np.array([1, 1, 2], np.int8),
        "region": np.array(["A", "A", "B"]),
    }


def test_records_need_their_shape_their_labels_and_an_id_of_their_own() -> None:
    assert checks.well_formed(records()) == {}
    assert "expected (60, 25)" in checks.well_formed(records(59))["values"]
    labelled = records() | {"label": np.array([0, 2, 0])}
    assert checks.well_formed(labelled) == {"label": "holds [0, 2], expected 0 and 1"}
    twice = records() | {"fold": np.array([1, 1, 1])}
    assert checks.well_formed(twice) == {"id": "two records of a fold have the same id"}


def test_a_region_in_two_splits_is_named() -> None:
    splits = records() | {"split": np.array([0, 0, 1])}
    assert checks.regions_apart(splits) == {}
    problems = checks.regions_apart(splits | {"split": np.array([0, 1, 1])})
    assert problems == {"in two splits": "A"}


def test_a_split_without_flares_is_named() -> None:
    problems = checks.classes_present(records() | {"split": np.array([0, 0, 1])})
    assert problems == {
        "validation": "holds only the labels [0]",
        "test": "holds only the labels []",
    }


def test_many_broken_lines_are_named() -> None:
    lines = {"lines": 1000, "records": 990, "bad": 10, "bad_lines": ["a.json, line 3: no id"]}
    assert checks.few_broken({"fold 1": lines, "fold 2": lines | {"bad": 0}}) == {}
    problems = checks.few_broken({"fold 1": lines | {"bad": 11}})
    assert problems == {"fold 1": "a.json, line 3: no id"}


def test_a_forecast_without_skill_fails() -> None:
    def evaluated(low: float | None) -> dict[str, object]:
        return {"metrics": {"tss": {"value": 0.2, "low": low, "high": 0.4, "reason": "few"}}}

    assert checks.better_than_chance(evaluated(0.1)) == {}
    assert checks.better_than_chance(evaluated(-0.1)) == {"tss": "0.200, from -0.100"}
    assert checks.better_than_chance(evaluated(None)) == {"tss": "few"}


def test_a_network_ahead_of_the_upgrade_is_named() -> None:
    tss = {"basic short": 0.3, "stacked long": None, "upgrade": 0.4}
    assert checks.upgrade_leads({"tss": tss}) == {}
    ahead = checks.upgrade_leads({"tss": tss | {"tied_stacked long": 0.41}})
    assert ahead == {"tied_stacked long": "0.410 against 0.400"}
    assert checks.upgrade_leads({"tss": tss | {"upgrade": None}}) == {"upgrade": "undefined"}

"""Pictures of the solar-flare assets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.solar_flares import pictures
from models.solar_flares.records import PARAMETERS

PNG = b"\x89PNG"
GENERATOR = np.random.default_rng(1)
RECORDS = {
    "values": GENERATOR.normal(size=(5, 60, 25)).astype(np.float32),
    "label": np.array([0, 0, 0, 1, 1], np.int8),
    "region": np.array(["A", "A", "B", "C", "D"]),
    "id": np.array(list("vwxyz")),
}


def test_records_are_named_by_class_and_region():
    rows = np.array([3, 0])
    assert pictures._names(RECORDS, rows) == ["flare: C", "quiet: A"]
    assert pictures._names(RECORDS, rows, ["one", "two"]) == ["flare: C, one", "quiet: A, two"]


def test_records_of_a_class_differ_in_style():
    assert pictures._styles(np.array([1, 0, 1, 0])) == ["-", "-", "--", "--"]


def test_every_picture_is_drawn_and_always_the_same():
    table = pd.DataFrame({"id": ["z", "v"], "score": [0.9, 0.1]})
    single = {
        "values": RECORDS["values"].reshape(-1, 1, 25),
        "label": np.repeat(RECORDS["label"], 60),
    }
    statistics = RECORDS | {"values": GENERATOR.normal(size=(5, 200))}
    scaling = {"mean": [1.0] * 24 + [0.0], "std": [0.5] * 25}
    criterion = {"chance": 0.7, "bar": 0.875}
    for draw in (
        lambda: pictures.records(RECORDS),
        lambda: pictures.scored_records(RECORDS, table),
        lambda: pictures.sequences(RECORDS),
        lambda: pictures.steps(single),
        lambda: pictures.statistics(statistics),
        lambda: pictures.variation(scaling),
        lambda: pictures.chance({"train": criterion, "test": criterion}),
        lambda: pictures.leak({"counts": {"tp": 1, "fp": 2, "fn": 3, "tn": 4}}),
    ):
        assert draw().startswith(PNG)
    assert pictures.records(RECORDS) == pictures.records(RECORDS)


def test_statistics_are_named_in_the_order_in_which_they_are_stored(monkeypatch):
    seen = []
    monkeypatch.setattr(
        pictures.data_plots, "distributions", lambda values, labels, names, **_: seen.extend(names)
    )
    pictures.statistics(RECORDS | {"values": np.zeros((5, 200))})
    assert seen[:2] == [f"{PARAMETERS[0]}, mean", f"{PARAMETERS[0]}, std"]
    assert seen[-1] == f"{PARAMETERS[-1]}, roughness"

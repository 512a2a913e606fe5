"""Folds are the splits where there are three; otherwise regions are shared out whole."""

from __future__ import annotations

import numpy as np
import pytest

from models.sampling import SPLITS, rows_of
from models.solar_flares.splits import split_records


def records(folds, per_region=4):
    count = len(folds)
    region = np.arange(count) // per_region
    return {
        "fold": np.array(folds, np.int8),
        "label": (region % 3 == 0).astype(np.int8),
        "region": np.char.add("AR", region.astype(str)),
    }


def test_three_folds_are_the_splits():
    result = split_records(records([1, 1, 2, 2, 2, 3]), 0.25, 0.25, seed=0)
    split = result.codes
    assert split.tolist() == [0, 0, 1, 1, 1, 2]
    assert split.dtype == np.int8
    assert result.method.startswith("by fold")
    assert result.columns["region"].tolist() == ["AR0"] * 4 + ["AR1"] * 2
    assert result.columns["label"].tolist() == [1] * 4 + [0] * 2
    assert rows_of({"split": split}, 1).tolist() == [2, 3, 4]


def test_without_three_folds_regions_stay_whole_and_shares_are_near():
    table = records([1] * 240)
    result = split_records(table, 0.25, 0.25, seed=3)
    split = result.codes
    assert result.method.startswith("by active region")
    for region in np.unique(table["region"]):
        assert len(set(split[table["region"] == region])) == 1
    shares = [np.mean(split == code) for code in range(len(SPLITS))]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.03)
    for code in range(len(SPLITS)):
        assert set(table["label"][split == code]) == {0, 1}


def test_too_few_flaring_regions_are_refused():
    with pytest.raises(ValueError, match="would get no positives"):
        split_records(records([1] * 16), 0.25, 0.25, seed=0)

"""Splits keep scans whole, and the training scans form parts."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects.splits import KNOWN, examples_of, split_scans
from models.buried_objects.windows import windows_of


def labels(*lengths, seed=0):
    scan = np.repeat(np.arange(len(lengths)), lengths)
    label = np.random.default_rng(seed).random(len(scan)) < 0.3
    return {
        "scan": scan,
        "label": label.astype(np.int8),
        "trace": np.concatenate([np.arange(length) for length in lengths]),
        "test": np.zeros(len(scan), bool),
    }


def test_every_scan_has_one_split_and_the_training_scans_nine_parts():
    found = split_scans(labels(*[20] * 60), 0.15, 0.25, seed=1).to_arrays()
    by_scan = {name: found[name].reshape(60, 20) for name in ("split", "part")}
    assert all((values == values[:, :1]).all() for values in by_scan.values())
    split, part = by_scan["split"][:, 0], by_scan["part"][:, 0]
    assert np.bincount(split).tolist() == [36, 9, 15]
    assert np.bincount(part + 1).tolist() == [15, 9] + [4] * 9
    assert np.unique(part[split == 0]).tolist() == list(range(1, 10))
    assert np.unique(part[split == 1]).tolist() == [0]
    assert np.unique(part[split == 2]).tolist() == [-1]


def test_splits_have_like_shares_of_positives():
    rows = labels(*[30] * 60, seed=2)
    split = split_scans(rows, 0.15, 0.25, 0).codes
    shares = [rows["label"][split == code].mean() for code in range(3)]
    assert shares == pytest.approx([rows["label"].mean()] * 3, abs=0.01)


def test_splits_depend_on_the_seed():
    rows = labels(*[20] * 60)
    one, again, other = (split_scans(rows, 0.2, 0.2, seed).columns["part"] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_too_few_scans_for_the_parts_are_refused():
    with pytest.raises(ValueError, match=r"6 training scans don't make 9 parts"):
        split_scans(labels(*[20] * 10), 0.2, 0.2, 0)


def test_scans_for_the_test_alone_leave_the_others_where_they_are():
    few = labels(*[20] * 30)
    more = {name: np.r_[values, values[:60]] for name, values in few.items()}
    more["scan"][600:] += 30
    more["test"][600:] = True
    before, after = (split_scans(rows, 0.15, 0.25, 1, parts=3).to_arrays() for rows in (few, more))
    for name in ("split", "part"):
        np.testing.assert_array_equal(before[name], after[name][:600])
    assert set(after["split"][600:]) == {2}
    assert set(after["part"][600:]) == {-1}


def test_the_examples_of_a_split_are_its_scans_with_windows_of_them():
    splits = {
        "split": np.repeat([0, 2, 0], [120, 2, 3]),
        "scan": np.repeat([0, 1, 4], [120, 2, 3]),
        "trace": np.r_[0:120, 0:2, 0:3],
        "label": np.r_[np.zeros(122), 1, 1, 0],
        "part": np.repeat([1, -1, 2], [120, 2, 3]),
    }
    scans = {"ez": np.arange(250.0).reshape(125, 2)}
    first, second = examples_of(scans, splits, "train", per_scan=4, seed=3)
    assert list(first) == ["ez", *KNOWN]
    np.testing.assert_array_equal(first["windows"], windows_of(0, 120, 3, 4))
    assert second["ez"].tolist() == [[244, 245], [246, 247], [248, 249]]
    assert second["label"].tolist() == [1, 1, 0]
    assert second["scan"].tolist() == [4, 4, 4]
    assert second["part"].tolist() == [2, 2, 2]
    assert second["windows"].all()
    [tested] = examples_of(scans, splits, "test", per_scan=4, seed=3)
    assert tested["trace"].tolist() == [0, 1]

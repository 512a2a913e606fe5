"""Splits keep scans whole, and the training scans form parts."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects.splits import split_scans


def labels(*lengths, seed=0):
    scan = np.repeat(np.arange(len(lengths)), lengths)
    label = np.random.default_rng(seed).random(len(scan)) < 0.3
    return {"scan": scan, "label": label.astype(np.int8)}


def test_every_scan_has_one_split_and_the_training_scans_nine_parts():
    found = split_scans(labels(*[20] * 60), 0.15, 0.25, seed=1).to_arrays()
    by_scan = {name: values.reshape(60, 20) for name, values in found.items()}
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

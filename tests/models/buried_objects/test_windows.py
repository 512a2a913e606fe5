"""Windows lie within their scans, and splits keep scans whole."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects.splits import split_scans
from models.buried_objects.windows import cut, windows_of


def labels(*lengths, seed=0):
    scan = np.repeat(np.arange(len(lengths)), lengths)
    label = np.random.default_rng(seed).random(len(scan)) < 0.3
    return {"scan": scan, "label": label.astype(np.int8)}


def test_every_scan_has_one_split_and_the_training_scans_nine_parts():
    found = split_scans(labels(*[20] * 60), 0.15, 0.25, seed=1)
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
    split = split_scans(rows, 0.15, 0.25, 0)["split"]
    shares = [rows["label"][split == code].mean() for code in range(3)]
    assert shares == pytest.approx([rows["label"].mean()] * 3, abs=0.01)


def test_splits_depend_on_the_seed():
    rows = labels(*[20] * 60)
    one, again, other = (split_scans(rows, 0.2, 0.2, seed)["part"] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_too_few_scans_for_the_parts_are_refused():
    with pytest.raises(ValueError, match=r"6 training scans don't make 9 parts"):
        split_scans(labels(*[20] * 10), 0.2, 0.2, 0)


def made(*lengths, seed=0, **options):
    rows = labels(*lengths)
    splits = {
        "split": (rows["scan"] % 3).astype(np.int8),
        "part": (rows["scan"] - 1).astype(np.int8),
    }
    return windows_of(rows, splits, seed, **options)


def test_windows_stay_within_their_scans():
    found = made(144, 60, 101, per_scan=50)
    first = np.repeat([0, 144, 204], 50)
    last = np.repeat([144, 204, 305], 50)
    assert found["length"].tolist() == [100] * 50 + [60] * 50 + [100] * 50
    assert (found["start"] >= first).all()
    assert (found["start"] + found["length"] <= last).all()
    assert set(found["start"][100:]) == {204, 205}  # both places of 100 in 101
    assert set(found["start"][:50]) <= set(range(45))
    assert np.unique(found["start"][:50]).size > 20
    assert found["scan"].tolist() == found["split"].tolist() == np.repeat([0, 1, 2], 50).tolist()
    assert found["batch"].tolist() == np.repeat([-1, 0, 1], 50).tolist()


def test_windows_of_a_scan_don_t_depend_on_the_others():
    few, many = made(144, 144), made(144, 144, 144)
    assert np.array_equal(few["start"], many["start"][:20])
    assert not np.array_equal(few["start"], made(144, 144, seed=1)["start"])


def test_windows_are_cut_and_filled_up_with_zeros():
    values = np.arange(10, dtype=np.float32).reshape(5, 2) + 1
    found = cut(values, [0, 3], [3, 2], traces=3)
    assert found.dtype == np.float32
    assert found.tolist() == [
        [[1, 2], [3, 4], [5, 6]],
        [[7, 8], [9, 10], [0, 0]],
    ]
    assert cut(np.array([1, 0, 1], np.int8), [1], [2], traces=3).tolist() == [[0, 1, 0]]

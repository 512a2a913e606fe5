"""Windows lie within their scans."""

from __future__ import annotations

import numpy as np

from models.buried_objects.windows import read_windows, windows_of


def labels(*lengths, seed=0):
    scan = np.repeat(np.arange(len(lengths)), lengths)
    label = np.random.default_rng(seed).random(len(scan)) < 0.3
    return {"scan": scan, "label": label.astype(np.int8)}


def made(*lengths, seed=0, **options):
    rows = labels(*lengths)
    splits = {
        "split": (rows["scan"] % 3).astype(np.int8),
        "part": (rows["scan"] - 1).astype(np.int8),
    }
    return windows_of(rows, splits, seed, **options)


def test_windows_stay_within_their_scans():
    windows = made(144, 60, 101, per_scan=50)
    first = np.repeat([0, 144, 204], 50)
    last = np.repeat([144, 204, 305], 50)
    assert windows["length"].tolist() == [100] * 50 + [60] * 50 + [100] * 50
    assert (windows["start"] >= first).all()
    assert (windows["start"] + windows["length"] <= last).all()
    assert set(windows["start"][100:]) == {204, 205}  # both places of 100 in 101
    assert set(windows["start"][:50]) <= set(range(45))
    assert np.unique(windows["start"][:50]).size > 20
    assert (
        windows["scan"].tolist() == windows["split"].tolist() == np.repeat([0, 1, 2], 50).tolist()
    )
    assert windows["batch"].tolist() == np.repeat([-1, 0, 1], 50).tolist()


def test_windows_of_a_scan_don_t_depend_on_the_others():
    few, many = made(144, 144), made(144, 144, 144)
    assert np.array_equal(few["start"], many["start"][:20])
    assert not np.array_equal(few["start"], made(144, 144, seed=1)["start"])


def test_windows_are_read_and_padded_with_zeros():
    values = np.arange(10, dtype=np.float32).reshape(5, 2) + 1
    windows = read_windows(values, [0, 3], [3, 2], traces=3)
    assert windows.dtype == np.float32
    assert windows.tolist() == [
        [[1, 2], [3, 4], [5, 6]],
        [[7, 8], [9, 10], [0, 0]],
    ]
    assert read_windows(np.array([1, 0, 1], np.int8), [1], [2], traces=3).tolist() == [[0, 1, 0]]

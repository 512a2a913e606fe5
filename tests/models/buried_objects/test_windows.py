"""Windows lie within their scans."""

from __future__ import annotations

import numpy as np

from models.buried_objects.windows import places_of, read_windows, windows_of


def made(*lengths, seed=0, per_scan=10):
    """Examples of scans 0, 2, 4 ..., in parts -1, 0, 1 ...."""
    scans = 2 * np.arange(len(lengths))
    pairs = zip(scans.tolist(), lengths, strict=True)
    return {
        "scan": np.repeat(scans, lengths),
        "part": np.repeat(np.arange(len(lengths)) - 1, lengths).astype(np.int8),
        "windows": np.concatenate([windows_of(*pair, seed, per_scan) for pair in pairs]),
    }


def test_windows_stay_within_their_scans():
    start, length, part = places_of(made(144, 60, 101, per_scan=50))
    first = np.repeat([0, 144, 204], 50)
    last = np.repeat([144, 204, 305], 50)
    assert length.tolist() == [100] * 50 + [60] * 50 + [100] * 50
    assert (start >= first).all()
    assert (start + length <= last).all()
    assert set(start[100:]) == {204, 205}  # both places of 100 in 101
    assert set(start[:50]) <= set(range(45))
    assert np.unique(start[:50]).size > 20
    assert part.tolist() == np.repeat([-1, 0, 1], 50).tolist()


def test_a_window_is_a_run_of_traces_in_the_order_that_was_drawn():
    inside = windows_of(7, 144, seed=3, per_scan=4)
    assert inside.shape == (144, 4)
    start = np.random.default_rng([3, 7]).integers(0, 45, 4)
    for column, first in zip(inside.T, start, strict=True):
        assert np.flatnonzero(column).tolist() == list(range(first, first + 100))
    found = places_of({"windows": inside, "scan": np.full(144, 7), "part": np.ones(144)})
    assert found.start.tolist() == start.tolist()


def test_windows_of_a_scan_don_t_depend_on_the_others():
    few, many = places_of(made(144, 144)), places_of(made(144, 144, 144))
    assert np.array_equal(few.start, many.start[:20])
    assert not np.array_equal(few.start, places_of(made(144, 144, seed=1)).start)


def test_windows_are_read_and_padded_with_zeros():
    values = np.arange(10, dtype=np.float32).reshape(5, 2) + 1
    windows = read_windows(values, [0, 3], [3, 2], traces=3)
    assert windows.dtype == np.float32
    assert windows.tolist() == [
        [[1, 2], [3, 4], [5, 6]],
        [[7, 8], [9, 10], [0, 0]],
    ]
    assert read_windows(np.array([1, 0, 1], np.int8), [1], [2], traces=3).tolist() == [[0, 1, 0]]

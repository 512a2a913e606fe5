"""Blocks of rows: in order, lazy, and refused where arrays differ in length."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from models.arrays import ArrayLike, Blocks, iter_blocks, map_blocks, on_disk

ARRAYS = {"x": np.arange(10).reshape(5, 2), "y": np.arange(5.0)}


def test_blocks_hold_all_rows_in_order_and_the_last_is_shorter():
    blocks = list(iter_blocks(ARRAYS, rows=2))
    assert [len(block["x"]) for block in blocks] == [2, 2, 1]
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(np.concatenate([block[name] for block in blocks]), values)


def test_only_the_named_arrays_are_read():
    class Forbidden(dict):
        def __getitem__(self, name):
            assert name == "y"
            return super().__getitem__(name)

    assert [list(block) for block in iter_blocks(Forbidden(ARRAYS), names=["y"])] == [["y"]]


def test_arrays_of_different_lengths_are_refused_by_name():
    with pytest.raises(ValueError, match=r"number of rows: \{'x': 5, 'z': 4\}"):
        next(iter_blocks({"x": ARRAYS["x"], "z": np.zeros(4)}))


@pytest.mark.parametrize("arrays", [{}, {"x": np.zeros((0, 2))}])
def test_no_rows_give_no_block(arrays):
    assert list(iter_blocks(arrays)) == []


def test_a_function_is_applied_to_a_block_when_it_is_asked_for():
    calls = []

    def doubled(block):
        calls.append(len(block["y"]))
        return {"y": 2 * block["y"]}

    blocks = map_blocks(ARRAYS, doubled, rows=3, names=["y"])
    assert isinstance(blocks, Blocks)
    assert calls == []
    first = next(iter(blocks))
    assert calls == [3]
    np.testing.assert_array_equal(first["y"], [0, 2, 4])


def test_numpy_arrays_are_arrays():
    assert isinstance(ARRAYS["x"], ArrayLike)
    assert not isinstance(iter([1]), ArrayLike)


def test_a_stream_on_disk_is_read_by_slices_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    values = np.arange(300_000, dtype=np.float32).reshape(-1, 3)
    parts = [values[:7], values[7:7], values[7:]]
    arrays = on_disk({"x": part, "y": part[:, 0].astype(np.int16)} for part in parts)
    assert list(tmp_path.iterdir()) == []
    assert isinstance(arrays["x"], ArrayLike)
    assert arrays["x"].shape == (100_000, 3)
    assert arrays["x"].dtype == np.float32
    np.testing.assert_array_equal(arrays["x"][5:9], values[5:9])
    np.testing.assert_array_equal(arrays["y"][...], values[:, 0].astype(np.int16))
    with pytest.raises(ValueError, match="the stream of blocks is empty"):
        on_disk([])

"""Splits keep groups whole and shares even; batches deal every row its turn."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import sampling
from models.sampling import (
    BalancedBatches,
    Batches,
    Split,
    read_rows,
    split,
    stratified_folds,
)
from orchestration.store.formats import StoredArray

FRACTIONS = {"train": 0.8, "validation": 0.2}


def labels(positives: int, negatives: int) -> np.ndarray:
    return np.r_[np.ones(positives, int), np.zeros(negatives, int)]


def test_split_without_groups_follows_the_fractions_to_the_row():
    parts = split(labels(37, 5050), None, FRACTIONS, seed=1)
    counts = {name: (rows.size, int((rows < 37).sum())) for name, rows in parts.items()}
    # 0.8 of 37 is 29.6 -> 30, and of 5050 is 4040.
    assert counts == {"train": (4070, 30), "validation": (1017, 7)}
    assert all(rows.dtype == np.int64 and np.all(np.diff(rows) > 0) for rows in parts.values())


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=12, max_size=60),
    st.integers(0, 5),
)
def test_split_places_every_row_once_and_no_group_twice(sizes, seed):
    groups = np.repeat(np.arange(len(sizes)), [p + n for p, n in sizes])
    y = np.concatenate([labels(p, n) for p, n in sizes])
    try:
        parts = split(y, groups, {"a": 0.5, "b": 0.3, "c": 0.2}, seed)
    except ValueError as error:
        assert "would get no" in str(error)  # noqa: PT017 - only this refusal is allowed
        return
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(y.size))
    members = [set(groups[rows]) for rows in parts.values()]
    assert not members[0] & members[1]
    assert not (members[0] | members[1]) & members[2]


def test_split_with_groups_keeps_the_share_of_positives_alike():
    generator = np.random.default_rng(3)
    groups = generator.integers(0, 300, 6000)
    rate = generator.beta(0.3, 2, 300)
    y = (generator.random(6000) < rate[groups]).astype(int)
    for name, rows in split(y, groups.astype(str), {"a": 0.6, "b": 0.3, "c": 0.1}, 0).items():
        share = {"a": 0.6, "b": 0.3, "c": 0.1}[name]
        assert y[rows].sum() / y.sum() == pytest.approx(share, abs=0.01)
        assert rows.size / 6000 == pytest.approx(share, abs=0.01)


def test_split_depends_on_the_seed_alone():
    y = labels(20, 100)
    first, again, other = (split(y, None, FRACTIONS, seed)["train"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_split_names_the_split_that_would_get_no_positives():
    with pytest.raises(ValueError, match=r"split 'validation' would get no positives: there are 1"):
        split(labels(1, 99), None, FRACTIONS, 0)
    with pytest.raises(ValueError, match=r"40 positives in 1 groups for 2 parts"):
        split(labels(40, 60), np.r_[np.zeros(50), np.arange(50)], FRACTIONS, 0)


def test_split_refuses_bad_input():
    with pytest.raises(ValueError, match=r"must be 0 or 1, but row 2 holds 2 \(1 of 2 rows"):
        split([1, 2], None, FRACTIONS, 0)
    with pytest.raises(ValueError, match=r"shape \(n,\), not \(2, 1\)"):
        split([[1], [0]], None, FRACTIONS, 0)
    with pytest.raises(ValueError, match="not of type <U1"):
        split(["1", "0"], None, FRACTIONS, 0)
    with pytest.raises(ValueError, match=r"add up to 1, not to 1\.1"):
        split([1, 0], None, {"a": 1.0, "b": 0.1}, 0)
    with pytest.raises(ValueError, match=r"one group per row, shape \(2,\), not \(3,\)"):
        split([1, 0], [1, 2, 3], FRACTIONS, 0)


@pytest.mark.parametrize("grouped", [False, True])
def test_folds_test_every_row_once_per_repeat(grouped):
    y = labels(42, 400)
    groups = np.arange(y.size) // 2 if grouped else None
    folds = stratified_folds(y, groups, 5, 3, seed=0)
    assert [(f.repeat, f.fold) for f in folds] == [(r, k) for r in range(3) for k in range(5)]
    for repeat in range(3):
        tests = [fold.test for fold in folds if fold.repeat == repeat]
        assert np.array_equal(np.sort(np.concatenate(tests)), np.arange(y.size))
        assert {int(y[test].sum()) for test in tests} <= ({8, 10} if grouped else {8, 9})
    for fold in folds:
        assert not np.intersect1d(fold.train, fold.test).size
        assert fold.train.size + fold.test.size == y.size
    assert not np.array_equal(folds[0].test, folds[5].test)


def test_folds_refuse_fewer_positives_than_folds():
    with pytest.raises(ValueError, match=r"fold 4 would get no positives: there are 3 positives"):
        stratified_folds(labels(3, 40), None, 5, 1, 0)
    with pytest.raises(ValueError, match="folds >= 2"):
        stratified_folds(labels(3, 40), None, 1, 1, 0)


@pytest.fixture
def stored(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        values = np.arange(600.0).reshape(200, 3)
        yield StoredArray(file.create_dataset("x", data=values, chunks=(16, 3)))


@pytest.mark.parametrize("rows", [[3], [5, 4, 4, 199, 0], list(range(200)), [0, 9, 18, 150]])
def test_read_rows_equals_indexing(stored, rows):
    expected = stored[:][rows]
    assert np.array_equal(read_rows(stored, np.array(rows)), expected)
    assert np.array_equal(read_rows(stored[:], np.array(rows)), expected)


def test_balanced_batches_are_half_positives_each_used_equally_often():
    y = labels(7, 100)
    x = np.arange(107, dtype=np.float64)[:, None]
    batches = BalancedBatches(x, y, batch=8, seed=4)
    assert (batches.steps, batches.samples) == (25, 200)
    used, negatives = np.zeros(107, int), []
    for epoch in range(7):
        seen = []
        for inputs, targets in batches.epoch(epoch):
            assert inputs.dtype == targets.dtype == np.float32
            assert inputs.shape == (8, 1)
            assert targets.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
            assert np.array_equal(y[inputs[:, 0].astype(int)], targets)
            seen += inputs[:, 0].astype(int).tolist()
        np.add.at(used, seen, 1)
        negatives.append([row for row in seen if row >= 7])
    assert set(used[:7]) == {100}  # 7 epochs x 100 places, dealt to 7 positives
    assert all(sorted(epoch) == list(range(7, 107)) for epoch in negatives)
    assert negatives[0] != negatives[1]


def test_balanced_batches_rotate_the_positives():
    batches = BalancedBatches(np.arange(107.0)[:, None], labels(7, 100), batch=4, seed=0)
    pairs = [tuple(x[:2, 0]) for x, _ in batches.epoch(0)]
    assert len(set(pairs)) > 10


def test_an_epoch_is_the_same_whenever_it_is_read():
    batches = BalancedBatches(np.arange(50.0)[:, None], labels(5, 45), batch=6, seed=2)
    late = [x for x, _ in batches.epoch(3)]
    for epoch in range(3):
        list(batches.epoch(epoch))
    assert np.array_equal(late, [x for x, _ in batches.epoch(3)])


@pytest.mark.parametrize("memory", [sampling.MEMORY_BYTES, 0])
@pytest.mark.parametrize("kind", [BalancedBatches, Batches])
def test_stored_rows_make_the_same_batches_as_rows_in_memory(stored, monkeypatch, memory, kind):
    y, rows = labels(30, 170), np.arange(0, 200, 2)
    expected = list(kind(stored[:], y, rows, batch=10, seed=1).epoch(2))
    monkeypatch.setattr(sampling, "MEMORY_BYTES", memory)
    monkeypatch.setattr(sampling, "READ_BYTES", 10 * 3 * 4 * 3)  # three batches at once
    batches = kind(stored, y, rows, batch=10, seed=1)
    assert batches.in_memory == bool(memory)
    for (x, t), (x_expected, t_expected) in zip(batches.epoch(2), expected, strict=True):
        assert np.array_equal(x, x_expected)
        assert np.array_equal(t, t_expected)


def test_several_inputs_come_by_name():
    y = labels(4, 12)
    inputs = {"curve": np.zeros((16, 5, 2)), "spectrum": np.arange(16.0)[:, None]}
    x, targets = next(BalancedBatches(inputs, y, batch=4).epoch(0))
    assert {name: values.shape for name, values in x.items()} == {
        "curve": (4, 5, 2),
        "spectrum": (4, 1),
    }
    assert np.array_equal(y[x["spectrum"][:, 0].astype(int)], targets)


def test_shuffled_batches_use_every_row_once_and_ordered_ones_in_order():
    x = np.arange(10.0)[:, None]
    batches = Batches(x, np.zeros(10), batch=4, seed=0)
    shuffled = np.concatenate([a[:, 0] for a, _ in batches.epoch(0)])
    assert [len(a) for a, _ in batches.epoch(0)] == [4, 4, 2]
    assert sorted(shuffled) == list(range(10))
    assert shuffled.tolist() != list(range(10))
    ordered = Batches(x, np.zeros(10), np.array([7, 2, 5]), batch=2, shuffle=False)
    assert np.concatenate([a[:, 0] for a, _ in ordered.epoch(0)]).tolist() == [7, 2, 5]


def test_steps_beyond_the_rows_use_each_as_often_as_can_be():
    batches = Batches(np.arange(10.0)[:, None], np.zeros(10), batch=5, steps=5)
    used = np.concatenate([a[:, 0] for a, _ in batches.epoch(0)]).astype(int)
    assert batches.samples == used.size == 25
    assert set(np.bincount(used)) == {2, 3}


def test_batches_refuse_bad_input():
    x = np.zeros((4, 2))
    with pytest.raises(ValueError, match="3 is not even"):
        BalancedBatches(x, [1, 0, 0, 0], batch=3)
    with pytest.raises(ValueError, match="the 2 rows hold 0 positives"):
        BalancedBatches(x, [1, 0, 0, 0], np.array([1, 2]), batch=2)
    with pytest.raises(ValueError, match=r"inputs \{'x': 4\} and 3 targets differ"):
        Batches(x, [1, 0, 0])
    with pytest.raises(ValueError, match="no rows"):
        Batches(x, np.zeros(4), np.array([], dtype=int))
    with pytest.raises(ValueError, match=r"0 \.\.\. 3, but they span 1 \.\.\. 9"):
        Batches(x, np.zeros(4), np.array([1, 9]))


def test_inputs_that_are_not_finite_are_refused_by_row(stored, monkeypatch):
    x = stored[:]
    x[40, 1] = np.inf
    with pytest.raises(
        ValueError, match=r"input x holds NaN or inf in row 41 \(1 of 100 rows read"
    ):
        Batches(x, np.zeros(200), np.arange(100))
    assert Batches(x, np.zeros(200), np.arange(100, 200)).samples == 100
    monkeypatch.setattr(sampling, "MEMORY_BYTES", 0)
    lazy = Batches({"curve": x}, np.zeros(200), np.array([12, 40]), shuffle=False)
    with pytest.raises(ValueError, match="input curve holds NaN or inf in row 41"):
        list(lazy.epoch(0))


def test_a_split_counts_both_classes_and_becomes_columns():
    result = Split(np.array([0, 0, 0, 1, 1, 2], dtype=np.int8), "by hand", {"key": np.arange(6)})
    assert result.counts(np.array([1, 0, 0, 0, 0, 1]), "flares", "quiet") == {
        "train (flares)": 1,
        "train (quiet)": 2,
        "validation (flares)": 0,
        "validation (quiet)": 2,
        "test (flares)": 1,
        "test (quiet)": 0,
    }
    assert list(result.to_arrays()) == ["split", "key"]

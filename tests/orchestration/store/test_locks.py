"""Locks hold between processes, and end with them."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from orchestration.store import Slot, Store
from orchestration.store.gc import collect

SLOT = Slot("system/network", "a|b c")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", tmp_path / "locks")


def files(store: Store) -> int:
    return sum(path.is_file() for path in store.files.root.rglob("*"))


def _hold(root: Path, kind: str, ready: Any, done: Any) -> None:
    store = Store(root / "store", root / "locks")
    with getattr(store.locks, kind)(SLOT):
        ready.set()
        done.wait(60)


@pytest.mark.parametrize("kind", ["changing", "building"])
def test_locks_hold_between_processes_and_end_with_them(
    store: Store, tmp_path: Path, kind: str
) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, kind, ready, done))
    process.start()
    assert ready.wait(60)
    with getattr(store.locks, kind)(SLOT, wait=False) as got:
        assert not got
    with getattr(store.locks, kind)(Slot("another"), wait=False) as got:
        assert got
    if kind == "changing":
        (store.files.root / SLOT.folder).mkdir(parents=True)
        (store.files.root / SLOT.folder / ".tmp-3-z.json").write_text("[")
        assert collect(store) == []  # someone is writing it
    process.kill()
    process.join()
    with getattr(store.locks, kind)(SLOT, wait=False) as got:
        assert got


def test_a_partition_may_have_a_name_longer_than_a_files(store: Store) -> None:
    slot = Slot("system/network", "p" * 244)
    with store.locks.building(slot, wait=False) as first, store.locks.changing(slot) as second:
        assert first
        assert second
    store.write(slot, [1], "json", version={}, inputs={}, build="one")
    assert store.load(slot) == [1]

"""Locks hold between processes, and end with them."""

from __future__ import annotations

import multiprocessing
import os
import re
from pathlib import Path
from typing import Any

import pytest

from orchestration.store import Slot, Store, locks
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


def test_who_is_waited_for_is_said_and_when_it_goes_on(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.05)
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, "building", ready, done))
    process.start()
    assert ready.wait(60)
    said: list[str] = []

    def tell(line: str) -> None:
        said.append(line)
        done.set()

    store.locks.tell = tell
    with store.locks.building(SLOT, wait=False) as got:
        assert not got
    assert said == []
    with store.locks.building(SLOT) as got:
        assert got
    process.join()
    who = (
        f"process {process.pid} on {os.uname().nodename}, which builds system/network\\[a\\|b c\\]"
    )
    assert re.fullmatch(f"waiting for {who} since \\d\\d:\\d\\d:\\d\\d", said[0])
    assert re.fullmatch(r"going on after \d+ s of waiting", said[1])
    assert len(said) == 2


def test_a_short_wait_is_silent(store: Store, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, "building", ready, done))
    process.start()
    assert ready.wait(60)
    said: list[str] = []
    store.locks.tell = said.append
    process.kill()
    with store.locks.building(SLOT) as got:
        assert got
    process.join()
    assert said == []


def test_a_partition_may_have_a_name_longer_than_a_files(store: Store) -> None:
    slot = Slot("system/network", "p" * 244)
    with store.locks.building(slot, wait=False) as first, store.locks.changing(slot) as second:
        assert first
        assert second
    store.write(slot, [1], "json", version={}, inputs={}, build="one")
    assert store.load(slot) == [1]


LONG = ["p" * 300, "p" * 299 + "q", "Größe " * 60, "x" * 254, "x" * 255]


def test_partitions_with_long_keys_have_folders_of_their_own(store: Store) -> None:
    slots = [Slot("system/network", key) for key in LONG]
    for number, slot in enumerate(slots):
        store.write(slot, [number], "json", version={}, inputs={}, build="one")
    folders = [store.folder(slot).name for slot in slots]
    assert len(set(folders)) == len(LONG)
    assert all(len(name.encode()) <= 255 for name in folders)
    assert folders[0].startswith("@ppppp")
    assert folders[3] == "@" + "x" * 254  # as before, where it fits
    assert sorted(store.slots()) == sorted(slots)
    assert store.partitions("system/network") == sorted(LONG)
    assert [store.load(slot) for slot in slots] == [[0], [1], [2], [3], [4]]
    assert collect(store, keep=0) == []
    assert len(collect(store, keep=0, known=lambda slot: False)) == 3 * len(LONG)

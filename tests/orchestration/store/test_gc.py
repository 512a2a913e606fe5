"""What no current or kept build needs is removed, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestration.store import Description, Record, Slot, Store
from orchestration.store.gc import collect

SLOT = Slot("system/network", "a|b c")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", tmp_path / "locks")


def build(store: Store, value: object, name: str, slot: Slot = SLOT, **more: Any) -> Record:
    return store.write(
        slot,
        value,
        more.pop("format_name", "json"),
        version={"code": name},
        inputs={"up": "1"},
        build=name,
        **more,
    )


def files(store: Store) -> int:
    return sum(path.is_file() for path in store.files.root.rglob("*"))


def test_collecting_keeps_what_is_current_and_as_many_as_asked(store: Store) -> None:
    for name in "abcde":
        build(store, [name], name)
    assert collect(store, keep=4) == []
    gone = collect(store, keep=2, dry_run=True)
    assert len(gone) == 4
    assert files(store) == 11
    assert collect(store, keep=2) == gone
    assert sorted(record.build for record in store.records(SLOT)) == ["c", "d", "e"]
    collect(store, keep=0)
    assert [record.build for record in store.records(SLOT)] == ["e"]
    assert store.load(SLOT) == ["e"]
    assert files(store) == 3


def test_collecting_keeps_an_older_build_that_is_current(store: Store) -> None:
    old = build(store, ["a"], "a")
    build(store, ["b"], "b")
    store.restore(old)
    collect(store, keep=0)
    assert store.load(SLOT) == ["a"]


def test_collecting_keeps_an_artifact_that_a_kept_build_shares(store: Store) -> None:
    build(store, [1], "a")
    build(store, [1], "b")
    assert [Path(path).name for path, _ in collect(store, keep=0)] == ["a.json"]
    assert store.load(SLOT) == [1]


def test_collecting_within_a_limit_removes_the_oldest(store: Store) -> None:
    other = Slot("system/other")
    for name in "abc":
        build(store, [name * 1000], name)
        build(store, [name * 1000], name, other)
    one = build(store, ["c" * 1000], "c").artifact.bytes
    collect(store, keep=9, limit=4 * one)
    assert [r.build for r in store.records(SLOT)] == ["c", "b"]
    assert [r.build for r in store.records(other)] == ["c", "b"]
    collect(store, keep=9, limit=0)
    assert store.load(SLOT) == store.load(other) == ["c" * 1000]


def test_collecting_removes_what_the_project_no_longer_has(store: Store) -> None:
    build(store, [1], "a")
    build(store, [2], "b")
    gone = Slot("system/gone")
    build(store, [1], "a", gone)
    build(store, [2], "b", gone)
    known = {SLOT}.__contains__
    collect(store, keep=1, known=known)
    assert [r.build for r in store.records(gone)] == ["b"]
    assert store.current(gone) is None
    collect(store, keep=0, known=known)
    assert store.records(gone) == []
    assert store.load(SLOT) == [2]


def test_collecting_removes_what_a_killed_process_left(store: Store) -> None:
    build(store, [1], "a")
    folder = store.files.root / SLOT.folder
    (folder / ".tmp-1-x.json").write_text("[")
    left = store.files.root / "system/never"
    left.mkdir(parents=True)
    (left / ".tmp-2-y.json").write_text("[")
    assert sorted(Path(path).name for path, _ in collect(store)) == [
        ".tmp-1-x.json",
        ".tmp-2-y.json",
    ]


def drawn(**pictures: bytes) -> Any:
    return lambda stored: Description("", {f"{name}.png": png for name, png in pictures.items()})


def names(store: Store) -> list[str]:
    return sorted(path.name for path in store.files.children(store.folder(SLOT) / "_pictures"))


def test_pictures_go_with_the_last_build_that_links_them(store: Store) -> None:
    build(store, [1], "a", describe=drawn(first=b"1", both=b"2"))
    build(store, [2], "b", describe=drawn(second=b"3", both=b"2"))
    assert collect(store, keep=1) == []
    assert names(store) == ["both.png", "first.png", "second.png"]
    gone = {Path(path).name for path, _ in collect(store, keep=0)}
    assert len(gone) == 3
    assert {"a.json", "first.png"} < gone
    assert names(store) == ["both.png", "second.png"]


def test_a_picture_that_a_killed_build_left_is_removed(store: Store) -> None:
    build(store, [1], "a", describe=drawn(linked=b"1"))
    (store.folder(SLOT) / "_pictures" / "left.png").write_bytes(b"2")
    assert [Path(path).name for path, _ in collect(store)] == ["left.png"]
    assert store.slots() == [SLOT]


def test_pictures_count_in_the_limit(store: Store) -> None:
    for name in "ab":
        build(store, [name], name, describe=drawn(**{name: b"x" * 1000}))
    size = store.records(SLOT)[0].artifact.bytes
    assert collect(store, keep=9, limit=2 * (1000 + size)) == []
    assert len(collect(store, keep=9, limit=2 * (1000 + size) - 1)) == 3
    assert names(store) == ["b.png"]

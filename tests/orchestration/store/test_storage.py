"""Records, damage, restoring, freeing and locks of the store."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestration.store.storage import ArtifactError, Record, Slot, Store

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


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    record = build(store, [1, 2], "one", seconds=1.5, run="r", describe=lambda w: f"{w.content:.3}")
    assert store.built(SLOT, "one") == record
    current = store.current(SLOT)
    assert current is not None
    assert current.metadata == ""  # kept beside: every look reads this one
    assert current.artifact == record.artifact
    assert record.metadata == record.content[:3]
    assert store.load(SLOT) == [1, 2]
    assert store.slots() == [SLOT]
    assert str(SLOT) == "system/network[a|b c]"
    assert SLOT.command == "faint rebuild system/network --partitions 'a|b c'"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"record": 0}', '{"record": 1}'])
def test_a_record_that_is_not_whole_is_none(store: Store, text: str) -> None:
    assert Record.from_json(text) is None
    build(store, [1], "one")
    next(store._root.rglob("current.json")).write_text(text)
    assert store.current(SLOT) is None
    assert store.built(SLOT, "one") is not None


def test_two_builds_of_one_content_share_the_artifact(store: Store) -> None:
    one, two = build(store, [1], "one"), build(store, [1], "two")
    assert one.content == two.content
    assert one.artifact.file == two.artifact.file
    assert store.damage(one) is None
    assert [r.build for r in store.records(SLOT)] == ["two", "one"]


def test_what_is_missing_or_damaged_names_asset_file_and_command(store: Store) -> None:
    with pytest.raises(ArtifactError, match="has not been built yet; build it with: faint rebuild"):
        store.load(SLOT)
    record = build(store, [1], "one")
    path = store.path(record)
    path.write_text("[2]")
    with pytest.raises(ArtifactError) as caught:
        store.load(SLOT)
    assert str(SLOT) in str(caught.value)
    assert str(path) in str(caught.value)
    assert "faint rebuild system/network --partitions 'a|b c'" in str(caught.value)
    path.unlink()
    with pytest.raises(ArtifactError, match="is gone"):
        store.load(SLOT)


def test_damage(store: Store) -> None:
    record = build(store, list(range(50)), "one")
    path = store.path(record)
    text = path.read_bytes()
    assert store.damage(record) is None
    path.write_bytes(text[:-1])
    assert "were stored" in store.damage(record).detail  # type: ignore[union-attr]
    path.write_bytes(text[:9] + b"9" + text[10:])
    assert "SHA-256 differs" in store.damage(record).detail  # type: ignore[union-attr]
    path.write_bytes(text)  # whole again, with another time and perhaps inode
    assert store.damage(record) is None
    current = store.current(SLOT)
    assert current is not None
    assert current.artifact.stat == store._stat(path)  # not hashed at the next look
    path.unlink()
    assert store.damage(record).kind == "missing"  # type: ignore[union-attr]


def test_a_file_of_the_right_size_that_is_no_such_file(store: Store) -> None:
    record = build(store, {"x": np.arange(4.0)}, "one", format_name="arrays")
    np.testing.assert_array_equal(store.load(SLOT)["x"][...], np.arange(4.0))
    path = store.path(record)
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(ArtifactError, match="SHA-256"):
        store.load(SLOT)


def test_restoring(store: Store) -> None:
    one = build(store, [1], "one")
    build(store, [2], "two")
    assert store.restore(one)
    assert store.load(SLOT) == [1]
    build(store, [2], "two")
    store.path(one).unlink()
    assert not store.restore(one)
    assert store.load(SLOT) == [2]


# what fails while writing -----------------------------------------------------------------------


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_what_was_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    build(store, [1], "one")
    before = sorted(path.name for path in store._root.rglob("*"))
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, no_space)
            with pytest.raises(OSError, match="No space left"):
                build(store, [2], "two")
        assert store.load(SLOT) == [1]
        assert sorted(path.name for path in store._root.rglob("*")) == before
    build(store, [2], "two")
    assert store.load(SLOT) == [2]


@pytest.mark.parametrize("format_name", ["arrays", "json", "tables", "folders"])
def test_a_disk_that_fills_while_writing(store: Store, format_name: str) -> None:
    import pandas as pd

    large = np.random.default_rng(0).normal(size=20_000)
    value: Any = {
        "arrays": {"x": large},
        "json": large.tolist(),
        "tables": pd.DataFrame({"x": large}),
        "folders": {"x": large.tobytes()},
    }[format_name]
    slot = Slot("system/large")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        with pytest.raises(OSError):  # noqa: PT011 - each library words it differently
            build(store, value, "one", slot, format_name=format_name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.current(slot) is None
    assert [path for path in store._root.rglob("*") if path.is_file()] == []
    build(store, value, "one", slot, format_name=format_name)
    assert store.current(slot) is not None


def test_a_stage_that_fails_half_way_through_its_stream(store: Store) -> None:
    from models.arrays import Blocks

    def blocks() -> Any:
        yield {"x": np.zeros(3)}
        raise RuntimeError("the publisher hung up")

    with pytest.raises(RuntimeError, match="hung up"):
        build(store, Blocks(blocks()), "one", format_name="arrays")
    assert store.current(SLOT) is None
    assert [path for path in store._root.rglob("*") if path.is_file()] == []


# freeing ----------------------------------------------------------------------------------------


def files(store: Store) -> int:
    return sum(path.is_file() for path in store._root.rglob("*"))


def test_free_keeps_what_is_current_and_as_many_as_asked(store: Store) -> None:
    for name in "abcde":
        build(store, [name], name)
    assert store.free(keep=4) == []
    gone = store.free(keep=2, dry_run=True)
    assert len(gone) == 4
    assert files(store) == 11
    assert store.free(keep=2) == gone
    assert sorted(record.build for record in store.records(SLOT)) == ["c", "d", "e"]
    store.free(keep=0)
    assert [record.build for record in store.records(SLOT)] == ["e"]
    assert store.load(SLOT) == ["e"]
    assert files(store) == 3


def test_free_keeps_an_older_build_that_is_current(store: Store) -> None:
    old = build(store, ["a"], "a")
    build(store, ["b"], "b")
    store.restore(old)
    store.free(keep=0)
    assert store.load(SLOT) == ["a"]


def test_free_keeps_an_artifact_that_a_kept_build_shares(store: Store) -> None:
    build(store, [1], "a")
    build(store, [1], "b")
    assert [Path(path).name for path, _ in store.free(keep=0)] == ["a.json"]
    assert store.load(SLOT) == [1]


def test_free_within_a_limit_lets_the_oldest_go(store: Store) -> None:
    other = Slot("system/other")
    for name in "abc":
        build(store, [name * 1000], name)
        build(store, [name * 1000], name, other)
    one = build(store, ["c" * 1000], "c").artifact.bytes
    store.free(keep=9, limit=4 * one)
    assert [r.build for r in store.records(SLOT)] == ["c", "b"]
    assert [r.build for r in store.records(other)] == ["c", "b"]
    store.free(keep=9, limit=0)
    assert store.load(SLOT) == store.load(other) == ["c" * 1000]


def test_free_takes_what_the_project_no_longer_has(store: Store) -> None:
    build(store, [1], "a")
    build(store, [2], "b")
    gone = Slot("system/gone")
    build(store, [1], "a", gone)
    build(store, [2], "b", gone)
    known = {SLOT}.__contains__
    store.free(keep=1, known=known)
    assert [r.build for r in store.records(gone)] == ["b"]
    assert store.current(gone) is None
    store.free(keep=0, known=known)
    assert store.records(gone) == []
    assert store.load(SLOT) == [2]


def test_free_takes_what_a_killed_process_left(store: Store) -> None:
    build(store, [1], "a")
    folder = store._root / SLOT.folder
    (folder / ".tmp-1-x.json").write_text("[")
    left = store._root / "system/never"
    left.mkdir(parents=True)
    (left / ".tmp-2-y.json").write_text("[")
    assert sorted(Path(path).name for path, _ in store.free()) == [".tmp-1-x.json", ".tmp-2-y.json"]


def _hold(root: Path, kind: str, ready: Any, done: Any) -> None:
    store = Store(root / "store", root / "locks")
    with getattr(store, kind)(SLOT):
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
    with getattr(store, kind)(SLOT, wait=False) as got:
        assert not got
    with getattr(store, kind)(Slot("another"), wait=False) as got:
        assert got
    if kind == "changing":
        (store._root / SLOT.folder).mkdir(parents=True)
        (store._root / SLOT.folder / ".tmp-3-z.json").write_text("[")
        assert store.free() == []  # someone is writing it
    process.kill()
    process.join()
    with getattr(store, kind)(SLOT, wait=False) as got:
        assert got


def test_a_current_record_is_replaced_in_one_step(store: Store, monkeypatch: Any) -> None:
    build(store, [1], "one")
    seen = []
    real = os.replace

    def watch(source: Any, target: Any, **options: Any) -> None:
        if str(target).endswith("current.json"):
            seen.append(json.loads(Path(source).read_text())["build"])
            assert store.load(SLOT) == [1]
        real(source, target, **options)

    monkeypatch.setattr(os, "replace", watch)
    build(store, [2], "two")
    assert seen == ["two"]
    assert store.load(SLOT) == [2]


def test_a_remote_store(tmp_path: Path) -> None:
    """Over fsspec's memory file system; `tests/test_s3.py` has a real server."""
    remote = Store("memory://faint/store", tmp_path / "locks")
    record = build(remote, {"x": np.arange(3)}, "one", format_name="arrays")
    np.testing.assert_array_equal(remote.load(SLOT)["x"][...], np.arange(3))
    build(remote, [1], "one", Slot("plain"))
    assert remote.load(Slot("plain")) == [1]
    assert remote.damage(record, verify=True) is None
    assert sorted(remote.slots()) == [Slot("plain"), SLOT]
    remote.path(record).unlink()
    assert remote.damage(record).kind == "missing"  # type: ignore[union-attr]

"""Artifacts and records are stored whole, restored, and read with errors that say what to do."""

from __future__ import annotations

import errno
import json
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestration.store import ArtifactError, Record, Slot, Store, unfit

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


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"record": 0}', '{"record": 1}'])
def test_a_record_that_is_not_whole_is_none(store: Store, text: str) -> None:
    assert Record.from_json(text) is None
    build(store, [1], "one")
    next(store.files.root.rglob("current.json")).write_text(text)
    assert store.current(SLOT) is None
    assert store.built(SLOT, "one") is not None


def test_two_builds_of_one_content_share_the_artifact(store: Store) -> None:
    one, two = build(store, [1], "one"), build(store, [1], "two")
    assert one.content == two.content
    assert one.artifact.file == two.artifact.file
    assert store.defect(one) is None
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
    before = sorted(path.name for path in store.files.root.rglob("*"))
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, no_space)
            with pytest.raises(OSError, match="No space left"):
                build(store, [2], "two")
        assert store.load(SLOT) == [1]
        assert sorted(path.name for path in store.files.root.rglob("*")) == before
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
    assert [path for path in store.files.root.rglob("*") if path.is_file()] == []
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
    assert [path for path in store.files.root.rglob("*") if path.is_file()] == []


# freeing ----------------------------------------------------------------------------------------


def files(store: Store) -> int:
    return sum(path.is_file() for path in store.files.root.rglob("*"))


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
    assert remote.defect(record, verify=True) is None
    assert sorted(remote.slots()) == [Slot("plain"), SLOT]
    remote.path(record).unlink()
    assert remote.defect(record).kind == "missing"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("network", ""),
        ("x" * 255, ""),
        ("x" * 256, "have more than 255 bytes"),
        ("..", "be '..'"),
        ("", "be ''"),
        ("_builds", "be _builds: the store uses it"),
        ("@a", "begin with @"),
    ],
)
def test_parts_of_keys_that_no_folder_can_have(part: str, says: str) -> None:
    assert unfit(part).startswith(says)
    assert bool(unfit(part)) == bool(says)

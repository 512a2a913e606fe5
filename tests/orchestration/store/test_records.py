"""Records come back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestration.store import Description, Record, Slot, Store

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
    record = build(
        store,
        [1, 2],
        "one",
        seconds=1.5,
        run="r",
        describe=lambda stored: Description(f"{stored.written.content:.3}", {"a.png": b"png"}),
    )
    assert store.built(SLOT, "one") == record
    current = store.current(SLOT)
    assert current is not None
    assert current.metadata == ""  # kept beside: every look reads this one
    assert current.artifact == record.artifact
    assert record.metadata == record.content[:3]
    assert record.pictures == {"a.png": 3}
    assert record.files == {record.artifact.file: record.artifact.bytes, "_pictures/a.png": 3}
    assert (store.folder(SLOT) / "_pictures" / "a.png").read_bytes() == b"png"
    assert store.load(SLOT) == [1, 2]
    assert store.slots() == [SLOT]
    assert str(SLOT) == "system/network[a|b c]"
    assert SLOT.command == "faint rebuild system/network --partitions 'a|b c'"


@pytest.mark.parametrize("part", ["inputs", "version"])
def test_a_record_without_one_of_its_parts_is_none(store: Store, part: str) -> None:
    record = build(store, [1], "one")
    data = json.loads(record.to_json()) | {part: None}
    assert Record.from_json(json.dumps(data)) is None


def test_a_folder_in_the_place_of_a_record_is_none(store: Store) -> None:
    path = store.folder(SLOT) / "current.json"
    path.mkdir(parents=True)
    assert store.current(SLOT) is None

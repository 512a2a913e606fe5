"""What is missing or altered is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestration.store import ArtifactError, Record, Slot, Store

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


def test_each_kind_of_defect_is_named(store: Store) -> None:
    record = build(store, list(range(50)), "one")
    path = store.path(record)
    text = path.read_bytes()
    assert store.defect(record) is None
    path.write_bytes(text[:-1])
    assert "were stored" in store.defect(record).detail  # type: ignore[union-attr]
    path.write_bytes(text[:9] + b"9" + text[10:])
    assert "SHA-256 differs" in store.defect(record).detail  # type: ignore[union-attr]
    path.write_bytes(text)  # whole again, with another time and perhaps inode
    assert store.defect(record) is None
    current = store.current(SLOT)
    assert current is not None
    assert current.artifact.stat == store.files.stat(path)  # not hashed at the next look
    path.unlink()
    assert store.defect(record).kind == "missing"  # type: ignore[union-attr]


def test_a_file_of_the_right_size_that_is_no_such_file(store: Store) -> None:
    record = build(store, {"x": np.arange(4.0)}, "one", format_name="arrays")
    np.testing.assert_array_equal(store.load(SLOT)["x"][...], np.arange(4.0))
    path = store.path(record)
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(ArtifactError, match="SHA-256"):
        store.load(SLOT)

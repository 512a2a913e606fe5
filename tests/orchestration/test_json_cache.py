"""A cache is whole, of its version, or empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.json_cache import JsonCache


def test_what_was_saved_is_read_by_the_same_version_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "cache.json"
    cache = JsonCache(path, "1")
    cache.data["a"] = [1, None]
    cache.save()
    assert JsonCache(path, "1").data == {"a": [1, None]}
    assert JsonCache(path, "2").data == {}
    assert [file.name for file in path.parent.iterdir()] == ["cache.json"]


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"[1]\n{}", b"{}\n{}"])
def test_a_damaged_file_is_an_empty_cache(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "cache.json"
    path.write_bytes(damage)
    cache = JsonCache(path)
    assert cache.data == {}
    cache.data["a"] = 1
    cache.save()
    assert JsonCache(path).data == {"a": 1}


def test_content_that_does_not_match_its_header_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    cache = JsonCache(path)
    cache.data["width"] = 2
    cache.save()
    path.write_bytes(path.read_bytes().replace(b'"width":2', b'"width":3'))
    assert JsonCache(path).data == {}


def test_nothing_is_written_that_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    cache = JsonCache(path)
    cache.data["a"] = 1
    cache.save()
    before = path.stat().st_ino
    again = JsonCache(path)
    again.data["a"] = 1
    again.save()
    assert path.stat().st_ino == before


def test_a_folder_that_cannot_be_written_to_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = JsonCache(tmp_path / "file" / "cache.json")
    cache.data["a"] = 1
    cache.save()
    assert cache.data == {"a": 1}

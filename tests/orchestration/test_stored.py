"""Stored assets as a project's own commands read and build them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from orchestration.errors import ProjectError
from orchestration.project import find
from orchestration.store import ArtifactError
from orchestration.stored import StoredAssets


@pytest.fixture
def stored(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoredAssets]:
    project = find(toy.root)
    monkeypatch.setenv("TOY_LOG", str(toy.log))
    monkeypatch.setenv("DAGSTER_HOME", str(project.state / "dagster"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    forget()
    yield StoredAssets(project)
    forget()


def forget() -> None:
    """Let the toy's modules be imported again."""
    for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
        del sys.modules[name]


def test_assets_partitions_and_records_are_read(
    stored: StoredAssets, toy: Any, toy_source: Any
) -> None:
    toy.append(toy_source.UNITS, file="helpers.py")
    toy.append(toy_source.family_source(["b|ü", "a"]))
    assert not toy.rebuild("group:family").failed
    assert stored.partitions("family/network") == ["a", "b|ü"]
    assert stored("family/network", "b|ü") == stored("family/comparison")["b|ü"]
    assert stored.partitions("alpha/features") == []
    assert stored.partitions("no/such") == []
    record = stored.record("alpha/features")
    assert record is not None
    assert record.slot.asset == "alpha/features"
    assert stored.record("alpha/features", "p") is None


def test_what_is_absent_says_how_to_build_it(stored: StoredAssets, toy: Any) -> None:
    with pytest.raises(ProjectError, match="no system 'delta'; there are alpha, beta"):
        stored("delta/network")
    with pytest.raises(ProjectError, match="alpha has no asset alpha/nothing"):
        stored("alpha/nothing")
    (toy.root / ".faint/store/alpha/scaled/current.json").unlink()
    with pytest.raises(ArtifactError, match=r"faint rebuild '\+key:\"alpha/scaled\"'"):
        stored("alpha/scaled")


def test_a_rebuild_brings_what_is_above_up_to_date(stored: StoredAssets, toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    assert "alpha/features" in toy.reasons()
    stored.rebuild(["alpha/features"])
    assert "alpha/features" not in toy.reasons()


def test_a_rebuild_that_fails_says_why(stored: StoredAssets, toy: Any) -> None:
    toy.edit("return value + OFFSET", "return value / 0")
    with pytest.raises(ProjectError, match="division by zero"):
        stored.rebuild(["alpha/features"])

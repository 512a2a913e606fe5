"""The proof that nothing changed: it stands only while nothing has."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from orchestration.project import Project, find
from orchestration.rebuild import memo

QUESTION = "everything"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (tmp_path / "lib" / "deep").mkdir(parents=True)
    (tmp_path / "lib" / "deep" / "helpers.py").write_text("x = 1")
    (tmp_path / "artifact.json").write_text("[1]")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.faint]\ndefinitions = "lib.definitions"\nsources = ["lib"]\n'
    )
    project = find(tmp_path)
    project.home.mkdir(parents=True)
    (project.home / memo.EVENT_LOG).write_text("log")
    return project


def remember(project: Project) -> None:
    before = memo.states(project, [project.root / "artifact.json"])
    memo.remember(project, QUESTION, before, {"fresh": 3})


def test_an_answer_stands_while_nothing_changes(project: Project) -> None:
    assert memo.recall(project, QUESTION) is None
    remember(project)
    assert memo.recall(project, QUESTION) == {"fresh": 3}
    assert memo.recall(project, "another") is None


def rewrite(path: Path) -> None:
    """Other text of the same length, with the old modification time."""
    stat, text = path.stat(), path.read_text()
    path.write_text(text[::-1])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def checked_out(path: Path) -> None:
    """Another file in its place, of the same text and time."""
    stat, text = path.stat(), path.read_text()
    path.rename(path.with_suffix(".old"))
    path.write_text(text)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("how", [rewrite, checked_out, Path.unlink])
@pytest.mark.parametrize(
    "name", ["lib/deep/helpers.py", "artifact.json", ".faint/dagster/event_log.db"]
)
def test_any_change_of_a_file_ends_it(project: Project, name: str, how: Any) -> None:
    remember(project)
    how(project.root / name)
    assert memo.recall(project, QUESTION) is None


@pytest.mark.parametrize(
    "name",
    [
        "lib/new.py",
        "lib/deep/new.py",
        "faint.toml",
        ".faint/dagster/dagster.yaml",
        ".faint/dagster/event_log.db-wal",
    ],
)
def test_a_file_that_appears_ends_it(project: Project, name: str) -> None:
    remember(project)
    (project.root / name).write_text("x = 1")
    assert memo.recall(project, QUESTION) is None


def test_surroundings_that_change_end_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    remember(project)
    for name, value in (
        ("FAINT_PROFILE", "published"),
        ("FAINT_STORE", "s3://bucket"),
        ("PYTHONPATH", "/elsewhere"),
        ("DAGSTER_HOME", str(tmp_path)),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert memo.recall(find(project.root), QUESTION) is None
    assert memo.recall(project, QUESTION) == {"fresh": 3}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 1}', "null", "\\0"])
def test_a_damaged_memory_is_none(project: Project, text: str) -> None:
    remember(project)
    [path] = (project.cache / "looks").iterdir()
    path.write_text(text)
    assert memo.recall(project, QUESTION) is None


def test_what_changes_during_the_look_is_not_remembered(project: Project) -> None:
    before = memo.states(project, [project.root / "artifact.json"])
    rewrite(project.root / "artifact.json")  # while one looks
    memo.remember(project, QUESTION, before, {"fresh": 3})
    assert memo.recall(project, QUESTION) is None


def test_a_file_just_written_is_waited_for(project: Project) -> None:
    """Two writings within a tick of the clock would have one state."""
    path = project.root / "artifact.json"
    path.write_text("[2]")
    states = memo.states(project, [path])
    path.write_text("[3]")
    assert states[str(path)] != memo.states(project, [path])[str(path)]


def test_a_remote_store_or_event_log_is_never_remembered(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAINT_STORE", "memory://x")
    remember(find(project.root))
    assert memo.recall(find(project.root), QUESTION) is None
    monkeypatch.delenv("FAINT_STORE")
    (project.home / memo.EVENT_LOG).unlink()
    remember(project)
    assert memo.recall(project, QUESTION) is None


def test_what_is_remembered_is_small_and_whole(project: Project) -> None:
    remember(project)
    [path] = (project.cache / "looks").iterdir()
    kept = json.loads(path.read_text().partition("\n")[2])
    assert str(project.root / "lib" / "deep" / "helpers.py") in kept["files"]
    assert str(project.root / "lib" / "deep") in kept["files"]
    assert kept["answer"] == {"fresh": 3}

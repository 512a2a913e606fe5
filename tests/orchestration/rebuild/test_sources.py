"""What runs is what is fingerprinted: edits while loading, compiled files of other sources."""

from __future__ import annotations

import importlib
import importlib.util
import os
import py_compile
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestration.errors import ProjectError
from orchestration.project import find
from orchestration.rebuild import sources
from orchestration.rebuild.loading import load_definitions
from orchestration.store import Slot


def compiled(path: Path) -> Path:
    return Path(importlib.util.cache_from_source(path))


def same_size_and_time(toy: Any, old: str, new: str) -> None:
    """Replace a source by another of its size and time, as `tar` and `rsync` do."""
    path = toy.package / "helpers.py"
    stat, text = path.stat(), path.read_text()
    assert text.count(old) == 1
    assert len(old) == len(new)
    path.unlink()
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def features(toy: Any) -> float:
    """The first of the stored features, which is twice the offset."""
    with toy.open() as session:
        return float(session.store.load(Slot("alpha/features"))[0])


@pytest.mark.parametrize("jobs", [["--jobs", "1"], ["--jobs", "2"]])
def test_a_source_replaced_by_one_of_its_size_and_time_runs_as_it_is(
    new_toy: Any, jobs: list[str]
) -> None:
    path = new_toy.package / "helpers.py"
    os.utime(path, ns=(1, 1))  # as packages of reproducible builds have it
    compiling = {"PYTHONDONTWRITEBYTECODE": ""}
    said = new_toy.faint("rebuild", *jobs, env=compiling)
    assert said.returncode == 0, said.stderr
    py_compile.compile(str(path), doraise=True)  # as another program leaves it
    same_size_and_time(new_toy, "OFFSET = 1.0", "OFFSET = 2.0")
    assert new_toy.faint("rebuild", *jobs, env=compiling).returncode == 0
    assert "alpha/features" in new_toy.ran()
    assert features(new_toy) == 4.0
    assert compiled(path).read_bytes()[:8] == sources.CHECKED
    same_size_and_time(new_toy, "OFFSET = 2.0", "OFFSET = 3.0")
    assert new_toy.faint("rebuild", *jobs, env=compiling).returncode == 0
    assert features(new_toy) == 6.0


@pytest.mark.parametrize("writes", [True, False])
def test_compiled_files_name_the_hash_of_their_source(
    new_toy: Any, monkeypatch: pytest.MonkeyPatch, writes: bool
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", not writes)
    path = new_toy.package / "helpers.py"
    project = find(new_toy.root)
    py_compile.compile(str(path), doraise=True)
    assert sources.check_bytecode(project) == []
    assert compiled(path).exists() is writes
    py_compile.compile(str(path), doraise=True)
    same_size_and_time(new_toy, "OFFSET = 1.0", "OFFSET = 2.0")
    assert sources.check_bytecode(project) == [str(path)]
    assert sources.check_bytecode(project) == []
    if writes:
        assert compiled(path).read_bytes()[:8] == sources.CHECKED
        compiled(path).write_bytes(b"garbage")
        assert sources.check_bytecode(project) == []
        (new_toy.package / "broken.py").write_text("def broken(:\n")
        assert sources.check_bytecode(project) == []


def test_compiled_files_that_cannot_be_replaced(
    new_toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = new_toy.package / "helpers.py"
    py_compile.compile(str(path), doraise=True)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(py_compile, "compile", refuse)
    assert sources.check_bytecode(find(new_toy.root)) == []
    same_size_and_time(new_toy, "OFFSET = 1.0", "OFFSET = 2.0")
    with pytest.raises(ProjectError, match=r"helpers.*pyc was not compiled from .*helpers\.py as"):
        sources.check_bytecode(find(new_toy.root))


def test_dagster_loading_an_old_compiled_file_is_told(
    new_toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(new_toy.root), *sys.path])
    py_compile.compile(str(new_toy.package / "helpers.py"), doraise=True)
    same_size_and_time(new_toy, "OFFSET = 1.0", "OFFSET = 2.0")
    try:
        with pytest.raises(ProjectError, match=r"helpers\.py has changed, though its size"):
            importlib.import_module("toy.definitions")
        sources.forget(find(new_toy.root))
        importlib.import_module("toy.definitions")
        assert sys.modules["toy.helpers"].OFFSET == 2.0
    finally:
        sources.forget(find(new_toy.root))


EDITS = """
from pathlib import Path as P

path, count = P(__file__).with_name("helpers.py"), P(__file__).with_name("count")
times = int(count.read_text()) if count.exists() else 0
if times < TIMES:
    count.write_text(str(times + 1))
    path.write_text(path.read_text().replace(f"OFFSET = {times + 1}.0", f"OFFSET = {times + 2}.0"))
"""


@pytest.mark.parametrize("place", ["import", "fingerprint"])
def test_an_edit_while_definitions_load_runs_as_edited(new_toy: Any, place: str) -> None:
    path, edits = new_toy.package / "definitions.py", EDITS.replace("TIMES", "1")
    text = path.read_text()
    where = "\ndefs =" if place == "import" else "\nlater ="
    path.write_text(f"{text}\nlater = 0\n".replace(where, f"{edits}{where}"))
    assert new_toy.rebuild('+key:"alpha/features"').failed == []
    assert "OFFSET = 2.0" in (new_toy.package / "helpers.py").read_text()
    assert features(new_toy) == 4.0
    assert new_toy.plan('+key:"alpha/features"').stale == []


def test_a_half_written_source_is_read_again(new_toy: Any) -> None:
    mend = (
        "from pathlib import Path as P\n"
        "half = P(__file__).with_name('half.py')\n"
        "if 'whole' not in half.read_text():\n"
        "    import threading\n"
        "    threading.Timer(0, half.write_text, ['whole = 1']).run()\n"
        "    raise ImportError('half')\n"
    )
    (new_toy.package / "half.py").write_text("who")
    path = new_toy.package / "definitions.py"
    path.write_text(mend + path.read_text())
    with new_toy.open() as session:
        assert session.stages.by_key


def test_sources_that_are_edited_all_the_time_are_refused(new_toy: Any) -> None:
    path = new_toy.package / "definitions.py"
    path.write_text(path.read_text() + EDITS.replace("TIMES", "9"))
    with pytest.raises(ProjectError, match="sources are edited while they are loaded; run it agai"):
        new_toy.plan()


def test_an_edit_since_the_first_import_is_seen(
    new_toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project's own commands are imported first, and much of the project with them."""
    monkeypatch.setattr(sys, "path", [str(new_toy.root), *sys.path])
    project = find(new_toy.root)
    try:
        sources.begin(project)
        first = importlib.import_module("toy.helpers")
        new_toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
        load_definitions(project)
        assert (first.OFFSET, sys.modules["toy.helpers"].OFFSET) == (1.0, 2.0)
    finally:
        sources.forget(project)

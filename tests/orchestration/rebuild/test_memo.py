"""The proof that nothing changed: it stands only while nothing has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestration.project import Project, find
from orchestration.rebuild import memo
from orchestration.rebuild.session import _ends
from orchestration.rebuild.watch import Watch

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


# what an answer rests on, through the command ----------------------------------------------------


def fresh(toy: Any, **environment: str) -> bool:
    """Whether `faint plan` finds nothing to do."""
    said = toy.faint("plan", env=environment)
    assert said.returncode == 0, said.stderr
    return "Nothing to do" in said.stdout


def remembered(toy: Any, **environment: str) -> bool:
    """Build it, and say whether a plan is then answered from memory: without Dagster."""
    done = toy.faint("rebuild", env=environment)
    assert done.returncode == 0, done.stderr
    for _ in range(2):  # the first may find a file that was written within a tick of the clock
        said = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "orchestration.cli", "plan"],
            cwd=toy.root,
            env=toy.environment | environment,
            capture_output=True,
            text=True,
        )
        assert "Nothing to do" in said.stdout
        if not re.search(r"\| +dagster\n", said.stderr):
            return True
    return False


SETTING = "rows: int = 8"
READS = {
    "environment": 'rows: int = int(os.environ.get("ROWS", "8"))',
    "getenv in a factory": 'rows: int = Field(default_factory=lambda: int(os.getenv("ROWS", "8")))',
    "all variables": 'rows: int = int({**os.environ}.get("ROWS", "8"))',
    "JSON": 'rows: int = json.loads(Path("/DATA/rows.json").read_text())',
    "whether a file exists": 'rows: int = 9 if Path("/DATA/large").exists() else 8',
    "files of a folder": 'rows: int = 6 + len(list(Path("/DATA").iterdir()))',
    "a database": 'rows: int = sum(*sqlite3.connect("/DATA/x.db").execute("select n from t"))',
}


def reading(toy: Any, how: str, data: Path) -> None:
    imports = "import dagster as dg\nimport json, os, sqlite3\nfrom pathlib import Path\n"
    toy.edit("import dagster as dg\n", f"{imports}from pydantic import Field\n", "systems.py")
    toy.edit(SETTING, READS[how].replace("/DATA", str(data)), "systems.py")


@pytest.mark.parametrize("how", ["environment", "getenv in a factory", "all variables"])
def test_a_setting_from_the_environment_ends_it(new_toy: Any, tmp_path: Path, how: str) -> None:
    reading(new_toy, how, tmp_path)
    assert remembered(new_toy)
    assert not fresh(new_toy, ROWS="9")
    assert fresh(new_toy)
    assert remembered(new_toy, ROWS="9")
    assert not fresh(new_toy)


@pytest.mark.parametrize(
    "how", ["JSON", "whether a file exists", "files of a folder", "a database"]
)
def test_a_setting_from_a_file_ends_it(new_toy: Any, tmp_path: Path, how: str) -> None:
    import sqlite3

    data = tmp_path / "data"
    data.mkdir()
    (data / "rows.json").write_text("8")
    with sqlite3.connect(data / "x.db") as database:
        database.executescript("create table t (n integer); insert into t values (8)")
    database.close()
    reading(new_toy, how, data)
    assert remembered(new_toy)
    (data / "rows.json").write_text("9")
    (data / "large").touch()
    with sqlite3.connect(data / "x.db") as database:
        database.execute("update t set n = 9")
    database.close()
    assert not fresh(new_toy)


FILES = """

class AlphaFiles(dg.Config):
    def input_files(self):
        return sorted(Path("/DATA").glob("*.txt"))


@dg.asset(key=["alpha", "files"])
def alpha_files(config: AlphaFiles):
    return [path.read_text() for path in config.input_files()]
"""


@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_joins_a_pattern_ends_it(new_toy: Any, tmp_path: Path, exists: bool) -> None:
    data = tmp_path / "data"
    if exists:
        data.mkdir()
        (data / "a.txt").write_text("a")
    new_toy.append(f"\n\nfrom pathlib import Path\n{FILES.replace('/DATA', str(data))}")
    assert remembered(new_toy)
    data.mkdir(exist_ok=True)
    (data / "b.txt").write_text("b")
    assert not fresh(new_toy)


PARTITIONED = """

PARTS = PARTITIONS


@dg.asset(key=["alpha", "parts"], partitions_def=PARTS)
def alpha_parts(context: dg.AssetExecutionContext):
    return context.partition_key
"""


def test_partitions_from_a_folder_end_it(new_toy: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("a", "b"):
        (data / name).mkdir(parents=True)
    listed = f"dg.StaticPartitionsDefinition(sorted(os.listdir({str(data)!r})))"
    new_toy.append("\n\nimport os\n" + PARTITIONED.replace("PARTITIONS", listed))
    assert remembered(new_toy)
    (data / "c").mkdir()
    assert not fresh(new_toy)


def test_the_next_partition_of_time_ends_it(new_toy: Any) -> None:
    import dagster as dg

    start = datetime.now(UTC) - timedelta(minutes=3)
    minutes = (
        'dg.TimeWindowPartitionsDefinition(cron_schedule="* * * * *", '
        f'start="{start:%Y-%m-%d-%H:%M}", fmt="%Y-%m-%d-%H:%M")'
    )
    new_toy.append(PARTITIONED.replace("PARTITIONS", minutes))
    with new_toy.open() as session:
        until = session.stands_until()
        both = dg.MultiPartitionsDefinition(
            {
                "day": dg.DailyPartitionsDefinition("2026-01-01"),
                "x": dg.StaticPartitionsDefinition("a"),
            }
        )
        now = datetime(2026, 5, 5, 12, tzinfo=UTC)
        assert _ends(both, now) == [datetime(2026, 5, 6, tzinfo=UTC).timestamp()]
        assert _ends(dg.StaticPartitionsDefinition("a"), now) == []
    assert until is not None
    assert 0 < until - time.time() <= 60
    assert until % 60 == 0


def test_an_answer_ends_with_its_time(project: Project) -> None:
    before = memo.states(project, [])
    memo.remember(project, QUESTION, before, {"fresh": 3}, until=time.time() + 60)
    assert memo.recall(project, QUESTION) == {"fresh": 3}
    memo.remember(project, QUESTION, before, {"fresh": 3}, until=time.time())
    assert memo.recall(project, QUESTION) is None


@pytest.mark.parametrize(
    ("setting", "known"),
    [
        ('int(subprocess.run(["cat", "/DATA"], capture_output=True).stdout)', False),
        ('int(os.popen("cat /DATA").read())', False),
        ("8 + 0 * len(platform.processor())", True),
    ],
)
def test_what_another_program_says_is_not_remembered(
    new_toy: Any, tmp_path: Path, setting: str, known: bool
) -> None:
    data = tmp_path / "rows"
    data.write_text("8")
    new_toy.edit(SETTING, f"rows: int = {setting}".replace("/DATA", str(data)), "systems.py")
    new_toy.edit(
        "import dagster as dg\n",
        "import dagster as dg\nimport os, platform, subprocess\n",
        "systems.py",
    )
    assert remembered(new_toy) is known
    if not known:
        data.write_text("9")
        assert not fresh(new_toy)


def test_a_file_that_changes_after_it_was_read_is_not_remembered(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "rows.json"
    path.write_text("8")
    time.sleep(0.03)
    seen = Watch(())
    with seen:
        path.read_text()
    assert list(seen.files) == [str(path)]
    rewrite(path)
    before = memo.states(project, [path])
    memo.remember(project, QUESTION, before, {"fresh": 3}, seen)
    assert memo.recall(project, QUESTION) is None


def test_a_watch_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat, kind = os.stat, type(os.environ)
    monkeypatch.delenv("ROWS", raising=False)
    seen = Watch([tmp_path / "ignored"])
    with seen, seen:
        (tmp_path / "new").write_text("only written")
        (tmp_path / "ignored").exists()
        assert os.environ.get("ROWS") is None
        monkeypatch.setenv("ROWS", "8")
        assert tmp_path.is_dir()
    assert (os.stat, type(os.environ)) == (stat, kind)
    assert (seen.files, seen.folders) == ({}, {str(tmp_path): True})
    assert (seen.variables, seen.every, seen.blind) == ({"ROWS": None}, False, False)
    (tmp_path / "later").exists()
    assert seen.files == {}

"""A cheap, safe proof that nothing changed since the last full plan.

A full plan imports Dagster, opens its instance and reads every record: seconds of work whose answer
is usually "all fresh". When it is, the state of every file that the answer rests on is remembered:
sources and their folders, settings, installed libraries, the store's records and artifacts, and
Dagster's event log. While each still has the same size, times and inode (the change time can't be
set by programs), the answer stands. Anything else, and anything this can't see (a remote store, an
event log that isn't in files), means a full plan. Imports nothing heavy.

A file written twice within one tick of the file system's clock may have the same state for both:
states are taken only once the newest of them is older than that (as git does with its index).
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from orchestration.json_cache import JsonCache
from orchestration.project import Project

Stat = list[int] | None
TICK_NS = 20_000_000
"""Longer than a tick of the clock that file systems use, which is 1 to 10 ms."""
EVENT_LOG = "event_log.db"


def recall(project: Project, question: str) -> dict[str, object] | None:
    """The remembered answer to a question, if nothing it rests on has changed."""
    remembered = _cache(project, question).data
    if not remembered or any(_stat(p) != stat for p, stat in remembered["files"].items()):
        return None
    answer: dict[str, object] = remembered["answer"]
    return answer


def states(project: Project, files: Iterable[str | Path]) -> dict[str, Stat]:
    """The state of every file that an answer rests on: take it before planning."""
    home = project.home
    fixed: list[str | Path] = [
        project.root / "pyproject.toml",
        project.settings,
        home / "dagster.yaml",
        home / EVENT_LOG,
        home / f"{EVENT_LOG}-wal",
    ]
    for package in (*project.sources, project.definitions.split(".")[0]):
        fixed += _package_files(project.root / package)
    fixed += _package_files(Path(__file__).parents[1])
    fixed += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    paths = [str(path) for path in (*fixed, *files)]
    for _ in range(5):
        found = {path: _stat(path) for path in paths}
        age = time.time_ns() - max((stat[2] for stat in found.values() if stat), default=0)
        if not 0 <= age < TICK_NS:
            return found
        time.sleep((TICK_NS - age) / 1e9)
    return {}  # written to all the time: nothing to rely on


def remember(
    project: Project, question: str, before: dict[str, Stat], answer: dict[str, object]
) -> None:
    """Remember an answer with the state, from before the plan, of what it rests on."""
    if "://" in project.store or before.get(str(project.home / EVENT_LOG)) is None:
        return
    cache = _cache(project, question)
    cache.data = {"files": before, "answer": answer}
    cache.save()


def _cache(project: Project, question: str) -> JsonCache:
    name = hashlib.sha256(question.encode()).hexdigest()[:16]
    named = {k: v for k, v in sorted(os.environ.items()) if k.startswith("FAINT_")}
    python = f"{sys.version} {os.environ.get('PYTHONPATH')}"
    surroundings = repr((named, python, project, str(project.home)))
    return JsonCache(project.cache / "looks" / f"{name}.json", surroundings)


def _package_files(folder: Path) -> list[str | Path]:
    """Python files and folders of a package: a file added or removed changes its folder."""
    found: list[str | Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found.append(place)
        found += [f"{place}/{name}" for name in names if name.endswith(".py")]
    return found


def _stat(path: str | Path) -> Stat:
    try:
        stat = os.stat(path)  # noqa: PTH116 - thousands of these are the whole cost of an answer
    except OSError:
        return None
    if stat.st_size == 0 and str(path).endswith("-wal"):
        return None  # whoever only reads SQLite leaves an empty log, which says nothing
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]

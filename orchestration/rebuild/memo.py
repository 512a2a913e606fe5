"""A cheap, safe proof that nothing changed since the last full plan.

A full plan imports Dagster, opens its instance and reads every record: seconds of work whose answer
is usually the one before. So the answer is remembered with the state of every file that it rests
on: sources and their folders, settings, installed libraries, the store's records and artifacts,
Dagster's event log, and whatever else was read meanwhile (see `watch`), environment variables too.
While each still has the same size, times and inode (the change time can't be set by programs), the
answer stands, at most until the next partition of time begins. Anything else, and anything this
can't see (a remote store, an event log that isn't in files, the answer of another program), means a
full plan. Imports nothing heavy.

A file written twice within one tick of the file system's clock may have the same state for both:
states are taken only once the newest of them is older than that (as git does with its index).
"""

from __future__ import annotations

import hashlib
import math
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from orchestration.json_cache import JsonCache
from orchestration.project import Project
from orchestration.rebuild.sources import files_below, package_files
from orchestration.rebuild.watch import TICK_NS, Stat, Watch, environment, stat_of

EVENT_LOG = "event_log.db"


def recall(project: Project, question: str) -> dict[str, Any] | None:
    """The remembered answer to a question, if nothing it rests on has changed."""
    known = _cache(project, question).data
    if not known or any(_stat(path) != stat for path, stat in known["files"].items()):
        return None
    if (
        any(os.path.isdir(path) != was for path, was in known["folders"].items())  # noqa: PTH112
        or any(os.environ.get(name) != value for name, value in known["variables"].items())
        or known["environment"] not in (None, environment())
        or not time.time() < (known["until"] or math.inf)
    ):
        return None
    answer: dict[str, Any] = known["answer"]
    return answer


def states(project: Project, files: Iterable[str | Path] = ()) -> dict[str, Stat]:
    """State, before planning, of the files that any answer rests on, and of some more."""
    home = project.home
    fixed: list[str | Path] = [
        project.root / "pyproject.toml",
        project.settings,
        home / "dagster.yaml",
        home / EVENT_LOG,
        home / f"{EVENT_LOG}-wal",
    ]
    fixed += [*package_files(project), *files_below(Path(__file__).parents[1])]
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
    project: Project,
    question: str,
    before: dict[str, Stat],
    answer: dict[str, object],
    seen: Watch | None = None,
    until: float | None = None,
) -> None:
    """Remember an answer with the state, from before the plan, of what it rests on.

    Parameters
    ----------
    project, question, answer
        What is asked of what, and the answer.
    before
        See `states`; with the state of every file of the store that was read.
    seen
        What was read since the definitions were loaded.
    until
        When the answer ends, in seconds since 1970; None if it doesn't.
    """
    if "://" in project.store or before.get(str(project.home / EVENT_LOG)) is None:
        return
    seen = seen or Watch(())
    # What was read first and then changed may stand for both in the answer.
    if seen.blind or any(before.get(path, stat) != stat for path, stat in seen.files.items()):
        return
    cache = _cache(project, question)
    cache.data = {
        "files": {**before, **seen.files},
        "folders": seen.folders,
        "variables": seen.variables,
        "environment": seen.surroundings if seen.every else None,
        "until": until,
        "answer": answer,
    }
    cache.save()


def _cache(project: Project, question: str) -> JsonCache:
    name = hashlib.sha256(question.encode()).hexdigest()[:16]
    named = {k: v for k, v in sorted(os.environ.items()) if k.startswith("FAINT_")}
    python = f"{sys.version} {os.environ.get('PYTHONPATH')}"
    surroundings = repr((named, python, project, str(project.home)))
    return JsonCache(project.cache / "looks" / f"{name}.json", surroundings)


def _stat(path: str | Path) -> Stat:
    stat = stat_of(path)
    if stat and stat[0] == 0 and str(path).endswith("-wal"):
        return None  # whoever only reads SQLite leaves an empty log, which says nothing
    return stat

"""Groups run in this process or in others, and what they store is reported the same way."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from orchestration.project import Project
from orchestration.rebuild.progress import Notice
from orchestration.rebuild.workers import Group, Here, Processes, Workers
from orchestration.store import Slot

SERVE = """\
import os
import signal


from orchestration.rebuild.progress import Notice


def run(group, tell):
    if group[0].asset == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    for slot in group:
        tell(Notice("started", slot))
        tell(Notice("said", slot, "epoch 1 of 2"))
        tell(Notice("stored", slot))
    return {slot: None for slot in group}


def serve(project):
    return run
"""
CURVES = (Slot("curves"),)


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Processes:
    (tmp_path / "served_groups.py").write_text(SERVE)
    monkeypatch.syspath_prepend(str(tmp_path))
    project = Project(tmp_path, "graph", (), tmp_path / "faint.toml", tmp_path, str(tmp_path))
    return Processes(project, import_module("served_groups").serve, 2)


@pytest.fixture(params=["here", "processes"])
def workers(request: pytest.FixtureRequest, processes: Processes) -> Workers:
    if request.param == "processes":
        return processes
    return Here(import_module("served_groups").run)


def test_what_happens_to_a_group_is_told_before_the_group_is_done(workers: Workers) -> None:
    told: list[tuple[Group, Notice]] = []
    workers.start(CURVES)
    assert workers.busy()
    assert workers.finished(lambda group, notice: told.append((group, notice))) == [
        (CURVES, {CURVES[0]: None})
    ]
    assert told == [
        (CURVES, Notice("started", CURVES[0])),
        (CURVES, Notice("said", CURVES[0], "epoch 1 of 2")),
        (CURVES, Notice("stored", CURVES[0])),
    ]
    assert not workers.busy()
    workers.close()


def test_a_process_that_dies_fails_its_group_and_no_other(processes: Processes) -> None:
    dies = (Slot("dies"),)
    processes.start(dies)
    processes.start(CURVES)
    assert not processes.free()
    done: dict[Group, object] = {}
    while processes.busy():
        done |= dict(processes.finished(lambda group, notice: None))
    assert done[CURVES] == {CURVES[0]: None}
    assert "its process was killed by SIGKILL" in str(done[dies])
    processes.close()

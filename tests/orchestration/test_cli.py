"""The command, as its users meet it: help, wrong words, JSON, exit status, interruption."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

SLOW = """

@dg.asset(key=["slow", "stage"], group_name="slow")
def slow_stage():
    import time

    ran("slow/stage")
    for _ in range(600):
        time.sleep(0.1)
    return 1
"""

BROKEN = """

@dg.asset(key=["broken", "stage"], group_name="broken")
def broken_stage():
    raise ValueError("no such star")


@dg.asset(
    key=["broken", "after"], group_name="broken",
    ins={"stage": dg.AssetIn(["broken", "stage"])},
)
def broken_after(stage):
    return stage


@dg.asset(key=["broken", "beside"], group_name="broken")
def broken_beside():
    ran("broken/beside")
    return 1
"""


def test_help_names_every_command(toy: Any) -> None:
    done = toy.faint("--help")
    assert done.returncode == 0
    for command in ("plan", "rebuild", "gc", "compare", "report", "ui"):
        assert command in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "COMMAND"),
        (("rebuidl",), "invalid choice: 'rebuidl'"),
        (("plan", "--jobs", "2"), "unrecognized arguments: --jobs"),
        (("rebuild", "--jobs", "0"), "expected a number from 1 on, got 0"),
        (("gc", "--limit", "many"), "expected a size such as 500MB or 5GB, got 'many'"),
        (("plan", "group:nowhere"), "nowhere"),
        (("plan", "((("), "isn't understood"),
        (("plan", "alpha/curves", "--partitions", "x"), "no partition 'x'"),
    ],
)
def test_wrong_words_end_with_2_and_say_what_is_right(
    toy: Any, arguments: tuple[str, ...], said: str
) -> None:
    done = toy.faint(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_project_it_says_so(tmp_path: Path, toy: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "plan"],
        cwd=tmp_path,
        env=toy.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no project here" in done.stderr


def test_a_source_that_cannot_be_parsed_is_named_without_a_traceback(toy: Any) -> None:
    toy.append("def broken(:\n", "helpers.py")
    done = toy.faint("plan")
    assert done.returncode == 2
    assert "helpers.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_json_has_the_shape_it_promises(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    plan = json.loads(toy.faint("plan", "--json").stdout)
    assert set(plan) == {"stale", "fresh"}
    assert plan["fresh"] == 6
    first = plan["stale"][0]
    assert set(first) == {"asset", "partition", "reasons", "certain"}
    assert first["asset"] == "alpha/features"
    assert first["partition"] is None
    assert first["certain"] is True
    [reason] = first["reasons"]
    assert reason["kind"] == "code"
    assert "OFFSET" in reason["detail"]
    assert sum(item["certain"] for item in plan["stale"]) == 2


def test_rebuild_json_has_the_shape_it_promises(toy: Any) -> None:
    source = (toy.package / "systems.py").read_text()
    changed = source.replace("rate: float = 0.5", "rate: float = 0.25", 1)
    (toy.package / "systems.py").write_text(changed)
    outcome = json.loads(toy.faint("rebuild", "--json").stdout)
    assert {"materialized", "restored", "unchanged", "failed", "seconds"} <= set(outcome)
    assert outcome["materialized"][0] == "alpha/forest/network"
    assert toy.ran() == sorted(outcome["materialized"])
    again = json.loads(toy.faint("rebuild", "--json").stdout)
    assert again["materialized"] == again["restored"] == again["failed"] == []


def test_a_dry_run_runs_nothing(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    done = toy.faint("rebuild", "--dry-run")
    assert done.returncode == 0
    assert "alpha/features" in done.stdout
    assert toy.ran() == []


def test_what_fails_ends_with_1_and_what_does_not_depend_on_it_is_built(toy: Any) -> None:
    toy.append(BROKEN)
    done = toy.faint("rebuild", "group:broken")
    assert done.returncode == 1
    assert "broken/stage" in done.stderr
    assert "no such star" in done.stderr
    assert toy.ran() == ["broken/beside"]


def test_an_interrupted_rebuild_keeps_what_was_finished(toy: Any) -> None:
    toy.append(SLOW)
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    started = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "rebuild"],
        cwd=toy.root,
        env=toy.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while "slow/stage" not in (toy.log.read_text() if toy.log.exists() else ""):
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    ran = toy.ran()
    (toy.package / "systems.py").write_text(
        (toy.package / "systems.py").read_text().replace("range(600)", "range(1)")
    )
    done = toy.faint("rebuild")
    assert done.returncode == 0, done.stderr
    after = toy.ran()
    assert "slow/stage" in after
    finished = set(ran) - {"slow/stage"}
    assert not finished & set(after)
    assert len(finished) + len(after) - 1 == 20


def test_two_jobs_end_in_the_same_state(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    done = toy.faint("rebuild", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert len(toy.ran()) == 20
    assert json.loads(toy.faint("plan", "--json").stdout) == {"stale": [], "fresh": 26}
    assert toy.unsynced() == {}

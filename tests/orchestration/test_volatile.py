"""Values that differ from process to process don't count; those that an edit changes do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration.fingerprint import Definition
from orchestration.project import find
from orchestration.volatile import Volatile
from tests.orchestration.command import faint

PYPROJECT = '[tool.faint]\ndefinitions = "toy.defs"\nsources = ["toy"]\n'
DEFS = """\
from pathlib import Path
from orchestration.build import laid_over
from orchestration.project import find
from toy import stages
defs = laid_over([stages], find(Path(__file__).parent))
"""
STAGES = """\
import os, time, random
import dagster as dg

STARTED = time.time_ns()
NUMBERS = random.Random()
OTHER = {"pid": os.getpid()}
RATE = os.environ.get("TOY_RATE", "1")


def hidden():
    return OTHER


@dg.asset
def stamped():
    return [int(STARTED > 0), NUMBERS.random() < 2, len(hidden()), RATE]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "toy").mkdir()
    for name, text in {"__init__": "", "defs": DEFS, "stages": STAGES}.items():
        (tmp_path / "toy" / f"{name}.py").write_text(text)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def test_a_stage_that_reads_a_clock_on_import_is_fresh_once_built(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert faint(root, "rebuild").startswith("1 built")
    (root / "toy" / "new.py").write_text("")  # so that the definitions are loaded again
    assert json.loads(faint(root, "plan", "--json"))["stale"] == []
    monkeypatch.setenv("TOY_RATE", "2")
    [stale] = json.loads(faint(root, "plan", "--json"))["stale"]
    assert stale["reasons"][0]["detail"].startswith("toy.stages:RATE (value) changed")


class Answers(Volatile):
    """With a second process that is only told of."""

    asked = 0
    other: dict[str, str] | None = None

    def _elsewhere(self) -> dict[str, str] | None:
        self.asked += 1
        return self.other


def ask(
    root: Path, values: dict[str, str], sources: str = "a", **other: str
) -> tuple[set[str], int]:
    volatile = Answers(find(root), sources)
    volatile.other = other or None
    found = volatile.among(values, lambda name: Definition(f"as {name}", "clock" in name))
    return found, volatile.asked


def test_a_plain_value_asks_nobody(root: Path) -> None:
    assert ask(root, {"m:x": "1"}) == (set(), 0)
    assert ask(root, {"m:x": "1"}) == (set(), 0)


def test_a_value_that_reads_a_clock_is_compared_once(root: Path) -> None:
    assert ask(root, {"m:clock": "1"}, **{"m:clock": "2"}) == ({"m:clock"}, 1)
    assert ask(root, {"m:clock": "3"}) == ({"m:clock"}, 0)
    assert ask(root, {"m:clock": "4"}, "edited elsewhere") == ({"m:clock"}, 0)


def test_a_value_that_only_looks_like_a_clock_counts(root: Path) -> None:
    assert ask(root, {"m:clock": "1"}, **{"m:clock": "1"}) == (set(), 1)
    assert ask(root, {"m:clock": "1"}, "edited elsewhere") == (set(), 0)


def test_another_value_of_the_same_sources_counts_if_a_second_process_has_it_too(
    root: Path,
) -> None:
    ask(root, {"m:x": "1"})
    assert ask(root, {"m:x": "2"}, **{"m:x": "2"}) == (set(), 1)
    assert ask(root, {"m:x": "3"}, **{"m:x": "4"}) == ({"m:x"}, 1)


def test_without_an_answer_a_value_counts(root: Path) -> None:
    assert ask(root, {"m:clock": "1"}) == (set(), 1)
    assert ask(root, {"m:clock": "2"}, "edited") == (set(), 1)

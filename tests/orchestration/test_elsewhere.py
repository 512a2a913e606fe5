"""The machinery serves any project: one elsewhere, whose packages have other names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.orchestration.command import faint

FILES = {
    "pyproject.toml": """\
[tool.faint]
definitions = "wiring.graph"
sources = ["pipeline", "science"]
commands = "wiring.commands"
""",
    "wiring/graph.py": """\
from pathlib import Path

from orchestration.build import laid_over
from orchestration.project import find
from pipeline import stages

defs = laid_over([stages], find(Path(__file__).parent))
""",
    "wiring/commands.py": """\
def add_commands(commands):
    show = commands.add_parser("show", help="print a stored number")
    show.add_argument("key")
    show.set_defaults(answer=lambda options, read: f"{options.key} is {read(options.key)}")
""",
    "science/sums.py": "def double(value):\n    return 2 * value\n",
    "pipeline/stages.py": """\
import dagster as dg

from science.sums import double


@dg.asset(key=["stars", "count"])
def count():
    return 3


@dg.asset(key=["stars", "doubled"], ins={"count": dg.AssetIn(["stars", "count"])})
def doubled(count):
    return double(count)
""",
}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "stars" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "stars"


def test_plan_rebuild_and_gc_serve_a_project_of_other_names(elsewhere: Path) -> None:
    assert faint(elsewhere, "rebuild").startswith("2 built, 0 restored")
    assert faint(elsewhere, "show", "stars/doubled") == "stars/doubled is 6\n"
    path = elsewhere / "science" / "sums.py"
    path.write_text(path.read_text().replace("2 *", "20 *"))
    [stale] = json.loads(faint(elsewhere, "plan", "--json"))["stale"]
    assert stale["asset"] == "stars/doubled"
    assert stale["reasons"][0]["detail"].startswith("science.sums:double changed")
    assert faint(elsewhere, "rebuild").startswith("1 built, 0 restored")
    assert faint(elsewhere, "show", "stars/doubled") == "stars/doubled is 60\n"
    assert "MB freed" in faint(elsewhere, "gc", "--keep", "0")
    assert faint(elsewhere, "plan") == "Nothing to do: 2 assets up to date.\n"


def test_help_lists_the_commands_of_the_project(elsewhere: Path) -> None:
    said = faint(elsewhere, "--help")
    assert "show" in said
    assert "compare" not in said


def test_the_commands_of_a_project_are_imported_only_where_asked_for(elsewhere: Path) -> None:
    faint(elsewhere, "rebuild")
    (elsewhere / "wiring" / "commands.py").write_text("raise ImportError('not now')\n")
    assert faint(elsewhere, "plan") == "Nothing to do: 2 assets up to date.\n"


def test_a_file_that_a_stage_names_is_found_from_any_folder(elsewhere: Path) -> None:
    stages = elsewhere / "pipeline" / "stages.py"
    stages.write_text(stages.read_text() + READER)
    (elsewhere / "numbers.txt").write_text("5")
    assert faint(elsewhere / "pipeline", "rebuild").startswith("3 built")
    assert faint(elsewhere, "plan") == "Nothing to do: 3 assets up to date.\n"
    (elsewhere / "numbers.txt").write_text("6")
    for folder in (elsewhere, elsewhere / "science"):
        [stale] = json.loads(faint(folder, "plan", "--json"))["stale"]
        assert stale["asset"] == "stars/read"


READER = """

class Numbers(dg.Config):
    def input_files(self):
        return ["numbers.txt"]


@dg.asset(key=["stars", "read"])
def read(config: Numbers):
    with open("numbers.txt") as file:
        return int(file.read())
"""

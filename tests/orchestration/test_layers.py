"""Imports inside `orchestration` run one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration import fingerprint

ROOT = Path(__file__).parents[2]
LAYERS = [
    "errors", "seconds", "project", "json_cache", "fingerprint", "store", "settings", "wiring",
    "volatile", "stages", "checks", "unstored", "pictures", "views", "io_managers", "eventlog",
    "rebuild", "doctor", "stored", "automation", "build", "definitions", "webserver", "cli",
]  # fmt: skip
"""Rooms of `orchestration`, lowest first."""


def imported(source: str) -> Iterator[str]:
    """Modules of orchestration that a source imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("orchestration."))


def upward(room: str, source: str) -> list[str]:
    """Imports of a source in a room that name a higher one."""
    level = LAYERS.index(room)
    return [name for name in imported(source) if LAYERS.index(name.split(".")[1]) > level]


def test_an_arrow_upward_is_found_wherever_it_stands() -> None:
    source = """
from orchestration.project import Project
if TYPE_CHECKING:
    from orchestration import cli
def late():
    import orchestration.rebuild.session
"""
    assert upward("store", source) == ["orchestration.cli", "orchestration.rebuild.session"]
    assert upward("cli", source) == []


@pytest.mark.parametrize("room", LAYERS)
def test_no_room_imports_a_higher_one(room: str) -> None:
    folder = ROOT / "orchestration"
    for path in [folder / f"{room}.py", *(folder / room).rglob("*.py")]:
        if path.exists():
            assert upward(room, path.read_text()) == [], path


def test_every_room_has_its_place() -> None:
    paths = (ROOT / "orchestration").iterdir()
    rooms = {path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__"} <= set(LAYERS)


def test_only_the_interface_of_fingerprint_is_imported() -> None:
    inside = [ROOT / "orchestration" / "fingerprint", ROOT / "tests/orchestration/fingerprint"]
    for folder in ("orchestration", "assets", "models", "benchmarks", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            if any(path.is_relative_to(room) for room in inside):
                continue
            for name in imported(path.read_text()):
                _, room, *rest = name.split(".")
                if room == "fingerprint":
                    assert rest == [] or (len(rest) == 1 and rest[0] in fingerprint.__all__), path

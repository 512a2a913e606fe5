"""What the README tells a reader to type, open or believe is there."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TYPED = [line[4:] for line in README.splitlines() if line.startswith("    ")]
"""Indented lines: commands, settings, listings."""
SYSTEMS = sorted(
    path.name for path in (ROOT / "assets").iterdir() if (path / "__init__.py").is_file()
)


def commands(program: str) -> list[list[str]]:
    """The arguments of a program, wherever the README calls it."""
    lines = [*TYPED, *re.findall(r"`([^`\n]+)`", README)]
    return [
        shlex.split(line, comments=True)[1:] for line in lines if line.startswith(f"{program} ")
    ]


@pytest.mark.parametrize("arguments", commands("faint"), ids=" ".join)
def test_a_command_is_one_that_faint_understands(arguments: list[str]) -> None:
    from orchestration.cli import _parser
    from orchestration.project import find

    chosen = _parser(find(ROOT)).parse_args(arguments)
    assert callable(chosen.run)
    if "system" in chosen:
        assert chosen.system in SYSTEMS


def test_the_commands_are_found() -> None:
    assert {"plan", "rebuild", "compare", "report", "gc"} <= {one[0] for one in commands("faint")}
    assert {("run",), ("test",), ("ui",)} <= {tuple(one) for one in commands("make")}


@pytest.mark.parametrize("arguments", commands("make"), ids=" ".join)
def test_a_make_target_is_in_the_makefile(arguments: list[str]) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {one for one in arguments if "=" not in one} <= set(targets)


def test_the_selections_are_of_assets_and_partitions_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.cli import _listed, _parser
    from orchestration.project import find
    from orchestration.rebuild.session import Session

    monkeypatch.setenv("FAINT_STATE", str(tmp_path))
    session = Session(find())
    parsed = [_parser(find(ROOT)).parse_args(one) for one in commands("faint")]
    asked = [one for one in parsed if "selection" in one and one.selection]
    assert len(asked) == 3
    for one in asked:
        slots = session.select(one.selection, _listed(one.partitions))
        assert slots
        if one.partitions:
            assert {slot.partition for slot in slots} == set(_listed(one.partitions))
    session.close()


def test_the_settings_shown_are_of_sections_and_fields_that_exist() -> None:
    from assets.exoplanets.download import Curves

    first = TYPED.index('profile = "published"')
    shown = tomllib.loads("\n".join(TYPED[first : first + 4]))
    assert shown["profile"] in ("quick", "published")
    (section,) = (name for name in shown if name != "profile")
    assert section == Curves._section
    assert set(shown[section]) <= set(Curves.model_fields)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"benchmarks\.([a-z_0-9]+)", README))))
def test_a_benchmark_is_there(name: str) -> None:
    assert (ROOT / "benchmarks" / f"{name}.py").is_file()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_what_is_linked_is_there_or_elsewhere(link: str) -> None:
    assert link.startswith("https://") or (ROOT / link).exists()


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_is_in_the_table_of_systems_and_in_that_of_results(system: str) -> None:
    rows = [line for line in README.splitlines() if line.startswith(f"| `{system}` |")]
    assert len(rows) == 2

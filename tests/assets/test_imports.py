"""Imports run one way, and loading the definitions imports nothing heavy."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {"models": {"assets", "orchestration", "dagster"}, "assets": {"orchestration"}}
COMPOSITION = ROOT / "assets" / "definitions.py"  # puts all of it together
HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "mlflow", "astropy", "batman")


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_never_imports_what_stands_above_it(package: str) -> None:
    files = sorted(set((ROOT / package).rglob("*.py")) - {COMPOSITION})
    assert len(files) > 5
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in files
        if (found := imported(path) & FORBIDDEN[package])
    }
    assert wrong == {}


def test_no_system_imports_another() -> None:
    systems = {path.name for path in (ROOT / "assets").iterdir() if path.is_dir()} - {"__pycache__"}
    wrong = []
    for package in ("assets", "models"):
        for system in systems:
            for path in (ROOT / package / system).rglob("*.py"):
                for node in ast.walk(ast.parse(path.read_text())):
                    module = (getattr(node, "module", None) or "").split(".")
                    if module[1:2] and module[1] in systems - {system}:
                        wrong.append(f"{path.relative_to(ROOT)}: {'.'.join(module)}")
    assert wrong == []


def test_every_module_says_what_belongs_in_it() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for package in ("assets", "models", "orchestration")
        for path in (ROOT / package).rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_definitions_load_without_importing_anything_heavy(tmp_path: Path) -> None:
    code = (
        f"import sys, assets.definitions;print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "FAINT_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"

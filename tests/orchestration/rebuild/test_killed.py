"""Kill -9 at any moment: nothing half-written is taken for good, and nothing done is done again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

KILLING = Path(__file__).with_name("killing.py")


def kill(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> int:
    done = subprocess.run(
        [sys.executable, str(KILLING), *arguments], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.splitlines()[-1])


def test_a_store_killed_at_every_step_holds_the_old_or_the_new(tmp_path: Path) -> None:
    steps = kill("store", str(tmp_path / "s"), cwd=tmp_path)
    assert steps >= 20  # three files: made, written in two halves, flushed, renamed


def test_a_rebuild_killed_at_every_step_is_finished_by_the_next(
    toy_source: SimpleNamespace, tmp_path: Path
) -> None:
    toy: Any = toy_source.Toy(tmp_path / "template")
    toy_source.write_toy(toy.root, ("alpha",))
    systems = (toy.package / "systems.py").read_text()
    kept = systems[: systems.index('@dg.asset(key=["alpha", "scaled"]')]
    (toy.package / "systems.py").write_text(kept)
    toy.rebuild()
    toy.ran()
    toy.edit("return curves[::2]", "return curves[::3]", "systems.py")
    (tmp_path / "k").mkdir()
    environment = {k: v for k, v in toy.environment.items() if k != "TOY_LOG"}
    steps = kill("rebuild", str(tmp_path / "k"), str(toy.root), cwd=tmp_path, env=environment)
    assert steps >= 30

"""The graph is the committed one: a change of keys, edges or checks is meant, or an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.graph_snapshot import COMMAND, FILE, ROOT, changed_assets


def test_the_graph_is_the_committed_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.graph_snapshot"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    changed = changed_assets(FILE.read_text(encoding="utf-8"), done.stdout)
    assert not changed, (
        f"these assets differ from {FILE.name}: {', '.join(changed)}. If the change is meant, "
        f"renew it with `{COMMAND}` and look at its difference"
    )


def test_a_changed_an_added_and_a_removed_asset_are_named() -> None:
    before = "a\n    group: x\n\nb\n    group: x\n\nc\n    group: x\n"
    after = "a\n    group: x\n\nb\n    group: y\n\nd\n    group: x\n"
    assert changed_assets(before, after) == ["b", "c", "d"]

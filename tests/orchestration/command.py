"""The command, run in a project elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def faint(root: Path, *arguments: str) -> str:
    """Run the command in a project, where it has to succeed; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

"""Time the fingerprints of a generated project of 60 modules and 150 stages.

Prints the seconds of a first look (everything is parsed), of a look with the cache, of one after an
edit of one file, and of importing the module in a fresh process, beside their limits.

    python -m benchmarks.fingerprint
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orchestration.fingerprint import SourceTree

SYSTEMS = 5
MODULES = 12
STAGES = 30

HELPERS = '''\
"""Helpers number {number} of a system."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from {package} import shared

WIDTHS = tuple(2**power for power in range(8))
TABLE = {{"mean": np.mean, "median": np.median}}


@dataclass(frozen=True)
class Window:
    """A stretch of samples."""

    start: int
    stop: int = {number}

    def rows(self, values):
        """Rows inside the window."""
        return values[self.start : self.stop]
'''

HELPER = '''

def helper_{number}_{index}(values, *, width: int = WIDTHS[3], kind: str = "mean"):
    """Fold ``values``; what the other helpers are given."""
    from scipy import signal

    if len(values) < width:
        raise ValueError(f"too short: {{len(values)}} of {{width}}")
    window = Window(0, width)
    folded = [TABLE[kind](window.rows(values[start:])) for start in range(0, len(values), width)]
    spectrum = np.abs(np.fft.rfft(signal.detrend(np.asarray(folded))))
    best = max((value, index) for index, value in enumerate(spectrum))
    return {call}
'''

STAGE = '''

class Settings{index}(dg.Config):
    """Settings of a stage."""

    width: int = {index}
    kind: str = "mean"


@dg.asset(group_name="system", description="A stage.")
def stage_{index}(config: Settings{index}, curves):
    """Make one thing of another."""
    return {module}.helper_{number}_{helper}(curves, width=config.width, kind=config.kind)
'''


def write_project(root: Path) -> list[tuple[str, str]]:
    """Write the project; the module and name of each stage."""
    stages = []
    for system in range(SYSTEMS):
        package = f"system{system}"
        folder = root / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "shared.py").write_text("def last(*values):\n    return values[-1]\n")
        for number in range(MODULES - 2):
            source = HELPERS.format(number=number, package=package)
            if number:
                source += f"\nfrom {package} import helpers{number - 1}\n"
            for index in range(20):
                call = "shared.last(best, spectrum)"
                if index:
                    call = f"helper_{number}_{index - 1}(spectrum, kind=kind)"
                elif number:
                    call = f"helpers{number - 1}.helper_{number - 1}_19(spectrum)"
                source += HELPER.format(number=number, index=index, call=call)
            (folder / f"helpers{number}.py").write_text(source)
        source = "import dagster as dg\n\n"
        source += "".join(
            f"from {package} import helpers{number}\n" for number in range(MODULES - 2)
        )
        for index in range(STAGES):
            number = index % (MODULES - 2)
            module = f"helpers{number}"
            source += STAGE.format(index=index, module=module, number=number, helper=index % 20)
            stages.append((f"{package}.stages", f"stage_{index}"))
        (folder / "stages.py").write_text(source)
    return stages


def fingerprint_all(root: Path, stages: list[tuple[str, str]], cache: Path) -> float:
    """Seconds that a look at the whole project takes."""
    start = time.perf_counter()
    tree = SourceTree(root, [f"system{system}" for system in range(SYSTEMS)], cache)
    for module, name in stages:
        tree.fingerprint(module, name)
    return time.perf_counter() - start


def import_seconds(bytecode: Path) -> float:
    """Seconds that importing the module adds to an interpreter that has the standard library."""
    code = (
        "import ast, dataclasses, enum, fnmatch, hashlib, json, pathlib, time;"
        "start = time.perf_counter(); import orchestration.fingerprint;"
        "print(time.perf_counter() - start)"
    )
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(bytecode)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    return float(done.stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder), Path(folder) / "cache.json"
        stages = write_project(root)
        cold = fingerprint_all(root, stages, cache)
        warm = statistics.median(fingerprint_all(root, stages, cache) for _ in range(7))
        edited = root / "system0" / "helpers0.py"
        edited.write_text(edited.read_text() + "\nADDED = 1\n")
        edit = fingerprint_all(root, stages, cache)
        imports = [import_seconds(root / "bytecode") for _ in range(8)][1:]
        size = cache.stat().st_size / 1e6
    rows = [
        ("first look", cold, 2.0),
        ("with the cache", warm, 0.3),
        ("after an edit of one file", edit, 0.3),
        ("import", statistics.median(imports), 0.03),
    ]
    print(f"{SYSTEMS * MODULES} modules, {len(stages)} stages, cache of {size:.1f} MB")
    for name, seconds, limit in rows:
        print(f"{name:26} {seconds:7.3f} s of {limit:g} s")


if __name__ == "__main__":
    main()

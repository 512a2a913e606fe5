"""What asking costs, and what a rebuild adds to a stage, on the toy project of the tests.

Whole processes, interleaved, medians of several runs, as ratios to `python -c "import dagster"` in
the same run: ``python -m benchmarks.rebuild``. With ``--peers FOLDER`` it also makes environments
of DVC and Snakemake there, from the package index, and asks them on the same pipeline.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOY = runpy.run_path(str(ROOT / "tests" / "orchestration" / "toy.py"))
FAINT = [sys.executable, "-m", "orchestration.cli"]
LOOK = (
    "import dagster as dg; instance = dg.DagsterInstance.get();"
    "instance.get_asset_records(); instance.dispose()"
)


class Project:
    """A toy in a folder."""

    def __init__(self, root: Path, systems: int) -> None:
        self.root = root
        names = [*TOY["SYSTEMS"], *(f"system{k}" for k in range(2, systems))][:systems]
        TOY["write_toy"](root, tuple(names))
        self.env = {
            **os.environ,
            "TOY_LOG": str(root / "ran.txt"),
            "PYTHONPATH": str(ROOT),
        }
        self.env.pop("DAGSTER_HOME", None)
        self.built = json.loads(self.run(*FAINT, "rebuild", "--json"))
        self.run(*FAINT, "plan")

    def run(self, *command: str, **env: str) -> str:
        """Run a command in the project; its output."""
        done = subprocess.run(
            command, cwd=self.root, env=self.env | env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def forget(self) -> None:
        """Forget every remembered answer: the next look is a full one."""
        shutil.rmtree(self.root / ".faint" / "cache" / "looks", ignore_errors=True)


def seconds(action: Callable[[], object], before: Callable[[], object] | None = None) -> float:
    if before:
        before()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(project: Project, runs: int, peers: dict[str, list[str]]) -> dict[str, list[float]]:
    """Run everything in turn, ``runs`` times."""
    home = {"DAGSTER_HOME": str(project.root / ".faint" / "dagster")}
    actions: dict[str, tuple[Callable[[], object], Callable[[], object] | None]] = {
        "import dagster": (lambda: project.run(sys.executable, "-c", "import dagster"), None),
        "plan, nothing to do": (lambda: project.run(*FAINT, "plan"), None),
        "rebuild, nothing to do": (lambda: project.run(*FAINT, "rebuild"), None),
        "import dagster, open its instance, read all records": (
            lambda: project.run(sys.executable, "-c", LOOK, **home),
            None,
        ),
        "plan, full look": (lambda: project.run(*FAINT, "plan"), project.forget),
    }
    for name, command in peers.items():
        actions[name] = (lambda command=command: project.run(*command), None)
    found: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(runs):
        for name, (action, before) in actions.items():
            found[name].append(seconds(action, before))
    return found


# peers ----------------------------------------------------------------------------------------


def stages(systems: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """The toy's pipeline as (stage, what it reads)."""
    chain = []
    for system in systems:
        above: list[str] = []
        for name in ("curves", "sample", "scaled", "features"):
            chain.append((f"{system}-{name}", above))
            above = [f"{system}-{name}"]
        for model in TOY["MODELS"]:
            train, cut = f"{system}-{model}-network", f"{system}-{model}-threshold"
            chain += [(train, above), (cut, [train])]
            chain.append((f"{system}-{model}-evaluation", [cut, *above]))
    return chain


def environment(folder: Path, package: str) -> Path:
    place = folder / package
    if not (place / "bin" / package).exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(place / "bin" / "pip"), "install", "-q", package], check=True)
    return place / "bin"


def write_peers(project: Project, folder: Path, systems: tuple[str, ...]) -> dict[str, list[str]]:
    """Write the same pipeline for DVC and Snakemake, run it once, and give the no-op commands."""
    (project.root / "step.py").write_text(
        "import sys; from pathlib import Path\n"
        "Path(sys.argv[1]).write_text(''.join(Path(p).read_text() for p in sys.argv[2:]) + 'x')\n"
    )
    rules, dvc = [], []
    chain = stages(systems)
    rules.append("rule all:\n    input: " + ", ".join(f"'{name}.txt'" for name, _ in chain))
    for name, above in chain:
        inputs = " ".join(f"{one}.txt" for one in above)
        listed = ", ".join(f"'{one}.txt'" for one in [*above])
        rule = name.replace("-", "_")
        rules.append(
            f"rule {rule}:\n    input: 'step.py'{', ' + listed if listed else ''}\n"
            f"    output: '{name}.txt'\n"
            f"    shell: '{sys.executable} step.py {name}.txt {inputs}'"
        )
        deps = "".join(f"      - {one}.dvc.txt\n" for one in above)
        used = " ".join(f"{one}.dvc.txt" for one in above)
        dvc.append(
            f"  {rule}:\n    cmd: {sys.executable} step.py {name}.dvc.txt {used}\n"
            f"    deps:\n      - step.py\n{deps}    outs:\n      - {name}.dvc.txt\n"
        )
    (project.root / "Snakefile").write_text("\n".join(rules) + "\n")
    (project.root / "dvc.yaml").write_text("stages:\n" + "".join(dvc))
    snakemake = [str(environment(folder, "snakemake") / "snakemake"), "--cores", "2"]
    binary = str(environment(folder, "dvc") / "dvc")
    project.run(binary, "init", "--no-scm", "-q")
    repro = [binary, "repro", "-q"]
    for command in (snakemake, repro):
        project.run(*command)
    return {"snakemake, nothing to do": snakemake, "dvc repro, nothing to do": repro}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large", type=int, default=20, help="systems of the larger project")
    parser.add_argument("--peers", type=Path, help="folder for the environments of the peers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = Project(Path(folder) / "small", 2)
        peers = write_peers(small, options.peers, TOY["SYSTEMS"]) if options.peers else {}
        found = measure(small, options.runs, peers)
        large = Project(Path(folder) / "large", options.large)
        more = measure(large, options.runs, {})
    base = statistics.median(found["import dagster"])
    many = f"{13 * options.large} stages"
    print(f"| | 26 stages (s) | ratio to import dagster | {many} (s) | ratio to 26 stages |")
    print("|---|---|---|---|---|")
    for name, values in found.items():
        middle = statistics.median(values)
        other = statistics.median(more[name]) if name in more else None
        shown = f"{other:.2f} | {other / middle:.2f}" if other else "- | -"
        print(f"| {name} | {middle:.2f} | {middle / base:.2f} | {shown} |")
    for project, count in ((small, 26), (large, 13 * options.large)):
        each = project.built["seconds"] / count * 1000
        print(
            f"\nFirst build of {count} trivial stages: {each:.0f} ms a stage, "
            f"{project.built['seconds'] / base / count:.3f} imports of dagster."
        )


if __name__ == "__main__":
    main()

"""Time `faint plan` and `faint rebuild` on the toy project, beside what they are measured by.

Whole processes, run in turn (each round runs every command once), so that whatever else the machine
does falls on all alike; medians, and ratios of medians. Prints one Markdown table.

    python -m benchmarks.rebuild [--rounds N] [--folder FOLDER] [--peers] [--stages N ...]

``--peers`` also makes the same pipeline for DVC and Snakemake, each in a virtual environment of its
own below the folder, installed from PyPI at first, and times their no-op. ``--stages`` measures
projects of about so many stages instead, one module to 13 of them: a rebuild of one stage beside a
plan, a full look beside importing the same assets into Dagster, and a first build beside Dagster's
own `materialize`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOY = runpy.run_path(str(ROOT / "tests" / "orchestration" / "toy.py"))
PEERS = {"dvc": "dvc==3.67.*", "snakemake": "snakemake==9.*"}
LARGE = 20
"""Systems of 13 stages each in the larger toy."""

OPEN = """
import dagster
instance = dagster.DagsterInstance.get()
instance.get_asset_records(instance.get_asset_keys())
instance.dispose()
"""
FINGERPRINT = """
import sys, time
from pathlib import Path
sys.path.insert(0, ".")
from orchestration.fingerprint import SourceTree, cells
import toy.systems
import dagster as dg
stages = [a.op.compute_fn.decorated_fn for a in vars(toy.systems).values()
          if isinstance(a, dg.AssetsDefinition)]
for cache in (None, Path(".faint/cache/fingerprints.json")):
    started = time.perf_counter()
    tree = SourceTree(Path("."), ["toy"], cache)
    for stage in stages:
        tree.fingerprint(stage.__module__, stage.__qualname__, cells(stage))
    print(time.perf_counter() - started)
"""


class Case:
    """One command to be timed, with what has to be done before it each time."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.folder = folder
        self.before = before
        self.seconds: list[float] = []
        self.cpu: list[float] = []
        self.megabytes: list[float] = []

    def run(self) -> None:
        """Run it once, and keep its time."""
        self.before()
        started = time.perf_counter()
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=environment(self.folder),
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                sys.exit(f"{self.name} failed:\n{said.read().decode()}")
        self.seconds.append(seconds)
        self.cpu.append(used.ru_utime + used.ru_stime)
        self.megabytes.append(used.ru_maxrss / 1024)

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)


def environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}
    return kept | {"TOY_LOG": str(folder / "ran.txt"), "DVC_NO_ANALYTICS": "1"}


def faint(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("faint")), *arguments]


def ready(folder: Path, systems: int) -> Path:
    names = tuple(f"s{number:02}" for number in range(systems))
    TOY["write_toy"](folder, names)
    for _ in range(2):
        subprocess.run(
            faint("rebuild"), cwd=folder, env=environment(folder), capture_output=True, check=True
        )
    return folder


def remove(folder: Path, *names: str) -> Callable[[], None]:
    def removed() -> None:
        for name in names:
            shutil.rmtree(folder / name, ignore_errors=True)

    return removed


# peers --------------------------------------------------------------------------------------------

STAGE = '''\
"""One stage of the pipeline: `stage.py KIND OUTPUT INPUT...`."""

import json
import sys
from pathlib import Path

from toy import helpers

kind, output, *inputs = sys.argv[1:]
first, *more = [json.loads(Path(name).read_text()) for name in inputs] or [None]
result = {
    "curves": lambda: [float(row % 5) for row in range(8)],
    "sample": lambda: first[::2],
    "scaled": lambda: helpers.rescale(first),
    "features": lambda: helpers.make_features(first),
    "network": lambda: {"weight": 0.5 * sum(first)},
    "threshold": lambda: {"threshold": first["weight"] / 2},
    "evaluation": lambda: {"accuracy": helpers.accuracy(first["threshold"], more[0])},
}[kind]()
Path(output).write_text(json.dumps(result))
'''


def pipeline(systems: int) -> list[tuple[str, str, list[str]]]:
    """Kind, output and inputs of each stage."""
    found: list[tuple[str, str, list[str]]] = []
    for number in range(systems):
        name = f"s{number:02}"
        above: list[str] = []
        for kind in ("curves", "sample", "scaled", "features"):
            output = f"out/{name}-{kind}.json"
            found.append((kind, output, above))
            above = [output]
        for model in TOY["MODELS"]:
            paths = {
                kind: f"out/{name}-{model}-{kind}.json"
                for kind in ("network", "threshold", "evaluation")
            }
            found.append(("network", paths["network"], above))
            found.append(("threshold", paths["threshold"], [paths["network"]]))
            found.append(("evaluation", paths["evaluation"], [paths["threshold"], *above]))
    return found


def peer(name: str, folder: Path) -> Case:
    """Make the pipeline for a peer, build it once, and give its no-op."""
    venv, work = folder / f"{name}-venv", folder / name
    bin_ = venv / "bin"
    if not (bin_ / name).exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([bin_ / "pip", "install", "--quiet", PEERS[name]], check=True)
    shutil.rmtree(work, ignore_errors=True)
    (work / "toy").mkdir(parents=True)
    (work / "out").mkdir()
    (work / "toy" / "helpers.py").write_text(TOY["HELPERS"])
    (work / "stage.py").write_text(STAGE)
    python = bin_ / "python"
    lines = []
    for kind, output, inputs in pipeline(2):
        line = " ".join(map(str, (python, "stage.py", kind, output, *inputs)))
        stem = Path(output).stem
        if name == "dvc":
            deps = ", ".join(["stage.py", "toy/helpers.py", *inputs])
            lines.append(f"  {stem}:\n    cmd: {line}\n    deps: [{deps}]\n    outs: [{output}]\n")
        else:
            wanted = ", ".join(f'"{path}"' for path in ("stage.py", "toy/helpers.py", *inputs))
            lines.append(
                f'rule {stem.replace("-", "_")}:\n    input: {wanted}\n    output: "{output}"\n'
                f'    shell: "{line}"\n'
            )
    if name == "dvc":
        subprocess.run(["git", "init", "--quiet"], cwd=work, check=True)
        subprocess.run([bin_ / "dvc", "init", "--quiet"], cwd=work, check=True)
        (work / "dvc.yaml").write_text("stages:\n" + "".join(lines))
        command = [str(bin_ / "dvc"), "repro", "--quiet"]
    else:
        every = ", ".join(f'"{output}"' for _, output, _ in pipeline(2))
        (work / "Snakefile").write_text(f"rule all:\n    input: {every}\n" + "".join(lines))
        command = [str(bin_ / "snakemake"), "--cores", "2", "--quiet", "all"]
    subprocess.run(command, cwd=work, env=environment(work), capture_output=True, check=True)
    return Case(f"no-op {name}", command, work)


# what is measured ---------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="kept, with the peers' environments")
    parser.add_argument("--peers", action="store_true", help="also DVC and Snakemake")
    parser.add_argument("--stages", type=int, nargs="+", help="measure projects of so many stages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if options.stages:
            measure_large(folder, options.stages, options.rounds)
        else:
            measure(folder, options.rounds, peers=options.peers)


def measure(folder: Path, rounds: int, *, peers: bool) -> None:
    for name in ("small", "large", "cold"):
        shutil.rmtree(folder / name, ignore_errors=True)
    small, large, cold = folder / "small", folder / "large", folder / "cold"
    ready(small, 2)
    ready(large, LARGE)
    ready(cold, 2)
    home = f"import os; os.environ['DAGSTER_HOME'] = {str(small / '.faint' / 'dagster')!r}"
    forget = (".faint/cache", "toy/__pycache__")
    cases = {
        "import": Case("import dagster", [sys.executable, "-c", "import dagster"], small),
        "open": Case("open, read", [sys.executable, "-c", f"{home}\n{OPEN}"], small),
        "plan": Case("no-op plan", faint("plan"), small),
        "rebuild": Case("no-op rebuild", faint("rebuild"), small),
        "look": Case("full look", faint("plan"), small, remove(small, *forget)),
        "plan260": Case("no-op plan, 260", faint("plan"), large),
        "rebuild260": Case("no-op rebuild, 260", faint("rebuild"), large),
        "look260": Case("full look, 260", faint("plan"), large, remove(large, *forget)),
        "cold": Case("cold", faint("rebuild"), cold, remove(cold, ".faint")),
        "cold look": Case("cold look", faint("rebuild", "--dry-run"), cold, remove(cold, ".faint")),
    }
    cold260 = Case("cold, 260", faint("rebuild"), large, remove(large, ".faint"))
    if peers:
        cases |= {name: peer(name, folder) for name in PEERS}
    for _ in range(rounds):
        for case in cases.values():
            case.run()
    for _ in range(max(1, rounds // 3)):
        cold260.run()
    fingerprints = fingerprint_seconds(large, rounds)
    report(cases, cold260, fingerprints)


# many stages -------------------------------------------------------------------------------------

SPLIT = """
from importlib import import_module
from pathlib import Path
import pkgutil
import toy
from orchestration.build import laid_over
from orchestration.project import find

names = [info.name for info in pkgutil.iter_modules(toy.__path__) if info.name.startswith("s0")]
defs = laid_over([import_module(f"toy.{name}") for name in names], find(Path(__file__).parent))
"""
IMPORT = """
import pkgutil, sys
from importlib import import_module
from pathlib import Path
sys.path.insert(0, ".")
import dagster as dg
import toy
names = [info.name for info in pkgutil.iter_modules(toy.__path__) if info.name.startswith("s0")]
modules = [import_module(f"toy.{name}") for name in names]
"""
MATERIALIZE = f"""{IMPORT}
assets = dg.load_assets_from_modules(modules)
dg.Definitions(assets=assets).resolve_implicit_global_asset_job_def()
if sys.argv[1:]:
    Path("plain").mkdir()
    manager = dg.FilesystemIOManager(base_dir="plain/store")
    with dg.DagsterInstance.local_temp("plain") as instance:
        assert dg.materialize(assets, instance=instance, resources=dict(io_manager=manager)).success
"""
ACCURACY = 'return {{"accuracy": helpers.accuracy(threshold["threshold"], features){more}}}'


def write_split(folder: Path, systems: int) -> None:
    """Write a toy whose systems are modules of their own."""
    TOY["write_toy"](folder, ())
    (folder / "toy" / "systems.py").unlink()
    (folder / "toy" / "definitions.py").write_text(SPLIT)
    for number in range(systems):
        name = f"s0{number:04}"
        source = TOY["HEAD"] + TOY["system_source"](name)
        (folder / "toy" / f"{name}.py").write_text(source)


def edit_leaf(folder: Path) -> Callable[[], None]:
    """Edit one evaluation, another way each time."""
    module, count = folder / "toy" / "s00001.py", itertools.count(1)
    source = module.read_text()

    def edit() -> None:
        head, found, tail = source.rpartition(ACCURACY.format(more=""))
        assert found
        module.write_text(head + ACCURACY.format(more=f" + {next(count)}") + tail)

    return edit


def measure_large(folder: Path, sizes: Sequence[int], rounds: int) -> None:
    """Measure projects of many stages."""
    print("| what | " + " | ".join(f"{size:,} stages" for size in sizes) + " |")
    print("|---|" + "---|" * len(sizes))
    columns = [large_figures(folder / f"split{size}", size, rounds) for size in sizes]
    for what in columns[0]:
        print(f"| {what} | " + " | ".join(column[what] for column in columns) + " |")


def large_figures(folder: Path, size: int, rounds: int) -> dict[str, str]:
    """Figures of one project, by what they are."""
    shutil.rmtree(folder, ignore_errors=True)
    systems = round(size / 13)
    write_split(folder, systems)
    python = [sys.executable, "-c"]
    first = Case("first build", faint("rebuild"), folder)
    first.run()
    Case("to know the files", faint("plan"), folder).run()
    edit = edit_leaf(folder)
    cases = {
        "import": Case("importing the assets", [*python, IMPORT], folder),
        "plan": Case("plan", faint("plan"), folder, edit),
        "leaf": Case("rebuild of one stage", faint("rebuild"), folder, edit),
        "again": Case("plan again", faint("plan"), folder),
        "look": Case("full look", faint("plan"), folder, remove(folder, ".faint/cache")),
    }
    for _ in range(rounds):
        for case in cases.values():
            case.run()
    load = Case("loading", [*python, MATERIALIZE], folder)
    plain = Case("materialize", [*python, MATERIALIZE, "run"], folder, remove(folder, "plain"))
    for case in (load, plain):
        case.run()

    def of(one: str, other: str) -> str:
        a, b = cases[one], cases[other]
        cpu = statistics.median(a.cpu) / statistics.median(b.cpu)
        return f"{a.median / b.median:.2f} x; {cpu:.2f} x the processor's time"

    def size_of(case: Case) -> str:
        return f"{statistics.median(case.megabytes):.0f} MB"

    built, look = first.cpu[0], statistics.median(cases["look"].cpu)
    stages = 13 * systems
    return {
        "`faint plan`, one stage edited": f"{cases['plan'].median:.1f} s, {size_of(cases['plan'])}",
        "`faint rebuild` of it, to that plan": f"{of('leaf', 'plan')}, {size_of(cases['leaf'])}",
        "`faint plan` again, nothing changed since": f"{cases['again'].median:.2f} s",
        "full look, nothing remembered": f"{cases['look'].median:.1f} s, {size_of(cases['look'])}",
        "importing its assets into Dagster, to that look": (
            f"{of('import', 'look')}, {size_of(cases['import'])}"
        ),
        "first build, a stage, processor's time": (
            f"{1000 * (built - look) / stages:.0f} ms, {size_of(first)}"
        ),
        "Dagster's own `materialize`, likewise": (
            f"{1000 * (plain.cpu[0] - load.cpu[0]) / stages:.0f} ms, {size_of(plain)}"
        ),
    }


def fingerprint_seconds(folder: Path, rounds: int) -> tuple[float, float]:
    """Seconds to fingerprint all stages, at first and with the cache."""
    found = []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            cwd=folder,
            env=environment(folder),
            capture_output=True,
            text=True,
            check=True,
        )
        found.append([float(line) for line in done.stdout.split()])
    return statistics.median(f[0] for f in found), statistics.median(f[1] for f in found)


def report(cases: dict[str, Case], cold260: Case, fingerprints: tuple[float, float]) -> None:
    t = {name: case.median for name, case in cases.items()}
    base = t["import"]
    stages260 = 13 * LARGE

    def ratio(name: str, of: str) -> str:
        return f"{t[name] / t[of]:.2f} x"

    overhead = 1000 * (t["cold"] - t["cold look"]) / 26
    overhead260 = 1000 * (cold260.median - t["look260"]) / stages260
    cpu = statistics.median(cases["cold"].cpu) - statistics.median(cases["cold look"].cpu)
    rows = [
        ("`python -c 'import dagster'`", f"{base:.2f} s", "", ""),
        (
            "importing dagster, opening the instance, reading all records",
            f"{t['open']:.2f} s",
            f"{ratio('open', 'import')} the import",
            "",
        ),
        (
            "no-op `faint plan`",
            f"{t['plan']:.3f} s",
            f"{ratio('plan', 'import')} the import",
            "1.5",
        ),
        (
            "no-op `faint rebuild`",
            f"{t['rebuild']:.3f} s",
            f"{ratio('rebuild', 'import')} the import",
            "1.5",
        ),
        (
            "full look, nothing remembered",
            f"{t['look']:.2f} s",
            f"{ratio('look', 'open')} opening and reading",
            "1.5",
        ),
        (
            "no-op `faint plan`, 260 stages",
            f"{t['plan260']:.3f} s",
            f"{ratio('plan260', 'plan')} that of 26",
            "2",
        ),
        (
            "no-op `faint rebuild`, 260 stages",
            f"{t['rebuild260']:.3f} s",
            f"{ratio('rebuild260', 'rebuild')} that of 26",
            "2",
        ),
        (
            "full look, 260 stages",
            f"{t['look260']:.2f} s",
            f"{ratio('look260', 'look')} that of 26",
            "2",
        ),
        (
            "cold rebuild of 26, a stage",
            f"{overhead:.0f} ms",
            f"{1000 * cpu / 26:.0f} ms of CPU",
            "50 ms",
        ),
        ("cold rebuild of 260, a stage", f"{overhead260:.0f} ms", "", "50 ms"),
        ("fingerprints of 260 stages, at first", f"{fingerprints[0]:.3f} s", "", "0.3 s"),
        ("fingerprints of 260 stages, cached", f"{fingerprints[1]:.3f} s", "", ""),
    ]
    for name in PEERS:
        if name in t:
            rows.append(
                (
                    f"no-op {name}",
                    f"{t[name]:.2f} s",
                    f"{ratio(name, 'rebuild')} `faint rebuild`",
                    "> 1",
                )
            )
    print("| what | median | ratio | limit |\n|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()

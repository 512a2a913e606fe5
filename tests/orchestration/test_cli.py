"""The `faint` command: what it prints, its exit status, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli import _listed, _spelled, main
from orchestration.store import Slot

OUTCOME = ["materialized", "restored", "unchanged", "checked", "failed", "errors", "seconds"]

FAINT = [sys.executable, "-m", "orchestration.cli"]

SLOW = """

@dg.asset(key=["slow", "first"])
def slow_first():
    ran("slow/first")
    return 1


@dg.asset(key=["slow", "stage"], ins={"first": dg.AssetIn(["slow", "first"])})
def slow_stage(first):
    import time
    from pathlib import Path
    ran("slow/stage")
    while not Path("go").exists():
        time.sleep(0.05)
    return 2


@dg.asset(key=["slow", "last"], ins={"stage": dg.AssetIn(["slow", "stage"])})
def slow_last(stage):
    ran("slow/last")
    return 3
"""

REPORTS = """

@dg.asset(key=["alpha", "comparison"])
def comparison():
    return {
        "title": "alpha: ours and the published",
        "rows": [
            {"model": "cnn", "result": "ours", "f1": 0.91234},
            {"model": "", "result": "published", "f1": None},
        ],
        "notes": ["F1 at the threshold that validation chose."],
    }


@dg.asset(key=["alpha", "report"], io_manager_key="folders")
def report():
    return {"index.html": "<h1>Größe</h1>".encode(), "pictures/roc.png": b"png"}
"""


@pytest.fixture
def here(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toy as built, as working folder of this process."""
    monkeypatch.chdir(toy.root)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("TOY_LOG", str(toy.log))
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield toy
    for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
        del sys.modules[name]
    os.environ.pop("DAGSTER_HOME", None)


def fresh(toy: Any) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
        del sys.modules[name]
    os.environ.pop("DAGSTER_HOME", None)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    for command in ("plan", "rebuild", "gc", "compare", "report"):
        assert f"    {command} " in said
    with pytest.raises(SystemExit):
        main(["rebuild", "--help"])
    said = capsys.readouterr().out
    for option in (
        "--partitions",
        "--jobs",
        "--dry-run",
        "--json",
        "--verify",
        "tag:stage=training",
    ):
        assert option in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["built"], "invalid choice: 'built'"),
        (["plan", "a", "b"], "unrecognized arguments: b"),
        (["rebuild", "--jobs", "0"], "expected a number from 1 on, got 0"),
        (["rebuild", "--jobs", "x"], "expected a whole number, got 'x'"),
        (["gc", "--limit", "much"], "expected a size such as 500MB or 5GB, got 'much'"),
        (["gc", "--keep", "-1"], "expected a whole number"),
    ],
)
def test_wrong_usage_ends_with_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan", "alpha/feature"], "did you mean alpha/features"),
        (["plan", 'key:"alpha/feature"'], "names no asset; did you mean alpha/features"),
        (["plan", "group:alhpa"], "did you mean alpha"),
        (["plan", "alpha or"], "the selection 'alpha or' isn't understood"),
        (
            ["rebuild", "alpha/features", "--partitions", "x"],
            "no partition 'x' in what is selected",
        ),
        (["compare", "gamma"], "no system 'gamma'; there are alpha, beta"),
        (["report", "alpha"], "alpha has no asset alpha/report"),
    ],
)
def test_what_does_not_fit_the_project_ends_with_2(
    here: Any, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("faint: ")
    assert says in said


def test_outside_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plan"]) == 2
    assert "no project here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (
            "systems.py",
            "import dagster as dg\n",
            "import dagster as dg\n1 / 0\n",
            "toy.definitions can't be loaded: {systems.py}, line 4: ZeroDivisionError: division by",
        ),
        (
            "systems.py",
            "import dagster as dg\n",
            "import dagster as dg\nx = (\n",
            "was never closed",
        ),
        ("helpers.py", "OFFSET = 1.0", "OFFSET = = 1.0", "helpers.py, line 3: invalid syntax"),
        ("systems.py", "from toy.log import ran\n", "from toy.log import run\n", "ImportError"),
        ("definitions.py", "defs = ", "deffs = ", "AttributeError"),
        ("definitions.py", "defs = laid_over", "defs = 1\nlaid_over", "is no dagster.Definitions"),
        (
            "systems.py",
            "class AlphaDownload(dg.Config):\n    rows: int = 8",
            "class AlphaDownload(dg.Config):\n    rows: int",
            "no usable default (rows: ",
        ),
    ],
)
def test_definitions_that_cannot_be_loaded_end_with_2(
    here: Any, file: str, old: str, new: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh(here)
    here.edit(old, new, file)
    assert main(["plan"]) == 2
    said = capsys.readouterr().err
    assert says.replace("{systems.py}", str(here.package / "systems.py")) in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        ((0.0, 0.0, 0, 1), "How long 1 stage will take isn't known: none was built before"),
        ((12.0, 90.0, 3, 0), "Takes about 12 s, up to 1 min 30 s, going by their last builds"),
        (
            (0.0, 90.0, 2, 3),
            "Takes up to about 1 min 30 s, going by their last builds; 3 stages never built before "
            "not counted",
        ),
        ((12.0, 12.0, 1, 0), "Takes about 12 s, going by its last build"),
        ((0.0, 0.0, 0, 0), ""),
    ],
)
def test_how_long_it_takes_is_said_with_how_sure_that_is(
    estimate: tuple[float, float, int, int], said: str
) -> None:
    names = ("certain", "possible", "known", "unknown")
    assert _spelled(dict(zip(names, estimate, strict=True))) == said


def test_plan_and_rebuild_in_json(here: Any, capfd: pytest.CaptureFixture[str]) -> None:
    here.edit(
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.5",
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.25",
        "systems.py",
    )
    for arguments in (["plan", "--json"], ["rebuild", "--dry-run", "--json"]):
        fresh(here)
        assert main(arguments) == 0
        plan = json.loads(capfd.readouterr().out)
        assert list(plan) == ["stale", "fresh", "checks", "seconds", "unfollowed"]
        assert plan["seconds"]["known"] == 3
        assert plan["seconds"]["unknown"] == 0
        assert 0 <= plan["seconds"]["certain"] <= plan["seconds"]["possible"] < 60
        assert plan["fresh"] == 23
        assert [list(item) for item in plan["stale"]] == (
            [["asset", "partition", "action", "reasons", "certain"]] * 3
        )
        assert plan["stale"][0]["asset"] == "alpha/cnn/network"
        assert plan["stale"][0]["partition"] is None
        assert plan["stale"][0]["certain"] is True
        assert plan["stale"][0]["reasons"][0] == {
            "kind": "config",
            "detail": "built with other settings: rate 0.25 -> 0.5",
        }
        assert plan["stale"][1]["certain"] is False
        assert plan["stale"][1]["reasons"] == [
            {"kind": "dependency", "detail": "alpha/cnn/network is stale"}
        ]
    fresh(here)
    assert main(["rebuild", "--json"]) == 0
    outcome = json.loads(capfd.readouterr().out)
    assert list(outcome) == OUTCOME
    assert len(outcome["materialized"]) == 3
    assert outcome["restored"] == outcome["unchanged"] == outcome["failed"] == []
    assert outcome["seconds"] > 0
    assert main(["rebuild", "--json"]) == 0
    outcome = json.loads(capfd.readouterr().out)
    assert list(outcome) == OUTCOME
    assert outcome["materialized"] == []
    assert main(["plan", "--json"]) == 0
    seconds = {"certain": 0.0, "possible": 0.0, "known": 0, "unknown": 0}
    fresh_plan = {"stale": [], "fresh": 26, "checks": [], "seconds": seconds, "unfollowed": 0}
    assert json.loads(capfd.readouterr().out) == fresh_plan


def test_a_rebuild_in_json_says_why_something_failed(
    here: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    here.edit("def accuracy(threshold, values):\n", "def accuracy(threshold, values):\n" + FAILING)
    fresh(here)
    assert main(["rebuild", "alpha/cnn/evaluation", "--json"]) == 1
    outcome = json.loads(capfd.readouterr().out)
    assert outcome["failed"] == ["alpha/cnn/evaluation"]
    assert outcome["errors"] == {"alpha/cnn/evaluation": "ValueError: no light in curve 7"}


def test_json_is_all_that_is_on_standard_output(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    toy.append('\nprint("printed on import")\n')
    toy.edit(
        'ran("alpha/features")\n', 'ran("alpha/features")\n    print("printed")\n', "systems.py"
    )
    # A home of the user's own, whose log capture copies what stages print to the terminal.
    home = toy.root / "home"
    home.mkdir()
    done = toy.faint("rebuild", "--json", env={"DAGSTER_HOME": str(home)})
    assert done.returncode == 0
    assert "alpha/features" in json.loads(done.stdout)["materialized"]
    assert "printed on import" in done.stderr


@pytest.mark.parametrize(
    ("text", "keys"),
    [("a,b|c", ["a", "b|c"]), ('"a,b",c', ["a,b", "c"]), ("all", "all"), (None, None)],
)
def test_partitions_are_listed(text: str | None, keys: object) -> None:
    assert _listed(text) == keys


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\1" * 5000])
def test_a_damaged_event_log_is_one_line_and_loses_nothing(toy: Any, content: bytes) -> None:
    home = toy.root / ".faint" / "dagster"
    for path in home.glob("event_log.db*"):
        path.unlink()
    (home / "event_log.db").write_bytes(content)
    done = toy.faint("plan")
    assert done.returncode == 2
    assert done.stderr.startswith(f"faint: Dagster's database in {home} can't be used (")
    assert len(done.stderr.splitlines()) == 1
    home.rename(toy.root / "away")
    outcome = toy.rebuild()
    assert outcome.materialized == outcome.failed == []
    assert toy.plan().up_to_date


def test_plan_for_a_person(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan"]) == 0
    assert capsys.readouterr().out == "Nothing to do: 26 assets up to date.\n"
    fresh(here)
    here.edit("OFFSET = 1.0", "OFFSET = 2.0")
    assert main(["plan", "group:alpha"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("build   alpha/features")
    assert "code: toy.helpers:OFFSET changed (now " in lines[0]
    assert lines[1].startswith("maybe   alpha/forest/network")
    assert lines[-1].startswith("Takes about 1 s, going by ")
    assert lines[-2] == (
        "1 out of date, 9 more perhaps (if what is upstream comes out different), 3 up to date"
    )


FAILING = "    if values[0] is not None:\n        raise ValueError('no light in curve 7')\n"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_stage_that_fails_ends_with_1_and_the_others_are_built(new_toy: Any, jobs: str) -> None:
    new_toy.edit(
        "def accuracy(threshold, values):\n", "def accuracy(threshold, values):\n" + FAILING
    )
    done = new_toy.faint("rebuild", "--jobs", jobs)
    assert done.returncode == 1
    assert "failed  alpha/cnn/evaluation: ValueError: no light in curve 7" in done.stderr
    assert "10 built, 0 restored, 0 needed no work after all, 3 failed" in done.stdout
    assert "started       alpha/features\n" in done.stderr
    assert re.search(r"^materialized  alpha/features  \d+\.\d s$", done.stderr, re.MULTILINE)
    assert "\r" not in done.stderr  # no bar where there is no terminal
    assert "Traceback" not in done.stderr
    assert len(new_toy.ran()) == 13
    new_toy.edit(FAILING, "")
    done = new_toy.faint("rebuild", "--jobs", jobs)
    assert done.returncode == 0
    assert new_toy.ran() == [f"alpha/{model}/evaluation" for model in ("cnn", "forest", "lstm")]
    assert new_toy.faint("rebuild", "--jobs", jobs).stdout.startswith("Nothing to do: 13 assets")


def test_a_worker_that_dies_fails_its_stage_only(new_toy: Any) -> None:
    dies = "    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    line = 'ran("alpha/cnn/network")\n'
    new_toy.edit(line, line + dies, "systems.py")
    done = new_toy.faint("rebuild", "--jobs", "2")
    assert done.returncode == 1
    assert "failed  alpha/cnn/network: its process was killed by SIGKILL" in done.stderr
    assert "10 built" in done.stdout
    assert len(new_toy.ran()) == 11
    with new_toy.open() as session:
        assert all(run.is_finished for run in session.instance.get_runs())


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_keeps_what_was_finished(new_toy: Any, toy_source: Any, jobs: str) -> None:
    (new_toy.package / "systems.py").write_text(toy_source.HEAD + SLOW)
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "rebuild", "--jobs", jobs],
        cwd=new_toy.root,
        env=new_toy.environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while "slow/stage" not in (new_toy.log.read_text() if new_toy.log.exists() else ""):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all in the foreground
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; what was finished is kept" in said
    assert "Traceback" not in said
    assert new_toy.ran() == ["slow/first", "slow/stage"]
    (new_toy.root / "go").touch()
    done = new_toy.faint("rebuild", "--jobs", jobs)
    assert done.returncode == 0
    assert new_toy.ran() == ["slow/last", "slow/stage"]
    with new_toy.open() as session:
        assert all(run.is_finished for run in session.instance.get_runs())


def test_whoever_waits_for_another_rebuild_says_so(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    with toy.open() as session, session.store.locks.building(Slot("alpha/features")):
        process = subprocess.Popen(
            [*FAINT, "rebuild", "group:alpha"],
            cwd=toy.root,
            env=toy.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = process.stderr.readline()
    out, rest = process.communicate(timeout=60)
    assert line.startswith(
        f"waiting for process {os.getpid()} on {os.uname().nodename}, which builds alpha/features "
        "since "
    )
    assert "going on after " in rest
    assert "0 failed" in out


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ('["..", "x"]', "../x: no part of a key may be '..': the store makes a folder of it"),
        (f'["{"a" * 256}", "x"]', "x: no part of a key may have more than 255 bytes"),
    ],
)
def test_keys_that_no_folder_can_have_end_with_2(
    here: Any, key: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh(here)
    here.append(f"\n\n@dg.asset(key={key})\ndef odd():\n    return 1\n")
    assert main(["plan"]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_partition_key_longer_than_a_files_name(new_toy: Any, toy_source: Any) -> None:
    key = "p" * 300
    new_toy.append(toy_source.family_source([key, "a"]))
    new_toy.append(toy_source.UNITS, "helpers.py")
    assert new_toy.rebuild().failed == []
    assert new_toy.plan(verify=True).up_to_date
    new_toy.edit('UNITS = {"a": 1, "b": 2, "c": 3}', 'UNITS = {"a": 1, "b": 2}')
    outcome = new_toy.rebuild(partitions=[key])
    assert outcome.materialized == [f"family/architecture[{key}]"]


def test_what_is_upstream_must_be_there_or_be_selected(
    new_toy: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(new_toy.root)
    fresh(new_toy)
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        assert main(["rebuild", "alpha/features"]) == 2
    finally:
        fresh(new_toy)
    said = capsys.readouterr().err
    assert "alpha/scaled has never been built and is upstream" in said
    assert "'+key:\"alpha/features\"'" in said


def test_a_stale_asset_upstream_that_is_not_selected_is_left(toy: Any) -> None:
    toy.edit("return [widen(value) for", "return [1 + widen(value) for")
    assert toy.rebuild("alpha/cnn/network").materialized == []
    assert toy.ran() == []
    toy.edit(
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.5",
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.25",
        "systems.py",
    )
    assert toy.rebuild("alpha/cnn/network").materialized == ["alpha/cnn/network"]
    assert toy.rebuild("alpha/cnn/network").materialized == []
    assert toy.ran() == ["alpha/cnn/network"]


def test_nothing_heavy_is_imported_to_say_that_nothing_changed(toy: Any) -> None:
    for _ in range(2):  # in a copy of a project the first look gets to know the files
        assert toy.faint("plan").returncode == 0
    code = (
        "import sys\nfrom orchestration.cli import main\n"
        "status = main(sys.argv[1:])\n"
        "heavy = {'dagster', 'numpy', 'pandas', 'sqlalchemy', 'pydantic', 'tensorflow'}\n"
        "sys.exit(status or ' '.join(heavy & set(sys.modules)) or 0)"
    )
    for command in ("plan", "rebuild"):
        done = subprocess.run(
            [sys.executable, "-c", code, command],
            cwd=toy.root,
            env=toy.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "Nothing to do: 26 assets up to date." in done.stdout
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    full = toy.faint("plan").stdout
    assert "2 out of date" in full
    done = subprocess.run(
        [sys.executable, "-c", code, "plan"],
        cwd=toy.root,
        env=toy.environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, full), done.stderr
    code = code.replace(
        "{'dagster', 'numpy', 'pandas', 'sqlalchemy', 'pydantic', 'tensorflow'}",
        "{'tensorflow', 'keras', 'scipy', 'sklearn', 'matplotlib', 'pandas'}",
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "rebuild"],
        cwd=toy.root,
        env=toy.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_rebuild_is_remembered(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    assert toy.faint("rebuild").returncode == 0
    [look] = (toy.root / ".faint" / "cache" / "looks").iterdir()
    before = look.stat().st_mtime_ns
    assert "Nothing to do" in toy.faint("rebuild").stdout
    assert look.stat().st_mtime_ns == before  # answered from it, not looked anew
    toy.edit("OFFSET = 2.0", "OFFSET = 3.0")
    assert "2 out of date" in toy.faint("plan").stdout


def test_gc(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    here.edit("OFFSET = 1.0", "OFFSET = 2.0")
    assert main(["rebuild"]) == 0
    fresh(here)
    assert main(["gc", "--keep", "0", "--dry-run"]) == 0
    fresh(here)
    assert main(["gc", "--keep", "0"]) == 0
    fresh(here)
    assert main(["gc", "--keep", "0"]) == 0
    would, freed, then = capsys.readouterr().out.splitlines()[-3:]
    assert int(would.split()[0]) > 20
    assert would == freed.replace("freed", "would be freed")
    assert then == "0 files, 0.0 MB freed"
    assert here.plan(verify=True).stale == []


def test_compare_and_report(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    here.append(REPORTS)
    fresh(here)
    assert main(["compare", "alpha"]) == 1
    assert "faint rebuild '+key:\"alpha/comparison\"'" in capsys.readouterr().err
    fresh(here)
    assert main(["report", "alpha"]) == 1
    assert "alpha/report has not been built yet" in capsys.readouterr().err
    here.rebuild()
    fresh(here)
    capsys.readouterr()
    assert main(["compare", "alpha"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("alpha: ours and the published\n\n| model ")
    assert "0.912" in said
    assert said.endswith("\n\nF1 at the threshold that validation chose.\n")
    assert main(["report", "alpha", "--to", "out/deep"]) == 0
    assert "out/deep/alpha/index.html" in capsys.readouterr().out
    written = here.root / "out/deep/alpha"
    assert (written / "index.html").read_text(encoding="utf-8") == "<h1>Größe</h1>"
    assert (written / "pictures/roc.png").read_bytes() == b"png"
    [path] = (here.root / ".faint/store/alpha/report").glob("*.zip")
    path.unlink()
    assert main(["report", "alpha"]) == 1
    assert "is gone; rebuild it with: faint rebuild alpha/report" in capsys.readouterr().err

"""What must hold of a rebuild, on the toy: which stages run, counted where they run.

After each change Dagster's own status (`unsynced`) is asked as well: what is stale for its code or
data must be out of sync there before a rebuild, and nothing after it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration.store.gc import collect

MODELS = ("cnn", "forest", "lstm")


def stages(*names: str, systems: tuple[str, ...] = ("alpha", "beta")) -> list[str]:
    """Stages of all systems, those of models for each model."""
    found = []
    for system in systems:
        for name in names:
            if name in ("network", "threshold", "evaluation"):
                found += [f"{system}/{model}/{name}" for model in MODELS]
            else:
                found.append(f"{system}/{name}")
    return sorted(found)


FROM_FEATURES = stages("features", "network", "threshold", "evaluation")
A_MODEL = [f"alpha/cnn/{name}" for name in ("evaluation", "network", "threshold")]


def test_1_nothing_changed_nothing_runs(toy: Any) -> None:
    assert toy.unsynced() == {}
    outcome = toy.rebuild()
    assert toy.ran() == []
    assert outcome.materialized == outcome.restored == outcome.failed == outcome.unchanged == []


def test_2_a_parameter_of_one_model_runs_that_model(toy: Any) -> None:
    toy.edit(
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.5",
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.25",
        "systems.py",
    )
    plan = toy.plan()
    assert [(str(item.slot), item.certain) for item in plan.stale] == [
        ("alpha/cnn/network", True),
        ("alpha/cnn/threshold", False),
        ("alpha/cnn/evaluation", False),
    ]
    assert plan.stale[0].reasons[0].kind == "config"
    assert plan.stale[0].reasons[0].detail == "built with other settings: rate 0.25 -> 0.5"
    assert toy.unsynced() == {"alpha/cnn/network": ["code"]}
    assert sorted(toy.rebuild().materialized) == A_MODEL
    assert toy.ran() == A_MODEL
    assert toy.unsynced() == {}


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("return [widen(value) for", "return [1 + widen(value) for", FROM_FEATURES),
        ("return value + OFFSET", "return value - OFFSET", FROM_FEATURES),
        ("OFFSET = 1.0", "OFFSET = 2.0", FROM_FEATURES),
        ("return sum(value", "return -sum(value", stages("evaluation")),
    ],
    ids=["helper", "helper three calls away", "constant", "helper of evaluation only"],
)
def test_3_a_helper_runs_the_stages_that_use_it(
    toy: Any, old: str, new: str, runs: list[str]
) -> None:
    toy.edit(old, new)
    certain = [str(item.slot) for item in toy.plan().stale if item.certain]
    assert {kind for name in certain for kind in toy.reasons()[name]} == {"code"}
    assert sorted(toy.unsynced()) == sorted(certain)
    assert toy.rebuild().failed == []
    assert toy.ran() == runs
    assert toy.unsynced() == {}


@pytest.fixture(scope="module")
def built_forms(tmp_path_factory: pytest.TempPathFactory, toy_source: SimpleNamespace) -> Any:
    """One system, with every way to use a helper in its features; built."""
    toy = make_forms(tmp_path_factory.mktemp("forms") / "toy", toy_source)
    assert toy.rebuild().failed == []
    toy.ran()
    return toy


def make_forms(root: Path, source: SimpleNamespace) -> Any:
    toy = source.Toy(root)
    source.write_toy(root, ("alpha",))
    (toy.package / "forms.py").write_text(source.FORMS)
    (toy.package / "kit").mkdir()
    (toy.package / "kit" / "__init__.py").write_text(source.KIT)
    (toy.package / "kit" / "deep.py").write_text(source.DEEP)
    (toy.package / "kit" / "base.py").write_text(source.BASE)
    toy.edit('"""Helpers of the stages."""', '"""Helpers of the stages."""\nfrom toy import forms')
    toy.edit("return [widen(value) for", "return [forms.all_forms(value) for")
    return toy


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("forms.py", "CONSTANT = 1.0", "CONSTANT = 9.0"),
        ("forms.py", "    step = 1.0", "    step = 9.0"),
        (
            "forms.py",
            "def method(self, value):\n        return value + 1.0",
            "def method(self, value):\n        return value + 9.0",
        ),
        ("forms.py", "return function(value) + 1.0", "return function(value) + 9.0"),
        ("forms.py", "extra=1.0", "extra=9.0"),
        (
            "forms.py",
            "def as_value(value):\n    return value + 1.0",
            "def as_value(value):\n    return value + 9.0",
        ),
        (
            "forms.py",
            "def in_dict(value):\n    return value + 1.0",
            "def in_dict(value):\n    return value + 9.0",
        ),
        (
            "forms.py",
            "def in_list(value):\n    return value + 1.0",
            "def in_list(value):\n    return value + 9.0",
        ),
        ("forms.py", "functools.partial(partly, 1.0)", "functools.partial(partly, 9.0)"),
        ("forms.py", "return value + extra + 1.0", "return value + extra + 9.0"),
        ("kit/deep.py", "return value + 1.0", "return value + 9.0"),
        ("kit/base.py", "return value + 1.0", "return value + 9.0"),
    ],
    ids=[
        "constant",
        "class attribute",
        "method",
        "decorator",
        "default argument",
        "function as a value",
        "function in a dict",
        "function in a list",
        "partial",
        "target of a partial",
        "alias through a package",
        "base class",
    ],
)
def test_3_whatever_way_a_helper_is_used(
    built_forms: Any, tmp_path: Path, file: str, old: str, new: str
) -> None:
    toy = built_forms.copy(tmp_path / "toy")
    toy.edit(old, new, file)
    assert toy.rebuild().failed == []
    assert toy.ran() == stages("features", "network", "threshold", "evaluation", systems=("alpha",))


def test_4_what_cannot_change_a_result_runs_nothing(toy: Any, tmp_path: Path) -> None:
    toy.edit("def shift(value):", "# a comment\n\n\ndef shift(value: float) -> float:")
    toy.edit('"""Three calls away from a stage."""', '"""Another docstring."""')
    toy.edit(
        "return sum(value > threshold for value in values) / len(values)",
        "return (\n        sum(value > threshold for value in values)\n    / len(values)\n    )",
    )
    toy.edit('"""Used by nobody."""\n    return values', '"""Used by nobody."""\n    return None')
    text = (toy.package / "helpers.py").read_text()
    start, end = text.index("def widen"), text.index("def make_features")
    moved = text[:start] + text[end:] + "\n\n" + text[start:end]
    (toy.package / "helpers.py").write_text(moved)
    toy.root = toy.root.rename(tmp_path / "checkout elsewhere")
    toy.package, toy.log = toy.root / "toy", toy.root / "ran.txt"
    assert toy.plan().stale == []
    assert toy.rebuild().materialized == []
    assert toy.ran() == []
    assert toy.unsynced() == {}


def test_4_a_changed_annotation_of_a_setting_counts(toy: Any) -> None:
    toy.edit(
        "class AlphaDownload(dg.Config):\n    rows: int = 8",
        "class AlphaDownload(dg.Config):\n    rows: float = 8",
        "systems.py",
    )
    assert toy.reasons()["alpha/curves"] == ["code"]


def test_5_what_cannot_be_followed_is_said_and_widened(new_toy: Any) -> None:
    new_toy.edit(
        "    top = max(values)\n",
        "    import toy.helpers\n    name = 'neigh' + 'bour'\n"
        "    top = max(getattr(toy.helpers, name)(values))\n",
    )
    new_toy.rebuild()
    new_toy.ran()
    said = new_toy.faint("plan", "--explain")
    assert said.returncode == 0
    [line] = [line for line in said.stdout.splitlines() if line.startswith("not followed: getattr")]
    assert line.endswith(": all of toy.helpers counts for alpha/scaled")
    for _ in range(2):  # looked at in full, and remembered
        said = new_toy.faint("plan")
        assert said.stdout.endswith(
            "1 asset has code that can't be wholly followed: more counts than is used (--explain "
            "says what)\n"
        )
    new_toy.edit(
        '"""Used by nobody."""\n    return values',
        '"""Used by nobody."""\n    return values[:1] * len(values)',
    )
    new_toy.rebuild()
    assert "alpha/scaled" in new_toy.ran()


def test_6_the_same_content_again_ends_the_wave(toy: Any) -> None:
    toy.edit("return value + OFFSET", "return OFFSET + value")
    plan = toy.plan()
    assert [str(item.slot) for item in plan.stale if item.certain] == stages("features")
    outcome = toy.rebuild()
    assert toy.ran() == stages("features")
    assert sorted(outcome.unchanged) == stages("network", "threshold", "evaluation")
    assert toy.unsynced() == {}


def artifact(toy: Any, name: str) -> Path:
    folder = toy.root / ".faint" / "store" / name
    record = json.loads((folder / "current.json").read_text())
    return folder / record["artifact"]["file"]


def flip_a_bit(path: Path) -> None:
    import os

    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("harm", "kind", "says"),
    [
        (Path.unlink, "missing", "is gone"),
        (lambda path: path.write_bytes(path.read_bytes()[:-3]), "corrupt", "were stored"),
        (flip_a_bit, "corrupt", "SHA-256 differs"),
    ],
    ids=["deleted", "truncated", "bit flipped, time kept"],
)
def test_7_a_damaged_artifact_is_noticed_and_only_it_is_rebuilt(
    toy: Any, harm: Any, kind: str, says: str
) -> None:
    toy.plan()  # the copy's files are known to be intact
    harm(artifact(toy, "alpha/features"))
    stale = {str(item.slot): item for item in toy.plan().stale}
    assert stale["alpha/features"].reasons[0].kind == kind
    assert says in stale["alpha/features"].reasons[0].detail
    assert [name for name, item in stale.items() if item.certain] == ["alpha/features"]
    assert toy.rebuild().materialized == ["alpha/features"]
    assert toy.ran() == ["alpha/features"]
    assert toy.plan().stale == []
    assert toy.unsynced() == {}


def test_7_verify_finds_what_a_disk_did_without_a_trace(toy: Any) -> None:
    toy.plan()
    path = artifact(toy, "alpha/features")
    flip_a_bit(path)
    folder = path.parent
    stat = path.stat()
    for record in (folder / "current.json", *(folder / "_builds").iterdir()):
        kept = json.loads(record.read_text())
        kept["artifact"]["stat"] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        record.write_text(json.dumps(kept))
    assert toy.plan().stale == []
    assert toy.reasons(verify=True)["alpha/features"] == ["corrupt"]
    assert toy.rebuild(verify=True).materialized == ["alpha/features"]


def test_8_a_parameter_put_back_is_restored(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    toy.rebuild()
    assert toy.ran() == FROM_FEATURES
    toy.edit("OFFSET = 2.0", "OFFSET = 1.0")
    assert {item.action for item in toy.plan().stale if item.certain} == {"restore"}
    outcome = toy.rebuild()
    assert toy.ran() == []
    assert sorted(outcome.restored) == FROM_FEATURES
    assert outcome.materialized == []
    assert toy.plan().stale == []
    assert toy.unsynced() == {}


def test_8_a_restored_asset_shows_its_metadata_again(toy: Any) -> None:
    import dagster as dg

    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    toy.rebuild()
    toy.edit("OFFSET = 2.0", "OFFSET = 1.0")
    toy.rebuild()
    with toy.open() as session:
        event = session.instance.get_latest_materialization_event(
            dg.AssetKey(["alpha", "features"])
        )
        shown = event.asset_materialization.metadata
    assert shown["rebuild"].value == "restored from the store"
    assert {"seconds", "peak memory (MB)", "content hash", "stored bytes", "stored at"} <= set(
        shown
    )


def test_8_gc_frees_what_nothing_needs_and_no_more(toy: Any) -> None:
    for value in (2.0, 3.0, 4.0):
        toy.edit(f"OFFSET = {value - 1}", f"OFFSET = {value}")
        toy.rebuild()
    toy.ran()
    with toy.open() as session:
        freed = collect(session.store, keep=1)
    assert freed
    assert {
        Path(path).relative_to(toy.root / ".faint" / "store").parts[0] for path, _ in freed
    } == {
        "alpha",
        "beta",
    }
    assert toy.plan(verify=True).stale == []
    toy.edit("OFFSET = 4.0", "OFFSET = 3.0")
    assert sorted(toy.rebuild().restored) == FROM_FEATURES  # the one that was kept
    toy.edit("OFFSET = 3.0", "OFFSET = 2.0")
    assert sorted(toy.rebuild().materialized) == FROM_FEATURES  # freed
    with toy.open() as session:
        collect(session.store, keep=0)
        assert collect(session.store, keep=0) == []
    assert toy.plan(verify=True).stale == []


def test_10_two_rebuilds_at_once_compute_each_stage_once(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    command = [sys.executable, "-m", "orchestration.cli", "rebuild", "--json"]
    both = [
        subprocess.Popen(
            command,
            cwd=toy.root,
            env=toy.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    done = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], done
    assert toy.ran() == FROM_FEATURES
    built = [json.loads(out)["materialized"] for out, _ in done]
    assert sorted(built[0] + built[1]) == FROM_FEATURES
    assert toy.plan().stale == []
    assert toy.unsynced() == {}


def test_10_two_first_rebuilds_at_once(new_toy: Any) -> None:
    command = [sys.executable, "-m", "orchestration.cli", "rebuild"]
    both = [
        subprocess.Popen(
            command,
            cwd=new_toy.root,
            env=new_toy.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(new_toy.ran()) == 13
    assert new_toy.unsynced() == {}


def test_11_a_library_that_changes_its_version_counts(
    new_toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.metadata

    new_toy.edit(
        "    top = max(values)\n", "    import numpy\n    top = float(numpy.max(values))\n"
    )
    versions = {"numpy": "2.4.1"}
    real = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: versions.get(name) or real(name)
    )
    new_toy.rebuild()
    new_toy.ran()

    def reinstalled(version: str) -> list[str]:
        versions["numpy"] = version
        (new_toy.root / ".faint" / "cache" / "libraries.json").unlink()  # as pip's changes do
        return [reason for kinds in new_toy.reasons().values() for reason in kinds]

    assert reinstalled("2.4.9") == []
    assert reinstalled("2.5.0")[0] == "code"
    item = new_toy.plan().stale[0]
    assert str(item.slot) == "alpha/scaled"
    assert item.reasons[0].detail == "library numpy '2.4' -> '2.5'"
    new_toy.rebuild()
    assert new_toy.ran() == ["alpha/scaled"]
    exact = (new_toy.root / "pyproject.toml").read_text() + 'package_versions = "exact"\n'
    (new_toy.root / "pyproject.toml").write_text(exact)
    new_toy.rebuild()
    assert reinstalled("2.5.1")[0] == "code"
    ignored = exact.replace("exact", "ignore")
    (new_toy.root / "pyproject.toml").write_text(ignored)
    new_toy.rebuild()
    assert reinstalled("3.0.0") == []


def test_12_a_launcher_with_other_settings(toy: Any) -> None:
    import dagster as dg

    with toy.open() as session:
        result = session.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(["alpha", "cnn", "network"])],
            run_config={"ops": {"alpha__cnn__network": {"config": {"rate": 0.75}}}},
            instance=session.instance,
        )
        [event] = result.get_asset_materialization_events()
        shown = event.step_materialization_data.materialization.metadata
        assert shown["built with other settings"].value == "rate 0.5 -> 0.75"
    assert toy.ran() == ["alpha/cnn/network"]
    [network, *below] = toy.plan().stale
    assert str(network.slot) == "alpha/cnn/network"
    assert network.reasons[0].kind == "config"
    assert network.reasons[0].detail == "built with other settings: rate 0.5 -> 0.75"
    assert network.action == "restore"
    assert len(below) == 2
    assert toy.rebuild().restored == ["alpha/cnn/network"]
    assert toy.ran() == []
    assert toy.unsynced() == {}


def make_family(toy: Any, source: SimpleNamespace, names: list[str]) -> Any:
    source.write_toy(toy.root, ())
    toy.append(source.family_source(names))
    toy.append(source.UNITS, "helpers.py")
    return toy


@pytest.fixture
def family(toy_source: SimpleNamespace, tmp_path: Path) -> Any:
    toy = make_family(toy_source.Toy(tmp_path / "project"), toy_source, ["a", "b", "c"])
    assert toy.rebuild().failed == []
    assert len(toy.ran()) == 7
    return toy


def test_13_one_member_of_a_family(family: Any) -> None:
    assert family.unsynced() == {}
    family.edit('"b": 2', '"b": 5')
    assert sorted(family.rebuild().materialized) == [
        "family/architecture[a]",
        "family/architecture[b]",
        "family/architecture[c]",
        "family/comparison",
        "family/network[b]",
    ]
    assert family.ran() == [
        "family/architecture[a]",
        "family/architecture[b]",
        "family/architecture[c]",
        "family/comparison",
        "family/network[b]",
    ]
    assert family.unsynced() == {}
    assert (
        artifact(family, "family/comparison").read_text() == '{\n "a": 2,\n "b": 10,\n "c": 6\n}\n'
    )


def test_13_a_family_below_another_may_have_fewer_members(
    toy_source: SimpleNamespace, tmp_path: Path
) -> None:
    """Never built, a network could share a run with its architecture, but Dagster has none."""
    toy = toy_source.Toy(tmp_path / "project")
    both = toy_source.family_source(["a", "b", "c"]).replace(
        'group_name="family", partitions_def=FAMILY,\n    ins={"architecture": '
        'dg.AssetIn(["family", "architecture"])}',
        'group_name="family", partitions_def=dg.StaticPartitionsDefinition(["a", "b"]),\n    ins={'
        '"architecture": dg.AssetIn(["family", "architecture"], '
        "partition_mapping=dg.IdentityPartitionMapping())}",
    )
    assert "IdentityPartitionMapping" in both
    toy_source.write_toy(toy.root, ())
    toy.append(both)
    toy.append(toy_source.UNITS, "helpers.py")
    outcome = toy.rebuild()
    assert outcome.failed == []
    assert {"family/network[a]", "family/network[b]", "family/comparison"} <= set(toy.ran())
    assert toy.plan().stale == []


def test_13_a_partition_added_is_one_missing(family: Any) -> None:
    family.edit('["a", "b", "c"]', '["a", "b", "c", "d"]', "systems.py")
    assert family.reasons() == {
        "family/architecture[d]": ["missing"],
        "family/network[d]": ["missing", "dependency"],
        "family/comparison": ["dependency"],
    }
    family.rebuild()
    assert family.ran() == ["family/architecture[d]", "family/comparison", "family/network[d]"]
    assert family.unsynced() == {}


def test_13_a_partition_renamed_or_taken_away(family: Any) -> None:
    family.edit('["a", "b", "c"]', '["a", "b2", "c"]', "systems.py")
    family.edit('"b": 2', '"b2": 2')
    family.rebuild()
    assert "family/comparison" in family.ran()  # the same contents under other names
    family.edit('["a", "b2", "c"]', '["a", "c"]', "systems.py")
    assert family.reasons() == {"family/comparison": ["data"]}
    family.rebuild()
    assert family.ran() == ["family/comparison"]
    assert family.unsynced() == {}
    with family.open() as session:
        known = set(session.select())
        freed = collect(session.store, keep=0, known=known.__contains__)
    assert {Path(path).parts[-2] for path, _ in freed} >= {"@b", "@b2"}
    assert family.plan(verify=True).stale == []


def test_13_chosen_partitions(family: Any) -> None:
    family.edit("return 2 * architecture", "return 3 * architecture", "systems.py")
    assert family.rebuild("family/network", ["a", "c"]).materialized == [
        "family/network[a]",
        "family/network[c]",
    ]
    assert family.ran() == ["family/network[a]", "family/network[c]"]
    family.rebuild("family/network", "all")
    assert family.ran() == ["family/network[b]"]
    assert family.rebuild().materialized == ["family/comparison"]


def test_13_over_100_partitions_on_an_edge(toy_source: SimpleNamespace, tmp_path: Path) -> None:
    names = [f"n{number:03}" for number in range(101)]
    toy = make_family(toy_source.Toy(tmp_path / "project"), toy_source, names)
    assert toy.rebuild().failed == []
    assert len(toy.ran()) == 203
    assert toy.plan().stale == []
    toy.edit('"b": 2', '"n050": 2')
    outcome = toy.rebuild("family/architecture")
    assert len(outcome.materialized) == 101
    assert toy.reasons() == {
        "family/network[n050]": ["data"],
        "family/comparison": ["dependency"],
    }
    toy.rebuild()
    assert toy.ran()[-2:] == ["family/comparison", "family/network[n050]"]
    assert toy.plan().stale == []


def test_14_a_module_renamed_and_a_function_moved(toy: Any) -> None:
    (toy.package / "helpers.py").rename(toy.package / "tools.py")
    text = (toy.package / "tools.py").read_text()
    start, end = text.index("def accuracy"), len(text)
    (toy.package / "tools.py").write_text(text[:start])
    (toy.package / "judging.py").write_text(text[start:end])
    systems = (toy.package / "systems.py").read_text()
    (toy.package / "systems.py").write_text(
        systems.replace("from toy import helpers", "from toy import judging\nfrom toy import tools")
        .replace("helpers.accuracy", "judging.accuracy")
        .replace("helpers.", "tools.")
    )
    assert toy.plan().stale == []
    assert toy.rebuild().materialized == []
    assert toy.ran() == []
    assert toy.unsynced() == {}


def test_what_the_code_of_a_stage_logs_is_shown_with_its_run(toy: Any) -> None:
    toy.edit(
        "def shift(value):",
        "import logging\nlogger = logging.getLogger(__name__)\ndef shift(value):\n"
        "    logger.info('at %s', value)",
    )
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")  # the message alone would run nothing
    toy.rebuild("key:alpha/features")
    with toy.open() as session:
        (run,) = [
            run
            for run in session.instance.get_runs(limit=3)
            if any(event.user_message.startswith("at ") for event in logged(session, run))
        ]
        assert {event.step_key for event in logged(session, run) if event.step_key} == {
            "alpha__features"
        }


def logged(session: Any, run: Any) -> list[Any]:
    return list(session.instance.all_logs(run.run_id))


AFTER = """

@dg.asset(key=["alpha", "after"], deps=[["alpha", "curves"]])
def alpha_after():
    ran("alpha/after")
    CHANGE
    return VALUE
"""


def test_14_the_clock_of_another_machine_may_be_wrong(new_toy: Any) -> None:
    new_toy.append(AFTER.replace("CHANGE", "pass").replace("VALUE", "1"))
    new_toy.rebuild('+key:"alpha/after"')
    path = new_toy.root / ".faint" / "store" / "alpha" / "curves" / "current.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"created": record["created"] + 3600, "run": "another"}))
    new_toy.edit("return 1\n", "return 2\n", "systems.py")
    outcome = new_toy.rebuild('key:"alpha/after"')
    assert (outcome.failed, outcome.materialized) == ([], ["alpha/after"])
    assert new_toy.plan('+key:"alpha/after"').stale == []


def test_14_what_changes_while_a_stage_runs_counts_by_no_clock(new_toy: Any) -> None:
    new_toy.append(AFTER.replace("CHANGE", "pass").replace("VALUE", "1"))
    new_toy.rebuild('+key:"alpha/after"')
    path = new_toy.root / ".faint" / "store" / "alpha" / "curves" / "current.json"
    change = (
        "import json, pathlib\n"
        f"    path = pathlib.Path({str(path)!r})\n"
        "    record = json.loads(path.read_text())\n"
        "    past = record | {'content': 'other', 'created': 1.0, 'run': 'another'}\n"
        "    path.write_text(json.dumps(past))\n"
    )
    new_toy.edit("    pass\n", f"    {change}", "systems.py")
    outcome = new_toy.rebuild('key:"alpha/after"')
    assert outcome.failed == ["alpha/after"]
    assert "alpha/curves changed while the stage ran" in outcome.errors["alpha/after"]

"""Asset checks have versions: what makes one run again, and what a failed one holds back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestration.store import Slot
from orchestration.store.gc import collect
from orchestration.store.verdicts import CheckSlot

LIMIT = """
LIMIT = 100


def below(values):
    return max(values) < LIMIT
"""
CHECKS = """

@dg.asset_check(asset=["alpha", "features"], blocking=True)
def small(features):
    ran("small")
    return dg.AssetCheckResult(passed=helpers.below(features), metadata={"largest": max(features)})


def wrapped(name, asset, inspect, also=None):
    def alone(value):
        ran(name)
        return dg.AssetCheckResult(passed=inspect(value))

    def beside(value, other):
        ran(name)
        return dg.AssetCheckResult(passed=inspect(value) and bool(other))

    ins = {"other": dg.AssetIn(also)} if also else {}
    decorate = dg.asset_check(name=name, asset=dg.AssetKey(asset), additional_ins=ins)
    return decorate(beside if also else alone)


def sorts(values):
    return sorted(values) is not None


def some(sample):
    return len(sample) > 0


compared = wrapped("compared", ["alpha", "curves"], sorts, ["alpha", "scaled"])
counted = wrapped("counted", ["alpha", "sample"], some)
"""
ALL = ["compared", "counted", "small"]
BELOW = [f"alpha/{model}/{name}" for model in ("cnn", "forest", "lstm") for name in (
    "evaluation", "network", "threshold")]  # fmt: skip


@pytest.fixture
def checked(new_toy: Any) -> Any:
    """A toy of one system with three checks, not yet built."""
    new_toy.append(LIMIT, "helpers.py")
    new_toy.append(CHECKS)
    return new_toy


@pytest.fixture
def built(checked: Any) -> Any:
    """The same, built."""
    assert checked.rebuild().failed == []
    assert [name for name in checked.ran() if "/" not in name] == ALL
    return checked


def stale(toy: Any) -> dict[str, str]:
    """The first reason of each stale check."""
    return {str(item.at): item.reasons[0].detail for item in toy.plan().checks}


def test_a_check_that_ran_with_its_asset_is_not_run_again(built: Any) -> None:
    plan = built.plan()
    assert plan.up_to_date
    assert (plan.stale, plan.checks) == ([], [])
    outcome = built.rebuild()
    assert (outcome.checked, outcome.failed, built.ran()) == ([], [], [])


@pytest.mark.parametrize(
    ("old", "new", "file", "name"),
    [
        ("LIMIT = 100", "LIMIT = 99", "helpers.py", "alpha/features:small"),
        ("return max(values) <", "return 1 + max(values) <", "helpers.py", "alpha/features:small"),
        ("is not None", "!= [1]", "systems.py", "alpha/curves:compared"),
        ("len(sample) > 0", "len(sample) > 1", "systems.py", "alpha/sample:counted"),
    ],
    ids=["constant", "helper", "handed to a wrapper", "handed to another wrapper"],
)
def test_an_edited_check_is_listed_and_run_without_its_asset(
    built: Any, old: str, new: str, file: str, name: str
) -> None:
    built.edit(old, new, file)
    assert list(stale(built)) == [name]
    assert "changed" in stale(built)[name]
    outcome = built.rebuild()
    assert (outcome.checked, outcome.materialized, outcome.failed) == ([name], [], [])
    assert built.ran() == [name.partition(":")[2]]
    assert built.plan().up_to_date


def test_an_edited_check_that_fails_is_reported(built: Any) -> None:
    built.edit("len(sample) > 0", "len(sample) > 1000", "systems.py")
    outcome = built.rebuild()
    assert outcome.failed == ["alpha/sample:counted"]
    assert built.ran() == ["counted"]
    assert built.plan().up_to_date  # it doesn't block


def test_what_is_formatted_anew_runs_no_check(built: Any) -> None:
    built.edit(
        "    return sorted(values) is not None",
        '    """Sort."""\n    return (sorted(values) is not None)',
        "systems.py",
    )
    assert built.plan().up_to_date


def test_the_content_of_another_input_makes_a_check_stale(built: Any) -> None:
    built.edit(
        "return [value / top for value in values]", "return [value / top + 1 for value in values]"
    )
    outcome = built.rebuild('key:"alpha/scaled"')
    assert outcome.materialized == ["alpha/scaled"]
    built.ran()
    assert stale(built)["alpha/curves:compared"].startswith("alpha/scaled has other content")
    assert built.rebuild('key:"alpha/curves"').checked == ["alpha/curves:compared"]
    assert built.ran() == ["compared"]


def test_a_failed_blocking_check_is_remembered(built: Any) -> None:
    built.edit("LIMIT = 100", "LIMIT = 1")
    built.edit("return sum(value", "return -sum(value")
    first = built.rebuild()
    assert first.failed == ["alpha/features:small"]
    assert first.materialized == []
    assert built.ran() == ["small"]
    [item] = [item for item in built.plan().stale if item.action == "refused"]
    assert str(item.slot) == "alpha/features"
    assert item.reasons[0].detail.startswith("its blocking check small failed: largest: ")
    second = built.rebuild()
    assert second.failed == ["alpha/features"]
    assert second.errors["alpha/features"] == item.reasons[0].detail
    assert built.ran() == []
    built.edit("LIMIT = 1\n", "LIMIT = 200\n")
    third = built.rebuild()
    assert third.failed == []
    assert third.checked == ["alpha/features:small"]
    assert built.ran() == sorted(["small", *(name for name in BELOW if "evaluation" in name)])


def test_nothing_is_built_from_a_refused_result(checked: Any) -> None:
    checked.edit("LIMIT = 100", "LIMIT = 1")
    first = checked.rebuild()
    assert first.failed == ["alpha/features"]
    assert first.errors["alpha/features"].startswith("its check small failed: largest: ")
    assert set(checked.ran()).isdisjoint(BELOW)
    for selection in (None, 'key:"alpha/cnn/network"'):
        assert checked.rebuild(selection).failed == ["alpha/features"]
        assert checked.ran() == []
    checked.edit("return [widen(value) for", "return [0 * widen(value) for")
    outcome = checked.rebuild()
    assert outcome.failed == []
    assert set(checked.ran()) == {"alpha/features", "small", *BELOW}


def test_below_waits_until_a_blocking_check_has_run(built: Any) -> None:
    built.edit("LIMIT = 100", "LIMIT = 1")
    built.edit("return sum(value", "return -sum(value")
    assert built.rebuild(jobs=2).failed == ["alpha/features:small"]
    assert built.ran() == ["small"]


def test_a_check_that_was_killed_runs_again(checked: Any) -> None:
    checked.edit(
        '    ran("small")\n',
        '    ran("small")\n    import os, signal\n    from pathlib import Path\n'
        '    flag = Path(os.environ["TOY_LOG"]).with_name("killed")\n'
        "    if not flag.exists():\n        flag.touch()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n",
        "systems.py",
    )
    assert checked.faint("rebuild").returncode == -9
    assert "alpha/features" in checked.ran()
    assert stale(checked)["alpha/features:small"].startswith("never ran")
    outcome = checked.rebuild()
    assert outcome.failed == []
    assert "alpha/features:small" in outcome.checked
    assert set(checked.ran()) == {*ALL, *BELOW}
    assert checked.plan().up_to_date


def test_a_check_that_raises_says_why(built: Any) -> None:
    built.edit(
        "    return sorted(values) is not None", '    raise ValueError("no order")', "systems.py"
    )
    outcome = built.rebuild()
    assert outcome.failed == ["alpha/curves:compared"]
    assert "no order" in outcome.errors["alpha/curves:compared"]
    assert list(stale(built)) == ["alpha/curves:compared"]


def test_the_command_lists_runs_and_remembers(built: Any) -> None:
    assert built.faint("plan").stdout == "Nothing to do: 13 assets up to date.\n"
    built.edit("LIMIT = 100", "LIMIT = 1")
    listed = built.faint("plan").stdout
    [line] = [line for line in listed.splitlines() if line.startswith("check ")]
    assert line.split()[1:5] == ["alpha/features:small", "code:", "toy.helpers:LIMIT", "changed"]
    assert "; 1 check to run\n" in listed
    [entry] = json.loads(built.faint("plan", "--json").stdout)["checks"]
    assert (entry["asset"], entry["partition"], entry["check"]) == ("alpha/features", None, "small")
    assert [reason["kind"] for reason in entry["reasons"]] == ["code"]
    for failed in (
        "alpha/features:small: largest",
        "alpha/features: its blocking check small failed",
    ):
        done = built.faint("rebuild")
        assert done.returncode == 1
        assert f"failed  {failed}" in done.stderr
    assert "refused alpha/features" in built.faint("plan").stdout
    built.edit("LIMIT = 1\n", "LIMIT = 200\n")
    done = built.faint("rebuild")
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith("1 check passed")
    assert built.faint("plan").stdout == "Nothing to do: 13 assets up to date.\n"
    with built.open() as session:  # the memory of "nothing to do" rests on verdicts, too
        (session.store.files.root / CheckSlot(Slot("alpha/sample"), "counted").file).write_text("")
    assert "check   alpha/sample:counted" in built.faint("plan").stdout


def test_a_restored_build_has_its_verdict_again(built: Any) -> None:
    built.edit("OFFSET = 1.0", "OFFSET = 2.0")
    assert built.rebuild().failed == []
    built.edit("OFFSET = 2.0", "OFFSET = 1.0")
    built.ran()
    outcome = built.rebuild()
    assert outcome.restored
    assert outcome.checked == []
    assert built.ran() == []
    assert built.plan().up_to_date


def test_gc_keeps_verdicts_and_drops_those_of_slots_that_went(built: Any) -> None:
    folder = built.root / ".faint" / "store" / "alpha"
    built.faint("gc", "--keep", "0")
    assert (folder / "features" / "_checks" / "small.json").exists()
    assert built.plan().up_to_date
    with built.open() as session:
        collect(session.store, keep=0, known=lambda slot: slot.asset != "alpha/features")
    assert not (folder / "features" / "_checks" / "small.json").exists()
    assert (folder / "sample" / "_checks" / "counted.json").exists()


FAMILY_CHECKS = """

@dg.asset_check(asset=["family", "network"], partitions_def=FAMILY)
def each(network):
    ran("each")
    return dg.AssetCheckResult(passed=network > 0)


@dg.asset_check(asset=["family", "network"])
def every(network):
    ran(f"every {len(network)}")
    return dg.AssetCheckResult(passed=True)
"""


@pytest.mark.filterwarnings("ignore::dagster.PreviewWarning")
def test_a_partition_has_verdicts_of_its_own(new_toy: Any, toy_source: Any) -> None:
    new_toy.append(toy_source.UNITS, "helpers.py")
    # A second family: the partitions of the project's assets differ.
    other = toy_source.family_source("xy").replace("family", "others").replace("FAMILY", "OTHERS")
    new_toy.append(toy_source.family_source("abc") + FAMILY_CHECKS + other)
    assert new_toy.rebuild('group:"family"').failed == []
    assert "every 3" in new_toy.ran()
    assert new_toy.plan('group:"family"').up_to_date
    new_toy.edit('"b": 2', '"b": 3')
    new_toy.rebuild('group:"family"')
    ran = new_toy.ran()
    assert [name for name in ran if name in ("each", "every 3")] == ["each", "every 3"]
    new_toy.edit("network > 0", "network >= 0", "systems.py")
    outcome = new_toy.rebuild('group:"family"', "b")
    assert outcome.checked == ["family/network[b]:each"]
    assert new_toy.ran() == ["each"]
    assert new_toy.rebuild('group:"family"').checked == [
        f"family/network[{name}]:each" for name in "ac"
    ]

"""Reasons why a slot is stale, in words."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.rebuild.planning import Plan, Planner, Reason, Stale, some, version_reasons
from orchestration.stages import Version
from orchestration.store import Slot

WANTED = Version("c0de", {"rate": 2}, {"numpy": "2.3"}, {"a.csv": "f11e"}, {"m:f": "1"})


def test_the_same_version_gives_no_reason() -> None:
    assert version_reasons(WANTED.to_dict(), WANTED) == []


def test_every_difference_of_versions_is_a_reason_of_its_kind() -> None:
    old = Version("0ld", {"rate": 1}, {"numpy": "2.2"}, {"a.csv": "0"}, {"m:f": "2"})
    assert version_reasons(old.to_dict(), WANTED) == [
        Reason("code", "m:f changed (now c0de)"),
        Reason("code", "library numpy '2.2' -> '2.3'"),
        Reason("config", "built with other settings: rate 2 -> 1"),
        Reason("data", "a.csv (now f11e) changed"),
    ]


def test_a_file_in_another_folder_with_the_same_content_is_no_reason() -> None:
    old = Version("c0de", {"rate": 2}, {"numpy": "2.3"}, {"/old/a.csv": "f11e"}, {"m:f": "1"})
    assert version_reasons(old.to_dict(), WANTED) == []


def test_a_file_of_another_name_is_a_reason() -> None:
    old = Version("c0de", {"rate": 2}, {"numpy": "2.3"}, {"b.csv": "f11e"}, {"m:f": "1"})
    [reason] = version_reasons(old.to_dict(), WANTED)
    assert reason == Reason("data", "a.csv (now f11e), b.csv (gone) changed")


def test_what_only_waits_for_its_upstream_is_not_certain() -> None:
    waits = Stale(Slot("b"), (Reason("dependency", "a is stale"),))
    missing = Stale(Slot("a", "x"), (Reason("missing", "never built"),))
    assert (waits.certain, missing.certain) == (False, True)
    [entry] = Plan([missing], fresh=1).to_dict()["stale"]
    assert entry == {
        "asset": "a",
        "partition": "x",
        "action": "build",
        "reasons": [{"kind": "missing", "detail": "never built"}],
        "certain": True,
    }


def test_some_names_four_and_counts_the_rest() -> None:
    assert some(list("abcd")) == "a, b, c, d"
    assert some(list("abcdef")) == "a, b, c, d and 2 more"


# Looking again ------------------------------------------------------------------------------------


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Slots that planners have evaluated, but for those that they knew to be unchanged."""
    slots: list[str] = []
    real = Planner._evaluate

    def evaluate(self: Planner, slot: Slot, *given: Any, **options: Any) -> Any:
        slots.append(str(slot))
        return real(self, slot, *given, **options)

    monkeypatch.setattr(Planner, "_evaluate", evaluate)
    return slots


def planned(session: Any, evaluated: list[str]) -> tuple[list[str], list[str]]:
    """What is stale, and what was evaluated to say so."""
    evaluated.clear()
    stale = session.plan(session.select()).stale
    return sorted(str(item.slot) for item in stale), sorted(evaluated)


def test_what_has_not_changed_is_not_evaluated_again(toy: Any, evaluated: list[str]) -> None:
    with toy.open() as session:
        planned(session, evaluated)  # in a copy of a project the first look gets to know the files
        time.sleep(0.03)  # what was written just before is looked at again
        planned(session, evaluated)
        assert planned(session, evaluated) == ([], [])
        assert session.plan(session.select(), verify=True).up_to_date
        assert len(evaluated) == 26


def folder_of(toy: Any, name: str) -> Path:
    return toy.root / ".faint" / "store" / name


def delete(session: Any, toy: Any) -> None:
    next(folder_of(toy, "alpha/cnn/network").glob("*-*.json")).unlink()


def alter(session: Any, toy: Any) -> None:
    next(folder_of(toy, "alpha/cnn/network").glob("*-*.json")).write_text("[]")


def unbuild(session: Any, toy: Any) -> None:
    shutil.rmtree(folder_of(toy, "alpha/cnn/network"))


def wipe(session: Any, toy: Any) -> None:
    session.instance.wipe_assets([dg.AssetKey(["alpha", "cnn", "network"])])


def rebuild_with_other_content(session: Any, toy: Any) -> None:
    store, slot = session.store, Slot("alpha/cnn/network")
    record = store.current(slot)
    store.write(
        slot, {"weight": 7.0}, "json", version=record.version, inputs=record.inputs, build="other"
    )


@pytest.mark.parametrize("change", [delete, alter, unbuild, wipe, rebuild_with_other_content])
def test_what_changes_between_two_looks_is_seen(
    toy: Any, evaluated: list[str], change: Any
) -> None:
    below = ["alpha/cnn/evaluation", "alpha/cnn/threshold"]
    with toy.open() as session:
        for _ in range(2):
            planned(session, evaluated)
            time.sleep(0.03)
        assert planned(session, evaluated) == ([], [])
        change(session, toy)
        stale, seen = planned(session, evaluated)
        assert stale == sorted(["alpha/cnn/network", *below])
        assert seen == sorted(["alpha/cnn/network", *below])
        with toy.open() as another:
            assert sorted(str(item.slot) for item in another.plan(another.select()).stale) == stale


def test_a_rebuild_of_a_leaf_evaluates_little_twice(toy: Any, evaluated: list[str]) -> None:
    toy.plan()
    toy.edit(
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.5",
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.25",
        "systems.py",
    )
    evaluated.clear()
    assert len(toy.rebuild().materialized) == 3
    again = [name for name in set(evaluated) if evaluated.count(name) > 1]
    assert sorted(again) == [
        "alpha/cnn/evaluation",
        "alpha/cnn/network",
        "alpha/cnn/threshold",
    ]


def test_what_the_log_shows_is_what_dagster_says(new_toy: Any, toy_source: Any) -> None:
    """The database is read without Dagster's objects; its own answer is the measure."""
    new_toy.append(toy_source.family_source(["a", "b"]))
    new_toy.append(toy_source.UNITS, "helpers.py")
    new_toy.rebuild(selection="not key:alpha/cnn/*")
    with new_toy.open() as session:
        key = dg.AssetKey(["alpha", "sample"])
        session.instance.wipe_assets([key, dg.AssetKey(["alpha", "scaled"])])
        session.instance.report_runless_asset_event(dg.AssetMaterialization(key))
        session.instance.report_runless_asset_event(
            dg.AssetMaterialization(dg.AssetKey(["alpha", "curves"]))
        )
        slots = session.select()
        logged = session.planner.logged({slot.asset for slot in slots}, session.instance)
        for slot in slots:
            event = session.instance.get_latest_data_version_record(
                dg.AssetKey(slot.asset.split("/")), partition_key=slot.partition
            )
            tags = (event.asset_materialization.tags if event else None) or {}
            expected = (tags.get("dagster/data_version"), tags.get("dagster/code_version"))
            assert logged.get(slot, (None, None)) == expected, slot
        assert logged[Slot("alpha/sample")] == (None, None)
        assert Slot("alpha/scaled") not in logged
        assert None not in logged[Slot("family/network", "b")]


def test_a_run_holds_only_what_it_builds_and_reads(toy: Any) -> None:
    toy.edit(
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.5",
        "class AlphaCnnTraining(dg.Config):\n    rate: float = 0.25",
        "systems.py",
    )
    toy.rebuild("alpha/cnn/network")
    with toy.open() as session:
        [run] = session.instance.get_runs(limit=1)
        snapshot = session.instance.get_job_snapshot(run.job_snapshot_id)
        assert snapshot.node_names == ["alpha__cnn__network"]

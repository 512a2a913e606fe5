"""Verdicts of checks are stored with the slot, and read back whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.store import Slot, Store
from orchestration.store.gc import collect
from orchestration.store.verdicts import KEPT, CheckSlot, Verdict, read_verdicts, write_verdict

AT = CheckSlot(Slot("a/b", "x|y"), "no/nan")
VERDICT = Verdict({"code": "1"}, {"a/b": "c0"}, False, "ERROR", True, "run", "row 4")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", tmp_path / "locks")


def test_verdicts_come_back_as_they_were_newest_first(store: Store) -> None:
    assert read_verdicts(store, AT) == []
    write_verdict(store, AT, VERDICT)
    assert read_verdicts(store, AT) == [VERDICT]
    passed = Verdict({"code": "2"}, {"a/b": "c0"}, True, "ERROR", True, "next")
    write_verdict(store, AT, passed)
    assert read_verdicts(store, AT) == [passed, VERDICT]
    assert store.slots() == [AT.slot]


def test_a_verdict_on_the_same_is_replaced_and_few_are_kept(store: Store) -> None:
    for number in range(KEPT + 3):
        write_verdict(store, AT, replace(VERDICT, inputs={"a/b": f"c{number}"}))
    again = replace(VERDICT, inputs={"a/b": f"c{KEPT}"}, run="again")
    write_verdict(store, AT, again)
    kept = read_verdicts(store, AT)
    assert kept[0] == again
    assert [verdict.inputs["a/b"] for verdict in kept] == [
        f"c{number}" for number in (KEPT, KEPT + 2, KEPT + 1, *range(KEPT - 1, 2, -1))
    ]
    assert len(kept) == KEPT


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"passed": true}'])
def test_a_damaged_verdict_is_none(store: Store, text: str) -> None:
    store.files.write_text(store.files.root / AT.file, text)
    assert read_verdicts(store, AT) == []


@pytest.mark.parametrize(
    ("passed", "severity", "failed"),
    [(True, "ERROR", False), (False, "WARN", False), (False, "ERROR", True)],
)
def test_only_an_error_fails(passed: bool, severity: str, failed: bool) -> None:
    assert Verdict({}, {}, passed, severity, True, "run").failed is failed


def test_gc_drops_the_verdicts_of_slots_that_went(store: Store) -> None:
    write_verdict(store, AT, VERDICT)
    assert collect(store) == []
    [(path, _)] = collect(store, known=lambda slot: False)
    assert path.endswith("a/b/@x%7Cy/_checks/no%2Fnan.json")
    assert read_verdicts(store, AT) == []

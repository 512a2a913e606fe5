"""Reasons why a slot is stale, in words."""

from __future__ import annotations

from orchestration.rebuild.planning import Plan, Reason, Stale, some, version_reasons
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
        "reasons": [{"kind": "missing", "detail": "never built"}],
        "certain": True,
    }


def test_some_names_four_and_counts_the_rest() -> None:
    assert some(list("abcd")) == "a, b, c, d"
    assert some(list("abcdef")) == "a, b, c, d and 2 more"

"""How long stages take is what the store remembers of their last builds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestration.rebuild.durations import BRIEF, Durations
from orchestration.stages import Stages
from orchestration.store import Slot

CURVES, NETWORK, HISTORY = Slot("curves"), Slot("network"), Slot("history")
FAMILY = [Slot("family", key) for key in "abc"]


def durations(**seconds: float) -> Durations:
    """Curves; a network and its history, built together; a family of three."""

    class Records(dict[Slot, Any]):
        def __missing__(self, slot: Slot) -> Any:
            name = slot.asset + (f"_{slot.partition}" if slot.partition else "")
            return SimpleNamespace(seconds=seconds[name]) if name in seconds else None

    def together(slot: Slot) -> list[Slot]:
        return [NETWORK, HISTORY] if slot in (NETWORK, HISTORY) else [slot]

    stages = SimpleNamespace(together=together, slots=lambda asset: FAMILY)
    return Durations(cast("Stages", stages), Records())


@pytest.mark.parametrize(
    ("slot", "seconds"),
    [
        (CURVES, 3.0),
        (HISTORY, 8.0),  # the longer of what is built together
        (FAMILY[0], 2.0),
        (FAMILY[2], 3.0),  # the mean of the others
        (Slot("new"), None),
    ],
)
def test_seconds_of_the_last_build(slot: Slot, seconds: float | None) -> None:
    built = durations(curves=3.0, network=8.0, history=7.0, family_a=2.0, family_b=4.0)
    assert list(built.by_stage([slot]).values()) == [seconds]


def test_no_stage_takes_less_than_a_moment_and_a_new_family_is_unknown() -> None:
    assert durations(curves=0.0).by_stage([CURVES]) == {CURVES: BRIEF}
    assert durations().by_stage([FAMILY[0]]) == {FAMILY[0]: None}


def test_what_is_built_together_is_counted_once_and_certain_if_any_is() -> None:
    built = durations(curves=3.0, network=8.0, history=7.0)
    wanted = [(CURVES, False), (NETWORK, False), (HISTORY, True), (Slot("new"), True)]
    estimate = built.estimate(wanted)
    assert estimate.to_dict() == {"certain": 8.0, "possible": 11.0, "known": 2, "unknown": 1}

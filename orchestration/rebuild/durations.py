"""How long stages take, from the seconds that the store remembers of their last builds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from orchestration.stages import Graph
from orchestration.store import Slot

BRIEF = 0.05
"""Seconds that a stage takes at least."""


@dataclass(frozen=True)
class Estimate:
    """How long stages will take, one after the other.

    Attributes
    ----------
    certain
        Seconds of those that must be built.
    possible
        Seconds of all that may have to be: fewer if what is upstream comes out as it was.
    known
        Stages whose last build is remembered.
    unknown
        Stages that were never built, nor another partition of them: their time isn't in it.
    """

    certain: float = 0.0
    possible: float = 0.0
    known: int = 0
    unknown: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As `faint plan --json` prints it."""
        return asdict(self) | {
            "certain": round(self.certain, 1),
            "possible": round(self.possible, 1),
        }


class Durations:
    """Looks up how long the stages of a graph took."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._others: dict[str, float | None] = {}

    def of(self, slot: Slot) -> float | None:
        """Seconds that a stage took last, or its partitions on average; None if never built."""
        took = [
            record.seconds
            for each in self._graph.stages.together(slot)
            if (record := self._graph.store.current(each)) is not None
        ]
        return max(BRIEF, *took) if took else self._of_others(slot)

    def _of_others(self, slot: Slot) -> float | None:
        if slot.partition is None:
            return None
        if slot.asset not in self._others:
            current = map(self._graph.store.current, self._graph.stages.slots(slot.asset))
            took = [max(BRIEF, record.seconds) for record in current if record is not None]
            self._others[slot.asset] = sum(took) / len(took) if took else None
        return self._others[slot.asset]

    def estimate(self, slots: Iterable[tuple[Slot, bool]]) -> Estimate:
        """Add up the times of stages.

        Parameters
        ----------
        slots
            What is to be built, and whether it is certain that it must be.
        """
        stages: dict[Slot, bool] = {}
        for slot, certain in slots:
            first = self._graph.stages.together(slot)[0]
            stages[first] = certain or stages.get(first, False)
        took = {slot: self.of(slot) for slot in stages}
        known = {slot: seconds for slot, seconds in took.items() if seconds is not None}
        return Estimate(
            certain=sum(seconds for slot, seconds in known.items() if stages[slot]),
            possible=sum(known.values()),
            known=len(known),
            unknown=len(took) - len(known),
        )

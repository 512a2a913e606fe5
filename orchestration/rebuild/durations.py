"""How long stages take, from the seconds that the store remembers of their last builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from orchestration.stages import Stages
from orchestration.store import Record, Slot

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
    """Looks up how long stages took.

    Parameters
    ----------
    stages
        The project's.
    records
        The current record of each slot.
    """

    def __init__(self, stages: Stages, records: Mapping[Slot, Record | None]) -> None:
        self._stages = stages
        self._records = records
        self._others: dict[str, float | None] = {}

    def by_stage(self, slots: Iterable[Slot]) -> dict[Slot, float | None]:
        """Seconds that each stage took last, by its first slot.

        A partition that was never built takes as long as its others on average; None where there
        are none.
        """
        firsts = dict.fromkeys(self._stages.together(slot)[0] for slot in slots)
        return {first: self._of(first) for first in firsts}

    def _of(self, slot: Slot) -> float | None:
        took = self._seconds(self._stages.together(slot))
        return max(took) if took else self._of_others(slot)

    def _of_others(self, slot: Slot) -> float | None:
        if slot.partition is None:
            return None
        if slot.asset not in self._others:
            took = self._seconds(self._stages.slots(slot.asset))
            self._others[slot.asset] = sum(took) / len(took) if took else None
        return self._others[slot.asset]

    def _seconds(self, slots: Iterable[Slot]) -> list[float]:
        built = filter(None, (self._records[slot] for slot in slots))
        return [max(BRIEF, record.seconds) for record in built]

    def estimate(self, slots: Iterable[tuple[Slot, bool]]) -> Estimate:
        """Add up the times of stages.

        Parameters
        ----------
        slots
            What is to be built, and whether it is certain that it must be.
        """
        listed = list(slots)
        took = self.by_stage(slot for slot, _ in listed)
        certain = {self._stages.together(slot)[0] for slot, sure in listed if sure}
        known = {slot: seconds for slot, seconds in took.items() if seconds is not None}
        return Estimate(
            certain=sum(seconds for slot, seconds in known.items() if slot in certain),
            possible=sum(known.values()),
            known=len(known),
            unknown=len(took) - len(known),
        )

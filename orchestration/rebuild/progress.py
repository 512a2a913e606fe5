"""What a rebuild says of itself while it goes on, and who may listen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from orchestration.store import Slot
from orchestration.store.verdicts import CheckSlot

What = Literal["started", "said", "stored"]
Done = Literal["materialized", "restored", "checked", "failed"]


@dataclass(frozen=True)
class Notice:
    """What happens to a stage while its run goes on.

    Attributes
    ----------
    what
        It started, logged something, or one of its results is stored.
    slot
        The stage by its first slot, or what was stored.
    text
        What it logged.
    """

    what: What
    slot: Slot
    text: str = ""


class Progress:
    """Listens to a rebuild, and does nothing of it: the base of those that show it."""

    def planned(self, took: Mapping[Slot, float | None]) -> None:
        """Take note of the stages that may have to be built, and of the seconds that each took."""

    def started(self, slot: Slot) -> None:
        """Take note that a stage began."""

    def said(self, slot: Slot, text: str) -> None:
        """Take note of what a stage logged, such as how far its training is."""

    def done(self, what: Done, slot: Slot | CheckSlot) -> None:
        """Take note that something was done."""

"""Views: what the web UI shows of a stored result beside what its stage says of it.

A view is a function of the project that draws a result once it is stored. It is no part of the
stage, so that an edited picture makes nothing stale, and a picture that can't be drawn costs no
result: what a build shows is what its views drew when it was built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging import Logger
from typing import Any

from orchestration.errors import ProjectError
from orchestration.stages import Stages
from orchestration.store import Slot, Store


@dataclass
class Built:
    """A result that has just been stored.

    Parameters
    ----------
    slot
        What it is.
    load
        Reads its value.
    store, stages
        Where other results are found.
    """

    slot: Slot
    load: Callable[[], Any]
    store: Store
    stages: Stages
    _value: list[Any] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Slash-joined key of the asset."""
        return self.slot.asset

    @property
    def partition(self) -> str | None:
        """Which partition it is; None of an asset without."""
        return self.slot.partition

    @property
    def value(self) -> Any:
        """The stored value, as a stage that reads it gets it."""
        if not self._value:
            self._value.append(self.load())
        return self._value[0]

    def read(self, key: str, partition: str | None = None) -> Any:
        """Read another asset's current value.

        Parameters
        ----------
        key
            Slash-joined.
        partition
            Which; by default the same one, where it has the same partitions.
        """
        own, other = (self.stages.by_key[name].partitions_def for name in (self.key, key))
        if partition is None and other is not None and other == own:
            partition = self.partition
        return self.store.load(Slot(key, partition))


View = Callable[[Built], Mapping[str, Any]]
"""Returns metadata by title, in the order in which they are shown; pictures are embedded."""


def checked(views: Mapping[str, View], stages: Stages) -> Mapping[str, View]:
    """Refuse views of assets that the project hasn't.

    Raises
    ------
    ProjectError
        Names them.
    """
    if unknown := sorted(set(views) - set(stages.by_key)):
        raise ProjectError(f"there are views of assets that are not there: {', '.join(unknown)}")
    return views


def shown(view: View, built: Built, log: Logger) -> dict[str, Any]:
    """Return what a view shows, or why it shows nothing."""
    try:
        return dict(view(built))
    except Exception as error:  # whatever it is: the result is what counts
        log.warning("the view of %s failed", built.slot, exc_info=True)
        return {"not shown": f"{type(error).__name__}: {error}"}

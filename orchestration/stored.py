"""Stored assets, as a project's own commands read and build them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestration.errors import ProjectError
from orchestration.project import Project
from orchestration.store import ArtifactError, Record, Slot, Store


class StoredAssets:
    """What is stored of a project's assets.

    Parameters
    ----------
    project
        The project.
    """

    def __init__(self, project: Project) -> None:
        project.enter()
        self._project = project
        self._store = Store(project.store, project.locks, project.sources)

    def __call__(self, key: str, partition: str | None = None) -> Any:
        """Load an asset, or one partition of it.

        Parameters
        ----------
        key
            Slash-joined.
        partition
            Key of the partition.

        Raises
        ------
        ProjectError
            If there is no such asset.
        ArtifactError
            If it has not been built yet, or its file is damaged; says how to build it.
        """
        slot = Slot(key, partition)
        try:
            return self._store.load(slot)
        except ArtifactError:
            if self._store.current(slot) is not None:
                raise
            raise self._absent(slot) from None

    def record(self, key: str, partition: str | None = None) -> Record | None:
        """Return the current record of an asset; None where it has not been built."""
        return self._store.current(Slot(key, partition))

    def partitions(self, key: str) -> list[str]:
        """List the partitions of an asset that are stored, sorted."""
        return [p for p in self._store.partitions(key) if self.record(key, p) is not None]

    def rebuild(self, keys: Sequence[str]) -> None:
        """Bring assets and all that they are built from up to date, as `faint rebuild` does.

        Raises
        ------
        ProjectError
            If a stage fails.
        """
        from orchestration.rebuild.session import Session

        session = Session(self._project)
        try:
            chosen = " or ".join(f'+key:"{key}"' for key in keys)
            outcome = session.rebuild(session.select(chosen))
        finally:
            session.close()
        if outcome.failed:
            first = outcome.failed[0]
            raise ProjectError(f"{first} failed: {outcome.errors.get(first, 'unknown error')}")

    def _absent(self, slot: Slot) -> Exception:
        from orchestration.rebuild.session import Session

        session = Session(self._project)
        known = session.stages.by_key
        session.close()
        systems = sorted({key.split("/")[0] for key in known})
        system = slot.asset.split("/")[0]
        if system not in systems:
            return ProjectError(f"no system {system!r}; there are {', '.join(systems)}")
        if slot.asset not in known:
            return ProjectError(f"{system} has no asset {slot.asset}")
        return ArtifactError(
            f"{slot} has not been built yet; build it and what it needs with: "
            f"faint rebuild '+key:\"{slot.asset}\"'"
        )

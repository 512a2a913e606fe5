"""Locks between the processes of this machine that use a store.

The system releases a lock when its process ends, however it ends. Whoever builds a slot holds
`Locks.building` from the decision to the result; whoever changes its folder holds `Locks.changing`
meanwhile; whoever opens an artifact keeps the garbage collection out until it is open
(`Locks.reading`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from orchestration.store.records import Slot

COLLECTION = "freeing"
LONGEST_NAME = 200
"""Characters of a lock's name from which on its file is named by a digest."""


class Locks:
    """Named locks as files of one folder.

    Parameters
    ----------
    folder
        The folder; it is made if it isn't there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._changing: set[Slot] = set()

    @contextmanager
    def building(self, slot: Slot, *, wait: bool = True) -> Iterator[bool]:
        """Hold the build lock of a slot.

        Yields False if another process holds it and ``wait`` is false. Readers don't take it, nor
        do runs that were launched in Dagster itself.
        """
        with self.lock(f"{slot} building", wait=wait) as acquired:
            yield acquired

    @contextmanager
    def changing(self, slot: Slot, *, wait: bool = True) -> Iterator[bool]:
        """Hold the lock on a slot's folder, as `building`; its holder may take it again."""
        if slot in self._changing:
            yield True
            return
        with self.lock(f"{slot}", wait=wait) as acquired:
            if acquired:
                self._changing.add(slot)
            try:
                yield acquired
            finally:
                self._changing.discard(slot)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the garbage collection out."""
        with self.lock(COLLECTION, shared=True):
            yield

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Keep readers out."""
        with self.lock(COLLECTION):
            yield

    @contextmanager
    def lock(self, name: str, *, wait: bool = True, shared: bool = False) -> Iterator[bool]:
        """Hold a named lock; yields whether it was acquired."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = quote(name, safe="")
        if len(file) > LONGEST_NAME:  # a file's name has a limit, a partition's key has none
            file = hashlib.sha256(name.encode()).hexdigest()
        path = self.folder / f"{file}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
                fcntl.flock(descriptor, kind | (0 if wait else fcntl.LOCK_NB))
                acquired = True
            except BlockingIOError:
                acquired = False
            yield acquired
        finally:
            os.close(descriptor)

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
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from orchestration.store.records import Slot

COLLECTION = "freeing"
PATIENCE = 1.0
"""Seconds of waiting from which on it is said."""
LONGEST_NAME = 200
"""Characters of a lock's name from which on its file is named by a digest."""


class Locks:
    """Named locks as files of one folder.

    Parameters
    ----------
    folder
        The folder; it is made if it isn't there.

    Attributes
    ----------
    tell
        Called, possibly from another thread, with a line that says who is waited for, and with one
        when the wait ends; does nothing at first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tell: Callable[[str], None] = lambda line: None
        self._changing: set[Slot] = set()

    @contextmanager
    def building(self, slot: Slot, *, wait: bool = True) -> Iterator[bool]:
        """Hold the build lock of a slot.

        Yields False if another process holds it and ``wait`` is false. Readers don't take it, nor
        do runs that were launched in Dagster itself.
        """
        with self.lock(f"{slot} building", f"builds {slot}", wait=wait) as acquired:
            yield acquired

    @contextmanager
    def changing(self, slot: Slot, *, wait: bool = True) -> Iterator[bool]:
        """Hold the lock on a slot's folder, as `building`; its holder may take it again."""
        if slot in self._changing:
            yield True
            return
        with self.lock(f"{slot}", f"writes {slot}", wait=wait) as acquired:
            if acquired:
                self._changing.add(slot)
            try:
                yield acquired
            finally:
                self._changing.discard(slot)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the garbage collection out."""
        with self.lock(COLLECTION, "reads what is stored", shared=True):
            yield

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Keep readers out."""
        with self.lock(COLLECTION, "frees what is stored"):
            yield

    @contextmanager
    def lock(
        self, name: str, doing: str, *, wait: bool = True, shared: bool = False
    ) -> Iterator[bool]:
        """Hold a named lock, to do something; yields whether it was acquired.

        Whoever waits for it says so through `tell` after `PATIENCE` seconds, and when it goes on.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        file = quote(name, safe="")
        if len(file) > LONGEST_NAME:  # a file's name has a limit, a partition's key has none
            file = hashlib.sha256(name.encode()).hexdigest()
        path = self.folder / f"{file}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        kind, acquired = fcntl.LOCK_SH if shared else fcntl.LOCK_EX, False
        try:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                acquired = True
            except BlockingIOError:
                if wait:
                    self._wait(descriptor, kind)
                    acquired = True
            if acquired and not shared:
                _sign(descriptor, doing)
            yield acquired
        finally:
            if acquired and not shared:
                _sign(descriptor, "")
            os.close(descriptor)

    def _wait(self, descriptor: int, kind: int) -> None:
        began, waiting = time.monotonic(), threading.Event()

        def say() -> None:
            waiting.set()
            self.tell(f"waiting for {_holder(descriptor)}")

        timer = threading.Timer(PATIENCE, say)
        timer.daemon = True
        timer.start()
        try:
            fcntl.flock(descriptor, kind)
        finally:
            timer.cancel()
            timer.join()
        if waiting.is_set():
            self.tell(f"going on after {time.monotonic() - began:.0f} s of waiting")


def _sign(descriptor: int, doing: str) -> None:
    """Write into a lock's file who holds it, for those who wait; a full disk is no error."""
    who, since = f"process {os.getpid()} on {os.uname().nodename}", time.strftime("%H:%M:%S")
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        if doing:
            os.pwrite(descriptor, f"{who}, which {doing} since {since}".encode(), 0)


def _holder(descriptor: int) -> str:
    """Who holds a lock, as its file says."""
    return os.pread(descriptor, 1 << 16, 0).decode(errors="replace") or "another process"

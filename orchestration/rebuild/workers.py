"""Where stages run: in this process, or in several that are kept for it.

A group is what one Dagster run builds. Which group runs when is `orchestration.rebuild.rebuilding`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from orchestration.project import Project
from orchestration.rebuild.progress import Notice
from orchestration.store import Slot
from orchestration.store.verdicts import CheckSlot

Group = tuple[Slot | CheckSlot, ...]
Results = Mapping[Slot | CheckSlot, str | None]
"""Error by slot, None for what was built; what didn't get its turn is left out."""
Tell = Callable[[Group, Notice], None]
"""Called with what happens to a group while it runs."""
Run = Callable[[Group, Callable[[Notice], None]], Results]


class Workers(Protocol):
    """Runs groups."""

    several: bool
    """Whether a group may hold several stages."""

    def busy(self) -> bool:
        """Whether a group runs."""

    def free(self) -> bool:
        """Whether another group may be started now."""

    def start(self, group: Group) -> None:
        """Start a group."""

    def finished(self, tell: Tell) -> list[tuple[Group, Results]]:
        """Wait until a group is done; call it only while one runs."""

    def close(self) -> None:
        """End what still runs."""


class Here:
    """Runs one group at a time in this process."""

    several = True

    def __init__(self, run: Run) -> None:
        self._run = run
        self._group: Group | None = None

    def busy(self) -> bool:
        """Whether a group runs, or waits to."""
        return self._group is not None

    def free(self) -> bool:
        """Whether another group may be started now."""
        return self._group is None

    def start(self, group: Group) -> None:
        """Start a group: it runs when it is waited for."""
        self._group = group

    def finished(self, tell: Tell) -> list[tuple[Group, Results]]:
        """Run the group."""
        group, self._group = self._group, None
        assert group is not None
        return [(group, self._run(group, partial(tell, group)))]

    def close(self) -> None:
        """Nothing to do."""


class Processes:
    """Runs groups in processes, each of which opens the project once.

    A process that dies fails its group and no other; a new one takes its place.

    Parameters
    ----------
    project
        What they open.
    serve
        Opens a project in a process, and returns what runs a group there.
    count
        How many at most.
    """

    several = False

    def __init__(self, project: Project, serve: Callable[[Project], Run], count: int) -> None:
        self._project = project
        self._serve = serve
        self._count = count
        self._idle: list[_Process] = []
        self._busy: dict[_Process, Group] = {}

    def busy(self) -> bool:
        """Whether a group runs."""
        return bool(self._busy)

    def free(self) -> bool:
        """Whether another group may be started now."""
        return len(self._busy) < self._count

    def start(self, group: Group) -> None:
        """Start a group in an idle process, or in a new one."""
        process = self._idle.pop() if self._idle else _Process(self._project, self._serve)
        self._busy[process] = group
        process.send(group)

    def finished(self, tell: Tell) -> list[tuple[Group, Results]]:
        """Wait until a group is done, or its process has died."""
        done: list[tuple[Group, Results]] = []
        while not done:
            ready = set(wait([process.connection for process in self._busy]))
            for process in [p for p in self._busy if p.connection in ready]:
                group = self._busy[process]
                try:
                    answer: Notice | Results = process.connection.recv()
                except (EOFError, OSError):
                    answer = dict.fromkeys(group, process.last_words())
                else:
                    if isinstance(answer, Notice):
                        tell(group, answer)
                        continue
                    self._idle.append(process)
                del self._busy[process]
                done.append((group, answer))
        return done

    def close(self) -> None:
        """End all of them, at once if they are still busy."""
        for process in self._busy:
            process.kill()
        for process in (*self._idle, *self._busy):
            process.end()


class _Process:
    def __init__(self, project: Project, serve: Callable[[Project], Run]) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, project, serve, os.getpid()))
        self._process.start()
        theirs.close()

    def send(self, group: Group) -> None:
        with suppress(OSError):  # where it has died, `finished` will find out
            self.connection.send(group)

    def last_words(self) -> str:
        self._process.join()
        code = self._process.exitcode
        self.end()
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = " (is the machine out of memory?)" if name == "SIGKILL" else ""
            return f"its process was killed by {name}{hint}"
        return f"its process ended with status {code}"

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self.connection.close()
        self._process.join(timeout=5)  # an idle one ends by itself when its pipe closes
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()


def _work(
    connection: Connection[Any, Any], project: Project, serve: Callable[[Project], Run], parent: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _die_with(parent)
    os.chdir(project.root)
    run = serve(project)
    while True:
        try:
            group: Group = connection.recv()
        except EOFError:
            return
        connection.send(dict(run(tuple(group), connection.send)))


def _die_with(parent: int) -> None:
    """Ask Linux to end this process when its parent ends, however it ends."""
    if sys.platform != "linux":
        return
    import ctypes

    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

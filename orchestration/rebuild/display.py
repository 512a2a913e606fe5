"""What a rebuild shows on standard error: on a terminal what runs, elsewhere a line at a time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from orchestration.rebuild.progress import Done, Progress
from orchestration.seconds import spell
from orchestration.stages import Stages
from orchestration.store import Slot
from orchestration.store.verdicts import CheckSlot

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

LINE_SECONDS = 30.0
"""Off a terminal, how often a line says that a stage still runs."""
LONG = 1.0
"""Seconds that a stage runs before such a line mentions it."""
COLUMN = 14
"""Width of the word that a line begins with."""


@dataclass
class _Running:
    """A stage that runs: since when, and what it said last."""

    since: float = field(default_factory=time.monotonic)
    said: str = ""

    def seconds(self) -> float:
        return time.monotonic() - self.since


class Work:
    """What is left of a rebuild, and how long that may take.

    Parameters
    ----------
    stages
        The project's.
    """

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._left: dict[Slot, float | None] = {}
        self.total = 0
        self.running: dict[Slot, _Running] = {}

    def plan(self, took: Mapping[Slot, float | None]) -> None:
        """Take note of the stages that may have to be built, and of the seconds that each took."""
        self._left = dict(took)
        self.total = len(self._left)

    def start(self, slot: Slot) -> None:
        """Take note that a stage began."""
        self.running[self._first(slot)] = _Running()

    def say(self, slot: Slot, text: str) -> bool:
        """Take note of what a running stage said; False if it doesn't run."""
        running = self.running.get(self._first(slot))
        if running is not None:
            running.said = " ".join(text.split())
        return running is not None

    def end(self, slot: Slot | CheckSlot) -> float | None:
        """Take note that a stage is done; return the seconds it ran, None if it didn't."""
        if isinstance(slot, CheckSlot):
            return None
        self._left.pop(self._first(slot), None)
        running = self.running.pop(self._first(slot), None)
        return None if running is None else running.seconds()

    @property
    def done(self) -> int:
        """Stages that are done."""
        return self.total - len(self._left)

    def left(self) -> str:
        """Say how long the rest may take."""
        known = {slot: seconds for slot, seconds in self._left.items() if seconds is not None}
        unknown = len(self._left) - len(known)
        ran = {slot: each.seconds() for slot, each in self.running.items()}
        seconds = sum(max(took - ran.get(slot, 0.0), 0.0) for slot, took in known.items())
        late = any(ran.get(slot, 0.0) > took for slot, took in known.items())
        said = [f"{'more than' if late else 'up to about'} {spell(seconds)} left"] if known else []
        return ", ".join(said + ([f"{unknown} never built before"] if unknown else []))

    def _first(self, slot: Slot) -> Slot:
        return self._stages.together(slot)[0]


class Display(Progress):
    """Shows a rebuild: use it in a ``with`` block.

    Parameters
    ----------
    stages
        The project's.
    quiet
        Whether to show nothing but what is said by `say`.
    file
        Where to; standard error by default.
    """

    def __init__(self, stages: Stages, *, quiet: bool = False, file: TextIO | None = None) -> None:
        self._work = Work(stages)
        self._quiet = quiet
        self._file = file or _standard_error()
        self._terminal = _Terminal(self._work, self._file) if self._file.isatty() else None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._remind, daemon=True)

    def __enter__(self) -> Display:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what moves; lines stay."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with suppress(OSError):
            if self._terminal is not None:
                self._terminal.stop()
            if self._file.fileno() not in (1, 2):
                self._file.close()

    def say(self, line: str) -> None:
        """Show a line."""
        with self._lock, suppress(OSError, ValueError):  # nobody reads: go on with the work
            if self._terminal is not None:
                self._terminal.print(line)
            else:
                print(line, file=self._file, flush=True)

    def planned(self, took: Mapping[Slot, float | None]) -> None:
        """Show how much there is to do."""
        if self._quiet or not took:
            return
        self._work.plan(took)
        if self._terminal is not None:
            self._terminal.start()
        else:
            self._thread.start()

    def started(self, slot: Slot) -> None:
        """Show that a stage runs."""
        if self._quiet:
            return
        with self._lock:
            self._work.start(slot)
        if self._terminal is None:
            self._line("started", str(slot))

    def said(self, slot: Slot, text: str) -> None:
        """Show what a stage says beside it."""
        with self._lock:
            self._work.say(slot, text)

    def done(self, what: Done, slot: Slot | CheckSlot) -> None:
        """Show that something is done."""
        with self._lock:
            seconds = self._work.end(slot)
        if not self._quiet:
            self._line(what, str(slot), "" if seconds is None else f"{seconds:.1f} s")

    def _line(self, what: str, name: str, more: str = "") -> None:
        self.say(f"{what:{COLUMN}}{name}" + (f"  {more}" if more else ""))

    def _remind(self) -> None:
        """Say of long stages that they still run."""
        while not self._ended.wait(LINE_SECONDS):
            with self._lock:
                running = {s: r for s, r in self._work.running.items() if r.seconds() > LONG}
                lines = [(str(s), _state(r)) for s, r in running.items()]
            for name, state in lines:
                self._line("running", name, state)


def _state(running: _Running) -> str:
    return spell(running.seconds()) + (f": {running.said}" if running.said else "")


def _standard_error() -> TextIO:
    # While a stage runs, standard error goes to its log.
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1)
    except (OSError, ValueError):
        return sys.stderr


class _Terminal:
    """Lines that stay, and below them what runs, what is done and what is left."""

    def __init__(self, work: Work, file: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._work = work
        self._began = time.monotonic()
        self._console: Console = Console(file=file, highlight=False, soft_wrap=False)
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="ellipsis",
        )

    def start(self) -> None:
        self._live.start()

    def stop(self) -> None:
        self._live.stop()

    def refresh(self) -> None:
        self._live.refresh()

    def print(self, line: str) -> None:
        self._console.print(line, markup=False, overflow="fold")

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        rows: list[RenderableType] = []
        for slot, running in list(self._work.running.items()):
            row = Table.grid(padding=(0, 1), expand=True)
            row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
            row.add_column(justify="right", no_wrap=True)
            row.add_row(_line(str(slot), style="bold"), spell(running.seconds()))
            rows.append(row)
            if running.said:
                rows.append(_line(f"  {running.said}", style="dim"))
        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True)
        bar.add_row(
            ProgressBar(total=max(self._work.total, 1), completed=self._work.done),
            f"{self._work.done} of {self._work.total} done",
        )
        elapsed = f"{spell(time.monotonic() - self._began)} so far"
        rows += [bar, _line(", ".join(filter(None, [elapsed, self._work.left()])))]
        return Group(*rows)


def _line(text: str, style: str = "") -> RenderableType:
    from rich.text import Text

    return Text(text, style=style, no_wrap=True, overflow="ellipsis")

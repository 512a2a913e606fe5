"""What a rebuild shows: on a terminal what runs, elsewhere a line at a time."""

from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TextIO, cast

import pytest

from orchestration.rebuild import display
from orchestration.rebuild.display import Display, Work
from orchestration.stages import Stages
from orchestration.store import Slot
from orchestration.store.verdicts import CheckSlot

CURVES, NETWORK, NEW = Slot("s/curves"), Slot("s/cnn_network"), Slot("s/new")
TOOK = {CURVES: 3.0, NETWORK: 90.0, NEW: None}
STAGES = cast("Stages", SimpleNamespace(together=lambda slot: [slot]))


def test_off_a_terminal_a_line_says_what_starts_and_what_is_done() -> None:
    file = io.StringIO()
    with Display(STAGES, file=file) as shown:
        shown.planned({CURVES: 3.0, NETWORK: 90.0})
        shown.started(CURVES)
        shown.said(CURVES, "reading")
        shown.done("materialized", CURVES)
        shown.done("restored", NETWORK)
        shown.done("checked", CheckSlot(NETWORK, "finite"))
        shown.done("failed", NEW)
    lines = [line.split() for line in file.getvalue().splitlines()]
    assert lines[0] == ["started", "s/curves"]
    assert lines[1][:2] == ["materialized", "s/curves"]
    assert re.fullmatch(r"\d+\.\d s", " ".join(lines[1][2:]))
    assert lines[2:] == [
        ["restored", "s/cnn_network"],
        ["checked", "s/cnn_network:finite"],
        ["failed", "s/new"],
    ]


def test_off_a_terminal_a_long_stage_is_mentioned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "LINE_SECONDS", 0.01)
    monkeypatch.setattr(display, "LONG", 0.0)
    mentioned = threading.Event()

    class Heard(io.StringIO):
        def write(self, text: str) -> int:
            if "running" in text:
                mentioned.set()
            return super().write(text)

    file = Heard()
    with Display(STAGES, file=file) as shown:
        shown.planned({NETWORK: 90.0})
        shown.started(NETWORK)
        shown.said(NETWORK, "epoch 3 of 10,\nloss 0.1")
        assert mentioned.wait(30)
    assert "running       s/cnn_network  1 s: epoch 3 of 10, loss 0.1\n" in file.getvalue()


def test_quiet_it_shows_only_what_is_said_outright() -> None:
    file = io.StringIO()
    with Display(STAGES, quiet=True, file=file) as shown:
        shown.planned({CURVES: 3.0})
        shown.started(CURVES)
        shown.done("materialized", CURVES)
        shown.say("waiting for another process")
    assert file.getvalue() == "waiting for another process\n"


def test_what_is_left_is_told_from_the_last_builds() -> None:
    work = Work(STAGES)
    work.plan(TOOK)
    assert work.left() == "up to about 1 min 33 s left, 1 never built before"
    work.start(CURVES)
    work.running[CURVES].since -= 60
    assert work.left().startswith("more than 1 min 30 s left")
    assert work.end(CURVES) == pytest.approx(60, abs=5)
    work.end(NETWORK)
    assert (work.done, work.total, work.left()) == (2, 3, "1 never built before")
    assert not work.say(NETWORK, "too late")


@contextmanager
def terminal(columns: int) -> Iterator[tuple[TextIO, list[bytes]]]:
    """A terminal of some width, and what is written to it."""
    ours, theirs = os.openpty()
    seen: list[bytes] = []

    def read() -> None:
        while True:
            try:
                seen.append(os.read(ours, 65536))
            except OSError:
                return

    reader = threading.Thread(target=read)
    reader.start()
    yield os.fdopen(theirs, "w", buffering=1), seen
    reader.join(30)
    os.close(ours)


@pytest.mark.parametrize("columns", [80, 40])
def test_on_a_terminal_what_runs_is_shown_with_what_it_says(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    with terminal(columns) as (file, seen), Display(STAGES, file=file) as shown:
        shown.planned({CURVES: 3.0, NETWORK: 90.0})
        shown.started(NETWORK)
        shown.said(NETWORK, "epoch 3 of 10, loss 0.25, about 40 s left")
        assert shown._terminal is not None
        shown._terminal.refresh()
        shown.done("materialized", NETWORK)
    text = b"".join(seen).decode()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert "s/cnn_network" in plain
    assert "epoch 3 of 10, loss 0.25" in plain
    assert "0 of 2 done" in plain
    assert "up to about 1 min 33 s left" in plain
    assert re.search(r"materialized  s/cnn_network  \d+\.\d s", plain)
    assert max(map(len, re.split(r"[\r\n]+", plain))) <= columns
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", text)  # no colours
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back

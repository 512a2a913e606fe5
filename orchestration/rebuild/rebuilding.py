"""One rebuild: which stage is restored, built or left, and when.

In waves: whatever is stale and has nothing stale above it is restored from the store if it was
built before, or else run in Dagster; then everything is planned again, so that an upstream which
came out the same ends the wave there. Stages that were never built have nothing to end it for: they
run together with what is above them. Checks run with their asset, and alone where only the check
changed. What failed a blocking check is left, with all below it, until it or the check changes.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import dagster as dg

from orchestration.errors import StoreDamagedError
from orchestration.rebuild.outcome import Outcome
from orchestration.rebuild.planning import Planner, Stale, StaleCheck
from orchestration.rebuild.progress import Notice, Progress
from orchestration.rebuild.publishing import publish
from orchestration.rebuild.workers import Group, Results, Workers
from orchestration.store import Slot
from orchestration.store.verdicts import CheckSlot


class Rebuilding:
    """One rebuild: the outcome so far, and the build locks that are held."""

    def __init__(
        self,
        planner: Planner,
        instance: dg.DagsterInstance,
        slots: Sequence[Slot],
        workers: Workers,
        progress: Progress,
    ) -> None:
        self._planner = planner
        self._instance = instance
        self._stages = planner.graph.stages
        self._store = planner.graph.store
        self._slots = slots
        self._chosen = set(slots)
        self._workers = workers
        self._progress = progress
        self._outcome = Outcome()
        self._done: set[Slot] = set()
        self._failed: set[Slot | CheckSlot] = set()
        self._tried: dict[CheckSlot, str] = {}  # checks that ran, by what they were to read
        self._published: set[tuple[Slot, str, str] | None] = set()
        self._locks: dict[Slot, ExitStack] = {}  # by the first slot of what is built together
        self._last_stored: dict[Group, Slot] = {}

    def close(self) -> None:
        """Release every build lock."""
        for first in list(self._locks):
            self._unlock(first)

    def run(self, check_interrupt: Callable[[], None], *, verify: bool) -> Outcome:
        """Plan, publish and build until nothing is left that can be."""
        started = time.monotonic()
        first: list[Slot] | None = None
        while True:
            stale = self._planner.plan(self._slots, self._instance, verify=verify and first is None)
            mine = {slot: item for slot, item in stale.items() if slot in self._chosen}
            building = [s for s, item in mine.items() if item.action not in ("check", "refused")]
            if first is None:
                first = building
                self._progress.planned(self._planner.durations().by_stage(first))
            published, others = self._publish(mine)
            if published:
                continue
            others = self._start(mine, stale) or others
            self._start_checks(building, stale, waiting=others is not None)
            if not self._workers.busy():
                if others is None:
                    break
                with self._store.locks.building(others):  # someone else builds it: wait, plan again
                    continue
            while self._workers.busy():
                for group, results in self._workers.finished(self._told):
                    self._settle(group, results)
                check_interrupt()
                self._start(mine, stale)
                if self._workers.free():
                    break  # what is left may wait for what has just been built: plan again
        self._conclude(first, stale)
        self._outcome.seconds = time.monotonic() - started
        return self._outcome

    def _publish(self, mine: Mapping[Slot, Stale]) -> tuple[bool, Slot | None]:
        """Restore what was built before, and report to Dagster what is stored.

        Returns
        -------
        bool
            Whether to plan again.
        slot or None
            One that another process builds.
        """
        again, others = False, None
        for slot, item in mine.items():
            tried = (slot, item.action, item.record.build) if item.record else None
            if item.record is None or tried in self._published or slot in self._failed:
                continue
            with self._store.locks.building(self._first(slot), wait=False) as got:
                if not got:
                    others = self._first(slot)
                    continue
                self._published.add(tried)
                again = True
                try:
                    published = publish(self._planner.graph, self._instance, item)
                except StoreDamagedError as error:
                    self._fail(slot, str(error))
                    continue
                if published:
                    if item.action == "restore":
                        self._outcome.restored.append(str(slot))
                    self._progress.done("restored", slot)
        return again, others

    def _start(self, mine: Mapping[Slot, Stale], stale: Mapping[Slot, Stale]) -> Slot | None:
        """Start what can be built now; return a slot that another process builds, if any."""
        others: Slot | None = None
        while self._workers.free():
            group: dict[Slot, None] = {}
            for slot, item in mine.items():
                first = self._first(slot)
                if first in group or not self._may_build(item, stale, group):
                    continue
                if not self._lock(first):
                    others = first
                    continue
                if not self._as_seen(item):  # someone else has built it meanwhile
                    self._unlock(first)
                    others = first
                    continue
                group[first] = None
                if not self._workers.several:
                    break
            if not group:
                break
            self._workers.start(tuple(group))
        return others

    def _start_checks(
        self, building: Sequence[Slot], stale: Mapping[Slot, Stale], *, waiting: bool
    ) -> None:
        """Start stale checks: first those of nothing that is yet to be built, at last the rest."""
        waiting = waiting or self._workers.busy()
        for wanted in (set(building), set()) if not waiting else (set(building),):
            group: list[StaleCheck] = []
            for item in self._planner.stale_checks(self._slots, stale):
                if self._tried.get(item.at) == item.key or wanted.intersection(item.reads):
                    continue
                if not group or (self._workers.several and self._run_alike(group[0].at, item.at)):
                    group.append(item)
            if group and self._workers.free():
                self._tried |= {item.at: item.key for item in group}
                self._workers.start(tuple(item.at for item in group))
                return

    def _run_alike(self, one: CheckSlot, other: CheckSlot) -> bool:
        """Whether Dagster can evaluate both in a run."""
        return one.slot.partition == other.slot.partition and (
            one.slot.partition is None or self._in_one_run(one.slot, other.slot)
        )

    def _may_build(
        self, item: Stale, stale: Mapping[Slot, Stale], group: Mapping[Slot, None]
    ) -> bool:
        """Whether a stage can be built now, as one of a group that runs together."""
        slot = item.slot
        if item.action != "build" or not item.certain or self._first(slot) in self._locks:
            return False
        if slot in self._done or slot in self._failed:
            return False
        if group and not self._in_one_run(next(iter(group)), slot):
            return False
        together = False
        for above in (s for each in self._stages.upstream(slot).values() for s in each):
            if self._first(above) in group:
                together = True
            elif above in self._failed or (
                above in stale
                and (
                    above in self._chosen
                    or stale[above].refusal
                    or self._store.current(above) is None
                )
            ):
                return False
        # With something above it about to run it may only go along if it must be built whatever
        # comes out there: if it never was.
        return not together or not self._store.records(slot)

    def _in_one_run(self, one: Slot, other: Slot) -> bool:
        """Whether Dagster can build both in a run: of one partition, of the same partitions."""
        families = {
            self._stages.by_key[slot.asset].definition.partitions_def for slot in (one, other)
        }
        return one.partition == other.partition and (one.partition is None or len(families) == 1)

    def _first(self, slot: Slot) -> Slot:
        return self._stages.together(slot)[0]

    def _as_seen(self, item: Stale) -> bool:
        current = self._store.current(item.slot)
        return (current.build if current else None) == item.seen

    def _lock(self, first: Slot) -> bool:
        stack = ExitStack()
        if stack.enter_context(self._store.locks.building(first, wait=False)):
            self._locks[first] = stack
            return True
        stack.close()
        return False

    def _unlock(self, first: Slot) -> None:
        if stack := self._locks.pop(first, None):
            stack.close()

    def _told(self, group: Group, notice: Notice) -> None:
        """Pass on what happens while the run of a group goes on."""
        if notice.what == "started":
            self._progress.started(notice.slot)
        elif notice.what == "said":
            self._progress.said(notice.slot, notice.text)
        else:
            self._was_stored(group, notice.slot)

    def _was_stored(self, group: Group, slot: Slot) -> None:
        """Report a result as soon as it is stored, though the run of its group goes on."""
        self._progress.done("materialized", slot)
        # Dagster logs it only after this: whoever waits for it is let in with the next result.
        first = self._first(slot)
        last = self._last_stored.get(group, first)
        if last != first:
            self._unlock(last)
        self._last_stored[group] = first

    def _settle(self, group: Group, results: Results) -> None:
        self._last_stored.pop(group, None)
        for slot, error in results.items():
            if error is not None:
                self._fail(slot, error)
            elif isinstance(slot, CheckSlot):
                self._outcome.checked.append(str(slot))
                self._progress.done("checked", slot)
            else:
                self._done.add(slot)
                self._outcome.materialized.append(str(slot))
        for first in group:
            if isinstance(first, Slot):
                self._unlock(first)

    def _fail(self, slot: Slot | CheckSlot, error: str) -> None:
        self._failed.add(slot)
        self._outcome.failed.append(str(slot))
        self._outcome.errors[str(slot)] = error
        self._progress.done("failed", slot)

    def _conclude(self, first: Sequence[Slot], stale: Mapping[Slot, Stale]) -> None:
        for slot in sorted(self._done & self._chosen):
            if slot in stale and stale[slot].certain:
                why = "; ".join(reason.detail for reason in stale[slot].reasons)
                self._outcome.materialized.remove(str(slot))
                self._fail(slot, f"built, but still out of date: {why}")
        for item in self._planner.stale_checks(self._slots, stale):
            if item.at in self._tried and item.at not in self._failed:
                why = "; ".join(reason.detail for reason in item.reasons)
                self._outcome.checked.remove(str(item.at))
                self._fail(item.at, f"ran, but still out of date: {why}")
        told = {at.slot for at in self._failed if isinstance(at, CheckSlot)}
        for slot, refused in stale.items():
            if refused.refusal and not {slot, Slot(slot.asset)} & (told | self._failed):
                self._fail(slot, refused.refusal)
        outcome = self._outcome
        ran = {*outcome.materialized, *outcome.restored, *outcome.failed}
        outcome.unchanged = [str(s) for s in first if str(s) not in ran and s not in stale]


@contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C between stages end a rebuild, though Dagster only ends its run for it.

    Yields a function that raises KeyboardInterrupt if there was one.
    """
    interrupted = False

    def interrupt(number: int, frame: Any) -> None:
        nonlocal interrupted
        interrupted = True
        signal.default_int_handler(number, frame)

    def check() -> None:
        if interrupted:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)

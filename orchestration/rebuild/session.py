"""Rebuild the least that brings a project up to date.

In waves: whatever is stale and has nothing stale above it is restored from the store if it was
built before, or else run in Dagster; then everything is looked at again (`planning`),
so that an upstream which came out the same ends the wave there. Stages that were never built have
nothing to end it for: they run together with what is above them.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.errors import ProjectError, UsageError
from orchestration.io_managers import StoreIOManager, storage_metadata
from orchestration.project import Project
from orchestration.rebuild.outcome import Outcome
from orchestration.rebuild.planning import CODE_TAG, DATA_TAG, Plan, Planner, Stale, some
from orchestration.rebuild.workers import Group, Here, Processes, Results, Run, Workers
from orchestration.stages import Stages
from orchestration.store.storage import Record, Slot, Store

PROCESS_TAG = "faint/process"
PARTITION_EDGES_TRACKED = 100
"""Upstream partitions of one edge from which on Dagster compares only the latest event."""

Progress = Callable[[str, Sequence[Slot], int], None]
"""What was done ("planned", "materialized", "restored", "failed"), which slots, how many remain."""


class Workshop:
    """A project's definitions, store and Dagster instance, opened to plan and to rebuild.

    Parameters
    ----------
    project
        The project.
    instance
        Dagster's instance; the project's own by default.

    Raises
    ------
    ProjectError
        If the definitions can't be loaded; says where and why.
    """

    def __init__(self, project: Project, instance: dg.DagsterInstance | None = None) -> None:
        self.project = project
        project.enter()
        self.defs = load_definitions(project)
        manager = (self.defs.resources or {}).get("io_manager")
        if not isinstance(manager, StoreIOManager):
            raise ProjectError(
                f"{project.definitions}: its definitions don't use the store; build them with "
                "orchestration.build"
            )
        self.stages: Stages = manager.stages
        self.store: Store = manager.store
        self.planner = Planner(self.stages, self.store)
        self._instance = instance
        self._given = instance is not None

    @property
    def instance(self) -> dg.DagsterInstance:
        """Dagster's instance, opened when first asked for."""
        if self._instance is None:
            # Two that open a new home at once would both lay out its tables.
            with self.store.lock("dagster instance"):
                self._instance = dg.DagsterInstance.get()
        return self._instance

    def close(self) -> None:
        """Close the instance; it opens again when asked for."""
        if self._instance is not None and not self._given:
            self._instance.dispose()
            self._instance = None

    # selecting

    def select(
        self, selection: str | None = None, partitions: str | Sequence[str] | None = None
    ) -> list[Slot]:
        """Slots that a Dagster selection and partition keys name, upstream ones first.

        Raises
        ------
        UsageError
            If the selection doesn't parse or names nothing, or a partition doesn't exist.
        """
        keys = self._selected(selection)
        slots = [
            slot for key in self.stages.order() if key in keys for slot in self.stages.slots(key)
        ]
        if partitions is None or partitions == "all":
            return slots
        wanted = [partitions] if isinstance(partitions, str) else list(partitions)
        known = {slot.partition for slot in slots if slot.partition is not None}
        if missing := [name for name in wanted if name not in known]:
            raise UsageError(
                f"no partition {', '.join(map(repr, missing))} in what is selected; there are "
                f"{some(sorted(known)) if known else 'none'}"
            )
        return [slot for slot in slots if slot.partition in wanted]

    def _selected(self, selection: str | None) -> set[str]:
        everything = set(self.stages.by_key)
        if selection is None:
            return everything
        if selection in everything:  # a key as it is printed needs no quotes
            return {selection}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's own, of its own parser
                chosen = dg.AssetSelection.from_string(selection).resolve(
                    self.defs.resolve_asset_graph()
                )
        except Exception as error:  # Dagster raises many kinds for a selection that is wrong
            first = str(error).strip().splitlines()[0]
            raise UsageError(
                f"the selection {selection!r} isn't understood: {first}{self._meant(selection)}"
            ) from error
        keys = {"/".join(key.path) for key in chosen} & everything
        if not keys:
            raise UsageError(f"the selection {selection!r} names no asset{self._meant(selection)}")
        return keys

    def _meant(self, selection: str) -> str:
        """Suggest what someone may have meant."""
        import difflib

        words = selection.replace('"', " ").replace(":", " ").split() or [selection]
        groups = sorted({key.split("/")[0] for key in self.stages.by_key})
        near = difflib.get_close_matches(words[-1], [*self.stages.by_key, *groups], n=3)
        if near:
            return f"; did you mean {' or '.join(near)}?"
        return f"; there are {some(sorted(self.stages.by_key))}"

    # planning

    def plan(self, slots: Sequence[Slot], *, verify: bool = False) -> Plan:
        """Look at ``slots`` and all that is upstream of them; report on ``slots``."""
        found = self.planner.plan(slots, self.instance, verify=verify)
        stale = [found[slot] for slot in slots if slot in found]
        return Plan(stale, len(slots) - len(stale))

    def blocked(self, slots: Sequence[Slot]) -> list[Slot]:
        """Unselected assets that must be built before ``slots`` can be."""
        chosen = set(slots)
        above = {
            s for slot in slots for group in self.stages.upstream(slot).values() for s in group
        }
        return [s for s in sorted(above - chosen) if self.store.current(s) is None]

    # rebuilding

    def rebuild(
        self,
        slots: Sequence[Slot],
        *,
        jobs: int = 1,
        verify: bool = False,
        progress: Progress = lambda *_: None,
    ) -> Outcome:
        """Bring ``slots`` up to date, running as little as will do.

        Parameters
        ----------
        slots
            What to rebuild, upstream ones first; a stale asset above them that isn't among them
            is left as it is.
        jobs
            Stages that may run at a time; more than one run in processes of their own.
        verify
            Hash every stored file in the first look.
        progress
            Called as things are done.
        """
        end_dead_runs(self.instance)
        workers: Workers = (
            Here(self.run) if jobs == 1 else Processes(self.project, open_worker, jobs)
        )
        rebuilding = _Rebuilding(self, slots, workers, progress)
        try:
            with _interrupts() as check:
                return rebuilding.go(check, verify=verify)
        finally:
            workers.close()
            rebuilding.close()
            end_dead_runs(self.instance)

    def publish(self, item: Stale) -> bool:
        """Make a stored build current, and let Dagster show it as the latest; whether it could."""
        record = item.record
        assert record is not None
        if item.action == "restore" and not self.store.restore(record):
            return False
        kept = self.store.built(item.slot, record.build)
        metadata: dict[str, Any] = {}
        if kept is not None and kept.metadata:
            metadata = dict(dg.deserialize_value(kept.metadata, dict))
        note = "restored from the store" if item.action == "restore" else "told of the stored build"
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=dg.AssetKey(item.slot.asset.split("/")),
                partition=item.slot.partition,
                description=note,
                metadata=metadata
                | storage_metadata(self.store, record)
                | {"rebuild": dg.MetadataValue.text(note)},
                tags=self._tags(item.slot, record),
            )
        )
        return True

    def _tags(self, slot: Slot, record: Record) -> dict[str, str]:
        """The tags by which Dagster knows what a materialisation was built from."""
        tags = {
            DATA_TAG: record.content,
            CODE_TAG: self.stages.version(slot.asset).key,
            "dagster/data_version_is_user_provided": "true",
        }
        upstream = self.stages.upstream(slot)
        keys = {name: dg.AssetKey(name.split("/")) for name in upstream}
        found = self.instance.get_asset_records(list(keys.values())) if keys else ()
        pointers = {
            record.asset_entry.asset_key: record.asset_entry.last_materialization_storage_id
            for record in found
        }
        for name, group in upstream.items():
            tags[f"dagster/input_data_version/{name}"] = self._dagster_version(group)
            tags[f"dagster/input_event_pointer/{name}"] = str(pointers.get(keys[name]) or "NULL")
        return tags

    def _dagster_version(self, slots: Sequence[Slot]) -> str:
        """Data version of an upstream asset as Dagster computes it for its child."""
        records = sorted(
            (record for record in map(self.store.current, slots) if record),
            key=lambda record: record.slot,
        )
        if len(slots) == 1 and slots[0].partition is None:
            return records[0].content
        if len(slots) >= PARTITION_EDGES_TRACKED:
            return max(records, key=lambda record: record.created).content
        return hashlib.sha256("".join(record.content for record in records).encode()).hexdigest()

    # one Dagster run

    def run(self, group: Group) -> Results:
        """Run the stages of ``group``, all of one partition, in this process, as one Dagster run.

        Returns
        -------
        mapping of slot to error
            Of each asset that those stages build: None where it was built. What was skipped since
            something above it failed is left out.
        """
        wanted = {slot: None for first in group for slot in self.stages.together(first)}
        try:
            result = self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
                asset_selection=[dg.AssetKey(slot.asset.split("/")) for slot in wanted],
                partition_key=group[0].partition,
                instance=self.instance,
                raise_on_error=False,
                tags={PROCESS_TAG: this_process()},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        except Exception as error:  # not of a stage: of Dagster's storage, or its definitions
            return dict.fromkeys(wanted, f"{type(error).__name__}: {error}")
        if _interrupted(result):
            raise KeyboardInterrupt  # Dagster turned it into a failed run
        done = {
            "/".join(event.asset_key.path)
            for event in result.get_asset_materialization_events()
            if event.asset_key
        }
        skipped = {event.step_key for event in result.all_events if event.is_step_skipped}
        started = {event.step_key for event in result.all_events if event.is_step_start}
        errors = {
            event.step_key: _message(event.step_failure_data.error)
            for event in result.all_events
            if event.is_step_failure and event.step_key
        }
        checks = _failed_blocking_checks(result)
        results: dict[Slot, str | None] = {}
        for slot in wanted:
            step = self.stages.by_key[slot.asset].definition.op.name
            if slot.asset in checks:
                results[slot] = checks[slot.asset]
            elif slot.asset in done:
                results[slot] = None
            elif step in errors:
                results[slot] = errors[step]
            elif step in started:
                results[slot] = f"its stage gave no result for it: see run {result.run_id}"
            elif not (skipped or errors or checks):
                results[slot] = f"Dagster didn't run it: see run {result.run_id}"
        return results


LAUNCHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""Of a run that has left the queue and not ended."""


def end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Tell Dagster of runs whose process was killed.

    They would stay "started" for good, and keep the places of others in the queue.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=LAUNCHED)):
        process = run.tags.get(PROCESS_TAG)
        if process and not process_lives(process):
            instance.report_run_failed(run, "The process that ran it was killed.")


def _interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether Ctrl-C ended a run's stage: there Dagster takes it for one more failure."""
    names = {dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__}
    failed = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    canceled = any(event.event_type_value == "PIPELINE_CANCELED" for event in result.all_events)
    return canceled or any(error is not None and error.cls_name in names for error in failed)


class _Rebuilding:
    """One rebuild: what was settled so far, and who is building what."""

    def __init__(
        self, workshop: Workshop, slots: Sequence[Slot], workers: Workers, progress: Progress
    ) -> None:
        self._workshop = workshop
        self._stages = workshop.stages
        self._store = workshop.store
        self._slots = slots
        self._chosen = set(slots)
        self._workers = workers
        self._progress = progress
        self._outcome = Outcome()
        self._done: set[Slot] = set()
        self._failed: set[Slot] = set()
        self._published: set[tuple[Slot, str, str] | None] = set()
        self._left = 0
        self._locks: dict[Slot, ExitStack] = {}  # by the first slot of what is built together
        self._last_stored: Slot | None = None
        self._store.stored = self._was_stored

    def close(self) -> None:
        """Let go of everything."""
        self._store.stored = lambda slot: None
        for first in list(self._locks):
            self._unlock(first)

    def go(self, check_interrupt: Callable[[], None], *, verify: bool) -> Outcome:
        """Do it."""
        started = time.monotonic()
        first: list[Slot] | None = None
        while True:
            stale = self._workshop.planner.plan(
                self._slots, self._workshop.instance, verify=verify and first is None
            )
            mine = {slot: item for slot, item in stale.items() if slot in self._chosen}
            self._left = len(mine)
            if first is None:
                first = list(mine)
                self._progress("planned", first, len(first))
            published, others = self._publish(mine)
            if published:
                continue
            others = self._start(mine, stale) or others
            if not self._workers.busy():
                if others is None:
                    break
                with self._store.building(others):  # someone else builds it: wait, look again
                    continue
            while self._workers.busy():
                for group, results in self._workers.finished():
                    self._settle(group, results)
                check_interrupt()
                self._start(mine, stale)
                if self._workers.free():
                    break  # what is left may wait for what has just been built: look again
        self._conclude(first, stale)
        self._outcome.seconds = time.monotonic() - started
        return self._outcome

    def _publish(self, mine: Mapping[Slot, Stale]) -> tuple[bool, Slot | None]:
        """Restore what was built before, and tell Dagster of what is stored.

        Returns
        -------
        bool
            Whether to look again.
        slot or None
            One that others are building.
        """
        again, others = False, None
        for slot, item in mine.items():
            tried = (slot, item.action, item.record.build) if item.record else None
            if item.record is None or tried in self._published:
                continue
            with self._store.building(self._first(slot), wait=False) as got:
                if not got:
                    others = self._first(slot)
                    continue
                self._published.add(tried)
                again = True
                if self._workshop.publish(item):
                    self._left -= 1
                    if item.action == "restore":
                        self._outcome.restored.append(str(slot))
                    self._progress("restored", [slot], self._left)
        return again, others

    def _start(self, mine: Mapping[Slot, Stale], stale: Mapping[Slot, Stale]) -> Slot | None:
        """Start what can be; return something that others are building, if any."""
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
                if isinstance(self._workers, Processes):
                    break
            if not group:
                break
            self._workers.start(tuple(group))
        return others

    def _may_build(
        self, item: Stale, stale: Mapping[Slot, Stale], group: Mapping[Slot, None]
    ) -> bool:
        """Whether a stage can be built now, as one of a group that runs together."""
        slot = item.slot
        if item.record is not None or not item.certain or self._first(slot) in self._locks:
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
                above in stale and (above in self._chosen or self._store.current(above) is None)
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
        if stack.enter_context(self._store.building(first, wait=False)):
            self._locks[first] = stack
            return True
        stack.close()
        return False

    def _unlock(self, first: Slot) -> None:
        if stack := self._locks.pop(first, None):
            stack.close()

    def _was_stored(self, slot: Slot) -> None:
        """Report a result as soon as it is there, though its run goes on to others."""
        self._left -= 1
        self._progress("materialized", [slot], self._left)
        # Dagster logs it only after this: whoever waits for it is let in with the next result.
        if self._last_stored is not None and self._first(slot) != self._last_stored:
            self._unlock(self._last_stored)
        self._last_stored = self._first(slot)

    def _settle(self, group: Group, results: Results) -> None:
        for slot, error in results.items():
            if error is None:
                self._done.add(slot)
                self._outcome.materialized.append(str(slot))
                if isinstance(self._workers, Processes):
                    self._left -= 1
                    self._progress("materialized", [slot], self._left)
            else:
                self._fail(slot, error)
        for first in group:
            self._unlock(first)

    def _fail(self, slot: Slot, error: str) -> None:
        self._failed.add(slot)
        self._outcome.failed.append(str(slot))
        self._outcome.errors[str(slot)] = error
        self._progress("failed", [slot], self._left)

    def _conclude(self, first: Sequence[Slot], stale: Mapping[Slot, Stale]) -> None:
        for slot in sorted(self._done & self._chosen):
            if slot in stale and stale[slot].certain:
                why = "; ".join(reason.detail for reason in stale[slot].reasons)
                self._outcome.materialized.remove(str(slot))
                self._fail(slot, f"built, but still out of date: {why}")
        outcome = self._outcome
        ran = {*outcome.materialized, *outcome.restored, *outcome.failed}
        outcome.unchanged = [str(s) for s in first if str(s) not in ran and s not in stale]


def _message(error: Any) -> str:
    """The cause of a failed step in a line or two: Dagster wraps it several times."""
    while error is not None and error.cause is not None:
        error = error.cause
    return "unknown error" if error is None else str(error.message).strip()


def _failed_blocking_checks(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """What each asset's failed blocking checks say."""
    return {
        "/".join(found.asset_key.path): (
            f"its check {found.check_name} failed: {found.description or 'see its run'}"
        )
        for found in result.get_asset_check_evaluations()
        if found.blocking and not found.passed and found.severity == dg.AssetCheckSeverity.ERROR
    }


# definitions ------------------------------------------------------------------------------------


def load_definitions(project: Project) -> dg.Definitions:
    """Import a project's definitions.

    Raises
    ------
    ProjectError
        If they can't be imported; names the file and line of the project that raised.
    """
    if str(project.root) not in sys.path:
        sys.path.insert(0, str(project.root))
    drop_doubtful_bytecode(project)
    try:
        defs = importlib.import_module(project.definitions).defs
    except ProjectError:
        raise
    except SyntaxError as error:
        raise ProjectError(f"{error.filename}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        if type(error).__module__.split(".")[0] in project.sources:  # it says what is wrong itself
            raise ProjectError(str(error)) from error
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if Path(f.filename).is_relative_to(project.root)]
        where = f"{own[-1].filename}, line {own[-1].lineno}: " if own else ""
        raise ProjectError(
            f"{project.definitions} can't be loaded: {where}{type(error).__name__}: {error}"
        ) from error
    if not isinstance(defs, dg.Definitions):
        raise ProjectError(f"{project.definitions}.defs is no dagster.Definitions")
    return defs


def drop_doubtful_bytecode(project: Project) -> None:
    """Remove compiled files that Python would wrongly take for those of the sources as they are.

    It compares whole seconds and the size: after two edits within a second, such as a checkout of
    two commits, the code of the first would run and be stored under the version of the second.
    """
    for package in project.sources:
        for path in (project.root / package).rglob("*.py"):
            compiled = Path(importlib.util.cache_from_source(path))
            with suppress(OSError):
                if int(compiled.stat().st_mtime) <= int(path.stat().st_mtime):
                    compiled.unlink()


# processes --------------------------------------------------------------------------------------


def open_worker(project: Project) -> Run:
    """Open a project in a worker process; what runs a group there."""
    return Workshop(project).run


@contextmanager
def _interrupts() -> Iterator[Callable[[], None]]:
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


def this_process() -> str:
    """A name for this process that no later one will have."""
    return f"{os.uname().nodename}:{os.getpid()}:{_start_time(os.getpid())}"


def process_lives(name: str) -> bool:
    """Whether the process so named runs; one of another machine is taken to."""
    node, pid, start = name.rsplit(":", 2)
    return node != os.uname().nodename or _start_time(int(pid)) == start


def _start_time(pid: int) -> str:
    # The 22nd field of /proc/<pid>/stat; the second, the command, may hold spaces.
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except OSError:
        return ""

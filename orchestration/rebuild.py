"""Plan what is out of date and why, and rebuild the least that brings it up to date.

Planning compares state with state: what each slot of the store holds, and what Dagster's event log
says of it, against the versions that sources, settings and libraries give now. Nothing depends on
what changed since someone last looked, so a missed tick or a killed process loses nothing.

Rebuilding goes in waves: whatever is stale and has nothing stale above it is restored from the
store if it was built before, or else run in Dagster; then everything is looked at again, so that
an upstream which came out the same ends the wave there.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import dagster as dg

from orchestration.io_managers import StoreIOManager, difference, storage_metadata
from orchestration.project import Project
from orchestration.stages import Stages, Version, build_key, combine
from orchestration.storage import Damage, Record, Slot, Store

Kind = Literal["code", "config", "data", "missing", "corrupt", "dependency"]
Action = Literal["build", "restore", "publish"]

PROCESS_TAG = "faint/process"
NAMED = 4
"""Changed definitions a reason names before it counts the rest."""


class UsageError(ValueError):
    """A selection or partition that doesn't fit the project."""


@dataclass(frozen=True)
class Reason:
    """Why a slot is stale."""

    kind: Kind
    detail: str


@dataclass(frozen=True)
class Stale:
    """A slot that is out of date.

    Parameters
    ----------
    slot
        What is stale.
    reasons
        Why, the strongest first.
    action
        What a rebuild would do: build it, restore an earlier build, or only tell Dagster of the
        build that is stored.
    record
        The build to restore or to tell of.
    seen
        The build that was current when it was judged.
    """

    slot: Slot
    reasons: tuple[Reason, ...]
    action: Action = "build"
    record: Record | None = None
    seen: str | None = None

    @property
    def certain(self) -> bool:
        """Whether it is stale whatever its upstream stages come out as."""
        return any(reason.kind != "dependency" for reason in self.reasons)


@dataclass(frozen=True)
class Plan:
    """What is out of date, upstream ones first."""

    stale: list[Stale]
    fresh: int

    def to_dict(self) -> dict[str, Any]:
        """As `faint plan --json` prints it."""
        return {
            "stale": [
                {
                    "asset": item.slot.asset,
                    "partition": item.slot.partition,
                    "reasons": [{"kind": r.kind, "detail": r.detail} for r in item.reasons],
                    "certain": item.certain,
                }
                for item in self.stale
            ],
            "fresh": self.fresh,
        }


@dataclass
class Outcome:
    """What a rebuild did."""

    materialized: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As `faint rebuild --json` prints it."""
        return {
            "materialized": self.materialized,
            "restored": self.restored,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "errors": self.errors,
            "seconds": round(self.seconds, 3),
        }


class Workshop:
    """A project's definitions, store and Dagster instance, opened to plan and to rebuild.

    Parameters
    ----------
    project
        The project.
    instance
        Dagster's instance; the project's own by default.
    """

    def __init__(self, project: Project, instance: dg.DagsterInstance | None = None) -> None:
        self.project = project
        project.enter()
        self.defs = load_definitions(project)
        manager = (self.defs.resources or {}).get("io_manager")
        if not isinstance(manager, StoreIOManager):
            raise UsageError(
                f"{project.definitions}: its definitions don't use the store; build them with "
                "orchestration.build"
            )
        self.stages: Stages = manager.stages
        self.store: Store = manager.store
        self._instance = instance
        self._given = instance is not None

    @property
    def instance(self) -> dg.DagsterInstance:
        """Dagster's instance, opened when first asked for."""
        if self._instance is None:
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
                f"{_some(sorted(known)) if known else 'none'}"
            )
        return [slot for slot in slots if slot.partition in wanted]

    def _selected(self, selection: str | None) -> set[str]:
        everything = set(self.stages.by_key)
        if selection is None:
            return everything
        if selection in everything:  # a key as it is printed needs no quotes
            return {selection}
        try:
            graph = self.defs.resolve_asset_graph()
            chosen = dg.AssetSelection.from_string(selection).resolve(graph)
        except Exception as error:  # Dagster raises many kinds for a selection that is wrong
            raise UsageError(f"the selection {selection!r} isn't understood: {error}") from error
        keys = {"/".join(key.path) for key in chosen} & everything
        if not keys:
            raise UsageError(
                f"the selection {selection!r} names no asset; there are {_some(sorted(everything))}"
            )
        return keys

    # planning

    def plan(self, slots: Sequence[Slot], *, verify: bool = False) -> Plan:
        """Look at ``slots`` and all that is upstream of them; report on ``slots``."""
        found = self._look(slots, verify=verify)
        stale = [found[slot] for slot in slots if slot in found]
        return Plan(stale, len(slots) - len(stale))

    def _look(self, slots: Iterable[Slot], *, verify: bool = False) -> dict[Slot, Stale]:
        """Everything stale among ``slots`` and their ancestors."""
        scope = self.with_ancestors(slots)
        shown = self._shown({slot.asset for slot in scope})
        records = {slot: self.store.current(slot) for slot in scope}
        stale: dict[Slot, Stale] = {}
        for slot in scope:  # upstream ones come first
            upstream = self.stages.upstream(slot)
            above = [s for group in upstream.values() for s in group]
            inputs = {
                parent: combine([(s, records[s]) for s in group])
                for parent, group in upstream.items()
            }
            item = self._judge(
                slot, records[slot], inputs, [s for s in above if s in stale], shown, verify=verify
            )
            if item is not None:
                current = records[slot]
                stale[slot] = replace(item, seen=current.build if current else None)
        return stale

    def _judge(
        self,
        slot: Slot,
        record: Record | None,
        inputs: Mapping[str, str | None],
        stale_above: Sequence[Slot],
        shown: Mapping[Slot, tuple[str | None, str | None]],
        *,
        verify: bool,
    ) -> Stale | None:
        want = self.stages.version(slot.asset)
        reasons: list[Reason] = []
        if record is None:
            reasons.append(Reason("missing", "never built"))
        else:
            damage = self.store.damage(record, verify=verify)
            if damage:
                reasons.append(Reason(damage.kind, damage.detail))
            reasons += version_reasons(record.version, want) + _input_reasons(record, inputs)
        known = {parent: version for parent, version in inputs.items() if version is not None}
        if not stale_above and len(known) == len(inputs):
            build = build_key(want, known)
            if record is not None and record.build != build and not reasons:
                reasons.append(Reason("data", "built from other inputs"))
            if reasons:
                earlier = self.store.built(slot, build)
                usable = earlier is not None and not self.store.damage(earlier, verify=verify)
                return Stale(
                    slot,
                    tuple(reasons),
                    "restore" if usable else "build",
                    earlier if usable else None,
                )
            assert record is not None
            if shown.get(slot) != (record.content, want.key):
                reason = Reason("missing", "stored, but Dagster's event log doesn't show it")
                return Stale(slot, (reason,), "publish", record)
            return None
        for parent in sorted({s.asset for s in stale_above}):
            reasons.append(Reason("dependency", f"{parent} is stale"))
        return Stale(slot, tuple(reasons)) if reasons else None

    def with_ancestors(self, slots: Iterable[Slot]) -> list[Slot]:
        """All of ``slots`` and what they are built from, upstream ones first."""
        found: dict[Slot, None] = {}

        def visit(slot: Slot) -> None:
            if slot not in found:
                for group in self.stages.upstream(slot).values():
                    for above in group:
                        visit(above)
                found[slot] = None

        for slot in slots:
            visit(slot)
        return list(found)

    def _shown(self, assets: Iterable[str]) -> dict[Slot, tuple[str | None, str | None]]:
        """Data and code version of each slot's latest materialisation in Dagster's event log."""
        keys = {name: dg.AssetKey(name.split("/")) for name in assets}
        plain = [key for name, key in keys.items() if self.stages.by_key[name].partitions is None]
        shown: dict[Slot, tuple[str | None, str | None]] = {}
        for record in self.instance.get_asset_records(plain) if plain else ():
            event = record.asset_entry.last_materialization
            if event is not None and event.asset_materialization is not None:
                slot = Slot("/".join(record.asset_entry.asset_key.path))
                shown[slot] = _versions_in(event.asset_materialization.tags or {})
        for name, key in keys.items():
            if self.stages.by_key[name].partitions is not None:
                tags = self.instance.event_log_storage.get_latest_tags_by_partition(
                    key, dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_TAG, CODE_TAG]
                )
                shown |= {Slot(name, part): _versions_in(found) for part, found in tags.items()}
        return shown

    # rebuilding

    def rebuild(
        self,
        slots: Sequence[Slot],
        *,
        jobs: int = 1,
        verify: bool = False,
        progress: Callable[[str, Sequence[Slot], int], None] = lambda *_: None,
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
            Called with what was done ("planned", "materialized", "restored", "failed"), the slots,
            and how many are still to come at most.
        """
        started = time.monotonic()
        outcome = Outcome()
        chosen = set(slots)
        settled: set[Slot] = set()  # tried once: built, or failed
        failed: set[Slot] = set()
        first: list[Slot] | None = None
        with _Builders(self, jobs) as builders:
            self._end_dead_runs()
            while True:
                stale = self._look(slots, verify=verify and first is None)
                mine = [item for slot, item in stale.items() if slot in chosen]
                if first is None:
                    first = [item.slot for item in mine]
                    progress("planned", first, len(first))
                ready = [
                    item
                    for item in mine
                    if item.slot not in settled and not self._waits(item.slot, stale, chosen)
                ]
                if not ready:
                    break
                quick = [item for item in ready if item.record is not None]
                if quick:
                    for item in quick:
                        self._publish(item)
                        if item.action == "restore":
                            outcome.restored.append(str(item.slot))
                    progress("restored", [item.slot for item in quick], len(mine) - len(quick))
                    continue
                for slot, error in builders.build(ready):
                    settled.add(slot)
                    done = "materialized" if error is None else "failed"
                    (outcome.materialized if error is None else outcome.failed).append(str(slot))
                    if error is not None:
                        failed.add(slot)
                        outcome.errors[str(slot)] = error
                    progress(done, [slot], len(mine))
        ran = {*outcome.materialized, *outcome.restored, *outcome.failed}
        still = {str(slot) for slot in stale if slot in chosen}
        for slot in sorted(settled - failed):
            if str(slot) in still and stale[slot].certain:
                why = "; ".join(reason.detail for reason in stale[slot].reasons)
                outcome.failed.append(str(slot))
                outcome.errors[str(slot)] = f"built, but still stale: {why}"
        outcome.unchanged = [str(s) for s in first or () if str(s) not in ran | still]
        outcome.seconds = time.monotonic() - started
        return outcome

    def _waits(self, slot: Slot, stale: Mapping[Slot, Stale], chosen: set[Slot]) -> bool:
        """Whether something above a slot is still to be built, or is not there to build from."""
        for group in self.stages.upstream(slot).values():
            for above in group:
                if above in stale and (above in chosen or self.store.current(above) is None):
                    return True
        return False

    def blocked(self, slots: Sequence[Slot]) -> list[Slot]:
        """Unselected assets that must be built before ``slots`` can be."""
        chosen = set(slots)
        above = [s for s in self.with_ancestors(slots) if s not in chosen]
        needed = {
            s for slot in slots for group in self.stages.upstream(slot).values() for s in group
        }
        return [s for s in above if s in needed and self.store.current(s) is None]

    def _publish(self, item: Stale) -> None:
        """Make a stored build current, and let Dagster show it as the latest."""
        record = item.record
        assert record is not None
        with self.store.lock(item.slot):
            if item.action == "restore":
                self.store.make_current(record)
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

    def _tags(self, slot: Slot, record: Record) -> dict[str, str]:
        tags = {
            DATA_TAG: record.content,
            CODE_TAG: self.stages.version(slot.asset).key,
            "dagster/data_version_is_user_provided": "true",
        }
        parents = {name: dg.AssetKey(name.split("/")) for name in record.inputs}
        pointers = {
            found.asset_entry.asset_key: found.asset_entry.last_materialization_storage_id
            for found in (
                self.instance.get_asset_records(list(parents.values())) if parents else ()
            )
        }
        for name, key in parents.items():
            tags[f"dagster/input_data_version/{name}"] = record.inputs[name]
            tags[f"dagster/input_event_pointer/{name}"] = str(pointers.get(key) or "NULL")
        return tags

    def _end_dead_runs(self) -> None:
        """Tell Dagster of runs whose process was killed, so that they don't stay 'started'."""
        unfinished = dg.RunsFilter(
            statuses=[
                dg.DagsterRunStatus.STARTED,
                dg.DagsterRunStatus.STARTING,
                dg.DagsterRunStatus.NOT_STARTED,
            ]
        )
        for run in self.instance.get_runs(unfinished):
            process = run.tags.get(PROCESS_TAG)
            if process and not process_lives(process):
                self.instance.report_run_failed(run, "The process that ran it was killed.")

    # one Dagster run

    def run(self, slots: Sequence[Slot]) -> dict[Slot, str | None]:
        """Run the stages of ``slots``, all of one partition, in this process; errors by slot."""
        stages = {id(self.stages.by_key[s.asset]): self.stages.by_key[s.asset] for s in slots}
        keys = [key for stage in stages.values() for key in stage.keys]
        result = self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
            partition_key=slots[0].partition,
            instance=self.instance,
            raise_on_error=False,
            tags={PROCESS_TAG: this_process()},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        done = {
            "/".join(event.asset_key.path)
            for event in result.get_asset_materialization_events()
            if event.asset_key
        }
        errors = {
            event.step_key: _message(event.step_failure_data.error)
            for event in result.all_events
            if event.is_step_failure and event.step_key
        }
        common = next(iter(errors.values()), f"see run {result.run_id}")
        names = {key: stage.definition.op.name for stage in stages.values() for key in stage.keys}
        return {
            slot: None if slot.asset in done else errors.get(names[slot.asset], common)
            for slot in slots
        }


DATA_TAG = "dagster/data_version"
CODE_TAG = "dagster/code_version"


def _versions_in(tags: Mapping[str, str]) -> tuple[str | None, str | None]:
    return tags.get(DATA_TAG), tags.get(CODE_TAG)


def _message(error: Any) -> str:
    """The cause of a failed step in a line or two: Dagster wraps it several times."""
    while error is not None and error.cause is not None:
        error = error.cause
    return "unknown error" if error is None else str(error.message).strip()


def version_reasons(old: Mapping[str, Any], want: Version) -> list[Reason]:
    """Say how the version a slot was built with differs from what it would be built with now."""
    reasons = []
    if old.get("code") != want.code:
        from orchestration.fingerprint import changed

        names = changed(old.get("pieces", {}), want.pieces)
        what = _some(names) if names else str(old.get("code", ""))[:60] or "unknown code"
        reasons.append(Reason("code", f"{what} changed" if names else f"built by {what}"))
    if old.get("packages") != dict(want.packages):
        detail = difference(old.get("packages", {}), want.packages)
        reasons.append(Reason("code", f"library {detail}"))
    if old.get("config") != dict(want.config):
        detail = difference(want.config, old.get("config", {}))
        reasons.append(Reason("config", f"built with other settings: {detail}"))
    if sorted(old.get("files", {}).values()) != sorted(want.files.values()):
        files = [name for name in want.files if old.get("files", {}).get(name) != want.files[name]]
        reasons.append(Reason("data", f"{_some(files)} changed"))
    return reasons


def _input_reasons(record: Record, inputs: Mapping[str, str | None]) -> list[Reason]:
    reasons = []
    for parent, version in inputs.items():
        if parent not in record.inputs:
            reasons.append(Reason("data", f"{parent} is a new input"))
        elif version is not None and record.inputs[parent] != version:
            reasons.append(Reason("data", f"{parent} has other content"))
    reasons += [
        Reason("data", f"{parent} is no longer an input")
        for parent in record.inputs
        if parent not in inputs
    ]
    return reasons


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def load_definitions(project: Project) -> dg.Definitions:
    """Import a project's definitions."""
    if str(project.root) not in sys.path:
        sys.path.insert(0, str(project.root))
    defs = importlib.import_module(project.definitions).defs
    if not isinstance(defs, dg.Definitions):
        raise UsageError(f"{project.definitions}.defs is no dagster.Definitions")
    return defs


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


class _Builders:
    """Runs ready slots, in this process or in several, each under its lock."""

    def __init__(self, workshop: Workshop, jobs: int) -> None:
        self._workshop = workshop
        self._jobs = jobs
        self._pool: Any = None

    def __enter__(self) -> _Builders:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def build(self, ready: Sequence[Stale]) -> Iterator[tuple[Slot, str | None]]:
        """Build what is still stale of ``ready`` once its locks are held."""
        with self._locked([item.slot for item in ready]) as slots:
            # Another rebuild may have built some since they were looked at.
            held = set(slots)
            todo = [i.slot for i in ready if i.slot in held and self._as_seen(i)]
            groups: dict[tuple[object, str | None], list[Slot]] = defaultdict(list)
            for slot in todo:
                one = id(self._workshop.stages.by_key[slot.asset]) if self._jobs > 1 else None
                groups[one, slot.partition].append(slot)
            if self._jobs == 1 or len(groups) == 1:
                for group in groups.values():
                    yield from self._workshop.run(group).items()
            else:
                yield from self._in_pool(list(groups.values()))

    def _as_seen(self, item: Stale) -> bool:
        current = self._workshop.store.current(item.slot)
        return (current.build if current else None) == item.seen

    @contextmanager
    def _locked(self, slots: Sequence[Slot]) -> Iterator[list[Slot]]:
        store = self._workshop.store
        with ExitStack() as stack:
            got = [s for s in slots if stack.enter_context(store.lock(s, wait=False))]
            if not got:  # someone else builds them all: wait for one, then look again
                stack.enter_context(store.lock(slots[0]))
                got = [slots[0]]
            yield got

    def _in_pool(self, groups: Sequence[list[Slot]]) -> Iterator[tuple[Slot, str | None]]:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor, as_completed

        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._jobs,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(self._workshop.project, os.getpid()),
            )
        futures = {self._pool.submit(_work, group): group for group in groups}
        for future in as_completed(futures):
            try:
                yield from future.result().items()
            except Exception as error:  # a worker that died takes its stages with it, no others
                self._pool = None
                yield from ((slot, f"its process died: {error}") for slot in futures[future])


_worker: list[Workshop] = []


def _start_worker(project: Project, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _die_with(parent)
    os.chdir(project.root)
    _worker.append(Workshop(project))


def _die_with(parent: int) -> None:
    """Ask Linux to end this process when its parent ends, however it ends."""
    import ctypes

    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _work(slots: list[Slot]) -> dict[Slot, str | None]:
    return _worker[0].run(slots)


__all__ = ["Damage", "Outcome", "Plan", "Reason", "Stale", "UsageError", "Workshop"]

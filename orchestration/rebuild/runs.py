"""One Dagster run in this process, and the end of runs whose process was killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg

from orchestration.checks import Check, Checks, complaint
from orchestration.rebuild.progress import Notice
from orchestration.rebuild.workers import Results
from orchestration.stages import Graph
from orchestration.store import Slot
from orchestration.store.verdicts import CheckSlot

PROCESS_TAG = "faint/process"
PARENT_TAG = "faint/parent_run"
"""Run id of the job, launched from the UI or by a schedule, that a stage's run is part of."""


class Runs:
    """Runs stages and checks of an opened project in this process.

    Parameters
    ----------
    graph, checks, defs, instance
        The project's stages and store, its checks, its definitions, and Dagster's instance.
    parent
        Id of the Dagster run that asked for these; each run is tagged with it.
    """

    def __init__(
        self,
        graph: Graph,
        checks: Checks,
        defs: dg.Definitions,
        instance: dg.DagsterInstance,
        parent: str | None = None,
    ) -> None:
        self._graph = graph
        self._checks = checks
        self._defs = defs
        self._instance = instance
        self._tags = {PROCESS_TAG: this_process()} | ({PARENT_TAG: parent} if parent else {})

    def run_stages(self, group: Sequence[Slot], tell: Callable[[Notice], None]) -> Results:
        """Run the stages of ``group``, all of one partition, as one Dagster run.

        ``tell`` is called when a stage starts, logs something, and as soon as a result is stored.

        Returns
        -------
        mapping of slot to error
            Of each asset that those stages build: None where it was built. What was skipped since
            something above it failed is left out.
        """
        stages = self._graph.stages
        wanted = {slot: None for first in group for slot in stages.together(first)}
        assets = [slot.asset for slot in wanted]
        try:
            stored = partial(Notice, "stored")
            unread = self._unread(wanted)
            with self._graph.store.listening(lambda slot: tell(stored(slot)), unread):
                result = self._execute(
                    self._job(assets, self._checks.of(assets)),
                    assets,
                    group[0].partition,
                    {},
                    run_id=self._heard(group, tell),
                    partition_key=group[0].partition,
                    asset_selection=[dg.AssetKey(asset.split("/")) for asset in assets],
                )
        except Exception as error:  # not of a stage: of Dagster's storage, or its definitions
            return _all_failed(wanted, error)
        done = {
            "/".join(event.asset_key.path)
            for event in result.get_asset_materialization_events()
            if event.asset_key
        }
        skipped = {event.step_key for event in result.all_events if event.is_step_skipped}
        started = {event.step_key for event in result.all_events if event.is_step_start}
        errors = _errors(result)
        refused = {
            "/".join(
                found.asset_key.path
            ): f"its check {found.check_name} failed: {complaint(found)}"
            for found in result.get_asset_check_evaluations()
            if found.blocking and _failed(found)
        }
        results: dict[Slot | CheckSlot, str | None] = {}
        for slot in wanted:
            step = stages.by_key[slot.asset].definition.op.name
            if slot.asset in refused:
                results[slot] = refused[slot.asset]
            elif slot.asset in done:
                results[slot] = None
            elif step in errors:
                results[slot] = errors[step]
            elif step in started:
                results[slot] = f"its stage gave no result for it: see run {result.run_id}"
            elif not (skipped or errors or refused):
                results[slot] = f"Dagster didn't run it: see run {result.run_id}"
        return results

    def _heard(self, group: Sequence[Slot], tell: Callable[[Notice], None]) -> str:
        """Make the id of a run, and tell what happens to its stages."""
        stages = self._graph.stages.by_key
        steps = {stages[slot.asset].definition.op.name: slot for slot in group}

        def hear(entry: dg.EventLogEntry) -> None:
            slot, event = steps.get(entry.step_key or ""), entry.dagster_event
            if slot is None:
                return
            if event is None:
                tell(Notice("said", slot, entry.user_message))
            elif event.is_step_start:
                tell(Notice("started", slot))

        run_id = str(uuid4())
        self._instance.add_event_listener(run_id, hear)
        return run_id

    def _unread(self, slots: Iterable[Slot]) -> set[Slot]:
        """What the stages of ``slots`` depend on without loading it."""
        stages = self._graph.stages
        found: set[Slot] = set()
        for slot in slots:
            definition: Any = stages.by_key[slot.asset].definition
            upstream = stages.upstream(slot)
            for name, key in definition.keys_by_input_name.items():
                if definition.op.ins[name].dagster_type.is_nothing:
                    found.update(upstream.get("/".join(key.path), ()))
        return found

    def run_checks(self, group: Sequence[CheckSlot]) -> Results:
        """Run checks, all of one partition, without their assets, as one Dagster run.

        Returns
        -------
        mapping of check to error
            None where it passed, or failed with the severity of a warning.
        """
        checks = {at: self._checks.find(at) for at in group}
        keys = {key for check in checks.values() for key in check.stage.definition.check_keys}
        assets = [check.asset for check in checks.values()]
        job = self._job((), checks.values())
        # By tags: Dagster takes a partition key only where all assets of the project share it.
        tags: Mapping[str, str] = {}
        definition = next(iter(checks.values())).partitions_def
        if definition is not None and group[0].slot.partition is not None:
            tags = definition.get_tags_for_partition_key(group[0].slot.partition)
        try:
            result = self._execute(
                job.get_subset(asset_check_selection=keys), assets, group[0].slot.partition, tags
            )
        except Exception as error:  # not of a check: of Dagster's storage, or its definitions
            return _all_failed(group, error)
        errors = _errors(result)
        results: dict[Slot | CheckSlot, str | None] = {
            at: errors.get(
                check.stage.definition.op.name, f"Dagster didn't run it: see run {result.run_id}"
            )
            for at, check in checks.items()
        }
        for found in result.get_asset_check_evaluations():
            slot = Slot("/".join(found.asset_key.path), group[0].slot.partition)
            at = CheckSlot(slot, found.check_name)
            if at in results:
                results[at] = complaint(found) if _failed(found) else None
        return results

    def _job(self, assets: Iterable[str], checks: Iterable[Check]) -> dg.JobDefinition:
        """A job of some assets and checks alone: one of all of them costs as much as all.

        What they read belongs to it as an asset that is made elsewhere.
        """
        stages, checks = self._graph.stages.by_key, list(checks)
        built = set(assets)
        read = {name for check in checks for name in check.inputs}
        read |= {above for key in built for deps in stages[key].deps.values() for above in deps}
        definitions: dict[int, Any] = {id(each): each for each in map(self._by_key.get, built)}
        for key in sorted(read - built):
            if key in stages:
                path, partitions = key.split("/"), stages[key].partitions_def
                spec: Any = dg.AssetSpec(path, partitions_def=partitions)
            else:
                spec = self._by_key.get(key)
            definitions[id(spec)] = spec
        own = {
            id(check.stage.definition): check.stage.definition for check in checks if check.alone
        }
        return dg.Definitions(
            assets=[each for each in definitions.values() if each is not None],
            asset_checks=own.values(),
            resources=self._defs.resources,
            loggers=self._defs.loggers,
            executor=self._defs.executor,
        ).resolve_implicit_global_asset_job_def()

    @cached_property
    def _by_key(self) -> dict[str, Any]:
        """What defines each asset, those of other projects too, as Dagster has them."""
        found: dict[str, Any] = {}
        for each in self._defs.assets or ():
            if isinstance(each, dg.AssetsDefinition):
                found |= {"/".join(key.path): each for key in each.keys}
            elif isinstance(each, dg.AssetSpec | dg.SourceAsset):
                found["/".join(each.key.path)] = each
        return found

    def _execute(
        self,
        job: dg.JobDefinition,
        assets: Iterable[str],
        partition: str | None,
        tags: Mapping[str, str],
        **selected: Any,
    ) -> dg.ExecuteInProcessResult:
        """Execute a job, and store the verdicts of the checks of ``assets`` that it runs."""
        before = self._checks.before(assets, partition)
        result = job.execute_in_process(
            instance=self._instance,
            raise_on_error=False,
            tags={**self._tags, **tags},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            **selected,
        )
        self._checks.save(result, partition, before)
        if _interrupted(result):
            raise KeyboardInterrupt  # Dagster turned it into a failed run
        return result


def _all_failed(items: Iterable[Slot | CheckSlot], error: Exception) -> Results:
    return dict.fromkeys(items, f"{type(error).__name__}: {error}")


def _errors(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """The error of each failed step."""
    return {
        event.step_key: _message(event.step_failure_data.error)
        for event in result.all_events
        if event.is_step_failure and event.step_key
    }


def _failed(found: dg.AssetCheckEvaluation) -> bool:
    return not found.passed and found.severity == dg.AssetCheckSeverity.ERROR


def _interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether Ctrl-C ended a run's stage: there Dagster takes it for one more failure."""
    names = {dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__}
    failed = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    canceled = any(event.event_type_value == "PIPELINE_CANCELED" for event in result.all_events)
    return canceled or any(error is not None and error.cls_name in names for error in failed)


def _message(error: Any) -> str:
    """The cause of a failed step in a line or two: Dagster wraps it several times."""
    while error is not None and error.cause is not None and error.cls_name.startswith("Dagster"):
        error = error.cause
    return "unknown error" if error is None else str(error.message).strip()


LAUNCHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""Of a run that has left the queue and not ended."""


def dead_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Runs that have not ended though their process has."""
    return [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=LAUNCHED))
        if (process := run.tags.get(PROCESS_TAG)) and not process_lives(process)
    ]


def end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Tell Dagster of runs whose process was killed.

    They would stay "started" for good, and keep the places of others in the queue.
    """
    for run in dead_runs(instance):
        instance.report_run_failed(run, "The process that ran it was killed.")


def this_process() -> str:
    """A name for this process that no later one will have."""
    return f"{os.uname().nodename}:{os.getpid()}:{_start_time(os.getpid())}"


def process_lives(name: str) -> bool:
    """Whether a process named by `this_process` runs; True if it is of another machine."""
    node, pid, start = name.rsplit(":", 2)
    return node != os.uname().nodename or _start_time(int(pid)) == start


def _start_time(pid: int) -> str:
    # The 22nd field of /proc/<pid>/stat; the second, the command, may hold spaces.
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except OSError:
        return ""

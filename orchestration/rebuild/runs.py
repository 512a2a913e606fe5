"""One Dagster run in this process, and the end of runs whose process was killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.rebuild.workers import Group, Results
from orchestration.stages import Graph
from orchestration.store import Slot

PROCESS_TAG = "faint/process"
PARENT_TAG = "faint/parent_run"
"""Run id of the job, launched from the UI or by a schedule, that a stage's run is part of."""


def run_group(
    graph: Graph,
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    group: Group,
    stored: Callable[[Slot], None],
    parent: str | None = None,
) -> Results:
    """Run the stages of ``group``, all of one partition, in this process, as one Dagster run.

    ``stored`` is called with each slot as soon as its result is in the store.

    Returns
    -------
    mapping of slot to error
        Of each asset that those stages build: None where it was built. What was skipped since
        something above it failed is left out.
    """
    wanted = {slot: None for first in group for slot in graph.stages.together(first)}
    job = defs.resolve_implicit_global_asset_job_def()
    try:
        with graph.store.listening(stored):
            result = job.execute_in_process(
                asset_selection=[dg.AssetKey(slot.asset.split("/")) for slot in wanted],
                partition_key=group[0].partition,
                instance=instance,
                raise_on_error=False,
                tags={PROCESS_TAG: this_process()} | ({PARENT_TAG: parent} if parent else {}),
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
        step = graph.stages.by_key[slot.asset].definition.op.name
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


def _interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether Ctrl-C ended a run's stage: there Dagster takes it for one more failure."""
    names = {dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__}
    failed = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    canceled = any(event.event_type_value == "PIPELINE_CANCELED" for event in result.all_events)
    return canceled or any(error is not None and error.cls_name in names for error in failed)


def _message(error: Any) -> str:
    """The cause of a failed step in a line or two: Dagster wraps it several times."""
    while error is not None and error.cause is not None:
        error = error.cause
    return "unknown error" if error is None else str(error.message).strip()


def _failed_blocking_checks(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """What each asset's failed blocking checks say."""
    return {
        "/".join(evaluation.asset_key.path): (
            f"its check {evaluation.check_name} failed: {evaluation.description or 'see its run'}"
        )
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.blocking
        and not evaluation.passed
        and evaluation.severity == dg.AssetCheckSeverity.ERROR
    }


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

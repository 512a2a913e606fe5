"""What runs, and when: jobs, schedules and sensors.

Everything here is about one question, "is anything stale?", and one answer, `faint rebuild`. Both
are asked in a new process: a code server lives for days and has imported the sources of the day it
started; a new process reads sources, settings and store as they are now. That one process also
brings minimality, restoring, partitions and locks, so nothing of that is decided here a second
time. Sensors compare state with state, never with what they saw at their last tick. Nothing is
switched on by default.
"""

# No postponed annotations here: Dagster reads the types of an op's parameters.

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cache
from typing import Any
from urllib.parse import urlencode

import dagster as dg
from pydantic import Field

from orchestration.project import Project
from orchestration.rebuild.runs import (
    LAUNCHED,
    PARENT_TAG,
    PROCESS_TAG,
    end_dead_runs,
    this_process,
)

NIGHTLY = "0 2 * * *"
"""When the nightly rebuilds start: 02:00 UTC."""
INTERVAL = 30
"""Seconds between two ticks of a sensor."""
STALE_JOB = "rebuild_stale"
ASKED_TAG = "faint/asked"
FAILED_TAG = "faint/failed"
LAUNCH_PATIENCE = 600.0
"""Seconds after which a run that never got to its work is asked for again."""
EVENT_PATIENCE = 6 * 3600.0
"""Seconds without an event after which a run that names no process is taken for dead."""
STOP_SECONDS = 30.0
ERROR_LINES = 30

Entry = Mapping[str, Any]
"""One stale asset, partition or check, as `faint plan --json` prints it."""


def automation(
    project: Project, systems: Iterable[str], files: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """All jobs, schedules and sensors of a project, by the names `dagster.Definitions` gives them.

    The jobs of families are apart, since they need the assets: `family_jobs`.

    Parameters
    ----------
    project
        The project.
    systems
        Its systems, which are its asset groups.
    files
        By system, the asset whose stage may read files from outside the graph.
    """
    systems = list(systems)
    return {
        "jobs": [
            rebuild_job(project, STALE_JOB, None),
            *(system_job(project, system) for system in systems),
        ],
        "schedules": [nightly(system) for system in systems],
        "sensors": [
            stale_sensor(project),
            *(new_files_sensor(project, name, key) for name, key in (files or {}).items()),
        ],
    }


# jobs -------------------------------------------------------------------------------------------


def system_job(project: Project, system: str) -> dg.JobDefinition:
    """Build the job that brings a system up to date, from the download to the evaluations.

    It has the system's name. That it is no asset job lets a system have families of different
    partitions, which Dagster allows in none; to run what is fresh as well, there is "Materialize
    all" in the web UI.
    """
    return rebuild_job(project, system, _group(system))


def family_jobs(assets: Iterable[dg.AssetsDefinition]) -> list[Any]:
    """Build an asset job for each family of partitioned assets, for `dagster job backfill`.

    A family is what shares a group and a partitions definition; its job is named after the asset
    that the others are built from (the first by name, of several), such as
    ``solar_flares_architecture_family``.
    """
    families: dict[Any, dict[dg.AssetKey, Set[dg.AssetKey]]] = {}
    for definition in assets:
        for spec in definition.specs:
            if spec.partitions_def is not None:
                family = families.setdefault((spec.group_name, spec.partitions_def), {})
                family[spec.key] = definition.asset_deps[spec.key]
    jobs = []
    for family in families.values():
        first = min(key for key, above in family.items() if not (above - {key}) & set(family))
        jobs.append(
            dg.define_asset_job(
                f"{'_'.join(first.path)}_family",
                selection=list(family),
                description="One run builds one partition; a backfill builds all it is asked for.",
                # A partition's stages follow on each other: a process each would only start anew.
                executor_def=dg.in_process_executor,
            )
        )
    return jobs


def rebuild_job(project: Project, name: str, selection: str | None) -> dg.JobDefinition:
    """Build a job that runs `faint rebuild SELECTION`.

    Its run has the command's lines in its log and a link to the runs of the stages, which carry its
    id as a tag.

    Parameters
    ----------
    project
        The project.
    name
        Name of the job.
    selection
        What to bring up to date, in Dagster's selection syntax; None for everything. The launchpad
        offers it to be changed.
    """
    what = "everything" if selection is None else selection

    @dg.job(
        name=name,
        description=f"Runs the least that brings {what} up to date, as `faint rebuild` does.",
        config=dg.RunConfig(ops={"rebuild": Rebuild(selection=selection, jobs=1)}),
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        _rebuild_op(project)()

    return job


class Rebuild(dg.Config):
    """What a rebuild job is asked for."""

    selection: str | None = Field(
        None,
        description="what to bring up to date, in Dagster's selection syntax; none: everything",
    )
    jobs: int = Field(1, description="stages that run at a time")


@cache  # Dagster wants one definition of an op for all jobs that use it
def _rebuild_op(project: Project) -> dg.OpDefinition:
    @dg.op(name="rebuild", description="Runs `faint rebuild` in a new process.")
    def rebuild(context: dg.OpExecutionContext, config: Rebuild) -> None:
        # The sensors see by this whether the run lives, the next rebuild ends it if it doesn't.
        context.instance.add_run_tags(context.run_id, {PROCESS_TAG: this_process()})
        chosen = [] if config.selection is None else [config.selection]
        chosen += ["--jobs", str(config.jobs), "--parent-run", context.run_id]
        runs = dg.MetadataValue.url(_runs_of(context.run_id))
        context.add_output_metadata({"stage runs": runs})
        try:
            _stream(project, ["rebuild", *chosen], context.log.info, {"stage runs": runs})
        except BaseException:
            asked = context.run.tags.get(ASKED_TAG, "")
            context.instance.add_run_tags(context.run_id, {FAILED_TAG: asked})
            raise

    return rebuild


def _runs_of(parent: str) -> str:
    """Address in the web UI of the runs of the stages that a run caused."""
    return "/runs?" + urlencode({"q[]": f"tag:{PARENT_TAG}={parent}"})


def _stream(
    project: Project,
    arguments: Sequence[str],
    say: Callable[[str], None],
    metadata: Mapping[str, dg.MetadataValue] | None = None,
) -> None:
    """Run `faint`, saying its lines as they come.

    Raises
    ------
    dagster.Failure
        If its exit status isn't 0; names what failed, and why.
    """
    lines: list[str] = []
    with subprocess.Popen(
        _faint(arguments),
        cwd=project.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.strip():
                    lines.append(line.rstrip())
                    say(lines[-1])
        except BaseException:  # the run was terminated: what is finished is kept
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    if process.returncode:
        raise dg.Failure(
            description="\n".join(lines[-ERROR_LINES:])
            or f"faint ended with status {process.returncode}",
            metadata={"exit status": process.returncode, **(metadata or {})},
        )


def _faint(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "orchestration.cli", *arguments]


def _group(system: str) -> str:
    return f'group:"{system}"'


# schedules --------------------------------------------------------------------------------------


def nightly(system: str, *, cron: str = NIGHTLY) -> dg.ScheduleDefinition:
    """Build the schedule that brings a system up to date every night, or when ``cron`` says.

    It asks whatever a sensor thinks of it, so that what failed for a passing reason, such as a
    publisher that didn't answer, is tried again.
    """

    @dg.schedule(
        name=f"{system}_nightly",
        job_name=system,
        cron_schedule=cron,
        execution_timezone="UTC",
        description=f"Brings {system} up to date every night. Switch it on under Automation, or "
        f"with `dagster schedule start {system}_nightly`.",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def ask(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        end_dead_runs(context.instance)
        return dg.RunRequest()

    return ask


# sensors ----------------------------------------------------------------------------------------


def stale_sensor(project: Project, *, interval: int = INTERVAL) -> dg.SensorDefinition:
    """Build the sensor that brings everything up to date whenever anything is stale.

    At each tick it compares states: what `faint plan` says, and the runs that Dagster
    knows. It keeps nothing of its own, so a tick that was missed, a daemon or a run that was killed
    loses nothing: what is still stale at the next tick is asked for then.

    - Any run in progress may change what is stale, so the sensor waits until it has ended.
    - It asks for `faint rebuild` as a whole and not for a run for each stale stage: what a stage's
      new result does to those below it is known only once it is there, and a plain run of a stage
      computes again what a rebuild restores.
    - The run key is a digest of the plan and the sensor's run before: one state is asked for once
      while that run is in progress, and can be asked for again after it.
    - After a run that failed and left the plan as it was, it rests until the plan changes: an entry
      names what would be built (code, settings, inputs), so that a corrected helper or file counts.
      A run that was killed did not fail and is asked for again.
    """
    return _sensor(
        project,
        name="stale",
        job=STALE_JOB,
        selection=None,
        wanted=lambda stale: bool(stale),
        interval=interval,
        description="Brings everything up to date whenever `faint plan` says that anything is "
        "stale, whatever the reason.",
    )


def new_files_sensor(
    project: Project, system: str, asset: str, *, interval: int = INTERVAL
) -> dg.SensorDefinition:
    """Build the sensor that brings a system up to date when the files it reads have changed.

    For a download stage that reads files from outside the graph. It works as `stale_sensor` does,
    but asks only if the content of the files is among the reasons: edited code alone waits.

    Parameters
    ----------
    project
        The project.
    system
        The system.
    asset
        Key of the asset that reads files, such as ``exoplanets/curves``.
    interval
        Seconds between two ticks.
    """

    def files_changed(stale: Sequence[Entry]) -> bool:
        return any(
            entry["asset"] == asset and any(r["kind"] == "data" for r in entry["reasons"])
            for entry in stale
            if "check" not in entry
        )

    return _sensor(
        project,
        name=f"{system}_new_files",
        job=system,
        selection=_group(system),
        wanted=files_changed,
        interval=interval,
        description=f"Brings {system} up to date when the files that {asset} reads have changed.",
    )


def _sensor(
    project: Project,
    *,
    name: str,
    job: str,
    selection: str | None,
    wanted: Callable[[Sequence[Entry]], bool],
    interval: int,
    description: str,
) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        job_name=job,
        minimum_interval_seconds=interval,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"{description} Switch it on under Automation, or with `dagster sensor start "
        f"{name}`.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        instance = context.instance
        end_dead_runs(instance)
        if going := _in_progress(instance):
            return dg.SkipReason(f"waiting for run {going.run_id} of {going.job_name}")
        stale = _stale(project, selection)
        if not wanted(stale):
            return dg.SkipReason(f"nothing to do: {len(stale)} stale")
        state = hashlib.sha256(json.dumps(stale, sort_keys=True).encode()).hexdigest()[:16]
        last = _last_asked(instance, name)
        if last is not None and _in_vain(last, state):
            return dg.SkipReason(
                f"run {last.dagster_run.run_id} failed on what is stale now: "
                f"{', '.join(_name(entry) for entry in stale)}; it is tried again when that "
                "changes, or when you launch it"
            )
        before = last.dagster_run.run_id if last else "none"
        return dg.RunRequest(run_key=f"{state} after {before}", tags={ASKED_TAG: state})

    return look


def _stale(project: Project, selection: str | None) -> list[Entry]:
    """What `faint plan` says is stale, read from disk by a new process."""
    chosen = [] if selection is None else [selection]
    done = subprocess.run(
        _faint(["plan", *chosen, "--json"]), cwd=project.root, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"faint plan failed:\n{done.stderr.strip()}")
    plan = json.loads(done.stdout)
    return [*plan["stale"], *plan["checks"]]


def _name(entry: Entry) -> str:
    part = entry["partition"]
    return str(entry["asset"]) if part is None else f"{entry['asset']}[{part}]"


def _in_progress(instance: dg.DagsterInstance) -> dg.DagsterRun | None:
    """A run that is queued or lives; None if there is none."""
    unfinished = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, *LAUNCHED])
    for record in instance.get_run_records(unfinished):
        run = record.dagster_run
        if run.status == dg.DagsterRunStatus.QUEUED or PROCESS_TAG in run.tags:
            return run
        events = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
        latest = events[0].timestamp if events else record.create_timestamp.timestamp()
        started = run.status == dg.DagsterRunStatus.STARTED
        if time.time() - latest < (EVENT_PATIENCE if started else LAUNCH_PATIENCE):
            return run
    return None


def _last_asked(instance: dg.DagsterInstance, sensor: str) -> dg.RunRecord | None:
    """The latest run that a sensor asked for."""
    asked = dg.RunsFilter(tags={"dagster/sensor_name": sensor})
    records = instance.get_run_records(asked, limit=1)
    return records[0] if records else None


def _in_vain(last: dg.RunRecord, state: str) -> bool:
    """Whether a sensor's latest run shows that asking for a state again would not help."""
    tags, status = last.dagster_run.tags, last.dagster_run.status
    if tags.get(ASKED_TAG) != state or status == dg.DagsterRunStatus.SUCCESS:
        return False
    if PROCESS_TAG not in tags:  # it could not be launched: not to be asked for at every tick
        return time.time() - last.create_timestamp.timestamp() < LAUNCH_PATIENCE
    return tags.get(FAILED_TAG) == state

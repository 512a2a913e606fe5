"""Sensors look at the state of things, jobs rebuild in a new process, a kill loses nothing.

What a sensor decides is tested on states made up for it; that it comes true, with Dagster's real
daemon on the toy project.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dagster as dg
import pytest

from orchestration import automation as module_under_test
from orchestration.automation import (
    FAILED_TAG,
    automation,
    family_jobs,
    new_files_sensor,
    nightly,
    stale_sensor,
    system_job,
)
from orchestration.project import Project, find
from orchestration.rebuild.runs import PARENT_TAG

served = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("served.py"))))
wait_for = served.wait_for
DEAD_PROCESS = f"{os.uname().nodename}:1:0"

DEFINITIONS = """\
from pathlib import Path

from orchestration.automation import (
    new_files_sensor, nightly, rebuild_job, stale_sensor, system_job
)
from orchestration.build import laid_over
from orchestration.project import find
from toy import systems

project = find(Path(__file__).parent)
defs = laid_over(
    [systems],
    project,
    jobs=[
        rebuild_job(project, "rebuild_stale", None),
        *(system_job(project, name) for name in ("alpha", "family")),
    ],
    sensors=[
        stale_sensor(project, interval=1),
        new_files_sensor(project, "alpha", "alpha/curves", interval=1),
    ],
    schedules=[nightly(name, cron="* * * * *") for name in ("alpha", "family")],
)
"""

# A stage named in the file `hold` doesn't end before its name is gone from there.
LOG = '''\
"""Counts what ran, for the tests."""

import os
import time
from pathlib import Path


def ran(name):
    log = Path(os.environ["TOY_LOG"])
    with log.open("a") as file:
        file.write(name + "\\n")
    while name in (log.parent / "hold").read_text().split():
        time.sleep(0.05)
'''

FAMILY = """

FAMILY = dg.StaticPartitionsDefinition(["a", "b", "c"])


@dg.asset(key=["family", "architecture"], group_name="family", partitions_def=FAMILY)
def family_architecture(context: dg.AssetExecutionContext):
    ran(f"family/architecture[{context.partition_key}]")
    return {"units": helpers.UNITS[context.partition_key]}


@dg.asset(
    key=["family", "network"], group_name="family", partitions_def=FAMILY,
    ins={"architecture": dg.AssetIn(["family", "architecture"])},
)
def family_network(context: dg.AssetExecutionContext, architecture):
    ran(f"family/network[{context.partition_key}]")
    return {"weights": architecture["units"] ** 2}
"""

FILES = """\
class AlphaDownload(dg.Config):
    path: str = "curves.txt"

    def input_files(self):
        return (Path(__file__).parent / self.path,)


@dg.asset(key=["alpha", "curves"], group_name="alpha", tags={"stage": "download"})
def alpha_curves(config: AlphaDownload):
    ran("alpha/curves")
    return [float(word) for word in config.input_files()[0].read_text().split()]
"""

FAMILY_ASSETS = ("architecture", "network")
FAMILY_SLOTS = {f"family/{what}[{part}]" for what in FAMILY_ASSETS for part in "abc"}
ARCHITECTURES = [f"family/architecture[{part}]" for part in "abc"]

UNITS = """

UNITS = {"a": 1, "b": 2, "c": 3}
"""


# what a sensor decides --------------------------------------------------------------------------


class Situation:
    """A state of things: what is stale, and which runs Dagster knows."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.instance = dg.DagsterInstance.ephemeral()
        self.sensor = stale_sensor(project)
        self.stale: list[dict[str, Any]] = []

    def look(self) -> dg.RunRequest | str:
        """What the sensor asks for, or why it doesn't."""
        context = dg.build_sensor_context(instance=self.instance)
        answer = self.sensor(context)
        if isinstance(answer, dg.RunRequest):
            return answer
        assert isinstance(answer, dg.SkipReason)
        return str(answer.skip_message)

    def asks(self) -> dg.RunRequest:
        answer = self.look()
        assert isinstance(answer, dg.RunRequest), answer
        return answer

    def run(
        self, status: dg.DagsterRunStatus, request: dg.RunRequest | None = None, **tags: str
    ) -> dg.DagsterRun:
        """Add a run, of the sensor's if it asked for it, or of anyone."""
        asked = {} if request is None else {**request.tags, "dagster/sensor_name": "stale"}
        named = {name.replace("_", "/"): value for name, value in tags.items()}
        job = "__ASSET_JOB" if request is None else "rebuild_stale"
        run = dg.DagsterRun(job_name=job, status=status, tags={**asked, **named})
        return self.instance.add_run(run)


def entry(asset: str = "alpha/features", kind: str = "code", now: str = "1a") -> dict[str, Any]:
    """A stale entry of `faint plan --json`."""
    reasons = [{"kind": kind, "detail": f"it changed (now {now})"}]
    return {"asset": asset, "partition": None, "reasons": reasons, "certain": True}


@pytest.fixture
def situation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Situation:
    (tmp_path / "toy").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.faint]\ndefinitions = "toy.definitions"\nsources = ["toy"]\n'
    )
    made_up = Situation(find(tmp_path))
    monkeypatch.setattr(module_under_test, "_stale", lambda project, selection: made_up.stale)
    return made_up


def test_with_nothing_stale_nothing_is_asked_for(situation: Situation) -> None:
    assert situation.look() == "nothing to do: 0 stale"


def test_a_tick_that_was_lost_is_made_up_for_by_the_next(situation: Situation) -> None:
    situation.stale = [entry()]
    assert situation.asks().run_key == situation.asks().run_key  # Dagster launches it once


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED"])
def test_while_its_run_is_in_progress_nothing_is_asked_for(
    situation: Situation, status: str
) -> None:
    situation.stale = [entry()]
    run = situation.run(dg.DagsterRunStatus(status), situation.asks())
    assert situation.look() == f"waiting for run {run.run_id} of rebuild_stale"


def test_while_anyones_run_is_in_progress_nothing_is_asked_for(situation: Situation) -> None:
    situation.stale = [entry()]
    run = situation.run(dg.DagsterRunStatus.STARTED)
    assert situation.look() == f"waiting for run {run.run_id} of __ASSET_JOB"


def test_a_run_that_says_nothing_for_hours_is_not_waited_for(
    situation: Situation, monkeypatch: pytest.MonkeyPatch
) -> None:
    situation.stale = [entry()]
    situation.run(dg.DagsterRunStatus.STARTED)
    monkeypatch.setattr(module_under_test, "EVENT_PATIENCE", 0.0)
    situation.asks()


def test_what_is_stale_again_after_a_success_is_asked_for_again(situation: Situation) -> None:
    situation.stale = [entry(kind="missing")]
    first = situation.asks()
    situation.run(dg.DagsterRunStatus.SUCCESS, first, faint_process=DEAD_PROCESS)
    assert situation.asks().run_key != first.run_key


def test_what_failed_rests_until_its_entry_changes(situation: Situation) -> None:
    situation.stale = [entry()]
    request = situation.asks()
    run = situation.run(
        dg.DagsterRunStatus.FAILURE,
        request,
        faint_process=DEAD_PROCESS,
        faint_failed=request.tags["faint/asked"],
    )
    assert situation.look() == (
        f"run {run.run_id} failed on what is stale now: alpha/features; it is tried again when "
        "that changes, or when you launch it"
    )
    situation.stale = [entry(now="2b")]  # the helper was corrected
    situation.asks()


def test_a_run_that_was_killed_is_asked_for_again_at_once(situation: Situation) -> None:
    situation.stale = [entry()]
    first = situation.asks()
    run = situation.run(dg.DagsterRunStatus.STARTED, first, faint_process=DEAD_PROCESS)
    second = situation.asks()
    assert second.run_key != first.run_key
    ended = situation.instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status == dg.DagsterRunStatus.FAILURE  # or it would keep a place in the queue
    assert situation.asks().run_key == second.run_key


def test_a_run_that_could_not_be_launched_is_asked_for_again_after_a_while(
    situation: Situation, monkeypatch: pytest.MonkeyPatch
) -> None:
    situation.stale = [entry()]
    situation.run(dg.DagsterRunStatus.FAILURE, situation.asks())
    assert "it is tried again" in str(situation.look())
    monkeypatch.setattr(module_under_test, "LAUNCH_PATIENCE", 0.0)
    situation.asks()


def test_new_files_are_what_the_files_sensor_asks_for(situation: Situation) -> None:
    situation.sensor = new_files_sensor(situation.project, "alpha", "alpha/curves")
    situation.stale = [entry("alpha/curves", "code"), entry("alpha/features", "data")]
    assert situation.look() == "nothing to do: 2 stale"
    situation.stale = [entry("alpha/curves", "data")]
    situation.asks()
    assert situation.sensor.job_name == "alpha"


def test_the_nightly_schedule_asks_for_the_systems_rebuild(
    situation: Situation, tmp_path: Path
) -> None:
    schedule = nightly("alpha")
    situation.instance = dg.DagsterInstance.local_temp(str(tmp_path))
    killed = situation.run(dg.DagsterRunStatus.STARTED, faint_process=DEAD_PROCESS)
    with dg.build_schedule_context(situation.instance) as context:
        tick = schedule.evaluate_tick(context)
    assert len(tick.run_requests or ()) == 1
    assert (schedule.job_name, schedule.cron_schedule) == ("alpha", "0 2 * * *")
    # A killed run would keep a place in the queue, and all places would be gone after a few.
    ended = situation.instance.get_run_by_id(killed.run_id)
    assert ended is not None
    assert ended.status == dg.DagsterRunStatus.FAILURE


def test_nothing_is_switched_on_by_default_and_names_fit_together(situation: Situation) -> None:
    models, settings = (dg.StaticPartitionsDefinition(list(keys)) for keys in ("ab", "cd"))

    @dg.asset(group_name="alpha")
    def curves() -> None: ...

    @dg.asset(group_name="alpha", partitions_def=models, deps=[curves])
    def architecture() -> None: ...

    @dg.asset(group_name="alpha", partitions_def=settings, deps=[architecture])
    def network() -> None: ...

    @dg.asset(group_name="alpha", partitions_def=settings, deps=[network])
    def evaluation() -> None: ...

    @dg.asset(group_name="beta")
    def scans() -> None: ...

    assets = [curves, architecture, network, evaluation, scans]
    automated = automation(situation.project, ["alpha", "beta"], files={"alpha": "curves"})
    automated["jobs"] += family_jobs(assets)
    repository = dg.Definitions(assets=assets, **automated).get_repository_def()
    assert {
        job.name: sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys)
        for job in repository.get_all_jobs()
        if not job.name.startswith("__")
    } == {
        "alpha": [],
        "beta": [],
        "rebuild_stale": [],
        "architecture_family": ["architecture"],
        "network_family": ["evaluation", "network"],
    }
    switches = [*repository.schedule_defs, *repository.sensor_defs]
    assert sorted(switch.name for switch in switches) == [
        "alpha_new_files",
        "alpha_nightly",
        "beta_nightly",
        "stale",
    ]
    assert {switch.default_status.value for switch in switches} == {"STOPPED"}


SLOW = """\
import signal, sys, time
signal.signal(signal.SIGINT, {reaction})
print("materialized  alpha/features", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("reaction", ["signal.default_int_handler", "signal.SIG_IGN"])
def test_terminating_a_rebuild_job_ends_its_process(
    situation: Situation, monkeypatch: pytest.MonkeyPatch, reaction: str
) -> None:
    started: list[subprocess.Popen[str]] = []

    class Popen(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    def terminate(line: str) -> None:
        raise KeyboardInterrupt

    command = [sys.executable, "-c", SLOW.format(reaction=reaction)]
    monkeypatch.setattr(module_under_test, "_faint", lambda arguments: command)
    ignores = reaction == "signal.SIG_IGN"
    monkeypatch.setattr(module_under_test, "STOP_SECONDS", 0.2 if ignores else served.DEADLINE)
    monkeypatch.setattr(subprocess, "Popen", Popen)
    with pytest.raises(KeyboardInterrupt):
        module_under_test._stream(situation.project, ["rebuild"], terminate)
    assert started[0].returncode == (-signal.SIGKILL if ignores else -signal.SIGINT)


# the toy ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory, toy_source: SimpleNamespace) -> Iterator[Any]:
    """A toy of one system and a partitioned family, built, in the environment of a `make ui`."""
    toy = toy_source.Toy(tmp_path_factory.mktemp("automated"))
    toy_source.write_toy(toy.root, ())
    (toy.package / "log.py").write_text(LOG)
    (toy.package / "definitions.py").write_text(DEFINITIONS)
    source = toy_source.system_source("alpha", ("cnn",))
    made_up = source[: source.index('\n\n\n@dg.asset(key=["alpha", "sample"]')]
    toy.append("from pathlib import Path\n\n" + source.replace(made_up, FILES) + FAMILY)
    (toy.package / "curves.txt").write_text("0 1 2 3 4 0 1 2")
    toy.append(UNITS, "helpers.py")
    (toy.root / "workspace.yaml").write_text(served.WORKSPACE)
    hold(toy)
    assert len(toy.rebuild().materialized) == 13
    toy.ran()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(find(toy.root).state / "dagster"))
        patch.setenv("TOY_LOG", str(toy.log))
        yield toy


def hold(toy: Any, *stages: str) -> None:
    """Let these stages wait once they have begun; the others go on."""
    (toy.root / "hold").write_text("\n".join(stages))


def begun(toy: Any) -> list[str]:
    """The stages that have begun since last asked which ran."""
    return toy.log.read_text().split() if toy.log.exists() else []


def lines_of(instance: dg.DagsterInstance, run: str) -> list[str]:
    records = instance.get_records_for_run(run).records
    return [record.event_log_entry.user_message for record in records]


def test_a_systems_job_runs_the_least_and_says_what_failed(toy: Any) -> None:
    job = system_job(find(toy.root), "alpha")
    with dg.DagsterInstance.get() as instance:
        toy.edit("values) / len(values)", "values) * 1.0 / len(values) / 0")
        run = job.execute_in_process(
            instance=instance, tags={"faint/asked": "x"}, raise_on_error=False
        )
        assert not run.success
        failure = run.get_step_failure_events()[0].step_failure_data.error
        assert failure is not None
        assert "alpha/cnn/evaluation: " in failure.message
        assert "division by zero" in failure.message
        assert run.dagster_run.tags[FAILED_TAG] == "x"
        # This process has long imported everything; the correction counts all the same.
        toy.edit(" * 1.0 / len(values) / 0", " * 1.0 / len(values)")
        run = job.execute_in_process(instance=instance)
        assert any(
            line.split()[:2] == ["materialized", "alpha/cnn/evaluation"]
            for line in lines_of(instance, run.run_id)
        )
        [stage_run] = instance.get_runs(dg.RunsFilter(tags={PARENT_TAG: run.run_id}))
        assert stage_run.run_id != run.run_id
        [output] = [event for event in run.all_events if event.is_successful_output]
        link = output.step_output_data.metadata["stage runs"].value
        assert parse_qs(urlsplit(link).query) == {"q[]": [f"tag:{PARENT_TAG}={run.run_id}"]}
    assert toy.ran() == ["alpha/cnn/evaluation"] * 2
    assert toy.reasons() == {}


def test_a_familys_job_builds_one_partition_a_run_and_plan_agrees(toy: Any) -> None:
    toy.edit('"c": 3', '"c": 4')
    with toy.open() as session:
        job = session.defs.resolve_job_def("family_architecture_family")
        assert job.execute_in_process(instance=session.instance, partition_key="c").success
    assert toy.ran() == ["family/architecture[c]", "family/network[c]"]
    assert toy.reasons() == {
        "family/architecture[a]": ["code"],
        "family/network[a]": ["dependency"],
        "family/architecture[b]": ["code"],
        "family/network[b]": ["dependency"],
    }
    toy.rebuild()
    assert toy.ran() == ["family/architecture[a]", "family/architecture[b]"]


class Watch:
    """The sensor and its runs, as Dagster's instance knows them."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance

    def rebuilds(self) -> list[str]:
        """Status of each run that the sensor asked for, the first one first."""
        runs = self.instance.get_runs(dg.RunsFilter(job_name="rebuild_stale"))
        return [run.status.value for run in reversed(runs)]

    def rests(self) -> None:
        """Wait until the sensor has looked twice from now on and asked for nothing."""
        (state,) = self.instance.all_instigator_state()
        begun = time.time()

        def ticks() -> list[Any]:
            found = self.instance.get_ticks(
                state.instigator_origin_id, state.selector_id, after=begun
            )
            return [tick for tick in found if tick.status.value != "STARTED"]

        wait_for(lambda: len(ticks()) >= 2, "two ticks")
        assert {tick.status.value for tick in ticks()} == {"SKIPPED"}


def test_the_daemon_rebuilds_what_is_stale_then_rests_and_a_kill_loses_nothing(toy: Any) -> None:
    subprocess.run(
        [served.BIN / "dagster", "sensor", "start", "stale", "-w", "workspace.yaml"],
        cwd=toy.root,
        check=True,
        capture_output=True,
    )
    toy.ran()
    with dg.DagsterInstance.get() as instance:
        watch = Watch(instance)
        before = len(watch.rebuilds())
        with served.daemon(toy):
            # A helper of the features, whose content changes: they and all below them.
            toy.edit("2 * shift(value)", "3 * shift(value)")
            wait_for(lambda: watch.rebuilds()[before:] == ["SUCCESS"], "rebuild")
            watch.rests()
            assert toy.ran() == [
                "alpha/cnn/evaluation",
                "alpha/cnn/network",
                "alpha/cnn/threshold",
                "alpha/features",
            ]
            # One network of the family, and a kill -9 of everything half-way.
            hold(toy, "family/network[b]")
            toy.edit('"b": 2', '"b": 5')
            wait_for(lambda: "family/network[b]" in begun(toy), "start of the training")
        assert toy.ran() == [*ARCHITECTURES, "family/network[b]"]
        assert watch.rebuilds()[before:] == ["SUCCESS", "STARTED"]  # as Dagster has it
        hold(toy)
        with served.daemon(toy):
            wait_for(lambda: watch.rebuilds()[before + 2 :] == ["SUCCESS"], "second rebuild")
            watch.rests()
        assert toy.ran() == ["family/network[b]"]
        assert watch.rebuilds()[before:] == ["SUCCESS", "FAILURE", "SUCCESS"]
    assert toy.reasons() == {}


class Watched(SimpleNamespace):
    """What became of the runs and ticks of one job since it was made."""

    def __init__(self, instance: dg.DagsterInstance, job: str) -> None:
        super().__init__(instance=instance, job=job, before=self.count(instance, job))

    @staticmethod
    def count(instance: dg.DagsterInstance, job: str) -> int:
        return len(instance.get_runs(dg.RunsFilter(job_name=job)))

    def asked(self) -> list[tuple[str, str]]:
        """Who asked for each run, and how it stands, the first one first."""
        runs = self.instance.get_runs(dg.RunsFilter(job_name=self.job))
        new = runs[: len(runs) - self.before]
        return [
            (
                run.tags.get("dagster/schedule_name") or run.tags["dagster/sensor_name"],
                run.status.value,
            )
            for run in reversed(new)
        ]


def command(toy: Any, *arguments: str) -> None:
    """Run one of Dagster's own commands, as a person would type it."""
    done = subprocess.run(
        [served.BIN / "dagster", *arguments, "-w", "workspace.yaml"],
        cwd=toy.root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_files_and_the_nightly_tick_each_rebuild_what_is_theirs(toy: Any) -> None:
    command(toy, "sensor", "stop", "stale")
    command(toy, "sensor", "start", "alpha_new_files")
    toy.ran()
    with dg.DagsterInstance.get() as instance, served.daemon(toy):
        by_sensor = Watched(instance, "alpha")
        (toy.package / "curves.txt").write_text("0 1 2 3 4 0 8 2")
        wait_for(
            lambda: by_sensor.asked() == [("alpha_new_files", "SUCCESS")], "rebuild for a new file"
        )
        changed = toy.ran()
        assert changed[-1] == "alpha/scaled"
        assert "alpha/curves" in changed
        assert not [stage for stage in changed if stage.startswith("family")]

        # Edited code is not what that sensor waits for; the night is.
        toy.edit('"a": 1', '"a": 7')
        toy.edit(" * 1.0 / len(values)", " * 2.0 / len(values)")
        asked = {system: Watched(instance, system) for system in ("alpha", "family")}
        for system in asked:
            command(toy, "schedule", "start", f"{system}_nightly")
        for system, runs in asked.items():
            nightly_done = [(f"{system}_nightly", "SUCCESS")]
            wait_for(
                lambda: runs.asked()[:1] == nightly_done,  # noqa: B023
                f"nightly rebuild of {system}",
            )
            command(toy, "schedule", "stop", f"{system}_nightly")
        assert toy.ran() == ["alpha/cnn/evaluation", *ARCHITECTURES, "family/network[a]"]
        command(toy, "sensor", "stop", "alpha_new_files")
    assert toy.reasons() == {}


def contents(toy: Any) -> dict[str, str]:
    """Hash of what is stored of each partition of the family, as its current build."""
    with toy.open() as session:
        records = {slot: session.store.current(slot) for slot in session.select("group:family")}
    return {str(slot): record.content for slot, record in records.items()}


BACKFILL = """mutation ($params: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $params) {
        __typename
        ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""


def test_backfills_by_command_and_by_web_ui_end_in_the_state_of_a_rebuild(
    toy: Any, tmp_path: Path
) -> None:
    rebuilt = toy.copy(tmp_path / "rebuilt")
    toy.edit('"b": 5, "c": 4', '"b": 6, "c": 7')
    rebuilt.edit('"b": 5, "c": 4', '"b": 6, "c": 7')
    rebuilt.rebuild("group:family", "all")

    def done(instance: dg.DagsterInstance, runs: int) -> bool:
        """Whether the latest backfill has ended, with this many runs."""
        [latest, *_] = instance.get_backfills()
        found = instance.get_runs(dg.RunsFilter.for_backfill(latest.backfill_id))
        states = [run.status.value for run in found]
        assert "FAILURE" not in states
        return latest.status.value.startswith("COMPLETED") and states == ["SUCCESS"] * runs

    with dg.DagsterInstance.get() as instance, served.daemon(toy):
        command(
            toy, "job", "backfill", "--noprompt", "--all", "all", "-j", "family_architecture_family"
        )
        wait_for(lambda: done(instance, 3), "backfill by the command")
        assert toy.ran() == sorted(FAMILY_SLOTS)
        assert toy.reasons() == {}
        assert contents(toy) == contents(rebuilt)

        # The same from the web UI, after a change of one; asked for that one.
        for one in (toy, rebuilt):
            one.edit('"c": 7', '"c": 9')
        rebuilt.rebuild("group:family", ["c"])
        with served.serving(toy.root, "toy", os.environ, served.DAGSTERS) as server:
            asked = {
                "assetSelection": [
                    {"path": ["family", what]} for what in ("architecture", "network")
                ],
                "partitionNames": ["c"],
            }
            answer = server.ask(BACKFILL, params=asked)["launchPartitionBackfill"]
            assert answer["__typename"] == "LaunchBackfillSuccess", answer
            wait_for(lambda: done(instance, 1), "backfill from the web UI")
    assert toy.ran() == ["family/architecture[c]", "family/network[c]"]
    assert contents(toy) == contents(rebuilt)
    rebuilt.rebuild()
    toy.rebuild()
    assert toy.reasons() == rebuilt.reasons() == {}

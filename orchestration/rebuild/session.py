"""A project opened to plan and to rebuild the least that brings it up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy.exc import DatabaseError

from orchestration.checks import Checks
from orchestration.errors import ProjectError
from orchestration.eventlog import EventLog
from orchestration.project import Project
from orchestration.rebuild.loading import load_definitions
from orchestration.rebuild.outcome import Outcome
from orchestration.rebuild.planning import Plan, Planner
from orchestration.rebuild.progress import Notice, Progress
from orchestration.rebuild.rebuilding import Rebuilding, interrupts
from orchestration.rebuild.runs import Runs, end_dead_runs
from orchestration.rebuild.selection import select
from orchestration.rebuild.watch import Watch
from orchestration.rebuild.workers import Group, Here, Processes, Results, Run, Workers
from orchestration.stages import GRAPH, Graph
from orchestration.store import Slot
from orchestration.store.verdicts import CheckSlot

ORCHESTRATION = Path(__file__).parents[1]


@contextmanager
def _database(home: Path) -> Iterator[None]:
    """Say in one line that Dagster's database can't be used, and what to do about it."""
    try:
        yield
    except DatabaseError as error:
        what = str(error.orig)
        remedy = (
            "another process holds it: try again when that has ended"
            if "locked" in what
            else "move it aside, and report to Dagster what is stored, with: faint doctor --mend"
        )
        raise ProjectError(
            f"Dagster's database in {home} can't be used ({what}); {remedy}"
        ) from error


class Session:
    """A project's definitions, store and Dagster instance, opened to plan and to rebuild.

    Parameters
    ----------
    project
        The project.
    instance
        Dagster's instance; the project's own by default.
    parent
        Id of the Dagster run that asked for this; the runs of the stages are tagged with it.

    Raises
    ------
    ProjectError
        If the definitions can't be loaded; says where and why.

    Attributes
    ----------
    seen
        What was read besides sources and store while the definitions were loaded, and within its
        further blocks.
    """

    def __init__(
        self,
        project: Project,
        instance: dg.DagsterInstance | None = None,
        parent: str | None = None,
    ) -> None:
        self.project = project
        self._parent = parent
        self._opened = datetime.now(UTC)
        self.seen = Watch((project.state, project.home, project.store, ORCHESTRATION))
        with self.seen:
            project.enter()
            self.defs = load_definitions(project)
        graph = (self.defs.resources or {}).get(GRAPH)
        if not isinstance(graph, Graph):
            raise ProjectError(
                f"{project.definitions}: its definitions don't use the store; build them with "
                "orchestration.build"
            )
        self.stages, self.store = graph.stages, graph.store
        self.checks = Checks(self.defs.asset_checks or (), graph)
        self.planner = Planner(graph, self.checks)
        self._instance = instance
        self._given = instance is not None
        self._runs: Runs | None = None

    @property
    def instance(self) -> dg.DagsterInstance:
        """Dagster's instance, opened when first asked for."""
        if self._instance is None:
            # Two that open a new home at once would both lay out its tables.
            opening = self.store.locks.lock("dagster instance", "opens Dagster's home")
            with opening, _database(self.project.home):
                self._instance = dg.DagsterInstance.get()
        return self._instance

    def stands_until(self) -> float | None:
        """When the clock alone changes what is planned, in seconds since 1970; None if never."""
        stages = [*self.stages.stages, *(check.stage for check, _ in self.checks.slots())]
        families = {stage.definition.partitions_def for stage in stages} - {None}
        return min((end for each in families for end in _ends(each, self._opened)), default=None)

    def logs_to(self, path: Path) -> bool:
        """Whether Dagster's event log is this file; opening it may create it."""
        storage = self.instance.event_log_storage
        return isinstance(storage, EventLog) and storage.path == path

    def close(self) -> None:
        """Close the instance; it opens again when asked for."""
        if self._instance is not None and not self._given:
            self._instance.dispose()
            self._instance = self._runs = None

    def select(
        self, selection: str | None = None, partitions: str | Sequence[str] | None = None
    ) -> list[Slot]:
        """Slots that a Dagster selection and partition keys name, upstream ones first."""
        return select(self.stages, self.defs, selection, partitions)

    def plan(self, slots: Sequence[Slot], *, verify: bool = False) -> Plan:
        """Plan ``slots`` and all that is upstream of them; report on ``slots``."""
        with _database(self.project.home):
            planned = self.planner.plan(slots, self.instance, verify=verify)
        stale = [planned[slot] for slot in slots if slot in planned]
        checks = self.planner.stale_checks(slots, planned)
        building = [(item.slot, item.certain) for item in stale if item.action == "build"]
        estimate = self.planner.durations().estimate(building)
        return Plan(stale, len(slots) - len(stale), checks, estimate)

    def blocked(self, slots: Sequence[Slot]) -> list[Slot]:
        """Unselected assets that must be built before ``slots`` can be."""
        chosen = set(slots)
        above = {
            s for slot in slots for group in self.stages.upstream(slot).values() for s in group
        }
        return [s for s in sorted(above - chosen) if self.store.current(s) is None]

    def rebuild(
        self,
        slots: Sequence[Slot],
        *,
        jobs: int = 1,
        verify: bool = False,
        progress: Progress | None = None,
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
            Hash every stored file in the first plan.
        progress
            Listens to what is done.
        """
        with _database(self.project.home):
            end_dead_runs(self.instance)
        workers: Workers = (
            Here(self.run)
            if jobs == 1
            else Processes(self.project, partial(open_worker, parent=self._parent), jobs)
        )
        rebuilding = Rebuilding(self.planner, self.instance, slots, workers, progress or Progress())
        try:
            with interrupts() as check, _database(self.project.home):
                return rebuilding.run(check, verify=verify)
        finally:
            workers.close()
            rebuilding.close()
            with _database(self.project.home):
                end_dead_runs(self.instance)

    def run(self, group: Group, tell: Callable[[Notice], None]) -> Results:
        """Run the stages or the checks of ``group`` in this process, as one Dagster run."""
        if self._runs is None:
            self._runs = Runs(
                self.planner.graph, self.checks, self.defs, self.instance, self._parent
            )
        runs = self._runs
        checks = [at for at in group if isinstance(at, CheckSlot)]
        if checks:
            return runs.run_checks(checks)
        return runs.run_stages([slot for slot in group if isinstance(slot, Slot)], tell)


def _ends(partitions: Any, now: datetime) -> list[float]:
    """When partitions may be others than now."""
    if isinstance(partitions, dg.MultiPartitionsDefinition):
        return [
            end for each in partitions.partitions_defs for end in _ends(each.partitions_def, now)
        ]
    if isinstance(partitions, dg.TimeWindowPartitionsDefinition):
        window = partitions.get_next_partition_window(now, respect_bounds=False)
        return [window.start.timestamp()] if window else []
    told = dg.StaticPartitionsDefinition | dg.DynamicPartitionsDefinition
    return [] if isinstance(partitions, told) else [now.timestamp()]


def open_worker(project: Project, parent: str | None = None) -> Run:
    """Open a project in a worker process; returns what runs a group there."""
    return Session(project, parent=parent).run

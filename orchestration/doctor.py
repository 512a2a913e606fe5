"""`faint doctor`: what is damaged in the store and in Dagster's home, and how it is mended.

The store is what counts. It is examined first, then the databases in Dagster's home, and at last
what Dagster's event log says of the project's assets, which the store knows better. Each finding is
looked for after the one before was mended, so that one pass mends all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import dagster as dg

from orchestration.errors import ProjectError
from orchestration.project import Project
from orchestration.rebuild.memo import EVENT_LOG
from orchestration.rebuild.planning import some
from orchestration.rebuild.publishing import is_logged, report
from orchestration.rebuild.runs import dead_runs, end_dead_runs
from orchestration.rebuild.session import Session
from orchestration.store import Slot, Store
from orchestration.store.damage import Aside, Finding, examine_slots

LOCKED = ("locked", "busy")


def examine(project: Project, aside: Aside) -> Iterator[Finding]:
    """Say what is damaged; whoever takes the next finding has mended the one before, or won't.

    Raises
    ------
    ProjectError
        If a database is in use, or the project's definitions can't be loaded: what was damaged
        before that has been said.
    """
    store = Store(project.store, project.locks, project.sources)
    if finding := _examine_locks(store, aside):
        yield finding
        if _examine_locks(store, aside):
            return
    yield from examine_slots(store, (), aside)
    anew: list[Path] = []
    for path in sorted(project.home.glob("*.db")):
        if finding := _examine_database(path, aside, anew):
            yield finding
    if any(_wrong_with(path) for path in project.home.glob("*.db")):
        return  # what it says can't be compared
    session = Session(project)
    try:
        if finding := _examine_instance(session, aside):
            yield finding
            if _examine_instance(session, aside):
                return
        if any(path.name == EVENT_LOG for path in anew):
            _add_partitions(session)
        yield from _examine_log(session)
    finally:
        session.close()


def count(project: Project) -> int:
    """How many slots have a build."""
    store = Store(project.store, project.locks, project.sources)
    return sum(store.current(slot) is not None for slot in store.slots())


# locks ------------------------------------------------------------------------------------------


def _examine_locks(store: Store, aside: Aside) -> Finding | None:
    """Find what stands in the place of a lock; a lock file binds nobody once its holder ends."""
    folder = store.locks.folder
    wrong = [path for path in folder.glob("*") if not path.is_file()] if folder.is_dir() else []
    if folder.exists() and not folder.is_dir():
        wrong = [folder]

    def mend() -> None:
        for path in wrong:
            aside.take(path, f"locks/{path.name}")

    problems = tuple(f"{path} is in the place of a lock" for path in sorted(wrong))
    return Finding("locks", problems, "moved aside", mend) if wrong else None


# databases --------------------------------------------------------------------------------------


def _examine_database(path: Path, aside: Aside, anew: list[Path]) -> Finding | None:
    """Find that a database of Dagster's is damaged; ``anew`` gets its path when it is mended."""
    what = _wrong_with(path)
    if not what:
        return None
    problems = (f"{path} is damaged ({what})",)
    if users := _open_in(path):
        remedy = f"first end what has it open: process {', '.join(map(str, users))}"
        return Finding("Dagster", problems, remedy)

    def mend() -> None:
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
            aside.take(path.with_name(name), f"dagster/{name}")
        anew.append(path)

    lost = {
        EVENT_LOG: "what is stored is reported to a new one; the logs of earlier runs stay in it",
        "runs.db": "the list of earlier runs stays in it",
        "schedules.db": "schedules and sensors are off until they are switched on again",
    }
    return Finding(
        "Dagster", problems, f"moved aside; {lost.get(path.name, 'it is made anew')}", mend
    )


def _wrong_with(path: Path) -> str:
    """What SQLite says is wrong with a database; empty if nothing is.

    Raises
    ------
    ProjectError
        If another process keeps it locked.
    """
    try:
        # Not read-only: what a killed process left in the write-ahead log is part of it.
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)) as database:
            rows = database.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        if any(word in str(error) for word in LOCKED):
            raise ProjectError(
                f"Dagster's database {path} can't be examined ({error}): another process holds it; "
                "try again when that has ended"
            ) from error
        return str(error)
    return "" if rows == [("ok",)] else str(rows[0][0]).replace("\n", " ")


def _open_in(path: Path) -> list[int]:
    """Other processes that have a file open, as far as this user may know."""
    users = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if link.samefile(path):
                users.add(int(link.parts[2]))
    return sorted(users)


# Dagster's instance -----------------------------------------------------------------------------


def _examine_instance(session: Session, aside: Aside) -> Finding | None:
    """Find that Dagster's instance can't be opened, or its databases lack tables."""
    home = session.project.home
    try:
        session.instance.get_runs(limit=1)
        session.instance.get_asset_records([dg.AssetKey("none")])
    except Exception as error:  # Dagster raises many kinds
        if any(word in str(error) for word in LOCKED):
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
    else:
        return None
    problems = (f"Dagster can't be opened in {home}: {first}",)
    if home != session.project.state / "dagster":
        return Finding("Dagster", problems, "mend its dagster.yaml, which is not faint's own")

    def mend() -> None:
        session.close()
        for path in (home / "dagster.yaml", *home.glob("*.db*")):
            aside.take(path, f"dagster/{path.name}")
        session.project.set_up_home()

    remedy = "its dagster.yaml and databases are moved aside, and what is stored is reported anew"
    return Finding("Dagster", problems, remedy, mend)


def _examine_log(session: Session) -> Iterator[Finding]:
    """Find where Dagster's event log and the store differ."""
    graph, instance = session.planner.graph, session.instance
    slots = session.select()
    records = {slot: session.store.current(slot) for slot in slots}
    logged = session.planner.logged({slot.asset for slot in slots}, instance)
    lacking = [
        record
        for record in records.values()
        if record is not None and not is_logged(graph, record, logged.get(record.slot))
    ]

    def report_lacking() -> None:
        for record in lacking:
            report(graph, instance, record)

    if lacking:
        yield Finding(
            "Dagster",
            (_listing("its event log doesn't show", "as it is stored", [r.slot for r in lacking]),),
            "reported to it from the store",
            report_lacking,
        )
    gone = [
        slot
        for slot in slots
        if records[slot] is None and slot in logged and not session.store.unreadable(slot)
    ]
    if gone:
        yield _gone(session, gone, empty=not any(records.values()))
    if dead := dead_runs(instance):
        yield Finding(
            "Dagster",
            (f"{len(dead)} of its runs count as running, though their processes have ended",),
            "marked as failed",
            lambda: end_dead_runs(instance),
        )


def _gone(session: Session, slots: Sequence[Slot], *, empty: bool) -> Finding:
    """Of slots that Dagster shows as built and the store doesn't have."""
    graph, instance = session.planner.graph, session.instance
    problems = (_listing("its event log shows", "as built, and the store has no build", slots),)
    if empty:
        where = f"the store {session.project.store} has nothing of what Dagster shows"
        return Finding("Dagster", problems, f"{where}: is it the right one (FAINT_STORE)?")

    def mend() -> None:
        assets = sorted({slot.asset for slot in slots})
        instance.wipe_assets([dg.AssetKey(asset.split("/")) for asset in assets])
        for slot in (slot for asset in assets for slot in session.stages.slots(asset)):
            if record := session.store.current(slot):  # of other partitions
                report(graph, instance, record)

    remedy = "marked as never built (the events stay in the log); `faint rebuild` builds them"
    return Finding("Dagster", problems, remedy, mend)


def _add_partitions(session: Session) -> None:
    """Tell a new event log of partitions that are added while the project is in use."""
    for slot in session.store.slots():
        stage = session.stages.by_key.get(slot.asset)
        if stage is not None and slot.partition is not None:
            for name, key in _dynamic_keys(stage.partitions_def, slot.partition):
                session.instance.add_dynamic_partitions(name, [key])


def _dynamic_keys(
    definition: dg.PartitionsDefinition | None, key: str
) -> Iterator[tuple[str, str]]:
    """Family and key of each part of a partition key that is of a dynamic family."""
    if isinstance(definition, dg.DynamicPartitionsDefinition) and definition.name:
        yield definition.name, key
    if isinstance(definition, dg.MultiPartitionsDefinition):
        for dimension, part in zip(definition.partitions_defs, key.split("|"), strict=False):
            yield from _dynamic_keys(dimension.partitions_def, part)


def _listing(before: str, after: str, slots: Sequence[Slot]) -> str:
    return f"{before} {some([str(slot) for slot in slots])} {after}"

"""What is damaged in a store, and how it is mended: what can't be used is moved aside, not deleted.

A slot is mended by what is whole of it: its newest intact build becomes current where the current
one can't be used, and a slot without an intact build counts as never built.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestration.errors import StoreUnreachableError
from orchestration.store.files import TEMPORARY, Files
from orchestration.store.records import PICTURES, Record, Slot
from orchestration.store.storage import BUILDS, CHECKS, CURRENT, PARTS, RESERVED, Store
from orchestration.store.verdicts import whole_verdicts


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Parameters
    ----------
    where
        What it is about: an asset or one of its partitions, or a part of Dagster's home.
    problems
        What is wrong, a line each.
    remedy
        What mending does, or what someone has to do where it can't be mended.
    mend
        Mends it; None where only someone else can.
    harmless
        Whether it only takes up space.
    """

    where: str
    problems: tuple[str, ...]
    remedy: str
    mend: Callable[[], None] | None = None
    harmless: bool = False


class Aside:
    """Where what is replaced is moved to.

    Parameters
    ----------
    folder
        A folder of this machine: what is moved by one process goes to one folder in it.

    Attributes
    ----------
    place
        That folder; made with the first thing that is moved.
    """

    def __init__(self, folder: Path) -> None:
        self.place = folder / datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")

    def take(self, path: Any, name: str, files: Files | None = None) -> None:
        """Move a file or folder here, under ``name``; one that is gone is no error."""
        target = self.place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        while target.exists():
            target = target.with_name(f"{target.name}-again")
        if files is None or files.local:
            if Path(path).exists():
                shutil.move(path, target)
            return
        with files.answering():
            path.fs.get_file(path.path, str(target))
            path.unlink()


def examine_slots(store: Store, known: Collection[Slot], aside: Aside) -> Iterator[Finding]:
    """Say what is damaged in each slot of a store, every file of which is read.

    Parameters
    ----------
    store
        The store.
    known
        Slots of the project; those that the store has besides are examined as well.
    aside
        Where what can't be used is moved when it is mended.
    """
    for slot in sorted({*store.slots(), *known}, key=lambda s: (s.asset, s.partition or "")):
        if RESERVED.intersection(slot.asset.split("/")):  # in a folder where a file belongs
            continue
        with store.locks.changing(slot, wait=False) as acquired:
            problems = _problems(store, slot) if acquired else []
        leftover = [each for each in problems if each.harmless]
        damage = [each for each in problems if not each.harmless]
        for group in (damage, leftover):
            if group:
                yield Finding(
                    where=str(slot),
                    problems=tuple(each.detail for each in group),
                    remedy=_remedy(store, slot, group),
                    mend=lambda slot=slot: mend_slot(store, slot, aside),  # type: ignore[misc]
                    harmless=group is leftover,
                )


def mend_slot(store: Store, slot: Slot, aside: Aside) -> None:
    """Move what can't be used of a slot aside, and make its newest intact build current."""
    with store.locks.collecting(), store.locks.changing(slot):
        for problem in _problems(store, slot):
            for path in problem.paths:
                name = str(path.relative_to(store.files.root))
                aside.take(path, f"store/{name}", store.files)
        records = store.records(slot)
        if store.current(slot) is None and records:
            store.make_current(records[0])
        current = store.current(slot)
        if current is not None and store.built(slot, current.build) is None:
            store.write_record(current)


@dataclass(frozen=True)
class _Problem:
    detail: str
    paths: tuple[Any, ...] = ()
    harmless: bool = False


def _remedy(store: Store, slot: Slot, group: list[_Problem]) -> str:
    if all(each.harmless for each in group):
        return "moved aside"
    broken = {path for each in group for path in each.paths}
    if store.folder(slot) / CURRENT not in broken:
        return "moved aside"
    left = [
        record
        for record in store.records(slot)
        if store.folder(slot) / BUILDS / f"{record.build}.json" not in broken
    ]
    return (
        "moved aside, and its newest intact build becomes current"
        if left
        else f"moved aside, and then built anew by: {slot.command}"
    )


def _problems(store: Store, slot: Slot) -> list[_Problem]:
    """Everything that is wrong in the folder of one slot."""
    folder, files = store.folder(slot), store.files
    problems: list[_Problem] = []
    unusable: dict[str, str] = {}  # artifacts, and why
    named: set[str] = set()  # artifacts and pictures that a whole record names

    def examine(path: Any, record: Record | None, *, current: bool) -> None:
        if record is None:
            problems.append(_Problem(f"{path} is no whole record of it", (path,)))
            return
        named.update(record.files)
        detail = unusable.get(record.artifact.file) or _unusable(store, record, read=current)
        if detail:
            unusable[record.artifact.file] = detail
            problems.append(_Problem(detail, (path, store.path(record))))

    if files.local and folder.is_file():
        return [_Problem(f"{folder} is a file where a folder belongs", (folder,))]
    current = store.current(slot)
    if current is not None or store.unreadable(slot):
        examine(folder / CURRENT, current, current=True)
    for path in sorted(files.children(folder / BUILDS)):
        if not path.name.startswith(TEMPORARY):
            examine(path, store.built(slot, path.name.removesuffix(".json")), current=False)
    if current is not None and store.built(slot, current.build) is None:
        path = folder / BUILDS / f"{current.build}.json"
        problems.append(_Problem(f"{path}, the record of its current build, is missing"))
    for path in sorted(files.children(folder / CHECKS)):
        if not path.name.startswith(TEMPORARY) and whole_verdicts(files.read_text(path)) is None:
            problems.append(_Problem(f"{path} holds no whole verdicts", (path,)))
    left = []
    for path in files.children(folder):
        if path.name in PARTS:
            problems.append(_Problem(f"{path} is a file where a folder belongs", (path,)))
        elif path.name not in {*named, CURRENT}:
            left.append(path)
    for place in (folder / part for part in PARTS):
        left += [
            path
            for path in files.children(place)
            if path.name.startswith(TEMPORARY)
            or (place.name == PICTURES and f"{PICTURES}/{path.name}" not in named)
        ]
        for path in files.folders(place):
            problems.append(_Problem(f"{path} is a folder where a file belongs", (path,)))
    if left:
        size = sum(files.stat(path)[0] for path in left)  # type: ignore[misc]
        count = f"{len(left)} file{'' if len(left) == 1 else 's'}"
        detail = f"{count} ({size / 1e6:,.1f} MB) of killed or repeated builds in {folder}"
        problems.append(_Problem(detail, tuple(left), harmless=True))
    return problems


def _unusable(store: Store, record: Record, *, read: bool) -> str:
    """Why an artifact can't be used, empty if it can: hashed, and with ``read`` read as well."""
    if defect := store.defect(record, verify=True):
        return defect.detail
    if read:
        try:
            store.value(record)
        except StoreUnreachableError:
            raise
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            return f"{store.path(record)} can't be read as {record.format} ({first})"
    return ""

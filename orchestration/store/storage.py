"""The store: records of what was built, and the artifacts they name.

Each slot (an asset, or one partition of it) has a folder below the store's root::

    exoplanets/cnn_network/            a partition's folder is @<partition> below its asset's
        3f1c...-9a0b12cd.keras         artifacts, named by content and by file hash
        _builds/77aa....json           one record per build: versions, inputs, artifact, metadata
        _checks/finite.json            latest verdict of each asset check: see `verdicts`
        _pictures/4be1....png          pictures that the web UI shows of its builds, by content
        current.json                   the record that is current, replaced in one step

An artifact is written under a temporary name, flushed and renamed; then its pictures; then its
record; then `current.json`. A process killed in between leaves the earlier state.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from orchestration.errors import StoreUnreachableError
from orchestration.store.files import Files, Stat
from orchestration.store.integrity import Defect, inspect
from orchestration.store.locks import Locks
from orchestration.store.records import (
    DIGEST,
    LONGEST_NAME,
    PARTITION,
    PICTURES,
    Artifact,
    Record,
    Slot,
    partition_name,
)

if TYPE_CHECKING:
    from orchestration.store.formats import Written

BUILDS = "_builds"
CHECKS = "_checks"
CURRENT = "current.json"
PARTS = (BUILDS, CHECKS, PICTURES)
"""Folders in a slot's folder."""
RESERVED = frozenset({*PARTS, CURRENT})
"""Names in a slot's folder that no asset below it may have."""


def unfit(part: str) -> str:
    """Say why the store can't have a folder of a part of an asset key; empty if it can."""
    if part in RESERVED:
        return f"be {part}: the store uses it"
    if part in ("", ".", ".."):
        return f"be {part!r}: the store makes a folder of it"
    if part.startswith(PARTITION):
        return f"begin with {PARTITION}: the store's folders of partitions do"
    if len(part.encode()) > LONGEST_NAME:
        return f"have more than {LONGEST_NAME} bytes: the store makes a folder of it"
    return ""


class Stored(NamedTuple):
    """An artifact that has just been stored, to be described.

    Attributes
    ----------
    written
        What its format reports of it.
    file
        Its name in the slot's folder.
    load
        Reads its value back.
    """

    written: Written
    file: str
    load: Callable[[], Any]


class Description(NamedTuple):
    """What is shown of an artifact: a record's metadata, and the pictures that they link.

    Attributes
    ----------
    metadata
        As `Record.metadata`.
    pictures
        Contents of the pictures by file name.
    """

    metadata: str = ""
    pictures: Mapping[str, bytes] = {}


class ArtifactError(RuntimeError):
    """A stored result can't be used: which, why, and the command that rebuilds it."""


class Store:
    """Records and artifacts below one root.

    Parameters
    ----------
    root
        Folder, or a URL that fsspec knows, such as ``s3://bucket/prefix``.
    locks
        Local folder for the locks of the store's users on this machine.
    packages
        Packages of the project: networks and estimators may hold types of theirs.

    Attributes
    ----------
    at_first
        What was current when a run of this process began, of slots that it may depend on.
    """

    def __init__(self, root: str | Path, locks: Path, packages: Sequence[str] = ()) -> None:
        self.url = str(root)
        self.files = Files(self.url)
        self.locks = Locks(locks)
        self._listener: Callable[[Slot], None] = lambda slot: None
        self.at_first: Mapping[Slot, Record | None] = {}
        self._packages = tuple(packages)

    @contextmanager
    def listening(
        self, listener: Callable[[Slot], None], above: Iterable[Slot] = ()
    ) -> Iterator[None]:
        """Call ``listener`` with each slot that this process stores within the block.

        What is current of ``above`` at its beginning is kept as `at_first` meanwhile.
        """
        before, self._listener = self._listener, listener
        self.at_first = {slot: self.current(slot) for slot in above}
        try:
            yield
        finally:
            self._listener, self.at_first = before, {}

    # records

    def folder(self, slot: Slot) -> Any:
        """Return the folder of a slot: a Path, or a UPath in a remote store."""
        return self.files.root / slot.folder

    def current(self, slot: Slot) -> Record | None:
        """Return the current record; None if there is none that is whole."""
        return self._read_record(slot, self.folder(slot) / CURRENT)

    def unreadable(self, slot: Slot) -> Any:
        """Return the path of a current record that is there but can't be used; None otherwise."""
        path = self.folder(slot) / CURRENT
        with self.files.answering():
            return path if self.current(slot) is None and path.exists() else None

    def built(self, slot: Slot, build: str) -> Record | None:
        """Return the record of an earlier build; None if there is none."""
        record = self._read_record(slot, self.folder(slot) / BUILDS / f"{build}.json")
        return record if record is not None and record.build == build else None

    def records(self, slot: Slot) -> list[Record]:
        """Return all builds of a slot, newest first."""
        paths = self.files.children(self.folder(slot) / BUILDS)
        records = (self._read_record(slot, path) for path in paths if path.name.endswith(".json"))
        return sorted(filter(None, records), key=lambda record: -record.created)

    def slots(self) -> list[Slot]:
        """Return every slot that holds a file, if only one that a killed process left."""
        root = self.files.root
        with self.files.answering():
            folders = {
                path.parent.parent if path.parent.name in PARTS else path.parent
                for path in root.rglob("*")
                if path.is_file()
            }
        slots = []
        for folder in sorted(folders):
            asset, mark, _ = str(folder.relative_to(root)).partition(f"/{PARTITION}")
            partition = self._partition_in(folder) if mark else None
            if partition is not None or not mark:
                slots.append(Slot(asset, partition))
        return slots

    def partitions(self, asset: str) -> list[str]:
        """Return the partitions of an asset that have a folder, sorted."""
        found = (
            self._partition_in(folder)
            for folder in self.files.folders(self.files.root / asset)
            if folder.name.startswith(PARTITION)
        )
        return sorted(filter(None, found))

    def _partition_in(self, folder: Any) -> str | None:
        """Return whose folder it is; None for a shortened name without a whole record."""
        name = folder.name.removeprefix(PARTITION)
        if DIGEST not in name:
            return unquote(name)
        for path in (folder / CURRENT, *self.files.children(folder / BUILDS)):
            record = Record.from_json(self.files.read_text(path) or "")
            if record is not None and partition_name(record.slot.partition or "") == name:
                return record.slot.partition
        return None

    def paths(self, slot: Slot, record: Record) -> tuple[str, str]:
        """Return the local paths of `current.json` and the artifact."""
        return str(self.folder(slot) / CURRENT), str(self.path(record))

    def make_current(self, record: Record) -> None:
        """Make ``record`` the current one of its slot."""
        path = self.folder(record.slot) / CURRENT
        self.files.write_text(path, record.to_json(metadata=False))

    def _read_record(self, slot: Slot, path: Any) -> Record | None:
        text = self.files.read_text(path)
        record = None if text is None else Record.from_json(text)
        return record if record is not None and record.slot == slot else None

    def write_record(self, record: Record) -> None:
        """Keep the record of a build beside the current one."""
        path = self.folder(record.slot) / BUILDS / f"{record.build}.json"
        self.files.write_text(path, record.to_json())

    # artifacts

    def path(self, record: Record) -> Any:
        """Return the path of a record's artifact: a Path, or a UPath in a remote store."""
        return self.folder(record.slot) / record.artifact.file

    def defect(self, record: Record, *, verify: bool = False) -> Defect | None:
        """Check whether a record's artifact is what was stored; see `integrity.inspect`.

        A file that turns out intact has its new stat remembered.
        """
        artifact = record.artifact
        defect, stat = inspect(self.files, self.path(record), artifact, verify=verify)
        if defect is None and stat != artifact.stat:
            self._remember_stat(record, stat)
        return defect

    def _remember_stat(self, record: Record, stat: Stat) -> None:
        # A store that can't be written to can still be read; one that is busy is checked again.
        with suppress(OSError), self.locks.changing(record.slot, wait=False) as acquired:
            if not acquired:
                return
            kept, current = self.built(record.slot, record.build), self.current(record.slot)
            if kept is not None and kept.artifact.file == record.artifact.file:
                self.write_record(replace(kept, artifact=replace(kept.artifact, stat=stat)))
            if current is not None and current.artifact.file == record.artifact.file:
                self.make_current(replace(current, artifact=replace(current.artifact, stat=stat)))

    def write(
        self,
        slot: Slot,
        value: object,
        format_name: str,
        *,
        version: Mapping[str, Any],
        inputs: Mapping[str, str],
        build: str,
        content: str | None = None,
        seconds: float = 0.0,
        run: str = "",
        describe: Callable[[Stored], Description] = lambda _: Description(),
    ) -> Record:
        """Store a value, its artifact and then the record of its build, and make it current.

        Parameters
        ----------
        slot, value, format_name
            What to store, where and how.
        version, inputs, build, seconds, run
            For its record.
        content
            Its data version, where that isn't the hash of what is stored.
        describe
            Returns what is shown of the value once it is stored.
        """
        from orchestration.store.formats import FORMATS

        format_ = FORMATS[format_name]
        folder = self.folder(slot)
        with self.locks.changing(slot):
            with self.files.temporary(folder, format_.suffix) as temporary:
                written = format_.write(value, temporary)
                digest, size = self.files.sha256(temporary), temporary.stat().st_size
                name = f"{written.content[:24]}-{digest[:8]}{format_.suffix}"
                self.files.publish(temporary, folder / name)
            shown = describe(Stored(written, name, lambda: self._open(folder / name, format_name)))
            for picture, image in shown.pictures.items():
                self._write_picture(folder / PICTURES, picture, image)
            record = Record(
                slot=slot,
                content=written.content if content is None else content,
                version=version,
                inputs=inputs,
                build=build,
                artifact=Artifact(name, size, digest, self.files.stat(folder / name)),
                format=format_name,
                created=time.time(),
                seconds=seconds,
                run=run,
                metadata=shown.metadata,
                pictures={picture: len(image) for picture, image in shown.pictures.items()},
            )
            self.write_record(record)
            self.make_current(record)
        self._listener(slot)
        return record

    def restore(self, record: Record) -> bool:
        """Make an earlier build current; False if its artifact has gone or changed meanwhile."""
        with self.locks.changing(record.slot):
            if self.defect(record) is not None:
                return False
            self.make_current(record)
        return True

    def load(self, slot: Slot) -> Any:
        """Read the value of a slot; errors as `read`."""
        return self.read(slot)[1]

    def read(self, slot: Slot) -> tuple[Record, Any]:
        """Read the value of a slot, with its record.

        Raises
        ------
        ArtifactError
            If nothing is stored, or what is stored is missing, damaged or unreadable; names the
            asset, the file and the command that rebuilds it.
        """
        with self.locks.reading():
            record = self.current(slot)
            if record is None:
                raise ArtifactError(f"{slot} has not been built yet; build it with: {slot.command}")
            if defect := self.defect(record):
                raise ArtifactError(f"{slot}: {defect.detail}; rebuild it with: {slot.command}")
            try:
                return record, self.value(record)
            except StoreUnreachableError:
                raise
            except Exception as error:
                raise ArtifactError(
                    f"{slot}: {self.path(record)} can't be read as {record.format} ({error}); "
                    f"move it aside with: faint doctor --mend; then rebuild it with: {slot.command}"
                ) from error

    def value(self, record: Record) -> Any:
        """Read the artifact of a record; raises whatever its format raises."""
        return self._open(self.path(record), record.format)

    def _write_picture(self, folder: Any, name: str, image: bytes) -> None:
        with self.files.temporary(folder, ".png") as temporary:
            temporary.write_bytes(image)
            self.files.publish(temporary, folder / name)

    def _open(self, path: Any, format_name: str) -> Any:
        from orchestration.store.formats import FORMATS

        format_ = FORMATS[format_name]
        own = (self._packages,) if format_.own_types else ()
        if self.files.local:
            return format_.read(path, *own)
        if format_.lazy:
            return format_.read(path.open("rb"))
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            with self.files.answering(), path.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
            return format_.read(copy, *own)

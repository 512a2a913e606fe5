"""Where results live: records of what was built, and the artifacts they name.

Each slot (an asset, or one partition of it) has a folder below the store's root::

    exoplanets/cnn/network/            a partition's folder is @<partition> below its asset's
        3f1c...-9a0b12cd.keras         artifacts, named by content and by file hash
        _builds/77aa....json           one record per build: versions, inputs, artifact, metadata
        current.json                   the record that is current, replaced in one step

An artifact is written under a temporary name, flushed and renamed; then its record; then
`current.json`. Whatever is killed in between leaves the earlier state. What makes a slot stale is
`orchestration.rebuild.planning`; how a value becomes a file is `orchestration.store.formats`.

Locks are of this machine, and the system frees them when a process ends, however it ends. Who
builds a slot holds `Store.building` from the decision to the result; who changes its folder holds
`Store.changing` while it does; who opens an artifact keeps `Store.free` out until it is open.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from orchestration.store.formats import Format, Written

RECORD_FORMAT = 1
TEMPORARY = ".tmp-"
BUILDS = "_builds"
CURRENT = "current.json"
FREEING = "freeing"


class ArtifactError(RuntimeError):
    """A stored result can't be used: which, why, and the command that rebuilds it."""


@dataclass(frozen=True, order=True)
class Slot:
    """An asset, or one partition of it.

    Parameters
    ----------
    asset
        Asset key joined by slashes, such as ``exoplanets/cnn/network``.
    partition
        Partition key; None for an asset without partitions.
    """

    asset: str
    partition: str | None = None

    def __str__(self) -> str:
        return self.asset if self.partition is None else f"{self.asset}[{self.partition}]"

    @property
    def folder(self) -> str:
        """Path below the store's root."""
        return (
            self.asset
            if self.partition is None
            else f"{self.asset}/@{quote(self.partition, safe='')}"
        )

    @property
    def command(self) -> str:
        """The command that rebuilds it."""
        chosen = "" if self.partition is None else f" --partitions '{self.partition}'"
        return f"faint rebuild {self.asset}{chosen}"


@dataclass(frozen=True)
class Artifact:
    """One stored file: its name in the slot's folder, its size, its hash and its last stat."""

    file: str
    bytes: int
    sha256: str
    stat: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Record:
    """One build of one slot.

    Parameters
    ----------
    slot
        What was built.
    content
        Hash of the stored content, Dagster's data version.
    version
        What it was built with: see `orchestration.stages.Version`, as plain data.
    inputs
        Data version of each upstream asset as it was read.
    build
        Hash of version and inputs: what would have to be built again is found by it.
    artifact
        The stored file.
    format
        Name of the format the file is in.
    created, seconds
        When it was stored (seconds since 1970) and how long the stage ran.
    run
        Dagster run that built it.
    metadata
        Dagster's metadata of the materialisation, serialised; empty in `current.json`.
    """

    slot: Slot
    content: str
    version: Mapping[str, Any]
    inputs: Mapping[str, str]
    build: str
    artifact: Artifact
    format: str
    created: float
    seconds: float
    run: str
    metadata: str = ""

    def to_json(self, *, metadata: bool = True) -> str:
        """Serialise it."""
        data = asdict(self) | {"record": RECORD_FORMAT}
        if not metadata:
            data["metadata"] = ""
        return json.dumps(data, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Record | None:
        """Read it back; None if it is not a whole record of this format."""
        try:
            data = json.loads(text)
            if data.pop("record") != RECORD_FORMAT:
                return None
            artifact = data.pop("artifact")
            artifact["stat"] = tuple(artifact["stat"])
            return cls(slot=Slot(**data.pop("slot")), artifact=Artifact(**artifact), **data)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(frozen=True)
class Damage:
    """Why a stored file can't be used."""

    kind: Literal["missing", "corrupt"]
    detail: str


class Store:
    """Records and artifacts below one root.

    Parameters
    ----------
    root
        Folder, or a URL that fsspec knows, such as ``s3://bucket/prefix``.
    locks
        Local folder for the locks of those who build into this store from this machine.
    """

    def __init__(self, root: str | Path, locks: Path) -> None:
        self.url = str(root)
        self.locks = locks
        self.stored: Callable[[Slot], None] = lambda slot: None
        """Called with each slot that this process has stored and made current."""
        self._changing: set[Slot] = set()
        self.local = "://" not in self.url
        self._root: Any
        if self.local:
            self._root = Path(self.url).absolute()
        else:
            from upath import UPath

            self._root = UPath(self.url)

    # records

    def current(self, slot: Slot) -> Record | None:
        """The record that is current; None if there is none that is whole."""
        return self._read_record(self._root / slot.folder / CURRENT)

    def built(self, slot: Slot, build: str) -> Record | None:
        """The record of an earlier build; None if there is none."""
        return self._read_record(self._root / slot.folder / BUILDS / f"{build}.json")

    def records(self, slot: Slot) -> list[Record]:
        """All builds of a slot, newest first."""
        folder = self._root / slot.folder / BUILDS
        found = [self._read_record(path) for path in self._children(folder)]
        return sorted(filter(None, found), key=lambda record: -record.created)

    def slots(self) -> list[Slot]:
        """Every slot that holds anything, if only what a killed process left."""
        folders = {
            path.parent.parent if path.parent.name == BUILDS else path.parent
            for path in self._root.rglob("*")
            if path.is_file()
        }
        split = (str(path.relative_to(self._root)).partition("/@") for path in sorted(folders))
        return [Slot(asset, unquote(part) if mark else None) for asset, mark, part in split]

    def files(self, slot: Slot, record: Record) -> tuple[str, str]:
        """Local paths of `current.json` and the artifact, for a cheap look at their state."""
        folder = self._root / slot.folder
        return str(folder / CURRENT), str(folder / record.artifact.file)

    def make_current(self, record: Record) -> None:
        """Let ``record`` be what its slot holds."""
        self._write_text(self._root / record.slot.folder / CURRENT, record.to_json(metadata=False))

    def _read_record(self, path: Any) -> Record | None:
        try:
            return Record.from_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            return None

    def _children(self, folder: Any) -> list[Any]:
        try:
            return [path for path in folder.iterdir() if path.name.endswith(".json")]
        except (FileNotFoundError, NotADirectoryError):
            return []

    # artifacts

    def path(self, record: Record) -> Any:
        """Path of a record's artifact: a Path, or a UPath in a remote store."""
        return self._root / record.slot.folder / record.artifact.file

    def damage(self, record: Record, *, verify: bool = False) -> Damage | None:
        """Look whether a record's artifact is what was stored.

        Size and stat (times, inode, or the remote entity tag) are always compared; where they
        differ, or with ``verify``, the whole file is hashed. A file that turns out intact has its
        new stat remembered.
        """
        path, artifact = self.path(record), record.artifact
        try:
            stat = self._stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return Damage("missing", f"{path} is gone")
        if stat[0] != artifact.bytes:
            return Damage(
                "corrupt", f"{path} has {stat[0]:,} bytes, {artifact.bytes:,} were stored"
            )
        if stat == artifact.stat and not verify:
            return None
        if self._sha256(path) != artifact.sha256:
            return Damage("corrupt", f"{path} is not what was stored: its SHA-256 differs")
        if stat != artifact.stat:
            self._remember_stat(record, stat)
        return None

    def _remember_stat(self, record: Record, stat: tuple[int | str, ...]) -> None:
        # A store that can't be written to can still be read; one that is busy is looked at again.
        with suppress(OSError), self.changing(record.slot, wait=False) as got:
            if not got:
                return
            kept, current = self.built(record.slot, record.build), self.current(record.slot)
            if kept is not None and kept.artifact.file == record.artifact.file:
                self._write_record(replace(kept, artifact=replace(kept.artifact, stat=stat)))
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
        seconds: float = 0.0,
        run: str = "",
        describe: Callable[[Written], str] = lambda _: "",
    ) -> Record:
        """Store a value, its artifact and then the record of its build, and make it current.

        Parameters
        ----------
        slot, value, format_name
            What to store, where and how.
        version, inputs, build, seconds, run
            For its record.
        describe
            Gives the record's metadata once the content is known.
        """
        from orchestration.store.formats import FORMATS

        format_ = FORMATS[format_name]
        folder = self._root / slot.folder
        parent = folder if self.local else Path(tempfile.gettempdir())
        parent.mkdir(parents=True, exist_ok=True)
        with self.changing(slot):
            # The suffix stays last: Keras and skops read the kind of file from it.
            temporary = parent / f"{TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}{format_.suffix}"
            try:
                written = format_.write(value, temporary)
                digest = _sha256_of(temporary)
                size = temporary.stat().st_size
                name = f"{written.content[:24]}-{digest[:8]}{format_.suffix}"
                self._publish(temporary, folder / name)
            finally:
                temporary.unlink(missing_ok=True)
            record = Record(
                slot=slot,
                content=written.content,
                version=version,
                inputs=inputs,
                build=build,
                artifact=Artifact(name, size, digest, self._stat(folder / name)),
                format=format_name,
                created=time.time(),
                seconds=seconds,
                run=run,
                metadata=describe(written),
            )
            self._write_record(record)
            self.make_current(record)
        self.stored(slot)
        return record

    def restore(self, record: Record) -> bool:
        """Make an earlier build current; False if its artifact has gone or changed meanwhile."""
        with self.changing(record.slot):
            if self.damage(record) is not None:
                return False
            self.make_current(record)
        return True

    def load(self, slot: Slot) -> Any:
        """Read what a slot holds; errors as `read`."""
        return self.read(slot)[1]

    def read(self, slot: Slot) -> tuple[Record, Any]:
        """Read what a slot holds, and the record of it.

        Raises
        ------
        ArtifactError
            If nothing is stored, or what is stored is missing, damaged or unreadable; names the
            asset, the file and the command that rebuilds it.
        """
        from orchestration.store.formats import FORMATS

        with self.lock(FREEING, shared=True):
            record = self.current(slot)
            if record is None:
                raise ArtifactError(f"{slot} has not been built yet; build it with: {slot.command}")
            if damage := self.damage(record):
                raise ArtifactError(f"{slot}: {damage.detail}; rebuild it with: {slot.command}")
            try:
                return record, self._read(record, FORMATS[record.format])
            except Exception as error:
                raise ArtifactError(
                    f"{slot}: {self.path(record)} can't be read as {record.format} ({error}); "
                    f"rebuild it with: {slot.command}"
                ) from error

    def _read(self, record: Record, format_: Format) -> Any:
        path = self.path(record)
        if self.local:
            return format_.read(path)
        if format_.lazy:
            return format_.read(path.open("rb"))
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / record.artifact.file
            with path.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
            return format_.read(copy)

    # locks and freeing

    @contextmanager
    def building(self, slot: Slot, *, wait: bool = True) -> Iterator[bool]:
        """Be the one who builds a slot; yields whether one is, which without ``wait`` may not be.

        Those who only read, and runs that were launched in Dagster itself, don't ask for it.
        """
        with self.lock(f"{slot} building", wait=wait) as got:
            yield got

    @contextmanager
    def changing(self, slot: Slot, *, wait: bool = True) -> Iterator[bool]:
        """Be the one who changes a slot's folder, as `building`; who is already may ask again."""
        if slot in self._changing:
            yield True
            return
        with self.lock(f"{slot}", wait=wait) as got:
            if got:
                self._changing.add(slot)
            try:
                yield got
            finally:
                self._changing.discard(slot)

    @contextmanager
    def lock(self, name: str, *, wait: bool = True, shared: bool = False) -> Iterator[bool]:
        """Hold a named lock of this store's users on this machine; yields whether it was got."""
        self.locks.mkdir(parents=True, exist_ok=True)
        path = self.locks / f"{quote(name, safe='')}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
                fcntl.flock(descriptor, kind | (0 if wait else fcntl.LOCK_NB))
                got = True
            except BlockingIOError:
                got = False
            yield got
        finally:
            os.close(descriptor)

    def free(
        self,
        *,
        keep: int = 3,
        limit: int | None = None,
        known: Callable[[Slot], bool] = lambda slot: True,
        dry_run: bool = False,
    ) -> list[tuple[str, int]]:
        """Free what no current or kept build needs.

        Parameters
        ----------
        keep
            Builds a slot keeps beside its current one, newest first.
        limit
            Bytes that artifacts may take: the oldest kept builds go first until they fit; what is
            current always stays.
        known
            Whether the project still has a slot: one that it hasn't has nothing current.
        dry_run
            Only say what would go.

        Returns
        -------
        list of (path, bytes)
            Files that went. A slot that someone is writing to is left alone.
        """
        kept: dict[Slot, list[Record]] = {}
        for slot in self.slots():
            current = self.current(slot) if known(slot) else None
            others = [r for r in self.records(slot) if current is None or r.build != current.build]
            kept[slot] = [*([current] if current else []), *others[:keep]]
        if limit is not None:
            self._drop_oldest(kept, limit, known)
        freed: list[tuple[str, int]] = []
        for slot, records in kept.items():
            with self.lock(FREEING), self.changing(slot, wait=False) as got:
                if got:
                    freed += self._free_slot(slot, records, known=known(slot), dry_run=dry_run)
        return freed

    def _drop_oldest(
        self, kept: dict[Slot, list[Record]], limit: int, known: Callable[[Slot], bool]
    ) -> None:
        users: dict[tuple[Slot, str], int] = {}
        held = 0
        for slot, records in kept.items():
            for record in records:
                file = (slot, record.artifact.file)
                held += 0 if file in users else record.artifact.bytes
                users[file] = users.get(file, 0) + 1
        spare = [
            record
            for slot, records in kept.items()
            for record in records[1 if known(slot) else 0 :]
        ]
        for record in sorted(spare, key=lambda record: record.created):
            if held <= limit:
                return
            kept[record.slot].remove(record)
            file = (record.slot, record.artifact.file)
            users[file] -= 1
            held -= 0 if users[file] else record.artifact.bytes

    def _free_slot(
        self, slot: Slot, records: Sequence[Record], *, known: bool, dry_run: bool
    ) -> list[tuple[str, int]]:
        current = self.current(slot) if known else None  # again: it may have moved on
        wanted = [*records, *([current] if current else [])]
        files = {record.artifact.file for record in wanted} | ({CURRENT} if current else set())
        builds = {f"{record.build}.json" for record in wanted}
        folder = self._root / slot.folder
        doomed = [p for p in folder.iterdir() if p.is_file() and p.name not in files]
        with suppress(FileNotFoundError, NotADirectoryError):
            doomed += [p for p in (folder / BUILDS).iterdir() if p.name not in builds]
        # What names a file goes before the file, so that nothing kept ever names what is gone.
        doomed.sort(key=lambda path: (path.name != CURRENT, path.parent.name != BUILDS))
        freed = [(str(path), path.stat().st_size) for path in doomed]
        if not dry_run:
            for path in doomed:
                path.unlink(missing_ok=True)
        return freed

    # the file system

    def _stat(self, path: Any) -> tuple[int | str, ...]:
        if self.local:
            stat = Path(path).stat()
            return (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        info = path.fs.info(path.path)
        return (int(info["size"]), str(info.get("ETag") or info.get("mtime") or ""))

    def _sha256(self, path: Any) -> str:
        with path.open("rb") as file:
            return _hash_file(file)

    def _publish(self, temporary: Path, target: Any) -> None:
        if self.local:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(target)
            _sync_folder(target.parent)
        else:
            target.fs.put_file(str(temporary), target.path)

    def _write_record(self, record: Record) -> None:
        self._write_text(
            self._root / record.slot.folder / BUILDS / f"{record.build}.json", record.to_json()
        )

    def _write_text(self, path: Any, text: str) -> None:
        if not self.local:
            path.write_text(text, encoding="utf-8")  # one object put whole, or not at all
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f"{TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}"
        try:
            temporary.write_text(text, encoding="utf-8")
            self._publish(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return _hash_file(file)


def _hash_file(file: Any) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

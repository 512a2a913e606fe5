"""Unpack untrusted archives: nothing leaves the folder or fills the disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from models.download.fetching import CHUNK, sync_folder

DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)
"""Errors of the archive modules for a damaged or truncated file."""


class ArchiveError(ValueError):
    """An archive is damaged or unsafe."""


def unpack(archive: Path, folder: Path, *, max_bytes: int, max_files: int) -> Path:
    """Unpack a zip, tar (plain, gz, bz2 or xz) or gzip file into a new folder, safely.

    Only regular files and folders whose names stay inside ``folder`` are accepted; permissions,
    owners and times in the archive are ignored. The limits count bytes as they come out, not as
    the archive declares them. ``folder`` appears whole or not at all.

    Parameters
    ----------
    archive : Path
        The file; its content, not its name, says what it is. A single gzipped file takes the
        archive's name without ``.gz``.
    folder : Path
        The folder to make; must not exist.
    max_bytes : int
        Bytes that may come out in total.
    max_files : int
        Files that may come out.

    Returns
    -------
    Path
        ``folder``.

    Raises
    ------
    ArchiveError
        A name that leaves the folder, a link, a device, a name twice, an encrypted member, more
        than the limits, or a damaged or unknown archive.
    FileExistsError
        ``folder`` exists.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists; remove it to unpack {archive.name} anew")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        out = _Unpacked(archive, temporary, max_bytes, max_files)
        try:
            _unpack_known(archive, out)
        except (*DAMAGED, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's fault; gzip's and bz2's own have no number
            raise ArchiveError(
                f"{archive}: damaged or truncated ({error}). Remove it and download it again."
            ) from error
        temporary.chmod(0o755)
        sync_folder(temporary)
        temporary.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def _unpack_known(archive: Path, out: _Unpacked) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as pack:
            for member in pack.infolist():
                mode = member.external_attr >> 16
                if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise out.refusal(f"{member.filename!r} is a link or a device")
                if member.flag_bits & 1:
                    raise out.refusal(f"{member.filename!r} is encrypted")
                if member.is_dir():
                    out.add_folder(member.filename)
                    continue
                with pack.open(member) as source:
                    out.add_file(member.filename, source)
    elif _is_tar(archive):
        with _decompressed(archive) as plain:
            metered = _Metered(plain, out)
            with tarfile.open(fileobj=metered, mode="r|") as tar:  # type: ignore[call-overload]
                while (entry := tar.next()) is not None:
                    if entry.isdir():
                        out.add_folder(entry.name)
                    elif entry.isreg():
                        metered.allow(entry.size)
                        out.add_file(entry.name, tar.extractfile(entry))
                    else:
                        raise out.refusal(f"{entry.name!r} is a link or a device")
                    metered.allow(0)
    elif starts_with(archive, b"\x1f\x8b"):
        with _decompressed(archive) as plain:
            out.add_file(archive.name.removesuffix(".gz"), plain)
    else:
        raise out.refusal("it is not a zip, tar or gzip file")


def _decompressed(path: Path) -> IO[bytes]:
    openers: dict[bytes, Callable[[Path], Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\x00": lzma.open,
    }
    for magic, opener in openers.items():
        if starts_with(path, magic):
            opened: IO[bytes] = opener(path)
            return opened
    return path.open("rb")


def _is_tar(path: Path) -> bool:
    # Not tarfile.is_tarfile, which takes zeros for an empty archive.
    try:
        with _decompressed(path) as file:
            return file.read(512)[257:262] == b"ustar"
    except (*DAMAGED, OSError):
        return False


def starts_with(path: Path, magic: bytes) -> bool:
    """Return whether the file begins with these bytes."""
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


class _Metered:
    """Feed tarfile, and stop it when a header is a bomb.

    tarfile keeps a whole extended header in memory and, in Python before 3.11.10 and 3.12.6, spends
    time on it that grows with the square of its length (CVE-2024-6232).
    """

    #: Bytes allowed for headers between two members: names, and tarfile's read-ahead.
    HEADERS = 16_384 + tarfile.RECORDSIZE

    def __init__(self, source: IO[bytes], out: _Unpacked) -> None:
        self._source, self._out = source, out
        self.allow(0)

    def allow(self, size: int) -> None:
        """Allow a member of ``size`` bytes and the headers after it."""
        self._left = size + self.HEADERS

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise self._out.refusal("a header in it is too long")
        return data


class _Unpacked:
    """Count and write the files that come out of an archive, within the limits."""

    def __init__(self, archive: Path, folder: Path, max_bytes: int, max_files: int) -> None:
        self.archive, self.folder = archive, folder
        self.max_bytes, self.max_files = max_bytes, max_files
        self._bytes = self._files = 0

    def refusal(self, why: str) -> ArchiveError:
        return ArchiveError(
            f"{self.archive}: not unpacked: {why}. Nothing was written; get the archive from its "
            "publisher again, and unpack it by hand if you trust it."
        )

    def too_large(self) -> ArchiveError:
        return self.refusal(f"more than {self.max_bytes} bytes come out")

    def _path(self, name: str) -> Path:
        pure = PurePosixPath(name)
        parts = pure.parts
        if not parts or pure.is_absolute() or ".." in parts or "\\" in name or "\0" in name:
            raise self.refusal(f"the name {name!r} leaves the folder")
        if re.match(r"[A-Za-z]:", parts[0]):
            raise self.refusal(f"the name {name!r} has a drive in it")
        return self.folder.joinpath(*parts)

    def _count(self) -> None:
        self._files += 1
        if self._files > self.max_files:
            raise self.refusal(f"it holds more than {self.max_files} files")

    def add_folder(self, name: str) -> None:
        self._count()
        if PurePosixPath(name).parts:  # "./" is the folder itself
            self._path(name).mkdir(parents=True, exist_ok=True)

    def add_file(self, name: str, source: Any) -> None:
        self._count()
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise self.refusal(f"the name {name!r} occurs twice") from None
        with file:
            while data := source.read(CHUNK):
                self._bytes += len(data)
                if self._bytes > self.max_bytes:
                    raise self.too_large()
                file.write(data)
            file.flush()
            os.fsync(file.fileno())

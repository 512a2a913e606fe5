"""Files of a store: written in one step, read, hashed; in a local folder or in object storage."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestration.errors import StoreDamagedError, StoreUnreachableError

TEMPORARY = ".tmp-"

Stat = tuple[int | str, ...]
"""Size, times and inode of a local file; size and entity tag of a remote one."""


class Files:
    """The file system below a store's root.

    Parameters
    ----------
    url
        A folder, or a URL that fsspec knows, such as ``s3://bucket/prefix``.

    Attributes
    ----------
    root
        A Path, or a UPath of a remote store.
    local
        Whether it is a folder of this machine.
    """

    def __init__(self, url: str) -> None:
        self.local = "://" not in url
        self._read: dict[str, list[int] | None] | None = None
        self.root: Any
        if self.local:
            self.root = Path(url).absolute()
        else:
            from upath import UPath

            self.root = UPath(url)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn what a remote file system raises, but for absent files, into one error."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError, StoreUnreachableError):
            raise
        except Exception as error:
            if self.local:
                raise
            raise StoreUnreachableError(
                f"the store {self.root} doesn't answer: {type(error).__name__}: {error}. What was "
                "finished is kept; check the address, the credentials and the network, then run it "
                "again"
            ) from error

    @contextmanager
    def recording(self) -> Iterator[dict[str, list[int] | None]]:
        """Yield the state of each local file and folder that is read within the block.

        It is that from before the file was read; None for one that wasn't there.
        """
        outer, self._read = self._read, {}
        try:
            yield self._read
        finally:
            self._read = outer

    def _record(self, path: Any, state: list[int] | None) -> None:
        if self._read is not None:
            self._read.setdefault(str(path), state)

    def _look_at(self, path: Any) -> None:
        """Record the state of what is about to be read."""
        if self.local and self._read is not None:
            with suppress(OSError):
                self.stat(path)

    def stat(self, path: Any) -> Stat:
        """Return the state of a file, its size first; FileNotFoundError if there is none."""
        if self.local:
            try:
                stat = os.stat(path)  # noqa: PTH116 - quicker than through an object
            except (FileNotFoundError, NotADirectoryError):
                self._record(path, None)
                raise
            state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
            self._record(path, state)
            return tuple(state)
        with self.answering():
            info = path.fs.info(path.path)
        return (int(info["size"]), str(info.get("ETag") or info.get("mtime") or ""))

    def sha256(self, path: Any) -> str:
        """Hash a file."""
        digest = hashlib.sha256()
        with self.answering(), path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def temporary(self, folder: Any, suffix: str) -> Iterator[Path]:
        """Yield a new local path that `publish` can move into ``folder``; removed at the end."""
        parent = folder if self.local else Path(tempfile.gettempdir())
        parent.mkdir(parents=True, exist_ok=True)
        # The suffix stays last: Keras and skops read the kind of file from it.
        path = parent / f"{TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}{suffix}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def publish(self, temporary: Path, target: Any) -> None:
        """Put a finished file in its place in one step, safe against a crash."""
        if not self.local:
            with self.answering():
                target.fs.put_file(str(temporary), target.path)
            return
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        try:
            temporary.replace(target)
        except IsADirectoryError:
            raise StoreDamagedError(
                f"{target} is a folder where a file belongs; "
                "move it aside with: faint doctor --mend"
            ) from None
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def write_text(self, path: Any, text: str) -> None:
        """Write a small file in one step."""
        if not self.local:
            with self.answering():
                path.write_text(text, encoding="utf-8")  # one object put whole, or not at all
            return
        with self.temporary(path.parent, "") as temporary:
            temporary.write_text(text, encoding="utf-8")
            self.publish(temporary, path)

    def read_text(self, path: Any) -> str | None:
        """Read a small file; None if it isn't there or is no text."""
        self._look_at(path)
        try:
            with self.answering():
                return str(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, UnicodeDecodeError):
            return None

    def read_below(self, path: str) -> bytes:
        """Read a file by its path below the root.

        Raises
        ------
        FileNotFoundError
            It isn't there, or a link leads out of the root.
        """
        file = self.root / path
        if self.local and not file.resolve().is_relative_to(self.root.resolve()):
            raise FileNotFoundError(f"{path} is not below {self.root}")
        with self.answering():
            return bytes(file.read_bytes())

    def children(self, folder: Any) -> list[Any]:
        """List the files of a folder; none if it isn't there."""
        return [path for path in self._entries(folder) if path.is_file()]

    def folders(self, folder: Any) -> list[Any]:
        """List the folders of a folder; none if it isn't there."""
        return [path for path in self._entries(folder) if path.is_dir()]

    def _entries(self, folder: Any) -> list[Any]:
        self._look_at(folder)
        try:
            with self.answering():
                return list(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

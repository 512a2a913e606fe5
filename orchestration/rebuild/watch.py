"""What a look reads besides the project's sources: files, folders and environment variables.

While definitions are loaded and planned, code of the project may read anything: a default from a
JSON file or a variable, the partitions from a folder, the input files by a pattern. Python's audit
events tell of every file that is opened and every folder that is listed; `os.stat` and `os.environ`
are replaced meanwhile. What can't be followed (another process, a connection) is said by `blind`.
Not seen: files that native code opens by itself, as HDF5 and Arrow do.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

Stat = list[int] | None
TICK_NS = 20_000_000
"""Longer than a tick of the clock that file systems use, which is 1 to 10 ms."""
OF_A_SHELL = frozenset({"_", "OLDPWD", "SHLVL", "COLUMNS", "LINES"})
"""Variables that differ from shell to shell and shape no result."""
OWN_VARIABLES = ("/tqdm/", "/fsspec/", "/rich/")
"""Libraries that read all variables to find those of their own: of bars and of remote files."""
COMPILED = (".pyc", ".so")
SYSTEM = ("/dev", "/proc", "/sys")

STANDARD_LIBRARY = str(Path(os.__file__).parent)
_stat = os.stat  # the real one, which a watch replaces


def stat_of(path: str | Path) -> Stat:
    """State of a file or folder; None if there is none."""
    try:
        stat = _stat(path)
    except (OSError, ValueError):
        return None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


class Watch:
    """Records, within its blocks, what this process reads.

    Parameters
    ----------
    ignored
        Folders that count otherwise, or not at all; those of installed libraries are added.

    Attributes
    ----------
    files
        State of each file that was opened or looked at and of each folder that was listed, as it
        was when it first was.
    folders
        Whether each other path that was looked at was a folder.
    variables
        Each environment variable that was read, with its value; None where it was not set.
    surroundings
        All of them, as they were at first.
    every
        Whether all of them were read.
    blind
        Whether something was read that can't be watched.
    """

    _active: Watch | None = None
    _hooked = False

    def __init__(self, ignored: Iterable[str | Path]) -> None:
        self.files: dict[str, Stat] = {}
        self.folders: dict[str, bool] = {}
        self.variables: dict[str, str | None] = {}
        self.surroundings = environment()
        self.every = False
        self.blind = False
        self._before: list[Watch | None] = []
        places = {*SYSTEM, STANDARD_LIBRARY}
        places |= {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
        self._ignored = tuple(f"{place}/" for place in (*places, *map(str, ignored)))

    def __enter__(self) -> Watch:
        if not Watch._hooked:  # a hook stays for good
            sys.addaudithook(_heard)
            Watch._hooked = True
        self._before.append(Watch._active)
        Watch._active = self
        for variables in (os.environ, os.environb):
            _give_class(variables, _Variables)
        setattr(os, "stat", _looked_at)  # noqa: B010 - its type is that of a builtin
        return self

    def __exit__(self, *_: object) -> None:
        Watch._active = self._before.pop()
        if Watch._active is None:
            for variables in (os.environ, os.environb):
                _give_class(variables, _Variables.__base__)
            setattr(os, "stat", _stat)  # noqa: B010

    def read(self, path: object) -> None:
        """Record that a file was opened or a folder listed."""
        if (name := self._name(path)) is not None and name not in self.files:
            self.files[name] = state = stat_of(name)
            if state is not None and 0 <= time.time_ns() - state[2] < TICK_NS:
                self.blind = True  # written to once more, it might have the same state

    def looked_at(self, path: object) -> None:
        """Record that someone asked for the state of a path."""
        name = self._name(path)
        if name is None or name in self.files or name in self.folders:
            return
        if os.path.isdir(name):  # noqa: PTH112 - with the real `os.stat`, without an object
            self.folders[name] = True
        else:
            self.read(name)

    def variable(self, name: str, value: str | None) -> None:
        """Record that an environment variable was read, or is about to be written."""
        if name not in OF_A_SHELL:
            self.variables.setdefault(name, value)

    def _name(self, path: object) -> str | None:
        """Absolute path of what counts."""
        if path is None:
            path = "."
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - doesn't follow links
        ours = name.endswith(COMPILED) or f"{name}/".startswith(self._ignored)
        return None if ours else name


def environment() -> str:
    """Every environment variable that may say something to code that reads all."""
    return repr(sorted(item for item in os.environ.items() if item[0] not in OF_A_SHELL))


def _looked_at(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
    watch, Watch._active = Watch._active, None
    try:
        if watch is not None:
            watch.looked_at(path)
    finally:
        Watch._active = watch
    return _stat(path, *arguments, **options)


class _Variables(type(os.environ)):  # type: ignore[misc]
    """The environment of a process that is watched."""

    def __getitem__(self, name: Any) -> Any:
        if sys._getframe(1).f_code.co_name != "__iter__":  # which has read all of them
            self._used(name)
        return super().__getitem__(name)

    def __setitem__(self, name: Any, value: Any) -> None:
        self._used(name)
        super().__setitem__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if Watch._active is not None and not _caller_is(OWN_VARIABLES):
            Watch._active.every = True
        return iter(super().__iter__())

    def _used(self, name: Any) -> None:
        watch = Watch._active
        if watch is not None and not _caller_is(OWN_VARIABLES):
            try:
                value = os.fsdecode(super().__getitem__(name))
            except KeyError:
                value = None
            watch.variable(os.fsdecode(name), value)


def _give_class(variables: Any, kind: Any) -> None:
    variables.__class__ = kind


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    watch = Watch._active
    if watch is None or event not in _EVENTS:
        return
    Watch._active = None  # what is done here is not recorded
    try:
        _EVENTS[event](watch, arguments)
    finally:
        Watch._active = watch


def _opened(watch: Watch, arguments: tuple[Any, ...]) -> None:
    path, _, flags = arguments
    if not flags & (os.O_WRONLY | os.O_RDWR):
        watch.read(path)


def _listed(watch: Watch, arguments: tuple[Any, ...]) -> None:
    if not _caller_is(("importlib",)):  # which looks for modules
        watch.read(arguments[0] if arguments else ".")


def _connected(watch: Watch, arguments: tuple[Any, ...]) -> None:
    watch.read(arguments[0])


def _started(watch: Watch, arguments: tuple[Any, ...]) -> None:
    # `platform` and `ctypes.util` ask the system about itself.
    watch.blind |= not _caller_is(("/platform.py", "/ctypes/util.py"))


def _unseen(watch: Watch, arguments: tuple[Any, ...]) -> None:
    watch.blind = True


_EVENTS = {
    "open": _opened,
    "os.listdir": _listed,
    "os.scandir": _listed,
    "sqlite3.connect": _connected,
    "subprocess.Popen": _started,
    "os.system": _unseen,
    "os.posix_spawn": _unseen,
    "os.fork": _unseen,
    "socket.connect": _unseen,
    "socket.getaddrinfo": _unseen,
    "socket.gethostname": _unseen,
}


def _caller_is(files: Sequence[str]) -> bool:
    """Whether what is heard of was done by code in such a file, through the standard library."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if any(part in file for part in files):
            return True
        if file != __file__ and (
            not file.startswith((STANDARD_LIBRARY, "<frozen ")) or "site-packages" in file
        ):
            return False
        frame = frame.f_back
    return False

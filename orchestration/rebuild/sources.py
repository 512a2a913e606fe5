"""A project's source files: their states around an import, and what was compiled of them.

What runs must be what is fingerprinted. An edit between the import and the fingerprint is found by
the files' states before and after both. Python takes a compiled file for that of a source of the
same size and time, which one unpacked or copied over another with its times may have: compiled
files of the project are therefore of the kind that names the source's hash. Imports nothing heavy.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orchestration.errors import ProjectError
from orchestration.project import Project
from orchestration.rebuild.watch import Stat, stat_of

CHECKED = importlib.util.MAGIC_NUMBER + (0b11).to_bytes(4, "little")
"""How a compiled file begins that is used only for a source of the hash it names."""
HEADER_BYTES = 16


def package_files(project: Project) -> Iterator[str]:
    """Python files of the project, and their folders, which change when files come and go."""
    for package in dict.fromkeys((*project.sources, project.definitions.partition(".")[0])):
        yield f"{project.root / package}.py"
        yield from files_below(project.root / package)


def files_below(folder: Path) -> Iterator[str]:
    """Python files in a folder and below it, and all folders."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield place
        yield from (f"{place}/{name}" for name in names if name.endswith(".py"))


def states(project: Project) -> dict[str, Stat]:
    """State of every Python file of the project."""
    return {path: stat_of(path) for path in package_files(project) if path.endswith(".py")}


_begun: dict[Path, dict[str, Stat]] = {}


def begin(project: Project, *, again: bool = True) -> dict[str, Stat]:
    """Make ready to import the project's modules.

    Returns
    -------
    dict
        `states` from before this process imported any; with ``again`` false it is the last import.
    """
    if project.root not in _begun:
        check_bytecode(project)
        _begun[project.root] = states(project)
    return _begun[project.root] if again else _begun.pop(project.root)


def forget(project: Project) -> None:
    """Let the next import of the project's modules read them again."""
    tops = {*project.sources, project.definitions.partition(".")[0]}
    for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
        del sys.modules[name]


def check_bytecode(project: Project) -> list[str]:
    """Replace compiled files of the project that don't name their source's hash.

    Returns
    -------
    list of str
        Sources of which one had other code: what was imported before this may be old.

    Raises
    ------
    ProjectError
        One with other code can't be replaced.
    """
    return [path for path in states(project) if _replaced(Path(path))]


def _replaced(source: Path) -> bool:
    compiled = Path(importlib.util.cache_from_source(source))
    old = b""
    with suppress(OSError), compiled.open("rb") as file:
        old = file.read(len(CHECKED))
        if old == CHECKED:
            return False
        old += file.read()
    if not source.is_file() or (not old and sys.dont_write_bytecode):
        return False
    import py_compile

    try:
        if sys.dont_write_bytecode:
            compiled.unlink()
        else:
            checked = py_compile.PycInvalidationMode.CHECKED_HASH
            py_compile.compile(str(source), doraise=True, invalidation_mode=checked)
    except py_compile.PyCompileError:  # the import will say so
        compiled.unlink(missing_ok=True)
    except OSError as error:
        if _is_other(old, source):
            raise ProjectError(
                f"{compiled} was not compiled from {source} as it is, and can't be replaced "
                f"({error.strerror}); remove it"
            ) from error
    return _is_other(old, source)


def _is_other(compiled: bytes, source: Path) -> bool:
    """Whether a compiled file, of this Python, holds other code than its source."""
    if compiled[: len(importlib.util.MAGIC_NUMBER)] != importlib.util.MAGIC_NUMBER:
        return False
    try:
        code = marshal.loads(compiled[HEADER_BYTES:])
        return bool(code != compile(source.read_bytes(), str(source), "exec", dont_inherit=True))
    except (ValueError, EOFError, TypeError, SyntaxError):
        return False

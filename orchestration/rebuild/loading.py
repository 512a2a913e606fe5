"""Import a project's definitions, and say where they fail."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from contextlib import suppress
from pathlib import Path

import dagster as dg

from orchestration.errors import ProjectError
from orchestration.project import Project


def load_definitions(project: Project) -> dg.Definitions:
    """Import a project's definitions.

    Raises
    ------
    ProjectError
        If they can't be imported; names the file and line of the project that raised.
    """
    if str(project.root) not in sys.path:
        sys.path.insert(0, str(project.root))
    drop_doubtful_bytecode(project)
    try:
        defs = importlib.import_module(project.definitions).defs
    except ProjectError:
        raise
    except SyntaxError as error:
        raise ProjectError(f"{error.filename}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        if type(error).__module__.split(".")[0] in project.sources:  # it says what is wrong itself
            raise ProjectError(str(error)) from error
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if Path(f.filename).is_relative_to(project.root)]
        where = f"{own[-1].filename}, line {own[-1].lineno}: " if own else ""
        raise ProjectError(
            f"{project.definitions} can't be loaded: {where}{type(error).__name__}: {error}"
        ) from error
    if not isinstance(defs, dg.Definitions):
        raise ProjectError(f"{project.definitions}.defs is no dagster.Definitions")
    return defs


def drop_doubtful_bytecode(project: Project) -> None:
    """Remove compiled files that Python would wrongly take for those of the sources as they are.

    It compares whole seconds and the size: after two edits within a second, such as a checkout of
    two commits, the code of the first would run and be stored under the version of the second.
    """
    for package in project.sources:
        for path in (project.root / package).rglob("*.py"):
            compiled = Path(importlib.util.cache_from_source(path))
            with suppress(OSError):
                if int(compiled.stat().st_mtime) <= int(path.stat().st_mtime):
                    compiled.unlink()

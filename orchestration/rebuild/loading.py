"""Import a project's definitions, and say where they fail."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

import dagster as dg

from orchestration.errors import ProjectError
from orchestration.project import Project
from orchestration.rebuild.sources import begin, forget, states

ATTEMPTS = 3
"""Times that sources which change meanwhile are loaded."""


def load_definitions(project: Project) -> dg.Definitions:
    """Import a project's definitions, again if a source was edited meanwhile.

    Raises
    ------
    ProjectError
        If they can't be imported, naming the file and line of the project that raised, or are
        edited time and again.
    """
    if str(project.root) not in sys.path:
        sys.path.insert(0, str(project.root))
    for _ in range(ATTEMPTS):
        before = begin(project, again=False)
        try:
            defs = _imported(project)
        except ProjectError:
            if states(project) == before:
                raise
        else:
            if states(project) == before:
                return defs
        forget(project)
    raise ProjectError("the project's sources are edited while they are loaded; run it again")


def _imported(project: Project) -> dg.Definitions:
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

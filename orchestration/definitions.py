"""The definitions of the project here, whichever module `[tool.faint]` names."""

from importlib import import_module

import dagster as dg

from orchestration.project import find

defs: dg.Definitions = import_module(find().definitions).defs

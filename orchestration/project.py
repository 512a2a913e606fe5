"""Which project this is: its root, its sources, its state folder and its store.

Read from `[tool.faint]` in the `pyproject.toml` at or above the working folder, so that the same
machinery serves any project; environment variables come first. Imports nothing heavy: `faint plan`
starts here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from orchestration.errors import ProjectError

PackageVersions = Literal["major.minor", "exact", "ignore"]

DAGSTER_YAML = """\
# Written once by faint; yours to change.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 2
# What the stages log, such as how far a training is, is shown with their runs.
python_logs:
  managed_python_loggers: [SOURCES]
  python_log_level: INFO
# The local storage of Dagster with less of its cost a stage: see orchestration/eventlog.py.
run_storage:
  module: orchestration.eventlog
  class: RunStorage
  config: {base_dir: {env: DAGSTER_HOME}}
event_log_storage:
  module: orchestration.eventlog
  class: EventLog
  config: {base_dir: {env: DAGSTER_HOME}}
compute_logs:
  module: orchestration.eventlog
  class: PrintedLogs
  config: {base_dir: {env: DAGSTER_HOME}}
schedule_storage:
  module: dagster.core.storage.schedules
  class: SqliteScheduleStorage
  config: {base_dir: {env: DAGSTER_HOME}}
"""


@dataclass(frozen=True)
class Project:
    """One project that the machinery serves.

    Parameters
    ----------
    root
        Folder of its `pyproject.toml`; what `sources` are below.
    definitions
        Module that holds the one `defs` object.
    sources
        Top-level packages whose code is followed by fingerprints.
    settings
        Its settings file, which may not exist.
    state
        Folder for everything that is kept between runs and may be deleted: the Dagster home,
        caches, locks and, unless it is elsewhere, the store.
    store
        Root of the store: a folder or a URL.
    package_versions
        How much of a library's version counts.
    commands
        Module whose ``add_commands`` adds the project's own commands to `faint`, if it has any.
    """

    root: Path
    definitions: str
    sources: tuple[str, ...]
    settings: Path
    state: Path
    store: str
    package_versions: PackageVersions = "major.minor"
    commands: str | None = None

    @property
    def locks(self) -> Path:
        """Folder of the build locks."""
        return self.state / "locks"

    @property
    def cache(self) -> Path:
        """Folder of caches, which can be computed again."""
        return self.state / "cache"

    @property
    def home(self) -> Path:
        """Dagster's home: $DAGSTER_HOME, or a folder in the state folder."""
        return Path(os.environ.get("DAGSTER_HOME") or self.state / "dagster")

    def enter(self) -> None:
        """Point Dagster in this process at the project's home; create it if it is missing."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before anything imports tensorflow
        home = self.home
        if not home.is_dir():
            home.mkdir(parents=True, exist_ok=True)
        if "DAGSTER_HOME" not in os.environ:
            os.environ["DAGSTER_HOME"] = str(home)
            self.set_up_home()

    def set_up_home(self) -> None:
        """Write `dagster.yaml` if it isn't there."""
        path = self.home / "dagster.yaml"
        if not path.exists():
            text = DAGSTER_YAML.replace("SOURCES", ", ".join(self.sources))
            path.write_text(text, encoding="utf-8")


def find(start: Path | None = None) -> Project:
    """Find the project at or above ``start`` (default: the working folder).

    Raises
    ------
    ProjectError
        If there is none, or `[tool.faint]` lacks a setting or has an unknown one.
    """
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            try:
                tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
            except tomllib.TOMLDecodeError as error:
                raise ProjectError(f"{path}: not valid TOML: {error}") from error
            if "faint" in tool:
                return _project(folder, path, tool["faint"])
    raise ProjectError(
        f"no project here: {here} and the folders above it have no pyproject.toml with "
        "[tool.faint]; run faint from within the checkout"
    )


def _project(root: Path, path: Path, table: Mapping[str, object]) -> Project:
    known = {"definitions", "sources", "store", "package_versions", "commands"}
    if unknown := set(table) - known:
        raise ProjectError(
            f"{path}: [tool.faint] has unknown settings {sorted(unknown)}; known are "
            f"{sorted(known)}"
        )

    def text(name: str, default: str | None = None) -> str:
        value = table.get(name, default)
        if not isinstance(value, str):
            raise ProjectError(f"{path}: [tool.faint] needs {name}, a text; it has {value!r}")
        return value

    def texts(name: str) -> tuple[str, ...]:
        value = table.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ProjectError(
                f"{path}: [tool.faint] needs {name}, a list of texts; it has {value!r}"
            )
        return tuple(value)

    versions = text("package_versions", "major.minor")
    if versions not in get_args(PackageVersions):
        raise ProjectError(
            f"{path}: package_versions is {versions!r}; expected one of "
            f"{', '.join(get_args(PackageVersions))}"
        )
    sources = texts("sources")
    for name in sources:
        if not (root / name).is_dir() and not (root / f"{name}.py").is_file():
            raise ProjectError(f"{path}: sources names {name!r}, which is not in {root}")
    state = Path(os.environ.get("FAINT_STATE") or root / ".faint")
    return Project(
        root=root,
        definitions=text("definitions"),
        sources=sources,
        settings=Path(os.environ.get("FAINT_SETTINGS") or root / "faint.toml"),
        state=state,
        store=os.environ.get("FAINT_STORE") or text("store", "") or str(state / "store"),
        package_versions=cast(PackageVersions, versions),
        commands=text("commands", "") or None,
    )

"""The stages of a project: what each depends on, and the version it would be built with now.

A stage is what one function builds: an asset, or the several assets of a multi-asset. Versions are
computed, never written by hand: the function's code closure, its effective configuration, its
wiring, the versions of the libraries it uses, and the content of files it reads from outside the
graph.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import inspect
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Any

import dagster as dg
from dagster._config import ConfigTypeKind
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from orchestration.errors import ProjectError
from orchestration.fingerprint import Dynamic, Fingerprint, SourceError, SourceTree, cells
from orchestration.json_cache import JsonCache
from orchestration.project import PackageVersions, Project
from orchestration.settings import plain
from orchestration.store import VERSION_PARTS, Record, Slot, Store, unfit
from orchestration.volatile import Volatile
from orchestration.wiring import Wirer, effective

VERSION_DIGITS = 16
PARTITIONS_SECONDS = 10.0
"""How long partition keys stand that may be added while a process lives."""
CHANGED_WHILE_RUNNING = "changed while the stage ran"
DAGSTER_SETTINGS = ("dagster.Config", "dagster.PermissiveConfig")


@dataclass(frozen=True)
class Version:
    """What a stage is, or was, built with.

    Parameters
    ----------
    code
        Digest of the stage's code closure.
    config
        Effective configuration.
    packages
        Versions of the libraries the closure imports.
    files
        Content hash of each file read from outside the graph, by path.
    pieces
        Digest of each definition in the closure, to say which changed; does not count by itself.
    wiring
        What its definition, rather than its function, gives to its result (`orchestration.wiring`).
    """

    code: str
    config: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    pieces: Mapping[str, str] = field(default_factory=dict)
    wiring: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The one string that stands for it: Dagster's code version.

        Of the files, names below the folder that holds all of them count, not where that lies.
        """
        files = sorted(named(self.files).items())
        counted = [self.code, dict(self.config), dict(self.packages), files]
        counted += [dict(self.wiring)] if self.wiring else []
        return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[
            :VERSION_DIGITS
        ]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a record."""
        return asdict(self)

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Version:
        """The version that a record has as plain data."""
        parts = {part: recorded.get(part, {}) for part in VERSION_PARTS}
        return cls(code=str(recorded.get("code")), **parts)


def named(files: Mapping[str, str]) -> dict[str, str]:
    """What is known of files by path, by their names below the folder that holds all of them."""
    try:
        root = os.path.commonpath([Path(name).parent for name in files]) if files else ""
    except ValueError:  # some are absolute, some are not
        return dict(files)
    return {os.path.relpath(name, root or "."): known for name, known in files.items()}


def build_key(version: Version, inputs: Mapping[str, str]) -> str:
    """What identifies one build: equal version and inputs, equal result."""
    counted = [version.key, dict(inputs)]
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Stage:
    """What one function builds.

    Parameters
    ----------
    definition
        Dagster's definition.
    keys
        The assets it builds, as slash-joined keys.
    deps
        Upstream assets of each of them: all that the function reads, and what is declared.
    partitions_def
        Its partitions; None for a stage without.
    """

    definition: dg.AssetsDefinition
    keys: tuple[str, ...]
    deps: Mapping[str, tuple[str, ...]]
    partitions_def: dg.PartitionsDefinition | None

    @cached_property
    def function(self) -> Any:
        """The function as written."""
        compute: Any = self.definition.op.compute_fn
        return compute.decorated_fn

    @cached_property
    def config_class(self) -> type[dg.Config] | None:
        """Its typed configuration; None if it has none."""
        compute: Any = self.definition.op.compute_fn
        if not compute.has_config_arg():
            return None
        annotation = compute.get_config_arg().annotation
        typed = isinstance(annotation, type) and issubclass(annotation, dg.Config)
        return annotation if typed else None

    def config(self, given: Mapping[str, Any] | None = None) -> tuple[dg.Config | None, Any]:
        """Its configuration, as an object and as plain data: the defaults, or what a run has.

        Raises
        ------
        ProjectError
            If a setting has no usable default, or is of a type that can't be compared.
        """
        if self.config_class is None:
            return None, self._untyped(given)
        try:
            # As Dagster makes it: without what equals a default, whose order is as written.
            own = self.config_class._get_non_default_public_field_values_cls(dict(given or {}))
            instance = self.config_class(**own)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or self.config_class.__name__}: {item['msg']}"
                for item in error.errors()
            )
            raise ProjectError(
                f"{self.keys[0]}: its settings {self.config_class.__name__} have no usable "
                f"default ({wrong}); every setting needs one, so that a rebuild needs no launcher"
            ) from error
        try:
            return instance, plain(instance)
        except PydanticSerializationError as error:
            raise ProjectError(
                f"{self.keys[0]}: its settings {self.config_class.__name__} hold what can't be "
                f"compared: {error}"
            ) from error

    def _untyped(self, given: Any) -> dict[str, Any]:
        """Configuration by a `config_schema`, or by a parameter of a plain type."""
        op = self.definition.op
        compute: Any = op.compute_fn
        schema = op.config_field
        taken = schema is not None and schema.config_type.kind != ConfigTypeKind.ANY
        if given is None and (taken or compute.has_config_arg()):
            given = effective(op)
            if given is None:
                raise ProjectError(
                    f"{self.keys[0]}: its settings have no whole default; every setting needs one, "
                    "so that a rebuild needs no launcher"
                )
        values = plain(given or {})
        return values if isinstance(values, dict) else {"config": values}


class Stages:
    """All stages of a project, by asset key.

    Parameters
    ----------
    definitions
        Plain asset definitions, before anything is laid over them.
    project
        Where sources and caches are.
    resources
        Resources of the project that stages may ask for, by name.
    uncounted
        Names of those whose configuration shapes no result.
    modules
        Names of the modules that every process imports with the definitions.
    before
        The same stages from before the sources were edited: what the names of modules stand for
        is taken from there, since stages may have changed it.

    Raises
    ------
    ProjectError
        If there is an asset of a kind that can't be versioned; names it.
    """

    def __init__(
        self,
        definitions: Iterable[dg.AssetsDefinition],
        project: Project,
        resources: Mapping[str, Any] | None = None,
        uncounted: Iterable[str] = (),
        modules: Iterable[str] = (),
        *,
        before: Stages | None = None,
    ) -> None:
        self.project = project
        self.instance: Callable[[], dg.DagsterInstance] = dg.DagsterInstance.get
        self.stages = [_stage(each) for each in definitions if each.is_materializable]
        self.by_key: dict[str, Stage] = {}
        for stage in self.stages:
            if twice := self.by_key.keys() & stage.keys:
                raise ProjectError(f"{min(twice)} is defined twice")
            self.by_key |= dict.fromkeys(stage.keys, stage)
        for key in self.by_key:
            for part in key.split("/"):
                if wrong := unfit(part):
                    raise ProjectError(f"{key}: no part of a key may {wrong}")
        self._tree = SourceTree(
            project.root,
            tuple(dict.fromkeys([*project.sources, *_own_definitions(project)])),
            project.cache / "fingerprints.json",
            settings_bases=DAGSTER_SETTINGS,
        )
        self._loaded = _states(self._tree.files())
        functions = [getattr(stage.function, "__module__", "") for stage in self.stages]
        self._roots = {project.definitions, *modules, *functions}
        self._tree.look(self._roots, before._tree if before is not None else None)
        if before is None:
            values, volatile = self._tree.values(), Volatile(project, self._tree.state)
            self._tree.leave_out(volatile.among(values, self._tree.definition))
        self._files = FileHashes(project.cache / "files.json")
        self._libraries = Libraries(project.package_versions, project.cache / "libraries.json")
        self._versions: dict[str, Version] = {}
        self._by_partition: dict[str, bool] = {}
        self._resources, self._uncounted = dict(resources or {}), frozenset(uncounted)
        self._partition_keys: dict[str, dict[str, int]] = {}
        self._looked = 0.0
        self._places: dict[str, Path | None] = {}
        self._upstream: dict[Slot, dict[str, list[Slot]]] = {}
        self.dynamic: dict[str, tuple[Dynamic, ...]] = {}

    def order(self) -> list[str]:
        """All asset keys, upstream ones first, otherwise in order of definition."""
        done: dict[str, None] = {}

        def visit(key: str) -> None:
            if key in self.by_key and key not in done:
                for parent in self.by_key[key].deps[key]:
                    if parent != key:
                        visit(parent)
                done[key] = None

        for key in self.by_key:
            visit(key)
        return list(done)

    def slots(self, key: str) -> list[Slot]:
        """Every slot of an asset."""
        if self.by_key[key].partitions_def is None:
            return [Slot(key)]
        return [Slot(key, partition) for partition in self._partitions(key)]

    def in_order(self, slots: Iterable[Slot]) -> list[Slot]:
        """Slots of one asset in the order of its partitions."""
        slots = list(slots)
        if len(slots) > 1:
            places = self._partitions(slots[0].asset)
            slots.sort(key=lambda slot: places.get(str(slot.partition), len(places)))
        return slots

    def _partitions(self, key: str) -> dict[str, int]:
        """The partition keys of an asset, with their places."""
        self._look_again()
        if key not in self._partition_keys:
            definition = self.by_key[key].partitions_def
            assert definition is not None
            with self._loading(definition):
                keys = definition.get_partition_keys()
            self._partition_keys[key] = {name: place for place, name in enumerate(keys)}
        return self._partition_keys[key]

    def _look_again(self) -> None:
        """Forget partition keys that may have been added to."""
        if time.monotonic() - self._looked > PARTITIONS_SECONDS:
            self._looked = time.monotonic()
            for key in list(self._partition_keys):
                if not isinstance(self.by_key[key].partitions_def, dg.StaticPartitionsDefinition):
                    before = self._partition_keys.pop(key)
                    if self._partitions(key) != before:
                        self._upstream.clear()

    @contextmanager
    def _loading(self, *definitions: dg.PartitionsDefinition | None) -> Iterator[None]:
        """Let Dagster look up partitions that are added while the project is in use."""
        store = self.instance() if any(map(_dynamic, definitions)) else None
        with dg.partition_loading_context(dynamic_partitions_store=store):
            yield

    def upstream(self, slot: Slot) -> dict[str, list[Slot]]:
        """The slots that a slot is built from, by asset; assets of others are left out."""
        stage = self.by_key[slot.asset]
        self._look_again()
        if slot not in self._upstream:
            found = {
                parent: self._mapped(stage, slot, parent)
                for parent in stage.deps[slot.asset]
                if parent in self.by_key
            }
            # Of what the stage builds itself only another partition can be above it.
            for parent in found.keys() & stage.keys:
                found[parent] = [s for s in found[parent] if s.partition != slot.partition]
                if not found[parent]:
                    del found[parent]
            self._upstream[slot] = found
        return self._upstream[slot]

    def _mapped(self, stage: Stage, slot: Slot, parent: str) -> list[Slot]:
        above = self.by_key[parent]
        upstream_def = above.partitions_def
        if upstream_def is None:
            return [Slot(parent)]
        child, key = dg.AssetKey(slot.asset.split("/")), dg.AssetKey(parent.split("/"))
        mapping = stage.definition.infer_partition_mapping(child, key, upstream_def)
        child_def = stage.partitions_def
        subset = None
        with self._loading(child_def, upstream_def):
            if slot.partition is not None and child_def is not None:
                subset = child_def.empty_subset().with_partition_keys([slot.partition])
            result = mapping.get_upstream_mapped_partitions_result_for_partitions(
                subset, child_def, upstream_def
            )
            keys = list(result.partitions_subset.get_partition_keys())
        return self.in_order(Slot(parent, key) for key in keys)

    def together(self, slot: Slot) -> list[Slot]:
        """The slots that one call of a stage's function builds; the first stands for all."""
        return [Slot(key, slot.partition) for key in self.by_key[slot.asset].keys]

    def version(self, key: str) -> Version:
        """The version a stage would be built with now, with its committed configuration."""
        return self.version_of(self.by_key[key])

    def version_in(self, slot: Slot) -> Version:
        """As `version`, of one slot: with the files that its partition alone reads, if any."""
        version = self.version(slot.asset)
        if not self.reads_by_partition(slot.asset):
            return version
        config, _ = self.by_key[slot.asset].config()
        version = replace(version, files=self._hashes(config, slot.partition))
        self._files.save()
        return version

    def reads_by_partition(self, key: str) -> bool:
        """Whether each partition of a stage reads files of its own: `input_files(partition)`."""
        if key not in self._by_partition:
            self._by_partition[key] = _by_partition(self.by_key[key].config()[0])
        return self._by_partition[key]

    def version_of(self, stage: Stage) -> Version:
        """As `version`, of a stage or of the function of a check."""
        key = stage.keys[0]
        if key not in self._versions:
            config, values = stage.config()
            try:
                found = self._code(stage)
                wiring, others = self._wiring(stage, found)
            except SourceError as error:
                raise ProjectError(f"{key}: {error}") from error
            packages = set(found.packages).union(*(other.packages for other in others))
            self._refuse_others(key, packages)
            version = Version(
                code=found.digest,
                config=values,
                packages=self._libraries.versions(sorted(packages)),
                files=self._hashes(config),
                wiring=wiring,
                pieces={name: digest[:12] for name, digest in found.pieces.items()},
            )
            self._versions |= dict.fromkeys(stage.keys, version)
            dynamic = {each for other in (found, *others) for each in other.dynamic}
            self.dynamic |= dict.fromkeys(stage.keys, tuple(sorted(dynamic)))
            self._files.save()
        return self._versions[key]

    def _code(self, stage: Stage) -> Fingerprint:
        """The code of a stage."""
        function = stage.function
        module = getattr(function, "__module__", None)
        if isinstance(function, FunctionType):
            if str(module).partition(".")[0] not in self.project.sources:
                raise ProjectError(
                    f"{stage.keys[0]}: its function {function.__qualname__} is in {module}, which "
                    f"is not below the sources {', '.join(self.project.sources)} of [tool.faint]"
                )
            with suppress(LookupError):  # one that has no name in its module, such as a lambda
                return self._tree.fingerprint(str(module), function.__qualname__, cells(function))
        return self._tree.value(function, stage.keys[0])

    def _wiring(
        self, stage: Stage, code: Fingerprint
    ) -> tuple[dict[str, Any], Sequence[Fingerprint]]:
        """The wiring of a stage, and the fingerprints of what is no plain data in it."""
        others: list[Fingerprint] = []

        def digest(what: str, value: object) -> str:
            others.append(self._tree.value(value, f"{what} of {stage.keys[0]}"))
            return others[-1].digest[:VERSION_DIGITS]

        wirer = Wirer(self._resources, self._uncounted, digest, self.by_key)
        shown = any("ExecutionContext" in name for name in code.outside)
        return wirer.wiring(stage.definition, stage.function, shown=shown), others

    def _refuse_others(self, key: str, packages: Iterable[str]) -> None:
        """Refuse modules of the project whose code isn't followed: edits would go unnoticed."""
        for name in packages:
            if name not in self._places:
                self._places[name] = _place_in(self.project.root, name)
            if self._places[name] is not None:
                raise ProjectError(
                    f"{key} uses {name} ({self._places[name]}), a module of this project that is "
                    f"not among its sources; add {name!r} to sources in [tool.faint]"
                )

    def version_after(
        self,
        stage: Stage,
        given: Mapping[str, Any] | None,
        partition: str | None = None,
        began: float = 0.0,
    ) -> Version:
        """The version of a stage that has just run with some configuration, for a partition.

        What was edited since this process began counts as unknown: a stage imports much of its
        code while it runs, and must not be stored under the version from before an edit.
        """
        committed = self.version_of(stage)
        config, values = stage.config(given)
        files = self._hashes(config, partition)
        if _by_partition(config) and any(_changed_since(Path(file), began) for file in files):
            files = dict.fromkeys(files, CHANGED_WHILE_RUNNING)
        elif not _by_partition(config) and (
            values == committed.config and files != committed.files
        ):
            files = dict.fromkeys([*committed.files, *files], CHANGED_WHILE_RUNNING)
        version = replace(committed, config=values, files=files)
        if not self._unedited(stage, committed):
            version = replace(version, code=CHANGED_WHILE_RUNNING, pieces={})
        return version

    def _hashes(self, config: dg.Config | None, partition: str | None = None) -> dict[str, str]:
        """Content of the files that a configuration names, by path."""
        if config is None or not hasattr(config, "input_files"):
            return {}
        if not _by_partition(config):
            paths = config.input_files()
        elif partition is None:
            return {}
        else:
            paths = config.input_files(partition)
        return {str(path): self._files.hash(Path(path)) for path in paths}

    def _unedited(self, stage: Stage, version: Version) -> bool:
        if _states(self._tree.files()) == self._loaded:
            return True
        try:
            now = Stages(
                [], self.project, self._resources, self._uncounted, self._roots, before=self
            )
            now.by_key.update(self.by_key)
            found = now.version_of(stage)
            return (found.code, found.wiring) == (version.code, version.wiring)
        except (ProjectError, LookupError):
            return False


def _own_definitions(project: Project) -> list[str]:
    """The package or module of the definitions, where it is in the project."""
    top = project.root / project.definitions.partition(".")[0]
    return [top.name] if top.is_dir() or top.with_suffix(".py").is_file() else []


def _by_partition(config: dg.Config | None) -> bool:
    """Whether each partition of a stage reads files of its own: `input_files(partition)`."""
    named = getattr(config, "input_files", None)
    return named is not None and bool(inspect.signature(named).parameters)


def _changed_since(path: Path, began: float) -> bool:
    try:
        return path.stat().st_ctime >= began > 0
    except OSError:
        return True


def _states(files: Iterable[Path]) -> list[tuple[Path, int, int]]:
    return [
        (path, (stat := path.stat()).st_mtime_ns, stat.st_ctime_ns)
        for path in files
        if path.exists()
    ]


def combine(records: Mapping[Slot, Record | None]) -> str | None:
    """Version of an upstream asset over the slots that a child reads; None if one is unbuilt.

    The content of an asset without partitions; else a hash of the partitions' names and contents in
    the order in which the child gets them.
    """
    parts = {slot.partition: record.content for slot, record in records.items() if record}
    if len(parts) < len(records):
        return None
    if list(parts) == [None]:
        return parts[None]
    listed = [(str(partition), content) for partition, content in parts.items()]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _stage(definition: dg.AssetsDefinition) -> Stage:
    keys = tuple("/".join(key.path) for key in definition.keys)
    if not isinstance(definition.node_def, dg.OpDefinition):
        raise ProjectError(
            f"{keys[0]}: an asset made of a graph of ops can't be versioned; make it one asset, or "
            "an asset of each op"
        )
    if not definition.can_subset and not all(o.is_required for o in definition.op.output_defs):
        raise ProjectError(
            f"{keys[0]}: an output that may be left out would look unbuilt for ever; make it "
            "required, and return a value that says that there is none"
        )
    # The function may use what it reads for any asset that it builds, whatever the lineage says.
    read = set().union(*definition.asset_deps.values()) - definition.keys
    return Stage(
        definition=definition,
        keys=keys,
        deps={
            "/".join(key.path): tuple("/".join(parent.path) for parent in sorted(parents | read))
            for key, parents in definition.asset_deps.items()
        },
        partitions_def=definition.partitions_def,
    )


def _dynamic(definition: dg.PartitionsDefinition | None) -> bool:
    if isinstance(definition, dg.MultiPartitionsDefinition):
        return any(_dynamic(dimension.partitions_def) for dimension in definition.partitions_defs)
    return isinstance(definition, dg.DynamicPartitionsDefinition)


def _place_in(root: Path, package: str) -> Path | None:
    """Where a package lies, if that is in the project and not among what is installed there."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    places = [*(spec.submodule_search_locations or ()), spec.origin or ""] if spec else []
    for place in map(Path, places):
        installed = {"site-packages", "dist-packages"} & {*place.parts}
        if place.is_relative_to(root) and not installed and not place.is_relative_to(sys.prefix):
            return place
    return None


FILE_TICK_NS = 20_000_000
"""Longer than a tick of a file system's clock: what is written twice in one has the same times."""


class FileHashes(JsonCache):
    """Content hashes of files, computed again only when size, times or inode change."""

    def hash(self, path: Path) -> str:
        """SHA-256 of a file, or of the sorted names and hashes in a folder, links followed.

        "absent" if there is neither.

        Raises
        ------
        ProjectError
            It can't be read.
        """
        try:
            if not path.is_dir():
                return self._hash_file(path)
            listed = [[str(name), known] for name, known in sorted(self._inside(path, ()))]
        except PermissionError as error:
            raise ProjectError(f"the input file {error.filename} can't be read") from error
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()

    def _inside(self, folder: Path, above: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
        """Name and hash of everything in a folder, below it too."""
        real = folder.resolve()
        if real in above:
            yield Path(), "a link to a folder that holds it"
            return
        with os.scandir(folder) as entries:
            paths = [Path(entry.path) for entry in entries]
        if above and not paths:
            yield Path(), "an empty folder"
        for path in paths:
            if path.is_dir():
                inside = self._inside(path, (*above, real))
                yield from ((Path(path.name, name), known) for name, known in inside)
            else:
                yield Path(path.name), self._hash_file(path)

    def _hash_file(self, path: Path) -> str:
        try:
            found = path.stat()
        except PermissionError:
            raise
        except OSError:
            return "absent"
        if not stat.S_ISREG(found.st_mode):
            return "no file"  # such as a pipe, which would be waited for
        state = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
        known = self.data.get(str(path))
        if known and known[0] == state:
            return str(known[1])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not 0 <= time.time_ns() - found.st_ctime_ns < FILE_TICK_NS:
            self.data[str(path)] = [state, digest]
        return digest


WIRING = frozenset({"dagster", "pydantic"})
"""Libraries that wire stages up and shape no result: upgrading them makes nothing stale."""


class Libraries(JsonCache):
    """Versions of installed libraries by the name they are imported under."""

    def __init__(self, counted: PackageVersions, path: Path) -> None:
        super().__init__(path)
        self._counted = counted
        state = library_state()
        if self.data.get("state") != state:
            self.data = {"state": state, "versions": {}}
        self._names: Mapping[str, list[str]] | None = None

    def versions(self, imports: Iterable[str]) -> dict[str, str]:
        """Version of each import name, as far as versions count; what isn't installed is absent."""
        if self._counted == "ignore":
            return {}
        found = {name: self._version(name) for name in imports if name not in WIRING}
        self.save()
        if self._counted == "exact":
            return found
        return {name: ".".join(version.split(".")[:2]) for name, version in found.items()}

    def _version(self, name: str) -> str:
        versions = self.data["versions"]
        if name not in versions:
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:  # its distribution has another name
                if self._names is None:
                    self._names = importlib.metadata.packages_distributions()  # takes a second
                owners = sorted(set(self._names.get(name, ())))
                versions[name] = "+".join(map(importlib.metadata.version, owners)) or "absent"
        return str(versions[name])


def library_state() -> list[Any]:
    """Changes whenever a package is installed, removed or upgraded."""
    folders = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return [
        sys.version,
        *([folder, Path(folder).stat().st_mtime_ns] for folder in folders if Path(folder).is_dir()),
    ]


@dataclass(frozen=True)
class Graph:
    """A project's stages and its store, which `orchestration.build` leaves with its definitions."""

    stages: Stages
    store: Store


GRAPH = "graph"
"""Name of the resource that holds it."""


def difference(committed: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Say which settings differ, and how."""
    names = sorted(set(committed) | set(given))
    return ", ".join(
        f"{name} {committed.get(name)!r} -> {given.get(name)!r}"
        for name in names
        if committed.get(name) != given.get(name)
    )

"""The stages of a project: what each depends on, and the version it would be built with now.

A stage is what one function builds: an asset, or the several assets of a multi-asset. Versions are
computed, never written by hand: the function's code closure, its effective configuration, the
versions of the libraries it uses, and the content of files it reads from outside the graph.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.fingerprint import Dynamic, SourceTree, cells
from orchestration.project import PackageVersions, Project
from orchestration.storage import Record, Slot, Store

VERSION_DIGITS = 16


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
    """

    code: str
    config: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    pieces: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The one string that stands for it: Dagster's code version.

        Where the files lie does not count, only what they hold.
        """
        counted = [self.code, dict(self.config), dict(self.packages), sorted(self.files.values())]
        return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[
            :VERSION_DIGITS
        ]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a record."""
        return asdict(self)


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
        Upstream assets of each of them.
    partitions
        Partition keys; None for a stage without partitions.
    """

    definition: dg.AssetsDefinition
    keys: tuple[str, ...]
    deps: Mapping[str, tuple[str, ...]]
    partitions: tuple[str, ...] | None

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
        return annotation if isinstance(annotation, type) else None

    def config(self, given: Mapping[str, Any] | None = None) -> tuple[dg.Config | None, Any]:
        """Its configuration, as an object and as plain data: the defaults, or what a run has."""
        if self.config_class is None:
            return None, {}
        instance = self.config_class(**(given or {}))
        return instance, instance.model_dump(mode="json")


class Stages:
    """All stages of a project, by asset key.

    Parameters
    ----------
    definitions
        Plain asset definitions, before anything is laid over them.
    project
        Where sources and caches are.
    """

    def __init__(self, definitions: Iterable[dg.AssetsDefinition], project: Project) -> None:
        self.project = project
        self.stages = [_stage(definition) for definition in definitions]
        self.by_key = {key: stage for stage in self.stages for key in stage.keys}
        self._tree = SourceTree(project.root, project.sources, project.cache / "fingerprints.json")
        self._loaded = _states(self._tree.files())
        self._files = FileHashes(project.cache / "files.json")
        self._libraries = Libraries(project.package_versions, project.cache / "libraries.json")
        self._versions: dict[str, Version] = {}
        self.dynamic: dict[str, tuple[Dynamic, ...]] = {}

    def order(self) -> list[str]:
        """All asset keys, upstream ones first, otherwise in order of definition."""
        done: dict[str, None] = {}

        def visit(key: str) -> None:
            if key in self.by_key and key not in done:
                for parent in self.by_key[key].deps[key]:
                    visit(parent)
                done[key] = None

        for key in self.by_key:
            visit(key)
        return list(done)

    def slots(self, key: str) -> list[Slot]:
        """Every slot of an asset."""
        partitions = self.by_key[key].partitions
        return [Slot(key)] if partitions is None else [Slot(key, part) for part in partitions]

    def upstream(self, slot: Slot) -> dict[str, list[Slot]]:
        """The slots that a slot is built from, by asset; assets of others are left out."""
        stage = self.by_key[slot.asset]
        return {
            parent: self._mapped(stage, slot, parent)
            for parent in stage.deps[slot.asset]
            if parent in self.by_key
        }

    def _mapped(self, stage: Stage, slot: Slot, parent: str) -> list[Slot]:
        above = self.by_key[parent]
        if above.partitions is None:
            return [Slot(parent)]
        upstream_def = above.definition.partitions_def
        child, key = dg.AssetKey(slot.asset.split("/")), dg.AssetKey(parent.split("/"))
        mapping = stage.definition.infer_partition_mapping(child, key, upstream_def)
        child_def = stage.definition.partitions_def
        assert upstream_def is not None
        subset = None
        if slot.partition is not None and child_def is not None:
            subset = child_def.empty_subset().with_partition_keys([slot.partition])
        result = mapping.get_upstream_mapped_partitions_result_for_partitions(
            subset, child_def, upstream_def
        )
        return [Slot(parent, part) for part in result.partitions_subset.get_partition_keys()]

    def input_version(self, slots: Sequence[Slot], store: Store) -> str | None:
        """Data version of one upstream asset as its child sees it; None if a part isn't built."""
        records = [store.current(slot) for slot in slots]
        return combine([(slot, record) for slot, record in zip(slots, records, strict=True)])

    def version(self, key: str) -> Version:
        """The version a stage would be built with now, with its committed configuration."""
        if key not in self._versions:
            stage = self.by_key[key]
            version = self.version_with(stage, None)
            self._versions |= dict.fromkeys(stage.keys, version)
            self._files.save()
        return self._versions[key]

    def version_with(self, stage: Stage, given: Mapping[str, Any] | None) -> Version:
        """The version of a stage in a run that was given some configuration."""
        function = stage.function
        found = self._tree.fingerprint(function.__module__, function.__qualname__, cells(function))
        for key in stage.keys:
            self.dynamic[key] = found.dynamic
        config, values = stage.config(given)
        paths = config.input_files() if config and hasattr(config, "input_files") else ()
        return Version(
            code=found.digest,
            config=values,
            packages=self._libraries.versions(found.packages),
            files={str(path): self._files.hash(Path(path)) for path in paths},
            pieces={name: digest[:12] for name, digest in found.pieces.items()},
        )

    def unchanged(self, stage: Stage, version: Version) -> bool:
        """Whether the sources still give a stage the version that it was loaded with.

        A stage imports much of its code while it runs: an edit in between must not be stored
        under the version from before it.
        """
        if _states(self._tree.files()) == self._loaded:
            return True
        now = Stages([stage.definition], self.project)
        return now.version(stage.keys[0]).code == version.code

    def sources(self) -> list[Path]:
        """Every file that the versions came from, but for the libraries."""
        inputs = [Path(name) for version in self._versions.values() for name in version.files]
        return [*self._tree.files(), *inputs]


def _states(files: Iterable[Path]) -> list[tuple[Path, int, int]]:
    return [
        (path, (stat := path.stat()).st_mtime_ns, stat.st_ctime_ns)
        for path in files
        if path.exists()
    ]


def combine(parts: Sequence[tuple[Slot, Record | None]]) -> str | None:
    """Data version of an upstream asset over the slots that a child reads; None if one is unbuilt.

    Over several partitions it is what Dagster computes: the hash of their versions in order.
    """
    if any(record is None for _, record in parts):
        return None
    versions = [record.content for _, record in sorted(parts, key=_by_slot) if record]
    if len(parts) == 1 and parts[0][0].partition is None:
        return versions[0]
    return hashlib.sha256("".join(versions).encode()).hexdigest()


def _by_slot(part: tuple[Slot, Record | None]) -> str:
    return part[0].partition or ""


def _stage(definition: dg.AssetsDefinition) -> Stage:
    partitions = definition.partitions_def
    return Stage(
        definition=definition,
        keys=tuple("/".join(key.path) for key in definition.keys),
        deps={
            "/".join(key.path): tuple("/".join(parent.path) for parent in sorted(parents))
            for key, parents in definition.asset_deps.items()
        },
        partitions=None if partitions is None else tuple(partitions.get_partition_keys()),
    )


class _JsonCache:
    """A small cache in one JSON file; losing it costs time only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.data: dict[str, Any] = {}
        self._dirty = False
        with suppress(OSError, ValueError):
            loaded = json.loads(path.read_text(encoding="utf-8"))
            self.data = loaded if isinstance(loaded, dict) else {}

    def put(self, key: str, value: object) -> None:
        self.data[key] = value
        self._dirty = True

    def save(self) -> None:
        if not self._dirty:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_name(f"{self._path.name}.{uuid.uuid4().hex}")
            temporary.write_text(json.dumps(self.data), encoding="utf-8")
            temporary.replace(self._path)
        self._dirty = False


class FileHashes(_JsonCache):
    """Content hashes of files, computed again only when size, times or inode change."""

    def hash(self, path: Path) -> str:
        """SHA-256 of a file, or of the sorted names and hashes in a folder; "absent" if neither."""
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file())
            listed = [[str(p.relative_to(path)), self.hash(p)] for p in inside]
            return hashlib.sha256(json.dumps(listed).encode()).hexdigest()
        try:
            stat = path.stat()
        except OSError:
            return "absent"
        state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        known = self.data.get(str(path))
        if known and known[0] == state:
            return str(known[1])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.put(str(path), [state, digest])
        return digest


class Libraries(_JsonCache):
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
        found = {name: self._version(name) for name in imports}
        self.save()
        if self._counted == "exact":
            return found
        return {name: ".".join(version.split(".")[:2]) for name, version in found.items()}

    def _version(self, name: str) -> str:
        versions = self.data["versions"]
        if name not in versions:
            if self._names is None:
                self._names = importlib.metadata.packages_distributions()
            owners = sorted(set(self._names.get(name, ())))
            versions[name] = "+".join(importlib.metadata.version(o) for o in owners) or "absent"
            self._dirty = True
        return str(versions[name])


def library_state() -> list[Any]:
    """Changes whenever a package is installed, removed or upgraded."""
    folders = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return [
        sys.version,
        *([folder, Path(folder).stat().st_mtime_ns] for folder in folders if Path(folder).is_dir()),
    ]

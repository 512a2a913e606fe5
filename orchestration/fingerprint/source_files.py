"""The source files of a project, and a cache of their facts."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestration import json_cache
from orchestration.fingerprint.facts import Facts, Unit
from orchestration.fingerprint.syntax import read_facts


class SourceError(ValueError):
    """A source file that a stage uses cannot be parsed."""


class SourceFiles:
    """Facts of every module of the project, parsed only where the cache has none."""

    def __init__(self, root: Path, packages: Sequence[str], cache: Path | None) -> None:
        self.root = root
        self.tops = frozenset(packages)
        self.paths: dict[str, Path] = {}
        self.packages: set[str] = set()
        for package in packages:
            self._find(root / package, package)
        stored = json_cache.JsonCache(cache, reader_version()) if cache else None
        #: Where what follows from all files is kept, and the digest of all of them.
        self.cache = cache and cache.with_name("effects.json")
        state = hashlib.sha256()
        known: dict[str, Facts] = stored.data if stored else {}
        kept: dict[str, Facts] = {}
        self._facts: dict[str, Facts] = {}
        for module, path in self.paths.items():
            content = path.read_bytes()
            key = hashlib.sha256(content).hexdigest()
            state.update(f"{module} {path.stem == '__init__'} {key}\n".encode())
            facts = kept.get(key) or known.get(key)
            kept[key] = self._facts[module] = read_facts(content) if facts is None else facts
        for module in sorted(self.packages - self.paths.keys()):
            state.update(f"{module}\n".encode())
            self._facts[module] = Facts()
        self.state = state.hexdigest()
        if stored and kept.keys() - known.keys():
            stored.data = kept
            stored.save()
        self.broken = {module for module, facts in self._facts.items() if "error" in facts}
        self.names = {module: _names(facts) for module, facts in self._facts.items()}

    def _find(self, path: Path, module: str) -> None:
        if not path.is_dir():
            path = path.with_suffix(".py")
            if not path.is_file():
                raise ValueError(f"no package or module {module!r} in {self.root}")
            self.paths[module] = path
            return
        self.packages.add(module)
        with os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                stem, dot, suffix = entry.name.partition(".")
                if not stem.isidentifier() or stem == "__pycache__":
                    continue
                if not dot and entry.is_dir():
                    self._find(Path(entry.path), f"{module}.{stem}")
                elif suffix == "py" and stem == "__init__":
                    self.paths[module] = Path(entry.path)
                elif suffix == "py" and f"{module}.{stem}" not in self.paths:
                    self.paths[f"{module}.{stem}"] = Path(entry.path)

    def __contains__(self, module: str) -> bool:
        return module in self._facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def facts(self, module: str) -> Facts:
        """Return the facts of a module; raises `SourceError` where it cannot be parsed."""
        facts = self._facts[module]
        if "error" in facts:
            line, message = facts["error"]
            raise SourceError(f"{self.paths[module]}, line {line}: {message}")
        return facts

    def units(self, module: str) -> list[Unit]:
        """Statements of a module, in order."""
        return self.facts(module).get("units", [])

    def binding(self, module: str, name: str) -> list[Unit]:
        """Statements of a module that bind a name; none where there is no such name."""
        units = self.units(module)
        return [units[index] for index in self.names[module].get(name, ())]

    def absolute(self, module: str, level: int, name: str) -> str:
        """Module that ``name`` with ``level`` leading dots means inside ``module``."""
        if not level:
            return name
        parts = module.split(".")
        parts = parts[: len(parts) - level + (module in self.packages)]
        return ".".join([*parts, name] if name else parts)


def _names(facts: Facts) -> dict[str, list[int]]:
    """Units that bind each name."""
    names: dict[str, list[int]] = {}
    for index, unit in enumerate(facts.get("units", ())):
        for name in unit.get("binds", ()):
            names.setdefault(name, []).append(index)
    return names


@functools.cache
def reader_version() -> str:
    """Digest what the cache depends on besides the files: this package, its format, the parser."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in [Path(json_cache.__file__), *sorted(Path(__file__).parent.glob("*.py"))]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

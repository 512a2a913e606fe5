"""The files of a project, and a cache of what they say.

Here belongs which modules there are, where they are, and when one has to be parsed again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from orchestration.fingerprint.facts import Facts, Unit
from orchestration.fingerprint.syntax import read_facts

MACHINERY = (
    "closure", "facts", "names", "scopes", "source_files", "syntax", "tree", "values",
)  # fmt: skip
"""The modules that fingerprints are made by: a change of any makes cached facts void."""


class SourceError(ValueError):
    """A source file that a stage uses cannot be parsed."""


class Sources:
    """Facts of every module of the project, parsed only where the cache has none."""

    def __init__(self, root: Path, packages: Sequence[str], cache: Path | None) -> None:
        self.root = root
        self.tops = frozenset(packages)
        self.files: dict[str, Path] = {}
        self.packages: set[str] = set()
        for package in packages:
            self._find(root / package, package)
        known = _load_cache(cache) if cache else {}
        kept: dict[str, Facts] = {}
        self._facts: dict[str, Facts] = {}
        for module, path in self.files.items():
            content = path.read_bytes()
            key = hashlib.sha256(content).hexdigest()
            facts = kept.get(key) or known.get(key)
            kept[key] = self._facts[module] = read_facts(content) if facts is None else facts
        for module in self.packages - self.files.keys():
            self._facts[module] = Facts()
        if cache and kept.keys() - known.keys():
            _save_cache(cache, kept)
        self.broken = {module for module, facts in self._facts.items() if "error" in facts}
        self.names = {module: _names(facts) for module, facts in self._facts.items()}

    def _find(self, path: Path, module: str) -> None:
        if not path.is_dir():
            path = path.with_suffix(".py")
            if not path.is_file():
                raise ValueError(f"no package or module {module!r} in {self.root}")
            self.files[module] = path
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
                    self.files[module] = Path(entry.path)
                elif suffix == "py" and f"{module}.{stem}" not in self.files:
                    self.files[f"{module}.{stem}"] = Path(entry.path)

    def __contains__(self, module: str) -> bool:
        return module in self._facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def facts(self, module: str) -> Facts:
        """What a module says; raises `SourceError` where it is broken."""
        facts = self._facts[module]
        if "error" in facts:
            line, message = facts["error"]
            raise SourceError(f"{self.files[module]}, line {line}: {message}")
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
def _reader_version() -> str:
    """What facts depend on besides the file: how it is read, and the version of the parser."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for name in MACHINERY:
        digest.update(hashlib.sha256(Path(__file__).with_name(f"{name}.py").read_bytes()).digest())
    return digest.hexdigest()


# The file has two lines of JSON, a header and the facts, so that the header can vouch for the rest.


def _load_cache(path: Path) -> dict[str, Facts]:
    """Facts by the digest of a file's content; none where the cache is foreign or damaged."""
    try:
        header, _, body = path.read_bytes().partition(b"\n")
        if json.loads(header) != _cache_header(body):
            return {}
        facts: dict[str, Facts] = json.loads(body)
        return facts
    except (OSError, ValueError):
        return {}


def _save_cache(path: Path, facts: Mapping[str, Facts]) -> None:
    body = json.dumps(facts, separators=(",", ":")).encode()
    header = json.dumps(_cache_header(body)).encode()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(header + b"\n" + body)
        temporary.replace(path)
    except OSError:  # it is only a cache
        with suppress(OSError):
            temporary.unlink()


def _cache_header(body: bytes) -> dict[str, object]:
    digest = hashlib.sha256(body).hexdigest()
    return {"reader": _reader_version(), "facts": digest}

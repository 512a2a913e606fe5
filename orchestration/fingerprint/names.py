"""What a name in a module refers to, as Python would resolve it, and which statements change it."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from orchestration.fingerprint.facts import CAPTURED, MUTATORS, Spec, Unit, Use
from orchestration.fingerprint.points_to import Place, PointsTo
from orchestration.fingerprint.source_files import SourceFiles, reader_version
from orchestration.json_cache import JsonCache

Pair = tuple[str, str]
"""Module and name of a definition."""


class Target(NamedTuple):
    """What a name resolves to."""

    kind: str  # "definition", "module", "outside", "builtin", "inert" or "missing"
    module: str  # of the definition or what is missing
    name: str  # of it, or the full path of what is outside
    rest: str = ""  # attributes beyond it

    @property
    def pair(self) -> Pair:
        """The definition, where it is one."""
        return self.module, self.name


def walk(start: Pair, following: Callable[[Pair], Iterable[Pair]]) -> Iterator[Pair]:
    """Go from a definition to all that follow from it, itself first and each once."""
    seen, stack = {start}, [start]
    while stack:
        pair = stack.pop()
        yield pair
        new = dict.fromkeys(other for other in following(pair) if other not in seen)
        seen.update(new)
        stack.extend(new)


# Names that every module or class body has, and which tell where the code is, not what it does.
_INERT = {
    "__builtins__", "__cached__", "__class__", "__debug__", "__file__", "__loader__", "__module__",
    "__name__", "__package__", "__path__", "__qualname__", "__spec__",
}  # fmt: skip


class Names:
    """Resolves names, and knows which statements change what."""

    def __init__(self, sources: SourceFiles) -> None:
        self.sources = sources
        self._resolved: dict[tuple[str, str], tuple[Target, ...]] = {}
        self._steps: dict[str, dict[Pair, list[int]]] = {}
        self._reach: dict[Pair, set[Pair]] = {}

    # -- resolution

    def resolve(self, module: str, ref: str) -> tuple[Target, ...]:
        """Everything that a ref of a unit of ``module`` may mean."""
        targets = self._resolved.get((module, ref))
        if targets is None:
            targets = self._resolved[module, ref] = tuple(dict.fromkeys(self._resolve(module, ref)))
        return targets

    def definitions(self, module: str, ref: str) -> Iterator[Target]:
        """Definitions of the project among them."""
        return (target for target in self.resolve(module, ref) if target.kind == "definition")

    def _resolve(self, module: str, ref: str) -> list[Target]:
        kind, _, path = ref.partition(":")
        if kind in CAPTURED or kind == Use.KEYWORDS:  # only the run can tell, or no name
            return []
        if kind in (Use.IMPORTED, Use.IMPORT_CALLED, Use.LOADED):
            level, imported, attribute, *rest = path.split(":")
            spec = (int(level), imported, attribute)
            return self._follow(module, spec, [*filter(None, ".".join(rest).split("."))], set())
        name, *attributes = path.partition(":")[0].split(".")
        targets = self._in_module(module, name, attributes, set())
        if targets:
            return targets
        if name == "__doc__":
            return [Target("inert", module, self.sources.facts(module).get("doc", ""))]
        if name in _INERT:
            return [Target("inert", module, name)]
        for star in self._foreign_stars(module):
            targets.append(Target("outside", module, ".".join([star, "*", name, *attributes])))
        if hasattr(builtins, name):
            targets.append(Target("builtin", module, ".".join([name, *attributes])))
        return targets or [Target("missing", module, path)]

    def _foreign_stars(self, module: str) -> Iterator[str]:
        for level, name in self.sources.facts(module).get("stars", ()):
            absolute = self.sources.absolute(module, level, name)
            if absolute not in self.sources:
                yield absolute

    def _in_module(
        self, module: str, name: str, attributes: list[str], seen: set[Pair]
    ) -> list[Target]:
        """What ``name`` is bound to by the statements of ``module``."""
        if (module, name) in seen:
            return []
        seen = {*seen, (module, name)}
        facts = self.sources.facts(module)
        targets = []
        for spec in facts.get("imports", {}).get(name, ()):
            targets += self._follow(module, spec, attributes, seen)
        if name in self.sources.names[module]:
            targets.append(Target("definition", module, name, ".".join(attributes)))
        for level, star in facts.get("stars", ()):
            other = self.sources.absolute(module, level, star)
            if other in self.sources and self._exported(other, name):
                targets += self._in_module(other, name, attributes, seen)
        if not targets:
            for spec in facts.get("typing", {}).get(name, ()):
                targets += self._follow(module, spec, attributes, seen)
        return targets

    def _exported(self, module: str, name: str) -> bool:
        exports = self.sources.facts(module).get("exports", ())
        if exports is None:
            return True
        return name in exports if exports else not name.startswith("_")

    def _follow(
        self, module: str, spec: Spec, attributes: list[str], seen: set[Pair]
    ) -> list[Target]:
        """What an import, and then attributes of it, lead to."""
        level, name, attribute = spec
        absolute = self.sources.absolute(module, level, name)
        path = [*filter(None, [attribute]), *attributes]
        if absolute.partition(".")[0] not in self.sources.tops:
            return [Target("outside", module, ".".join([absolute, *path]))]
        if absolute not in self.sources:
            # `import_module("a.b.Class")` and the like may name more than a module.
            parent, _, last = absolute.rpartition(".")
            if not parent:
                return [Target("missing", module, ".".join([absolute, *path]))]
            return self._follow(module, (0, parent, last), path, seen)
        return self._attribute(absolute, path, seen)

    def _attribute(self, module: str, path: list[str], seen: set[Pair]) -> list[Target]:
        if not path:
            return [Target("module", module, "")]
        name, *rest = path
        targets = self._in_module(module, name, rest, seen)
        if targets:
            return targets
        if f"{module}.{name}" in self.sources:
            return self._attribute(f"{module}.{name}", rest, seen)
        if name == "__dict__":
            return [Target("module", module, "", ".".join(rest))]
        if name == "__doc__":
            return [Target("inert", module, self.sources.facts(module).get("doc", ""))]
        if name in _INERT:
            return [Target("inert", module, name)]
        if "__getattr__" in self.sources.names[module]:
            return [Target("definition", module, "__getattr__", ".".join(path))]
        stars = [
            Target("outside", module, ".".join([star, "*", *path]))
            for star in self._foreign_stars(module)
        ]
        return stars or [Target("missing", module, ".".join(path))]

    def attribute(self, module: str, name: str) -> list[Target]:
        """Everything that an attribute of a module may mean."""
        return self._attribute(module, [name], set())

    # -- classes

    def kinds(self, pair: Pair) -> set[str]:
        """Kinds of the statements that bind a name."""
        return {unit["kind"] for unit in self.sources.binding(*pair)}

    def runs(self, pair: Pair) -> bool:
        """Whether a name may stand for a function or a class, and not for data."""
        return bool(self.kinds(pair) & {"def", "class"}) or self.flag(pair, "defines")

    def bases(self, pair: Pair) -> Iterator[Target]:
        """What the bases of a class resolve to."""
        for unit in self.sources.binding(*pair):
            yield from self.targets(pair[0], unit, unit.get("bases", ()))

    def targets(self, module: str, unit: Unit, refs: Iterable[int]) -> Iterator[Target]:
        """What some of a unit's refs resolve to."""
        for index in refs:
            if index >= 0:
                yield from self.resolve(module, unit["refs"][index])

    def pairs(self, module: str, unit: Unit, refs: Iterable[int]) -> Iterator[Pair]:
        """Definitions of the project that some of a unit's refs resolve to."""
        targets = self.targets(module, unit, refs)
        return (target.pair for target in targets if target.kind == "definition")

    def _family(self, pair: Pair) -> Iterator[Pair]:
        """A class and the project's classes that it inherits from."""
        return walk(pair, self._parents)

    def _parents(self, pair: Pair) -> Iterator[Pair]:
        return (base.pair for base in self.bases(pair) if base.kind == "definition")

    @functools.cached_property
    def subclasses(self) -> dict[Pair, set[Pair]]:
        """All classes below each class, in the whole project."""
        below: dict[Pair, set[Pair]] = {}
        for module in self.sources:
            if module in self.sources.broken:
                continue
            for unit in self.sources.units(module):
                if unit["kind"] == "class" and unit.get("bases"):
                    own = (module, unit["binds"][0])
                    for member in self._family(own):
                        if member != own:
                            below.setdefault(member, set()).add(own)
        return below

    # -- who changes what

    def steps(self, module: str) -> dict[Pair, list[int]]:
        """Units of a module that change a name, for each that they change one by one."""
        steps = self._steps.get(module)
        if steps is None:
            changed: dict[Pair, set[int]] = {
                (module, name): set(units) for name, units in self.sources.names[module].items()
            }
            for pair, where in self.changes.items():
                here = {index for other, index in where if other == module}
                if here:
                    changed.setdefault(pair, {-1}).update(here)
            steps = self._steps[module] = {
                pair: sorted(indices) for pair, indices in changed.items() if len(indices) > 1
            }
        return steps

    def reach(self, pair: Pair) -> set[Pair]:
        """A definition and all that it uses."""
        reach = self._reach.get(pair)
        if reach is None:
            reach = self._reach[pair] = set(walk(pair, self._read_by))
        return reach

    def _read_by(self, pair: Pair) -> Iterator[Pair]:
        for unit in self.sources.binding(*pair):
            for ref in unit.get("refs", ()):
                yield from self.read(pair[0], ref)

    def read(self, module: str, ref: str) -> set[Pair]:
        """Definitions that a ref stands for and not only changes."""
        return {
            target.pair
            for target in self.definitions(module, ref)
            if not self.only_changes(ref[0], target)
        }

    def only_changes(self, use: str, target: Target) -> bool:
        """Whether a use of a name changes what it stands for, and does nothing that it decides."""
        if use == Use.FILLED:
            return target.rest in MUTATORS and self._holds(target.pair)
        return use == Use.STORED or (use == Use.METHOD and bool(target.rest))

    def _holds(self, pair: Pair) -> bool:
        """Whether a name stands for a built-in container."""
        units = self.sources.binding(*pair)
        return bool(units) and all(unit.get("container") for unit in units)

    def flag(self, pair: Pair, flag: str) -> bool:
        """Whether any statement that binds a name has a flag."""
        return any(unit.get(flag) for unit in self.sources.binding(*pair))

    @functools.cached_property
    def changes(self) -> dict[Pair, set[Place]]:
        """Units, anywhere, that change a name other than by binding it."""
        return self._effects[0]

    @functools.cached_property
    def ambient(self) -> dict[str, list[int]]:
        """Units by module that, on import, change something that no name of the project stands for.

        Such as `np.seterr(...)`, or a class registered with another package.
        """
        return self._effects[1]

    @functools.cached_property
    def _effects(self) -> tuple[dict[Pair, set[Place]], dict[str, list[int]]]:
        if self.sources.cache is None:
            return self._analysed()
        # The analysis needs all files at once: it is kept as long as none of them changes.
        stored = JsonCache(self.sources.cache, f"{reader_version()} {self.sources.state}")
        if not stored.data:
            changes, ambient = self._analysed()
            listed = [[*pair, sorted(places)] for pair, places in sorted(changes.items())]
            stored.data = {"changes": listed, "ambient": ambient}
            stored.save()
            return changes, ambient
        changes = {
            (module, name): {(other, index) for other, index in places}
            for module, name, places in stored.data["changes"]
        }
        return changes, stored.data["ambient"]

    def _analysed(self) -> tuple[dict[Pair, set[Place]], dict[str, list[int]]]:
        points = PointsTo(self)
        changes = points.changes()
        for pair, classes in self.subclasses.items():
            if self.flag(pair, "subclasses"):
                changes.setdefault(pair, set()).update(
                    (module, index)
                    for module, name in classes
                    for index in self.sources.names[module][name]
                )
        for (module, name), places in changes.items():
            places -= {(module, index) for index in self.sources.names[module].get(name, ())}
        ambient: dict[str, list[int]] = {}
        for module, index in sorted(points.ambient):
            ambient.setdefault(module, []).append(index)
        return {pair: places for pair, places in changes.items() if places}, ambient

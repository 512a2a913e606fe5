"""The graph of a project's code: what a definition uses, and the digest of it with all of that."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal, Protocol

from orchestration.fingerprint.facts import (
    BLIND_DECORATORS,
    CAPTURED,
    FRAME_READERS,
    HINT_READERS,
    PLAIN_BASES,
    PLAIN_DECORATORS,
    QUIET_DECORATORS,
    Decorator,
    Hints,
    Keywords,
    Log,
    Part,
    Unit,
    Use,
    digest_of,
)
from orchestration.fingerprint.logs import ANY
from orchestration.fingerprint.names import Names, Pair, Target, walk
from orchestration.fingerprint.nodes import VALUE, Dynamic, Key, Node, solve
from orchestration.fingerprint.others import PROCESS_WIDE
from orchestration.fingerprint.source_files import SourceFiles

# Built-in functions that take a fixed set of keyword arguments.
_FIXED = {"enumerate", "max", "min", "open", "pow", "print", "round", "sorted", "sum", "zip"}

# Uses of a name in which what it stands for may go anywhere.
_VALUES = {Use.READ, Use.SOFT, Use.IMPORTED}

# Attributes of a definition that show its annotations or docstring.
_REFLECTION = {"__annotations__", "__doc__", "__signature__", "__wrapped__"}


class Captured(Protocol):
    """What only the run knows of a function that was made inside another."""

    def fill(self, ref: str) -> None:
        """Write what a variable of an enclosing function holds."""

    def annotation(self, parameter: str, refs: Iterable[str]) -> None:
        """Write the class that annotates a parameter, where that is such a variable."""


class Graph:
    """The graph of a project's code, built as far as it is asked for.

    Parameters
    ----------
    sources
        The project.
    settings_bases, wiring
        As of `SourceTree`.
    named
        Whether it counts what variables and functions are called.
    """

    def __init__(
        self,
        sources: SourceFiles,
        settings_bases: Collection[str],
        wiring: Collection[str],
        *,
        named: bool = False,
    ) -> None:
        self.sources = sources
        self.named = named
        self.names = Names(sources)
        self.nodes: dict[Key, Node] = {}
        self.values: dict[Key, Node] = {}
        self.always: frozenset[str] = frozenset()
        self._digests: dict[Key, str] = {}
        self._settings_bases = frozenset(settings_bases)
        self._wiring = frozenset(wiring)
        self._is_settings: dict[Pair, bool] = {}
        self._plain: dict[Pair, bool] = {}
        self._reads_hints: dict[Pair, bool] = {}

    def closed(self, root: Key) -> tuple[str, set[Key]]:
        """Digest of a node with all that runs for it, and every node that this takes in."""
        solve(root, self._node, self._digests)
        closure = self._closure([root])
        ambient = self._ambient(closure)
        digest = self._digests[root]
        if ambient or self.named:
            orders: dict[str, list[tuple[int, str]]] = {}
            for key in ambient:
                place = int(key.name[1:])
                orders.setdefault(key.module, []).append((place, self._digests[key]))
            also = sorted(",".join(text for _, text in sorted(order)) for order in orders.values())
            digest = digest_of("\n".join([digest, *["named"][: self.named], *also]))
        return digest, closure

    def with_names(self) -> Graph:
        """Return another graph of the same project, in which names count."""
        graph = Graph(self.sources, self._settings_bases, self._wiring, named=True)
        graph.names, graph.values = self.names, self.values
        return graph

    def observed(self, closure: Iterable[Key]) -> bool:
        """Whether names may count for what is in a closure.

        They do where something may read them, and where only they tell two things apart that can
        change, such as two lists that both start out empty.
        """
        alike: dict[str, Pair] = {}
        for key in closure:
            node = self.nodes[key]
            if node.observes:
                return True
            pair = (key.module, key.name)
            if node.stateful and alike.setdefault(self._digests[key], pair) != pair:
                return True
        return False

    # -- nodes

    def _node(self, key: Key) -> Node:
        node = self.nodes.get(key)
        if node is None:
            if key.variant.startswith(VALUE):
                node = self.values[key]
            elif key.name.startswith("*"):
                node = self._whole_module(key)
            elif key.name.startswith("#"):
                node = self._statements(key)
            else:
                node = self._definition(key)
            self.nodes[key] = node
        return node

    def _definition(self, key: Key) -> Node:
        """A name: every statement that binds it, and unless it is bare, that changes it."""
        node = Node()
        units = self.sources.units(key.module)
        own = set(self.sources.names[key.module][key.name])
        local = set(own)
        if key.variant != "bare":
            elsewhere: dict[str, list[int]] = {}
            for module, index in self.names.changes.get((key.module, key.name), ()):
                if module == key.module:
                    local.add(index)
                else:
                    elsewhere.setdefault(module, []).append(index)
            for module, indices in elsewhere.items():
                node.also.add(Key(module, f"#{','.join(map(str, sorted(indices)))}"))
        for index in sorted(local):
            if index not in own and units[index]["kind"] != "state":
                node.key(self._changer(key.module, units[index]))
            else:
                self.assemble(node, key, units[index], index)
                if index in own and len(units[index]["binds"]) > 1:
                    place = units[index].get("places", {}).get(key.name, key.name)
                    node.text(f"as {place}")  # which of them
        if self.names.flag((key.module, key.name), "subclasses"):
            self._with_subclasses(node, (key.module, key.name))
        if not key.variant.startswith(("bare", "settings", "stage")):
            entry = key.variant.removeprefix("entry") if key.variant.startswith("entry ") else ""
            value = Key(key.module, key.name, f"{VALUE}{entry}")
            if value in self.values:
                node.also.add(value)
        return node

    def bare(self, key: Key) -> Node:
        """The statements that bind a name, alone."""
        bound = key.name in self.sources.names[key.module]
        return self._node(key._replace(variant="bare")) if bound else Node()

    def _changer(self, module: str, unit: Unit) -> Key:
        """A function or class as something that changes what is elsewhere."""
        return Key(module, unit["binds"][0], "named" if unit["kind"] == "class" else "")

    def _statements(self, key: Key) -> Node:
        """Some statements of a module, in order."""
        node = Node()
        for index in map(int, key.name[1:].split(",")):
            unit = self.sources.units(key.module)[index]
            if unit["kind"] == "state":
                self.assemble(node, key, unit, index)
            else:
                node.key(self._changer(key.module, unit))
        return node

    def _with_subclasses(self, node: Node, pair: Pair) -> None:
        node.also |= {Key(*below, "named") for below in self.names.subclasses.get(pair, ())}

    def _whole_module(self, key: Key) -> Node:
        """All definitions of a module, with those that it re-exports."""
        node = Node()
        module = key.module
        facts = self.sources.facts(module)
        node.text(module)
        for name in sorted(self.sources.names[module]):
            node.text(name)
            node.key(Key(module, name, "named"))
        node.also |= {key for key in self.values if key.module == module and key.variant == VALUE}
        for index, unit in enumerate(facts.get("units", ())):
            if not unit.get("binds"):
                node.also.add(Key(module, f"#{index}"))
        for name in sorted(facts.get("imports", {})):
            for target in self.names.resolve(module, f"{Use.READ}:{name}"):
                node.text(name)
                if target.kind == "definition":
                    node.key(Key(*target.pair, "named"))
                elif target.kind == "module":
                    node.key(Key(target.module, "*"))
                elif target.kind == "outside":
                    node.text(target.name)
        whole = [
            (level, name) for level, name, attribute in facts.get("imported", ()) if not attribute
        ]
        for level, other in [*facts.get("stars", ()), *whole]:
            absolute = self.sources.absolute(module, level, other)
            if absolute in self.sources:
                node.also.add(Key(absolute, "*"))
        if key.name == "**":
            below = f"{module}."
            node.also |= {Key(other, "*") for other in self.sources if other.startswith(below)}
        return node

    def assemble(
        self,
        node: Node,
        key: Key,
        unit: Unit,
        index: int | None,
        values: Captured | None = None,
    ) -> None:
        """Write one statement into a node; ``index``: its place among those that run on import."""
        module, variant = key.module, key.variant
        refs = unit.get("refs", [])
        eager = unit.get("eager", []) if index is not None else []

        def write(part: Part) -> None:
            node.text(part["text"])
            for slot in part["slots"]:
                if refs[slot][0] == Use.KEYWORDS:
                    self._keywords(node, module, unit, unit["keywords"][int(refs[slot][2:])], write)
                elif refs[slot][0] in CAPTURED and values is not None:
                    values.fill(refs[slot])
                else:
                    self._fill(node, key, unit, refs[slot])
                if index is not None and slot in eager:
                    self._position(node, module, refs[slot], index)

        if unit["kind"] == "def":
            self._name(node, key, unit)
        elif unit["kind"] == "class":
            self._class(node, key, unit, write)
        elif self.named:
            node.text(" ".join(unit.get("binds", ())))
        if not key.name.startswith("#") and not unit.get("immutable"):
            node.stateful = True
        for decorator in unit.get("decorators", ()):
            if not (variant.startswith("stage") and self._wires(module, unit, decorator)):
                write(decorator)
        write(unit["body"])
        for entry, value in unit.get("entries", ()):
            if not variant.startswith("entry ") or variant == f"entry {entry}":
                node.text(entry)
                write(value)
        for log in unit.get("logs", ()):
            if self.named or not self._only_tells(key, unit, log):
                write(log)
        node.observes |= unit.get("observes", False)
        if self.named:
            node.text(unit.get("locals", ""))
        for listed in unit.get("fields", ()):
            settings = variant == "settings" and self._has_settings_base(
                self.names.targets(module, unit, listed["bases"])
            )
            write(listed["settings" if settings else "full"])
        for hints in unit.get("hints", ()):
            if variant == "reflected" or self._read_hints(key, unit, hints):
                write(hints)
        if variant == "reflected":
            node.text(unit.get("doc", ""))
        if variant.startswith("stage"):
            self._parameters(node, module, unit, values)
        self._loads(node, module, unit)
        self._widen(node, module, unit)

    def _name(self, node: Node, key: Key, unit: Unit) -> None:
        """Write the names of a function and of its parameters, as far as they count."""
        pair, signature = (key.module, key.name), unit.get("signature", "")
        name = key.name.rpartition(".")[2]
        if (
            self.named
            or key.variant in ("named", "reflected")
            or (name.startswith("__") and name.endswith("__"))
            or not self._is_blind(key, unit)
        ):
            node.text(f"def {name}({signature})")
        elif key.variant.startswith("stage"):
            node.text(signature)  # what its inputs are called
        node.stateful |= "decorators" in unit or bool(self.names.changes.get(pair))

    def _class(self, node: Node, key: Key, unit: Unit, write: Callable[[Part], None]) -> None:
        """Write the name of a class, as far as it counts, and its methods."""
        pair = (key.module, key.name)
        plain = not self.named and self._is_plain(pair)
        enum = unit.get("enum", False) and not self.named and not self._asks_types
        kept = key.variant in ("", "bare") and (
            (plain and not self._shows(pair)) or (enum and not self.names.changes.get(pair))
        )
        if not kept or enum:
            node.text(f"class {key.name}")
        members = unit.get("members", [])
        movable = unit.get("movable", False)
        if plain and movable:
            members = sorted(members, key=lambda member: member["name"])
        elif not (kept and enum):
            node.text(unit["order"])
        inherited = {
            member["name"]
            for base in self.names.bases(pair)
            for above in self.sources.binding(*base.pair)
            for member in above.get("members", ())
        }
        for member in members:
            name = member["name"]
            used = name in self._attributes or name in inherited
            if used or not kept or not (movable or enum) or not member["free"]:
                node.text(name)
                write(member)

    def _is_plain(self, pair: Pair) -> bool:
        """Whether nothing about making a class looks at its name or the order of its methods."""
        if pair not in self._plain:
            self._plain[pair] = False  # for a class that is its own base
            units = self.sources.binding(*pair)
            self._plain[pair] = (
                [unit["kind"] for unit in units] == ["class"]
                and not units[0].get("hooks")
                and not units[0].get("metaclass")
                and not self.names.changes.get(pair)
                and all(
                    bool(targets) and all(target.name in PLAIN_DECORATORS for target in targets)
                    for decorator in units[0].get("decorators", ())
                    for targets in [[*self.names.targets(pair[0], units[0], decorator["by"])]]
                )
                and all(
                    self._is_plain(base.pair) and not base.rest
                    if base.kind == "definition"
                    else base.name in PLAIN_BASES or f"builtins.{base.name}" in PLAIN_BASES
                    for base in self.names.bases(pair)
                )
            )
        return self._plain[pair]

    def _shows(self, pair: Pair) -> bool:
        """Whether a plain class or a base of it may hand on its instances, or itself."""
        return any(
            unit.get("shows")
            for above in walk(pair, self._above)
            for unit in self.sources.binding(*above)
        )

    def _above(self, pair: Pair) -> Iterator[Pair]:
        return (base.pair for base in self.names.bases(pair) if base.kind == "definition")

    def _entry(self, target: Target, key: str) -> str:
        """Variant of a table of which one entry is looked up: that entry, if nothing changes it."""
        units = self.sources.binding(*target.pair)
        known = (
            not target.rest
            and len(units) == 1
            and not self.names.changes.get(target.pair)
            and any(entry == key for entry, _ in units[0].get("entries", ()))
        )
        return f"entry {key}" if known else "named"

    def _is_shown(self, kind: str, unit: Unit, target: Target) -> bool:
        """Whether a use of a name may show what it stands for to anyone."""
        attribute = target.rest.partition(".")[0]
        kinds = self.names.kinds(target.pair)
        if attribute and not attribute.startswith("__"):
            return "class" in kinds and attribute not in self._attributes  # by `getattr`
        if "class" in kinds and (
            kind in (Use.CALLED, Use.IMPORT_CALLED) or self.names.flag(target.pair, "enum")
        ):
            return True
        if "class" in kinds and kind == Use.MADE:  # a method may be taken as a value
            return not self._methods.isdisjoint(unit.get("read", ()))
        return kind in _VALUES and bool(kinds & {"class", "def"})

    def _is_blind(self, key: Key, unit: Unit) -> bool:
        """Whether no decorator of a function can see its name or that of a parameter."""
        for decorator in unit.get("decorators", ()):
            targets = [*self.names.targets(key.module, unit, decorator["by"])]
            if not targets or not all(
                f"builtins.{target.name}" in BLIND_DECORATORS
                if target.kind == "builtin"
                else target.kind == "outside" and target.name in BLIND_DECORATORS
                for target in targets
            ):
                wires = key.variant.startswith("stage") and self._wires(key.module, unit, decorator)
                if not wires:
                    return False
        return True

    def _keywords(
        self, node: Node, module: str, unit: Unit, call: Keywords, write: Callable[[Part], None]
    ) -> None:
        """Write the keyword arguments of a call.

        Of a function that is known: by the places of its parameters, and if they are only names and
        constants, in the order of those.
        """
        targets = [*self.names.targets(module, unit, call["by"])]
        positions = self._positions(targets)
        if positions is None:
            for target in targets:
                if self._is_function(target):
                    node.key(Key(*target.pair, "named"))
        places = positions or {}
        given = [(str(places.get(name, name)), part) for name, part in call["given"]]
        unordered = all(name in places for name, _ in call["given"]) or (
            bool(targets) and all(map(self._takes_any_order, targets))
        )
        if call["plain"] and unordered:
            given.sort(key=lambda item: item[0])
        for place, part in given:
            node.text(f"{place}=")
            write(part)

    def _takes_any_order(self, target: Target) -> bool:
        """Whether what is called cannot tell the order of keyword arguments."""
        if target.kind == "builtin":
            return target.name in _FIXED
        pair = target.pair
        return (
            target.kind == "definition"
            and not target.rest
            and not self.named
            and self._is_plain(pair)
            and not any(
                unit.get("collects")
                for above in walk(pair, self._above)
                for unit in self.sources.binding(*above)
            )
        )

    def _is_function(self, target: Target) -> bool:
        """Whether a name may stand for a function, or for something that shows its name."""
        return (
            target.kind == "definition"
            and (not target.rest or target.rest.startswith("__"))
            and any(unit["kind"] == "def" for unit in self.sources.binding(*target.pair))
        )

    def _positions(self, targets: Sequence[Target]) -> Mapping[str, int] | None:
        """Places of a function's parameters by name, if those names don't count in a call."""
        if len(targets) != 1 or targets[0].kind != "definition" or targets[0].rest or self.named:
            return None
        pair = targets[0].pair
        units = self.sources.binding(*pair)
        if len(units) != 1 or units[0]["kind"] != "def" or self.names.changes.get(pair):
            return None
        return units[0].get("positions", {}) if self._is_blind(Key(*pair), units[0]) else None

    def _fill(self, node: Node, key: Key, unit: Unit, ref: str) -> None:
        """Fill a slot."""
        kind = ref[0]
        for number, target in enumerate(self.names.resolve(key.module, ref)):
            if number:
                node.text("|")
            if target.kind == "definition":
                pair = target.pair
                variant = ""
                if self.names.only_changes(kind, target):
                    variant = "bare"
                elif kind == Use.SOFT and key.variant == "settings" and self._settings(pair):
                    variant = "settings"
                elif kind == Use.ENTRY:
                    variant = self._entry(target, ref.split(":", 2)[2])
                elif self._is_shown(kind, unit, target):
                    variant = "named"
                node.key(Key(*pair, variant))
                attributes = target.rest.split(".") if target.rest else ()
                if attributes:
                    node.text(f".{target.rest}")
                if "__subclasses__" in attributes:
                    self._with_subclasses(node, pair)
                if unit.get("reads_hints") or not _REFLECTION.isdisjoint(attributes):
                    node.also.add(Key(*pair, "reflected"))
            elif target.kind == "module":
                node.text("module")
                if kind != Use.LOADED:
                    node.key(Key(target.module, "**"))
            elif target.kind == "missing" and kind not in (Use.STORED, Use.LOADED):
                node.text(target.name)
                what = f"{target.name!r} is not defined in {target.module}"
                node.dynamic.add(Dynamic(key.module, unit["line"], what, target.module))
                node.also.add(Key(target.module, "*"))
            else:
                node.text(f"{target.kind} {target.name}")
                node.observes |= _reads_frames(target, kind)
                if target.kind == "outside":
                    node.outside.add(target.name)
                    if ".*." in target.name:
                        what = f"{target.name.partition('.*.')[0]}: import of unknown names by *"
                        node.dynamic.add(Dynamic(key.module, unit["line"], what, key.module))
                        node.also.add(Key(key.module, "*"))

    def _position(self, node: Node, module: str, ref: str, index: int) -> None:
        """Write how often names had been changed when a statement used them on import.

        So that definitions may change places, but not a change with what it affects.
        """
        steps = self.names.steps(module)
        if not steps:
            return
        counts = []
        for target in self.names.read(module, ref):
            changed = steps.keys() & self.names.reach(target)
            if changed:
                counts.append(sorted(sum(step < index for step in steps[pair]) for pair in changed))
        if counts:
            node.text(f"after {sorted(counts)}")

    def _loads(self, node: Node, module: str, unit: Unit) -> None:
        for level, name, attribute in unit.get("imports", ()):
            absolute = self.sources.absolute(module, level, name)
            if absolute.partition(".")[0] in self.sources.tops:
                node.loads |= {absolute, f"{absolute}.{attribute}"}
            else:
                node.outside.add(absolute.partition(".")[0])

    def _widen(self, node: Node, module: str, unit: Unit) -> None:
        for line, what, ref in unit.get("computed", ()):
            for target in self.names.targets(module, unit, [ref]):
                if target.kind == "module" or self._is_class(target):
                    whole = target.module if target.kind == "module" else ":".join(target.pair)
                    node.dynamic.add(Dynamic(module, line, what, whole))
        for line, what, pattern in unit.get("dynamic", ()):
            top = pattern.partition(".")[0]
            if "." in pattern and "*" not in top and top not in self.sources.tops:
                node.outside.add(top)  # a module outside the project
                continue
            if pattern:
                node.also |= {
                    Key(other, "*") for other in self.sources if fnmatchcase(other, pattern)
                }
            matching = {"": "", "*": " and every module of the project"}
            whole = module + matching.get(pattern, f" and {pattern}")
            node.dynamic.add(Dynamic(module, line, what, whole))
            node.also.add(Key(module, "*"))
            node.also |= {Key(other, "*") for other in node.loads if other in self.sources}

    # -- messages

    def _only_tells(self, key: Key, unit: Unit, log: Log) -> bool:
        """Whether a call is sure to log or print, and to do nothing else."""
        module = key.module
        if self.sources.facts(module).get("stars") or not self._active.isdisjoint(
            [*log["uses"], ANY]
        ):
            return False
        targets = [*self.names.targets(module, unit, log["slots"])]
        if any(target.kind == "missing" for target in targets):
            return False
        if log["who"] == "context":
            return key.variant.startswith("stage")
        called = [*self.names.targets(module, unit, log["by"])]
        if log["who"] == "name":
            return bool(called) and all(map(self._is_logger, called))
        return not any(target.kind == "definition" for target in called)

    def _is_logger(self, target: Target) -> bool:
        """Whether a name stands for a method of a logger that nothing else is done to."""
        units = self.sources.binding(*target.pair) if target.kind == "definition" else []
        return (
            "." not in target.rest
            and [unit.get("logger") for unit in units] == [True]
            and not self.names.changes.get(target.pair)
        )

    @functools.cached_property
    def _active(self) -> frozenset[str]:
        """Attributes and special methods of the project that may do more than return a value."""
        return self._all("active")

    @functools.cached_property
    def _attributes(self) -> frozenset[str]:
        """Attributes that the project asks for."""
        return self._all("attributes")

    @functools.cached_property
    def _methods(self) -> frozenset[str]:
        """Methods of the project's classes."""
        return self._all("methods")

    @functools.cached_property
    def _asks_types(self) -> bool:
        """Whether the project asks for the class of a value, other than for its name."""
        sources = self.sources
        modules = (module for module in sources if module not in sources.broken)
        return any(sources.facts(module).get("types") for module in modules)

    def _all(self, fact: Literal["active", "attributes", "methods"]) -> frozenset[str]:
        sources = self.sources
        modules = (module for module in sources if module not in sources.broken)
        return frozenset(name for module in modules for name in sources.facts(module).get(fact, ()))

    # -- annotations, decorators and settings

    def _wires(self, module: str, unit: Unit, decorator: Decorator) -> bool:
        targets = list(self.names.targets(module, unit, decorator["by"]))
        return bool(targets) and all(
            target.kind == "outside" and target.name.partition(".")[0] in self._wiring
            for target in targets
        )

    def _parameters(self, node: Node, module: str, unit: Unit, values: Captured | None) -> None:
        """Add the project's classes that annotate a stage's parameters."""
        for name, refs in unit.get("parameters", ()):
            if values is not None and any(unit["refs"][ref][0] in CAPTURED for ref in refs):
                values.annotation(name, [unit["refs"][ref] for ref in refs])
                continue
            for target in self.names.targets(module, unit, refs):
                if self._is_class(target):
                    node.key(self.settings_key(target.pair))

    def _is_class(self, target: Target) -> bool:
        return target.kind == "definition" and "class" in self.names.kinds(target.pair)

    def settings_key(self, pair: Pair) -> Key:
        """A class as an annotation: without its defaults if it holds settings."""
        return Key(*pair, "settings" if self._settings(pair) else "named")

    def _settings(self, pair: Pair) -> bool:
        if pair not in self._is_settings:
            self._is_settings[pair] = False  # for a class that is its own base
            self._is_settings[pair] = self._has_settings_base(self.names.bases(pair))
        return self._is_settings[pair]

    def _has_settings_base(self, bases: Iterable[Target]) -> bool:
        return any(
            self._settings(base.pair)
            if base.kind == "definition"
            else base.kind == "outside" and base.name in self._settings_bases
            for base in bases
        )

    def _read_hints(self, key: Key, unit: Unit, hints: Hints) -> bool:
        """Whether a decorator may read a function's annotations."""
        if not hints["by"]:
            return False
        if any(ref < 0 or unit["refs"][ref][0] in CAPTURED for ref in hints["by"]):
            return True
        for target in self.names.targets(key.module, unit, hints["by"]):
            if target.kind == "definition":
                if target.rest or self._hint_reader(target.pair):
                    return True
            elif target.kind == "outside":
                top = target.name.partition(".")[0]
                if target.name not in QUIET_DECORATORS and not (
                    key.variant.startswith("stage") and top in self._wiring
                ):
                    return True
        return False

    def _hint_reader(self, pair: Pair) -> bool:
        """Whether a definition, or what it uses, reads annotations."""
        if pair not in self._reads_hints:
            used = walk(
                pair, lambda pair: (t.pair for t in self._used(pair) if t.kind == "definition")
            )
            self._reads_hints[pair] = any(
                self.names.flag(other, "reads_hints")
                or any(t.kind == "outside" and t.name in HINT_READERS for t in self._used(other))
                for other in used
            )
        return self._reads_hints[pair]

    def _used(self, pair: Pair) -> Iterator[Target]:
        """What all refs of a definition resolve to."""
        for unit in self.sources.binding(*pair):
            for ref in unit.get("refs", ()):
                yield from self.names.resolve(pair[0], ref)

    # -- the graph

    def _closure(self, keys: Iterable[Key]) -> set[Key]:
        reached = set(keys)
        stack = list(reached)
        while stack:
            new = self.nodes[stack.pop()].edges - reached
            reached |= new
            stack.extend(new)
        return reached

    def _ambient(self, closure: set[Key]) -> set[Key]:
        """Statements with effects elsewhere in the modules that a closure causes to be imported.

        They and what they use are added to ``closure``.
        """
        if not self.names.ambient:
            return set()
        ambient: set[Key] = set()
        while True:
            modules = {key.module for key in closure}
            for key in closure:
                modules |= self.nodes[key].loads
            keys = {
                Key(module, f"#{index}")
                for module in self.imported(modules)
                for index in self.names.ambient.get(module, ())
            } | self._process_wide
            if keys <= ambient:
                return ambient
            ambient |= keys
            for key in keys:
                solve(key, self._node, self._digests)
            closure |= self._closure(keys)

    @functools.cached_property
    def _process_wide(self) -> set[Key]:
        """Statements that change a setting of the process, of modules that are always imported."""
        listed = {
            Key(module, f"#{index}")
            for module in self.always
            for index in self.names.ambient.get(module, ())
        }
        for key in listed:
            solve(key, self._node, self._digests)
        return {
            key
            for key in listed
            if any(
                name.startswith(PROCESS_WIDE)
                for used in self._closure([key])
                for name in self.nodes[used].outside
            )
        }

    def imported(self, modules: Iterable[str]) -> set[str]:
        """Modules of the project that importing some of them imports."""
        imported: set[str] = set()
        stack = list(modules)
        while stack:
            module = stack.pop()
            if module in imported or module not in self.sources or module in self.sources.broken:
                continue
            imported.add(module)
            stack.append(module.rpartition(".")[0])
            for level, name, attribute in self.sources.facts(module).get("imported", ()):
                absolute = self.sources.absolute(module, level, name)
                stack += [absolute, f"{absolute}.{attribute}"]
        return imported


def _reads_frames(target: Target, kind: str) -> bool:
    """Whether something of another's may read the variables of its callers by name."""
    if target.kind == "builtin" and target.name in ("dir", "vars"):
        return kind not in (Use.CALLED, Use.MADE)  # see `EffectReader.query` for a call
    path = f"builtins.{target.name}" if target.kind == "builtin" else target.name
    package, _, rest = path.partition(".")
    if not rest:  # a module as a value
        return kind != Use.LOADED and any(
            reader.partition(".")[0] == package for reader in FRAME_READERS
        )
    return package in FRAME_READERS or f"{package}.{rest.partition('.')[0]}" in FRAME_READERS

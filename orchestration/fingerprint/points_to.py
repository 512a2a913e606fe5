"""Which statements may change which objects: an analysis of what may be the same object.

Unification, after B. Steensgaard, "Points-to analysis in almost linear time" (1996): objects that
may be the same are one class, a function is run where an object that may be it is called, and a
statement that may change an object counts for whatever the class can be reached from. Attributes
are told apart by name, and each statement of a module has its own view of the functions it runs.

Only what is known to change nothing is taken to. A call of another's function, or of anything that
can't be followed, may change all that it is handed, and may call it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestration.fingerprint.facts import LOGGING
from orchestration.fingerprint.flow import CONSTANT, Op
from orchestration.fingerprint.others import (
    ARITHMETIC,
    CALLERS,
    CONTAINER_BASES,
    COPIERS,
    DECORATORS,
    DUNDERS,
    FIELDS,
    HARMLESS_BASES,
    KEEPERS,
    LOGGERS,
    MAPPINGS,
    NUMPY,
    PAIRING,
    READERS,
    is_ambient,
    is_constant,
    is_harmless,
)

if TYPE_CHECKING:
    from orchestration.fingerprint.names import Names, Target

Place = tuple[str, int]
"""A statement: its module, and its index among the units of that."""

_ITEM = "[]"  # the field that all items of a container share
_KEY = "[k]"  # the field that all keys of a mapping share
_SEQUENCE, _MAPPING, _EITHER = 1, 2, 3  # kinds of built-in containers, by what iterating gives


class Node:
    """Objects that may be the same one."""

    __slots__ = ("container", "fields", "flat", "marks", "opaque", "tags", "up", "watchers")

    def __init__(self) -> None:
        self.up: Node | None = None
        self.fields: dict[str, Node] = {}
        self.tags: dict[Tag, None] = {}
        self.marks: set[Place] = set()  # statements that may change it
        self.watchers: dict[tuple[Frame, int], None] = {}
        self.container = 0  # kinds of built-in containers that it may be
        self.opaque = False  # may be an object of others, that does what it does
        self.flat = False  # all that it holds is in this class, too


class Tag:
    """What an object may be."""


class Closure(Tag):
    """A function."""

    def __init__(self, frame: Frame, code: Mapping[str, Any], node: Node) -> None:
        self.frame, self.code, self.node = frame, code, node
        self.owner: Type | None = None
        self.cached = False


class Type(Tag):
    """A class of the project."""

    def __init__(self, node: Node, fields: list[str]) -> None:
        self.node, self.fields = node, fields
        self.members: dict[str, list[tuple[str, Node]]] = {}
        self.bases: list[Node] = []
        self.metas: list[Node] = []
        self.instance = Instance(self)


class Instance(Tag):
    """An object of a class of the project."""

    def __init__(self, kind: Type) -> None:
        self.kind = kind


class Bound(Tag):
    """A method of an object, of the project's or of a built-in container."""

    def __init__(self, function: Node | str, owner: Node) -> None:
        self.function, self.owner = function, owner


class Partial(Tag):
    """A function with some of its arguments."""

    def __init__(self, function: Node, given: Given) -> None:
        self.function, self.given = function, given


class Module(Tag):
    """A module of the project."""

    def __init__(self, name: str) -> None:
        self.name = name


class Outside(Tag):
    """Something of others, by its full path."""

    def __init__(self, path: str) -> None:
        self.path = path


_WIRED = Outside("dagster.()")
"""What Dagster returns: its methods, and calling it, are as harmless as Dagster is."""

_LOGGER = Outside("logging.()")
"""A logger: to be set up changes what others see of it, to be told something does not."""


class Given:
    """What a call hands on: in place, by name, and unpacked."""

    def __init__(
        self, places: Sequence[Node | None], words: Mapping[str, Node | None], stars: Sequence[Node]
    ) -> None:
        self.places, self.words, self.stars = places, words, stars

    def nodes(self) -> list[Node]:
        """All objects among them."""
        found = [*self.places, *self.words.values(), *self.stars]
        return [node for node in found if node is not None]

    def after(self, *first: Node | None) -> Given:
        """With more arguments in front."""
        return Given([*first, *self.places], self.words, self.stars)


class Frame:
    """One run of a code, on behalf of a statement of a module."""

    def __init__(
        self,
        place: Place,
        module: str,
        code: Mapping[str, Any],
        closure: Closure | None = None,
    ) -> None:
        self.place, self.module, self.code, self.closure = place, module, code, closure
        self.registers: dict[int, Node] = {}
        self.made: dict[Any, Any] = {}  # what operations made, so that they can be run again

    def __getitem__(self, register: int) -> Node:
        node = self.registers.get(register)
        if node is None:
            node = self.registers[register] = Node()
        return node

    def get(self, register: int) -> Node | None:
        """Object in a register; None for a constant."""
        return None if register == CONSTANT else self[register]


def find(node: Node) -> Node:
    """Return the node that stands for the class of a node."""
    while node.up is not None:
        if node.up.up is not None:
            node.up = node.up.up
        node = node.up
    return node


class PointsTo:
    """The objects of a project, as its modules make them on import."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.sources = names.sources
        self.pairs: dict[tuple[str, str], Node] = {}
        self.rebound: dict[tuple[str, str], set[Place]] = {}
        self.ambient: set[Place] = set()
        self._modules: dict[str, Node] = {}
        self._module_tags: dict[str, Module] = {}
        self._outside_tags: dict[str, Outside] = {}
        self._constant: dict[tuple[str, str], bool] = {}
        self._frames: dict[tuple[Place, int], Frame] = {}
        self._queue: deque[tuple[Frame, int]] = deque()
        self._queued: set[tuple[Frame, int]] = set()
        self._calling: dict[Node, int] = {}
        self._had: dict[tuple[Place, Tag], Node] = {}
        self._outside: list[Node] = []
        self._stored = self._stored_elsewhere()
        self._run()

    # -- the result

    def changes(self) -> dict[tuple[str, str], set[Place]]:
        """Statements that may change what a name stands for, for each name that any may change."""
        found = {pair: set(places) for pair, places in self.rebound.items()}
        whole = {
            module: marks
            for module, node in self._modules.items()
            if (marks := find(node).marks) or find(node).flat
        }
        for pair, node in self.pairs.items():
            marks = self._reached(node)
            if marks:
                found.setdefault(pair, set()).update(marks)
        for module, marks in whole.items():
            for name in self.sources.names[module]:
                if marks:
                    found.setdefault((module, name), set()).update(marks)
        return found

    def _reached(self, start: Node) -> set[Place]:
        """Statements that may change an object or what it holds."""
        start = find(start)
        seen, stack = {start}, [start]
        marks: set[Place] = set()
        while stack:
            node = stack.pop()
            marks |= node.marks
            held = list(node.fields.values())
            for tag in node.tags:
                if isinstance(tag, Closure):
                    outer = tag.frame
                    held += [outer[around] for _, around in tag.code.get("free", ())]
                elif isinstance(tag, Bound):
                    held.append(tag.owner)
                    if isinstance(tag.function, Node):
                        held.append(tag.function)
                elif isinstance(tag, Partial):
                    held += [tag.function, *tag.given.nodes()]
            for other in map(find, held):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        return marks

    # -- running

    def _stored_elsewhere(self) -> set[tuple[str, str]]:
        """Names that are bound other than by their module's own statements."""
        stored: set[tuple[str, str]] = set()
        for module in self.sources:
            if module in self.sources.broken:
                continue
            for unit in self.sources.units(module):
                stored.update((module, name) for name in unit.get("globals", ()))
                written = [*unit.get("stores", ()), *unit.get("writes", ())]
                for target in self.names.targets(module, unit, written):
                    if target.kind == "definition" and not target.rest:
                        stored.add(target.pair)
        return stored

    def _run(self) -> None:
        for module in self.sources:
            if module in self.sources.broken:
                continue
            for index, unit in enumerate(self.sources.units(module)):
                if unit["kind"] == "state" or unit.get("acts"):
                    self._start((module, index))
        self._drain()
        for node in self._outside:
            self.ambient |= find(node).marks

    def _start(self, place: Place) -> None:
        """Run a statement of a module."""
        if (place, 0) in self._frames:
            return
        unit = self.sources.units(place[0])[place[1]]
        text = unit.get("flow")
        frame = self._frames[place, 0] = Frame(place, place[0], json.loads(text) if text else {})
        self._enter(frame)

    def _enter(self, frame: Frame) -> None:
        for index in range(len(frame.code.get("ops", ()))):
            self._queue.append((frame, index))

    def _drain(self) -> None:
        while self._queue:
            item = self._queue.popleft()
            self._queued.discard(item)
            frame, index = item
            op: Op = frame.code["ops"][index]
            getattr(self, _OPERATIONS[op[0]])(frame, index, *op[1:])

    def _watch(self, node: Node, frame: Frame, index: int) -> Node:
        """Run an operation again when more is known of an object."""
        node = find(node)
        node.watchers[frame, index] = None
        return node

    def _wake(self, watchers: Iterable[tuple[Frame, int]]) -> None:
        for item in watchers:
            if item not in self._queued:
                self._queued.add(item)
                self._queue.append(item)

    # -- classes of objects

    def same(self, *nodes: Node | None) -> None:
        """Let objects be one class."""
        listed = [node for node in nodes if node is not None]
        todo = [(listed[0], other) for other in listed[1:]]
        while todo:
            one, other = map(find, todo.pop())
            if one is other:
                continue
            if len(one.watchers) + len(one.fields) < len(other.watchers) + len(other.fields):
                one, other = other, one
            flat = one.flat or other.flat
            # Only who watches something that is now more than it was looks again: to wake others
            # for nothing may never end, where an operation makes objects anew.
            kinds = one.container | other.container, one.opaque or other.opaque, flat
            woken = [
                watcher
                for node, more in ((one, other), (other, one))
                if not more.tags.keys() <= node.tags.keys()
                or (node.container, node.opaque, node.flat) != kinds
                for watcher in node.watchers
            ]
            other.up = one
            one.marks |= other.marks
            one.tags |= other.tags
            one.container, one.opaque, _ = kinds
            for name, node in other.fields.items():
                if name in one.fields:
                    todo.append((one.fields[name], node))
                else:
                    one.fields[name] = node
            one.watchers |= other.watchers
            self._wake(woken)
            if flat:
                one.flat = True
                todo += [(one, node) for node in one.fields.values()]
                one.fields = {}

    def flatten(self, node: Node) -> Node:
        """Take an object, and all that it holds, as one class."""
        node = find(node)
        if not node.flat:
            node.flat = True
            held, node.fields = list(node.fields.values()), {}
            for other in held:
                self.same(node, other)
            node = find(node)
            self._wake(node.watchers)
        return node

    def field(self, node: Node, name: str) -> Node:
        """What an object holds under a name."""
        node = find(node)
        if node.flat:
            return node
        held = node.fields.get(name)
        if held is None:
            held = node.fields[name] = Node()
        return find(held)

    def mark(self, node: Node | None, frame: Frame) -> None:
        """Note that a statement may change an object."""
        if node is not None:
            find(node).marks.add(frame.place)

    def tag(self, node: Node, tag: Tag) -> None:
        """Note what an object may be."""
        node = find(node)
        if tag not in node.tags:
            node.tags[tag] = None
            self._wake(node.watchers)

    def kind(self, node: Node, *, container: int = 0, opaque: bool = False) -> None:
        """Note that an object may be a container, or anything of others."""
        node = find(node)
        if container & ~node.container or (opaque and not node.opaque):
            node.container |= container
            node.opaque |= opaque
            self._wake(node.watchers)
        if opaque:
            self.flatten(node)

    # -- names

    def _pair(self, module: str, name: str) -> Node:
        node = self.pairs.get((module, name))
        if node is None:
            node = self.pairs[module, name] = Node()
            for index in self.sources.names[module].get(name, ()):
                self._start((module, index))
        return node

    def _module(self, name: str) -> Node:
        node = self._modules.get(name)
        if node is None:
            node = self._modules[name] = Node()
            self.tag(node, self._tag_of(name))
        return node

    def _outside_tag(self, path: str) -> Outside:
        return self._outside_tags.setdefault(path, Outside(path))

    def _tag_of(self, module: str) -> Module:
        return self._module_tags.setdefault(module, Module(module))

    def constant(self, pair: tuple[str, str]) -> bool:
        """Whether a name only ever stands for what nothing can change."""
        known = self._constant.get(pair)
        if known is None:
            self._constant[pair] = False  # for a name that is defined by itself
            module, name = pair
            known = pair not in self._stored and all(
                name in unit.get("fixed", {})
                and all(self._constant_ref(module, ref) for ref in unit["fixed"][name])
                for unit in self.sources.binding(module, name)
            )
            self._constant[pair] = known
        return known

    def _constant_ref(self, module: str, ref: str) -> bool:
        return all(
            (target.kind == "definition" and not target.rest and self.constant(target.pair))
            or target.kind == "inert"
            or (target.kind in ("outside", "builtin") and is_constant(target.name))
            for target in self.names.resolve(module, ref)
        )

    def _targets(self, frame: Frame, ref: str) -> tuple[Target, ...]:
        return self.names.resolve(frame.module, ref)

    def _loaded(self, frame: Frame, index: int, target: Target, argument: int) -> Node | None:
        """Object that a target stands for, without the attributes beyond it."""
        node: Node
        if target.kind == "definition":
            return None if self.constant(target.pair) else self._pair(*target.pair)
        if target.kind == "module":
            node = self._module(target.module)
            if target.rest:  # of its `__dict__`
                self.kind(node, container=_MAPPING)
            return node
        if target.kind in ("outside", "builtin"):
            path = _path(target)
            if is_constant(target.name):
                return None
            if argument:  # no object of ours, but whoever has a function may call it
                if target.kind == "builtin" or is_harmless(path) or not is_ambient(path):
                    return None
                node = frame.made.setdefault((index, target), Node())
                self.tag(node, self._outside_tag(path))
                return node
            node = frame.made.setdefault((index, target), Node())
            if not find(node).tags:
                self.tag(node, self._outside_tag(path))
                if target.name == "sys.modules":
                    for module in self.sources:
                        self.tag(node, self._tag_of(module))
                self.kind(node, opaque=True)
                self._outside.append(node)
            return node
        if target.kind == "missing":
            node = frame.made.setdefault((index, target), Node())
            self.kind(node, opaque=True)
            return node
        return None

    # -- operations

    def _same(self, frame: Frame, index: int, one: int, other: int) -> None:
        self.same(frame[one], frame[other])

    def _load(self, frame: Frame, index: int, to: int, ref: str, argument: int = 0) -> None:
        for target in self._targets(frame, ref):
            node = self._loaded(frame, index, target, argument)
            if node is None:
                continue
            for attribute in filter(None, target.rest.split(".")):
                node = self._attribute_of(frame, index, node, attribute)
            self.same(frame[to], node)

    def _bind(self, frame: Frame, index: int, name: str, value: int) -> None:
        self.same(self._pair(frame.place[0], name), frame.get(value))

    def _rebind(self, frame: Frame, index: int, name: str, value: int) -> None:
        self._store_name(frame, (frame.module, name), frame.get(value))

    def _store_name(self, frame: Frame, pair: tuple[str, str], value: Node | None) -> None:
        self.rebound.setdefault(pair, set()).add(frame.place)
        self.same(self._pair(*pair), value)

    def _get_attribute(self, frame: Frame, index: int, to: int, of: int, name: str) -> None:
        self.same(frame[to], self._attribute_of(frame, index, frame[of], name))

    def _attribute_of(self, frame: Frame, index: int, of: Node, name: str) -> Node:
        of = self._watch(of, frame, index)
        found: Node = frame.made.setdefault((index, "attribute", name), Node())
        if of.opaque:
            self.same(found, of)
        if name in ("__dict__", "__globals__"):
            self.same(found, self.flatten(of))
            return found
        if name == "__class__":
            for tag in list(of.tags):
                if isinstance(tag, Instance):
                    self.same(found, tag.kind.node)
            return found
        self.same(found, self.field(of, name))
        of = find(of)
        if of.container and not of.opaque:
            self._bound(frame, index, found, name, of)
        for tag in list(of.tags):
            match tag:
                case Instance(kind=kind):
                    for how, member in self._members(frame, index, kind, name):
                        if how in ("method", "class"):
                            owner = kind.node if how == "class" else of
                            self._bound(frame, index, found, member, owner)
                        elif how == "property":
                            self._call_node(frame, index, member, Given([of], {}, []), found)
                        elif how != "setter":
                            self.same(found, member)
                    self._inherited(frame, index, kind, name, of, found)
                case Type():
                    for how, member in self._members(frame, index, tag, name):
                        if how == "class":
                            self._bound(frame, index, found, member, of)
                        elif how != "setter":
                            self.same(found, member)
                    self._inherited(frame, index, tag, name, of, found)
                case Module(name=module):
                    for target in self.names.attribute(module, name):
                        node = self._loaded(frame, index, target, 0)
                        if node is not None:
                            for attribute in filter(None, target.rest.split(".")):
                                node = self._attribute_of(frame, index, node, attribute)
                            self.same(found, node)
        return found

    def _bound(self, frame: Frame, index: int, to: Node, function: Node | str, owner: Node) -> None:
        key = (index, "bound", function if isinstance(function, str) else id(function), id(owner))
        tag = frame.made.get(key)
        if tag is None:
            tag = frame.made[key] = Bound(function, owner)
        self.tag(to, tag)

    def _family(self, frame: Frame, index: int, kind: Type) -> Iterator[Type | str]:
        """A class, its bases in the project, and the paths of others."""
        seen: set[Type | str] = {kind}
        stack: list[Type | str] = [kind]
        while stack:
            member = stack.pop()
            yield member
            if isinstance(member, str):
                continue
            for base in member.bases:
                node = self._watch(base, frame, index)
                for tag in list(node.tags):
                    other = tag.path if isinstance(tag, Outside) else tag
                    if isinstance(other, Type | str) and other not in seen:
                        seen.add(other)
                        stack.append(other)
                if node.opaque and not node.tags and "?" not in seen:
                    seen.add("?")
                    stack.append("?")

    def _members(
        self, frame: Frame, index: int, kind: Type, name: str, *, above: bool = False
    ) -> list[tuple[str, Node]]:
        """What a class and its bases hold under a name, and how; ``above``: only its bases."""
        found: list[tuple[str, Node]] = []
        for member in self._family(frame, index, kind):
            if isinstance(member, Type) and not (above and member is kind):
                found += member.members.get(name, ())
        return found

    def _inherited(
        self, frame: Frame, index: int, kind: Type, name: str, of: Node, found: Node
    ) -> None:
        """What may come from a base that is another's."""
        for member in list(self._family(frame, index, kind)):
            if isinstance(member, str):
                if member in CONTAINER_BASES:
                    self._bound(frame, index, found, name, of)
                elif member not in HARMLESS_BASES and name not in find(of).fields:
                    self.kind(found, opaque=True)
                    self.same(found, self.flatten(of))

    def _set_attribute(
        self, frame: Frame, index: int, of: int, name: str, value: int, made: int
    ) -> None:
        owner = frame.get(of)
        if owner is None:
            return
        node = self._watch(owner, frame, index)
        given = frame.get(value)
        if not made:
            self.mark(node, frame)
        for tag in list(node.tags):
            if isinstance(tag, Instance):
                for how, member in self._members(frame, index, tag.kind, name):
                    if how == "setter":
                        self._call_node(frame, index, member, Given([node, given], {}, []), Node())
                for _, member in self._members(frame, index, tag.kind, "__setattr__"):
                    named = Given([node, None, given], {}, [])
                    self._call_node(frame, index, member, named, Node())
            elif isinstance(tag, Module):
                for target in self.names.attribute(tag.name, name):
                    if target.kind == "definition" and not target.rest:
                        self._store_name(frame, target.pair, given)
        self.same(self.field(node, name), given)

    def _elements(self, frame: Frame, index: int, of: Node) -> Node:
        """What iterating over an object gives."""
        node = self._watch(of, frame, index)
        found: Node = frame.made.setdefault((index, "elements", of), Node())
        if node.flat:
            self.same(found, node)
        if node.container != _MAPPING:
            self.same(found, self.field(node, _ITEM))
        if node.container & _MAPPING:
            self.same(found, self.field(node, _KEY))
        self._special(frame, index, node, ("__iter__", "__next__"), [], found, item=True)
        return found

    def _iterate(self, frame: Frame, index: int, to: int, of: int) -> None:
        self.same(frame[to], self._elements(frame, index, frame[of]))

    def _items(self, frame: Frame, index: int, key: int, value: int, of: int) -> None:
        node = self._watch(frame[of], frame, index)
        if node.container and not node.opaque:
            self.same(frame[key], self.field(node, _KEY))
            self.same(frame[value], self.field(node, _ITEM))
        if node.opaque or node.tags or not node.container:
            result: Node = frame.made.setdefault((index, "items"), Node())
            self._call_method(frame, index, node, "items", Given([], {}, []), result, 0)
            pair = self._elements(frame, index, result)
            both = self._elements(frame, index, pair)
            self.same(frame[key], frame[value], both)

    def _item(self, frame: Frame, index: int, to: int, of: int) -> None:
        node = self._watch(frame[of], frame, index)
        self.same(frame[to], self.field(node, _ITEM))
        self._special(frame, index, node, ("__getitem__", "__missing__"), [], frame[to])

    def _slice(self, frame: Frame, index: int, to: int, of: int) -> None:
        node = self._watch(frame[of], frame, index)
        if node.opaque:
            self.same(frame[to], node)
        else:
            self.kind(frame[to], container=_SEQUENCE)
            self.same(self.field(frame[to], _ITEM), self.field(node, _ITEM))
        self._special(frame, index, find(node), ("__getitem__",), [], frame[to])

    def _set_item(self, frame: Frame, index: int, of: int, value: int, made: int, key: int) -> None:
        owner = frame.get(of)
        if owner is None:
            return
        node = self._watch(owner, frame, index)
        if not made:
            self.mark(node, frame)
        given = frame.get(value)
        self.same(self.field(node, _ITEM), given)
        self.same(self.field(node, _KEY), frame.get(key))
        special = ("__setitem__", "__delitem__")
        self._special(frame, index, find(node), special, [frame.get(key), given], None)

    def _special(
        self,
        frame: Frame,
        index: int,
        node: Node,
        names: Iterable[str],
        arguments: list[Node | None],
        to: Node | None,
        *,
        item: bool = False,
    ) -> bool:
        """Call special methods of the project's classes."""
        called = False
        for tag in list(find(node).tags):
            if isinstance(tag, Instance):
                for name in names:
                    for _, member in self._members(frame, index, tag.kind, name):
                        called = True
                        result: Node = frame.made.setdefault((index, name, tag), Node())
                        given = Given([node, *arguments], {}, [])
                        self._call_node(frame, index, member, given, result)
                        if to is not None:
                            self.same(to, self.field(result, _ITEM) if item else result)
                            self.same(to, result)
        return called

    def _new(
        self, frame: Frame, index: int, to: int, items: list[int], keys: list[int] | None = None
    ) -> None:
        self.kind(frame[to], container=_SEQUENCE if keys is None else _MAPPING)
        for item in items:
            self.same(self.field(frame[to], _ITEM), frame[item])
        for key in keys or ():
            self.same(self.field(frame[to], _KEY), frame[key])

    def _put(self, frame: Frame, index: int, to: int, item: int) -> None:
        self.kind(frame[to], container=_SEQUENCE)
        self.same(self.field(frame[to], _ITEM), frame[item])

    def _merge(self, frame: Frame, index: int, to: int, other: int) -> None:
        self._update(frame, index, frame[to], frame[other])

    def _update(self, frame: Frame, index: int, of: Node, other: Node) -> None:
        """Put what another container holds into one: a mapping, or pairs."""
        node = self._watch(other, frame, index)
        if node.container & _MAPPING or node.flat:
            self.same(self.field(of, _KEY), self.field(node, _KEY))
            self.same(self.field(of, _ITEM), self.field(node, _ITEM))
        if node.container != _MAPPING:
            pair = self._elements(frame, index, node)
            held = self._elements(frame, index, pair)
            self.same(self.field(of, _KEY), self.field(of, _ITEM), held)

    def _any(self, frame: Frame, index: int, to: int, of: int) -> None:
        self.same(frame[to], self.flatten(frame[of]))

    def _enter_with(self, frame: Frame, index: int, to: int, of: int) -> None:
        if of == CONSTANT:
            return
        node = self._watch(frame[of], frame, index)
        if node.opaque:
            self.mark(node, frame)
            self.same(frame[to], node)
        if node.container & _SEQUENCE:  # a generator, by `contextmanager`
            self.same(frame[to], self.field(node, _ITEM))
        self._special(frame, index, node, ("__enter__", "__exit__"), [], frame[to])

    def _operate(self, frame: Frame, index: int, to: int, kind: str, left: int, right: int) -> None:
        nodes = [frame.get(left), frame.get(right)]
        name = DUNDERS.get(kind, kind)
        for one, other in (nodes, nodes[::-1]):
            if one is None:
                continue
            node = self._watch(one, frame, index)
            special = (f"__{name}__", f"__r{name}__", "__len__")
            called = self._special(frame, index, node, special, [other], frame[to])
            if kind == "Sub" and one is not nodes[0]:
                continue
            if node.opaque:
                self.kind(frame[to], opaque=True)
                if kind not in ARITHMETIC and not called:
                    self.mark(node, frame)
                    self.same(frame[to], node)
            if node.container:
                self.kind(frame[to], container=node.container)
                self.same(self.field(frame[to], _ITEM), self.field(node, _ITEM))
                self.same(self.field(frame[to], _KEY), self.field(node, _KEY))

    def _ask(self, frame: Frame, index: int, of: int, methods: list[str]) -> None:
        node = frame.get(of)
        if node is not None:
            self._special(frame, index, self._watch(node, frame, index), methods, [None], None)

    def _augment(
        self, frame: Frame, index: int, to: int, kind: str, left: int, right: int, made: int
    ) -> None:
        one, other = frame.get(left), frame.get(right)
        if one is None:
            return
        node = self._watch(one, frame, index)
        if not made:
            self.mark(node, frame)
        self.same(frame[to], node)
        if other is not None:
            if node.container != _SEQUENCE and kind == "BitOr":
                self._update(frame, index, node, other)
            else:
                self.same(self.field(node, _ITEM), self._elements(frame, index, other))
        name = DUNDERS.get(kind, kind)
        special = (f"__i{name}__", f"__{name}__")
        self._special(frame, index, find(node), special, [other], frame[to])

    # -- functions and classes

    def _function(
        self, frame: Frame, index: int, to: int, code: int, defaults: list[list[Any]]
    ) -> None:
        closure = frame.made.get(index)
        if closure is None:
            closure = Closure(frame, frame.code["codes"][code], frame[to])
            frame.made[index] = closure
        for name, default in defaults:
            self.same(self.field(frame[to], f"={name}"), frame[default])
        self.tag(frame[to], closure)

    def _class(
        self,
        frame: Frame,
        index: int,
        to: int,
        members: list[tuple[str, str, int]],
        bases: list[int],
        words: Mapping[str, int],
        fields: list[str],
    ) -> None:
        node = frame[to]
        kind: Type | None = frame.made.get(index)
        if kind is None:
            kind = frame.made[index] = Type(node, fields)
            for name, how, register in members:
                member = frame.get(register) or Node()
                self.same(self.field(node, f"{name}=" if how == "setter" else name), member)
                kind.members.setdefault(name, []).append((how, member))
                for tag in find(member).tags:
                    if isinstance(tag, Closure):
                        tag.owner = kind
            kind.bases = [frame[base] for base in bases if base != CONSTANT]
        self.tag(node, kind)
        for _, how, register in members:
            value = frame.get(register)
            if value is not None and how == "data":
                held = self._watch(value, frame, index)
                self._special(frame, index, held, ("__set_name__",), [node, None], None)
        given = {word: frame.get(value) for word, value in words.items() if word != "metaclass"}
        for name in ("__init_subclass__", "__pydantic_init_subclass__"):
            for _, hook in self._members(frame, index, kind, name, above=True):
                self._call_node(frame, index, hook, Given([node], given, []), Node())
        kind.metas = [frame[words["metaclass"]]] if "metaclass" in words else []
        for above in list(self._family(frame, index, kind)):
            if isinstance(above, Type) and above is not kind:
                kind.metas += above.metas
        for meta in kind.metas:
            for tag in list(self._watch(meta, frame, index).tags):
                if isinstance(tag, Type):
                    for name in ("__prepare__", "__new__", "__init__"):
                        for _, hook in self._members(frame, index, tag, name):
                            held = Node()
                            first = node if name == "__init__" else tag.node
                            for part in find(node).fields.values():
                                self.same(self.field(held, _ITEM), part)
                            arguments = Given([first, None, None, held], given, [])
                            self._call_node(frame, index, hook, arguments, Node())

    def _given(
        self, frame: Frame, places: list[int], words: Mapping[str, int], stars: list[int]
    ) -> Given:
        return Given(
            [frame.get(place) for place in places],
            {word: frame.get(value) for word, value in words.items()},
            [frame[star] for star in stars],
        )

    def _call(
        self,
        frame: Frame,
        index: int,
        to: int,
        function: int,
        places: list[int],
        words: Mapping[str, int],
        stars: list[int],
        decorator: str | None = None,
    ) -> None:
        if function == CONSTANT:
            return
        given = self._given(frame, places, words, stars)
        if decorator is not None and (decorator in DECORATORS or is_harmless(decorator)):
            self._decorate(frame, index, decorator, given, frame[to])
            return
        self._call_node(frame, index, frame[function], given, frame[to])

    def _call_global(
        self,
        frame: Frame,
        index: int,
        to: int,
        ref: str,
        places: list[int],
        words: Mapping[str, int],
        stars: list[int],
        decorator: int = 0,
    ) -> None:
        given = self._given(frame, places, words, stars)
        for target in self._targets(frame, ref):
            if target.kind in ("outside", "builtin"):
                path = _path(target)
                if decorator and (path in DECORATORS or is_harmless(path)):
                    self._decorate(frame, index, path, given, frame[to])
                else:
                    self._call_outside(frame, index, path, given, frame[to])
                continue
            node = self._loaded(frame, index, target, 0)
            if node is None:
                self._call_constant(frame, index, target.rest, given)
                continue
            *attributes, last = target.rest.split(".") if target.rest else [""]
            for attribute in attributes:
                node = self._attribute_of(frame, index, node, attribute)
            if last:
                self._call_method(frame, index, node, last, given, frame[to], 0)
            else:
                self._call_node(frame, index, node, given, frame[to])

    def _decorate(self, frame: Frame, index: int, path: str, given: Given, to: Node) -> None:
        """Decorate a function or a class by what neither calls nor changes it."""
        if path.rpartition(".")[2].startswith("register"):  # where others may look it up
            self.ambient.add(frame.place)
        self.same(to, *given.nodes())
        if path in ("functools.cache", "functools.lru_cache"):
            for tag in list(self._watch(to, frame, index).tags):
                if isinstance(tag, Closure):
                    tag.cached = True

    def _method(
        self,
        frame: Frame,
        index: int,
        to: int,
        of: int,
        name: str,
        places: list[int],
        words: Mapping[str, int],
        stars: list[int],
        made: int,
    ) -> None:
        given = self._given(frame, places, words, stars)
        if of == CONSTANT:
            self._call_constant(frame, index, name, given)
            return
        self._call_method(frame, index, frame[of], name, given, frame[to], made)

    def _call_constant(self, frame: Frame, index: int, name: str, given: Given) -> None:
        """Call a method of what nothing can change, such as a pattern."""
        for node in given.nodes() if name in ("sub", "subn") else ():
            self._call_node(frame, index, node, Given([None], {}, []), Node())

    def _call_method(
        self, frame: Frame, index: int, of: Node, name: str, given: Given, to: Node, made: int
    ) -> None:
        of = self._watch(of, frame, index)
        outside = [tag.path for tag in of.tags if isinstance(tag, Outside)]
        for path in outside:
            self._call_outside(frame, index, f"{path}.{name}", given, to)
            if not is_harmless(f"{path}.{name}") and name not in READERS and name not in LOGGING:
                self.mark(of, frame)
        if of.container:
            self._call_container(frame, index, of, name, given, to, made)
            of = find(of)
        if of.opaque and not outside:  # of others, but made here
            if name in READERS and "out" not in given.words:
                self.same(to, of)
            elif name in LOGGING:
                pass
            else:
                self._call_unknown(frame, index, [of, *given.nodes()], to)
            of = find(of)
        if of.tags or not (of.container or of.opaque):
            function = self._attribute_of(frame, index, of, name)
            if not find(of).opaque:
                self._call_node(frame, index, function, given, to)

    def _super(
        self,
        frame: Frame,
        index: int,
        to: int,
        name: str,
        places: list[int],
        words: Mapping[str, int],
        stars: list[int],
    ) -> None:
        given = self._given(frame, places, words, stars)
        inner: Frame | None = frame
        while inner is not None and inner.closure is not None and inner.closure.owner is None:
            inner = inner.closure.frame
        if inner is None or inner.closure is None or inner.closure.owner is None:
            self._call_unknown(frame, index, given.nodes(), frame[to])
            return
        kind = inner.closure.owner
        params = inner.code.get("params", ())
        me = inner[params[0][1]] if params else Node()
        members = self._members(frame, index, kind, name, above=True)
        for _, member in members:
            self._call_node(frame, index, member, given.after(me), frame[to])
        others = [base for base in self._family(frame, index, kind) if isinstance(base, str)]
        if name == "__new__":
            self.tag(frame[to], kind.instance)
        elif "builtins.type" in others or not others:
            pass
        for other in others:
            if other in CONTAINER_BASES:
                self._call_container(frame, index, me, name, given, frame[to], name == "__init__")
            elif (
                other not in HARMLESS_BASES
                and other != "builtins.type"
                and not members
                and name not in ("__init__", "__new__", "__init_subclass__")
            ):
                self._call_unknown(frame, index, [me, *given.nodes()], frame[to])

    def _call_node(self, frame: Frame, index: int, function: Node, given: Given, to: Node) -> None:
        """Call whatever an object may be."""
        function = self._watch(function, frame, index)
        depth = self._calling.get(function, 0)
        if depth > 1:  # a method that may be its own function: its class has seen all there is
            return
        self._calling[function] = depth + 1
        self._call_tags(frame, index, function, given, to)
        self._calling[function] = depth

    def _call_tags(self, frame: Frame, index: int, function: Node, given: Given, to: Node) -> None:
        if function.opaque:
            outside = [tag.path for tag in function.tags if isinstance(tag, Outside)]
            for path in outside:
                self._call_outside(frame, index, path, given, to)
            if len(outside) < len(find(function).tags) or not outside:
                self._call_unknown(frame, index, [function, *given.nodes()], to)
            return
        for tag in list(function.tags):
            match tag:
                case Closure():
                    self._call_closure(frame, tag, given, to)
                case Bound(function=str() as name, owner=owner):
                    self._call_container(frame, index, owner, name, given, to, 0)
                case Bound(function=Node() as inner, owner=owner):
                    self._call_node(frame, index, inner, given.after(owner), to)
                case Partial(function=inner, given=first):
                    merged = Given(
                        [*first.places, *given.places],
                        {**first.words, **given.words},
                        [*first.stars, *given.stars],
                    )
                    self._call_node(frame, index, inner, merged, to)
                case Type():
                    self._make(frame, index, tag, given, to)
                case Instance(kind=kind):
                    for _, member in self._members(frame, index, kind, "__call__"):
                        self._call_node(frame, index, member, given.after(function), to)
                case Outside(path=path):
                    self._call_outside(frame, index, path, given, to)

    def _call_closure(self, frame: Frame, closure: Closure, given: Given, to: Node) -> None:
        key = (frame.place, id(closure))
        called = self._frames.get(key)
        code = closure.code
        if called is None:
            module = closure.frame.module
            called = self._frames[key] = Frame(frame.place, module, code, closure)
            for own, around in code.get("free", ()):
                called.registers[own] = closure.frame[around]
            self._enter(called)
        places = list(given.places)
        loose = [self.field(star, _ITEM) for star in given.stars]
        known: set[str] = set()
        for name, register, how in code.get("params", ()):
            known.add(name)
            node = called[register]
            if how == "*":
                self.kind(node, container=_SEQUENCE)
                self.same(self.field(node, _ITEM), *places, *loose)
            elif how == "**":
                self.kind(node, container=_MAPPING)
                rest = [value for word, value in given.words.items() if word not in known]
                self.same(self.field(node, _ITEM), *rest, *loose)
            else:
                self.same(node, given.words.get(name), *loose)
                default = find(closure.node).fields.get(f"={name}")
                if find(closure.node).flat:
                    default = closure.node
                self.same(node, default)
                if how == "" and places:
                    self.same(node, places.pop(0))
        self.same(to, called[0])
        if closure.cached:
            self.same(to, self.field(closure.node, "()"))

    def _make(self, frame: Frame, index: int, kind: Type, given: Given, to: Node) -> None:
        """Make an object of a class of the project."""
        made: Node = frame.made.setdefault((index, "made", kind), Node())
        self.tag(made, kind.instance)
        self.same(to, made)
        starts = []
        for name in ("__new__", "__init__", "__post_init__"):
            for _, member in self._members(frame, index, kind, name):
                starts.append(name)
                first = kind.node if name == "__new__" else made
                result = to if name == "__new__" else Node()
                rest = given if name != "__post_init__" else Given([], {}, [])
                self._call_node(frame, index, member, rest.after(first), result)
        for meta in kind.metas:
            for tag in list(self._watch(meta, frame, index).tags):
                if isinstance(tag, Type):
                    for _, member in self._members(frame, index, tag, "__call__"):
                        self._call_node(frame, index, member, given.after(kind.node), to)
        for base in list(self._family(frame, index, kind)):
            if not isinstance(base, str):
                continue
            if base in CONTAINER_BASES:
                self.kind(made, container=_EITHER)
                for node in given.nodes():
                    self._update(frame, index, made, node)
                    self.same(self.field(made, _ITEM), self._elements(frame, index, node))
                self.same(self.field(made, _ITEM), *given.words.values())
            elif base not in HARMLESS_BASES:
                self.kind(made, opaque=True)
                if "__init__" not in starts:
                    self._call_unknown(frame, index, given.nodes(), made)
        if "__init__" not in starts:
            fields = [
                name
                for member in list(self._family(frame, index, kind))[::-1]
                if isinstance(member, Type)
                for name in member.fields
            ]
            for word, value in given.words.items():
                self.same(self.field(made, word), value)
            if given.stars or len(given.places) > len(fields):
                self.same(self.flatten(made), *given.nodes())
                for star in given.stars:
                    self.same(made, self.field(star, _ITEM))
            else:
                for name, given_value in zip(fields, given.places, strict=False):
                    self.same(self.field(made, name), given_value)
                    self.same(self.field(made, _ITEM), given_value)

    # -- what is not of the project

    def _call_container(
        self, frame: Frame, index: int, of: Node, name: str, given: Given, to: Node, made: int
    ) -> None:
        """Call a method of a built-in container."""
        item = self.field(of, _ITEM)
        if name in READERS:
            if name in ("get", "__getitem__", "index", "max", "min"):
                self.same(to, item, *given.places[1:], *given.words.values(), *given.stars)
                return
            kind = find(of).container
            if name in ("keys", "values", "items", "__iter__", "most_common"):
                kind = _SEQUENCE
            self.kind(to, container=kind)
            if name == "items":
                pair = self.field(to, _ITEM)
                self.kind(pair, container=_SEQUENCE)
                self.same(self.field(pair, _ITEM), item, self.field(of, _KEY))
            elif name == "values":
                self.same(self.field(to, _ITEM), item)
            elif name in ("keys", "__iter__"):
                if find(of).container & _SEQUENCE:
                    self.same(self.field(to, _ITEM), item)
                self.same(self.field(to, _ITEM), self.field(of, _KEY))
            else:
                self.same(self.field(to, _ITEM), item)
                self.same(self.field(to, _KEY), self.field(of, _KEY))
                for node in given.nodes():
                    self.same(self.field(to, _ITEM), self._elements(frame, index, node))
            return
        if not made:
            self.mark(of, frame)
        if name in ("pop", "popitem", "popleft", "setdefault", "__next__", "send"):
            self.same(to, item, *given.places[1:], *given.words.values(), *given.stars)
            if name == "popitem":
                self.same(self.field(to, _ITEM), item, self.field(of, _KEY))
            elif name == "setdefault" and given.places:
                self.same(self.field(of, _KEY), given.places[0])
                self.same(item, *given.places[1:])
        elif name in ("update", "__init__", "__ior__"):
            for node in Given(given.places, {}, given.stars).nodes():
                self._update(frame, index, of, node)
                self.same(item, self._elements(frame, index, node))
            self.same(item, *given.words.values())
        elif name in ("extend", "extendleft", "__iadd__"):
            for node in given.nodes():
                self.same(item, self._elements(frame, index, node))
        elif name == "__setitem__" and len(given.places) == 2:
            self.same(self.field(of, _KEY), given.places[0])
            self.same(item, given.places[1])
        elif name == "sort":
            for function in given.words.values():
                if function is not None:
                    self._call_node(frame, index, function, Given([item], {}, []), Node())
        else:
            self.same(item, *given.nodes())
        if name in ("__ior__", "__iadd__"):
            self.same(to, of)

    def _call_outside(self, frame: Frame, index: int, path: str, given: Given, to: Node) -> None:
        """Call a function of others."""
        nodes = given.nodes()
        owner, _, method = path.rpartition(".")
        first = given.places[0] if given.places else None
        if path in COPIERS:
            self._copy(frame, index, path, given, to)
        elif path in CALLERS:
            self._call_caller(frame, index, path, given, to)
        elif path == "functools.partial" and first is not None:
            rest = Given(given.places[1:], given.words, given.stars)
            tag = frame.made.setdefault((index, "partial"), Partial(first, rest))
            self.tag(to, tag)
        elif path == "builtins.type" and len(nodes) == 1:
            self.same(to, self._attribute_of(frame, index, nodes[0], "__class__"))
        elif path in ("builtins.vars", "builtins.getattr") and first is not None:
            node = self.flatten(first)
            self.same(to, node, *nodes[1:])
            for tag in list(self._watch(node, frame, index).tags):
                if isinstance(tag, Instance):
                    self.same(to, self.flatten(tag.kind.node))
        elif path in ("builtins.setattr", "builtins.delattr") and first is not None:
            self.mark(first, frame)
            self.same(self.flatten(first), *nodes)
        elif path in ("builtins.globals", "builtins.locals", "builtins.vars"):
            self.same(to, self._module(frame.module))
        elif path in FIELDS:
            self.same(to, first, given.words.get("default"))
            factory = given.words.get("default_factory")
            if factory is not None:
                self._call_node(frame, index, factory, Given([], {}, []), to)
        elif path in ("builtins.__import__", "importlib.import_module", "sys.modules.get"):
            for module in self.sources:
                self.tag(to, self._tag_of(module))
        elif path in KEEPERS and "out" not in given.words:
            self.kind(to, opaque=True)
            self.same(to, *nodes)
        elif path in LOGGERS:
            self.tag(to, _LOGGER)
            self.kind(to, opaque=True)
        elif is_harmless(path):
            if path.startswith(("dagster.", "orchestration.")):
                self.tag(to, _WIRED)
            self.kind(to, opaque=True)
        elif (
            path.startswith("numpy.")
            and len(given.places) <= NUMPY.get(path[6:], -1)
            and not given.stars
            and "out" not in given.words
        ):
            self.kind(to, opaque=True)
        elif owner in CONTAINER_BASES and first is not None:
            rest = Given(given.places[1:], given.words, given.stars)
            self._call_container(frame, index, first, method, rest, to, 0)
        else:
            if is_ambient(path):
                self.ambient.add(frame.place)
            self._call_unknown(frame, index, nodes, to)

    def _copy(self, frame: Frame, index: int, path: str, given: Given, to: Node) -> None:
        """Make something new of what others hold."""
        nodes = given.nodes()
        if path in MAPPINGS:
            self.kind(to, container=_MAPPING)
            if path == "collections.defaultdict" and nodes:
                self._call_node(
                    frame, index, nodes.pop(0), Given([], {}, []), self.field(to, _ITEM)
                )
            for node in nodes:
                self._update(frame, index, to, node)
            self.same(self.field(to, _ITEM), *given.words.values())
            return
        self.kind(to, container=_SEQUENCE)
        held = self.field(to, _ITEM)
        for node in nodes:
            element = self._elements(frame, index, node)
            if path == "itertools.repeat":
                self.same(held, node)
            elif path == "builtins.next":
                self.same(to, element, node if node is not nodes[0] else None)
            elif path in PAIRING:
                self.kind(held, container=_SEQUENCE)
                self.same(self.field(held, _ITEM), element)
            else:
                self.same(held, element)
            if path in ("builtins.sum", "itertools.chain.from_iterable"):
                self.same(held, self._elements(frame, index, element))

    def _call_caller(self, frame: Frame, index: int, path: str, given: Given, to: Node) -> None:
        self.kind(to, container=_SEQUENCE)
        result = self.field(to, _ITEM)
        held: Node = frame.made.setdefault((index, "held"), Node())
        self.same(held, *(self._elements(frame, index, node) for node in given.nodes()))
        self.same(result, held)
        if path in ("builtins.max", "builtins.min", "functools.reduce"):
            self.same(to, held, *given.nodes())
        for node in given.nodes():
            self._call_node(frame, index, node, Given([held] * 4, {}, []), result)

    def _call_unknown(self, frame: Frame, index: int, nodes: list[Node], to: Node) -> None:
        """Let something unknown have some objects: it may change, mix, keep and call them."""
        self.kind(to, opaque=True)
        if not nodes:
            return
        self.same(to, *(self.flatten(node) for node in nodes))
        node = self._watch(to, frame, index)
        self.kind(node, opaque=True)
        node = find(node)
        self.mark(node, frame)
        for tag in list(node.tags):
            done = self._had.get((frame.place, tag))
            if done is None or find(done) is not find(node):
                self._had[frame.place, tag] = node
                self._call_unknown_tag(frame, index, tag, node)

    def _call_unknown_tag(self, frame: Frame, index: int, tag: Tag, node: Node) -> None:
        """Call a function, or the methods of an object, with whatever may be in a class."""
        match tag:
            case Closure():
                params = [node for _, _, how in tag.code.get("params", ()) if how != "="]
                words = {name: node for name, _, how in tag.code.get("params", ()) if how == "="}
                self._call_closure(frame, tag, Given(params, words, []), node)
            case Bound(function=function, owner=owner):
                self.mark(owner, frame)
                self.same(node, self.flatten(owner))
                if isinstance(function, Node):
                    self._call_node(
                        frame, index, function, Given([owner, node, node], {}, []), node
                    )
            case Partial():
                self.same(node, *map(self.flatten, [tag.function, *tag.given.nodes()]))
            case Type():
                self._make(frame, index, tag, Given([], {}, [node]), node)
            case Instance(kind=kind):
                given = Given([node] * 4, {}, [])
                for member in list(self._family(frame, index, kind)):
                    for held in member.members.values() if isinstance(member, Type) else ():
                        for how, method in held:
                            if how != "data":
                                self._call_node(frame, index, method, given, node)


_OPERATIONS = {
    "=": "_same", "g": "_load", "bind": "_bind", "rebind": "_rebind", ".": "_get_attribute",
    ".=": "_set_attribute", "[": "_item", "[=": "_set_item", ":": "_slice", "iter": "_iterate",
    "new": "_new", "put": "_put", "merge": "_merge", "items": "_items", "any": "_any",
    "with": "_enter_with", "op": "_operate", "ask": "_ask",
    "aug": "_augment", "fun": "_function", "class": "_class", "call": "_call",
    "gcall": "_call_global", "method": "_method", "super": "_super",
}  # fmt: skip


def _path(target: Target) -> str:
    return f"builtins.{target.name}" if target.kind == "builtin" else target.name

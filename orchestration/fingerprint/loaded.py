"""What the names of imported modules stand for: the state that a stage finds when it runs.

How code changed an object while it was imported need not be followed where the object can be read:
whatever the code did is in it. So a name counts by the value that it has, besides the statements
that bind it. What can't be read (a socket, a compiled extension's object) counts by its class; for
that, and for modules that are imported only while a stage runs, `points_to` has to do.
"""

from __future__ import annotations

import collections
import enum
import gc
import hashlib
import logging
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from orchestration.fingerprint.closure import Graph
from orchestration.fingerprint.names import Pair
from orchestration.fingerprint.nodes import VALUE, Key, Node
from orchestration.fingerprint.values import Values

UNREAD = frozenset({"dagster", "jax", "keras", "tensorflow", "torch"})
"""Packages whose objects count by their class: to copy them is slow, or differs each time."""

LARGEST = 100_000
"""Parts of a value beyond which the insides of objects that show nothing are left out."""

_PLACES = (
    (sys.executable, "{python}"),
    (sys.prefix, "{prefix}"),
    (sys.base_prefix, "{prefix}"),
    (str(Path.home()), "{home}"),
)
"""Paths that differ from machine to machine and shape no result."""

_CONTENTS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (list, lambda value: list(list.__iter__(value))),
    (dict, dict.copy),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (collections.deque, lambda value: list(collections.deque.__iter__(value))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
    (bytes, lambda value: bytes(bytes.__iter__(value))),
)
"""What a subclass of a built-in class holds, whatever methods it has."""


_MEMBER_ITEMS = {"_value_", "_name_", "__objclass__", "_sort_order_"}


def loaded_values(graph: Graph, modules: Iterable[str]) -> dict[Key, Node]:
    """Write the values of all names of modules of the project, as far as they are imported.

    Parameters
    ----------
    graph
        Of the project. Values that are functions and classes become edges to their definitions.
    modules
        The modules.

    Returns
    -------
    dict
        Nodes by key, of the variant `VALUE`; of a table that is written out also one for each
        entry, of the variant ``value KEY``.
    """
    nodes: dict[Key, Node] = {}
    sources = graph.sources
    for module in modules:
        imported = sys.modules.get(module)
        if module in sources.broken or imported is None or not _is_of(imported, graph):
            continue
        facts = sources.facts(module)
        for name, value in list(vars(imported).items()):
            if name in sources.names[module] or not (
                name.startswith("__") or name in facts.get("imports", {}) or facts.get("stars")
            ):
                pair = (module, name)
                _add(nodes, graph, pair, VALUE, value)
                for entry in _entries(graph, pair) if type(value) is dict else ():
                    matching = [item for key, item in value.items() if repr(key) == entry]
                    _add(nodes, graph, pair, f"{VALUE} {entry}", matching)
    return nodes


def _is_of(imported: types.ModuleType, graph: Graph) -> bool:
    """Whether a module was imported from the project's own file."""
    path = graph.sources.paths.get(imported.__name__)
    return path is not None and getattr(imported, "__file__", None) == str(path)


def _entries(graph: Graph, pair: Pair) -> Iterable[str]:
    units = graph.sources.binding(*pair)
    return [entry for entry, _ in units[0].get("entries", ())] if len(units) == 1 else ()


def _add(nodes: dict[Key, Node], graph: Graph, pair: Pair, variant: str, value: object) -> None:
    node = Node()
    try:
        _Loaded(graph, *pair, {}, node).top(pair, value)
    except RecursionError:
        node = Node()
        node.text(f"deep {type(value).__name__}")
    if node.parts or node.also:
        nodes[Key(*pair, variant)] = node


class _Loaded(Values):
    """Write what a name of a module stands for, as far as it can be read."""

    def top(self, pair: Pair, value: Any) -> None:
        """Write the value of a name; nothing where its definition tells all of it."""
        module, name = pair
        if isinstance(value, types.FunctionType) and _is_own(value, module, name):
            self._function_state(value)
        elif isinstance(value, type) and (value.__module__, value.__qualname__) == pair:
            self._class_state(value)
        else:
            self.write(value)

    def _function_state(self, value: types.FunctionType) -> None:
        state = [value.__defaults__, value.__kwdefaults__, vars(value)]
        if any(state):
            self._items("function", state)

    def _class_state(self, value: type) -> None:
        """Write attributes of a class, but for methods that are written in it."""
        if isinstance(value, enum.EnumType):
            constants = (str, int, float, complex, bytes, bool, type(None))
            members: dict[str, Any] = dict(value.__members__)
            changing = {
                name: member.value
                for name, member in members.items()
                if not isinstance(member.value, constants)
            }
            if state := changing | _changed(members):
                self.write(state)
            return
        for name, item in sorted(vars(value).items()):
            self._attribute(value, name, item)

    def _attribute(self, owner: type, name: str, item: Any) -> None:
        if isinstance(item, classmethod | staticmethod):
            item = item.__func__
        for function in (item.fget, item.fset, item.fdel) if isinstance(item, property) else [item]:
            if not isinstance(function, types.FunctionType):
                continue
            code, home = function.__code__, str(function.__globals__.get("__name__"))
            if home not in self.graph.sources or code.co_filename.startswith("<"):
                continue  # made by a library for the class, as dataclasses are
            if home == owner.__module__ and code.co_qualname.startswith(f"{owner.__qualname__}."):
                self._function_state(function)
            else:
                self.node.text(name)
                self.write(function)
        hidden = name.startswith(("__", "_abc_", "model_"))
        if hidden or isinstance(item, types.FunctionType | property | types.MemberDescriptorType):
            return
        self.node.text(name)
        self.write(item)

    def write(self, value: Any) -> None:
        """Write a value, of any type."""
        kind = type(value)
        package = kind.__module__.partition(".")[0]
        if package in UNREAD:
            self._outside(f"{kind.__module__}.{kind.__qualname__}")
        elif isinstance(value, logging.Logger | logging.LoggerAdapter):
            self.node.text("logger")
        else:
            super().write(value)

    def _unnamed(self, value: types.FunctionType) -> None:
        """Write a lambda as the statement that it stands in, with the values of its own."""
        module, code = str(value.__globals__["__name__"]), value.__code__
        if code.co_filename != str(self.graph.sources.paths.get(module)):  # another function's
            constants = [
                each.co_code if isinstance(each, types.CodeType) else each
                for each in code.co_consts
            ]
            self._items("code", [code.co_code, code.co_names, constants])
            self._function_state(value)
            return
        lines = [unit["line"] for unit in self.graph.sources.units(module)]
        before = [k for k, line in enumerate(lines) if line <= code.co_firstlineno]
        if before:
            self.node.key(Key(module, f"#{max(before, key=lambda k: lines[k])}"))
        self._nested(value, lambda inner: inner._inner(value))

    def _definition(self, value: Any) -> None:
        if not isinstance(value, type) or not _is_made(value, self.graph):
            super()._definition(value)
        elif not self._is_again(value):
            self.node.text(f"made {value.__qualname__}")
            self._items("bases", value.__bases__)
            for name, item in sorted(vars(value).items()):
                self._attribute(value, name, item)

    def _plain(self, value: Any) -> None:
        if isinstance(value, str):
            for path, name in _PLACES:
                value = value.replace(path, name)
        if isinstance(value, bytes | str) and len(value) > 10_000:
            kind = type(value).__name__
            data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
            self.node.text(f"{kind} {hashlib.sha256(data).hexdigest()}")
        else:
            super()._plain(value)

    def _object(self, value: Any) -> None:
        if isinstance(value, types.GeneratorType):
            self._generator(value)
        elif isinstance(value, ContextVar):
            self._items("variable", [value.name, value.get(None)])
        elif isinstance(value, collections.abc.KeysView | collections.abc.ValuesView):
            self._items("view", list(value))
        elif isinstance(value, collections.abc.ItemsView):
            self._items("view", [part for item in value for part in item])
        elif isinstance(value, memoryview):
            self._items("memoryview", [value.tobytes()])
        elif type(value).__module__ in self.graph.sources:
            self._instance(value)
        else:
            super()._object(value)

    def _generator(self, value: types.GeneratorType[Any, Any, Any]) -> None:
        code, frame = value.gi_code, value.gi_frame
        if frame is None:
            self.node.text("generator at its end")
            return
        self._global(str(frame.f_globals.get("__name__")), code.co_qualname)
        self._items("generator", [frame.f_lasti, dict(frame.f_locals), value.gi_yieldfrom])

    def _instance(self, value: Any) -> None:
        """Write an object of a class of the project, whatever it lets be copied of it."""
        kind = type(value)
        self._definition(kind)
        for base, copied in _CONTENTS:
            if isinstance(value, base):
                self.write(copied(value))
                break
        slots = {
            name: object.__getattribute__(value, name)
            for above in kind.__mro__
            for name, member in vars(above).items()
            if isinstance(member, types.MemberDescriptorType) and _has(value, name)
        }
        try:
            own = object.__getattribute__(value, "__dict__")
        except AttributeError:
            own = {}
        self._items("instance", [slots, dict(own)])

    def _cached(self, value: Any) -> None:
        if self._is_again(value):
            return
        super()._cached(value)
        self.write(vars(value))
        if hasattr(value, "cache_info"):
            self.write(tuple(value.cache_info()))
        self._parts(value)

    def _unknown(self, what: str) -> None:
        self.node.text(f"unread: {what}")

    def _uncopied(self, value: Any) -> None:
        super()._uncopied(value)
        self._parts(value)

    def _parts(self, value: object) -> None:
        """Write what the garbage collector finds in an object that shows nothing itself."""
        if len(self.node.parts) > LARGEST:
            return
        parts = [
            part
            for part in gc.get_referents(value)
            if part is not type(value)
            and not isinstance(part, types.ModuleType | types.FrameType)
            and not (isinstance(part, dict) and "__builtins__" in part)
        ]
        self._items("parts", parts)


def _is_own(function: types.FunctionType, module: str, name: str) -> bool:
    return function.__globals__.get("__name__") == module and function.__code__.co_qualname == name


def _is_made(kind: type, graph: Graph) -> bool:
    """Whether a class was made by a call, and its module has no name for it."""
    found: Any = sys.modules.get(kind.__module__)
    if kind.__module__ not in graph.sources or "<locals>" in kind.__qualname__:
        return False
    for part in kind.__qualname__.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    return found is not kind


def _changed(members: Mapping[str, enum.Enum]) -> dict[str, Any]:
    """What members of an enumeration were given after their class was made."""
    given: dict[str, Any] = {}
    for name, member in members.items():
        more = {key: item for key, item in vars(member).items() if key not in _MEMBER_ITEMS}
        try:
            moved = type(member)._value2member_map_.get(member.value) is not member
        except TypeError:  # a value without a hash counts anyhow
            moved = False
        if more or moved:
            given[f"{name}, changed"] = [member.value, more]
    return given


def _has(value: object, name: str) -> bool:
    try:
        object.__getattribute__(value, name)
    except AttributeError:
        return False
    return True

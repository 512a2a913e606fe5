"""Digest values that only the run knows, such as those that a function closes over."""

from __future__ import annotations

import copyreg
import enum
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Any, NamedTuple

from orchestration.fingerprint.closure import Graph
from orchestration.fingerprint.facts import CAPTURED, Unit, Use, digest_of
from orchestration.fingerprint.nodes import Dynamic, Key, Node


class Defaults(NamedTuple):
    """Default values of a function's parameters, and the names of its free variables."""

    free: tuple[str, ...]
    positional: tuple[object, ...] | None
    keywords: Mapping[str, object] | None


def cells(function: types.FunctionType) -> dict[str, object]:
    """Find what only the run knows of a function, as `SourceTree.fingerprint` takes it.

    Returns
    -------
    dict
        The value of each free variable by its name, each class that annotates a parameter by the
        parameter's name and a colon, and its `Defaults`, if it has any, by an equals sign.
    """
    captured: dict[str, object] = {
        f"{name}:": annotation
        for name, annotation in function.__annotations__.items()
        if name != "return" and isinstance(annotation, type)
    }
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not assigned yet
            captured[name] = cell.cell_contents
    if function.__defaults__ or function.__kwdefaults__:
        captured["="] = Defaults(
            function.__code__.co_freevars, function.__defaults__, function.__kwdefaults__
        )
    return captured


_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), range)
_LONG = 200
_PROTOCOL = 4
"""Of pickling: the last that copies large data instead of sharing it."""
_NO_STATE = ("_thread.lock", "_thread.RLock")
_CLASS_ITEMS = {"__dict__", "__doc__", "__module__", "__qualname__", "__weakref__"}


class Values:
    """Write values, and functions made inside others with the values that they close over.

    Plain data counts by value; functions and classes by their definition; any other object by its
    class and its state, as pickling would copy it (nothing is pickled).
    """

    def __init__(
        self,
        graph: Graph,
        module: str,
        qualname: str,
        values: Mapping[str, object],
        node: Node,
        within: tuple[int, ...] = (),
    ) -> None:
        self.graph = graph
        self.module = module
        self.qualname = qualname
        self.values = values
        self.node = node
        self.within = within  # ids of the functions around, to notice one that uses itself
        self.written: dict[str, int] = {}
        self._objects: dict[int, tuple[int, object]] = {}  # with each, so that no id is used again
        self._in_decorators: set[str] = set()
        defaults = values.get("=")
        self._defaults = defaults if isinstance(defaults, Defaults) else None

    def assemble(self, key: Key) -> None:
        """Write the function."""
        facts = self.graph.sources.facts(self.module)
        for unit in facts["nested"][self.qualname]:
            self._in_decorators |= _in_decorators(unit)
            self.graph.assemble(self.node, key, unit, None, self)
        if self._defaults is not None:
            self._items("defaults", self._defaults[1:])

    def fill(self, ref: str) -> None:
        """Fill the slot of a free variable."""
        node = self.node
        name, _, rest = ref[2:].partition(".")
        if name not in self.values:
            defaults = self._defaults
            if defaults is None or name in defaults.free or name in self._in_decorators:
                self._missing(ref)
            else:
                node.text("in a default")  # which counts by value
            return
        if name in self.written:
            node.text(f"variable {self.written[name]}.{rest}")
            return
        self.written[name] = len(self.written)
        start = len(node.label)
        self.write(self.values[name])
        if not self.within:
            node.values[name] = digest_of("\n".join(node.label[start:]))
            # So that a changed value is named as such, and not as a change of the function.
            node.label[start:] = ["value"]
        node.text(f".{rest}")

    def _missing(self, ref: str) -> None:
        """Write a variable without a value as the whole outer function, which may set it."""
        name = ref[2:].partition(".")[0]
        self.node.key(Key(self.module, self.qualname.partition(".")[0]))
        self.node.text(ref)
        if ref[0] == Use.PARAMETER:  # or whoever calls that function
            self._unknown(f"the unknown value of {name}")

    def annotation(self, parameter: str, refs: Iterable[str]) -> None:
        """Write the class that annotates a parameter, where that is a variable."""
        value = self.values.get(f"{parameter}:")
        if not isinstance(value, type):
            for ref in refs:
                if ref[0] in CAPTURED and ref[2:] not in self.values:
                    self._missing(ref)
                elif ref[0] in CAPTURED:
                    self.write(self.values[ref[2:]])
        elif "." not in value.__qualname__ and value.__module__ in self.graph.sources:
            self.node.key(self.graph.settings_key((value.__module__, value.__qualname__)))
        else:
            self.write(value)

    def write(self, value: Any) -> None:
        """Write a value, of any type."""
        node = self.node
        kind = type(value)
        if kind in _PLAIN:
            self._plain(value)
        elif kind is tuple:
            self._items("tuple", value)
        elif isinstance(value, PurePath):
            root = self.graph.sources.root
            inside = value.relative_to(root) if value.is_relative_to(root) else value
            node.text(f"path {inside.as_posix()!r}")
        elif isinstance(value, enum.Enum):
            self._definition(kind)
            node.text(str(value.name))
        elif isinstance(value, type):
            self._definition(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self._items("method", [value.__self__, value.__func__])
        elif isinstance(value, types.BuiltinFunctionType) and isinstance(
            value.__self__, types.ModuleType | None
        ):
            self._definition(value)
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif kind.__module__ == "functools" and hasattr(value, "__wrapped__"):
            self._cached(value)
        elif not self._is_again(value):
            self._object(value)

    def _is_again(self, value: object) -> bool:
        """Whether an object was written before: then this is written instead."""
        if id(value) in self._objects:
            self.node.text(f"again {self._objects[id(value)][0]}")
            return True
        self._objects[id(value)] = len(self._objects), value
        return False

    def _cached(self, value: Any) -> None:
        """Write a function that `functools` made of another; what it remembers is left out."""
        self._items("cached", [value.__wrapped__])

    def _plain(self, value: Any) -> None:
        kind, root = type(value).__name__, str(self.graph.sources.root)
        if isinstance(value, str) and root in value:
            value = value.replace(root, "")
        text = repr(value)
        self.node.text(f"{kind} {text if len(text) < _LONG else digest_of(text)}")

    def _object(self, value: Any) -> None:
        """Write an object that may change, or may hold itself."""
        kind = type(value)
        if kind is list:
            self._items("list", value)
        elif kind is dict:
            self._items("dict", [part for item in value.items() for part in item])
        elif kind in (set, frozenset):
            self._set(value)
        elif f"{kind.__module__}.{kind.__qualname__}" in _NO_STATE:
            self._definition(kind)
        elif isinstance(value, types.MappingProxyType):
            self._items("mappingproxy", [dict(value)])
        else:
            self._state(value)

    def _set(self, value: Iterable[Any]) -> None:
        """Write the items of a set in an order that is the same in every process."""
        node = self.node
        parts, label = len(node.parts), len(node.label)
        items = []
        for item in value:
            start = len(node.parts), len(node.label)
            self.write(item)
            items.append((node.parts[start[0] :], node.label[start[1] :]))
        items.sort(key=repr)
        node.parts[parts:] = [f"=set {len(items)}", *(part for item, _ in items for part in item)]
        node.label[label:] = [f"set {len(items)}", *(text for _, item in items for text in item)]

    def _state(self, value: Any) -> None:
        """Write an object as its class and its state."""
        kind = type(value)
        try:
            registered = copyreg.dispatch_table.get(kind)
            reduced = registered(value) if registered else value.__reduce_ex__(_PROTOCOL)
        except Exception:  # whatever the class of an object that can't be copied raises
            self._uncopied(value)
            return
        if isinstance(reduced, str):  # the name of a global
            self._global(getattr(value, "__module__", None) or kind.__module__, reduced)
            return
        parts: list[Any] = list(reduced)
        if isinstance(value, set | frozenset):  # a subclass, with its items in any order
            parts[1] = (kind, set(value))
        self._items("object", [*parts[:3], *(list(part) for part in parts[3:5] if part)])

    def _uncopied(self, value: object) -> None:
        """Write an object that can't be copied."""
        self._unknown(f"a value of type {type(value).__module__}.{type(value).__qualname__}")

    def _items(self, kind: str, items: Sequence[Any]) -> None:
        self.node.text(f"{kind} {len(items)}")
        for item in items:
            self.write(item)

    def _unknown(self, what: str) -> None:
        """Write what can't be told: it may come from anywhere in the project."""
        self.node.text("unknown")
        what = f"{what} in {self.qualname}"
        self.node.dynamic.add(Dynamic(self.module, 0, what, "every module of the project"))
        sources = self.graph.sources
        self.node.also |= {Key(module, "*") for module in sources if module not in sources.broken}

    def _module(self, value: types.ModuleType) -> None:
        name = value.__name__
        if name in self.graph.sources:
            self.node.key(Key(name, "**"))
        else:
            self._outside(name)

    def _outside(self, path: str) -> None:
        self.node.text(f"outside {path}")
        self.node.outside.add(path.partition(".")[0])

    def _definition(self, value: Any) -> None:
        """Write a class or a built-in function by its definition."""
        name = value.__qualname__
        self._global(value.__module__ or "builtins", name)
        if "<locals>" in name and isinstance(value, type):
            own = {key: item for key, item in vars(value).items() if key not in _CLASS_ITEMS}
            self._inner(*value.__bases__, *own.values())

    def _global(self, module: str, name: str) -> None:
        """Write what a name in a module stands for."""
        if module not in self.graph.sources:
            self._outside(f"{module}.{name}")
            return
        top = name.partition(".")[0]
        if top not in self.graph.sources.names[module]:
            self._unknown(f"{name} of {module}")
            return
        self.node.key(Key(module, top, "named"))
        self.node.text(name)

    def _inner(self, *values: Any) -> None:
        """Write what the run knows of things made by a function whose code counts already."""
        for value in values:
            if isinstance(value, types.FunctionType):
                known = cells(value) | {"=": (value.__defaults__, value.__kwdefaults__)}
                self._items(f"function {list(known)}", list(known.values()))
            elif isinstance(value, classmethod | staticmethod):
                self._inner(value.__func__)
            elif isinstance(value, property):
                self._inner(*filter(None, (value.fget, value.fset, value.fdel)))
            elif not isinstance(value, types.GetSetDescriptorType | types.MemberDescriptorType):
                self.write(value)

    def _function(self, value: types.FunctionType) -> None:
        # Where the code is: `functools.wraps` changes `__module__` and `__qualname__`.
        module, name = str(value.__globals__.get("__name__")), value.__code__.co_qualname
        top = name.partition(".")[0]
        if id(value) in self.within:
            self.node.text(f"itself {self.within[::-1].index(id(value))}")
        elif module not in self.graph.sources:
            self._outside(f"{module}.{name}")
            if registry := getattr(value, "registry", None):  # of `functools.singledispatch`
                self.write(dict(registry))
            elif "<locals>" in name:
                self._nested(value, lambda inner: inner._inner(value))
        elif "<locals>" in name and name in self.graph.sources.facts(module).get("nested", {}):
            self._nested(value, lambda inner: inner.assemble(Key(module, name, "named")))
        elif "<locals>" not in name and top in self.graph.sources.names[module]:
            self.node.key(Key(module, top, "named"))
            self.node.text(name)
        else:
            self._unnamed(value)

    def _unnamed(self, value: types.FunctionType) -> None:
        """Write a function that its module has no name for."""
        self._unknown(f"{value.__code__.co_qualname} of {value.__globals__.get('__name__')}")

    def _nested(self, value: types.FunctionType, write: Callable[[Values], None]) -> None:
        """Write a function with the values of its own."""
        module, name = str(value.__globals__.get("__name__")), value.__code__.co_qualname
        within = (*self.within, id(value))
        write(type(self)(self.graph, module, name, cells(value), self.node, within))


def _in_decorators(unit: Unit) -> set[str]:
    """Names that the decorators of a function mention."""
    slots = [slot for decorator in unit.get("decorators", ()) for slot in decorator["slots"]]
    return {unit["refs"][slot][2:].partition(".")[0] for slot in slots}

"""Digest what only the run knows of a function made inside another: the values it closes over."""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any

from orchestration.fingerprint.closure import Graph
from orchestration.fingerprint.facts import CAPTURED, Use, digest_of
from orchestration.fingerprint.nodes import Dynamic, Key, Node


def cells(function: types.FunctionType) -> dict[str, object]:
    """Find what only the run knows of a function, as `SourceTree.fingerprint` takes it.

    Returns
    -------
    dict
        The value of each free variable by its name, and each class that annotates a parameter by
        the parameter's name and a colon.
    """
    captured: dict[str, object] = {
        f"{name}:": annotation
        for name, annotation in function.__annotations__.items()
        if name != "return" and isinstance(annotation, type)
    }
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not assigned yet
            captured[name] = cell.cell_contents
    return captured


_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), range)


class Values:
    """Write a function made inside another, with the values of its free variables."""

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

    def assemble(self, key: Key) -> None:
        """Write the function."""
        facts = self.graph.sources.facts(self.module)
        for unit in facts["nested"][self.qualname]:
            self.graph.assemble(self.node, key, unit, None, self)

    def fill(self, ref: str) -> None:
        """Fill the slot of a free variable."""
        node = self.node
        name, _, rest = ref[2:].partition(".")
        if name not in self.values:
            self._missing(ref)
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
            node.text(f"{kind.__name__} {value!r}")
        elif kind in (tuple, list):
            self._items(kind.__name__, value)
        elif kind is dict:
            self._items("dict", [part for item in value.items() for part in item])
        elif kind in (set, frozenset) and all(type(item) in _PLAIN for item in value):
            node.text(f"{kind.__name__} {sorted(map(repr, value))}")
        elif isinstance(value, PurePath):
            root = self.graph.sources.root
            inside = value.relative_to(root) if value.is_relative_to(root) else value
            node.text(f"path {inside.as_posix()!r}")
        elif isinstance(value, enum.Enum):
            self._definition(kind)
            node.text(str(value.name))
        elif isinstance(value, type):
            self._definition(value)
        elif is_dataclass(value):
            self._definition(kind)
            self._items("dataclass", [getattr(value, item.name) for item in fields(value)])
        elif isinstance(value, tuple) and hasattr(kind, "_fields"):
            self._definition(kind)
            self._items("namedtuple", list(value))
        elif isinstance(value, functools.partial):
            self._items("partial", [value.func, *value.args, *value.keywords.items()])
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
            self._items("cached", [value.__wrapped__])
        else:
            self._unknown(f"a value of type {kind.__module__}.{kind.__qualname__}")

    def _items(self, kind: str, items: Sequence[Any]) -> None:
        self.node.text(f"{kind} {len(items)}")
        for item in items:
            self.write(item)

    def _unknown(self, what: str, module: str | None = None) -> None:
        self.node.text("unknown")
        self.node.dynamic.add(Dynamic(self.module, 0, f"{what} in {self.qualname}"))
        self.node.also.add(Key(self.module, "*"))
        if module is not None:
            self.node.also.add(Key(module, "*"))

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
        module, name = value.__module__ or "builtins", value.__qualname__
        if module not in self.graph.sources:
            self._outside(f"{module}.{name}")
            return
        top = name.partition(".")[0]
        if top not in self.graph.sources.names[module]:
            self._unknown(f"{name} of {module}", module)
            return
        self.node.key(Key(module, top))
        self.node.text(name)

    def _function(self, value: types.FunctionType) -> None:
        # Where the code is: `functools.wraps` changes `__module__` and `__qualname__`.
        module, name = str(value.__globals__.get("__name__")), value.__code__.co_qualname
        if module not in self.graph.sources:
            self._outside(f"{module}.{name}")
        elif "<locals>" in name:
            if id(value) in self.within:
                self.node.text(f"itself {self.within[::-1].index(id(value))}")
            elif name in self.graph.sources.facts(module).get("nested", {}):
                inner = Values(
                    self.graph, module, name, cells(value), self.node, (*self.within, id(value))
                )
                inner.assemble(Key(module, name))
            else:
                self._unknown(f"{name} of {module}", module)
        elif name.partition(".")[0] in self.graph.sources.names[module]:
            self.node.key(Key(module, name.partition(".")[0]))
            self.node.text(name)
        else:
            self._unknown(f"{name} of {module}", module)

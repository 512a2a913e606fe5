"""The code version of a stage: a digest of everything in the project that it uses.

Here belongs how code is read and compared. What is done with the answer (configuration, stored
data, library versions, what to rebuild) belongs elsewhere; this module knows neither Dagster nor
the project that it serves, imports none of the code it reads, and needs only the standard library.

How it works
------------
1. Each file is parsed once and boiled down to *facts*: one record per module-level statement, with
   its syntax normalised to a digest and the names it uses left open as slots. Facts depend on the
   file's content alone, so they are cached by it.
2. A stage's names are resolved as Python would: local and global scopes, aliases, relative
   imports, re-exports, stars, `module.attribute`. What resolves into the project is followed.
3. A definition's digest is its own syntax with each slot filled by the digest of what it resolves
   to, never by a name or a place. So a definition may move and a module may be renamed. Definitions
   that use each other are solved together, by refinement until no two of them can be told apart.

What counts, beyond the plain cases:

- A name counts with *every* statement of its module that binds or changes it (`+=`, `TABLE["a"] =`,
  `TABLE.update(...)`, loops, `try`/`if` alternatives), with those of other modules that change it,
  and with functions that rebind it through `global`.
- A registry counts with what is registered in it, through a decorator, a call, `singledispatch` or
  `__init_subclass__`. What only writes to a registry does not depend on its other entries.
- A statement that changes something outside the project when a module is imported (`np.seterr`,
  `os.environ[...] =`) counts for each stage that causes that module to be imported.
- A class counts as a whole. Fields of a settings class (see `SourceTree`) count without their
  defaults where it is only an annotation or a base of one, since the caller hashes the values.
- Annotations count on fields of classes, and on functions where something may read them: an unknown
  decorator, or `inspect` and the like. Of a stage's parameters only the project's classes count.

Limits: files that are read at run time, code that is started as a separate process, and names
written in a string (other than for `getattr` and `import_module`) are not followed.
"""

from __future__ import annotations

import ast
import builtins
import enum
import functools
import hashlib
import json
import os
import sys
import types
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any, NamedTuple, TypedDict

__all__ = ["Dynamic", "Fingerprint", "SourceError", "SourceTree", "cells", "changed"]


@dataclass(frozen=True, order=True)
class Dynamic:
    """Something that cannot be followed statically, and so was widened.

    Parameters
    ----------
    module
        Module it stands in.
    line
        Line in that module's file; 0 where it came with a run-time value.
    what
        What it is, for a person.
    """

    module: str
    line: int
    what: str


@dataclass(frozen=True)
class Fingerprint:
    """What a function's code amounts to.

    Parameters
    ----------
    digest
        64 hexadecimal digits. Equal digests: nothing that can alter the result differs.
    pieces
        `module:name` of each definition used, with the digest of that definition alone, to name
        what changed (see `changed`).
    packages
        Third-party packages used, by import name, sorted; the standard library is left out.
    dynamic
        What could not be followed.
    """

    digest: str
    pieces: Mapping[str, str]
    packages: tuple[str, ...]
    dynamic: tuple[Dynamic, ...]


class SourceError(ValueError):
    """A source file that a stage uses cannot be parsed."""


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Name the definitions that differ between two `Fingerprint.pieces`.

    A definition that only moved to another module is left out.

    Returns
    -------
    list of str
        `module:name`, with ` (new)` or ` (gone)` where only one side has it; sorted.
    """
    gone = {piece for piece in old if piece not in new}
    added = {piece for piece in new if piece not in old}
    for piece in sorted(gone):
        name = piece.partition(":")[2]
        for other in sorted(added):
            if other.partition(":")[2] == name and new[other] == old[piece]:
                gone.discard(piece)
                added.discard(other)
                break
    edited = {piece for piece in old if piece in new and old[piece] != new[piece]}
    return sorted(
        [*edited, *(f"{piece} (new)" for piece in added), *(f"{piece} (gone)" for piece in gone)]
    )


def cells(function: types.FunctionType) -> dict[str, object]:
    """Find what only the run knows of a function, as `SourceTree.fingerprint` takes it.

    Returns
    -------
    dict
        The value of each free variable by its name, and each class that annotates a parameter by
        the parameter's name and a colon.
    """
    found: dict[str, object] = {
        f"{name}:": annotation
        for name, annotation in function.__annotations__.items()
        if name != "return" and isinstance(annotation, type)
    }
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not assigned yet
            found[name] = cell.cell_contents
    return found


# ---- Facts: what one file says, whatever its name and place ------------------------------------

_FORMAT = 1

# An import: number of leading dots, module, attribute ("" for the module itself).
_Spec = tuple[int, str, str]


class _Part(TypedDict):
    """A stretch of normalised syntax: its digest, and its slots as indices into the unit's refs."""

    text: str
    slots: list[int]


class _Decorator(_Part):
    by: list[int]  # refs of what is called


class _Hints(_Part):
    by: list[int]  # refs of the decorators that may read them; -1 for one that is no name


class _Fields(TypedDict):
    bases: list[int]
    full: _Part
    settings: _Part  # the same without defaults


class _Unit(TypedDict, total=False):
    """One statement.

    Refs are strings: `g:np.sum` a name of the module, `s:` the same in an annotation of a field or
    in a base, `w:` only stored to, `m:` called for what it does, its result unused, `c:` a variable
    of an enclosing function, `p:` a parameter of one, `i:` and `e:` an import inside a function,
    followed or only mentioned. (And while reading, `k:` looked up, perhaps before storing to it.)
    """

    kind: str  # "def", "class" or "state"
    line: int
    binds: list[str]
    refs: list[str]
    body: _Part
    eager: list[int]  # refs evaluated on import
    decorators: list[_Decorator]
    hints: list[_Hints]
    fields: list[_Fields]
    bases: list[int]
    parameters: list[tuple[str, list[int]]]  # and the refs in their annotations
    doc: str
    dynamic: list[tuple[int, str, str]]  # line, what, pattern of the modules it may reach
    computed: list[tuple[int, str, int]]  # line, what, ref of what a computed attribute is of
    imports: list[_Spec]  # inside functions
    # What it does to names, on import ...
    effect: bool
    stores: list[int]
    calls: list[tuple[int, str]]  # and how: "effect", "value" or "decorator"
    mentions: list[int]  # handed to a call
    # ... and when called.
    globals: list[str]
    writes: list[int]
    methods: list[int]  # methods called that may change what they belong to
    alters: bool  # one of its parameters
    hands: list[int]  # a parameter on to these
    reads_hints: bool
    defines: bool  # has a function or class somewhere inside, without being one
    metaclass: list[int]
    hooks: list[str]  # see `_class_hooks`
    subclasses: bool  # asks for its subclasses


class _Facts(TypedDict, total=False):
    error: tuple[int, str]
    doc: str
    exports: list[str] | None  # `__all__`; absent: public names, None: cannot be told
    imports: dict[str, list[_Spec]]
    typing: dict[str, list[_Spec]]  # under `if TYPE_CHECKING`
    stars: list[tuple[int, str]]
    imported: list[_Spec]  # modules imported with this one
    units: list[_Unit]
    nested: dict[str, list[_Unit]]  # functions inside functions, by qualified name


_TYPE_CHECKING = {"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"}
_CAST = {"typing.cast", "typing_extensions.cast"}
_OVERLOAD = {"typing.overload", "typing_extensions.overload"}

# Decorators that don't look at annotations.
_QUIET_DECORATORS = {
    "abc.abstractmethod", "atexit.register", "builtins.classmethod", "builtins.property",
    "builtins.staticmethod", "contextlib.asynccontextmanager", "contextlib.contextmanager",
    "functools.cache", "functools.cached_property", "functools.lru_cache",
    "functools.singledispatch", "functools.singledispatchmethod", "functools.wraps",
    "keras.saving.register_keras_serializable", "numba.jit", "numba.njit", "tensorflow.function",
    "typing.final", "typing.no_type_check", "typing.override",
}  # fmt: skip
# What reads annotations, or the source itself.
_HINT_READERS = {
    "beartype.beartype", "inspect.get_annotations", "inspect.getdoc", "inspect.getfullargspec",
    "inspect.getsource", "inspect.getsourcelines", "inspect.signature", "pydantic.TypeAdapter",
    "pydantic.create_model", "pydantic.validate_call", "typeguard.typechecked",
    "typing.get_type_hints",
}  # fmt: skip

# Methods that change what they belong to, wherever they are called ...
_MUTATORS = {
    "__delitem__", "__setattr__", "__setitem__", "add", "append", "appendleft", "clear", "discard",
    "extend", "extendleft", "fill", "insert", "itemset", "pop", "popitem", "popleft", "put",
    "register", "remove", "reverse", "rotate", "setdefault", "setflags", "sort", "update",
}  # fmt: skip
# ... and those that don't even where their result is thrown away.
_LOGGING = {"critical", "debug", "error", "exception", "info", "log", "warning"}

# Functions of others that change their first argument.
_ALTERING = {
    "bisect.insort", "heapq.heapify", "heapq.heappop", "heapq.heappush", "numpy.copyto",
    "numpy.fill_diagonal", "numpy.put", "numpy.random.shuffle", "operator.setitem",
    "random.shuffle",
}  # fmt: skip

_EVALUATORS = {"builtins.eval", "builtins.exec", "builtins.compile"}
_ATTRIBUTES = {"builtins.getattr", "builtins.setattr", "builtins.delattr"}
_NAMESPACES = {"builtins.globals", "builtins.locals"}
_IMPORTERS = {
    "builtins.__import__", "importlib.__import__", "importlib.import_module",
    "pkgutil.resolve_name", "pydoc.locate", "runpy.run_module",
}  # fmt: skip
_LOADERS = {
    "importlib.machinery.SourceFileLoader", "importlib.reload",
    "importlib.util.spec_from_file_location", "runpy.run_path",
}  # fmt: skip
_UNFOLLOWED = _EVALUATORS | _NAMESPACES | _IMPORTERS | _LOADERS
_FIELD_NOTES = {"default", "default_factory", "description", "title", "examples"}

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _chain(node: ast.AST) -> tuple[str, list[str]] | None:
    """Take `a.b.c` apart into ("a", ["b", "c"]); None for what is no dotted name."""
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, attributes[::-1]) if isinstance(node, ast.Name) else None


def _root(node: ast.AST) -> str | None:
    """Name at the bottom of `a.b[c].d`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return _digest(ast.get_docstring(node) or "")


def _specs(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, _Spec]]:
    """Names that an import binds, and to what."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            if alias.name != "*":
                yield alias.asname or alias.name, (node.level, node.module or "", alias.name)
        elif alias.asname:
            yield alias.asname, (0, alias.name, "")
        else:
            top = alias.name.partition(".")[0]
            yield top, (0, top, "")


def _loads(node: ast.Import | ast.ImportFrom) -> list[_Spec]:
    """Modules that an import loads; an attribute may turn out to be one."""
    if isinstance(node, ast.ImportFrom):
        return [(node.level, node.module or "", alias.name) for alias in node.names]
    return [(0, alias.name, "") for alias in node.names]


class _Scope:
    """Names of one function, class, comprehension or module."""

    __slots__ = ("globals", "imports", "kind", "names", "nonlocals", "parameters", "parent")

    def __init__(self, kind: str, parent: _Scope | None) -> None:
        self.kind = kind
        self.parent = parent
        self.names: set[str] = set()
        self.imports: dict[str, list[_Spec]] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.parameters: set[str] = set()

    def bind(self, nodes: Iterable[ast.AST]) -> _Scope:
        """Collect what ``nodes`` bind in this scope, without entering inner ones."""
        stack = list(nodes)[::-1]
        while stack:
            node = stack.pop()
            if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
                self.names.add(node.name)
                stack.extend(node.decorator_list)
            elif isinstance(node, ast.Lambda):
                pass
            elif isinstance(node, _COMPREHENSIONS):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.NamedExpr):
                        self.names.add(inner.target.id)
            elif isinstance(node, ast.Name):
                if not isinstance(node.ctx, ast.Load):
                    self.names.add(node.id)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for name, spec in _specs(node):
                    self.imports.setdefault(name, []).append(spec)
            elif isinstance(node, ast.Global):
                self.globals.update(node.names)
            elif isinstance(node, ast.Nonlocal):
                self.nonlocals.update(node.names)
            else:
                if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
                    self.names.add(node.name)
                elif isinstance(node, ast.MatchMapping) and node.rest:
                    self.names.add(node.rest)
                stack.extend(list(ast.iter_child_nodes(node))[::-1])
        outer = self.globals | self.nonlocals
        self.names -= outer
        for name in outer & self.imports.keys():
            del self.imports[name]
        return self


class _Reader(ast.NodeVisitor):
    """Turns one parsed file into facts."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = _Scope("module", None).bind(tree.body)
        self.facts = _Facts(
            doc=_docstring(tree), imports={}, typing={}, stars=[], imported=[], units=[], nested={}
        )
        self.scope = self.module
        self.path: list[str] = []
        self.pending: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, _Scope, list[str]]] = []
        self._start(0, "state")
        self._exports(tree)
        self._statements(tree.body, [])

    # -- statements of the module

    def _exports(self, tree: ast.Module) -> None:
        """Work out `__all__` where it is written out."""
        if "__all__" not in self.module.names:
            return
        names: list[str] | None = []
        for node in tree.body:
            if not any(isinstance(n, ast.Name) and n.id == "__all__" for n in ast.walk(node)):
                continue
            value = None
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                value = node.value
            try:
                listed = ast.literal_eval(value) if value is not None else None
            except (TypeError, ValueError):
                listed = None
            if names is None or not isinstance(listed, list | tuple):
                names = None
            else:
                names = [*names, *map(str, listed)]
        self.facts["exports"] = names

    def _statements(self, body: Sequence[ast.stmt], guards: list[tuple[ast.expr, bool]]) -> None:
        for node in body:
            if isinstance(node, ast.Pass) or (
                isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            ):
                continue
            if isinstance(node, ast.AnnAssign) and node.value is None:
                continue
            if isinstance(node, ast.If):
                self._branches(node, guards)
                continue
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)
                if not guards:
                    continue
            if isinstance(node, _FUNCTIONS) and any(
                self._dotted(decorator) in _OVERLOAD for decorator in node.decorator_list
            ):
                continue
            self._unit(node, guards)

    def _branches(self, node: ast.If, guards: list[tuple[ast.expr, bool]]) -> None:
        test = node.test
        if self._dotted(test) in _TYPE_CHECKING:
            self._typing(node.body)
            self._statements(node.orelse, guards)
        elif (
            isinstance(test, ast.UnaryOp)
            and isinstance(test.op, ast.Not)
            and self._dotted(test.operand) in _TYPE_CHECKING
        ):
            self._statements(node.body, guards)
            self._typing(node.orelse)
        elif (
            isinstance(test, ast.Compare)
            and isinstance(test.left, ast.Name)
            and test.left.id == "__name__"
            and isinstance(test.comparators[0], ast.Constant)
            and test.comparators[0].value == "__main__"
            and isinstance(test.ops[0], ast.Eq)
        ):
            self._statements(node.orelse, guards)
        elif any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(test)):
            self._unit(node, guards)
        else:
            # An empty branch needs no record: what it fails to do is in the other one's guard.
            self._statements(node.body, [*guards, (test, True)])
            self._statements(node.orelse, [*guards, (test, False)])

    def _typing(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, spec in _specs(node):
                    self.facts["typing"].setdefault(name, []).append(spec)
            elif not isinstance(node, ast.If):
                self._statements([node], [])

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        self.facts["imported"].extend(_loads(node))
        for name, spec in _specs(node):
            self.facts["imports"].setdefault(name, []).append(spec)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            self.facts["stars"].append((node.level, node.module or ""))

    # -- units

    def _start(self, line: int, kind: str) -> None:
        self.refs: dict[str, int] = {}
        self.unit = _Unit(
            kind=kind,
            line=line,
            binds=[],
            refs=[],
            eager=[],
            decorators=[],
            hints=[],
            fields=[],
            bases=[],
            parameters=[],
            dynamic=[],
            computed=[],
            imports=[],
            stores=[],
            calls=[],
            mentions=[],
            globals=[],
            writes=[],
            methods=[],
            hands=[],
        )
        self.out: list[str] = []
        self.slots: list[int] = []
        self.depth = 0  # of function bodies: 0 is what runs on import
        self.soft = False  # in a base or an annotation of a field
        self.annotation = False
        self.mentioning = False
        self.outer: set[int] = set()  # scopes around a nested function that is read on its own

    def _finish(self, body: _Part) -> _Unit:
        self.unit["body"] = body
        refs = list(self.refs)
        written = [
            refs[index][2:] for key in ("stores", "writes", "methods") for index in self.unit[key]
        ]
        for index, ref in enumerate(refs):
            if ref.startswith("k:"):
                alike = any(f"{name}.".startswith(f"{ref[2:]}.") for name in written)
                refs[index] = f"{'w' if alike else 'g'}:{ref[2:]}"
        self.unit["refs"] = refs
        for key in ("eager", "stores", "mentions", "writes", "methods", "hands"):
            self.unit[key] = sorted(set(self.unit[key]))
        # Most are empty: the cache is smaller and quicker to read without them.
        return {key: value for key, value in self.unit.items() if value}  # type: ignore[return-value]

    @contextmanager
    def _part(self) -> Iterator[_Part]:
        """Collect what is written meanwhile as a part of its own."""
        part = _Part(text="", slots=[])
        kept = self.out, self.slots
        self.out, self.slots = [], part["slots"]
        yield part
        part["text"] = _digest("".join(self.out))
        self.out, self.slots = kept

    def _unit(self, node: ast.stmt, guards: list[tuple[ast.expr, bool]]) -> None:
        kind = "def" if isinstance(node, _FUNCTIONS) else "state"
        self._start(node.lineno, "class" if isinstance(node, ast.ClassDef) else kind)
        self.unit["binds"] = self._bound(node)
        if self.unit["kind"] == "state":
            self.unit["defines"] = any(
                isinstance(inner, (*_FUNCTIONS, ast.ClassDef, ast.Lambda))
                for inner in ast.walk(node)
            )
        with self._part() as body:
            for test, taken in guards:
                self.out.append(f"(when {taken} ")
                self.visit(test)
                self.out.append(")")
            if isinstance(node, _FUNCTIONS):
                self._function(node, top=True)
            elif isinstance(node, ast.ClassDef):
                self._class(node, top=True)
            else:
                self.visit(node)
        self.facts["units"].append(self._finish(body))
        pending, self.pending = self.pending, []
        for inner, scope, path in pending:
            self._nested(inner, scope, path)

    def _bound(self, node: ast.stmt) -> list[str]:
        scope = _Scope("module", None).bind([node])
        return sorted(scope.names | scope.imports.keys())

    def _nested(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: _Scope, path: list[str]
    ) -> None:
        """Record a function inside a function as a unit of its own."""
        self._start(node.lineno, "def")
        kept = self.scope, self.path, self.pending
        self.scope, self.path, self.pending = scope, path, []
        outer: _Scope | None = scope
        while outer is not None and outer is not self.module:
            self.outer.add(id(outer))
            outer = outer.parent
        with self._part() as body:
            self._function(node, top=True)
        self.scope, self.path, self.pending = kept
        name = ".".join([*path, node.name])
        self.facts["nested"].setdefault(name, []).append(self._finish(body))

    # -- names

    def _lookup(self, name: str) -> _Scope | None:
        """Scope that a name belongs to; None for the module's own and what is built in."""
        scope: _Scope | None = self.scope
        while scope is not None and scope is not self.module:
            if scope.kind != "class" or scope is self.scope:
                if name in scope.globals:
                    return None
                if name in scope.names or name in scope.imports:
                    return scope
            scope = scope.parent
        return None

    def _dotted(self, node: ast.AST) -> str | None:
        """Full path of a name from outside the project, as far as this file can tell."""
        if isinstance(node, ast.Call):
            return None
        chain = _chain(node)
        if chain is None:
            return None
        name, attributes = chain
        scope = self._lookup(name) or self.module
        if name in scope.imports:
            level, module, attribute = scope.imports[name][0]
            if level:
                return None
            return ".".join(filter(None, [module, attribute, *attributes]))
        if name in scope.names:
            return None
        return ".".join(["builtins", name, *attributes])

    def _ref(self, ref: str) -> int:
        """Leave a slot for what ``ref`` will resolve to."""
        index = self.refs.setdefault(ref, len(self.refs))
        self.out.append("\0")
        self.slots.append(index)
        if self.depth == 0:
            self.unit["eager"].append(index)
        if self.mentioning:
            self.unit["mentions"].append(index)
        return index

    def _name(self, name: str, attributes: Sequence[str], use: str = "g") -> list[int]:
        """Write a dotted name; the refs made for it, none for a local one."""
        if "__annotations__" in attributes or "__signature__" in attributes:
            self.unit["reads_hints"] = True
        scope = self._lookup(name)
        if scope is None:
            kind = "s" if self.soft and use == "g" else use
            return [self._ref(f"{kind}:{'.'.join([name, *attributes])}")]
        found = []
        if name in scope.names or name not in scope.imports:
            if id(scope) in self.outer:
                kind = "p" if name in scope.parameters else "c"
                found.append(self._ref(f"{kind}:{'.'.join([name, *attributes])}"))
            else:
                self.out.append(f"(local {'.'.join([name, *attributes])})")
        for level, module, attribute in scope.imports.get(name, ()):
            rest = ".".join(attributes)
            found.append(self._ref(f"i:{level}:{module}:{attribute}:{rest}"))
        return found

    def _unfollowed(self, node: ast.AST, what: str, pattern: str = "") -> None:
        line = getattr(node, "lineno", self.unit["line"])
        self.unit["dynamic"].append((line, what, pattern))

    # -- syntax

    def generic_visit(self, node: ast.AST) -> None:
        self.out.append(f"({type(node).__name__}")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None or value == [] or name in ("ctx", "kind", "type_comment"):
                continue
            self.out.append(f" {name}=")
            self._value(value)
        self.out.append(")")

    def _value(self, value: object) -> None:
        if isinstance(value, ast.AST):
            self.visit(value)
        elif isinstance(value, list):
            self.out.append("[")
            for item in value:
                self._value(item)
                self.out.append(",")
            self.out.append("]")
        else:
            self.out.append(repr(value))

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:
        pass

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._mention(node)
            self._name(node.id, ())
        else:
            self._target(node)

    def _mention(self, node: ast.expr) -> None:
        """Report what can't be followed where it is not called but handed on."""
        dotted = self._dotted(node) or ""
        if dotted in _UNFOLLOWED:
            pattern = "*" if dotted in _IMPORTERS | _LOADERS else ""
            self._unfollowed(node, f"{dotted.removeprefix('builtins.')} as a value", pattern)
        elif dotted == "sys.modules":
            self._unfollowed(node, dotted)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain = _chain(node)
        if not isinstance(node.ctx, ast.Load):
            self._target(node)
            return
        if chain is not None:
            self._mention(node)
            if chain[1][-1] == "__subclasses__" and self._lookup(chain[0]) is not None:
                self._asks_subclasses(node)
            self._name(*chain)
            return
        if node.attr == "__annotations__":
            self.unit["reads_hints"] = True
        if node.attr == "__subclasses__":
            self._asks_subclasses(node)
        # An attribute of what import_module returns is followed just as if it were imported.
        attributes: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            attributes.append(base.attr)
            base = base.value
        if isinstance(base, ast.Call):
            module = self._imported_by_call(base)
            if module:
                self._ref(f"i:0:{module}::{'.'.join(attributes[::-1])}")
                return
        self.out.append("(. ")
        self.visit(node.value)
        self.out.append(f" {node.attr})")

    def _asks_subclasses(self, node: ast.AST) -> None:
        if self.unit["kind"] == "class":
            self.unit["subclasses"] = True
        else:
            self._unfollowed(node, "__subclasses__ of a class that is only known at run time")

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._target(node)
        elif self._dotted(node.value) == "sys.modules":
            own = isinstance(node.slice, ast.Name) and node.slice.id == "__name__"
            self._unfollowed(node, "sys.modules[...]", "" if own else _pattern(node.slice))
            self.visit(node.slice)
        elif self.annotation and (self._dotted(node.value) or "").endswith(".Literal"):
            with self._mode(annotation=False):
                self.generic_visit(node)
        elif (
            self.annotation
            and (self._dotted(node.value) or "").endswith(".Annotated")
            and isinstance(node.slice, ast.Tuple)
        ):
            self.out.append("(Annotated ")
            self.visit(node.slice.elts[0])
            with self._mode(annotation=False):
                self._all(node.slice.elts[1:])
            self.out.append(")")
        else:
            self.generic_visit(node)

    @contextmanager
    def _mode(self, **flags: bool) -> Iterator[None]:
        kept = {name: getattr(self, name) for name in flags}
        for name, value in flags.items():
            setattr(self, name, value)
        yield
        for name, value in kept.items():
            setattr(self, name, value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if self.annotation and isinstance(node.value, str):
            try:
                self.visit(ast.parse(node.value.strip(), mode="eval").body)
            except (SyntaxError, ValueError):
                pass
            else:
                return
        self.out.append(f"{type(node.value).__name__}:{node.value!r}")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        # Versions of Python differ in how they split the constant stretches.
        self.out.append("(f")
        constant = ""
        for value in node.values:
            if isinstance(value, ast.Constant):
                constant += str(value.value)
                continue
            self.out.append(f" {constant!r} ")
            constant = ""
            self.visit(value)
        self.out.append(f" {constant!r})")

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        if self.depth == 0:
            self.unit["effect"] = True
        self.out.append("(Expr ")
        if isinstance(node.value, ast.Call):
            self._call(node.value, "effect")
        else:
            self.visit(node.value)
        self.out.append(")")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if self.scope.kind == "class":  # a field, in an `if` or the like
            self.out.append("(field ")
            self._field_annotation(node, settings=False)
            if node.value is not None:
                self.visit(node.value)
            self.out.append(")")
            return
        if node.value is None:
            return
        self.out.append("(Assign targets=[")  # just as without the annotation
        self.visit(node.target)
        self.out.append(",] value=")
        self.visit(node.value)
        self.out.append(")")

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.out.append("(AugAssign ")
        self._target(node.target)
        # Reads what it changes.
        base: ast.expr = node.target
        while isinstance(base, ast.Attribute | ast.Subscript) and _chain(base) is None:
            base = base.value
        if (chain := _chain(base)) is not None:
            self._name(*chain)
            if self._is_parameter(chain[0]):  # a list grows in place
                self.unit["alters"] = True
        self.out.append(f" {type(node.op).__name__} ")
        self.visit(node.value)
        self.out.append(")")

    def _target(self, node: ast.AST) -> None:
        """Write what a statement stores to or deletes, and note which name that changes."""
        chain = _chain(node)
        if isinstance(node, ast.Name):
            if self._lookup(node.id) is None and self.depth:  # declared global
                self.unit["globals"].append(node.id)
                self._name(node.id, (), "w")
            elif id(self._lookup(node.id)) in self.outer:
                self._name(node.id, ())
            else:
                self.out.append(f"(bind {node.id})")
        elif chain is not None:
            self._changes(chain[0], self._name(*chain, "w"))
        elif isinstance(node, ast.Attribute):
            self.out.append("(. ")
            self._target_base(node.value)
            self.out.append(f" {node.attr})")
        elif isinstance(node, ast.Subscript):
            self.out.append("([] ")
            self._target_base(node.value)
            self.visit(node.slice)
            self.out.append(")")
        elif isinstance(node, ast.Starred):
            self.out.append("(* ")
            self._target(node.value)
            self.out.append(")")
        else:
            self.generic_visit(node)  # a tuple or a list, whose items come back here

    def _target_base(self, node: ast.AST) -> None:
        chain = _chain(node)
        if chain is not None:
            self._changes(chain[0], self._name(*chain, "w"))
        elif isinstance(node, ast.Attribute | ast.Subscript):
            self._target(node)
        else:  # what a call returns
            before = len(self.slots)
            self.visit(node)
            self._changes("", self.slots[before:])

    def _changes(self, root: str, refs: list[int]) -> None:
        if self._is_parameter(root):
            self.unit["alters"] = True
        self.unit["writes" if self.depth else "stores"].extend(refs)

    def _is_parameter(self, name: str) -> bool:
        scope = self._lookup(name)
        return scope is not None and name in scope.parameters

    def visit_Call(self, node: ast.Call) -> None:
        self._call(node, "value")

    def _call(self, node: ast.Call, mode: str) -> list[int]:
        """Write a call; the refs of what is called."""
        dotted = self._dotted(node.func) or ""
        if self._special(node, dotted):
            return []
        if dotted in _HINT_READERS:
            self.unit["reads_hints"] = True
        self.out.append("(Call ")
        called: list[int] = []
        chain = _chain(node.func)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        alters = method in _MUTATORS or (
            mode == "effect" and bool(method) and method not in _LOGGING
        )
        if chain is not None:
            if method == "__subclasses__" and self._lookup(chain[0]) is not None:
                self._asks_subclasses(node)
            called = self._name(*chain, "m" if mode == "effect" and method and alters else "g")
            if alters and self._is_parameter(chain[0]):
                self.unit["alters"] = True
            if self.depth == 0:
                self.unit["calls"].extend((ref, mode) for ref in called)
            elif alters:
                self.unit["methods"].extend(called)
        elif alters and mode == "effect" and _root(node.func) is not None:
            self._target(node.func)
        elif alters:
            before = len(self.slots)
            self.visit(node.func)
            self._changes(_root(node.func) or "", self.slots[before:])
        elif isinstance(node.func, ast.Call):
            called = self._call(node.func, mode)
        else:
            self.visit(node.func)
        if any(isinstance(item, ast.Name) and self._is_parameter(item.id) for item in node.args):
            self.unit["hands"].extend(called)
            if dotted in _ALTERING:
                self.unit["alters"] = True
        mentions = self.depth == 0
        with self._mode(mentioning=self.mentioning or mentions):
            for argument in node.args:
                self.out.append(" ")
                self.visit(argument)
            for keyword in node.keywords:
                self.out.append(f" {keyword.arg}=")
                self.visit(keyword.value)
        self.out.append(")")
        return called

    def _special(self, node: ast.Call, dotted: str) -> bool:
        """Calls with a meaning of their own; True where nothing is left to write."""
        if dotted in _CAST and len(node.args) == 2:
            self.visit(node.args[1])
            return True
        if dotted in _EVALUATORS:
            self._unfollowed(node, dotted.removeprefix("builtins."))
        elif dotted in _NAMESPACES or (dotted == "builtins.vars" and not node.args):
            self._unfollowed(node, f"{dotted.removeprefix('builtins.')}()")
        elif dotted in _LOADERS:
            self._unfollowed(node, dotted, "*")
        elif dotted == "sys.modules.get" and node.args:
            self._unfollowed(node, "sys.modules.get", _pattern(node.args[0]))
        elif dotted in _IMPORTERS:
            module = self._imported_by_call(node)
            if module:
                self._ref(f"i:0:{module}::")
                return True
            name = node.args[0] if node.args else node.keywords[0].value if node.keywords else None
            self._unfollowed(
                node,
                f"{dotted.removeprefix('builtins.')} of a computed name",
                _pattern(name) if name is not None else "*",
            )
        elif dotted in _ATTRIBUTES:
            return self._attribute_call(node, dotted.removeprefix("builtins."))
        return False

    def _attribute_call(self, node: ast.Call, function: str) -> bool:
        if len(node.args) < 2:
            return False
        chain, name = _chain(node.args[0]), node.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            if chain is None or (self._lookup(chain[0]) is not None and not self._is_import(chain)):
                if function != "getattr" and chain is not None:
                    self._changes(chain[0], [])
                return False
            write = function != "getattr"
            self.out.append(f"({function} ")
            refs = self._name(chain[0], [*chain[1], name.value], "w" if write else "g")
            if write:
                self._changes(chain[0], refs)
            self._all(node.args[2:])
            self.out.append(")")
            return True
        if chain is not None and (self._lookup(chain[0]) is None or self._is_import(chain)):
            # Nothing is missed, as a module or class that is handed on counts as a whole (and so
            # does that of a local variable's value, wherever it comes from): it is only reported.
            with self._part():
                refs = self._name(*chain, "g" if function == "getattr" else "w")
            if function != "getattr":
                self._changes(chain[0], refs)
            what = f"{function} with a computed name"
            self.unit["computed"].extend((node.lineno, what, ref) for ref in refs)
        return False

    def _is_import(self, chain: tuple[str, list[str]]) -> bool:
        scope = self._lookup(chain[0])
        return scope is not None and chain[0] in scope.imports and chain[0] not in scope.names

    def _imported_by_call(self, node: ast.Call) -> str:
        if self._dotted(node.func) not in _IMPORTERS or not node.args:
            return ""
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return "" if name.value.startswith(".") else name.value.replace(":", ".")
        return ""

    def visit_If(self, node: ast.If) -> None:
        if self._dotted(node.test) in _TYPE_CHECKING:
            self._all(node.orelse)
            return
        test = node.test
        if (
            isinstance(test, ast.Compare)
            and isinstance(test.ops[0], ast.In | ast.NotIn)
            and len(test.ops) == 1
            and not node.orelse
            and all(isinstance(statement, ast.Raise) for statement in node.body)
            and (chain := _chain(test.comparators[0])) is not None
        ):
            # May guard a registration, which then doesn't use what is there: see `_finish`.
            self.out.append(f"(If {type(test.ops[0]).__name__} ")
            self.visit(test.left)
            self._name(*chain, "k")
            self._all(node.body)
            self.out.append(")")
            return
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        pass  # told by how the names resolve

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        if self.scope is self.module:
            if not self._known(node):
                self._import(node)
        else:
            self.unit["imports"].extend(_loads(node))
            for name, spec in _specs(node):
                if name in self.scope.globals:  # binds a name of the module when called
                    self.facts["imports"].setdefault(name, []).append(spec)
                    self.unit["globals"].append(name)
        if self.scope is self.module:
            # Which alternative of a `try` or an `if` it is.
            for _, (level, module, attribute) in _specs(node):
                self.out.append("(import ")
                self._ref(f"e:{level}:{module}:{attribute}")
                self.out.append(")")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.visit_Import(node)

    def _known(self, node: ast.Import | ast.ImportFrom) -> bool:
        imports = self.facts["imports"]
        specs = list(_specs(node))
        return bool(specs) and all(spec in imports.get(name, ()) for name, spec in specs)

    # -- inner scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, *, top: bool = False) -> None:
        if any(self._dotted(decorator) in _OVERLOAD for decorator in node.decorator_list):
            return
        if self.depth and not top:
            self.pending.append((node, self.scope, [*self.path]))
        readers: list[int] = []
        for decorator in node.decorator_list:
            readers.extend(self._decorator(decorator, top))
        if top:
            self.unit["doc"] = _docstring(node)
        self.out.append(f"({type(node).__name__} {node.name} ")
        outside = self.scope
        with self._type_parameters(node):
            self._hints(node, readers, top)
            self._arguments(node.args)
            method = outside.kind == "class"
            self.scope = self._function_scope(node.args, node.body, method=method)
            kept = self.path
            self.path = [*self.path, node.name, "<locals>"]
            self.depth += 1
            with self._mode(soft=False, annotation=False, mentioning=False):
                self._all(node.body)
                self._unused_imports(node.body)
            self.depth -= 1
            self.path = kept
        self.scope = outside
        self.out.append(")")

    def _function_scope(
        self, arguments: ast.arguments, body: Iterable[ast.AST], *, method: bool = False
    ) -> _Scope:
        scope = _Scope("function", self.scope)
        listed = [*arguments.posonlyargs, *arguments.args]
        names = [argument.arg for argument in (*listed, *arguments.kwonlyargs)]
        names += [argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument]
        scope.names.update(names)
        scope.parameters.update(names[1:] if method else names)
        return scope.bind(body)

    def _unused_imports(self, body: Sequence[ast.stmt]) -> None:
        """Mention what a function imports and never names: it was meant for its side effects."""
        if not self.scope.imports:
            return
        used = {
            node.id for statement in body for node in ast.walk(statement)
            if isinstance(node, ast.Name)
        }  # fmt: skip
        for name, specs in self.scope.imports.items():
            if name not in used:
                for level, module, attribute in specs:
                    self.out.append("(import ")
                    self._ref(f"e:{level}:{module}:{attribute}")
                    self.out.append(")")

    def _decorator(self, node: ast.expr, top: bool) -> list[int]:
        """Write a decorator; refs of it where it may read annotations (-1: cannot be told)."""
        if top:
            with self._part() as part:
                called = self._called_decorator(node)
            self.unit["decorators"].append(_Decorator(**part, by=called))
        else:
            self.out.append("(@ ")
            called = self._called_decorator(node)
            self.out.append(")")
        name = node.func if isinstance(node, ast.Call) else node
        if self._dotted(name) in _QUIET_DECORATORS:
            return []
        if isinstance(name, ast.Attribute) and name.attr in ("setter", "getter", "deleter"):
            return []
        return called or [-1]

    def _called_decorator(self, node: ast.expr) -> list[int]:
        if isinstance(node, ast.Call):
            return self._call(node, "decorator")
        chain = _chain(node)
        if chain is None:
            self.visit(node)
            return []
        called = self._name(*chain)
        if self.depth == 0:
            self.unit["calls"].extend((ref, "decorator") for ref in called)
        return called

    def _hints(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, readers: list[int], top: bool
    ) -> None:
        arguments = node.args
        listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        listed += [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
        annotated = [argument for argument in listed if argument.annotation is not None]
        if not annotated and node.returns is None:
            return
        kept = len(self.unit["eager"])
        with self._part() as part, self._mode(annotation=True, mentioning=False):
            for argument in annotated:
                before = len(self.slots)
                self.out.append(f"({argument.arg}: ")
                self.visit(argument.annotation)  # type: ignore[arg-type]
                self.out.append(")")
                if top:
                    self.unit["parameters"].append((argument.arg, self.slots[before:]))
            if node.returns is not None:
                self.out.append(" -> ")
                self.visit(node.returns)
        del self.unit["eager"][kept:]
        self.unit["hints"].append(_Hints(**part, by=readers))

    def _arguments(self, arguments: ast.arguments) -> None:
        self.out.append("(")
        for kind, listed in (
            ("/", arguments.posonlyargs),
            ("", arguments.args),
            ("*", [arguments.vararg]),
            ("=", arguments.kwonlyargs),
            ("**", [arguments.kwarg]),
        ):
            self.out.append(f"{kind}{[argument.arg for argument in listed if argument]}")
        for default in (*arguments.defaults, *arguments.kw_defaults):
            self.out.append(" ")
            if default is not None:
                self.visit(default)
            else:
                self.out.append("_")
        self.out.append(")")

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.out.append("(Lambda ")
        self._arguments(node.args)
        outside = self.scope
        self.scope = self._function_scope(node.args, [node.body])
        self.depth += 1
        with self._mode(mentioning=False):
            self.visit(node.body)
        self.depth -= 1
        self.scope = outside
        self.out.append(")")

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        self.out.append(f"({type(node).__name__} ")
        outside = self.scope
        scope = _Scope("comprehension", outside)
        for generator in node.generators:
            scope.bind([generator.target])
        for index, generator in enumerate(node.generators):
            self.out.append(f"(for {generator.is_async} ")
            self.scope = scope if index else outside  # the first is evaluated outside
            self.visit(generator.iter)
            self.scope = scope
            self.visit(generator.target)
            self._all(generator.ifs)
            self.out.append(")")
        self.scope = scope
        if isinstance(node, ast.DictComp):
            self.visit(node.key)
            self.visit(node.value)
        else:
            self.visit(node.elt)
        self.scope = outside
        self.out.append(")")

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    @contextmanager
    def _type_parameters(self, node: ast.AST) -> Iterator[None]:
        """Enter the scope of `def f[T]` (Python 3.12); without them there is none."""
        outside = self.scope
        parameters = getattr(node, "type_params", [])
        if parameters:
            self.scope = _Scope("function", outside)
            self.scope.names.update(parameter.name for parameter in parameters)
            self.out.append("(type ")
            self._all(parameters)
            self.out.append(")")
        yield
        self.scope = outside

    def visit_TypeAlias(self, node: Any) -> None:
        self.out.append("(type ")
        self._target(node.name)
        with self._type_parameters(node):
            self.visit(node.value)
        self.out.append(")")

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._class(node)

    def _class(self, node: ast.ClassDef, *, top: bool = False) -> None:
        for decorator in node.decorator_list:
            self._decorator(decorator, top)
        if top:
            self.unit["doc"] = _docstring(node)
            self.unit["hooks"] = _class_hooks(node)
        self.out.append(f"(ClassDef {node.name} ")
        outside = self.scope
        with self._type_parameters(node):
            bases: list[int] = []
            with self._mode(soft=True):
                for base in (*node.bases, *node.keywords):
                    before = len(self.slots)
                    self.visit(base)
                    if isinstance(base, ast.keyword):
                        if top and base.arg == "metaclass":
                            self.unit["metaclass"] = self.slots[before:]
                    else:
                        bases.extend(self.slots[before:])
            if top:
                self.unit["bases"] = bases
            self.scope = _Scope("class", self.scope).bind(node.body)
            kept = self.path
            self.path = [*self.path, node.name]
            with self._mode(annotation=False, mentioning=False):
                for statement in node.body:
                    if isinstance(statement, ast.AnnAssign):
                        self._field(statement, bases)
                    else:
                        self.visit(statement)
            self.path = kept
        self.scope = outside
        self.out.append(")")

    def _field(self, node: ast.AnnAssign, bases: list[int]) -> None:
        """Write a field twice: as it is, and without its default as settings have it."""
        with self._part() as full:
            self._field_annotation(node, settings=False)
            if node.value is not None:
                self.visit(node.value)
        with self._part() as settings:
            self._field_annotation(node, settings=True)
            name = node.target.id if isinstance(node.target, ast.Name) else "_"
            if node.value is None:
                pass
            elif name.startswith("_") or "ClassVar" in ast.dump(node.annotation):
                self.visit(node.value)  # no field
            elif self._is_field(node.value):
                self._constraints(node.value)
        # Mark the place, which matters for the order of fields.
        self.out.append(f"(field {len(self.unit['fields'])})")
        self.unit["fields"].append(_Fields(bases=bases, full=full, settings=settings))

    def _field_annotation(self, node: ast.AnnAssign, *, settings: bool) -> None:
        self.visit(node.target)
        self.out.append(": ")
        annotation = node.annotation
        with self._mode(soft=True, annotation=True):
            if (
                settings
                and isinstance(annotation, ast.Subscript)
                and isinstance(annotation.slice, ast.Tuple)
                and any(map(self._is_field, annotation.slice.elts))
            ):
                self.visit(annotation.value)
                for index, item in enumerate(annotation.slice.elts):
                    self.out.append(" ")
                    if self._is_field(item):
                        self._constraints(item)
                    else:
                        with self._mode(annotation=index == 0):
                            self.visit(item)
            else:
                self.visit(annotation)

    def _is_field(self, node: ast.AST) -> bool:
        dotted = self._dotted(node.func) if isinstance(node, ast.Call) else None
        return dotted is not None and dotted.endswith(".Field")

    def _constraints(self, node: ast.expr) -> None:
        """Write `Field(3, gt=0, description=...)` as `gt=0`."""
        assert isinstance(node, ast.Call)
        with self._mode(soft=False, annotation=False):
            for keyword in node.keywords:
                if keyword.arg not in _FIELD_NOTES:
                    self.out.append(f" {keyword.arg}=")
                    self.visit(keyword.value)


def _pattern(node: ast.expr) -> str:
    """Which modules a computed name may mean, as a shell pattern."""
    text = _spelled(node)
    return "*" if text.startswith(".") else text.replace(":", ".")


def _spelled(node: ast.expr) -> str:
    """As much of a string as is written out, with `*` for the rest."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_spelled, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _spelled(node.left) + _spelled(node.right)
    return "*"


def _class_hooks(node: ast.ClassDef) -> list[str]:
    """What making a subclass does, or, for a metaclass, making a class.

    Returns
    -------
    list of str
        "subclass" and "class" where there is code that runs, each with "+" where that code changes
        more than the new class itself.
    """
    found = []
    hooks = {"__init_subclass__": "subclass", "__new__": "class", "__init__": "class"}
    for method in node.body:
        if not isinstance(method, _FUNCTIONS) or method.name not in hooks:
            continue
        called = {
            id(inner.value.func)
            for inner in ast.walk(method)
            if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call)
        }
        own = {node.name, *(argument.arg for argument in method.args.args[:1])}
        registers = any(
            _root(inner) in own
            for inner in ast.walk(method)
            if (isinstance(inner, ast.Subscript) and not isinstance(inner.ctx, ast.Load))
            or (
                isinstance(inner, ast.Attribute)
                and inner.attr not in {*hooks, *_LOGGING}
                and id(inner) in called
            )
        )
        found.append(hooks[method.name] + "+" * registers)
    return found


def _read(source: bytes) -> _Facts:
    """Facts of one file."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return _Facts(error=(error.lineno or 0, error.msg))
    except (ValueError, RecursionError) as error:
        return _Facts(error=(0, str(error)))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))  # a sum of 300 terms is 300 deep
    try:
        return _Reader(tree).facts
    finally:
        sys.setrecursionlimit(limit)


# ---- Files ---------------------------------------------------------------------------------------


class _Sources:
    """Facts of every module of the project, parsed only where the cache has none."""

    def __init__(self, root: Path, packages: Sequence[str], cache: Path | None) -> None:
        self.root = root
        self.tops = frozenset(packages)
        self.files: dict[str, Path] = {}
        self.packages: set[str] = set()
        for package in packages:
            self._find(root / package, package)
        known = _load_cache(cache) if cache else {}
        kept: dict[str, _Facts] = {}
        self._facts: dict[str, _Facts] = {}
        for module, path in self.files.items():
            content = path.read_bytes()
            key = hashlib.sha256(content).hexdigest()
            facts = kept.get(key) or known.get(key)
            kept[key] = self._facts[module] = _read(content) if facts is None else facts
        for module in self.packages - self.files.keys():
            self._facts[module] = _Facts()
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

    def facts(self, module: str) -> _Facts:
        facts = self._facts[module]
        if "error" in facts:
            line, message = facts["error"]
            raise SourceError(f"{self.files[module]}, line {line}: {message}")
        return facts

    def units(self, module: str) -> list[_Unit]:
        return self.facts(module).get("units", [])

    def absolute(self, module: str, level: int, name: str) -> str:
        """Module that ``name`` with ``level`` leading dots means inside ``module``."""
        if not level:
            return name
        parts = module.split(".")
        parts = parts[: len(parts) - level + (module in self.packages)]
        return ".".join([*parts, name] if name else parts)


def _names(facts: _Facts) -> dict[str, list[int]]:
    """Units that bind each name."""
    names: dict[str, list[int]] = {}
    for index, unit in enumerate(facts.get("units", ())):
        for name in unit.get("binds", ()):
            names.setdefault(name, []).append(index)
    return names


@functools.cache
def _reader_version() -> str:
    """What facts depend on besides the file: this module, and the version of the parser."""
    content = Path(__file__).read_bytes() + repr(sys.version_info[:2]).encode()
    return hashlib.sha256(content).hexdigest()


# The file has two lines of JSON, a header and the facts, so that the header can vouch for the rest.


def _load_cache(path: Path) -> dict[str, _Facts]:
    """Facts by the digest of a file's content; none where the cache is foreign or damaged."""
    try:
        header, _, body = path.read_bytes().partition(b"\n")
        if json.loads(header) != _cache_header(body):
            return {}
        facts: dict[str, _Facts] = json.loads(body)
        return facts
    except (OSError, ValueError):
        return {}


def _save_cache(path: Path, facts: Mapping[str, _Facts]) -> None:
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
    return {"format": _FORMAT, "reader": _reader_version(), "facts": digest}


# ---- Names ---------------------------------------------------------------------------------------


class _Target(NamedTuple):
    """What a name resolves to."""

    kind: str  # "definition", "module", "outside", "builtin", "inert" or "missing"
    module: str  # of the definition or what is missing
    name: str  # of it, or the full path of what is outside
    rest: str = ""  # attributes beyond it


_Pair = tuple[str, str]  # module and name of a definition

# Names that every module or class body has, and which tell where the code is, not what it does.
_INERT = {
    "__builtins__", "__cached__", "__class__", "__debug__", "__file__", "__loader__", "__module__",
    "__name__", "__package__", "__path__", "__qualname__", "__spec__",
}  # fmt: skip


class _Names:
    """Resolves names, and knows which statements change what."""

    def __init__(self, sources: _Sources) -> None:
        self.sources = sources
        self._resolved: dict[tuple[str, str], tuple[_Target, ...]] = {}
        self._mutated: dict[_Pair, frozenset[_Pair]] = {}
        self._steps: dict[str, dict[_Pair, list[int]]] = {}
        self._reach: dict[_Pair, set[_Pair]] = {}

    # -- resolution

    def resolve(self, module: str, ref: str) -> tuple[_Target, ...]:
        """Everything that a ref of a unit of ``module`` may mean."""
        found = self._resolved.get((module, ref))
        if found is None:
            found = self._resolved[module, ref] = tuple(dict.fromkeys(self._resolve(module, ref)))
        return found

    def definitions(self, module: str, ref: str) -> Iterator[_Target]:
        """Definitions of the project among them."""
        return (target for target in self.resolve(module, ref) if target.kind == "definition")

    def _resolve(self, module: str, ref: str) -> list[_Target]:
        kind, _, path = ref.partition(":")
        if kind in ("c", "p"):  # only the run can tell
            return []
        if kind in ("i", "e"):
            level, imported, attribute, *rest = path.split(":")
            spec = (int(level), imported, attribute)
            return self._follow(module, spec, [*filter(None, ".".join(rest).split("."))], set())
        name, *attributes = path.split(".")
        found = self._in_module(module, name, attributes, set())
        if found:
            return found
        if name == "__doc__":
            return [_Target("inert", module, self.sources.facts(module).get("doc", ""))]
        if name in _INERT:
            return [_Target("inert", module, name)]
        for star in self._foreign_stars(module):
            found.append(_Target("outside", module, ".".join([star, "*", name, *attributes])))
        if hasattr(builtins, name):
            found.append(_Target("builtin", module, ".".join([name, *attributes])))
        return found or [_Target("missing", module, path)]

    def _foreign_stars(self, module: str) -> Iterator[str]:
        for level, name in self.sources.facts(module).get("stars", ()):
            absolute = self.sources.absolute(module, level, name)
            if absolute not in self.sources:
                yield absolute

    def _in_module(
        self, module: str, name: str, attributes: list[str], seen: set[_Pair]
    ) -> list[_Target]:
        """What ``name`` is bound to by the statements of ``module``."""
        if (module, name) in seen:
            return []
        seen = {*seen, (module, name)}
        facts = self.sources.facts(module)
        found = []
        for spec in facts.get("imports", {}).get(name, ()):
            found += self._follow(module, spec, attributes, seen)
        if name in self.sources.names[module]:
            found.append(_Target("definition", module, name, ".".join(attributes)))
        for level, star in facts.get("stars", ()):
            other = self.sources.absolute(module, level, star)
            if other in self.sources and self._exported(other, name):
                found += self._in_module(other, name, attributes, seen)
        if not found:
            for spec in facts.get("typing", {}).get(name, ()):
                found += self._follow(module, spec, attributes, seen)
        return found

    def _exported(self, module: str, name: str) -> bool:
        exports = self.sources.facts(module).get("exports", ())
        if exports is None:
            return True
        return name in exports if exports else not name.startswith("_")

    def _follow(
        self, module: str, spec: _Spec, attributes: list[str], seen: set[_Pair]
    ) -> list[_Target]:
        """What an import, and then attributes of it, lead to."""
        level, name, attribute = spec
        absolute = self.sources.absolute(module, level, name)
        path = [*filter(None, [attribute]), *attributes]
        if absolute.partition(".")[0] not in self.sources.tops:
            return [_Target("outside", module, ".".join([absolute, *path]))]
        if absolute not in self.sources:
            # `import_module("a.b.Class")` and the like may name more than a module.
            parent, _, last = absolute.rpartition(".")
            if not parent:
                return [_Target("missing", module, ".".join([absolute, *path]))]
            return self._follow(module, (0, parent, last), path, seen)
        return self._attribute(absolute, path, seen)

    def _attribute(self, module: str, path: list[str], seen: set[_Pair]) -> list[_Target]:
        if not path:
            return [_Target("module", module, "")]
        name, *rest = path
        found = self._in_module(module, name, rest, seen)
        if found:
            return found
        if f"{module}.{name}" in self.sources:
            return self._attribute(f"{module}.{name}", rest, seen)
        if name == "__dict__":
            return [_Target("module", module, "", ".".join(rest))]
        if name == "__doc__":
            return [_Target("inert", module, self.sources.facts(module).get("doc", ""))]
        if name in _INERT:
            return [_Target("inert", module, name)]
        if "__getattr__" in self.sources.names[module]:
            return [_Target("definition", module, "__getattr__", ".".join(path))]
        stars = [
            _Target("outside", module, ".".join([star, "*", *path]))
            for star in self._foreign_stars(module)
        ]
        return stars or [_Target("missing", module, ".".join(path))]

    # -- classes

    def kinds(self, pair: _Pair) -> set[str]:
        """Kinds of the statements that bind a name."""
        module, name = pair
        units = self.sources.units(module)
        return {units[index]["kind"] for index in self.sources.names[module].get(name, ())}

    def runs(self, pair: _Pair) -> bool:
        """Whether a name may stand for a function or a class, and not for data."""
        return bool(self.kinds(pair) & {"def", "class"}) or self._flag(pair, "defines")

    def bases(self, pair: _Pair) -> Iterator[_Target]:
        """What the bases of a class resolve to."""
        module, name = pair
        units = self.sources.units(module)
        for index in self.sources.names[module].get(name, ()):
            yield from self.targets(module, units[index], units[index].get("bases", ()))

    def targets(self, module: str, unit: _Unit, refs: Iterable[int]) -> Iterator[_Target]:
        """What some of a unit's refs resolve to."""
        for index in refs:
            if index >= 0:
                yield from self.resolve(module, unit["refs"][index])

    def _ancestors(self, pair: _Pair) -> set[_Pair]:
        found: set[_Pair] = set()
        stack = [pair]
        while stack:
            for base in self.bases(stack.pop()):
                other = (base.module, base.name)
                if base.kind == "definition" and other not in found:
                    found.add(other)
                    stack.append(other)
        return found

    @functools.cached_property
    def subclasses(self) -> dict[_Pair, set[_Pair]]:
        """All classes below each class, in the whole project."""
        below: dict[_Pair, set[_Pair]] = {}
        for module in self.sources:
            if module in self.sources.broken:
                continue
            for unit in self.sources.units(module):
                if unit["kind"] == "class" and unit.get("bases"):
                    for ancestor in self._ancestors((module, unit["binds"][0])):
                        below.setdefault(ancestor, set()).add((module, unit["binds"][0]))
        return below

    # -- who changes what

    def mutated(self, pair: _Pair) -> frozenset[_Pair]:
        """Names of the project that calling a function or class may change."""
        if pair in self._mutated:
            return self._mutated[pair]
        found: set[_Pair] = set()
        seen, stack = {pair}, [pair]
        while stack:
            module, name = stack.pop()
            units = self.sources.units(module)
            for index in self.sources.names[module].get(name, ()):
                unit = units[index]
                found.update((module, changed) for changed in unit.get("globals", ()))
                for target in self.targets(module, unit, unit.get("writes", ())):
                    if target.kind == "definition":
                        found.add((target.module, target.name))
                for target in self.targets(module, unit, unit.get("methods", ())):
                    if target.kind == "definition" and target.rest:
                        found.add((target.module, target.name))
                wrappers = (decorator["slots"] for decorator in unit.get("decorators", ()))
                for target in self.targets(module, unit, {*unit["body"]["slots"]}.union(*wrappers)):
                    other = (target.module, target.name)
                    if target.kind == "definition" and other not in seen and self.runs(other):
                        seen.add(other)
                        stack.append(other)
        self._mutated[pair] = frozenset(found)
        return self._mutated[pair]

    def steps(self, module: str) -> dict[_Pair, list[int]]:
        """Units of a module that change a name, for each that they change one by one."""
        found = self._steps.get(module)
        if found is None:
            changed: dict[_Pair, set[int]] = {
                (module, name): set(units) for name, units in self.sources.names[module].items()
            }
            for pair, where in self.changes.items():
                here = {index for other, index in where if other == module}
                if here:
                    changed.setdefault(pair, {-1}).update(here)
            found = self._steps[module] = {
                pair: sorted(indices) for pair, indices in changed.items() if len(indices) > 1
            }
        return found

    def reach(self, pair: _Pair) -> set[_Pair]:
        """All definitions that one uses."""
        found = self._reach.get(pair)
        if found is None:
            found = self._reach[pair] = set()
            stack = [pair]
            while stack:
                module, name = stack.pop()
                units = self.sources.units(module)
                for index in self.sources.names[module].get(name, ()):
                    for ref in units[index].get("refs", ()):
                        new = self.read(module, ref) - found
                        found |= new
                        stack.extend(new)
        return found

    def read(self, module: str, ref: str) -> set[_Pair]:
        """Definitions that a ref stands for and not only changes."""
        return {
            (target.module, target.name)
            for target in self.definitions(module, ref)
            if ref[0] != "w" and not (ref[0] == "m" and target.rest)
        }

    def _flag(self, pair: _Pair, flag: str) -> bool:
        module, name = pair
        units = self.sources.units(module)
        return any(units[index].get(flag) for index in self.sources.names[module].get(name, ()))

    @functools.cached_property
    def changes(self) -> dict[_Pair, set[tuple[str, int]]]:
        """Units, anywhere, that change a name other than by binding it."""
        return self._effects[0]

    @functools.cached_property
    def ambient(self) -> dict[str, list[int]]:
        """Units by module that, on import, change something that no name of the project stands for.

        Such as `np.seterr(...)`, or a class registered with another package.
        """
        return self._effects[1]

    @functools.cached_property
    def _effects(self) -> tuple[dict[_Pair, set[tuple[str, int]]], dict[str, list[int]]]:
        changes: dict[_Pair, set[tuple[str, int]]] = {}
        ambient: dict[str, list[int]] = {}
        for module in self.sources:
            if module in self.sources.broken:  # nothing can import it
                continue
            for index, unit in enumerate(self.sources.units(module)):
                targets, outside = self._effect(module, unit)
                for pair in targets - {(module, name) for name in unit.get("binds", ())}:
                    changes.setdefault(pair, set()).add((module, index))
                if outside:
                    ambient.setdefault(module, []).append(index)
        return changes, ambient

    def _effect(self, module: str, unit: _Unit) -> tuple[set[_Pair], bool]:
        """Names of the project that a unit changes, and whether it changes anything else."""
        found = {(module, name) for name in unit.get("globals", ())}
        effect = bool(unit.get("effect"))
        outside = False
        for target in self.targets(module, unit, unit.get("stores", ())):
            if target.kind == "definition":
                found.add((target.module, target.name))
            elif target.kind in ("outside", "builtin"):
                outside = True
        for ref, mode in unit.get("calls", ()):
            for target in self.targets(module, unit, [ref]):
                if target.kind == "definition":
                    if mode == "effect" and target.rest.rpartition(".")[2] in _LOGGING:
                        effect = False
                    else:
                        found |= self._called(module, unit, target, mode)
                elif target.kind == "builtin" and target.name == "print":
                    effect = False
                elif target.kind == "outside":
                    last = target.name.rpartition(".")[2]
                    if mode == "effect" or (mode == "decorator" and last.startswith("register")):
                        outside = True
                    if mode == "effect":
                        found |= self._handed(module, unit, mode, everything=True)
        if unit["kind"] == "class":
            for pair in unit.get("binds", ()):
                found |= self._hooked((module, pair))
            if unit.get("subclasses"):
                found -= {(module, name) for name in unit["binds"]}
        return found, outside or (effect and not found)

    def _called(self, module: str, unit: _Unit, target: _Target, mode: str) -> set[_Pair]:
        pair = (target.module, target.name)
        found: set[_Pair] = set()
        method = target.rest.rpartition(".")[2]
        if method:
            if method in _MUTATORS or mode == "decorator":
                found.add(pair)
            if mode == "effect" and method not in _LOGGING:
                found.add(pair)
        elif mode != "value" and not self.runs(pair):
            found.add(pair)  # an instance that is called
        found |= self.mutated(pair)
        found |= self._handed(module, unit, mode, everything=self._alters(pair))
        return found

    def _handed(self, module: str, unit: _Unit, mode: str, *, everything: bool) -> set[_Pair]:
        """Names handed to a call that may be changed by it."""
        if mode != "effect" and not everything:
            return set()
        pairs = {
            (target.module, target.name)
            for target in self.targets(module, unit, unit.get("mentions", ()))
            if target.kind == "definition"
        }
        return {pair for pair in pairs if everything or not self.runs(pair)}

    def _alters(self, pair: _Pair) -> bool:
        """Whether a function changes what it is handed, itself or by handing it on."""
        seen, stack = {pair}, [pair]
        while stack:
            pair = stack.pop()
            if self._flag(pair, "alters"):
                return True
            module, name = pair
            units = self.sources.units(module)
            for index in self.sources.names[module].get(name, ()):
                for target in self.targets(module, units[index], units[index].get("hands", ())):
                    other = (target.module, target.name)
                    if target.kind == "definition" and other not in seen:
                        seen.add(other)
                        stack.append(other)
        return False

    def _hooked(self, pair: _Pair) -> set[_Pair]:
        """What `__init_subclass__` or a metaclass changes when a class is made."""
        found: set[_Pair] = set()
        family = [pair, *self._ancestors(pair)]
        for member in family:
            for hook in self._hooks(member, "subclass"):
                if member != pair:
                    found |= self.mutated(member) | ({member} if hook.endswith("+") else set())
            if self._flag(member, "subclasses") and member != pair:
                found.add(member)
            module, name = member
            units = self.sources.units(module)
            for index in self.sources.names[module].get(name, ()):
                unit = units[index]
                for meta in self.targets(module, unit, unit.get("metaclass", ())):
                    other = (meta.module, meta.name)
                    if meta.kind == "definition":
                        for hook in self._hooks(other, "class"):
                            found |= self.mutated(other)
                            found |= {other, member} if hook.endswith("+") else set()
        return found - {pair}

    def _hooks(self, pair: _Pair, kind: str) -> Iterator[str]:
        module, name = pair
        units = self.sources.units(module)
        for index in self.sources.names[module].get(name, ()):
            for hook in units[index].get("hooks", ()):
                if hook.startswith(kind):
                    yield hook


# ---- Digests -------------------------------------------------------------------------------------


# Attributes of a definition that show its annotations or docstring.
_REFLECTION = {"__annotations__", "__doc__", "__signature__", "__wrapped__"}


class _Key(NamedTuple):
    """One node of the graph of code."""

    module: str
    name: str  # a definition; "*" all of the module, "**" and of those below; "#3,7" statements
    variant: str = ""


# Variants of a definition: "" in full; "bare" without what else changes it, for those who only
# change it too; "settings" without defaults of fields; "reflected" with annotations and docstring;
# "stage..." without decorators that only wire it into a graph.


class _Node:
    """What a node's digest is made of: text, and digests of others in order and without order."""

    def __init__(self) -> None:
        self.parts: list[str | _Key] = []
        self.also: set[_Key] = set()
        self.label: list[str] = []  # the parts with names: the definition's digest alone
        self.outside: set[str] = set()
        self.dynamic: set[Dynamic] = set()
        self.loads: set[str] = set()  # modules imported inside functions
        self.values: dict[str, str] = {}

    def text(self, text: str) -> None:
        self.parts.append(f"={text}")
        self.label.append(text)

    def key(self, key: _Key) -> None:
        self.parts.append(key)
        self.label.append("#" if key.name.startswith("#") else key.name)

    @functools.cached_property
    def edges(self) -> frozenset[_Key]:
        """Nodes used; asked for only when all is written."""
        return frozenset(part for part in self.parts if type(part) is _Key) | self.also

    def digest(self, of: Mapping[_Key, str]) -> str:
        ordered = [part if type(part) is str else f"@{of[part]}" for part in self.parts]  # type: ignore[index]
        return _digest("\n".join([*ordered, "", *sorted({of[key] for key in self.also})]))

    @functools.cached_property
    def own(self) -> str:
        return _digest("\n".join(self.label))


class SourceTree:
    """The source of a project, as it was when this object was made.

    Parameters
    ----------
    root
        Folder that holds the packages.
    packages
        Top-level packages or modules whose code is followed. Everything else is another's: its
        names count, its code does not (see `Fingerprint.packages`).
    cache
        File for what was parsed, keyed by the content of each file; none by default. One that is
        damaged, or of another version of this module, is ignored and written anew.
    settings_bases
        Classes, by full path, whose subclasses hold settings: defaults of their fields do not
        count where such a class annotates a parameter, as the caller is to hash the values.
    wiring
        Packages whose decorators only wire a stage into a graph: on the stage itself they do not
        count.

    Raises
    ------
    ValueError
        A package is not in ``root``.
    """

    def __init__(
        self,
        root: Path,
        packages: Sequence[str],
        cache: Path | None = None,
        *,
        settings_bases: Collection[str] = ("dagster.Config", "dagster.PermissiveConfig"),
        wiring: Collection[str] = ("dagster",),
    ) -> None:
        self._sources = _Sources(Path(root), packages, cache)
        self._names = _Names(self._sources)
        self._settings_bases = frozenset(settings_bases)
        self._wiring = frozenset(wiring)
        self._nodes: dict[_Key, _Node] = {}
        self._digests: dict[_Key, str] = {}
        self._is_settings: dict[_Pair, bool] = {}
        self._reads_hints: dict[_Pair, bool] = {}

    def files(self) -> tuple[Path, ...]:
        """Every source file that was read, sorted."""
        return tuple(sorted(self._sources.files.values()))

    def fingerprint(
        self, module: str, qualname: str, values: Mapping[str, object] | None = None
    ) -> Fingerprint:
        """Fingerprint a function with everything in the project that it uses.

        Parameters
        ----------
        module, qualname
            Where it is defined: its `__module__` and `__qualname__`.
        values
            For a function made inside another, the values of its free variables, and the classes
            that annotate its parameters (see `cells`). Plain data, dataclasses, enumeration members
            and paths count by value, functions and classes by their definition; any other value
            counts as the whole module that the function is in, and is reported. Without a value, a
            variable counts as the whole outer function; a parameter of that is reported, too.

        Raises
        ------
        LookupError
            There is no such function.
        SourceError
            A file that it uses cannot be parsed.
        """
        root = self._root(module, qualname, values)
        self._solve(root)
        closure = self._closure([root])
        ambient = self._ambient(closure)
        digest = self._digests[root]
        if ambient:
            digest = _digest("\n".join([digest, *sorted({self._digests[key] for key in ambient})]))
        pieces: dict[str, list[str]] = {}
        outside: set[str] = set()
        dynamic: set[Dynamic] = set()
        for key in closure:
            node = self._nodes[key]
            outside |= node.outside
            dynamic |= node.dynamic
            if not key.name.startswith("*"):
                name = "(on import)" if key.name.startswith("#") else key.name
                pieces.setdefault(f"{key.module}:{name}", []).append(node.own)
            for name, value in node.values.items():
                pieces.setdefault(f"{key.module}:{key.name}({name})", []).append(value)
        return Fingerprint(
            digest=digest,
            pieces={
                name: own[0] if len(own) == 1 else _digest("\n".join(sorted(own)))
                for name, own in sorted(pieces.items())
            },
            packages=tuple(sorted(outside - sys.stdlib_module_names)),
            dynamic=tuple(sorted(dynamic)),
        )

    # -- nodes

    def _node(self, key: _Key) -> _Node:
        node = self._nodes.get(key)
        if node is None:
            if key.name.startswith("*"):
                node = self._whole_module(key)
            elif key.name.startswith("#"):
                node = self._statements(key)
            else:
                node = self._definition(key)
            self._nodes[key] = node
        return node

    def _definition(self, key: _Key) -> _Node:
        """A name: every statement that binds it, and unless it is bare, that changes it."""
        node = _Node()
        units = self._sources.units(key.module)
        own = set(self._sources.names[key.module][key.name])
        local = set(own)
        if key.variant != "bare":
            elsewhere: dict[str, list[int]] = {}
            for module, index in self._names.changes.get((key.module, key.name), ()):
                if module == key.module:
                    local.add(index)
                else:
                    elsewhere.setdefault(module, []).append(index)
            for module, indices in elsewhere.items():
                node.also.add(_Key(module, f"#{','.join(map(str, sorted(indices)))}"))
        for index in sorted(local):
            if index not in own and units[index]["kind"] != "state":
                node.key(_Key(key.module, units[index]["binds"][0]))
            else:
                self._assemble(node, key, units[index], index)
        if any(unit.get("subclasses") for unit in map(units.__getitem__, own)):
            self._with_subclasses(node, (key.module, key.name))
        return node

    def _statements(self, key: _Key) -> _Node:
        """Some statements of a module, in order."""
        node = _Node()
        for index in map(int, key.name[1:].split(",")):
            unit = self._sources.units(key.module)[index]
            if unit["kind"] == "state":
                self._assemble(node, key, unit, index)
            else:
                node.key(_Key(key.module, unit["binds"][0]))
        return node

    def _with_subclasses(self, node: _Node, pair: _Pair) -> None:
        node.also |= {_Key(*below) for below in self._names.subclasses.get(pair, ())}

    def _whole_module(self, key: _Key) -> _Node:
        """All definitions of a module, with those that it re-exports."""
        node = _Node()
        module = key.module
        facts = self._sources.facts(module)
        node.also |= {_Key(module, name) for name in self._sources.names[module]}
        for index, unit in enumerate(facts.get("units", ())):
            if not unit.get("binds"):
                node.also.add(_Key(module, f"#{index}"))
        for name in facts.get("imports", {}):
            node.also |= {
                _Key(target.module, target.name)
                for target in self._names.definitions(module, f"g:{name}")
            }
        for level, star in facts.get("stars", ()):
            other = self._sources.absolute(module, level, star)
            if other in self._sources:
                node.also.add(_Key(other, "*"))
        if key.name == "**":
            below = f"{module}."
            node.also |= {_Key(other, "*") for other in self._sources if other.startswith(below)}
        return node

    def _assemble(
        self,
        node: _Node,
        key: _Key,
        unit: _Unit,
        index: int | None,
        values: _Values | None = None,
    ) -> None:
        """Write one statement into a node."""
        module, variant = key.module, key.variant
        refs = unit.get("refs", [])
        eager = unit.get("eager", []) if index is not None else []

        def part(part: _Part) -> None:
            node.text(part["text"])
            for slot in part["slots"]:
                if refs[slot][0] in "cp" and values is not None:
                    values.fill(node, refs[slot])
                else:
                    self._fill(node, key, unit, refs[slot])
                if index is not None and slot in eager:
                    self._position(node, module, refs[slot], index)

        for decorator in unit.get("decorators", ()):
            if not (variant.startswith("stage") and self._wires(module, unit, decorator)):
                part(decorator)
        part(unit["body"])
        for listed in unit.get("fields", ()):
            settings = variant == "settings" and self._has_settings_base(
                self._names.targets(module, unit, listed["bases"])
            )
            part(listed["settings" if settings else "full"])
        for hints in unit.get("hints", ()):
            if variant == "reflected" or self._read_hints(key, unit, hints):
                part(hints)
        if variant == "reflected":
            node.text(unit.get("doc", ""))
        if variant.startswith("stage"):
            self._parameters(node, module, unit, values)
        self._loads(node, module, unit)
        self._widen(node, module, unit)

    def _fill(self, node: _Node, key: _Key, unit: _Unit, ref: str) -> None:
        """Fill a slot."""
        kind = ref[0]
        for number, target in enumerate(self._names.resolve(key.module, ref)):
            if number:
                node.text("|")
            if target.kind == "definition":
                pair = (target.module, target.name)
                variant = ""
                if kind == "w" or (kind == "m" and target.rest):
                    variant = "bare"
                elif kind == "s" and key.variant == "settings" and self._settings(pair):
                    variant = "settings"
                node.key(_Key(*pair, variant))
                attributes = target.rest.split(".") if target.rest else ()
                if attributes:
                    node.text(f".{target.rest}")
                if "__subclasses__" in attributes:
                    self._with_subclasses(node, pair)
                if unit.get("reads_hints") or not _REFLECTION.isdisjoint(attributes):
                    node.also.add(_Key(*pair, "reflected"))
            elif target.kind == "module":
                node.text("module")
                if kind != "e":
                    node.key(_Key(target.module, "**"))
            elif target.kind == "missing" and kind not in ("w", "e"):
                node.text(target.name)
                what = f"{target.name!r} is not defined in {target.module}"
                node.dynamic.add(Dynamic(key.module, unit["line"], what))
                node.also.add(_Key(target.module, "*"))
            else:
                node.text(f"{target.kind} {target.name}")
                if target.kind == "outside":
                    node.outside.add(target.name.partition(".")[0])
                    if ".*." in target.name:
                        what = f"{target.name.partition('.*.')[0]}: import of unknown names by *"
                        node.dynamic.add(Dynamic(key.module, unit["line"], what))
                        node.also.add(_Key(key.module, "*"))

    def _position(self, node: _Node, module: str, ref: str, index: int) -> None:
        """Tell how far names had been changed when a statement used them on import.

        So that definitions may change places, but not a change with what it affects.
        """
        steps = self._names.steps(module)
        if not steps:
            return
        found = []
        for target in self._names.read(module, ref):
            changed = steps.keys() & {target, *self._names.reach(target)}
            if changed:
                found.append(sorted(sum(step < index for step in steps[pair]) for pair in changed))
        if found:
            node.text(f"after {sorted(found)}")

    def _loads(self, node: _Node, module: str, unit: _Unit) -> None:
        for level, name, attribute in unit.get("imports", ()):
            absolute = self._sources.absolute(module, level, name)
            if absolute.partition(".")[0] in self._sources.tops:
                node.loads |= {absolute, f"{absolute}.{attribute}"}
            else:
                node.outside.add(absolute.partition(".")[0])

    def _widen(self, node: _Node, module: str, unit: _Unit) -> None:
        for line, what, ref in unit.get("computed", ()):
            for target in self._names.targets(module, unit, [ref]):
                pair = (target.module, target.name)
                if target.kind == "module" or (
                    target.kind == "definition" and "class" in self._names.kinds(pair)
                ):
                    node.dynamic.add(Dynamic(module, line, what))
        for line, what, pattern in unit.get("dynamic", ()):
            top = pattern.partition(".")[0]
            if "." in pattern and "*" not in top and top not in self._sources.tops:
                node.outside.add(top)  # some module of another's
                continue
            if pattern:
                node.also |= {
                    _Key(other, "*") for other in self._sources if fnmatchcase(other, pattern)
                }
            node.dynamic.add(Dynamic(module, line, what))
            node.also.add(_Key(module, "*"))

    # -- annotations, decorators and settings

    def _wires(self, module: str, unit: _Unit, decorator: _Decorator) -> bool:
        targets = list(self._names.targets(module, unit, decorator["by"]))
        return bool(targets) and all(
            target.kind == "outside" and target.name.partition(".")[0] in self._wiring
            for target in targets
        )

    def _parameters(self, node: _Node, module: str, unit: _Unit, values: _Values | None) -> None:
        """Add the project's classes that annotate a stage's parameters."""
        for name, refs in unit.get("parameters", ()):
            if values is not None and any(unit["refs"][ref][0] in "cp" for ref in refs):
                values.annotation(name, [unit["refs"][ref] for ref in refs])
                continue
            for target in self._names.targets(module, unit, refs):
                pair = (target.module, target.name)
                if target.kind == "definition" and "class" in self._names.kinds(pair):
                    node.key(self.settings_key(pair))

    def settings_key(self, pair: _Pair) -> _Key:
        """A class as an annotation: without its defaults if it holds settings."""
        return _Key(*pair, "settings" if self._settings(pair) else "")

    def _settings(self, pair: _Pair) -> bool:
        if pair not in self._is_settings:
            self._is_settings[pair] = False  # for a class that is its own base
            self._is_settings[pair] = self._has_settings_base(self._names.bases(pair))
        return self._is_settings[pair]

    def _has_settings_base(self, bases: Iterable[_Target]) -> bool:
        return any(
            self._settings((base.module, base.name))
            if base.kind == "definition"
            else base.kind == "outside" and base.name in self._settings_bases
            for base in bases
        )

    def _read_hints(self, key: _Key, unit: _Unit, hints: _Hints) -> bool:
        """Whether a decorator may read a function's annotations."""
        if not hints["by"]:
            return False
        if any(ref < 0 or unit["refs"][ref][0] in "cp" for ref in hints["by"]):
            return True
        for target in self._names.targets(key.module, unit, hints["by"]):
            if target.kind == "definition":
                if target.rest or self._hint_reader((target.module, target.name)):
                    return True
            elif target.kind == "outside":
                top = target.name.partition(".")[0]
                if target.name not in _QUIET_DECORATORS and not (
                    key.variant.startswith("stage") and top in self._wiring
                ):
                    return True
        return False

    def _hint_reader(self, pair: _Pair) -> bool:
        """Whether a definition, or what it uses, reads annotations."""
        if pair in self._reads_hints:
            return self._reads_hints[pair]
        seen, stack = {pair}, [pair]
        found = False
        while stack and not found:
            module, name = stack.pop()
            units = self._sources.units(module)
            for index in self._sources.names[module].get(name, ()):
                unit = units[index]
                found = found or bool(unit.get("reads_hints"))
                for ref in unit.get("refs", ()):
                    for target in self._names.resolve(module, ref):
                        other = (target.module, target.name)
                        if target.kind == "outside":
                            found = found or target.name in _HINT_READERS
                        elif target.kind == "definition" and other not in seen:
                            seen.add(other)
                            stack.append(other)
        self._reads_hints[pair] = found
        return found

    # -- stages

    def _root(self, module: str, qualname: str, values: Mapping[str, object] | None) -> _Key:
        if module not in self._sources:
            raise LookupError(f"no module {module!r} in {self._sources.root}")
        top, *rest = qualname.split(".")
        if "<locals>" in rest:
            if qualname not in self._sources.facts(module).get("nested", {}):
                raise LookupError(f"no function {qualname!r} in {self._sources.files[module]}")
            key = _Key(module, qualname, f"stage {len(self._nodes)}")
            node = self._nodes[key] = _Node()
            _Values(self, module, qualname, values or {}, node).assemble(key)
            return key
        targets = [
            target
            for target in self._names.resolve(module, f"g:{top}")
            if target.kind == "definition"
        ]
        if not targets:
            raise LookupError(f"no function {qualname!r} in {self._sources.files[module]}")
        target = targets[0]
        if not rest:
            return _Key(target.module, target.name, "stage")
        key = _Key(target.module, qualname, "stage")
        if key not in self._nodes:
            node = self._nodes[key] = _Node()
            node.key(_Key(target.module, target.name))
            node.text(".".join(rest))
        return key

    # -- the graph

    def _solve(self, root: _Key) -> None:
        """Find the digests of a node and of all that it uses.

        Nodes come out strongly connected component by component, those that are used first
        (R. Tarjan, "Depth-first search and linear graph algorithms", 1972; without recursion).
        """
        if root in self._digests:
            return
        order: dict[_Key, int] = {}
        lowest: dict[_Key, int] = {}
        pending: list[_Key] = []
        waiting: set[_Key] = set()
        walk: list[tuple[_Key, Iterator[_Key]]] = []

        def enter(key: _Key) -> None:
            order[key] = lowest[key] = len(order)
            pending.append(key)
            waiting.add(key)
            walk.append((key, iter(self._node(key).edges)))

        enter(root)
        while walk:
            key, edges = walk[-1]
            for other in edges:
                if other in self._digests:
                    continue
                if other not in order:
                    enter(other)
                    break
                if other in waiting:
                    lowest[key] = min(lowest[key], order[other])
            else:
                walk.pop()
                if walk:
                    before = walk[-1][0]
                    lowest[before] = min(lowest[before], lowest[key])
                if lowest[key] == order[key]:
                    component = pending[pending.index(key) :]
                    del pending[-len(component) :]
                    waiting.difference_update(component)
                    self._solve_component(component)

    def _solve_component(self, component: list[_Key]) -> None:
        """Find the digests of nodes that use each other, whatever they are called.

        Each starts out the same; then all take the digest of what they look like given the last
        round's digests, until a round tells no more of them apart. Two such graphs are alike if
        their sets of pairs of digests before and after a last round are.
        """
        if len(component) == 1 and component[0] not in self._node(component[0]).edges:
            self._digests[component[0]] = self._node(component[0]).digest(self._digests)
            return
        nodes = {key: self._node(key) for key in component}
        outer = {
            edge: self._digests[edge]
            for node in nodes.values()
            for edge in node.edges
            if edge not in nodes
        }
        before = dict.fromkeys(component, "")
        apart = 1
        while True:
            known = outer | before
            after = {key: node.digest(known) for key, node in nodes.items()}
            if len(set(after.values())) == apart:
                break
            before, apart = after, len(set(after.values()))
        whole = sorted({before[key] + after[key] for key in component})
        for key in component:
            self._digests[key] = _digest("\n".join([after[key], *whole]))

    def _closure(self, keys: Iterable[_Key]) -> set[_Key]:
        found = set(keys)
        stack = list(found)
        while stack:
            new = self._nodes[stack.pop()].edges - found
            found |= new
            stack.extend(new)
        return found

    def _ambient(self, closure: set[_Key]) -> set[_Key]:
        """Statements with effects elsewhere in the modules that a closure causes to be imported.

        They and what they use are added to ``closure``.
        """
        if not self._names.ambient:
            return set()
        found: set[_Key] = set()
        while True:
            modules = {key.module for key in closure}
            for key in closure:
                modules |= self._nodes[key].loads
            keys = {
                _Key(module, f"#{index}")
                for module in self._imported(modules)
                for index in self._names.ambient.get(module, ())
            }
            if keys <= found:
                return found
            found |= keys
            for key in keys:
                self._solve(key)
            closure |= self._closure(keys)

    def _imported(self, modules: Iterable[str]) -> set[str]:
        """Modules of the project that importing some of them imports."""
        found: set[str] = set()
        stack = list(modules)
        while stack:
            module = stack.pop()
            if module in found or module not in self._sources or module in self._sources.broken:
                continue
            found.add(module)
            stack.append(module.rpartition(".")[0])
            for level, name, attribute in self._sources.facts(module).get("imported", ()):
                absolute = self._sources.absolute(module, level, name)
                stack += [absolute, f"{absolute}.{attribute}"]
        return found


# ---- Run-time values -----------------------------------------------------------------------------

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), range)


class _Values:
    """Writes a function made inside another, with the values of its free variables."""

    def __init__(
        self,
        tree: SourceTree,
        module: str,
        qualname: str,
        values: Mapping[str, object],
        node: _Node,
        within: tuple[int, ...] = (),
    ) -> None:
        self.tree = tree
        self.module = module
        self.qualname = qualname
        self.values = values
        self.node = node
        self.within = within  # ids of the functions around, to notice one that uses itself
        self.written: dict[str, int] = {}

    def assemble(self, key: _Key) -> None:
        facts = self.tree._sources.facts(self.module)
        for unit in facts["nested"][self.qualname]:
            self.tree._assemble(self.node, key, unit, None, self)

    def fill(self, node: _Node, ref: str) -> None:
        """Fill the slot of a free variable."""
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
            node.values[name] = _digest("\n".join(node.label[start:]))
            # So that a changed value is named as such, and not as a change of the function.
            node.label[start:] = ["value"]
        node.text(f".{rest}")

    def _missing(self, ref: str) -> None:
        """Stand in for a variable without a value: whatever the outer function does may make it."""
        name = ref[2:].partition(".")[0]
        self.node.key(_Key(self.module, self.qualname.partition(".")[0]))
        self.node.text(ref)
        if ref.startswith("p:"):  # or whoever calls that function
            self._unknown(f"the unknown value of {name}")

    def annotation(self, parameter: str, refs: Iterable[str]) -> None:
        """Write the class that annotates a parameter, where that is a variable."""
        value = self.values.get(f"{parameter}:")
        if not isinstance(value, type):
            for ref in refs:
                if ref[0] in "cp" and ref[2:] not in self.values:
                    self._missing(ref)
                elif ref[0] in "cp":
                    self.write(self.values[ref[2:]])
        elif "." not in value.__qualname__ and value.__module__ in self.tree._sources:
            self.node.key(self.tree.settings_key((value.__module__, value.__qualname__)))
        else:
            self.write(value)

    def write(self, value: Any) -> None:
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
            root = self.tree._sources.root
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
        self.node.also.add(_Key(self.module, "*"))
        if module is not None:
            self.node.also.add(_Key(module, "*"))

    def _module(self, value: types.ModuleType) -> None:
        name = value.__name__
        if name in self.tree._sources:
            self.node.key(_Key(name, "**"))
        else:
            self._outside(name)

    def _outside(self, path: str) -> None:
        self.node.text(f"outside {path}")
        self.node.outside.add(path.partition(".")[0])

    def _definition(self, value: Any) -> None:
        """Write a class, or a function of another's, as the definition that it is."""
        module, name = value.__module__ or "builtins", value.__qualname__
        if module not in self.tree._sources:
            self._outside(f"{module}.{name}")
            return
        top = name.partition(".")[0]
        if top not in self.tree._sources.names[module]:
            self._unknown(f"{name} of {module}", module)
            return
        self.node.key(_Key(module, top))
        self.node.text(name)

    def _function(self, value: types.FunctionType) -> None:
        # Where the code is, which for a wrapper is not what it calls itself.
        module, name = str(value.__globals__.get("__name__")), value.__code__.co_qualname
        if module not in self.tree._sources:
            self._outside(f"{module}.{name}")
        elif "<locals>" in name:
            if id(value) in self.within:
                self.node.text(f"itself {self.within[::-1].index(id(value))}")
            elif name in self.tree._sources.facts(module).get("nested", {}):
                inner = _Values(
                    self.tree, module, name, cells(value), self.node, (*self.within, id(value))
                )
                inner.assemble(_Key(module, name))
            else:
                self._unknown(f"{name} of {module}", module)
        elif name.partition(".")[0] in self.tree._sources.names[module]:
            self.node.key(_Key(module, name.partition(".")[0]))
            self.node.text(name)
        else:
            self._unknown(f"{name} of {module}", module)

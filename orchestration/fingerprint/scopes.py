"""Scopes: which names a stretch of syntax binds, how they are spelled, and whose they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from orchestration.fingerprint.facts import Spec

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
"""Syntax that defines a function."""

OVERLOAD = {"typing.overload", "typing_extensions.overload"}
TYPE_CHECKING = {"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"}

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def dotted_name(node: ast.AST) -> tuple[str, list[str]] | None:
    """Take `a.b.c` apart into ("a", ["b", "c"]); None for what is no dotted name."""
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, attributes[::-1]) if isinstance(node, ast.Name) else None


def root_name(node: ast.AST) -> str | None:
    """Name at the bottom of `a.b[c].d`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Spec]]:
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


def imported_modules(node: ast.Import | ast.ImportFrom) -> list[Spec]:
    """Modules that an import loads; an attribute may turn out to be one."""
    if isinstance(node, ast.ImportFrom):
        return [(node.level, node.module or "", alias.name) for alias in node.names]
    return [(0, alias.name, "") for alias in node.names]


class Scope:
    """Names of one function, class, comprehension or module."""

    def __init__(self, kind: str, parent: Scope | None) -> None:
        self.kind = kind
        self.parent = parent
        self.module: Scope = parent.module if parent else self
        self.names: set[str] = set()
        self.places: dict[str, int] = {}  # of names, in the order in which they are bound
        self.imports: dict[str, list[Spec]] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.parameters: set[str] = set()
        self.loggers: set[str] = set()  # variables that hold a logger and nothing else
        self.context = ""  # parameter that holds the context of a stage, if this is one

    def add(self, name: str) -> None:
        """Add a name."""
        self.names.add(name)
        self.places.setdefault(name, len(self.places))

    def place(self, name: str) -> int:
        """Number of a name of this scope, which stands for it however it is called."""
        return self.places.setdefault(name, len(self.places))

    def bind(self, nodes: Iterable[ast.AST]) -> Scope:
        """Collect what ``nodes`` bind in this scope, without entering inner ones."""
        stack = list(nodes)[::-1]
        while stack:
            node = stack.pop()
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                self.add(node.name)
                stack.extend(node.decorator_list)
            elif isinstance(node, ast.Lambda):
                pass
            elif isinstance(node, _COMPREHENSIONS):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.NamedExpr):
                        self.add(inner.target.id)
            elif isinstance(node, ast.Name):
                if not isinstance(node.ctx, ast.Load):
                    self.add(node.id)
            elif isinstance(node, ast.AnnAssign) and node.value is None:
                if isinstance(node.target, ast.Name):
                    self.names.add(node.target.id)  # without a place: only a hint
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for name, spec in imported_names(node):
                    self.imports.setdefault(name, []).append(spec)
            elif isinstance(node, ast.Global):
                self.globals.update(node.names)
            elif isinstance(node, ast.Nonlocal):
                self.nonlocals.update(node.names)
            else:
                if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
                    self.add(node.name)
                elif isinstance(node, ast.MatchMapping) and node.rest:
                    self.add(node.rest)
                stack.extend(list(ast.iter_child_nodes(node))[::-1])
        outer = self.globals | self.nonlocals
        self.names -= outer
        for name in outer & self.imports.keys():
            del self.imports[name]
        return self

    def lookup(self, name: str) -> Scope | None:
        """Find the scope of a name used here; None for the module's own and what is built in."""
        scope: Scope | None = self
        while scope is not None and scope is not self.module:
            if scope.kind != "class" or scope is self:
                if name in scope.globals:
                    return None
                if name in scope.names or name in scope.imports:
                    return scope
            scope = scope.parent
        return None

    def dotted(self, node: ast.AST) -> str | None:
        """Full path of a name from outside the project, as far as this file can tell."""
        chain = dotted_name(node)
        if chain is None:
            return None
        name, attributes = chain
        scope = self.lookup(name) or self.module
        if name in scope.imports:
            level, module, attribute = scope.imports[name][0]
            return None if level else ".".join(filter(None, [module, attribute, *attributes]))
        return None if name in scope.names else ".".join(["builtins", name, *attributes])

    def is_import(self, name: str) -> bool:
        """Whether a name is imported inside a function around, and nothing else."""
        scope = self.lookup(name)
        return scope is not None and name in scope.imports and name not in scope.names

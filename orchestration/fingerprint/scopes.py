"""Which names a stretch of syntax binds, and how they are spelled.

Here belongs what can be told of names without knowing what they refer to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from orchestration.fingerprint.facts import Spec

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
"""Syntax that defines a function."""

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

    __slots__ = ("globals", "imports", "kind", "names", "nonlocals", "parameters", "parent")

    def __init__(self, kind: str, parent: Scope | None) -> None:
        self.kind = kind
        self.parent = parent
        self.names: set[str] = set()
        self.imports: dict[str, list[Spec]] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.parameters: set[str] = set()

    def bind(self, nodes: Iterable[ast.AST]) -> Scope:
        """Collect what ``nodes`` bind in this scope, without entering inner ones."""
        stack = list(nodes)[::-1]
        while stack:
            node = stack.pop()
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
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
                for name, spec in imported_names(node):
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

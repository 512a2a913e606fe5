"""Facts of one file: a record for each statement of a module.

What the names in it refer to is not known here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence

from orchestration.fingerprint.definitions import DefinitionReader, add_import, docstring
from orchestration.fingerprint.facts import Facts
from orchestration.fingerprint.instances import method_names
from orchestration.fingerprint.logs import active
from orchestration.fingerprint.scopes import (
    FUNCTIONS,
    OVERLOAD,
    TYPE_CHECKING,
    Scope,
    imported_names,
)


class _ModuleReader:
    """Read the statements of a module, under the conditions that guard them."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope("module", None).bind(tree.body)
        self.facts = Facts(
            doc=docstring(tree), imports={}, typing={}, stars=[], imported=[], units=[], nested={}
        )
        self.reader = DefinitionReader(self.module, self.facts)
        self.facts["active"] = active(tree, self.module)
        self.facts |= _members(tree)
        self._exports(tree)
        self._statements(tree.body, [])

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
                add_import(self.facts, node)
                if not guards:
                    continue
            if isinstance(node, FUNCTIONS) and any(
                self.module.dotted(decorator) in OVERLOAD for decorator in node.decorator_list
            ):
                continue
            self.reader.statement(node, guards)

    def _branches(self, node: ast.If, guards: list[tuple[ast.expr, bool]]) -> None:
        test = node.test
        if self.module.dotted(test) in TYPE_CHECKING:
            self._typing(node.body)
            self._statements(node.orelse, guards)
        elif (
            isinstance(test, ast.UnaryOp)
            and isinstance(test.op, ast.Not)
            and self.module.dotted(test.operand) in TYPE_CHECKING
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
            self.reader.statement(node, guards)
        else:
            # An empty branch needs no record: what it fails to do is in the other one's guard.
            if any(isinstance(inner, ast.Call) for inner in ast.walk(test)):
                self.reader.statement(ast.copy_location(ast.Expr(test), test), guards)
            self._statements(node.body, [*guards, (test, True)])
            self._statements(node.orelse, [*guards, (test, False)])

    def _typing(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, spec in imported_names(node):
                    self.facts["typing"].setdefault(name, []).append(spec)
            elif not isinstance(node, ast.If):
                self._statements([node], [])


def _members(tree: ast.Module) -> Facts:
    """Attributes that a file asks for, methods of its classes, and whether it asks for classes."""
    attributes: set[str] = set()
    methods: set[str] = set()
    asked, named = 0, 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            attributes.add(node.attr)
            asked += node.attr in ("__class__", "__members__")
            function = node.value.func if isinstance(node.value, ast.Call) else None
            if node.attr in ("__name__", "__qualname__") and isinstance(function, ast.Name):
                named += function.id == "type"
        elif isinstance(node, ast.Name):
            asked += node.id == "type"
        elif isinstance(node, ast.ClassDef):
            methods |= method_names(node)
    return Facts(attributes=sorted(attributes), methods=sorted(methods), types=asked > named)


def read_facts(source: bytes) -> Facts:
    """Read the facts of one file, or the error that keeps it from being parsed."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return Facts(error=(error.lineno or 0, error.msg))
    except (ValueError, RecursionError) as error:
        return Facts(error=(0, str(error)))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))  # a sum of 300 terms is 300 deep
    try:
        return _ModuleReader(tree).facts
    finally:
        sys.setrecursionlimit(limit)

"""Instances that no one else gets hold of: only their attributes are used where they are made.

What a class is called, and a method that no one names, can't be noticed through such an instance.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from orchestration.fingerprint.scopes import FUNCTIONS, dotted_name

_METHOD_KINDS = {
    "abc.abstractmethod", "builtins.classmethod", "builtins.property", "builtins.staticmethod",
    "functools.cached_property",
}  # fmt: skip

_PROPERTIES = {"cached_property", "deleter", "getter", "property", "setter"}


class _Uses(ast.NodeVisitor):
    """How variables and calls are used in a function."""

    def __init__(self, node: ast.AST) -> None:
        self.loads: dict[str, list[ast.Name]] = defaultdict(list)
        self.binds: Counter[str] = Counter()
        self.bases: dict[ast.expr, ast.Attribute] = {}  # what an attribute is asked of, and which
        self.called: set[ast.expr] = set()
        self.dropped: set[ast.expr] = set()
        self.assigned: list[tuple[str, ast.Call]] = []
        self.classes = False
        self.visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.loads[node.id].append(node)
        else:
            self.binds[node.id] += 1

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.bases[node.value] = node
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.called.add(node.func)
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self.binds[node.arg] += 1
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        self.dropped.add(node.value)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if (
            len(node.targets) == 1
            and isinstance(target, ast.Name)
            and isinstance(node.value, ast.Call)
        ):
            self.assigned.append((target.id, node.value))
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.binds.update(2 * node.names)

    visit_Nonlocal = visit_Global  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.classes = True

    def stays(self, name: str) -> Iterator[ast.Attribute] | None:
        """Attributes that are asked of a variable, or None if it is used in any other way."""
        loads = self.loads[name]
        if all(load in self.bases and not _is_special(self.bases[load].attr) for load in loads):
            return (self.bases[load] for load in loads)
        return None

    def values(self, attributes: Iterator[ast.Attribute]) -> set[str]:
        """Names of attributes that are read and not called there: perhaps methods, as values."""
        return {
            attribute.attr
            for attribute in attributes
            if attribute not in self.called and isinstance(attribute.ctx, ast.Load)
        }


def kept_in(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> tuple[set[ast.Call], set[str]]:
    """Find the calls of a function whose result is used for its attributes alone.

    Returns
    -------
    tuple of set
        The calls, and the names of attributes that are read of their results.
    """
    uses = _Uses(function)
    if uses.classes:
        return set(), set()
    kept = {
        base
        for base, attribute in uses.bases.items()
        if isinstance(base, ast.Call) and not _is_special(attribute.attr)
    }
    read = uses.values(uses.bases[base] for base in kept)
    kept |= {value for value in uses.dropped if isinstance(value, ast.Call)}
    for name, call in uses.assigned:
        attributes = uses.stays(name) if uses.binds[name] == 1 else None
        if attributes is not None:
            kept.add(call)
            read |= uses.values(attributes)
    return kept, read


def lets_out(node: ast.ClassDef, decorators: dict[ast.expr, str | None]) -> bool:
    """Whether methods of a class may hand on an instance, or the class itself.

    Parameters
    ----------
    decorators
        Full path of each decorator of a method, if it is another's.
    """
    methods = method_names(node)
    for statement in node.body:
        if isinstance(statement, FUNCTIONS):
            if _lets_out(statement, methods, decorators):
                return True
        elif any(isinstance(inner, (*FUNCTIONS, ast.ClassDef)) for inner in ast.walk(statement)):
            return True
    return any(
        _is_mangled(inner.id if isinstance(inner, ast.Name) else inner.attr)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name | ast.Attribute)
    )


def _lets_out(
    method: ast.FunctionDef | ast.AsyncFunctionDef,
    methods: Collection[str],
    decorators: dict[ast.expr, str | None],
) -> bool:
    paths = {decorators[decorator] for decorator in method.decorator_list}
    if paths - _METHOD_KINDS:
        return True
    uses = _Uses(method)
    if uses.classes or uses.loads["__class__"]:
        return True
    if "builtins.staticmethod" in paths:
        return False
    parameters = [*method.args.posonlyargs, *method.args.args]
    if not parameters or uses.binds[parameters[0].arg] != 1:
        return True
    attributes = uses.stays(parameters[0].arg)
    return attributes is None or not uses.values(attributes).isdisjoint(methods)


def method_names(node: ast.ClassDef) -> set[str]:
    """Names of the methods of a class, without its properties."""
    return {
        method.name
        for method in node.body
        if isinstance(method, FUNCTIONS)
        and not any(
            chain is not None and [chain[0], *chain[1]][-1] in _PROPERTIES
            for chain in map(dotted_name, method.decorator_list)
        )
    }


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_mangled(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")

"""One form for syntax that can be written in several ways without a difference in what it does."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

_LEAVE = (ast.Return, ast.Raise, ast.Continue, ast.Break)

_NUMERIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_MAX_BITS = 1024
_MAX_TEXT = 10_000


def flattened(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Leave out `pass`, and put what is under an `else` after the `if` that leaves.

    `if a: return 1` with `else: b()` becomes `if a: return 1` and then `b()`.
    """
    flat: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.Pass):
            continue
        if isinstance(statement, ast.If) and statement.orelse and _leaves(statement.body):
            plain = ast.If(test=statement.test, body=statement.body, orelse=[])
            flat += [ast.copy_location(plain, statement), *flattened(statement.orelse)]
        else:
            flat.append(statement)
    return flat


def _leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether nothing after a block is ever reached through it."""
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _leaves(last.body) and _leaves(last.orelse)
    return isinstance(last, _LEAVE)


Value = int | float | str | None


def folded(node: ast.expr, known: dict[ast.expr, Value]) -> Value:
    """Value of arithmetic on numbers or strings that are written out; None for anything else.

    Python computes the same value when it runs the expression, so `60 * 60` is 3600. Values are
    kept in ``known``, so that a long sum is not read once for each of its terms.
    """
    if node not in known:
        known[node] = _folded(node, known)
    return known[node]


def _folded(node: ast.expr, known: dict[ast.expr, Value]) -> Value:
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return value
        return None
    if isinstance(node, ast.UnaryOp):
        value = folded(node.operand, known)
        if isinstance(node.op, ast.USub) and isinstance(value, int | float):
            return -value
        return None
    if not isinstance(node, ast.BinOp) or type(node.op) not in _NUMERIC:
        return None
    left, right = folded(node.left, known), folded(node.right, known)
    if left is None or right is None or not _small(node.op, left, right):
        return None
    try:
        value = _NUMERIC[type(node.op)](left, right)
    except (ArithmeticError, TypeError, ValueError):
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if value.bit_length() <= _MAX_BITS else None
    return value if isinstance(value, str) else None


def _small(operation: ast.operator, left: float | str, right: float | str) -> bool:
    """Whether a result is sure to be small enough to compute."""
    if isinstance(left, str) or isinstance(right, str):
        sizes = [len(item) if isinstance(item, str) else item for item in (left, right)]
        if isinstance(operation, ast.Add):
            return sum(sizes) <= _MAX_TEXT
        return isinstance(operation, ast.Mult) and math.prod(sizes) <= _MAX_TEXT
    if isinstance(operation, ast.Pow | ast.LShift):
        bits = left.bit_length() if isinstance(left, int) else 1
        return abs(right) <= _MAX_BITS and bits * abs(right) <= _MAX_BITS
    return True

"""Calls that only tell a person something: which they are, and whether they only read.

A message is no result, so a call that logs or prints may be left out of a stage's code if its
arguments only read. What an attribute, an operator or a format does is up to the class of the
value, which is not known here. So each file says which attributes and special methods of its
classes do more than return what they read, and a message that uses one of those counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from orchestration.fingerprint.facts import LOGGING
from orchestration.fingerprint.scopes import FUNCTIONS, Scope, dotted_name

_LOGGERS = {"dagster.get_dagster_logger", "logging.getLogger"}
_STREAMS = {"sys.stderr", "sys.stdout"}
_PRINT = {"end", "file", "flush", "sep"}

# What built-in functions and methods of others' values only read, and what they call for it.
_FUNCTIONS = {
    "builtins.abs": "__abs__", "builtins.ascii": "__repr__", "builtins.bool": "__bool__",
    "builtins.float": "__float__", "builtins.format": "__format__", "builtins.hex": "__index__",
    "builtins.id": "", "builtins.isinstance": "",
    "builtins.len": "__len__", "builtins.repr": "__repr__", "builtins.round": "__round__",
    "builtins.str": "__str__", "builtins.type": "", "datetime.datetime.now": "", "os.getpid": "",
    "time.monotonic": "", "time.perf_counter": "", "time.process_time": "", "time.time": "",
}  # fmt: skip
_METHODS = {
    "as_posix", "get", "isoformat", "item", "items", "keys", "lower", "max", "mean", "min", "std",
    "strip", "sum", "tolist", "total_seconds", "upper", "values",
}  # fmt: skip
_ON_ATTRIBUTE = {"__get__", "__getattr__", "__getattribute__"}
_ON_FORMAT = {"__format__", "__repr__", "__str__"}
_OPERATOR = "operator"
_OPERATORS = {
    f"__{side}{name}__"
    for side in ("", "r")
    for name in (
        "add", "and", "divmod", "floordiv", "lshift", "matmul", "mod", "mul", "or", "pow",
        "rshift", "sub", "truediv", "xor",
    )
} | {
    "__bool__", "__contains__", "__eq__", "__ge__", "__gt__", "__invert__", "__le__", "__len__",
    "__lt__", "__ne__", "__neg__", "__pos__",
}  # fmt: skip

ANY = "*"
"""Stands for every attribute."""


def is_logger(node: ast.expr | None, scope: Scope) -> bool:
    """Whether an expression asks for a logger."""
    return (
        isinstance(node, ast.Call)
        and scope.dotted(node.func) in _LOGGERS
        and not node.keywords
        and all(reads(argument, scope) is not None for argument in node.args)
    )


def loggers(body: Sequence[ast.stmt], scope: Scope) -> Iterator[str]:
    """Variables of a function that hold a logger and nothing else."""
    for statement in body:
        if not isinstance(statement, ast.Assign) or not is_logger(statement.value, scope):
            continue
        for target in statement.targets:
            if isinstance(target, ast.Name) and _stored(target.id, body) == 1:
                yield target.id


def _stored(name: str, body: Sequence[ast.stmt]) -> int:
    """How often a name is bound or deleted in statements."""
    nodes = (node for statement in body for node in ast.walk(statement))
    return sum(
        isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        for node in nodes
    )


def logger_of(node: ast.Call, scope: Scope) -> str | None:
    """Who is told something by a call.

    Returns
    -------
    str or None
        "" for what is sure to be a logger or the console, a dotted name of what may be one, or None
        where the call does something else.
    """
    if isinstance(node.func, ast.Attribute) and node.func.attr not in LOGGING:
        return None
    dotted = scope.dotted(node.func) or ""
    if dotted == "builtins.print":
        streams = [keyword.value for keyword in node.keywords if keyword.arg == "file"]
        known = all(scope.dotted(stream) in _STREAMS for stream in streams)
        return "" if known and {keyword.arg for keyword in node.keywords} <= _PRINT else None
    if not isinstance(node.func, ast.Attribute):
        return None
    if dotted.rpartition(".")[0] == "logging" or is_logger(node.func.value, scope):
        return ""
    chain = dotted_name(node.func.value)
    return None if chain is None else ".".join([chain[0], *chain[1]])


def told(node: ast.Call, scope: Scope) -> set[str] | None:
    """Attributes and special methods that arguments of a call use; None if they do more."""
    used: set[str] = set(_ON_FORMAT)  # of what goes into the message
    for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
        if isinstance(argument, ast.Starred):
            argument = argument.value
            if not isinstance(argument, ast.Tuple | ast.List):
                return None
        found = reads(argument, scope)
        if found is None:
            return None
        used |= found
    return used


def reads(node: ast.expr, scope: Scope) -> set[str] | None:
    """Attributes and special methods that an expression uses; None if it may do more."""
    used: set[str] = set()
    parts: list[ast.expr | None] = []
    match node:
        case ast.Constant() | ast.Name():
            pass
        case ast.Attribute(value=value, attr=attribute):
            if scope.dotted(node) not in _STREAMS:
                used |= {attribute, *_ON_ATTRIBUTE}
                parts = [value]
        case ast.Subscript(value=ast.Attribute(attr="shape") as value, slice=index):
            parts = [value, index]
        case ast.JoinedStr(values=values):
            parts = [*values]
        case ast.FormattedValue(value=value, format_spec=spec):
            used |= _ON_FORMAT
            parts = [value, spec]
        case ast.Tuple(elts=items) | ast.List(elts=items):
            parts = [*items]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            parts = [*keys, *values]
        case ast.BinOp(left=left, right=right) if _cannot_fail(node):
            used |= {_OPERATOR, *_ON_FORMAT}  # "%s" % value
            parts = [left, right]
        case ast.UnaryOp(operand=operand):
            used.add(_OPERATOR)
            parts = [operand]
        case ast.Compare(left=left, comparators=others) if not any(
            isinstance(operation, ast.In | ast.NotIn) for operation in node.ops
        ):
            used.add(_OPERATOR)
            parts = [left, *others]
        case ast.BoolOp(values=values):
            used.add(_OPERATOR)
            parts = [*values]
        case ast.IfExp(test=test, body=body, orelse=orelse):
            used.add(_OPERATOR)
            parts = [test, body, orelse]
        case ast.Call(func=function, args=arguments, keywords=keywords):
            dotted = scope.dotted(function)
            if dotted in _FUNCTIONS:
                used |= {_FUNCTIONS[dotted]} - {""}
                used |= _ON_FORMAT if _FUNCTIONS[dotted] in _ON_FORMAT else set()
            elif isinstance(function, ast.Attribute) and function.attr in _METHODS:
                used |= {function.attr, *_ON_ATTRIBUTE}
                parts = [function.value]
            else:
                return None
            if any(keyword.arg is None for keyword in keywords):
                return None
            parts += [*arguments, *(keyword.value for keyword in keywords)]
        case _:
            return None
    for part in parts:
        found = set() if part is None else reads(part, scope)
        if found is None:
            return None
        used |= found
    return used


def _cannot_fail(node: ast.BinOp) -> bool:
    """Whether arithmetic gives a result for all numbers, as a division does not."""
    match node:
        case ast.BinOp(op=ast.Pow() | ast.LShift() | ast.RShift() | ast.MatMult()):
            return False
        case ast.BinOp(left=left, op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=right):
            spelled = isinstance(left, ast.Constant) and isinstance(left.value, str)
            return spelled or (isinstance(right, ast.Constant) and bool(right.value))
    return True


def active(tree: ast.Module, scope: Scope) -> list[str]:
    """Attributes and special methods of classes that may do more than return what they read."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found.update(_active(node, scope))
        elif isinstance(node, ast.Call) and dotted_name(node.func) == ("property", []):
            found.add(ANY)
    if found & _OPERATORS:
        found.add(_OPERATOR)
    return sorted(found)


def _active(node: ast.ClassDef, scope: Scope) -> Iterator[str]:
    for method in node.body:
        if isinstance(method, FUNCTIONS) and (
            method.decorator_list or method.name.startswith("__") or method.name in _METHODS
        ):
            inside = Scope("function", scope)
            inside.names.update(argument.arg for argument in method.args.args)
            *before, last = method.body
            documented = all(
                isinstance(other, ast.Expr) and isinstance(other.value, ast.Constant)
                for other in before
            )
            if not (
                documented
                and isinstance(last, ast.Return)
                and (last.value is None or reads(last.value, inside) is not None)
            ):
                yield method.name

"""How objects flow through a statement: its syntax as operations on registers.

`points_to` runs them. Constants have no register: nothing can change them.
"""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from orchestration.fingerprint.facts import Unit, Use
from orchestration.fingerprint.scopes import FUNCTIONS, Scope, dotted_name

Op = list[Any]
"""An operation: what it is, the register it writes where it has one, and its operands."""

CONSTANT = -1
"""Register of what nothing can change."""

FIXED = {
    "builtins.bool", "builtins.bytes", "builtins.complex", "builtins.float", "builtins.format",
    "builtins.frozenset", "builtins.hash", "builtins.int", "builtins.len", "builtins.range",
    "builtins.repr", "builtins.str", "datetime.date", "datetime.datetime", "datetime.timedelta",
    "datetime.timezone", "decimal.Decimal", "fractions.Fraction",
    "math.ceil", "math.floor", "math.log", "math.sqrt", "pathlib.Path", "pathlib.PurePath",
    "re.compile", "typing.ParamSpec", "typing.TypeVar", "zoneinfo.ZoneInfo",
}  # fmt: skip
"""Calls of others that return what nothing can change, whatever they are handed."""

CAST = {"typing.cast", "typing_extensions.cast"}
"""Return their second argument."""

_ROUND = {"builtins.property": "property", "functools.cached_property": "property",
          "builtins.staticmethod": "static", "builtins.classmethod": "class"}  # fmt: skip
COMPARED = (
    *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"),
    *("__contains__", "__bool__", "__len__"),
)
TESTED = ("__bool__", "__len__")
SPELLED = ("__format__", "__str__", "__repr__")
"""Methods that syntax calls: to compare, to choose a branch, to write an object into a text."""

DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


class _Code:
    """Operations that run together: a statement of a module, or the body of a function."""

    def __init__(self, parent: _Code | None = None) -> None:
        self.parent = parent
        self.ops: list[Op] = []
        self.count = 1  # register 0 holds what it returns
        self.free: list[tuple[int, int]] = []  # own register and that of the code around
        self.codes: list[_Code] = []
        self.params: list[tuple[str, int, str]] = []
        self.locals: dict[tuple[int, str], int] = {}
        self.scopes: set[int] = set()
        self.body: Sequence[ast.AST] = ()
        self.kept: set[str] = set()  # variables that may hold what was there before
        self.me = ""  # `self` of a constructor
        self.yields = False

    def register(self) -> int:
        self.count += 1
        return self.count - 1

    def local(self, scope: Scope, name: str) -> int:
        """Register of a local variable, of this code or one around it."""
        key = (id(scope), name)
        if key not in self.locals:
            self.locals[key] = self.register()
            if id(scope) not in self.scopes and self.parent is not None:
                self.free.append((self.locals[key], self.parent.local(scope, name)))
        return self.locals[key]

    @functools.cached_property
    def fresh(self) -> set[str]:
        """Local variables that only ever hold what is made here."""
        return _fresh(self.body) - self.kept

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        data = {
            "n": self.count, "ops": self.ops, "free": self.free, "params": self.params,
            "codes": [code.plain() for code in self.codes], "yields": self.yields,
        }  # fmt: skip
        return {key: value for key, value in data.items() if value}


class _FlowReader:
    def __init__(self, module: Scope) -> None:
        self.scope = self.module = module
        self.code = _Code()
        self.code.scopes.add(id(module))
        self.fixed: dict[str, list[list[str] | None]] = {}
        self.acts = False

    def op(self, kind: str, *operands: Any) -> None:
        self.code.ops.append([kind, *operands])

    def new(self, kind: str, *operands: Any) -> int:
        register = self.code.register()
        self.op(kind, register, *operands)
        return register

    def act(self) -> None:
        """Note that running the statement, and not only calling what it defines, does something."""
        self.acts |= self.code.parent is None

    def same(self, one: int, other: int) -> None:
        if one != other and CONSTANT not in (one, other):
            self.op("=", one, other)

    def join(self, registers: Iterable[int]) -> int:
        """One register for what may be any of several."""
        found = [register for register in registers if register != CONSTANT]
        if len(found) < 2:
            return found[0] if found else CONSTANT
        joined = self.code.register()
        for register in found:
            self.same(joined, register)
        return joined

    # -- names

    def refs(self, chain: tuple[str, list[str]]) -> list[str] | None:
        """Refs of a dotted name that is none of a local variable."""
        name, attributes = chain
        scope = self.scope.lookup(name)
        if scope is None:
            return [f"{Use.READ}:{'.'.join([name, *attributes])}"]
        if name in scope.imports and name not in scope.names:
            rest = ".".join(attributes)
            return [
                f"{Use.IMPORTED}:{level}:{module}:{attribute}:{rest}"
                for level, module, attribute in scope.imports[name]
            ]
        return None

    def load(self, name: str) -> int:
        refs = self.refs((name, []))
        if refs is not None:
            return self.join([self.new("g", ref) for ref in refs])
        scope = self.scope.lookup(name)
        assert scope is not None
        return self.code.local(scope, name)

    # -- constants

    def constant(self, node: ast.expr) -> list[str] | None:
        """Refs that must be constant for an expression to be; None if it can't be told."""
        match node:
            case ast.Constant() | ast.Lambda():
                return [] if isinstance(node, ast.Constant) else None
            case ast.JoinedStr() | ast.Compare():
                return []
            case ast.Name() | ast.Attribute():
                chain = dotted_name(node)
                return self.refs(chain) if chain else None
            case ast.Call():
                return [] if self.scope.dotted(node.func) in FIXED else None
            case (
                ast.Tuple() | ast.BinOp() | ast.UnaryOp() | ast.BoolOp() | ast.IfExp()
                | ast.Starred()
            ):  # fmt: skip
                found: list[str] = []
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        refs = self.constant(child)
                        if refs is None:
                            return None
                        found += refs
                return found
        return None

    # -- expressions

    def values(self, nodes: Iterable[ast.expr | None]) -> list[int]:
        return [self.value(node) for node in nodes if node is not None]

    def argument(self, node: ast.expr) -> int:
        """Value that is handed on: what is outside the project is no object of ours."""
        chain = dotted_name(node)
        refs = self.refs(chain) if chain else None
        if refs is not None:
            return self.join([self.new("g", ref, 1) for ref in refs])
        return self.value(node)

    def value(self, node: ast.expr) -> int:
        """Write what evaluating an expression does. Returns the register of its value."""
        match node:
            case ast.Constant():
                return CONSTANT
            case ast.Name():
                return self.load(node.id)
            case ast.Attribute():
                chain = dotted_name(node)
                refs = self.refs(chain) if chain else None
                if refs is not None:
                    return self.join([self.new("g", ref) for ref in refs])
                return self.attribute(self.value(node.value), node.attr)
            case ast.Call():
                return self.call(node)
            case ast.Subscript():
                whole = self.value(node.value)
                self.value(node.slice)
                sliced = any(isinstance(part, ast.Slice) for part in ast.walk(node.slice))
                return self.item(whole, sliced=sliced)
            case ast.Slice():
                self.values([node.lower, node.upper, node.step])
                return CONSTANT
            case ast.Tuple() | ast.List() | ast.Set():
                return self.display(node.elts, constant=isinstance(node, ast.Tuple))
            case ast.Dict():
                keys = [self.argument(key) for key in node.keys if key is not None]
                pairs = zip(node.keys, node.values, strict=True)
                items = [self.argument(value) for key, value in pairs if key is not None]
                made = self.new("new", _objects(items), _objects(keys))
                pairs = zip(node.keys, node.values, strict=True)
                for other in [self.value(value) for key, value in pairs if key is None]:
                    if other != CONSTANT:
                        self.op("merge", made, other)
                return made
            case ast.Starred() | ast.Await():
                return self.value(node.value)
            case ast.IfExp():
                self.asked(self.value(node.test), TESTED)
                return self.join([self.value(node.body), self.value(node.orelse)])
            case ast.BoolOp():
                values = self.values(node.values)
                for value in values:
                    self.asked(value, TESTED)
                return self.join(values)
            case ast.BinOp():
                kind, left, right = type(node.op).__name__, node.left, node.right
                return self.operator(kind, self.value(left), self.value(right))
            case ast.UnaryOp(op=ast.Not()):
                self.asked(self.value(node.operand), TESTED)
                return CONSTANT
            case ast.UnaryOp():
                return self.operator(type(node.op).__name__, self.value(node.operand), CONSTANT)
            case ast.Compare():
                for value in self.values([node.left, *node.comparators]):
                    self.asked(value, COMPARED)
                return CONSTANT
            case ast.FormattedValue():
                self.asked(self.value(node.value), SPELLED)
                if node.format_spec is not None:
                    self.value(node.format_spec)
                return CONSTANT
            case ast.NamedExpr():
                value = self.value(node.value)
                self.store(node.target, value, node.value)
                return value
            case ast.Lambda():
                return self.function(node, [ast.Return(node.body)])
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.comprehension(node, [node.elt])
            case ast.DictComp():
                return self.comprehension(node, [node.key, node.value])
            case ast.Yield() | ast.YieldFrom():
                value = self.value(node.value) if node.value else CONSTANT
                self.code.yields = True
                if isinstance(node, ast.YieldFrom) and value != CONSTANT:
                    value = self.new("iter", value)
                if value != CONSTANT:
                    self.op("put", 0, value)
                return self.item(0)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
        return CONSTANT

    def attribute(self, of: int, name: str) -> int:
        if of == CONSTANT:
            return CONSTANT
        self.act()
        return self.new(".", of, name)

    def item(self, of: int, *, sliced: bool = False) -> int:
        if of == CONSTANT:
            return CONSTANT
        return self.new(":" if sliced else "[", of)

    def asked(self, of: int, methods: Sequence[str]) -> None:
        """Note that syntax asks an object for something: its class may do anything then."""
        if of != CONSTANT:
            self.act()
            self.op("ask", of, list(methods))

    def operator(self, kind: str, left: int, right: int) -> int:
        if left == right == CONSTANT:
            return CONSTANT
        self.act()
        return self.new("op", kind, left, right)

    def display(self, parts: Sequence[ast.expr | None], *, constant: bool = False) -> int:
        items = []
        for part in parts:
            if isinstance(part, ast.Starred):
                items.append(self.iterated(part.value))
            elif part is not None:
                items.append(self.argument(part))
        items = _objects(items)
        return CONSTANT if constant and not items else self.new("new", items)

    def comprehension(self, node: Any, parts: list[ast.expr]) -> int:
        outside = self.scope
        scope = Scope("comprehension", outside)
        self.code.scopes.add(id(scope))
        self._kept(scope)
        for generator in node.generators:
            scope.bind([generator.target])
        for index, generator in enumerate(node.generators):
            self.scope = scope if index else outside
            self.loop(generator.target, generator.iter, scope)
            self.scope = scope
            self.values(generator.ifs)
        values = self.values(parts)
        self.scope = outside
        if isinstance(node, ast.DictComp):
            return self.new("new", _objects(values[1:]), _objects(values[:1]))
        return self.new("new", _objects(values))

    def loop(self, target: ast.expr, over: ast.expr, scope: Scope) -> None:
        """Write how the target of a loop, in some scope, takes what it iterates over."""
        match target, over:
            case (
                ast.Tuple(elts=[_, _] as parts),
                ast.Call(func=ast.Attribute(value=whole, attr="items"), args=[], keywords=[]),
            ):
                of = self.value(whole)
                taken = [CONSTANT, CONSTANT]
                if of != CONSTANT:
                    self.act()
                    taken = [self.code.register(), self.code.register()]
                    self.op("items", *taken, of)
                self.scope = scope
                for part, register in zip(parts, taken, strict=True):
                    self.store(part, register)
            case _:
                items = self.iterated(over)
                self.scope = scope
                self.store(target, items)

    def iterated(self, node: ast.expr) -> int:
        whole = self.value(node)
        if whole == CONSTANT:
            return CONSTANT
        self.act()
        return self.new("iter", whole)

    def call(self, node: ast.Call) -> int:
        self.act()
        arguments = [self.argument(arg) for arg in node.args if not isinstance(arg, ast.Starred)]
        stars = [self.value(arg.value) for arg in node.args if isinstance(arg, ast.Starred)]
        stars += [self.value(word.value) for word in node.keywords if word.arg is None]
        if any(isinstance(arg, ast.Starred) for arg in node.args):  # places can't be told
            stars, arguments = [*stars, self.new("new", [a for a in arguments if a >= 0])], []
        words = {word.arg: self.argument(word.value) for word in node.keywords if word.arg}
        given = (arguments, words, [star for star in stars if star != CONSTANT])
        function = node.func
        dotted = self.scope.dotted(function) or ""
        if dotted in FIXED:
            return CONSTANT
        if dotted in CAST and len(arguments) == 2:
            return arguments[1]
        name = node.args[1] if len(node.args) > 1 else None
        if dotted in ("builtins.getattr", "builtins.setattr", "builtins.delattr") and isinstance(
            name, ast.Constant
        ):
            chain = dotted_name(node.args[0])
            if dotted != "builtins.getattr":
                of = self.value(node.args[0])
                self.op(".=", of, str(name.value), (arguments + [CONSTANT] * 3)[2], 0)
                return CONSTANT
            refs = self.refs((chain[0], [*chain[1], str(name.value)])) if chain else None
            found = (
                [self.attribute(arguments[0], str(name.value))]
                if refs is None
                else [self.new("g", ref) for ref in refs]
            )
            return self.join([*found, *arguments[2:]])
        if (
            dotted in ("importlib.import_module", "builtins.__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            return self.new("g", f"{Use.IMPORTED}:0:{node.args[0].value!s}::")
        chain = dotted_name(function)
        refs = self.refs(chain) if chain else None
        if refs is not None:
            return self.join([self.new("gcall", ref, *given) for ref in refs])
        if isinstance(function, ast.Attribute):
            owner = function.value
            if isinstance(owner, ast.Call) and self.scope.dotted(owner.func) == "builtins.super":
                return self.new("super", function.attr, *given)
            of = self.value(owner)
            fresh = isinstance(owner, ast.Name) and owner.id in self.code.fresh
            return self.new("method", of, function.attr, *given, int(fresh))
        return self.new("call", self.value(function), *given)

    # -- stores

    def store(self, target: ast.expr, value: int, source: ast.expr | None = None) -> None:
        """Write an assignment; ``source``: the expression whose value it is."""
        match target:
            case ast.Name():
                scope = self.scope.lookup(target.id)
                if scope is None:
                    if self.code.parent is None:
                        refs = self.constant(source) if source is not None else None
                        known = [] if value == CONSTANT else refs
                        self.fixed.setdefault(target.id, []).append(known)
                        if value != CONSTANT:
                            self.op("bind", target.id, value)
                    else:
                        self.act()
                        self.op("rebind", target.id, value)
                elif target.id in scope.names:
                    self.same(self.code.local(scope, target.id), value)
            case ast.Attribute():
                self.act()
                mine = isinstance(target.value, ast.Name) and target.value.id == self.code.me
                self.op(".=", self.value(target.value), target.attr, value, int(mine))
            case ast.Subscript():
                self.act()
                key = self.value(target.slice)
                fresh = isinstance(target.value, ast.Name) and target.value.id in self.code.fresh
                self.op("[=", self.value(target.value), value, int(fresh), key)
            case ast.Starred():
                self.store(target.value, value)
            case ast.Tuple() | ast.List():
                parts: list[ast.expr] = []
                if isinstance(source, ast.Tuple | ast.List):
                    parts = source.elts
                if len(parts) == len(target.elts) and not any(
                    isinstance(part, ast.Starred) for part in (*parts, *target.elts)
                ):
                    for part, inner in zip(target.elts, parts, strict=True):
                        self.store(part, self.value(inner), inner)
                    return
                constant = source is not None and self.constant(source) == []
                for part in target.elts:
                    one = CONSTANT
                    if not constant and value != CONSTANT:
                        one = self.new("iter", value)
                        if isinstance(part, ast.Starred):
                            one = self.new("new", [one])
                    self.store(part, one)

    # -- statements

    def body(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign():
                value = self.value(node.value)
                for target in node.targets:
                    self.store(target, value, node.value)
            case ast.AnnAssign():
                if node.value is not None:
                    self.store(node.target, self.value(node.value), node.value)
            case ast.AugAssign():
                self.augmented(node)
            case ast.For() | ast.AsyncFor():
                self.loop(node.target, node.iter, self.scope)
                self.body([*node.body, *node.orelse])
            case ast.With() | ast.AsyncWith():
                self.act()
                for item in node.items:
                    entered = self.new("with", self.value(item.context_expr))
                    if item.optional_vars is not None:
                        self.store(item.optional_vars, entered)
                self.body(node.body)
            case ast.Return():
                if node.value is not None:
                    self.same(0, self.value(node.value))
            case ast.Delete():
                for target in node.targets:
                    if not isinstance(target, ast.Name):
                        self.store(target, CONSTANT)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.store(ast.Name(node.name, ast.Store()), self.decorated(node)[0])
            case ast.ClassDef():
                self.store(ast.Name(node.name, ast.Store()), self.class_definition(node))
            case ast.Match():
                self.match(node)
            case ast.If() | ast.While():
                self.asked(self.value(node.test), TESTED)
                self.body([*node.body, *node.orelse])
            case ast.Assert():
                self.asked(self.value(node.test), TESTED)
                self.values([node.msg])
            case ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal() | ast.Pass():
                pass
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value(child)
                    elif isinstance(child, ast.stmt):
                        self.statement(child)
                    elif isinstance(child, ast.ExceptHandler):
                        self.body(child.body)

    def augmented(self, node: ast.AugAssign) -> None:
        self.act()
        value = self.value(node.value)
        target = node.target
        old = self.value(_loaded(target))
        fresh = isinstance(target, ast.Name) and target.id in self.code.fresh
        result = self.new("aug", type(node.op).__name__, old, value, int(fresh))
        if isinstance(target, ast.Name):
            refs = self.constant(node.value)
            scope = self.scope.lookup(target.id)
            if scope is not None:
                self.same(self.code.local(scope, target.id), result)
            elif self.code.parent is None:
                self.fixed.setdefault(target.id, []).append(refs)
                self.op("bind", target.id, result)
            else:
                self.op("rebind", target.id, result)
        else:
            self.store(target, result)

    def match(self, node: ast.Match) -> None:
        subject = self.value(node.subject)
        for case in node.cases:
            for pattern in ast.walk(case.pattern):
                name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if isinstance(name, str):
                    deep = [subject, self.item(subject), self.item(self.item(subject))]
                    if isinstance(pattern, ast.MatchMapping | ast.MatchStar):
                        deep = [self.item(subject, sliced=True), *deep[1:]]
                    if subject != CONSTANT:
                        deep.append(self.new("any", subject))
                    self.store(ast.Name(name, ast.Store()), self.join(deep))
            if case.guard is not None:
                self.value(case.guard)
            self.body(case.body)

    # -- functions and classes

    def decorated(self, node: Any) -> tuple[int, str]:
        """Write a function with its decorators. Returns its register and, of a method, its kind."""
        kind = "method"
        value = self.function(node, node.body)
        for decorator in node.decorator_list[::-1]:
            name = decorator.func if isinstance(decorator, ast.Call) else decorator
            dotted = self.scope.dotted(name) or ""
            if self.scope.kind == "class" and dotted in _ROUND:
                kind = _ROUND[dotted]
                continue
            if (
                self.scope.kind == "class"
                and isinstance(name, ast.Attribute)
                and name.attr in ("setter", "deleter")
            ):
                kind = "setter"
                continue
            value = self.decorate(decorator, value)
        return value, kind

    def decorate(self, decorator: ast.expr, value: int) -> int:
        self.act()
        chain = dotted_name(decorator)
        refs = self.refs(chain) if chain else None
        if refs is not None:
            return self.join([self.new("gcall", ref, [value], {}, [], 1) for ref in refs])
        if isinstance(decorator, ast.Attribute):
            owner = self.value(decorator.value)
            return self.new("method", owner, decorator.attr, [value], {}, [], 0)
        dotted = ""
        if isinstance(decorator, ast.Call):
            dotted = self.scope.dotted(decorator.func) or ""
        return self.new("call", self.value(decorator), [value], {}, [], dotted)

    def function(self, node: Any, body: Sequence[ast.stmt]) -> int:
        """Write a function. Returns the register of it."""
        arguments: ast.arguments = node.args
        defaults: list[tuple[str, int]] = []
        placed = [*arguments.posonlyargs, *arguments.args]
        for argument, default in zip(placed[::-1], arguments.defaults[::-1], strict=False):
            defaults.append((argument.arg, self.argument(default)))
        for argument, word in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if word is not None:
                defaults.append((argument.arg, self.argument(word)))
        scope = Scope("function", self.scope)
        code = _Code(self.code)
        code.scopes.add(id(scope))
        self._kept(scope)
        listed = [(argument.arg, "") for argument in placed]
        listed += [(argument.arg, "=") for argument in arguments.kwonlyargs]
        listed += [(argument.arg, "*") for argument in [arguments.vararg] if argument]
        listed += [(argument.arg, "**") for argument in [arguments.kwarg] if argument]
        scope.names.update(name for name, _ in listed)
        scope.parameters.update(name for name, _ in listed)
        scope.bind(body)
        code.params = [(name, code.local(scope, name), kind) for name, kind in listed]
        name = getattr(node, "name", "")
        if self.scope.kind == "class" and name in ("__init__", "__post_init__", "__setstate__"):
            code.me = placed[0].arg if placed else ""
        code.body = body
        code.kept = {name for name, _ in listed} | scope.globals | scope.nonlocals
        outside, around = self.scope, self.code
        index = len(around.codes)
        around.codes.append(code)
        self.scope, self.code = scope, code
        self.body(body)
        self.scope, self.code = outside, around
        return self.new("fun", index, [(name, at) for name, at in defaults if at != CONSTANT])

    def class_definition(self, node: ast.ClassDef) -> int:
        """Write a class with its decorators. Returns the register of it."""
        self.act()
        bases = self.values(node.bases)
        words = {word.arg: self.value(word.value) for word in node.keywords if word.arg}
        scope, outside = Scope("class", self.scope).bind(node.body), self.scope
        self.code.scopes.add(id(scope))
        self._kept(scope)
        self.scope = scope
        members: list[tuple[str, str, int]] = []
        fields: list[str] = []
        for statement in node.body:
            if isinstance(statement, FUNCTIONS):
                value, kind = self.decorated(statement)
                members.append((statement.name, kind, value))
            else:
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    fields.append(statement.target.id)
                self.statement(statement)
        known = {name for name, _, _ in members}
        for name in sorted(scope.names):
            if (id(scope), name) in self.code.locals:
                members.append((name, "data", self.code.locals[id(scope), name]))
            elif name not in known:
                members.append((name, "data", CONSTANT))
        self.scope = outside
        made = self.new("class", members, bases, words, fields)
        for decorator in node.decorator_list[::-1]:
            made = self.join([made, self.decorate(decorator, made)])
        return made

    _scopes: list[Scope]

    def _kept(self, scope: Scope) -> None:
        """Keep a scope, whose id stands for it."""
        self.__dict__.setdefault("_scopes", []).append(scope)


def _objects(registers: Iterable[int]) -> list[int]:
    return [register for register in registers if register != CONSTANT]


def _loaded(node: Any) -> Any:
    """A target, read."""
    copy = type(node)(**{name: getattr(node, name) for name in node._fields})
    copy.ctx = ast.Load()
    return copy


def _fresh(body: Iterable[ast.AST]) -> set[str]:
    """Local variables that only ever hold what is made here."""
    counts: dict[str, int] = {}
    displays: dict[str, int] = {}
    for statement in body:
        for node in ast.walk(statement):
            names = [getattr(node, "name", None), getattr(node, "rest", None)]
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.append(node.id)
            for name in filter(None, names):
                counts[name] = counts.get(name, 0) + 1
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                counts[node.target.id] = counts.get(node.target.id, 0) - 1  # changed in place
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, DISPLAYS):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if len(targets) == 1 and isinstance(targets[0], ast.Name):
                    displays[targets[0].id] = displays.get(targets[0].id, 0) + 1
    return {name for name, count in displays.items() if counts.get(name) == count}


def read_flow(
    unit: Unit, node: ast.stmt, guards: Sequence[tuple[ast.expr, bool]], module: Scope
) -> None:
    """Add to a unit what running its statement does to objects."""
    reader = _FlowReader(module)
    for test, _ in guards:
        reader.asked(reader.value(test), TESTED)
    if isinstance(node, ast.Expr):  # which may be the test of an `if`
        reader.asked(reader.value(node.value), TESTED)
    else:
        reader.statement(node)
    fixed = {
        name: [ref for refs in found for ref in refs or ()]
        for name, found in reader.fixed.items()
        if None not in found
    }
    if fixed:
        unit["fixed"] = fixed
    if reader.acts:
        unit["acts"] = True
    if reader.code.ops and (reader.acts or any(fixed.get(name) != [] for name in reader.fixed)):
        unit["flow"] = json.dumps(reader.code.plain(), separators=(",", ":"))

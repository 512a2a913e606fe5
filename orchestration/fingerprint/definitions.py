"""Functions, classes and imports of a module, as units."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from typing import Any

from orchestration.fingerprint.canonical import flattened, folded
from orchestration.fingerprint.effects import EffectReader
from orchestration.fingerprint.facts import (
    BLIND_DECORATORS,
    CONTAINERS,
    QUIET_DECORATORS,
    Decorator,
    Facts,
    Fields,
    Hints,
    Member,
    Spec,
    Use,
    digest_of,
)
from orchestration.fingerprint.flow import DISPLAYS, read_flow
from orchestration.fingerprint.instances import kept_in, lets_out
from orchestration.fingerprint.logs import is_logger, loggers
from orchestration.fingerprint.scopes import (
    FUNCTIONS,
    OVERLOAD,
    Scope,
    dotted_name,
    imported_modules,
    imported_names,
    root_name,
)

_IMMUTABLE = {
    "builtins.bool", "builtins.bytes", "builtins.float", "builtins.int", "builtins.len",
    "builtins.range", "builtins.str", "datetime.date", "datetime.datetime", "datetime.timedelta",
    "decimal.Decimal", "fractions.Fraction", "pathlib.Path", "pathlib.PurePath", "re.compile",
    "typing.TypeVar",
}  # fmt: skip
"""What makes a value that cannot change."""

_ENUMS = {"enum.Enum", "enum.IntEnum", "enum.StrEnum"}

_UNUSED_DECORATORS = {
    "builtins.classmethod", "builtins.property", "builtins.staticmethod",
    "functools.cached_property",
}  # fmt: skip
"""Decorators that do nothing to a class of which no one uses what they decorate."""

_CONTEXTS = {"_context", "context", "context_"}
_IS_CONTEXT = re.compile(r"dagster\.\w+ExecutionContext")
_FIELD_NOTES = {"default", "default_factory", "description", "title", "examples"}


def docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Digest the docstring of a definition."""
    return digest_of(ast.get_docstring(node) or "")


def add_import(facts: Facts, node: ast.Import | ast.ImportFrom) -> None:
    """Add an import of a module to its facts."""
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return
    facts["imported"].extend(imported_modules(node))
    for name, spec in imported_names(node):
        facts["imports"].setdefault(name, []).append(spec)
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        facts["stars"].append((node.level, node.module or ""))


class DefinitionReader(EffectReader):
    """Read the statements of a module into units, with functions, classes and imports in them."""

    def statement(self, node: ast.stmt, guards: list[tuple[ast.expr, bool]]) -> None:
        """Record a statement of the module, and the functions inside its functions."""
        kind = "def" if isinstance(node, FUNCTIONS) else "state"
        self.start(node.lineno, "class" if isinstance(node, ast.ClassDef) else kind)
        self.unit["binds"] = _bound(node)
        if self.unit["kind"] == "state":
            self.unit["defines"] = any(
                isinstance(inner, (*FUNCTIONS, ast.ClassDef, ast.Lambda))
                for inner in ast.walk(node)
            )
            self.unit["logger"] = isinstance(node, ast.Assign) and is_logger(node.value, self.scope)
            self.unit["container"] = self._makes_container(node)
            self.unit["immutable"] = self._makes_nothing([node])
        with self.part() as body:
            for test, taken in guards:
                self.write(f"(when {taken} ")
                self.visit(test)
                self.write(")")
            if isinstance(node, FUNCTIONS):
                self.function(node, top=True)
            elif isinstance(node, ast.ClassDef):
                self.class_definition(node, top=True)
            elif not self._table(node):
                self.visit(node)
        read_flow(self.unit, node, guards, self.module)
        self.facts["units"].append(self.finish(body))
        pending, self.pending = self.pending, []
        for inner, scope, path in pending:
            self._nested(inner, scope, path)

    def _makes_container(self, node: ast.stmt) -> bool:
        match node:
            case ast.Assign(targets=[ast.Name()], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
                pass
            case _:
                return False
        return isinstance(value, DISPLAYS) or (
            isinstance(value, ast.Call) and self.scope.dotted(value.func) in CONTAINERS
        )

    def _table(self, node: ast.stmt) -> bool:
        """Write a table that is written out, with an entry as a part of its own, if it is one."""
        match node:
            case ast.Assign(targets=[ast.Name() as name], value=ast.Dict() as table):
                pass
            case ast.AnnAssign(target=ast.Name() as name, value=ast.Dict() as table):
                pass
            case _:
                return False
        keys = [key.value for key in table.keys if isinstance(key, ast.Constant)]
        if len(keys) != len(table.keys) or len(set(keys)) != len(keys):
            return False
        self.write("(Table ")
        self.target(name)
        self.write(")")
        entries = []
        for key, value in zip(keys, table.values, strict=True):
            with self.part() as part:
                self.visit(value)
            entries.append((repr(key), part))
        self.unit["entries"] = entries
        return True

    def _nested(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, path: list[str]
    ) -> None:
        """Record a function inside a function as a unit of its own."""
        self.start(node.lineno, "def")
        outer: Scope | None = scope
        while outer is not None and outer is not self.module:
            self.outer.add(id(outer))
            outer = outer.parent
        with self.mode(scope=scope, path=path, pending=[]), self.part() as body:
            self.function(node, top=True)
        name = ".".join([*path, node.name])
        self.facts["nested"].setdefault(name, []).append(self.finish(body))

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, *, top: bool = False) -> None:
        """Write a function; one inside another also waits to be a unit of its own."""
        if any(self.scope.dotted(decorator) in OVERLOAD for decorator in node.decorator_list):
            return
        if self.depth and not top:
            self.pending.append((node, self.scope, [*self.path]))
        readers: list[int] = []
        for decorator in node.decorator_list:
            readers.extend(self._decorator(decorator, top))
        if top:
            self.unit["doc"] = docstring(node)
        method = self.scope.kind == "class"
        named = not top or method
        self.write(f"({type(node).__name__} {node.name if named else ''} ")
        if not named:
            self._signature(node.args)
        with self.type_parameters(node):
            self._hints(node, readers, top)
            self.arguments(node.args, named=named)
            scope = self.function_scope(node.args, node.body, method=method)
            scope.loggers.update(loggers(node.body, scope))
            scope.context = self._context(node) if top else ""
            path = [*self.path, node.name, "<locals>"]
            if self.depth == 0:
                kept, read = kept_in(node)
                self.kept |= kept
                self.unit["read"] = sorted({*self.unit.get("read", ()), *read})
            with (
                self.mode(scope=scope, path=path, depth=self.depth + 1),
                self.mode(soft=False, annotation=False),
            ):
                self.visit_block(node.body)
                self._unused_imports(node.body)
        self.write(")")

    visit_FunctionDef = visit_AsyncFunctionDef = function  # noqa: N815

    def _signature(self, arguments: ast.arguments) -> None:
        """Keep the names of parameters, which the text is without."""
        listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        names = [argument.arg for argument in listed]
        rest = [argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument]
        self.unit["signature"] = ",".join([*names, *rest])
        given = names[len(arguments.posonlyargs) :]
        self.unit["positions"] = {name: names.index(name) for name in given}
        defaults = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
        self.unit["immutable"] = all(map(self._immutable, defaults))

    def _makes_nothing(self, body: Sequence[ast.stmt]) -> bool:
        """Whether statements make nothing that can change; what they name is made elsewhere."""
        for node in body:
            match node:
                case ast.Import() | ast.ImportFrom() | ast.Pass():
                    continue
                case (
                    ast.Assign(value=value)
                    | ast.AnnAssign(value=value)
                    | ast.AugAssign(value=value)
                ):
                    if not self._immutable(value) and not is_logger(value, self.scope):
                        return False
                case ast.Try(body=tried, handlers=handlers, orelse=orelse, finalbody=final):
                    caught = [statement for handler in handlers for statement in handler.body]
                    if not self._makes_nothing([*tried, *caught, *orelse, *final]):
                        return False
                case _:
                    return False
        return True

    def _immutable(self, node: ast.expr | None) -> bool:
        """Whether an expression makes nothing that can change; what it names is made elsewhere."""
        match node:
            case None | ast.Constant() | ast.Name() | ast.Attribute():
                return True
            case ast.Lambda(args=ast.arguments(defaults=items, kw_defaults=more)):
                return all(map(self._immutable, [*items, *more]))
            case ast.Tuple(elts=items) | ast.JoinedStr(values=items):
                return all(map(self._immutable, items))
            case ast.FormattedValue():
                return True
            case ast.UnaryOp() | ast.BinOp():
                return folded(node, self.known) is not None
            case ast.Call(func=function):
                return self.scope.dotted(function) in _IMMUTABLE
        return False

    def _context(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """Name of the parameter that Dagster hands its context to, if the function is a stage."""
        for argument in node.args.args[:1]:
            hint = argument.annotation and self.scope.dotted(argument.annotation)
            if argument.arg in _CONTEXTS or _IS_CONTEXT.fullmatch(hint or ""):
                return argument.arg
        return ""

    def _unused_imports(self, body: Sequence[ast.stmt]) -> None:
        """Mention what a function imports and never uses: it is imported for its side effects."""
        if not self.scope.imports:
            return
        used = {
            node.id for statement in body for node in ast.walk(statement)
            if isinstance(node, ast.Name)
        }  # fmt: skip
        for name, specs in self.scope.imports.items():
            if name not in used:
                self._mention_imports(specs)

    def _decorator(self, node: ast.expr, top: bool) -> list[int]:
        """Write a decorator. Returns its refs if it may read annotations; [-1] if it has none."""
        if top:
            with self.part() as part:
                called = self._called_decorator(node)
            self.unit["decorators"].append(Decorator(**part, by=called))
        else:
            self.write("(@ ")
            called = self._called_decorator(node)
            self.write(")")
        name = node.func if isinstance(node, ast.Call) else node
        if self.scope.dotted(name) in QUIET_DECORATORS:
            return []
        if isinstance(name, ast.Attribute) and name.attr in ("setter", "getter", "deleter"):
            return []
        return called or [-1]

    def _called_decorator(self, node: ast.expr) -> list[int]:
        if isinstance(node, ast.Call):
            return self.call(node)
        chain = dotted_name(node)
        if chain is None:
            self.visit(node)
            return []
        return self.name(*chain, Use.CALLED)

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
        with self.part() as part, self.mode(annotation=True):
            for argument in annotated:
                before = len(self.slots)
                self.write(f"({argument.arg}: ")
                self.visit(argument.annotation)  # type: ignore[arg-type]
                self.write(")")
                if top:
                    self.unit["parameters"].append((argument.arg, self.slots[before:]))
            if node.returns is not None:
                self.write(" -> ")
                self.visit(node.returns)
        del self.unit["eager"][kept:]
        hints = [argument.annotation for argument in annotated] + [node.returns]
        if any(isinstance(inner, ast.Call) for hint in hints if hint for inner in ast.walk(hint)):
            readers = [-1]  # evaluating it may do anything
        self.unit["hints"].append(Hints(**part, by=readers))

    def visit_TypeAlias(self, node: Any) -> None:
        self.write("(type ")
        self.target(node.name)
        with self.type_parameters(node):
            self.visit(node.value)
        self.write(")")

    def class_definition(self, node: ast.ClassDef, *, top: bool = False) -> None:
        """Write a class; its fields are parts of their own."""
        for decorator in node.decorator_list:
            self._decorator(decorator, top)
        if top:
            self.unit["doc"] = docstring(node)
            self.unit["hooks"] = any(
                isinstance(inner, FUNCTIONS) and inner.name == "__init_subclass__"
                for inner in node.body
            )
            self._methods(node)
        self.write(f"(ClassDef {'' if top else node.name} ")
        with self.type_parameters(node):
            bases: list[int] = []
            with self.mode(soft=True):
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
            scope, path = Scope("class", self.scope).bind(node.body), [*self.path, node.name]
            with self.mode(scope=scope, path=path, annotation=False):
                for statement in node.body:
                    if isinstance(statement, ast.AnnAssign):
                        self._field(statement, bases)
                    elif top and isinstance(statement, FUNCTIONS):
                        self._member(statement, statement.name, free=self._is_free(statement))
                    elif self.unit.get("enum") and top and isinstance(statement, ast.Assign):
                        self._member(statement, statement.targets[0].id, free=True)  # type: ignore[attr-defined]
                    else:
                        self.visit(statement)
        self.write(")")

    visit_ClassDef = class_definition  # noqa: N815

    def _member(self, statement: ast.stmt, name: str, *, free: bool) -> None:
        """Write a method of a class, or a member of an enumeration, as a part of its own."""
        with self.part() as part:
            self.visit(statement)
        self.unit["members"].append(Member(**part, name=name, free=free))

    def _is_enum(self, node: ast.ClassDef) -> bool:
        """Whether a class is an enumeration of different constants, and nothing else."""
        values = set()
        count = 0
        for statement in node.body:
            match statement:
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    continue
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                    count += 1
                    values.add(value)
                    if name.startswith("_"):
                        return False
                case _:
                    return False
        return (
            len(values) == count
            and not node.keywords
            and [self.scope.dotted(base) in _ENUMS for base in node.bases] == [True]
            and all(self.scope.dotted(item) == "enum.unique" for item in node.decorator_list)
        )

    def _methods(self, node: ast.ClassDef) -> None:
        """Note what the methods of a class do to it."""
        methods = [method for method in node.body if isinstance(method, FUNCTIONS)]
        inside = Scope("class", self.scope).bind(node.body)
        decorators = {
            decorator: inside.dotted(decorator)
            for method in methods
            for decorator in method.decorator_list
        }
        self.unit["enum"] = self._is_enum(node)
        self.unit["shows"] = lets_out(node, decorators)
        self.unit["collects"] = any(
            method.args.kwarg for method in methods if method.name in ("__init__", "__new__")
        )
        rest = [
            one.name if isinstance(one, FUNCTIONS) else ast.dump(one) if self.unit["enum"] else ""
            for one in flattened(node.body)
            if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        ]
        self.unit["order"] = digest_of("\n".join(rest))
        self.unit["movable"] = all(
            self._is_movable(method, inside) for method in methods
        ) and not any(
            isinstance(inner, ast.Name) and inner.id in {method.name for method in methods}
            for statement in node.body
            if statement not in methods
            for inner in ast.walk(statement)
        )

    def _is_movable(self, method: ast.FunctionDef | ast.AsyncFunctionDef, inside: Scope) -> bool:
        """Whether a method may stand anywhere in its class."""
        defaults = [*method.args.defaults, *filter(None, method.args.kw_defaults)]
        return all(
            inside.dotted(decorator) in BLIND_DECORATORS
            or (
                dotted_name(decorator) is not None
                and root_name(decorator) == method.name
                and decorator.attr in ("setter", "getter", "deleter")  # type: ignore[attr-defined]
            )
            for decorator in method.decorator_list
        ) and all(
            self._immutable(default)
            and not any(
                isinstance(inner, ast.Name) and inner.id in inside.names
                for inner in ast.walk(default)
            )
            for default in defaults
        )

    def _is_free(self, method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Whether a method can be left out of its class if no one uses it."""
        return not (
            method.name.startswith("__")
            or any(
                self.scope.dotted(decorator) not in _UNUSED_DECORATORS
                for decorator in method.decorator_list
            )
            or not all(
                default is None or isinstance(default, ast.Constant)
                for default in [*method.args.defaults, *method.args.kw_defaults]
            )
        )

    def _field(self, node: ast.AnnAssign, bases: list[int]) -> None:
        """Write a field twice: in full, and without its default, for settings."""
        with self.part() as full:
            self._field_annotation(node, settings=False)
            if node.value is not None:
                self.visit(node.value)
        with self.part() as settings:
            self._field_annotation(node, settings=True)
            name = node.target.id if isinstance(node.target, ast.Name) else "_"
            if node.value is None:
                pass
            elif name.startswith("_") or "ClassVar" in ast.dump(node.annotation):
                self.visit(node.value)  # no field
            elif self._is_field(node.value):
                self._constraints(node.value)
        # Mark the place, which matters for the order of fields.
        self.write(f"(field {len(self.unit['fields'])})")
        self.unit["fields"].append(Fields(bases=bases, full=full, settings=settings))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if self.scope.kind == "class":  # a field, in an `if` or the like
            self.write("(field ")
            self._field_annotation(node, settings=False)
            if node.value is not None:
                self.visit(node.value)
            self.write(")")
            return
        if node.value is None:
            return
        self.write("(Assign targets=[")  # just as without the annotation
        self.visit(node.target)
        self.write(",] value=")
        self.visit(node.value)
        self.write(")")

    def _field_annotation(self, node: ast.AnnAssign, *, settings: bool) -> None:
        self.visit(node.target)
        self.write(": ")
        annotation = node.annotation
        with self.mode(soft=True, annotation=True):
            if (
                settings
                and isinstance(annotation, ast.Subscript)
                and isinstance(annotation.slice, ast.Tuple)
                and any(map(self._is_field, annotation.slice.elts))
            ):
                self.visit(annotation.value)
                for index, item in enumerate(annotation.slice.elts):
                    self.write(" ")
                    if self._is_field(item):
                        self._constraints(item)
                    else:
                        with self.mode(annotation=index == 0):
                            self.visit(item)
            else:
                self.visit(annotation)

    def _is_field(self, node: ast.AST) -> bool:
        dotted = self.scope.dotted(node.func) if isinstance(node, ast.Call) else None
        return dotted is not None and dotted.endswith(".Field")

    def _constraints(self, node: ast.expr) -> None:
        """Write `Field(3, gt=0, description=...)` as `gt=0`."""
        assert isinstance(node, ast.Call)
        with self.mode(soft=False, annotation=False):
            for keyword in node.keywords:
                if keyword.arg not in _FIELD_NOTES:
                    self.write(f" {keyword.arg}=")
                    self.visit(keyword.value)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        if self.scope is self.module:
            if not self._known(node):
                add_import(self.facts, node)
            # Which alternative of a `try` or an `if` it is.
            self._mention_imports(spec for _, spec in imported_names(node))
            return
        self.unit["imports"].extend(imported_modules(node))
        for name, spec in imported_names(node):
            if name in self.scope.globals:  # binds a name of the module when called
                self.facts["imports"].setdefault(name, []).append(spec)
                self.unit["globals"].append(name)

    visit_ImportFrom = visit_Import  # noqa: N815

    def _mention_imports(self, specs: Iterable[Spec]) -> None:
        for level, module, attribute in specs:
            self.write("(import ")
            self.ref(f"{Use.LOADED}:{level}:{module}:{attribute}")
            self.write(")")

    def _known(self, node: ast.Import | ast.ImportFrom) -> bool:
        imports = self.facts["imports"]
        specs = list(imported_names(node))
        return bool(specs) and all(spec in imports.get(name, ()) for name, spec in specs)


def _bound(node: ast.stmt) -> list[str]:
    scope = Scope("module", None).bind([node])
    return sorted(scope.names | scope.imports.keys())

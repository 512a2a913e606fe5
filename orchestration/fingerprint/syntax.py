"""What the syntax of one file says: a record for each statement of a module.

Here belongs how syntax is normalised to digests, which names a statement leaves open as slots, and
what it does to them. What the names refer to is not known here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from orchestration.fingerprint.facts import (
    HINT_READERS,
    LOGGING,
    MUTATORS,
    QUIET_DECORATORS,
    Decorator,
    Facts,
    Fields,
    Hints,
    Part,
    Spec,
    Unit,
    digest_of,
)
from orchestration.fingerprint.scopes import (
    FUNCTIONS,
    Scope,
    dotted_name,
    imported_modules,
    imported_names,
    root_name,
)

_TYPE_CHECKING = {"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"}
_CAST = {"typing.cast", "typing_extensions.cast"}
_OVERLOAD = {"typing.overload", "typing_extensions.overload"}

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


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return digest_of(ast.get_docstring(node) or "")


class _Reader(ast.NodeVisitor):
    """Turns one parsed file into facts."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope("module", None).bind(tree.body)
        self.facts = Facts(
            doc=_docstring(tree), imports={}, typing={}, stars=[], imported=[], units=[], nested={}
        )
        self.scope = self.module
        self.path: list[str] = []
        self.pending: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Scope, list[str]]] = []
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
            if isinstance(node, FUNCTIONS) and any(
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
                for name, spec in imported_names(node):
                    self.facts["typing"].setdefault(name, []).append(spec)
            elif not isinstance(node, ast.If):
                self._statements([node], [])

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        self.facts["imported"].extend(imported_modules(node))
        for name, spec in imported_names(node):
            self.facts["imports"].setdefault(name, []).append(spec)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            self.facts["stars"].append((node.level, node.module or ""))

    # -- units

    def _start(self, line: int, kind: str) -> None:
        self.refs: dict[str, int] = {}
        self.unit = Unit(
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

    def _finish(self, body: Part) -> Unit:
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
    def _part(self) -> Iterator[Part]:
        """Collect what is written meanwhile as a part of its own."""
        part = Part(text="", slots=[])
        kept = self.out, self.slots
        self.out, self.slots = [], part["slots"]
        yield part
        part["text"] = digest_of("".join(self.out))
        self.out, self.slots = kept

    def _unit(self, node: ast.stmt, guards: list[tuple[ast.expr, bool]]) -> None:
        kind = "def" if isinstance(node, FUNCTIONS) else "state"
        self._start(node.lineno, "class" if isinstance(node, ast.ClassDef) else kind)
        self.unit["binds"] = self._bound(node)
        if self.unit["kind"] == "state":
            self.unit["defines"] = any(
                isinstance(inner, (*FUNCTIONS, ast.ClassDef, ast.Lambda))
                for inner in ast.walk(node)
            )
        with self._part() as body:
            for test, taken in guards:
                self.out.append(f"(when {taken} ")
                self.visit(test)
                self.out.append(")")
            if isinstance(node, FUNCTIONS):
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
        scope = Scope("module", None).bind([node])
        return sorted(scope.names | scope.imports.keys())

    def _nested(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, path: list[str]
    ) -> None:
        """Record a function inside a function as a unit of its own."""
        self._start(node.lineno, "def")
        kept = self.scope, self.path, self.pending
        self.scope, self.path, self.pending = scope, path, []
        outer: Scope | None = scope
        while outer is not None and outer is not self.module:
            self.outer.add(id(outer))
            outer = outer.parent
        with self._part() as body:
            self._function(node, top=True)
        self.scope, self.path, self.pending = kept
        name = ".".join([*path, node.name])
        self.facts["nested"].setdefault(name, []).append(self._finish(body))

    # -- names

    def _lookup(self, name: str) -> Scope | None:
        """Scope that a name belongs to; None for the module's own and what is built in."""
        scope: Scope | None = self.scope
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
        chain = dotted_name(node)
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
        chain = dotted_name(node)
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
        while isinstance(base, ast.Attribute | ast.Subscript) and dotted_name(base) is None:
            base = base.value
        if (chain := dotted_name(base)) is not None:
            self._name(*chain)
            if self._is_parameter(chain[0]):  # a list grows in place
                self.unit["alters"] = True
        self.out.append(f" {type(node.op).__name__} ")
        self.visit(node.value)
        self.out.append(")")

    def _target(self, node: ast.AST) -> None:
        """Write what a statement stores to or deletes, and note which name that changes."""
        chain = dotted_name(node)
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
        chain = dotted_name(node)
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
        if dotted in HINT_READERS:
            self.unit["reads_hints"] = True
        self.out.append("(Call ")
        called: list[int] = []
        chain = dotted_name(node.func)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        alters = method in MUTATORS or (mode == "effect" and bool(method) and method not in LOGGING)
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
        elif alters and mode == "effect" and root_name(node.func) is not None:
            self._target(node.func)
        elif alters:
            before = len(self.slots)
            self.visit(node.func)
            self._changes(root_name(node.func) or "", self.slots[before:])
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
        chain, name = dotted_name(node.args[0]), node.args[1]
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
            and (chain := dotted_name(test.comparators[0])) is not None
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
            # Which alternative of a `try` or an `if` it is.
            self._mention_imports(spec for _, spec in imported_names(node))
            return
        self.unit["imports"].extend(imported_modules(node))
        for name, spec in imported_names(node):
            if name in self.scope.globals:  # binds a name of the module when called
                self.facts["imports"].setdefault(name, []).append(spec)
                self.unit["globals"].append(name)

    def _mention_imports(self, specs: Iterable[Spec]) -> None:
        for level, module, attribute in specs:
            self.out.append("(import ")
            self._ref(f"e:{level}:{module}:{attribute}")
            self.out.append(")")

    visit_ImportFrom = visit_Import  # noqa: N815

    def _known(self, node: ast.Import | ast.ImportFrom) -> bool:
        imports = self.facts["imports"]
        specs = list(imported_names(node))
        return bool(specs) and all(spec in imports.get(name, ()) for name, spec in specs)

    # -- inner scopes

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

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815

    def _function_scope(
        self, arguments: ast.arguments, body: Iterable[ast.AST], *, method: bool = False
    ) -> Scope:
        scope = Scope("function", self.scope)
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
                self._mention_imports(specs)

    def _decorator(self, node: ast.expr, top: bool) -> list[int]:
        """Write a decorator; refs of it where it may read annotations (-1: cannot be told)."""
        if top:
            with self._part() as part:
                called = self._called_decorator(node)
            self.unit["decorators"].append(Decorator(**part, by=called))
        else:
            self.out.append("(@ ")
            called = self._called_decorator(node)
            self.out.append(")")
        name = node.func if isinstance(node, ast.Call) else node
        if self._dotted(name) in QUIET_DECORATORS:
            return []
        if isinstance(name, ast.Attribute) and name.attr in ("setter", "getter", "deleter"):
            return []
        return called or [-1]

    def _called_decorator(self, node: ast.expr) -> list[int]:
        if isinstance(node, ast.Call):
            return self._call(node, "decorator")
        chain = dotted_name(node)
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
        self.unit["hints"].append(Hints(**part, by=readers))

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
        scope = Scope("comprehension", outside)
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

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    @contextmanager
    def _type_parameters(self, node: ast.AST) -> Iterator[None]:
        """Enter the scope of `def f[T]` (Python 3.12); without them there is none."""
        outside = self.scope
        parameters = getattr(node, "type_params", [])
        if parameters:
            self.scope = Scope("function", outside)
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
            self.scope = Scope("class", self.scope).bind(node.body)
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

    visit_ClassDef = _class  # noqa: N815

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
        self.unit["fields"].append(Fields(bases=bases, full=full, settings=settings))

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
        if not isinstance(method, FUNCTIONS) or method.name not in hooks:
            continue
        called = {
            id(inner.value.func)
            for inner in ast.walk(method)
            if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call)
        }
        own = {node.name, *(argument.arg for argument in method.args.args[:1])}
        registers = any(
            root_name(inner) in own
            for inner in ast.walk(method)
            if (isinstance(inner, ast.Subscript) and not isinstance(inner.ctx, ast.Load))
            or (
                isinstance(inner, ast.Attribute)
                and inner.attr not in {*hooks, *LOGGING}
                and id(inner) in called
            )
        )
        found.append(hooks[method.name] + "+" * registers)
    return found


def read_facts(source: bytes) -> Facts:
    """Boil one file down to facts, or to the error that keeps it from being parsed."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return Facts(error=(error.lineno or 0, error.msg))
    except (ValueError, RecursionError) as error:
        return Facts(error=(0, str(error)))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))  # a sum of 300 terms is 300 deep
    try:
        return _Reader(tree).facts
    finally:
        sys.setrecursionlimit(limit)

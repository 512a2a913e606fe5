"""What a statement does to names: stores, calls, and what cannot be followed."""

from __future__ import annotations

import ast
import re

from orchestration.fingerprint.facts import (
    HINT_READERS,
    LOGGING,
    MUTATORS,
    OBSERVERS,
    Keywords,
    Log,
    Use,
)
from orchestration.fingerprint.flow import CAST
from orchestration.fingerprint.logs import logger_of, told
from orchestration.fingerprint.normalise import Normaliser
from orchestration.fingerprint.scopes import TYPE_CHECKING, dotted_name, root_name

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


class EffectReader(Normaliser):
    """Note what a statement stores to, calls and hands on, while it is written."""

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.mention(node)
            self.name(node.id, ())
        else:
            self.target(node)

    def mention(self, node: ast.expr) -> None:
        """Note what can't be followed when it is used as a value."""
        dotted = self.scope.dotted(node) or ""
        if dotted in _UNFOLLOWED:
            pattern = "*" if dotted in _IMPORTERS | _LOADERS else ""
            self.unfollowed(node, f"{dotted.removeprefix('builtins.')} as a value", pattern)
        elif dotted == "sys.modules":
            self.unfollowed(node, dotted)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain = dotted_name(node)
        if not isinstance(node.ctx, ast.Load):
            self.target(node)
            return
        if chain is not None:
            self.mention(node)
            if chain[1][-1] == "__subclasses__" and self.scope.lookup(chain[0]) is not None:
                self._asks_subclasses(node)
            self.name(*chain)
            return
        if node.attr == "__annotations__":
            self.unit["reads_hints"] = True
        if node.attr == "__subclasses__":
            self._asks_subclasses(node)
        if node.attr in OBSERVERS:
            self.unit["observes"] = True
        # An attribute of what import_module returns is followed just as if it were imported.
        attributes: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            attributes.append(base.attr)
            base = base.value
        if isinstance(base, ast.Call):
            module = self._imported_by_call(base)
            if module:
                self.ref(f"{Use.IMPORTED}:0:{module}::{'.'.join(attributes[::-1])}")
                return
        self.write("(. ")
        self.visit(node.value)
        self.write(f" {node.attr})")

    def _asks_subclasses(self, node: ast.AST) -> None:
        if self.unit["kind"] == "class":
            self.unit["subclasses"] = True
        else:
            self.unfollowed(node, "__subclasses__ of a class that is only known at run time")

    def visit_Subscript(self, node: ast.Subscript) -> None:
        chain = dotted_name(node.value)
        if not isinstance(node.ctx, ast.Load):
            self.target(node)
        elif self.scope.dotted(node.value) == "sys.modules":
            own = isinstance(node.slice, ast.Name) and node.slice.id == "__name__"
            self.unfollowed(node, "sys.modules[...]", "" if own else _pattern(node.slice))
            self.visit(node.slice)
        elif self.annotation and (self.scope.dotted(node.value) or "").endswith(".Literal"):
            with self.mode(annotation=False):
                self.generic_visit(node)
        elif (
            self.annotation
            and (self.scope.dotted(node.value) or "").endswith(".Annotated")
            and isinstance(node.slice, ast.Tuple)
        ):
            self.write("(Annotated ")
            self.visit(node.slice.elts[0])
            with self.mode(annotation=False):
                self.visit_all(node.slice.elts[1:])
            self.write(")")
        elif (
            isinstance(node.slice, ast.Constant)
            and chain is not None
            and self.scope.lookup(chain[0]) is None
        ):
            self.mention(node.value)
            self.write("(Entry ")
            self.ref(f"{Use.ENTRY}:{'.'.join([chain[0], *chain[1]])}:{node.slice.value!r}")
            self.write(f" {node.slice.value!r})")
        else:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        if self.depth and isinstance(node.value, ast.Call) and self._logged(node.value):
            return
        self.write("(Expr ")
        if isinstance(node.value, ast.Call):
            self.call(node.value, effect=True)
        else:
            self.visit(node.value)
        self.write(")")

    def _logged(self, node: ast.Call) -> bool:
        """Write a call that only tells a person something as a part of its own, if it is one."""
        who = logger_of(node, self.scope)
        uses = None if who is None else told(node, self.scope)
        if who is None or uses is None:
            return False
        name, *attributes = who.split(".")
        scope = self.scope.lookup(name) if who else None
        if scope is not None:
            if name == scope.context and attributes == ["log"]:
                who = "context"
            elif name in scope.loggers and not attributes:
                who = ""
            else:
                return False
        elif who:
            who = "name"
        place = len(self.out)
        with self.part() as part:
            self.write(f"(Log {place} ")
            by = self.call(node, effect=True)
            self.write(")")
        self.unit["logs"].append(Log(**part, who=who, by=by, uses=sorted(uses)))
        return True

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.write("(AugAssign ")
        self.target(node.target)
        # `a += b` also reads `a`.
        base: ast.expr = node.target
        while isinstance(base, ast.Attribute | ast.Subscript) and dotted_name(base) is None:
            base = base.value
        if (chain := dotted_name(base)) is not None:
            self.name(*chain)
        self.write(f" {type(node.op).__name__} ")
        self.visit(node.value)
        self.write(")")

    def target(self, node: ast.AST) -> None:
        """Write what a statement stores to or deletes, and note which name that changes."""
        chain = dotted_name(node)
        if isinstance(node, ast.Name):
            if self.scope.lookup(node.id) is None and self.depth:  # declared global
                self.unit["globals"].append(node.id)
                self.name(node.id, (), Use.STORED)
            elif id(self.scope.lookup(node.id)) in self.outer:
                self.name(node.id, ())
            else:
                self.write(f"(bind {self.local(node.id)})")
        elif chain is not None:
            self.changes(self.name(*chain, Use.STORED))
        elif isinstance(node, ast.Attribute):
            self.write("(. ")
            self._target_base(node.value)
            self.write(f" {node.attr})")
        elif isinstance(node, ast.Subscript):
            self.write("([] ")
            self._target_base(node.value)
            self.visit(node.slice)
            self.write(")")
        elif isinstance(node, ast.Starred):
            self.write("(* ")
            self.target(node.value)
            self.write(")")
        else:
            self.generic_visit(node)  # a tuple or a list, whose items come back here

    def _target_base(self, node: ast.AST) -> None:
        chain = dotted_name(node)
        if chain is not None:
            self.changes(self.name(*chain, Use.STORED))
        elif isinstance(node, ast.Attribute | ast.Subscript):
            self.target(node)
        else:  # what a call returns
            before = len(self.slots)
            self.visit(node)
            self.changes(self.slots[before:])

    def changes(self, refs: list[int]) -> None:
        """Note that what refs mean is changed, on import or when called."""
        self.unit["writes" if self.depth else "stores"].extend(refs)

    def visit_Call(self, node: ast.Call) -> None:
        self.call(node)

    def call(self, node: ast.Call, *, effect: bool = False) -> list[int]:
        """Write a call, whose result is thrown away or not. Returns the refs of what is called."""
        dotted = self.scope.dotted(node.func) or ""
        if self._special(node, dotted):
            return []
        if dotted in HINT_READERS:
            self.unit["reads_hints"] = True
        self.query(node)
        self.write("(Call ")
        called: list[int] = []
        chain = dotted_name(node.func)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        alters = method in MUTATORS or (effect and bool(method) and method not in LOGGING)
        if chain is not None:
            if method == "__subclasses__" and self.scope.lookup(chain[0]) is not None:
                self._asks_subclasses(node)
            use = Use.MADE if node in self.kept else Use.CALLED
            if effect and not self.depth and alters:
                use = Use.METHOD
            elif effect and method in MUTATORS:
                use = Use.FILLED
            called = self.name(*chain, use)
            if self.depth and alters:
                self.unit["methods"].extend(called)
        elif alters and effect and not self.depth and root_name(node.func) is not None:
            self.target(node.func)
        elif alters:
            before = len(self.slots)
            self.visit(node.func)
            self.changes(self.slots[before:])
        elif isinstance(node.func, ast.Call):
            called = self.call(node.func, effect=effect)
        else:
            self.visit(node.func)
        for argument in node.args:
            self.write(" ")
            self.visit(argument)
        self.keywords(node, called if chain is not None else [])
        self.write(")")
        return called

    def keywords(self, node: ast.Call, called: list[int]) -> None:
        """Write keyword arguments: where what is called may be known, to be put in its order."""
        if not called or any(keyword.arg is None for keyword in node.keywords):
            for keyword in node.keywords:
                self.write(f" {keyword.arg}=")
                self.visit(keyword.value)
            if any(keyword.arg is None for keyword in node.keywords):
                self.by_name(node)
            return
        given = []
        for keyword in node.keywords:
            with self.part() as part:
                self.visit(keyword.value)
            given.append((str(keyword.arg), part))
        if given:
            self.ref(f"{Use.KEYWORDS}:{len(self.unit['keywords'])}")
            plain = all(isinstance(item.value, ast.Constant | ast.Name) for item in node.keywords)
            self.unit["keywords"].append(Keywords(by=called, plain=plain, given=given))

    def by_name(self, node: ast.Call) -> None:
        """Write what a call with `**` calls as a value: any of its parameters may be named."""
        chain = dotted_name(node.func)
        if chain is not None:
            self.name(*chain)

    def query(self, node: ast.Call) -> None:
        """Note who asks for all local variables, or names some in a string.

        As `vars()` does, or a query of pandas in `table.query("a > @limit")`.
        """
        if isinstance(node.func, ast.Name) and node.func.id in ("dir", "vars") and not node.args:
            self.unit["observes"] = True
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("eval", "query"):
            return
        for name in re.findall(r"@(\w+)", _spelled(node.args[0]) if node.args else ""):
            self.unit["observes"] = True
            self.name(name, ())

    def _special(self, node: ast.Call, dotted: str) -> bool:
        """Handle calls with a meaning of their own. Returns True if the call is written."""
        if dotted in CAST and len(node.args) == 2:
            self.visit(node.args[1])
            return True
        if dotted in _EVALUATORS:
            self.unfollowed(node, dotted.removeprefix("builtins."))
        elif dotted in _NAMESPACES or (dotted == "builtins.vars" and not node.args):
            self.unfollowed(node, f"{dotted.removeprefix('builtins.')}()")
        elif dotted in _LOADERS:
            self.unfollowed(node, dotted, "*")
        elif dotted == "sys.modules.get" and node.args:
            self.unfollowed(node, "sys.modules.get", _pattern(node.args[0]))
        elif dotted in _IMPORTERS:
            module = self._imported_by_call(node)
            if module:
                self.ref(f"{Use.IMPORTED}:0:{module}::")
                return True
            name = node.args[0] if node.args else node.keywords[0].value if node.keywords else None
            self.unfollowed(
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
            if chain is None or not self._is_followed(chain[0]):
                return False
            write = function != "getattr"
            self.write(f"({function} ")
            refs = self.name(chain[0], [*chain[1], name.value], Use.STORED if write else Use.READ)
            if write:
                self.changes(refs)
            self.visit_all(node.args[2:])
            self.write(")")
            return True
        if chain is not None and self._is_followed(chain[0]):
            # Nothing is missed, as a module or class that is handed on counts as a whole (and so
            # does that of a local variable's value, wherever it comes from): it is only reported.
            with self.part():
                refs = self.name(*chain, Use.READ if function == "getattr" else Use.STORED)
            if function != "getattr":
                self.changes(refs)
            what = f"{function} with a computed name"
            self.unit["computed"].extend((node.lineno, what, ref) for ref in refs)
        return False

    def _is_followed(self, name: str) -> bool:
        return self.scope.lookup(name) is None or self.scope.is_import(name)

    def _imported_by_call(self, node: ast.Call) -> str:
        if self.scope.dotted(node.func) not in _IMPORTERS or not node.args:
            return ""
        name = node.args[0]
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
            return ""
        module = "" if name.value.startswith(".") else name.value.replace(":", ".")
        if not (self.scope.dotted(node.func) or "").endswith(".__import__"):
            return module
        listed = [word.value for word in node.keywords if word.arg == "fromlist"]
        match [*node.args[3:4], *listed]:
            case [ast.List(elts=[_, *_]) | ast.Tuple(elts=[_, *_])]:
                return module
            case [] | [ast.List() | ast.Tuple() | ast.Constant(value=None)]:
                return module.partition(".")[0]  # the package that holds it
        return ""

    def visit_If(self, node: ast.If) -> None:
        if self.scope.dotted(node.test) in TYPE_CHECKING:
            self.visit_block(node.orelse)
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
            # May guard a registration, which then doesn't use what is there: see `finish`.
            self.write(f"(If {type(test.ops[0]).__name__} ")
            self.visit(test.left)
            self.name(*chain, Use.CHECKED)
            self.visit_block(node.body)
            self.write(")")
            return
        self.generic_visit(node)


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

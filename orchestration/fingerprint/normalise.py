"""Normalised text of one statement, with a slot for each name that it leaves open."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from orchestration.fingerprint.canonical import Value, flattened, folded
from orchestration.fingerprint.facts import OBSERVERS, Facts, Part, Unit, Use, digest_of
from orchestration.fingerprint.scopes import Scope

_BINDERS = (ast.ExceptHandler, ast.MatchAs, ast.MatchMapping, ast.MatchStar)


class Normaliser(ast.NodeVisitor):
    """Write the syntax of one statement as text that formatting does not change.

    Parameters
    ----------
    module
        Scope of the module.
    facts
        Facts of the file, to add to.
    """

    def __init__(self, module: Scope, facts: Facts) -> None:
        self.module = self.scope = module
        self.facts = facts
        self.path: list[str] = []
        self.known: dict[ast.expr, Value] = {}
        self.pending: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Scope, list[str]]] = []

    def write(self, text: str) -> None:
        """Append text."""
        self.out.append(text)

    def start(self, line: int, kind: str) -> None:
        """Begin a unit."""
        self.refs: dict[str, int] = {}
        self.unit = Unit(
            kind=kind, line=line, binds=[], refs=[], eager=[], decorators=[], hints=[], fields=[],
            bases=[], parameters=[], dynamic=[], computed=[], imports=[], stores=[],
            globals=[], writes=[], methods=[], logs=[], keywords=[], places={}, members=[],
        )  # fmt: skip
        self.out: list[str] = []
        self.slots: list[int] = []
        self.locals: list[str] = []  # names that the text leaves out
        self.kept: set[ast.Call] = set()  # calls of whose results only attributes are used
        self.depth = 0  # of function bodies: 0 is what runs on import
        self.soft = False  # in a base or an annotation of a field
        self.annotation = False
        self.outer: set[int] = set()  # scopes around a nested function that is read on its own

    def finish(self, body: Part) -> Unit:
        """Return the unit, without what is empty."""
        self.unit["body"] = body
        if len(self.unit["places"]) < 2:
            self.unit["places"] = {}
        if self.locals:
            self.unit["locals"] = digest_of(" ".join(self.locals))
        refs = list(self.refs)
        written = [
            refs[index][2:] for key in ("stores", "writes", "methods") for index in self.unit[key]
        ]
        for index, ref in enumerate(refs):
            if ref.startswith(f"{Use.CHECKED}:"):
                alike = any(f"{name}.".startswith(f"{ref[2:]}.") for name in written)
                refs[index] = f"{'w' if alike else 'g'}:{ref[2:]}"
        self.unit["refs"] = refs
        for key in ("eager", "stores", "writes", "methods"):
            self.unit[key] = sorted(set(self.unit[key]))
        # Most are empty: the cache is smaller and quicker to read without them.
        return {key: value for key, value in self.unit.items() if value}  # type: ignore[return-value]

    @contextmanager
    def part(self) -> Iterator[Part]:
        """Collect what is written inside the block as a part of its own."""
        part = Part(text="", slots=[])
        kept = self.out, self.slots
        self.out, self.slots = [], part["slots"]
        yield part
        part["text"] = digest_of("".join(self.out))
        self.out, self.slots = kept

    @contextmanager
    def mode(self, **state: object) -> Iterator[None]:
        """Set attributes inside the block."""
        kept = {name: getattr(self, name) for name in state}
        for name, value in state.items():
            setattr(self, name, value)
        yield
        for name, value in kept.items():
            setattr(self, name, value)

    def ref(self, ref: str) -> int:
        """Leave a slot for what ``ref`` will resolve to."""
        index = self.refs.setdefault(ref, len(self.refs))
        self.write("\0")
        self.slots.append(index)
        if self.depth == 0:
            self.unit["eager"].append(index)
        return index

    def name(self, name: str, attributes: Sequence[str], use: Use = Use.READ) -> list[int]:
        """Write a dotted name. Returns its refs; a local name has none."""
        if "__annotations__" in attributes or "__signature__" in attributes:
            self.unit["reads_hints"] = True
        if not OBSERVERS.isdisjoint(attributes):
            self.unit["observes"] = True
        scope = self.scope.lookup(name)
        if scope is None:
            kind = Use.SOFT if self.soft and use in (Use.READ, Use.CALLED, Use.MADE) else use
            return [self.ref(f"{kind}:{'.'.join([name, *attributes])}")]
        refs = []
        if name in scope.names or name not in scope.imports:
            if id(scope) in self.outer:
                kind = Use.PARAMETER if name in scope.parameters else Use.ENCLOSING
                refs.append(self.ref(f"{kind}:{'.'.join([name, *attributes])}"))
            else:
                self.write(f"(local {'.'.join([self.local(name), *attributes])})")
                if scope.kind == "class" and self._is_outside(scope, name):
                    # Until the class binds the name itself, as in `size = size`.
                    with self.mode(scope=scope.parent):
                        refs += self.name(name, attributes, use)
        kind = Use.IMPORT_CALLED if use in (Use.CALLED, Use.MADE) else Use.IMPORTED
        for level, module, attribute in scope.imports.get(name, ()):
            rest = ".".join(attributes)
            refs.append(self.ref(f"{kind}:{level}:{module}:{attribute}:{rest}"))
        return refs

    def local(self, name: str) -> str:
        """Spell a name of a scope around: a variable of a function by its place alone."""
        scope = self.scope.lookup(name)
        if scope is None and self.depth == 0 and not name.startswith("__"):
            return f"{self.unit['places'].setdefault(name, len(self.unit['places']))}"
        if scope is None or scope.kind == "class" or id(scope) in self.outer:
            return name
        between, inner = 0, self.scope
        while inner is not scope:
            assert inner.parent is not None
            between, inner = between + 1, inner.parent
        return f"{between}.{scope.place(name)}"

    def _is_outside(self, scope: Scope, name: str) -> bool:
        """Whether a name of a class is also one of a scope around the class."""
        assert scope.parent is not None
        around = scope.parent.lookup(name)
        return around is not None or name in self.module.names or name in self.module.imports

    def unfollowed(self, node: ast.AST, what: str, pattern: str = "") -> None:
        """Note what cannot be followed, and which modules it may reach."""
        line = getattr(node, "lineno", self.unit["line"])
        self.unit["dynamic"].append((line, what, pattern))

    def generic_visit(self, node: ast.AST) -> None:
        self.write(f"({type(node).__name__}")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None or value == [] or name in ("ctx", "kind", "type_comment"):
                continue
            self.write(f" {name}=")
            if isinstance(node, _BINDERS) and isinstance(value, str):
                self.visit(ast.Name(value, ast.Store()))
            else:
                self._value(value)
        self.write(")")

    def _value(self, value: object) -> None:
        if isinstance(value, ast.AST):
            self.visit(value)
        elif isinstance(value, list):
            self.write("[")
            if value and isinstance(value[0], ast.stmt):
                value = flattened(value)
            for item in value:
                written = len(self.out)
                self._value(item)
                if len(self.out) > written:
                    self.write(",")
            self.write("]")
        else:
            self.write(repr(value))

    def visit_all(self, nodes: Iterable[ast.AST]) -> None:
        """Visit several nodes."""
        for node in nodes:
            self.visit(node)

    def visit_block(self, body: Sequence[ast.stmt]) -> None:
        """Visit the statements of a block."""
        self.visit_all(flattened(body))

    def visit_BinOp(self, node: ast.BinOp | ast.UnaryOp) -> None:
        value = folded(node, self.known)
        if value is None:
            self.generic_visit(node)
        else:
            self.write(f"{type(value).__name__}:{value!r}")

    visit_UnaryOp = visit_BinOp  # noqa: N815

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.write(f"(Nonlocal {[self.local(name) for name in node.names]})")

    def visit_Global(self, node: ast.Global) -> None:
        pass  # `Scope.lookup` knows

    def visit_Constant(self, node: ast.Constant) -> None:
        if self.annotation and isinstance(node.value, str):
            try:
                self.visit(ast.parse(node.value.strip(), mode="eval").body)
            except (SyntaxError, ValueError):
                pass
            else:
                return
        if node.value in OBSERVERS:  # for `getattr` and the like
            self.unit["observes"] = True
        self.write(f"{type(node.value).__name__}:{node.value!r}")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        # Versions of Python differ in how they split the constant stretches.
        self.write("(f")
        constant = ""
        for value in node.values:
            if isinstance(value, ast.Constant):
                constant += str(value.value)
                continue
            self.write(f" {constant!r} ")
            constant = ""
            self.visit(value)
        self.write(f" {constant!r})")

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.write("(Lambda ")
        self.arguments(node.args)
        scope = self.function_scope(node.args, [node.body])
        with self.mode(scope=scope, depth=self.depth + 1):
            self.visit(node.body)
        self.write(")")

    def arguments(self, arguments: ast.arguments, *, named: bool = True) -> None:
        """Write the parameters of a function, with or without their names, and their defaults."""
        self.write("(")
        for kind, listed in (
            ("/", arguments.posonlyargs),
            ("", arguments.args),
            ("*", [arguments.vararg]),
            ("=", arguments.kwonlyargs),
            ("**", [arguments.kwarg]),
        ):
            names = [argument.arg for argument in listed if argument]
            self.write(f"{kind}{names if named else len(names)}")
        for default in (*arguments.defaults, *arguments.kw_defaults):
            self.write(" ")
            if default is not None:
                self.visit(default)
            else:
                self.write("_")
        self.write(")")

    def function_scope(
        self, arguments: ast.arguments, body: Iterable[ast.AST], *, method: bool = False
    ) -> Scope:
        """Make the scope of a function."""
        scope = Scope("function", self.scope)
        listed = [*arguments.posonlyargs, *arguments.args]
        names = [argument.arg for argument in (*listed, *arguments.kwonlyargs)]
        names += [argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument]
        for name in names:
            scope.add(name)
        scope.parameters.update(names[1:] if method else names)
        return self.entered(scope.bind(body))

    def entered(self, scope: Scope) -> Scope:
        """Keep the names of a scope, which the text is without."""
        self.locals += [*scope.places, ";"]
        return scope

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        self.write(f"({type(node).__name__} ")
        outside = self.scope
        scope = Scope("comprehension", outside)
        for generator in node.generators:
            scope.bind([generator.target])
        self.entered(scope)
        for index, generator in enumerate(node.generators):
            self.write(f"(for {generator.is_async} ")
            self.scope = scope if index else outside  # the first is evaluated outside
            self.visit(generator.iter)
            self.scope = scope
            self.visit(generator.target)
            self.visit_all(generator.ifs)
            self.write(")")
        self.scope = scope
        if isinstance(node, ast.DictComp):
            self.visit(node.key)
            self.visit(node.value)
        else:
            self.visit(node.elt)
        self.scope = outside
        self.write(")")

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    @contextmanager
    def type_parameters(self, node: ast.AST) -> Iterator[None]:
        """Enter the scope of the type parameters of `def f[T]` (Python 3.12), if any."""
        outside = self.scope
        parameters = getattr(node, "type_params", [])
        if parameters:
            self.scope = Scope("function", outside)
            for parameter in parameters:
                self.scope.add(parameter.name)
            self.write("(type ")
            self.visit_all(parameters)
            self.write(")")
        yield
        self.scope = outside

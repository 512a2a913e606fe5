"""Projects made at random from idioms, and what running one gives."""

from __future__ import annotations

import ast
import contextlib
import copy
import decimal
import functools
import importlib.abc
import importlib.machinery
import io
import logging
import os
import random
import re
import signal
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from tests.orchestration.fingerprint import generated_idioms as idioms

Files = Mapping[str, str]
"""Contents by path within a project."""

MODULES = ("m0", "m1", "m2", "m3")
STAGES = ("stage0", "stage1", "stage2")
SECONDS = 2


class RefusedError(Exception):
    """A move that gives no valid project."""


@dataclass(frozen=True)
class Object:
    """Something with state, as a module names it.

    Parameters
    ----------
    module
        Where it has that name.
    expression
        Of it, in that module; begins with the name.
    kind
        Key of `idioms.KINDS`.
    source
        Number of the object whose state this shares.
    """

    module: str
    expression: str
    kind: str
    source: int

    @property
    def name(self) -> str:
        """What another module must import."""
        found = re.match(r"\w+", self.expression)
        assert found
        return found.group()


@dataclass
class Draft:
    """A project that is being made.

    Parameters
    ----------
    random
        Makes every choice.
    """

    random: random.Random
    count: int = 0
    focus: int = 0
    statements: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # and the idiom
    imports: dict[str, dict[str, str]] = field(default_factory=dict)
    objects: list[Object] = field(default_factory=list)
    bodies: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    reads: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)  # stages made by a factory
    used: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    pending: list[tuple[str, str, str]] = field(default_factory=list)
    added: frozenset[str] = frozenset()  # idioms of the latest edit

    # -- choices

    def pick(self, options: Sequence[Any]) -> Any:
        """One of them."""
        if not options:
            raise RefusedError("nothing to choose from")
        return options[self.random.randrange(len(options))]

    def idiom(self, table: str, key: str) -> str:
        """Note that an idiom is used. Returns its name."""
        name = f"{table}: {key}"
        self.used.add(name)
        return name

    def number(self) -> str:
        """A number from 1 to 9."""
        return str(self.random.randint(1, 9))

    def fresh(self, prefix: str) -> str:
        """A name that nothing else has."""
        self.count += 1
        name = f"{prefix}{self.count}"
        self.names.add(name)
        return name

    # -- text

    def filled(self, template: str, known: dict[str, str], module: str = "") -> str:
        """A template with its placeholders filled, the new names being added to those known."""

        def replacement(found: re.Match[str]) -> str:
            name = found.group(1)
            if name in known:
                return known[name]
            if name in ("n", "m", "k"):
                return self.number()
            if name == "v":
                return self.value(module)
            known[name] = self.fresh(name)
            return known[name]

        lines = []
        for line in template.split("\n"):
            if line.strip() in ("$s", "return $s"):
                indent = line[: len(line) - len(line.lstrip())]
                text = known["s"]
                lines.append(
                    "\n".join(indent + part if part else part for part in text.split("\n"))
                )
            else:
                lines.append(re.sub(r"\$([A-Za-z]\w*)", replacement, line))
        return "\n".join(lines)

    def value(self, module: str) -> str:
        """A number, mostly, or what something made before holds."""
        options = [o for o in self.objects if idioms.KINDS[o.kind].reads]
        if not module or not options or self.random.random() < 0.8:
            return self.number()
        found = self.pick(options)
        if self.order(found.module) > self.order(module):
            return self.number()
        return f"len(repr({self.read(found, module)[0]}))"

    def order(self, module: str) -> int:
        """Position of a module: it may import those before."""
        return [*MODULES, "stages"].index(module)

    def refer(self, item: Object, module: str) -> str:
        """The object's expression in another module."""
        if item.module == module:
            return item.expression
        if item.name in self.imports.get(module, {}) and self.random.random() < 0.7:
            return self.imports[module][item.name] + item.expression[len(item.name) :]
        key = self.pick([*idioms.IMPORTS])
        if self.random.random() < 0.6:
            key = self.pick([*idioms.IMPORTS][:9])
        name = self.idiom("import", key)
        statement, expression = idioms.IMPORTS[key]
        known = {"module": item.module, "name": item.name}
        if "hub" in expression or "hub" in statement:
            known["name"] = item.name
            head = f"from toy.{item.module} import {item.name}"
            lines = [head, f"{head} as again_{item.name}", f"from toy import {item.module}"]
            self.pending += [("hub", line, "") for line in lines]
        if "stars" in statement:
            self.pending.append(("stars", f"from toy.{item.module} import *", ""))
        if "lazy" in statement:
            self.pending.append(("lazy", f"WHERE[{item.name!r}] = 'toy.{item.module}'", ""))
        text = self.filled(statement, known)
        expression = self.filled(expression, known)
        if text:
            self.pending.append((module, text, name))
        self.imports.setdefault(module, {})[item.name] = expression
        return expression + item.expression[len(item.name) :]

    # -- moves

    def change(self, expression: str, kind: str, module: str) -> tuple[str, list[str]]:
        """A statement that changes an object, and its idioms."""
        template = self.pick(idioms.KINDS[kind].changes)
        names = [self.idiom("change", f"{kind}, {template}")]
        known = {"o": expression}
        text = self.filled(template, known, module)
        return text, names

    def placed(
        self, expression: str, kind: str, module: str, depth: int = 0
    ) -> tuple[str, list[str]]:
        """The same, somewhere."""
        chance = self.random.random()
        if depth < 2 and chance < 0.45:
            key = self.pick([*idioms.PLACES])
            names = [self.idiom("place", key)]
            template, inner = idioms.PLACES[key]
            known = {"o": expression}
            inner = self.filled(inner, known)
            text, more = self.placed(inner, kind, module, depth + 1)
            known["s"] = text
            return self.filled(template, known, module), [*names, *more]
        text, names = self.change(expression, kind, module)
        if chance < 0.65:
            tree = ast.parse(text)
            if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
                key = self.pick([*idioms.SPOTS])
                names.append(self.idiom("spot", key))
                text = self.filled(idioms.SPOTS[key], {"e": text}, module)
        return text, names

    def read(self, item: Object, module: str) -> tuple[str, str]:
        """An expression that depends on an object, and its idiom."""
        template = self.pick(idioms.KINDS[item.kind].reads)
        name = self.idiom("read", f"{item.kind}, {template}")
        return self.filled(template, {"o": self.refer(item, module)}), name

    def module(self, *items: Object) -> str:
        """A module that may refer to some objects."""
        lowest = max((self.order(item.module) for item in items), default=0)
        if lowest == len(MODULES):
            return "stages"
        return str(self.pick(MODULES[lowest:]))

    def old(self, *, readable: bool = False, changeable: bool = False) -> Object:
        """An object made before, one of the latest."""
        found = [
            item
            for item in self.objects
            if (not readable or idioms.KINDS[item.kind].reads)
            and (not changeable or idioms.KINDS[item.kind].changes)
        ]
        # Mostly of one group that share their state, so that changes are read.
        close = [item for item in found if item.source == self.focus]
        item: Object = self.pick(close if close and self.random.random() < 0.7 else found[-6:])
        self.focus = item.source
        return item

    def move_new(self) -> None:
        """A new object."""
        key = self.pick([key for key, kind in idioms.KINDS.items() if kind.makes])
        name = self.idiom("kind", key)
        module = self.module()
        template = self.pick(idioms.KINDS[key].makes)
        made = self.idiom("make", f"{key}, {template}")
        known = {"o": self.fresh("X")}
        self.pending.append((module, self.filled(template, known, module), f"{name}; {made}"))
        self.objects.append(Object(module, known["o"], key, len(self.objects)))

    def move_alias(self) -> None:
        """Another name of an object."""
        item = self.old()
        module = self.module(item)
        key = self.pick([*idioms.ALIASES])
        name = self.idiom("alias", key)
        statement, expression = idioms.ALIASES[key]
        known = {"o": self.refer(item, module)}
        self.pending.append((module, self.filled(statement, known, module), name))
        self.objects.append(Object(module, self.filled(expression, known), item.kind, item.source))

    def move_view(self) -> None:
        """Something that shares state with an object."""
        item = self.old()
        statement, expression, kind = self.pick(idioms.KINDS[item.kind].views)
        name = self.idiom("view", f"{item.kind}, {statement or expression}")
        module = self.module(item) if statement else item.module
        known = {"o": self.refer(item, module)}
        if statement:
            self.pending.append((module, self.filled(statement, known, module), name))
        self.objects.append(Object(module, self.filled(expression, known), kind, item.source))

    def move_change(self) -> None:
        """A statement that changes an object."""
        item = self.old(changeable=True)
        module = self.module(item)
        text, names = self.placed(self.refer(item, module), item.kind, module)
        self.pending.append((module, text, "; ".join(names)))

    def move_function(self) -> None:
        """A function that changes an object, and a module or a stage that calls it."""
        item = self.old(changeable=True)
        module = self.module(item)
        text, names = self.placed(self.refer(item, module), item.kind, module)
        function = self.fresh("act")
        body = "\n".join("    " + line for line in text.split("\n"))
        self.pending.append((module, f"def {function}():\n{body}", "; ".join(names)))
        action = Object(module, function, item.kind, item.source)
        if self.random.random() < 0.5:
            where = self.module(action)
            call = self.refer(action, where) + "()"
            self.pending.append(
                (where, self.pick([call, f"{self.fresh('kept')} = {call}"]), "called")
            )
        else:
            stage = self.stage()
            self.body(stage, self.refer(action, "stages") + "()", "called in a stage")

    def move_body(self) -> None:
        """A statement in a stage that changes an object."""
        item = self.old(changeable=True)
        stage = self.stage()
        text, names = self.placed(self.refer(item, "stages"), item.kind, "")
        self.body(stage, text, "; ".join(["in a stage", *names]))

    def move_constant(self) -> None:
        """A constant that depends on an object as it is then."""
        item = self.old(readable=True)
        module = self.module(item)
        expression, name = self.read(item, module)
        constant = self.fresh("K")
        self.pending.append((module, f"{constant} = {expression}", f"constant; {name}"))
        self.objects.append(Object(module, constant, "number", len(self.objects)))

    def move_read(self) -> None:
        """A stage that depends on an object."""
        item = self.old(readable=True)
        stage = self.stage()
        if self.random.random() < 0.3:
            module = self.module(item)
            expression, name = self.read(item, module)
            reader = self.fresh("look")
            text = self.pick(
                [
                    f"def {reader}():\n    return {expression}",
                    f"{reader} = lambda: {expression}",
                    f"class {reader}:\n    def __new__(cls):\n        return {expression}",
                ]
            )
            self.pending.append((module, text, f"function; {name}"))
            text = self.refer(Object(module, reader, item.kind, 0), "stages") + "()"
        else:
            text, name = self.read(item, "stages")
        self.reads.setdefault(stage, []).append((text, name))

    def move_code(self) -> None:
        """Code without state, which a stage uses."""
        key = self.pick([*idioms.CODE])
        name = self.idiom("code", key)
        statement, expression = idioms.CODE[key]
        module = self.module()
        known: dict[str, str] = {}
        text = self.filled(statement, known, module)
        # The parts of the expression that are names of the module are referred to one by one.
        filled = self.filled(expression, known)
        self.pending.append((module, text, name))
        own = [value for value in known.values() if re.search(rf"(?<!['\w]){value}\b", filled)]
        for value in own:
            reference = self.refer(Object(module, value, "number", 0), "stages")
            filled = re.sub(rf"(?<!['\w.]){value}\b", reference, filled)
        self.reads.setdefault(self.stage(), []).append((filled, name))

    def move_factory(self) -> None:
        """A stage made by a function, which closes over a value made elsewhere."""
        stage = self.pick([stage for stage in STAGES if stage not in self.made])
        classes = self.random.random() < 0.5
        key = self.pick([*(idioms.VALUE_CLASSES if classes else idioms.VALUES)])
        name = self.idiom("value", key)
        known: dict[str, str] = {}
        if classes:
            statement, read = idioms.VALUE_CLASSES[key]
        else:
            expression, read = idioms.VALUES[key]
            statement = f"$a = {expression}"
        module = self.module()
        self.pending.append((module, self.filled(statement, known, module), name))
        value = Object(module, known["a"], "number", 0)
        maker, where = self.fresh("make"), str(self.pick([*MODULES, "stages"]))
        form = self.filled(self.pick(idioms.FACTORIES), {"make": maker, "read": read})
        self.pending.append((where, form, "factory"))
        call = self.refer(Object(where, maker, "number", 0), "stages")
        self.made[stage] = f"{call}({self.refer(value, 'stages')})"

    def stage(self) -> str:
        """A stage with a body of its own."""
        return str(self.pick([stage for stage in STAGES if stage not in self.made]))

    def body(self, stage: str, text: str, name: str) -> None:
        """Put a statement into a stage."""
        self.bodies.setdefault(stage, []).append((text, name))

    def move(self, *names: str) -> bool:
        """Make one move; False where it is refused, and nothing is changed."""
        kept = self.snapshot()
        try:
            name = self.pick(names or MOVES)
            getattr(self, f"move_{name}")()
            for module, text, idiom in self.pending:
                ast.parse(text)
                if (text, idiom) not in self.statements.get(module, []) or idiom:
                    here = self.statements.setdefault(module, [])
                    if text.startswith(("import", "from", "try:\n    from")) or not idiom:
                        if all(text != other for other, _ in here):
                            here.insert(sum(_is_import(other) for other, _ in here), (text, idiom))
                    else:
                        here.append((text, idiom))
            self.pending = []
            for text in self.files().values():
                ast.parse(text)
            check(self.files())
        except (RefusedError, SyntaxError, ValueError):
            self.__dict__.update(kept)
            return False
        return True

    def snapshot(self) -> dict[str, Any]:
        """Everything but what makes the choices."""
        return copy.deepcopy(
            {key: value for key, value in self.__dict__.items() if key != "random"}
        )

    # -- the project

    def files(self) -> dict[str, str]:
        """The project as written."""
        files = {"toy/__init__.py": "", "toy/helpers.py": "size = 1\n"}
        for module in MODULES:
            files[f"toy/{module}.py"] = written(
                [text for text, _ in self.statements.get(module, [])]
            )
        for module in ("hub", "stars"):
            if module in self.statements:
                files[f"toy/{module}.py"] = written([text for text, _ in self.statements[module]])
        if "lazy" in self.statements:
            files["toy/lazy.py"] = LAZY + written([text for text, _ in self.statements["lazy"]])
        stages = [text for text, _ in self.statements.get("stages", [])]
        stages = [f"import toy.{module}" for module in MODULES] + stages
        for stage in STAGES:
            if stage in self.made:
                stages.append(f"{stage} = {self.made[stage]}")
                continue
            body = [text for text, _ in self.bodies.get(stage, [])]
            body.append(f"return [{', '.join(text for text, _ in self.reads.get(stage, []))}]")
            lines = "\n".join(body).split("\n")
            stages.append("\n".join([f"def {stage}():", *("    " + line for line in lines)]))
        files["toy/stages.py"] = written(stages)
        return files


LAZY = """\
import importlib
WHERE = {}
def __getattr__(name):
    if name in WHERE:
        return getattr(importlib.import_module(WHERE[name]), name)
    raise AttributeError(name)
"""

MOVES = [
    *["new"] * 4, *["alias"] * 5, *["view"] * 3, *["change"] * 7, *["function"] * 2, *["body"] * 2,
    *["constant"] * 1, *["read"] * 6, *["code"] * 2, *["factory"] * 1,
]  # fmt: skip


def _is_import(text: str) -> bool:
    return text.startswith(("import", "from", "try:\n    from"))


PRELUDE = [
    (
        alias.asname or alias.name,
        f"{head} {alias.name}" + f" as {alias.asname}" * bool(alias.asname),
    )
    for node in ast.parse(idioms.PRELUDE).body
    if isinstance(node, ast.Import | ast.ImportFrom)
    for head in [f"from {node.module} import" if isinstance(node, ast.ImportFrom) else "import"]
    for alias in node.names
] + [("log", "import logging\nlog = logging.getLogger(__name__)")]


def written(statements: Sequence[str]) -> str:
    """A module with the imports from other packages that it needs."""
    text = "\n\n\n".join(statements) + "\n"
    used = set(re.findall(r"(?<![.\w])[A-Za-z]\w*", text))
    heads = [line for name, line in PRELUDE if name in used]
    return "\n".join([*dict.fromkeys(heads), "\n", text])


def generate(choices: random.Random, moves: int) -> Draft:
    """A project of so many moves, of which one stage at least returns something."""
    draft = Draft(choices)
    for first in ("new", "change", "read"):
        for _ in range(8):
            if draft.move(first):
                break
    for _ in range(moves):
        draft.move()
    for _ in range(2):
        draft.move("read")
    return draft


# -- running


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules of a project that is in memory."""

    def __init__(self, files: Files, root: Path) -> None:
        self.files = files
        self.root = root
        self.found: list[str] = ["toy.stages", "elsewhere"]

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        self.found.append(name)
        if name == "elsewhere":
            return importlib.machinery.ModuleSpec(name, self, origin=name)
        if name.partition(".")[0] != "toy":
            self.found.pop()
            return None
        base = name.replace(".", "/")
        for file, package in ((f"{base}/__init__.py", True), (f"{base}.py", False)):
            if file in self.files:
                spec = importlib.machinery.ModuleSpec(
                    name, self, origin=f"{self.root}/{file}", is_package=package
                )
                spec.has_location = True
                return spec
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        assert module.__spec__
        origin = str(module.__spec__.origin)
        if origin == "elsewhere":
            text = idioms.ELSEWHERE
        else:
            text = self.files[origin.removeprefix(f"{self.root}/")]
        exec(_compiled(text, origin), module.__dict__)


@functools.lru_cache(maxsize=4096)
def _compiled(text: str, origin: str) -> types.CodeType:
    return compile(text, origin, "exec", dont_inherit=True)


def _alarm(*given: object) -> None:
    raise TimeoutError("too long")


def _run_at_once(thread: threading.Thread) -> None:
    """Run a thread of a project here and now: an edit may make it start thousands."""
    with contextlib.suppress(Exception):
        thread.run()


@contextlib.contextmanager
def world(files: Files, root: Path = Path("/nowhere")) -> Iterator[Callable[[], types.ModuleType]]:
    """Import `toy.stages` from nothing, and leave nothing of it behind."""
    finder = Finder(files, root)
    kept = dict(os.environ)
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # the state that projects may use
    level = logging.root.manager.disable
    logging.disable()
    before = signal.signal(signal.SIGVTALRM, _alarm)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, SECONDS)
    sys.meta_path.insert(0, finder)
    try:
        with (
            warnings.catch_warnings(),
            np.errstate(),
            decimal.localcontext(),
            contextlib.redirect_stdout(io.StringIO()),
            mock.patch.multiple(
                threading.Thread, start=_run_at_once, join=lambda self, timeout=None: None
            ),
        ):
            warnings.simplefilter("ignore")
            yield lambda: importlib.import_module("toy.stages")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        sys.meta_path.remove(finder)
        for name in finder.found:
            sys.modules.pop(name, None)
        logging.disable(level)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        if os.environ != kept:
            os.environ.clear()
            os.environ.update(kept)


def check(files: Files) -> None:
    """Raise `RefusedError` unless a project loads and its stages return something plain."""
    results = outcome(files)
    for stage, result in (results or {}).items():
        if result.startswith("raised"):
            raise RefusedError(f"{stage} {result}")
    if results is None:
        raise RefusedError("does not load")


def outcome(
    files: Files, root: Path = Path("/nowhere"), stages: Sequence[str] = STAGES
) -> dict[str, str] | None:
    """What each stage returns when it is the first to run; None where the project can't load."""
    results = {}
    for stage in stages:
        if results and f"def {stage}():\n    return []" in files["toy/stages.py"]:
            results[stage] = shown([])
            continue
        with world(files, root) as load:
            try:
                function = getattr(load(), stage)
            except (Exception, SystemExit):
                return None
            try:
                results[stage] = shown(function())
            except (Exception, SystemExit) as error:
                with contextlib.suppress(Exception):
                    results[stage] = f"raised {type(error).__name__}"
                    results[stage] += f": {_plain(str(error))}"
    return results


def _plain(text: str) -> str:
    """A text without addresses in memory."""
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def shown(value: object, depth: int = 0) -> str:
    """Everything of a value that a later stage can tell."""
    inner = functools.partial(shown, depth=depth + 1)
    kind = type(value).__name__
    if depth > 8:
        return "..."
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {value.tolist()!r}"
    if isinstance(value, dict):
        return f"{kind} {[(inner(key), inner(item)) for key, item in value.items()]}"
    if isinstance(value, list | tuple):
        return f"{kind} {[inner(item) for item in value]}"
    if isinstance(value, set | frozenset):
        return f"{kind} {sorted(inner(item) for item in value)}"
    if isinstance(value, int | float | complex | str | bytes | None | np.generic):
        return _plain(repr(value))
    if isinstance(value, types.FunctionType | types.ModuleType | type):
        return type(value).__name__
    return f"object {inner(getattr(value, '__dict__', None))}"

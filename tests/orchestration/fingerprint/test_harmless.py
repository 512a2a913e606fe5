"""Edits that can't alter a result keep the digest; the nearest edits that can don't."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from orchestration.fingerprint import Fingerprint, SourceTree


def look(root: Path, source: str, name: str = "stage", **modules: str) -> Fingerprint:
    """Fingerprint a function of a project of one module, and of more by name."""
    for module, text in {"stages": source, "__init__": "", **modules}.items():
        path = root / "toy" / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return SourceTree(root, ["toy"]).fingerprint("toy.stages", name)


Edits = str | list[tuple[str, str]]


def case(name: str, source: str, harmless: Edits, harmful: Edits) -> Any:
    """A project, and two edits of it.

    Parameters
    ----------
    harmless, harmful
        Replacements: pairs, or one a line as "old -> new", with `\\n` for a new line.
    """
    source = textwrap.dedent(source)
    return pytest.param(source, edit(source, harmless), edit(source, harmful), id=name)


def edit(source: str, replacements: Edits) -> str:
    """Carry out replacements."""
    if isinstance(replacements, str):
        lines = filter(None, textwrap.dedent(replacements).splitlines())
        pairs = [line.replace("\\n", "\n").partition(" -> ")[::2] for line in lines]
    else:
        pairs = replacements
    for old, new in pairs:
        assert old in source, old
        source = source.replace(old, new)
    return source


CASES = [
    case(
        "a local variable",
        """
        def stage(x):
            total, count = 0, 0
            for item in x:
                total += item
                count += 1
            return total / count
        """,
        "total -> summed\ncount -> number\nitem -> one",
        "total / count -> count / total",
    ),
    case(
        "names of local variables are exchanged",
        "def stage(x):\n    a = x\n    b = -x\n    return a - 2 * b\n",
        "a = x -> tmp = x\nb = -x -> a = -x\na - 2 * b -> tmp - 2 * a",
        "a = x -> tmp = x\nb = -x -> a = -x\na - 2 * b -> a - 2 * tmp",
    ),
    case(
        "variables of a comprehension, a lambda and a loop",
        "def stage(x):\n    k = 2\n    return [i * j for i in x for j in x], (lambda: k)()\n",
        "i * j for i in x for j -> a * i for a in x for i",
        "i * j for i in x for j in x -> i * j for i in [k] for j in x",
    ),
    case(
        "a variable of a function around",
        """
        def stage(x):
            count = 0
            def inner():
                nonlocal count
                count += 1
                return count
            return inner() + count
        """,
        "count -> number",
        "nonlocal count\\n -> count = 0\\n",
    ),
    case(
        "what an exception and a pattern are bound to",
        """
        def stage(x):
            try:
                match x:
                    case {"a": [first, *others], **rest} as whole:
                        return first, others, rest, whole
            except ValueError as error:
                raise TypeError from error
        """,
        "first -> one\nothers -> more\nrest -> left\nwhole -> all_of_it\nerror -> wrong",
        "first, others, rest, whole\\n -> first, rest, others, whole\\n",
    ),
    case(
        "a variable in a method",
        """
        class Window:
            def rows(self, values):
                kept = values[1:]
                return kept

        def stage(x):
            return Window().rows(x)
        """,
        "kept -> rest",
        "return kept -> return values",
    ),
    case(
        "a name that hides one of the module",
        "size = 1\n\ndef stage(x):\n    width = x\n    return width + size\n",
        "width -> length",
        "width -> size",
    ),
    case(
        "else after return",
        """
        def stage(x):
            if x > 2:
                return 1
            elif x > 1:
                return 2
            else:
                y = x
            return y
        """,
        "    elif -> if\n    else:\\n        y = x -> y = x",
        "        return 2 -> pass",
    ),
    case(
        "else after raise and continue",
        """
        def stage(x):
            found = []
            for y in x:
                if y is None:
                    raise ValueError
                else:
                    if y:
                        continue
                    found.append(y)
            return found
        """,
        "else:\\n            if y:\\n                continue\\n            found.append(y)"
        " -> if y:\\n            continue\\n        else:\\n            found.append(y)",
        "continue -> pass",
    ),
    case(
        "else after an if whose branches both leave",
        """
        def stage(x):
            if x:
                if x > 1:
                    return 1
                else:
                    return 2
            else:
                y = 3
            return y
        """,
        "    else:\\n        y = 3\\n -> y = 3\\n",
        "            return 2 -> x = 2",
    ),
    case(
        "arithmetic on numbers and strings that are written out",
        'SECONDS = 60 * 60\nNAME = "a" + "b" * 2\n\ndef stage(x):\n'
        "    return x * -(2 ** 3), SECONDS, NAME, x + 1 / 4\n",
        '60 * 60 -> 3600\n"a" + "b" * 2 -> "abb"\n-(2 ** 3) -> -8\n1 / 4 -> 0.25',
        "60 * 60 -> 3600.0",
    ),
    case(
        "arithmetic that is too large to be done beforehand",
        "def stage(x):\n    return 10 ** 400, 2 << 9000, 'a' * 99999, 1 / 0\n",
        "stage(x) -> stage( x )",
        "1 / 0 -> 2 / 0",
    ),
    case(
        "a constant that only looks like arithmetic",
        "def stage(x):\n    return True + 1, x * 60 * 60, 2 - 0.0\n",
        "2 - 0.0 -> 2.0",
        "x * 60 * 60 -> x * 3600",
    ),
    case(
        "a helper, its parameters and a constant",
        """
        WIDTH = 2
        LOW, HIGH = 1, 2

        def fold(values, *, width=WIDTH, low=LOW):
            return fold(values[width:], low=low) if values else low + HIGH

        def stage(x):
            return fold(x, low=3, width=4)
        """,
        "fold -> folded\nwidth -> size\nlow -> bottom\nWIDTH -> SIZE\nHIGH -> TOP\nLOW -> BOTTOM",
        "low=3, width=4 -> width=3, low=4",
    ),
    case(
        "parameters that are given by place",
        "def f(a, b, /, c):\n    return a - b * c\n\ndef stage(x):\n    return f(x, 2, c=3)\n",
        "f(a, b, /, c) -> f(c, a, /, b)\na - b * c -> c - a * b\nc=3 -> b=3",
        "f(a, b, /, c) -> f(b, a, /, c)",
    ),
    case(
        "parameters that are given by name",
        "def f(a, b):\n    return a - b\n\ndef stage(x):\n    return f(a=x, b=2)\n",
        "f(a, b) -> f(c, b)\na - b -> c - b\na=x -> c=x",
        "f(a, b) -> f(b, a)\na - b -> b - a",
    ),
    case(
        "the order of keyword arguments that are names and constants",
        "W = 1\n\ndef f(x, a, b=2, c=3):\n    return x, a, b, c\n\n"
        "def stage(x):\n    return f(x, a=W, c=x, b='k')\n",
        "a=W, c=x, b='k' -> b='k', a=W, c=x",
        "a=W, c=x -> a=x, c=W",
    ),
    case(
        "the order of keyword arguments of a built-in function",
        "def stage(x):\n    return sorted(x, key=len, reverse=True)\n",
        "key=len, reverse=True -> reverse=True, key=len",
        "reverse=True -> reverse=False",
    ),
    case(
        "the order of keyword arguments of what collects them",
        "def f(**given):\n    return given\n\ndef stage(x):\n    return f(a=1, b=2)\n",
        "given -> kept",
        "a=1, b=2 -> b=2, a=1",
    ),
    case(
        "the order of keyword arguments of a class that collects them",
        "class C:\n    def __init__(self, **given):\n        self.given = given\n\n"
        "def stage(x):\n    return C(a=1, b=2).given\n",
        "stage(x) -> stage( x )",
        "a=1, b=2 -> b=2, a=1",
    ),
    case(
        "the order of keyword arguments of another's function",
        "def stage(x):\n    return dict(a=1, b=2)\n",
        "stage(x) -> stage( x )",
        "a=1, b=2 -> b=2, a=1",
    ),
    case(
        "the order of keyword arguments that do something",
        "def f(a, b):\n    return a, b\n\ndef stage(x):\n    return f(a=next(x), b=next(x))\n",
        "stage(x) -> stage( x )",
        "a=next(x), b=next(x) -> b=next(x), a=next(x)",
    ),
    case(
        "a helper that is imported inside a function",
        "def stage(x):\n    from toy.stages import f\n    return f(x, width=1)\n\n"
        "def f(x, width):\n    return x, width\n\ndef g(x, width):\n    return width\n",
        "import f -> import once\n f( ->  once(\nwidth -> size",
        "import f -> import g as f",
    ),
    case(
        "names of tables that can be told apart",
        "A = [1]\nB = [2]\n\ndef f(x):\n    A.append(x)\n    return B\n\n"
        "def stage(x):\n    return f(x)\n",
        "A -> FIRST\nB -> SECOND",
        "return B -> return A",
    ),
    case(
        "a helper whose result is kept",
        "import functools\n\n@functools.lru_cache(maxsize=None)\ndef f(x):\n    return [x]\n\n"
        "def stage(x):\n    return f(x)\n",
        "f(x) -> once(x)",
        "[x] -> x",
    ),
    case(
        "a class of which only attributes are used",
        """
        from dataclasses import dataclass

        class Window:
            def __init__(self, start, stop):
                self.start = start
                self.stop = stop

            def rows(self, values):
                return self.cut(values)

            def cut(self, values):
                return values[self.start : self.stop]

        @dataclass(frozen=True)
        class Scale:
            factor: int = 2

            @property
            def double(self):
                return 2 * self.factor

        def stage(x):
            window = Window(start=1, stop=3)
            return window.rows(x), Window(1, 2).cut(x), Scale(3).double, window.stop
        """,
        "Window -> Frame\nScale -> Factor\nstart=1, stop=3 -> stop=3, start=1",
        "Scale(3).double -> Window(3, 1).double",
    ),
    case(
        "an entry of a table that no one looks up",
        """
        def double(x):
            return 2 * x

        def triple(x):
            return 3 * x

        TABLE = {"double": double, "triple": triple}

        def stage(x):
            return TABLE["double"](x)
        """,
        [('"triple": triple}', '"triple": triple, "four": lambda x: 4 * x}'), ("3 *", "x * 3 *")],
        [('TABLE["double"]', 'TABLE["triple"]')],
    ),
    case(
        "an entry of a table that is looked up",
        "def f(x):\n    return x\n\nTABLE = {1: f, 'b': 2}\n\n"
        "def stage(x):\n    return TABLE[1](x)\n",
        "2} -> 3}",
        "1: f -> 1: max",
    ),
    case(
        "the order of methods",
        """
        class Window:
            size = 1

            def rows(self, values):
                return self.cut(values)

            @property
            def wide(self):
                return self.size

            @wide.setter
            def wide(self, value):
                self.size = value

            def cut(self, values=2):
                return values

        def stage(x):
            return [Window()], Window
        """,
        [
            ("    def rows(self, values):\n        return self.cut(values)\n\n", ""),
            (
                "    def cut(self, values=2):\n        return values\n",
                "    def cut(self, values=2):\n        return values\n\n"
                "    def rows(self, values):\n        return self.cut(values)\n",
            ),
        ],
        [("    def cut", "    def wide")],
    ),
    case(
        "the order of methods that something else in the class uses",
        "class Window:\n    def a(self):\n        return 1\n\n    b = a\n\n"
        "    def a(self):\n        return 2\n\ndef stage(x):\n    return Window().b()\n",
        "stage(x) -> stage( x )",
        "return 1 -> return 3\nreturn 2 -> return 1\nreturn 3 -> return 2",
    ),
    case(
        "a method that no one uses",
        """
        class Window:
            size = 1

            def rows(self, values):
                return values[self.size :]

        def stage(x):
            window = Window()
            return window.rows(x)
        """,
        [("size = 1\n", "size = 1\n\n    def spare(self, by=2):\n        return elsewhere(by)\n")],
        [("size = 1\n", "size = 1\n\n    def __getattribute__(self, name):\n        return 1\n")],
    ),
]


@pytest.mark.parametrize(("before", "harmless", "harmful"), CASES)
def test_a_harmless_edit_keeps_the_digest_and_its_harmful_twin_does_not(
    tmp_path: Path, before: str, harmless: str, harmful: str
) -> None:
    first = look(tmp_path / "before", before)
    if before != harmless:
        assert look(tmp_path / "harmless", harmless).digest == first.digest
    assert look(tmp_path / "harmful", harmful).digest != first.digest
    assert not first.dynamic


LOCALS = {
    "locals": "return locals()",
    "vars": "return vars()",
    "dir": "return dir()",
    "dir as a value": "return [f() for f in [dir]]",
    "inspect as a value": "import inspect\n    return getattr(inspect, 'currentframe')()",
    "eval": "return eval('width')",
    "exec": "exec('x = width')\n    return x",
    "a query": "return x.query('a > @width')",
    "an expression of pandas": "import pandas as pd\n    return pd.eval('width + 1')",
    "an expression of numexpr": "import numexpr\n    return numexpr.evaluate('width + 1')",
    "a frame": "import sys\n    return sys._getframe().f_locals",
    "a function that reads its caller's frame": "return caller()",
    "the code of a function": "return stage.__code__.co_varnames",
    "the code of a function, by a written name": "return getattr(stage, '__code__')",
}


@pytest.mark.parametrize("how", LOCALS)
def test_a_local_variable_that_can_be_read_by_name_counts(tmp_path: Path, how: str) -> None:
    source = (
        "import inspect\n\n\ndef caller():\n    return inspect.stack()[1].frame.f_locals\n\n\n"
        "def helper(x):\n    width = 2 * x\n    return width\n\n\n"
        f"def stage(x):\n    width = helper(x)\n    {LOCALS[how]}\n"
    )
    first = look(tmp_path / "before", source)
    renamed = source.replace("width = helper(x)", "size = helper(x)")
    assert look(tmp_path / "after", renamed).digest != first.digest


# ---- Messages ------------------------------------------------------------------------------------

LOGGED = """\
import logging
import sys
import time
from dataclasses import dataclass

import dagster as dg

logger = logging.getLogger(__name__)
RECORDS = []


class Recorder:
    def info(self, *values):
        RECORDS.append(values)


class Counter:
    count = 0

    @property
    def following(self):
        self.count += 1
        return self.count

    @property
    def double(self):
        return 2 * self.count

    def mean(self):
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


recorder = Recorder()


def register(x):
    RECORDS.append(x)
    return x


def helper(context, x):
    rest = iter(x)
    # here
    return len(RECORDS), next(rest)


@dg.asset
def stage(context: dg.AssetExecutionContext, x):
    log = logging.getLogger("toy")
    # there
    return helper(context, x)
"""


def logged(tmp_path: Path, line: str, place: str = "# here", source: str = LOGGED) -> bool:
    """Whether a line counts."""
    assert place in source
    first = look(tmp_path / "before", source)
    assert not first.dynamic
    return look(tmp_path / "after", source.replace(place, line)).digest != first.digest


@pytest.mark.parametrize(
    "line",
    [
        'logger.info("started")',
        'logger.debug("%s of %d", x, len(x))',
        'logger.warning(f"{x!r:>10} {x.double} {len(x) / 3:.1f} {x.shape[0]}", exc_info=True)',
        'logger.log(10, "%s", x, extra={"at": time.time()})',
        'logger.info("%s %s", *(x.total_seconds(), x is None))',
        'logging.info("started")',
        'logging.getLogger("other").error("started %s", x if x else None)',
        'print("started", x, sep=", ", file=sys.stderr)',
        "print()",
    ],
)
def test_a_message_does_not_count(tmp_path: Path, line: str) -> None:
    assert not logged(tmp_path, line)
    assert not logged(tmp_path, line, "# there")


@pytest.mark.parametrize("line", ['log.info("%s", x)', 'context.log.info(f"{x}")'])
def test_a_message_to_a_logger_of_the_stage_does_not_count(tmp_path: Path, line: str) -> None:
    assert not logged(tmp_path, line, "# there")


@pytest.mark.parametrize(
    "line",
    [
        'logger.info("%s", register(1))',
        'logger.info("%s", list(rest))',
        'logger.info("%s", sum(rest))',
        'logger.info(", ".join(rest))',
        'logger.info("%s", 1 in rest)',
        'logger.info("%s", *rest)',
        'logger.info("%s", next(rest))',
        'logger.info("%s", [y for y in rest])',
        'logger.info("%s", (x := 2))',
        'logger.info("%s", x["new key of a defaultdict"])',
        'logger.info("%s", x.following)',
        'logger.info("%s", x.mean())',
        'logger.info("%s", nowhere)',
        'logger.info("%s", 1 / len(x))',
        'logger.info("%s", int(x))',
        'recorder.info("started")',
        'context.log.info("of an unknown object")',
        'x.info("of an unknown object")',
        'print("started", file=x)',
        'logging.getLogger(register("toy")).info("started")',
        "logger = logging.getLogger(register(x))",
        'len(logger.info("started") or [])',
    ],
)
def test_a_call_that_may_do_more_than_tell_counts(tmp_path: Path, line: str) -> None:
    assert logged(tmp_path, line)


@pytest.mark.parametrize(
    "reader",
    [
        "class Handler(logging.Handler):\n    emit = RECORDS.append\n\n"
        "logging.getLogger().addHandler(Handler())\n",
        "import logging.handlers\n\nlogging.getLogger().addHandler("
        "logging.handlers.MemoryHandler(9))\n",
        "logger.addFilter(RECORDS.append)\n",
    ],
)
def test_a_message_that_is_read_counts(tmp_path: Path, reader: str) -> None:
    source = LOGGED.replace("class Recorder", f"{reader}\n\nclass Recorder")
    assert logged(tmp_path, 'logger.info("started")', source=source)


def test_a_message_that_is_printed_where_it_is_read_counts(tmp_path: Path) -> None:
    source = LOGGED.replace("import sys", "import contextlib, io\nimport sys").replace(
        "    return helper(context, x)",
        "    with contextlib.redirect_stdout(io.StringIO()) as printed:\n"
        "        helper(context, x)\n"
        "    return printed.getvalue()",
    )
    assert logged(tmp_path, 'print("started")', source=source)


def test_a_logger_that_is_replaced_counts(tmp_path: Path) -> None:
    source = LOGGED.replace("recorder = Recorder()", "recorder = Recorder()\nlogger = recorder")
    assert logged(tmp_path, 'logger.info("started")', source=source)


def test_a_print_of_the_projects_own_counts(tmp_path: Path) -> None:
    source = LOGGED.replace(
        "def register", "def print(x):\n    RECORDS.append(x)\n\n\ndef register"
    )
    assert logged(tmp_path, 'print("started")', source=source)


def test_a_logger_of_another_module_is_one(tmp_path: Path) -> None:
    source = "from toy.told import logger\n\n\ndef stage(x):\n    # here\n    return x\n"
    told = "import logging\n\nlogger = logging.getLogger('toy')\n"
    first = look(tmp_path / "before", source, told=told).digest
    edited = source.replace("# here", "logger.info('started')")
    assert look(tmp_path / "after", edited, told=told).digest == first
    told = told.replace("logging.getLogger('toy')", "RECORDS = []").replace(
        "logger = ", "logger = "
    )
    told += "\n\nclass Recorder:\n    info = RECORDS.append\n\n\nlogger = Recorder()\n"
    first = look(tmp_path / "own before", source, told=told).digest
    assert look(tmp_path / "own after", edited, told=told).digest != first


# ---- Names ---------------------------------------------------------------------------------------


NAMED = {
    "a function shows its name": ("f", "return f.__name__"),
    "a function is handed to another's": ("f", "return x.agg([f])"),
    "a function is an entry": ("f", "return {'a': f}[x](1)"),
    "a function is returned": ("f", "return f"),
    "a function is given by keyword": ("f", "return x.apply(function=f)"),
    "all names are listed": ("f", "return list(globals()), f(1)"),
    "a name is looked up": ("f", "return globals()[x](f(1))"),
    "a name of a module is looked up": (
        "f",
        "from toy import stages\n    return getattr(stages, x)",
    ),
    "a module is handed on": ("f", "from toy import stages\n    return x(stages)"),
    "a name is evaluated": ("f", "return eval('f(1)'), f(1)"),
    "a constant is evaluated": ("WIDTH", "return eval('WIDTH')"),
    "a constant is looked up": ("WIDTH", "return globals()[x]"),
    "a function is decorated by an unknown": ("g", "return g(1)"),
    "a parameter is named by who knows": ("width", "return x(f)"),
    "a parameter is named by a mapping": ("width", "return f(1, **x)"),
    "a parameter of one of two functions": ("size", "return h(1, size=2)"),
    "an inner function shows its name": ("f", "return f(1)().__qualname__"),
    "a parameter of the stage": ("x", "return x"),
}


@pytest.mark.parametrize("what", NAMED)
def test_a_name_that_may_be_read_counts(tmp_path: Path, what: str) -> None:
    name, use = NAMED[what]
    source = f"""\
import keras

WIDTH = 3


def f(value, width=1):
    def inner():
        return width
    return inner


@keras.saving.register_keras_serializable()
def g(value):
    return value


if WIDTH > 2:
    def h(value, size):
        return size
else:
    def h(size, value):
        return size


def stage(x):
    {use}
"""
    first = look(tmp_path / "before", source).digest
    renamed = re.sub(rf"\b{name}\b", "renamed", source)
    assert look(tmp_path / "after", renamed).digest != first


TABLES = {
    "a computed key": ("", "return TABLE[x](x)"),
    "a key that is missing": ("", "return TABLE['c'](x)"),
    "a table as a value": ("", "return len(TABLE), TABLE['a'](x)"),
    "a method of the table": ("", "return TABLE.get('a')(x)"),
    "a table that is changed": ("TABLE['d'] = f\n", "return TABLE['a'](x)"),
    "a table that is changed in the stage": ("", "TABLE['a'] = x\n    return TABLE['a']"),
    "a table that is changed by another name": ("b = TABLE\nb['a'] = f\n", "return TABLE['a'](x)"),
    "a table that is bound twice": ("TABLE = TABLE | {'a': f}\n", "return TABLE['a'](x)"),
    "a table that is bound in a function": (
        "def g():\n    global TABLE\n    TABLE = {}\n\n\ng()\n",
        "return TABLE['a'](x)",
    ),
}


@pytest.mark.parametrize("what", TABLES)
def test_a_new_entry_counts_where_it_may_be_found(tmp_path: Path, what: str) -> None:
    more, use = TABLES[what]
    source = "def f(x):\n    return x\n\n\nTABLE = {'a': f, 'b': 1}\n"
    source += f"{more}\n\ndef stage(x):\n    {use}\n"
    first = look(tmp_path / "before", source).digest
    assert look(tmp_path / "after", source.replace("'b': 1", "'b': 1, 'c': f")).digest != first


def test_which_of_two_equal_entries_counts(tmp_path: Path) -> None:
    source = "TABLE = {'a': [], 'b': []}\n\n\ndef f(x):\n    TABLE['a'].append(x)\n\n\n"
    source += "def stage(x):\n    f(x)\n    return TABLE['b']\n"
    first = look(tmp_path / "before", source).digest
    assert (
        look(tmp_path / "after", source.replace("return TABLE['b']", "return TABLE['a']")).digest
        != first
    )


ENUM = """\
import enum


class Kind(enum.Enum):
    A = 1
    B = 2


def helper(x):
    return x


def stage(x):
    # here
    return helper(Kind.A)
"""


@pytest.mark.parametrize("line", ["1", "y = Kind.B.value", "match x:\n        case Kind.B: pass"])
def test_a_member_that_no_one_names_does_not_count(tmp_path: Path, line: str) -> None:
    source = ENUM.replace("# here", line)
    first = look(tmp_path / "before", source).digest
    assert look(tmp_path / "added", source.replace("    A", "    C = 3\n    A")).digest == first
    gone = look(tmp_path / "gone", source.replace("    B = 2\n", "")).digest
    assert (gone == first) == (line == "1")
    assert look(tmp_path / "changed", source.replace("A = 1", "A = 3")).digest != first
    assert look(tmp_path / "renamed", source.replace("Kind", "Sort")).digest != first


@pytest.mark.parametrize(
    "line",
    [
        "y = list(Kind)",
        "y = Kind(x)",
        "Kind(x)",
        "from toy import stages\n    stages.Kind(x)",
        "y = Kind[x]",
        "y = len(Kind)",
        "y = getattr(Kind, 'C', 0)",
        "y = Kind.__members__",
        "y = x in Kind",
        "y = list(type(x))",
        "y = list(x.__class__)",
        "y = dir(Kind)",
    ],
)
def test_a_new_member_counts_where_members_may_be_listed(tmp_path: Path, line: str) -> None:
    source = ENUM.replace("# here", line)
    first = look(tmp_path / "before", source).digest
    assert look(tmp_path / "added", source.replace("    A", "    C = 3\n    A")).digest != first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    A", "    C = 1\n    A"),  # `A` is then another name of `C`
        ("    A", "    C = enum.auto()\n    A"),
        ("    A", "    _ignore_ = ['A']\n    A"),
        ("    A", "    def _missing_(cls, value): return cls.A\n    A"),
        ("enum.Enum", "enum.IntFlag"),
    ],
)
def test_what_else_is_in_an_enumeration_counts(tmp_path: Path, old: str, new: str) -> None:
    first = look(tmp_path / "before", ENUM).digest
    assert look(tmp_path / "after", ENUM.replace(old, new)).digest != first


def test_a_method_that_getattr_names_counts(tmp_path: Path) -> None:
    source = "class C:\n    def run(self):\n        return 1\n\n\n"
    source += "def stage(x):\n    return C().run if x else getattr(C, 'spare')(x)\n"
    source = source.replace("C().run", "C().run()").replace(
        "    def run", "    def spare(self):\n        return 1\n\n    def run"
    )
    first = look(tmp_path / "before", source).digest
    assert look(tmp_path / "after", source.replace("return 1", "return 2", 1)).digest != first


KINDS = {
    "it is returned": "return C()",
    "it is returned later": "made = C()\n    return made",
    "it is handed on": "return repr(C())",
    "it is printed": "made = C()\n    return f'{made}'",
    "it is kept in a list": "return [C()][0].run()",
    "its class is asked for": "return type(C()).__name__",
    "its class is asked for as an attribute": "return C().__class__.__name__",
    "it is compared": "return x == C()",
    "it is rebound": "made = C()\n    if x:\n        made = x\n    return made.run()",
    "it is bound by a loop": "made = C()\n    for made in x:\n        1\n    return made.run()",
    "it goes into a closure": "made = C()\n    return lambda: made",
    "it is a global": "global made\n    made = C()\n    return made.run()",
    "its method is a value": "return list(map(C().run, x))",
    "its method is a value of a variable": "made = C()\n    return map(made.run, x)",
    "the class is a value": "return [C]",
    "the class is asked": "return isinstance(x, C)",
    "the class shows its name": "return C.__name__",
    "it is made by a subclass": "class D(C):\n        pass\n    return D().run()",
    "it is made by what is imported here": "from toy.stages import C as D\n    return D().run()",
    "it hands itself on": "return Out().run()",
    "its base hands it on": "return Under().run()",
    "its class makes others": "return Maker.make()",
    "it is of another's base": "return Layer().run()",
    "it is registered": "return Registered().run()",
    "it is decorated": "return Decorated().run()",
    "its name is part of an attribute's": "return Mangled().run()",
    "it is a stage's input": "return 1",
}
NAMES = {
    "its base hands it on": "Under", "it hands itself on": "Out", "its class makes others": "Maker",
    "it is of another's base": "Layer", "it is registered": "Registered",
    "it is decorated": "Decorated", "its name is part of an attribute's": "Mangled",
}  # fmt: skip


@pytest.mark.parametrize("what", KINDS)
def test_the_name_and_spare_methods_of_a_class_that_gets_out_count(
    tmp_path: Path, what: str
) -> None:
    source = f"""\
import elsewhere


class Base:
    def __init_subclass__(cls):
        KINDS.append(cls)


KINDS = []


class C:
    # C

    def run(self):
        return 1


class Out:
    # Out

    def run(self):
        return repr(self)


class Under(Out):
    # Under

    def more(self):
        return 1


class Maker:
    # Maker

    @classmethod
    def make(cls):
        return [cls()]


class Layer(elsewhere.Layer):
    # Layer

    def run(self):
        return 1


class Registered(Base):
    # Registered

    def run(self):
        return 1


@elsewhere.register
class Decorated:
    # Decorated

    def run(self):
        return 1


class Mangled:
    # Mangled

    def run(self):
        self.__own = 1
        return vars(self)


def stage(x: {"C" if what == "it is a stage's input" else "int"}):
    {KINDS[what]}
"""
    name = NAMES.get(what, "C")
    first = look(tmp_path / "before", source).digest
    renamed = re.sub(rf"\b{name}\b", "Renamed", source)
    assert look(tmp_path / "renamed", renamed).digest != first
    spare = source.replace(f"# {name}\n", "def spare(self):\n        return 1\n")
    assert spare != source
    assert look(tmp_path / "spare", spare).digest != first


def test_a_method_counts_that_is_named_anywhere_or_inherited(tmp_path: Path) -> None:
    source = """\
    import abc

    class Base(abc.ABC):
        @abc.abstractmethod
        def must(self): ...

        def run(self):
            return 1

    class C(Base):
        def run(self):
            return 2

        def must(self):
            return 1

    def stage(x):
        return C().run()

    def other(x):
        return x.spare()
    """
    first = look(tmp_path / "before", source).digest
    gone = source.replace("    def must(self):\n            return 1\n", "")
    assert look(tmp_path / "gone", gone).digest != first
    for name, counts in (("spare", True), ("unused", False)):
        added = source.replace(
            "        def must(self):\n            return",
            f"        def {name}(self):\n            return 1\n\n"
            "        def must(self):\n            return",
        )
        assert (look(tmp_path / name, added).digest != first) == counts


ALIKE = {
    "lists": "A = []\nB = []\n\n\ndef f(x):\n    A.append(x)\n    return [B]\n",
    "lists in two functions": "A = []\nB = []\n\n\n"
    "def f(x):\n    A.append(x)\n    return g(x)\n\n\ndef g(x):\n    return [B]\n",
    "defaults": "def a(x, kept=[]):\n    kept.append(x)\n    return kept\n\n\n"
    "def b(x, kept=[]):\n    kept.append(x)\n    return kept\n\n\n"
    "def f(x):\n    A, B = a, b\n    return a(x), [B][0](x)\n",
    "classes": "class A:\n    pass\n\n\nclass B:\n    pass\n\n\n"
    "def f(x):\n    A.width = x\n    return [B]\n",
    "names of one statement": "A, B = [], []\n\n\ndef f(x):\n    A.append(x)\n    return [B]\n",
    "functions in a list": "def A(x):\n    return x\n\n\ndef B(x):\n    return x\n\n\n"
    "def f(x):\n    return x.agg([A, B])\n",
    "caches": "import functools\n\n\n@functools.cache\ndef A(x):\n    return [x]\n\n\n"
    "@functools.cache\ndef B(x):\n    return [x]\n\n\n"
    "def f(x):\n    A(x).append(1)\n    return [B][0](x), B(x)\n",
}


@pytest.mark.parametrize("what", ALIKE)
def test_which_of_two_things_is_used_counts_where_they_look_alike(
    tmp_path: Path, what: str
) -> None:
    source = f"{ALIKE[what]}\n\ndef stage(x):\n    return f(x)\n"
    edited = source.replace("[B]", "[A]").replace("[A, B]", "[B, A]")
    assert edited != source
    first = look(tmp_path / "before", source).digest
    assert look(tmp_path / "after", edited).digest != first


def test_what_a_stage_is_called_does_not_count(tmp_path: Path) -> None:
    source = 'import dagster as dg\n\n\n@dg.asset(name="a")\ndef stage(x):\n    return x\n'
    first = look(tmp_path / "before", source).digest
    renamed = source.replace("stage", "other")
    assert look(tmp_path / "after", renamed, "other").digest == first
    renamed = source.replace("stage(x)", "stage(y)").replace("return x", "return y")
    assert look(tmp_path / "input", renamed).digest != first


def test_modules_that_a_computed_name_may_mean_count_by_name(tmp_path: Path) -> None:
    source = "import importlib\n\n\ndef stage(x):\n    return importlib.import_module(f'toy.{x}')\n"
    one, two = "W = 1\n", "W = 2\n"
    first = look(tmp_path / "before", source, one=one, two=two).digest
    assert look(tmp_path / "after", source, one=two, two=one).digest != first


def test_which_name_of_several_is_used_counts(tmp_path: Path) -> None:
    source = "A, (B, C) = 1, (2, 3)\n\n\ndef stage(x):\n    return B\n"
    first = look(tmp_path / "before", source).digest
    for name in "AC":
        edited = source.replace("return B", f"return {name}")
        assert look(tmp_path / name, edited).digest != first


def test_a_name_that_a_class_takes_from_around_it_counts(tmp_path: Path) -> None:
    source = """\
    size = 1

    class Window:
        size = size

    def stage(x):
        return Window.size
    """
    first = look(tmp_path / "before", source).digest
    assert look(tmp_path / "after", source.replace("size = 1", "size = 2")).digest != first


def test_what_a_query_names_counts(tmp_path: Path) -> None:
    source = "LIMIT = 1\n\n\ndef stage(x):\n    return x.query('a > @LIMIT')\n"
    first = look(tmp_path / "before", source).digest
    assert look(tmp_path / "after", source.replace("LIMIT = 1", "LIMIT = 2")).digest != first

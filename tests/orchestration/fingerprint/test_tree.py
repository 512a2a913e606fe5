"""What counts as a change of a stage's code, and what does not."""

from __future__ import annotations

import ast
import enum
import functools
import importlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestration.fingerprint import (
    Fingerprint,
    SourceError,
    SourceTree,
    cells,
    changed,
    source_files,
)

Files = Mapping[str, str]


def write(root: Path, files: Files) -> None:
    """Write a project: contents by path within it."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content))
    for folder in {path.parent for path in root.rglob("*.py")} - {root}:
        (folder / "__init__.py").touch()


def look(root: Path, name: str = "stage", module: str = "toy.stages") -> Fingerprint:
    """Fingerprint one function of the project."""
    return SourceTree(root, ["toy"]).fingerprint(module, name)


def edit(files: Files, edits: tuple[tuple[str, str, str], ...]) -> dict[str, str]:
    """Replace text in files; each old text must be there."""
    edited = {name: textwrap.dedent(content) for name, content in files.items()}
    for name, old, new in edits:
        assert old in edited[name], f"{old!r} is not in {name}"
        edited[name] = edited[name].replace(old, new)
    return edited


def both(tmp_path: Path, before: Files, after: Files, name: str) -> tuple[Fingerprint, Fingerprint]:
    write(tmp_path / "before", before)
    write(tmp_path / "after", after)
    return look(tmp_path / "before", name), look(tmp_path / "after", name)


# ---- What counts: `stage` changes, `bystander` in the same file does not ------------------------

BYSTANDER = """

def bystander(x):
    return helpers.other(x)
"""
OTHER = """

def other(x):
    return x
"""


def case(helpers: str, stage: str, *edits: tuple[str, str, str], name: str, **files: str) -> Any:
    """One edit that counts: `helpers.py`, `stages.py`, and more files by name."""
    project = {
        "toy/helpers.py": textwrap.dedent(helpers) + OTHER,
        "toy/stages.py": "from toy import helpers\n" + textwrap.dedent(stage) + BYSTANDER,
    }
    project |= {
        path.replace("__", "/", 1) + ".py": textwrap.dedent(text) for path, text in files.items()
    }
    return pytest.param(project, edits, id=name)


H, S = "toy/helpers.py", "toy/stages.py"
USES_F = """
def stage(x):
    return helpers.f(x)
"""

COUNTS = [
    case(
        "def f(x):\n    return x\n",
        "def stage(x):\n    return helpers.f(x) + 1\n",
        (S, "+ 1", "+ 2"),
        name="its own body",
    ),
    case("def f(x):\n    return x + 1\n", USES_F, (H, "x + 1", "x + 2"), name="a helper"),
    case(
        """
        def f(x):
            return g(x)

        def g(x):
            return h(x)

        def h(x):
            return x + 1
        """,
        USES_F,
        (H, "x + 1", "x + 2"),
        name="a helper three calls away",
    ),
    case(
        "from toy.deep.one import g\n\ndef f(x):\n    return g(x)\n",
        USES_F,
        ("toy/deep/two.py", "x + 1", "x + 2"),
        name="a helper of a helper, in other modules",
        **{
            "toy__deep/one": "from .two import h\n\ndef g(x):\n    return h(x)\n",
            "toy__deep/two": "def h(x):\n    return x + 1\n",
        },
    ),
    case(
        """
        class C:
            def method(self, x):
                return x + 1

        def f(x):
            return C().method(x)
        """,
        USES_F,
        (H, "x + 1", "x + 2"),
        name="a method",
    ),
    case(
        "class C:\n    width = 1\n\ndef f(x):\n    return C.width\n",
        USES_F,
        (H, "width = 1", "width = 2"),
        name="a class attribute",
    ),
    case(
        "class C:\n    class D:\n        def m(self):\n            return 1\n",
        "def stage(x):\n    return helpers.C.D().m()\n",
        (H, "return 1", "return 2"),
        name="a nested class",
    ),
    case(
        "class C:\n    @property\n    def p(self):\n        return 1\n",
        "def stage(x):\n    return helpers.C().p\n",
        (H, "return 1", "return 2"),
        name="a property",
    ),
    case(
        "class C:\n    @property\n    def p(self):\n        return 1\n",
        "def stage(x):\n    return helpers.C().p\n",
        (H, "    @property\n", ""),
        name="a decorator of a method",
    ),
    case("W = 1\n", "def stage(x):\n    return helpers.W\n", (H, "1", "2"), name="a constant"),
    case(
        "W = 1\nW += 1\n",
        "def stage(x):\n    return helpers.W\n",
        (H, "+= 1", "+= 2"),
        name="an augmented constant",
    ),
    case(
        "A, (B, *C) = 1, (2, 3)\n",
        "def stage(x):\n    return helpers.B\n",
        (H, "(2, 3)", "(4, 3)"),
        name="a constant that is unpacked",
    ),
    case("A = B = 1\n", "def stage(x):\n    return helpers.B\n", (H, "1", "2"), name="A = B = 1"),
    case(
        "if (n := 3) > 2:\n    W = n\n",
        "def stage(x):\n    return helpers.W\n",
        (H, ":= 3", ":= 4"),
        name="a walrus in a condition",
    ),
    case(
        "W = [m := 3, m + 1]\n",
        "def stage(x):\n    return helpers.m\n",
        (H, "3", "4"),
        name="a walrus in a constant",
    ),
    case(
        "N = 2\nW = [i * N for i in range(3)]\n",
        "def stage(x):\n    return helpers.W\n",
        (H, "N = 2", "N = 3"),
        name="a comprehension in a constant",
    ),
    case(
        "f = lambda x: x + 1\n", USES_F, (H, "x + 1", "x + 2"), name="a constant that is a lambda"
    ),
    case("def f(x, width=1):\n    return x\n", USES_F, (H, "width=1", "width=2"), name="a default"),
    case(
        "W = 1\n\ndef f(x, *, width=W):\n    return x\n",
        USES_F,
        (H, "W = 1", "W = 2"),
        name="a constant as a default",
    ),
    case(
        """
        def twice(g):
            return lambda x: 2 * g(x)

        @twice
        def f(x):
            return x
        """,
        USES_F,
        (H, "2 * g", "3 * g"),
        name="a decorator",
    ),
    case(
        "import functools\n\n@functools.lru_cache(maxsize=1)\ndef f(x):\n    return x\n",
        USES_F,
        (H, "maxsize=1", "maxsize=2"),
        name="an argument of a decorator of another's",
    ),
    case(
        """
        def mark(cls):
            cls.width = 1
            return cls

        @mark
        class C:
            pass
        """,
        "def stage(x):\n    return helpers.C.width\n",
        (H, "width = 1", "width = 2"),
        name="a decorator of a class",
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "def stage(x):\n    return list(map(helpers.f, x))\n",
        (H, "x + 1", "x + 2"),
        name="a function passed as a value",
    ),
    case(
        "def f(x):\n    return x + 1\n\nTABLE = {'f': f}\n",
        "def stage(x):\n    return helpers.TABLE[x](x)\n",
        (H, "x + 1", "x + 2"),
        name="a function in a dict",
    ),
    case(
        "def f(x):\n    return x + 1\n\nSTEPS = [f]\n",
        "def stage(x):\n    return helpers.STEPS[0](x)\n",
        (H, "x + 1", "x + 2"),
        name="a function in a list",
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "from toy.helpers import f as g\n\ndef stage(x):\n    return g(x)\n",
        (H, "x + 1", "x + 2"),
        name="a name imported under an alias",
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "import toy.helpers as z\n\ndef stage(x):\n    return z.f(x)\n",
        (H, "x + 1", "x + 2"),
        name="import a.b as z",
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "import toy.helpers\n\ndef stage(x):\n    return toy.helpers.f(x)\n",
        (H, "x + 1", "x + 2"),
        name="import a.b",
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "from . import helpers as z\n\ndef stage(x):\n    return z.f(x)\n",
        (H, "x + 1", "x + 2"),
        name="a relative import",
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "def stage(x):\n    from toy.helpers import f as g\n    return g(x)\n",
        (H, "x + 1", "x + 2"),
        name="an import inside the function",
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "def stage(x):\n    import toy.helpers as z\n    return [z.f(y) for y in x]\n",
        (H, "x + 1", "x + 2"),
        name="a module imported inside the function",
    ),
    case(
        "",
        "from toy import deep\n\ndef stage(x):\n    return deep.f(x)\n",
        ("toy/deep/one.py", "x + 1", "x + 2"),
        name="through a package's __init__",
        **{
            "toy__deep/__init__": "from toy.deep.one import f\n",
            "toy__deep/one": "def f(x):\n    return x + 1\n",
        },
    ),
    case(
        "",
        "from toy.deep import f\n\ndef stage(x):\n    return f(x)\n",
        ("toy/deep/one.py", "x + 1", "x + 2"),
        name="through a star in a package's __init__",
        **{
            "toy__deep/__init__": "from .one import *\n",
            "toy__deep/one": "__all__ = ['f']\n\ndef f(x):\n    return x + 1\n",
        },
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "from toy.helpers import *\n\ndef stage(x):\n    return f(x)\n",
        (H, "x + 1", "x + 2"),
        name="a star",
    ),
    case(
        "class B:\n    def m(self):\n        return 1\n\nclass C(B):\n    pass\n",
        "def stage(x):\n    return helpers.C().m()\n",
        (H, "return 1", "return 2"),
        name="a base class",
    ),
    case(
        """
        class Meta(type):
            def __getattr__(cls, name):
                return 1

        class C(metaclass=Meta):
            pass
        """,
        "def stage(x):\n    return helpers.C.anything\n",
        (H, "return 1", "return 2"),
        name="a metaclass",
    ),
    case(
        "from functools import partial\n\ndef g(x, y):\n    return x + 1\n\nf = partial(g, y=2)\n",
        USES_F,
        (H, "x + 1", "x + 2"),
        name="the target of a functools.partial",
    ),
    case(
        "from functools import partial\n\ndef g(x, y):\n    return x + 1\n\nf = partial(g, y=2)\n",
        USES_F,
        (H, "y=2", "y=3"),
        name="an argument of a functools.partial",
    ),
    case(
        "def __getattr__(name):\n    return 1\n",
        "def stage(x):\n    return helpers.made_up\n",
        (H, "return 1", "return 2"),
        name="a module's __getattr__",
    ),
    case(
        "try:\n    import fast\nexcept ImportError:\n    fast = None\n\n"
        "def f(x):\n    return fast\n",
        USES_F,
        (H, "fast = None", "fast = 0"),
        name="an import in a try",
    ),
    case(
        """
        try:
            from toy.deep.one import g
        except ImportError:
            from toy.deep.two import g

        def f(x):
            return g(x)
        """,
        USES_F,
        ("toy/deep/two.py", "x + 1", "x + 2"),
        name="the other import in a try",
        **{
            "toy__deep/one": "def g(x):\n    return x\n",
            "toy__deep/two": "def g(x):\n    return x + 1\n",
        },
    ),
    case(
        """
        import sys

        if sys.version_info > (3, 11):
            def f(x):
                return x
        else:
            def f(x):
                return x + 1
        """,
        USES_F,
        (H, "x + 1", "x + 2"),
        name="a function defined on a condition",
    ),
    case(
        "FAST = True\n\nif FAST:\n    def f(x):\n        return x\n",
        USES_F,
        (H, "FAST = True", "FAST = False"),
        name="the condition of a definition",
    ),
    case(
        "TABLE = {}\nTABLE['a'] = 1\n",
        "def stage(x):\n    return helpers.TABLE\n",
        (H, "= 1", "= 2"),
        name="an item set later",
    ),
    case(
        "TABLE = {}\nTABLE.update(a=1)\n",
        "def stage(x):\n    return helpers.TABLE\n",
        (H, "a=1", "a=2"),
        name="an update",
    ),
    case(
        "TABLE = {}\nfor i in range(3):\n    TABLE[i] = i + 1\n",
        "def stage(x):\n    return helpers.TABLE\n",
        (H, "i + 1", "i + 2"),
        name="a loop that fills a table",
    ),
    case(
        "TABLE = {'a': []}\nTABLE['a'].append(1)\n",
        "def stage(x):\n    return helpers.TABLE\n",
        (H, "append(1)", "append(2)"),
        name="an item changed deep inside",
    ),
    case(
        "TABLE = [1, 2]\nlast = TABLE.pop()\n",
        "def stage(x):\n    return helpers.TABLE\n",
        (H, "pop()", "pop(0)"),
        name="a pop whose result is used",
    ),
    case(
        "TABLE = [1, 2]\n\ndef fill(x):\n    x.append(3)\n\nfill(TABLE)\n",
        "def stage(x):\n    return helpers.TABLE\n",
        (H, "append(3)", "append(4)"),
        name="a call that changes what it is handed",
    ),
    case(
        "A = [1, 2]\nB = list(A)\nA.append(3)\n",
        "def stage(x):\n    return helpers.B\n",
        (H, "B = list(A)\nA.append(3)\n", "A.append(3)\nB = list(A)\n"),
        name="what a constant had when it was copied",
    ),
    case(
        "W = 1\nV = 2\ndel W\n",
        "def stage(x):\n    return helpers.W\n",
        (H, "del W\n", ""),
        name="a del",
    ),
    case(
        """
        STATE = None

        def configure():
            global STATE
            STATE = 1

        configure()

        def f(x):
            return STATE
        """,
        USES_F,
        (H, "STATE = 1", "STATE = 2"),
        name="a global set by another function",
    ),
    case(
        "class C:\n    pass\n\nC.width = 1\n",
        "def stage(x):\n    return helpers.C().width\n",
        (H, "width = 1", "width = 2"),
        name="an attribute set from outside",
    ),
    case(
        "class C:\n    pass\n\nsetattr(C, 'width', 1)\n",
        "def stage(x):\n    return helpers.C().width\n",
        (H, "1)", "2)"),
        name="setattr",
    ),
    case(
        "",
        "from toy.deep import one\n\ndef stage(x):\n    return one.TABLE\n",
        ("toy/deep/two.py", "= 1", "= 2"),
        name="a table changed by another module",
        **{
            "toy__deep/one": "TABLE = {}\n",
            "toy__deep/two": "from toy.deep.one import TABLE\n\nTABLE['a'] = 1\n",
        },
    ),
    case(
        """
        REGISTRY = {}

        def register(name):
            def decorate(function):
                REGISTRY[name] = function
                return function
            return decorate

        @register("a")
        def a(x):
            return x + 1

        def f(x):
            return REGISTRY["a"](x)
        """,
        USES_F,
        (H, "x + 1", "x + 2"),
        name="a function registered by a decorator",
    ),
    case(
        "",
        "from toy.deep import one\n\ndef stage(x):\n    return one.call('a')\n",
        ("toy/deep/two.py", "x + 1", "x + 2"),
        name="a function registered from another module",
        **{
            "toy__deep/one": """
            class Registry(dict):
                def __call__(self, function):
                    self[function.__name__] = function
                    return function

            REGISTRY = Registry()

            def call(name):
                return REGISTRY[name](1)
            """,
            "toy__deep/two": "from . import one\n\n@one.REGISTRY\ndef a(x):\n    return x + 1\n",
        },
    ),
    case(
        """
        from functools import singledispatch

        @singledispatch
        def f(x):
            return x

        @f.register
        def _(x: int):
            return x + 1
        """,
        USES_F,
        (H, "x + 1", "x + 2"),
        name="an overload of a singledispatch",
    ),
    case(
        """
        from functools import singledispatch

        @singledispatch
        def f(x):
            return x

        @f.register
        def _(x: int):
            return x + 1
        """,
        USES_F,
        (H, "x: int", "x: str"),
        name="the type that a singledispatch looks at",
    ),
    case(
        """
        class Base:
            kinds = {}

            def __init_subclass__(cls, **keywords):
                super().__init_subclass__(**keywords)
                Base.kinds[cls.__name__] = cls

        class One(Base):
            width = 1

        def f(x):
            return Base.kinds["One"].width
        """,
        USES_F,
        (H, "width = 1", "width = 2"),
        name="a class registered by __init_subclass__",
    ),
    case(
        """
        class Base:
            def __init_subclass__(cls, *, width, **keywords):
                cls.width = width

        class One(Base, width=1):
            pass
        """,
        "def stage(x):\n    return helpers.One.width\n",
        (H, "width=1", "width=2"),
        name="a keyword of a class",
    ),
    case(
        "class Base:\n    pass\n\nclass One(Base):\n    width = 1\n",
        "def stage(x):\n    return [kind.width for kind in helpers.Base.__subclasses__()]\n",
        (H, "width = 1", "width = 2"),
        name="a class found through __subclasses__",
    ),
    case(
        """
        from dataclasses import dataclass, field

        @dataclass
        class C:
            items: list = field(default_factory=lambda: [1])
        """,
        "def stage(x):\n    return helpers.C().items\n",
        (H, "[1]", "[2]"),
        name="a default_factory",
    ),
    case(
        "from dataclasses import dataclass\n\n@dataclass\nclass C:\n    width: int = 1\n",
        "def stage(x):\n    return helpers.C()\n",
        (H, "width: int", "width: float"),
        name="an annotation of a dataclass",
    ),
    case(
        "from typing import NamedTuple\n\nclass C(NamedTuple):\n    a: int\n    b: int\n",
        "def stage(x):\n    return helpers.C(1, 2)\n",
        (H, "a: int\n    b: int", "b: int\n    a: int"),
        name="the order of fields",
    ),
    case(
        "class B:\n    w = 1\n\nclass C:\n    inner: B\n",
        "def stage(x):\n    return helpers.C\n",
        (H, "w = 1", "w = 2"),
        name="a class in an annotation of a field",
    ),
    case(
        "class B:\n    w = 1\n\nclass C:\n    inner: 'B | None'\n",
        "def stage(x):\n    return helpers.C\n",
        (H, "w = 1", "w = 2"),
        name="a class in a quoted annotation of a field",
    ),
    case(
        """
        def f(x):
            match x:
                case {"a": value} if value > 1:
                    return value
                case _:
                    return 0
        """,
        USES_F,
        (H, "> 1", "> 2"),
        name="a guard of a match",
    ),
    case(
        "class P:\n    __match_args__ = ('a',)\n\n"
        "def f(x):\n    match x:\n        case P(a):\n            return a\n",
        USES_F,
        (H, "('a',)", "('b',)"),
        name="a class in a match",
    ),
    case(
        "W = 1\n\ndef f(x):\n    return f'{x:{W}}'\n",
        USES_F,
        (H, "W = 1", "W = 2"),
        name="a constant in an f-string",
    ),
    case(
        "async def g(x):\n    return x + 1\n\nasync def f(x):\n    return await g(x)\n",
        USES_F,
        (H, "x + 1", "x + 2"),
        name="an async function",
    ),
    case(
        "def f(x):\n    def inner(y):\n        return y + 1\n    return inner(x)\n",
        USES_F,
        (H, "y + 1", "y + 2"),
        name="a function inside a function",
    ),
    case(
        "W = 1\n\ndef f(x):\n    return (lambda y: y + W)(x)\n",
        USES_F,
        (H, "W = 1", "W = 2"),
        name="a constant in a lambda",
    ),
    case(
        "class C:\n    W = 1\n    def m(self):\n        return W\n\nW = 1\n",
        "def stage(x):\n    return helpers.C().m()\n",
        (H, "\nW = 1", "\nW = 2"),
        name="a global that a class attribute doesn't hide",
    ),
    case(
        "def f(x):\n    return max(x)\n",
        USES_F,
        (H, "def f(x)", "def max(x):\n    return 0\n\ndef f(x)"),
        name="a definition that hides a built-in",
    ),
    case(
        "import numpy as np\n\ndef f(x):\n    return np.sum(x)\n",
        USES_F,
        (H, "np.sum", "np.prod"),
        name="another's function",
    ),
    case(
        "from math import floor as r\n\ndef f(x):\n    return r(x)\n",
        USES_F,
        (H, "floor as r", "ceil as r"),
        name="what an alias stands for",
    ),
    case(
        "def f(x):\n    import toy.deep.one\n    return x\n",
        USES_F,
        ("toy/deep/one.py", '"0"', '"1"'),
        name="an import for its effect alone",
        **{"toy__deep/one": 'import os\nos.environ["SWITCH"] = "0"\n'},
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "def stage(x):\n    return getattr(helpers, 'f')(x)\n",
        (H, "x + 1", "x + 2"),
        name="getattr with a written name",
    ),
    case(
        "def f(x):\n    return x + 1\n",
        "import importlib\n\ndef stage(x):\n"
        "    return importlib.import_module('toy.helpers').f(x)\n",
        (H, "x + 1", "x + 2"),
        name="import_module with a written name",
    ),
    case(
        "def f(x):\n    'Adds one.'\n    return x + 1\n",
        "def stage(x):\n    return helpers.f.__doc__\n",
        (H, "Adds one.", "Adds 1."),
        name="a docstring that is used",
    ),
    case(
        "def f(x: int):\n    return x\n",
        "import inspect\n\ndef stage(x):\n    return inspect.signature(helpers.f)\n",
        (H, "x: int", "x: str"),
        name="an annotation that is inspected",
    ),
    case(
        """
        import typing

        def typed(function):
            hints = typing.get_type_hints(function)
            return lambda x: hints["x"](x)

        @typed
        def f(x: int):
            return x
        """,
        USES_F,
        (H, "x: int", "x: str"),
        name="an annotation that a decorator reads",
    ),
]


@pytest.mark.parametrize(("project", "edits"), COUNTS)
def test_an_edit_counts_for_the_stage_that_uses_it_and_for_no_other(
    tmp_path: Path, project: Files, edits: tuple[tuple[str, str, str], ...]
) -> None:
    after = edit(project, edits)
    before, now = both(tmp_path, project, after, "stage")
    assert before.digest != now.digest
    assert changed(before.pieces, now.pieces)
    before, now = both(tmp_path, project, after, "bystander")
    assert before.digest == now.digest
    assert before.pieces == now.pieces


def test_an_effect_on_import_counts_for_all_that_import_it(tmp_path: Path) -> None:
    files = {
        H: "import numpy as np\n\nnp.seterr(all='ignore')\n\n\ndef f(x):\n    return x\n",
        "toy/between.py": "from toy import helpers\n\n\ndef g(x):\n    return x\n",
        S: "def stage(x):\n    from toy import between\n    return between.g(x)\n\n\n"
        "def bystander(x):\n    return x\n",
    }
    after = edit(files, ((H, "ignore", "raise"),))
    before, now = both(tmp_path, files, after, "stage")
    assert before.digest != now.digest
    assert changed(before.pieces, now.pieces) == ["toy.helpers:(on import)"]
    before, now = both(tmp_path, files, after, "bystander")
    assert before == now


def test_statements_of_another_module_count_in_their_order(tmp_path: Path) -> None:
    files = {
        H: "TABLE = {}\n",
        "toy/fill.py": "from toy.helpers import TABLE\n\nTABLE['a'] = 1\nTABLE['a'] = 2\n",
        S: "from toy import helpers\n\n\ndef stage(x):\n    return helpers.TABLE\n",
    }
    after = edit(files, (("toy/fill.py", "= 1\nTABLE['a'] = 2", "= 2\nTABLE['a'] = 1"),))
    before, now = both(tmp_path, files, after, "stage")
    assert before.digest != now.digest


def test_a_table_that_is_only_checked_counts(tmp_path: Path) -> None:
    files = {
        S: "KNOWN = {1}\nKNOWN.add(2)\n\n\ndef stage(x):\n    if x not in KNOWN:\n"
        "        raise ValueError(x)\n    return x\n"
    }
    before, now = both(tmp_path, files, edit(files, ((S, "add(2)", "add(3)"),)), "stage")
    assert before.digest != now.digest


def test_an_expression_may_be_deep(tmp_path: Path) -> None:
    files = {S: f"def stage(x):\n    return {' + '.join(['x'] * 1500)} + 1\n"}
    before, now = both(tmp_path, files, edit(files, ((S, "+ 1\n", "+ 2\n"),)), "stage")
    assert before.digest != now.digest


# ---- What does not count -------------------------------------------------------------------------

PLAIN = {
    "toy/helpers.py": '''\
"""Helpers."""

import numpy as np
from typing import cast, overload

WIDTH = 2


def shift(value: float) -> float:
    """Shift a value."""
    offset: float = 1.0
    return value + offset * WIDTH


@overload
def widen(value: int) -> int: ...
@overload
def widen(value: float) -> float: ...
def widen(value):
    return cast("float", np.sum(shift(value)))


class Window:
    """A stretch."""

    def rows(self, values: list) -> list:
        """Rows inside."""
        return values[:WIDTH]


def neighbour(values):
    return values
''',
    "toy/stages.py": '''\
"""Stages."""

import dagster as dg

from toy import helpers


@dg.asset(description="A stage.", tags={"stage": "sampling"})
def stage(curves: list) -> list:
    """Make one of the other."""
    return helpers.Window().rows([helpers.widen(curve) for curve in curves])
''',
}

COSMETIC = {
    "a comment": (H, "    return value +", "    # Explained.\n    return value +"),
    "a comment at the end of a line": (H, "WIDTH = 2", "WIDTH = 2  # samples"),
    "blank lines": (H, "WIDTH = 2\n", "\n\nWIDTH = 2\n\n"),
    "formatting": (H, "value + offset * WIDTH", "(\n        value\n        + (offset*WIDTH))"),
    "a trailing comma": (H, "widen(value):\n    return cast", "widen(value,):\n    return cast"),
    "quotes": (H, '"float"', "'float'"),
    "the docstring of a helper": (H, "Shift a value.", "Move a value."),
    "the docstring of a helper is gone": (H, '    """Shift a value."""\n', ""),
    "the docstring of a module": (H, '"""Helpers."""', '"""Functions that help."""'),
    "the docstring of a class": (H, '"""A stretch."""', '"""A stretch of samples."""'),
    "the docstring of a method": (H, '"""Rows inside."""', '"""Rows within."""'),
    "the docstring of the stage": (S, "Make one of the other.", "Make it."),
    "a type hint of a parameter": (H, "shift(value: float)", "shift(value: int)"),
    "a type hint of a result": (H, "shift(value: float) -> float", "shift(value: float) -> object"),
    "type hints are gone": (H, "shift(value: float) -> float", "shift(value)"),
    "a type hint of a variable": (H, "offset: float = 1.0", "offset = 1.0"),
    "a type hint of a constant": (H, "WIDTH = 2", "WIDTH: int = 2"),
    "a type hint of a method": (H, "values: list) -> list", "values: tuple) -> tuple"),
    "a type hint of the stage": (S, "curves: list) -> list", "curves: tuple) -> tuple"),
    "an overload for type checkers": (H, "def widen(value: int) -> int: ...", "def widen(v): ..."),
    "a cast": (H, '"float", np', '"object", np'),
    "a function next door": (H, "return values\n", "return values[1:]\n"),
    "a new function next door": (H, "def neighbour", "def new():\n    pass\n\n\ndef neighbour"),
    "a new import that is not used": (H, "import numpy", "import math\nimport numpy"),
    "an import for type checkers": (
        H,
        "WIDTH = 2",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import x\n\nWIDTH = 2",
    ),
    "what runs only as a script": (
        H,
        "def neighbour",
        "if __name__ == '__main__':\n    WIDTH = 9\n\n\ndef neighbour",
    ),
    "a pass": (H, "    offset: float", "    pass\n    offset: float"),
    "a hexadecimal number": (H, "WIDTH = 2", "WIDTH = 0x2"),
    "what an import is called": (H, "import numpy as np", "import numpy") ,
    "the description of the stage": (S, "A stage.", "The stage."),
    "a tag of the stage": (S, '"sampling"', '"sample"'),
}  # fmt: skip


@pytest.mark.parametrize("name", COSMETIC)
def test_cosmetic_edits_do_not_count(tmp_path: Path, name: str) -> None:
    after = edit(PLAIN, (COSMETIC[name],))
    if name == "what an import is called":
        after = edit(after, ((H, "np.sum", "numpy.sum"),))
    before, now = both(tmp_path, PLAIN, after, "stage")
    assert before.digest == now.digest
    assert before.pieces == now.pieces
    assert before.packages == now.packages == ("numpy",)
    assert not before.dynamic
    assert not now.dynamic


def test_the_order_of_definitions_does_not_count(tmp_path: Path) -> None:
    def turned(name: str) -> str:
        head, *definitions = PLAIN[name].split("\n\n\n")
        return "\n\n\n".join([head, *definitions[::-1]])

    # The constant stays in front, being part of the first block.
    before, now = both(tmp_path, PLAIN, PLAIN | {H: turned(H)}, "stage")
    assert before == now


def test_where_the_checkout_is_does_not_count(tmp_path: Path) -> None:
    files = edit(PLAIN, ((H, "def neighbour", "HERE = __file__\n\n\ndef neighbour"),))
    files = edit(files, ((H, "return values[:WIDTH]", "return HERE, __name__"),))
    write(tmp_path / "here", files)
    write(tmp_path / "there" / "deeper", files)
    assert look(tmp_path / "here") == look(tmp_path / "there" / "deeper")


def test_renaming_a_module_and_its_imports_does_not_count(tmp_path: Path) -> None:
    after = {
        "toy/science/transforms.py": PLAIN[H],
        "toy/wired.py": PLAIN[S]
        .replace("from toy import helpers", "from .science import transforms")
        .replace("helpers.", "transforms."),
    }
    write(tmp_path / "before", PLAIN)
    write(tmp_path / "after", after)
    old, new = look(tmp_path / "before"), look(tmp_path / "after", module="toy.wired")
    assert old.digest == new.digest
    assert changed(old.pieces, new.pieces) == []


def test_moving_a_function_and_updating_imports_does_not_count(tmp_path: Path) -> None:
    text = PLAIN[H]
    start, end = text.index("def shift"), text.index("@overload")
    after = PLAIN | {
        H: (text[:start] + text[end:]).replace(
            "WIDTH = 2\n", "from toy.constants import WIDTH\nfrom toy.moved import shift as shift\n"
        ),
        "toy/constants.py": "WIDTH = 2\n",
        "toy/moved.py": "import toy.constants as c\n\n"
        + text[start:end].replace("WIDTH", "c.WIDTH"),
    }
    before, now = both(tmp_path, PLAIN, after, "stage")
    assert before.digest == now.digest
    assert changed(before.pieces, now.pieces) == []


def test_moving_an_import_into_the_function_does_not_count(tmp_path: Path) -> None:
    after = edit(PLAIN, ((H, "import numpy as np\n", ""),))
    here = 'return cast("float", '
    after = edit(after, ((H, f"{here}np", f"import numpy\n    {here}numpy"),))
    before, now = both(tmp_path, PLAIN, after, "stage")
    assert before == now


# ---- Recursion -----------------------------------------------------------------------------------

CYCLE = """
def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def alone(n):
    return n and alone(n - 1)
"""


def test_functions_that_use_each_other_count_together(tmp_path: Path) -> None:
    stage = "from toy.helpers import even, odd\n\n\ndef stage(n):\n    return even(n)\n"
    files = {H: CYCLE, S: stage}
    before, now = both(tmp_path, files, edit(files, ((H, "n != 0", "n > 0"),)), "stage")
    assert before.digest != now.digest
    assert changed(before.pieces, now.pieces) == ["toy.helpers:odd"]
    before, now = both(tmp_path, files, edit(files, ((S, "even(n)", "odd(n)"),)), "stage")
    assert before.digest != now.digest


def test_functions_that_use_each_other_may_be_in_modules_of_any_name(tmp_path: Path) -> None:
    parts = CYCLE.split("\n\n\n")
    split = {
        "toy/z.py": "from toy import a\n\n" + parts[0].replace("odd(", "a.odd("),
        "toy/a.py": "from toy.z import even\n\n" + parts[1],
        S: "from toy import z\n\n\ndef stage(n):\n    return z.even(n)\n",
    }
    joined = {
        H: CYCLE,
        S: "from toy import helpers\n\n\ndef stage(n):\n    return helpers.even(n)\n",
    }
    before, now = both(tmp_path, joined, split, "stage")
    assert before.digest == now.digest
    assert changed(before.pieces, now.pieces) == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_digests_of_any_graph_depend_on_its_shape_alone(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Spread over modules of shuffled names it is the same; with one call redirected it is not."""
    count = data.draw(st.integers(2, 7))
    functions = range(count)
    one = st.integers(0, count - 1)
    calls = [data.draw(st.lists(one, max_size=3)) for _ in functions]

    def project(modules: list[int], names: list[int]) -> dict[str, str]:
        files: dict[str, str] = {"toy/__init__.py": ""}
        for index in functions:
            path = f"toy/m{names[modules[index]]}.py"
            body = "".join(f"    m{names[modules[to]]}.f{to}(x)\n" for to in calls[index])
            files[path] = files.get(path, "".join(f"from toy import m{n}\n" for n in functions))
            files[path] += f"\ndef f{index}(x):\n{body}    return {index}\n"
        for number in functions:
            files.setdefault(f"toy/m{number}.py", "")
        return files

    where = st.lists(one, min_size=count, max_size=count)
    first = data.draw(where), list(functions)
    second = data.draw(where), data.draw(st.permutations(functions))
    root = tmp_path_factory.mktemp("graph")
    digests = []
    for number, (modules, names) in enumerate((first, second)):
        write(root / str(number), project(modules, names))
        module = f"toy.m{names[modules[0]]}"
        digests.append(look(root / str(number), "f0", module).digest)
    assert digests[0] == digests[1]

    reached, stack = {0}, [0]
    while stack:
        for to in calls[stack.pop()]:
            if to not in reached:
                reached.add(to)
                stack.append(to)
    redirected = data.draw(st.sampled_from(list(functions)))
    calls[redirected] = [*calls[redirected], data.draw(one)]
    write(root / "redirected", project(*first))
    digest = look(root / "redirected", "f0", f"toy.m{first[0][0]}").digest
    assert (digest != digests[0]) == (redirected in reached)


# ---- Whatever changes a result changes the digest ------------------------------------------------


class Made:
    """A project of random statements, each of a kind that once hid a change or well might."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0
        self.known: list[tuple[str, str, str]] = []  # module, name and kind
        self.files = {"toy/__init__.py": "", "toy/base.py": "def total(t): return sum(t.values())"}
        for module in ("m0", "m1", "m2"):
            self.write(module, [self.statement() for _ in range(self.random.randint(4, 9))])
        stages = [", ".join(self.value() for _ in range(5)) for _ in range(3)]
        self.write(
            "stages", [f"def s{n}():\n    return [{stage}]" for n, stage in enumerate(stages)]
        )

    def write(self, module: str, statements: list[str]) -> None:
        """Bind names that statements mention as `module.name` in one of many ways."""
        imports, text = {"from toy.base import total", "from functools import partial"}, ""
        for statement in statements:
            for other, name in re.findall(r"\b(m\d)\.(\w+)", statement):
                how, written = self.random.choice(
                    [
                        ("", name) if other == module else (f"from toy import {other}", ""),
                        (f"import toy.{other} as z{other}", f"z{other}.{name}"),
                        (f"import toy.{other}", f"toy.{other}.{name}"),
                        (f"from .{other} import {name} as y{name}", f"y{name}"),
                        (f"from .{other} import *", name),
                    ][: 1 if other == module else 5]
                )
                imports.add(how)
                statement = statement.replace(f"{other}.{name}", written or f"{other}.{name}")
            text += statement + "\n\n\n"
        head = sorted(imports, key=lambda line: ("*" not in line, line))
        self.module = module
        self.files[f"toy/{module}.py"] = "\n".join(head) + "\n\n\n" + text

    def number(self) -> str:
        return str(self.random.randint(1, 9))

    def old(self, kind: str) -> str | None:
        found = [f"{module}.{name}" for module, name, other in self.known if other == kind]
        return self.random.choice(found[-5:]) if found else None

    def new(self, kind: str) -> str:
        self.count += 1
        module = f"m{sum(name.startswith('toy/m') for name in self.files)}"
        self.known.append((module, f"{kind}{self.count}", kind))
        return f"{kind}{self.count}"

    def value(self) -> str:
        """An expression that uses something made before."""
        kind = self.random.choice(["K", "f", "T", "L", "C", "N"])
        name, number = self.old(kind), self.number()
        if name is None:
            return number
        uses = {
            "K": [name],
            "f": [f"{name}({number})", f"sum(map({name}, [1, {number}]))"],
            "T": [f"total({name})", f"{name}.get('a', {number})"],
            "L": [f"sum(g({number}) for g in {name})", f"len({name})"],
            "C": [f"{name}().run({number})", f"{name}.attr"],
            "N": [f"sum({name})", f"{name}[-1]"],
        }
        return self.random.choice(uses[kind])

    def statement(self) -> str:
        v, n, new, old = self.value(), self.number(), self.new, self.old
        choices = [
            lambda: f"{new('K')} = {n} + {v}",
            lambda: f"{new('K')}, ({new('K')}, *_) = {v}, ({n}, 2)",
            lambda: f"{new('K')} = sum([i * {v} for i in range(3)]) + ({new('K')} := {n})",
            lambda: f"def {new('f')}(x, y={v}, *, z={n}):\n    return x + y * z",
            lambda: (
                f"def {new('f')}(x):\n    match x:\n        case int(w) if w > {n}:\n"
                f"            return {v}\n    return f'{{x:{{{v}}}}}'.count(' ') + {n}"
            ),
            lambda: (
                f"if {v} > {n}:\n    def {new('f')}(x): return x\nelse:\n"
                f"    def {self.known[-1][1]}(x): return x + {n}"
            ),
            lambda: f"{new('T')} = {{'a': {v}}}",
            lambda: (
                f"{new('N')} = [{n}, {v}]\n\ndef fill(a):\n    more(a)\n\n"
                f"def more(a):\n    a += [{n}]\n\ngot = fill({self.known[-1][1]})"
            ),
            lambda: (
                f"{new('L')} = []\n\ndef {new('reg')}(f):\n    {self.known[-2][1]}.append(f)\n"
                "    return lambda x: f(x) + 1"
            ),
            lambda: (
                f"class {new('C')}:\n    attr = {v}\n    def run(self, x):\n"
                f"        return x + self.attr * {n}"
            ),
        ]
        if table := old("T"):
            choices += [
                lambda: f"{table}['b'] = {v}",
                lambda: f"{table}.update(c={v})",
                lambda: f"for i in range(3):\n    {table}[i] = i * {n}",
                lambda: f"popped = {table}.pop('a', {n})",
            ]
        if register := old("reg"):
            choices += [
                lambda: f"@{register}\ndef {new('f')}(x):\n    return x * {n} + {v}",
                lambda: f"def {new('f')}(x):\n    return {n}\n{register}({self.known[-1][1]})",
            ]
        if base := old("C"):
            choices += [lambda: f"class {new('C')}({base}):\n    attr = {n}"]
            choices += [lambda: f"{base}.attr = {v}"]
        if function := old("f"):
            choices += [lambda: f"g = partial({function}, {n})\n{new('f')} = lambda x: g() + x"]
        return self.random.choice(choices)()

    def edited(self) -> dict[str, str]:
        """The files with one number changed, or two neighbouring statements exchanged."""
        name = self.random.choice(["toy/m0.py", "toy/m1.py", "toy/m2.py"])
        head, *parts = self.files[name].rstrip("\n").split("\n\n\n")
        if self.random.random() < 0.3:
            index = self.random.randrange(len(parts) - 1)
            parts[index : index + 2] = parts[index : index + 2][::-1]
        else:
            index = self.random.randrange(len(parts))
            spots = [*re.finditer(r"(?<![\w.])\d+", parts[index])]
            if spots:
                spot = self.random.choice(spots)
                more = int(spot.group()) + self.random.randint(1, 5)
                parts[index] = f"{parts[index][: spot.start()]}{more}{parts[index][spot.end() :]}"
        return self.files | {name: "\n\n\n".join([head, *parts]) + "\n"}


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
        del sys.modules[name]


def results(root: Path) -> list[object] | None:
    """What each stage of a project returns when it is the first to run; None if none loads."""
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    found: list[object] = []
    try:
        for number in range(3):
            forget()
            stages = importlib.import_module("toy.stages")
            try:
                found.append(getattr(stages, f"s{number}")())
            except Exception as error:
                found.append(repr(error))
    except Exception:
        return None
    finally:
        sys.path.remove(str(root))
        forget()
    return found


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_what_changes_a_result_changes_the_digest(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = Made(seed)
    root = tmp_path_factory.mktemp("made")
    write(root / "before", project.files)
    before = results(root / "before")
    assume(before is not None)
    for number in range(3):
        edited = project.edited()
        write(root / str(number), edited)
        after = results(root / str(number))
        for stage in range(3) if before and after else ():
            if before[stage] != after[stage]:
                digests = {
                    look(root / name, f"s{stage}").digest for name in ("before", str(number))
                }
                assert len(digests) == 2


LIBRARY = ["bisect", "contextlib", "shlex", "textwrap"]


def whole(root: Path, source: str) -> str:
    """Digest of a module as a whole."""
    write(root, {H: source, S: "from toy import helpers\n\n\ndef stage():\n    return [helpers]\n"})
    return look(root).digest


@pytest.mark.parametrize("name", LIBRARY)
def test_written_anew_from_its_syntax_a_module_is_the_same(tmp_path: Path, name: str) -> None:
    source = Path(importlib.import_module(name).__file__ or "").read_text(encoding="utf-8")
    assert whole(tmp_path, source) == whole(tmp_path, ast.unparse(ast.parse(source)))


def no_result(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes that don't count: docstrings, annotations, imports, messages and what they hold."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                yield from ast.walk(node)
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
                yield from ast.walk(node)
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                yield from ast.walk(node)
            case ast.FunctionDef(returns=ast.AST() as hint) | ast.arg(annotation=ast.AST() as hint):
                yield from ast.walk(hint)


def altered(node: ast.AST) -> bool:
    """Change a node into another that is valid in its place; False where there is none."""
    match node:
        case ast.Constant(value=bool() | None):
            node.value = "other"
        case ast.Constant(value=int() | float() as value):
            node.value = value + 1
        case ast.Constant(value=str() as value):
            node.value = value + "!"
        case ast.Name(id=name):
            node.id = f"{name}_"
        case ast.Attribute(attr=name):
            node.attr = f"{name}_"
        case ast.arg(arg=name):
            node.arg = f"{name}_"
        case ast.BinOp(op=op):
            node.op = ast.Add() if isinstance(op, ast.Sub) else ast.Sub()
        case ast.Compare(ops=[op, *rest]):
            node.ops = [ast.Lt() if isinstance(op, ast.Gt) else ast.Gt(), *rest]
        case ast.BoolOp(op=op):
            node.op = ast.And() if isinstance(op, ast.Or) else ast.Or()
        case ast.Return() | ast.Assign():
            node.value = ast.Constant(12345)
        case ast.If() | ast.While() | ast.IfExp():
            node.test = ast.Constant(12345)
        case _:
            return False
    return True


@pytest.mark.parametrize("name", LIBRARY)
def test_any_change_of_syntax_counts_for_a_module_as_a_whole(tmp_path: Path, name: str) -> None:
    source = Path(importlib.import_module(name).__file__ or "").read_text(encoding="utf-8")
    digest = whole(tmp_path, source)
    picked = random.Random(0)
    count = len([*ast.walk(ast.parse(source))])
    tried = 0
    while tried < 15:
        tree = ast.parse(source)
        node = [*ast.walk(tree)][picked.randrange(count)]
        if node in [*no_result(tree)] or not altered(node):
            continue
        tried += 1
        assert whole(tmp_path, ast.unparse(tree)) != digest, ast.unparse(node)


def test_digests_are_the_same_on_every_version_of_python(tmp_path: Path) -> None:
    """If this fails, every stage of every project becomes stale: is that meant?"""
    source = """\
    import numpy as np
    from dataclasses import dataclass, field

    NAMES = {"a": 1, **{"b": 2.5}}

    @dataclass
    class Window:
        start: int = 0
        steps: list[int] = field(default_factory=list)

    async def f(x, /, *rest, width: int = NAMES["a"], **more):
        async with x as (y, *z):
            yield f"{y!r:>{width}} and {z=}" f"{{}}"
        try:
            match x:
                case {"a": [1, *_], **left} | Window(start=left):
                    del left
        except* ValueError as error:
            raise error from None
        return

    def stage(x):
        global NAMES
        return [lambda: (yield), *(w := {i: f for i in x if i}), np.sum(x)[1:2, ...], -1j, b"", w]
    """
    write(tmp_path, {S: source})
    assert look(tmp_path).digest == GOLDEN


GOLDEN = "983aa11ad850b5b0c90195600d2e4cb532e55bcf3cd0e213341b799f1ba69fa6"


# ---- Annotations and settings --------------------------------------------------------------------

SETTINGS = {
    "toy/settings.py": """\
import dagster as dg
from pydantic import Field, field_validator

N = 3


def by_profile(**values):
    return values["quick"]


class Common(dg.Config):
    seed: int = 1


class Training(Common):
    epochs: int = by_profile(quick=3, published=30)
    bins: int = N
    rate: float = Field(0.5, gt=0, description="Step.")
    names: list[str] = Field(default_factory=lambda: ["a"], min_length=1)

    @field_validator("epochs")
    def even(cls, value):
        return value + 1

    def steps(self):
        return self.epochs * 10
""",
    "toy/stages.py": """\
import dagster as dg

from toy.settings import Training


@dg.asset
def stage(config: Training):
    return config.steps()


def uses_defaults(x):
    return Training().epochs
""",
}
C = "toy/settings.py"


@pytest.mark.parametrize(
    "change",
    [
        (C, "published=30", "published=40"),
        (C, "return values[", "return 2 * values["),
        (C, "N = 3", "N = 4"),
        (C, "Field(0.5", "Field(0.25"),
        (C, "Step.", "Step of the descent."),
        (C, '["a"]', '["b"]'),
        (C, "seed: int = 1", "seed: int = 2"),
    ],
)
def test_defaults_of_settings_do_not_count_for_the_stage_they_configure(
    tmp_path: Path, change: tuple[str, str, str]
) -> None:
    before, now = both(tmp_path, SETTINGS, edit(SETTINGS, (change,)), "stage")
    assert before.digest == now.digest
    if "Step" not in change[1]:
        before, now = both(tmp_path, SETTINGS, edit(SETTINGS, (change,)), "uses_defaults")
        assert before.digest != now.digest


@pytest.mark.parametrize(
    "change",
    [
        (C, "epochs: int", "epochs: float"),
        (C, "seed: int", "seed: str"),
        (C, "gt=0", "ge=0"),
        (C, "min_length=1", "min_length=2"),
        (C, "value + 1", "value + 2"),
        (C, "self.epochs * 10", "self.epochs * 20"),
        (C, "seed: int = 1", "seed: int = 1\n    more: int = 1"),
        (C, "    bins: int = N\n", ""),
    ],
)
def test_the_rest_of_settings_counts(tmp_path: Path, change: tuple[str, str, str]) -> None:
    before, now = both(tmp_path, SETTINGS, edit(SETTINGS, (change,)), "stage")
    assert before.digest != now.digest


def test_settings_that_are_listed_somewhere_do_not_count_for_each_other(tmp_path: Path) -> None:
    source = """\
    import dagster as dg

    SECTIONS = set()

    class Base(dg.Config):
        def __init_subclass__(cls, section, **keywords):
            super().__init_subclass__(**keywords)
            SECTIONS.add(section)
            cls.section = section

    class One(Base, section="one"):
        x: int = 1

    class Two(Base, section="two"):
        x: int = 1

    @dg.asset
    def stage(config: One):
        return config.x

    def lists(x):
        return SECTIONS
    """
    files = {S: textwrap.dedent(source)}
    after = edit(files, ((S, 'section="two"', 'section="three"'),))
    before, now = both(tmp_path, files, after, "stage")
    assert before == now
    before, now = both(tmp_path, files, after, "lists")
    assert before.digest != now.digest


def test_values_that_are_no_settings_count_in_a_settings_class(tmp_path: Path) -> None:
    body = "class C(dg.Config):\n    x: int = 1\n    y: ClassVar[int] = 1\n    _z: int = 1\n"
    body += "    w = 1\n"
    head = "import dagster as dg\nfrom typing import ClassVar\n\n"
    files = {S: head + body + "\n\ndef stage(config: C):\n    return config\n"}
    write(tmp_path / "0", files)
    digest = look(tmp_path / "0").digest
    for name, counts in (("x: int", 0), ("y: ClassVar[int]", 1), ("_z: int", 1), ("w", 1)):
        write(tmp_path / name[0], edit(files, ((S, f"{name} = 1", f"{name} = 2"),)))
        assert (look(tmp_path / name[0]).digest != digest) == counts


def test_a_decorator_only_of_the_wiring_is_left_out_on_the_stage(tmp_path: Path) -> None:
    source = """\
    import functools
    import dagster as dg

    def ours(function):
        return function

    @dg.asset(group_name="g")
    @functools.lru_cache(maxsize=1)
    @ours
    def stage(x):
        return x
    """
    files = {S: textwrap.dedent(source)}
    write(tmp_path / "0", files)
    first = look(tmp_path / "0")
    assert "dagster" not in first.packages
    for number, (old, new, counts) in enumerate(
        [
            ('"g"', '"h"', False),
            ('@dg.asset(group_name="g")\n', "", False),
            ("maxsize=1", "maxsize=2", True),
            ("return function", "return None", True),
        ],
        start=1,
    ):
        write(tmp_path / str(number), edit(files, ((S, old, new),)))
        assert (look(tmp_path / str(number)).digest != first.digest) == counts


# ---- Registries ----------------------------------------------------------------------------------


def test_a_registered_function_does_not_depend_on_its_siblings(tmp_path: Path) -> None:
    source = """\
    REGISTRY = {}

    def register(name):
        def decorate(function):
            if name in REGISTRY:
                raise ValueError(name)
            REGISTRY[name] = function
            return function
        return decorate

    @register("a")
    def a(x):
        return x + 1

    @register("b")
    def b(x):
        return x + 2

    def stage(x):
        return a(x)

    def dispatch(x):
        return REGISTRY[x](x)
    """
    files = {S: textwrap.dedent(source)}
    after = edit(files, ((S, "x + 2", "x + 3"),))
    before, now = both(tmp_path, files, after, "stage")
    assert before.digest == now.digest
    before, now = both(tmp_path, files, after, "dispatch")
    assert before.digest != now.digest
    assert changed(before.pieces, now.pieces) == ["toy.stages:b"]


def test_a_call_only_counts_for_what_it_changes(tmp_path: Path) -> None:
    source = """\
    import logging

    LOG = logging.getLogger(__name__)
    GRID = list(range(3))
    EDGES = sorted(GRID)
    LOG.info("loaded %s", GRID)

    def f(x):
        return x

    TABLE = {}
    TABLE.update(f=f)

    def stage(x):
        LOG.info("x")
        return f(GRID)
    """
    files = {S: textwrap.dedent(source)}
    write(tmp_path / "0", files)
    first = look(tmp_path / "0").digest
    for number, (old, new) in enumerate(
        [("sorted(GRID)", "sorted(GRID)[1:]"), ("update(f=f)", "update(g=f)")]
    ):
        write(tmp_path / str(number + 1), edit(files, ((S, old, new),)))
        assert look(tmp_path / str(number + 1)).digest == first


# ---- What cannot be followed ---------------------------------------------------------------------

DYNAMIC = {
    "getattr": "return getattr(helpers, 'f' + x)(x)",
    "setattr": "return setattr(helpers, x, 1)",
    "import_module": "return importlib.import_module('toy.' + x).f(x)",
    "import_module of anything": "return importlib.import_module(x).f(x)",
    "__import__": "return __import__(f'toy.{x}').f(x)",
    "eval": "return eval(x)",
    "exec": "exec(x)",
    "sys.modules": "return sys.modules[x].f(x)",
    "globals": "return globals()[x](x)",
    "vars": "return vars()[x](x)",
    "eval as": "return list(map(eval, x))",
    "import_module as": "return functools.partial(importlib.import_module)(x)",
    "undefined": "return nowhere(x)",
}


@pytest.mark.parametrize("what", DYNAMIC)
def test_what_cannot_be_followed_is_reported_and_widened(tmp_path: Path, what: str) -> None:
    files = {
        H: "def f(x):\n    return deep(x)\n\n\ndef deep(x):\n    return x + 1\n",
        S: "import functools, importlib, sys\nfrom toy import helpers\n"
        "from toy.helpers import f\n\n"
        f"def stage(x):\n    {DYNAMIC[what]}\n\n\ndef bystander(x):\n    return x\n",
    }
    after = edit(files, ((H, "x + 1", "x + 2"),))
    before, now = both(tmp_path, files, after, "stage")
    assert before.digest != now.digest
    assert [(dynamic.module, dynamic.line > 4) for dynamic in before.dynamic] == [
        ("toy.stages", True)
    ]
    assert what.split()[0] in before.dynamic[0].what or what == "undefined"
    before, now = both(tmp_path, files, after, "bystander")
    assert before == now
    assert not before.dynamic


@pytest.mark.parametrize(
    "body",
    [
        "import numpy as np\n    return getattr(np, x)",
        "import importlib\n    return importlib.import_module('sklearn.' + x)",
        "import importlib\n    return importlib.import_module('json').loads(x)",
        "return getattr(helpers, 'f')",
    ],
)
def test_what_leads_out_of_the_project_is_not_widened(tmp_path: Path, body: str) -> None:
    files = {
        H: "def f(x):\n    return x\n\n\ndef g(x):\n    return x\n",
        S: f"from toy import helpers\n\n\ndef stage(x):\n    {body}\n",
    }
    before, now = both(tmp_path, files, edit(files, ((H, "def g", "def h"),)), "stage")
    assert before == now
    assert not before.dynamic


def test_a_computed_import_reaches_only_modules_that_its_name_may_mean(tmp_path: Path) -> None:
    files = {
        "toy/alpha/sampling.py": "def f():\n    return 1\n",
        "toy/alpha/other.py": "def f():\n    return 1\n",
        S: "import importlib\n\n\ndef stage(name):\n"
        "    return importlib.import_module(f'toy.{name}.sampling').f()\n",
    }
    for name, counts in (("sampling", True), ("other", False)):
        after = edit(files, ((f"toy/alpha/{name}.py", "1", "2"),))
        before, now = both(tmp_path / name, files, after, "stage")
        assert (before.digest != now.digest) == counts


@pytest.mark.parametrize("use", ["run(helpers, x)", "getattr(local, x)(x)"])
def test_a_module_as_a_value_counts_as_a_whole(tmp_path: Path, use: str) -> None:
    files = {
        H: "from toy.deep import g\n\ndef f(x):\n    return x\n",
        "toy/deep.py": "def g(x):\n    return x\n",
        S: "from toy import helpers\n\n\ndef run(module, x):\n    return module.g(x)\n\n\n"
        f"def stage(x):\n    local = helpers\n    return {use}\n",
    }
    after = edit(files, (("toy/deep.py", "return x", "return -x"),))
    before, now = both(tmp_path, files, after, "stage")
    assert before.digest != now.digest


def test_unknown_names_from_a_star_are_reported(tmp_path: Path) -> None:
    files = {S: "from numpy import *\n\n\ndef stage(x):\n    return sum(x) + cumsum(x)\n"}
    write(tmp_path, files)
    found = look(tmp_path)
    assert found.packages == ("numpy",)
    assert {dynamic.what for dynamic in found.dynamic} == {"numpy: import of unknown names by *"}


# ---- Functions made by functions -----------------------------------------------------------------

FACTORY = """\
import enum
from dataclasses import dataclass

import dagster as dg

from toy import helpers


class Kind(enum.Enum):
    A = 1
    B = 2


@dataclass(frozen=True)
class Spec:
    name: str
    width: int = 1


class Settings(dg.Config):
    epochs: int = 3

    def steps(self):
        return self.epochs * 10


def configured(Settings):
    @dg.asset
    def stage(config: Settings):
        return config.steps()

    return stage


def make(value, extra=None):
    unrelated = 1

    @dg.asset(name="made")
    def stage(x):
        import numpy as np

        return np.asarray(value), inner(x)

    def inner(x):
        return inner(x - 1) if x else extra

    return stage
"""


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A project with a factory, and its module, imported for its run-time values."""
    write(tmp_path, {S: FACTORY, H: "def f(x):\n    return x + 1\n\n\ndef g(x):\n    return x\n"})
    kept = {name: module for name, module in sys.modules.items() if name.startswith("toy")}
    forget()
    sys.path.insert(0, str(tmp_path))
    source = (tmp_path / S).read_text()
    plain = source.replace('    @dg.asset(name="made")\n', "").replace("    @dg.asset\n", "")
    (tmp_path / S).write_text(plain)
    importlib.invalidate_caches()
    module = importlib.import_module("toy.stages")
    (tmp_path / S).write_text(source)
    yield module
    sys.path.remove(str(tmp_path))
    forget()
    sys.modules.update(kept)


def made(root: Path, module: Any, *arguments: Any) -> Fingerprint:
    function = module.make(*arguments)
    tree = SourceTree(root, ["toy"])
    return tree.fingerprint("toy.stages", "make.<locals>.stage", cells(function))


class Colour(enum.Enum):
    RED = 1


def test_plain_values_count_by_value(tmp_path: Path, factory: Any) -> None:
    values = [
        1,
        1.0,
        True,
        "1",
        b"1",
        None,
        (1, 2),
        [1, 2],
        {"a": 1},
        {"a": 2},
        frozenset({1, 2}),
        range(3),
        Path("a/b"),
        factory.Kind.A,
        factory.Kind.B,
        factory.Spec("a"),
        factory.Spec("b"),
        factory.Spec,
        Colour.RED,
        functools.partial(factory.helpers.f, 1),
        functools.partial(factory.helpers.f, 2),
        factory.helpers.f,
        factory.helpers.g,
        factory.helpers,
        len,
        os.path.join,
        int,
    ]
    found = [made(tmp_path, factory, value) for value in values]
    assert len({fingerprint.digest for fingerprint in found}) == len(values)
    assert [made(tmp_path, factory, value) for value in values] == found
    assert not any(fingerprint.dynamic for fingerprint in found)
    assert changed(found[0].pieces, found[3].pieces) == ["toy.stages:make.<locals>.stage(value)"]


def test_a_path_inside_the_checkout_counts_by_its_place_in_it(tmp_path: Path, factory: Any) -> None:
    found = []
    for folder in ("here", "there"):
        write(tmp_path / folder, {S: FACTORY, H: "def f(x):\n    return x\n"})
        found.append(made(tmp_path / folder, factory, tmp_path / folder / "data").digest)
    assert found[0] == found[1]


def test_functions_as_values_count_by_their_definition(tmp_path: Path, factory: Any) -> None:
    before = made(tmp_path, factory, factory.helpers.f)
    other = made(tmp_path, factory, factory.helpers.g)
    write(tmp_path, {H: "def f(x):\n    return x + 2\n\n\ndef g(x):\n    return x\n"})
    assert made(tmp_path, factory, factory.helpers.f).digest != before.digest
    assert made(tmp_path, factory, factory.helpers.g).digest == other.digest


def test_values_of_a_function_next_to_the_stage_count(tmp_path: Path, factory: Any) -> None:
    first = made(tmp_path, factory, 1, 2).digest
    assert made(tmp_path, factory, 1, 3).digest != first
    source = FACTORY.replace("inner(x - 1)", "inner(x - 2)")
    write(tmp_path, {S: source})
    assert made(tmp_path, factory, 1, 2).digest != first


def test_the_rest_of_a_factory_counts_only_without_values(tmp_path: Path, factory: Any) -> None:
    with_values = made(tmp_path, factory, 1).digest
    without = look(tmp_path, "make.<locals>.stage").digest
    write(tmp_path, {S: FACTORY.replace("unrelated = 1", "unrelated = 2")})
    assert made(tmp_path, factory, 1).digest == with_values
    assert look(tmp_path, "make.<locals>.stage").digest != without


def test_the_wiring_of_a_made_stage_does_not_count(tmp_path: Path, factory: Any) -> None:
    first = made(tmp_path, factory, 1).digest
    write(tmp_path, {S: FACTORY.replace('"made"', '"other"')})
    assert made(tmp_path, factory, 1).digest == first


def test_a_class_that_annotates_a_made_stage_counts(tmp_path: Path, factory: Any) -> None:
    def look_at_configured(values: dict[str, object]) -> Fingerprint:
        tree = SourceTree(tmp_path, ["toy"])
        return tree.fingerprint("toy.stages", "configured.<locals>.stage", values)

    values = cells(factory.configured(factory.Settings))
    assert values == {"config:": factory.Settings}
    first = look_at_configured(values)
    assert not first.dynamic
    write(tmp_path, {S: FACTORY.replace("epochs: int = 3", "epochs: int = 4")})
    assert look_at_configured(values).digest == first.digest
    write(tmp_path, {S: FACTORY.replace("self.epochs * 10", "self.epochs * 20")})
    assert look_at_configured(values).digest != first.digest


def test_a_parameter_of_a_factory_without_a_value_is_reported(tmp_path: Path, factory: Any) -> None:
    found = look(tmp_path, "make.<locals>.stage")
    assert [dynamic.what for dynamic in found.dynamic] == [
        "the unknown value of value in make.<locals>.stage"
    ]


def test_any_other_value_is_reported_and_widened(tmp_path: Path, factory: Any) -> None:
    """To the whole project: it may have been made anywhere."""
    write(tmp_path, {"toy/other.py": "N = 1\n", "toy/broken.py": "("})
    generator = iter(n for n in range(3))
    first = made(tmp_path, factory, generator)
    assert [dynamic.what for dynamic in first.dynamic] == [
        "a value of type builtins.generator in make.<locals>.stage"
    ]
    write(tmp_path, {S: FACTORY.replace("A = 1", "A = 3")})
    second = made(tmp_path, factory, generator)
    write(tmp_path, {"toy/other.py": "N = 2\n"})
    assert len({made(tmp_path, factory, generator).digest, second.digest, first.digest}) == 3


def test_a_lambda_as_a_value_widens_to_its_module(tmp_path: Path, factory: Any) -> None:
    function = eval("lambda x: x", {"__name__": "toy.helpers"})
    first = made(tmp_path, factory, function)
    assert first.dynamic
    write(tmp_path, {H: "def f(x):\n    return x + 2\n"})
    assert made(tmp_path, factory, function).digest != first.digest


def test_a_method_counts_with_its_class(tmp_path: Path) -> None:
    files = {
        S: "class C:\n    w = 1\n\n    def stage(self):\n        return self.w\n\n"
        "    def b(self): pass\n"
    }
    before, now = both(tmp_path, files, edit(files, ((S, "w = 1", "w = 2"),)), "C.stage")
    assert before.digest != now.digest
    assert before.digest != look(tmp_path / "before", "C.b").digest


# ---- Packages ------------------------------------------------------------------------------------


def test_packages_are_those_of_others_that_the_closure_uses(tmp_path: Path) -> None:
    files = {
        H: "import os\nimport pandas as pd\nimport numpy as np\n\n"
        "def f(x):\n    from scipy import signal\n    return signal.detrend(np.sum(x)), os.sep\n\n"
        "def g(x):\n    return pd.DataFrame(x)\n",
        S: "import tensorflow as tf\nfrom toy import helpers\n\n"
        "def stage(x):\n    return helpers.f(x)\n\ndef other(x):\n    import keras\n    return x\n",
    }
    write(tmp_path, files)
    assert look(tmp_path).packages == ("numpy", "scipy")
    assert look(tmp_path, "other").packages == ("keras",)


# ---- Errors --------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_parsed_stops_only_what_uses_it(tmp_path: Path) -> None:
    files = {
        H: "def f(x):\n    return (x\n",
        S: "def stage(x):\n    from toy import helpers\n    return helpers.f(x)\n\n\n"
        "def bystander(x):\n    return x\n",
    }
    write(tmp_path, files)
    look(tmp_path, "bystander")
    with pytest.raises(SourceError, match=r"toy/helpers\.py, line 2: '\(' was never closed"):
        look(tmp_path)


@pytest.mark.parametrize(
    ("module", "name"),
    [("toy.nowhere", "stage"), ("toy.stages", "nowhere"), ("toy.stages", "stage.<locals>.inner")],
)
def test_a_function_that_is_not_there_is_an_error(tmp_path: Path, module: str, name: str) -> None:
    write(tmp_path, PLAIN)
    with pytest.raises(LookupError, match=r"no (module|function) '"):
        look(tmp_path, name, module)


def test_a_package_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no package or module 'toy' in"):
        SourceTree(tmp_path, ["toy"])


def test_a_package_may_be_one_file(tmp_path: Path) -> None:
    (tmp_path / "solo.py").write_text("def stage():\n    return 1\n")
    tree = SourceTree(tmp_path, ["solo"])
    assert tree.files() == (tmp_path / "solo.py",)
    assert tree.fingerprint("solo", "stage").pieces.keys() == {"solo:stage"}


# ---- What changed --------------------------------------------------------------------------------


def test_changed_names_what_was_edited_added_and_removed(tmp_path: Path) -> None:
    files = {
        H: "def f(x):\n    return g(x)\n\n\ndef g(x):\n    return 1\n\n\ndef h(x):\n    return 1\n",
        S: "from toy import helpers\n\n\ndef stage(x):\n    return helpers.f(x)\n",
    }
    after = edit(files, ((H, "return g(x)", "return h(x)"),))
    before, now = both(tmp_path, files, after, "stage")
    assert changed(before.pieces, now.pieces) == [
        "toy.helpers:f",
        "toy.helpers:g (gone)",
        "toy.helpers:h (new)",
    ]
    assert changed(before.pieces, before.pieces) == []


# ---- The cache -----------------------------------------------------------------------------------


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was parsed, not taken from the cache."""
    seen: list[bytes] = []
    read = source_files.read_facts

    def counting(source: bytes) -> Any:
        seen.append(source)
        return read(source)

    monkeypatch.setattr(source_files, "read_facts", counting)
    return seen


def cached(root: Path) -> Fingerprint:
    return SourceTree(root, ["toy"], root / "state" / "cache.json").fingerprint(
        "toy.stages", "stage"
    )


def test_the_cache_saves_parsing_and_changes_nothing(tmp_path: Path, parsed: list[bytes]) -> None:
    write(tmp_path, PLAIN)
    first = cached(tmp_path)
    assert first == look(tmp_path)
    parsed.clear()
    assert cached(tmp_path) == first
    assert not parsed


def test_only_an_edited_file_is_parsed_again(tmp_path: Path, parsed: list[bytes]) -> None:
    write(tmp_path, PLAIN)
    first = cached(tmp_path)
    parsed.clear()
    path = tmp_path / H
    times = path.stat()
    path.write_text(path.read_text().replace("WIDTH = 2", "WIDTH = 3"))
    os.utime(
        path, ns=(times.st_atime_ns, times.st_mtime_ns)
    )  # same size and time: seen all the same
    assert cached(tmp_path).digest != first.digest
    assert parsed == [path.read_bytes()]


def test_a_renamed_file_is_not_parsed_again(tmp_path: Path, parsed: list[bytes]) -> None:
    write(tmp_path, PLAIN)
    cached(tmp_path)
    parsed.clear()
    (tmp_path / H).rename(tmp_path / "toy" / "renamed.py")
    SourceTree(tmp_path, ["toy"], tmp_path / "state" / "cache.json")
    assert not parsed


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"units", b"unitz", 1),
        lambda content: b"[1]\n{}",
        lambda content: b"\xff\xfe" + content,
        lambda content: content.replace(b'"version": "', b'"version": "0', 1),
    ],
)
def test_a_damaged_or_foreign_cache_is_written_anew(
    tmp_path: Path, parsed: list[bytes], damage: Callable[[bytes], bytes]
) -> None:
    write(tmp_path, PLAIN)
    first = cached(tmp_path)
    cache = tmp_path / "state" / "cache.json"
    good = cache.read_bytes()
    cache.write_bytes(damage(good))
    parsed.clear()
    assert cached(tmp_path) == first
    assert parsed
    assert cache.read_bytes() == good
    names = sorted(path.name for path in cache.parent.iterdir())
    assert names == ["cache.json", "effects.json"]


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    write(tmp_path, PLAIN)
    (tmp_path / "file").write_text("")
    tree = SourceTree(tmp_path, ["toy"], tmp_path / "file" / "cache.json")
    assert tree.fingerprint("toy.stages", "stage") == look(tmp_path)


def test_the_cache_is_json(tmp_path: Path) -> None:
    write(tmp_path, PLAIN)
    cached(tmp_path)
    lines = (tmp_path / "state" / "cache.json").read_text().splitlines()
    assert [type(json.loads(line)) for line in lines] == [dict, dict]


def test_files_are_all_that_was_read(tmp_path: Path) -> None:
    write(tmp_path, PLAIN | {"toy/.hidden.py": "", "toy/data.csv": "", "elsewhere.py": ""})
    assert SourceTree(tmp_path, ["toy"]).files() == tuple(
        tmp_path / "toy" / name for name in ("__init__.py", "helpers.py", "stages.py")
    )


# ---- The modules themselves ----------------------------------------------------------------------


def test_nothing_that_is_read_is_imported() -> None:
    root = Path(__file__).parents[3]
    code = (
        "import sys; from pathlib import Path;"
        "from orchestration.fingerprint import SourceTree;"
        f"SourceTree(Path({str(root)!r}), ['models', 'assets']);"
        "heavy = {'dagster', 'numpy', 'tensorflow', 'models', 'assets'} & sys.modules.keys();"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def reader_version(folder: Path) -> str:
    """What cached facts are stored under by the package in a folder."""
    code = "from orchestration.fingerprint import source_files;print(source_files.reader_version())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        text=True,
    )
    return done.stdout


def test_the_cache_is_void_when_any_of_the_modules_changes(tmp_path: Path) -> None:
    package = Path(source_files.__file__).parents[1]
    shutil.copytree(package, tmp_path / "orchestration")
    versions = {reader_version(tmp_path)}
    copied = tmp_path / "orchestration"
    modules = [copied / "json_cache.py", *sorted((copied / "fingerprint").glob("*.py"))]
    for module in modules:
        module.write_text(module.read_text() + "\n# changed\n")
        versions.add(reader_version(tmp_path))
    assert len(versions) == len(modules) + 1 > 5


def test_facts_are_made_by_the_package_and_the_cache_alone() -> None:
    code = (
        "import sys, orchestration.fingerprint;"
        "print(*(name for name in sys.modules if 'orchestration.' in name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[3],
        text=True,
    )
    others = [name for name in done.stdout.split() if ".fingerprint" not in name]
    assert others == ["orchestration.json_cache"]


def test_cells_leave_out_what_is_not_assigned_yet() -> None:
    def outer() -> Any:
        def inner() -> int:
            return later + now

        now = 1
        assert cells(inner) == {"now": 1}
        later = 2
        return inner

    assert cells(outer()) == {"later": 2, "now": 1}

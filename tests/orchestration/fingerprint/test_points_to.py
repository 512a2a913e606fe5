"""What changes an object on import counts for all that may read it, by whatever name.

Each case is a small project and an edit of it that changes what `stage` returns, which is checked
by running both.
"""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestration.fingerprint import Fingerprint, SourceTree, names

OTHER = "\n\ndef other():\n    return 0\n"


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write a project: contents by path below `toy`."""
    for name, content in {"__init__": "", **files}.items():
        path = root / "toy" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        for folder in path.relative_to(root).parents:
            if folder.parts:
                (root / folder / "__init__.py").touch()


def look(root: Path, name: str = "stage") -> Fingerprint:
    return SourceTree(root, ["toy"]).fingerprint("toy.stages", name)


def result(root: Path) -> Any:
    """What `stage` returns, as text; modules are imported anew."""

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
            del sys.modules[name]

    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    forget()
    try:
        return repr(importlib.import_module("toy.stages").stage())
    finally:
        sys.path.remove(str(root))
        forget()


def case(name: str, helpers: str, stage: str, old: str, new: str, **more: str) -> Any:
    """`helpers.py`, what `stage` returns of it, and one edit in any of the files."""
    files = {"helpers": textwrap.dedent(helpers).lstrip("\n")}
    files |= {
        path.replace("__", "/"): textwrap.dedent(text).lstrip("\n") for path, text in more.items()
    }
    imports = "from toy import helpers as h\n" + "".join(
        f"import toy.{path.replace('/', '.')}\n" for path in files
    )
    files["stages"] = f"{imports}\n\ndef stage():\n    return {stage}\n{OTHER}"
    return pytest.param(files, old, new, id=name)


REGISTRY = """
class Registry:
    kinds = {}

    def __init__(self):
        self.entries = {}

    def register(self, function):
        self.entries[function.__name__] = function
        return function

    def enroll(self, name, value):
        self.entries[name] = value
        return value

    def log(self, name, value):
        self.entries[name] = value

    def apply(self, value):
        return [entry(value) if callable(entry) else entry for entry in self.entries.values()]


R = Registry()
"""

CALLS = [
    case(
        "a seed",
        "import random\n\nRNG = random.Random(0)\nRNG.seed(5)\n",
        "h.RNG.random()",
        "seed(5)",
        "seed(6)",
    ),
    case(
        "a draw whose result is kept",
        "import random\n\nRNG = random.Random(0)\nSKIPPED = RNG.randbytes(5)\n",
        "h.RNG.random()",
        "randbytes(5)",
        "randbytes(50)",
    ),
    case(
        "a layer added",
        """
        class Net:
            def __init__(self):
                self.layers = []

            def add(self, layer):
                self.layers.append(layer)

            def forward(self, x):
                return sum(self.layers) + x

        NET = Net()
        NET.add(5)
        """,
        "h.NET.forward(1)",
        "add(5)",
        "add(6)",
    ),
    case(
        "a layer added, and the net returned",
        """
        class Net:
            def __init__(self):
                self.layers = []

            def add(self, layer):
                self.layers.append(layer)
                return self

        NET = Net()
        SAME = NET.add(1).add(5)
        """,
        "h.NET.layers",
        "add(5)",
        "add(6)",
    ),
    case(
        "an object in a dict",
        """
        class Unit:
            def __init__(self):
                self.w = 1

            def tune(self, w):
                self.w = w

            def run(self, v):
                return self.w * v

        T = {"m": Unit()}
        T["m"].tune(5)
        """,
        "h.T['m'].run(2)",
        "tune(5)",
        "tune(6)",
    ),
    *(
        case(
            f"an object whose {method} fills what it is given, called as {use}",
            f"""
            class Source:
                def __init__(self):
                    self.items = []

                def {method}(self, values):
                    values.extend(self.items)

                def grow(self, item):
                    self.items.append(item)

            ONE = Source()
            MANY = [ONE]
            ONE.grow(5)

            def collected():
                values = []
                {use}.{method}(values)
                return values
            """,
            "h.collected()",
            "grow(5)",
            "grow(6)",
        )
        for method in ("apply", "add", "update")
        for use in ("ONE", "MANY[0]")
    ),
    case(
        "a pipeline",
        """
        class Pipeline:
            def __init__(self):
                self.steps = []

            def then(self, step):
                self.steps = [*self.steps, step]
                return self

            def apply(self, values):
                for step in self.steps:
                    values = step(values)
                return values

        PIPELINE = Pipeline()

        def double(x):
            return 2 * x

        DONE = PIPELINE.then(double).then(lambda x: x + 5)
        """,
        "h.PIPELINE.apply(1)",
        "x + 5",
        "x + 6",
    ),
    case(
        "a function registered by a method",
        REGISTRY + "\n\n@R.register\ndef f(x):\n    return x + 5\n",
        "h.R.apply(1)",
        "x + 5",
        "x + 6",
    ),
    case(
        "a function registered by a method, from another module",
        REGISTRY,
        "h.R.apply(1)",
        "x + 5",
        "x + 6",
        more="from toy.helpers import R\n\n@R.register\ndef f(x):\n    return x + 5\n",
    ),
    case(
        "what a function called on import does to another object",
        """
        TABLE = {}

        def fill(n):
            TABLE["x"] = n
            return 0

        ZERO = fill(5)
        """,
        "h.TABLE",
        "fill(5)",
        "fill(6)",
    ),
    case(
        "a call inside a function called on import",
        REGISTRY
        + """
def setup():
    kept = R.enroll("x", 5)
    return kept

setup()
""",
        "h.R.apply(1)",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a call whose result is returned, inside a function called on import",
        REGISTRY + '\ndef setup():\n    return R.enroll("x", 5)\n\nONE = [setup()]\n',
        "h.R.apply(1)",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a call in a condition",
        REGISTRY + '\nif R.enroll("x", 5):\n    Y = 1\n',
        "h.R.apply(1)",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a call in a comprehension",
        REGISTRY + '\nY = [R.enroll(n, 5) for n in "xy"]\n',
        "h.R.apply(1)",
        "n, 5",
        "n, 6",
    ),
    case(
        "a call in a default",
        REGISTRY + '\ndef f(x=R.enroll("x", 5)):\n    return x\n',
        "h.R.apply(1)",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a call in a class body",
        REGISTRY + '\nclass C:\n    w = R.enroll("x", 5)\n',
        "h.R.apply(1)",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a call by another function",
        REGISTRY
        + """
def twice(call):
    return call("x", 5)

Y = twice(R.enroll)
""",
        "h.R.apply(1)",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a call through map",
        "TABLE = []\n\ndef keep(x):\n    TABLE.append(x)\n    return x\n\n"
        "Y = list(map(keep, [1, 5]))\n",
        "h.TABLE",
        "[1, 5]",
        "[1, 6]",
    ),
    case(
        "an operator",
        """
        class Sum:
            def __init__(self):
                self.terms = []

            def __lshift__(self, term):
                self.terms.append(term)
                return self

        S = Sum()
        S << 5
        """,
        "h.S.terms",
        "<< 5",
        "<< 6",
    ),
    case(
        "a property",
        """
        class Box:
            def __init__(self):
                self._w = []

            @property
            def w(self):
                self._w.append(1)
                return self._w

            @w.setter
            def w(self, value):
                self._w.append(value)

        B = Box()
        B.w = 5
        """,
        "h.B._w",
        "B.w = 5",
        "B.w = 6",
    ),
    case(
        "a context manager",
        """
        class Box:
            items = []

            def __enter__(self):
                self.items.append(5)
                return self

            def __exit__(self, *error):
                pass

        B = Box()
        with B:
            pass
        """,
        "h.B.items",
        "append(5)",
        "append(6)",
    ),
]

REGISTERED = [
    case(
        "a bound method",
        REGISTRY + "\nregister = R.register\n\n@register\ndef f(x):\n    return x + 5\n",
        "h.R.apply(1)",
        "x + 5",
        "x + 6",
    ),
    case(
        "a bound method imported elsewhere",
        REGISTRY + "\nregister = R.register\n",
        "h.R.apply(1)",
        "x + 5",
        "x + 6",
        more="from toy.helpers import register\n\n@register\ndef f(x):\n    return x + 5\n",
    ),
    case(
        "a bound method in a tuple",
        REGISTRY + "\nregister, enroll = R.register, R.enroll\nenroll('x', 5)\n",
        "h.R.apply(1)",
        "'x', 5",
        "'x', 6",
    ),
    case(
        "a bound method of a dict",
        "TABLE = {}\nput = TABLE.__setitem__\nput('x', 5)\n",
        "h.TABLE",
        "'x', 5",
        "'x', 6",
    ),
    case(
        "a bound append",
        "TABLE = []\nadd = TABLE.append\nadd(5)\n",
        "h.TABLE",
        "add(5)",
        "add(6)",
    ),
    case(
        "a partial",
        """
        from functools import partial

        TABLE = {}

        def add(table, name, value):
            table[name] = value

        put = partial(add, TABLE)
        put("x", 5)
        """,
        "h.TABLE",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a partial used elsewhere",
        """
        from functools import partial

        TABLE = {}

        def add(table, name, value):
            table[name] = value

        put = partial(add, TABLE)
        """,
        "h.TABLE",
        "'x', 5",
        "'x', 6",
        more="from toy import helpers\n\nDONE = helpers.put('x', 5)\n",
    ),
    case(
        "a default",
        "TABLE = {}\n\ndef reg(n, table=TABLE):\n    table[n] = 5\n\nreg('x')\n",
        "h.TABLE",
        "= 5",
        "= 6",
    ),
    case(
        "a default, the call edited",
        "TABLE = {}\n\ndef reg(n, table=TABLE):\n    table['x'] = n\n\nreg(5)\n",
        "h.TABLE",
        "reg(5)",
        "reg(6)",
    ),
    case(
        "a keyword default",
        "TABLE = {}\n\ndef reg(n, *, table=TABLE):\n    table['x'] = n\n\nreg(n=5)\n",
        "h.TABLE",
        "n=5",
        "n=6",
    ),
    case(
        "a default that is the only name",
        "def reg(n=0, table=[]):\n    if n:\n        table.append(n)\n    return table\n\nreg(5)\n",
        "h.reg()",
        "reg(5)",
        "reg(6)",
    ),
    case(
        "an alias inside",
        "TABLE = {}\n\ndef reg(n):\n    table = TABLE\n    table['x'] = n\n\nreg(5)\n",
        "h.TABLE",
        "reg(5)",
        "reg(6)",
    ),
    case(
        "an alias inside, edited inside",
        "TABLE = {}\n\ndef reg():\n    table = TABLE\n    table['x'] = 5\n\nZ = reg()\n",
        "h.TABLE",
        "= 5",
        "= 6",
    ),
    case(
        "a class method of a subclass",
        """
        class Base:
            kinds = {}

            @classmethod
            def register(cls, function):
                cls.kinds[function.__name__] = function
                return function

        class Child(Base):
            pass

        @Child.register
        def f(x):
            return x + 5
        """,
        "h.Base.kinds['f'](1)",
        "x + 5",
        "x + 6",
    ),
    case(
        "a static method of a subclass",
        """
        class Base:
            kinds = {}

            @staticmethod
            def register(function):
                Base.kinds[function.__name__] = function
                return function

        class Child(Base):
            pass

        @Child.register
        def f(x):
            return x + 5
        """,
        "h.Base.kinds['f'](1)",
        "x + 5",
        "x + 6",
    ),
    case(
        "a result kept",
        REGISTRY + '\n_ = R.enroll("x", 5)\n',
        "h.R.apply(1)",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a registering method called log",
        REGISTRY + '\nR.log("x", 5)\n',
        "h.R.apply(1)",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "a registering function called info",
        "TABLE = {}\n\ndef info(n):\n    TABLE['x'] = n\n\ninfo(5)\n",
        "h.TABLE",
        "info(5)",
        "info(6)",
    ),
    case(
        "a module that registers, called log",
        "TABLE = {}\n",
        "h.TABLE",
        "info(5)",
        "info(6)",
        log="from toy import helpers\n\ndef info(n):\n    helpers.TABLE['x'] = n\n",
        more="from toy import log\n\nlog.info(5)\n",
    ),
    case(
        "a class registered by a decorator that is a method of a dict's item",
        REGISTRY + "\nALL = {'r': R}\n\n@ALL['r'].register\ndef f(x):\n    return x + 5\n",
        "h.R.apply(1)",
        "x + 5",
        "x + 6",
    ),
    case(
        "a closure",
        """
        def make():
            table = {}

            def put(name, value):
                table[name] = value

            def get():
                return table

            return put, get

        put, get = make()
        put("x", 5)
        """,
        "h.get()",
        '"x", 5',
        '"x", 6',
    ),
    case(
        "an instance that is called",
        """
        class Put:
            def __init__(self, table):
                self.table = table

            def __call__(self, value):
                self.table["x"] = value

        TABLE = {}
        put = Put(TABLE)
        put(5)
        """,
        "h.TABLE",
        "put(5)",
        "put(6)",
    ),
    case(
        "a method of another object that holds it",
        """
        class Holder:
            def __init__(self, table):
                self.table = table

            def put(self, value):
                self.table["x"] = value

        TABLE = {}
        HOLDER = Holder(TABLE)
        HOLDER.put(5)
        """,
        "h.TABLE",
        "put(5)",
        "put(6)",
    ),
    case(
        "a dataclass that holds it",
        """
        from dataclasses import dataclass

        @dataclass
        class Holder:
            table: dict

            def put(self, value):
                self.table["x"] = value

        TABLE = {}
        HOLDER = Holder(TABLE)
        HOLDER.put(5)
        """,
        "h.TABLE",
        "put(5)",
        "put(6)",
    ),
    case(
        "__init_subclass__ with a helper",
        """
        KINDS = {}

        def keep(kind, width):
            KINDS[kind.__name__] = width

        class Base:
            def __init_subclass__(cls, width=0, **keywords):
                super().__init_subclass__(**keywords)
                keep(cls, width)

        class One(Base, width=5):
            pass
        """,
        "h.KINDS",
        "width=5",
        "width=6",
    ),
    case(
        "__set_name__",
        """
        NAMES = []

        class Field:
            def __init__(self, width):
                self.width = width

            def __set_name__(self, owner, name):
                NAMES.append((name, self.width))

        class One:
            a = Field(5)
        """,
        "h.NAMES",
        "Field(5)",
        "Field(6)",
    ),
    case(
        "a metaclass",
        """
        KINDS = []

        class Meta(type):
            def __new__(mcs, name, bases, namespace, **keywords):
                made = super().__new__(mcs, name, bases, namespace)
                KINDS.append(made.width)
                return made

        class Base(metaclass=Meta):
            width = 5
        """,
        "h.KINDS",
        "width = 5",
        "width = 6",
    ),
    case(
        "a class decorator",
        REGISTRY + "\n@R.register\nclass C:\n    def __init__(self, x):\n        self.w = 5\n",
        "[c.w for c in h.R.apply(1)]",
        "w = 5",
        "w = 6",
    ),
    case(
        "a generator run to its end",
        "T = []\n\ndef steps():\n    T.append(5)\n    yield 1\n\nfor _ in steps():\n    pass\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "a function of a dataclass's field",
        """
        from dataclasses import dataclass, field

        TABLE = {}

        @dataclass
        class Holder:
            table: dict = field(default_factory=lambda: TABLE)

        HOLDER = Holder()
        HOLDER.table["x"] = 5
        """,
        "h.TABLE",
        "= 5",
        "= 6",
    ),
    case(
        "a thread",
        """
        import threading

        TABLE = []

        def fill(n):
            TABLE.append(n)

        thread = threading.Thread(target=fill, args=(5,))
        thread.start()
        thread.join()
        """,
        "h.TABLE",
        "(5,)",
        "(6,)",
    ),
    case(
        "a substitution",
        """
        import re

        TABLE = []
        PATTERN = re.compile("[0-9]")

        def keep(match):
            TABLE.append(match.group())
            return ""

        DONE = PATTERN.sub(keep, "a5")
        """,
        "h.TABLE",
        '"a5"',
        '"a6"',
    ),
    case(
        "a function run at exit of a stack",
        """
        import contextlib

        TABLE = []

        with contextlib.ExitStack() as stack:
            stack.callback(TABLE.append, 5)
        """,
        "h.TABLE",
        "append, 5",
        "append, 6",
    ),
]

ALIASES = [
    case("an alias", 'TABLE = {}\nt = TABLE\nt["x"] = 5\n', "h.TABLE", "= 5", "= 6"),
    case(
        "an alias of an alias",
        'TABLE = {}\nt = u = TABLE\nv = u\nv["x"] = 5\n',
        "h.TABLE",
        "= 5",
        "= 6",
    ),
    case(
        "an alias in another module",
        "TABLE = {}\n",
        "h.TABLE",
        "= 5",
        "= 6",
        one="from toy.helpers import TABLE as t\n\nu = t\n",
        two="from toy import one\n\none.u['x'] = 5\n",
    ),
    case("an alias read", 'T = {}\nU = T\nT["x"] = 5\n', "h.U", "= 5", "= 6"),
    case(
        "a loop over both",
        'T1, T2 = {}, {}\nfor t in (T1, T2):\n    t["x"] = 5\n',
        "h.T2",
        "= 5",
        "= 6",
    ),
    case(
        "a loop over a list of them",
        'T1, T2 = {}, {}\nALL = [T1, T2]\nfor t in ALL:\n    t["x"] = 5\n',
        "h.T2",
        "= 5",
        "= 6",
    ),
    case(
        "a loop with zip",
        'T1, T2 = {}, {}\nfor t, n in zip([T1, T2], [5, 6]):\n    t["x"] = n\n',
        "h.T2",
        "[5, 6]",
        "[5, 7]",
    ),
    case(
        "a loop over items",
        'T1 = {}\nALL = {"a": T1}\nfor k, t in ALL.items():\n    t[k] = 5\n',
        "h.T1",
        "= 5",
        "= 6",
    ),
    case(
        "a with",
        'from contextlib import nullcontext\n\nT = {}\nwith nullcontext(T) as t:\n    t["x"] = 5\n',
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "a with of the project",
        """
        from contextlib import contextmanager

        T = {}

        @contextmanager
        def opened():
            yield T

        with opened() as t:
            t["x"] = 5
        """,
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "an object that enters itself",
        """
        class Box(dict):
            def __enter__(self):
                return self

            def __exit__(self, *error):
                pass

        B = Box()
        with B as b:
            b["x"] = 5
        """,
        "h.B",
        "= 5",
        "= 6",
    ),
    case("a tuple", 'T = {}\nA, B = T, T\nA["x"] = 5\n', "h.T", "= 5", "= 6"),
    case("a tuple, by the other name", 'T = {}\nA, B = T, T\nA["x"] = 5\n', "h.B", "= 5", "= 6"),
    case("a starred tuple", 'T = {}\nA, *B = 1, T\nB[0]["x"] = 5\n', "h.T", "= 5", "= 6"),
    case(
        "an inner list",
        "T = {'a': []}\ninner = T['a']\ninner.append(5)\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "an inner list by get",
        "T = {'a': []}\ninner = T.get('a', None)\ninner.append(5)\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "an inner list by setdefault",
        "T = {}\ninner = T.setdefault('a', [])\ninner.append(5)\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "an inner list by unpacking",
        "T = {'a': []}\n(inner,) = T.values()\ninner += [5]\n",
        "h.T",
        "[5]",
        "[6]",
    ),
    case(
        "an inner list by next",
        "T = [[]]\ninner = next(iter(T))\ninner.append(5)\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "what was put in",
        "INNER = []\nT = {'a': INNER}\nT['a'].append(5)\n",
        "h.INNER",
        "append(5)",
        "append(6)",
    ),
    case(
        "what was put in by append",
        "INNER = []\nT = []\nT.append(INNER)\nT[0].append(5)\n",
        "h.INNER",
        "T[0].append(5)",
        "T[0].append(6)",
    ),
    case(
        "a shallow copy",
        "T = [[]]\nU = list(T)\nU[0].append(5)\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "a copy by a comprehension",
        "T = [[]]\nU = [t for t in T]\nU[0].append(5)\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "a copy by unpacking",
        "T = {'a': []}\nU = {**T}\nU['a'].append(5)\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "a sum of lists",
        "T = [[]]\nU = T + [1]\nU[0].append(5)\n",
        "h.T",
        "append(5)",
        "append(6)",
    ),
    case(
        "a view",
        "import numpy as np\n\nA = np.zeros(3)\nV = A[:2]\nV[:] = 5\n",
        "h.A.tolist()",
        "= 5",
        "= 6",
    ),
    case(
        "a view read",
        "import numpy as np\n\nA = np.zeros(3)\nV = A[:2]\nA[:] = 5\n",
        "h.V.tolist()",
        "= 5",
        "= 6",
    ),
    case(
        "a row",
        "import numpy as np\n\nA = np.zeros((3, 3))\nROW = A[0]\nA[:] = 5\n",
        "h.ROW.tolist()",
        "= 5",
        "= 6",
    ),
    case(
        "a transposed view",
        "import numpy as np\n\nA = np.zeros((2, 2))\nV = A.T\nV[0] = 5\n",
        "h.A.tolist()",
        "= 5",
        "= 6",
    ),
    case(
        "a reshaped view",
        "import numpy as np\n\nA = np.zeros(4)\nV = A.reshape(2, 2)\nV[0] = 5\n",
        "h.A.tolist()",
        "= 5",
        "= 6",
    ),
    case(
        "asarray",
        "import numpy as np\n\nA = np.zeros(4)\nV = np.asarray(A)\nV[0] = 5\n",
        "h.A.tolist()",
        "= 5",
        "= 6",
    ),
    case(
        "out",
        "import numpy as np\n\nA = np.zeros(3)\nnp.add(A, 5, out=A)\n",
        "h.A.tolist()",
        "A, 5",
        "A, 6",
    ),
    case(
        "out, the result kept",
        "import numpy as np\n\nA = np.zeros(3)\nB = np.add(A, 5, out=A)\n",
        "h.A.tolist()",
        "A, 5",
        "A, 6",
    ),
    case(
        "out by place",
        "import numpy as np\n\nA = np.zeros(3)\nB = np.add(A, 5, A)\n",
        "h.A.tolist()",
        "A, 5",
        "A, 6",
    ),
    case(
        "fill",
        "import numpy as np\n\nA = np.zeros(3)\nB = A.view()\nB.fill(5)\n",
        "h.A.tolist()",
        "fill(5)",
        "fill(6)",
    ),
    case(
        "copyto",
        "import numpy as np\n\nA = np.zeros(3)\nV = A[1:]\nnp.copyto(V, 5)\n",
        "h.A.tolist()",
        "V, 5",
        "V, 6",
    ),
    case(
        "an augmented array",
        "import numpy as np\n\nA = np.zeros(3)\nV = A\nV += 5\n",
        "h.A.tolist()",
        "+= 5",
        "+= 6",
    ),
    case(
        "what a call returns",
        'T = {}\n\ndef get():\n    return T\n\nget()["x"] = 5\n',
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "what a method returns",
        """
        class Holder:
            def __init__(self):
                self.table = {}

            def get(self):
                return self.table

        H = Holder()
        H.get()["x"] = 5
        """,
        "h.H.table",
        "= 5",
        "= 6",
    ),
    case(
        "what a cached function returns",
        """
        import functools

        @functools.lru_cache
        def get():
            return {}

        get()["x"] = 5
        """,
        "h.get()",
        "= 5",
        "= 6",
    ),
    case(
        "an object changed through what it was handed to",
        """
        class Holder:
            def __init__(self, table):
                self.table = table

        T = {}
        H = Holder(T)
        H.table["x"] = 5
        """,
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "an object changed through what it was handed to by keyword",
        """
        class Holder:
            def __init__(self, **tables):
                self.tables = tables

        T = {}
        H = Holder(a=T)
        H.tables["a"]["x"] = 5
        """,
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "a type of the standard library that holds it",
        "from types import SimpleNamespace\n\nT = {}\nN = SimpleNamespace(t=T)\nN.t['x'] = 5\n",
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "a ChainMap",
        "from collections import ChainMap\n\nT = {}\nC = ChainMap(T)\nC['x'] = 5\n",
        "h.T",
        "= 5",
        "= 6",
    ),
    case("vars", "class C:\n    w = 1\n\nc = C()\nvars(c)['w'] = 5\n", "h.c.w", "= 5", "= 6"),
    case(
        "__dict__ of an instance",
        "class C:\n    w = 1\n\nc = C()\nc.__dict__['w'] = 5\n",
        "h.c.w",
        "= 5",
        "= 6",
    ),
    case(
        "__dict__ of a module",
        "X = 1\n",
        "h.X",
        "= 5",
        "= 6",
        more='from toy import helpers\n\nhelpers.__dict__["X"] = 5\n',
    ),
    case(
        "vars of a module",
        "X = 1\n",
        "h.X",
        "= 5",
        "= 6",
        more='from toy import helpers\n\nvars(helpers)["X"] = 5\n',
    ),
    case(
        "__dict__ of a module, updated",
        "X = 1\n",
        "h.X",
        "X=5",
        "X=6",
        more="from toy import helpers\n\nhelpers.__dict__.update(X=5)\n",
    ),
    case(
        "a module under another name",
        "X = 1\n",
        "h.X",
        "= 5",
        "= 6",
        more="from toy import helpers\n\nmod = helpers\nmod.X = 5\n",
    ),
    case(
        "a module handed on",
        "X = 1\n",
        "h.X",
        "(helpers, 5)",
        "(helpers, 6)",
        more="from toy import helpers\n\ndef tune(mod, x):\n    mod.X = x\n\ntune(helpers, 5)\n",
    ),
    case(
        "setattr of a computed name on a module",
        "X = 1\n",
        "h.X",
        ", 5",
        ", 6",
        more="from toy import helpers\n\nfor name in 'XY':\n    setattr(helpers, name, 5)\n",
    ),
    case(
        "mock.patch.object",
        "X = 1\n",
        "h.X",
        ", 5",
        ", 6",
        more="from unittest import mock\n\nfrom toy import helpers\n\n"
        'mock.patch.object(helpers, "X", 5).start()\n',
    ),
    case(
        "mock.patch.object, kept",
        "X = 1\n",
        "h.X",
        ", 5",
        ", 6",
        more="from unittest import mock\n\nfrom toy import helpers\n\n"
        'patch = mock.patch.object(helpers, "X", 5)\npatch.start()\n',
    ),
    case(
        "mock.patch of a name",
        "X = 1\n",
        "h.X",
        ", 5",
        ", 6",
        more="from unittest import mock\n\nfrom toy import helpers\n\n"
        'mock.patch("toy.helpers.X", 5).start()\n',
    ),
    case(
        "a ContextVar",
        'from contextvars import ContextVar\n\nVAR = ContextVar("VAR", default=1)\nVAR.set(5)\n',
        "h.VAR.get()",
        "set(5)",
        "set(6)",
    ),
    case(
        "a ContextVar, the token kept",
        'from contextvars import ContextVar\n\nVAR = ContextVar("VAR", default=1)\n'
        "token = VAR.set(5)\n",
        "h.VAR.get()",
        "set(5)",
        "set(6)",
    ),
    case(
        "a function's attribute by an alias",
        "def f():\n    return f.w\n\ng = f\ng.w = 5\n",
        "h.f()",
        "= 5",
        "= 6",
    ),
    case(
        "attributes of functions in a list",
        "def f():\n    return f.w\n\nALL = [f]\nfor g in ALL:\n    g.w = 5\n",
        "h.f()",
        "= 5",
        "= 6",
    ),
    case(
        "an attribute set by a decorator",
        """
        def mark(width):
            def decorate(function):
                function.width = width
                return function
            return decorate

        @mark(5)
        def f():
            return f.width
        """,
        "h.f()",
        "mark(5)",
        "mark(6)",
    ),
    case(
        "a class through an instance",
        "class C:\n    kinds = []\n\nc = C()\nc.kinds.append(5)\n",
        "h.C.kinds",
        "append(5)",
        "append(6)",
    ),
    case(
        "a class through type",
        "class C:\n    w = 1\n\nc = C()\ntype(c).w = 5\n",
        "h.C.w",
        "= 5",
        "= 6",
    ),
    case(
        "a base through a subclass's attribute",
        "class B:\n    kinds = []\n\nclass C(B):\n    pass\n\nC.kinds.append(5)\n",
        "h.B.kinds",
        "append(5)",
        "append(6)",
    ),
    case(
        "sorted in place by heapq",
        "import heapq\n\nT = [3, 1]\nU = T\nheapq.heappush(U, 5)\n",
        "h.T",
        "U, 5",
        "U, 6",
    ),
    case(
        "operator.setitem",
        "import operator\n\nT = {}\nU = [T]\noperator.setitem(U[0], 'x', 5)\n",
        "h.T",
        "'x', 5",
        "'x', 6",
    ),
    case(
        "an unbound method",
        "T = {}\ndict.update(T, x=5)\n",
        "h.T",
        "x=5",
        "x=6",
    ),
    case(
        "an unbound method of the project",
        """
        class Box:
            def __init__(self):
                self.w = 1

            def tune(self, w):
                self.w = w

        B = Box()
        Box.tune(B, 5)
        """,
        "h.B.w",
        "B, 5",
        "B, 6",
    ),
    case(
        "a global of a function called on import, rebound to an alias",
        """
        T = {}
        CURRENT = None

        def choose():
            global CURRENT
            CURRENT = T

        choose()
        CURRENT["x"] = 5
        """,
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "a lambda",
        "T = {}\nput = lambda v: T.update(x=v)\nput(5)\n",
        "h.T",
        "put(5)",
        "put(6)",
    ),
    case(
        "a walrus",
        "T = {}\nif (t := T) is not None:\n    t['x'] = 5\n",
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "either of two",
        "T, U = {}, {}\nt = T if T is not None else U\nt['x'] = 5\n",
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "or",
        "T, U = {}, {}\nt = T or U\nt['x'] = 5\n",
        "h.U",
        "= 5",
        "= 6",
    ),
    case(
        "a match",
        "T = {}\nmatch T:\n    case dict() as t:\n        t['x'] = 5\n",
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "a star argument",
        "T = {}\n\ndef put(*tables):\n    for t in tables:\n        t['x'] = 5\n\nput(T)\n",
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "arguments unpacked",
        "T = {}\n\ndef put(t, n):\n    t['x'] = n\n\nargs = [T, 5]\nput(*args)\n",
        "h.T",
        "T, 5",
        "T, 6",
    ),
    case(
        "a function in a dict that is called",
        "T = {}\n\ndef put(n):\n    T['x'] = n\n\nACTIONS = {'put': put}\nACTIONS['put'](5)\n",
        "h.T",
        "](5)",
        "](6)",
    ),
    case(
        "getattr of a computed name",
        "T = {}\n\nclass A:\n    t = T\n\nfor n in ['t']:\n    getattr(A, n)['x'] = 5\n",
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "a try",
        "T = {}\ntry:\n    t = T\nexcept KeyError:\n    t = {}\nt['x'] = 5\n",
        "h.T",
        "= 5",
        "= 6",
    ),
    case(
        "a del",
        "T = {'x': 1, 'y': 5}\nt = T\ndel t['x']\n",
        "h.T",
        "del t['x']",
        "del t['y']",
    ),
]


@pytest.mark.parametrize(("files", "old", "new"), [*CALLS, *REGISTERED, *ALIASES])
def test_what_may_change_an_object_counts(
    tmp_path: Path, files: dict[str, str], old: str, new: str
) -> None:
    edited = {
        name: content.replace(old, new) if name != "stages" else content
        for name, content in files.items()
    }
    assert edited != files
    write(tmp_path / "before", files)
    write(tmp_path / "after", edited)
    assert result(tmp_path / "before") != result(tmp_path / "after")
    assert look(tmp_path / "before").digest != look(tmp_path / "after").digest
    if "mock.patch(" not in "".join(files.values()):  # may change anything
        assert look(tmp_path / "before", "other") == look(tmp_path / "after", "other")


@pytest.mark.timeout(60)
def test_an_operation_that_makes_objects_anew_does_not_wake_itself_for_ever(tmp_path: Path) -> None:
    modules = {
        "m1": "X1 = ([8], [7])\n",
        "m2": "import toy.m1 as m\ninner = min(m.X1)\ninner.sort(key=lambda value: -value)\n",
        "m3": "import copy\nfrom .m2 import inner\n\n\ndef f3(p4=[]):\n    p4.append(X1)\n\n\n"
        "a19 = copy.copy((inner,))[0]\n",
        "stages": "from toy import m3\n\n\ndef stage():\n    return m3.a19\n",
    }
    write(tmp_path, modules)
    before = look(tmp_path).digest
    (tmp_path / "toy" / "m1.py").write_text("X1 = ([8], [6])\n")
    assert look(tmp_path).digest != before


def test_the_analysis_is_kept_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {
        "helpers": "T = {'a': 1}\nU = T\nU['a'] = 5\n",
        "stages": "from toy import helpers\n\n\ndef stage():\n    return helpers.T\n",
    }
    write(tmp_path, modules)
    cache = tmp_path / "cache" / "facts.json"
    ran: list[bool] = []
    analysed = names.Names._analysed

    def counted(self: names.Names) -> Any:
        ran.append(True)
        return analysed(self)

    monkeypatch.setattr(names.Names, "_analysed", counted)

    def cached() -> str:
        tree = SourceTree(tmp_path, ["toy"], cache)
        return tree.fingerprint("toy.stages", "stage").digest

    assert cached() == cached() == look(tmp_path).digest
    assert len(ran) == 2  # once with the cache, once without one
    (tmp_path / "toy" / "helpers.py").write_text("T = {'a': 1}\nU = T\nU['a'] = 6\n")
    assert cached() == look(tmp_path).digest
    assert len(ran) == 4

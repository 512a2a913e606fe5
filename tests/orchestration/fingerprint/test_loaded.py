"""What names of imported modules stand for counts, by whatever means it got there."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest

from orchestration.fingerprint import SourceTree, cells

STAGE = "from toy import m, n\n\ndef stage():\n    return {}\n"


@contextmanager
def imported(root: Path, files: Mapping[str, str]) -> Iterator[SourceTree]:
    """Write a project and import its stages."""
    for name, text in {"__init__": "", "m": "", "n": "", **files}.items():
        path = root / "toy" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(root), *sys.path])
        patch.setattr(sys, "dont_write_bytecode", True)
        forget()
        try:
            import_module("toy.stages")
            yield SourceTree(root, ["toy"])
        finally:
            forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
        del sys.modules[name]


def digest(root: Path, files: Mapping[str, str]) -> str:
    with imported(root, files) as tree:
        function = sys.modules["toy.stages"].stage
        return tree.fingerprint("toy.stages", "stage", cells(function)).digest


NOTICED = {
    "iterator advanced": (
        "next(m.IT)",
        {"m": "IT = iter([1, 2, 3])"},
        "next(m.IT)",
    ),
    "generator advanced": (
        "next(m.IT)",
        {
            "m": "def numbers():\n    n = 0\n    while n < 99:\n        n += 1\n        yield n\n"
            "IT = numbers()"
        },
        "next(m.IT)",
    ),
    "generator expression advanced": (
        "next(m.IT)",
        {"m": "IT = (n * n for n in range(9))"},
        "any(m.IT)",
    ),
    "zip advanced": ("next(m.IT)", {"m": "IT = zip(range(9), range(9))"}, "list(zip(m.IT, [1]))"),
    "special method": (
        "m.TABLE",
        {"m": "TABLE = {}"},
        "class C:\n    def __bool__(self):\n        m.TABLE[1] = 2\n        return True\n"
        "if C():\n    pass",
    ),
    "default dictionary looked up": (
        "list(m.TABLE)",
        {"m": "from collections import defaultdict\nTABLE = defaultdict(list)"},
        "m.TABLE['x']",
    ),
    "namespace of a module": ("m.RATE", {"m": "RATE = 1"}, "m.__dict__['RATE'] = 2"),
    "variables of a module": ("m.RATE", {"m": "RATE = 1"}, "vars(m)['RATE'] = 2"),
    "code in a string": ("m.RATE", {"m": "RATE = 1"}, "exec('m.RATE = 2')"),
    "subscript of a class": (
        "m.VALUES",
        {
            "m": "VALUES = []\n"
            "class Box:\n    def __class_getitem__(cls, key):\n        return VALUES"
        },
        "m.Box[0].append(3)",
    ),
    "class made of a type": (
        "m.C.values",
        {"m": "class C:\n    values = []\nX = C()"},
        "type(m.X)().values.append(1)",
    ),
    "cache filled": (
        "m.f(3)",
        {
            "m": "import functools\nRATE = [1]\n"
            "@functools.cache\ndef f(x):\n    return x * RATE[0]\n"
            "def warm():\n    RATE[0] = 5\n    f(3)\n    RATE[0] = 1\n"
        },
        "m.warm()",
    ),
    "printed to": (
        "m.OUT.getvalue()",
        {"m": "import io\nOUT = io.StringIO()"},
        "print(1, file=m.OUT)",
    ),
    "buffer changed": (
        "bytes(m.DATA)",
        {"m": "DATA = bytearray(3)"},
        "memoryview(m.DATA)[0] = 7",
    ),
    "context variable": (
        "m.VAR.get(0)",
        {"m": "from contextvars import ContextVar\nVAR = ContextVar('VAR')"},
        "m.VAR.set(5)",
    ),
    "generator of random numbers": (
        "m.RNG.random()",
        {"m": "import numpy as np\nRNG = np.random.default_rng(0)"},
        "getattr(m, 'RN' + 'G').random()",
    ),
    "attribute of a function": (
        "m.f.rate",
        {"m": "def f(): pass\nf.rate = 1"},
        "vars(m.f)['rate'] = 2",
    ),
    "default of a parameter": (
        "m.f()",
        {"m": "def f(seen=[]):\n    return len(seen)"},
        "m.f.__defaults__[0].append(1)",
    ),
    "method put in place": (
        "m.C().f()",
        {"m": "class C:\n    def f(self):\n        return 1"},
        "type.__setattr__(m.C, 'f', lambda self: 2)",
    ),
    "object of an enumeration": (
        "m.E.A.value",
        {"m": "import enum\nclass E(enum.Enum):\n    A = [1]"},
        "[*m.E][0].value.append(2)",
    ),
}


@pytest.mark.parametrize("case", NOTICED)
def test_state_that_import_leaves_counts(case: str, tmp_path: Path) -> None:
    read, files, change = NOTICED[case]
    stages = STAGE.format(read)
    plain = digest(tmp_path / "a", {**files, "n": "from toy import m", "stages": stages})
    changed = digest(
        tmp_path / "b", {**files, "n": f"from toy import m\n{change}", "stages": stages}
    )
    assert plain != changed


HARMLESS = {
    "unused definition": ("", "def unused():\n    return 1"),
    "other object": ("m.OTHER.append(1)", "m.OTHER.append(2)"),
    "comment": ("X = [1]", "X = [1]  # one"),
    "method that no one uses": (
        "class C:\n    def f(self): return 1\nX = C()",
        "class C:\n    def f(self): return 1\n    def g(self): return 2\nX = C()",
    ),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_state_that_stays_the_same_does_not_count(case: str, tmp_path: Path) -> None:
    files = {"m": "TABLE = {'a': 1}\nOTHER = []", "stages": STAGE.format("m.TABLE")}
    one, other = (
        digest(tmp_path / str(k), {**files, "n": f"from toy import m\n{text}"})
        for k, text in enumerate(HARMLESS[case])
    )
    assert one == other


def test_what_a_stage_changes_when_it_runs_does_not_count(tmp_path: Path) -> None:
    files = {"m": "SEEN = []", "stages": STAGE.format("m.SEEN.append(1)")}
    with imported(tmp_path, files) as tree:
        stages = sys.modules["toy.stages"]
        before = tree.fingerprint("toy.stages", "stage").digest
        stages.stage()
        assert tree.fingerprint("toy.stages", "stage").digest == before
        edited = SourceTree(tmp_path, ["toy"])
        edited.look(like=tree)
        assert edited.fingerprint("toy.stages", "stage").digest == before
        assert SourceTree(tmp_path, ["toy"]).fingerprint("toy.stages", "stage").digest != before


def test_only_modules_that_the_roots_import_are_read(tmp_path: Path) -> None:
    """Or a version would depend on what else this process happens to have imported."""
    stages = "def stage():\n    from toy import m\n    return m.VALUE\n"
    files = {"m": "import os\nVALUE = os.environ.get('TOY_VALUE', 1)", "stages": stages}
    digests = []
    for also in ([], ["toy.m"]):
        with imported(tmp_path, files) as tree:
            for name in also:
                import_module(name)
            tree.look(["toy.stages"])
            digests.append(tree.fingerprint("toy.stages", "stage").digest)
    assert digests[0] == digests[1]


def test_a_value_counts_the_same_wherever_the_project_is(tmp_path: Path) -> None:
    files = {
        "m": """
            import sys
            from pathlib import Path
            HERE, PYTHON = str(Path(__file__).parent), sys.executable
            PLACES = {"a": HERE + "/a", "b": {Path(__file__)}}
        """,
        "stages": STAGE.format("m.HERE, m.PYTHON, m.PLACES"),
    }
    assert digest(tmp_path / "a", files) == digest(tmp_path / "b", files)


def test_an_environment_variable_read_on_import_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"m": "import os\nRATE = os.environ.get('TOY_RATE')", "stages": STAGE.format("m.RATE")}
    digests = set()
    for rate in ("1", "2"):
        monkeypatch.setenv("TOY_RATE", rate)
        digests.add(digest(tmp_path, files))
    assert len(digests) == 2


def test_what_changed_is_named_as_a_value(tmp_path: Path) -> None:
    pieces = []
    for change in ("", "m.TABLE[1] = 2"):
        files = {
            "m": "TABLE = {}",
            "n": f"from toy import m\n{change}",
            "stages": STAGE.format("m.TABLE"),
        }
        with imported(tmp_path, files) as tree:
            pieces.append(tree.fingerprint("toy.stages", "stage").pieces)
    differing = {name for name in pieces[1] if pieces[0].get(name) != pieces[1][name]}
    assert "toy.m:TABLE (value)" in differing


@pytest.mark.parametrize(
    "value",
    [
        "compile('1', '', 'eval')",
        "__import__('weakref').ref(set)",
        "__import__('threading').Thread(name='t')",
        "object()",
    ],
)
def test_an_object_that_can_not_be_read_is_the_same_in_every_process(
    value: str, tmp_path: Path
) -> None:
    files = {"m": f"VALUE = {value}", "stages": STAGE.format("m.VALUE")}
    assert digest(tmp_path, files) == digest(tmp_path, files)


def test_a_setting_of_the_process_counts_for_every_stage(tmp_path: Path) -> None:
    """Whoever imports the definitions imports the module that sets it."""
    stages = "def stage():\n    return 1.0\n"
    digests = []
    for value in ("1", "2"):
        files = {
            "m": f"import os\nos.environ['TOY'] = '{value}'",
            "n": "import toy.m",
            "stages": stages,
        }
        with imported(tmp_path, files) as tree:
            tree.look(["toy.n", "toy.stages"])
            digests.append(tree.fingerprint("toy.stages", "stage").digest)
    assert digests[0] != digests[1]

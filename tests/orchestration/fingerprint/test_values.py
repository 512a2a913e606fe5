"""Values that only the run knows: two that differ have two digests, in every process the same."""

from __future__ import annotations

import datetime
import functools
import importlib
import operator
import os
import random
import re
import subprocess
import sys
import threading
import types
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from orchestration.fingerprint import Fingerprint, SourceTree, cells

STAGES = """\
def make(value):
    def stage(x):
        return value, x

    return stage


def configure(value, factor):
    scale = 2 * factor

    def stage(x, table=value, *, scale=scale):
        return x, table, scale

    return stage
"""

THINGS = """\
import collections
import dataclasses
import functools
import pydantic


class Plain:
    def __init__(self, value):
        self.value = value


class Slots:
    __slots__ = ("value", "unset")

    def __init__(self, value):
        self.value = value


class Frozen(frozenset):
    pass


class Text(str):
    pass


class Numbers(list):
    pass


@dataclasses.dataclass
class Data:
    value: object

    def __post_init__(self):
        self.more = [self.value]


class Model(pydantic.BaseModel):
    value: int
    hidden: int = pydantic.Field(0, exclude=True)
    _private: int = pydantic.PrivateAttr(0)


Pair = collections.namedtuple("Pair", "a b")


def keep(value):
    inner = [value]

    def kept(x, factor=inner):
        return x, factor

    return kept


def bound(value):
    def kept(x, factor=value):
        return x, factor

    return kept


def classes(value):
    class Made:
        level = value

        def method(self):
            return value

    return Made


def wraps(value):
    @functools.lru_cache
    def kept():
        return value

    return kept


@functools.singledispatch
def kind(value):
    return "other"


unnamed = [lambda x: x + 1]
"""


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[Any]:
    """A module with a factory of stages, and one with things to hand to it."""
    files = {"made/__init__.py": "", "made/stages.py": STAGES, "made/things.py": THINGS}
    write(tmp_path, files)
    sys.path.insert(0, str(tmp_path))
    importlib.invalidate_caches()
    yield types.SimpleNamespace(
        stages=importlib.import_module("made.stages"), things=importlib.import_module("made.things")
    )
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == "made"]:
        del sys.modules[name]


def look(root: Path, function: Any) -> Fingerprint:
    tree = SourceTree(root, ["made"])
    return tree.fingerprint("made.stages", function.__qualname__, cells(function))


def itself(value: object) -> list[Any]:
    found: list[Any] = [value]
    found.append(found)
    return found


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def private(things: Any, value: int) -> Any:
    model = things.Model(value=1)
    model._private = value
    return model


def shuffled(seed: int) -> random.Random:
    generator = random.Random(0)
    generator.seed(seed)
    return generator


UTC, PARIS = zoneinfo.ZoneInfo("UTC"), zoneinfo.ZoneInfo("Europe/Paris")

PAIRS: dict[str, Callable[[Any], tuple[object, object]]] = {
    "an array": lambda t: (np.arange(3.0), np.arange(3.0) + 1),
    "the type of an array": lambda t: (np.arange(3), np.arange(3, dtype="f4")),
    "the shape of an array": lambda t: (np.zeros((2, 3)), np.zeros((3, 2))),
    "a long array": lambda t: (np.zeros(10_000), np.eye(100).ravel()),
    "an array of objects": lambda t: (np.array([t.Plain(1)]), np.array([t.Plain(2)])),
    "a scalar of NumPy": lambda t: (np.float64(1), np.float32(1)),
    "a generator of NumPy": lambda t: (np.random.default_rng(0), np.random.default_rng(1)),
    "a table": lambda t: (frame(a=[1, 2]), frame(a=[1, 3])),
    "a table's names": lambda t: (frame(a=["x"]), frame(b=["x"])),
    "a series": lambda t: (pd.Series([1.0, None]), pd.Series([1.0, 2.0])),
    "a time of pandas": lambda t: (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")),
    "a date": lambda t: (datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)),
    "a time zone": lambda t: (
        datetime.datetime(2024, 1, 1, tzinfo=UTC),
        datetime.datetime(2024, 1, 1, tzinfo=PARIS),
    ),
    "a duration": lambda t: (datetime.timedelta(1), datetime.timedelta(2)),
    "a pattern": lambda t: (re.compile("a"), re.compile("b")),
    "flags of a pattern": lambda t: (re.compile("a"), re.compile("a", re.IGNORECASE)),
    "an ordered dict": lambda t: (OrderedDict(a=1), OrderedDict(a=2)),
    "order": lambda t: (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    "a deque": lambda t: (deque([1, 2]), deque([2, 1])),
    "length of a deque": lambda t: (deque([1], 2), deque([1], 3)),
    "a counter": lambda t: (Counter("ab"), Counter("abb")),
    "a default": lambda t: (defaultdict(int), defaultdict(list)),
    "a decimal": lambda t: (Decimal("1.0"), Decimal("1.00")),
    "a fraction": lambda t: (Fraction(1, 2), Fraction(1, 3)),
    "an identifier": lambda t: (uuid.UUID(int=1), uuid.UUID(int=2)),
    "long bytes": lambda t: (bytes(1000), bytes(999) + b"1"),
    "bytes that may change": lambda t: (bytearray(b"1"), bytearray(b"2")),
    "a slice": lambda t: (slice(1), slice(2)),
    "a set of tuples": lambda t: ({(1, 2), (3, 4)}, {(1, 2), (3, 5)}),
    "a set in a set": lambda t: ({frozenset("abc")}, {frozenset("abd")}),
    "a set of its own class": lambda t: (t.Frozen("abc"), t.Frozen("abd")),
    "a namespace": lambda t: (types.SimpleNamespace(a=1), types.SimpleNamespace(a=2)),
    "a view of a dict": lambda t: (types.MappingProxyType({1: 2}), types.MappingProxyType({1: 3})),
    "an object": lambda t: (t.Plain(1), t.Plain(2)),
    "an object deep inside": lambda t: (t.Plain([t.Plain(1)]), t.Plain([t.Plain(2)])),
    "an object with slots": lambda t: (t.Slots(1), t.Slots(2)),
    "a data class": lambda t: (t.Data(1), t.Data(2)),
    "a text of its own class": lambda t: (t.Text("a"), t.Text("b")),
    "a list of its own class": lambda t: (t.Numbers([1]), t.Numbers([2])),
    "a pair": lambda t: (t.Pair(1, 2), t.Pair(1, 3)),
    "a model": lambda t: (t.Model(value=1), t.Model(value=2)),
    "a field that is left out": lambda t: (t.Model(value=1), t.Model(value=1, hidden=2)),
    "a private attribute": lambda t: (private(t, 1), private(t, 2)),
    "a list that holds itself": lambda t: (itself(1), itself(2)),
    "objects that are one": lambda t: ([t.Plain(1)] * 2, [t.Plain(1), t.Plain(1)]),
    "a value in a closure": lambda t: (t.keep(1), t.keep(2)),
    "a default of a function": lambda t: (t.bound(np.arange(2)), t.bound(np.arange(3))),
    "a class that was made": lambda t: (t.classes(1), t.classes(2)),
    "an object of a class that was made": lambda t: (t.classes(1)(), t.classes(2)()),
    "a cached function": lambda t: (t.wraps(1), t.wraps(2)),
    "an argument bound": lambda t: (
        functools.partial(t.keep, np.arange(2)),
        functools.partial(t.keep, np.arange(3)),
    ),
    "a method": lambda t: (t.Plain(1).__init__, t.Plain(2).__init__),
    "a built-in method": lambda t: ([1].index, [2].index),
    "a getter": lambda t: (operator.itemgetter(1), operator.itemgetter(2)),
    "a closure of a library": lambda t: (np.vectorize(t.keep), np.vectorize(t.bound)),
    "a random generator": lambda t: (shuffled(0), shuffled(1)),
    "functions by type": lambda t: (t.kind, functools.singledispatch(t.keep)),
    "inf": lambda t: (float("inf"), float("nan")),
    "zero": lambda t: (0.0, -0.0),
}


@pytest.mark.parametrize("case", PAIRS)
def test_other_values_have_other_digests(tmp_path: Path, modules: Any, case: str) -> None:
    first, second = PAIRS[case](modules.things)
    again, _ = PAIRS[case](modules.things)
    found = [look(tmp_path, modules.stages.make(value)) for value in (first, again, second)]
    assert not any(each.dynamic for each in found)
    assert found[0].digest == found[1].digest != found[2].digest


def test_a_value_has_one_digest_in_every_process(tmp_path: Path, modules: Any) -> None:
    code = (
        "import sys, runpy; from pathlib import Path; from types import SimpleNamespace\n"
        "tests = SimpleNamespace(**runpy.run_path(sys.argv[1]))\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "import made.stages, made.things\n"
        "for case in tests.PAIRS.values():\n"
        "    value, _ = case(made.things)\n"
        "    print(tests.look(Path(sys.argv[2]), made.stages.make(value)).digest)\n"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code, __file__, str(tmp_path)],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1]
    assert len(set(found[0].split())) > len(PAIRS) / 2


KEPT = "inner = [value]\n\n    def kept(x, factor=inner):\n        return -x"


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("self.value = value\n\n\nclass Slots", "self.value = 2\n\n\nclass Slots", "Plain(1)"),
        ("inner = [value]\n\n    def kept(x, factor=inner):\n        return x", KEPT, "keep(1)"),
        ("            return value\n", "            return 2 * value\n", "classes(1)()"),
        ("lambda x: x + 1", "lambda x: x + 2", "unnamed[0]"),
    ],
)
def test_the_class_of_a_value_counts(
    tmp_path: Path, modules: Any, old: str, new: str, value: str
) -> None:
    stage = modules.stages.make(eval(value, vars(modules.things)))
    first = look(tmp_path, stage).digest
    assert THINGS.count(old) == 1
    write(tmp_path, {"made/things.py": THINGS.replace(old, new)})
    assert look(tmp_path, stage).digest != first


def test_defaults_of_a_made_stage_count_by_value(tmp_path: Path, modules: Any) -> None:
    configure = modules.stages.configure
    made = [configure(np.arange(2), 1), configure(np.arange(3), 1), configure(np.arange(2), 2)]
    found = [look(tmp_path, stage) for stage in made]
    assert len({each.digest for each in found}) == 3
    assert not any(each.dynamic for each in found)


def test_a_lock_has_no_value(tmp_path: Path, modules: Any) -> None:
    found = [
        look(tmp_path, modules.stages.make(modules.things.Plain(threading.Lock())))
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert not found[0].dynamic


def test_a_text_that_names_a_place_in_the_checkout_counts_without_it(
    tmp_path: Path, modules: Any
) -> None:
    found = []
    for folder in ("here", "there"):
        write(tmp_path / folder, {"made/__init__.py": "", "made/stages.py": STAGES})
        stage = modules.stages.make(f"sqlite:///{tmp_path / folder}/runs.db")
        found.append(look(tmp_path / folder, stage).digest)
    assert found[0] == found[1]


def test_what_cannot_be_told_counts_as_the_whole_project(tmp_path: Path, modules: Any) -> None:
    stage = modules.stages.make(modules.things.Plain(iter(n for n in ())))
    first = look(tmp_path, stage)
    assert [each.what for each in first.dynamic] == [
        "a value of type builtins.generator in make.<locals>.stage"
    ]
    write(tmp_path, {"made/elsewhere.py": "N = 1\n"})
    assert look(tmp_path, stage).digest != first.digest

"""Settings count whole, and compare with themselves."""

from __future__ import annotations

import datetime
import enum
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from pydantic import Field, field_serializer

from orchestration.errors import ProjectError
from orchestration.settings import plain
from orchestration.store import Slot


class Kind(enum.Enum):
    A = "a"


class Inner(dg.Config):
    level: int = 1
    hidden: int = Field(2, exclude=True)


class Outer(dg.PermissiveConfig):
    inner: Inner = Inner(hidden=2)
    shown: int = 3

    @field_serializer("shown")
    def same(self, value: int) -> str:
        return "*"


def test_fields_count_whatever_a_class_leaves_out_of_its_serialisation() -> None:
    settings = Outer(**{"shown": 4, "extra": 5})
    assert plain(settings) == {"inner": {"level": 1, "hidden": 2}, "shown": 4, "extra": 5}


PAIRS: list[tuple[Any, Any]] = [
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"1": 1}, {1: 1}),
    ([1, 2], (1, 2)),
    (float("nan"), float("inf")),
    (float("nan"), "nan"),
    (datetime.date(2024, 1, 1), "2024-01-01"),
    (1, "1"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_values_that_differ_have_other_data(one: Any, other: Any) -> None:
    assert plain(one) != plain(other)
    for value in (one, other):
        assert json.loads(json.dumps(plain(value))) == plain(value)


def test_what_json_has_is_left_as_it_is() -> None:
    value = {"a": [1, 2.5, None, True], "b": {"c": "d"}}
    assert plain(value) == value
    assert plain(Kind.A) == "a"


STAGE = """
from pydantic import Field


class Odd(dg.Config):
    missing: float = float("nan")
    order: dict[str, int] = {"b": 1, "a": 2}
    hidden: int = Field(1, exclude=True)
    place: str = dg.EnvVar("TOY_PLACE")


@dg.asset(key=["s", "odd"])
def odd(config: Odd):
    return [list(config.order), config.hidden, config.place]


@dg.asset(key=["s", "plain"])
def plain(config: dict):
    return 1


@dg.asset(key=["s", "given"], config_schema={"rate": dg.Field(float, default_value=float("nan"))})
def given(context):
    return str(context.op_execution_context.op_config["rate"])
"""


@pytest.fixture
def toy(toy_source: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TOY_PLACE", "here")
    toy = toy_source.Toy(tmp_path / "project")
    toy_source.write_toy(toy.root, ())
    toy.append(STAGE)
    return toy


def test_settings_of_every_kind_are_fresh_once_built(toy: Any) -> None:
    assert toy.rebuild().errors == {}
    assert toy.plan().stale == []
    for record in toy.root.rglob("current.json"):
        assert '"here"' not in record.read_text()  # it may be a secret


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"b": 1, "a": 2}', '{"a": 2, "b": 1}'),
        ("Field(1, exclude=True)", "Field(2, exclude=True)"),
        ('float("nan")\n', 'float("inf")\n'),
    ],
)
def test_an_edit_of_a_default_counts(toy: Any, old: str, new: str) -> None:
    toy.rebuild("key:s/odd")
    toy.edit(old, new, "systems.py")
    [item] = toy.plan("key:s/odd").stale
    assert item.reasons[0].kind == "config"


def test_settings_edited_in_one_process_are_stored_as_edited(toy: Any) -> None:
    """Dagster keeps a schema for another one that is equal but for the order of a default."""
    toy.rebuild("key:s/odd")
    toy.edit('{"b": 1, "a": 2}', '{"a": 2, "b": 1}', "systems.py")
    assert toy.rebuild("key:s/odd").errors == {}
    with toy.open() as session:
        assert session.store.load(Slot("s/odd"))[0] == ["a", "b"]
    assert toy.plan("key:s/odd").stale == []


def test_the_value_of_a_variable_of_the_environment_counts(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.rebuild("key:s/odd")
    monkeypatch.setenv("TOY_PLACE", "there")
    [item] = toy.plan("key:s/odd").stale
    assert "$TOY_PLACE" in item.reasons[0].detail
    assert toy.rebuild("key:s/odd").errors == {}
    with toy.open() as session:
        assert session.store.load(Slot("s/odd"))[2] == "there"
    assert toy.plan("key:s/odd").stale == []


def test_settings_of_a_plain_type_without_a_default_are_said(toy: Any) -> None:
    toy.edit("config: dict)", "config: float)", "systems.py")
    with pytest.raises(ProjectError, match=r"s/plain: its settings have no whole default"):
        toy.plan()

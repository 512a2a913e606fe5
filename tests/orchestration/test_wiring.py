"""What a stage's definition gives to its result counts; what can't alter it doesn't."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration.errors import ProjectError
from orchestration.store import Slot

# Resources and IO managers of one asset are.
pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")

DEFINITIONS = """\
from orchestration.build import laid_over
from orchestration.project import find
from pathlib import Path
from toy import stages

defs = laid_over(
    [stages],
    find(Path(__file__).parent),
    resources=stages.RESOURCES,
    uncounted=stages.UNCOUNTED,
)
"""

STAGES = '''\
"""The stages."""

import dagster as dg
import numpy as np

from toy.helpers import Scaler, Store, named, partition_of

UNCOUNTED = ["tracker"]


class Client(dg.ConfigurableResource):
    retries: int = 3


class Database(dg.ConfigurableResource):
    client: Client
    url: str = "db"
    table: dict[str, int] = {"b": 1, "a": 2}


class Tracker(dg.ConfigurableResource):
    uri: str = "here"


@dg.resource(config_schema={"level": dg.Field(int, default_value=1)})
def legacy(context):
    return context.resource_config["level"]


@dg.input_manager
def halved(context):
    return 0.5


RESOURCES = {
    "database": Database(client=Client(retries=3)),
    "tracker": Tracker(uri="here"),
    "legacy": legacy,
    "scaler": Scaler(2),
    "halved": halved,
}
FAMILY = dg.StaticPartitionsDefinition(["a", "b"])
DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-03", timezone="UTC")


@dg.asset(key=["s", "x"])
def x():
    return 3


@dg.asset(key=["s", "y"], io_manager_key="json")
def y():
    return {"v": [1.0, 2.0]}


@dg.asset(key=["s", "minus"], ins={"a": dg.AssetIn(["s", "x"]), "b": dg.AssetIn(["s", "y"])})
def minus(a, b):
    return a - len(b)


@dg.asset(
    key=["s", "keywords"], ins={"x": dg.AssetIn(["s", "x"]), "other": dg.AssetIn(["s", "y"])}
)
def keywords(**given):
    return sorted(given)


@dg.multi_asset(name="two", outs={
    "one": dg.AssetOut(key=["s", "one"]), "two": dg.AssetOut(key=["s", "two"]),
})
def two():
    return 1, 2


@dg.asset(key=["s", "rate"], config_schema={"rate": dg.Field(float, default_value=0.5)})
def rate(context):
    return context.op_config["rate"]


@dg.asset(key=["s", "day"], partitions_def=DAYS)
def day(context):
    return str(context.partition_time_window)


@dg.asset(key=["s", "member"], partitions_def=FAMILY, group_name="g",
          tags={"stage": "t"}, metadata={"m": 1}, owners=["a@b.org"], description="d",
          kinds={"python"}, retry_policy=dg.RetryPolicy(max_retries=1), code_version="1")
def member(context):
    return partition_of(context)


@dg.asset(key=["s", "seen"], tags={"stage": "t"}, metadata={"m": 1}, group_name="g",
          partitions_def=FAMILY)
def seen(context):
    return named(context)


@dg.asset(key=["s", "asked"], tags={"stage": "t"})
def asked():
    return dg.AssetExecutionContext.get().assets_def.tags_by_key


@dg.asset(key=["s", "resources"])
def resources(database: Database, tracker: Tracker):
    return database.url


@dg.asset(key=["s", "required"], required_resource_keys={"legacy", "scaler"})
def required(context):
    return context.resources.scaler.factor


@dg.asset(key=["s", "managed"], ins={"x": dg.AssetIn(["s", "x"], input_manager_key="halved")})
def managed(x):
    return x


@dg.asset(key=["s", "own"], resource_defs={"private": Client(retries=1)},
          required_resource_keys={"private"})
def own(context):
    return context.resources.private.retries


@dg.asset(key=["s", "all"], ins={"members": dg.AssetIn(["s", "member"])})
def every(members: dict[str, str]):
    return list(members)
'''

HELPERS = '''\
class Scaler:
    def __init__(self, factor):
        self.factor = factor


class Store:
    """Another class."""


def partition_of(context):
    return context.partition_key


def named(context):
    return context.assets_def.metadata_by_key
'''


@pytest.fixture
def toy(toy_source: SimpleNamespace, tmp_path: Path) -> Any:
    toy = toy_source.Toy(tmp_path / "project")
    toy_source.write_toy(toy.root, ())
    (toy.package / "definitions.py").write_text(DEFINITIONS)
    (toy.package / "helpers.py").write_text(HELPERS)
    (toy.package / "stages.py").write_text(STAGES)
    return toy


def versions(toy: Any) -> dict[str, str]:
    with toy.open() as session:
        return {key: session.stages.version(key).key for key in session.stages.by_key}


SHAPING = {
    "inputs are swapped": (
        'ins={"a": dg.AssetIn(["s", "x"]), "b": dg.AssetIn(["s", "y"])}',
        'ins={"a": dg.AssetIn(["s", "y"]), "b": dg.AssetIn(["s", "x"])}',
        {"s/minus"},
    ),
    "keyword inputs are swapped": (
        '{"x": dg.AssetIn(["s", "x"]), "other": dg.AssetIn(["s", "y"])}',
        '{"x": dg.AssetIn(["s", "y"]), "other": dg.AssetIn(["s", "x"])}',
        {"s/keywords"},
    ),
    "a keyword input is renamed": ('"other": dg', '"another": dg', {"s/keywords"}),
    "outputs are swapped": (
        '"one": dg.AssetOut(key=["s", "one"]), "two": dg.AssetOut(key=["s", "two"]),',
        '"two": dg.AssetOut(key=["s", "two"]), "one": dg.AssetOut(key=["s", "one"]),',
        {"s/one", "s/two"},
    ),
    "keys of outputs are swapped": (
        '"one": dg.AssetOut(key=["s", "one"]), "two": dg.AssetOut(key=["s", "two"]),',
        '"one": dg.AssetOut(key=["s", "two"]), "two": dg.AssetOut(key=["s", "one"]),',
        {"s/one", "s/two"},
    ),
    "the format": ('io_manager_key="json"', 'io_manager_key="arrays"', {"s/y"}),
    "the format of one of two": (
        '"two": dg.AssetOut(key=["s", "two"])',
        '"two": dg.AssetOut(key=["s", "two"], io_manager_key="tables")',
        {"s/one", "s/two"},
    ),
    "a default of a schema": ("default_value=0.5", "default_value=0.6", {"s/rate"}),
    "the hour at which a day begins": (
        'timezone="UTC"', 'timezone="UTC", hour_offset=3', {"s/day"},
    ),
    "the time zone": ('timezone="UTC"', 'timezone="Europe/Paris"', {"s/day"}),
    "a nested resource": ("Client(retries=3)", "Client(retries=4)", {"s/resources"}),
    "a default of a resource": ('url: str = "db"', 'url: str = "db2"', {"s/resources"}),
    "order in a resource": ('{"b": 1, "a": 2}', '{"a": 2, "b": 1}', {"s/resources"}),
    "a default of a legacy resource": (
        "default_value=1", "default_value=2", {"s/required"},
    ),
    "a configured resource": (
        '"legacy": legacy,', '"legacy": legacy.configured({"level": 2}),', {"s/required"},
    ),
    "the code of a legacy resource": (
        'resource_config["level"]', 'resource_config["level"] + 1', {"s/required"},
    ),
    "an object as a resource": ("Scaler(2)", "Scaler(3)", {"s/required"}),
    "a hidden resource": ("Client(retries=1)", "Client(retries=2)", {"s/own"}),
    "an input manager": ("return 0.5", "return 0.25", {"s/managed"}),
    "metadata that a stage reads": (
        'tags={"stage": "t"}, metadata={"m": 1}, group_name="g",\n',
        'tags={"stage": "t"}, metadata={"m": 2}, group_name="g",\n',
        {"s/seen"},
    ),
    "tags that a stage asks for": (
        '"asked"], tags={"stage": "t"}', '"asked"], tags={"stage": "u"}', {"s/asked"},
    ),
    "partitions that a stage may read": (
        'Definition(["a", "b"])', 'Definition(["a", "b", "c"])', {"s/seen"},
    ),
}  # fmt: skip


IN_ONE_DICT = {"s/managed", "s/required"}
"""What reads functions of `RESOURCES`: all values of a dict count as one object, so an edit of one
value is an edit of each."""


@pytest.mark.parametrize("case", SHAPING)
def test_what_shapes_a_result_counts(toy: Any, case: str) -> None:
    old, new, changed = SHAPING[case]
    before = versions(toy)
    toy.edit(old, new, "stages.py")
    after = versions(toy)
    stale = {key for key in before if before[key] != after[key]}
    assert changed <= stale <= changed | IN_ONE_DICT


HARMLESS = {
    "group": ('group_name="g",\n          tags', 'group_name="h",\n          tags'),
    "tags": ('tags={"stage": "t"}, metadata={"m": 1}, owners', 'tags={"u": "t"}, owners'),
    "metadata": ('metadata={"m": 1}, owners', 'metadata={"m": 2}, owners'),
    "owners": ("a@b.org", "c@b.org"),
    "description": ('description="d"', 'description="e"'),
    "kinds": ('kinds={"python"}', 'kinds={"sql"}'),
    "retries": ("max_retries=1", "max_retries=2"),
    "code version": ('code_version="1"', 'code_version="2"'),
    "an uncounted resource": ('Tracker(uri="here")', 'Tracker(uri="there")'),
    "more days": ('end_date="2024-01-03"', 'end_date="2024-01-09"'),
    "fewer days": ('"2024-01-01", end_date', '"2024-01-02", end_date'),
    "a partition more, for those who can't see it": (
        'partitions_def=FAMILY, group_name="g"',
        'partitions_def=dg.StaticPartitionsDefinition(["a", "b", "c"]), group_name="g"',
    ),
    "a stage more": ("FAMILY =", '@dg.asset(key=["s", "z"])\ndef z():\n    return 1\n\n\nFAMILY ='),
    "the default format by name": (', io_manager_key="json"', ""),
}  # fmt: skip


@pytest.mark.parametrize("case", HARMLESS)
def test_what_cannot_alter_a_result_does_not_count(toy: Any, case: str) -> None:
    before = versions(toy)
    toy.edit(*HARMLESS[case], "stages.py")
    after = versions(toy)
    stale = {key for key in before if before[key] != after[key]}
    assert stale == (IN_ONE_DICT if case == "an uncounted resource" else set())


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ("partition_key", False),
        ("partition_key + str(vars(Scaler(1)))", False),
        ("assets_def", True),
        ("partition_key + str(locals())", True),
    ],
)
def test_a_context_shows_the_definition_unless_only_facts_of_the_run_are_asked_for(
    toy: Any, body: str, changes: bool
) -> None:
    toy.edit("return context.partition_key", f"return context.{body}", "helpers.py")
    before = versions(toy)
    toy.edit(*HARMLESS["metadata"], "stages.py")
    after = versions(toy)
    assert (before["s/member"] != after["s/member"]) == changes


def test_a_stage_wired_as_usual_has_no_wiring_in_its_version(toy: Any) -> None:
    with toy.open() as session:
        assert session.stages.version("s/x").wiring == {}
        assert session.stages.version("s/minus").wiring == {}
        assert session.stages.version("s/y").to_dict()["wiring"] == {}


def test_a_plan_says_which_wiring_changed_and_a_rebuild_follows_it(toy: Any) -> None:
    toy.rebuild('+key:"s/one" or +key:"s/two" or +key:"s/y"')
    toy.edit(
        '"one": dg.AssetOut(key=["s", "one"])', '"one": dg.AssetOut(key=["s", "ONE"])', "stages.py"
    )
    toy.edit(
        '"two": dg.AssetOut(key=["s", "two"])', '"two": dg.AssetOut(key=["s", "one"])', "stages.py"
    )
    toy.edit('["s", "ONE"]', '["s", "two"]', "stages.py")
    toy.edit('io_manager_key="json"', 'io_manager_key="arrays"', "stages.py")
    reasons = {
        str(item.slot): item.reasons[0]
        for item in toy.plan('key:"s/one" or key:"s/two" or key:"s/y"').stale
    }
    assert reasons["s/y"].detail == "wiring: outputs None -> [['arrays']]"
    assert reasons["s/one"].kind == "config"
    assert reasons["s/one"].detail.startswith("wiring: outputs [[")
    toy.rebuild('key:"s/one" or key:"s/two" or key:"s/y"')
    with toy.open() as session:
        assert session.store.load(Slot("s/one")) == 2
        assert list(session.store.load(Slot("s/y"))) == ["v"]
    assert toy.plan('key:"s/one" or key:"s/two" or key:"s/y"').stale == []


def test_a_record_without_wiring_is_read(toy: Any) -> None:
    import json

    toy.rebuild('key:"s/x" or key:"s/y"')
    for path in toy.root.rglob("current.json"):
        record = json.loads(path.read_text())
        del record["version"]["wiring"]
        path.write_text(json.dumps(record))
    assert toy.plan('key:"s/x" or key:"s/y"').stale == []


def test_the_order_of_partitions_counts_for_who_reads_them_all(toy: Any) -> None:
    toy.rebuild('+key:"s/all"')
    toy.edit('Definition(["a", "b"])', 'Definition(["b", "a"])', "stages.py")
    assert [str(item.slot) for item in toy.plan('+key:"s/all"').stale] == ["s/all"]
    toy.rebuild('+key:"s/all"')
    with toy.open() as session:
        assert session.store.load(Slot("s/all")) == ["b", "a"]


def test_an_output_that_goes_elsewhere_is_refused(toy: Any) -> None:
    toy.edit(', io_manager_key="json"', ", io_manager_def=dg.mem_io_manager", "stages.py")
    with pytest.raises(ProjectError, match=r"s/y: .*the store"):
        toy.plan()


def test_a_resource_that_nobody_gave_is_said(toy: Any) -> None:
    toy.edit('    "scaler": Scaler(2),\n', "", "stages.py")
    with pytest.raises(ProjectError, match=r"s__required asks for the resource scaler, which"):
        toy.plan()

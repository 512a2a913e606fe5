"""Stages that return no value, and kinds of assets and partitions that need care."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration.errors import ProjectError
from orchestration.store import Slot

STAGES = '''\
"""The stages."""

import os
from pathlib import Path

import dagster as dg

from toy.log import ran

FACTOR = 1


@dg.asset(key=["u", "none"])
def none() -> None:
    ran("none")
    Path(os.environ["TOY_LOG"]).with_name("out.txt").write_text(str(FACTOR))


@dg.asset(key=["u", "unsaid"])
def unsaid():
    ran("unsaid")


@dg.asset(key=["u", "reports"])
def reports() -> dg.MaterializeResult:
    ran("reports")
    version = str(FACTOR // 2)
    return dg.MaterializeResult(data_version=dg.DataVersion(version), metadata={"rows": 3})


@dg.multi_asset(specs=[dg.AssetSpec(["u", "p"]), dg.AssetSpec(["u", "q"], deps=[["u", "none"]])])
def pair():
    ran("pair")
    yield dg.MaterializeResult(asset_key=["u", "p"], data_version=dg.DataVersion("1"))
    yield dg.MaterializeResult(asset_key=["u", "q"])


@dg.asset(key=["u", "value"])
def value() -> dg.MaterializeResult[list]:
    return dg.MaterializeResult(value=[FACTOR], data_version=dg.DataVersion("mine"))


@dg.asset(key=["u", "after"], deps=[["u", "none"], ["u", "unsaid"], ["u", "reports"], ["u", "p"]])
def after():
    ran("after")
    return 1


@dg.asset(key=["u", "later"])
async def later() -> None:
    ran("later")
'''


@pytest.fixture
def empty_toy(toy_source: SimpleNamespace, tmp_path: Path) -> Any:
    """A toy without stages."""
    toy = toy_source.Toy(tmp_path / "project")
    toy_source.write_toy(toy.root, ())
    return toy


@pytest.fixture
def toy(empty_toy: Any) -> Any:
    (empty_toy.package / "systems.py").write_text(STAGES)
    return empty_toy


def test_stages_that_return_nothing_are_built_once(toy: Any) -> None:
    outcome = toy.rebuild()
    assert outcome.errors == {}
    assert len(outcome.materialized) == 8
    assert toy.ran() == ["after", "later", "none", "pair", "reports", "unsaid"]
    assert toy.plan().stale == []
    assert toy.unsynced() == {}
    with toy.open() as session:
        assert session.store.load(Slot("u/none")) is None
        assert session.store.load(Slot("u/value")) == [1]
        assert session.store.current(Slot("u/reports")).content == "0"
        assert session.store.current(Slot("u/p")).content == "1"
        assert "rows" in session.store.records(Slot("u/reports"))[0].metadata

    # What reports the same version leaves what is below it as it is; what reports none does not.
    toy.edit("    version = str(FACTOR // 2)", "    version = str(0 * FACTOR)", "systems.py")
    assert toy.rebuild().errors == {}
    assert toy.ran() == ["reports"]
    toy.edit("str(FACTOR))", "str(-FACTOR))", "systems.py")
    assert toy.rebuild().errors == {}
    assert toy.ran() == ["after", "none", "pair"]
    toy.edit("str(-FACTOR))", "str(FACTOR))", "systems.py")
    assert "u/none" in toy.rebuild().restored
    assert toy.unsynced() == {}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "@dg.op\ndef one():\n    return 1\n\n\n"
            '@dg.graph_asset(key=["k", "a"])\ndef a():\n    return one()\n',
            "k/a: an asset made of a graph of ops",
        ),
        (
            '@dg.asset(key=["k", "a"], output_required=False)\ndef a():\n    yield dg.Output(1)\n',
            "k/a: an output that may be left out",
        ),
    ],
)
def test_kinds_of_assets_that_cannot_be_versioned_are_refused_by_name(
    empty_toy: Any, source: str, says: str
) -> None:
    empty_toy.append(source)
    with pytest.raises(ProjectError, match=says):
        empty_toy.plan()


LAMBDAS = """
import functools

STEP = 2


def scaled(factor, x):
    return factor * x * STEP


a = dg.asset(key=["k", "a"])(lambda: STEP)


def bound():
    part = functools.partial(scaled, 3)
    part.__name__ = "b"
    return dg.asset(key=["k", "b"], ins={"x": dg.AssetIn(["k", "a"])})(part)


b = bound()


@dg.asset
def observed_elsewhere():
    return 1


outside = dg.AssetSpec(["k", "outside"])
"""


def test_lambdas_and_partials_are_stages(empty_toy: Any) -> None:
    empty_toy.append(LAMBDAS)
    assert empty_toy.rebuild().errors == {}
    empty_toy.edit("STEP = 2", "STEP = 3", "systems.py")
    assert sorted(str(item.slot) for item in empty_toy.plan().stale) == ["k/a", "k/b"]
    empty_toy.edit("partial(scaled, 3)", "partial(scaled, 4)", "systems.py")
    empty_toy.edit("STEP = 3", "STEP = 2", "systems.py")
    # A lambda has no name by which its code could be found: it counts as the whole project.
    assert sorted(str(item.slot) for item in empty_toy.plan().stale) == ["k/a", "k/b"]


DYNAMIC = """
FILES = dg.DynamicPartitionsDefinition(name="files")


@dg.asset(key=["d", "file"], partitions_def=FILES)
def file(context: dg.AssetExecutionContext):
    ran(f"file {context.partition_key}")
    return context.partition_key


@dg.asset(key=["d", "length"], partitions_def=FILES, ins={"file": dg.AssetIn(["d", "file"])})
def length(file):
    return len(file)


@dg.asset(key=["d", "total"], ins={"lengths": dg.AssetIn(["d", "length"])})
def total(lengths: dict[str, int]):
    ran("total")
    return lengths
"""


def test_partitions_that_are_added_are_planned_and_built(empty_toy: Any) -> None:
    empty_toy.append(DYNAMIC)
    assert empty_toy.rebuild().errors == {}
    assert empty_toy.ran() == ["total"]
    with empty_toy.open() as session:
        session.instance.add_dynamic_partitions("files", ["b", "aa"])
    assert sorted(str(item.slot) for item in empty_toy.plan().stale) == [
        "d/file[aa]", "d/file[b]", "d/length[aa]", "d/length[b]", "d/total",
    ]  # fmt: skip
    assert empty_toy.rebuild().errors == {}
    assert empty_toy.ran() == ["file aa", "file b", "total"]
    assert empty_toy.plan().stale == []
    with empty_toy.open() as session:
        assert session.store.load(Slot("d/total")) == {"b": 1, "aa": 2}
        session.instance.add_dynamic_partitions("files", ["ccc"])
    assert empty_toy.rebuild('key:"d/file"', ["ccc"]).materialized == ["d/file[ccc]"]
    assert empty_toy.rebuild().errors == {}
    assert empty_toy.ran() == ["file ccc", "total"]
    with empty_toy.open() as session:
        session.instance.delete_dynamic_partition("files", "b")
    assert [str(item.slot) for item in empty_toy.plan().stale] == ["d/total"]


def test_partitions_are_added_from_another_process(empty_toy: Any) -> None:
    empty_toy.append(DYNAMIC)
    with empty_toy.open() as session:
        session.instance.add_dynamic_partitions("files", ["b"])
    assert empty_toy.rebuild(jobs=2).failed == []
    assert empty_toy.ran() == ["file b", "total"]


SUMS = """
DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04", timezone="UTC")
STEP = 1


@dg.asset(
    key=["t", "sum"],
    partitions_def=DAYS,
    ins={"before": dg.AssetIn(["t", "sum"], partition_mapping=dg.TimeWindowPartitionMapping(
        start_offset=-1, end_offset=-1))},
)
def sum_(context: dg.AssetExecutionContext, before):
    ran(f"sum {context.partition_key}")
    return (before or 0) + STEP


@dg.asset(key=["t", "all"], ins={"sums": dg.AssetIn(["t", "sum"])})
def every(sums: dict[str, int]):
    return list(sums.values())
"""


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_partitions_that_are_built_from_the_ones_before(empty_toy: Any) -> None:
    empty_toy.append(SUMS)
    outcome = empty_toy.rebuild()
    assert outcome.errors == {}
    assert empty_toy.ran() == ["sum 2024-01-01", "sum 2024-01-02", "sum 2024-01-03"]
    with empty_toy.open() as session:
        assert session.store.load(Slot("t/all")) == [1, 2, 3]
    assert empty_toy.plan().stale == []
    empty_toy.edit("STEP = 1", "STEP = 2", "systems.py")
    assert empty_toy.rebuild('key:"t/sum"', ["2024-01-01"]).failed == []
    stale = {str(item.slot): item.certain for item in empty_toy.plan().stale}
    assert stale == {"t/sum[2024-01-02]": True, "t/sum[2024-01-03]": True, "t/all": True}
    assert empty_toy.rebuild().errors == {}
    with empty_toy.open() as session:
        assert session.store.load(Slot("t/all")) == [2, 4, 6]

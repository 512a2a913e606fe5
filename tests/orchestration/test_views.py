"""Views draw what was stored, and cost no result: neither by an edit nor by an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.errors import ProjectError

DEFINITIONS = """
import dagster as dg

from orchestration.build import laid_over
from orchestration.project import find
from pathlib import Path
from toy import stages


def curves(built):
    return {"picture": dg.MetadataValue.md(f"![]({URI})"), "sum": sum(built.value)}


def below(built):
    above = built.read("alpha/member")
    other = built.read("alpha/member", "a")
    return {"length": len(built.value), "read": f"{built.partition} {above} {other}"}


def broken(built):
    raise ZeroDivisionError("no picture of nothing")


URI = "data:image/png;base64,cG5n"
VIEWS = {"alpha/curves": curves, "alpha/below": below, "alpha/broken": broken}
defs = laid_over([stages], find(Path(__file__).parent), views=VIEWS)
"""

STAGES = """
import dagster as dg

from toy.log import ran

FAMILY = dg.StaticPartitionsDefinition(["a", "b"])


@dg.asset(key=["alpha", "curves"])
def curves():
    ran("alpha/curves")
    return dg.Output([1, 2, 3], metadata={"note": "text"})


@dg.asset(key=["alpha", "broken"])
def broken():
    ran("alpha/broken")
    return 5


@dg.asset(key=["alpha", "member"], partitions_def=FAMILY)
def member(context: dg.AssetExecutionContext):
    return context.partition_key * 2


@dg.asset(
    key=["alpha", "below"], partitions_def=FAMILY, ins={"member": dg.AssetIn(["alpha", "member"])}
)
def below(member):
    return dg.Output(member + "!", metadata={"length": 0, "own": 1})
"""


@pytest.fixture
def viewed(new_toy: Any) -> Any:
    """A project whose results have views; built."""
    (new_toy.package / "stages.py").write_text(STAGES)
    (new_toy.package / "definitions.py").write_text(DEFINITIONS)
    assert new_toy.rebuild().failed == []
    new_toy.ran()
    return new_toy


def shown(toy: Any, key: str, partition: str | None = None) -> dict[str, Any]:
    """The latest materialisation's metadata, as plain values."""
    with toy.open() as session:
        records = session.instance.fetch_materializations(
            dg.AssetRecordsFilter(
                dg.AssetKey(key.split("/")), asset_partitions=[partition] if partition else None
            ),
            limit=1,
        ).records
        return {k: v.value for k, v in records[0].asset_materialization.metadata.items()}


def pictures(toy: Any) -> list[Path]:
    return sorted((toy.root / ".faint" / "store").rglob("_pictures/*.png"))


def test_a_view_shows_pictures_first_and_what_the_stage_says_too(viewed: Any) -> None:
    metadata = shown(viewed, "alpha/curves")
    assert next(iter(metadata)) == "picture"
    [picture] = pictures(viewed)
    assert picture.read_bytes() == b"png"
    assert f"/faint/picture/alpha/curves/{picture.name}" in metadata["picture"]
    assert (metadata["sum"], metadata["note"]) == (6, "text")


def test_a_view_reads_the_same_partition_of_another_asset_or_the_one_it_names(viewed: Any) -> None:
    assert shown(viewed, "alpha/below", "b")["read"] == "b bb aa"


def test_what_the_stage_says_itself_stands(viewed: Any) -> None:
    metadata = shown(viewed, "alpha/below", "b")
    assert (metadata["length"], metadata["own"]) == (0, 1)


def test_a_view_that_fails_costs_no_result_and_says_so(viewed: Any) -> None:
    assert shown(viewed, "alpha/broken")["not shown"] == "ZeroDivisionError: no picture of nothing"
    with viewed.open() as session:
        [slot] = session.select("alpha/broken")
        assert session.store.load(slot) == 5


def test_an_edited_view_makes_nothing_stale(viewed: Any) -> None:
    viewed.edit('"sum": sum(built.value)', '"total": sum(built.value)', file="definitions.py")
    assert viewed.plan().stale == []
    assert viewed.ran() == []


def test_a_restored_build_shows_what_it_showed(viewed: Any) -> None:
    before = shown(viewed, "alpha/curves")
    viewed.edit("[1, 2, 3]", "[4]", file="stages.py")
    viewed.rebuild()
    assert shown(viewed, "alpha/curves")["sum"] == 4
    viewed.edit("[4]", "[1, 2, 3]", file="stages.py")
    viewed.ran()
    viewed.rebuild()
    assert viewed.ran() == []
    after = shown(viewed, "alpha/curves")
    assert (after["sum"], after["picture"]) == (6, before["picture"])


def test_a_view_of_no_asset_is_refused(viewed: Any) -> None:
    viewed.edit('{"alpha/curves": curves,', '{"alpha/curve": curves,', file="definitions.py")
    with pytest.raises(ProjectError, match="views of assets that are not there: alpha/curve"):
        viewed.plan()

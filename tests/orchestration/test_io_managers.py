"""What stages return and read, by way of Dagster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from orchestration.build import laid_over
from orchestration.io_managers import StoreIOManager
from orchestration.project import Project, find
from orchestration.store import FORMAT_NAMES, ArtifactError, Slot
from orchestration.store.formats import FORMATS

STAGES = """\
import time
from collections.abc import Mapping

import dagster as dg
import numpy as np
import pandas as pd

FAMILY = dg.StaticPartitionsDefinition(["a", "b"])


@dg.asset(key=["s", "arrays"], io_manager_key="arrays")
def arrays():
    return dg.Output({"x": np.arange(6.0).reshape(3, 2)}, metadata={"source": "made"})


@dg.asset(key=["s", "table"], io_manager_key="tables")
def table():
    time.sleep(0.2)
    return pd.DataFrame({"x": [1.0, 2.0]})


@dg.asset(key=["s", "both"], ins={"arrays": dg.AssetIn(["s", "arrays"]),
                                  "table": dg.AssetIn(["s", "table"])})
def both(arrays: Mapping, table: pd.DataFrame):
    return {"sum": float(arrays["x"][1:].sum()), "rows": len(table)}


@dg.asset(key=["s", "after"], deps=[["s", "both"]])
def after():
    return "done"


@dg.asset(key=["s", "member"], partitions_def=FAMILY)
def member(context: dg.AssetExecutionContext):
    return context.partition_key


@dg.asset(key=["s", "same"], partitions_def=FAMILY, ins={"member": dg.AssetIn(["s", "member"])})
def same(member):
    return member * 2


@dg.asset(key=["s", "all"], ins={"members": dg.AssetIn(["s", "member"])})
def members_(members: dict[str, str]):
    return members


@dg.asset(
    key=["s", "lone"],
    partitions_def=dg.StaticPartitionsDefinition(["x"]),
    ins={
        "named": dg.AssetIn(
            ["s", "member"], partition_mapping=dg.SpecificPartitionsPartitionMapping(["b"])
        ),
        "mapped": dg.AssetIn(
            ["s", "same"], partition_mapping=dg.StaticPartitionMapping({"b": ["x"]})
        ),
    },
)
def lone(named, mapped):
    return [named, mapped]


@dg.multi_asset(
    name="pair",
    outs={
        "one": dg.AssetOut(key=["s", "one"], io_manager_key="json"),
        "two": dg.AssetOut(key=["s", "two"], io_manager_key="arrays"),
    },
)
def pair():
    time.sleep(0.1)
    return [1], {"x": np.zeros(2)}


@dg.asset(key=["s", "constant"], partitions_def=FAMILY)
def constant():
    return 1


@dg.asset(key=["s", "forgotten"], io_manager_key="arrays")
def forgotten():
    pass


@dg.asset(key=["s", "wrong"])
def wrong():
    return {"score": float("nan")}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / "wired").mkdir()
    (tmp_path / "wired" / "__init__.py").write_text("")
    (tmp_path / "wired" / "stages.py").write_text(STAGES)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.faint]\ndefinitions = "wired.stages"\nsources = ["wired"]\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return find(tmp_path)


@pytest.fixture
def defs(project: Project) -> Any:
    import importlib
    import sys

    importlib.invalidate_caches()
    yield laid_over([importlib.import_module("wired.stages")], project)
    for name in ("wired", "wired.stages"):
        sys.modules.pop(name, None)


def run(defs: dg.Definitions, *keys: str, partition: str | None = None, **options: Any) -> Any:
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
        partition_key=partition,
        **options,
    )


def shown(result: Any, key: str) -> dict[str, Any]:
    [event] = [
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(key.split("/"))
    ]
    return dict(event.step_materialization_data.materialization.metadata)


def store_of(defs: dg.Definitions) -> Any:
    manager = (defs.resources or {})["io_manager"]
    assert isinstance(manager, StoreIOManager)
    return manager.store


def test_a_stage_reads_what_another_returned_twice_over(defs: dg.Definitions) -> None:
    for _ in range(2):
        assert run(defs, "s/arrays", "s/table", "s/both").success
        assert store_of(defs).load(Slot("s/both")) == {"sum": 14.0, "rows": 2}
        np.testing.assert_array_equal(
            store_of(defs).load(Slot("s/arrays"))["x"][...], np.arange(6.0).reshape(3, 2)
        )
    assert defs.load_asset_value(["s", "both"]) == {"sum": 14.0, "rows": 2}
    pd.testing.assert_frame_equal(
        defs.load_asset_value(["s", "table"]), pd.DataFrame({"x": [1.0, 2.0]})
    )


def test_a_result_is_not_kept_in_memory_once_it_is_stored(defs: dg.Definitions) -> None:
    result = run(defs, "s/arrays", "s/table")
    with pytest.raises(dg.DagsterInvariantViolationError):
        result.output_for_node("s__arrays")


def test_what_every_stage_shows(defs: dg.Definitions) -> None:
    result = run(defs, "s/arrays", "s/table", "s/both")
    arrays = shown(result, "s/arrays")
    assert arrays["dagster/row_count"].value == 3
    assert arrays["source"].value == "made"
    [record] = arrays["shapes"].records
    assert record.data == {"name": "x", "type": "float64", "shape": "3 x 2"}
    assert arrays["peak memory (MB)"].value > 10
    assert len(arrays["content hash"].value) == 16
    path = Path(str(arrays["stored at"].value))
    assert arrays["stored bytes"].value == path.stat().st_size
    table = shown(result, "s/table")
    assert table["dagster/row_count"].value == 2
    columns = table["dagster/column_schema"].schema.columns
    assert [(column.name, column.type) for column in columns] == [("x", "double")]
    assert "shapes" not in table
    assert 0.2 <= shown(result, "s/table")["seconds"].value < 5
    assert shown(result, "s/both")["seconds"].value < 0.2  # not the time of those before it
    assert "dagster/row_count" not in shown(result, "s/both")


def test_an_asset_names_the_line_where_its_stage_begins(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    lines = STAGES.splitlines()
    for name, begins in (("arrays", '@dg.asset(key=["s", "arrays"]'), ("two", "@dg.multi_asset(")):
        metadata = graph.get(dg.AssetKey(["s", name])).metadata
        [line] = metadata["dagster/code_references"].code_references
        assert Path(line.file_path).suffix == ".py"
        assert lines[line.line_number - 1].startswith(begins)


def test_outputs_of_one_stage_have_its_time(defs: dg.Definitions) -> None:
    result = run(defs, "s/one", "s/two")
    assert shown(result, "s/one")["seconds"].value >= 0.1
    assert shown(result, "s/two")["seconds"].value >= 0.1
    assert store_of(defs).load(Slot("s/one")) == [1]


def test_the_data_version_is_the_content(defs: dg.Definitions) -> None:
    result = run(defs, "s/arrays")
    [event] = result.get_asset_materialization_events()
    tags = event.step_materialization_data.materialization.tags
    record = store_of(defs).current(Slot("s/arrays"))
    assert tags["dagster/data_version"] == record.content
    stages = (defs.resources or {})["io_manager"].stages
    assert tags["dagster/code_version"] == stages.version("s/arrays").key


def test_an_input_that_is_not_loaded_counts_too(
    defs: dg.Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(defs, "s/arrays", "s/table", "s/both", "s/after")
    store = store_of(defs)
    content = store.current(Slot("s/both")).content
    assert store.current(Slot("s/after")).inputs == {"s/both": content}
    # Made anew after the step began, it is not known to be what the stage saw.
    monkeypatch.setattr("orchestration.io_managers._logged_start", lambda step: 0.0)
    run(defs, "s/after")
    assert store.current(Slot("s/after")).inputs == {"s/both": ""}


def test_partitions(defs: dg.Definitions) -> None:
    for name in ("a", "b"):
        assert run(defs, "s/member", "s/same", partition=name).success
    assert store_of(defs).load(Slot("s/same", "b")) == "bb"
    assert run(defs, "s/all").success
    assert store_of(defs).load(Slot("s/all")) == {"a": "a", "b": "b"}


def test_a_family_of_one_is_a_family_for_a_partition_that_reads_it_all(
    defs: dg.Definitions,
) -> None:
    assert run(defs, "s/member", "s/same", partition="b").success
    assert run(defs, "s/lone", partition="x").success
    assert store_of(defs).load(Slot("s/lone", "x")) == [{"b": "b"}, "bb"]


def test_a_run_over_several_partitions_is_refused(defs: dg.Definitions) -> None:
    with pytest.raises(Exception, match="launch it as a backfill with one run per partition"):
        run(
            defs,
            "s/constant",
            tags={
                "dagster/asset_partition_range_start": "a",
                "dagster/asset_partition_range_end": "b",
            },
        )


def test_what_cannot_be_stored_fails_its_stage_and_stores_nothing(defs: dg.Definitions) -> None:
    with pytest.raises(Exception, match=r"\$\.score is nan"):
        run(defs, "s/wrong")
    assert store_of(defs).current(Slot("s/wrong")) is None
    with pytest.raises(Exception, match="NoneType"):
        run(defs, "s/forgotten")
    assert store_of(defs).current(Slot("s/forgotten")) is None


def test_an_input_that_is_missing_or_damaged_is_said(defs: dg.Definitions) -> None:
    with pytest.raises(ArtifactError, match="s/arrays has not been built yet"):
        run(defs, "s/both")
    run(defs, "s/arrays", "s/table")
    store = store_of(defs)
    store.path(store.current(Slot("s/arrays"))).unlink()
    with pytest.raises(ArtifactError, match=r"is gone; rebuild it with: faint rebuild s/arrays"):
        run(defs, "s/both")


def test_every_format_has_an_io_manager() -> None:
    assert list(FORMATS) == list(FORMAT_NAMES)

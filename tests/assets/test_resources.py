"""Trainings in MLflow: named by what Dagster builds, linked both ways, found by their model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.resources import Tracking

pytestmark = pytest.mark.filterwarnings(  # MLflow's
    "ignore:The ..noload.. loader strategy:DeprecationWarning"
)


@pytest.fixture
def tracking(tmp_path: Path) -> Tracking:
    return Tracking(uri=f"sqlite:///{tmp_path / 'mlflow.db'}")


def runs(tracking: Tracking, experiment: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking.uri)
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return list(found)


def test_a_training_is_named_by_its_asset_and_its_run(tracking: Tracking) -> None:
    @dg.asset(
        key=["s", "network"], partitions_def=dg.StaticPartitionsDefinition(["a"]), code_version="7f"
    )
    def network() -> dict[str, Any]:
        return {k: v.value for k, v in tracking.log("s", "a", {"rate": 0.5}).items()}

    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([network], partition_key="a", instance=instance)
    [run] = runs(tracking, "s")
    assert run.info.run_name == f"s/network[a] {done.run_id[:8]}"
    assert run.data.params == {"rate": "0.5"}
    tags = {k: v for k, v in run.data.tags.items() if k.startswith(("dagster.", "faint."))}
    assert tags == {
        "faint.model": "a",
        "dagster.asset": "s/network",
        "dagster.partition": "a",
        "dagster.run_id": done.run_id,
        "dagster.code_version": "7f",
    }
    assert run.data.tags["mlflow.note.content"] == (
        "[s/network](http://127.0.0.1:3000/assets/s/network), built by Dagster run "
        f"[{done.run_id[:8]}](http://127.0.0.1:3000/runs/{done.run_id})"
    )
    link = done.output_for_node("s__network")["MLflow run"]
    assert link.endswith(f"/runs/{run.info.run_id}")


def test_test_metrics_go_to_the_latest_training_of_the_model(tracking: Tracking) -> None:
    for name in ("cnn", "lstm", "cnn"):
        tracking.log("s", name, {})
    tracking.log_test("s", "cnn", {"f1": 0.25})
    tested = [run for run in runs(tracking, "s") if run.data.metrics]
    assert [run.data.metrics for run in tested] == [{"test f1": 0.25}]
    cnn = [run for run in runs(tracking, "s") if run.data.tags["faint.model"] == "cnn"]
    assert tested[0].info.start_time == max(run.info.start_time for run in cnn)


def test_a_model_that_was_never_trained_here_gets_no_link(tracking: Tracking) -> None:
    assert tracking.log_test("s", "cnn", {"f1": 0.25}) == {}

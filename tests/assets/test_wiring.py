"""Outputs named in few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import dagster as dg

from assets.resources import Tracking
from assets.wiring import judged_outputs, outs, trained_outputs
from models.training import History, Timing


def test_outs_are_keyed_tagged_and_described() -> None:
    named = outs(
        "training", "toy", "cnn", network=("networks", "Trained."), history=("json", "By epoch.")
    )
    assert list(named) == ["network", "history"]
    assert named["history"].key == dg.AssetKey(["toy", "cnn", "history"])
    assert named["network"].io_manager_key == "networks"
    assert named["network"].description == "Trained."
    assert {out.tags["stage"] for out in named.values()} == {"training"}


class Recorder:
    """Stands in for MLflow: keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def log(self, *told: Any) -> dict[str, str]:
        self.told.append(told)
        return {"MLflow": "training"}

    def log_test(self, *told: Any) -> dict[str, str]:
        self.told.append(told)
        return {"MLflow": "test"}


def values(output: dg.Output[Any]) -> Mapping[str, Any]:
    return {name: value.value for name, value in output.metadata.items()}


def test_a_training_is_recorded_and_shown_with_the_loss_of_its_best_epoch() -> None:
    recorder = Recorder()
    history = History(
        {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.5, 4.0]}, (), 2, False, Timing(6.0, 50.0)
    )
    network, stored = trained_outputs(
        cast("Tracking", recorder),
        "toy",
        "cnn",
        {"seed": 3},
        "net",
        history,
        shown={"extra": "more"},
    )
    assert recorder.told == [("toy", "cnn", {"seed": 3}, history.values, "net")]
    assert (network.output_name, network.value) == ("network", "net")
    assert values(network) == {
        "seed": 3,
        "epochs run": 3,
        "training seconds": 6.0,
        "samples per second": 50.0,
        "validation loss": 2.5,
        "extra": "more",
        "MLflow": "training",
    }
    assert (stored.output_name, stored.value) == ("history", history.record())


def test_a_training_may_store_more_than_its_history() -> None:
    history = History({"loss": [1.0]}, (), 1, False, Timing(1.0, 1.0))
    network, stored = trained_outputs(
        cast("Tracking", Recorder()), "toy", "cnn", {}, "net", history, record={"seen": 7}
    )
    assert stored.value == {"seen": 7}
    assert "validation loss" not in network.metadata


def test_an_evaluation_is_added_to_its_training_and_the_scores_shown_with_the_predictions() -> None:
    recorder = Recorder()
    entry = {"value": 0.5, "low": 0.25, "high": 0.75}
    counts = {"found": 1, "actual": 2, "missed": 1, "false_alarms": 0}
    judged = {"counts": counts, "metrics": {"recall": entry}}
    drawn = {"scores": b"png", "training": b"png"}
    table, evaluation = judged_outputs(
        cast("Tracking", recorder), "toy", "cnn", "table", judged, drawn
    )
    assert recorder.told == [("toy", "cnn", judged)]
    assert (table.output_name, table.value, list(table.metadata)) == (
        "predictions",
        "table",
        ["scores"],
    )
    assert (evaluation.output_name, evaluation.value) == ("evaluation", judged)
    assert {"recall", "found", "scores", "training", "MLflow"} <= set(evaluation.metadata)

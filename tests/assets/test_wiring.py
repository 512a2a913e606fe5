"""Outputs named in few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import dagster as dg

from assets.resources import Tracking
from assets.wiring import (
    asset_in,
    estimator_output,
    evaluation_outputs,
    threshold_output,
    together,
    training_outputs,
)
from models.evaluation import Evaluation
from models.intervals import Metric
from models.thresholds import max_f1
from models.training import History, Timing, TrainingResult


def test_inputs_are_named_by_their_key() -> None:
    assert asset_in("toy", "splits").key == dg.AssetKey(["toy", "splits"])
    assert asset_in("toy", "cnn", "network").key == dg.AssetKey(["toy", "cnn_network"])


def test_what_is_stored_together_is_drawn_below_the_first() -> None:
    named = together(
        "toy",
        "cnn",
        ins={"splits": asset_in("toy", "splits"), "design": asset_in("toy", "cnn", "design")},
        network=("networks", "Trained."),
        history=("json", "By epoch."),
    )
    assert list(named["outs"]) == ["network", "history"]
    assert named["outs"]["history"].key == dg.AssetKey(["toy", "cnn_history"])
    assert named["outs"]["network"].io_manager_key == "networks"
    assert named["outs"]["network"].description == "Trained."
    assert named["internal_asset_deps"] == {
        "network": {dg.AssetKey(["toy", "splits"]), dg.AssetKey(["toy", "cnn_design"])},
        "history": {dg.AssetKey(["toy", "cnn_network"])},
    }


def test_what_is_stored_together_and_reads_nothing_is_drawn_side_by_side() -> None:
    named = together("toy", curves=("arrays", "Read."), tally=("json", "Counted."))
    assert named["outs"]["tally"].key == dg.AssetKey(["toy", "tally"])
    assert named["ins"] == {}
    assert named["internal_asset_deps"] == {}


class Recorder:
    """Stands in for MLflow: keeps its arguments."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def log(self, *arguments: Any, **named: Any) -> dict[str, str]:
        self.calls.append((*arguments, *named.values()))
        return {"MLflow": "training"}

    def log_test(self, *arguments: Any, **named: Any) -> dict[str, str]:
        self.calls.append((*arguments, *named.values()))
        return {"MLflow": "test"}


def values(output: dg.Output[Any]) -> Mapping[str, Any]:
    return {name: value.value for name, value in output.metadata.items()}


def test_a_training_is_recorded_and_shown_with_the_loss_of_its_best_epoch() -> None:
    recorder = Recorder()
    history = History(
        {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.5, 4.0]}, (), 2, False, Timing(6.0, 50.0)
    )
    result = TrainingResult(cast("Any", "net"), history, {"extra": "more"})
    network, stored = training_outputs(
        cast("Tracking", recorder), "toy", "cnn", {"seed": 3}, result
    )
    assert recorder.calls == [("toy", "cnn", {"seed": 3}, history.values, "net")]
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
    assert (stored.output_name, stored.value) == ("history", history.to_dict())


def test_a_training_stores_its_details_and_shows_no_loss_that_it_has_not() -> None:
    history = History({"loss": [1.0]}, (), 1, False, Timing(1.0, 1.0), {"seen": 7})
    result = TrainingResult(cast("Any", "net"), history)
    network, stored = training_outputs(cast("Tracking", Recorder()), "toy", "cnn", {}, result)
    assert stored.value["seen"] == 7
    assert "validation loss" not in network.metadata


def test_an_estimator_is_recorded_with_its_settings() -> None:
    recorder = Recorder()
    output = estimator_output(
        cast("Tracking", recorder), "toy", "forest", {"seed": 4}, cast("Any", "trees")
    )
    assert recorder.calls == [("toy", "forest", {"seed": 4}, "trees")]
    assert output.value == "trees"
    assert values(output) == {"seed": 4, "MLflow": "training"}


def test_a_threshold_is_stored_and_drawn() -> None:
    labels, scores = [0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9]
    threshold = max_f1(labels, scores)
    output = threshold_output(threshold, labels, scores)
    assert output.value == threshold.to_dict()
    assert values(output)["value"] == threshold.value
    drawn = [name for name, value in values(output).items() if "data:image/png" in str(value)]
    assert drawn == [
        "sensitivity and specificity",
        "ROC on validation",
        "precision and recall on validation",
    ]


def test_an_evaluation_is_added_to_its_training_and_its_metrics_are_shown() -> None:
    recorder = Recorder()
    counts = {"found": 1, "actual": 2, "missed": 1, "false_alarms": 0}
    evaluation = Evaluation(counts, {"recall": Metric(0.5, 0.25, 0.75), "f1": Metric(None)})
    table, stored = evaluation_outputs(
        cast("Tracking", recorder), "toy", "cnn", cast("Any", "table"), evaluation
    )
    assert recorder.calls == [("toy", "cnn", {"recall": 0.5})]
    assert (table.output_name, table.value) == ("predictions", "table")
    assert (stored.output_name, stored.value) == ("evaluation", evaluation.to_dict())
    assert {"recall", "found", "MLflow"} <= set(stored.metadata)

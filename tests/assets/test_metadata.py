"""Metadata of evaluations in the UI."""

from __future__ import annotations

from assets.metadata import evaluation_metadata, picture
from models.evaluation import Evaluation
from models.intervals import Metric


def test_counts_and_defined_metrics_are_shown_with_a_table_of_all() -> None:
    metrics = {"recall": Metric(0.5, 0.25, 0.75, "exact"), "f1": Metric.undefined("no positives")}
    counts = {"found": 1, "actual": 2, "missed": 1, "false_alarms": 0, "tn": 5}
    metadata = evaluation_metadata(Evaluation(counts, metrics))
    assert metadata["found"].value == 1
    assert metadata["recall"].value == 0.5
    assert "f1" not in metadata
    assert "tn" not in metadata
    rows = [record.data for record in metadata["metrics with 95 % intervals"].records]  # type: ignore[attr-defined]
    assert rows == [
        {"metric": "recall", "value": "0.5", "low": "0.25", "high": "0.75"},
        {"metric": "f1", "value": "undefined", "low": "undefined", "high": "undefined"},
    ]


def test_a_picture_needs_no_file() -> None:
    assert picture(b"png").value == "![](data:image/png;base64,cG5n)"

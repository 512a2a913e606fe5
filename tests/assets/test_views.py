"""What the UI shows of results, the same way in every system."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from assets import views
from models.evaluation import evaluate


class Built:
    """A result, and the others that its view may read."""

    def __init__(self, key: str, value: Any, partition: str | None = None, **others: Any) -> None:
        self.key, self.value, self.partition = key, value, partition
        self.others = others

    def read(self, key: str, partition: str | None = None) -> Any:
        return self.others[key.replace("/", "__")]


def is_picture(value: Any) -> bool:
    return "data:image/png;base64," in getattr(value, "md_str", "")


def rows(value: Any) -> list[dict[str, Any]]:
    return [record.data for record in value.records]


def test_the_balance_of_a_split_is_drawn_and_its_shares_are_numbers() -> None:
    built = Built("s/splits", {"split": np.array([0, 0, 0, 0, 1, 2, 2])})
    labels = np.array([1, 0, 0, 0, 1, 0, 1])
    shown = views.splits(lambda _: labels, ("quiet", "flare"))(built)
    assert is_picture(shown["class balance"])
    assert {k: v for k, v in shown.items() if k != "class balance"} == {
        "flare in train (%)": 25.0,
        "flare in validation (%)": 100.0,
        "flare in test (%)": 50.0,
    }


def test_the_layers_of_a_network_are_listed_with_their_shapes() -> None:
    layers = [
        {"layer": "frames", "type": "InputLayer", "shape": [None, 26]},
        {"layer": "tied", "type": "MasterDense", "shape": [[60, 25], [25]]},
    ]
    shown = views.architecture(Built("s/architecture", {"output_shapes": layers}))
    assert shown["layers"] == 2
    assert [row["output"] for row in rows(shown["layers in order"])] == ["any x 26", "60 x 25"]


def test_a_history_is_drawn_and_its_last_values_are_numbers() -> None:
    stored = {"values": {"loss": [2.0, 1.0], "val_loss": [3.0, 2.5]}, "phases": [[2, 0.1]]}
    shown = views.history()(Built("s/cnn_history", stored))
    assert is_picture(shown["learning curves"])
    assert (shown["last loss"], shown["last val loss"]) == (1.0, 2.5)


def test_an_estimators_settings_are_listed() -> None:
    fitted = SimpleNamespace(get_params=lambda deep: {"C": 0.1, "base": None})
    shown = views.estimator(Built("s/svc_estimator", fitted))
    assert rows(shown["parameters"]) == [
        {"parameter": "C", "value": "0.1"},
        {"parameter": "base", "value": "None"},
    ]


TABLE = pd.DataFrame(
    {
        "id": list("abcdef"),
        "label": [1, 1, 0, 0, 0, 1],
        "score": [0.9, 0.1, 0.8, 0.2, 0.3, 0.6],
        "flagged": [True, False, True, False, False, True],
    }
)


def scored(drawn: list[Any]) -> views.Scored:
    def draw(built: Any, frame: Any, title: str) -> dict[str, bytes]:
        drawn.append((title, frame["id"].tolist()))
        return {"signals": b"png"}

    return views.Scored(("quiet", "flare"), draw)


def test_predictions_show_what_was_decided_most_wrongly_and_what_was_caught() -> None:
    built = Built("s/cnn_predictions", TABLE, s__cnn_threshold={"value": 0.5})
    shown = views.predictions(scored([]))(built)
    assert is_picture(shown["scores"])
    assert (shown["flagged"], shown["wrong"]) == (3, 2)
    assert [row["id"] for row in rows(shown["most wrong"])] == ["b", "c"]
    assert [row["id"] for row in rows(shown["caught"])] == ["a", "f"]
    assert rows(shown["caught"])[0] == {"id": "a", "label": 1, "score": 0.9, "flagged": True}


def test_an_evaluation_shows_own_pictures_reliability_and_the_signals_of_examples() -> None:
    result = evaluate(TABLE["label"], TABLE["score"], 0.5, seed=0)
    built = Built("s/cnn_evaluation", result.to_dict(), s__cnn_predictions=TABLE)
    drawn: list[Any] = []
    shown = views.evaluation(scored(drawn), lambda *_: {"ROC": b"png"})(built)
    assert list(shown) == ["ROC", "reliability", "most wrong", "caught"]
    assert all(map(is_picture, shown.values()))
    assert drawn == [("cnn: most wrong", ["b", "c"]), ("cnn: caught", ["a", "f"])]


def test_scores_that_are_no_probabilities_have_no_reliability() -> None:
    table = TABLE.assign(score=TABLE["score"] * 4 - 2)
    result = evaluate(table["label"], table["score"], 0.0, seed=0)
    built = Built("s/svc_evaluation", result.to_dict(), s__svc_predictions=table)
    shown = views.evaluation(scored([]), lambda *_: {})(built)
    assert list(shown) == ["most wrong", "caught"]


def test_a_comparison_is_a_table_of_text() -> None:
    compared = {
        "rows": [
            {"model": "cnn", "f1": {"value": 0.5, "low": 0.25, "high": 0.75}, "found": None},
            {"model": "", "f1": {"value": None}, "found": 3},
        ]
    }
    shown = views.comparison(Built("s/comparison", compared))
    assert rows(shown["models"]) == [
        {"model": "cnn", "f1": "0.500 [0.250, 0.750]", "found": "-"},
        {"model": "", "f1": "undefined", "found": "3"},
    ]


def test_a_report_shows_its_first_pictures_in_its_order() -> None:
    files = {
        "report.md": b" ".join(b"![](pictures/%c.png)" % letter for letter in b"badc"),
        **{f"pictures/{name}.png": name.encode() for name in "abcd"},
    }
    assert list(views.report(Built("s/report", files))) == ["b", "a", "d"]


def test_a_training_range_is_drawn_by_feature_and_all_else_is_listed() -> None:
    stored = {
        "features": {"scaling": {"mean": [1.0, 2.0], "std": [0.5, 0.5]}, "typical": 2.0},
        "seconds": {"least": 1.25, "most": 10},
        "rate": 16000,
        "many": list(range(50)),
    }
    shown = views.training_range(Built("s/training_range", stored))
    assert list(shown) == ["features", "range"]
    assert is_picture(shown["features"])
    assert [(row["what"], row["value"]) for row in rows(shown["range"])] == [
        ("seconds, least", "1.25"),
        ("seconds, most", "10"),
        ("rate", "16000"),
        ("many", "50 values"),
    ]


def test_a_recording_shows_its_facts_and_its_arrays() -> None:
    facts = {"facts": {"rate": 4096}, "notes": ["a gap was filled"]}
    arrays = {"flux": np.arange(50.0), "facts": np.array([json.dumps(facts)])}
    shown = views.recording(Built("s/recording", arrays, "one"))
    assert is_picture(shown["arrays"])
    assert rows(shown["facts"]) == [
        {"fact": "rate", "value": "4096"},
        {"fact": "note 1", "value": "a gap was filled"},
    ]
    del arrays["flux"]
    assert list(views.recording(Built("s/recording", arrays, "one"))) == ["facts"]


def test_readings_are_drawn_but_for_names() -> None:
    arrays = {"flux": np.arange(50.0), "name": np.array(["x"])}
    assert is_picture(views.arrays(Built("s/readings", arrays, "one"))["arrays"])
    assert views.arrays(Built("s/readings", {"name": np.array(["x"])}, "one")) == {}


def test_an_empty_table_says_so() -> None:
    shown = views.rows(Built("s/catalogue", pd.DataFrame({"recording": []})))
    assert shown["first rows"] == dg.MetadataValue.text("none")


@pytest.mark.parametrize(
    ("key", "partition", "name"), [("s/cnn_history", None, "cnn"), ("s/history", "a|b", "a|b")]
)
def test_a_model_is_named_by_its_partition_or_by_its_key(
    key: str, partition: str | None, name: str
) -> None:
    assert views.model_of(Built(key, None, partition)) == name

"""Examples are those that most models get wrong, with what each of them says."""

from __future__ import annotations

import pandas as pd
import pytest

from models.evaluation import evaluate
from models.reporting import ModelResults
from models.reporting.examples import worth_a_look


def results(scores):
    label = [1, 1, 0, 0]
    table = pd.DataFrame({"id": list("abcd"), "positive": label, "score": scores})
    table["flagged"] = table["score"] >= 0.5
    return ModelResults(evaluate(label, scores, 0.5, resamples=100, seed=0), table)


@pytest.fixture(scope="module")
def examples():
    models = {"cnn": results([0.1, 0.9, 0.8, 0.2]), "svc": results([0.2, 0.8, 0.3, 0.6])}
    return worth_a_look(models, ("noise", "chirp"), label="positive")


def test_the_clearest_come_first_with_how_many_models_agree(examples):
    assert [(one.name, one.row["id"], one.said) for one in examples] == [
        ("missed 1", "a", "missed by 2 of 2 models"),
        ("false alarm 1", "c", "false alarm by 1 of 2 models"),
        ("false alarm 2", "d", "false alarm by 1 of 2 models"),
        ("found 1", "b", "found by 2 of 2 models"),
    ]


def test_each_model_says_something_of_each(examples):
    assert examples[1].decisions == [
        {"model": "cnn", "score": 0.8, "threshold": 0.5, "decision": "chirp"},
        {"model": "svc", "score": 0.3, "threshold": 0.5, "decision": "noise"},
    ]


def test_only_a_part_may_be_chosen_from():
    models = {"cnn": results([0.1, 0.2, 0.8, 0.9])}
    few = worth_a_look(models, ("n", "c"), label="positive", part=lambda table: table.iloc[1:3])
    assert [one.row["id"] for one in few] == ["b", "c"]

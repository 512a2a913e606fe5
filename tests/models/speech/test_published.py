"""Published parameter counts, and the second biases that explain those that differ."""

from __future__ import annotations

import pytest

from models.speech.designs import DESIGNS, Recurrent, design
from models.speech.published import PARAMETERS, published_counts, redundant_biases


def test_counts_are_of_models_of_the_study_and_not_all_need_be_trained():
    assert set(PARAMETERS) <= set(DESIGNS)
    assert all(trainable <= total for total, trainable in PARAMETERS.values())


@pytest.mark.parametrize(
    ("name", "biases"),
    [
        ("s000", 0),  # a simple recurrent layer
        ("s011", 0),  # a GRU
        ("s003", 4 * 200),  # one LSTM layer, one direction
        ("s005", 4 * 200 * 2),
        ("s007", 4 * 200 * 3),  # two layers, the first in both directions
    ],
)
def test_an_lstm_has_a_second_bias_for_each_gate_layer_and_direction(name, biases):
    assert redundant_biases(design(name)) == biases


def test_a_difference_is_explained_where_there_is_one():
    counts = published_counts("s005")
    assert (counts.parameters, counts.trainable) == PARAMETERS["s005"]
    assert counts.difference.endswith("second, redundant bias: 1,600 more parameters")
    assert published_counts("s112").difference == ""
    assert isinstance(design("s112").recurrent, Recurrent)


def test_a_model_whose_table_is_lost_has_no_counts():
    assert published_counts("s001") is None

"""The models' settings, and the lengths that follow from their convolutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.speech.designs import (
    ALL,
    DESIGNS,
    OWN,
    Convolution,
    Design,
    design,
    output_length,
    output_places,
    shortest_input,
)


def test_there_are_113_models_of_the_study_and_two_more():
    assert list(DESIGNS) == [f"s{number:03d}" for number in range(113)]
    assert list(ALL) == [*DESIGNS, *OWN]
    assert {settings.feature for settings in ALL.values()} == {"spectrogram", "mfcc"}


def test_dilations_double_from_layer_to_layer_or_halve():
    assert Convolution(4, 3, dilation=2).dilations() == [1, 2, 4, 8]
    assert Convolution(4, 3, dilation=-2).dilations() == [8, 4, 2, 1]
    assert Convolution(3, 3).dilations() == [1, 1, 1]


def test_a_stride_is_of_all_layers_or_of_the_first_ones():
    part = Convolution(3, 5, stride=3)
    assert part.strides() == [3, 3, 3]
    assert replace(part, strided=1).strides() == [3, 1, 1]


def test_a_model_without_convolutions_gives_an_output_a_frame():
    assert Design(None, None, None, 1).convolutions() == []
    assert output_length([], 17) == 17
    assert shortest_input([]) == 1


def test_lengths_by_hand():
    valid = {"kernel": 11, "stride": 2, "padding": "valid", "dilation": 1}
    assert output_length([valid], 100) == 45  # 90 places, every second
    assert shortest_input([valid]) == 11
    same = valid | {"padding": "same", "stride": 3}
    assert output_length([same], 100) == 34  # one for each stride begun
    assert output_length([valid, valid], 31) == 1
    assert output_length([valid, valid], 30) < 1
    assert shortest_input([valid, valid]) == 31


def test_places_of_outputs_by_hand():
    valid = {"kernel": 11, "stride": 2, "padding": "valid", "dilation": 1}
    same = {"kernel": 5, "stride": 3, "padding": "same", "dilation": 1}
    wide = {"kernel": 3, "stride": 1, "padding": "valid", "dilation": 4}
    assert output_places([]) == (0, 1)
    assert output_places([valid]) == (5, 2)  # frames 0 ... 10
    assert output_places([same]) == (1, 3)  # frames -1 ... 3
    assert output_places([valid, wide]) == (13, 2)  # outputs 0, 4 and 8, at frames 5, 13 and 21


def test_lengths_are_worked_out_for_many_utterances_at_once():
    convolutions = design("s011").convolutions()
    assert output_length(convolutions, np.array([11, 12, 13, 1000])).tolist() == [1, 1, 2, 495]


@pytest.mark.parametrize("name", ALL)
def test_the_shortest_input_is_the_shortest(name):
    convolutions = design(name).convolutions()
    shortest = shortest_input(convolutions)
    assert output_length(convolutions, shortest) == 1
    assert output_length(convolutions, shortest - 1) < 1


def test_an_unknown_model_is_refused():
    with pytest.raises(
        ValueError, match=r"no model is called 's113'; there are s000 \.\.\. s112, n"
    ):
        design("s113")

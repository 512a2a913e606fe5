from __future__ import annotations

import pytest

from models.speech.designs import ALL, DESIGNS, design
from models.speech.studies import GROUPS, STUDIES, chosen


def test_the_studies_together_compare_every_model() -> None:
    compared = {name for study in STUDIES.values() for name in study.models}
    assert compared == set(ALL)


def test_every_study_compares_known_models_once_and_fewer_than_100() -> None:
    for name, study in STUDIES.items():
        assert set(study.models) <= set(ALL), name
        assert len(set(study.models)) == len(study.models) < 100, name
        assert len(study.models) > 1, name


def test_studies_compare_what_they_say() -> None:
    assert [design(name).recurrent.merge for name in STUDIES["merges"].models] == [  # type: ignore[union-attr]
        None,
        "concat",
        "sum",
        "ave",
        "mul",
    ]
    assert [design(name).recurrent.layers for name in STUDIES["rnn_depth"].models] == [  # type: ignore[union-attr]
        *(1, 2, 4, 6, 8, 12)
    ]
    assert {design(name).recurrent.cell for name in STUDIES["cells"].models} == {"GRU", "LSTM"}  # type: ignore[union-attr]
    dropouts = {design(name).convolution.dropout for name in STUDIES["cnn_dropout"].models}  # type: ignore[union-attr]
    assert dropouts == {0.1, 0.2, 0.25, 0.3, 0.4, 0.5}
    assert all(
        design(name).convolution.dilation == -2 for name in STUDIES["inverse_dilations"].models
    )  # type: ignore[union-attr]
    assert {design(name).feature for name in STUDIES["features"].models} == {"spectrogram", "mfcc"}


def test_all_means_the_published_ones() -> None:
    assert chosen(["all"]) == list(DESIGNS)
    assert len(GROUPS["all"]) == 113


def test_models_and_studies_are_chosen_together_each_once_in_order() -> None:
    assert chosen(["narrow", "s112", "final", "s003"]) == [
        "s003",
        "s111",
        "s112",
        "narrow",
        "swift",
    ]


def test_an_unknown_choice_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"'merge' is neither a model .* nor a study \(all, parts"):
        chosen(["s000", "merge"])

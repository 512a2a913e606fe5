"""Each check of the system passes on good data and names what is wrong with bad data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from assets.checks import parameter_counts
from assets.speech import checks


def corpus(**columns: list[Any]) -> pd.DataFrame:
    values: dict[str, list[Any]] = {
        "key": ["u1", "u2", "u3"],
        "speaker": ["a", "a", "b"],
        "text": ["the cat", "it's", "a dog"],
        "start": [0, 400, 900],
        "samples": [400, 500, 600],
    }
    return pd.DataFrame(values | columns)


def splits(*codes: int, **columns: list[Any]) -> pd.DataFrame:
    return corpus(**columns).head(len(codes)).assign(split=codes)


def test_utterances_need_a_key_words_of_the_alphabet_and_audio_end_to_end() -> None:
    assert checks.well_formed(corpus()) == {}
    assert checks.well_formed(corpus(key=["u1", "u2", "u1"])) == {"key": "u1 occurs twice"}
    strange = checks.well_formed(corpus(text=["the cat", "route 66", "a  dog"]))
    assert strange == {"text": "u2: 'route 66'"}
    gap = checks.well_formed(corpus(start=[0, 300, 900]))
    assert gap == {"start": "the audio is not end to end"}


def test_a_speaker_and_a_text_in_two_splits_are_named() -> None:
    assert checks.speakers_apart(splits(0, 0, 1)) == {}
    assert checks.speakers_apart(splits(0, 1, 1)) == {"in two splits": "a"}
    assert checks.texts_apart(splits(0, 0, 1)) == {}
    twice = splits(0, 0, 1, text=["the cat", "it's", "the cat"])
    assert checks.texts_apart(twice) == {"in two splits": "the cat"}


def test_an_empty_split_is_named() -> None:
    assert checks.all_splits(splits(0, 1, 2)) == {}
    assert checks.all_splits(splits(0, 1)) == {"test": "is empty"}


def test_a_transcript_among_the_language_models_own_text_is_named() -> None:
    assert checks.unspoken_apart(pd.DataFrame({"text": ["a cat"]}), corpus()) == {}
    assert checks.unspoken_apart(pd.DataFrame({"text": ["a dog"]}), corpus()) == {"spoken": "a dog"}


def test_a_parameter_count_that_nothing_explains_is_named_with_its_model() -> None:
    described = {
        "config": {},
        "parameters": 10,
        "trainable_parameters": 8,
        "published_parameters": 12,
        "published_trainable_parameters": 8,
        "difference": "",
    }
    found = {"parameters": "10 (8 trainable), published are 12 (8)"}
    assert parameter_counts(described) == found
    assert parameter_counts(described | {"difference": "no second bias"}) == {}
    unknown = {name: described[name] for name in ("config", "parameters", "trainable_parameters")}
    assert parameter_counts(unknown) == {}


def evaluated(greedy: float | None, lm: float | None) -> dict[str, Any]:
    return {"metrics": {"wer_greedy": {"value": greedy}, "wer_lm": {"value": lm}}}


def test_a_language_model_that_makes_things_worse_is_named() -> None:
    assert checks.helped(evaluated(0.5, 0.2)) == {}
    assert checks.helped(evaluated(0.5, 0.6)) == {"wer": "0.600 with language model, 0.500 without"}
    assert checks.helped(evaluated(None, 0.6)) == {"wer": "undefined"}


def test_features_that_are_not_finite_are_named_with_their_row() -> None:
    frames = {"spectrogram": np.array([[0.0, 1.0], [np.nan, 0.0]], np.float32)}
    assert checks.finite(frames) == {"spectrogram": "row 2 is not finite"}

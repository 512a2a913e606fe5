from __future__ import annotations

import pandas as pd
import pytest

from models.intervals import Metric
from models.speech.evaluation import (
    character_errors,
    evaluate_predictions,
    predictions,
    word_errors,
)


@pytest.mark.parametrize(
    ("said", "heard", "words", "characters"),
    [
        ("the cat sat", "the cat sat", 0, 0),
        ("the cat sat", "the bat sat", 1, 1),
        ("the cat sat", "the sat", 1, 4),
        ("the cat sat", "the cat has sat", 1, 4),
        ("and love be false", "and the love be fuls", 2, 6),
        ("the cat", "", 2, 7),
        ("a", "b c", 2, 3),
    ],
)
def test_errors_are_counted_by_hand(said: str, heard: str, words: int, characters: int) -> None:
    assert word_errors(said, heard) == words
    assert character_errors(said, heard) == characters


def rate(errors: list[int], words: list[int], speakers: str, resamples: int = 500) -> Metric:
    """Word error rate of utterances with so many errors and words."""
    columns = {"greedy_word_errors": errors, "words": words, "speaker": list(speakers)}
    table = pd.DataFrame(columns | {"greedy_character_errors": errors, "characters": words})
    result = evaluate_predictions(table, ("greedy",), resamples=resamples, seed=1)
    return result.metrics["wer_greedy"]


def test_a_rate_is_errors_by_words_and_its_interval_resamples_speakers() -> None:
    errors, words = [1, 3, 0, 4], [4, 4, 4, 4]
    # Both speakers make 4 errors in 8 words: whichever are drawn, the rate is the same.
    together = rate(errors, words, "aabb")
    assert (together.value, together.low) == (0.5, None)
    assert "every resample gives this value" in (together.reason or "")
    apart = rate(errors, words, "abcd")
    assert apart.low is not None
    assert apart.high is not None
    assert apart.low < 0.2 < 0.8 < apart.high
    assert apart == rate(errors, words, "abcd")


def test_long_utterances_weigh_more() -> None:
    assert rate([0, 1], [9, 1], "ab").value == 0.1


def test_one_speaker_gives_no_interval_and_silence_no_rate() -> None:
    assert rate([1, 0], [2, 2], "aa") == Metric(0.25, reason="there is only one speaker")
    assert rate([0], [0], "a") == Metric.undefined("the references are empty")


def test_transcripts_stand_beside_what_was_said_with_the_errors_of_each() -> None:
    said = pd.DataFrame(
        {"key": ["u1", "u2"], "speaker": ["a", "b"], "text": ["the cat", "a dog"], "frames": [5, 6]}
    )
    table = predictions(said, {"greedy": ["the kat", ""], "lm": ["the cat", "a dog"]})
    assert table.loc[0].to_dict() == {
        "key": "u1",
        "speaker": "a",
        "text": "the cat",
        "words": 2,
        "characters": 7,
        "greedy": "the kat",
        "greedy_word_errors": 1,
        "greedy_character_errors": 1,
        "lm": "the cat",
        "lm_word_errors": 0,
        "lm_character_errors": 0,
    }
    result = evaluate_predictions(table, ("greedy", "lm"), resamples=100, seed=1)
    assert result.counts == {"utterances": 2, "speakers": 2, "words": 4, "characters": 12}
    assert result.value("wer_greedy") == 0.75
    assert result.value("cer_greedy") == 0.5
    assert result.value("wer_lm") == 0

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.speech.judging import character_errors, judge, judged_table, rate, word_errors


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


def test_a_rate_is_errors_by_words_and_its_interval_resamples_speakers() -> None:
    errors, words = np.array([1, 3, 0, 4]), np.array([4, 4, 4, 4])
    found = rate(errors, words, np.array(list("aabb")), resamples=500, seed=1)
    assert found["value"] == 0.5
    # Both speakers make 4 errors in 8 words: whichever are drawn, the rate is the same.
    assert (found["low"], found["high"]) == (0.5, 0.5)
    by_one = rate(errors, words, np.array(list("abcd")), resamples=500, seed=1)
    assert by_one["low"] < 0.2 < 0.8 < by_one["high"]
    assert by_one == rate(errors, words, np.array(list("abcd")), resamples=500, seed=1)


def test_long_utterances_weigh_more() -> None:
    found = rate(np.array([0, 1]), np.array([9, 1]), np.array(["a", "b"]), resamples=100, seed=1)
    assert found["value"] == 0.1


def test_one_speaker_gives_no_interval_and_silence_no_rate() -> None:
    one = rate(np.array([1, 0]), np.array([2, 2]), np.array(["a", "a"]), resamples=100, seed=1)
    assert (one["value"], one["low"], one["reason"]) == (0.25, None, "there is only one speaker")
    none = rate(np.array([0]), np.array([0]), np.array(["a"]), resamples=100, seed=1)
    assert (none["value"], none["reason"]) == (None, "nothing was said")


def test_transcripts_stand_beside_what_was_said_with_the_errors_of_each() -> None:
    said = pd.DataFrame(
        {"key": ["u1", "u2"], "speaker": ["a", "b"], "text": ["the cat", "a dog"], "frames": [5, 6]}
    )
    table = judged_table(said, {"greedy": ["the kat", ""], "lm": ["the cat", "a dog"]})
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
    judged = judge(table, ("greedy", "lm"), resamples=100, seed=1)
    assert judged["counts"] == {"utterances": 2, "speakers": 2, "words": 4, "characters": 12}
    assert judged["metrics"]["wer_greedy"]["value"] == 0.75
    assert judged["metrics"]["cer_greedy"]["value"] == 0.5
    assert judged["metrics"]["wer_lm"]["value"] == 0

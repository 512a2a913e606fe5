from __future__ import annotations

import pytest

from models.errors import BadInput
from models.speech.corpus import LETTERS
from models.speech.symbols import (
    BLANK,
    OUTPUTS,
    SPACE,
    SYMBOLS,
    decode,
    encode,
    shortest_output,
)


def test_there_are_28_symbols_and_the_blank_is_the_29th_output() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 28
    assert (BLANK, OUTPUTS) == (28, 29)
    assert set(SYMBOLS) == set(LETTERS) | {" "}


def test_text_is_numbered_by_hand() -> None:
    assert encode("a z'", "u").tolist() == [0, 26, 25, 27]
    assert SPACE == 26


def test_decoding_undoes_encoding() -> None:
    text = "the quick brown fox jumps over it's lazy dog"
    assert decode(encode(text, "u")) == text


@pytest.mark.parametrize("text", ["route 66", "Upper", "tab\there", "naïve"])
def test_an_unknown_character_is_refused_with_the_utterance(text: str) -> None:
    with pytest.raises(BadInput, match=r"84-121123-0001, column text: the transcript has '.+'"):
        encode(text, "84-121123-0001")


def test_an_empty_transcript_is_refused_with_the_utterance() -> None:
    with pytest.raises(BadInput, match="u7, column text: the transcript is empty"):
        encode(" ", "u7")


def test_the_blank_is_no_symbol() -> None:
    with pytest.raises(ValueError, match=r"0 \.\.\. 27, not 28"):
        decode([0, BLANK])


def test_equal_neighbours_need_an_output_between_them() -> None:
    assert shortest_output(encode("abc", "u")) == 3
    assert shortest_output(encode("aab", "u")) == 4
    assert shortest_output(encode("aaa", "u")) == 5

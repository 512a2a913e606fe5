from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from models.speech.corpus import text_table
from models.speech.decoding import (
    SEARCHES,
    Heard,
    Setting,
    WordSearch,
    beam,
    choose,
    greedy,
    language_model,
    transcribe,
    word_search,
)
from models.speech.symbols import BLANK, OUTPUTS, SYMBOLS, encode

TEXTS = ["the cat sat on the mat", "a dog sat on the cat", "it's the dog", "the cat ran"]
USUAL = Setting(beam=50, weight=1.0, bonus=0.0)


def spelled(*outputs: str | dict[str, float]) -> np.ndarray:
    """Log probabilities of outputs: a symbol ("-" is the blank), or several with their shares."""
    found = np.full((len(outputs), OUTPUTS), 1e-6, np.float32)
    for row, output in zip(found, outputs, strict=True):
        for symbol, share in ({output: 1.0} if isinstance(output, str) else output).items():
            row[BLANK if symbol == "-" else SYMBOLS.index(symbol)] = share
    return np.log(found)


def heard(text: str, doubt: float = 0.0, seed: int = 0) -> np.ndarray:
    """Log probabilities that spell a text, each symbol after a blank, with noise."""
    values = np.full((2 * len(text), OUTPUTS), -6.0)
    values[::2, BLANK] = 0
    values[np.arange(1, 2 * len(text), 2), encode(text, "u")] = 0
    values += np.random.default_rng(seed).normal(size=values.shape) * doubt
    return np.asarray(values - np.log(np.exp(values).sum(1, keepdims=True)), np.float32)


@pytest.fixture(scope="module")
def stored() -> dict[str, bytes]:
    training, validation, unspoken = map(text_table, ([*TEXTS], ["the dog ran"], ["a mat ran"]))
    return language_model(training, validation, unspoken, 2)


@pytest.fixture(scope="module")
def search(stored: dict[str, bytes]) -> Iterator[WordSearch]:
    with word_search(stored) as opened:
        yield opened


def test_greedy_merges_repeats_and_drops_blanks() -> None:
    assert greedy(spelled("c", "c", "-", "a", "a", "t")) == "cat"
    assert greedy(spelled("a", "-", "a")) == "aa"
    assert greedy(spelled("-", " ", "a", " ", "-", " ", "b", " ")) == "a b"
    assert greedy(spelled("-", "-")) == ""


def test_the_beam_sums_alignments_that_greedy_does_not() -> None:
    # Best single alignment: two blanks, 0.36; "a" has aa, a-, -a: 0.16 + 0.24 + 0.24.
    outputs = spelled({"-": 0.6, "a": 0.4}, {"-": 0.6, "a": 0.4})
    assert greedy(outputs) == ""
    assert beam(outputs, 20) == "a"


def test_a_clear_spelling_is_read_alike_by_all_searches(search: WordSearch) -> None:
    for text in ("the cat sat on the mat", "it's the dog", "a dog"):
        texts = transcribe(search, USUAL, [heard(text)])
        assert texts == {name: [text] for name in SEARCHES}


def test_the_language_model_mends_a_misspelling(search: WordSearch) -> None:
    outputs = heard("the kat sat on a mat", doubt=0.5)
    assert greedy(outputs) == beam(outputs, 50) == "the kat sat on a mat"
    assert search.decoder(USUAL)(outputs) == "the cat sat on a mat"


def test_only_words_of_the_lexicon_come_out_doubled_letters_among_them(
    search: WordSearch,
) -> None:
    for seed in range(5):
        words = search.decoder(USUAL)(heard("xyzzy dogg hatt", doubt=2.0, seed=seed)).split()
        assert set(words) <= {"a", "cat", "dog", "it's", "mat", "on", "ran", "sat", "the"}


def test_a_common_word_that_no_text_has_is_found() -> None:
    tables = map(text_table, (["the cat sat on the mat"], ["a zebra ran"], []))
    training, validation, nothing = tables

    def found(common: dict[str, int] | None) -> str:
        with word_search(language_model(training, validation, nothing, 2, common)) as opened:
            return opened.decoder(USUAL)(heard("a zebra sat"))

    assert found({"zebra": 3, "ran": 5, "a": 900}) == "a zebra sat"
    assert "zebra" not in found(None)


def test_a_bonus_gives_more_words_and_a_malus_fewer(search: WordSearch) -> None:
    outputs = heard("thecat sat onthe mat", doubt=1.0)
    counts = [
        len(search.decoder(Setting(50, 0.5, bonus))(outputs).split()) for bonus in (-8.0, 0.0, 8.0)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


def test_nothing_heard_is_nothing_said(search: WordSearch) -> None:
    empty = np.empty((0, OUTPUTS), np.float32)
    assert transcribe(search, USUAL, [empty]) == {name: [""] for name in SEARCHES}
    assert search.decoder(USUAL)(spelled("-", "-", "-")) == ""


def test_the_language_model_learns_from_training_and_unspoken_texts_alone(
    stored: dict[str, bytes],
) -> None:
    words = stored["words.txt"].decode().split()
    assert "zebra" not in words
    assert b"a mat" in stored["words.arpa"]
    assert b"dog ran" not in stored["words.arpa"]
    assert float(stored["perplexity.txt"]) > 1


def test_the_setting_with_the_least_error_is_chosen_and_of_equal_ones_the_first(
    search: WordSearch,
) -> None:
    outputs, said = [heard("the kat sat", doubt=0.5)], ["the cat sat"]
    settings = [Setting(50, 0.0, -30.0), Setting(50, 1.0, 0.0), Setting(50, 1.5, 0.0)]
    chosen = choose(search, outputs, said, settings)
    assert [one["wer"] for one in chosen["tried"]] == pytest.approx(
        [chosen["tried"][0]["wer"], 0, 0]
    )
    assert chosen["tried"][0]["wer"] > 0
    assert (chosen["weight"], chosen["wer"]) == (1.0, 0)
    with pytest.raises(ValueError, match="no setting"):
        choose(search, outputs, said, [])


def test_words_are_placed_by_their_letters(search: WordSearch) -> None:
    outputs = heard("the cat sat on the mat")  # a symbol at each odd output
    found = search.listener(USUAL)(outputs)
    assert found.words == ("the", "cat", "sat", "on", "the", "mat")
    assert found.outputs == ((1, 5), (9, 13), (17, 21), (25, 27), (31, 35), (39, 43))
    assert found.text == search.decoder(USUAL)(outputs)
    assert found.score == pytest.approx(outputs.max(axis=1).sum(), abs=1e-3)


def test_the_score_of_a_mended_text_is_the_networks_own(search: WordSearch) -> None:
    outputs = spelled("k", "a", "t")
    outputs[0] = np.log(1e-6)
    outputs[0, SYMBOLS.index("k")], outputs[0, SYMBOLS.index("c")] = np.log(0.9), np.log(0.1)
    found = search.listener(USUAL)(outputs)
    assert (found.words, found.outputs) == (("cat",), ((0, 2),))
    assert found.score == pytest.approx(np.log(0.1), abs=1e-4)


def test_nothing_is_heard_in_nothing(search: WordSearch) -> None:
    listen = search.listener(USUAL)
    assert listen(np.empty((0, OUTPUTS), np.float32)) == Heard()
    assert listen(spelled("-", "-")).words == ()


def test_the_language_model_is_loaded_without_a_word(
    stored: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    with word_search(stored):
        pass
    assert capfd.readouterr() == ("", "")

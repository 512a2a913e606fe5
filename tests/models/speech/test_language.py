from __future__ import annotations

import math
from pathlib import Path

import pytest

from models.speech.language import BEGIN, END, UNKNOWN, english, perplexity, train

TEXTS = ["the cat sat", "the cat ran", "a dog sat on the cat"]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_probabilities_of_all_words_sum_to_one_after_any_context(order: int) -> None:
    model = train(TEXTS, order)
    every = [*model.words, END, UNKNOWN]
    for context in [(), (BEGIN,), ("the",), ("the", "cat"), ("sat", "on"), ("never", "heard")]:
        total = sum(math.exp(model.score(word, context)) for word in every)
        assert total == pytest.approx(1, abs=1e-9), context


def test_a_bigram_model_by_hand() -> None:
    # "a b", "a b", "a a": bigrams <s>a 3, ab 2, b</s> 2, aa 1, a</s> 1.
    model = train(["a b", "a b", "a a"], 2)
    # Two are seen once, two twice: D = (2 + 1) / (2 + 4 + 2).
    discount = 3 / 8
    # Words by their contexts: a after <s>, a; b after a; </s> after b, a: 5 kinds.
    # Of order 1, one (b) has one context, two (a, </s>) have two: D = (1 + 1) / (1 + 4 + 2).
    lower = 2 / 7
    uniform = 1 / 4  # a, b, </s>, <unk>
    p_b = (1 - lower) / 5 + lower * 3 / 5 * uniform
    # After a: b twice, a once, </s> once; three kinds.
    expected = (2 - discount) / 4 + discount * 3 / 4 * p_b
    assert math.exp(model.score("b", ("a",))) == pytest.approx(expected)
    assert math.exp(model.score("<unk>", ())) == pytest.approx(lower * 3 / 5 * uniform)


def test_a_word_counts_by_its_contexts_not_by_how_often_it_occurs() -> None:
    often = ["san francisco"] * 9 + ["the cat", "a cat", "my cat"]
    model = train(often, 2)
    assert model.score("cat", ("unseen",)) > model.score("francisco", ("unseen",))


def test_what_was_read_is_likelier_than_what_was_not() -> None:
    model = train(TEXTS, 3)
    assert perplexity(model, TEXTS) < perplexity(model, ["on a cat the sat"])
    assert perplexity(model, ["the zebra sat"]) > perplexity(model, ["the cat sat"])


def test_an_unknown_word_scores_as_such() -> None:
    model = train(TEXTS, 2)
    assert model.score("zebra", ("the",)) == model.score(UNKNOWN, ("the",))
    assert "zebra" not in model.words
    assert model.words == ["a", "cat", "dog", "on", "ran", "sat", "the"]


def test_kenlm_reads_the_arpa_form_and_agrees(tmp_path: Path) -> None:
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import Dictionary

    model = train(TEXTS, 3)
    path = tmp_path / "words.arpa"
    path.write_text(model.arpa())
    words = [*model.words, UNKNOWN]
    theirs = KenLM(str(path), Dictionary(words))
    state = theirs.start(False)
    spoken = ["the", "dog", "ran", "zebra", "on", "the", "cat"]
    for place, word in enumerate(spoken):
        known = words.index(word) if word in words else words.index(UNKNOWN)
        state, score = theirs.score(state, known)
        context = (BEGIN, *(w if w in words else UNKNOWN for w in spoken[:place]))
        assert score == pytest.approx(model.score(word, context) / math.log(10), abs=1e-5), word


def test_the_arpa_form_is_the_same_for_the_same_texts_in_any_order() -> None:
    assert train(TEXTS, 3).arpa() == train(TEXTS[::-1], 3).arpa()


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="no words to train a language model from"):
        train([], 3)
    with pytest.raises(ValueError, match="1 or more, not 0"):
        train(TEXTS, 0)


def test_common_words_share_what_is_set_aside_as_often_as_they_are_seen() -> None:
    # As above: of order 1 5 kinds, D = 2/7, so 2/7 * 3/5 is set aside. In all 40 + 10 are seen, and
    # b, </s> and <unk> count as the rarest.
    model = train(["a b", "a b", "a a"], 2, {"zebra": 40, "a": 10})
    aside, total = 2 / 7 * 3 / 5, 40 + 10 + 3 * 10
    assert math.exp(model.score("zebra", ())) == pytest.approx(aside * 40 / total)
    assert math.exp(model.score("quagga", ())) == pytest.approx(aside * 10 / total)
    assert math.exp(model.score("b", ())) == pytest.approx((1 - 2 / 7) / 5 + aside * 10 / total)
    assert model.words == ["a", "b", "zebra"]
    for context in [(), ("a",), (BEGIN,)]:
        every = [*model.words, END, UNKNOWN]
        assert sum(math.exp(model.score(word, context)) for word in every) == pytest.approx(1)


def test_english_has_common_words_that_can_be_spelt() -> None:
    words = english()
    assert len(words) > 100_000
    assert words["the"] > words["rabbit"] > words["gryphon"] > 0
    assert "don't" in words
    assert set("".join(words)) <= set("abcdefghijklmnopqrstuvwxyz'")

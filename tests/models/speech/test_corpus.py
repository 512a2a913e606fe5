"""Transcripts, and audio end to end with the table that says where each utterance lies."""

from __future__ import annotations

import numpy as np
import pytest

from models.speech import corpus
from models.speech.corpus import Utterance, audio_blocks, audio_of, normalise, table_of, text_table


def spoken(*lengths):
    return [
        Utterance(f"u{k}", "ann", "a", np.full(length, k, np.int16), part=k % 3, source_rate=8000)
        for k, length in enumerate(lengths)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("MISTER QUILTER'S", "mister quilter's"),
        ("Well -- he said: “No!”  (Twice.)", "well he said no twice"),
        ("don’t half-hearted and/or", "don't half hearted and or"),
        ("the ' end", "the end"),
        ("'tis the dogs' day", "'tis the dogs' day"),
    ],
)
def test_case_and_punctuation_are_dropped(text, words):
    assert normalise(text) == words
    assert normalise(words) == words


@pytest.mark.parametrize("text", ["in 1984", "this & that", "café"])
def test_what_may_be_read_in_more_than_one_way_is_refused(text):
    culprit = next(c for c in text if c not in corpus.LETTERS and c != " ")
    with pytest.raises(ValueError, match=f"holds {culprit!r}"):
        normalise(text)


@pytest.mark.parametrize("text", ["", "...", " - "])
def test_a_text_without_a_word_is_refused(text):
    with pytest.raises(ValueError, match="holds no word"):
        normalise(text)


def test_the_audio_lies_end_to_end_as_the_table_says(monkeypatch):
    monkeypatch.setattr(corpus, "BLOCK_SAMPLES", 5)
    rows = []
    blocks = list(audio_blocks(spoken(3, 4, 2, 9), rows))
    assert [len(block["sample"]) for block in blocks] == [7, 11]  # whole utterances
    sample = np.concatenate([block["sample"] for block in blocks])
    table = table_of(rows)
    assert list(table.columns) == list(corpus.COLUMNS)
    assert table["start"].tolist() == [0, 3, 7, 9]
    assert table["seconds"].tolist() == [length / corpus.RATE for length in (3, 4, 2, 9)]
    assert table["source_rate"].tolist() == [8000] * 4
    for k, row in enumerate(table.itertuples()):
        assert audio_of(sample, row).tolist() == [k] * (3, 4, 2, 9)[k]


def test_an_empty_corpus_is_no_table_and_texts_may_be_none():
    with pytest.raises(ValueError, match="holds no utterance"):
        table_of([])
    assert text_table([]).columns.tolist() == ["text"]
    assert text_table(["a b"])["text"].tolist() == ["a b"]

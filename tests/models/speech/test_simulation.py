"""Simulated speech: reproducible, disjoint speakers and sentences, at the pace and level asked."""

from __future__ import annotations

import numpy as np
import pytest

from models.speech.corpus import LETTERS, RATE
from models.speech.simulation import (
    ACCENTS,
    LEVEL,
    PAUSE,
    SNR,
    VOICES,
    Speaker,
    _dealt,
    _record,
    _synthesise,
    sentences,
    simulate,
    unread,
    written,
)

FEW = {"train": 6, "validation": 2, "test": 2}
CAST = {"train": 3, "validation": 1, "test": 2}


@pytest.fixture(scope="module")
def sample():
    return list(simulate(FEW, CAST, seed=0))


def test_utterances_are_audio_of_the_sentences(sample):
    assert [one.key for one in sample[:2]] == ["train-00000", "train-00001"]
    assert [one.part for one in sample] == [0] * 6 + [1] * 2 + [2] * 2
    assert [one.speaker for one in sample[:4]] == [f"train-{k:03d}" for k in (0, 1, 2, 0)]
    for one in sample:
        assert one.audio.dtype == np.int16
        assert one.text in sentences()
        words = len(one.text.split())
        assert 0.2 < (len(one.audio) / RATE) / words < 0.8, "about 150 words a minute"


def test_the_same_seed_gives_the_same_audio_and_another_seed_other_audio(sample):
    again = list(simulate(FEW, CAST, seed=0))
    assert all(np.array_equal(a.audio, b.audio) for a, b in zip(sample, again, strict=True))
    other = next(iter(simulate({"train": 1}, {"train": 1}, seed=1)))
    assert other.text != sample[0].text


def test_an_utterance_does_not_depend_on_those_before_it(sample):
    more = {one.key: one for one in simulate({"test": 4, "train": 2}, {"test": 2, "train": 3})}
    for one in sample:
        if one.key in more:
            assert np.array_equal(one.audio, more[one.key].audio)
            assert one.text == more[one.key].text
    assert sum(one.key in more for one in sample) == 4


def test_parts_share_neither_sentences_nor_voices():
    for items in (sentences(), VOICES):
        dealt = [set(_dealt(items, part, seed=3)) for part in ("train", "validation", "test")]
        assert sum(map(len, dealt)) == len(set(items)) == len(items)
        assert not dealt[0] & dealt[1]
        assert not dealt[1] & dealt[2]
        assert not dealt[0] & dealt[2]


def test_what_is_unread_is_of_the_training_part_and_none_of_what_is_read(sample):
    unread = set(written(FEW, seed=0))
    assert len(unread) == len(_dealt(sentences(), "train", 0)) - FEW["train"]
    assert not unread & {one.text for one in sample}


def test_for_real_speech_all_of_the_books_is_unread_but_what_was_said():
    said = [sentences()[5], "mister quilter is the apostle"]
    assert unread(said) == [*sentences()[:5], *sentences()[6:]]


def test_sentences_are_transcripts():
    assert len(sentences()) > 4000
    assert set("".join(sentences())) == set(LETTERS + " ")
    assert all(4 <= len(text.split()) <= 18 for text in sentences())


@pytest.mark.parametrize("accent", sorted(set(ACCENTS)))
@pytest.mark.parametrize("voice", ["m3", "f2", "Andy"])
def test_a_voice_reads_alike_whatever_it_read_before(accent, voice):
    asked = ("the cat went away", f"{accent}+{voice}", 160, 50, 50, 7)
    rate, first = _synthesise(*asked)
    _synthesise("something else entirely", "en-us+f4", 150, 60, 40, 8)
    assert rate == 22050
    assert np.array_equal(_synthesise(*asked)[1], first)
    assert first.std() > 300


def test_an_unknown_voice_is_named():
    with pytest.raises(RuntimeError, match="no voice 'en-us-nowhere'"):
        _synthesise("hello", "en-us-nowhere", 160, 50, 50, 0)


def test_pace_and_tract_are_heard():
    def spoken(**changed):
        properties = {"pace": 150.0, "pitch": 50.0, "range": 50.0, "tract": 1.0}
        speaker = Speaker("someone", "en-us+m3", **properties | changed)
        text = "alice was beginning to get very tired of sitting by her sister"
        return _record(speaker, text, np.random.default_rng(0)).astype(float)

    def centre(audio):
        power = np.abs(np.fft.rfft(audio)) ** 2
        return np.sum(power * np.arange(power.size)) / np.sum(power) * RATE / audio.size

    plain = spoken()
    assert len(spoken(pace=185.0)) < 0.9 * len(plain)
    long = spoken(tract=1.08)
    assert len(long) == pytest.approx(len(plain), rel=0.05), "paced to last as long"
    assert centre(long) < 0.97 * centre(plain)


def test_level_pauses_and_noise_are_in_their_ranges(sample):
    for one in sample:
        audio = one.audio / 32768
        quiet = audio[: int(PAUSE[0] * RATE)]
        noise, all_of_it = np.mean(quiet**2), np.mean(audio**2)
        assert LEVEL[0] - 3 < 10 * np.log10(all_of_it) < LEVEL[1] + 1
        assert SNR[0] - 3 < 10 * np.log10(all_of_it / noise) < SNR[1] + 3


@pytest.mark.parametrize(
    ("utterances", "speakers", "text"),
    [
        ({"dev": 1}, {"dev": 1}, "parts must be among train, validation, test"),
        ({"train": 1}, {"test": 1}, "parts must be among"),
        ({"train": 0}, {"train": 1}, "must be 1 or more"),
        ({"test": 5000}, {"test": 1}, "test has 739 sentences, but 5000 utterances"),
    ],
)
def test_impossible_wishes_are_refused(utterances, speakers, text):
    with pytest.raises(ValueError, match=text):
        simulate(utterances, speakers)

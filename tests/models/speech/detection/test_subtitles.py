"""Transcripts as text, JSON and subtitles, to the letter."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from models.detection import Recording, Verdict
from models.speech.detection.subtitles import Cue, cues, files, srt, vtt

RATES = {"word_error_rate": {"value": 0.25, "low": 0.2, "high": 0.31}}


def spoken(text: str, start: float, each: float = 0.3) -> list[dict[str, Any]]:
    """Words of equal length, one after the other."""
    return [
        {"word": word, "start": round(start + k * each, 2), "end": round(start + (k + 1) * each, 2)}
        for k, word in enumerate(text.split())
    ]


def verdict(text: str, start: float, end: float, **fields: Any) -> Verdict:
    details = {"start": start, "end": end, "words": spoken(text, start), "score": "letters"}
    return Verdict(
        "talk",
        "part",
        "swift",
        text or "[no words]",
        None,
        -0.5,
        None,
        RATES,
        (),
        details,
        **fields,
    )


def test_a_subtitle_stays_a_second_unless_the_next_is_due() -> None:
    found = [verdict("hello", 1.0, 2.0), verdict("there", 1.6, 3.0), verdict("you", 9.0, 9.5)]
    assert cues(found) == [
        Cue(1.0, 1.6, ("hello",)),
        Cue(1.6, 2.6, ("there",)),
        Cue(9.0, 10.0, ("you",)),
    ]
    assert cues([verdict("", 1.0, 2.0)]) == []


def test_long_texts_have_lines_of_42_characters_two_at_a_time() -> None:
    words = "a" * 20, "b" * 21, "c" * 42, "d" * 50, "e"
    found = cues([verdict(" ".join(words), 0.0, 9.0)])
    assert [cue.lines for cue in found] == [
        (f"{'a' * 20} {'b' * 21}", "c" * 42),
        ("d" * 50, "e"),
    ]
    assert found[0].end == found[1].start == pytest.approx(0.9)


def test_srt_and_webvtt() -> None:
    subtitles = [Cue(0.5, 1.75, ("it's", "me")), Cue(3661.0, 3662.0, ("bye",))]
    assert srt(subtitles) == (
        "1\n00:00:00,500 --> 00:00:01,750\nit's\nme\n\n"
        "2\n01:01:01,000 --> 01:01:02,000\nbye\n"
    )  # fmt: skip
    assert vtt(subtitles, "swift") == (
        "WEBVTT\n\nNOTE swift\n\n"
        "00:00:00.500 --> 00:00:01.750\nit's\nme\n\n"
        "01:01:01.000 --> 01:01:02.000\nbye\n"
    )
    assert srt([]) == ""
    assert vtt([], "swift") == "WEBVTT\n\nNOTE swift\n"


def test_files_of_a_model() -> None:
    recording = Recording("talk", {"audio": np.zeros(1)}, {"seconds": 4.0})
    found = [verdict("hello you", 0.5, 1.5), verdict("", 2.0, 3.0)]
    written = files(recording, found)
    assert list(written) == [f"transcripts/swift.{kind}" for kind in ("txt", "json", "srt", "vtt")]
    assert written["transcripts/swift.txt"] == b"hello you\n"
    assert written["transcripts/swift.srt"].startswith(b"1\n00:00:00,500 --> ")
    assert (
        b"NOTE swift, word error rate in tests 0.25 [0.20, 0.31]\n"
        in (written["transcripts/swift.vtt"])
    )
    whole = json.loads(written["transcripts/swift.json"])
    assert whole["error_rates"] == RATES
    assert (whole["recording"], whole["seconds"], whole["model"]) == ("talk", 4.0, "swift")
    first, second = whole["segments"]
    assert first["words"] == [
        {"word": "hello", "start": 0.5, "end": 0.8},
        {"word": "you", "start": 0.8, "end": 1.1},
    ]
    assert (second["text"], second["words"]) == ("", [])

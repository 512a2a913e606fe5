"""Segments transcribed by networks that are known, with times, error rates and warnings."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.detection import Recording, TrainedModel, Verdict
from models.evaluation import Evaluation
from models.intervals import Metric
from models.speech.corpus import text_table
from models.speech.decoding import language_model
from models.speech.detection.recordings import spectral_shape
from models.speech.detection.sheet import sheet
from models.speech.detection.verdicts import NOTHING, training_range, verdicts
from models.speech.features import spectrogram
from models.speech.symbols import BLANK, OUTPUTS, encode

SENTENCES = ("the cat sat", "a dog ran on the mat")
module = import_module("models.speech.detection.verdicts")  # a function has its name
SPOKEN = 4
"""Frames of a letter, each after as many of the blank."""


class Network:
    """Reads log probabilities off its frames, every ``step`` of them, and counts its calls."""

    def __init__(self, step: int = 1) -> None:
        self.step = step
        self.calls: list[int] = []

    def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
        self.calls.append(len(x))
        return np.asarray(np.exp(x[:, :: self.step]))


def model(
    name: str = "swift", fitted: Any = None, step: int = 1, wer: float | None = 0.1
) -> TrainedModel:
    metrics = {
        "wer_lm": Metric.undefined("no words") if wer is None else Metric(wer, wer / 2, wer * 1.5),
        "cer_lm": Metric(0.04, 0.03, 0.05),
    }
    spoken, held_out, unspoken = map(text_table, ([*SENTENCES], ["the dog"], ["a mat"]))
    convolutions = (
        [{"kernel": 1, "stride": step, "padding": "valid", "dilation": 1}] if step > 1 else []
    )
    return TrainedModel(
        name,
        fitted or Network(step),
        None,
        Evaluation({"utterances": 9}, metrics),
        {
            "architecture": {
                "feature": "mfcc",
                "centred": False,
                "convolutions": convolutions,
                "output_shapes": [{"shape": [None, None, OUTPUTS]}],
            },
            "decoder": {"beam": 20, "weight": 0.5, "bonus": 0.0, "wer": 0.2, "tried": []},
            "language_model": language_model(spoken, held_out, unspoken, 2),
        },
    )


def frames(text: str) -> np.ndarray:
    """Log probabilities that spell a text: each letter for `SPOKEN` frames, after the blank."""
    values = np.full((2 * SPOKEN * len(text), OUTPUTS), np.log(1e-4), np.float32)
    symbols = np.repeat([[BLANK, code] for code in encode(text, "u")], SPOKEN, axis=1).ravel()
    values[np.arange(len(values)), symbols] = np.log(1 - 28e-4)
    return values


def recorded(
    *texts: str, rate: int = 16_000, level: float = -22.0
) -> tuple[Recording, dict[str, Any]]:
    """A recording whose segments spell texts, two seconds apart, and its readings."""
    parts = [frames(text) if text else np.full((100, OUTPUTS), np.log(1e-6)) for text in texts]
    for part, text in zip(parts, texts, strict=True):
        if not text:
            part[:, BLANK] = np.log(1 - 28e-6)
    count = np.array([len(part) for part in parts])
    starts = np.concatenate([[0], np.cumsum(count[:-1] + 200)]) * 160 + 8000
    audio = np.random.default_rng(0).normal(0, 1000, int(starts[-1] + count[-1] * 160 + 8000))
    features = {
        "start": starts,
        "stop": starts + count * 160 + 160,
        "first": np.cumsum(count) - count,
        "frames": count,
        "level": np.full(len(count), level),
        "shape": np.stack([spectral_shape(spectrogram(audio.astype(np.int16)))] * len(count)),
        "levels": np.full(len(audio) // 160, -30, np.float32),
        "mfcc": np.concatenate(parts).astype(np.float32),
        "spectrogram": np.zeros((int(count.sum()), 161), np.float32),
    }
    facts = {"files": ["a.wav"], "rate": rate, "channels": 1, "seconds": len(audio) / 16_000}
    return Recording("a", {"audio": audio.astype(np.int16)}, facts), features


@pytest.fixture(scope="module")
def ranges() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    heard = [generator.normal(0, 2000, 16_000 * k // 2).astype(np.int16) for k in range(2, 41)]
    spectra = [spectrogram(one) for one in heard]
    count = np.array([len(one) for one in spectra])
    utterances = pd.DataFrame(
        {
            "seconds": [len(one) / 16_000 for one in heard],
            "source_rate": 16_000,
            "start": np.cumsum(count) - count,
            "frames": count,
        }
    )
    return training_range(utterances, {"spectrogram": np.concatenate(spectra)}, {"utterances": 39})


def test_the_training_range_is_that_of_the_training_utterances(ranges: dict[str, Any]) -> None:
    assert ranges["seconds"] == {"shortest": 1.0, "usual": 15.25, "longest": 20.0}
    assert ranges["rate"] == 16_000
    assert ranges["simulated"] is False
    assert ranges["level"] == pytest.approx([-24.3, -24.3], abs=0.2)
    json.dumps(ranges)


@pytest.mark.parametrize("step", [1, 2])
def test_segments_are_transcribed_with_the_time_of_each_word(
    ranges: dict[str, Any], step: int
) -> None:
    recording, features = recorded(*SENTENCES)
    found = verdicts(recording, features, {"swift": model(step=step)}, ranges)
    assert [verdict.label for verdict in found] == list(SENTENCES)
    first, second = found
    assert first.part == "0:00.5 to 0:01.4"
    # Letter k sounds from frame 8 k + 4 to 8 k + 8; a frame stands for 10 ms about its middle.
    said = {word["word"]: (word["start"], word["end"]) for word in first.details["words"]}
    for word, place in {"the": 0, "cat": 4, "sat": 8}.items():
        begin = 0.5 + (8 * place + 4) * 0.01 + 0.01
        end = 0.5 + 8 * (place + 3) * 0.01 + 0.01
        assert said[word] == pytest.approx((begin, end), abs=0.005 * step + 0.006)
    assert second.details["words"][0]["start"] > second.details["start"] == 3.38
    assert first.details["letter by letter"] == "the cat sat"
    assert first.positive is None
    assert first.threshold is None


def test_the_score_is_the_mean_log_probability_of_a_letter(ranges: dict[str, Any]) -> None:
    recording, features = recorded("the cat sat")
    [verdict] = verdicts(recording, features, {"swift": model()}, ranges)
    # 88 frames, of 11 letters and spaces.
    assert verdict.score == pytest.approx(88 * np.log(1 - 28e-4) / 11, rel=1e-4)
    assert verdict.details["score"] == "mean log probability of a letter (nats)"


def test_error_rates_are_those_with_the_language_model(ranges: dict[str, Any]) -> None:
    recording, features = recorded("the cat sat")
    [verdict] = verdicts(recording, features, {"swift": model(wer=0.1)}, ranges)
    rates = {name: rate["value"] for name, rate in verdict.error_rates.items()}
    assert rates == {"word_error_rate": 0.1, "character_error_rate": 0.04}
    assert verdict.error_rates["word_error_rate"]["high"] == pytest.approx(0.15)
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


def test_a_segment_without_words(ranges: dict[str, Any]) -> None:
    recording, features = recorded("", "the cat sat")
    silent, _ = verdicts(recording, features, {"swift": model()}, ranges)
    assert (silent.label, silent.score, silent.details["words"]) == (NOTHING, None, [])
    page = sheet(recording, features, [silent])
    assert "None was recognised." in page.html
    assert page.files["transcripts/swift.txt"] == b""


def test_every_model_reads_many_segments_at_a_time(
    ranges: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOGETHER", 32)
    recording, features = recorded(*(["the cat sat"] * 70))
    networks = {"swift": Network(), "narrow": Network()}
    models = {name: model(name, network) for name, network in networks.items()}
    found = verdicts(recording, features, models, ranges)
    assert [verdict.model for verdict in found] == ["swift"] * 70 + ["narrow"] * 70
    assert {verdict.label for verdict in found} == {"the cat sat"}
    for network in networks.values():
        assert network.calls == [16, 16, 16, 16, 6]


def test_the_language_model_is_opened_once(
    ranges: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    whole = module.word_search

    def counted(one: dict[str, bytes]) -> Any:
        opened.append(1)
        return whole(one)

    monkeypatch.setattr(module, "word_search", counted)
    module._search.cache_clear()
    one = model()
    recording, features = recorded("the cat sat")
    for _ in range(3):
        verdicts(recording, features, {"swift": one, "narrow": one}, ranges)
    assert opened == [1]


def warned(ranges: dict[str, Any], wer: float | None = 0.1, **of: Any) -> tuple[str, ...]:
    changes = of.pop("features", {})
    recording, features = recorded("the cat sat", "a dog ran on the mat", **of)
    found = verdicts(recording, {**features, **changes}, {"swift": model(wer=wer)}, ranges)
    return found[0].warnings


def test_what_is_like_training_is_not_warned_of_but_that_it_is_short(
    ranges: dict[str, Any],
) -> None:
    own = {**ranges, "level": [-30, -18]}
    assert warned(own) == ("length of 0.89 s: trained on 1 ... 20 s",)
    assert warned({**own, "seconds": {**ranges["seconds"], "shortest": 0.5}}) == ()


def test_what_is_unlike_training_is_warned_of_with_its_distance(ranges: dict[str, Any]) -> None:
    ranges = {**ranges, "seconds": {"shortest": 0.1, "usual": 1.0, "longest": 9.0}}
    ranges["level"] = [-30.0, -18.0]
    assert warned(ranges, rate=8000) == ("sample rate of 8000 Hz: trained on 16000 Hz",)
    assert warned(ranges, rate=48_000) == ()
    assert warned(ranges, level=-45.5) == ("level of -45.5 dB: trained on -30 ... -18 dB",)
    shape = recorded(*SENTENCES)[1]["shape"]
    shape[:, 12] = -9
    [unlike] = warned(ranges, features={"shape": shape})
    assert unlike.startswith("unlike the training data: its features lie ")
    assert "level at 6 to 6.5 kHz -" in unlike


def test_poor_models_and_synthetic_voices_are_warned_of(ranges: dict[str, Any]) -> None:
    ranges = {**ranges, "seconds": {"shortest": 0.1, "usual": 1.0, "longest": 9.0}}
    ranges["level"] = [-30.0, -18.0]
    assert warned(ranges, wer=0.79) == (
        "most words are likely wrong: word error rate of 0.79 in tests",
    )
    assert warned(ranges, wer=0.31) == (
        "many words are likely wrong: word error rate of 0.31 in tests",
    )
    assert warned(ranges, wer=None) == ()
    assert warned({**ranges, "simulated": True}) == (
        "trained on synthetic voices alone: people are understood worse than that",
    )


# the page ---------------------------------------------------------------------------------------


def test_the_page_begins_with_the_best_model_and_how_often_it_errs(ranges: dict[str, Any]) -> None:
    recording, features = recorded(*SENTENCES)
    models = {"narrow": model("narrow", wer=0.6), "swift": model("swift", wer=0.4)}
    found = verdicts(recording, features, models, ranges)
    page = sheet(recording, features, found)
    assert "By swift, word error rate in tests 0.40 [0.20, 0.60], the best of the" in page.html
    assert "Take care: many words are likely wrong: word error rate of 0.40 in tests." in page.html
    assert (
        "Take care: 1 of 2 segments, such as: length of 0.89 s: trained on 1 ... 20 s." in page.html
    )
    assert "<td>length of 0.89 s</td>" in page.html
    assert "<td>the cat sat</td>" in page.html
    assert '<th scope="col">take care</th>' in page.html
    [short] = verdicts(*recorded("the cat sat"), models, ranges)[1:]
    said_above = sheet(recording, features, [short])
    assert '<th scope="col">take care</th>' not in said_above.html
    assert "<td>mat</td>" in page.html
    assert page.html.index("<td>swift</td>") < page.html.index("<td>narrow</td>")
    assert page.html.count("<audio") == 1
    assert {name for name in page.files if name.startswith("transcripts")} == {
        f"transcripts/{model}.{kind}"
        for model in ("swift", "narrow")
        for kind in ("txt", "json", "srt", "vtt")
    }
    assert page.files["transcripts/swift.txt"] == b"the cat sat\na dog ran on the mat\n"


def test_the_page_of_a_long_recording_has_a_picture_of_the_whole_and_some_of_its_parts(
    ranges: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets = import_module("models.speech.detection.sheet")
    monkeypatch.setattr(sheets, "LISTED", 20)
    recording, features = recorded(*(SENTENCES * 15))
    found = verdicts(recording, features, {"swift": model()}, ranges)
    page = sheet(recording, features, found)
    pictures = [name for name in page.files if name.startswith("pictures/")]
    assert pictures[0] == "pictures/whole.png"
    assert len(pictures) == 1 + sheets.STRIPS
    assert "The first 5 of " in page.html
    assert "The first 20 of 30 segments; the files have all." in page.html
    assert "The first 20 of 135 words; the files have all." in page.html
    assert page.files["transcripts/swift.txt"].count(b"\n") == 30


def test_pictures_leave_long_pauses_out() -> None:
    from models.speech.detection.sheet import _strips

    def at(start: float, end: float) -> Verdict:
        return Verdict("a", "p", "m", "l", None, details={"start": start, "end": end})

    assert list(_strips([at(1, 3)], 8.0)) == [(0.0, 8.0)]
    assert list(_strips([at(1, 8), at(9, 15), at(50, 60)], 65.0)) == [(1, 13), (13, 25), (50, 62)]
    assert list(_strips([at(58, 64)], 65.0)) == [(58, 65.0)]

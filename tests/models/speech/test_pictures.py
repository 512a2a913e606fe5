"""Pictures and sound of an utterance."""

from __future__ import annotations

import io
import wave

import numpy as np
import pandas as pd
import pytest

from models.speech import pictures

PNG = b"\x89PNG"


def test_the_sound_is_the_audio_sample_by_sample():
    audio = np.array([0, 1, -1, 32767, -32768], np.int16)
    with wave.open(io.BytesIO(pictures.sound(audio))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        played = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_array_equal(played, audio)


def test_a_huge_first_loss_hides_nothing():
    assert pictures._top({"a": [5000.0, 100.0, 90.0], "b": [400.0, 95.0]}) == pytest.approx(110)
    assert pictures._top({"a": [50.0]}) == pytest.approx(55)  # it has no later one


def test_losses_of_more_models_than_colours_are_told_apart():
    curves = {f"s{k:03d}": [5000.0, 100.0 - k, 90.0 - k] for k in range(12)}
    first = pictures.validation_losses(curves, title="many")
    assert first.startswith(PNG)
    assert first == pictures.validation_losses(curves, title="many")
    assert first != pictures.validation_losses(dict(list(curves.items())[:11]), title="many")


def test_no_losses_give_a_picture_that_says_so(monkeypatch):
    from matplotlib.axes import Axes

    said = []
    monkeypatch.setattr(Axes, "annotate", lambda self, text, *_, **__: said.append(text))
    assert pictures.validation_losses({}).startswith(PNG)
    assert said == ["none trained yet"]


def test_the_best_settings_of_a_decoder_come_first(monkeypatch):
    seen = []
    monkeypatch.setattr(pictures, "bars", lambda values, **_: seen.append(values))
    pictures.tried(
        [
            {"beam": 10, "weight": 1.0, "bonus": 0.0, "wer": 0.5},
            {"beam": 20, "weight": 0.5, "bonus": -1.0, "wer": 0.25},
        ]
    )
    assert seen == [
        {"beam 20, weight 0.5, bonus -1": 0.25, "beam 10, weight 1, bonus 0": 0.5},
    ]


@pytest.mark.parametrize("bins", [161, 26])
def test_features_of_some_utterances_are_drawn(bins):
    stored = np.random.default_rng(0).normal(size=(300, bins)).astype(np.float32)
    index = pd.DataFrame({"key": ["a", "b"], "start": [0, 120], "frames": [120, 180]})
    drawn = pictures.features(stored, index, ["a word", "letters " * 40])
    assert drawn.startswith(PNG)
    assert drawn == pictures.features(stored, index, ["a word", "letters " * 40])


def test_a_waveform_and_durations_are_drawn():
    assert pictures.waveform(np.zeros(20_000, np.int16)).startswith(PNG)
    assert pictures.durations(np.array([1.0, 2.0, 2.5])).startswith(PNG)

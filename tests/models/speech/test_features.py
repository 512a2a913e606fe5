"""Spectrograms and cepstra: against values of the definitions, and over many utterances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.scaling import Scaling
from models.speech.corpus import audio_of
from models.speech.features import (
    BINS,
    FLOOR,
    cepstra,
    cepstra_of,
    frames_of,
    scaled_of,
    scaling_of,
    spectrogram,
    spectrograms_of,
)

#: python_speech_features 0.6, mfcc(chirp(), 16000, numcep=26), frames 0, 7 and 23, of which the
#: last reaches beyond the end.
REFERENCE = {
    0: [
        19.2537, 9.7137, 20.0982, -20.5528, -29.5707, -15.8225, -61.8735, 9.8851, -38.2443,
        15.7493, 8.4910, -3.8159, 29.5932, -18.2923, 19.6876, -10.0706, 2.5114, 4.6245, -4.7387,
        6.1446, -2.8507, 1.4503, -0.2339, 0.0927, -0.1911, 0.6188,
    ],
    7: [
        20.6675, -2.2103, -22.9050, -43.4732, -25.6986, 33.1049, 5.7254, 34.4237, -38.6267,
        -14.2651, -6.5242, -1.2183, 31.5396, -17.3507, 10.0613, -15.5837, 3.9512, 6.6629, -1.4851,
        5.4565, -3.1841, 1.7873, -0.2027, -0.0984, 0.0587, 0.3916,
    ],
    23: [
        22.0016, -14.4336, -28.1978, 17.8417, 17.0984, -20.4863, -22.0418, 46.2843, -21.8231,
        -16.9072, 14.5601, 4.7669, -6.7175, -16.8690, 25.6383, -11.5983, -5.3392, 6.3494, -0.5104,
        0.0948, -2.2142, 2.2678, -0.4593, 0.0378, -0.1824, 0.0192,
    ],
}  # fmt: skip


def chirp(samples=4000):
    """Made from sines alone, so that any machine has the same."""
    time = np.arange(samples) / 16000
    rising = np.sin(2 * np.pi * (300 + 4000 * time) * time)
    return np.rint(8000 * rising + 500 * np.sin(2 * np.pi * 5100 * time)).astype(np.int16)


@pytest.mark.parametrize("frame", REFERENCE)
def test_cepstra_are_those_of_python_speech_features(frame):
    coefficients = cepstra(chirp())
    assert coefficients.dtype == np.float32
    np.testing.assert_allclose(coefficients[frame], REFERENCE[frame], rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(cepstra(chirp(), 13)[frame], coefficients[frame, :13], atol=1e-4)


@pytest.mark.parametrize(
    ("samples", "frames"), [(320, 1), (479, 1), (480, 2), (16000, 99), (16080, 99), (16160, 100)]
)
def test_both_features_have_the_same_frames(samples, frames):
    audio = np.ones(samples, np.int16)
    assert frames_of(samples) == frames
    assert spectrogram(audio).shape == (frames, BINS)
    assert cepstra(audio).shape == (frames, 26)


def test_a_tone_has_its_power_in_its_bin():
    """A sine of amplitude A has the mean square A^2 / 2, which is the integral of the density."""
    tone = np.rint(16384 * np.sin(2 * np.pi * 1000 * np.arange(3200) / 16000)).astype(np.int16)
    density = np.exp(spectrogram(tone)[5].astype(float))
    assert np.argmax(density) == 1000 // 50
    assert density.sum() * 50 == pytest.approx(0.5**2 / 2, rel=0.02)


def test_silence_is_the_floor_and_no_error():
    silence = np.zeros(800, np.int16)
    assert spectrogram(silence) == pytest.approx(np.log(FLOOR))
    coefficients = cepstra(silence)
    assert np.isfinite(coefficients).all()
    assert coefficients[0, 0] == pytest.approx(np.log(np.finfo(float).eps))


@pytest.mark.parametrize("coefficients", [0, 27])
def test_impossible_numbers_of_coefficients_are_refused(coefficients):
    with pytest.raises(ValueError, match="must be 1 to 26"):
        cepstra(chirp(), coefficients)


@pytest.fixture
def stored():
    """Three utterances, of which the second is of another split."""
    sample = np.random.default_rng(0).integers(-9000, 9000, 706_000).astype(np.int16)
    return {"sample": sample}, pd.DataFrame({"start": [0, 6000], "samples": [1000, 700_000]})


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("name", "stream", "feature"),
    [("spectrogram", spectrograms_of, spectrogram), ("mfcc", cepstra_of, cepstra)],
)
def test_streams_hold_each_utterance_in_its_place(stored, name, stream, feature, workers):
    audio, rows = stored
    whole = np.concatenate([block[name] for block in stream(audio, rows, workers=workers)])
    first, second = (feature(audio_of(audio["sample"], row)) for row in rows.itertuples())
    assert len(whole) == 5 + 4374
    np.testing.assert_array_equal(whole[:5], first)
    np.testing.assert_array_equal(whole[5:], second)


def test_scaling_is_of_all_frames():
    scaling = scaling_of(np.array([[1.0, 5.0], [3.0, 5.0], [8.0, 5.0]], np.float32))
    assert scaling.samples.tolist() == [3, 3]
    assert scaling.mean == pytest.approx([4.0, 5.0])
    assert scaling.std == pytest.approx([np.sqrt(26 / 3), 1.0])


def test_scaled_training_frames_have_mean_0_and_std_1_block_by_block():
    values = np.random.default_rng(1).normal([3, -50], [2, 10], (2500, 2)).astype(np.float32)
    scaling = scaling_of(values[:2000])
    blocks = [block["frame"] for block in scaled_of(values, scaling)]
    assert len(blocks) > 1
    whole = np.concatenate(blocks)
    assert (whole.shape, whole.dtype) == (values.shape, np.float32)
    np.testing.assert_allclose(whole[:2000].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(whole[:2000].std(axis=0), 1, atol=1e-5)
    scaling = Scaling(np.array([1.0, 2.0]), np.array([2.0, 5.0]), np.array([1, 1]))
    by_hand = scaled_of(np.array([[5, 7]], np.float32), scaling)
    assert next(iter(by_hand))["frame"].tolist() == [[2, 1]]

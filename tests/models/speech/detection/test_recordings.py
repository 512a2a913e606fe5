"""Audio files as people have them: decoded, cut, and turned into the features of training."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.arrays import ArrayLike
from models.errors import BadInput
from models.scaling import Scaling
from models.speech import sound
from models.speech.corpus import RATE
from models.speech.detection import recordings
from models.speech.detection.recordings import (
    group_files,
    loudness,
    read_recording,
    readings,
    shape_names,
    spectral_shape,
)
from models.speech.features import cepstra, spectrogram
from tests.models.speech.detection.simulated import Write, bursts


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as error:
        read_recording("a", [path])
    return str(error.value)


# files ------------------------------------------------------------------------------------------


def test_each_file_is_a_recording_and_equal_names_are_told_apart(tmp_path: Path) -> None:
    names = ["one/talk.wav", "two/talk.wav", "two/größer als.FLAC", "two/a.ogg", "b.mp3", "c.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert set(group_files([tmp_path])) == {"one/talk", "two/talk", "größer als", "a", "b"}


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_any_rate_is_resampled_and_said(write: Write, rate: int) -> None:
    path = write("two words ä.wav", bursts((1, 2), seconds=3, rate=rate), rate)
    recording = read_recording("two words ä", [path])
    audio = recording.arrays["audio"]
    assert audio.shape == (3 * RATE,)
    assert audio.dtype == np.int16
    assert recording.facts == {
        "files": ["two words ä.wav"],
        "rate": rate,
        "channels": 1,
        "seconds": 3.0,
    }
    said = f"Its {rate} samples a second were resampled to 16000."
    assert recording.notes == ((said,) if rate != RATE else ())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", {"subtype": "PCM_24"}),
        ("a.wav", {"subtype": "FLOAT"}),
        ("a.flac", {}),
        ("a.ogg", {}),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("a.mp3", {}),
    ],
)
def test_any_format_has_the_same_segments(
    write: Write, stored: dict[str, Any], name: str, options: dict[str, str]
) -> None:
    recording = read_recording("a", [write(name, bursts((1, 2), (4, 5), seconds=6), **options)])
    features = readings(recording, stored)
    assert features["start"][:] / RATE == pytest.approx([0.83, 3.83], abs=0.05)
    assert features["stop"][:] / RATE == pytest.approx([2.17, 5.17], abs=0.05)


def test_channels_and_clipping_are_said(write: Write) -> None:
    quiet = bursts((1, 2), seconds=3)
    stereo = np.stack([quiet, quiet], axis=1)
    stereo[:5] = 1.5
    recording = read_recording("a", [write("a.wav", stereo, subtype="FLOAT")])
    assert recording.notes == (
        "Its 2 channels were mixed down to their mean.",
        "5 samples beyond full scale were clipped.",
    )


# bad files --------------------------------------------------------------------------------------


def test_bad_recordings_are_one_clear_line(write: Write, tmp_path: Path) -> None:
    flawed = bursts((1, 2), seconds=3)
    flawed[20_000] = np.nan
    cut = write("cut.flac", bursts((1, 2), seconds=3))
    cut.write_bytes(cut.read_bytes()[:20_000])
    (tmp_path / "text.wav").write_text("no sound, but text\n" * 100)
    (tmp_path / "zero.wav").touch()
    for path, problem in {
        write("one.wav", [0.5]): "it lasts 0.0001 s; 0.1 s are needed",
        write("one at 48 kHz.wav", [0.5], 48_000): "it lasts 0.0000 s; 0.1 s are needed",
        write("silent.wav", np.zeros(RATE)): "it is silent: nothing in it is above -70 dB of full",
        write("flawed.wav", flawed, subtype="FLOAT"): "it holds NaN or inf 1.2 s in",
        cut: "it can't be decoded, or is truncated",
        tmp_path / "text.wav": "it can't be decoded, or is truncated: Format not recognised",
        tmp_path / "zero.wav": "it is empty",
        tmp_path / "missing.wav": "it is not there",
        tmp_path: "it is no file",
    }.items():
        said = refusal(path)
        assert said.startswith(f"{path}: {problem}"), said
        assert said.endswith("expected a recording of speech (FLAC, WAV, MP3, OGG). Copy it "
                             "again, or convert it.")  # fmt: skip
        assert "\n" not in said


def test_a_file_that_may_not_be_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.wav", bursts((1, 2), seconds=3))

    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)  # root may read anything
    assert "it may not be read: permission denied" in refusal(path)


@pytest.mark.parametrize("how", ["replaced", "longer", "gone"])
def test_a_file_that_changes_while_it_is_read(
    write: Write, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = write("a.wav", bursts((1, 2), seconds=3))
    other = write("b.wav", bursts((1, 2), seconds=3))
    whole = recordings.on_disk

    def change(blocks: Any) -> dict[str, ArrayLike]:
        arrays = whole(blocks)
        if how == "replaced":
            other.replace(path)
        elif how == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes() + b"more")
        return arrays

    monkeypatch.setattr(recordings, "on_disk", change)
    assert "it changed while it was read" in refusal(path)


# features ---------------------------------------------------------------------------------------


def test_features_are_those_of_training(write: Write, stored: dict[str, Any]) -> None:
    recording = read_recording("a", [write("a.wav", bursts((1, 2), (4, 5), seconds=6))])
    features = readings(recording, stored)
    audio = recording.arrays["audio"][:]
    frames = features["frames"][:]
    assert features["first"][:].tolist() == [0, frames[0]]
    for row, (start, stop) in enumerate(
        zip(features["start"][:], features["stop"][:], strict=True)
    ):
        own = slice(int(features["first"][row]), int(features["first"][row] + frames[row]))
        spectra = spectrogram(audio[start:stop])
        for kind, values in (("spectrogram", spectra), ("mfcc", cepstra(audio[start:stop], 13))):
            scaled = Scaling.from_dict(stored["scaling"][kind]).standardise(values)
            np.testing.assert_array_equal(features[kind][own], scaled)
        assert features["level"][row] == loudness(spectra)
        np.testing.assert_array_equal(features["shape"][row], spectral_shape(spectra))
    assert len(features["levels"]) == 600
    assert len(features["mfcc"]) == frames.sum()


def test_loudness_is_the_root_mean_square_below_full_scale() -> None:
    noise = np.random.default_rng(0).normal(0, 1000, RATE).astype(np.int16)
    exact = 20 * np.log10(np.sqrt(np.mean(np.square(noise / 32768))))
    assert loudness(spectrogram(noise)) == pytest.approx(exact, abs=0.1)


def test_the_shape_doesnt_depend_on_the_level_but_on_the_bandwidth() -> None:
    from scipy.signal import firwin, lfilter

    noise = np.random.default_rng(0).normal(0, 3000, 2 * RATE)
    shape = spectral_shape(spectrogram(noise.astype(np.int16)))
    softer = spectral_shape(spectrogram((noise / 10).astype(np.int16)))
    assert shape.shape == (32,)
    assert shape[:16] == pytest.approx(np.zeros(16), abs=0.2)
    assert softer == pytest.approx(shape, abs=0.1)
    low = lfilter(firwin(201, 4000, fs=RATE), 1, noise)
    narrow = spectral_shape(spectrogram(low.astype(np.int16)))
    names = shape_names()
    assert names[7] == "level at 3.5 to 4 kHz"
    assert names[-1] == "variation at 7.5 to 8 kHz"
    assert narrow[names.index("level at 2 to 2.5 kHz")] > 5
    assert narrow[names.index("level at 5 to 5.5 kHz")] < -5


def test_memory_holds_some_seconds_of_a_long_recording(
    write: Write, stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = [(float(start), start + 2.5) for start in range(1, 238, 4)]
    path = write("long.flac", bursts(*spans, seconds=240))
    monkeypatch.setattr(sound, "BLOCK_FRAMES", 1 << 14)
    monkeypatch.setattr(recordings, "BLOCK", 1 << 14)
    tracemalloc.start()
    recording = read_recording("long", [path])
    features = readings(recording, stored)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    sizes = {name: len(features[name]) * features[name].shape[-1] * 4 for name in ("mfcc",)}
    sizes |= {"spectrogram": len(features["spectrogram"]) * 161 * 4}
    sizes |= {"audio": 2 * len(recording.arrays["audio"])}
    assert sizes["audio"] > 7e6
    assert sizes["spectrogram"] > 1e7
    assert peak < 3e6
    assert len(features["start"]) == 60

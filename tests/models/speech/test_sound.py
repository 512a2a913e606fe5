"""Recordings decoded block by block, in every format, and what is said of bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import BadInput
from models.speech import sound
from models.speech.corpus import RATE
from models.speech.sound import open_sound


def tone(seconds: float, rate: int = RATE) -> np.ndarray:
    """A tone of 440 Hz at half of full scale."""
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


def write(path: Path, samples: np.ndarray, rate: int = RATE, **options: Any) -> Path:
    import soundfile

    soundfile.write(path, samples, rate, **options)
    return path


def decode(path: Path) -> tuple[np.ndarray, Any]:
    def bad(problem: str) -> BadInput:
        return BadInput(problem, file=path, expected="sound", remedy="Try another.")

    with open_sound(path, bad) as opened:
        return np.concatenate(list(opened.blocks)), opened


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 48_000])
def test_blocks_are_resampled_as_the_whole_would_be(
    tmp_path: Path, rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import soxr

    path = write(tmp_path / "a.wav", tone(1.3, rate), rate, subtype="FLOAT")
    monkeypatch.setattr(sound, "BLOCK_FRAMES", 1000)
    samples, opened = decode(path)
    whole = soxr.resample(tone(1.3, rate).astype(np.float32), rate, RATE)
    assert np.array_equal(samples, np.rint(whole * 32768).astype(np.int16))
    assert (opened.rate, opened.channels, opened.clipped) == (rate, 1, 0)


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.wav", {"subtype": "PCM_24"}, 1),
        ("a.wav", {"subtype": "FLOAT"}, 1),
        ("a.wav", {"subtype": "PCM_U8"}, 300),
        ("a.flac", {}, 1),
        ("a.ogg", {}, 1500),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}, 3000),
        ("a.mp3", {}, 3000),
    ],
)
def test_formats(tmp_path: Path, name: str, options: dict[str, str], tolerance: int) -> None:
    samples, _ = decode(write(tmp_path / name, tone(1.0), **options))
    assert len(samples) == pytest.approx(RATE, abs=1200)  # MP3 has whole frames
    middle = samples[4000:12_000].astype(float)
    exact = tone(1.0)[4000:12_000] * 32768
    assert np.abs(middle).max() == pytest.approx(np.abs(exact).max(), abs=tolerance)


def test_channels_are_averaged_and_what_is_beyond_full_scale_is_counted(tmp_path: Path) -> None:
    stereo = np.stack([np.full(RATE, 0.5), np.full(RATE, -0.25)], axis=1)
    samples, opened = decode(write(tmp_path / "a.wav", stereo, subtype="FLOAT"))
    assert set(samples.tolist()) == {4096}
    assert (opened.channels, opened.clipped) == (2, 0)
    loud = np.zeros(RATE)
    loud[:7] = [1.5, -1.5, 1.0, -1.0, 2.0, 0.9, -0.9]
    samples, opened = decode(write(tmp_path / "b.wav", loud, subtype="FLOAT"))
    assert samples[:4].tolist() == [32767, -32768, 32767, -32768]
    assert opened.clipped == 3


def test_bad_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "BLOCK_FRAMES", 5000)
    flawed = tone(1.0)
    flawed[12_800] = np.nan
    cut = {}
    for name in ("cut.flac", "cut.wav"):
        content = write(tmp_path / name, tone(3.0)).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        cut[name] = "it can't be decoded, or is truncated|it is truncated"
    (tmp_path / "text.wav").write_text("this is no sound at all, it is text\n" * 40)
    (tmp_path / "zero.wav").touch()
    write(tmp_path / "none.wav", np.zeros(0))
    write(tmp_path / "flawed.wav", flawed, subtype="FLOAT")
    for name, problem in {
        **cut,
        "text.wav": "it can't be decoded, or is truncated: Format not recognised",
        "zero.wav": "it is empty",
        "none.wav": "it holds no sound",
        "flawed.wav": "it holds NaN or inf 0.8 s in",
        "missing.wav": "it is not there",
        "": "it is no file",
    }.items():
        with pytest.raises(BadInput, match=problem):
            decode(tmp_path / name)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", tone(1.0))

    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)  # root may read anything
    with pytest.raises(BadInput, match="it may not be read: permission denied"):
        decode(path)

"""Read audio files, cut them at pauses, and compute the segments' features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Block, on_disk
from models.detection import Recording, find_files, name_each
from models.errors import BadInput
from models.scaling import Scaling
from models.speech.corpus import RATE
from models.speech.detection.pauses import SILENT, Lengths, levels, segments
from models.speech.features import HOP, WINDOW, cepstra, spectrogram
from models.speech.sound import open_sound

SUFFIXES = (".flac", ".wav", ".mp3", ".ogg", ".oga", ".opus")
READINGS_FROM = ("scaling", "training_range")
"""Stored assets that `readings` needs."""
LARGE = ("audio", "spectrogram", "mfcc")
"""Arrays that may not fit in memory."""

SHORTEST = RATE // 10
"""Samples of the shortest recording."""
BLOCK = 60 * RATE
"""Samples whose level is measured at a time."""

BANDS = 16
WIDTH = 10
"""Bands that a spectrogram is summed up in, and how many of its bins each has: 500 Hz."""


def group_files(paths: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Each audio file is a recording, named by its stem, and by folders where that isn't unique."""
    return name_each(find_files(paths, SUFFIXES))


# reading ----------------------------------------------------------------------------------------


def read_recording(name: str, files: Sequence[Path]) -> Recording:
    """Decode a recording.

    Returns
    -------
    Recording
        ``audio`` int16, shape (samples,), 16 kHz, mono, in a temporary file. Its facts have
        ``rate`` and ``channels`` of the file and ``seconds``.

    Raises
    ------
    BadInput
        The file can't be decoded, is truncated, silent, too short or holds NaN, or it was replaced
        while it was read; names it.
    """
    [file] = files

    def bad(problem: str) -> BadInput:
        return BadInput(
            problem,
            file=file,
            expected="a recording of speech (FLAC, WAV, MP3, OGG)",
            remedy="Copy it again, or convert it.",
        )

    before = _state(file)
    with open_sound(file, bad) as sound:
        loud = _Loudest()
        audio: Any = on_disk(loud.passed(sound.blocks))["audio"]
    if before != _state(file):
        raise bad("it changed while it was read")
    if len(audio) < SHORTEST:
        raise bad(f"it lasts {len(audio) / RATE:.4f} s; {SHORTEST / RATE:g} s are needed")
    if loud.level < SILENT:
        raise bad(f"it is silent: nothing in it is above {SILENT:g} dB of full scale")
    notes = []
    if sound.channels > 1:
        notes.append(f"Its {sound.channels} channels were mixed down to their mean.")
    if sound.rate != RATE:
        notes.append(f"Its {sound.rate} samples a second were resampled to {RATE}.")
    if sound.clipped:
        notes.append(f"{sound.clipped} samples beyond full scale were clipped.")
    facts = {
        "files": [file.name],
        "rate": sound.rate,
        "channels": sound.channels,
        "seconds": len(audio) / RATE,
    }
    return Recording(name, {"audio": audio}, facts, tuple(notes))


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class _Loudest:
    """Keeps the highest level, in dB, of the samples that pass."""

    def __init__(self) -> None:
        self.level = -np.inf

    def passed(self, blocks: Iterable[NDArray[np.int16]]) -> Iterator[Block]:
        for block in blocks:
            self.level = max(self.level, float(levels(block).max(initial=-np.inf)))
            yield {"audio": block}


# features ---------------------------------------------------------------------------------------


def readings(recording: Recording, stored: Mapping[str, Any]) -> dict[str, ArrayLike]:
    """Cut a recording into segments, and compute their features, scaled as in training.

    Parameters
    ----------
    recording
        From `read_recording`.
    stored
        ``scaling``, and ``training_range`` with the lengths of training utterances.

    Returns
    -------
    dict
        Of each segment: ``start`` and ``stop``, int64, its samples; ``first`` and ``frames``, its
        frames among those of all; ``level``, float64, dB below full scale; ``shape``, float32
        (n, 32), from `spectral_shape`. Of all segments end to end, in a temporary file:
        ``spectrogram`` float32 (frames, 161) and ``mfcc`` (frames, coefficients). Of the whole
        recording: ``levels``, float32, of each 10 ms.
    """
    audio = recording.arrays["audio"]
    level = np.concatenate(
        [levels(audio[start : start + BLOCK]) for start in range(0, len(audio), BLOCK)]
    )
    cut = segments(level, Lengths(**stored["training_range"]["seconds"]))
    start, stop = (np.array(cut, dtype=np.int64) * HOP).T
    scaling = {kind: Scaling.from_dict(stored["scaling"][kind]) for kind in ("spectrogram", "mfcc")}
    rows: list[tuple[int, float, NDArray[np.float32]]] = []

    def features() -> Iterator[Block]:
        for first, last in zip(start.tolist(), stop.tolist(), strict=True):
            samples = np.asarray(audio[first:last])
            spectra = spectrogram(samples)
            rows.append((len(spectra), loudness(spectra), spectral_shape(spectra)))
            yield {
                "spectrogram": scaling["spectrogram"].standardise(spectra),
                "mfcc": scaling["mfcc"].standardise(
                    cepstra(samples, len(scaling["mfcc"].mean)),
                ),
            }

    arrays = on_disk(features())
    frames = np.array([row[0] for row in rows], dtype=np.int64)
    return {
        **arrays,
        "start": start,
        "stop": stop,
        "first": np.cumsum(frames) - frames,
        "frames": frames,
        "level": np.array([row[1] for row in rows]),
        "shape": np.stack([row[2] for row in rows]),
        "levels": level,
    }


def loudness(spectra: NDArray[np.float32]) -> float:
    """Return the level of an utterance in dB below full scale, from its log spectrogram."""
    power = np.exp(spectra.astype(np.float64)).sum(axis=1).mean() * RATE / WINDOW
    return float(10 * np.log10(power))


def spectral_shape(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum an utterance's log spectrogram up, whatever its level: what tells speech from the rest.

    Parameters
    ----------
    spectra
        Shape (frames, 161), natural logarithm.

    Returns
    -------
    float32, shape (32,): the mean over time in each of 16 bands of 500 Hz, less that of all bands;
    and the standard deviation over time in each band.
    """
    bands = spectra[:, : BANDS * WIDTH].reshape(len(spectra), BANDS, WIDTH).mean(axis=2)
    mean = bands.mean(axis=0)
    return np.concatenate([mean - mean.mean(), bands.std(axis=0)]).astype(np.float32)


def shape_names() -> list[str]:
    """Name the values of `spectral_shape`."""
    width = WIDTH * RATE / WINDOW / 1000
    bands = [f"{band * width:g} to {(band + 1) * width:g} kHz" for band in range(BANDS)]
    return [f"level at {band}" for band in bands] + [f"variation at {band}" for band in bands]

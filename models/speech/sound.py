"""Decode recordings block by block: any format of libsndfile, mixed down, at 16 kHz.

Memory holds one block, however long the recording is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.speech.corpus import RATE

BLOCK_FRAMES = 1 << 18
"""Of a recording decoded at a time: 5 to 30 s."""

_UNKNOWN_SIZE = 0xFFFFF000  # from here on a WAV's size says that whoever wrote it didn't know it
_WAV_SIZE = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)


@dataclass
class Sound:
    """A recording that is open.

    Attributes
    ----------
    rate
        Its own sampling rate, in Hz.
    channels
        How many it has; the samples are their mean.
    frames
        How many samples of each it says that it has.
    blocks
        Its samples, int16, shape (samples,), 16 kHz, mono. They are decoded while they are read,
        once.
    clipped
        Of the samples read so far, those that were beyond full scale.
    """

    rate: int
    channels: int
    frames: int
    blocks: Iterator[NDArray[np.int16]] = field(init=False)
    clipped: int = 0


@contextmanager
def open_sound(path: Path, bad: Callable[[str], BadInput]) -> Iterator[Sound]:
    """Open a recording to decode it.

    Parameters
    ----------
    path
        The file.
    bad
        Makes the error of a problem.

    Raises
    ------
    BadInput
        The file is not there, empty, may not be read, or can't be decoded; while the blocks are
        read: it is truncated, holds no sound, NaN or inf.
    """
    import soundfile

    if not path.is_file():
        raise bad("it is no file" if path.exists() else "it is not there")
    try:
        with path.open("rb") as raw:
            empty = not raw.read(1)
    except PermissionError:
        raise bad("it may not be read: permission denied") from None
    if empty:
        raise bad("it is empty")
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise bad(_undecoded(error)) from error
    with file:
        sound = Sound(file.samplerate, file.channels, file.frames)
        sound.blocks = _blocks(file, sound, bad)
        yield sound


def _blocks(file: Any, sound: Sound, bad: Callable[[str], BadInput]) -> Iterator[NDArray[np.int16]]:
    import soundfile
    import soxr

    resampler = None
    if sound.rate != RATE:
        resampler = soxr.ResampleStream(sound.rate, RATE, 1, dtype="float32")
    size = _WAV_SIZE.search(file.extra_info)
    done = 0
    while True:
        try:
            channels = file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise bad(_undecoded(error)) from error
        if not np.isfinite(channels).all():
            raise bad(f"it holds NaN or inf {_first_bad(channels, done) / sound.rate:.1f} s in")
        done += len(channels)
        last = len(channels) < BLOCK_FRAMES
        if last and (done < sound.frames or (size and int(size[1]) < _UNKNOWN_SIZE)):
            raise bad("it is truncated")
        if not done:
            raise bad("it holds no sound")
        mono = channels.mean(axis=1) if sound.channels > 1 else channels[:, 0]
        sound.clipped += int(np.count_nonzero(np.abs(mono) > 1))
        if resampler is not None:
            mono = resampler.resample_chunk(mono, last=last)
        yield np.clip(np.rint(mono * 32768), -32768, 32767).astype(np.int16)
        if last:
            return


def _first_bad(channels: NDArray[np.float32], done: int) -> int:
    return done + int(np.argmin(np.isfinite(channels).all(axis=1)))


def _undecoded(error: Any) -> str:
    return f"it can't be decoded, or is truncated: {error.error_string.rstrip(' .')}"

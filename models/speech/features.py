"""Features of utterances: log spectrograms and mel-frequency cepstral coefficients.

A frame is 10 ms; both features of an utterance have the same frames, of which the first begins with
its first sample.

- The spectrogram has 161 bins of 50 Hz: logarithm of the power spectral density of 20 ms under a
  Hann window (Amodei et al. 2016, ICML, section 3; Welch 1967, IEEE Transactions on Audio and
  Electroacoustics 15, 70, for its scale).
- The cepstra are those of python_speech_features 0.6, number for number: 25 ms without a window,
  26 triangular filters on the mel scale of O'Shaughnessy (1987, Speech Communication, section 4.2),
  cepstral lifter 22, and the logarithm of the frame's energy in place of coefficient 0. A last
  frame of theirs that the spectrogram lacks, most of it past the end, is left out.

Audio is int16 at 16 kHz throughout, taken for -1 ... 1 by the spectrogram and as it is by the
cepstra, which is what the usual readers gave the study.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays, Block, Blocks, iter_blocks, map_blocks
from models.scaling import Scaling, fit_scaling
from models.speech.corpus import RATE, SHORTEST, audio_of
from models.threads import in_order

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float32]

HOP = RATE // 100
WINDOW = SHORTEST
BINS = WINDOW // 2 + 1
FLOOR = 1e-14
"""Added to power densities before the logarithm, as published."""

FILTERS = 26
CEPSTRUM_WINDOW = RATE // 40
CEPSTRUM_FFT = 512
PREEMPHASIS = 0.97
LIFTER = 22

BLOCK_SAMPLES = 1 << 19  # of audio taken at once: half a minute
CHUNK = 384
"""Frames at once: few enough for the cache, enough that a call is worth letting go of the
interpreter's lock, so that our threads run side by side."""
ROWS = 32
"""Frames of one product with the filters: few enough for BLAS to wake no threads of its own."""

_EPS = np.float32(np.finfo(float).eps)  # python_speech_features' stand-in for 0


def frames_of(samples: int) -> int:
    """How many frames an utterance of so many samples has; at least `WINDOW` are needed."""
    return (samples - WINDOW) // HOP + 1


def spectrogram(audio: NDArray[np.int16]) -> Floats:
    """Take the log spectrogram of an utterance.

    Parameters
    ----------
    audio
        int16, shape (samples,), 16 kHz.

    Returns
    -------
    float32, shape (frames, 161): natural logarithm of the one-sided power density per Hz of audio
    in -1 ... 1; bin k is at 50 k Hz.
    """
    framed = _framed(audio, WINDOW)
    result = np.empty((len(framed), BINS), dtype=np.float32)
    for first in range(0, len(framed), CHUNK):
        power = _power(framed[first : first + CHUNK] * _hann())
        power[:, 1:-1] *= np.float32(2)  # the energy of the negative frequencies
        power += np.float32(FLOOR)
        np.log(power, out=result[first : first + CHUNK])
    return result


def cepstra(audio: NDArray[np.int16], coefficients: int = FILTERS) -> Floats:
    """Take the mel-frequency cepstral coefficients of an utterance.

    Parameters
    ----------
    audio
        int16, shape (samples,), 16 kHz.
    coefficients
        How many to keep, of 26.

    Returns
    -------
    float32, shape (frames, coefficients), equal to ``python_speech_features.mfcc(audio, 16000,
    numcep=coefficients)`` within single precision.
    """
    frames = frames_of(len(audio))
    emphasised = np.zeros(max(len(audio), (frames - 1) * HOP + CEPSTRUM_WINDOW), dtype=np.float32)
    emphasised[: len(audio)] = audio
    emphasised[1 : len(audio)] -= np.float32(PREEMPHASIS) * audio[:-1]
    emphasised *= np.float32(CEPSTRUM_FFT**-0.5)
    framed = _framed(emphasised, CEPSTRUM_WINDOW)[:frames]
    padded = _scratch.padded
    result = np.empty((frames, coefficients), dtype=np.float32)
    for first in range(0, frames, CHUNK):
        part = framed[first : first + CHUNK]
        padded[: len(part), :CEPSTRUM_WINDOW] = part
        power = _power(padded[: -(-len(part) // ROWS) * ROWS])
        energies = np.matmul(power.reshape(-1, ROWS, power.shape[1]), _filterbank())
        energies = energies.reshape(-1, FILTERS + 1)[: len(part)]
        energies = np.log(np.maximum(energies, _EPS))
        place = result[first : first + CHUNK]
        np.matmul(energies[:, :FILTERS], _to_cepstra(coefficients), out=place)
        place[:, 0] = energies[:, FILTERS]
    return result


class _Scratch(threading.local):
    """A thread's zero-padded frames, kept: new memory would cost more than the transform."""

    def __init__(self) -> None:
        self.padded = np.zeros((CHUNK, CEPSTRUM_FFT), dtype=np.float32)


_scratch = _Scratch()


def _power(frames: Floats) -> Floats:
    """Squared magnitude of the spectrum of each row."""
    from scipy.fft import rfft

    parts = rfft(frames, axis=1).view(np.float32)
    np.square(parts, out=parts)
    return np.asarray(parts[:, ::2] + parts[:, 1::2])


def _framed(audio: NDArray[Any], window: int) -> NDArray[Any]:
    """View of the frames, shape (frames, window)."""
    return np.lib.stride_tricks.sliding_window_view(audio, window)[::HOP]


@cache
def _hann() -> Floats:
    """Window and scale: samples of int16 become -1 ... 1, power becomes power per Hz."""
    window = np.hanning(WINDOW)
    return np.asarray(window / (32768 * np.sqrt(RATE * np.sum(window**2))), dtype=np.float32)


@cache
def _filterbank() -> Floats:
    """Triangular filters of equal width in mel, each 1 at its centre, and all ones: (257, 27)."""
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, FILTERS + 2) / 2595) - 1)
    edges = np.floor((CEPSTRUM_FFT + 1) * hertz / RATE)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    bins = np.arange(CEPSTRUM_FFT // 2 + 1)[:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    filters = np.maximum(np.minimum(rising, falling), 0)
    return np.asarray(np.append(filters, np.ones_like(bins), axis=1), dtype=np.float32)


@cache
def _to_cepstra(coefficients: int) -> Floats:
    """Orthonormal DCT-II and lifter, shape (26, coefficients)."""
    if not 1 <= coefficients <= FILTERS:
        raise ValueError(f"coefficients must be 1 to {FILTERS}, not {coefficients}")
    order, place = np.arange(coefficients), np.arange(FILTERS)[:, None]
    cosines = np.cos(np.pi * order * (2 * place + 1) / (2 * FILTERS)) * np.sqrt(2 / FILTERS)
    cosines[:, 0] /= np.sqrt(2)
    return np.asarray(cosines * (1 + LIFTER / 2 * np.sin(np.pi * order / LIFTER)), dtype=np.float32)


def spectrograms_of(audio: Arrays, rows: pd.DataFrame, *, workers: int = 2) -> Blocks:
    """Stream ``spectrogram``, float32, shape (frames, 161).

    Parameters
    ----------
    audio
        ``sample``, as in `models.speech.corpus`.
    rows
        ``start`` and ``samples`` of the utterances to take, in their order.
    workers
        Threads.
    """
    return _blocks("spectrogram", spectrogram, audio, rows, workers)


def cepstra_of(
    audio: Arrays, rows: pd.DataFrame, coefficients: int = FILTERS, *, workers: int = 2
) -> Blocks:
    """Stream ``mfcc``, float32, shape (frames, coefficients); else as `spectrograms_of`."""
    return _blocks("mfcc", lambda one: cepstra(one, coefficients), audio, rows, workers)


def _blocks(
    name: str,
    feature: Callable[[NDArray[np.int16]], Floats],
    audio: Arrays,
    rows: pd.DataFrame,
    workers: int,
) -> Blocks:
    """Compute half a minute at a time in threads; NumPy and SciPy release the interpreter's lock.

    The calling thread reads the audio: HDF5 has one reader at a time.
    """

    def together(utterances: list[NDArray[np.int16]]) -> Block:
        return {name: np.concatenate([feature(one) for one in utterances])}

    tasks = (partial(together, utterances) for utterances in _batches(audio["sample"], rows))
    return Blocks(in_order(tasks, workers=workers, ahead=1, name=name))


def _batches(sample: ArrayLike, rows: pd.DataFrame) -> Iterator[list[NDArray[np.int16]]]:
    batch: list[NDArray[np.int16]] = []
    count = 0
    for row in rows.itertuples():
        batch.append(audio_of(sample, row))
        count += len(batch[-1])
        if count >= BLOCK_SAMPLES:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def scaling_of(values: ArrayLike) -> Scaling:
    """Compute mean and standard deviation of each column, shape (training frames, columns)."""
    return fit_scaling(block["frame"] for block in iter_blocks({"frame": values}))


def scaled_of(values: ArrayLike, scaling: Scaling) -> Blocks:
    """Stream ``frame``, float32, of the shape of ``values``: scaled to mean 0 and std 1.

    Parameters
    ----------
    values : array-like of shape (frames, columns)
    scaling
        From `scaling_of`.
    """
    mean, std = (np.asarray(part, dtype=np.float32) for part in (scaling.mean, scaling.std))
    return map_blocks({"frame": values}, lambda block: {"frame": (block["frame"] - mean) / std})

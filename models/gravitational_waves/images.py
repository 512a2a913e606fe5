"""The layout of a spectrogram row: its columns, its classes and the scale of its pixels."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.arrays import Block

SHAPE = (140, 170)
"""Pixels: frequency, 2048 Hz (row 0) down to 10 Hz, equally spaced in its logarithm; and time."""

BAND = (10.0, 2048.0)
"""Lowest and highest frequency shown, in Hz."""

DURATIONS = ("0.5", "1.0", "2.0", "4.0")
"""Durations of a picture, s: the names of an example's four pictures in the published file."""

CLASSES = (
    "1080Lines",
    "1400Ripples",
    "Air_Compressor",
    "Blip",
    "Chirp",
    "Extremely_Loud",
    "Helix",
    "Koi_Fish",
    "Light_Modulation",
    "Low_Frequency_Burst",
    "Low_Frequency_Lines",
    "No_Glitch",
    "None_of_the_Above",
    "Paired_Doves",
    "Power_Line",
    "Repeating_Blips",
    "Scattered_Light",
    "Scratchy",
    "Tomte",
    "Violin_Mode",
    "Wandering_Line",
    "Whistle",
)
"""The 22 classes of training set 1.1 (Zenodo record 1476551)."""

PARTS = ("train", "validation", "test")
"""Names of the published file's splits, by the code in a row's ``part``."""

LOUDEST = 25.5
"""Normalised energy at which the published pictures saturate."""

GREY = (0.2125, 0.7154, 0.0721)
"""Weights of red, green and blue in the published grey (ITU-R BT.709)."""

BLOCK_ROWS = 256
"""Rows a block holds: 24 MB of pictures."""


def pixels(energy: NDArray[np.floating]) -> NDArray[np.float32]:
    """Turn normalised energy into published pixel values.

    The published arrays are the grey of pictures drawn in matplotlib's colours "viridis" between
    energies of 0 and 25.5: they lie between 0.083 and 0.869 and rise with the energy.

    Parameters
    ----------
    energy
        Energy over its mean in noise, of any shape; what lies outside 0 ... 25.5 is clipped.
    """
    level = np.clip(energy, 0, LOUDEST) * (256 / LOUDEST)
    return np.asarray(_greys()[np.minimum(level.astype(np.int16), 255)])


def energies(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Turn published pixel values back into normalised energies, from 0 to 25.5."""
    centres = (np.arange(256) + 0.5) * (LOUDEST / 256)
    return np.asarray(np.interp(values, _greys(), centres), dtype=np.float32)


@functools.cache
def _greys() -> NDArray[np.float32]:
    """Grey of each of the 256 colours, ascending."""
    from matplotlib import colormaps

    return np.asarray(colormaps["viridis"](np.arange(256))[:, :3] @ GREY, dtype=np.float32)


def columns(
    image: NDArray[np.float32],
    label: list[str],
    identity: list[str],
    part: list[int],
    group: list[str],
    snr: list[float],
    duration: float,
) -> Block:
    """Put rows together as a block.

    ``image`` float32 (n, 140, 170), pixel values; ``label`` the class; ``id`` unique; ``part`` 0
    (train), 1 (validation), 2 (test) or -1 (none); ``group`` what must not be split apart; ``snr``
    signal-to-noise ratio, NaN where unknown; ``duration`` what a picture spans, in seconds.
    """
    return {
        "image": image,
        "label": np.array(label, dtype="U24"),
        "id": np.array(identity, dtype="U32"),
        "part": np.array(part, dtype=np.int8),
        "group": np.array(group, dtype="U40"),
        "snr": np.array(snr, dtype=np.float32),
        "duration": np.full(len(label), duration, dtype=np.float32),
    }


def blocks_of(count: int) -> Iterator[range]:
    """Cut ``count`` rows into ranges of at most `BLOCK_ROWS`; none make one empty range."""
    for start in range(0, max(count, 1), BLOCK_ROWS):
        yield range(start, min(start + BLOCK_ROWS, count))

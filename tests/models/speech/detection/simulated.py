"""Simulated recordings: bursts of noise in quiet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.speech.corpus import RATE

Write = Callable[..., Path]
"""Writes samples to an audio file: its name, samples, rate, and options of libsndfile."""


def bursts(
    *spans: tuple[float, float], seconds: float, rate: int = RATE, loud: float = 0.1
) -> np.ndarray:
    """Noise of -60 dB with louder noise in some spans of seconds."""
    generator = np.random.default_rng(0)
    audio = generator.normal(0, 1e-3, round(seconds * rate))
    for start, stop in spans:
        where = slice(round(start * rate), round(stop * rate))
        audio[where] += generator.normal(0, loud, len(audio[where]))
    return np.asarray(audio)

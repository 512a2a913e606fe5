"""An artificial language that a small network learns in seconds: each symbol has its own frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.architectures import architecture
from models.speech import networks
from models.speech.batches import Utterances
from models.speech.designs import Convolution, Design, Head, Recurrent
from models.speech.symbols import BLANK, encode

WORDS = ("the", "cat", "sat", "on", "a", "mat", "it's", "dog", "ran")
BINS = 26


@dataclass(frozen=True)
class Toy:
    """Utterances of the language, and a model small enough to learn it."""

    patterns: np.ndarray

    def utterances(self, count: int, seed: int, *, frames: int = 4) -> Utterances:
        """Speak random sentences, each symbol for ``frames`` frames or one more."""
        generator = np.random.default_rng(seed)
        rows: list[tuple[str, str, str, int, int]] = []
        spoken = []
        start = 0
        for number in range(count):
            text = " ".join(generator.choice(WORDS, generator.integers(2, 5)))
            codes = encode(text, "toy")
            lengths = generator.integers(frames, frames + 2, len(codes))
            values = np.repeat(self.patterns[codes], lengths, axis=0)
            values = values + generator.normal(size=values.shape) * 0.3
            rows.append((f"u{number:03d}", f"s{number % 4}", text, start, len(values)))
            spoken.append(values.astype(np.float32))
            start += len(values)
        return Utterances(
            pd.DataFrame(rows, columns=["key", "speaker", "text", "start", "frames"]),
            np.concatenate(spoken),
        )

    def architecture(self, **changes: Any) -> dict[str, Any]:
        """Describe a small model: a strided convolution and one recurrent layer."""
        parts: dict[str, Any] = {
            "convolution": Convolution(1, 5, "rn", filters=24, stride=2, padding="valid"),
            "recurrent": Recurrent(units=24),
            "head": Head("nr"),
            "epochs": 3,
            "feature": "mfcc",
        }
        design = Design(**parts | changes)
        return architecture(networks.build(design, "toy", BINS)) | {
            "feature": design.feature,
            "convolutions": design.convolutions(),
            "epochs": design.epochs,
            "learning_rate": design.learning_rate,
        }


@pytest.fixture(scope="session")
def toy() -> Toy:
    return Toy(np.random.default_rng(0).normal(size=(BLANK, BINS)).astype(np.float32))

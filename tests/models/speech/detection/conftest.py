"""Audio files, and what a graph stores of its training utterances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.scaling import Scaling
from models.speech.corpus import RATE
from tests.models.speech.detection.simulated import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write samples to an audio file in the test's folder."""

    def written(
        name: str, samples: np.ndarray | Sequence[float], rate: int = RATE, **options: Any
    ) -> Path:
        import soundfile

        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.asarray(samples), rate, **options)
        return path

    return written


@pytest.fixture(scope="session")
def stored() -> dict[str, Any]:
    """The scaling, and the lengths of training utterances, as `readings` gets them."""
    generator = np.random.default_rng(1)
    return {
        "scaling": {
            kind: Scaling(
                generator.normal(size=size), generator.uniform(1, 2, size), np.full(size, 9)
            ).to_dict()
            for kind, size in (("spectrogram", 161), ("mfcc", 13))
        },
        "training_range": {"seconds": {"shortest": 0.5, "usual": 3.0, "longest": 6.0}},
    }

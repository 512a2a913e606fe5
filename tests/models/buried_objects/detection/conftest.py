"""Simulated scans, what the graph stores of training scans, and stand-ins for networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.buried_objects.detection import training_range
from models.buried_objects.features import projected_of, scaling_of
from models.buried_objects.scans import Scene
from models.buried_objects.simulation import draw_scene, simulate_scan
from models.buried_objects.splits import KNOWN
from models.detection import TrainedModel
from models.evaluation import evaluate

METAL = Scene(0.15, 1.3, 0.05, "metal", "solid", 450e6, seed=901)
"""Its centre is 1.46 m from the first trace's transmitter, 1.44 m from the middle of its antennas;
its top 1.15 m below the surface."""

WATER = Scene(0.2, 1.5, 0.1, "PVC", "water", 400e6, seed=902)


@pytest.fixture(scope="session")
def metal() -> Any:
    """A scan over a metal cylinder, V/m, (144, 503)."""
    return simulate_scan(METAL)


@pytest.fixture(scope="session")
def water() -> Any:
    """A scan over a PVC pipe with water."""
    return simulate_scan(WATER)


@pytest.fixture(scope="session")
def stored() -> dict[str, Any]:
    """What the graph stores of six training scans: ``scaling`` and ``training_range``."""
    scenes = [draw_scene(number, 7) for number in range(6)]
    ez = np.concatenate([simulate_scan(scene) for scene in scenes])
    scan = np.repeat(np.arange(6, dtype=np.int32), 144)
    training = {"ez": ez, **dict.fromkeys(KNOWN, np.zeros(len(ez), np.int8)), "scan": scan}
    scaling = scaling_of(training)
    values = np.concatenate([b["values"] for b in projected_of(training, scaling.gain)])
    ranges = training_range(training, {"values": values}, scaling.to_dict())
    return {"scaling": scaling.to_dict(), "training_range": ranges}


class Band:
    """Stands for the upgrade: the echo between two times, of the strongest one in the window.

    Above the cylinder of `METAL` it is twice as strong there as the background that was subtracted.
    """

    input_shape = (None, 100, 128)

    def __init__(self, start: float = 20.6, stop: float = 21.6, least: float = 1e-9) -> None:
        self.columns = slice(round(start / 60 * 128), round(stop / 60 * 128))
        self.least = least

    def predict_on_batch(self, x: Any) -> Any:
        echo = np.asarray(x, float)[..., self.columns].max(axis=-1)
        score = echo / np.maximum(echo.max(axis=1, keepdims=True), self.least)
        return np.stack([1 - score, score], axis=-1)


class Raw:
    """Stands for a network of the study: scores by the mean square of the raw field."""

    def __init__(self, *shape: int) -> None:
        self.input_shape = (None, *shape)

    def predict_on_batch(self, x: Any) -> Any:
        power = np.square(np.asarray(x, float).reshape(len(x), 100, -1)).mean(axis=-1)
        score = power / (power + 1e4)
        return np.stack([1 - score, score], axis=-1)


def model(
    name: str, fitted: Any, threshold: float = 0.75, *, low: float = 0.7, median: int = 3
) -> TrainedModel:
    """Make a trained model of it, with a median of three traces and hysteresis."""
    decision = {"value": threshold, "low": low, "median": median}
    evaluation = evaluate([0, 0, 1, 1, 1], [0.1, 0.6, 0.2, 0.7, 0.9], threshold, seed=0)
    return TrainedModel(name, fitted, threshold, evaluation.with_details(decision=decision))

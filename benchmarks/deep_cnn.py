"""Milliseconds that training the published deep CNN takes an image; its author's CPU took 69.

Run as ``python benchmarks/deep_cnn.py``; it prints JSON. The network learns from simulated images
of the published size, as the asset trains it; the first epoch (compilation) is left out. The
upgrade's network is timed in turn with it, epoch by epoch: their ratio is what holds on another
machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.gravitational_waves import networks, upgrade
from models.gravitational_waves.images import SHAPE
from models.gravitational_waves.published import MILLISECONDS
from models.sampling import Batches
from models.tensorflow_repairs import stream
from models.training import fresh

CLASSES, BATCH = 11, 32


def epoch(network: Any, x: Any, y: Any, number: int) -> float:
    """Seconds of one epoch."""
    batches = Batches(x, y, np.arange(len(x)), batch=BATCH, seed=number)
    begun = time.perf_counter()
    network.fit(stream(batches, endless=False), epochs=1, verbose=0)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    x = generator.random((options.images, *SHAPE), dtype=np.float32)
    chirp = (generator.random(options.images) < 0.1).astype(np.float32)
    code = generator.integers(0, CLASSES, options.images).astype(np.float32)
    deep = fresh(networks.deep_cnn, 0)
    deep.compile(optimizer="rmsprop", loss="binary_crossentropy")
    ours = fresh(lambda: upgrade.network(CLASSES), 0)
    ours.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    seconds: dict[str, list[float]] = {"deep_cnn": [], "upgrade": []}
    for number in range(options.epochs + 1):
        seconds["deep_cnn"].append(epoch(deep, x, chirp, number))
        seconds["upgrade"].append(epoch(ours, x, code, number))
    each = {
        name: 1000 * statistics.median(taken[1:]) / options.images
        for name, taken in seconds.items()
    }
    print(
        json.dumps(
            {
                "milliseconds an image": each,
                "published milliseconds": MILLISECONDS,
                "deep CNN to upgrade": each["deep_cnn"] / each["upgrade"],
                "load average": os.getloadavg()[0],
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()

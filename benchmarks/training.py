"""Samples per second of training from balanced batches, against plain Keras ``fit`` on arrays.

Run as ``python benchmarks/training.py``; it prints JSON, or with ``--memory`` the growth of memory
over a hundred trainings in one process.

Both sides train the published exoplanet CNN (3197 samples in 2 channels, batches of 32) in one
process, turn about, epoch by epoch; the median epoch of each counts, the first (compilation) left
out. Stored rows are timed as well: the same batches from an HDF5 file, kept in memory and not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models import sampling, tensorflow_repairs, training

ROWS, POSITIVES, SHAPE, BATCH = 2560, 40, (3197, 2), 32


def cnn() -> Any:
    """Build the published exoplanet CNN: 85,993 parameters."""
    import keras
    from keras import layers

    stack: list[Any] = [keras.Input(SHAPE)]
    for place, filters in enumerate((8, 16, 32, 64)):
        stack += [layers.Conv1D(filters, 21, activation="relu"), layers.MaxPooling1D(2, 4)]
        if place < 3:
            stack.append(layers.BatchNormalization())
    stack += [layers.Flatten(), layers.Dropout(0.5), layers.Dense(64, activation="relu")]
    stack += [layers.Dropout(0.25), layers.Dense(64, activation="relu")]
    return keras.Sequential([*stack, layers.Dense(1, activation="sigmoid")])


def compiled() -> Any:
    network = training.fresh(cnn, 0)
    network.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return network


def throughput(epochs: int) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((ROWS, *SHAPE), dtype=np.float32)
    y = np.zeros(ROWS, dtype=np.float32)
    y[:POSITIVES] = 1
    batches = sampling.BalancedBatches(x, y, batch=BATCH)
    plain, ours = compiled(), compiled()
    stream = tensorflow_repairs.stream(batches, endless=True)
    used = np.arange(batches.samples) % ROWS
    x_plain, y_plain = x[used], y[used]

    def fit_plain() -> None:
        plain.fit(x_plain, y_plain, batch_size=BATCH, verbose=0)

    def fit_ours() -> None:
        ours.fit(stream, steps_per_epoch=batches.steps, shuffle=False, verbose=0)

    seconds: dict[str, list[float]] = {"plain": [], "balanced": []}
    for epoch in range(epochs + 1):
        for name, fit in (("plain", fit_plain), ("balanced", fit_ours)):
            start = time.perf_counter()
            fit()
            if epoch:
                seconds[name].append(time.perf_counter() - start)
    rates = {name: batches.samples / statistics.median(took) for name, took in seconds.items()}
    with tempfile.TemporaryDirectory() as folder:
        alone = feeding(Path(folder), x, y)
    return {
        "samples_per_second": {name: round(rate) for name, rate in rates.items()},
        "ratio": round(rates["balanced"] / rates["plain"], 3),
        "batches_alone_samples_per_second": alone,
    }


def feeding(folder: Path, x: Any, y: Any) -> dict[str, int]:
    """Time the batches without a network: what a fast device could be fed with."""
    with h5py.File(folder / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=x, chunks=(64, *SHAPE))
        result = {}
        limit = sampling.MEMORY_BYTES
        for name, source, bytes_kept in (
            ("in memory", x, limit),
            ("stored, kept", stored, limit),
            ("stored, read in chunks", stored, 0),
        ):
            sampling.MEMORY_BYTES = bytes_kept
            batches = sampling.BalancedBatches(source, y, batch=BATCH)
            start = time.perf_counter()
            for epoch in range(3):
                for _ in batches.epoch(epoch):
                    pass
            result[name] = round(3 * batches.samples / (time.perf_counter() - start))
        sampling.MEMORY_BYTES = limit
    return result


def memory(trainings: int) -> dict[str, Any]:
    """Peak memory after 10 trainings and after all of them, MB."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((128, *SHAPE), dtype=np.float32)
    y = (np.arange(128) % 2).astype(np.float32)
    batches = sampling.BalancedBatches(x, y, batch=BATCH)
    peak = {}
    for done in range(1, trainings + 1):
        network = training.fresh(cnn, done)
        training.train(
            network,
            batches,
            batches,
            phases=[training.Phase(1, 1e-3)],
            optimiser="adam",
            loss="binary_crossentropy",
            seed=done,
        )
        training.predict(network, x)
        if done in (10, trainings):
            peak[done] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"peak_mb_after_trainings": peak}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--memory", type=int, metavar="TRAININGS", default=0)
    asked = parser.parse_args()
    print(json.dumps(memory(asked.memory) if asked.memory else throughput(asked.epochs), indent=2))

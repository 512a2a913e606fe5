"""Training steps per second: bucketed batches against random ones, our GRU against Keras'.

Run as ``python benchmarks/speech_training.py [CORPUS]``; it prints JSON. CORPUS is a JSON-lines
file whose ``duration`` in seconds gives the lengths, such as a list of LibriSpeech utterances; by
default lengths are drawn evenly from 1 to 10 s.

All sides train the model s011 (a strided convolution and a bidirectional GRU) on random frames in
batches of 20, turn about, epoch by epoch; the median epoch of each counts, the first (compilation)
left out. The first baseline is what the study did: utterances at random, each batch padded to its
longest; the second has Keras' own loop over the steps.
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
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models import training
from models.speech import fitting, networks
from models.speech.batches import RaggedBatches, Utterances
from models.speech.designs import design

MODEL, BINS, BATCH = "s011", 161, 20


def lengths(corpus: Path | None, count: int) -> np.ndarray:
    """Give the frames of ``count`` utterances."""
    generator = np.random.default_rng(0)
    if corpus is None:
        return generator.integers(100, 1000, count)
    lines = corpus.read_text(encoding="utf-8").splitlines()
    seconds = np.array([json.loads(line)["duration"] for line in lines])
    short = seconds[seconds <= 10]
    return (generator.choice(short, count, replace=count > len(short)) * 100).astype(int)


def utterances(frames: np.ndarray) -> Utterances:
    """Make random frames, five of them a word."""
    table = pd.DataFrame(
        {
            "key": [f"u{k}" for k in range(len(frames))],
            "speaker": "s",
            "text": [" ".join(["abcd"] * max(1, n // 50)) for n in frames],
            "start": np.cumsum(frames) - frames,
            "frames": frames,
        }
    )
    values = np.random.default_rng(1).standard_normal((frames.sum(), BINS), dtype=np.float32)
    return Utterances(table, values)


def side(held: Utterances, name: str) -> tuple[Any, Any, RaggedBatches]:
    """Compile a network and open its stream."""
    import keras

    network = training.fresh(lambda: networks.network(MODEL), 0)
    if name == "keras":
        network = keras.models.clone_model(network, clone_function=with_keras_gru)
    network.compile(optimizer="sgd", loss=fitting.ctc_loss)
    bucketed = name != "random"
    batches = RaggedBatches(held, design(MODEL).convolutions(), batch=BATCH, bucketed=bucketed)
    return network, iter(training.stream(batches, endless=True)), batches


def with_keras_gru(layer: Any) -> Any:
    """Copy a layer, one around our GRU with Keras' instead."""
    config = layer.get_config()
    for direction in ("layer", "backward_layer"):
        if direction in config and config[direction]["class_name"] == "GRU":
            config[direction] |= {"module": "keras.layers", "registered_name": None}
    return type(layer).from_config(config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", type=Path)
    parser.add_argument("--utterances", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    held = utterances(lengths(options.corpus, options.utterances))
    sides = {name: side(held, name) for name in ("bucketed", "random", "keras")}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.epochs + 1):
        for name, (network, stream, batches) in sides.items():
            start = time.perf_counter()
            for _ in range(batches.steps):
                network.train_on_batch(*next(stream))
            seconds[name].append(time.perf_counter() - start)
    steps = sides["random"][2].steps
    rates = {name: steps / statistics.median(spent[1:]) for name, spent in seconds.items()}
    found = {f"{name} steps per second": round(rate, 3) for name, rate in rates.items()}
    found |= {
        f"bucketed to {name}": round(rates["bucketed"] / rates[name], 2)
        for name in ("random", "keras")
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

"""Training steps per second: bucketed batches against random ones, our GRU against Keras'.

Run as ``python benchmarks/speech_training.py [CORPUS]``; it prints JSON. CORPUS is a JSON-lines
file whose ``duration`` in seconds gives the lengths, such as a list of LibriSpeech utterances; by
default lengths are drawn evenly from 1 to 10 s.

All sides train the model s011 (a strided convolution and a bidirectional GRU) on random frames of
as many utterances as the study had, in batches of 20, turn about, some steps at a time; the first
turn (compilation) is left out. One baseline takes utterances at random and pads each batch to its
longest; one has Keras' own loop over the steps; the study had both.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models import training
from models.speech import networks
from models.speech.batches import RaggedBatches, Utterances
from models.speech.designs import design
from models.speech.training import ctc_loss
from models.tensorflow_repairs import stream

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


SIDES = {  # whether batches are bucketed, whether the GRU is ours
    "bucketed": (True, True),
    "random": (False, True),
    "keras": (True, False),
    "study": (False, False),
}


def side(speech: Utterances, name: str) -> tuple[Any, Any]:
    """Compile a network and open its stream."""
    import keras

    bucketed, ours = SIDES[name]
    network = training.fresh(lambda: networks.network(MODEL), 0)
    if not ours:
        network = keras.models.clone_model(network, clone_function=with_keras_gru)
    network.compile(optimizer="sgd", loss=ctc_loss)
    batches = RaggedBatches(speech, design(MODEL).convolutions(), batch=BATCH, bucketed=bucketed)
    return network, iter(stream(batches, endless=True))


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
    parser.add_argument("--utterances", type=int, default=2023)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12, help="of a turn")
    options = parser.parse_args()
    speech = utterances(lengths(options.corpus, options.utterances))
    sides = {name: side(speech, name) for name in SIDES}
    seconds = dict.fromkeys(SIDES, 0.0)
    for turn in range(options.turns + 1):
        for name, (network, steps) in sides.items():
            start = time.perf_counter()
            for _ in range(options.steps):
                network.train_on_batch(*next(steps))
            if turn:
                seconds[name] += time.perf_counter() - start
    done = options.turns * options.steps
    rates = {name: done / spent for name, spent in seconds.items()}
    found = {f"{name} steps per second": round(rate, 3) for name, rate in rates.items()}
    found |= {
        f"bucketed to {name}": round(rates["bucketed"] / rates[name], 2)
        for name in SIDES
        if name != "bucketed"
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

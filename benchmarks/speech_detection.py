"""How fast long recordings are transcribed, and in how much memory, from the file to the words.

    python -m benchmarks.speech_detection --minutes 10 60

A recording is simulated speech with pauses, repeated. It is read, cut and transcribed, as `faint
detect` does, in a process of its own for each length. The network is ``swift`` after some epochs on
simulated speech: the search takes longer the more a network is in doubt, longest for one that is
not trained at all.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

from models.detection import TrainedModel
from models.evaluation import Evaluation
from models.intervals import Metric
from models.sampling import TEST
from models.speech import detection, networks, simulation
from models.speech.batches import Utterances
from models.speech.corpus import RATE, audio_blocks, table_of
from models.speech.decoding import language_model
from models.speech.features import spectrograms_of
from models.speech.splits import rows_in, utterances_in
from models.speech.training import Recipe, fit_network
from models.training import TrainingResult

MODEL = "swift"
UTTERANCES = {"train": 160, "validation": 20, "test": 60}
SPEAKERS = {"train": 20, "validation": 3, "test": 3}
PAUSES = (0.4, 1.5)
"""Seconds between two utterances."""


def prepare(folder: Path, epochs: int) -> None:
    """Simulate speech, train the network, and store what verdicts need; the test part is kept."""
    rows: list[dict[str, Any]] = []
    spoken = simulation.simulate(UTTERANCES, SPEAKERS, seed=1)
    audio = {"sample": np.concatenate([b["sample"] for b in audio_blocks(spoken, rows)])}
    corpus = table_of(rows)
    splits = corpus.assign(split=corpus["part"])
    names = ("train", "validation")
    tables = {name: utterances_in(splits, name) for name in names}
    spectra = {
        name: np.concatenate(
            [block["spectrogram"] for block in spectrograms_of(audio, rows_in(splits, name))]
        )
        for name in names
    }
    mean, std = spectra["train"].mean(axis=0), spectra["train"].std(axis=0)
    architecture = networks.describe(MODEL)
    train, validation = (Utterances(tables[name], (spectra[name] - mean) / std) for name in names)
    recipe = Recipe(epochs=epochs, batch=8, modern=True)
    result: TrainingResult = fit_network(architecture, train, validation, recipe, seed=0)
    result.model.save(folder / "network.keras")
    ranges = detection.training_range(
        tables["train"], {"spectrogram": spectra["train"]}, {"utterances": 0}
    )
    frames = len(spectra["train"])
    scaling = {"mean": mean.tolist(), "std": std.tolist(), "samples": [frames] * len(mean)}
    parts = {
        "architecture": {name: architecture[name] for name in KEPT},
        "ranges": ranges,
        "scaling": {"spectrogram": scaling, "mfcc": scaling_of_nothing()},
    }
    (folder / "parts.json").write_text(json.dumps(parts))
    unspoken = pd.DataFrame({"text": simulation.written(UTTERANCES, seed=1)})
    words = language_model(tables["train"], tables["validation"], unspoken, 3)
    for name, content in words.items():
        (folder / name).write_bytes(content)
    first = int(corpus["start"][corpus["part"] == TEST].iloc[0])
    ends = (corpus["start"] + corpus["samples"])[corpus["part"] == TEST] - first
    np.savez(folder / "speech.npz", sample=audio["sample"][first:], ends=ends.to_numpy())


KEPT = ("feature", "centred", "convolutions", "output_shapes")


def scaling_of_nothing() -> dict[str, list[float]]:
    """Leave the cepstra as they are: this network doesn't read them."""
    return {"mean": [0.0] * 26, "std": [1.0] * 26, "samples": [1] * 26}


def write_recording(folder: Path, minutes: float) -> Path:
    """Write simulated speech with pauses, repeated until it is long enough."""
    import soundfile

    speech = np.load(folder / "speech.npz")
    parts = np.split(speech["sample"], speech["ends"][:-1])
    generator = np.random.default_rng(0)
    path = folder / f"{minutes:g}.flac"
    left = round(minutes * 60 * RATE)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        while left > 0:
            for part in parts:
                pause = generator.normal(0, 30, round(generator.uniform(*PAUSES) * RATE))
                block = np.concatenate([part, pause.astype(np.int16)])[:left]
                file.write(block)
                left -= len(block)
    return path


def transcribe(folder: Path, path: Path) -> dict[str, float]:
    """Transcribe a recording, and measure it."""
    import keras

    networks.register()
    parts = json.loads((folder / "parts.json").read_text())
    words = {name: (folder / name).read_bytes() for name in ("words.arpa", "words.txt")}
    unknown = {name: Metric.undefined("not tested") for name in ("wer_lm", "cer_lm")}
    model = TrainedModel(
        MODEL,
        keras.models.load_model(folder / "network.keras", compile=False),
        None,
        Evaluation({}, unknown),
        {
            "architecture": parts["architecture"],
            "decoder": {"beam": 200, "weight": 1.0, "bonus": 0.0},
            "language_model": words,
        },
    )
    start = time.perf_counter()
    recording = detection.read_recording(path.stem, [path])
    stored = {"scaling": parts["scaling"], "training_range": parts["ranges"]}
    readings = detection.readings(recording, stored)
    middle = time.perf_counter()
    found = detection.verdicts(recording, readings, {MODEL: model}, parts["ranges"])
    end = time.perf_counter()
    return {
        "audio": float(recording.facts["seconds"]),
        "reading": middle - start,
        "whole": end - start,
        "segments": len(found),
        "words": sum(len(verdict.details["words"]) for verdict in found),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0, 60.0])
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with context.Pool(1) as pool:
            pool.apply(prepare, (folder, options.epochs))
        print(
            "| minutes | segments | words | reading (s) | whole (s) | times as fast | peak (MB) |"
        )
        print("|---|---|---|---|---|---|---|")
        for minutes in options.minutes:
            path = write_recording(folder, minutes)
            with context.Pool(1) as pool:
                seen = pool.apply(transcribe, (folder, path))
            print(
                f"| {minutes:g} | {seen['segments']:.0f} | {seen['words']:.0f} | "
                f"{seen['reading']:.1f} | {seen['whole']:.1f} | "
                f"{seen['audio'] / seen['whole']:.1f} | {seen['peak']:.0f} |"
            )


if __name__ == "__main__":
    main()

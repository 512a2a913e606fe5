"""Verdicts on radar lines: how much faster than a radar records, and memory as lines grow.

    python -m benchmarks.buried_objects_detection

A line is written as a DZT, read, brought to the trained geometry, and scored by an upgrade network
with its first weights: what it says is of no use, how long it takes is. Peak memory is that of a
process of its own for each length, above one that only imports.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from models.arrays import ArrayLike
from models.buried_objects.scans import SPACING, TIME_STEP

SAMPLES = 512

RECORDED = 100
"""Traces a second that a radar records: what the header of a usual DZT says."""


def write_line(path: Path, traces: int, seed: int) -> None:
    """Write a DZT of noise behind a direct wave."""
    from models.buried_objects.simulation import ricker

    head = np.zeros(1024, np.uint8)
    for place, kind, value in (
        (2, "<u2", 1), (4, "<u2", SAMPLES), (6, "<u2", 16), (14, "<f4", 1 / SPACING),
        (26, "<f4", 60.0), (52, "<u2", 1), (54, "<f4", 6.0),
    ):  # fmt: skip
        stored = np.array([value], kind).view(np.uint8)
        head[place : place + stored.size] = stored
    wave = 1e4 * ricker(np.linspace(0, 60e-9, SAMPLES), 400e6)
    generator = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(head.tobytes())
        for start in range(0, traces, 1000):
            noise = generator.normal(0, 50, (min(1000, traces - start), SAMPLES))
            file.write((wave + noise + 32768).astype("<u2").tobytes())


def stored() -> dict[str, dict[str, object]]:
    """What the graph would have of training scans: two of noise."""
    from models.buried_objects.detection import training_range
    from models.buried_objects.features import projected_of, scaling_of
    from models.buried_objects.simulation import ricker
    from models.buried_objects.splits import KNOWN

    wave = 1e3 * ricker(20 * TIME_STEP * np.arange(503), 500e6)
    noise = np.random.default_rng(0).normal(0, 1, (288, 503))
    ez = (wave + noise).astype(np.float32)
    known = dict.fromkeys(KNOWN, np.zeros(288, np.int8))
    training: dict[str, ArrayLike] = {"ez": ez, **known, "scan": np.repeat([0, 1], 144)}
    scaling = scaling_of(training)
    values = np.concatenate([b["values"] for b in projected_of(training, scaling.gain)])
    ranges = training_range(training, {"values": values}, scaling.to_dict())
    return {"scaling": scaling.to_dict(), "training_range": ranges}


def measure(path: Path) -> None:
    """Print the seconds of reading, of features and of scores, and the peak memory in MB."""
    from models.buried_objects.detection import read_recording, readings
    from models.buried_objects.detection.geometry import line_of
    from models.buried_objects.detection.verdicts import trace_scores
    from models.buried_objects.upgrade import network
    from models.detection import TrainedModel
    from models.evaluation import evaluate

    trained, fitted = stored(), network(128, seed=0)
    fitted.predict_on_batch(np.zeros((32, 100, 128), np.float32))
    model = TrainedModel("upgrade", fitted, 0.5, evaluate([0, 1], [0.1, 0.9], 0.5, seed=0))
    moments = [time.perf_counter()]
    recording = read_recording("line", [path])
    moments.append(time.perf_counter())
    features = readings(recording, trained)
    moments.append(time.perf_counter())
    line = line_of(recording.arrays["position"], recording.arrays["usable"])
    trace_scores(recording, features, "upgrade", model, line)
    moments.append(time.perf_counter())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(*np.diff(moments), peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traces", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure is not None:
        measure(chosen.measure)
        return
    columns = f"{'traces':>8} {'MB':>6} {'read (s)':>9} {'features':>9} {'scores':>9}"
    print(f"{columns} {'times as fast as recorded':>26} {'peak (MB)':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for traces in chosen.traces:
            path = Path(folder) / f"line{traces}.DZT"
            write_line(path, traces, chosen.seed)
            command = [sys.executable, "-m", "benchmarks.buried_objects_detection"]
            done = subprocess.run(
                [*command, "--measure", str(path)], capture_output=True, text=True, check=True
            )
            read, features, scores, peak = map(float, done.stdout.split()[-4:])
            size = path.stat().st_size / 2**20
            print(
                f"{traces:>8} {size:>6.1f} {read:>9.3f} {features:>9.2f} {scores:>9.2f} "
                f"{traces / (read + features + scores) / RECORDED:>26.1f} {peak:>10.0f}"
            )


if __name__ == "__main__":
    main()

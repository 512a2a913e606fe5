"""How fast time series become spectrograms, beside gwpy's ``q_transform`` on the same grid.

Both transform the same two-second series of whitened noise with a glitch to 140 x 170 pixels, in
turns, in one process. gwpy is no part of this project: run it from an environment of its own, which
needs numpy and scipy besides.

    python -m venv /tmp/gwpy && /tmp/gwpy/bin/pip install gwpy
    OMP_NUM_THREADS=1 /tmp/gwpy/bin/python benchmarks/constant_q.py
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.gravitational_waves.constant_q import ConstantQ

RATE, SAMPLES = 8192, 16384
Q_RANGES = {"one Q": (5.6, 5.7), "four Q": (4.0, 64.0)}


def glitches(count: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    seconds = np.arange(SAMPLES) / RATE - 1
    series = generator.standard_normal((count, SAMPLES))
    frequency = generator.uniform(50, 500, (count, 1))
    wave = np.exp(-((seconds * frequency) ** 2)) * np.cos(6 * frequency * seconds)
    return np.asarray(series + 10 * wave)


def gwpys(series: np.ndarray, q_range: tuple[float, float]) -> np.ndarray:
    from gwpy.timeseries import TimeSeries

    options: dict[str, Any] = {"frange": (10, 2048), "fres": 140, "logf": True, "whiten": False}
    pictures = [
        TimeSeries(one, sample_rate=RATE, t0=0)
        .q_transform(
            qrange=q_range, gps=1, search=0.5, tres=0.5 / 170, outseg=(0.75, 1.25), **options
        )
        .value.T[::-1]
        for one in series
    ]
    return np.stack(pictures)


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20, help="series in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    series = glitches(options.images)
    has_gwpy = find_spec("gwpy") is not None
    if not has_gwpy:
        print("gwpy is not installed here: no comparison")
    for name, q_range in Q_RANGES.items():
        seconds, transform = timed(partial(ConstantQ, RATE, SAMPLES, q_range=q_range))
        print(f"{name}: tables {1e3 * seconds:.0f} ms, once")
        ratios = []
        for _ in range(options.rounds):
            ours, (energy, _) = timed(partial(transform, series))
            line = f"  ours {1e3 * ours / len(series):7.2f} ms an image"
            if has_gwpy:
                theirs, expected = timed(partial(gwpys, series, q_range))
                ratios.append(theirs / ours)
                peak = expected.max(axis=(1, 2), keepdims=True)
                worst = np.abs((energy - expected) / peak).max()
                line += (
                    f", gwpy {1e3 * theirs / len(series):7.2f} ms: {ratios[-1]:.1f} x; greatest "
                    f"difference {worst:.1e} of a picture's peak"
                )
            print(line)
        if ratios:
            print(f"  median {statistics.median(ratios):.1f} x")


if __name__ == "__main__":
    main()

"""Spectra of many curves at once against one complex transform per star.

    python -m benchmarks.exoplanets_features --curves 5000

Both see the same curves in one run. The study goes from star to star: a complex transform of 3197
points, its magnitude, the mirrored half dropped.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transforms import BINS, CADENCES, spectrum, standardise


def per_star(curves: NDArray[np.float32]) -> NDArray[np.floating]:
    """Do as the study does, one row of a table after the other."""
    import pandas as pd

    rows = pd.DataFrame(curves).apply(
        lambda row: np.abs(np.fft.fft(row.to_numpy()))[:BINS], axis=1, raw=False
    )
    return np.stack(rows.to_list())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=5, help="runs, of which the fastest counts")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    rng = np.random.default_rng(chosen.seed)
    curves = standardise(rng.normal(size=(chosen.curves, CADENCES)).astype(np.float32))
    seconds = {"per star": np.inf, "batched": np.inf}
    for _ in range(chosen.repeats):
        start = time.perf_counter()
        slow = per_star(curves)
        middle = time.perf_counter()
        fast = spectrum(curves)[..., 0]
        end = time.perf_counter()
        seconds["per star"] = min(seconds["per star"], middle - start)
        seconds["batched"] = min(seconds["batched"], end - middle)
    off = float(np.max(np.abs(fast - slow)) / np.max(slow))

    print(f"{chosen.curves} curves of {CADENCES} points, fastest of {chosen.repeats} runs each")
    print(f"{'method':<10} {'ms per 1000 curves':>18} {'times as fast':>14}")
    for method, spent in seconds.items():
        ratio = seconds["per star"] / spent
        print(f"{method:<10} {spent / chosen.curves * 1e6:>18.1f} {ratio:>14.1f}")
    print(f"largest difference: {off:.1e} of the largest value")


if __name__ == "__main__":
    main()

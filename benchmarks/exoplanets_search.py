"""The search of a star of 17 quarters: fast folding against box least squares, and the whole.

    python -m benchmarks.exoplanets_search

Both periodograms see the same curve and range of periods in one run; the whole search finds all
planets of the star.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from models.exoplanets.transit_search import CADENCE_DAYS
from models.exoplanets.transit_search.boxes import _long_periodogram, search_bands
from models.exoplanets.transit_search.folding import fold_periodogram
from models.exoplanets.transit_search.planets import find_planets, on_grid

PLANETS = ((3.3, 1.0, 0.12, 2e-4), (9.7, 4.0, 0.18, 5e-4), (21.3, 11.0, 0.22, 1e-3))
"""Period, epoch, duration (days) and depth."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=float, default=1470.0)
    parser.add_argument("--periods", type=float, nargs=2, default=(8.0, 16.0), help="days")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    days = np.arange(0, chosen.days, CADENCE_DAYS)
    flux = 2e-4 * np.random.default_rng(chosen.seed).normal(size=len(days))
    for period, epoch, duration, depth in PLANETS:
        phase = (days - epoch + period / 2) % period - period / 2
        flux -= depth * (np.abs(phase) < duration / 2)
    low, high = chosen.periods
    scaled = flux / 2e-4
    start = time.perf_counter()
    for band in search_bands(chosen.days, low, high):
        _long_periodogram(days, scaled[np.newaxis], band.periods, band.durations)
    middle = time.perf_counter()
    fold_periodogram(scaled, low, high)
    end = time.perf_counter()
    found = find_planets(*on_grid(days, flux))
    last = time.perf_counter()
    periods = ", ".join(f"{s.period.value:.4f}" for s in found.signals if s.period is not None)
    print(f"{len(days)} cadences, periods from {low:g} to {high:g} days")
    print(f"{'method':<20} {'s':>8} {'times as fast':>14}")
    for name, spent in (("box least squares", middle - start), ("fast folding", end - middle)):
        print(f"{name:<20} {spent:>8.2f} {(middle - start) / spent:>14.1f}")
    print(f"whole search: {last - end:.2f} s, periods {periods} days")


if __name__ == "__main__":
    main()

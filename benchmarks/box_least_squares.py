"""Box least squares over a batch of curves against astropy's, curve by curve in one process.

    python -m benchmarks.box_least_squares --curves 1000

Both search the same curves at the same periods with the same durations and phase bins, in one run.
Every other curve has transits in it. In noise alone the best box is now and then one that reaches
over the end of the period; astropy doesn't try all of these.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transforms import CADENCES
from models.exoplanets.transit_search import CADENCE_DAYS, box_least_squares, fit_box

DURATIONS = np.array([0.1, 0.2, 0.3])
"""Days."""

OVERSAMPLE = 5
"""Phase bins across the shortest duration: one cadence each."""


def main() -> None:
    from astropy.timeseries import BoxLeastSquares

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=1000)
    parser.add_argument("--periods", type=int, default=2000, help="from 1 to 20 days")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    rng = np.random.default_rng(chosen.seed)
    times = np.arange(CADENCES, dtype=np.float64) * CADENCE_DAYS
    periods: NDArray[np.float64] = np.geomspace(1.0, 20.0, chosen.periods).astype(np.float64)
    flux = rng.normal(size=(chosen.curves, CADENCES))
    with_transit = np.arange(chosen.curves) % 2 == 0
    for row in flux[::2]:
        period = np.exp(rng.uniform(np.log(1.5), np.log(15.0)))
        phase = (times - rng.uniform(0.2, 0.8) * period) % period
        row -= rng.uniform(1.5, 4.0) * (np.minimum(phase, period - phase) < 0.1)

    start = time.perf_counter()
    ours = box_least_squares(times, flux, periods, DURATIONS, oversample=OVERSAMPLE)
    seconds = {"batched": time.perf_counter() - start}
    best, depth = np.empty(chosen.curves, int), np.empty(chosen.curves)
    start = time.perf_counter()
    for i, row in enumerate(flux):
        theirs = BoxLeastSquares(times, row, dy=1.0).power(
            periods, DURATIONS, objective="snr", oversample=OVERSAMPLE
        )
        best[i] = np.argmax(theirs.depth_snr)
        depth[i] = theirs.depth[best[i]]
    seconds = {"astropy": time.perf_counter() - start} | seconds

    at = np.argmax(ours, axis=1)
    depths = np.array(
        [
            fit_box(times, row, periods[k], DURATIONS, oversample=OVERSAMPLE).depth
            for row, k in zip(flux, at, strict=True)
        ]
    )
    same = (at == best) & np.isclose(depths, depth, rtol=1e-3)
    print(
        f"{chosen.curves} curves of {CADENCES} points, {chosen.periods} periods, "
        f"{len(DURATIONS)} durations"
    )
    print(f"{'method':<10} {'seconds':>9} {'ms per curve':>13} {'times as fast':>14}")
    for method, spent in seconds.items():
        ratio = seconds["astropy"] / spent
        print(f"{method:<10} {spent:>9.2f} {spent / chosen.curves * 1e3:>13.2f} {ratio:>14.1f}")
    for what, rows in (("with a transit", with_transit), ("of noise alone", ~with_transit)):
        print(f"same period and depth, curves {what}: {np.sum(same[rows])} of {np.sum(rows)}")


if __name__ == "__main__":
    main()

"""Peak memory of each exoplanet data stage, as the number of curves grows.

Each stage runs in a process of its own, through the store, on synthetic curves; the figure is the
process's peak resident memory. ``python -m benchmarks.exoplanets_memory`` runs 5,000 and 50,000.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.arrays import Block

STAGES = ("curves", "splits", "scaled", "spectra")


def build(root: str, stage: str, rows: int) -> int:
    """Build one stage from what is stored; its process's peak memory in MB."""
    from assets.exoplanets import download
    from models.exoplanets.splits import features_of, split_curves
    from models.exoplanets.transforms import cnn_channels, spectrum, standardise
    from orchestration.store import Slot, Store

    store = Store(root, Path(root) / "locks")
    slot = Slot(f"exoplanets/{stage}")

    def loaded(name: str) -> Any:
        return store.load(Slot(f"exoplanets/{name}"))

    if stage == "curves":
        tenth = rows // 10
        config = {
            "source": "simulated",
            "train": rows - tenth,
            "train_planets": rows // 50,
            "test": tenth,
            "test_planets": rows // 500,
        }
        made: object = download.read(download.Curves.model_validate(config))
    elif stage == "splits":
        made = split_curves(loaded("curves"), 0.25, 0.2, 2).to_arrays()
    else:
        compute: dict[str, Callable[[Any], Block]] = {
            "scaled": lambda flux: {"curve": cnn_channels(flux)},
            "spectra": lambda flux: {"spectrum": spectrum(standardise(flux))},
        }
        made = features_of(loaded("curves"), loaded("splits"), "train", compute[stage])
    record = store.write(slot, made, "arrays", version={}, inputs={}, build="benchmark")
    store.make_current(record)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    heads = " | ".join(f"{rows:,} curves (MB)" for rows in options.rows)
    print(f"| stage | {heads} | ratio |")
    print("|---|" + "---|" * (len(options.rows) + 1))
    peaks: dict[str, list[int]] = {stage: [] for stage in options.stages}
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as root:
            for stage in options.stages:
                with context.Pool(1) as pool:
                    peaks[stage].append(pool.apply(build, (root, stage, rows)))
    for stage, found in peaks.items():
        shown = " | ".join(f"{peak:,}" for peak in found)
        print(f"| {stage} | {shown} | {found[-1] / found[0]:.2f} |")


if __name__ == "__main__":
    main()

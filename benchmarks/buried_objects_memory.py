"""Peak memory of each buried-object data stage, as the number of scans grows.

Each stage runs in a process of its own, through the store, on simulated scans; the figure is the
process's peak resident memory. ``python -m benchmarks.buried_objects_memory`` runs 50 and 500
scans of 503 samples; ``--step 1`` makes the published 10,057.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path
from typing import Any

STAGES = ("scans", "splits", "examples", "scaling", "projected")


def build(root: str, stage: str, count: int, step: int) -> int:
    """Build one stage from what is stored; its process's peak memory in MB."""
    from assets.buried_objects import download
    from models.buried_objects import features, scans, splits, streaming
    from orchestration.store import Slot, Store

    store = Store(root, Path(root) / "locks")

    def loaded(name: str) -> Any:
        return store.load(Slot(f"buried_objects/{name}"))

    def save(name: str, made: object, form: str = "arrays") -> None:
        slot = Slot(f"buried_objects/{name}")
        store.make_current(store.write(slot, made, form, version={}, inputs={}, build="benchmark"))

    if stage == "scans":
        rows: list[dict[str, Any]] = []
        config = download.Scans.model_validate({"scans": count, "step": step})
        save("scans", streaming.stream(download.jobs(config), rows))
        save("labels", scans.label_blocks(scans.table_of(rows)))
    elif stage == "splits":
        save("splits", splits.split_scans(loaded("labels"), 0.15, 0.25, 2).to_arrays())
    elif stage == "examples":
        of_train = splits.examples_of(
            loaded("scans"), loaded("splits"), "train", per_scan=10, seed=3
        )
        save("examples", of_train)
    elif stage == "scaling":
        save("scaling", features.scaling_of(loaded("examples")).to_dict(), "json")
    else:
        save("projected", features.projected_of(loaded("examples"), loaded("scaling")["gain"]))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--step", type=int, default=20)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    peaks: dict[str, list[int]] = {stage: [] for stage in STAGES}
    for count in options.scans:
        with tempfile.TemporaryDirectory() as root:
            for stage in STAGES:
                with context.Pool(1) as pool:
                    peaks[stage].append(pool.apply(build, (root, stage, count, options.step)))
    heads = " | ".join(f"{count:,} scans (MB)" for count in options.scans)
    print(f"| stage | {heads} | ratio |")
    print("|---|" + "---|" * (len(options.scans) + 1))
    for stage, sizes in peaks.items():
        row = " | ".join(f"{peak:,}" for peak in sizes)
        print(f"| {stage} | {row} | {sizes[-1] / sizes[0]:.2f} |")


if __name__ == "__main__":
    main()

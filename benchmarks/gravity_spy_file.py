"""How fast a file laid out as Gravity Spy's ``trainingsetv1d1.h5`` is read, and in how much memory.

Files of noise with four pictures an example are written to a temporary folder, one four times as
large as the other, and read block by block in a process of its own each; the file of the published
size is ``--gigabytes 3``.

    python benchmarks/gravity_spy_file.py --gigabytes 0.25 1
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CLASSES = ("Blip", "Chirp", "Koi_Fish", "Whistle")
PARTS = ("train", "validation", "test")
DISTINCT = 16  # simulated pictures; the file repeats them


def write_file(path: Path, gigabytes: float) -> int:
    import h5py

    images = np.random.default_rng(0).random((DISTINCT, 1, 140, 170), dtype=np.float32)
    count: int = round(gigabytes * 1e9 / (4 * images[0].nbytes))
    with h5py.File(path, "w") as file:
        for number in range(count):
            place = f"{CLASSES[number % 4]}/{PARTS[number // 4 % 3]}/id{number:08d}"
            for duration in ("0.5", "1.0", "2.0", "4.0"):
                file[f"{place}/{duration}.png"] = images[number % DISTINCT]
    return count


def read_file(path: Path) -> int:
    sys.path.insert(0, str(ROOT))
    from models.gravitational_waves.readers import read_hdf5

    return sum(len(block["label"]) for block in read_hdf5(path))


def measure(path: Path) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, __file__, "--file", path], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(run.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.25, 1.0])
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.file:
        start = time.perf_counter()
        rows = read_file(options.file)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"rows": rows, "seconds": seconds, "peak": peak}))
        return
    for gigabytes in options.gigabytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trainingsetv1d1.h5"
            count = write_file(path, gigabytes)
            found = measure(path)
            if found["rows"] != count:
                raise SystemExit(f"{count} examples written, {found['rows']} read")
            print(
                f"{path.stat().st_size / 1e9:6.2f} GB {count:6,} examples "
                f"{found['seconds']:7.2f} s {1e3 * found['seconds'] / count:6.2f} ms an example "
                f"peak {found['peak'] / 1e6:5.0f} MB"
            )


if __name__ == "__main__":
    main()

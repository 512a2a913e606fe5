"""How fast a fold of solar-flare records is read, beside pandas and Spark, and in how much memory.

A fold of simulated records is written to a temporary folder. Every reader then runs in a process of
its own over the same file, one after the other in every round: this project's, pandas'
``read_json(lines=True, chunksize=...)`` and, with ``--spark``, Spark on two cores reading, sampling
and exploding the file as the study did, and this project's Spark engine. Memory is the
proportional set size of the reader and all that it started (Java too), looked at ten times a
second. Nothing else should run meanwhile.

    python benchmarks/solar_flares_ingestion.py --gigabytes 1 --rounds 2
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DISTINCT = 500  # simulated records; the file repeats them under new ids


def write_fold(path: Path, gigabytes: float) -> None:
    sys.path.insert(0, str(ROOT))
    from models.solar_flares.json_lines import to_json_line
    from models.solar_flares.simulation import simulate

    parts = list(simulate({1: DISTINCT}, seed=0))
    records = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    bodies = [re.sub(r'^{"id": [^,]+', "", to_json_line(records, k)) for k in range(DISTINCT)]
    written = number = 0
    with path.open("w") as handle:
        while written < gigabytes * 1e9:
            number += 1
            written += handle.write(f'{{"id": {number}{bodies[number % DISTINCT]}')


def read_ours(path: Path, fraction: float, engine: str = "arrow") -> int:
    sys.path.insert(0, str(ROOT))
    from models.solar_flares.ingestion import FoldFile, read_json_lines

    blocks = read_json_lines([FoldFile(path, 1, fraction)], {}, engine=engine)
    return sum(len(block["label"]) for block in blocks)


def read_with_spark_engine(path: Path, fraction: float) -> int:
    return read_ours(path, fraction, engine="spark")


def read_pandas(path: Path, fraction: float) -> int:
    import pandas as pd

    with pd.read_json(path, lines=True, chunksize=500) as chunks:
        return sum(len(chunk.sample(frac=fraction, random_state=0)) for chunk in chunks)


def read_spark(path: Path, fraction: float) -> int:
    from pyspark.sql import Observation, SparkSession
    from pyspark.sql import functions as f

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.debug.maxToStringFields", 10)
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    seen = Observation()
    frame = spark.read.json(str(path)).sample(fraction, seed=0)
    parameters = frame.schema["values"].dataType.names
    series = [
        f.array(*(f.col(f"values.{name}.{sample}") for sample in range(60))).alias(name)
        for name in parameters
    ]
    steps = (
        frame.observe(seen, f.count(f.lit(1)).alias("records"))
        .select("id", "classNum", f.explode(f.arrays_zip(*series)).alias("step"))
        .select("id", "classNum", "step.*")
        .dropna()
    )
    steps.write.format("noop").mode("overwrite").save()
    sampled = int(seen.get["records"])
    spark.stop()
    return sampled


READERS: dict[str, Callable[[Path, float], int]] = {
    "ours": read_ours,
    "pandas": read_pandas,
    "spark": read_spark,
    "ours on spark": read_with_spark_engine,
}


def resident(process: int) -> int:
    """Bytes that a process and all that it started hold now, shared ones counted once."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        tasks = [task.read_text() for task in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:  # it has ended
        return 0
    own = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
    children = [int(child) for task in tasks for child in task.split()]
    return (int(own[1]) * 1024 if own else 0) + sum(resident(child) for child in children)


def measure(reader: str, path: Path, fraction: float) -> dict[str, float]:
    """Run one reader in a process of its own, and say how long it took and its peak memory."""
    command = [sys.executable, __file__, "--reader", reader, "--file", str(path)]
    with tempfile.TemporaryFile() as errors:
        run = subprocess.Popen(
            [*command, "--fraction", str(fraction)], stdout=subprocess.PIPE, stderr=errors
        )
        peak = 0
        while run.poll() is None:
            peak = max(peak, resident(run.pid))
            time.sleep(0.1)
        out = run.communicate()[0]
        if run.returncode:
            errors.seek(0)
            raise SystemExit(f"{reader} failed:\n{errors.read().decode()[-3000:]}")
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return {**found, "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.2, help="size of the fold's file")
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.3, 1.0])
    parser.add_argument("--rounds", type=int, default=1, help="times that every reader runs")
    parser.add_argument("--spark", action="store_true", help="Spark too: needs pyspark and Java")
    parser.add_argument("--only", choices=READERS, help="run one reader only")
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--fraction", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reader:
        start = time.perf_counter()
        records = READERS[options.reader](options.file, options.fraction)
        seconds = time.perf_counter() - start
        print(json.dumps({"records": records, "seconds": seconds, "busy": time.process_time()}))
        return
    readers = [name for name in READERS if options.spark or "spark" not in name]
    if options.only:
        readers = [options.only]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fold1Training.json"
        write_fold(path, options.gigabytes)
        size = path.stat().st_size
        print(f"{size / 1e9:.2f} GB; busy: Python's processor time, not Java's", flush=True)
        for fraction in options.fractions:
            ratios: dict[str, list[float]] = {reader: [] for reader in readers}
            for _ in range(options.rounds):
                first = 0.0
                for reader in readers:
                    found = measure(reader, path, fraction)
                    first = first or found["seconds"]
                    ratios[reader].append(found["seconds"] / first)
                    print(
                        f"fraction {fraction:4.2f}  {reader:14}{found['records']:8,} records "
                        f"{found['seconds']:8.2f} s {size / 1e6 / found['seconds']:5.0f} MB/s "
                        f"{found['busy']:7.2f} s busy {found['peak'] / 1e6:5.0f} MB "
                        f"{ratios[reader][-1]:5.1f} x the time of {readers[0]}   "
                        f"load {os.getloadavg()[0]:.1f}",
                        flush=True,
                    )
            for reader in readers[1:]:
                middle = statistics.median(ratios[reader])
                print(f"fraction {fraction:4.2f}  {reader}: {middle:.1f} x the time of ours")


if __name__ == "__main__":
    main()

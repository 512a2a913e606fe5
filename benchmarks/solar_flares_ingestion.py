"""How fast a fold of solar-flare records is read, beside pandas and Spark, and in how much memory.

A fold of made-up records is written to a temporary folder. Every reader then runs in a process of
its own over the same file: this project's, pandas' ``read_json(lines=True, chunksize=...)``, and,
where pyspark can be imported, Spark on two cores reading, sampling and exploding the file as the
study did. Nothing else should run meanwhile.

    python benchmarks/solar_flares_ingestion.py --gigabytes 1
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DISTINCT = 500  # records made up; the file repeats them under new ids


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


def read_ours(path: Path, fraction: float) -> int:
    sys.path.insert(0, str(ROOT))
    from models.solar_flares.ingestion import FoldFile, read_json_lines

    blocks = read_json_lines([FoldFile(path, 1, fraction)], {})
    return sum(len(block["label"]) for block in blocks)


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
}


def measure(reader: str, path: Path, fraction: float) -> dict[str, float]:
    """Run one reader in a process of its own, and say how long it took and what it held."""
    run = subprocess.run(
        [sys.executable, __file__, "--reader", reader, "--file", path, "--fraction", str(fraction)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"{reader} failed:\n{run.stderr[-3000:]}")
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.2, help="size of the fold's file")
    parser.add_argument("--fraction", type=float, default=0.3, help="share of records to take")
    parser.add_argument("--only", choices=READERS, help="run one reader only")
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reader:
        start = time.perf_counter()
        records = READERS[options.reader](options.file, options.fraction)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        busy = time.process_time()
        print(json.dumps({"records": records, "seconds": seconds, "busy": busy, "peak": peak}))
        return
    readers = [options.only] if options.only else list(READERS)
    if "spark" in readers and find_spec("pyspark") is None:
        print("pyspark is not installed: no comparison with Spark")
        readers.remove("spark")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fold1Training.json"
        write_fold(path, options.gigabytes)
        size = path.stat().st_size
        print(f"{size / 1e9:.2f} GB; processor time and peak memory are Python's, not Java's")
        for fraction in dict.fromkeys((options.fraction, 1.0)):
            results = {reader: measure(reader, path, fraction) for reader in readers}
            for reader, found in results.items():
                ratio = found["seconds"] / results[readers[0]]["seconds"]
                print(
                    f"fraction {fraction:4.2f}  {reader:7}{found['records']:8,} records "
                    f"{found['seconds']:8.2f} s {size / 1e6 / found['seconds']:5.0f} MB/s "
                    f"{found['busy']:7.2f} s busy {found['peak'] / 1e6:5.0f} MB "
                    f"{ratio:5.1f} x the time of {readers[0]}"
                )


if __name__ == "__main__":
    main()

"""Train, validation and test splits of the scans, and the windows of traces."""

from typing import Any

import dagster as dg
import numpy as np
from pydantic import Field

from assets.buried_objects.inputs import asset_in
from assets.settings import StageConfig, by_profile
from models.arrays import Arrays
from models.buried_objects.splits import PARTS, split_scans
from models.buried_objects.windows import PER_SCAN, windows_of


class Splits(StageConfig, section="buried_objects/splits"):
    """How the scans are split."""

    validation: float = Field(
        by_profile(quick=0.15, published=0.08), gt=0, lt=1, description="share of the scans"
    )
    test: float = Field(
        by_profile(quick=0.25, published=0.2), gt=0, lt=1, description="share of the scans"
    )
    parts: int = Field(
        PARTS, gt=1, lt=100, description="validation, and the parts that training takes in turn"
    )
    seed: int = Field(2, description="of the order of the scans")


@dg.asset(
    key=["buried_objects", "splits"],
    io_manager_key="arrays",
    ins={"labels": asset_in("labels")},
)
def splits(config: Splits, labels: Arrays) -> dg.Output[dict[str, Any]]:
    """Split of each trace (0 train, 1 validation, 2 test) and its part, scans whole.

    - `split` (traces,): 0 train, 1 validation, 2 test
    - `part` (traces,): 0 validation, from 1 on the parts that training takes in turn, -1 test
    """
    split = split_scans(labels, config.validation, config.test, config.seed, config.parts)
    counts = split.counts(np.asarray(labels["label"]), "over the object", "beside it")
    return dg.Output(split.to_arrays(), metadata={"split": split.method, **counts})


class Windows(StageConfig, section="buried_objects/windows"):
    """Which windows of a scan."""

    per_scan: int = Field(PER_SCAN, gt=0, description="random windows of 100 traces of a scan")
    seed: int = Field(3, description="of the windows' places")


@dg.asset(
    key=["buried_objects", "windows"],
    io_manager_key="arrays",
    ins={"labels": asset_in("labels"), "splits": asset_in("splits")},
)
def windows(config: Windows, labels: Arrays, splits: Arrays) -> dg.Output[dict[str, Any]]:
    """Random windows of 100 traces: first row, length, scan, split, and batch in training.

    - `start`, `length` (windows,): first row and number of rows
    - `scan`, `split` (windows,): of its traces
    - `batch` (windows,): training batch, in turn; -1 outside training
    """
    chosen = windows_of(labels, splits, config.seed, config.per_scan)
    batches, counts = np.unique(chosen["batch"], return_counts=True)
    sizes = {f"batch {b}": int(n) for b, n in zip(batches, counts, strict=True) if b >= 0}
    return dg.Output(dict(chosen), metadata=sizes)

"""Train, validation and test splits of the scans, and their windows of traces."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.buried_objects.inputs import asset_in
from assets.settings import StageConfig, by_profile
from assets.wiring import BY_SPLIT
from models.arrays import Arrays, Blocks
from models.buried_objects.splits import PARTS, examples_of, split_scans
from models.buried_objects.windows import PER_SCAN


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
    - `label`, `scan`, `trace` (traces,): as in `labels`
    """
    split = split_scans(labels, config.validation, config.test, config.seed, config.parts)
    counts = split.counts(split.columns["label"], "over the object", "beside it")
    return dg.Output(split.to_arrays(), metadata={"split": split.method, **counts})


class Examples(StageConfig, section="buried_objects/examples"):
    """Which windows of a scan."""

    per_scan: int = Field(PER_SCAN, gt=0, description="random windows of 100 traces of a scan")
    seed: int = Field(3, description="of the windows' places")


@dg.asset(
    key=["buried_objects", "examples"],
    io_manager_key="arrays",
    partitions_def=BY_SPLIT,
    ins={"scans": asset_in("scans"), "splits": asset_in("splits")},
)
def examples(
    context: dg.AssetExecutionContext, config: Examples, scans: Arrays, splits: Arrays
) -> Blocks:
    """The scans of a split, with what is known of their traces, and random windows of 100 traces.

    - `ez` (traces, samples): as in `scans`
    - `label`, `scan`, `trace`, `part` (traces,): as in `splits`
    - `windows` (traces, windows of a scan): whether the trace lies in each window of its scan
    """
    return examples_of(
        scans, splits, context.partition_key, per_scan=config.per_scan, seed=config.seed
    )

"""Train, validation and test splits of the stars."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.exoplanets.inputs import asset_in
from assets.settings import StageConfig
from models.arrays import Arrays
from models.exoplanets.splits import split_curves


class Splits(StageConfig, section="exoplanets/splits"):
    """How the training file is split; the published test file stays whole."""

    validation: float = Field(0.25, gt=0, lt=1, description="share of the training file")
    test: float = Field(0.2, gt=0, lt=1, description="share, where there is no test file")
    seed: int = Field(2, description="of the order of the host stars")


@dg.asset(
    key=["exoplanets", "splits"],
    io_manager_key="arrays",
    ins={"curves": asset_in("curves")},
)
def splits(config: Splits, curves: Arrays) -> dg.Output[dict[str, Any]]:
    """Split of each curve (0 train, 1 validation, 2 test); a host star never straddles two.

    - `split` (n,): 0 train, 1 validation, 2 test
    - `label`, `host` (n,): as in `curves`
    """
    split = split_curves(curves, config.validation, config.test, config.seed)
    counts = split.counts(split.columns["label"], "planets", "others")
    return dg.Output(split.to_arrays(), metadata={"split": split.method, **counts})

"""Train, validation and test splits of the records, and the accuracy of guessing."""

from typing import Any

import dagster as dg
import numpy as np
from pydantic import Field

from assets.settings import StageConfig
from assets.solar_flares.inputs import asset_in
from models.arrays import Arrays
from models.metrics import proportional_chance_criterion
from models.sampling import SPLITS, rows_of
from models.solar_flares.splits import split_records
from models.types import JsonDict


class Splits(StageConfig, section="solar_flares/splits"):
    """How active regions are split where there are no three folds."""

    validation: float = Field(0.25, gt=0, lt=1, description="share of the records")
    test: float = Field(0.25, gt=0, lt=1, description="share of the records")
    seed: int = Field(2, description="of the order of the regions")


@dg.asset(
    key=["solar_flares", "splits"],
    io_manager_key="arrays",
    ins={"records": asset_in("records")},
)
def splits(config: Splits, records: Arrays) -> dg.Output[dict[str, Any]]:
    """Split of each record (0 train, 1 validation, 2 test); folds are disjoint in time.

    - `split` (n,): 0 train, 1 validation, 2 test
    - `label`, `region` (n,): as in `records`
    """
    split = split_records(records, config.validation, config.test, config.seed)
    counts = split.counts(split.columns["label"], "flares", "quiet")
    return dg.Output(split.to_arrays(), metadata={"split": split.method, **counts})


@dg.asset(
    key=["solar_flares", "chance"],
    io_manager_key="json",
    ins={"splits": asset_in("splits")},
)
def chance(splits: Arrays) -> dg.Output[JsonDict]:
    """Proportional chance criterion of each split, and the study's bar 25 % above it."""
    label = np.asarray(splits["label"])
    criteria = {
        name: proportional_chance_criterion(np.bincount(label[rows_of(splits, code)], minlength=2))
        for code, name in enumerate(SPLITS)
    }
    table = [dg.TableRecord({"split": name} | criterion) for name, criterion in criteria.items()]
    return dg.Output(criteria, metadata={"criterion": dg.MetadataValue.table(table)})

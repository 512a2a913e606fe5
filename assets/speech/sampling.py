"""Train, validation and test splits of the utterances."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig
from assets.speech.inputs import asset_in
from assets.wiring import BY_SPLIT
from models.sampling import SPLITS
from models.speech.splits import split_corpus, utterances_in


class Splits(StageConfig, section="speech/splits"):
    """What is left out, and how speakers are split where there is no official split."""

    max_seconds: float = Field(10.0, gt=0, description="longer utterances are left out")
    validation: float = Field(0.15, gt=0, lt=1, description="share of the speech")
    test: float = Field(0.15, gt=0, lt=1, description="share of the speech")
    seed: int = Field(2, description="of the order of the speakers")


@dg.asset(
    key=["speech", "splits"],
    io_manager_key="tables",
    ins={"corpus": asset_in("corpus")},
)
def splits(config: Splits, corpus: Any) -> dg.Output[Any]:
    """Split of each utterance (0 train, 1 validation, 2 test): no speaker or text is in two.

    - `split`: 0 train, 1 validation, 2 test
    - all else as in `corpus`, without the utterances that are left out
    """
    import pandas as pd

    split = split_corpus(corpus, config.max_seconds, config.validation, config.test, config.seed)
    table = pd.DataFrame(split.to_arrays())
    minutes = {
        f"{name} (minutes)": float(table["seconds"][table["split"] == code].sum() / 60)
        for code, name in enumerate(SPLITS)
    }
    return dg.Output(table, metadata={"split": split.method, **split.left_out, **minutes})


@dg.asset(
    key=["speech", "utterances"],
    io_manager_key="tables",
    partitions_def=BY_SPLIT,
    ins={"splits": asset_in("splits")},
)
def utterances(context: dg.AssetExecutionContext, splits: Any) -> Any:
    """The utterances of a split, and their frames, of 10 ms, in both features.

    - `key`, `speaker`, `text`, `seconds`, `source_rate`: as in `corpus`
    - `start`, `frames`: its frames in the features of the split
    """
    return utterances_in(splits, context.partition_key)

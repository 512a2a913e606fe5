"""The threshold and the smoothing of each model, chosen on validation scans."""

from typing import Any

import dagster as dg
import numpy as np
from pydantic import Field

from assets.buried_objects.inputs import MODELS, asset_in, split_in
from assets.settings import StageConfig
from assets.wiring import threshold_pictures
from models.arrays import Arrays
from models.buried_objects.smoothing import choose, decide
from models.buried_objects.training import score_scans
from models.training import Network
from models.types import JsonDict


class Smoothing(StageConfig, section="buried_objects/*_threshold"):
    """The choices that compete for the largest F1 of validation traces."""

    medians: list[int] = Field([1, 3, 5, 9], description="widths, traces, odd; 1: no median")
    ratios: list[float] = Field(
        [1.0, 0.7, 0.4], description="lower thresholds as shares of the upper; 1: no hysteresis"
    )


def decision_output(config: Smoothing, network: Network, validation: Arrays) -> dg.Output[JsonDict]:
    """Choose threshold and smoothing on the validation scans."""
    scores = score_scans(network, validation)
    label, scan = (np.asarray(validation[name]) for name in ("label", "scan"))
    decision = choose(label, scores, scan, **config.model_dump())
    smooth, _ = decide(scores, scan, decision)
    drawn = threshold_pictures(label, smooth, decision["value"])
    return dg.Output(decision, metadata={**decision, **drawn})


@dg.asset(
    key=["buried_objects", "threshold"],
    io_manager_key="json",
    partitions_def=MODELS,
    ins={"network": asset_in("network"), "examples": split_in("examples", splits=["validation"])},
)
def threshold(config: Smoothing, network: Any, examples: dict[str, Arrays]) -> dg.Output[JsonDict]:
    """Threshold and smoothing of a network, from its validation scores."""
    return decision_output(config, network, examples["validation"])


@dg.asset(
    key=["buried_objects", "upgrade_threshold"],
    io_manager_key="json",
    ins={
        "network": asset_in("upgrade", "network"),
        "projected": split_in("projected", splits=["validation"]),
    },
)
def upgrade_threshold(
    config: Smoothing, network: Any, projected: dict[str, Arrays]
) -> dg.Output[JsonDict]:
    """Threshold and smoothing of the upgrade, from its validation scores."""
    return decision_output(config, network, projected["validation"])

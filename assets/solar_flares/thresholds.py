"""The threshold of each model, chosen on validation scores before the test set is read."""

from typing import Any, Literal

import dagster as dg
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assets.settings import StageConfig
from assets.solar_flares.inputs import MODELS, asset_in, features_in, statistics_in
from assets.wiring import threshold_output
from models.arrays import Arrays
from models.solar_flares.training import Examples, score_network, score_upgrade
from models.thresholds import RULES
from models.types import JsonDict


class ThresholdRule(StageConfig, section="solar_flares/*_threshold"):
    """How the threshold is chosen: for the largest true skill statistic, the field's measure."""

    rule: Literal["max_tss", "crossover"] = Field(
        "max_tss",
        description="max_tss: where the true skill statistic is largest; crossover: where "
        "sensitivity and specificity are equal; both on validation scores",
    )


def chosen_output(
    config: ThresholdRule, examples: Examples, scores: NDArray[np.float64]
) -> dg.Output[JsonDict]:
    """Choose the threshold on the scores of the examples."""
    labels = examples.known("label")
    return threshold_output(RULES[config.rule](labels, scores), labels, scores)


@dg.asset(
    key=["solar_flares", "threshold"],
    io_manager_key="json",
    partitions_def=MODELS,
    ins={"network": asset_in("network"), **features_in("validation")},
)
def threshold(
    config: ThresholdRule, network: Any, features: dict[str, Arrays]
) -> dg.Output[JsonDict]:
    """Threshold of a network, from its validation scores."""
    return chosen_output(config, *score_network(network, features["validation"]))


@dg.asset(
    key=["solar_flares", "upgrade_threshold"],
    io_manager_key="json",
    ins={"estimator": asset_in("upgrade", "estimator"), **statistics_in("validation")},
)
def upgrade_threshold(
    config: ThresholdRule, estimator: Any, statistics: dict[str, Arrays]
) -> dg.Output[JsonDict]:
    """Threshold of the upgrade, from its validation scores."""
    return chosen_output(config, *score_upgrade(estimator, statistics["validation"]))

"""Where each model cuts: chosen on validation scores, before the test set is read."""

from typing import Any, Literal

import dagster as dg
import numpy as np

from assets.metadata import picture
from assets.settings import StageConfig
from assets.solar_flares.inputs import EXAMPLES, MODELS, STATISTICS, asset_in
from models import plots
from models.arrays import Arrays
from models.sampling import VALIDATION
from models.solar_flares.fitting import score_network, score_upgrade
from models.thresholds import crossover, max_tss

RULES = {"max_tss": max_tss, "crossover": crossover}


class ThresholdRule(StageConfig, section="solar_flares/*/threshold"):
    """How the threshold is chosen: for the largest true skill statistic, the field's measure."""

    rule: Literal["max_tss", "crossover"] = "max_tss"


def choose(rule: str, labels: Any, scores: Any) -> dg.Output[dict[str, Any]]:
    """Choose a threshold, and show it."""
    found = RULES[rule](labels, scores)
    shown = picture(plots.crossover(labels, scores, found.value))
    return dg.Output(found.record(), metadata={**found.record(), "crossover": shown})


@dg.asset(
    key=["solar_flares", "threshold"],
    group_name="solar_flares",
    tags={"stage": "thresholds"},
    io_manager_key="json",
    partitions_def=MODELS,
    ins={"network": asset_in("network"), **EXAMPLES},
)
def threshold(config: ThresholdRule, network: Any, **features: Arrays) -> dg.Output[dict[str, Any]]:
    """Threshold of a network, from its validation scores."""
    record, scores = score_network(network, features, VALIDATION)
    return choose(config.rule, np.asarray(features["records"]["label"])[record], scores)


@dg.asset(
    key=["solar_flares", "upgrade", "threshold"],
    group_name="solar_flares",
    tags={"stage": "thresholds"},
    io_manager_key="json",
    ins={"estimator": asset_in("upgrade", "estimator"), **STATISTICS},
)
def upgrade_threshold(
    config: ThresholdRule, estimator: Any, **features: Arrays
) -> dg.Output[dict[str, Any]]:
    """Threshold of the upgrade, from its validation scores."""
    record, scores = score_upgrade(estimator, features, VALIDATION)
    return choose(config.rule, np.asarray(features["records"]["label"])[record], scores)

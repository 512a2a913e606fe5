"""Where each model cuts: chosen on validation scores, before the test set is read."""

from typing import Any, Literal

import dagster as dg

from assets.gravitational_waves.inputs import MODELS, fitted_of, inputs_of
from assets.settings import StageConfig
from models.gravitational_waves.judging import choose_threshold


class ThresholdRule(StageConfig, section="gravitational_waves/*/threshold"):
    """How the threshold is chosen; where every class is asked for, the largest score wins."""

    rule: Literal["max_f1", "at_fpr_0.001"] = "max_f1"


def threshold_asset(model: str) -> dg.AssetsDefinition:
    """The threshold of one model."""

    @dg.asset(
        key=["gravitational_waves", model, "threshold"],
        group_name="gravitational_waves",
        tags={"stage": "thresholds"},
        io_manager_key="json",
        description=f"Threshold of the {model} model, from its validation scores.",
        ins={"fitted": fitted_of(model), **inputs_of(model)},
    )
    def threshold(config: ThresholdRule, fitted: Any, **features: Any) -> dg.Output[dict[str, Any]]:
        found = choose_threshold(config.rule, model, fitted, features).record()
        return dg.Output(found, metadata=found)

    return threshold


thresholds = [threshold_asset(model) for model in MODELS]

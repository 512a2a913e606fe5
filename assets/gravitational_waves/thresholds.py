"""The threshold of each model, chosen on validation scores before the test set is read."""

from typing import Any, Literal

import dagster as dg
from pydantic import Field

from assets.gravitational_waves.inputs import MODELS, asset_in, features_in, fitted_of
from assets.settings import StageConfig
from assets.wiring import threshold_output
from models.arrays import Arrays
from models.gravitational_waves.evaluation import choose_threshold, validation_scores
from models.types import JsonDict


class ThresholdRule(StageConfig, section="gravitational_waves/*_threshold"):
    """How the threshold is chosen; where every class is predicted, the largest score wins."""

    rule: Literal["max_f1", "at_fpr_0.001"] = Field(
        "max_f1",
        description="max_f1: where F1 is largest; at_fpr_0.001: at one false alarm in 1000; both "
        "on validation scores",
    )


def threshold_asset(model: str) -> dg.AssetsDefinition:
    """The threshold of one model."""

    @dg.asset(
        key=["gravitational_waves", f"{model}_threshold"],
        io_manager_key="json",
        description=f"Threshold of the {model} model, from its validation scores, with the "
        "classes that it tells apart.",
        ins={
            "fitted": fitted_of(model),
            "features": features_in(model, "validation"),
            "classes": asset_in("classes"),
        },
    )
    def threshold(
        config: ThresholdRule, fitted: Any, features: dict[str, Arrays], classes: JsonDict
    ) -> dg.Output[JsonDict]:
        labels, scores = validation_scores(model, fitted, features["validation"], classes)
        chosen = choose_threshold(config.rule, labels, scores, classes)
        drawn = threshold_output(chosen, labels, scores)
        return dg.Output(drawn.value | {"classes": classes}, metadata=drawn.metadata)

    return threshold


thresholds = [threshold_asset(model) for model in MODELS]

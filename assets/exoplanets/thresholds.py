"""The threshold of each model, chosen on validation scores before the test set is read."""

from typing import Any, Literal

import dagster as dg
import numpy as np
from pydantic import Field

from assets.exoplanets.inputs import MODELS, examples, features_in, fitted_of
from assets.settings import StageConfig
from assets.wiring import threshold_output
from models.arrays import Arrays
from models.exoplanets.training import score
from models.thresholds import RULES
from models.types import JsonDict


class ThresholdRule(StageConfig, section="exoplanets/*_threshold"):
    """How the threshold is chosen: where sensitivity meets specificity, as published."""

    rule: Literal["crossover", "max_f1"] = Field(
        "crossover",
        description="crossover: where sensitivity and specificity are equal; max_f1: where F1 is "
        "largest; both on validation scores",
    )


class VettingRule(ThresholdRule, section="exoplanets/vetting_threshold"):
    """The study's rule would flag most binaries: planets are rare, so precision counts."""

    rule: Literal["crossover", "max_f1"] = Field(
        "max_f1",
        description="crossover: where sensitivity and specificity are equal; max_f1: where F1 is "
        "largest; both on validation scores",
    )


def threshold_asset(model: str, Rule: type[ThresholdRule]) -> dg.AssetsDefinition:
    """The threshold of one model."""

    @dg.asset(
        key=["exoplanets", f"{model}_threshold"],
        io_manager_key="json",
        description=f"Threshold of the {model} model, from its validation scores.",
        ins={"fitted": fitted_of(model), **features_in(model, "validation")},
    )
    def threshold(
        config: Rule,  # type: ignore[valid-type]
        fitted: Any,
        **features: dict[str, Arrays],
    ) -> dg.Output[JsonDict]:
        settings: ThresholdRule = config
        validation = examples(features, "validation")
        labels, scores = np.asarray(validation["label"]), score(model, fitted, validation)
        return threshold_output(RULES[settings.rule](labels, scores), labels, scores)

    return threshold


thresholds = [
    threshold_asset(model, VettingRule if model == "vetting" else ThresholdRule) for model in MODELS
]

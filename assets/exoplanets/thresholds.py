"""Where each model cuts: chosen on validation scores, before the test set is read."""

from typing import Any, Literal

import dagster as dg
import numpy as np

from assets.exoplanets.inputs import MODELS, features_in, fitted_of, inputs_of
from assets.metadata import picture
from assets.settings import StageConfig
from models import plots
from models.arrays import Arrays
from models.exoplanets.fitting import score
from models.sampling import VALIDATION, rows_of
from models.thresholds import crossover, max_f1

RULES = {"crossover": crossover, "max_f1": max_f1}


class ThresholdRule(StageConfig, section="exoplanets/*/threshold"):
    """How the threshold is chosen: where sensitivity meets specificity, as published."""

    rule: Literal["crossover", "max_f1"] = "crossover"


class VettingRule(ThresholdRule, section="exoplanets/vetting/threshold"):
    """The study's rule would flag most binaries: planets are rare, so precision counts."""

    rule: Literal["crossover", "max_f1"] = "max_f1"


def threshold_asset(model: str, Rule: type[ThresholdRule]) -> dg.AssetsDefinition:
    """The threshold of one model."""

    @dg.asset(
        key=["exoplanets", model, "threshold"],
        group_name="exoplanets",
        tags={"stage": "thresholds"},
        io_manager_key="json",
        description=f"Threshold of the {model} model, from its validation scores.",
        ins={"fitted": fitted_of(model), **inputs_of(model)},
    )
    def threshold(
        config: Rule,  # type: ignore[valid-type]
        fitted: Any,
        curves: Arrays,
        splits: Arrays,
        **inputs: Arrays,
    ) -> dg.Output[dict[str, Any]]:
        settings: ThresholdRule = config
        rows = rows_of(splits, VALIDATION)
        scores = score(model, fitted, features_in(model, inputs), rows)
        labels = np.asarray(curves["label"])[rows]
        chosen = RULES[settings.rule](labels, scores)
        shown = picture(plots.crossover(labels, scores, chosen.value))
        return dg.Output(chosen.record(), metadata={**chosen.record(), "crossover": shown})

    return threshold


thresholds = [
    threshold_asset(model, VettingRule if model == "vetting" else ThresholdRule) for model in MODELS
]

"""Evaluation on the test images and on simulated chirps; comparison and report."""

from typing import Any

import dagster as dg

from assets.gravitational_waves.inputs import (
    MODELS,
    NETWORKS,
    asset_in,
    features_in,
    fitted_of,
    split_in,
)
from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import Intervals
from assets.wiring import evaluation_outputs, together
from models.arrays import Arrays
from models.gravitational_waves import report as reports
from models.gravitational_waves.evaluation import efficiency, evaluate_predictions, predictions
from models.types import JsonDict


class EvaluationConfig(Intervals, section="gravitational_waves/*_evaluation"):
    """How the intervals are made."""


def evaluation_assets(model: str) -> dg.AssetsDefinition:
    """Predictions and evaluation of one model."""

    @dg.multi_asset(
        name=f"gravitational_waves_{model}_evaluation",
        **together(
            "gravitational_waves",
            model,
            ins={
                "fitted": fitted_of(model),
                "threshold": asset_in(model, "threshold"),
                "features": features_in(model, "validation", "test", "trials"),
            },
            predictions=(
                "tables",
                f"Validation and test scores by the {model} model.\n\n"
                "- `id`, `group`, `label`, `snr`: as in `images`; `split`: validation or test\n"
                "- `chirp`: 1 for the class looked for\n"
                "- `score`: of a chirp, the higher the likelier; `flagged`: at the threshold",
            ),
            evaluation=(
                "json",
                f"The {model} model on the test images, with intervals, and on simulated chirps.",
            ),
        ),
    )
    def evaluation(
        config: EvaluationConfig,
        tracking: Tracking,
        fitted: Any,
        threshold: JsonDict,
        features: dict[str, Arrays],
    ) -> tuple[dg.Output[Any], dg.Output[Any]]:
        value, classes = threshold["value"], threshold["classes"]
        scored = {name: features[name] for name in ("validation", "test")}
        table = predictions(model, fitted, scored, classes, value)
        result = evaluate_predictions(model, table, value, classes, **config.model_dump())
        by_snr = efficiency(model, fitted, features["trials"], classes, value)
        result = result.with_details(by_snr=by_snr)
        return evaluation_outputs(tracking, "gravitational_waves", model, table, result)

    return evaluation


evaluations = [evaluation_assets(model) for model in MODELS]


@dg.asset(
    key=["gravitational_waves", "comparison"],
    io_manager_key="json",
    ins={
        **{model: asset_in(model, "evaluation") for model in MODELS},
        **{f"{model}__history": asset_in(model, "history") for model in NETWORKS},
    },
)
def comparison(**loaded: JsonDict) -> dg.Output[JsonDict]:
    """All six models beside the published two, the study's finding, and the upgrade's cost."""
    evaluations = {model: loaded[model] for model in MODELS}
    histories = {model: loaded[f"{model}__history"] for model in NETWORKS}
    table = reports.comparison(evaluations, histories)
    drawn = picture(reports.comparison_picture(evaluations))
    return dg.Output(table, metadata={"average precision": drawn, "notes": table["notes"]})


@dg.asset(
    key=["gravitational_waves", "report"],
    io_manager_key="folders",
    ins={
        "comparison": asset_in("comparison"),
        "examples": split_in("examples", splits=["test"]),
        **{model: asset_in(model, "predictions") for model in MODELS},
    },
)
def report(
    comparison: JsonDict, examples: dict[str, Arrays], **predictions: Any
) -> dict[str, bytes]:
    """The report of all models with curves and the chirps found, in HTML and Markdown."""
    return reports.report(comparison, predictions, examples["test"]).as_files()

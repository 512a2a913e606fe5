"""Evaluation on the test images and on injected chirps; comparison and report."""

from typing import Any

import dagster as dg

from assets.gravitational_waves.inputs import MODELS, NETWORKS, asset_in, fitted_of, inputs_of
from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import Intervals
from assets.wiring import evaluation_outputs, together
from models.architectures import training_cost
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.gravitational_waves import report as reports
from models.gravitational_waves.evaluation import (
    chirps,
    efficiency,
    evaluate_predictions,
    predictions,
)
from models.reporting import ModelResults
from models.sampling import TEST, TRAIN, VALIDATION, rows_of
from models.scaling import Scaling
from models.types import JsonDict


class EvaluationConfig(Intervals, section="gravitational_waves/*_evaluation"):
    """How the intervals are made."""


def evaluation_assets(model: str) -> dg.AssetsDefinition:
    """Predictions, evaluation and the list of chirps of one model."""

    @dg.multi_asset(
        name=f"gravitational_waves_{model}_evaluation",
        **together(
            "gravitational_waves",
            model,
            ins={
                "fitted": fitted_of(model),
                "threshold": asset_in(model, "threshold"),
                **{name: asset_in(name) for name in ("trials", "scaling")},
                **inputs_of(model),
            },
            predictions=(
                "tables",
                f"Validation and test scores by the {model} model.\n\n"
                "- `id`, `group`, `label`, `snr`: as in `images`; `split`: validation or test\n"
                "- `chirp`: 1 for the class looked for\n"
                "- `score`: of a chirp, the higher the likelier; `flagged`: at the threshold",
            ),
            evaluation=("json", f"The {model} model on the test images, with intervals."),
            chirps=(
                "tables",
                f"The images that the {model} model flags as chirps.\n\n"
                "- `id`, `label`, `split`, `score`: the highest score first",
            ),
        ),
    )
    def evaluation(
        config: EvaluationConfig,
        tracking: Tracking,
        fitted: Any,
        threshold: JsonDict,
        trials: Arrays,
        scaling: JsonDict,
        **features: Any,
    ) -> tuple[dg.Output[Any], dg.Output[Any], dg.Output[Any]]:
        value, classes = threshold["value"], features["classes"]
        table = predictions(model, fitted, features, [VALIDATION, TEST], value)
        result = evaluate_predictions(model, table, value, classes, **config.model_dump())
        standard = Scaling.from_dict(scaling)
        result = result.with_details(
            by_snr=efficiency(model, fitted, trials, features, standard, value)
        )
        flagged = chirps(table)
        first = {"first": ", ".join(flagged["id"][:20])}
        return (
            *evaluation_outputs(tracking, "gravitational_waves", model, table, result),
            dg.Output(flagged, output_name="chirps", metadata=first),
        )

    return evaluation


evaluations = [evaluation_assets(model) for model in MODELS]


@dg.asset(
    key=["gravitational_waves", "comparison"],
    io_manager_key="json",
    ins={
        **{model: asset_in(model, "evaluation") for model in MODELS},
        **{
            f"{model}__{name}": asset_in(model, name)
            for model in (reports.DEEP, reports.UPGRADE)
            for name in ("architecture", "history")
        },
        **{name: asset_in(name) for name in ("splits", "injections")},
    },
)
def comparison(splits: Arrays, injections: Arrays, **loaded: Any) -> dg.Output[JsonDict]:
    """All six models beside the published two, the study's finding, and the upgrade's cost."""
    images = len(rows_of(splits, TRAIN))
    extra = {reports.DEEP: 0, reports.UPGRADE: len(injections["image"])}
    costs = {
        model: training_cost(
            loaded[f"{model}__architecture"], loaded[f"{model}__history"]["epochs"], images + more
        )
        for model, more in extra.items()
    }
    results = {model: Evaluation.from_dict(loaded[model]) for model in MODELS}
    table = reports.comparison(results, costs)
    drawn = picture(reports.comparison_picture(results))
    return dg.Output(table, metadata={"average precision": drawn, "notes": table["notes"]})


@dg.asset(
    key=["gravitational_waves", "report"],
    io_manager_key="folders",
    ins={
        **{name: asset_in(name) for name in ("comparison", "images")},
        **{
            f"{model}__{name}": asset_in(model, name)
            for model in MODELS
            for name in (
                *("evaluation", "predictions", "chirps"),
                *(["history"] if model in NETWORKS else []),
            )
        },
    },
)
def report(comparison: JsonDict, images: Arrays, **results: Any) -> dict[str, bytes]:
    """The report of all models with curves and the chirps found, in HTML and Markdown."""
    models = ModelResults.by_model(results, MODELS)
    flagged = {model: results[f"{model}__chirps"] for model in MODELS}
    return reports.report(comparison, models, flagged, images).as_files()

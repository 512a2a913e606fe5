"""Evaluation on the test stars, by cross-validation and by a control; comparison and report."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.exoplanets.inputs import MODELS, asset_in, examples, features_in, fitted_of
from assets.exoplanets.training import NETWORKS
from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import Intervals, StageConfig, by_profile
from assets.wiring import evaluation_outputs, together
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.exoplanets import report as reports
from models.exoplanets.evaluation import (
    cross_validate,
    evaluate_predictions,
    predictions,
    vetting_control,
)
from models.exoplanets.training import score
from models.reporting import ModelResults
from models.sampling import SPLITS
from models.types import JsonDict


class EvaluationConfig(Intervals, section="exoplanets/*_evaluation"):
    """How the intervals are made."""


def evaluation_assets(model: str) -> dg.AssetsDefinition:
    """Predictions and evaluation of one model."""

    @dg.multi_asset(
        name=f"exoplanets_{model}_evaluation",
        **together(
            "exoplanets",
            model,
            ins={
                "fitted": fitted_of(model),
                "threshold": asset_in(model, "threshold"),
                **features_in(model, "test"),
            },
            predictions=(
                "tables",
                f"Score of every test star by the {model} model.\n\n"
                "- `star`, `host`, `kind`, `label`, `snr`: as in `curves`\n"
                "- `score`: probability of a planet; `flagged`: whether it reaches the threshold",
            ),
            evaluation=("json", f"The {model} model on the test stars, with intervals."),
        ),
    )
    def evaluation(
        config: EvaluationConfig,
        tracking: Tracking,
        fitted: Any,
        threshold: JsonDict,
        **features: dict[str, Arrays],
    ) -> tuple[dg.Output[Any], dg.Output[Any]]:
        test, value = examples(features, "test"), threshold["value"]
        table = predictions(test, score(model, fitted, test), value)
        result = evaluate_predictions(model, table, value, config.resamples, config.seed)
        return evaluation_outputs(tracking, "exoplanets", model, table, result)

    return evaluation


evaluations = [evaluation_assets(model) for model in MODELS]


class CrossValidation(StageConfig, section="exoplanets/vetting_cross_validation"):
    """Repeated cross-validation over all stars."""

    folds: int = Field(
        5, ge=2, description="parts of a round, each scored by a model of the others"
    )
    repeats: int = Field(
        by_profile(quick=1, published=10), ge=1, description="rounds, each with other parts"
    )
    seed: int = Field(7, description="of the parts and of the models")


@dg.asset(
    key=["exoplanets", "vetting_cross_validation"],
    io_manager_key="json",
    ins=features_in("vetting", *SPLITS),
)
def cross_validation(config: CrossValidation, candidates: dict[str, Arrays]) -> dg.Output[JsonDict]:
    """The vetting model on every star, each scored by a model that has not seen it."""
    result = cross_validate(
        candidates, folds=config.folds, repeats=config.repeats, seed=config.seed
    )
    names = ("mean_average_precision", "sd_average_precision", "folds", "by_host")
    return dg.Output(result, metadata={name: result[name] for name in names})


class Control(StageConfig, section="exoplanets/vetting_permuted_control"):
    """The negative control."""

    seed: int = Field(8, description="of the permutation and of the model")


@dg.asset(
    key=["exoplanets", "vetting_permuted_control"],
    io_manager_key="json",
    ins=features_in("vetting", "train", "test"),
)
def permuted_control(config: Control, candidates: dict[str, Arrays]) -> dg.Output[JsonDict]:
    """The vetting model trained on permuted labels: it must score as chance does."""
    control = vetting_control(candidates["train"], candidates["test"], seed=config.seed).to_dict()
    return dg.Output(control, metadata=control)


@dg.asset(
    key=["exoplanets", "comparison"],
    io_manager_key="json",
    ins={
        **{model: asset_in(model, "evaluation") for model in MODELS},
        "cross_validation": asset_in("vetting", "cross_validation"),
        "control": asset_in("vetting", "permuted_control"),
    },
)
def comparison(
    cross_validation: JsonDict, control: JsonDict, **evaluations: JsonDict
) -> dg.Output[JsonDict]:
    """All five models beside the published four."""
    # In the order of the study.
    results = {model: Evaluation.from_dict(evaluations[model]) for model in MODELS}
    table = reports.comparison(results, cross_validation, control)
    drawn = picture(reports.comparison_picture(results))
    return dg.Output(table, metadata={"average precision": drawn})


@dg.asset(
    key=["exoplanets", "report"],
    io_manager_key="folders",
    ins={
        "comparison": asset_in("comparison"),
        "known_planets": asset_in("transit_search"),
        "curves": asset_in("curves"),
        **{
            f"{model}__{name}": asset_in(model, name)
            for model in MODELS
            for name in ("evaluation", "predictions", *(["history"] if model in NETWORKS else []))
        },
    },
)
def report(
    comparison: JsonDict,
    known_planets: JsonDict,
    curves: Arrays,
    **results: Any,
) -> dict[str, bytes]:
    """The report of all models with the study's plots, in HTML and Markdown."""
    models = ModelResults.by_model(results, MODELS)
    return reports.report(comparison, known_planets, curves, models).as_files()

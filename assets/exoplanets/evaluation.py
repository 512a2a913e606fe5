"""How good the models are on stars that nothing was learnt from or tuned on."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.exoplanets.inputs import MODELS, asset_in, features_in, fitted_of, inputs_of
from assets.exoplanets.training import NETWORKS
from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import StageConfig, by_profile
from assets.wiring import judged_outputs, outs
from models.arrays import Arrays
from models.exoplanets import judging, summary
from models.exoplanets.fitting import score
from models.sampling import TEST, rows_of


class Evaluation(StageConfig, section="exoplanets/*/evaluation"):
    """How intervals are made."""

    resamples: int = Field(1000, ge=100)
    seed: int = 6


def evaluation_assets(model: str) -> dg.AssetsDefinition:
    """Predictions and evaluation of one model."""
    history = {"history": asset_in(model, "history")} if model in NETWORKS else {}

    @dg.multi_asset(
        name=f"exoplanets_{model}_evaluation",
        group_name="exoplanets",
        outs=outs(
            "evaluation",
            "exoplanets",
            model,
            predictions=("tables", f"Score of every test star by the {model} model."),
            evaluation=("json", f"The {model} model on the test stars, with intervals."),
        ),
        ins={
            "fitted": fitted_of(model),
            "threshold": asset_in(model, "threshold"),
            **history,
            **inputs_of(model),
        },
    )
    def evaluated(
        config: Evaluation,
        tracking: Tracking,
        fitted: Any,
        threshold: dict[str, Any],
        curves: Arrays,
        splits: Arrays,
        **inputs: Any,
    ) -> tuple[dg.Output[Any], dg.Output[Any]]:
        rows = rows_of(splits, TEST)
        scores = score(model, fitted, features_in(model, inputs), rows)
        table = summary.predictions(curves, rows, scores, threshold["value"])
        judged = summary.judge(model, table, threshold["value"], config.resamples, config.seed)
        drawn = summary.pictures(model, table, judged, inputs.get("history"))
        return judged_outputs(tracking, "exoplanets", model, table, judged, drawn)

    return evaluated


evaluations = [evaluation_assets(model) for model in MODELS]


class CrossValidation(StageConfig, section="exoplanets/vetting/cross_validation"):
    """Repeated cross-validation over all stars."""

    folds: int = Field(5, ge=2)
    repeats: int = Field(by_profile(quick=1, published=10), ge=1)
    seed: int = 7


@dg.asset(
    key=["exoplanets", "vetting", "cross_validation"],
    group_name="exoplanets",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins={name: asset_in(name) for name in ("candidates", "curves")},
)
def cross_validation(
    config: CrossValidation, candidates: Arrays, curves: Arrays
) -> dg.Output[dict[str, Any]]:
    """The vetting model judged on every star, each by a model that has not seen it."""
    result = judging.cross_validate(
        candidates, curves, folds=config.folds, repeats=config.repeats, seed=config.seed
    )
    shown = ("mean_average_precision", "sd_average_precision", "folds", "by_host")
    return dg.Output(result, metadata={name: result[name] for name in shown})


class Control(StageConfig, section="exoplanets/vetting/permuted_control"):
    """The negative control."""

    seed: int = 8


@dg.asset(
    key=["exoplanets", "vetting", "permuted_control"],
    group_name="exoplanets",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins={name: asset_in(name) for name in ("candidates", "curves", "splits")},
)
def permuted_control(
    config: Control, candidates: Arrays, curves: Arrays, splits: Arrays
) -> dg.Output[dict[str, Any]]:
    """The vetting model trained on permuted labels: it must score as chance."""
    result = judging.control(candidates, curves, splits, seed=config.seed)
    return dg.Output(result, metadata=result)


@dg.asset(
    key=["exoplanets", "comparison"],
    group_name="exoplanets",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins={
        **{model: asset_in(model, "evaluation") for model in MODELS},
        "cross_validation": asset_in("vetting", "cross_validation"),
        "control": asset_in("vetting", "permuted_control"),
    },
)
def comparison(
    cross_validation: dict[str, Any], control: dict[str, Any], **evaluations: Any
) -> dg.Output[dict[str, Any]]:
    """All five models beside the published four."""
    evaluations = {model: evaluations[model] for model in MODELS}  # in the order of the study
    table = summary.comparison(evaluations, cross_validation, control)
    shown = picture(summary.comparison_picture(evaluations))
    return dg.Output(table, metadata={"average precision": shown})


@dg.asset(
    key=["exoplanets", "report"],
    group_name="exoplanets",
    tags={"stage": "evaluation"},
    io_manager_key="folders",
    ins={
        "comparison": asset_in("comparison"),
        "proof": asset_in("transit_search"),
        "curves": asset_in("curves"),
        "spectra": asset_in("spectra"),
        **{
            f"{model}__{name}": asset_in(model, name)
            for model in MODELS
            for name in ("evaluation", "predictions", *(["history"] if model in NETWORKS else []))
        },
    },
)
def report(
    comparison: dict[str, Any],
    proof: dict[str, Any],
    curves: Arrays,
    spectra: Arrays,
    **results: Any,
) -> dict[str, bytes]:
    """The report of all models with the study's plots, in HTML and Markdown."""
    models: dict[str, dict[str, Any]] = {model: {} for model in MODELS}
    for key, value in results.items():
        model, _, name = key.partition("__")
        models[model][name] = value
    return summary.report(comparison, proof, curves, spectra, models).as_files()

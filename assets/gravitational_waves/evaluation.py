"""How good the models are on images that nothing was learnt from or tuned on."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.gravitational_waves.inputs import MODELS, NETWORKS, asset_in, fitted_of, inputs_of
from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import StageConfig
from assets.wiring import judged_outputs, outs
from models.arrays import Arrays
from models.gravitational_waves import judging, summary
from models.sampling import TEST, TRAIN, VALIDATION, rows_of


class Evaluation(StageConfig, section="gravitational_waves/*/evaluation"):
    """How intervals are made."""

    resamples: int = Field(1000, ge=100)
    seed: int = 6


def evaluation_assets(model: str) -> dg.AssetsDefinition:
    """Predictions, evaluation and the list of chirps of one model."""
    history = {"history": asset_in(model, "history")} if model in NETWORKS else {}

    @dg.multi_asset(
        name=f"gravitational_waves_{model}_evaluation",
        group_name="gravitational_waves",
        outs=outs(
            "evaluation",
            "gravitational_waves",
            model,
            predictions=("tables", f"Validation and test scores by the {model} model."),
            evaluation=("json", f"The {model} model on the test images, with intervals."),
            chirps=("tables", f"The images that the {model} model takes for chirps."),
        ),
        ins={
            "fitted": fitted_of(model),
            "threshold": asset_in(model, "threshold"),
            **{name: asset_in(name) for name in ("trials", "scaling")},
            **history,
            **inputs_of(model),
        },
    )
    def evaluated(
        config: Evaluation,
        tracking: Tracking,
        fitted: Any,
        threshold: dict[str, Any],
        trials: Arrays,
        scaling: dict[str, Any],
        **features: Any,
    ) -> tuple[dg.Output[Any], dg.Output[Any], dg.Output[Any]]:
        cut, classes = threshold["value"], features["classes"]
        table = judging.predictions(model, fitted, features, [VALIDATION, TEST], cut)
        judged = judging.judge(model, table, cut, classes, **config.model_dump())
        judged["by_snr"] = judging.efficiency(model, fitted, trials, features, scaling, cut)
        drawn = summary.pictures(model, table, judged, features.get("history"))
        found = judging.chirps(table)
        first = {"first": ", ".join(found["id"][:20])}
        return (
            *judged_outputs(tracking, "gravitational_waves", model, table, judged, drawn),
            dg.Output(found, output_name="chirps", metadata=first),
        )

    return evaluated


evaluations = [evaluation_assets(model) for model in MODELS]


@dg.asset(
    key=["gravitational_waves", "comparison"],
    group_name="gravitational_waves",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins={
        **{model: asset_in(model, "evaluation") for model in MODELS},
        **{
            f"{model}__{name}": asset_in(model, name)
            for model in (summary.DEEP, summary.UPGRADE)
            for name in ("architecture", "history")
        },
        **{name: asset_in(name) for name in ("splits", "injections")},
    },
)
def comparison(splits: Arrays, injections: Arrays, **loaded: Any) -> dg.Output[dict[str, Any]]:
    """All six models beside the published two, the study's finding, and the upgrade's cost."""
    learnt = len(rows_of(splits, TRAIN))
    extra = {summary.DEEP: 0, summary.UPGRADE: len(injections["image"])}
    costs = {
        model: summary.training_cost(
            loaded[f"{model}__architecture"], loaded[f"{model}__history"]["epochs"], learnt + more
        )
        for model, more in extra.items()
    }
    evaluations = {model: loaded[model] for model in MODELS}
    table = summary.comparison(evaluations, costs)
    shown = picture(summary.comparison_picture(evaluations))
    return dg.Output(table, metadata={"average precision": shown, "notes": table["notes"]})


@dg.asset(
    key=["gravitational_waves", "report"],
    group_name="gravitational_waves",
    tags={"stage": "evaluation"},
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
def report(comparison: dict[str, Any], images: Arrays, **results: Any) -> dict[str, bytes]:
    """The report of all models with curves and the chirps found, in HTML and Markdown."""
    models: dict[str, dict[str, Any]] = {model: {} for model in MODELS}
    for key, value in results.items():
        model, _, name = key.partition("__")
        models[model][name] = value
    return summary.report(comparison, models, images).as_files()

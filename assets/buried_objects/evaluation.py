"""How good the models are on scans that nothing was learnt from or tuned on."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.buried_objects.inputs import MODELS, PROJECTED, RESULTS, SCANS, asset_in
from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import StageConfig
from assets.wiring import judged_outputs, outs
from models.arrays import Arrays
from models.buried_objects import judging, summary
from models.buried_objects.fitting import score_scans
from models.buried_objects.published import results
from models.sampling import TEST


class Evaluation(StageConfig, section="buried_objects/*/evaluation"):
    """How intervals are made."""

    resamples: int = Field(1000, ge=100)
    seed: int = 6


def evaluation_outs(*path: str) -> dict[str, dg.AssetOut]:
    """Predictions and evaluation, of the networks or of the upgrade."""
    return outs(
        "evaluation",
        "buried_objects",
        *path,
        predictions=("tables", "Score of every trace of the test scans, smoothed, and flagged."),
        evaluation=("json", "Measures on the test scans, with intervals by scan."),
    )


def judged(
    config: Evaluation,
    tracking: Tracking,
    title: str,
    loaded: tuple[Any, dict[str, Any], dict[str, Any]],
    features: dict[str, Arrays],
    published: dict[str, float] | None = None,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Judge a model: ``loaded`` are network, decision and history."""
    network, decision, history = loaded
    table = judging.predictions(features["labels"], *score_scans(network, features, TEST), decision)
    settings = config.model_dump()
    found = judging.judge(
        table, decision, features["windows"], TEST, published=published, **settings
    )
    drawn = summary.pictures(title, table, found, features["scans"], history)
    return judged_outputs(tracking, "buried_objects", title, table, found, drawn)


@dg.multi_asset(
    name="buried_objects_evaluation",
    group_name="buried_objects",
    partitions_def=MODELS,
    outs=evaluation_outs(),
    ins={**{name: asset_in(name) for name in ("network", "threshold", "history")}, **SCANS},
)
def evaluation(
    context: dg.AssetExecutionContext,
    config: Evaluation,
    tracking: Tracking,
    network: Any,
    threshold: dict[str, Any],
    history: dict[str, Any],
    **features: Arrays,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Judge one of the study's networks, beside what the study published for it."""
    name = context.partition_key
    return judged(config, tracking, name, (network, threshold, history), features, results(name))


@dg.multi_asset(
    name="buried_objects_upgrade_evaluation",
    group_name="buried_objects",
    outs=evaluation_outs("upgrade"),
    ins={
        **{name: asset_in("upgrade", name) for name in ("network", "threshold", "history")},
        **PROJECTED,
        "scans": asset_in("scans"),
    },
)
def upgrade_evaluation(
    config: Evaluation,
    tracking: Tracking,
    network: Any,
    threshold: dict[str, Any],
    history: dict[str, Any],
    **features: Arrays,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Judge the upgrade on the same test scans."""
    return judged(config, tracking, "upgrade", (network, threshold, history), features)


@dg.asset(
    key=["buried_objects", "comparison"],
    group_name="buried_objects",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins={
        "order_study": asset_in("order_study"),
        **RESULTS,
        **{f"upgrade_{name}": asset_in("upgrade", name) for name in RESULTS},
        "traces": asset_in("upgrade", "predictions"),
    },
)
def comparison(
    order_study: dict[str, Any], traces: Any, **results: Any
) -> dg.Output[dict[str, Any]]:
    """All networks and the upgrade beside the published results, and the study's question."""
    models = by_model(results)
    costs = {
        name: summary.training_cost(parts["architecture"], parts["history"])
        for name, parts in models.items()
    }
    table = summary.comparison(
        results["evaluation"], results["upgrade_evaluation"], costs, order_study, traces
    )
    ranked = summary.comparison_picture(results["evaluation"], results["upgrade_evaluation"])
    shown = {"F1": picture(ranked), "order": picture(summary.order_picture(order_study))}
    return dg.Output(table, metadata=shown | {"notes": table["notes"]})


@dg.asset(
    key=["buried_objects", "report"],
    group_name="buried_objects",
    tags={"stage": "evaluation"},
    io_manager_key="folders",
    ins={
        **{name: asset_in(name) for name in ("comparison", "order_study", "scans", "predictions")},
        **RESULTS,
        **{f"upgrade_{name}": asset_in("upgrade", name) for name in ("predictions", *RESULTS)},
    },
)
def report(
    comparison: dict[str, Any], order_study: dict[str, Any], scans: Arrays, **results: Any
) -> dict[str, bytes]:
    """The report of all models with B-scans, curves and the study's question."""
    return summary.report(comparison, order_study, by_model(results), scans).as_files()


def by_model(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sort what was loaded by model, the upgrade last."""
    parts = [name for name in results if not name.startswith("upgrade_")]
    names = [*results["evaluation"], summary.UPGRADE]
    return {
        model: {
            part: results[f"upgrade_{part}"] if model == summary.UPGRADE else results[part][model]
            for part in parts
        }
        for model in names
    }

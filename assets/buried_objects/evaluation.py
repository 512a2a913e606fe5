"""Evaluation on the test scans; comparison and report."""

from typing import Any

import dagster as dg

from assets.buried_objects.inputs import MODELS, PROJECTED, RESULTS, SCANS, asset_in
from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import Intervals
from assets.wiring import evaluation_outputs, together
from models.architectures import training_cost
from models.arrays import Arrays
from models.buried_objects import report as reports
from models.buried_objects.evaluation import evaluate_predictions, predictions
from models.buried_objects.published import results as published_results
from models.buried_objects.training import score_scans
from models.evaluation import Evaluation
from models.reporting import ModelResults
from models.sampling import TEST
from models.training import Network
from models.types import JsonDict


class EvaluationConfig(Intervals, section="buried_objects/*_evaluation"):
    """How the intervals are made."""


def results_of(*model: str, ins: dict[str, dg.AssetIn]) -> dict[str, Any]:
    """Predictions and evaluation, of the networks or of the upgrade."""
    return together(
        "buried_objects",
        *model,
        ins={**{name: asset_in(*model, name) for name in ("network", "threshold")}, **ins},
        predictions=(
            "tables",
            "Score of every trace of the test scans, smoothed, and flagged.\n\n"
            "- `row`, `scan`, `trace`, `label`: as in `labels`\n"
            "- `score`, `smoothed`: probability of an object below, before and after smoothing\n"
            "- `flagged`: whether it is decided to lie over one",
        ),
        evaluation=("json", "Metrics on the test scans, with intervals by scan."),
    )


def evaluated(
    config: EvaluationConfig,
    tracking: Tracking,
    title: str,
    network: Network,
    decision: JsonDict,
    features: dict[str, Arrays],
    published: dict[str, float] | None = None,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate a model."""
    scored = score_scans(network, features, TEST)
    table = predictions(features["labels"], *scored, decision)
    result = evaluate_predictions(
        table, decision, features["windows"], TEST, published=published, **config.model_dump()
    )
    return evaluation_outputs(tracking, "buried_objects", title, table, result)


@dg.multi_asset(
    name="buried_objects_evaluation",
    partitions_def=MODELS,
    **results_of(ins=SCANS),
)
def evaluation(
    context: dg.AssetExecutionContext,
    config: EvaluationConfig,
    tracking: Tracking,
    network: Any,
    threshold: JsonDict,
    **features: Arrays,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate one of the study's networks, beside the study's figures for it."""
    name = context.partition_key
    return evaluated(config, tracking, name, network, threshold, features, published_results(name))


@dg.multi_asset(
    name="buried_objects_upgrade_evaluation",
    **results_of("upgrade", ins={**PROJECTED, "scans": asset_in("scans")}),
)
def upgrade_evaluation(
    config: EvaluationConfig,
    tracking: Tracking,
    network: Any,
    threshold: JsonDict,
    **features: Arrays,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate the upgrade on the same test scans."""
    return evaluated(config, tracking, "upgrade", network, threshold, features)


@dg.asset(
    key=["buried_objects", "comparison"],
    io_manager_key="json",
    ins={
        "order_study": asset_in("order_study"),
        **RESULTS,
        **{f"upgrade_{name}": asset_in("upgrade", name) for name in RESULTS},
        "traces": asset_in("upgrade", "predictions"),
    },
)
def comparison(order_study: JsonDict, traces: Any, **results: Any) -> dg.Output[JsonDict]:
    """All networks and the upgrade beside the published results, and the study's question."""
    architectures, evaluations, histories = (by_model(results, name) for name in RESULTS)
    costs = {
        name: training_cost(network, 1, histories[name]["seen"])
        for name, network in architectures.items()
    }
    metrics = {name: Evaluation.from_dict(stored) for name, stored in evaluations.items()}
    table = reports.comparison(metrics, costs, order_study, traces)
    ranked = reports.comparison_picture(metrics)
    metadata = {"F1": picture(ranked), "order": picture(reports.order_picture(order_study))}
    return dg.Output(table, metadata=metadata | {"notes": table["notes"]})


@dg.asset(
    key=["buried_objects", "report"],
    io_manager_key="folders",
    ins={
        **{name: asset_in(name) for name in ("comparison", "order_study", "scans", "predictions")},
        **RESULTS,
        **{f"upgrade_{name}": asset_in("upgrade", name) for name in ("predictions", *RESULTS)},
    },
)
def report(
    comparison: JsonDict, order_study: JsonDict, scans: Arrays, **results: Any
) -> dict[str, bytes]:
    """The report of all models with B-scans, curves and the study's question."""
    architectures, evaluations, histories = (by_model(results, name) for name in RESULTS)
    tables = by_model(results, "predictions")
    models = {
        name: ModelResults(Evaluation.from_dict(stored), tables[name], histories[name])
        for name, stored in evaluations.items()
    }
    return reports.report(comparison, order_study, models, architectures, scans).as_files()


def by_model(results: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one kind of result of all models, the upgrade last."""
    return {**results[name], reports.UPGRADE: results[f"upgrade_{name}"]}

"""Evaluation on the test scans; comparison and report."""

from typing import Any

import dagster as dg

from assets.buried_objects.inputs import MODELS, asset_in, of_all, split_in
from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import Intervals
from assets.wiring import evaluation_outputs, together
from models.arrays import Arrays
from models.buried_objects import report as reports
from models.buried_objects.evaluation import evaluate_predictions, predictions
from models.buried_objects.published import results as published_results
from models.buried_objects.training import score_scans
from models.buried_objects.windows import places_of
from models.evaluation import Evaluation
from models.training import Network
from models.types import JsonDict


class EvaluationConfig(Intervals, section="buried_objects/*_evaluation"):
    """How the intervals are made."""


def results_of(*model: str, features: str) -> dict[str, Any]:
    """Predictions and evaluation, of the networks or of the upgrade."""
    return together(
        "buried_objects",
        *model,
        ins={
            **{name: asset_in(*model, name) for name in ("network", "threshold")},
            features: split_in(features, splits=["test"]),
        },
        predictions=(
            "tables",
            "Score of every trace of the test scans, smoothed, and flagged.\n\n"
            "- `scan`, `trace`, `label`: as in `labels`\n"
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
    test: Arrays,
    published: dict[str, float] | None = None,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate a model."""
    table = predictions(test, score_scans(network, test), decision)
    result = evaluate_predictions(
        table, decision, places_of(test), published=published, **config.model_dump()
    )
    return evaluation_outputs(tracking, "buried_objects", title, table, result)


@dg.multi_asset(
    name="buried_objects_evaluation",
    partitions_def=MODELS,
    **results_of(features="examples"),
)
def evaluation(
    context: dg.AssetExecutionContext,
    config: EvaluationConfig,
    tracking: Tracking,
    network: Any,
    threshold: JsonDict,
    examples: dict[str, Arrays],
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate one of the study's networks, beside the study's figures for it."""
    name, test = context.partition_key, examples["test"]
    return evaluated(config, tracking, name, network, threshold, test, published_results(name))


@dg.multi_asset(
    name="buried_objects_upgrade_evaluation",
    **results_of("upgrade", features="projected"),
)
def upgrade_evaluation(
    config: EvaluationConfig,
    tracking: Tracking,
    network: Any,
    threshold: JsonDict,
    projected: dict[str, Arrays],
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate the upgrade on the same test scans."""
    return evaluated(config, tracking, "upgrade", network, threshold, projected["test"])


@dg.asset(
    key=["buried_objects", "comparison"],
    io_manager_key="json",
    ins={"order_study": asset_in("order_study"), **of_all("evaluation", "history")},
)
def comparison(order_study: JsonDict, **results: Any) -> dg.Output[JsonDict]:
    """All networks and the upgrade beside the published results, and the study's question."""
    stored = by_model(results, "evaluation")
    evaluations = {name: Evaluation.from_dict(one) for name, one in stored.items()}
    table = reports.comparison(evaluations, by_model(results, "history"), order_study)
    ranked = reports.comparison_picture(evaluations)
    metadata = {"F1": picture(ranked), "order": picture(reports.order_picture(order_study))}
    return dg.Output(table, metadata=metadata | {"notes": table["notes"]})


@dg.asset(
    key=["buried_objects", "report"],
    io_manager_key="folders",
    ins={
        "comparison": asset_in("comparison"),
        "examples": split_in("examples", splits=["test"]),
        **of_all("predictions", "history"),
    },
)
def report(comparison: JsonDict, examples: dict[str, Arrays], **results: Any) -> dict[str, bytes]:
    """The report of all models with B-scans, curves and the study's question."""
    tables, histories = (by_model(results, name) for name in ("predictions", "history"))
    return reports.report(comparison, tables, histories, examples["test"]).as_files()


def by_model(results: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one kind of result of all models, the upgrade last."""
    return {**results[name], reports.UPGRADE: results[f"upgrade_{name}"]}

"""Evaluation on the test regions and by a control; comparison and report."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.metadata import evaluation_metadata, picture
from assets.resources import Tracking
from assets.settings import Intervals, StageConfig
from assets.solar_flares.inputs import (
    MODELS,
    asset_in,
    chosen,
    features_in,
    split_in,
    statistics_in,
)
from assets.wiring import evaluation_outputs, together
from models.arrays import Arrays
from models.sampling import SPLITS
from models.solar_flares import evaluation as evaluations
from models.solar_flares import report as reports
from models.solar_flares.published import RESULTS
from models.solar_flares.training import score_network, score_upgrade
from models.types import JsonDict


class EvaluationConfig(Intervals, section="solar_flares/*_evaluation"):
    """How the intervals are made."""


def results_of(*model: str, ins: dict[str, dg.AssetIn]) -> dict[str, Any]:
    """Predictions and evaluation, of the networks or of the upgrade."""
    return together(
        "solar_flares",
        *model,
        ins={"threshold": asset_in(*model, "threshold"), **ins},
        predictions=(
            "tables",
            "Score of every test example, with its active region.\n\n"
            "- `id`, `region`, `label`: as in `records`\n"
            "- `score`: probability of a flare; `flagged`: whether it reaches the threshold",
        ),
        evaluation=("json", "Measures on the test regions, with intervals by region."),
    )


@dg.multi_asset(
    name="solar_flares_evaluation",
    partitions_def=MODELS,
    **results_of(ins={"network": asset_in("network"), **features_in("test")}),
)
def evaluation(
    context: dg.AssetExecutionContext,
    config: EvaluationConfig,
    tracking: Tracking,
    network: Any,
    threshold: JsonDict,
    features: dict[str, Arrays],
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate one architecture in one setting, beside the study's figures for it."""
    name, setting = chosen(context)
    title, value = f"{name} {setting}", threshold["value"]
    table = evaluations.predictions(*score_network(network, features["test"]), value)
    result = evaluations.evaluate_predictions(
        table, value, config.resamples, config.seed, RESULTS[name].get(setting)
    )
    return evaluation_outputs(tracking, "solar_flares", title, table, result)


@dg.multi_asset(
    name="solar_flares_upgrade_evaluation",
    **results_of(
        "upgrade", ins={"estimator": asset_in("upgrade", "estimator"), **statistics_in("test")}
    ),
)
def upgrade_evaluation(
    config: EvaluationConfig,
    tracking: Tracking,
    estimator: Any,
    threshold: JsonDict,
    statistics: dict[str, Arrays],
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate the upgrade on the same test regions."""
    value = threshold["value"]
    table = evaluations.predictions(*score_upgrade(estimator, statistics["test"]), value)
    result = evaluations.evaluate_predictions(table, value, config.resamples, config.seed)
    return evaluation_outputs(tracking, "solar_flares", "upgrade", table, result)


class Control(StageConfig, section="solar_flares/upgrade_leaky_control"):
    """The negative control."""

    seed: int = Field(8, description="of the random split and of the fit")


@dg.asset(
    key=["solar_flares", "upgrade_leaky_control"],
    io_manager_key="json",
    ins=statistics_in(*SPLITS),
)
def leaky_control(config: Control, statistics: dict[str, Arrays]) -> dg.Output[JsonDict]:
    """LEAKY on purpose: the upgrade, with records split at random across active regions."""
    result = evaluations.leaky_control(statistics, seed=config.seed)
    metadata = {"note": result.details["note"]} | evaluation_metadata(result)
    return dg.Output(result.to_dict(), metadata=metadata)


@dg.asset(
    key=["solar_flares", "comparison"],
    io_manager_key="json",
    ins={
        "networks": asset_in("evaluation"),
        "upgrade": asset_in("upgrade", "evaluation"),
        "leaky": asset_in("upgrade", "leaky_control"),
        "chance": asset_in("chance"),
    },
)
def comparison(
    networks: JsonDict, upgrade: JsonDict, leaky: JsonDict, chance: JsonDict
) -> dg.Output[JsonDict]:
    """All 21 networks and the upgrade beside the published results."""
    table = reports.comparison(networks, upgrade, leaky, chance)
    return dg.Output(table, metadata={"TSS": picture(reports.comparison_picture(table))})


@dg.asset(
    key=["solar_flares", "report"],
    io_manager_key="folders",
    ins={
        "comparison": asset_in("comparison"),
        "architectures": asset_in("architecture"),
        "histories": asset_in("history"),
        "predictions": asset_in("upgrade", "predictions"),
        "sequences": split_in("sequences", splits=["test"]),
    },
)
def report(
    comparison: JsonDict,
    architectures: JsonDict,
    histories: JsonDict,
    predictions: Any,
    sequences: dict[str, Arrays],
) -> dict[str, bytes]:
    """The report of all models with curves and reliability, in HTML and Markdown."""
    return reports.report(
        comparison, architectures, histories, predictions, sequences["test"]
    ).as_files()

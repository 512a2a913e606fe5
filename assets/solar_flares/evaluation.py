"""Evaluation on the test regions and by a control; comparison and report."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.metadata import evaluation_metadata, picture
from assets.resources import Tracking
from assets.settings import Intervals, StageConfig
from assets.solar_flares.inputs import EXAMPLES, MODELS, STATISTICS, asset_in, chosen
from assets.wiring import evaluation_outputs, together
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.sampling import TEST
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
    **results_of(ins={"network": asset_in("network"), **EXAMPLES}),
)
def evaluation(
    context: dg.AssetExecutionContext,
    config: EvaluationConfig,
    tracking: Tracking,
    network: Any,
    threshold: JsonDict,
    **features: Arrays,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate one architecture in one setting, beside the study's figures for it."""
    name, setting = chosen(context)
    title, value = f"{name} {setting}", threshold["value"]
    scored = score_network(network, features, TEST)
    table = evaluations.predictions(features["records"], *scored, value)
    result = evaluations.evaluate_predictions(
        table, value, config.resamples, config.seed, RESULTS[name].get(setting)
    )
    return evaluation_outputs(tracking, "solar_flares", title, table, result)


@dg.multi_asset(
    name="solar_flares_upgrade_evaluation",
    **results_of("upgrade", ins={"estimator": asset_in("upgrade", "estimator"), **STATISTICS}),
)
def upgrade_evaluation(
    config: EvaluationConfig,
    tracking: Tracking,
    estimator: Any,
    threshold: JsonDict,
    **features: Arrays,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Evaluate the upgrade on the same test regions."""
    value = threshold["value"]
    scored = score_upgrade(estimator, features, TEST)
    table = evaluations.predictions(features["records"], *scored, value)
    result = evaluations.evaluate_predictions(table, value, config.resamples, config.seed)
    return evaluation_outputs(tracking, "solar_flares", "upgrade", table, result)


class Control(StageConfig, section="solar_flares/upgrade_leaky_control"):
    """The negative control."""

    seed: int = Field(8, description="of the random split and of the fit")


@dg.asset(
    key=["solar_flares", "upgrade_leaky_control"],
    io_manager_key="json",
    ins=STATISTICS,
)
def leaky_control(config: Control, **features: Arrays) -> dg.Output[JsonDict]:
    """LEAKY on purpose: the upgrade, with records split at random across active regions."""
    result = evaluations.leaky_control(features, seed=config.seed)
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
    results = {name: Evaluation.from_dict(stored) for name, stored in networks.items()}
    ours, control = Evaluation.from_dict(upgrade), Evaluation.from_dict(leaky)
    table = reports.comparison(results, ours, control, chance)
    drawn = picture(reports.comparison_picture(results, ours))
    return dg.Output(table, metadata={"TSS": drawn})


@dg.asset(
    key=["solar_flares", "report"],
    io_manager_key="folders",
    ins={
        "comparison": asset_in("comparison"),
        "chance": asset_in("chance"),
        "architectures": asset_in("architecture"),
        "network_evaluations": asset_in("evaluation"),
        "histories": asset_in("history"),
        "predictions": asset_in("upgrade", "predictions"),
        "upgrade": asset_in("upgrade", "evaluation"),
        **{name: asset_in(name) for name in ("records", "sequences")},
    },
)
def report(
    comparison: JsonDict,
    chance: JsonDict,
    architectures: JsonDict,
    network_evaluations: JsonDict,
    histories: JsonDict,
    predictions: Any,
    upgrade: JsonDict,
    **data: Arrays,
) -> dict[str, bytes]:
    """The report of all models with curves and reliability, in HTML and Markdown."""
    networks = {
        name: (Evaluation.from_dict(stored), histories[name])
        for name, stored in network_evaluations.items()
    }
    ours = (predictions, Evaluation.from_dict(upgrade))
    return reports.report(comparison, chance, architectures, networks, ours, data).as_files()

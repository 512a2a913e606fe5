"""How good the models are on active regions that nothing was learnt from or tuned on."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.metadata import measures, picture
from assets.resources import Tracking
from assets.settings import StageConfig
from assets.solar_flares.inputs import EXAMPLES, MODELS, STATISTICS, asset_in, chosen
from assets.wiring import judged_outputs, outs
from models.arrays import Arrays
from models.sampling import TEST
from models.solar_flares import judging, summary
from models.solar_flares.fitting import score_network, score_upgrade
from models.solar_flares.published import RESULTS


class Evaluation(StageConfig, section="solar_flares/*/evaluation"):
    """How intervals are made."""

    resamples: int = Field(1000, ge=100)
    seed: int = 6


def evaluation_outs(*path: str) -> dict[str, dg.AssetOut]:
    """Predictions and evaluation, of the networks or of the upgrade."""
    return outs(
        "evaluation",
        "solar_flares",
        *path,
        predictions=("tables", "Score of every test example, with its active region."),
        evaluation=("json", "Measures on the test regions, with intervals by region."),
    )


@dg.multi_asset(
    name="solar_flares_evaluation",
    group_name="solar_flares",
    partitions_def=MODELS,
    outs=evaluation_outs(),
    ins={
        "network": asset_in("network"),
        "threshold": asset_in("threshold"),
        "history": asset_in("history"),
        **EXAMPLES,
    },
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
    """Judge one architecture in one setting, beside what the study published for it."""
    name, setting = chosen(context)
    cut = threshold["value"]
    table = summary.predictions(features["records"], *score_network(network, features, TEST), cut)
    published = RESULTS[name].get(setting)
    judged = summary.judge(table, cut, config.resamples, config.seed, published)
    title = f"{name} {setting}"
    drawn = summary.pictures(title, table, judged, history)
    return judged_outputs(tracking, "solar_flares", title, table, judged, drawn)


@dg.multi_asset(
    name="solar_flares_upgrade_evaluation",
    group_name="solar_flares",
    outs=evaluation_outs("upgrade"),
    ins={
        "estimator": asset_in("upgrade", "estimator"),
        "threshold": asset_in("upgrade", "threshold"),
        **STATISTICS,
    },
)
def upgrade_evaluation(
    config: Evaluation,
    tracking: Tracking,
    estimator: Any,
    threshold: dict[str, Any],
    **features: Arrays,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Judge the upgrade on the same test regions."""
    cut = threshold["value"]
    table = summary.predictions(features["records"], *score_upgrade(estimator, features, TEST), cut)
    judged = summary.judge(table, cut, config.resamples, config.seed)
    drawn = summary.pictures("upgrade", table, judged)
    return judged_outputs(tracking, "solar_flares", "upgrade", table, judged, drawn)


class Control(StageConfig, section="solar_flares/upgrade/leaky_control"):
    """The negative control."""

    seed: int = 8


@dg.asset(
    key=["solar_flares", "upgrade", "leaky_control"],
    group_name="solar_flares",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins=STATISTICS,
)
def leaky_control(config: Control, **features: Arrays) -> dg.Output[dict[str, Any]]:
    """LEAKY on purpose: the upgrade, with records split at random across active regions."""
    result = judging.leaky_control(features, seed=config.seed)
    return dg.Output(result, metadata={"note": result["note"]} | measures(result))


@dg.asset(
    key=["solar_flares", "comparison"],
    group_name="solar_flares",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins={
        "networks": asset_in("evaluation"),
        "upgrade": asset_in("upgrade", "evaluation"),
        "leaky": asset_in("upgrade", "leaky_control"),
        "chance": asset_in("chance"),
    },
)
def comparison(
    networks: dict[str, Any], upgrade: dict[str, Any], leaky: dict[str, Any], chance: dict[str, Any]
) -> dg.Output[dict[str, Any]]:
    """All 21 networks and the upgrade beside the published results."""
    table = summary.comparison(networks, upgrade, leaky, chance)
    return dg.Output(
        table, metadata={"TSS": picture(summary.comparison_picture(networks, upgrade))}
    )


@dg.asset(
    key=["solar_flares", "report"],
    group_name="solar_flares",
    tags={"stage": "evaluation"},
    io_manager_key="folders",
    ins={
        "comparison": asset_in("comparison"),
        "chance": asset_in("chance"),
        "architectures": asset_in("architecture"),
        "evaluations": asset_in("evaluation"),
        "histories": asset_in("history"),
        "predictions": asset_in("upgrade", "predictions"),
        "upgrade": asset_in("upgrade", "evaluation"),
        **{name: asset_in(name) for name in ("records", "sequences")},
    },
)
def report(
    comparison: dict[str, Any],
    chance: dict[str, Any],
    architectures: dict[str, Any],
    evaluations: dict[str, Any],
    histories: dict[str, Any],
    predictions: Any,
    upgrade: dict[str, Any],
    **data: Arrays,
) -> dict[str, bytes]:
    """The report of all models with curves and reliability, in HTML and Markdown."""
    networks = {
        name: {"evaluation": judged, "history": histories[name]}
        for name, judged in evaluations.items()
    }
    return summary.report(
        comparison, chance, architectures, networks, (predictions, upgrade), data
    ).as_files()

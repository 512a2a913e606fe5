"""The seven networks in three settings each, trained, and the upgrade beside them."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.resources import Tracking
from assets.settings import StageConfig, by_profile
from assets.solar_flares.inputs import (
    ARCHITECTURES,
    MODELS,
    Form,
    asset_in,
    chosen,
    features_in,
    statistics_in,
)
from assets.wiring import estimator_output, together, training_outputs
from models.architectures import counts_of
from models.arrays import Arrays
from models.solar_flares.networks import SETTINGS, Setting
from models.solar_flares.training import describe, fit_network, fit_upgrade
from models.solar_flares.upgrade import chosen_name
from models.types import JsonDict


@dg.asset(
    key=["solar_flares", "architecture"],
    io_manager_key="json",
    partitions_def=ARCHITECTURES,
)
def architecture(context: dg.AssetExecutionContext, config: Form) -> dg.Output[JsonDict]:
    """A network as data: layers, shapes, parameter counts beside the published ones."""
    network = describe(context.partition_key, config.form)
    return dg.Output(network, metadata=counts_of(network) | {"form": config.form})


class Training(StageConfig, section="solar_flares/network"):
    """The share of the published training that is run."""

    steps_share: float = Field(
        by_profile(quick=0.1, published=1.0), gt=0, le=1, description="of the steps of an epoch"
    )
    epochs_share: float = Field(
        by_profile(quick=0.3, published=1.0), gt=0, le=1, description="of the epochs"
    )
    seed: int = Field(3, description="of the weights and of the order of the examples")

    def setting(self, name: str) -> Setting:
        """One of the published settings, its length scaled."""
        published = SETTINGS[name]
        return Setting(
            max(1, round(published.steps_per_epoch * self.steps_share)),
            max(1, round(published.epochs * self.epochs_share)),
            max(1, round(published.validation_steps * self.steps_share)),
            published.flare_weight,
        )


@dg.multi_asset(
    name="solar_flares_training",
    partitions_def=MODELS,
    **together(
        "solar_flares",
        ins={"architecture": asset_in("architecture"), **features_in("train", "validation")},
        network=("networks", "A trained network: one architecture in one setting."),
        history=("json", "Loss, accuracy and recall by epoch."),
    ),
)
def training(
    context: dg.AssetExecutionContext,
    config: Training,
    tracking: Tracking,
    architecture: JsonDict,
    features: dict[str, Arrays],
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Train one architecture in one of the three published settings."""
    name, setting = chosen(context)
    scaled = config.setting(setting)
    result = fit_network(
        architecture, scaled, features["train"], features["validation"], seed=config.seed
    )
    settings = {"architecture": name, "setting": setting, **vars(scaled), **config.model_dump()}
    return training_outputs(tracking, "solar_flares", f"{name} {setting}", settings, result)


class Upgrade(StageConfig, section="solar_flares/upgrade_estimator"):
    """The calibrated classifier over window statistics."""

    seed: int = Field(4, description="of the candidates' fits and of their folds")


@dg.asset(
    key=["solar_flares", "upgrade_estimator"],
    io_manager_key="estimators",
    ins=statistics_in("train"),
)
def upgrade_training(
    config: Upgrade, tracking: Tracking, statistics: dict[str, Arrays]
) -> dg.Output[Any]:
    """Beyond the study: a classifier of window statistics, chosen and calibrated by region."""
    estimator = fit_upgrade(statistics["train"], seed=config.seed)
    settings = {"seed": config.seed, "chosen": chosen_name(estimator)}
    return estimator_output(tracking, "solar_flares", "upgrade", settings, estimator)

"""The five families, trained, and the upgrade beside them."""

from collections.abc import Callable
from typing import Any

import dagster as dg
from pydantic import Field

from assets.gravitational_waves.inputs import NETWORKS, asset_in, features_in
from assets.resources import Tracking
from assets.settings import StageConfig, by_profile
from assets.wiring import estimator_output, together, training_outputs
from models.architectures import architecture_with_cost, counts_of
from models.arrays import Arrays
from models.gravitational_waves import networks, upgrade
from models.gravitational_waves.published import MILLISECONDS
from models.gravitational_waves.training import fit_gan, fit_network, fit_svc
from models.training import TrainingResult
from models.types import JsonDict


def architecture_asset(model: str) -> dg.AssetsDefinition:
    """The asset that stores a network's configuration: training depends on it, not on code."""

    @dg.asset(
        key=["gravitational_waves", f"{model}_architecture"],
        io_manager_key="json",
        description=f"The {model} network as data: layers, shapes, parameters, multiplications.",
        ins={"classes": asset_in("classes")},
    )
    def described(classes: JsonDict) -> dg.Output[JsonDict]:
        count = len(classes["names"])
        if model == "upgrade":
            network = architecture_with_cost(upgrade.network(count))
        else:
            network = networks.describe(model, count if classes["task"] == "classes" else 0)
        return dg.Output(network, metadata=counts_of(network))

    return described


EPOCHS = "passes over the training images at most"
PATIENCE = "epochs without a better validation loss before it stops; 0: never"


class Training(StageConfig):
    """How a network is trained."""

    epochs: int = Field(by_profile(quick=8, published=30), gt=0, description=EPOCHS)
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    batch: int = Field(32, gt=0, description="images in a batch")
    patience: int = Field(0, ge=0, description=PATIENCE)
    seed: int = Field(3, description="of the weights, the dropout and the order of the images")


class ShallowCnn(Training, section="gravitational_waves/shallow_cnn_network"):
    """5 epochs, as published."""

    epochs: int = Field(5, gt=0, description=EPOCHS)


class DeepCnn(Training, section="gravitational_waves/deep_cnn_network"):
    """Up to 30 epochs, stopped early, as published."""

    epochs: int = Field(by_profile(quick=12, published=30), gt=0, description=EPOCHS)
    patience: int = Field(by_profile(quick=4, published=5), ge=0, description=PATIENCE)


class Recurrent(Training, section="gravitational_waves/recurrent_network"):
    """Batches half of chirps, so an epoch sees about twice as many images."""

    epochs: int = Field(by_profile(quick=10, published=20), gt=0, description=EPOCHS)


class Gan(Training, section="gravitational_waves/gan_network"):
    """As the recurrent network; the generator is trained along with it."""

    epochs: int = Field(by_profile(quick=8, published=20), gt=0, description=EPOCHS)


class Upgrade(Training, section="gravitational_waves/upgrade_network"):
    """Every class, with injected chirps."""

    epochs: int = Field(by_profile(quick=12, published=20), gt=0, description=EPOCHS)


def network_asset(
    model: str, Settings: type[Training], fit: Callable[..., TrainingResult]
) -> dg.AssetsDefinition:
    """The asset pair of a trained network and its history."""
    splits = ("train", "validation", *(["injections"] if model == "upgrade" else []))

    @dg.multi_asset(
        name=f"gravitational_waves_{model}_training",
        **together(
            "gravitational_waves",
            model,
            ins={
                "architecture": asset_in(model, "architecture"),
                "features": features_in(model, *splits),
            },
            network=("networks", f"The trained {model} network."),
            history=("json", f"Loss and accuracy of the {model} network by epoch."),
        ),
    )
    def training(
        config: Settings,  # type: ignore[valid-type]
        tracking: Tracking,
        architecture: JsonDict,
        features: dict[str, Arrays],
    ) -> tuple[dg.Output[Any], dg.Output[Any]]:
        settings: Training = config
        values = settings.model_dump()
        result = fit(model, architecture, *(features[name] for name in splits), **values)
        speed = 1000 / result.history.timing.samples_per_second
        result.metadata["milliseconds per image"] = speed
        if model == "deep_cnn":
            result.metadata["published milliseconds"] = MILLISECONDS
        return training_outputs(tracking, "gravitational_waves", model, values, result)

    return training


class LinearSvc(StageConfig, section="gravitational_waves/linear_svc_estimator"):
    """The linear support-vector classifier."""

    penalty: float = Field(1e-3, gt=0, description="of errors, its C")
    seed: int = Field(4, description="of the order of the images")


@dg.asset(
    key=["gravitational_waves", "linear_svc_estimator"],
    io_manager_key="estimators",
    ins={"pixels": features_in("linear_svc", "train")},
)
def linear_svc(config: LinearSvc, tracking: Tracking, pixels: dict[str, Arrays]) -> dg.Output[Any]:
    """The linear SVC on standardised, pooled pixels."""
    svc = fit_svc(pixels["train"], penalty=config.penalty, seed=config.seed)
    values = config.model_dump()
    return estimator_output(tracking, "gravitational_waves", "linear_svc", values, svc)


architectures = [architecture_asset(model) for model in NETWORKS]
shallow_cnn = network_asset("shallow_cnn", ShallowCnn, fit_network)
deep_cnn = network_asset("deep_cnn", DeepCnn, fit_network)
recurrent = network_asset("recurrent", Recurrent, fit_network)
gan = network_asset("gan", Gan, fit_gan)
upgrade_training = network_asset("upgrade", Upgrade, upgrade.fit_upgrade)

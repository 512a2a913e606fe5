"""The study's networks, trained batch by batch; its question as an experiment; the upgrade."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.buried_objects.inputs import (
    ARCHITECTURES,
    MODELS,
    asset_in,
    split_in,
)
from assets.resources import Tracking
from assets.settings import StageConfig, by_profile
from assets.wiring import together, training_outputs
from models.architectures import counts_of
from models.arrays import Arrays
from models.buried_objects import networks, order, upgrade
from models.buried_objects.features import FEATURES
from models.buried_objects.networks import DESIGNS
from models.buried_objects.training import Settings, fit_network
from models.sampling import SPLITS
from models.types import JsonDict


@dg.asset(
    key=["buried_objects", "architecture"],
    io_manager_key="json",
    partitions_def=ARCHITECTURES,
    ins={"scaling": asset_in("scaling")},
)
def architecture(context: dg.AssetExecutionContext, scaling: JsonDict) -> dg.Output[JsonDict]:
    """A network as data, for the scans' time grid: layers, parameters, multiplications."""
    network = networks.describe(context.partition_key, len(scaling["gain"]))
    return dg.Output(network, metadata=counts_of(network))


class Training(StageConfig, section="buried_objects/network"):
    """How a network is trained on each batch of scans."""

    epochs: int = Field(by_profile(quick=10, published=30), gt=0, description="at most, a batch")
    patience: int = Field(10, gt=0, description="epochs without a better validation loss")
    batch: int = Field(32, gt=0, description="windows of a gradient step")
    seed: int = Field(3, description="of the weights and of the order of the windows")

    def settings(self) -> Settings:
        """The same for `models`."""
        return Settings(self.epochs, self.patience, self.batch, self.seed)


def trained(*model: str, ins: dict[str, dg.AssetIn]) -> dict[str, Any]:
    """Network and history, of the study's networks or of the upgrade."""
    return together(
        "buried_objects",
        *model,
        ins=ins,
        network=("networks", "The trained network."),
        history=(
            "json",
            "Loss and accuracy by epoch, the metrics after each batch of scans, the network's "
            "parameters, and how many windows it was trained on.",
        ),
    )


@dg.multi_asset(
    name="buried_objects_training",
    partitions_def=MODELS,
    **trained(
        ins={
            "architecture": asset_in("architecture", partitions=dg.IdentityPartitionMapping()),
            "examples": split_in("examples", splits=["train", "validation"]),
        }
    ),
)
def training(
    context: dg.AssetExecutionContext,
    config: Training,
    tracking: Tracking,
    architecture: JsonDict,
    examples: dict[str, Arrays],
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Train one of the study's networks on the batches in turn, the last weights kept."""
    training, validation = examples["train"], examples["validation"]
    result = fit_network(architecture, training, validation, config.settings())
    name = context.partition_key
    return training_outputs(tracking, "buried_objects", name, config.model_dump(), result)


class Order(Training, section="buried_objects/order_study"):
    """Which network is trained four times."""

    network: str = Field(
        by_profile(quick="rnn5", published="lstm3"),
        description="the study saw lstm3 and convrnn3 get worse; one of " + ", ".join(DESIGNS),
    )


@dg.asset(
    key=["buried_objects", "order_study"],
    io_manager_key="json",
    ins={"examples": split_in("examples", splits=SPLITS)},
)
def order_study(config: Order, examples: dict[str, Arrays]) -> dg.Output[JsonDict]:
    """Why models get worse as batches arrive: published order, shuffled, weighted, best kept."""
    network = networks.describe(config.network, examples["train"]["ez"].shape[1])
    study = order.study(network, examples, config.settings())
    table = [
        dg.TableRecord({"arm": arm} | {f"after {e['batch']}": str(e["f1"]) for e in entries})
        for arm, entries in study["arms"].items()
    ]
    metadata = {"finding": study["finding"], "F1 at 0.5 on test": dg.MetadataValue.table(table)}
    return dg.Output(study, metadata=metadata)


class Shifts(StageConfig, section="buried_objects/upgrade_architecture"):
    """How the upgrade's training windows are shifted in time."""

    seed: int = Field(5, description="of the shifts")


@dg.asset(
    key=["buried_objects", "upgrade_architecture"],
    io_manager_key="json",
)
def upgrade_architecture(config: Shifts) -> dg.Output[JsonDict]:
    """The upgrade's network as data."""
    network = upgrade.describe(FEATURES, config.seed)
    return dg.Output(network, metadata=counts_of(network))


class Upgrade(Training, section="buried_objects/upgrade_network"):
    """All scans at once: an epoch has as many windows as one on each batch of the study."""

    epochs: int = Field(by_profile(quick=10, published=30), gt=0, description="at most")


@dg.multi_asset(
    name="buried_objects_upgrade_training",
    **trained(
        "upgrade",
        ins={
            "architecture": asset_in("upgrade", "architecture"),
            "projected": split_in("projected", splits=["train", "validation"]),
        },
    ),
)
def upgrade_training(
    config: Upgrade, tracking: Tracking, architecture: JsonDict, projected: dict[str, Arrays]
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Beyond the study: dilated convolutions over projected traces, all scans shuffled."""
    training, validation = projected["train"], projected["validation"]
    result = upgrade.fit_upgrade(architecture, training, validation, config.settings())
    return training_outputs(tracking, "buried_objects", "upgrade", config.model_dump(), result)

"""The study's networks, trained batch by batch, its question put to a test, and the upgrade."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.buried_objects.inputs import (
    ARCHITECTURE,
    ARCHITECTURES,
    MODELS,
    PROJECTED,
    SCANS,
    asset_in,
)
from assets.resources import Tracking
from assets.settings import StageConfig, by_profile
from assets.wiring import outs, trained_outputs
from models.architectures import counts_of
from models.arrays import Arrays
from models.buried_objects import fitting, networks, order, upgrade
from models.buried_objects.networks import DESIGNS


@dg.asset(
    key=["buried_objects", "architecture"],
    group_name="buried_objects",
    tags={"stage": "training"},
    io_manager_key="json",
    partitions_def=ARCHITECTURES,
    ins={"scans": asset_in("scans")},
)
def architecture(context: dg.AssetExecutionContext, scans: Arrays) -> dg.Output[dict[str, Any]]:
    """A network as data, for the scans' time grid: layers, parameters, multiplications."""
    described = networks.described(context.partition_key, scans["ez"].shape[1])
    return dg.Output(described, metadata=counts_of(described))


class Training(StageConfig, section="buried_objects/network"):
    """How a network is trained on each batch of scans."""

    epochs: int = Field(by_profile(quick=10, published=30), gt=0, description="at most, a batch")
    patience: int = Field(10, gt=0, description="epochs without a better validation loss")
    batch: int = Field(32, gt=0, description="windows of a gradient step")
    seed: int = 3

    def settings(self) -> fitting.Training:
        """The same for `models`."""
        return fitting.Training(self.epochs, self.patience, self.batch, self.seed)


def trained_outs(*path: str) -> dict[str, dg.AssetOut]:
    """Network and history, of the study's networks or of the upgrade."""
    return outs(
        "training",
        "buried_objects",
        *path,
        network=("networks", "The trained network."),
        history=("json", "Loss and accuracy by epoch, and what each batch of scans did."),
    )


@dg.multi_asset(
    name="buried_objects_training",
    group_name="buried_objects",
    partitions_def=MODELS,
    outs=trained_outs(),
    ins=ARCHITECTURE | SCANS,
)
def trained(
    context: dg.AssetExecutionContext,
    config: Training,
    tracking: Tracking,
    architecture: dict[str, Any],
    **features: Arrays,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Train one of the study's networks on the batches in turn, the last weights kept."""
    network, turns = fitting.fit_network(architecture, features, config.settings())
    settings = config.model_dump()
    name = context.partition_key
    shown = {"validation F1 after each batch": [part["f1"] for part in turns.parts]}
    return trained_outputs(tracking, "buried_objects", name, settings, network, turns, shown=shown)


class Order(Training, section="buried_objects/order_study"):
    """Which network is trained four times."""

    network: str = Field(
        by_profile(quick="rnn5", published="lstm3"),
        description="the study saw lstm3 and convrnn3 get worse; one of " + ", ".join(DESIGNS),
    )


@dg.asset(
    key=["buried_objects", "order_study"],
    group_name="buried_objects",
    tags={"stage": "training"},
    io_manager_key="json",
    ins=SCANS,
)
def order_study(config: Order, **features: Arrays) -> dg.Output[dict[str, Any]]:
    """Why models get worse as batches arrive: published order, shuffled, weighted, best kept."""
    described = networks.described(config.network, features["scans"]["ez"].shape[1])
    found = order.study(described, features, config.settings())
    table = [
        dg.TableRecord({"arm": arm} | {f"after {e['batch']}": str(e["f1"]) for e in entries})
        for arm, entries in found["arms"].items()
    ]
    shown = {"finding": found["finding"], "F1 at 0.5 on test": dg.MetadataValue.table(table)}
    return dg.Output(found, metadata=shown)


class Moves(StageConfig, section="buried_objects/upgrade/architecture"):
    """How the upgrade's training windows are moved along time."""

    seed: int = 5


@dg.asset(
    key=["buried_objects", "upgrade", "architecture"],
    group_name="buried_objects",
    tags={"stage": "training"},
    io_manager_key="json",
    ins={"projected": asset_in("projected")},
)
def upgrade_architecture(config: Moves, projected: Arrays) -> dg.Output[dict[str, Any]]:
    """The upgrade's network as data."""
    described = upgrade.described(projected["values"].shape[1], config.seed)
    return dg.Output(described, metadata=counts_of(described))


class Upgrade(Training, section="buried_objects/upgrade/network"):
    """All scans at once, so an epoch sees as many windows as one on each batch of the study."""

    epochs: int = Field(by_profile(quick=10, published=30), gt=0)


@dg.multi_asset(
    name="buried_objects_upgrade_training",
    group_name="buried_objects",
    outs=trained_outs("upgrade"),
    ins={"architecture": asset_in("upgrade", "architecture"), **PROJECTED},
)
def upgraded(
    config: Upgrade, tracking: Tracking, architecture: dict[str, Any], **features: Arrays
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Beyond the study: dilated convolutions over projected traces, all scans shuffled."""
    network, history = upgrade.fit(architecture, features, config.settings())
    record = upgrade.record(history, features["windows"])
    return trained_outputs(
        tracking, "buried_objects", "upgrade", config.model_dump(), network, history, record=record
    )

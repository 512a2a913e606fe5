"""The five models, trained: four as published, and the vetting of transit candidates."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from assets.exoplanets.inputs import asset_in, features_in, inputs_of
from assets.resources import Tracking
from assets.settings import StageConfig, by_profile
from assets.wiring import outs, trained_outputs
from models.architectures import architecture, counts_of
from models.arrays import Arrays
from models.exoplanets import fitting, networks
from models.training import Phase

NETWORKS: dict[str, Callable[[], Any]] = {
    "fft_lstm": networks.fft_lstm,
    "cnn": networks.cnn,
    "composite": networks.composite,
}


def architecture_asset(model: str, build: Callable[[], Any]) -> dg.AssetsDefinition:
    """The asset that stores a network's configuration: training depends on it, not on code."""

    @dg.asset(
        key=["exoplanets", model, "architecture"],
        group_name="exoplanets",
        tags={"stage": "training"},
        io_manager_key="json",
        description=f"The published {model} network as data: layers, shapes, parameter counts.",
    )
    def network_architecture() -> dg.Output[dict[str, Any]]:
        described = architecture(build(), networks.PUBLISHED[model])
        return dg.Output(described, metadata=counts_of(described))

    return network_architecture


class Training(StageConfig, section="exoplanets/*/network"):
    """How a network is trained: a few epochs at a high learning rate, then a lower one."""

    first_epochs: int = Field(by_profile(quick=6, published=10), gt=0)
    first_rate: float = Field(1e-3, gt=0)
    second_epochs: int = Field(by_profile(quick=4, published=30), ge=0)
    second_rate: float = Field(2e-4, gt=0)
    batch: int = Field(32, gt=0, description="curves in a batch, half of them planets")
    steps: int = Field(0, ge=0, description="batches in an epoch; 0: one pass over the negatives")
    seed: int = 3

    def phases(self) -> list[Phase]:
        """The learning rates, one after the other."""
        second = Phase(self.second_epochs, self.second_rate)
        return [Phase(self.first_epochs, self.first_rate), *([second] if second.epochs else [])]


class CnnTraining(Training, section="exoplanets/cnn/network"):
    """The CNN's two phases."""


class FftLstmTraining(Training, section="exoplanets/fft_lstm/network"):
    """10 epochs at one rate, as published."""

    first_epochs: int = Field(by_profile(quick=2, published=10), gt=0)
    second_epochs: int = Field(0, ge=0)
    steps: int = Field(by_profile(quick=10, published=0), ge=0)


class CompositeTraining(Training, section="exoplanets/composite/network"):
    """Two phases; the recurrent branch makes each step slow."""

    first_epochs: int = Field(by_profile(quick=3, published=10), gt=0)
    second_epochs: int = Field(by_profile(quick=1, published=30), ge=0)
    steps: int = Field(by_profile(quick=10, published=0), ge=0)


def network_asset(model: str, Settings: type[Training]) -> dg.AssetsDefinition:
    """The asset pair of a trained network and its history."""

    @dg.multi_asset(
        name=f"exoplanets_{model}_training",
        group_name="exoplanets",
        outs=outs(
            "training",
            "exoplanets",
            model,
            network=("networks", f"The trained {model} network."),
            history=("json", f"Loss and accuracy of the {model} network by epoch."),
        ),
        ins={"architecture": asset_in(model, "architecture"), **inputs_of(model)},
    )
    def trained(
        config: Settings,  # type: ignore[valid-type]
        tracking: Tracking,
        architecture: Mapping[str, Any],
        curves: Arrays,
        splits: Arrays,
        **inputs: Arrays,
    ) -> tuple[dg.Output[Any], dg.Output[Any]]:
        settings: Training = config
        network, history = fitting.fit_network(
            architecture,
            features_in(model, inputs),
            curves,
            splits,
            phases=settings.phases(),
            batch=settings.batch,
            steps=settings.steps or None,
            seed=settings.seed,
        )
        return trained_outputs(
            tracking, "exoplanets", model, settings.model_dump(), network, history
        )

    return trained


class Forest(StageConfig, section="exoplanets/random_forest/estimator"):
    """The benchmark: 100 trees, Gini."""

    seed: int = 4


@dg.asset(
    key=["exoplanets", "random_forest", "estimator"],
    group_name="exoplanets",
    tags={"stage": "training"},
    io_manager_key="estimators",
    ins=inputs_of("random_forest"),
)
def random_forest(
    config: Forest, tracking: Tracking, curves: Arrays, splits: Arrays, scaled: Arrays
) -> dg.Output[Any]:
    """The published benchmark: a random forest on the standardised curves."""
    forest = fitting.fit_forest(scaled["curve"], curves, splits, seed=config.seed)
    link = tracking.log("exoplanets", "random_forest", config.model_dump(), model=forest)
    return dg.Output(forest, metadata={"seed": config.seed, **link})


class Vetting(StageConfig, section="exoplanets/vetting/estimator"):
    """The vetting of transit candidates."""

    seed: int = 5


@dg.asset(
    key=["exoplanets", "vetting", "estimator"],
    group_name="exoplanets",
    tags={"stage": "training"},
    io_manager_key="estimators",
    ins=inputs_of("vetting"),
)
def vetting(
    config: Vetting, tracking: Tracking, curves: Arrays, splits: Arrays, candidates: Arrays
) -> dg.Output[Any]:
    """Beyond the study: boosted trees that vet each curve's best transit candidate."""
    estimator = fitting.fit_candidates(candidates, curves, splits, seed=config.seed)
    link = tracking.log("exoplanets", "vetting", config.model_dump(), model=estimator)
    return dg.Output(estimator, metadata={"seed": config.seed, **link})


architectures = [architecture_asset(model, build) for model, build in NETWORKS.items()]
fft_lstm = network_asset("fft_lstm", FftLstmTraining)
cnn = network_asset("cnn", CnnTraining)
composite = network_asset("composite", CompositeTraining)

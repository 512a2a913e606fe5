"""The five models, trained: four as published, and the vetting of transit candidates."""

from collections.abc import Callable
from typing import Any

import dagster as dg
from pydantic import Field

from assets.exoplanets.inputs import asset_in, examples, features_in
from assets.resources import Tracking
from assets.settings import StageConfig, by_profile
from assets.wiring import estimator_output, together, training_outputs
from models.architectures import architecture, counts_of
from models.arrays import Arrays
from models.exoplanets import networks
from models.exoplanets.training import fit_candidates, fit_forest, fit_network
from models.training import Phase
from models.types import JsonDict

NETWORKS: dict[str, Callable[[], Any]] = {
    "fft_lstm": networks.fft_lstm,
    "cnn": networks.cnn,
    "composite": networks.composite,
}


def architecture_asset(model: str, build: Callable[[], Any]) -> dg.AssetsDefinition:
    """The asset that stores a network's configuration: training depends on it, not on code."""

    @dg.asset(
        key=["exoplanets", f"{model}_architecture"],
        io_manager_key="json",
        description=f"The published {model} network as data: layers, shapes, parameter counts.",
    )
    def described() -> dg.Output[JsonDict]:
        network = architecture(build(), networks.PUBLISHED[model])
        return dg.Output(network, metadata=counts_of(network))

    return described


FIRST = "passes at the first learning rate"
SECOND = "passes at the second one; 0: none"
STEPS = "batches in an epoch; 0: one pass over the negatives"


class Training(StageConfig):
    """How a network is trained: a few epochs at a high learning rate, then a lower one."""

    first_epochs: int = Field(by_profile(quick=6, published=10), gt=0, description=FIRST)
    first_learning_rate: float = Field(1e-3, gt=0, description="of the first epochs")
    second_epochs: int = Field(by_profile(quick=4, published=30), ge=0, description=SECOND)
    second_learning_rate: float = Field(2e-4, gt=0, description="of the epochs after them")
    batch: int = Field(32, gt=0, description="curves in a batch, half of them planets")
    steps: int = Field(0, ge=0, description=STEPS)
    seed: int = Field(3, description="of the weights, the dropout and the order of the batches")

    def phases(self) -> list[Phase]:
        """The learning rates, one after the other."""
        first = Phase(self.first_epochs, self.first_learning_rate)
        second = Phase(self.second_epochs, self.second_learning_rate)
        return [first, second] if second.epochs else [first]


class CnnTraining(Training, section="exoplanets/cnn_network"):
    """The CNN's two phases."""


class FftLstmTraining(Training, section="exoplanets/fft_lstm_network"):
    """10 epochs at one rate, as published."""

    first_epochs: int = Field(by_profile(quick=2, published=10), gt=0, description=FIRST)
    second_epochs: int = Field(0, ge=0, description=SECOND)
    steps: int = Field(by_profile(quick=10, published=0), ge=0, description=STEPS)


class CompositeTraining(Training, section="exoplanets/composite_network"):
    """Two phases; the recurrent branch makes each step slow."""

    first_epochs: int = Field(by_profile(quick=3, published=10), gt=0, description=FIRST)
    second_epochs: int = Field(by_profile(quick=1, published=30), ge=0, description=SECOND)
    steps: int = Field(by_profile(quick=10, published=0), ge=0, description=STEPS)


def network_asset(model: str, Settings: type[Training]) -> dg.AssetsDefinition:
    """The asset pair of a trained network and its history."""

    @dg.multi_asset(
        name=f"exoplanets_{model}_training",
        **together(
            "exoplanets",
            model,
            ins={
                "architecture": asset_in(model, "architecture"),
                **features_in(model, "train", "validation"),
            },
            network=("networks", f"The trained {model} network."),
            history=("json", f"Loss and accuracy of the {model} network by epoch."),
        ),
    )
    def training(
        config: Settings,  # type: ignore[valid-type]
        tracking: Tracking,
        architecture: JsonDict,
        **features: dict[str, Arrays],
    ) -> tuple[dg.Output[Any], dg.Output[Any]]:
        settings: Training = config
        result = fit_network(
            architecture,
            examples(features, "train"),
            examples(features, "validation"),
            phases=settings.phases(),
            batch=settings.batch,
            steps=settings.steps or None,
            seed=settings.seed,
        )
        return training_outputs(tracking, "exoplanets", model, settings.model_dump(), result)

    return training


class Forest(StageConfig, section="exoplanets/random_forest_estimator"):
    """The benchmark: 100 trees, Gini."""

    seed: int = Field(4, description="of the trees")


@dg.asset(
    key=["exoplanets", "random_forest_estimator"],
    io_manager_key="estimators",
    ins=features_in("random_forest", "train"),
)
def random_forest(config: Forest, tracking: Tracking, scaled: dict[str, Arrays]) -> dg.Output[Any]:
    """The published benchmark: a random forest on the standardised curves."""
    forest = fit_forest(scaled["train"], seed=config.seed)
    return estimator_output(tracking, "exoplanets", "random_forest", config.model_dump(), forest)


class Vetting(StageConfig, section="exoplanets/vetting_estimator"):
    """The vetting of transit candidates."""

    seed: int = Field(5, description="of the trees")


@dg.asset(
    key=["exoplanets", "vetting_estimator"],
    io_manager_key="estimators",
    ins=features_in("vetting", "train"),
)
def vetting(config: Vetting, tracking: Tracking, candidates: dict[str, Arrays]) -> dg.Output[Any]:
    """Beyond the study: boosted trees that vet each curve's best transit candidate."""
    trees = fit_candidates(candidates["train"], seed=config.seed)
    return estimator_output(tracking, "exoplanets", "vetting", config.model_dump(), trees)


architectures = [architecture_asset(model, build) for model, build in NETWORKS.items()]
fft_lstm = network_asset("fft_lstm", FftLstmTraining)
cnn = network_asset("cnn", CnnTraining)
composite = network_asset("composite", CompositeTraining)

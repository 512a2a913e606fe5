"""The models and the features that each reads."""

from functools import partial

import dagster as dg

from assets import wiring
from models.sampling import SPLITS

MODELS: dict[str, str] = {
    "shallow_cnn": "examples",
    "deep_cnn": "examples",
    "linear_svc": "pixels",
    "recurrent": "columns",
    "gan": "examples",
    "upgrade": "examples",
}
"""Every model with the asset that it reads."""

NETWORKS = ("shallow_cnn", "deep_cnn", "recurrent", "gan", "upgrade")

SIMULATED = ("injections", "trials")
"""Sets of simulated chirps: to train the upgrade on, and to measure how faint ones are found."""

EXAMPLES = dg.StaticPartitionsDefinition([*SPLITS, *SIMULATED])
"""Examples and features are stored by split, so that another test set retrains nothing."""


asset_in = partial(wiring.asset_in, "gravitational_waves")
"""Name an asset of this system."""
split_in = partial(wiring.split_in, "gravitational_waves")
"""Name some splits of an asset of this system, which are loaded as a dict by split."""


def features_in(model: str, *splits: str) -> dg.AssetIn:
    """What a model reads of some splits, as a stage's input."""
    return split_in(MODELS[model], splits=splits)


def fitted_of(model: str) -> dg.AssetIn:
    """The trained model."""
    return asset_in(model, "network" if model in NETWORKS else "estimator")

"""The models and the features that each reads."""

from collections.abc import Mapping
from functools import partial

import dagster as dg

from assets import wiring
from models.arrays import Arrays

MODELS: dict[str, tuple[str, ...]] = {
    "random_forest": ("scaled",),
    "fft_lstm": ("spectra",),
    "cnn": ("scaled",),
    "composite": ("scaled", "spectra"),
    "vetting": ("candidates",),
}
"""Every model with its feature assets."""

FITTED = dict.fromkeys(("random_forest", "vetting"), "estimator")
"""Last part of a trained model's key, where it isn't a network."""


asset_in = partial(wiring.asset_in, "exoplanets")
"""Name an asset of this system."""
split_in = partial(wiring.split_in, "exoplanets")
"""Name some splits of an asset of this system, which are loaded as a dict by split."""


CURVES = {name: asset_in(name) for name in ("curves", "splits")}
"""What features are computed from."""


def features_in(model: str, *splits: str) -> dict[str, dg.AssetIn]:
    """Features of a model in some splits, as a stage's inputs."""
    return {name: split_in(name, splits=splits) for name in MODELS[model]}


def fitted_of(model: str) -> dg.AssetIn:
    """The trained model."""
    return asset_in(model, FITTED.get(model, "network"))


def examples(features: Mapping[str, Mapping[str, Arrays]], split: str) -> Arrays:
    """Join the loaded features of a split, which have the same rows."""
    return {name: array for loaded in features.values() for name, array in loaded[split].items()}

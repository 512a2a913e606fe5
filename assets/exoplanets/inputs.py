"""The models and the features that each reads."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import dagster as dg

from assets import wiring

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


def inputs_of(model: str) -> dict[str, dg.AssetIn]:
    """Curves, splits and features of a model, as a stage's inputs."""
    return {name: asset_in(name) for name in ("curves", "splits", *MODELS[model])}


def fitted_of(model: str) -> dg.AssetIn:
    """The trained model."""
    return asset_in(model, FITTED.get(model, "network"))


def features_in(model: str, loaded: Mapping[str, Any]) -> dict[str, Any]:
    """A model's features by name, from a stage's loaded inputs."""
    return {name: array for asset in MODELS[model] for name, array in loaded[asset].items()}

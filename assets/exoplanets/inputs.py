"""What each model reads: the graph's edges from features to models, said once."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

MODELS: dict[str, tuple[str, ...]] = {
    "random_forest": ("scaled",),
    "fft_lstm": ("spectra",),
    "cnn": ("scaled",),
    "composite": ("scaled", "spectra"),
    "vetting": ("candidates",),
}
"""Every model with the assets that it reads."""

FITTED = dict.fromkeys(("random_forest", "vetting"), "estimator")
"""What a model's training stores, where it isn't a network."""


def asset_in(*path: str) -> dg.AssetIn:
    """Name an asset of this system."""
    return dg.AssetIn(["exoplanets", *path])


def inputs_of(model: str) -> dict[str, dg.AssetIn]:
    """Curves, splits and features of a model, as a stage's inputs."""
    return {name: asset_in(name) for name in ("curves", "splits", *MODELS[model])}


def fitted_of(model: str) -> dg.AssetIn:
    """The trained model."""
    return asset_in(model, FITTED.get(model, "network"))


def features_in(model: str, loaded: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays that a model reads, by name, from a stage's loaded inputs."""
    return {name: array for asset in MODELS[model] for name, array in loaded[asset].items()}

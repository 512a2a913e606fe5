"""The models and the features that each reads."""

from functools import partial

import dagster as dg

from assets import wiring

MODELS: dict[str, tuple[str, ...]] = {
    "shallow_cnn": (),
    "deep_cnn": (),
    "linear_svc": ("pixels",),
    "recurrent": ("columns",),
    "gan": (),
    "upgrade": (),
}
"""Every model with its features; without any it reads the images themselves."""

NETWORKS = ("shallow_cnn", "deep_cnn", "recurrent", "gan", "upgrade")


asset_in = partial(wiring.asset_in, "gravitational_waves")
"""Name an asset of this system."""


def inputs_of(model: str) -> dict[str, dg.AssetIn]:
    """Images, splits, classes and features of a model, as a stage's inputs."""
    return {name: asset_in(name) for name in ("images", "splits", "classes", *MODELS[model])}


def fitted_of(model: str) -> dg.AssetIn:
    """The trained model."""
    return asset_in(model, "network" if model in NETWORKS else "estimator")

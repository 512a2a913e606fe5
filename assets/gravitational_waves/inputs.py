"""What each model reads: the graph's edges from features to models, said once."""

import dagster as dg

MODELS: dict[str, tuple[str, ...]] = {
    "shallow_cnn": (),
    "deep_cnn": (),
    "linear_svc": ("pixels",),
    "recurrent": ("columns",),
    "gan": (),
    "upgrade": (),
}
"""Every model with the features that it reads; the others read the images themselves."""

NETWORKS = ("shallow_cnn", "deep_cnn", "recurrent", "gan", "upgrade")


def asset_in(*path: str) -> dg.AssetIn:
    """Name an asset of this system."""
    return dg.AssetIn(["gravitational_waves", *path])


def inputs_of(model: str) -> dict[str, dg.AssetIn]:
    """Images, splits, classes and features of a model, as a stage's inputs."""
    return {name: asset_in(name) for name in ("images", "splits", "classes", *MODELS[model])}


def fitted_of(model: str) -> dg.AssetIn:
    """The trained model."""
    return asset_in(model, "network" if model in NETWORKS else "estimator")

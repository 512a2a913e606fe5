"""Train the solar-flare models and predict with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import architecture, from_architecture
from models.arrays import ArrayLike, Arrays
from models.sampling import Batches
from models.solar_flares.features import DELAY, LOOKBACK, PublishedWindows
from models.solar_flares.networks import (
    FORM_SHAPES,
    LEARNING_RATE,
    LOSS,
    METRICS,
    OPTIMISER,
    Setting,
    network,
    published_counts,
    register,
)
from models.solar_flares.upgrade import Settings, fit_classifier
from models.training import Estimator, Network, Phase, TrainingResult, fresh, predict, train
from models.types import JsonDict

BATCH = 128


@dataclass(frozen=True)
class Examples:
    """A split as a network takes it.

    Attributes
    ----------
    x
        Inputs, shape (m, steps, inputs).
    features
        What they are made of.
    ahead
        Rows of the features between an input and what its label is from.
    """

    x: ArrayLike
    features: Arrays
    ahead: int = 0

    def known(self, name: str) -> NDArray[Any]:
        """Read the ``id``, ``region`` or ``label`` of what each one's label is from: (m,)."""
        return np.asarray(self.features[name][self.ahead :])


def examples(shape: tuple[int, ...], features: Arrays) -> Examples:
    """Put the features of a split into the form that a network takes.

    Parameters
    ----------
    shape
        Of one input: one of `FORM_SHAPES`.
    features
        From `features.features_of`: sequences or steps, whichever the form is made of.

    Raises
    ------
    ValueError
        The features are of another form than the network takes.
    """
    form = next(name for name, expected in FORM_SHAPES.items() if expected == shape)
    needed = "sequences" if form == "sequences" else "steps"
    if (given := features["values"].shape[1:]) != FORM_SHAPES[needed]:
        raise ValueError(
            f"the network takes {form}, made of {needed!r} of shape {FORM_SHAPES[needed]}, and is "
            f"given features of shape {given}: choose the form in faint.toml, section "
            '["solar_flares/architecture"], so that networks and features agree'
        )
    if form != "windows":
        return Examples(features["values"], features)
    windows = PublishedWindows(np.asarray(features["values"]), features["label"])
    return Examples(windows, features, ahead=LOOKBACK + DELAY)


def describe(name: str, form: str) -> JsonDict:
    """Describe one of the study's networks in a form: see `models.architectures.architecture`."""
    steps, inputs = FORM_SHAPES[form]
    return architecture(network(name, steps, inputs), published_counts(name, inputs))


def fit_network(
    architecture: JsonDict, setting: Setting, training: Arrays, validation: Arrays, *, seed: int
) -> TrainingResult:
    """Train a network as the study does: RMSprop, weighted binary cross-entropy.

    Parameters
    ----------
    architecture
        From `describe`; its input determines the form.
    setting
        Its length, and the weight of a flare.
    training, validation
        Features of both splits, as `examples` takes them.
    seed
        Seed of the weights, the dropout, the order of the batches and the validation examples.

    Returns
    -------
    TrainingResult
        Each epoch is validated on the same random examples, as many as the setting's validation
        steps hold.
    """
    register()
    built = fresh(lambda: from_architecture(architecture), seed)
    shape = built.input_shape[1:]
    seen, held_out = examples(shape, training), examples(shape, validation)
    size = min(len(held_out.x), setting.validation_steps * BATCH)
    rows = np.random.default_rng(seed).choice(len(held_out.x), size, replace=False)
    history = train(
        built,
        Batches(seen.x, seen.known("label"), batch=BATCH, steps=setting.steps_per_epoch, seed=seed),
        Batches(held_out.x, held_out.known("label"), np.sort(rows), batch=BATCH, shuffle=False),
        phases=[Phase(setting.epochs, LEARNING_RATE)],
        optimiser=OPTIMISER,
        loss=LOSS,
        metrics=list(METRICS),
        seed=seed,
        class_weight={1: setting.flare_weight},
    )
    return TrainingResult(built, history)


def score_network(network: Network, features: Arrays) -> tuple[Examples, NDArray[np.float64]]:
    """Put a split into the form that a network takes, and score it."""
    chosen = examples(network.input_shape[1:], features)
    return chosen, predict(network, chosen.x, batch=1024)


def fit_upgrade(training: Arrays, *, seed: int) -> Estimator:
    """Fit the calibrated classifier to the statistics of the training records."""
    label, region = np.asarray(training["label"]), np.asarray(training["region"])
    settings = Settings()
    # A small sample may have fewer active regions with a flare than there are folds.
    flaring = np.unique(region[label == 1]).size
    settings = replace(settings, folds=max(2, min(settings.folds, flaring)))
    values = np.asarray(training["values"])
    return fit_classifier(values, label, region, settings=settings, seed=seed)


def score_upgrade(estimator: Estimator, statistics: Arrays) -> tuple[Examples, NDArray[np.float64]]:
    """Score the records of a split with the calibrated classifier."""
    chosen = Examples(statistics["values"], statistics)
    return chosen, np.asarray(estimator.predict_proba(np.asarray(chosen.x))[:, 1])

"""Train the solar-flare models and predict with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.architectures import architecture, from_architecture
from models.arrays import ArrayLike, Arrays
from models.sampling import TRAIN, VALIDATION, Batches, Rows, read_rows, rows_of
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
    """A network's inputs in one form.

    Attributes
    ----------
    x
        Inputs, shape (m, steps, inputs).
    record
        Record that each one's label is from, shape (m,).
    rows
        Rows of the requested split.
    """

    x: ArrayLike
    record: Rows
    rows: Rows


def examples(shape: tuple[int, ...], features: Mapping[str, Arrays], code: int) -> Examples:
    """Return the examples of a split in the form that a network takes.

    Parameters
    ----------
    shape
        Of one input: one of `FORM_SHAPES`.
    features
        ``records``, ``splits``, and ``sequences`` or ``steps``, whichever the form is made of.
    code
        The split.

    Raises
    ------
    ValueError
        The features are of another form than the network takes.
    """
    form = next(name for name, expected in FORM_SHAPES.items() if expected == shape)
    if (needed := "sequences" if form == "sequences" else "steps") not in features:
        raise ValueError(
            f"the network takes {form}, made of {needed!r}, and is given {sorted(features)}: "
            'choose the form in faint.toml, section ["solar_flares/architecture"], so that '
            "networks and features agree"
        )
    if form == "sequences":
        x = features["sequences"]["values"]
        return Examples(x, np.arange(len(x)), rows_of(features["splits"], code))
    record = np.asarray(features["steps"]["record"])
    rows = np.flatnonzero(np.asarray(features["splits"]["split"])[record] == code)
    steps = features["steps"]["values"]
    if form == "steps":
        return Examples(steps, record, rows)
    record = record[rows]
    windows = PublishedWindows(
        read_rows(steps, rows), np.asarray(features["records"]["label"])[record]
    )
    return Examples(windows, record[LOOKBACK + DELAY :], np.arange(len(windows)))


def describe(name: str, form: str) -> JsonDict:
    """Describe one of the study's networks in a form: see `models.architectures.architecture`."""
    steps, inputs = FORM_SHAPES[form]
    return architecture(network(name, steps, inputs), published_counts(name, inputs))


def fit_network(
    architecture: JsonDict,
    setting: Setting,
    features: Mapping[str, Arrays],
    *,
    seed: int,
) -> TrainingResult:
    """Train a network as the study does: RMSprop, weighted binary cross-entropy.

    Parameters
    ----------
    architecture
        From `describe`; its input determines the form.
    setting
        Its length, and the weight of a flare.
    features
        As `examples` takes them.
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
    label = np.asarray(features["records"]["label"])
    training, validation = (examples(shape, features, code) for code in (TRAIN, VALIDATION))
    size = min(len(validation.rows), setting.validation_steps * BATCH)
    rows = np.random.default_rng(seed).choice(validation.rows, size, replace=False)
    history = train(
        built,
        Batches(
            training.x,
            label[training.record],
            training.rows,
            batch=BATCH,
            steps=setting.steps_per_epoch,
            seed=seed,
        ),
        Batches(validation.x, label[validation.record], np.sort(rows), batch=BATCH, shuffle=False),
        phases=[Phase(setting.epochs, LEARNING_RATE)],
        optimiser=OPTIMISER,
        loss=LOSS,
        metrics=list(METRICS),
        seed=seed,
        class_weight={1: setting.flare_weight},
    )
    return TrainingResult(built, history)


def score_network(
    network: Network, features: Mapping[str, Arrays], code: int
) -> tuple[Rows, NDArray[np.float64]]:
    """Score a split's examples: the record that each one's label is from, and its score."""
    chosen = examples(network.input_shape[1:], features, code)
    return chosen.record[chosen.rows], predict(network, chosen.x, chosen.rows, batch=1024)


def fit_upgrade(features: Mapping[str, Arrays], *, seed: int) -> Estimator:
    """Fit the calibrated classifier to the statistics of the training records."""
    rows = rows_of(features["splits"], TRAIN)
    label, region = (np.asarray(features["records"][name])[rows] for name in ("label", "region"))
    settings = Settings()
    # A small sample may have fewer active regions with a flare than there are folds.
    flaring = np.unique(region[label == 1]).size
    settings = replace(settings, folds=max(2, min(settings.folds, flaring)))
    values = read_rows(features["statistics"]["values"], rows)
    return fit_classifier(values, label, region, settings=settings, seed=seed)


def score_upgrade(
    estimator: Estimator, features: Mapping[str, Arrays], code: int
) -> tuple[Rows, NDArray[np.float64]]:
    """Score a split's records with the calibrated classifier: the records, and their scores."""
    rows = rows_of(features["splits"], code)
    values = read_rows(features["statistics"]["values"], rows)
    return rows, np.asarray(estimator.predict_proba(values)[:, 1])

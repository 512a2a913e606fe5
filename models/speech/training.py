"""Train acoustic models with the CTC loss, as published or by a modern recipe; predict symbols.

`models.speech.decoding` turns the symbol probabilities into text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import counts_of, from_architecture
from models.arrays import Arrays
from models.speech.batches import Augmentation, RaggedBatches, Utterances
from models.speech.designs import output_length
from models.speech.networks import register
from models.speech.symbols import BLANK, OUTPUTS
from models.training import (
    EarlyStopping,
    Network,
    Phase,
    Progress,
    TrainingResult,
    fresh,
    train,
)
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

EPSILON = 1e-7
"""Lower limit of probabilities in the loss, as in Keras."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes
    ----------
    learning_rate, epochs
        None for those of the study's model.
    batch
        Utterances in a batch: 20 to 32 in the study.
    modern
        Adam with a learning rate that falls along a cosine, SpecAugment, vocal tracts of other
        lengths, and running means of the batch normalisation that follow within an epoch; else the
        study's SGD.
    masks
        Bands of bins, and stretches of frames, that the modern recipe hides.
    speed
        Share by which the modern recipe changes the pace at most.
    warp
        Share by which it stretches the frequencies of a spectrogram at most.
    sorted_first
        Whether the first epoch goes from short to long.
    loss_limit
        Stop after an epoch whose validation loss is above; None for never.
    """

    learning_rate: float | None = None
    epochs: int | None = None
    batch: int = 20
    modern: bool = False
    masks: int = 1
    speed: float = 0.0
    warp: float = 0.12
    sorted_first: bool = True
    loss_limit: float | None = None


PUBLISHED_SGD = {
    "class_name": "SGD",
    # Keras of those days clipped the norm of all gradients together.
    "config": {"momentum": 0.9, "nesterov": True, "global_clipnorm": 5.0},
}
DECAY = 1e-6
"""The study's learning rate after k batches is its first one / (1 + DECAY k)."""
ADAM = {"class_name": "Adam", "config": {"global_clipnorm": 5.0}}
MODERN_LEARNING_RATE = 3e-3
FINAL_SHARE = 0.02
"""End of the cosine, as a share of the first learning rate."""
NORM_MOMENTUM = 0.9

GRID = 50
"""Frames: utterances are padded to multiples of half a second."""


def utterances_of(table: pd.DataFrame, scaled: Arrays, architecture: JsonDict) -> Utterances:
    """Return a split's utterances with a model's feature.

    Parameters
    ----------
    table
        From `models.speech.splits.utterances_in`.
    scaled
        ``frame``: the feature, scaled, shape (frames, bins).
    architecture
        From `models.speech.networks.describe`.
    """
    return Utterances(table, scaled["frame"], centred=architecture["centred"])


def ctc_loss(y_true: Any, y_pred: Any) -> Any:
    """Return -log p(transcript) of each utterance, in nats (Graves et al. 2006, equation 12).

    Parameters
    ----------
    y_true
        Shape (batch, 1 + symbols), from `RaggedBatches`.
    y_pred
        Probability of each symbol, shape (batch, steps, symbols), the blank last.

    Returns
    -------
    Shape (batch,).
    """
    import tensorflow as tf

    outputs = tf.cast(y_true[:, 0], tf.int32)
    places = tf.where(y_true[:, 1:] >= 0)
    shape = tf.cast(tf.shape(y_true), tf.int64)
    symbols = tf.cast(tf.gather_nd(y_true[:, 1:], places), tf.int32)
    labels = tf.SparseTensor(places, symbols, [shape[0], shape[1] - 1])
    logits = tf.math.log(tf.maximum(tf.transpose(y_pred, (1, 0, 2)), EPSILON))
    return tf.compat.v1.nn.ctc_loss(labels, logits, outputs)


def phases_of(recipe: Recipe, architecture: JsonDict, steps: int) -> list[Phase]:
    """Return the learning rate of each epoch of ``steps`` batches."""
    epochs = recipe.epochs or int(architecture["epochs"])
    learning_rates: NDArray[np.float64]
    if recipe.modern:
        first = recipe.learning_rate or MODERN_LEARNING_RATE
        done = np.arange(epochs) / epochs
        learning_rates = first * (FINAL_SHARE + (1 - FINAL_SHARE) * (1 + np.cos(np.pi * done)) / 2)
    else:
        first = recipe.learning_rate or float(architecture["learning_rate"])
        learning_rates = np.asarray(first / (1 + DECAY * steps * np.arange(epochs)))
    return [Phase(1, value) for value in learning_rates.tolist()]


def fit_network(
    architecture: JsonDict,
    training: Utterances,
    validation: Utterances,
    recipe: Recipe,
    *,
    seed: int,
) -> TrainingResult:
    """Train a model, and keep the weights of the epoch with the least validation loss.

    Parameters
    ----------
    architecture
        From `models.speech.networks.describe`.
    training, validation
        Utterances with the model's feature.
    recipe
        How to train.
    seed
        Seed of the weights, the dropout, the order and the augmentation.

    Returns
    -------
    TrainingResult
        The detail ``network`` of its history are the counts of `models.architectures.counts_of`.

    Raises
    ------
    BadInput
        A transcript has an unknown character or is longer than the model's output.
    models.training.TrainingDivergedError
        The loss is no longer finite.
    """
    convolutions = architecture["convolutions"]
    _require_width(architecture, training)
    register()
    network = fresh(lambda: from_architecture(architecture), seed)
    batches = RaggedBatches(
        training,
        convolutions,
        batch=recipe.batch,
        seed=seed,
        sorted_first=recipe.sorted_first,
        augmentation=_augmentation(architecture, recipe) if recipe.modern else None,
    )
    phases = phases_of(recipe, architecture, batches.steps)
    if recipe.modern:
        for layer in network.layers:
            if hasattr(layer, "momentum"):
                layer.momentum = NORM_MOMENTUM

    def stop_if_hopeless(now: Progress) -> None:
        if recipe.loss_limit is not None and now.values["val_loss"] > recipe.loss_limit:
            network.stop_training = True

    history = train(
        network,
        batches,
        RaggedBatches(validation, convolutions, batch=recipe.batch, shuffle=False),
        phases=phases,
        optimiser=ADAM if recipe.modern else PUBLISHED_SGD,
        loss=ctc_loss,
        seed=seed,
        early_stopping=EarlyStopping(patience=len(phases)),
        progress=stop_if_hopeless,
    )
    return TrainingResult(network, replace(history, details={"network": counts_of(architecture)}))


def emissions(
    network: Network, architecture: JsonDict, chosen: Utterances, *, batch: int = 16
) -> list[NDArray[np.float32]]:
    """Predict the log probability of each symbol at each output.

    An utterance is padded to a whole number of `GRID` frames whatever else is in its batch, so that
    the prediction depends on it alone: a bidirectional layer begins in the padding.

    Parameters
    ----------
    network
        Trained from ``architecture``.
    architecture
        From `models.speech.networks.describe`.
    chosen
        The utterances.
    batch
        Utterances per batch at most.

    Returns
    -------
    list of float32 array of shape (outputs, 29)
        For each utterance, in their order; the blank is last. Outputs that stand for no symbol,
        which a model without a head has, are left out.
    """
    _require_width(architecture, chosen)
    outputs = np.maximum(output_length(architecture["convolutions"], chosen.frames), 0)
    padded = -(-chosen.frames // GRID) * GRID
    result: list[NDArray[np.float32]] = [np.empty((0, OUTPUTS), dtype=np.float32)] * len(chosen)
    for longest in np.unique(padded[outputs > 0]):
        rows = np.flatnonzero((padded == longest) & (outputs > 0))
        for part in (rows[k : k + batch] for k in range(0, len(rows), batch)):
            x = np.zeros((len(part), longest, chosen.values.shape[1]), dtype=np.float32)
            for place, row in enumerate(part):
                x[place, : chosen.frames[row]] = chosen.read(row)
            predicted = np.asarray(network.predict_on_batch(x))
            symbols = np.concatenate([predicted[..., :BLANK], predicted[..., -1:]], axis=-1)
            for row, values in zip(part, symbols, strict=True):
                result[row] = np.log(np.maximum(values[: outputs[row]], EPSILON))
    return result


def _augmentation(architecture: JsonDict, recipe: Recipe) -> Augmentation:
    return Augmentation(
        bins=recipe.masks,
        times=recipe.masks,
        warp=recipe.warp if architecture["feature"] == "spectrogram" else 0.0,
        speed=recipe.speed,
    )


def _require_width(architecture: JsonDict, chosen: Utterances) -> None:
    wanted, width = architecture["output_shapes"][0]["shape"][-1], chosen.values.shape[1]
    if wanted != width:
        raise ValueError(
            f"the model reads {wanted} values of each frame, but the {architecture['feature']} has "
            f"{width}: rebuild features and architecture with the same number of coefficients"
        )

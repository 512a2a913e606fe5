"""From features to trained acoustic models, and to what they say of an utterance.

Here belong the CTC loss, the two ways of training (as published, and a modern one) and the symbol
probabilities of a split. The loop is that of `models.training`; what is made of the probabilities
is in `models.speech.decoding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture
from models.speech.batches import Augmentation, RaggedBatches, Utterances, utterances
from models.speech.designs import output_length
from models.speech.networks import register
from models.speech.symbols import BLANK, OUTPUTS
from models.training import EarlyStopping, History, Phase, Progress, fresh, train

EPSILON = 1e-7
"""Least probability that the loss takes the logarithm of, as Keras does."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes
    ----------
    rate, epochs
        Learning rate and epochs; None for what the study used for the model.
    batch
        Utterances in a batch: 20 to 32 in the study.
    modern
        Adam with a rate that falls along a cosine, SpecAugment, vocal tracts of other lengths, and
        running means of the batch normalisation that follow within an epoch; else the study's SGD.
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

    rate: float | None = None
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
"""The study's rate after k batches is rate / (1 + DECAY k)."""
ADAM = {"class_name": "Adam", "config": {"global_clipnorm": 5.0}}
MODERN_RATE = 3e-3
FINAL_RATE = 0.02
"""Where the cosine ends, as a share of the rate."""
NORM_MOMENTUM = 0.9

GRID = 50
"""Frames: utterances are asked about in multiples of half a second."""


def held_by(data: Mapping[str, Any], architecture: Mapping[str, Any], code: int) -> Utterances:
    """Give a split's utterances as a model reads them.

    Parameters
    ----------
    data
        ``corpus``, ``splits``, ``index`` and, of the model's feature, ``scaled``, as stored.
    architecture
        As `models.speech.networks.described` gives it.
    code
        The split.
    """
    corpus, splits, index = (data[table] for table in ("corpus", "splits", "index"))
    held = utterances(corpus, splits, index, data["scaled"]["frame"], code)
    return replace(held, centred=architecture["centred"])


def ctc_loss(y_true: Any, y_pred: Any) -> Any:
    """Give -log p(transcript) of each utterance, in nats (Graves et al. 2006, equation 12).

    Parameters
    ----------
    y_true
        Shape (batch, 1 + symbols), as `RaggedBatches` gives it.
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


def phases_of(recipe: Recipe, architecture: Mapping[str, Any], steps: int) -> list[Phase]:
    """Give the learning rate of each epoch of ``steps`` batches."""
    epochs = recipe.epochs or int(architecture["epochs"])
    rates: NDArray[np.float64]
    if recipe.modern:
        rate = recipe.rate or MODERN_RATE
        done = np.arange(epochs) / epochs
        rates = rate * (FINAL_RATE + (1 - FINAL_RATE) * (1 + np.cos(np.pi * done)) / 2)
    else:
        rate = recipe.rate or float(architecture["rate"])
        rates = np.asarray(rate / (1 + DECAY * steps * np.arange(epochs)))
    return [Phase(1, value) for value in rates.tolist()]


def fit(
    architecture: Mapping[str, Any],
    learnt: Utterances,
    watched: Utterances,
    recipe: Recipe,
    *,
    seed: int,
) -> tuple[Any, History]:
    """Train a model, and keep the weights of the epoch with the least validation loss.

    Parameters
    ----------
    architecture
        As `models.speech.networks.described` gives it.
    learnt, watched
        Training and validation utterances, with the feature that the model reads.
    recipe
        How.
    seed
        Seed of the weights, the dropout, the order and the augmentation.

    Raises
    ------
    BadInput
        A transcript has an unknown character or is longer than the model's output.
    models.training.TrainingDivergedError
        The loss is no longer finite.
    """
    convolutions = architecture["convolutions"]
    _require_width(architecture, learnt)
    register()
    network = fresh(lambda: from_architecture(architecture), seed)
    batches = RaggedBatches(
        learnt,
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
        RaggedBatches(watched, convolutions, batch=recipe.batch, shuffle=False),
        phases=phases,
        optimiser=ADAM if recipe.modern else PUBLISHED_SGD,
        loss=ctc_loss,
        seed=seed,
        early_stopping=EarlyStopping(patience=len(phases)),
        progress=stop_if_hopeless,
    )
    return network, history


def emissions(
    network: Any, architecture: Mapping[str, Any], held: Utterances, *, batch: int = 16
) -> list[NDArray[np.float32]]:
    """Ask a model about utterances: log probability of each symbol at each output.

    An utterance is padded to a whole number of `GRID` frames whatever it is asked together with,
    so that the answer depends on it alone: a bidirectional layer begins in the padding.

    Parameters
    ----------
    network
        Trained from ``architecture``.
    architecture
        As `models.speech.networks.described` gives it.
    held
        The utterances.
    batch
        Utterances asked about at once at most.

    Returns
    -------
    For each utterance, in their order: float32, shape (outputs, 29), the blank last. Outputs that
    stand for no symbol, which a model without a head has, are left out.
    """
    _require_width(architecture, held)
    outputs = np.maximum(output_length(architecture["convolutions"], held.frames), 0)
    padded = -(-held.frames // GRID) * GRID
    found: list[NDArray[np.float32]] = [np.empty((0, OUTPUTS), dtype=np.float32)] * len(held)
    for longest in np.unique(padded[outputs > 0]):
        rows = np.flatnonzero((padded == longest) & (outputs > 0))
        for part in (rows[k : k + batch] for k in range(0, len(rows), batch)):
            x = np.zeros((len(part), longest, held.values.shape[1]), dtype=np.float32)
            for place, row in enumerate(part):
                x[place, : held.frames[row]] = held.read(row)
            given = np.asarray(network.predict_on_batch(x))
            spoken = np.concatenate([given[..., :BLANK], given[..., -1:]], axis=-1)
            for row, one in zip(part, spoken, strict=True):
                found[row] = np.log(np.maximum(one[: outputs[row]], EPSILON))
    return found


def _augmentation(architecture: Mapping[str, Any], recipe: Recipe) -> Augmentation:
    return Augmentation(
        bins=recipe.masks,
        times=recipe.masks,
        warp=recipe.warp if architecture["feature"] == "spectrogram" else 0.0,
        speed=recipe.speed,
    )


def _require_width(architecture: Mapping[str, Any], held: Utterances) -> None:
    wanted, there = architecture["output_shapes"][0]["shape"][-1], held.values.shape[1]
    if wanted != there:
        raise ValueError(
            f"the model reads {wanted} values of each frame, but the {architecture['feature']} has "
            f"{there}: rebuild features and architecture with the same number of coefficients"
        )

"""Beyond the study: dilated convolutions along the traces, over 128 numbers a trace.

It reads a trace without background, with gain, projected (`models.buried_objects.features`), where
the study's networks take all 10,057 samples, and uses 31 traces on either side, the reach of a
hyperbola's arms. In training every window is shifted in time at random, as if the object lay higher
or deeper: that, more than anything, prevents overfitting to the scans (average precision on 24 test
scans 0.79 with it, 0.36 to 0.48 without). All scans are shuffled, and the weights with the least
validation loss are kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from models.architectures import architecture_with_cost, from_architecture
from models.arrays import Arrays
from models.buried_objects.networks import LEARNING_RATE, LOSS, OPTIMISER
from models.buried_objects.training import Settings, examples, trained_on
from models.buried_objects.windows import TRACES
from models.sampling import Batches
from models.training import EarlyStopping, Phase, TrainingResult, fresh, train
from models.types import JsonDict

if TYPE_CHECKING:
    import keras

DILATIONS = (1, 2, 4, 8, 16)
FILTERS = 24
SHIFT = 0.25
"""Share of the time window by which a training window is shifted at most, either way."""


def network(values: int, seed: int) -> keras.Model:
    """Build the upgrade's network: residual blocks of dilated convolutions (Bai et al. 2018).

    They use traces on both sides: a scan is complete when it is scored.

    Parameters
    ----------
    values
        Numbers of a trace.
    seed
        Of the shifts in training.

    Returns
    -------
    Uncompiled network from (n, 100, values) to probabilities (n, 100, 2): not over the object, over
    it.
    """
    import keras
    from keras import layers

    window = keras.Input((TRACES, values), name="window")
    x = layers.Reshape((TRACES, values, 1), name="image")(window)
    x = layers.BatchNormalization(momentum=0.9, name="norm")(x)
    x = layers.RandomTranslation(
        0.0, SHIFT, fill_mode="constant", interpolation="nearest", seed=seed, name="move"
    )(x)
    x = layers.Reshape((TRACES, values), name="traces")(x)
    x = layers.Dense(FILTERS, name="project")(x)
    for block, dilation in enumerate(DILATIONS, start=1):
        y = layers.Conv1D(
            FILTERS, 3, padding="same", dilation_rate=dilation, use_bias=False, name=f"conv_{block}"
        )(x)
        y = layers.BatchNormalization(momentum=0.9, name=f"norm_{block}")(y)
        y = layers.ReLU(name=f"relu_{block}")(y)
        y = layers.Dropout(0.1, name=f"dropout_{block}")(y)
        x = layers.Add(name=f"add_{block}")([x, y])
    classes = layers.Dense(2, activation="softmax", name="classes")(x)
    return keras.Model(window, classes, name="upgrade")


def describe(values: int, seed: int) -> JsonDict:
    """Describe the network as data, as `networks.describe` does the study's."""
    return architecture_with_cost(network(values, seed))


def fit_upgrade(
    architecture: JsonDict, training: Arrays, validation: Arrays, settings: Settings
) -> TrainingResult:
    """Train the upgrade with Adam on the training windows of all scans, shuffled.

    The learning rate is a tenth in the last quarter of the epochs.

    Parameters
    ----------
    architecture
        From `describe`.
    training, validation
        The projected traces of both splits; see `models.buried_objects.training`.
    settings
        How long.

    Returns
    -------
    TrainingResult
        Of the network with the least validation loss; details of its history are those of
        `models.buried_objects.training.trained_on`.
    """
    built = fresh(lambda: from_architecture(architecture), settings.seed)
    data, held_out = examples(built, training), examples(built, validation)
    last = settings.epochs // 4
    history = train(
        built,
        Batches(data.x, data.y, batch=settings.batch, seed=settings.seed),
        Batches(held_out.x, held_out.y, batch=64, shuffle=False),
        phases=[
            Phase(settings.epochs - last, 3 * LEARNING_RATE),
            *([Phase(last, 0.3 * LEARNING_RATE)] if last else []),
        ],
        optimiser=OPTIMISER,
        loss=LOSS,
        metrics=["accuracy"],
        seed=settings.seed,
        early_stopping=EarlyStopping(settings.patience),
    )
    details = trained_on(architecture, history.epochs * len(data.y))
    return TrainingResult(built, replace(history, details=details))

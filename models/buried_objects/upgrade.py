"""Beyond the study: dilated convolutions along the traces, over 128 numbers a trace.

Here belong the upgrade's network and its training. It reads what is left of a trace without
background, with gain, projected (`models.buried_objects.features`), where the study's networks take
all 10,057 samples, and sees 31 traces on either side, as a hyperbola's arms do. In training every
window is moved along time at random, as if the object lay higher or deeper: that, more than
anything, keeps it from learning scans by heart (average precision on 24 test scans 0.79 with it,
0.36 to 0.48 without). All scans are shuffled, and the weights with the least validation loss kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from models.architectures import architecture_with_cost, from_architecture
from models.arrays import Arrays
from models.buried_objects.fitting import Training, asked
from models.buried_objects.networks import LEARNING_RATE, LOSS, OPTIMISER
from models.buried_objects.windows import TRACES
from models.sampling import TRAIN, VALIDATION, Batches, rows_of
from models.training import EarlyStopping, History, Phase, fresh, train

if TYPE_CHECKING:
    import keras

DILATIONS = (1, 2, 4, 8, 16)
FILTERS = 24
MOVED = 0.25
"""Share of the time window by which a training window is moved at most, either way."""


def network(values: int, seed: int) -> keras.Model:
    """Build the upgrade's network: residual blocks of dilated convolutions (Bai et al. 2018).

    They look both ways: a scan is whole when it is asked about.

    Parameters
    ----------
    values
        Numbers of a trace.
    seed
        Of the moves in training.

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
        0.0, MOVED, fill_mode="constant", interpolation="nearest", seed=seed, name="move"
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


def described(values: int, seed: int) -> dict[str, Any]:
    """Describe the network as data, as `networks.described` does the study's."""
    return architecture_with_cost(network(values, seed))


def fit(
    architecture: Mapping[str, Any], features: Mapping[str, Arrays], training: Training
) -> tuple[Any, History]:
    """Train the upgrade by Adam on the training windows of all scans, shuffled.

    The learning rate is a tenth in the last quarter of the epochs.

    Parameters
    ----------
    architecture
        From `described`.
    features
        ``projected``, ``labels`` and ``windows``.
    training
        How long.

    Returns
    -------
    network, history
        With the weights of the least validation loss.
    """
    built = fresh(lambda: from_architecture(architecture), training.seed)
    given, windows = asked(built, features), features["windows"]
    last = training.epochs // 4
    history = train(
        built,
        Batches(
            given.x, given.y, rows_of(windows, TRAIN), batch=training.batch, seed=training.seed
        ),
        Batches(given.x, given.y, rows_of(windows, VALIDATION), batch=64, shuffle=False),
        phases=[
            Phase(training.epochs - last, 3 * LEARNING_RATE),
            *([Phase(last, 0.3 * LEARNING_RATE)] if last else []),
        ],
        optimiser=OPTIMISER,
        loss=LOSS,
        metrics=["accuracy"],
        seed=training.seed,
        early_stopping=EarlyStopping(training.patience),
    )
    return built, history


def record(history: History, windows: Arrays) -> dict[str, Any]:
    """Give a history as data, with the windows ``seen``, each as often as it was."""
    return history.record() | {"seen": history.epochs * len(rows_of(windows, TRAIN))}

"""Beyond the study: a small network trained on every class, with injected chirps.

Chirps are the rarest class, so simulated ones are injected among the training images; the glitch
classes are an auxiliary task, as a network that distinguishes a whistle from scattered light learns
the shapes that chirps differ from. At half the resolution, with few filters, it takes a fraction of
the deep CNN's multiplications.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture
from models.arrays import Arrays, iter_blocks
from models.gravitational_waves.networks import HEIGHT, WIDTH
from models.gravitational_waves.training import with_cost
from models.sampling import Batches
from models.training import EarlyStopping, Phase, TrainingResult, fresh, train
from models.types import JsonDict

if TYPE_CHECKING:
    import keras


def network(classes: int) -> keras.Model:
    """Build the upgrade's network.

    Returns
    -------
    Uncompiled network from (n, 140, 170, 1), values 0 ... 1, to softmax probabilities of all
    classes, (n, classes).
    """
    import keras
    from keras import layers

    image = keras.Input((HEIGHT, WIDTH, 1), name="image")
    x = layers.AveragePooling2D(2, name="half_size")(image)
    for stage, filters in enumerate((16, 32, 48, 64), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv_{stage}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm_{stage}")(x)
        x = layers.ReLU(name=f"relu_{stage}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(
        image, layers.Dense(classes, activation="softmax", name="classes")(x), name="upgrade"
    )


def joined(*parts: Arrays) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Return the images of some examples, one part after the other, and the class code of each.

    Returns
    -------
    float32 array, shape (n, 140, 170), and int16 array, shape (n,).
    """
    x = np.empty((sum(len(part["class"]) for part in parts), HEIGHT, WIDTH), np.float32)
    start = 0
    for part in parts:
        for block in iter_blocks(part, rows=256, names=["image"]):
            x[start : start + len(block["image"])] = block["image"]
            start += len(block["image"])
    return x, np.concatenate([np.asarray(part["class"]) for part in parts])


def class_weights(codes: NDArray[Any], classes: int) -> dict[int, float]:
    """Weight each class by one over the root of its share, 1 on average over the images."""
    counts = np.bincount(codes, minlength=classes)
    weights = 1 / np.sqrt(np.maximum(counts, 1))
    weights *= counts.sum() / (weights * counts).sum()
    return {code: float(weight) for code, weight in enumerate(weights)}


def fit_upgrade(
    model: str,
    architecture: JsonDict,
    training: Arrays,
    validation: Arrays,
    injections: Arrays,
    *,
    epochs: int,
    learning_rate: float,
    batch: int,
    patience: int,
    seed: int,
) -> TrainingResult:
    """Train the upgrade with Adam on all classes; parameters as `training.fit_network`.

    The injections are trained on beside the training images. The learning rate is a tenth in the
    last quarter of the epochs.
    """
    built = fresh(lambda: from_architecture(architecture), seed)
    x, codes = joined(training, injections)
    last = epochs // 4
    phases = [
        Phase(epochs - last, learning_rate),
        *([Phase(last, learning_rate / 10)] * (last > 0)),
    ]
    history = train(
        built,
        Batches(x, codes, batch=batch, seed=seed),
        Batches(validation["image"], np.asarray(validation["class"]), batch=64, shuffle=False),
        phases=phases,
        optimiser="adam",
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        seed=seed,
        class_weight=class_weights(codes, built.output_shape[-1]),
        early_stopping=EarlyStopping(patience) if patience else None,
    )
    return TrainingResult(built, with_cost(history, architecture, len(codes)))

"""Train the gravitational-wave models and predict with them.

``features`` holds ``images``, ``splits``, ``classes`` and the model's own inputs (see `x_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture
from models.arrays import ArrayLike
from models.gravitational_waves.networks import HEIGHT, LATENT, WIDTH
from models.gravitational_waves.splits import is_positive
from models.sampling import TRAIN, VALIDATION, BalancedBatches, Batches, Rows, read_rows, rows_of
from models.training import (
    EarlyStopping,
    Estimator,
    History,
    Network,
    Phase,
    TrainingResult,
    fresh,
    predict,
    train,
)
from models.types import JsonDict

READS = {"linear_svc": ("pixels", "values"), "recurrent": ("columns", "values")}
"""Asset and array of a model's inputs, where they aren't the images themselves."""

CLASS_LOSS = "sparse_categorical_crossentropy"

Features: TypeAlias = Mapping[str, Any]
"""Loaded assets by name: arrays, and ``classes``, JSON."""


def x_of(model: str, features: Features) -> ArrayLike:
    """Return a model's inputs, shape (n, ...): images, or the features in `READS`."""
    asset, name = READS.get(model, ("images", "image"))
    read: ArrayLike = features[asset][name]
    return read


def targets(features: Features) -> NDArray[Any]:
    """Return the target of each image, shape (n,): 1 for a chirp, or the code of its class."""
    codes = np.asarray(features["splits"]["class"])
    classes = features["classes"]
    return codes if classes["task"] == "classes" else is_positive(codes, classes)


def fit_network(
    model: str, architecture: JsonDict, features: Features, **settings: Any
) -> TrainingResult:
    """Train one of the study's CNNs, or the recurrent network.

    The CNNs are trained with RMSprop on the images as they come, as published; the recurrent
    network with Adam on batches half of chirps.

    Parameters
    ----------
    model
        Its name.
    architecture
        From `networks.describe`.
    features
        See the module.
    **settings
        ``epochs``, ``learning_rate``, ``batch``; ``patience``, the epochs without a better
        validation loss after which to stop and keep the best weights (0: never stop, and keep the
        last); ``seed`` of the weights and the order of the batches.

    """
    built = fresh(lambda: from_architecture(architecture), settings["seed"])
    binary = features["classes"]["task"] == "chirp"
    y = targets(features)
    history = _train(
        built,
        x_of(model, features),
        # Each of the shallow CNN's two outputs has a target: the published loss is a binary one.
        np.eye(2)[y] if binary and model == "shallow_cnn" else y,
        features,
        balanced=binary and model == "recurrent",
        optimiser="adam" if model == "recurrent" else "rmsprop",
        loss="binary_crossentropy" if binary else CLASS_LOSS,
        **settings,
    )
    return TrainingResult(built, history)


def fit_gan(
    model: str, architecture: JsonDict, features: Features, **settings: Any
) -> TrainingResult:
    """Train the GAN with Adam, on batches half of chirps; parameters as `fit_network`.

    Returns
    -------
    TrainingResult
        Of the discriminator, which classifies. ``loss`` of its history is that of the labels,
        ``generated`` the mean probability that a generated image is recognised as such.
    """
    built = fresh(
        lambda: adversary(from_architecture(architecture), architecture["generator"]),
        settings["seed"],
    )
    history = _train(
        built,
        x_of(model, features),
        targets(features),
        features,
        balanced=features["classes"]["task"] == "chirp",
        optimiser="adam",
        loss=CLASS_LOSS,
        **settings,
    )
    return TrainingResult(built.discriminator, history)


def _train(
    built: Any,
    x: ArrayLike,
    y: NDArray[Any],
    features: Features,
    *,
    balanced: bool,
    optimiser: str,
    loss: str,
    epochs: int,
    learning_rate: float,
    batch: int,
    patience: int,
    seed: int,
) -> History:
    kind = BalancedBatches if balanced else Batches
    training, validation = (rows_of(features["splits"], code) for code in (TRAIN, VALIDATION))
    return train(
        built,
        kind(x, y, training, batch=batch, seed=seed),
        Batches(x, y, validation, batch=64, shuffle=False),
        phases=[Phase(epochs, learning_rate)],
        optimiser=optimiser,
        loss=loss,
        metrics=["accuracy"],
        seed=seed,
        early_stopping=EarlyStopping(patience) if patience else None,
    )


def adversary(discriminator: Any, generator: Mapping[str, Any]) -> Any:
    """Join a classifying discriminator and a generator into one network that trains both.

    Salimans et al. 2016 (Improved techniques for training GANs), section 5: the discriminator
    learns the labels, sum over classes, and to tell real from generated by Z / (Z + 1), Z the sum
    of its exponentiated logits; section 3.1: the generator matches the mean features of real
    images. Both step at once, each from its own loss. In prediction and validation it is the
    discriminator.

    Parameters
    ----------
    discriminator
        Network from images to class probabilities with layers ``features`` and ``logits``.
    generator
        Description of a network from (n, 64) to images.
    """
    import keras
    import tensorflow as tf
    from keras import ops

    inner = keras.Model(
        discriminator.input,
        [discriminator.get_layer(name).output for name in ("features", "logits")],
    )

    class Adversary(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="adversary")
            self.discriminator, self.inner = discriminator, inner
            self.generator = from_architecture(generator)
            self.noise = keras.random.SeedGenerator()  # from the seed that is set

        def call(self, images: Any, training: bool = False) -> Any:
            return self.discriminator(images, training=training)

        def train_step(self, data: Any) -> Any:
            images, label = data
            images = ops.reshape(images, (-1, HEIGHT, WIDTH, 1))
            noise = keras.random.normal((ops.shape(images)[0], LATENT), seed=self.noise)
            with tf.GradientTape(persistent=True) as tape:
                generated = self.generator(noise, training=True)
                features, logits = self.inner(images, training=True)
                made_features, made_logits = self.inner(generated, training=True)
                probabilities = ops.softmax(logits)
                labelled = self.compute_loss(images, label, probabilities)
                real, fake = ops.logsumexp(logits, axis=1), ops.logsumexp(made_logits, axis=1)
                separation = ops.mean(ops.softplus(real) - real) + ops.mean(ops.softplus(fake))
                distance = ops.mean(features, axis=0) - ops.mean(made_features, axis=0)
                losses = (labelled + 0.5 * separation, ops.mean(ops.square(distance)))
            parts = (self.discriminator, self.generator)
            steps = [
                pair
                for part, loss in zip(parts, losses, strict=True)
                for pair in zip(
                    tape.gradient(loss, part.trainable_weights), part.trainable_weights, strict=True
                )
            ]
            self.optimizer.apply_gradients(steps)
            return self.compute_metrics(images, label, probabilities) | {
                "loss": labelled,
                "generated": ops.mean(ops.sigmoid(-fake)),
            }

    return Adversary()


def fit_svc(features: Features, *, penalty: float, seed: int) -> Estimator:
    """Fit the linear SVC to the pooled pixels of the training images, classes weighted equally.

    Parameters
    ----------
    features
        See the module.
    penalty
        Of errors (its ``C``).
    seed
        Seed of the order in which the solver goes.
    """
    from sklearn.svm import LinearSVC

    rows = rows_of(features["splits"], TRAIN)
    x = read_rows(x_of("linear_svc", features), rows)
    svc = LinearSVC(C=penalty, class_weight="balanced", max_iter=10_000, random_state=seed)
    fitted: Estimator = svc.fit(x, targets(features)[rows])
    return fitted


def score(
    model: str, fitted: Network | Estimator, features: Features, rows: Rows
) -> NDArray[np.float64]:
    """Score images.

    Parameters
    ----------
    model
        Its name.
    fitted
        The SVC or the network.
    features
        See the module.
    rows
        Images to score.

    Returns
    -------
    float64 array
        Shape (rows,): probability of a chirp, or the SVC's signed distance; where every class is
        predicted (rows, classes), the highest for the predicted class.
    """
    classes = features["classes"]
    x = x_of(model, features)
    if model == "linear_svc":
        distance = np.asarray(fitted.decision_function(read_rows(x, rows)))
        if classes["task"] == "chirp":
            return distance
        if distance.ndim == 1:
            distance = np.stack([-distance, distance], axis=1)
        # A class without a training image is never predicted.
        result = np.full((len(rows), len(classes["names"])), distance.min() - 1)
        result[:, fitted.classes_] = distance
        return result
    scores = predict(fitted, x, rows)
    if classes["task"] == "classes" or scores.ndim == 1:
        return scores
    # The upgrade predicts every class, also where only chirps are looked for.
    return scores[:, classes["positive"]].sum(axis=1) if model == "upgrade" else scores[:, 1]


def own_threshold(model: str) -> float:
    """Return a model's own threshold: 0.5 of a probability, 0 of the SVC's distance."""
    return 0.0 if model == "linear_svc" else 0.5

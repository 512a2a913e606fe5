"""Train the gravitational-wave models and predict with them.

Examples are the rows of a split: a model's inputs (see `x_of`), and ``target``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture, training_cost
from models.arrays import ArrayLike, Arrays
from models.gravitational_waves.networks import HEIGHT, LATENT, WIDTH
from models.sampling import BalancedBatches, Batches
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

FEATURES = {"linear_svc": "pixels", "recurrent": "columns"}
"""What a model reads, where that isn't the images themselves."""

CLASS_LOSS = "sparse_categorical_crossentropy"


def x_of(model: str, examples: Arrays) -> ArrayLike:
    """Return a model's inputs, shape (n, ...): images, or its `FEATURES`."""
    return examples["values" if model in FEATURES else "image"]


def fit_network(
    model: str, architecture: JsonDict, training: Arrays, validation: Arrays, **settings: Any
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
    training, validation
        Examples of both splits.
    **settings
        ``epochs``, ``learning_rate``, ``batch``; ``patience``, the epochs without a better
        validation loss after which to stop and keep the best weights (0: never stop, and keep the
        last); ``seed`` of the weights and the order of the batches.
    """
    built = fresh(lambda: from_architecture(architecture), settings["seed"])
    binary = architecture["task"] == "chirp"

    def rows(examples: Arrays) -> tuple[ArrayLike, NDArray[Any]]:
        y = np.asarray(examples["target"])
        # Each of the shallow CNN's two outputs has a target: the published loss is a binary one.
        return x_of(model, examples), np.eye(2)[y] if binary and model == "shallow_cnn" else y

    history = _train(
        built,
        rows(training),
        rows(validation),
        balanced=binary and model == "recurrent",
        optimiser="adam" if model == "recurrent" else "rmsprop",
        loss="binary_crossentropy" if binary else CLASS_LOSS,
        **settings,
    )
    return TrainingResult(built, with_cost(history, architecture, len(training["target"])))


def fit_gan(
    model: str, architecture: JsonDict, training: Arrays, validation: Arrays, **settings: Any
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

    def rows(examples: Arrays) -> tuple[ArrayLike, NDArray[Any]]:
        return x_of(model, examples), np.asarray(examples["target"])

    history = _train(
        built,
        rows(training),
        rows(validation),
        balanced=architecture["task"] == "chirp",
        optimiser="adam",
        loss=CLASS_LOSS,
        **settings,
    )
    return TrainingResult(built.discriminator, history)


def _train(
    built: Any,
    training: tuple[ArrayLike, NDArray[Any]],
    validation: tuple[ArrayLike, NDArray[Any]],
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
    return train(
        built,
        kind(*training, batch=batch, seed=seed),
        Batches(*validation, batch=64, shuffle=False),
        phases=[Phase(epochs, learning_rate)],
        optimiser=optimiser,
        loss=loss,
        metrics=["accuracy"],
        seed=seed,
        early_stopping=EarlyStopping(patience) if patience else None,
    )


def with_cost(history: History, architecture: JsonDict, images: int) -> History:
    """Add ``multiplications`` to a history: those of a training on so many images an epoch."""
    cost = training_cost(architecture, history.epochs, images)
    return replace(history, details={**history.details, "multiplications": cost})


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


def fit_svc(training: Arrays, *, penalty: float, seed: int) -> Estimator:
    """Fit the linear SVC to the pooled pixels of the training images, classes weighted equally.

    Parameters
    ----------
    training
        Examples of the training split.
    penalty
        Of errors (its ``C``).
    seed
        Seed of the order in which the solver goes.
    """
    from sklearn.svm import LinearSVC

    x, y = np.asarray(x_of("linear_svc", training)), np.asarray(training["target"])
    svc = LinearSVC(C=penalty, class_weight="balanced", max_iter=10_000, random_state=seed)
    fitted: Estimator = svc.fit(x, y)
    return fitted


def score(
    model: str, fitted: Network | Estimator, examples: Arrays, classes: JsonDict
) -> NDArray[np.float64]:
    """Score images.

    Parameters
    ----------
    model
        Its name.
    fitted
        The SVC or the network.
    examples
        Those to score: the model's inputs.
    classes
        From `splits.classes_of`.

    Returns
    -------
    float64 array
        Shape (n,): probability of a chirp, or the SVC's signed distance; where every class is
        predicted (n, classes), the highest for the predicted class.
    """
    x = x_of(model, examples)
    if model == "linear_svc":
        distance = np.asarray(fitted.decision_function(np.asarray(x)))
        if classes["task"] == "chirp":
            return distance
        if distance.ndim == 1:
            distance = np.stack([-distance, distance], axis=1)
        # A class without a training image is never predicted.
        result = np.full((len(distance), len(classes["names"])), distance.min() - 1)
        result[:, fitted.classes_] = distance
        return result
    scores = predict(fitted, x)
    if classes["task"] == "classes" or scores.ndim == 1:
        return scores
    # The upgrade predicts every class, also where only chirps are looked for.
    return scores[:, classes["positive"]].sum(axis=1) if model == "upgrade" else scores[:, 1]


def own_threshold(model: str) -> float:
    """Return a model's own threshold: 0.5 of a probability, 0 of the SVC's distance."""
    return 0.0 if model == "linear_svc" else 0.5

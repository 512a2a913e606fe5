"""From spectrograms to fitted models: features block by block, training of each family, scores.

Here belongs which images a model learns from and is asked about, and how the study's models are
trained. The networks are in `networks`, the upgrade in `upgrade`, the loop that trains in
`models.training`.

Every function that takes ``features`` reads from it what it needs: ``images``, ``splits`` and
``classes``, and what the model reads (see `x_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture
from models.arrays import ArrayLike, Arrays, Block, Blocks, iter_blocks, map_blocks
from models.gravitational_waves.networks import BANDS, HEIGHT, LATENT, STEPS, WIDTH
from models.gravitational_waves.splits import is_positive
from models.sampling import TRAIN, VALIDATION, BalancedBatches, Batches, read_rows, rows_of
from models.training import EarlyStopping, History, Phase, fresh, predict, train

BLOCK = 256
"""Images read at once: 24 MB."""

PIXELS = (28, 34)
"""What the linear SVC sees of an image: means of 5 x 5 pixels."""

READS = {"linear_svc": ("pixels", "values"), "recurrent": ("columns", "values")}
"""Asset and array that a model reads, where it isn't the images themselves."""

CLASS_LOSS = "sparse_categorical_crossentropy"


# features ---------------------------------------------------------------------------------------


def scaling_of(images: Arrays, splits: Arrays) -> dict[str, list[float]]:
    """Take mean and deviation of each row of frequency, 140 each, from the training images."""
    code = np.asarray(splits["split"])
    total, squares, count, start = np.zeros(HEIGHT), np.zeros(HEIGHT), 0, 0
    for block in iter_blocks(images, rows=BLOCK, names=["image"]):
        stop = start + len(block["image"])
        learnt = block["image"][code[start:stop] == TRAIN].astype(np.float64)
        total += learnt.sum(axis=(0, 2))
        squares += (learnt**2).sum(axis=(0, 2))
        count += len(learnt) * WIDTH
        start = stop
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return {"mean": mean.tolist(), "deviation": np.where(deviation > 0, deviation, 1).tolist()}


def _pooled(block: Block, scaling: Mapping[str, Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Standardise images by row of frequency, and take means of equal rectangles: (n, *shape)."""
    mean, deviation = (np.asarray(scaling[k], np.float32)[:, None] for k in ("mean", "deviation"))
    rows, columns = shape
    parts = ((block["image"] - mean) / deviation).reshape(
        len(block["image"]), rows, HEIGHT // rows, columns, WIDTH // columns
    )
    return np.asarray(parts.mean(axis=(2, 4), dtype=np.float32))


def columns_of(images: Arrays, scaling: Mapping[str, Any]) -> Blocks:
    """Standardise images, pool 2 x 2 and put time first: ``values``, float32, (n, 85, 70).

    Full columns take a recurrent network four times as long and rank no better.
    """
    return map_blocks(
        images,
        lambda b: {"values": _pooled(b, scaling, (BANDS, STEPS)).transpose(0, 2, 1)},
        rows=BLOCK,
        names=["image"],
    )


def pixels_of(images: Arrays, scaling: Mapping[str, Any]) -> Blocks:
    """Standardise images and pool 5 x 5: ``values``, float32, (n, 952)."""
    return map_blocks(
        images,
        lambda b: {"values": _pooled(b, scaling, PIXELS).reshape(len(b["image"]), -1)},
        rows=BLOCK,
        names=["image"],
    )


# what is learnt ---------------------------------------------------------------------------------


def x_of(model: str, features: Mapping[str, Any]) -> ArrayLike:
    """Give what a model reads, shape (n, ...): images, or the features in `READS`."""
    asset, name = READS.get(model, ("images", "image"))
    read: ArrayLike = features[asset][name]
    return read


def targets(features: Mapping[str, Any]) -> NDArray[Any]:
    """Give what is asked of each image, shape (n,): 1 for a chirp, or its class by code."""
    codes = np.asarray(features["splits"]["class"])
    classes = features["classes"]
    return codes if classes["task"] == "classes" else is_positive(codes, classes)


def fit_network(
    model: str, architecture: Mapping[str, Any], features: Mapping[str, Any], **settings: Any
) -> tuple[Any, History]:
    """Train one of the study's CNNs, or the recurrent network.

    The CNNs learn by RMSprop from images as they come, as published; the recurrent network by Adam
    from batches half of chirps.

    Parameters
    ----------
    model
        Its name.
    architecture
        As `networks.described` gives it.
    features
        See the module.
    **settings
        ``epochs``, ``learning_rate``, ``batch``; ``patience``, the epochs without a better
        validation loss after which to stop and keep the best weights (0: go on to the end and keep
        the last); ``seed`` of the weights and the order of the batches.

    Returns
    -------
    network, history
        The trained network and what its training left behind.
    """
    built = fresh(lambda: from_architecture(architecture), settings["seed"])
    binary = features["classes"]["task"] == "chirp"
    y = targets(features)
    history = _train(
        built,
        x_of(model, features),
        # The shallow CNN's two outputs are each asked: the published loss is a binary one.
        np.eye(2)[y] if binary and model == "shallow_cnn" else y,
        features,
        balanced=binary and model == "recurrent",
        optimiser="adam" if model == "recurrent" else "rmsprop",
        loss="binary_crossentropy" if binary else CLASS_LOSS,
        **settings,
    )
    return built, history


def fit_gan(
    model: str, architecture: Mapping[str, Any], features: Mapping[str, Any], **settings: Any
) -> tuple[Any, History]:
    """Train the GAN by Adam, on batches half of chirps; parameters as `fit_network`.

    Returns
    -------
    network, history
        The discriminator, which classifies, and what the training left behind: ``loss`` is that of
        the labels, ``generated`` how surely generated images are told from real ones.
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
    return built.discriminator, history


def _train(
    built: Any,
    x: ArrayLike,
    y: NDArray[Any],
    features: Mapping[str, Any],
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
    learnt, held = (rows_of(features["splits"], code) for code in (TRAIN, VALIDATION))
    return train(
        built,
        kind(x, y, learnt, batch=batch, seed=seed),
        Batches(x, y, held, batch=64, shuffle=False),
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
    images. Both step at once, each from its own loss. Asked for a score, or judged on validation,
    it is the discriminator.

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
                made = self.generator(noise, training=True)
                features, logits = self.inner(images, training=True)
                made_features, made_logits = self.inner(made, training=True)
                probabilities = ops.softmax(logits)
                labelled = self.compute_loss(images, label, probabilities)
                real, fake = ops.logsumexp(logits, axis=1), ops.logsumexp(made_logits, axis=1)
                told = ops.mean(ops.softplus(real) - real) + ops.mean(ops.softplus(fake))
                apart = ops.mean(features, axis=0) - ops.mean(made_features, axis=0)
                losses = (labelled + 0.5 * told, ops.mean(ops.square(apart)))
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


def fit_svc(features: Mapping[str, Any], *, penalty: float, seed: int) -> Any:
    """Fit the linear SVC to the pooled pixels of the training images, classes weighed alike.

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
    return svc.fit(x, targets(features)[rows])


# scores -----------------------------------------------------------------------------------------


def score(
    model: str, fitted: Any, features: Mapping[str, Any], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Ask a fitted model about some images.

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
        Shape (rows,): probability of a chirp, or the SVC's signed distance; where classes are told
        apart (rows, classes), the highest for the class that it is taken for.
    """
    classes = features["classes"]
    x = x_of(model, features)
    if model == "linear_svc":
        found = np.asarray(fitted.decision_function(read_rows(x, rows)))
        if classes["task"] == "chirp":
            return found
        if found.ndim == 1:
            found = np.stack([-found, found], axis=1)
        # A class without a training image is taken for nothing.
        result = np.full((len(rows), len(classes["names"])), found.min() - 1)
        result[:, fitted.classes_] = found
        return result
    found = predict(fitted, x, rows)
    if classes["task"] == "classes" or found.ndim == 1:
        return found
    # The upgrade knows every class also where only chirps are asked for.
    return found[:, classes["positive"]].sum(axis=1) if model == "upgrade" else found[:, 1]


def own_cut(model: str) -> float:
    """Where a model itself decides: 0.5 of a probability, 0 of the SVC's distance."""
    return 0.0 if model == "linear_svc" else 0.5

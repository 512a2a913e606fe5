"""The networks that look for chirps: the study's two CNNs as published, and those it only names.

Builders of uncompiled networks, with the parameter counts computed from the published layers. The
upgrade's network is in `models.gravitational_waves.upgrade`.

A builder takes the number of classes where every class is predicted, or 0 for the study's question,
chirp or not, which has the published output. Layers carry explicit names, so that a network built
after many others has the same configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from models.architectures import Published, architecture_with_cost
from models.gravitational_waves.images import SHAPE
from models.types import JsonDict

if TYPE_CHECKING:
    import keras

HEIGHT, WIDTH = SHAPE

STEPS, BANDS = 85, 70
"""What the recurrent network reads: pairs of columns in time, pairs of rows in frequency."""

LATENT = 64
"""Random numbers that the GAN's generator makes an image of."""

PUBLISHED = {
    # 320 + 18,496 + 36,928; 31 x 39 x 64 = 77,376 inputs to Dense 64: 4,952,128; 130
    "shallow_cnn": Published(5_008_002, 5_008_002),
    # 320 + 18,496 + 73,856 + 147,584; 6 x 8 x 128 = 6,144 inputs to Dense 512: 3,146,240; 513
    "deep_cnn": Published(3_387_009, 3_387_009),
}
"""Parameters of the published layers, for the published output."""


def shallow_cnn(classes: int = 0) -> keras.Model:
    """Build the study's shallow CNN.

    Returns
    -------
    Uncompiled network from (n, 140, 170, 1), values 0 ... 1, to softmax probabilities (n, 2): no
    chirp, chirp; 5,008,002 parameters. (n, classes) where glitches are told apart.
    """
    import keras
    from keras import layers

    image = keras.Input((HEIGHT, WIDTH, 1), name="image")
    x = layers.Conv2D(32, 3, activation="relu", name="conv_1")(image)
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    x = layers.Conv2D(64, 3, activation="relu", name="conv_2")(x)
    x = layers.MaxPooling2D(2, name="pool_2")(x)
    x = layers.Conv2D(64, 3, activation="relu", name="conv_3")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64, activation="relu", name="dense")(x)
    head = layers.Dense(classes or 2, activation="softmax", name="classes")(x)
    return keras.Model(image, head, name="shallow_cnn")


def deep_cnn(classes: int = 0) -> keras.Model:
    """Build the study's deep CNN.

    Returns
    -------
    Uncompiled network from (n, 140, 170, 1), values 0 ... 1, to the probability of a chirp (n, 1);
    3,387,009 parameters. Softmax probabilities (n, classes) where glitches are told apart.
    """
    import keras
    from keras import layers

    image = keras.Input((HEIGHT, WIDTH, 1), name="image")
    x = image
    for stage, filters in enumerate((32, 64, 128, 128), start=1):
        x = layers.Conv2D(filters, 3, activation="relu", name=f"conv_{stage}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(512, activation="relu", name="dense")(x)
    return keras.Model(image, _head(x, classes), name="deep_cnn")


def recurrent(classes: int = 0) -> keras.Model:
    """Build the recurrent network over the spectrogram's columns, which the study only names.

    Returns
    -------
    Uncompiled network from (n, 85, 70), standardised columns in the order of time, to the
    probability of a chirp (n, 1), or (n, classes). It reads them both ways and keeps the most that
    each unit says at any time: after the last column little is left of a chirp in the middle.
    """
    import keras
    from keras import layers

    columns = keras.Input((STEPS, BANDS), name="columns")
    steps = layers.GRU(32, return_sequences=True, name="gru")
    x = layers.Bidirectional(steps, name="both_ways")(columns)
    x = layers.GlobalMaxPooling1D(name="most")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(columns, _head(x, classes), name="recurrent")


def discriminator(classes: int = 0) -> keras.Model:
    """Build the GAN's discriminator, which classifies (Salimans et al. 2016, section 5).

    Its logits l say both what an image is, softmax(l), and how real it looks, Z / (Z + 1) with
    Z = sum(exp l): the paper's class "generated" has its logit fixed at 0.

    Returns
    -------
    Uncompiled network from (n, 140, 170, 1), values 0 ... 1, to (n, 2) probabilities of no chirp
    and chirp, or (n, classes).
    """
    import keras
    from keras import layers

    image = keras.Input((HEIGHT, WIDTH, 1), name="image")
    x = layers.AveragePooling2D(2, name="half_size")(image)
    for stage, filters in enumerate((16, 32, 64), start=1):
        x = layers.Conv2D(
            filters, 5, strides=2, padding="same", activation="elu", name=f"conv_{stage}"
        )(x)
        x = layers.Dropout(0.2, name=f"dropout_{stage}")(x)
    x = layers.Flatten(name="features")(x)
    logits = layers.Dense(classes or 2, name="logits")(x)
    return keras.Model(image, layers.Softmax(name="classes")(logits), name="discriminator")


def generator() -> keras.Model:
    """Build the GAN's generator.

    Returns
    -------
    Uncompiled network from (n, 64), standard normal, to images (n, 140, 170, 1), values 0 ... 1, in
    blocks of 2 x 2 equal pixels: the discriminator looks at their means.
    """
    import keras
    from keras import layers

    noise = keras.Input((LATENT,), name="noise")
    x = layers.Dense(14 * 17 * 16, activation="relu", name="dense")(noise)
    x = layers.Reshape((14, 17, 16), name="reshape")(x)
    x = layers.Conv2DTranspose(16, 5, strides=5, activation="relu", name="deconv")(x)
    x = layers.Conv2D(1, 5, padding="same", activation="sigmoid", name="conv")(x)
    image = layers.UpSampling2D(2, name="full_size")(x)
    return keras.Model(noise, image, name="generator")


BUILDERS: dict[str, Callable[[int], Any]] = {
    "shallow_cnn": shallow_cnn,
    "deep_cnn": deep_cnn,
    "recurrent": recurrent,
    "gan": discriminator,
}
"""The study's networks by the name of their model."""


def describe(model: str, classes: int = 0) -> JsonDict:
    """Describe a network as data: see `models.architectures.architecture`.

    Parameters
    ----------
    model
        One of `BUILDERS`.
    classes
        Number of classes; 0 for chirp or not.

    Returns
    -------
    dict
        With ``multiplications`` and ``task``, one of `splits.TASKS`; for the GAN also
        ``generator``, in the same form.
    """
    published = PUBLISHED.get(model)
    if published is not None and classes:
        other = f"the published output is for chirp or not, this one for {classes} classes"
        published = Published(published.parameters, published.trainable, other)
    network = architecture_with_cost(BUILDERS[model](classes), published)
    if model == "gan":
        network["generator"] = architecture_with_cost(generator())
    return network | {"task": "classes" if classes else "chirp"}


def _head(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    from keras import layers

    if classes:
        return layers.Dense(classes, activation="softmax", name="classes")(x)
    return layers.Dense(1, activation="sigmoid", name="chirp")(x)

"""The acoustic models, built from their settings.

One builder serves all designs. Layers carry explicit names, so that a network built after many
others has the same configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.architectures import architecture
from models.speech.designs import BINS, Convolution, Design, Recurrent, design, shortest_input
from models.speech.published import published_counts
from models.speech.symbols import OUTPUTS
from models.types import JsonDict

if TYPE_CHECKING:
    import keras


def register() -> None:
    """Make the project's layers known to Keras, so that stored networks that have them load."""
    import models.speech.layers  # noqa: F401


def describe(name: str, coefficients: int = BINS["mfcc"]) -> JsonDict:
    """Describe a model as data, with its published parameter counts where they are known.

    Parameters
    ----------
    name
        Its id.
    coefficients
        Cepstra of a frame; the published counts are those of 26.

    Returns
    -------
    dict
        As `models.architectures.architecture`; ``feature`` and ``centred``; ``convolutions`` and
        ``shortest_input``, which determine the length of its output
        (`models.speech.designs.output_length`); the study's ``epochs`` and ``learning_rate``.
    """
    settings = design(name)
    convolutions = settings.convolutions()
    bins = coefficients if settings.feature == "mfcc" else BINS[settings.feature]
    published = published_counts(name) if bins == BINS[settings.feature] else None
    return architecture(build(settings, name, bins), published) | {
        "feature": settings.feature,
        "centred": settings.centred,
        "convolutions": convolutions,
        "shortest_input": shortest_input(convolutions),
        "epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
    }


def network(name: str) -> keras.Model:
    """Build a model by its id.

    Returns
    -------
    Uncompiled network from normalised frames (n, frames, 161 or 26), of any number, to the
    probability of each symbol at each output step (n, steps, 29), the blank last. Without a head
    there are as many outputs as units: the symbols come first, the blank is last.

    Raises
    ------
    ValueError
        There is no such model.
    """
    settings = design(name)
    return build(settings, name, BINS[settings.feature])


def build(settings: Design, name: str, bins: int) -> keras.Model:
    """Build the network of any settings, for frames of so many values."""
    import keras

    from models.speech.layers import TimeDistributed

    frames = keras.Input((None, bins), name="frames")
    x = frames
    if settings.convolution is not None:
        x = _convolutions(settings.convolution, x)
    if settings.recurrent is not None:
        x = _recurrent(settings.recurrent, x)
    if settings.head is not None:
        if settings.recurrent is not None:
            x = _after(x, settings.head.before, settings.head.dropout, "head")
        dense = keras.layers.Dense(OUTPUTS, name="dense_symbols")
        x = TimeDistributed(dense, name="symbols")(x)
    symbols = keras.layers.Activation("softmax", name="softmax")(x)
    return keras.Model(frames, symbols, name=name)


def _convolutions(part: Convolution, x: Any) -> Any:
    import keras

    own = part.after.startswith("r")
    read = x
    each = zip(part.strides(), part.dilations(), strict=True)
    for number, (stride, dilation) in enumerate(each, start=1):
        name = f"conv_{number}"
        convolved = keras.layers.Conv1D(
            part.filters,
            part.kernel,
            strides=stride,
            padding=part.padding,
            dilation_rate=dilation,
            activation="relu" if own else None,
            name=name,
        )(read)
        x = _after(convolved, part.after[own:], part.dropout, name)
        if part.dense and number < part.layers:
            read = keras.layers.Concatenate(name=f"{name}_dense")([read, x])
        else:
            read = x
    return x


def _recurrent(part: Recurrent, x: Any) -> Any:
    import keras

    from models.speech.layers import GRU

    cell = GRU if part.cell == "GRU" else getattr(keras.layers, part.cell)
    read = x
    for number in range(1, part.layers + 1):
        name = f"rnn_{number}"
        layer = cell(part.units, return_sequences=True, name=name)
        if number == 1 and part.merge is not None:
            layer = keras.layers.Bidirectional(layer, merge_mode=part.merge, name=f"{name}_both")
        x = layer(read)
        if number < part.layers:
            x = _after(x, part.between, part.dropout, name)
            read = keras.layers.Concatenate(name=f"{name}_dense")([read, x]) if part.dense else x
    return x


def _after(x: Any, order: str, dropout: float, name: str) -> Any:
    """Append relu, batch normalisation and dropout in the order of the letters."""
    import keras

    for letter in order:
        if letter == "r":
            x = keras.layers.Activation("relu", name=f"{name}_relu")(x)
        elif letter == "n":
            x = keras.layers.BatchNormalization(name=f"{name}_norm")(x)
        else:
            x = keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return x

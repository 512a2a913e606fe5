"""The study's 16 networks, which label every trace of a window, as settings.

The published layers in one notation, the builder of uncompiled networks from it, and the parameter
counts worked out from the layers (the study gives none; its results are in
`models.buried_objects.published`). `models.buried_objects.training` trains them; the upgrade's
network is in `models.buried_objects.upgrade`.

A network takes windows of 100 neighbouring traces, padded with traces of 0 where a scan is shorter,
and ends in two probabilities for every trace: not over the object, over it. Layers carry explicit
names, so that a network built after many others has the same configuration.

What the study distributes over the traces (Keras' TimeDistributed) is written here as the same
convolutions over one axis of two: the weights and outputs are equal, and the graph isn't repeated a
hundred times (measured with 503 samples: 14 x as fast).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.architectures import Published, architecture_with_cost
from models.buried_objects.scans import SAMPLES
from models.buried_objects.windows import TRACES
from models.types import JsonDict

if TYPE_CHECKING:
    import keras

OPTIMISER = "adam"
LEARNING_RATE = 1e-3
LOSS = "sparse_categorical_crossentropy"


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes
    ----------
    kind
        ``mask``, ``norm`` (batch normalisation), ``lstm``, ``rnn`` (SimpleRNN), ``dense``,
        ``dropout``, or over the samples of each trace: ``conv`` (relu), ``pool`` (maximum of 5,
        every 2), ``flatten``, ``mean`` (global average).
    units
        Units or filters.
    kernel, stride
        Of a convolution, samples.
    activation
        Of a Dense layer; linear where the study names none.
    dropout
        Share of inputs dropped.
    l2
        Penalty on the kernel.
    """

    kind: str
    units: int = 0
    kernel: int = 0
    stride: int = 1
    activation: str | None = None
    dropout: float = 0.0
    l2: float = 0.0


MASK, NORM, POOL, FLATTEN, MEAN = map(Layer, ("mask", "norm", "pool", "flatten", "mean"))


def _recurrent(
    kind: str, units: Iterable[int], dropouts: Iterable[float], l2: float
) -> tuple[Layer, ...]:
    """Mask, then recurrent layers, each after a batch normalisation."""
    layers = [MASK]
    for width, dropout in zip(units, dropouts, strict=True):
        layers += [NORM, Layer(kind, width, dropout=dropout, l2=l2)]
    return tuple(layers)


def _dense_first(units: Iterable[int], l2: float) -> tuple[Layer, ...]:
    """Mask, then Dense layers with dropout, and one SimpleRNN."""
    layers = [MASK]
    for width in units:
        layers += [NORM, Layer("dense", width, l2=l2), Layer("dropout", dropout=0.2)]
    return (*layers, NORM, Layer("rnn", 100, l2=l2))


def _convolved(kernel: int, stride: int, *, normed: bool) -> tuple[Layer, ...]:
    """One convolution over each trace, and a SimpleRNN over the traces."""
    more = (NORM,) if normed else ()
    dense = Layer("dense", 100, activation="relu" if normed else None, l2=0.05)
    first = Layer("conv", 50, kernel, stride, l2=0.05)
    return (NORM, first, *more, POOL, FLATTEN, *more, dense, Layer("rnn", 100, l2=0.05))


def _convolved_twice(
    begin: tuple[Layer, ...], end: tuple[Layer, ...], l2: float = 0.0
) -> tuple[Layer, ...]:
    """Two convolutions over each trace, and a SimpleRNN over the traces."""
    first, second = (Layer("conv", filters, 12, 4, l2=l2) for filters in (50, 20))
    dense = Layer("dense", 100, activation="relu")
    return (*begin, first, POOL, NORM, second, *end, NORM, dense, Layer("rnn", 100))


_DEEP = (100, 200, 300, 500, 500, 300, 200, 100)
_RISING = (0.2,) * 4 + (0.5,) * 4
_NOISY = (NORM, Layer("dropout", dropout=0.5))

DESIGNS: dict[str, tuple[Layer, ...]] = {
    "lstm1": _recurrent("lstm", (100, 200, 200, 100), (0.5,) * 4, 0.2),
    "lstm2": _recurrent("lstm", _DEEP, (0.5,) * 8, 0.2),
    "lstm3": _recurrent("lstm", _DEEP, _RISING, 0.01),
    "lstm4": _recurrent("lstm", _DEEP, _RISING, 0.05),
    "lstm5": _recurrent("lstm", _DEEP, _RISING, 0.03),
    "rnn1": _recurrent("rnn", (100,), (0.2,), 0.03),
    "rnn2": _recurrent("rnn", (100,), (0.2,), 0.05),
    "rnn3": _recurrent("rnn", (100,), (0.2,), 0.1),
    "rnn4": _dense_first((100, 200, 250), 0.05),
    "rnn5": _dense_first((100,), 0.05),
    "convrnn1": _convolved(5, 10, normed=False),
    "convrnn2": _convolved(10, 2, normed=False),
    "convrnn3": _convolved(10, 2, normed=True),
    "convrnn4": _convolved_twice((NORM,), (MEAN,)),
    "convrnn5": _convolved_twice(_NOISY, (POOL, FLATTEN)),
    "convrnn6": _convolved_twice(_NOISY, (POOL, FLATTEN), l2=0.2),
}
"""The study's networks by name. It calls ``rnn1`` also lstm6, and ``convrnn1`` also rnn6."""

COUNTS: dict[str, tuple[int, int]] = {
    "lstm1": (4_787_630, 4_766_516),
    "lstm2": (10_040_430, 10_016_116),
    "lstm3": (10_040_430, 10_016_116),
    "lstm4": (10_040_430, 10_016_116),
    "lstm5": (10_040_430, 10_016_116),
    "rnn1": (1_056_230, 1_036_116),
    "rnn2": (1_056_230, 1_036_116),
    "rnn3": (1_056_230, 1_036_116),
    "rnn4": (1_153_980, 1_132_766),
    "rnn5": (1_066_730, 1_046_416),
    "convrnn1": (2_525_706, 2_525_704),
    "convrnn2": (12_570_956, 12_570_954),
    "convrnn3": (13_073_156, 12_822_054),
    "convrnn4": (35_356, 35_214),
    "convrnn5": (353_596, 347_334),
    "convrnn6": (353_596, 347_334),
}
"""All and trainable parameters of the published layers, for traces of 10,057 samples."""


def published_counts(name: str, samples: int) -> Published:
    """Parameters of the published layers, and why they differ where traces are shorter."""
    difference = (
        ""
        if samples == SAMPLES
        else (
            f"worked out from the published layers for {SAMPLES:,} samples a trace, built here for "
            f"{samples:,}"
        )
    )
    return Published(*COUNTS[name], difference)


def network(name: str, samples: int) -> keras.Model:
    """Build one of the study's networks.

    Parameters
    ----------
    name
        One of `DESIGNS`.
    samples
        Samples of a trace.

    Returns
    -------
    Uncompiled network from (n, 100, samples) V/m, or (n, 100, samples, 1) where it convolves, to
    probabilities (n, 100, 2): not over the object, over it.

    Raises
    ------
    ValueError
        There is no such network, or traces are too short for its convolutions.
    """
    import keras

    if name not in DESIGNS:
        raise ValueError(f"no network is called {name!r}; there are {', '.join(DESIGNS)}")
    design = DESIGNS[name]
    shape = (TRACES, samples) if design[0] is MASK else (TRACES, samples, 1)
    window = keras.Input(shape, name="window")
    x = window
    met: dict[str, int] = {}
    for layer in design:
        met[layer.kind] = met.get(layer.kind, 0) + 1
        if layer.kind in ("conv", "pool") and x.shape[2] < max(layer.kernel, 5):
            raise ValueError(
                f"traces of {samples} samples are too short for {name}: only {x.shape[2]} places "
                f"are left at its layer {layer.kind}_{met[layer.kind]}; take a finer time grid"
            )
        x = _built(layer, f"{layer.kind}_{met[layer.kind]}", x)
    classes = keras.layers.Dense(2, activation="softmax", name="classes")(x)
    return keras.Model(window, classes, name=name)


def _built(layer: Layer, name: str, x: Any) -> Any:
    from keras import layers, regularizers

    penalty: dict[str, Any] = {"kernel_regularizer": regularizers.L2(layer.l2)} if layer.l2 else {}
    if layer.kind == "mask":
        return layers.Masking(0.0, name=name)(x)
    if layer.kind == "norm":
        return layers.BatchNormalization(name=name)(x)
    if layer.kind in ("lstm", "rnn"):
        cell = layers.LSTM if layer.kind == "lstm" else layers.SimpleRNN
        settings = {"return_sequences": True, "dropout": layer.dropout, **penalty}
        return cell(layer.units, name=name, **settings)(x)
    if layer.kind == "dense":
        return layers.Dense(layer.units, layer.activation, name=name, **penalty)(x)
    if layer.kind == "dropout":
        return layers.Dropout(layer.dropout, name=name)(x)
    if layer.kind == "conv":
        sizes: dict[str, Any] = {"kernel_size": (1, layer.kernel), "strides": (1, layer.stride)}
        return layers.Conv2D(layer.units, activation="relu", name=name, **sizes, **penalty)(x)
    if layer.kind == "pool":
        return layers.MaxPooling2D((1, 5), (1, 2), name=name)(x)
    if layer.kind == "mean":
        x = layers.AveragePooling2D((1, x.shape[2]), name=name)(x)
        name = f"{name}_flat"
    return layers.Reshape((TRACES, math.prod(x.shape[2:])), name=name)(x)


def describe(name: str, samples: int) -> JsonDict:
    """Describe a network as data, with the multiplications to label a window.

    See `models.architectures.architecture_with_cost`.
    """
    return architecture_with_cost(network(name, samples), published_counts(name, samples))

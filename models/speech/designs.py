"""The study's 113 acoustic models as settings.

`models.speech.networks` builds the networks, `models.speech.studies` lists the comparisons. An
order of layers is written with one letter per layer: ``r`` relu, ``n``
batch normalisation, ``d`` dropout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Frames = TypeVar("Frames", int, NDArray[np.int64])

Feature = Literal["spectrogram", "mfcc"]
BINS: dict[Feature, int] = {"spectrogram": 161, "mfcc": 26}
"""Values of one frame."""


@dataclass(frozen=True)
class Convolution:
    """The convolutional part.

    Attributes
    ----------
    layers, kernel, filters, stride, padding
        As in Keras' Conv1D; ``padding`` is ``"same"`` or ``"valid"``.
    after
        What follows each convolution. A relu in the first place is the convolution's own
        activation, elsewhere a layer.
    dropout
        Its rate, where ``after`` has one.
    strided
        How many layers have the stride, the first ones; None for all.
    dilation
        1 for none; 2: layers dilated 1, 2, 4, ...; -2: the reverse, the last layer 1.
    dense
        Whether each layer also reads all that came before it in this part.
    """

    layers: int
    kernel: int
    after: str = "drn"
    dropout: float = 0.2
    filters: int = 200
    stride: int = 1
    strided: int | None = None
    padding: str = "same"
    dilation: int = 1
    dense: bool = False

    def dilations(self) -> list[int]:
        """Dilation of each layer."""
        rates = [abs(self.dilation) ** number for number in range(self.layers)]
        return rates if self.dilation > 0 else rates[::-1]

    def strides(self) -> list[int]:
        """Stride of each layer."""
        strided = self.layers if self.strided is None else self.strided
        return [self.stride if number < strided else 1 for number in range(self.layers)]


@dataclass(frozen=True)
class Recurrent:
    """The recurrent part; its first layer is bidirectional where ``merge`` names a mode.

    Attributes
    ----------
    layers, units
        How many, and how wide.
    between
        What follows each layer but the last.
    dropout
        Its rate, where ``between`` has one.
    cell
        ``"SimpleRNN"``, ``"LSTM"`` or ``"GRU"``.
    merge
        How both directions are merged: ``"concat"``, ``"sum"``, ``"ave"``, ``"mul"``; None for one
        direction.
    dense
        Whether each layer also reads all that came before it in this part.
    """

    layers: int = 1
    between: str = ""
    dropout: float = 0.2
    cell: str = "GRU"
    units: int = 200
    merge: str | None = "concat"
    dense: bool = False


@dataclass(frozen=True)
class Head:
    """A dense layer to the 29 symbols at each time step.

    Attributes
    ----------
    before
        What stands between the last recurrent layer and it; nothing after a convolution.
    dropout
        Its rate, where ``before`` has one.
    """

    before: str = "rnd"
    dropout: float = 0.2


@dataclass(frozen=True)
class Design:
    """One acoustic model.

    Attributes
    ----------
    convolution, recurrent, head
        Its parts; None for one that it lacks. Without a head the last layer's units are the
        symbols, of which only the first 28 and the last, the blank, are ever used.
    epochs, learning_rate
        Of the study's training.
    feature
        Its input.
    centred
        Whether each bin's mean over an utterance is subtracted, and with it much of the difference
        between speakers and rooms (Atal 1974, Journal of the Acoustical Society of America 55,
        1304).
    """

    convolution: Convolution | None
    recurrent: Recurrent | None
    head: Head | None
    epochs: int
    learning_rate: float = 0.02
    feature: Feature = "spectrogram"
    centred: bool = False

    def convolutions(self) -> list[dict[str, Any]]:
        """Describe what decides the length of the output, one entry a convolution, as JSON."""
        part = self.convolution
        return (
            [
                {
                    "kernel": part.kernel,
                    "stride": stride,
                    "padding": part.padding,
                    "dilation": dilation,
                }
                for stride, dilation in zip(part.strides(), part.dilations(), strict=True)
            ]
            if part
            else []
        )


PLAIN = Recurrent(cell="SimpleRNN", merge=None)
LSTM = Recurrent(cell="LSTM", merge=None)
GRU = Recurrent()
GRU_4 = Recurrent(4, "nrd")
DENSE_4 = replace(GRU_4, dense=True)
DENSE_4_30 = replace(DENSE_4, dropout=0.3)
DENSE_4X250 = replace(DENSE_4, units=250)
DENSE_LSTM = replace(DENSE_4X250, cell="LSTM")
STRIDED = Convolution(1, 11, "rdn", stride=2, padding="valid")
STRIDED_25 = replace(STRIDED, dropout=0.25)
DEEP = Convolution(12, 3, "rdn", 0.25)
DENSENET = Convolution(12, 3, "nrd", filters=76, dense=True)
HEAD = Head()
HEAD_NRD = Head("nrd")
HEAD_30 = Head("nrd", 0.3)


def _dilated(layers: int, after: str = "drn", dropout: float = 0.2) -> Convolution:
    return Convolution(layers, 3, after, dropout, padding="valid", dilation=2)


def _inverse(layers: int, kernel: int = 3) -> Convolution:
    return Convolution(layers, kernel, padding="valid", dilation=-2)


DESIGNS = {
    "s000": Design(None, PLAIN, None, 20, feature="mfcc"),
    "s001": Design(None, PLAIN, None, 20),
    "s002": Design(None, LSTM, None, 20),
    "s003": Design(None, LSTM, HEAD, 20),
    "s004": Design(STRIDED, LSTM, HEAD, 20),
    "s005": Design(None, Recurrent(2, "d", cell="LSTM", merge=None), HEAD, 20),
    "s006": Design(None, Recurrent(3, "d", cell="LSTM", merge=None), HEAD, 20),
    "s007": Design(None, Recurrent(2, "d", cell="LSTM"), HEAD, 20),
    "s008": Design(None, Recurrent(2, "d", cell="LSTM", merge="sum"), HEAD, 20),
    "s009": Design(None, Recurrent(2, "d", cell="LSTM", merge="ave"), HEAD, 20),
    "s010": Design(None, Recurrent(2, "d", cell="LSTM", merge="mul"), HEAD, 20),
    "s011": Design(STRIDED, GRU, HEAD, 30),
    "s012": Design(replace(STRIDED, after="rnd"), GRU, HEAD, 30),
    "s013": Design(replace(STRIDED, after="rd"), GRU, HEAD, 30),
    "s014": Design(replace(STRIDED, after="rn"), GRU, HEAD, 30),
    "s015": Design(replace(STRIDED, after="drn"), GRU, HEAD, 30),
    "s016": Design(replace(STRIDED, after="dr"), GRU, HEAD, 30),
    "s017": Design(replace(STRIDED, after="nrd"), GRU, HEAD, 30),
    "s018": Design(replace(STRIDED, after="nr"), GRU, HEAD, 30),
    "s019": Design(replace(STRIDED, layers=2), GRU, HEAD, 50),
    "s020": Design(replace(STRIDED, layers=2, after="rnd"), GRU, HEAD, 50),
    "s021": Design(replace(STRIDED, layers=2, after="drn"), GRU, HEAD, 50),
    "s022": Design(replace(STRIDED, layers=2, after="nrd"), GRU, HEAD, 50),
    "s023": Design(replace(STRIDED, after="drn"), GRU, HEAD_NRD, 50),
    "s024": Design(Convolution(2, 5), GRU, HEAD, 50),
    "s025": Design(Convolution(4, 5), GRU, HEAD, 50),
    "s026": Design(Convolution(5, 3), GRU, HEAD, 50),
    "s027": Design(Convolution(8, 3), GRU, HEAD, 50),
    "s028": Design(Convolution(10, 3), GRU, HEAD, 100),
    "s029": Design(Convolution(12, 3), GRU, HEAD, 100),
    "s030": Design(Convolution(16, 3), GRU, HEAD, 150),
    "s031": Design(Convolution(3, 5), GRU, HEAD, 50),
    "s032": Design(Convolution(3, 5, "nrd"), GRU, HEAD, 50),
    "s033": Design(Convolution(3, 5, "rdn"), GRU, HEAD, 50),
    "s034": Design(Convolution(8, 3, "nrd"), GRU, HEAD, 100),
    "s035": Design(Convolution(8, 3), GRU, HEAD, 100),
    "s036": Design(Convolution(8, 3, "rnd"), GRU, HEAD, 100),
    "s037": Design(Convolution(8, 3, "rdn"), GRU, HEAD, 100),
    "s038": Design(Convolution(12, 3), GRU, HEAD, 100),
    "s039": Design(DENSENET, GRU, HEAD_NRD, 100),
    "s040": Design(DENSENET, GRU, HEAD_NRD, 30, learning_rate=0.05),
    "s041": Design(replace(DENSENET, dropout=0.3), GRU, HEAD_NRD, 50, learning_rate=0.05),
    "s042": Design(replace(DENSENET, filters=150), GRU, HEAD_NRD, 50, learning_rate=0.05),
    "s043": Design(replace(DENSENET, layers=18), GRU, HEAD_NRD, 50, learning_rate=0.05),
    "s044": Design(replace(DENSENET, filters=90), None, HEAD_NRD, 30, learning_rate=0.05),
    "s045": Design(Convolution(2, 5, filters=100, dense=True), GRU, HEAD, 50),
    "s046": Design(Convolution(4, 5, filters=80, dense=True), GRU, HEAD, 50),
    "s047": Design(Convolution(5, 3, filters=80, dense=True), GRU, HEAD, 50),
    "s048": Design(Convolution(8, 3, filters=50, dense=True), GRU, HEAD, 50),
    "s049": Design(_dilated(2), GRU, HEAD, 100),
    "s050": Design(_dilated(3), GRU, HEAD, 100),
    "s051": Design(_dilated(4), GRU, HEAD, 100),
    "s052": Design(_dilated(5), GRU, HEAD, 100),
    "s053": Design(_dilated(6), GRU, HEAD, 100),
    "s054": Design(_inverse(2, 11), GRU, HEAD, 50),
    "s055": Design(_inverse(2), GRU, HEAD, 50),
    "s056": Design(_inverse(3), GRU, HEAD, 50),
    "s057": Design(_inverse(4), GRU, HEAD, 50),
    "s058": Design(_inverse(5), GRU, HEAD, 50),
    "s059": Design(_inverse(6), GRU, HEAD, 50),
    "s060": Design(_dilated(4, "nrd"), GRU, HEAD, 50),
    "s061": Design(_dilated(4, dropout=0.4), GRU, HEAD, 50),
    "s062": Design(_dilated(4, "nrd", 0.4), GRU, HEAD, 50),
    "s063": Design(Convolution(12, 3, "drn", 0.1), GRU, HEAD, 100),
    "s064": Design(Convolution(12, 3), GRU, HEAD, 200),
    "s065": Design(Convolution(12, 3, "drn", 0.3), GRU, HEAD, 200),
    "s066": Design(Convolution(12, 3, "drn", 0.4), GRU, HEAD, 300),
    "s067": Design(Convolution(12, 3, "drn", 0.5), GRU, HEAD, 300),
    "s068": Design(Convolution(12, 3, "drn", 0.25), GRU, HEAD, 150),
    "s069": Design(STRIDED, Recurrent(4, "r"), HEAD, 30),
    "s070": Design(STRIDED, Recurrent(4, "nr"), HEAD, 30),
    "s071": Design(STRIDED, Recurrent(4, "rd"), HEAD, 30),
    "s072": Design(STRIDED, Recurrent(4, "rd", 0.5), HEAD, 30),
    "s073": Design(STRIDED, GRU_4, HEAD, 30),
    "s074": Design(STRIDED, Recurrent(4, "nrd", 0.1), HEAD, 30),
    "s075": Design(STRIDED, Recurrent(4, "nrd", 0.3), HEAD, 30),
    "s076": Design(STRIDED, GRU, HEAD, 50),
    "s077": Design(STRIDED, Recurrent(2, "nrd"), HEAD, 50),
    "s078": Design(STRIDED, GRU_4, HEAD, 100),
    "s079": Design(STRIDED, Recurrent(6, "nrd"), HEAD, 100),
    "s080": Design(STRIDED, Recurrent(8, "nrd"), HEAD, 200),
    "s081": Design(STRIDED, Recurrent(12, "nrd"), HEAD, 200),
    "s082": Design(STRIDED_25, GRU_4, HEAD_NRD, 50),
    "s083": Design(STRIDED_25, GRU_4, Head("drn"), 50),
    "s084": Design(STRIDED_25, GRU_4, HEAD, 50),
    "s085": Design(STRIDED_25, GRU_4, Head("rdn"), 50),
    "s086": Design(STRIDED_25, GRU_4, Head("rd"), 50),
    "s087": Design(STRIDED_25, GRU_4, Head("nr"), 50),
    "s088": Design(STRIDED_25, GRU_4, Head("nr"), 50),
    "s089": Design(STRIDED_25, GRU_4, Head("nrd", 0.1), 50),
    "s090": Design(STRIDED_25, GRU_4, HEAD_NRD, 50),
    "s091": Design(STRIDED_25, GRU_4, HEAD_30, 50),
    "s092": Design(STRIDED_25, GRU_4, Head("nrd", 0.4), 50),
    "s093": Design(STRIDED_25, GRU_4, Head("nrd", 0.5), 50),
    "s094": Design(STRIDED_25, GRU_4, Head("nrd", 0.25), 50),
    "s095": Design(Convolution(1, 3, "rdn", 0.25), Recurrent(8, "nrd"), HEAD_30, 150),
    "s096": Design(DEEP, GRU, HEAD_30, 150),
    "s097": Design(DEEP, Recurrent(8, "nrd"), HEAD_30, 500),
    "s098": Design(DEEP, DENSE_4, HEAD_30, 150),
    "s099": Design(DEEP, DENSE_4, HEAD_30, 150),
    "s100": Design(DEEP, DENSE_4_30, HEAD_30, 100),
    "s101": Design(Convolution(12, 3, "rdn", 0.35), DENSE_4_30, HEAD_30, 300),
    "s102": Design(Convolution(6, 3, "rnd", 0.35, dense=True), DENSE_4_30, HEAD_30, 100),
    "s103": Design(Convolution(8, 3, "rdn", 0.25), DENSE_4X250, HEAD_30, 150),
    "s104": Design(DEEP, Recurrent(4, "nrd", 0.3, units=300, dense=True), HEAD_30, 150),
    "s105": Design(DEEP, Recurrent(4, "nrd", units=300, dense=True), HEAD_30, 150),
    "s106": Design(DEEP, Recurrent(5, "nrd", dense=True), HEAD_30, 150),
    "s107": Design(Convolution(8, 3, "rdn", 0.25), DENSE_LSTM, HEAD_30, 150),
    "s108": Design(Convolution(8, 3, "rdn", 0.25), replace(DENSE_LSTM, dropout=0.5), HEAD_30, 150),
    "s109": Design(DEEP, DENSE_4X250, HEAD_30, 150, feature="mfcc"),
    "s110": Design(Convolution(8, 3, "rdn", 0.25), DENSE_4X250, HEAD_30, 150, feature="mfcc"),
    "s111": Design(DEEP, DENSE_4X250, HEAD_30, 20),
    "s112": Design(DEEP, DENSE_4X250, HEAD_30, 20, feature="mfcc"),
}
"""The study's models by id, in the order in which they were trained."""

OWN = {
    "narrow": Design(
        replace(DEEP, filters=48),
        replace(DENSE_4X250, units=64),
        HEAD_30,
        epochs=20,
        feature="mfcc",
    ),
    "swift": Design(
        Convolution(3, 5, "nrd", 0.15, stride=3, strided=1),
        Recurrent(units=160),
        Head("nd", 0.15),
        epochs=75,
        centred=True,
    ),
}
"""Beyond the study: its final model for cepstra, narrowed so that two processor cores train it in
minutes; and convolutions that stride first below one bidirectional layer, which learns most in
little time."""

ALL = DESIGNS | OWN


def design(name: str) -> Design:
    """Give a model's settings; `ValueError` for an unknown id."""
    if name not in ALL:
        raise ValueError(f"no model is called {name!r}; there are s000 ... s112, {', '.join(OWN)}")
    return ALL[name]


def output_length(convolutions: Sequence[Mapping[str, Any]], frames: Frames) -> Frames:
    """Count the outputs of a model for an input of some frames; 0 or less where it is too short.

    A convolution that pads gives one output for each stride begun; one that does not pad gives
    ``(frames - dilation (kernel - 1) - 1) // stride + 1`` (Dumoulin & Visin 2016, section 5.1).

    Parameters
    ----------
    convolutions
        From `Design.convolutions`.
    frames
        A number, or an array of them.
    """
    for layer in convolutions:
        if layer["padding"] == "valid":
            frames = frames - layer["dilation"] * (layer["kernel"] - 1)
        frames = (frames - 1) // layer["stride"] + 1
    return frames


def output_places(convolutions: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """Say which frames the outputs stand for.

    Parameters
    ----------
    convolutions
        From `Design.convolutions`.

    Returns
    -------
    first, step
        The frame in the middle of what the first output sees, and how many frames on the next one
        is. With padding and a stride, the middle may be up to half a stride off.
    """
    first, step = 0.0, 1
    for layer in convolutions:
        if layer["padding"] == "valid":
            first += step * layer["dilation"] * (layer["kernel"] - 1) / 2
        else:
            first += step * (layer["stride"] - 1) / 2
        step *= layer["stride"]
    return first, step


def shortest_input(convolutions: Sequence[Mapping[str, Any]]) -> int:
    """Count the frames that a model needs at least to give one output."""
    frames = 1
    for layer in reversed(convolutions):
        frames = (frames - 1) * layer["stride"] + 1
        if layer["padding"] == "valid":
            frames += layer["dilation"] * (layer["kernel"] - 1)
    return frames

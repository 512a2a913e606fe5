"""The study's seven networks, and the three settings in which each is trained.

Builders of uncompiled networks, and the parameter counts published for them. Their tied layers are
in `models.solar_flares.tied`.

Every network takes any number of steps of any number of inputs: single steps (1, 25), published
windows (100, 26), or the system's own sequences (60, 25). A name's 25 or 26 is the width of its
layers. Layers carry explicit names, so that a network built after many others has the same
configuration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from models.architectures import Published

if TYPE_CHECKING:
    import keras

OPTIMISER = "rmsprop"
LOSS = "binary_crossentropy"
METRICS = ("accuracy", "recall")
LEARNING_RATE = 1e-3
"""Keras' default, which the study left as it was."""


@dataclass(frozen=True)
class Setting:
    """How long a network is trained, and how much more a flare weighs than no flare."""

    steps_per_epoch: int
    epochs: int
    validation_steps: int
    flare_weight: float


SETTINGS = {
    "short": Setting(100, 10, 50, 5.0),
    "medium": Setting(300, 20, 100, 1.0),
    "long": Setting(500, 30, 200, 2.0),
}
"""The three settings that the study crosses with every network."""


@dataclass(frozen=True)
class Design:
    """One of the study's networks.

    Attributes
    ----------
    units
        Width of its layers.
    embedded
        Whether a Dense layer comes first, and its transpose before the output.
    lstms
        LSTM layers with weights of their own.
    tied_lstms
        Times that an LSTM tied to the first is applied after it.
    tied_activation
        Of the tied Dense layer; for one network the study names none.
    dropout, recurrent_dropout
        Of the LSTMs.
    published
        Published parameter counts for `published_inputs` inputs, and why ours differ.
    published_inputs
        Inputs a step for which they hold.
    """

    units: int
    published: Published
    embedded: bool = False
    lstms: int = 1
    tied_lstms: int = 0
    tied_activation: str | None = "relu"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    published_inputs: int = 25


_TIED_DENSE = (
    "the published count adds the shared kernel of the tied Dense layer once more ({kernel:,}), as "
    "not trainable; here it is one trainable weight, counted once"
)
_TIED_LSTM = (
    "the published tied LSTM counts 7,625 parameters: 5,125 trainable (as many as an LSTM of its "
    "own, 5,100, with kernels that never take part, and 25 more) and 2,500 not trainable (a kernel "
    "of its master once more); here it owns a bias of 100 and shares both kernels"
)

DESIGNS = {
    "basic": Design(
        units=32,
        dropout=0.2,
        recurrent_dropout=0.2,
        published=Published(7_457, 7_457),
    ),
    "stacked": Design(
        units=32,
        lstms=2,
        published=Published(15_777, 15_777),
    ),
    "embedding26": Design(
        units=26,
        embedded=True,
        published_inputs=26,
        published=Published(6_943, 6_267, _TIED_DENSE.format(kernel=676)),
    ),
    "embedding25": Design(
        units=25,
        embedded=True,
        published=Published(6_426, 5_801, _TIED_DENSE.format(kernel=625)),
    ),
    "tied_stacked": Design(
        units=25,
        tied_lstms=2,
        published=Published(12_751, 10_251, _TIED_LSTM),
    ),
    "stacked_embedding": Design(
        units=25,
        embedded=True,
        lstms=2,
        published=Published(11_526, 10_901, _TIED_DENSE.format(kernel=625)),
    ),
    "tied_stacked_embedding26": Design(
        units=26,
        embedded=True,
        tied_lstms=1,
        tied_activation=None,
        published_inputs=26,
        published=Published(
            14_051,
            10_926,
            "the published count is that of 25 inputs and widths of 25, not 26: 650 + 5,100 + "
            f"7,625 + 650 + 26; and {_TIED_DENSE.format(kernel=625)}; and {_TIED_LSTM}",
        ),
    ),
}
"""The study's networks by name."""


FORM_SHAPES = {"sequences": (60, 25), "steps": (1, 25), "windows": (100, 26)}
"""Shape of one input, steps and values, in each form of `models.solar_flares.forms`."""


def published_counts(name: str, inputs: int) -> Published:
    """Published parameter counts of a network, and why it differs where it takes other inputs."""
    design = DESIGNS[name]
    if inputs == design.published_inputs:
        return design.published
    also = f"published for {design.published_inputs} inputs a step, built here for {inputs}"
    difference = "; and ".join(filter(None, [also, design.published.difference]))
    return replace(design.published, difference=difference)


def register() -> None:
    """Make the tied layers known to Keras, so that stored networks that have them can be read."""
    import models.solar_flares.tied  # noqa: F401


def network(name: str, steps: int, inputs: int) -> keras.Model:
    """Build one of the study's networks.

    Parameters
    ----------
    name
        One of `DESIGNS`.
    steps, inputs
        Shape of one input.

    Returns
    -------
    Uncompiled network from (n, steps, inputs), standardised and without NaN, to the probability of
    a flare (n, 1).

    Raises
    ------
    ValueError
        There is no such network.
    """
    import keras

    from models.solar_flares.tied import MasterDense, MasterLSTM, TiedDense, TiedLSTM

    if name not in DESIGNS:
        raise ValueError(f"no network is called {name!r}; there are {', '.join(DESIGNS)}")
    design = DESIGNS[name]
    dropout: dict[str, Any] = {
        "dropout": design.dropout,
        "recurrent_dropout": design.recurrent_dropout,
    }
    sequence = keras.Input((steps, inputs), name="sequence")
    x = sequence
    if design.embedded:
        x, embedding = MasterDense(design.units, activation="relu", name="embedding")(x)
    for number in range(1, design.lstms + 1):
        last = number == design.lstms and not design.tied_lstms
        lstm = MasterLSTM if design.tied_lstms else keras.layers.LSTM
        x = lstm(design.units, return_sequences=not last, name=f"lstm_{number}", **dropout)(x)
    if design.tied_lstms:
        x, kernel, recurrent = x
        tied = TiedLSTM(name="tied_lstm")
        for number in range(1, design.tied_lstms + 1):
            x = tied(x, kernel, recurrent, only_last=number == design.tied_lstms)
    if design.embedded:
        x = TiedDense(activation=design.tied_activation, name="tied_embedding")(x, embedding)
    flare = keras.layers.Dense(1, activation="sigmoid", name="flare")(x)
    return keras.Model(sequence, flare, name=name)

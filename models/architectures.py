"""Networks as data: a built network's configuration, and the network made from it again.

A training stage depends on the stored JSON of an untrained network, not on the code that built it:
a trained network stays fresh if a change to its builder leaves that JSON as it was. Weights are not
part of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

PACKAGE = "faint_signals"
"""The package name under which this project's layers are registered with Keras."""

COUNTS = (
    *("parameters", "trainable_parameters", "multiplications"),
    *("published_parameters", "published_trainable_parameters", "difference"),
)
"""Entries of an architecture that the UI shows."""


@dataclass(frozen=True)
class Published:
    """Parameter counts that a publication gives for a network.

    Parameters
    ----------
    parameters : int
        All parameters.
    trainable : int
        Those that training changes.
    difference : str
        Why the network built here has another count; empty if it has the same.
    """

    parameters: int
    trainable: int
    difference: str = ""


def architecture(network: keras.Model, published: Published | None = None) -> dict[str, Any]:
    """Describe an uncompiled network as JSON.

    Parameters
    ----------
    network : keras.Model
        A built network whose layers have explicit names: Keras's default names depend on the
        networks built before, so equal networks would differ.
    published : Published, optional
        The counts that a publication gives for it.

    Returns
    -------
    dict
        ``config`` (what `from_architecture` needs), ``parameters``, ``trainable_parameters``,
        ``output_shapes`` (a list of ``{"layer", "type", "shape"}`` without the batch axis; a list
        of shapes for a layer with several outputs) and, where ``published`` is given,
        ``published_parameters``, ``published_trainable_parameters`` and ``difference``. Equal
        networks give equal dictionaries.

    Raises
    ------
    ValueError
        A count differs from the published one and ``published.difference`` is empty.
    """
    parameters = int(network.count_params())
    trainable = sum(math.prod(variable.shape) for variable in network.trainable_variables)
    described: dict[str, Any] = {
        "config": json.loads(network.to_json()) | {"compile_config": None},
        "parameters": parameters,
        "trainable_parameters": trainable,
        "output_shapes": [
            {"layer": layer.name, "type": type(layer).__name__, "shape": _shape(layer)}
            for layer in network.layers
        ],
    }
    if published is not None:
        same = (parameters, trainable) == (published.parameters, published.trainable)
        if not same and not published.difference:
            raise ValueError(
                f"network {network.name!r} has {parameters:,} parameters ({trainable:,} "
                f"trainable), published are {published.parameters:,} ({published.trainable:,}); "
                "correct the network, or say in Published.difference why they differ"
            )
        described |= {
            "published_parameters": published.parameters,
            "published_trainable_parameters": published.trainable,
            "difference": published.difference,
        }
    return described


def architecture_with_cost(
    network: keras.Model, published: Published | None = None
) -> dict[str, Any]:
    """Describe a network as `architecture` does, with the ``multiplications`` for one example.

    Each weight of a kernel is used once per position of a convolution's output, and once per step
    of a recurrent layer.
    """
    total = 0
    for layer in network.layers:
        kernels = [w for w in layer.trainable_variables if "kernel" in w.name]
        places = math.prod(layer.output.shape[1:-1])
        total += sum(math.prod(w.shape) for w in kernels) * places
    return architecture(network, published) | {"multiplications": total}


def counts_of(architecture: Mapping[str, Any]) -> dict[str, int | str]:
    """Select the `COUNTS` of an architecture.

    >>> counts_of({"config": {}, "parameters": 10, "trainable_parameters": 8})
    {'parameters': 10, 'trainable_parameters': 8}
    """
    return {name: architecture[name] for name in COUNTS if name in architecture}


def from_architecture(described: Mapping[str, Any]) -> keras.Model:
    """Build the uncompiled network that `architecture` described, with new weights.

    The weights are drawn here: call ``keras.utils.set_random_seed`` first. Import the modules of
    this project's own layers first, too: that registers them with Keras.

    Raises
    ------
    ValueError
        The configuration asks for code outside Keras, or for a Lambda layer.
    """
    import keras

    config = described["config"]
    for part in _parts(config):
        module = str(part["module"])
        if module.split(".")[0] != "keras" and not _is_registered(part):
            raise ValueError(
                f"the architecture names {module}.{part['class_name']}; only classes of keras "
                "itself are built from stored configurations, and layers of this project that were "
                "registered before"
            )
        if part["class_name"] == "Lambda":
            raise ValueError("the architecture has a Lambda layer, which would run stored code")
    return keras.models.model_from_json(json.dumps(config))


def _is_registered(part: Mapping[str, Any]) -> bool:
    import keras

    name = str(part.get("registered_name"))
    registered: Any = keras.saving.get_registered_object(name)
    return name.startswith(f"{PACKAGE}>") and registered is not None


def _parts(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every serialised object in a Keras configuration."""
    if isinstance(config, Mapping):
        if "class_name" in config and config.get("module"):
            yield config
        for value in config.values():
            yield from _parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from _parts(value)


def _shape(layer: keras.Layer) -> list[Any]:
    output = layer.output
    if isinstance(output, list):
        return [list(tensor.shape[1:]) for tensor in output]
    return list(output.shape[1:])


def counts_row(name: str, architecture: Mapping[str, Any]) -> dict[str, int | str]:
    """Return a report's row: the parameters of a network beside the published ones."""
    return {
        "network": name,
        "parameters": architecture["parameters"],
        "published": architecture["published_parameters"],
        "published trainable": architecture["published_trainable_parameters"],
        "why they differ": architecture["difference"] or "-",
    }


def training_cost(architecture: Mapping[str, Any], epochs: int, examples: int) -> float:
    """Return the multiplications of a training: one forward pass and two backward per example.

    >>> training_cost({"multiplications": 7}, epochs=2, examples=5)
    210.0
    """
    return 3.0 * int(architecture["multiplications"]) * epochs * examples

"""Networks as data: a built network's configuration, and the network made from it again.

Here belongs the JSON form in which an untrained network is stored. A training stage depends on
that form, not on the code that built it: a change to a builder that leaves the network as it was
leaves what was trained fresh. Weights are not part of it.
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
"""Under which layers of this project are registered with Keras."""


@dataclass(frozen=True)
class Published:
    """Parameter counts that a publication gives for a network.

    Parameters
    ----------
    parameters
        All parameters.
    trainable
        Those that training changes.
    difference
        Why the network built here has another count; empty if it has the same.
    """

    parameters: int
    trainable: int
    difference: str = ""


def architecture(network: keras.Model, published: Published | None = None) -> dict[str, Any]:
    """Describe an uncompiled network as JSON.

    Parameters
    ----------
    network
        A built network whose layers carry explicit names: names that Keras makes up count the
        networks built before, and would make equal networks differ.
    published
        The counts that a publication gives for it.

    Returns
    -------
    ``config`` (what `from_architecture` needs), ``parameters``, ``trainable_parameters``,
    ``output_shapes`` (a list of ``{"layer", "type", "shape"}`` in the order of the layers, the
    batch axis left out; a list of shapes for a layer with several outputs) and, where
    ``published`` is given, ``published_parameters``, ``published_trainable_parameters`` and
    ``difference``. Equal networks give equal dictionaries.

    Raises
    ------
    ValueError
        A count differs from the published one and nothing says why.
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


def counted(network: keras.Model, published: Published | None = None) -> dict[str, Any]:
    """Describe a network as `architecture` does, with the ``multiplications`` of one example.

    Each weight of a kernel is used once at every place of a convolution's output, and once at every
    step of a recurrent layer.
    """
    total = 0
    for layer in network.layers:
        kernels = [w for w in layer.trainable_variables if "kernel" in w.name]
        places = math.prod(layer.output.shape[1:-1])
        total += sum(math.prod(w.shape) for w in kernels) * places
    return architecture(network, published) | {"multiplications": total}


def from_architecture(described: Mapping[str, Any]) -> keras.Model:
    """Build the uncompiled network that `architecture` described, with fresh weights.

    Seed first (``keras.utils.set_random_seed``): the weights are drawn here. A network with layers
    of this project needs them registered with Keras, which importing their module does.

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
    """Give every serialised object in a Keras configuration."""
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
        return [list(one.shape[1:]) for one in output]
    return list(output.shape[1:])

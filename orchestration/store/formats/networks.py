"""Keras networks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from orchestration.store.formats.base import Written, content_hash


def write_network(value: Any, path: Path) -> Written:
    """Write a Keras network; its content is its configuration, weights and assets."""
    value.save(path)
    weights = value.get_weights()
    hashes = (
        content_hash(list(array.shape), array.dtype.str, np.ascontiguousarray(array).tobytes())
        for array in weights
    )
    return Written(
        content_hash("network", _without_counters(value), *hashes, *_assets(path)),
        None,
        {
            variable.path: (str(array.dtype), array.shape)
            for variable, array in zip(value.weights, weights, strict=True)
        },
    )


def _assets(path: Path) -> list[bytes]:
    """What layers keep in files beside the weights, such as an adapted vocabulary."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("assets/"))
        return [part for name in names for part in (name.encode(), archive.read(name))]


def _without_counters(network: Any) -> Any:
    """A network's configuration with unnamed layers numbered from 0 within it.

    Keras numbers them through the whole process: the second network made there would differ.
    """
    config = {"class_name": type(network).__name__, "config": network.get_config()}
    names: dict[str, str] = {}

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            name = isinstance(node.get("config"), dict) and node["config"].get("name")
            base = _snake_case(str(node.get("class_name")))
            if isinstance(name, str) and re.fullmatch(rf"{base}(_\d+)?", name):
                names.setdefault(name, f"{base} {len(names)}")
        if isinstance(node, dict | list | tuple):
            for item in node.values() if isinstance(node, dict) else node:
                collect(item)

    def renamed(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: renamed(item) for key, item in node.items()}
        if isinstance(node, list | tuple):
            return [renamed(item) for item in node]
        return names.get(node, node) if isinstance(node, str) else node

    collect(config)
    return renamed(config)


def _snake_case(name: str) -> str:
    """Turn a class name into the name that Keras gives an unnamed layer of it."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def read_network(path: Path, packages: Sequence[str] = ()) -> Any:
    """Read a Keras network, uncompiled, refusing code in the file (safe mode).

    Parameters
    ----------
    path
        The file.
    packages
        The project's packages: modules of theirs that define layers are imported, which makes the
        layers known to Keras.
    """
    import zipfile
    from importlib import import_module

    import keras

    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    for module in sorted(set(re.findall(r'"module": "([\w.]+)"', config))):
        if module.partition(".")[0] in packages:
            import_module(module)
    return keras.saving.load_model(path, compile=False, safe_mode=True)

"""scikit-learn estimators, by skops."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestration.store.formats.base import Written, content_hash

LIBRARIES = ("sklearn", "numpy", "scipy")
"""Libraries whose types a stored estimator may hold."""


def write_estimator(value: Any, path: Path) -> Written:
    """Write a scikit-learn estimator with skops."""
    import skops.io

    skops.io.dump(value, path)
    return Written(_skops_hash(path))


def _skops_hash(path: Path) -> str:
    # skops names members and nodes by memory address: number them in order of appearance.
    import zipfile

    with zipfile.ZipFile(path) as archive:
        schema = archive.read("schema.json").decode()
        order: dict[str, str] = {}

        def number(match: re.Match[str]) -> str:
            return match[1] + order.setdefault(match[2], str(len(order)))

        numbered = re.sub(r'("__id__": |"file": ")(\d+)', number, schema)
        tree = json.loads(numbered)
        tree.pop("_skops_version", None)
        members = sorted(
            (name for name in archive.namelist() if name != "schema.json"),
            key=lambda name: int(order.get(name.split(".")[0], "0")),
        )
        # As text: the order of a dict, such as of class weights, is read back.
        return content_hash("estimator", json.dumps(tree), *map(archive.read, members))


def read_estimator(path: Path, packages: Sequence[str] = ()) -> Any:
    """Read a scikit-learn estimator.

    Parameters
    ----------
    path
        The file.
    packages
        The project's packages, whose types are trusted beside those of `LIBRARIES`.

    Raises
    ------
    ValueError
        The file holds a type from anywhere else.
    """
    import skops.io

    trusted = tuple(f"{name}." for name in (*LIBRARIES, *packages))
    unknown = skops.io.get_untrusted_types(file=path)
    foreign = [name for name in unknown if not name.startswith(trusted)]
    if foreign:
        raise ValueError(f"the stored estimator holds types that are not trusted: {foreign}")
    return skops.io.load(path, trusted=unknown)

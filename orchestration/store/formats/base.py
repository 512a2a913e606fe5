"""What a format is, and hashes of content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Written(NamedTuple):
    """What a format reports of a value that it wrote.

    Parameters
    ----------
    content
        Hash of the content.
    rows
        Rows of arrays and tables; None for other values.
    parts
        Type and shape of each array, column or layer with weights, by name.
    """

    content: str
    rows: int | None = None
    parts: Mapping[str, tuple[str, tuple[int, ...]]] = {}


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Parameters
    ----------
    name
        The ``io_manager_key`` that assets name.
    suffix
        File name ending, with its dot.
    write
        ``write(value, path)`` writes the value to a new file.
    read
        ``read(path or open file) -> value``; a lazy format keeps the file open.
    lazy
        Whether reading takes an open binary file and reads on demand; otherwise a local path.
    own_types
        Whether a file may hold types of the project: ``read(path, packages)`` then also takes the
        names of its packages, whose types are trusted.
    """

    name: str
    suffix: str
    write: Callable[[Any, Path], Written]
    read: Callable[..., Any]
    lazy: bool = False
    own_types: bool = False


def content_hash(*parts: object) -> str:
    """Hash of a sequence of strings, bytes and JSON-able values; 64 hex digits."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else canonical_json(part).encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces; NaN and infinity are errors (undefined is null)."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )

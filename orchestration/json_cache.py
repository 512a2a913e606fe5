"""A small cache in one JSON file; losing it costs only time."""

from __future__ import annotations

import hashlib
import json
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any


class JsonCache:
    """A JSON object in a file that is replaced in one step.

    Parameters
    ----------
    path
        The file. One that is missing, damaged or of another version gives an empty cache.
    version
        Whatever the content depends on besides its keys.

    Attributes
    ----------
    data
        The content; call `save` after changing it.
    """

    def __init__(self, path: Path, version: str = "") -> None:
        self._path = path
        self._cache_version = version
        self.data: dict[str, Any] = {}
        self._saved = b""
        # Two lines: a header, then the content that it vouches for.
        with suppress(OSError, ValueError):
            header, _, body = path.read_bytes().partition(b"\n")
            if json.loads(header) == self._header(body):
                self.data, self._saved = json.loads(body), body

    def save(self) -> None:
        """Write the content if it changed; a folder that can't be written to is no error."""
        body = json.dumps(self.data, separators=(",", ":")).encode()
        if body == self._saved:
            return
        header = json.dumps(self._header(body)).encode()
        temporary = self._path.with_name(f".{self._path.name}.{uuid.uuid4().hex}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(header + b"\n" + body)
            temporary.replace(self._path)
            self._saved = body
        except OSError:
            with suppress(OSError):
                temporary.unlink()

    def _header(self, body: bytes) -> dict[str, str]:
        return {"version": self._cache_version, "sha256": hashlib.sha256(body).hexdigest()}

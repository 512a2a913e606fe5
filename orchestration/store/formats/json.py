"""JSON values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestration.store.formats.base import Written, content_hash


def write_json(value: object, path: Path) -> Written:
    """Write what JSON can hold and give back the same; undefined is null, never NaN."""
    _check_json(value, "$")
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Written(content_hash("json", *(["ordered"] if _has_order(value) else []), text))


def _has_order(value: object) -> bool:
    """Whether some dict has several keys: they are read back in their order, which counts."""
    if isinstance(value, Mapping):
        return len(value) > 1 or any(map(_has_order, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_order, value))


def _check_json(value: object, where: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{where} has the key {key!r}: JSON has only text as keys")
            _check_json(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_json(item, f"{where}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} is {value}: store what is undefined as null (None)")
    elif not (value is None or isinstance(value, str | int | float)) or type(value).__module__ == (
        "numpy"
    ):
        raise TypeError(
            f"{where} is a {type(value).__module__}.{type(value).__qualname__}: JSON holds only "
            "text, numbers, true, false, null, lists and dicts with text as keys"
        )


def read_json(path: Path) -> Any:
    """Read a JSON value."""
    return json.loads(path.read_text(encoding="utf-8"))

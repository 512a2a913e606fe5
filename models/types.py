"""Names of types that several modules share."""

from __future__ import annotations

from typing import Any

JsonDict = dict[str, Any]
"""A JSON object: text keys; values are objects, lists, texts, numbers, booleans or None."""

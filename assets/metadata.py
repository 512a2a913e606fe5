"""How results are shown in the Dagster UI: the metadata that stages of all systems share."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import dagster as dg
import numpy as np

from models.sampling import SPLITS


def picture(png: bytes) -> dg.MetadataValue:
    """Show a PNG on the asset."""
    return dg.MetadataValue.md(f"![]({data_uri(png)})")


def data_uri(png: bytes) -> str:
    """Give a PNG as a URI that needs no file."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def split_counts(split: Any, positive: Any, positives: str, others: str) -> dict[str, int]:
    """Count the positives and the others of each split.

    Parameters
    ----------
    split, positive
        Code of its split and 0 or 1 of each row, shape (n,).
    positives, others
        What they are called.
    """
    codes, label = np.asarray(split), np.asarray(positive)
    return {
        f"{name} ({what})": int(np.sum(label[codes == code] == value))
        for code, name in enumerate(SPLITS)
        for what, value in ((positives, 1), (others, 0))
    }


def measures(evaluation: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
    """Give the counts and the measures of an evaluation, one entry each where defined."""
    shown: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.int(evaluation["counts"][name])
        for name in ("found", "actual", "missed", "false_alarms")
    }
    rows = []
    for name, entry in evaluation["metrics"].items():
        if entry["value"] is not None:
            shown[name] = dg.MetadataValue.float(entry["value"])
        rows.append(
            dg.TableRecord(
                {"measure": name} | {k: _text(entry[k]) for k in ("value", "low", "high")}
            )
        )
    return shown | {"measures with 95 % intervals": dg.MetadataValue.table(rows)}


def _text(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"

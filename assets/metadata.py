"""How results are shown in the Dagster UI: the metadata that stages of all systems share."""

from __future__ import annotations

import base64
import resource
from collections.abc import Mapping
from typing import Any

import dagster as dg


def picture(png: bytes) -> dg.MetadataValue:
    """Show a PNG on the asset."""
    return dg.MetadataValue.md(f"![]({data_uri(png)})")


def data_uri(png: bytes) -> str:
    """Give a PNG as a URI that needs no file."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def peak_memory() -> dg.MetadataValue:
    """Give the most memory this process has had, in MB."""
    return dg.MetadataValue.int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def shapes(arrays: Mapping[str, Any]) -> dg.MetadataValue:
    """Give name, type and shape of named arrays as a table."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"array": name, "dtype": str(a.dtype), "shape": str(tuple(a.shape))})
            for name, a in arrays.items()
        ]
    )


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

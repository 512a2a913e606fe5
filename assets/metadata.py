"""Metadata that stages of all systems show in the Dagster UI."""

from __future__ import annotations

import base64

import dagster as dg

from models.evaluation import Evaluation


def picture(png: bytes) -> dg.MetadataValue:
    """Show a PNG on the asset."""
    return dg.MetadataValue.md(f"![]({data_uri(png)})")


def data_uri(png: bytes) -> str:
    """Return a PNG as a URI that needs no file."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def evaluation_metadata(evaluation: Evaluation) -> dict[str, dg.MetadataValue]:
    """Return the counts and the metrics of an evaluation, one entry each where defined."""
    metadata: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.int(evaluation.counts[name])
        for name in ("found", "actual", "missed", "false_alarms")
        if name in evaluation.counts
    }
    metadata |= {name: dg.MetadataValue.float(value) for name, value in evaluation.values().items()}
    rows = [
        dg.TableRecord(
            {
                "metric": name,
                "value": _text(metric.value),
                "low": _text(metric.low),
                "high": _text(metric.high),
            }
        )
        for name, metric in evaluation.metrics.items()
    ]
    return metadata | {"metrics with 95 % intervals": dg.MetadataValue.table(rows)}


def _text(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"

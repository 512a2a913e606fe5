"""Asset checks that the systems share: each says what is wrong, and where."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg
import numpy as np

from models.arrays import Arrays, iter_blocks
from models.evaluation import Evaluation
from models.types import JsonDict

Inspect = Callable[..., JsonDict]
"""Inspects loaded assets and returns the problems by name; empty if there are none."""


def check(
    name: str,
    asset: Sequence[str],
    inspect: Inspect,
    also: Sequence[str] | None = None,
    partitions: dg.PartitionsDefinition | None = None,
) -> dg.AssetChecksDefinition:
    """Make an asset check from a function that returns what is wrong.

    Parameters
    ----------
    name
        What is checked.
    asset
        Key of the asset, loaded as the function's first argument.
    inspect
        The function; its problems become the check's metadata.
    also
        Key of another asset, loaded as its second argument.
    partitions
        The asset's, if it has any: each partition is then checked by itself, when it is built.
    """

    def result(problems: JsonDict) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=not problems, metadata=problems)

    def alone(value: Any) -> dg.AssetCheckResult:
        return result(inspect(value))

    def beside(value: Any, other: Any) -> dg.AssetCheckResult:
        return result(inspect(value, other))

    with warnings.catch_warnings():
        # Checks of partitions are new in Dagster, which warns that they may change.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        decorate = dg.asset_check(
            name=name,
            asset=dg.AssetKey(list(asset)),
            description=(inspect.__doc__ or "").strip().split("\n")[0],
            additional_ins={"other": dg.AssetIn(list(also))} if also else {},
            partitions_def=partitions,
        )
        return decorate(beside if also else alone)


def finite(arrays: Arrays) -> JsonDict:
    """No array holds NaN or infinity."""
    wrong: JsonDict = {}
    start = 0
    for block in iter_blocks(arrays):
        for name, values in block.items():
            if name not in wrong and values.dtype.kind == "f":
                bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
                if bad.size:
                    wrong[name] = f"row {start + int(bad[0]) + 1} is not finite"
        start += len(next(iter(block.values())))
    return wrong


def disjoint(group: Any, split: Any) -> JsonDict:
    """No group (a star, a region, a speaker) has rows in two splits."""
    pairs = np.unique(
        np.stack([np.asarray(group).astype(str), np.asarray(split).astype(str)]), axis=1
    )
    names, counts = np.unique(pairs[0], return_counts=True)
    torn = names[counts > 1]
    return {"in two splits": ", ".join(torn[:5].tolist())} if torn.size else {}


def both_classes(labels: Any, split: Any, names: Sequence[str]) -> JsonDict:
    """Every split holds positives and negatives."""
    wrong: JsonDict = {}
    label, codes = np.asarray(labels), np.asarray(split)
    for code, name in enumerate(names):
        present = np.unique(label[codes == code]).tolist()
        if present != [0, 1]:
            wrong[name] = f"holds only the labels {present}"
    return wrong


def parameter_counts(architecture: Mapping[str, Any]) -> JsonDict:
    """The network has the published number of parameters, or it is said why not."""
    counts = (architecture["parameters"], architecture["trainable_parameters"])
    published = (
        architecture.get("published_parameters", counts[0]),
        architecture.get("published_trainable_parameters", counts[1]),
    )
    if counts == published or architecture.get("difference"):
        return {}
    said = (
        f"{counts[0]:,} ({counts[1]:,} trainable), published are "
        f"{published[0]:,} ({published[1]:,})"
    )
    return {"parameters": said}


def metric_floor(evaluation: JsonDict, metric: str, floor: float) -> JsonDict:
    """A metric is defined and not below a floor."""
    value = Evaluation.from_dict(evaluation).value(metric)
    if value is None:
        return {metric: "undefined"}
    return {} if value >= floor else {metric: f"{value:.3f} is below {floor}"}


def leads(values: Mapping[str, float | None], ours: str = "upgrade") -> JsonDict:
    """One model's measure is above that of each of the others; undefined ones don't count."""
    best = values[ours]
    if best is None:
        return {ours: "undefined"}
    return {
        name: f"{value:.3f} against {best:.3f}"
        for name, value in values.items()
        if name != ours and value is not None and value >= best
    }

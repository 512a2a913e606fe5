"""Helpers that declare asset inputs and outputs, the same for every system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.metadata import evaluation_metadata, picture
from assets.resources import Tracking
from models import plots
from models.evaluation import Evaluation
from models.sampling import SPLITS
from models.thresholds import Threshold
from models.training import Estimator, TrainingResult
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


def asset_in(system: str, *name: str, partitions: dg.PartitionMapping | None = None) -> dg.AssetIn:
    """Name an asset as an input.

    Parameters
    ----------
    system
        First part of its key.
    *name
        Last part of its key, which Dagster's UI shows: the model, if it is of one, and the asset.
    partitions
        Maps the partitions that are read.
    """
    return dg.AssetIn([system, "_".join(name)], partition_mapping=partitions)


BY_SPLIT = dg.StaticPartitionsDefinition(list(SPLITS))
"""Features are stored by split, so that another test set retrains nothing."""


def split_in(system: str, *name: str, splits: Sequence[str]) -> dg.AssetIn:
    """Name some splits of an asset as an input, which is loaded as a dict by split."""
    return asset_in(system, *name, partitions=dg.SpecificPartitionsPartitionMapping(splits))


def together(
    system: str, *model: str, ins: Mapping[str, dg.AssetIn] | None = None, **outs: tuple[str, str]
) -> dict[str, Any]:
    """Declare the assets that one function stores, as arguments of `dagster.multi_asset`.

    The lineage draws the first below what the function reads, and the others below the first. All
    that the function reads counts in the versions of all of them.

    Parameters
    ----------
    system
        First part of their keys.
    *model
        The model that they are of, unless each partition is one.
    ins
        What the function reads, by parameter.
    **outs
        By the name of the asset: IO manager and description.
    """
    keys = {name: dg.AssetKey([system, "_".join((*model, name))]) for name in outs}
    first = next(iter(keys))
    read = dict(ins or {})
    above: dict[str, set[dg.AssetKey]] = {}
    if read:
        above = {name: {keys[first]} for name in keys}
        above[first] = {dg.AssetKey.from_coercible(each.key) for each in read.values() if each.key}
    return {
        "ins": read,
        "outs": {
            name: dg.AssetOut(key=keys[name], io_manager_key=format_, description=text)
            for name, (format_, text) in outs.items()
        },
        "internal_asset_deps": above,
    }


def training_outputs(
    tracking: Tracking, system: str, model: str, settings: JsonDict, result: TrainingResult
) -> tuple[dg.Output[Any], dg.Output[JsonDict]]:
    """Return the outputs ``network`` and ``history``, and record the training in MLflow.

    Parameters
    ----------
    tracking
        Where the training is recorded.
    system, model
        Under which names.
    settings
        Of the training.
    result
        The trained network, its history and what more the UI shows.
    """
    history = result.history
    link = tracking.log(system, model, settings, history.values, result.model)
    progress: JsonDict = {
        "epochs run": history.epochs,
        "training seconds": history.timing.seconds,
        "samples per second": history.timing.samples_per_second,
    }
    if (loss := history.best_validation_loss) is not None:
        progress["validation loss"] = loss
    metadata = {**settings, **progress, **result.metadata, **link}
    return (
        dg.Output(result.model, output_name="network", metadata=metadata),
        dg.Output(history.to_dict(), output_name="history"),
    )


def estimator_output(
    tracking: Tracking, system: str, model: str, settings: JsonDict, estimator: Estimator
) -> dg.Output[Any]:
    """Return a trained estimator, and record its training in MLflow; as `training_outputs`."""
    link = tracking.log(system, model, settings, model=estimator)
    return dg.Output(estimator, metadata={**settings, **link})


def threshold_output(
    threshold: Threshold, labels: ArrayLike, scores: ArrayLike
) -> dg.Output[JsonDict]:
    """Return a threshold, drawn on the scores that it was chosen on: no asset has those.

    Parameters
    ----------
    threshold
        Chosen on the rows below.
    labels, scores : array-like of shape (n,)
        Of the validation split.
    """
    stored = threshold.to_dict()
    drawn = threshold_pictures(labels, scores, threshold.value)
    return dg.Output(stored, metadata={**stored, **drawn})


def threshold_pictures(
    labels: ArrayLike, scores: ArrayLike, threshold: float
) -> dict[str, dg.MetadataValue]:
    """Draw what a threshold does to validation scores; parameters as `threshold_output`."""
    return {
        "sensitivity and specificity": picture(plots.crossover(labels, scores, threshold)),
        "ROC on validation": picture(plots.roc_curve(labels, scores, threshold)),
        "precision and recall on validation": picture(
            plots.precision_recall(labels, scores, threshold)
        ),
    }


def evaluation_outputs(
    tracking: Tracking,
    system: str,
    model: str,
    table: pd.DataFrame,
    evaluation: Evaluation,
) -> tuple[dg.Output[pd.DataFrame], dg.Output[JsonDict]]:
    """Return a model's predictions and its evaluation, which is added to its training in MLflow.

    Parameters
    ----------
    tracking
        Where the training was recorded.
    system, model
        As the training was recorded.
    table, evaluation
        The predictions and their evaluation.
    """
    metadata = recorded_metadata(tracking, system, model, evaluation)
    return (
        dg.Output(table, output_name="predictions"),
        dg.Output(evaluation.to_dict(), output_name="evaluation", metadata=metadata),
    )


def recorded_metadata(
    tracking: Tracking,
    system: str,
    model: str,
    evaluation: Evaluation,
) -> dict[str, dg.MetadataValue]:
    """Return what the UI shows of an evaluation, and add it to the model's training in MLflow.

    Parameters are those of `evaluation_outputs`.
    """
    link = tracking.log_test(system, model, evaluation.values())
    return evaluation_metadata(evaluation) | link

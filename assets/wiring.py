"""Helpers that declare asset inputs and outputs, the same for every system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.metadata import evaluation_metadata, picture
from assets.resources import Tracking
from models import plots
from models.evaluation import Evaluation
from models.thresholds import Threshold
from models.training import Estimator, TrainingResult
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


def asset_in(*key: str, partitions: dg.PartitionMapping | None = None) -> dg.AssetIn:
    """Name an asset as an input; ``partitions`` maps the partitions that are read."""
    return dg.AssetIn(list(key), partition_mapping=partitions)


def asset_outs(*path: str, **described: tuple[str, str]) -> dict[str, dg.AssetOut]:
    """Declare the assets that one function stores.

    Parameters
    ----------
    *path
        Their keys without the last part, such as ``solar_flares``, ``upgrade``.
    **described
        By the last part of the key: IO manager and description.
    """
    return {
        name: dg.AssetOut(key=[*path, name], io_manager_key=format_, description=text)
        for name, (format_, text) in described.items()
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
    """Return a threshold, with sensitivity and specificity drawn against the score.

    Parameters
    ----------
    threshold
        Chosen on the rows below.
    labels, scores : array-like of shape (n,)
        Of the validation split.
    """
    crossing = picture(plots.crossover(labels, scores, threshold.value))
    stored = threshold.to_dict()
    return dg.Output(stored, metadata={**stored, "crossover": crossing})


def evaluation_outputs(
    tracking: Tracking,
    system: str,
    model: str,
    table: pd.DataFrame,
    evaluation: Evaluation,
    pictures: Mapping[str, bytes],
    *,
    predictions: str = "predictions",
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
    pictures
        PNGs by title; ``scores``, if there is one, is shown with the predictions too.
    predictions
        Output name of the table.
    """
    metadata = recorded_metadata(tracking, system, model, evaluation, pictures)
    scores = {"scores": metadata["scores"]} if "scores" in pictures else {}
    return (
        dg.Output(table, output_name=predictions, metadata=scores),
        dg.Output(evaluation.to_dict(), output_name="evaluation", metadata=metadata),
    )


def recorded_metadata(
    tracking: Tracking,
    system: str,
    model: str,
    evaluation: Evaluation,
    pictures: Mapping[str, bytes],
) -> dict[str, dg.MetadataValue]:
    """Return what the UI shows of an evaluation, and add it to the model's training in MLflow.

    Parameters are those of `evaluation_outputs`.
    """
    link = tracking.log_test(system, model, evaluation.values())
    drawn = {title: picture(png) for title, png in pictures.items()}
    return evaluation_metadata(evaluation) | drawn | link

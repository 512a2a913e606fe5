"""What the asset modules of all systems say of their outputs, said briefly."""

from collections.abc import Mapping
from typing import Any, Protocol

import dagster as dg

from assets.metadata import measures, picture
from assets.resources import Tracking
from models.training import History, Timing


def outs(stage: str, *path: str, **described: tuple[str, str]) -> dict[str, dg.AssetOut]:
    """Name the assets that one function stores.

    Parameters
    ----------
    stage
        The stage's tag, such as ``training``.
    *path
        Their keys without the last part, such as ``solar_flares``, ``upgrade``.
    **described
        By the last part of the key: IO manager and description.
    """
    return {
        name: dg.AssetOut(
            key=[*path, name], io_manager_key=format_, tags={"stage": stage}, description=text
        )
        for name, (format_, text) in described.items()
    }


class Learnt(Protocol):
    """What a training left behind: `models.training.History`, or one of a system's own."""

    @property
    def values(self) -> dict[str, list[float]]:
        """One number per epoch, ``loss`` among them."""

    @property
    def timing(self) -> Timing:
        """How long it took."""

    def record(self) -> dict[str, Any]:
        """What is stored of it."""


def trained_outputs(
    tracking: Tracking,
    system: str,
    model: str,
    settings: Mapping[str, Any],
    network: Any,
    history: Learnt,
    *,
    shown: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Give a trained network and its history, with what the UI shows of them.

    Parameters
    ----------
    tracking
        Where the training is recorded.
    system, model
        Under which names.
    settings
        Of the training.
    network, history
        What `models.training.train` made of it, or what a system's own training did.
    shown
        More for the UI to show.
    record
        What is stored of the history, if more than its own record.
    """
    link = tracking.log(system, model, settings, history.values, network)
    told: dict[str, Any] = {
        "epochs run": len(history.values["loss"]),
        "training seconds": history.timing.seconds,
        "samples per second": history.timing.samples_per_second,
    }
    if isinstance(history, History) and "val_loss" in history.values:
        told["validation loss"] = history.values["val_loss"][history.best_epoch - 1]
    metadata = {**settings, **told, **(shown or {}), **link}
    return (
        dg.Output(network, output_name="network", metadata=metadata),
        dg.Output(record or history.record(), output_name="history"),
    )


def judged_outputs(
    tracking: Tracking,
    system: str,
    model: str,
    table: Any,
    judged: Mapping[str, Any],
    drawn: Mapping[str, bytes],
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Give a model's predictions and evaluation, with what the UI shows of them.

    Parameters
    ----------
    tracking
        The training is there: what the model achieved is added to it.
    system, model
        As the training was recorded.
    table, judged
        The predictions, and what they are worth: see `assets.metadata.measures`.
    drawn
        Pictures by title; that of the scores, if there is one, is shown with the predictions too.
    """
    shown = {title: picture(png) for title, png in drawn.items()}
    link = tracking.log_test(system, model, judged)
    scores = {title: png for title, png in shown.items() if title == "scores"}
    return (
        dg.Output(table, output_name="predictions", metadata=scores),
        dg.Output(judged, output_name="evaluation", metadata=measures(judged) | shown | link),
    )

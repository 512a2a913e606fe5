"""Pictures of the gravitational-wave assets: spectrograms, pooled features, scaling."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from models import data_plots, plots
from models.arrays import ArrayLike, Arrays
from models.evaluation import Evaluation
from models.examples import evenly, rows_of_names
from models.gravitational_waves.features import PIXELS
from models.gravitational_waves.images import BAND, SHAPE
from models.gravitational_waves.report import KINDS, of_test
from models.sampling import Rows, read_rows
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

TIME, FREQUENCY = "time (s)", "frequency (Hz)"
FIRST = 8
"""Spectrograms that a picture shows."""


def images(stored: Arrays, rows: Rows, names: Sequence[str], columns: int = 4) -> bytes:
    """Draw some spectrograms."""
    half = float(stored["duration"][:1][0]) / 2
    return plots.images(
        read_rows(stored["image"], rows),
        names,
        extent=(-half, half, *BAND),
        log=True,
        columns=columns,
        x_label=TIME,
        y_label=FREQUENCY,
    )


def simulated(stored: Arrays) -> bytes:
    """Draw the first simulated chirps with their signal-to-noise ratios."""
    rows = np.arange(min(FIRST, len(stored["snr"])))
    return images(stored, rows, [f"SNR {snr:.1f}" for snr in read_rows(stored["snr"], rows)])


def loudness(stored: Arrays) -> bytes:
    """Draw how many simulated chirps have which signal-to-noise ratio."""
    snr = np.asarray(stored["snr"], dtype=np.float64)
    count, edges = np.histogram(snr, bins=min(12, max(4, len(snr) // 8)))
    names = [f"{low:.0f} to {high:.0f}" for low, high in itertools.pairwise(edges)]
    return data_plots.bars(dict(zip(names, count.tolist(), strict=True)), x_label="chirps, by SNR")


def scored_images(stored: Arrays, table: pd.DataFrame) -> bytes:
    """Draw the spectrograms of some predictions with class and score."""
    rows = rows_of_names(stored["id"], table["id"])
    names = [
        f"{label}, {score:.3g}" for label, score in zip(table["label"], table["score"], strict=True)
    ]
    return images(stored, rows, names, columns=5)


def classes(label: ArrayLike) -> dict[str, int]:
    """Count the images of each class, the most frequent first."""
    names, counts = np.unique(np.asarray(label).astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(names[k]): int(counts[k]) for k in order}


def pooled(stored: Arrays, shape: tuple[int, int]) -> bytes:
    """Draw the pooled pixels of the first image of each of a few classes.

    Parameters
    ----------
    stored
        From `features.features_of`.
    shape
        Rows of frequency, the highest first, and columns of time.
    """
    names, first = np.unique(np.asarray(stored["label"]).astype(str), return_index=True)
    rows, half = first[:FIRST], float(stored["duration"][:1][0]) / 2
    drawn = read_rows(stored["values"], rows)
    if drawn.ndim == 3:  # time comes first
        drawn = drawn.transpose(0, 2, 1)
    return plots.images(
        drawn.reshape(len(rows), *shape),
        names[:FIRST].tolist(),
        extent=(-half, half, *BAND),
        log=True,
        x_label=TIME,
        y_label=FREQUENCY,
    )


def pixels(stored: Arrays) -> bytes:
    """Draw the pooled pixels that the linear classifier sees."""
    return pooled(stored, PIXELS)


def chirp_and_rest(stored: Arrays, classes: JsonDict) -> bytes:
    """Draw the mean spectrogram of the class looked for, and of all others."""
    some = evenly(len(stored["label"]), 2000)
    label = np.asarray(stored["label"][some]).astype(str)
    names = np.isin(label, [classes["names"][k] for k in classes["positive"]])
    image = np.asarray(stored["image"][some])
    parts = {"looked for": image[names], "all others": image[~names]}
    means = {name: part.mean(axis=0) for name, part in parts.items() if len(part)}
    half = float(stored["duration"][:1][0]) / 2
    return plots.images(
        np.stack(list(means.values())),
        list(means),
        extent=(-half, half, *BAND),
        log=True,
        x_label=TIME,
        y_label=FREQUENCY,
    )


def scaling(fitted: JsonDict) -> bytes:
    """Draw mean and spread of the energy by frequency."""
    return data_plots.spread(
        np.geomspace(BAND[1], BAND[0], SHAPE[0]),
        fitted["mean"],
        fitted["std"],
        x_label="frequency (Hz)",
        y_label="energy of a pixel",
        log=True,
    )


def results(
    model: str,
    table: pd.DataFrame,
    evaluation: Evaluation,
    history: JsonDict | None = None,
) -> dict[str, bytes]:
    """Draw a model's results on the test images; loss and accuracy where it has a history."""
    test = of_test(table)
    labels, scores = test["chirp"].to_numpy(), test["score"].to_numpy()
    drawn = plots.decisions(
        labels, scores, evaluation.threshold, evaluation.counts, classes=KINDS, title=model
    )
    if by_snr := evaluation.details["by_snr"]:
        drawn["efficiency"] = plots.recall_by_bin(
            by_snr, x_label="signal-to-noise ratio of injected chirps", title=model
        )
    if history is not None:
        drawn["loss and accuracy"] = plots.learning_curves(
            history["values"],
            phases=[(epochs, learning_rate) for epochs, learning_rate in history["phases"]],
            best_epoch=history["best_epoch"],
            title=model,
        )
    return drawn

"""Train the exoplanet models and predict with them: networks, forest and vetting alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture
from models.arrays import ArrayLike, Arrays
from models.exoplanets.networks import random_forest
from models.exoplanets.vetting import fit_vetting, score_vetting
from models.sampling import TRAIN, VALIDATION, BalancedBatches, Batches, Rows, read_rows, rows_of
from models.training import Estimator, Network, Phase, TrainingResult, fresh, predict, train
from models.types import JsonDict

Inputs = Mapping[str, ArrayLike]
"""Features by the name of a model's input: arrays of shape (n, ...)."""


def fit_network(
    architecture: JsonDict,
    inputs: Inputs,
    curves: Arrays,
    splits: Arrays,
    *,
    phases: Sequence[Phase],
    batch: int,
    steps: int | None,
    seed: int,
) -> TrainingResult:
    """Train a network on balanced batches with rotating positives, as the study does.

    Parameters
    ----------
    architecture
        As `models.architectures.architecture` gives it.
    inputs
        Features of all rows.
    curves, splits
        Labels and the split of each row.
    phases
        Learning rates, one after the other: the study's CNN starts high and goes on lower.
    batch, steps
        Rows in a batch, half of them planets, and batches in an epoch (None: one pass over the
        stars without a planet).
    seed
        Seed of the weights, the dropout and the order of the batches.

    """
    labels = np.asarray(curves["label"])
    x = _network_input(inputs)
    network = fresh(lambda: from_architecture(architecture), seed)
    history = train(
        network,
        BalancedBatches(x, labels, rows_of(splits, TRAIN), batch=batch, steps=steps, seed=seed),
        Batches(x, labels, rows_of(splits, VALIDATION), batch=256, shuffle=False),
        phases=phases,
        optimiser="adam",
        loss="binary_crossentropy",
        metrics=["accuracy"],
        seed=seed,
    )
    return TrainingResult(network, history)


def fit_forest(curve: ArrayLike, curves: Arrays, splits: Arrays, *, seed: int) -> Estimator:
    """Fit the benchmark forest to the standardised curves, as the study does."""
    rows = rows_of(splits, TRAIN)
    labels = np.asarray(curves["label"])[rows]
    forest: Estimator = random_forest(seed).fit(_flat(curve, rows), labels)
    return forest


def fit_candidates(candidates: Arrays, curves: Arrays, splits: Arrays, *, seed: int) -> Estimator:
    """Fit the vetting model to the transit candidates of the training stars."""
    rows = rows_of(splits, TRAIN)
    return fit_vetting(
        {name: read_rows(candidates[name], rows) for name in candidates},
        np.asarray(curves["label"])[rows],
        seed=seed,
    )


def score(
    model: str, fitted: Network | Estimator, inputs: Inputs, rows: Rows
) -> NDArray[np.float64]:
    """Predict the probability of a planet.

    Parameters
    ----------
    model
        Its name: ``random_forest``, ``vetting``, or a network's.
    fitted
        The forest, the vetting model, or the network.
    inputs
        Features of all rows.
    rows
        Rows to score.

    Returns
    -------
    float64 array of shape (rows,)
    """
    if model == "vetting":
        return score_vetting(fitted, {name: read_rows(inputs[name], rows) for name in inputs})
    if model == "random_forest":
        return np.asarray(fitted.predict_proba(_flat(inputs["curve"], rows))[:, 1])
    return predict(fitted, _network_input(inputs), rows)


def _network_input(inputs: Inputs) -> ArrayLike | Inputs:
    # A network with one input takes it without its name.
    return next(iter(inputs.values())) if len(inputs) == 1 else inputs


def _flat(curve: ArrayLike, rows: Rows) -> NDArray[np.float32]:
    """The standardised curves of some rows, without the running mean: (rows, 3197)."""
    return np.asarray(read_rows(curve, rows)[..., 0], dtype=np.float32)

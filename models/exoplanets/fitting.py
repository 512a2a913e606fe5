"""Fitting and asking the exoplanet models: the same steps for a network and for a forest.

Here belongs which rows a model learns from and is asked about. The networks are in `networks`, the
loop that trains them in `models.training`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture
from models.arrays import ArrayLike, Arrays
from models.exoplanets.networks import random_forest
from models.exoplanets.vetting import fit_vetting, score_vetting
from models.sampling import TRAIN, VALIDATION, BalancedBatches, Batches, read_rows, rows_of
from models.training import History, Phase, fresh, predict, train

Inputs = Mapping[str, ArrayLike]
"""What a model reads, by the name of its input: arrays of shape (n, ...)."""


def fit_network(
    architecture: Mapping[str, Any],
    inputs: Inputs,
    curves: Arrays,
    splits: Arrays,
    *,
    phases: Sequence[Phase],
    batch: int,
    steps: int | None,
    seed: int,
) -> tuple[Any, History]:
    """Train a network on balanced batches with rotating positives, as the study does.

    Parameters
    ----------
    architecture
        As `models.architectures.architecture` gives it.
    inputs
        What the network reads.
    curves, splits
        Labels and the split of each row.
    phases
        Learning rates, one after the other: the study's CNN starts high and goes on lower.
    batch, steps
        Rows in a batch, half of them planets, and batches in an epoch (None: one pass over the
        stars without a planet).
    seed
        Seed of the weights, the dropout and the order of the batches.

    Returns
    -------
    network, history
        The trained network and what its training left behind.
    """
    labels = np.asarray(curves["label"])
    x = _bare(inputs)
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
    return network, history


def fit_forest(curve: ArrayLike, curves: Arrays, splits: Arrays, *, seed: int) -> Any:
    """Fit the benchmark forest to the standardised curves, as the study does."""
    rows = rows_of(splits, TRAIN)
    labels = np.asarray(curves["label"])[rows]
    return random_forest(seed).fit(_flat(curve, rows), labels)


def fit_candidates(candidates: Arrays, curves: Arrays, splits: Arrays, *, seed: int) -> Any:
    """Fit the vetting model to the transit candidates of the training stars."""
    rows = rows_of(splits, TRAIN)
    return fit_vetting(
        {name: read_rows(candidates[name], rows) for name in candidates},
        np.asarray(curves["label"])[rows],
        seed=seed,
    )


def score(model: str, fitted: Any, inputs: Inputs, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ask a fitted model about some rows.

    Parameters
    ----------
    model
        Its name: ``random_forest``, ``vetting``, or a network's.
    fitted
        The forest, the vetting model, or the network.
    inputs
        What it reads.
    rows
        Rows to score.

    Returns
    -------
    float64 array, shape (rows,)
        Probability of a planet.
    """
    if model == "vetting":
        return score_vetting(fitted, {name: read_rows(inputs[name], rows) for name in inputs})
    if model == "random_forest":
        return np.asarray(fitted.predict_proba(_flat(inputs["curve"], rows))[:, 1])
    return predict(fitted, _bare(inputs), rows)


def _bare(inputs: Inputs) -> Any:
    # A network with one input takes it without its name.
    return next(iter(inputs.values())) if len(inputs) == 1 else inputs


def _flat(curve: ArrayLike, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The standardised curves of some rows, without the running mean: (rows, 3197)."""
    return np.asarray(read_rows(curve, rows)[..., 0], dtype=np.float32)

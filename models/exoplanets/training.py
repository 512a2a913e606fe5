"""Train the exoplanet models and predict with them: networks, forest and vetting alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture
from models.arrays import ArrayLike, Arrays
from models.exoplanets.networks import random_forest
from models.exoplanets.splits import inputs_of
from models.exoplanets.vetting import fit_vetting, score_vetting
from models.sampling import BalancedBatches, Batches
from models.training import Estimator, Network, Phase, TrainingResult, fresh, predict, train
from models.types import JsonDict


def fit_network(
    architecture: JsonDict,
    training: Arrays,
    validation: Arrays,
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
    training, validation
        The rows of both splits: features by the name of the network's input, and ``label``.
    phases
        Learning rates, one after the other: the study's CNN starts high and goes on lower.
    batch, steps
        Rows in a batch, half of them planets, and batches in an epoch (None: one pass over the
        stars without a planet).
    seed
        Seed of the weights, the dropout and the order of the batches.

    """
    network = fresh(lambda: from_architecture(architecture), seed)
    history = train(
        network,
        BalancedBatches(*_rows(training), batch=batch, steps=steps, seed=seed),
        Batches(*_rows(validation), batch=256, shuffle=False),
        phases=phases,
        optimiser="adam",
        loss="binary_crossentropy",
        metrics=["accuracy"],
        seed=seed,
    )
    return TrainingResult(network, history)


def fit_forest(training: Arrays, *, seed: int) -> Estimator:
    """Fit the benchmark forest to the standardised curves, as the study does."""
    labels = np.asarray(training["label"])
    forest: Estimator = random_forest(seed).fit(_flat(training["curve"]), labels)
    return forest


def fit_candidates(training: Arrays, *, seed: int) -> Estimator:
    """Fit the vetting model to the transit candidates of the training stars."""
    return fit_vetting(_in_memory(training), np.asarray(training["label"]), seed=seed)


def score(model: str, fitted: Network | Estimator, examples: Arrays) -> NDArray[np.float64]:
    """Predict the probability of a planet.

    Parameters
    ----------
    model
        Its name: ``random_forest``, ``vetting``, or a network's.
    fitted
        The forest, the vetting model, or the network.
    examples
        The rows to score: their features.

    Returns
    -------
    float64 array of shape (rows,)
    """
    if model == "vetting":
        return score_vetting(fitted, _in_memory(examples))
    if model == "random_forest":
        return np.asarray(fitted.predict_proba(_flat(examples["curve"]))[:, 1])
    return predict(fitted, _network_input(examples))


def _rows(examples: Arrays) -> tuple[ArrayLike | Arrays, NDArray[Any]]:
    return _network_input(examples), np.asarray(examples["label"])


def _network_input(examples: Arrays) -> ArrayLike | Arrays:
    # A network with one input takes it without its name.
    inputs = inputs_of(examples)
    return next(iter(inputs.values())) if len(inputs) == 1 else inputs


def _in_memory(examples: Arrays) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(array[:]) for name, array in inputs_of(examples).items()}


def _flat(curve: ArrayLike) -> NDArray[np.float32]:
    """The standardised curves without the running mean: (n, 3197)."""
    return np.asarray(curve[:][..., 0], dtype=np.float32)

"""Judging the exoplanet models where one split says little: cross-validation and a control.

With five planets in a test set one star moves F1 by 0.1 to 0.2, so the vetting model, which
trains in a second, is also judged over all stars by repeated cross-validation, and against a model
that learnt from permuted labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.exoplanets.vetting import fit_vetting, score_vetting
from models.metrics import evaluate, permuted_control
from models.sampling import TEST, TRAIN, read_rows, rows_of, stratified_folds
from models.thresholds import crossover


def _part(candidates: Arrays, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    return {name: read_rows(candidates[name], rows) for name in candidates}


def cross_validate(
    candidates: Arrays, curves: Arrays, *, folds: int, repeats: int, seed: int
) -> dict[str, Any]:
    """Judge the vetting model on every star, each time by a model that hasn't seen it.

    Parameters
    ----------
    candidates, curves
        Vetting features, labels and host stars of all curves.
    folds, repeats
        Parts in a round, and rounds; host stars stay whole where they outnumber the folds.
    seed
        Seed of the folds and the models.

    Returns
    -------
    dict
        ``rounds``, a list of what `models.metrics.evaluate` gives for each round's out-of-fold
        scores (cut where sensitivity meets specificity on them: it ranks, and promises nothing),
        and ``mean_average_precision``, ``sd_average_precision`` over the rounds.
    """
    labels, host = np.asarray(curves["label"]), np.asarray(curves["host"])
    with_planet = np.unique(host[labels == 1]).size
    groups = host if with_planet >= folds and np.unique(host).size >= folds else None
    scores = np.full((repeats, len(labels)), np.nan)
    for fold in stratified_folds(labels, groups, folds, repeats, seed):
        estimator = fit_vetting(_part(candidates, fold.train), labels[fold.train], seed=seed)
        scores[fold.repeat, fold.test] = score_vetting(estimator, _part(candidates, fold.test))
    rounds = [
        evaluate(labels, row, crossover(labels, row), seed=seed, resamples=200) for row in scores
    ]
    precisions = [each["metrics"]["average_precision"]["value"] for each in rounds]
    return {
        "folds": folds,
        "by_host": groups is not None,
        "rounds": rounds,
        "mean_average_precision": float(np.mean(precisions)),
        "sd_average_precision": float(np.std(precisions)),
    }


def control(candidates: Arrays, curves: Arrays, splits: Arrays, *, seed: int) -> dict[str, Any]:
    """Train the vetting model on permuted labels: it must then score the test stars as chance."""
    labels = np.asarray(curves["label"])
    train, test = rows_of(splits, TRAIN), rows_of(splits, TEST)
    learnt, held_out = _part(candidates, train), _part(candidates, test)

    def score(permuted: NDArray[np.bool_]) -> NDArray[np.float64]:
        return score_vetting(fit_vetting(learnt, permuted.astype(np.int8), seed=seed), held_out)

    return permuted_control(labels[train], score, labels[test], seed=seed)

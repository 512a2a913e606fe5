"""Evaluate the exoplanet models: on the test stars, by cross-validation, and by a control.

With five planets in a test set one star moves F1 by 0.1 to 0.2, so the vetting model, which trains
in a second, is also evaluated over all stars by repeated cross-validation, and against a model
trained on permuted labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.evaluation import Control, Evaluation, evaluate, permuted_control
from models.exoplanets.published import RESULTS
from models.exoplanets.vetting import fit_vetting, score_vetting
from models.metrics import recall_by_bin
from models.sampling import TEST, TRAIN, Rows, read_rows, rows_of, stratified_folds
from models.thresholds import crossover
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd


SNR_EDGES = (0.0, 7.1, 10.0, 15.0, 25.0, 50.0, 1000.0)
"""Bins of transit signal-to-noise; 7.1 is Kepler's detection threshold."""


def predictions(
    curves: Arrays, rows: Rows, scores: NDArray[np.float64], threshold: float
) -> pd.DataFrame:
    """Return a table of scored stars: star, host, kind, label, snr, score, flagged."""
    import pandas as pd

    columns = {
        name: read_rows(curves[name], rows) for name in ("star", "host", "kind", "label", "snr")
    }
    return pd.DataFrame(columns | {"score": scores, "flagged": scores >= threshold})


def evaluate_predictions(
    model: str, table: pd.DataFrame, threshold: float, resamples: int, seed: int
) -> Evaluation:
    """Evaluate a model's predictions, also by signal-to-noise and by kind of star.

    Stars count as independent: where noise is borrowed from few host stars (``hosts``), intervals
    say nothing of other hosts.
    """
    labels, scores = table["label"].to_numpy(), table["score"].to_numpy()
    evaluation = evaluate(
        labels, scores, threshold, resamples=resamples, seed=seed, published=RESULTS.get(model)
    )
    planets = table[table["label"] == 1]
    return evaluation.with_details(
        hosts=int(table["host"].nunique()),
        by_snr=recall_by_bin(planets["snr"], planets["flagged"], SNR_EDGES),
        false_alarms_by_kind={
            str(kind): {"stars": len(group), "flagged": int(group["flagged"].sum())}
            for kind, group in table[table["label"] == 0].groupby("kind")
        },
    )


def _part(candidates: Arrays, rows: Rows) -> dict[str, NDArray[Any]]:
    return {name: read_rows(candidates[name], rows) for name in candidates}


def cross_validate(
    candidates: Arrays, curves: Arrays, *, folds: int, repeats: int, seed: int
) -> JsonDict:
    """Evaluate the vetting model on every star, each time by a model that hasn't seen it.

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
        ``rounds``, the evaluation of each round's out-of-fold scores (its threshold, where
        sensitivity meets specificity on them, promises nothing), and ``mean_average_precision``,
        ``sd_average_precision`` over the rounds.
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
    precisions = [evaluation.value("average_precision") or 0.0 for evaluation in rounds]
    return {
        "folds": folds,
        "by_host": groups is not None,
        "rounds": [evaluation.to_dict() for evaluation in rounds],
        "mean_average_precision": float(np.mean(precisions)),
        "sd_average_precision": float(np.std(precisions)),
    }


def vetting_control(candidates: Arrays, curves: Arrays, splits: Arrays, *, seed: int) -> Control:
    """Train the vetting model on permuted labels: it must then rank test stars as chance does."""
    labels = np.asarray(curves["label"])
    train, test = rows_of(splits, TRAIN), rows_of(splits, TEST)
    training, held_out = _part(candidates, train), _part(candidates, test)

    def score(permuted: NDArray[np.bool_]) -> NDArray[np.float64]:
        return score_vetting(fit_vetting(training, permuted.astype(np.int8), seed=seed), held_out)

    return permuted_control(labels[train], score, labels[test], seed=seed)

"""Evaluate the exoplanet models: on the test stars, by cross-validation, and by a control.

With five planets in a test set one star moves F1 by 0.1 to 0.2, so the vetting model, which trains
in a second, is also evaluated over all stars by repeated cross-validation, and against a model
trained on permuted labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.evaluation import Control, Evaluation, evaluate, permuted_control
from models.exoplanets.published import RESULTS
from models.exoplanets.splits import KNOWN, inputs_of
from models.exoplanets.training import fit_candidates, score
from models.exoplanets.vetting import fit_vetting, score_vetting
from models.metrics import recall_by_bin
from models.sampling import Rows, read_rows, stratified_folds
from models.thresholds import crossover
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd


SNR_EDGES = (0.0, 7.1, 10.0, 15.0, 25.0, 50.0, 1000.0)
"""Bins of transit signal-to-noise; 7.1 is Kepler's detection threshold."""


def predictions(examples: Arrays, scores: NDArray[np.float64], threshold: float) -> pd.DataFrame:
    """Return a table of scored stars: star, host, kind, label, snr, score, flagged."""
    import pandas as pd

    columns = {name: np.asarray(examples[name]) for name in KNOWN}
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
    return {name: read_rows(array, rows) for name, array in inputs_of(candidates).items()}


def cross_validate(
    candidates: Mapping[str, Arrays], *, folds: int, repeats: int, seed: int
) -> JsonDict:
    """Evaluate the vetting model on every star, each time by a model that hasn't seen it.

    Parameters
    ----------
    candidates
        Vetting features, labels and host stars of the curves of each split.
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
    every = {
        name: np.concatenate([np.asarray(part[name]) for part in candidates.values()])
        for name in next(iter(candidates.values()))
    }
    labels, host = every["label"], every["host"]
    with_planet = np.unique(host[labels == 1]).size
    groups = host if with_planet >= folds and np.unique(host).size >= folds else None
    scores = np.full((repeats, len(labels)), np.nan)
    for fold in stratified_folds(labels, groups, folds, repeats, seed):
        estimator = fit_vetting(_part(every, fold.train), labels[fold.train], seed=seed)
        scores[fold.repeat, fold.test] = score_vetting(estimator, _part(every, fold.test))
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


def vetting_control(training: Arrays, test: Arrays, *, seed: int) -> Control:
    """Train the vetting model on permuted labels: it must then rank test stars as chance does."""

    def scores(permuted: NDArray[np.bool_]) -> NDArray[np.float64]:
        shuffled = {**training, "label": permuted.astype(np.int8)}
        return score("vetting", fit_candidates(shuffled, seed=seed), test)

    actual, held_out = np.asarray(training["label"]), np.asarray(test["label"])
    return permuted_control(actual, scores, held_out, seed=seed)

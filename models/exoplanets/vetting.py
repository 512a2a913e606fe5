"""Vet the best candidate of each star from `transit_search` with boosted trees: the fifth model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transit_search import FEATURE_NAMES

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

SETTINGS: dict[str, Any] = {
    "max_iter": 300,
    "learning_rate": 0.03,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 10,
    "l2_regularization": 1.0,
    # With a few dozen planets, trees that see few features each vary more, and err less together.
    "max_features": 0.15,
    "early_stopping": False,
}
"""Settings of the trees. Classes have no weights: they do not improve recall of planets, and would
distort the probabilities."""


def vetting_model(seed: int) -> HistGradientBoostingClassifier:
    """Build the unfitted estimator.

    Parameters
    ----------
    seed : int
        Seed of the features that each split may choose from.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**SETTINGS, random_state=seed)


def fit_vetting(
    candidates: Mapping[str, NDArray[Any]], labels: NDArray[np.integer], *, seed: int
) -> HistGradientBoostingClassifier:
    """Fit the estimator.

    Parameters
    ----------
    candidates : mapping of str to ndarray
        From `transit_search.vetting_features`, for n stars. Only ``features`` is used: the folded
        views did not improve the model.
    labels : array-like of shape (n,)
        1 for a star with a planet, 0 for one without.
    seed : int
        As for `vetting_model`. Equal stars, labels and seed give equal estimators.

    Raises
    ------
    ValueError
        The features are not those of `FEATURE_NAMES`, or one of the labels is missing.
    """
    from threadpoolctl import threadpool_limits

    features = _features(candidates)
    labels = np.asarray(labels)
    if len(labels) != len(features):
        raise ValueError(f"got {len(features)} candidates, and {len(labels)} labels for them")
    if set(np.unique(labels).tolist()) != {0, 1}:
        raise ValueError(
            "stars with a planet (1) and without one (0) are needed to learn from, got labels "
            f"{np.unique(labels).tolist()}"
        )
    # One thread fits so few rows faster; more take many times as long on busy cores.
    with threadpool_limits(1, user_api="openmp"):
        return vetting_model(seed).fit(features, labels)


def score_vetting(
    estimator: HistGradientBoostingClassifier, candidates: Mapping[str, NDArray[Any]]
) -> NDArray[np.float64]:
    """Return each star's probability of having a planet.

    Parameters
    ----------
    estimator : HistGradientBoostingClassifier
        From `fit_vetting`.
    candidates : mapping of str to ndarray
        As for `fit_vetting`.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    return np.asarray(estimator.predict_proba(_features(candidates))[:, 1], np.float64)


def _features(candidates: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    features = np.asarray(candidates["features"], np.float32)
    if features.ndim != 2 or features.shape[1] != len(FEATURE_NAMES):
        raise ValueError(
            f"expected features of shape (stars, {len(FEATURE_NAMES)}), the columns of "
            f"transit_search.FEATURE_NAMES, got {features.shape}; search the curves again"
        )
    return features

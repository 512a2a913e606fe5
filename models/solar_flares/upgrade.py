"""Beyond the study: window statistics and calibrated gradient boosting.

Here belong the statistics that sum a record up, and the classifier over them. Folds are cut by
active region and the probabilities calibrated on regions that the trees have not seen: records of
one region are nearly equal, and a split of records would make the trees look certain.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Block
from models.sampling import group_codes, stratified_folds
from models.solar_flares.records import PARAMETERS, SAMPLES

if TYPE_CHECKING:
    from sklearn.calibration import CalibratedClassifierCV

STATISTICS = (
    "mean",  # over the 12 hours
    "deviation",  # standard deviation over them
    "slope",  # least-squares change over them
    "last",  # mean of the last hour
    "change",  # last hour less first hour
    "least",
    "greatest",
    "roughness",  # standard deviation of the differences from sample to sample
)
"""What is taken of each parameter, in the order in which `window_statistics` gives it."""

HOUR = 5  # samples


@dataclass(frozen=True)
class BoostingSettings:
    """Settings of the boosted trees; small and slow, as regions are few."""

    trees: int = 200
    learning_rate: float = 0.05
    leaves: int = 8
    smallest_leaf: int = 100
    ridge: float = 10.0
    calibration_folds: int = 5


def window_statistics(block: Block) -> NDArray[np.float32]:
    """Sum records up.

    Parameters
    ----------
    block
        ``values`` of shape (n, 60, 25), standardised (TOTPOT squared doesn't fit float32), missing
        samples as NaN.

    Returns
    -------
    float32, shape (n, 200): `STATISTICS` of the first parameter, then of the second, and so on.
    Missing samples are left out; a statistic without samples is NaN.
    """
    values = np.asarray(block["values"], dtype=np.float32)
    time = np.broadcast_to(
        np.linspace(-0.5, 0.5, SAMPLES, dtype=np.float32)[:, None], values.shape[1:]
    )
    known = ~np.isnan(values)
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        # NumPy warns of slices without a number; NaN is the answer meant here.
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(values, axis=1)
        when = np.where(known, time, 0.0)
        when = np.where(
            known, time - when.sum(axis=1, keepdims=True) / known.sum(axis=1, keepdims=True), 0.0
        )
        apart = np.where(known, values - mean[:, None], 0.0)
        last = np.nanmean(values[:, -HOUR:], axis=1)
        statistics = [
            mean,
            np.nanstd(values, axis=1),
            (when * apart).sum(axis=1) / (when**2).sum(axis=1),
            last,
            last - np.nanmean(values[:, :HOUR], axis=1),
            np.nanmin(values, axis=1),
            np.nanmax(values, axis=1),
            np.nanstd(np.diff(values, axis=1), axis=1),
        ]
    return np.stack(statistics, axis=2).reshape(len(values), -1).astype(np.float32)


def statistic_names() -> list[str]:
    """Name each column of `window_statistics`, such as ``TOTUSJH mean``."""
    return [f"{parameter} {statistic}" for parameter in PARAMETERS for statistic in STATISTICS]


def fit_boosting(
    statistics: NDArray[np.float32],
    labels: NDArray[Any],
    regions: NDArray[Any],
    *,
    settings: BoostingSettings = BoostingSettings(),
    seed: int = 0,
) -> CalibratedClassifierCV:
    """Boost trees on the training records, and calibrate them on regions they haven't seen.

    The calibration (Platt's sigmoid; in Niculescu-Mizil and Caruana 2005, ICML) is fitted to
    scores that trees of the other folds' regions give; the final trees then learn from all.

    Parameters
    ----------
    statistics
        Of the training records only, shape (n, 200).
    labels
        0 or 1, shape (n,).
    regions
        Active region of each record, shape (n,).
    settings
        Settings of the trees.
    seed
        Seed of the folds.

    Returns
    -------
    Fitted classifier; column 1 of its ``predict_proba`` is the probability of a flare.

    Raises
    ------
    ValueError
        A fold would get no flare or nothing else.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import HistGradientBoostingClassifier

    folds = stratified_folds(labels, regions, settings.calibration_folds, 1, seed)
    trees = HistGradientBoostingClassifier(
        max_iter=settings.trees,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.smallest_leaf,
        l2_regularization=settings.ridge,
        max_features=0.2,
        early_stopping=False,
        random_state=seed,
    )
    calibrated = CalibratedClassifierCV(
        trees, method="sigmoid", cv=[(fold.train, fold.test) for fold in folds], ensemble=False
    )
    return calibrated.fit(statistics, np.asarray(labels, dtype=np.int8))

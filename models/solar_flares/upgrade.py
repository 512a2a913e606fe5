"""Beyond the study: window statistics, and a calibrated classifier chosen on unseen regions.

Here belong the statistics that sum a record up, and the two classifiers over them: a logistic
regression, which generalises from few regions, and its vote with gradient boosting, which sees
thresholds and interactions and needs many. Which of them it is, is decided by cross-validation over
the training regions alone. Folds are cut by active region and the probabilities calibrated on
regions that the classifier has not seen: records of one region are nearly equal, and a split of
records would make the trees look certain.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Block
from models.sampling import stratified_folds
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
class Settings:
    """Settings of the two classifiers; cautious, as regions are few.

    Attributes
    ----------
    trees, learning_rate, leaves, smallest_leaf, ridge, columns
        Of the boosted trees; ``columns`` is the share of statistics tried at each split.
    inverse_penalty
        Of the logistic regression (its ``C``).
    folds
        Folds of regions for the choice and the calibration.
    """

    trees: int = 100
    learning_rate: float = 0.05
    leaves: int = 8
    smallest_leaf: int = 400
    ridge: float = 10.0
    columns: float = 0.1
    inverse_penalty: float = 1e-4
    folds: int = 5


def window_statistics(block: Block) -> NDArray[np.float32]:
    """Sum records up.

    Parameters
    ----------
    block
        ``values`` of shape (n, 60, 25), scaled (TOTPOT squared doesn't fit float32), missing
        samples as NaN.

    Returns
    -------
    float32, shape (n, 200): `STATISTICS` of the first parameter, then of the second, and so on.
    Missing samples are left out; a statistic without samples is NaN.
    """
    values = np.asarray(block["values"], dtype=np.float32)
    time = np.linspace(-0.5, 0.5, SAMPLES, dtype=np.float32)[:, None]
    known = ~np.isnan(values)
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        # NumPy warns of slices without a number; NaN is the answer meant here.
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(values, axis=1)
        middle = np.where(known, time, 0.0).sum(axis=1) / known.sum(axis=1)
        when = np.where(known, time - middle[:, None], 0.0)
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


def fit(
    statistics: NDArray[np.float32],
    labels: NDArray[Any],
    regions: NDArray[Any],
    *,
    settings: Settings | None = None,
    seed: int = 0,
) -> CalibratedClassifierCV:
    """Choose the better of the two classifiers on unseen regions, fit and calibrate it.

    Each is fitted to all folds of regions but one and asked about that one. Chosen is the one with
    the larger area under the ROC curve of all answers together. The calibration (Platt's sigmoid;
    Niculescu-Mizil and Caruana 2005, ICML) is fitted to its answers; the final classifier learns
    from all regions.

    Parameters
    ----------
    statistics
        Of the training records only, shape (n, 200).
    labels
        0 or 1, shape (n,).
    regions
        Active region of each record, shape (n,).
    settings
        Settings of the classifiers.
    seed
        Seed of the folds and the trees.

    Returns
    -------
    Fitted classifier; column 1 of its ``predict_proba`` is the probability of a flare. Its
    ``estimator`` is the one that was chosen.

    Raises
    ------
    ValueError
        A fold would get no flare, or nothing else.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict
    from threadpoolctl import threadpool_limits

    chosen = settings or Settings()
    label = np.asarray(labels, dtype=np.int8)
    folds = [
        (fold.train, fold.test) for fold in stratified_folds(label, regions, chosen.folds, 1, seed)
    ]

    def skill(classifier: Any) -> float:
        answers = cross_val_predict(classifier, statistics, label, cv=folds, method="predict_proba")
        return float(roc_auc_score(label, answers[:, 1]))

    # Threads of trees this small wait for each other longer than they work.
    with threadpool_limits(1, user_api="openmp"):
        best = max(_classifiers(chosen, len(label), seed), key=skill)
        calibrated = CalibratedClassifierCV(best, method="sigmoid", cv=folds, ensemble=False)
        return calibrated.fit(statistics, label)


def chosen_name(fitted: CalibratedClassifierCV) -> str:
    """Name the classifier that `fit` chose."""
    return "vote with boosted trees" if hasattr(fitted.estimator, "voting") else "logistic"


def _classifiers(settings: Settings, records: int, seed: int) -> list[Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    trees = HistGradientBoostingClassifier(
        max_iter=settings.trees,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.leaves,
        # A share of the records, so that a small sample still grows trees.
        min_samples_leaf=max(1, min(settings.smallest_leaf, records // 20)),
        l2_regularization=settings.ridge,
        max_features=settings.columns,
        early_stopping=False,
        random_state=seed,
    )
    logistic = make_pipeline(
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=settings.inverse_penalty, max_iter=1000),
    )
    vote = VotingClassifier([("trees", trees), ("logistic", logistic)], voting="soft")
    return [logistic, vote]

"""Beyond the study: a calibrated classifier of window statistics, chosen on unseen regions.

Two classifiers compete: a logistic regression, which generalises from few regions, and its vote
with gradient boosting, which models thresholds and interactions and needs many. Cross-validation
over the training regions alone decides. Folds keep active regions whole, and the probabilities are
calibrated on regions that the classifier has not seen: records of one region are nearly equal, and
a split of records would make the trees look certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.sampling import stratified_folds

if TYPE_CHECKING:
    from sklearn.calibration import CalibratedClassifierCV


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


def fit_classifier(
    statistics: NDArray[np.float32],
    labels: NDArray[Any],
    regions: NDArray[Any],
    *,
    settings: Settings | None = None,
    seed: int = 0,
) -> CalibratedClassifierCV:
    """Choose the better of the two classifiers on unseen regions, fit and calibrate it.

    Each is fitted to all folds of regions but one and scores that one. The one with the larger area
    under the ROC curve of all scores together is chosen. The calibration (Platt's sigmoid;
    Niculescu-Mizil and Caruana 2005, ICML) is fitted to its scores; the final classifier is fitted
    to all regions.

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
    CalibratedClassifierCV
        Column 1 of its ``predict_proba`` is the probability of a flare; ``estimator`` is the chosen
        classifier.

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
        scores = cross_val_predict(classifier, statistics, label, cv=folds, method="predict_proba")
        return float(roc_auc_score(label, scores[:, 1]))

    # Threads of trees this small wait for each other longer than they work.
    with threadpool_limits(1, user_api="openmp"):
        best = max(_classifiers(chosen, len(label), seed), key=skill)
        calibrated = CalibratedClassifierCV(best, method="sigmoid", cv=folds, ensemble=False)
        return calibrated.fit(statistics, label)


def chosen_name(fitted: CalibratedClassifierCV) -> str:
    """Name the classifier that `fit_classifier` chose."""
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

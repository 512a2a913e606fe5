"""Placeholder until the vetting model lands."""

import numpy as np


def fit_vetting(parts, labels, *, seed):
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed, max_iter=60).fit(
        np.concatenate([parts["features"], parts["local_view"]], axis=1), labels
    )


def score_vetting(est, parts):
    return est.predict_proba(np.concatenate([parts["features"], parts["local_view"]], axis=1))[:, 1]

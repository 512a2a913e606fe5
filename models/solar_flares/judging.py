"""Judging beyond one split: a control that leaks on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.metrics import evaluate
from models.sampling import SPLITS, rows_of, split
from models.solar_flares import upgrade
from models.thresholds import max_tss

LEAK = (
    "LEAKY on purpose: records split at random, so that nearly equal records of one active region "
    "are in training and in test. No forecast of a new region is this good."
)


def leaky_control(features: Mapping[str, Arrays], *, seed: int) -> dict[str, Any]:
    """Fit and judge the upgrade on a random split of records, which tears regions apart.

    Parameters
    ----------
    features
        ``records``, ``splits`` (for the sizes of the random ones) and ``statistics``.
    seed
        Seed of the split and the fit.

    Returns
    -------
    dict
        What `models.metrics.evaluate` gives, and a ``note`` that says what it is.
    """
    label = np.asarray(features["records"]["label"])
    values = np.asarray(features["statistics"]["values"])
    shares = {
        name: len(rows_of(features["splits"], code)) / len(label)
        for code, name in enumerate(SPLITS)
    }
    train, validation, test = split(label, None, shares, seed).values()
    fitted = upgrade.fit(values[train], label[train], np.arange(len(train)), seed=seed)

    def score(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(fitted.predict_proba(values[rows])[:, 1])

    cut = max_tss(label[validation], score(validation))
    return evaluate(label[test], score(test), cut, seed=seed) | {"note": LEAK}

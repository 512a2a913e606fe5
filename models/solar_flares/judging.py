"""Judging beyond one split: the loss with its interval, and a control that leaks on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.metrics import evaluate
from models.sampling import SPLITS, group_codes, rows_of, split
from models.solar_flares import upgrade
from models.thresholds import max_tss

LEAK = (
    "LEAKY on purpose: records split at random, so that nearly equal records of one active region "
    "are in training and in test. No forecast of a new region is this good."
)


def cross_entropy(
    labels: NDArray[Any], scores: NDArray[Any], groups: NDArray[Any], *, resamples: int, seed: int
) -> dict[str, Any]:
    """Work out the binary cross-entropy (the networks' loss), its interval by whole groups.

    Parameters
    ----------
    labels, scores, groups
        Shape (n,): 0 or 1, probability, active region.
    resamples, seed
        Bootstrap resamples of regions, and their seed.

    Returns
    -------
    dict
        ``value``, ``low``, ``high`` (95 %) and ``method``, as a metric of
        `models.metrics.evaluate`. Scores are kept 1e-7 from 0 and 1, as Keras does.
    """
    kept = np.clip(np.asarray(scores, dtype=np.float64), 1e-7, 1 - 1e-7)
    loss = -np.where(np.asarray(labels) == 1, np.log(kept), np.log1p(-kept))
    codes = group_codes(groups, len(loss))
    sums, sizes = np.bincount(codes, loss), np.bincount(codes)
    generator = np.random.default_rng(seed)
    means = [
        sums[drawn].sum() / sizes[drawn].sum()
        for drawn in (generator.integers(0, len(sums), len(sums)) for _ in range(resamples))
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    value = float(loss.mean())
    return {"value": value, "low": float(low), "high": float(high), "method": "bootstrap"}


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

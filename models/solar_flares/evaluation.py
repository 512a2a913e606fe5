"""Evaluate the solar-flare models: on the test regions, and a control that leaks on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.evaluation import Evaluation, evaluate
from models.metrics import cross_entropy, reliability
from models.sampling import SPLITS, Rows, split
from models.solar_flares.splits import KNOWN
from models.solar_flares.training import Examples
from models.solar_flares.upgrade import fit_classifier
from models.thresholds import max_tss

if TYPE_CHECKING:
    import pandas as pd

LEAK = (
    "LEAKY on purpose: records split at random, so that nearly equal records of one active region "
    "are in training and in test. No forecast of a new region is this good."
)


def predictions(examples: Examples, scores: NDArray[np.float64], threshold: float) -> pd.DataFrame:
    """Return a table of scored examples: id, region, label, score, flagged."""
    import pandas as pd

    columns = {name: examples.known(name) for name in KNOWN}
    return pd.DataFrame({**columns, "score": scores, "flagged": scores >= threshold})


def evaluate_predictions(
    table: pd.DataFrame,
    threshold: float,
    resamples: int,
    seed: int,
    published: tuple[float, float] | None = None,
) -> Evaluation:
    """Evaluate predictions, with intervals that resample whole active regions.

    Beside the metrics of `models.evaluation.evaluate`: ``loss``, and ``accuracy_at_0.5`` and
    ``recall_at_0.5``, which are what the study published; and ``reliability``, the bins of the
    reliability diagram.

    Parameters
    ----------
    table
        From `predictions`.
    threshold
        Chosen on validation.
    resamples, seed
        Of the intervals.
    published
        Accuracy and recall of the study, where there are any.
    """
    label, score = table["label"].to_numpy(), table["score"].to_numpy()
    region = table["region"].to_numpy().astype(str)
    evaluation = evaluate(
        label,
        score,
        threshold,
        decisions={"_at_0.5": score >= 0.5},
        statistics={"loss": cross_entropy(label, score, region)},
        groups=region,
        resamples=resamples,
        seed=seed,
        published=dict(zip(("accuracy_at_0.5", "recall_at_0.5"), published or (), strict=False)),
    )
    return evaluation.with_details(reliability=reliability(label, score))


def leaky_control(statistics: Mapping[str, Arrays], *, seed: int) -> Evaluation:
    """Fit and evaluate the upgrade on a random split of records, which tears regions apart.

    Parameters
    ----------
    statistics
        Of the records of each split; the random ones are as large.
    seed
        Seed of the split and the fit.

    Returns
    -------
    Evaluation
        With the detail ``note``.
    """
    label, values = (
        np.concatenate([np.asarray(statistics[part][name]) for part in SPLITS])
        for name in ("label", "values")
    )
    shares = {name: len(statistics[name]["label"]) / len(label) for name in SPLITS}
    train, validation, test = split(label, None, shares, seed).values()
    classifier = fit_classifier(values[train], label[train], np.arange(len(train)), seed=seed)

    def score(rows: Rows) -> NDArray[np.float64]:
        return np.asarray(classifier.predict_proba(values[rows])[:, 1])

    threshold = max_tss(label[validation], score(validation))
    return evaluate(label[test], score(test), threshold, seed=seed).with_details(note=LEAK)

"""A classifier whose probabilities mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from models.scaling import fit_scaling
from models.solar_flares.features import compress, window_statistics
from models.solar_flares.simulation import simulate
from models.solar_flares.upgrade import (
    Settings,
    chosen_name,
    fit_classifier,
)

QUICK = Settings(trees=30, folds=3)


@pytest.fixture(scope="module")
def folds():
    parts = list(simulate({1: 1800, 3: 1200}, seed=0, per_region=6))
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    train = whole["fold"] == 1
    scaling = fit_scaling([whole["values"][train].reshape(-1, 25)])
    whole["statistics"] = window_statistics({"values": compress(whole["values"], scaling)})
    return {
        fold: {name: array[whole["fold"] == fold] for name, array in whole.items()}
        for fold in (1, 3)
    }


def test_it_forecasts_unseen_regions_and_means_its_probabilities(folds):
    train, test = folds[1], folds[3]
    fitted = fit_classifier(train["statistics"], train["label"], train["region"], settings=QUICK)
    scores = fitted.predict_proba(test["statistics"])[:, 1]
    flares = test["label"] == 1
    higher = (scores[flares][:, None] > scores[~flares]).mean()  # the area under the ROC curve
    assert higher > 0.7
    base = train["label"].mean()
    brier = np.mean((scores - flares) ** 2)
    assert brier < np.mean((base - flares) ** 2)
    assert scores.mean() == pytest.approx(flares.mean(), abs=0.05)
    again = fit_classifier(train["statistics"], train["label"], train["region"], settings=QUICK)
    assert np.array_equal(again.predict_proba(test["statistics"])[:, 1], scores)


def test_what_was_chosen_is_the_better_one_on_unseen_regions():
    generator = np.random.default_rng(0)
    statistics = generator.normal(size=(600, 200)).astype(np.float32)
    regions = np.arange(600)
    line = statistics.sum(axis=1) > 0  # a little of each
    straight = fit_classifier(statistics, line, regions, settings=QUICK)
    assert chosen_name(straight) == "logistic"
    # Only trees see a product.
    crossed = statistics[:, 0] * statistics[:, 1] > 0
    bent = fit_classifier(
        statistics, crossed, regions, settings=Settings(trees=60, folds=3, columns=1.0)
    )
    assert chosen_name(bent) == "vote with boosted trees"


def test_permuted_labels_score_as_chance(folds):
    train, test = folds[1], folds[3]
    labels = np.random.default_rng(0).permutation(train["label"])
    fitted = fit_classifier(train["statistics"], labels, train["region"], settings=QUICK)
    scores = fitted.predict_proba(test["statistics"])
    flares = test["label"] == 1
    higher = (scores[flares, 1][:, None] > scores[~flares, 1]).mean()
    assert abs(higher - 0.5) < 0.12


def test_too_few_flares_for_the_folds_are_refused(folds):
    train = folds[1]
    labels = np.zeros_like(train["label"])
    labels[0] = 1
    with pytest.raises(ValueError, match="would get no positives"):
        fit_classifier(train["statistics"], labels, train["region"])

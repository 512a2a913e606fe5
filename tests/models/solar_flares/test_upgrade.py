"""Window statistics by hand, and a classifier that is worth its probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from models.solar_flares.forms import compress, fit_scaling
from models.solar_flares.simulation import simulate
from models.solar_flares.upgrade import (
    STATISTICS,
    Settings,
    chosen_name,
    fit,
    statistic_names,
    window_statistics,
)

QUICK = Settings(trees=30, folds=3)


def one(series):
    values = np.zeros((1, 60, 25), dtype=np.float32)
    values[0, :, 1] = series
    found = window_statistics({"values": values})
    return dict(zip(statistic_names(), found[0].tolist(), strict=True))


def test_statistics_of_a_line():
    found = one(np.arange(60.0))
    assert found["TOTBSQ mean"] == pytest.approx(29.5)
    assert found["TOTBSQ deviation"] == pytest.approx(np.std(np.arange(60.0)))
    assert found["TOTBSQ slope"] == pytest.approx(59.0, rel=1e-5)
    assert found["TOTBSQ last"] == pytest.approx(57.0)
    assert found["TOTBSQ change"] == pytest.approx(55.0)
    assert (found["TOTBSQ least"], found["TOTBSQ greatest"]) == (0.0, 59.0)
    assert found["TOTBSQ roughness"] == pytest.approx(0.0)
    assert found["TOTUSJH mean"] == 0.0
    assert len(found) == 25 * len(STATISTICS)


def test_missing_samples_are_left_out():
    series = np.arange(60.0)
    series[[0, 30, 59]] = np.nan
    found = one(series)
    assert found["TOTBSQ slope"] == pytest.approx(59.0, rel=1e-5)
    assert found["TOTBSQ greatest"] == 58.0
    assert found["TOTBSQ last"] == pytest.approx(56.5)


def test_a_parameter_without_samples_has_no_statistics():
    found = one(np.full(60, np.nan))
    assert all(np.isnan(found[f"TOTBSQ {name}"]) for name in STATISTICS)


@pytest.fixture(scope="module")
def folds():
    parts = list(simulate({1: 1800, 3: 1200}, seed=0, per_region=6))
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    train = whole["fold"] == 1
    scaling = fit_scaling([{"values": whole["values"][train]}])
    whole["statistics"] = window_statistics({"values": compress(whole["values"], scaling)})
    return {
        fold: {name: array[whole["fold"] == fold] for name, array in whole.items()}
        for fold in (1, 3)
    }


def test_it_forecasts_unseen_regions_and_means_its_probabilities(folds):
    train, test = folds[1], folds[3]
    fitted = fit(train["statistics"], train["label"], train["region"], settings=QUICK)
    scores = fitted.predict_proba(test["statistics"])[:, 1]
    flares = test["label"] == 1
    higher = (scores[flares][:, None] > scores[~flares]).mean()  # the area under the ROC curve
    assert higher > 0.7
    base = train["label"].mean()
    brier = np.mean((scores - flares) ** 2)
    assert brier < np.mean((base - flares) ** 2)
    assert scores.mean() == pytest.approx(flares.mean(), abs=0.05)
    again = fit(train["statistics"], train["label"], train["region"], settings=QUICK)
    assert np.array_equal(again.predict_proba(test["statistics"])[:, 1], scores)


def test_what_was_chosen_is_the_better_one_on_unseen_regions():
    generator = np.random.default_rng(0)
    statistics = generator.normal(size=(600, 200)).astype(np.float32)
    regions = np.arange(600)
    line = statistics.sum(axis=1) > 0  # a little of each
    straight = fit(statistics, line, regions, settings=QUICK)
    assert chosen_name(straight) == "logistic"
    # Only trees see a product.
    crossed = statistics[:, 0] * statistics[:, 1] > 0
    bent = fit(statistics, crossed, regions, settings=Settings(trees=60, folds=3, columns=1.0))
    assert chosen_name(bent) == "vote with boosted trees"


def test_permuted_labels_score_as_chance(folds):
    train, test = folds[1], folds[3]
    labels = np.random.default_rng(0).permutation(train["label"])
    fitted = fit(train["statistics"], labels, train["region"], settings=QUICK)
    scores = fitted.predict_proba(test["statistics"])
    flares = test["label"] == 1
    higher = (scores[flares, 1][:, None] > scores[~flares, 1]).mean()
    assert abs(higher - 0.5) < 0.12


def test_too_few_flares_for_the_folds_are_refused(folds):
    train = folds[1]
    labels = np.zeros_like(train["label"])
    labels[0] = 1
    with pytest.raises(ValueError, match="would get no positives"):
        fit(train["statistics"], labels, train["region"])

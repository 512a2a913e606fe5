"""The vetting model: it tells planets from their mimics, the same way each time."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.simulation import simulated
from models.exoplanets.transit_search import FEATURE_NAMES, vetting_features
from models.exoplanets.vetting import fit_vetting, score_vetting, vetting_model


@pytest.fixture(scope="module")
def stars():
    blocks = list(simulated(n_train=200, n_test=120, train_planets=50, test_planets=30, seed=1))
    rows = {
        name: np.concatenate([block[name] for block in blocks])
        for block in blocks
        for name in block
    }
    return vetting_features(rows["flux"]), rows["label"], rows["part"] == 1


def some(candidates, rows):
    return {name: values[rows] for name, values in candidates.items()}


def test_planets_rank_above_binaries_flares_and_jumps(stars):
    from sklearn.metrics import average_precision_score

    candidates, labels, test = stars
    estimator = fit_vetting(some(candidates, ~test), labels[~test], seed=0)
    scores = score_vetting(estimator, some(candidates, test))
    assert scores.shape == (120,)
    assert np.all((scores >= 0) & (scores <= 1))
    # A quarter of the stars have a planet: chance is 0.25.
    assert average_precision_score(labels[test], scores) > 0.6
    permuted = np.random.default_rng(0).permutation(labels[~test])
    chance = score_vetting(
        fit_vetting(some(candidates, ~test), permuted, seed=0), some(candidates, test)
    )
    assert average_precision_score(labels[test], chance) < 0.45


def test_equal_stars_and_seeds_give_equal_scores(stars):
    candidates, labels, _ = stars
    first, second, other = (
        score_vetting(fit_vetting(candidates, labels, seed=seed), candidates) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert np.any(first != other)


def test_a_star_without_candidate_gets_a_score(stars):
    candidates, labels, _ = stars
    nothing = {"features": np.full((1, len(FEATURE_NAMES)), np.nan, np.float32)}
    assert score_vetting(fit_vetting(candidates, labels, seed=0), nothing)[0] < 0.5


def test_the_estimator_is_seeded_and_unfitted():
    estimator = vetting_model(5)
    assert estimator.random_state == 5
    assert not hasattr(estimator, "classes_")


def test_one_class_alone_teaches_nothing(stars):
    candidates, labels, _ = stars
    with pytest.raises(ValueError, match=r"and without one \(0\) are needed .* got labels \[0\]"):
        fit_vetting(candidates, 0 * labels, seed=0)


def test_labels_must_be_as_many_as_candidates(stars):
    candidates, labels, _ = stars
    with pytest.raises(ValueError, match="got 320 candidates, and 319 labels"):
        fit_vetting(candidates, labels[1:], seed=0)


def test_features_of_another_search_are_refused():
    with pytest.raises(ValueError, match=r"shape \(stars, 39\).* got \(2, 3\); search the curves"):
        fit_vetting({"features": np.zeros((2, 3))}, np.array([0, 1]), seed=0)

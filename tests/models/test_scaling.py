"""One pass over blocks, gaps left out, large means without cancellation."""

from __future__ import annotations

import numpy as np
import pytest

from models.scaling import Scaling, fit_scaling


def rows(count=600, features=4, seed=0):
    values = np.random.default_rng(seed).normal(3.0, 2.0, (count, features))
    values[5, 2] = np.nan
    values[:200, 3] = np.nan
    return values


@pytest.mark.parametrize("cuts", [[], [1], [100, 150, 151]])
def test_scaling_does_not_depend_on_the_blocks(cuts):
    values = rows()
    scaling = fit_scaling(np.split(values, cuts))
    np.testing.assert_allclose(scaling.mean, np.nanmean(values, axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.std, np.nanstd(values, axis=0), rtol=1e-12)
    assert scaling.samples.tolist() == [600, 600, 599, 400]


def test_it_equals_scikit_learn_where_every_block_has_values():
    from sklearn.preprocessing import StandardScaler

    values = rows()[200:]
    theirs = StandardScaler()
    for block in np.split(values, [50, 300]):
        theirs.partial_fit(block)
    ours = fit_scaling(np.split(values, [50, 300]))
    np.testing.assert_allclose(ours.mean, theirs.mean_, rtol=1e-12)
    np.testing.assert_allclose(ours.std, theirs.scale_, rtol=1e-12)


def test_a_large_mean_does_not_cancel():
    values = 1e9 + np.random.default_rng(1).normal(0, 1e-2, (5000, 1))
    assert fit_scaling(np.split(values, 10)).std[0] == pytest.approx(values.std(), rel=1e-4)


def test_squares_beyond_float32_do_not_overflow():
    values = np.full((2, 3), 1e24, dtype=np.float32)
    values[1] = 3e24
    assert fit_scaling([values]).std == pytest.approx([1e24] * 3, rel=1e-6)


def test_standardising_by_hand_and_a_constant_feature():
    values = np.array([[0.0, 0.1], [4.0, 0.1]], dtype=np.float32)
    scaling = fit_scaling([values])
    assert scaling.mean == pytest.approx([2.0, np.float64(np.float32(0.1))])
    assert scaling.std.tolist() == [2.0, 1.0]
    scaled = scaling.standardise([[0.0, np.nan], [4.0, 1.1]])
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [[-1, np.nan], [1, 1]], rtol=1e-6)


def test_a_feature_without_a_value_is_named():
    values = rows()
    values[:, 1] = np.nan
    with pytest.raises(ValueError, match="training rows have no value of flux: "):
        fit_scaling([values], ["time", "flux", "snr", "depth"])
    with pytest.raises(ValueError, match="training split has no values"):
        fit_scaling([])


def test_it_is_stored_and_read():
    scaling = fit_scaling([rows()])
    again = Scaling.from_dict(scaling.to_dict())
    assert again.to_dict() == scaling.to_dict()
    assert (again.mean.dtype, again.samples.dtype) == (np.float64, np.int64)

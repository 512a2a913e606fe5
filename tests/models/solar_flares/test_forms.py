"""Scaling and input forms."""

from __future__ import annotations

import numpy as np
import pytest

from models.solar_flares.forms import (
    DELAY,
    LOOKBACK,
    STEP,
    PublishedWindows,
    compress,
    fit_scaling,
    sequences,
    single_steps,
    standardise,
)
from models.solar_flares.records import PARAMETERS

P = len(PARAMETERS)


def records(count, seed=0):
    values = np.random.default_rng(seed).normal(3.0, 2.0, (count, 60, P)).astype(np.float32)
    values[0, 5, 2] = np.nan
    values[1, :, 4] = np.nan
    return values


@pytest.mark.parametrize("cuts", [[], [1], [3, 4, 9]])
def test_scaling_does_not_depend_on_the_blocks(cuts):
    values = records(12)
    scaling = fit_scaling({"values": part} for part in np.split(values, cuts))
    flat = values.reshape(-1, P).astype(np.float64)
    np.testing.assert_allclose(scaling.mean, np.nanmean(flat, axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.deviation, np.nanstd(flat, axis=0), rtol=1e-12)
    assert scaling.samples[[0, 2, 4]].tolist() == [720, 719, 660]


def test_scaling_by_hand():
    values = np.zeros((2, 60, P), dtype=np.float32)
    values[1, :, 0] = 4.0
    values[:, :, 1] = 0.1
    scaling = fit_scaling([{"values": values}])
    assert scaling.mean[:3] == pytest.approx([2.0, np.float64(np.float32(0.1)), 0.0])
    assert scaling.deviation[:3] == pytest.approx([2.0, 1.0, 1.0])
    scaled = standardise(values, scaling)
    assert scaled.dtype == np.float32
    assert scaled[:, 0, 0].tolist() == [-1.0, 1.0]


def test_sums_over_decades_become_logarithms_and_the_rest_is_standardised():
    values = np.full((2, 60, P), 4.0, dtype=np.float32)
    flux, shear = PARAMETERS.index("USFLUX"), PARAMETERS.index("MEANSHR")
    values[0, :, [flux, shear]] = 1.0
    scaling = fit_scaling([{"values": values}])
    asked = np.array([[25.0, 2.5], [-1.0, 4.0], [np.nan, np.nan]])
    given = np.full((3, P), 1.0)
    given[:, [flux, shear]] = asked
    found = compress(given, scaling)[:, [flux, shear]]
    np.testing.assert_allclose(found, [[1.0, 0.0], [-4.0, 1.0], [np.nan, np.nan]], atol=1e-6)


def test_squares_beyond_float32_are_no_matter():
    values = np.full((2, 60, P), 1e24, dtype=np.float32)
    values[1] = 3e24
    scaling = fit_scaling([{"values": values}])
    assert scaling.deviation[0] == pytest.approx(1e24, rel=1e-6)


def test_scaling_without_a_single_value_is_refused():
    values = records(3)
    values[:, :, 23] = np.nan
    with pytest.raises(ValueError, match="training records have no value of R_VALUE: "):
        fit_scaling([{"values": values}])


def test_single_steps_drop_those_that_lack_a_value():
    values = records(3)
    steps = single_steps(
        {
            "values": values,
            "label": np.array([0, 1, 1], np.int8),
            "region": np.array(["a", "b", "c"]),
        }
    )
    assert steps["values"].shape == (59 + 0 + 60, 1, P)
    assert np.array_equal(steps["values"][5, 0], values[0, 6])
    assert np.array_equal(steps["values"][59, 0], values[2, 0])
    assert steps["label"].tolist() == [0] * 59 + [1] * 60
    assert set(steps["region"]) == {"a", "c"}


def test_gaps_take_the_value_before_or_the_first_after():
    values = np.tile(np.arange(60, dtype=np.float32)[:, None], (1, 1, P)).reshape(1, 60, P)
    values[0, [0, 1, 10, 11, 59], 0] = np.nan
    values[0, :, 1] = np.nan
    whole = sequences({"values": values, "label": np.zeros(1, np.int8)})
    assert whole["values"][0, [0, 1, 2, 9, 10, 11, 12, 58, 59], 0].tolist() == [
        2, 2, 2, 9, 9, 9, 12, 58, 58,
    ]  # fmt: skip
    assert np.all(whole["values"][0, :, 1] == 0.0)
    assert np.array_equal(whole["values"][0, :, 2], values[0, :, 2])
    assert whole["label"].tolist() == [0]
    assert np.isnan(values[0, 0, 0]), "the input is left as it was"


def numbered_steps(count):
    steps = np.zeros((count, 1, P), dtype=np.float32)
    steps[:, 0, 0] = np.arange(count)
    return steps, (np.arange(count) % 7 == 0).astype(np.int8)


def test_windows_are_those_of_the_study():
    steps, labels = numbered_steps(1000)
    windows = PublishedWindows(steps, labels)
    assert windows.shape == (100, 100, 26)
    window = windows[40:41][0]
    assert window[:, 0].tolist() == list(range(40, 640, 6))
    assert window[:, 25].tolist() == [labels[row] for row in range(40, 640, 6)]
    assert windows.targets[40] == labels[40 + LOOKBACK + DELAY]
    assert len(windows) == len(windows.targets) == 100


def test_windows_can_be_asked_for_in_any_order():
    windows = PublishedWindows(*numbered_steps(1000))
    whole = windows[:]
    asked = np.array([99, 3, 3, 50])
    assert np.array_equal(windows[asked], whole[asked])
    assert np.array_equal(windows[90:200], whole[90:])
    assert windows[5:5].shape == (0, LOOKBACK // STEP, 26)


def test_too_few_steps_for_a_window_are_refused():
    with pytest.raises(ValueError, match="more than 900 time steps, but there are 900"):
        PublishedWindows(*numbered_steps(900))

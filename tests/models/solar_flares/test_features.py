"""Scaling and input forms."""

from __future__ import annotations

import numpy as np
import pytest

from models.scaling import fit_scaling
from models.solar_flares.features import (
    DELAY,
    LOOKBACK,
    STATISTICS,
    STEP,
    PublishedWindows,
    compress,
    sequences,
    single_steps,
    statistic_names,
    window_statistics,
)
from models.solar_flares.records import PARAMETERS

P = len(PARAMETERS)


def records(count, seed=0):
    values = np.random.default_rng(seed).normal(3.0, 2.0, (count, 60, P)).astype(np.float32)
    values[0, 5, 2] = np.nan
    values[1, :, 4] = np.nan
    return values


def test_sums_over_decades_become_logarithms_and_the_rest_is_standardised():
    values = np.full((2, 60, P), 4.0, dtype=np.float32)
    flux, shear = PARAMETERS.index("USFLUX"), PARAMETERS.index("MEANSHR")
    values[0, :, [flux, shear]] = 1.0
    scaling = fit_scaling([values.reshape(-1, P)], PARAMETERS)
    asked = np.array([[25.0, 2.5], [-1.0, 4.0], [np.nan, np.nan]])
    given = np.full((3, P), 1.0)
    given[:, [flux, shear]] = asked
    compressed = compress(given, scaling)[:, [flux, shear]]
    np.testing.assert_allclose(compressed, [[1.0, 0.0], [-4.0, 1.0], [np.nan, np.nan]], atol=1e-6)


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


def one(series):
    values = np.zeros((1, 60, 25), dtype=np.float32)
    values[0, :, 1] = series
    statistics = window_statistics({"values": values})
    return dict(zip(statistic_names(), statistics[0].tolist(), strict=True))


def test_statistics_of_a_line():
    statistics = one(np.arange(60.0))
    assert statistics["TOTBSQ mean"] == pytest.approx(29.5)
    assert statistics["TOTBSQ std"] == pytest.approx(np.std(np.arange(60.0)))
    assert statistics["TOTBSQ slope"] == pytest.approx(59.0, rel=1e-5)
    assert statistics["TOTBSQ last"] == pytest.approx(57.0)
    assert statistics["TOTBSQ change"] == pytest.approx(55.0)
    assert (statistics["TOTBSQ least"], statistics["TOTBSQ greatest"]) == (0.0, 59.0)
    assert statistics["TOTBSQ roughness"] == pytest.approx(0.0)
    assert statistics["TOTUSJH mean"] == 0.0
    assert len(statistics) == 25 * len(STATISTICS)


def test_missing_samples_are_left_out():
    series = np.arange(60.0)
    series[[0, 30, 59]] = np.nan
    statistics = one(series)
    assert statistics["TOTBSQ slope"] == pytest.approx(59.0, rel=1e-5)
    assert statistics["TOTBSQ greatest"] == 58.0
    assert statistics["TOTBSQ last"] == pytest.approx(56.5)


def test_a_parameter_without_samples_has_no_statistics():
    statistics = one(np.full(60, np.nan))
    assert all(np.isnan(statistics[f"TOTBSQ {name}"]) for name in STATISTICS)

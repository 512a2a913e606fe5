"""Folding and views: bins computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.transit_search.views import (
    LOCAL_BINS,
    _bin_medians,
    global_view,
    local_view,
    phase_fold_and_sort_light_curve,
)


def test_folding_puts_the_transit_at_zero_and_half_a_period_at_the_start():
    time = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    phase, flux = phase_fold_and_sort_light_curve(time, np.arange(6.0), 4.0, 1.0)
    np.testing.assert_array_equal(phase, [-2, -1, -1, 0, 0, 1])
    np.testing.assert_array_equal(flux, [3, 0, 4, 1, 5, 2])


def test_bins_hold_their_left_edge_and_not_their_right():
    phase = np.array([0.0, 0.5, 1.0, 1.0, 2.0, 2.5])
    flux = np.array([1.0, 3.0, 10.0, 20.0, 5.0, 7.0])
    left, right = np.array([0.0, 0.5, 1.0, 3.0]), np.array([1.0, 2.0, 2.5, 4.0])
    # [0, 1): 1 3; [0.5, 2): 3 10 20; [1, 2.5): 10 20 5; [3, 4): nothing.
    np.testing.assert_array_equal(_bin_medians(phase, flux, left, right), [2, 10, 10, np.nan])


def test_a_global_view_is_shifted_and_scaled_and_bridges_empty_bins():
    phase = np.array([-2.0, -1.5, -0.9, -0.1, 0.1, 1.9])
    flux = np.array([4.0, 6.0, 4.0, 1.0, 3.0, 6.0])
    # Bins of one day: 5, 4 and 1 (median 2.5), 3, 6, without the last but one: [-1, 0) has two.
    view = global_view(phase, flux, 4.0, bins=4)
    by_hand = np.array([5.0, 2.5, 3.0, 6.0])
    by_hand -= 4.0
    np.testing.assert_allclose(view, by_hand / 1.5)
    view = global_view(phase[[0, 1, 5]], flux[[0, 1, 5]] - 5, 4.0, bins=4)
    # 0, between, between, 1: thirds, about their median of 1 / 2.
    np.testing.assert_allclose(view, np.array([-1.0, -1 / 3, 1 / 3, 1.0]), atol=1e-6)


def test_a_local_view_reaches_four_durations_or_half_a_period():
    phase = np.linspace(-5, 5, 100_001)[:-1]
    flux = np.where(np.abs(phase) < 0.5, -2.0, 0.0)
    view = local_view(phase, flux, 10.0, 1.0)
    assert view.shape == (LOCAL_BINS,)
    assert view.dtype == np.float32
    # Bins of 0.16 begin every (8 - 0.16) / 60 from -4: those whose middle lies in the transit.
    middles = -4 + 0.08 + np.arange(61) * (8 - 0.16) / 60
    np.testing.assert_array_equal(view, np.where(np.abs(middles) < 0.5, -1, 0))
    short = local_view(phase[40_000:60_000], flux[40_000:60_000], 2.0, 1.0)
    assert np.sum(short == short.min()) == pytest.approx(LOCAL_BINS / 2, abs=4)


def test_views_of_nothing_are_zero_and_not_undefined():
    np.testing.assert_array_equal(global_view(np.array([]), np.array([]), 3.0), np.zeros(201))
    phase = np.linspace(-1.5, 1.49, 500)
    np.testing.assert_array_equal(global_view(phase, np.full(500, 7.0), 3.0), np.zeros(201))

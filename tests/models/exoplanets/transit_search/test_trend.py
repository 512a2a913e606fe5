"""Trends: what they follow, and what they leave."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.transit_search.boxes import CADENCE_DAYS
from models.exoplanets.transit_search.trend import best_window, noise_of, segments, trend_of

TIME = np.arange(0, 60, CADENCE_DAYS)
NOISE = 1e-4 * np.random.default_rng(0).normal(size=len(TIME))


def dip(middle, duration, depth):
    return -depth * (np.abs(TIME - middle) < duration / 2)


def test_slow_drift_goes_and_transits_stay():
    drift = 5e-3 * np.sin(TIME / 5) + 1e-3 * TIME
    flux = drift + dip(20, 0.3, 2e-3) + NOISE
    flat = flux - trend_of(flux, 1.5)
    inside = np.abs(TIME - 20) < 0.14
    assert flat[inside].mean() == pytest.approx(-2e-3, rel=0.05)
    assert noise_of(flat) == pytest.approx(1e-4, rel=0.1)


def test_the_ends_of_a_slope_have_no_bias():
    flux = 0.01 * TIME + NOISE
    flat = flux - trend_of(flux, 1.0)
    assert abs(flat[:20].mean()) < 1e-4
    assert abs(flat[-20:].mean()) < 1e-4


def test_a_trend_goes_on_below_what_is_hidden():
    flux = 5e-3 * np.sin(TIME / 5) + dip(20, 0.8, 2e-3) + NOISE
    hidden = np.abs(TIME - 20) < 0.45
    flat = flux - trend_of(flux, 1.0, hidden)
    assert flat[np.abs(TIME - 20) < 0.35].mean() == pytest.approx(-2e-3, rel=0.1)


def test_each_side_of_a_long_gap_has_a_trend_of_its_own():
    flux = np.where(TIME < 30, 0.0, 0.05) + NOISE
    flux[(TIME > 29) & (TIME < 31)] = np.nan
    assert len(segments(np.isfinite(flux))) == 2
    flat = flux - trend_of(flux, 2.0)
    assert np.nanmax(np.abs(flat)) < 1e-3
    assert np.isnan(trend_of(flux, 2.0)[np.isnan(flux)]).all()


def test_the_window_is_long_for_a_quiet_star_and_short_for_a_spotted_one():
    assert best_window(NOISE) > best_window(0.01 * np.sin(2 * np.pi * TIME / 2.5) + NOISE)


def test_a_steep_slope_without_noise_is_not_followed_cadence_by_cadence():
    flux = 0.05 * np.sin(TIME) + 0.1 * NOISE
    flat = flux - trend_of(flux, 0.7)
    assert noise_of(flat) > 0.5e-5


def test_nothing_known_has_no_segment_and_no_noise():
    assert segments(np.zeros(5, bool)) == []
    assert noise_of(np.full(5, np.nan)) == 0.0

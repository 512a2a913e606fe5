"""Detrending keeps what is quick; noise is robust."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.transit_search.boxes import CADENCE_DAYS
from models.exoplanets.transit_search.detrending import detrend, noise

TIME = np.arange(3197) * CADENCE_DAYS


def box(time, period, epoch, duration, depth=1.0):
    phase = (time - epoch + period / 2) % period - period / 2
    return -depth * (np.abs(phase) < duration / 2)


def white(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def test_detrending_keeps_dips_and_flares_and_takes_what_is_slow():
    spots = 50 * np.sin(2 * np.pi * TIME / 15.0)
    transits = box(TIME, 6.0, 2.0, 0.2, 20.0)
    flare = np.where(np.arange(3197) == 1000, 30.0, 0.0)
    noisy = white(3197, 0)
    flat = detrend((1e4 + spots + transits + flare + noisy)[None])[0]
    assert np.mean(flat[transits < 0]) == pytest.approx(-20, abs=1)
    assert flat[1000] == pytest.approx(30, abs=3)
    quiet = (transits == 0) & (flare == 0)
    assert np.std(flat[quiet]) == pytest.approx(1.0, rel=0.1)


def test_detrending_bridges_what_is_not_finite_and_leaves_it():
    flux = np.stack([np.linspace(0, 10, 300), np.full(300, np.nan), np.full(300, 3.0)])
    flux[0, [5, 100, 299]] = np.nan
    flat = detrend(flux)
    np.testing.assert_array_equal(np.isnan(flat), np.isnan(flux))
    np.testing.assert_allclose(flat[0][np.isfinite(flat[0])], 0, atol=0.2)
    np.testing.assert_allclose(flat[2], 0, atol=1e-12)


def test_noise_is_robust_and_falls_back_where_a_median_sees_nothing():
    flux = 3 * white((1, 20_000), 0)
    flux[0, :1000] -= 100
    assert noise(flux)[0] == pytest.approx(3.2, rel=0.05)
    mostly_flat = np.zeros((1, 100))
    mostly_flat[0, 0] = 10
    np.testing.assert_allclose(noise(mostly_flat), np.std(mostly_flat))
    np.testing.assert_array_equal(noise(np.array([[2.0, -2.0], [np.nan, np.nan]])), [2.9652, 0])

"""The fast folding algorithm against plain folding, and the periodogram that it makes."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.transit_search.boxes import CADENCE_DAYS
from models.exoplanets.transit_search.folding import box_sums, fold_all, fold_periodogram


def curve(days, period, epoch, duration, depth, seed=0, gaps=0.1):
    rng = np.random.default_rng(seed)
    time = np.arange(0, days, CADENCE_DAYS)
    phase = (time - epoch + period / 2) % period - period / 2
    flux = rng.normal(size=len(time)) - depth * (np.abs(phase) < duration / 2)
    return np.where(rng.random(len(time)) < gaps, np.nan, flux)


@pytest.mark.parametrize(("length", "base"), [(1000, 37), (800, 200), (100, 60), (3000, 24)])
def test_the_first_row_is_the_fold_at_the_base_period(length, base):
    values = np.random.default_rng(1).normal(size=length).astype(np.complex64)
    folded, offset = fold_all(values, base)
    plain = np.zeros(base, np.complex128)
    np.add.at(plain, np.arange(length) % base, values)
    assert offset[0] == 0
    assert np.all(np.diff(offset) > 0)
    assert offset[-1] < 1
    np.testing.assert_allclose(folded[0], plain, atol=1e-4)


@pytest.mark.parametrize(("length", "period"), [(4000, 37.3), (3000, 211.6), (40000, 24.13)])
def test_spikes_at_a_fractional_period_add_up_at_it(length, period):
    spikes = np.zeros(length, np.complex64)
    spikes[np.round(np.arange(5, length - 1, period)).astype(int)] = 1
    folded, offset = fold_all(spikes, int(period))
    row = np.abs(folded).max(axis=1).argmax()
    assert int(period) + offset[row] == pytest.approx(period, abs=2 * period / length)
    # Neighbouring trials differ by up to two steps at the end, and a spike is one step wide.
    assert np.abs(folded).max() > 0.5 * spikes.real.sum()


@pytest.mark.parametrize("period", [1.7, 6.6, 23.0])
def test_the_periodogram_peaks_at_the_period_of_a_transit(period):
    periodogram = fold_periodogram(curve(80.0, period, 1.0, 0.2, 3.0), 0.5, 40.0)
    at = int(np.argmax(periodogram.snr))
    assert periodogram.period[at] == pytest.approx(period, rel=0.02)
    assert periodogram.epoch[at] % period == pytest.approx(1.0, abs=0.15)
    assert periodogram.snr[at] > 10
    assert np.all(np.diff(periodogram.period) >= 0)


def test_noise_has_no_high_peak():
    noise = np.random.default_rng(3).normal(size=3000)
    assert fold_periodogram(noise, 0.5, 30.0).snr.max() < 6


def test_red_noise_lowers_the_signal_to_noise():
    rng = np.random.default_rng(4)
    slow = np.repeat(rng.normal(size=500), 8)
    flux = rng.normal(size=4000) + slow
    known = np.ones(4000, bool)
    assert box_sums(flux, known, 8, 1)[1] > 2
    assert box_sums(rng.normal(size=4000), known, 8, 1)[1] < 1.1

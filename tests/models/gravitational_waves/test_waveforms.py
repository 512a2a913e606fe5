"""Chirps sweep as general relativity says, noise has its spectrum, glitches are theirs."""

from __future__ import annotations

import numpy as np
import pytest

from models.gravitational_waves.waveforms import (
    GLITCHES,
    SOLAR_MASS,
    chirp,
    coloured_noise,
    signal_to_noise,
    strain_psd,
    whiten,
)

RATE, SAMPLES = 8192, 16384


def seconds():
    return np.arange(SAMPLES) / RATE - 1


def frequencies(series, time):
    """Frequency between zero crossings, and when."""
    at = time[np.flatnonzero(np.diff(np.sign(series)))]
    return (at[1:] + at[:-1]) / 2, 0.5 / np.diff(at)


@pytest.mark.parametrize(("mass_1", "mass_2"), [(7.0, 7.0), (30.0, 30.0), (60.0, 20.0)])
def test_the_frequency_sweeps_up_to_the_ringing(mass_1, mass_2):
    series = chirp(seconds(), mass_1, mass_2)
    when, found = frequencies(series, seconds())
    # Newtonian: f = (5 / 256 t)^(3/8) (G Mc / c^3)^(-5/8) / pi; half a second before the merger
    # higher orders change it by a tenth.
    mass = (mass_1 * mass_2) ** 0.6 / (mass_1 + mass_2) ** 0.2 * SOLAR_MASS
    newtonian = (5 / (256 * 0.5)) ** 0.375 * mass**-0.625 / np.pi
    early = found[np.abs(when + 0.5) < 0.05].mean()
    assert early == pytest.approx(newtonian, rel=0.12)
    smooth = np.interp([-0.4, -0.2, -0.1, -0.05, -0.02], when, found)
    assert (np.diff(smooth) > 0).all()


def test_equal_masses_ring_at_their_known_frequency_and_fall_silent():
    # A remnant of spin 0.62 rings at 0.083 / M: 267 Hz at 63 solar masses.
    time = seconds()
    series = chirp(time, 31.5, 31.5)
    when, found = frequencies(series, time)
    ringing = found[(when > 0.002) & (when < 0.012)].mean()
    assert ringing == pytest.approx(0.0803 / (63 * SOLAR_MASS), rel=0.06)
    assert np.abs(series[time > 0.1]).max() < 1e-6 * np.abs(series).max()
    assert abs(time[np.abs(series).argmax()]) < 0.003


def test_heavier_is_shorter():
    time = seconds()
    light, heavy = (whiten(chirp(time, m, m), RATE) for m in (8, 50))

    def spread(series):
        weight = series**2 / (series**2).sum()
        return np.sqrt((weight * (time - (weight * time).sum()) ** 2).sum())

    assert spread(light) > 1.5 * spread(heavy)


def test_the_noise_curve_is_the_published_one():
    # x = 1: 1e-49 (1 - 5 + 111 (1 - 1 + 1/2) / (1 + 1/2)) = 33e-49.
    assert strain_psd(np.array([215.0]))[0] == pytest.approx(33e-49)
    assert strain_psd(np.array([1.0]))[0] == strain_psd(np.array([10.0]))[0]


def test_noise_has_the_curve_and_is_white_when_whitened():
    generator = np.random.default_rng(0)
    noise = np.stack([coloured_noise(generator, SAMPLES, RATE) for _ in range(20)])
    density = 2 / (RATE * SAMPLES) * (np.abs(np.fft.rfft(noise)) ** 2).mean(0)
    frequency = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    for low, high in ((20, 40), (100, 300), (1000, 2000)):
        band = (frequency >= low) & (frequency < high)
        assert (density[band] / strain_psd(frequency[band])).mean() == pytest.approx(1, abs=0.1)
    white = np.stack([whiten(one, RATE) for one in noise])
    assert white.var() == pytest.approx(1, abs=0.01)
    assert np.abs((white[:, 1:] * white[:, :-1]).mean()) < 0.01


def test_the_snr_is_the_matched_filters():
    # 4 sum |h(f)|^2 / S(f) df over the positive frequencies.
    strain = 1e-21 * chirp(seconds(), 20, 30)
    spectrum = np.fft.rfft(strain) / RATE
    frequency = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    squared = 4 * (np.abs(spectrum) ** 2 / strain_psd(frequency)).sum() * RATE / SAMPLES
    assert signal_to_noise(whiten(strain, RATE)) == pytest.approx(np.sqrt(squared), rel=1e-6)


def test_a_matched_filter_recovers_an_injection_in_noise():
    generator = np.random.default_rng(8)
    template = whiten(chirp(seconds(), 25, 35), RATE)
    template /= signal_to_noise(template)
    data = whiten(coloured_noise(generator, SAMPLES, RATE), RATE) + 12 * np.roll(template, 500)
    filtered = np.fft.irfft(np.fft.rfft(data) * np.conj(np.fft.rfft(template)), SAMPLES)
    assert abs(int(filtered.argmax()) - 500) <= 1
    assert filtered.max() == pytest.approx(12, abs=3)


@pytest.mark.parametrize("label", GLITCHES)
def test_glitches_vary_and_end(label):
    draw, time = GLITCHES[label], seconds()
    one, same, other = (draw(np.random.default_rng(seed), time) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
    assert np.isfinite(one).all()
    middle = np.abs(time) < 0.6
    assert (one[middle] ** 2).sum() > 0.5 * (one**2).sum() > 0


def peak_frequency(series):
    return np.fft.rfftfreq(SAMPLES, 1 / RATE)[np.abs(np.fft.rfft(series)).argmax()]


def test_families_lie_in_their_bands():
    bands = {"Power_Line": (59, 61), "Low_Frequency_Burst": (8, 30), "Violin_Mode": (490, 1550)}
    for label, (low, high) in bands.items():
        for seed in range(5):
            found = peak_frequency(GLITCHES[label](np.random.default_rng(seed), seconds()))
            assert low <= found <= high, label

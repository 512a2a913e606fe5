"""The constant-Q transform: gwpy's values, the definition, and what it finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.gravitational_waves.constant_q import ConstantQ

RATE, SAMPLES = 8192, 16384


@pytest.fixture(scope="module")
def transform() -> ConstantQ:
    return ConstantQ(RATE, SAMPLES)


def seconds() -> np.ndarray:
    return np.arange(SAMPLES) / RATE - 1


def wave(frequency, width, at=0.0):
    time = seconds() - at
    return np.exp(-((time / width) ** 2)) * np.cos(2 * np.pi * frequency * time)


def test_energies_are_gwpys_to_a_hundred_thousandth(transform):
    # Made by gwpy 4.1.0 from these series: q_transform(qrange=(4, 64), frange=(10, 2048), gps=1,
    # search=0.5, tres=0.5 / 170, fres=140, logf=True, outseg=(0.75, 1.25), whiten=False), turned
    # upside down; every 6th row, every 8th column.
    stored = np.load(Path(__file__).with_name("gwpy_q_transform.npz"))
    time = seconds()
    series = np.random.default_rng(20).standard_normal((3, SAMPLES))
    series[0] += 20 * wave(150, 0.004)
    series[1] += np.exp(-((time / 0.1) ** 2)) * np.cos(2 * np.pi * (800 * time + 900 * time**3))
    energy, q = transform(series)
    np.testing.assert_allclose(q, stored["q"])
    assert len(set(q)) > 1  # the search for the loudest plane had something to decide
    for ours, theirs in zip(energy[:, ::6, ::8], stored["energy"], strict=True):
        assert np.abs(ours - theirs).max() < 1e-5 * theirs.max()


def test_a_row_of_tiles_is_the_definition(transform):
    # Energy of the tile at time t: |sum over bins of X[k] w[k] exp(2 pi i k t)|^2, over the median.
    series = np.random.default_rng(3).standard_normal(SAMPLES).astype(np.float32)
    plane = transform._planes[0]
    group = plane.groups[2]
    first, window = group.windows[1]
    spectrum = np.fft.rfft(series)
    bins = np.arange(first, first + window.size)
    times = np.arange(group.tiles) * (SAMPLES / RATE) / group.tiles
    phases = np.exp(2j * np.pi * np.outer(times, bins) / (SAMPLES / RATE))
    energy = np.abs(phases @ (spectrum[bins] * window)) ** 2
    expected = (energy / np.median(energy))[group.kept]
    energies = group.energies(spectrum.astype(np.complex64), over_median=True)[1]
    np.testing.assert_allclose(energies, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("frequency", "at"), [(60.0, 0.1), (300.0, -0.15), (1200.0, 0.0)])
def test_a_wave_is_found_where_it_is(transform, frequency, at):
    noise = np.random.default_rng(1).standard_normal(SAMPLES)
    energy, q = transform((noise + 4 * wave(frequency, 12 / frequency, at))[None])
    row, column = np.unravel_index(energy[0].argmax(), energy[0].shape)
    assert transform.frequencies[row] == pytest.approx(frequency, rel=0.1)
    assert transform.times[column] - 1 == pytest.approx(at, abs=3 / frequency + 0.003)
    assert energy[0].max() > 25
    assert q[0] > transform.qs[0]  # a dozen cycles: no low Q


def test_the_lowest_q_shows_a_pulse_and_the_highest_a_line(transform):
    noise = np.random.default_rng(2).standard_normal((2, SAMPLES))
    noise += [20 * wave(200, 0.002), wave(200, 0.4)]
    assert transform(noise)[1].tolist() == [transform.qs[0], transform.qs[-1]]


def test_noise_has_a_median_of_1_and_a_mean_of_1_over_its_own_level(transform):
    noise = np.random.default_rng(4).standard_normal((6, SAMPLES))
    assert np.median(transform(noise)[0]) == pytest.approx(1, abs=0.15)
    assert transform(noise, over_median=False)[0].mean() == pytest.approx(1, abs=0.1)
    scaled, _ = transform(1e-21 * noise[:1])
    np.testing.assert_allclose(scaled, transform(noise[:1])[0], atol=1e-3)


def test_the_loudest_tile_of_a_wave_holds_half_its_squared_snr(transform):
    # Chatterji et al. 2004: normalised energy of a matching tile is 1 + SNR^2 / 2 (real and
    # imaginary part together have a mean of 1).
    shape = wave(300, 0.01)
    series = shape * (20 / np.linalg.norm(shape))
    energy, _ = transform(series[None], over_median=False)
    assert 0.75 * 200 < energy.max() <= 1.05 * 200


def test_a_picture_does_not_depend_on_its_neighbours(transform):
    series = np.random.default_rng(5).standard_normal((3, SAMPLES))
    together, _ = transform(series)
    np.testing.assert_array_equal(together[1:2], transform(series[1:2])[0])


def test_zeros_give_zeros(transform):
    assert not transform(np.zeros((1, SAMPLES)))[0].any()


def test_what_cannot_be_shown_is_refused(transform):
    with pytest.raises(ValueError, match="4096 Hz doesn't reach 2048 Hz"):
        ConstantQ(4096, 8192)
    with pytest.raises(ValueError, match=r"1 s of data don't fill a picture of 2 s"):
        ConstantQ(8192, 8192, duration=2)
    with pytest.raises(ValueError, match=r"shape \(n, 16384\), not \(16384,\)"):
        transform(np.zeros(SAMPLES))
    with pytest.raises(ValueError, match="NaN or inf"):
        transform(np.full((1, SAMPLES), np.nan))

"""Scaling, channels and spectra: values computed by hand, and rows that don't touch each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.exoplanets.transforms import (
    BINS,
    CADENCES,
    cnn_channels,
    running_mean,
    spectrum,
    standardise,
)


@pytest.fixture
def curves() -> np.ndarray:
    rng = np.random.default_rng(1)
    return (rng.normal(size=(5, CADENCES)) * 10.0 ** np.arange(5)[:, None]).astype(np.float32)


def test_standardise_gives_the_values_computed_by_hand():
    scaled = standardise(np.array([[1.0, 2.0, 3.0], [10.0, 10.0, 40.0]]))
    np.testing.assert_allclose(
        scaled,
        [[-np.sqrt(1.5), 0, np.sqrt(1.5)], [-np.sqrt(0.5), -np.sqrt(0.5), np.sqrt(2)]],
        rtol=1e-6,
    )
    assert scaled.dtype == np.float32


@pytest.mark.parametrize("value", [0.0, 7.25, -1e6, 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_curve_becomes_zeros(value, dtype):
    np.testing.assert_array_equal(standardise(np.full((2, 3197), value, dtype)), 0)


def test_a_faint_signal_on_a_bright_star_survives():
    faint = 1e6 + np.where(np.arange(64) % 2, 0.5, -0.5)[None]
    np.testing.assert_allclose(standardise(faint), np.where(np.arange(64) % 2, 1, -1)[None])


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(1e-3, 1e6), offset=st.floats(-1e3, 1e3), seed=st.integers(0, 99))
def test_standardise_forgets_scale_and_offset(scale, offset, seed):
    flux = np.random.default_rng(seed).normal(size=(2, 50))
    np.testing.assert_allclose(
        standardise(flux * scale + offset * scale), standardise(flux), atol=1e-4
    )


def test_the_running_mean_is_taken_along_time_with_mirrored_ends():
    flux = np.array([[0.0, 4.0, 8.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    # Four wide: two back, the point itself, one forward; before the first comes the first again.
    by_hand = [(4 + 0 + 0 + 4) / 4, (0 + 0 + 4 + 8) / 4, (0 + 4 + 8 + 0) / 4, (4 + 8) / 4, 8 / 4]
    np.testing.assert_allclose(running_mean(flux, 4), [by_hand, [1] * 5])


def test_channels_are_the_standardised_curve_and_its_running_mean(curves):
    channels = cnn_channels(curves)
    assert channels.shape == (5, CADENCES, 2)
    assert channels.dtype == np.float32
    np.testing.assert_array_equal(channels[..., 0], standardise(curves))
    np.testing.assert_allclose(
        channels[2, 1500, 1], channels[2, 1400:1600, 0].mean(dtype=float), atol=1e-6
    )


def test_a_sine_stands_in_its_own_bin_with_half_its_amplitude_times_the_points():
    time = np.arange(CADENCES) / CADENCES
    magnitude = spectrum(3 * np.sin(2 * np.pi * 25 * time)[None])
    assert magnitude.shape == (1, BINS, 1)
    assert magnitude.dtype == np.float32
    assert magnitude[0, 25, 0] == pytest.approx(3 * CADENCES / 2, rel=1e-4)
    assert np.delete(magnitude[0, :, 0], 25).max() < 0.1


def test_the_spectrum_is_the_first_half_of_the_full_complex_transform(curves):
    full = np.fft.fft(curves, axis=1)[:, :BINS]
    tolerance = 1e-5 * np.abs(full).max(axis=1, keepdims=True)
    assert np.all(np.abs(spectrum(curves)[..., 0] - np.abs(full)) < tolerance)


@pytest.mark.parametrize("transform", [standardise, running_mean, cnn_channels, spectrum])
def test_a_row_has_the_same_result_in_any_block(transform, curves):
    whole = transform(curves)
    np.testing.assert_array_equal(
        whole, np.concatenate([transform(curves[:2]), transform(curves[2:])])
    )


def test_a_single_curve_without_its_axis_is_refused():
    with pytest.raises(ValueError, match=r"shape \(stars, cadences\), got shape \(3197,\)"):
        standardise(np.zeros(3197))

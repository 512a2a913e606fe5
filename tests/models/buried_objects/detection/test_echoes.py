"""Echoes on hyperbolas, and depths worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects.detection.echoes import depth_of, first_strong, summed, velocity_of
from models.buried_objects.scans import SPACING, SPEED
from models.buried_objects.simulation import ricker
from tests.models.buried_objects.detection.radar_files import STEP

TIME = np.arange(503) * STEP
DIRECT = 4e-9
FREQUENCY = 500e6


def hyperbola(apex: int, delay: float, velocity: float, size: float = 1.0) -> np.ndarray:
    """Traces with an echo that passes ``delay`` after the direct wave at its apex."""
    aside = SPACING * (np.arange(100) - apex)
    late = DIRECT + np.sqrt(delay**2 + (2 * aside / velocity) ** 2)
    peak = 2**0.5 / FREQUENCY  # where a Ricker wavelet begun at 0 has its peak
    wave = size * ricker(TIME - late[:, None] + peak, FREQUENCY)
    return wave.astype(np.float32)


def test_the_sum_is_strongest_at_the_apex_of_the_hyperbola() -> None:
    velocity = velocity_of(6)
    noise = np.random.default_rng(0).normal(0, 0.3, (100, 503)).astype(np.float32)
    power, after = summed(noise + hyperbola(40, 17e-9, velocity), velocity, DIRECT, FREQUENCY)
    trace, sample = np.unravel_index(power.argmax(), power.shape)
    assert trace == 40
    assert after[sample] == pytest.approx(17e-9, abs=STEP)
    delay, strength = first_strong(power, after, FREQUENCY)
    assert delay[40] == pytest.approx(17e-9, abs=STEP)
    assert strength.argmax() == 40


def test_the_first_strong_echo_is_the_top_and_a_weak_one_before_it_is_not() -> None:
    velocity = velocity_of(6)
    three = ((10e-9, 0.2), (20e-9, 0.5), (30e-9, 1.0))  # 0.2 is 0.04 of the power
    scan = sum(hyperbola(50, delay, velocity, size) for delay, size in three)
    power, after = summed(np.asarray(scan), velocity, DIRECT, FREQUENCY)
    assert first_strong(power, after, FREQUENCY)[0][50] == pytest.approx(20e-9, abs=STEP)


def test_nothing_is_looked_for_within_the_direct_wave() -> None:
    velocity = velocity_of(6)
    power, after = summed(hyperbola(50, 1e-9, velocity, 100), velocity, DIRECT, FREQUENCY)
    assert power[:, after < 1 / FREQUENCY].max() == 0


def test_a_finer_grid_gives_the_same() -> None:
    velocity = velocity_of(6)
    coarse = hyperbola(50, 17e-9, velocity)
    fine = np.repeat(coarse, 20, axis=1)[:, :10_057]
    power, after = summed(fine, velocity, DIRECT, FREQUENCY)
    assert power.shape == (100, 503)
    assert first_strong(power, after, FREQUENCY)[0][50] == pytest.approx(17e-9, abs=STEP)


def test_depth_is_half_the_way_with_the_velocity_in_the_ground() -> None:
    depth = depth_of(20e-9, 500e6, 9.0, 0.0)
    velocity = SPEED / 3
    assert depth.velocity == velocity
    assert depth.delay == 20e-9
    assert depth.depth == pytest.approx(velocity * 10e-9)
    # A tenth of the velocity, and a quarter of a period, either way.
    assert depth.low == pytest.approx(0.9 * velocity * 9.75e-9)
    assert depth.high == pytest.approx(1.1 * velocity * 10.25e-9)


def test_antennas_apart_see_the_object_along_two_legs() -> None:
    """Antennas 0.8 m apart and legs of 0.5 m: the object is 0.3 m down."""
    velocity = velocity_of(None)
    delay = 1.0 / velocity
    depth = depth_of(delay - 0.8 / SPEED, 100e6, None, 0.8)
    assert depth.delay == pytest.approx(delay)
    assert depth.depth == pytest.approx(0.3)
    assert depth.low == 0  # a quarter of the velocity off, the legs are too short


def test_without_a_stated_permittivity_the_velocity_is_less_sure() -> None:
    stated, unstated = (depth_of(20e-9, 500e6, one, None) for one in (6.0, None))
    assert stated.depth == unstated.depth
    assert unstated.high - unstated.low > 2 * (stated.high - stated.low)

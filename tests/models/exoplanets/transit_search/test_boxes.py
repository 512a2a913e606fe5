"""Box least squares: agreement with astropy, values by hand, injections recovered."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.exoplanets.transit_search.boxes import (
    CADENCE_DAYS,
    _addition_chain,
    _long_periodogram,
    box_least_squares,
    expected_duration,
    find_boxes,
    fit_box,
    search_bands,
)

TIME = np.arange(3197) * CADENCE_DAYS


def box(time, period, epoch, duration, depth=1.0):
    phase = (time - epoch + period / 2) % period - period / 2
    return -depth * (np.abs(phase) < duration / 2)


def white(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def theirs_wraps(theirs, period, start):
    at = np.argmin(np.abs(theirs.period - period))
    phase = theirs.transit_time[at] - start
    return min(phase, period - phase) < 0.3


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(1, 60), min_size=1, max_size=8))
def test_every_box_is_the_sum_of_two_that_were_made_before(widths):
    made = {1}
    for width, shorter in _addition_chain(widths):
        assert {shorter, width - shorter} <= made
        made.add(width)
    assert widths <= made


@pytest.mark.parametrize("gaps", [False, True])
def test_the_periodogram_is_astropys_depth_over_error_at_every_period(gaps):
    from astropy.timeseries import BoxLeastSquares

    time = TIME[:1500]
    if gaps:
        time = np.delete(time, slice(600, 750)) + 0.002 * np.sin(np.arange(1350))
    flux = white((3, len(time)), 0) + np.stack(
        [box(time, 2.3, 1.1, 0.15), box(time, 7.7, 3.0, 0.3, 0.8), 0 * time]
    )
    periods, durations = np.linspace(1, 10, 400), np.array([0.1, 0.2, 0.3])
    ours = box_least_squares(time, flux, periods, durations, oversample=5)
    for row, power in zip(flux, ours, strict=True):
        theirs = BoxLeastSquares(time, row, dy=1.0).power(
            periods, durations, objective="snr", oversample=5
        )
        # They try fewer of the boxes that reach over the end of the period.
        same = np.isclose(power, theirs.depth_snr, rtol=2e-4)
        for period in periods[~same]:
            ends = fit_box(time, row, period, durations, oversample=5).epoch - time[0]
            assert min(ends, period - ends) < 0.3 or theirs_wraps(theirs, period, time[0])
        assert np.mean(same) > 0.9
        assert np.argmax(power) == np.argmax(theirs.depth_snr)
        at = np.argmax(power)
        best = fit_box(time, row, periods[at], durations, oversample=5)
        assert best.depth == pytest.approx(theirs.depth[at], rel=1e-4)
        assert best.duration == pytest.approx(theirs.duration[at])
        assert best.snr == pytest.approx(power[at], rel=1e-4)


def test_depth_over_error_is_the_one_computed_by_hand():
    # 4 cycles of 10 cadences, two of each in transit at depth 3: 8 of 40 inside.
    time = np.arange(40.0)
    flux = np.tile([0, 0, -3, -3, 0, 0, 0, 0, 0, 0], 4).astype(float)[None]
    power = box_least_squares(time, flux, np.array([10.0]), np.array([2.0]), oversample=2)
    assert power[0, 0] == pytest.approx(3 * np.sqrt(8 * 32 / 40), rel=1e-6)
    best = fit_box(time, flux[0], 10.0, 2.0, oversample=2)
    assert best.depth == pytest.approx(3)
    assert best.epoch == pytest.approx(3.0)


def test_a_box_may_wrap_around_the_end_of_the_period():
    time = np.arange(40.0)
    flux = np.tile([-3, 0, 0, 0, 0, 0, 0, 0, 0, -3], 4).astype(float)[None]
    power = box_least_squares(time, flux, np.array([10.0]), np.array([2.0]))
    assert power[0, 0] == pytest.approx(3 * np.sqrt(8 * 32 / 40), rel=1e-6)
    assert fit_box(time, flux[0], 10.0, 2.0).epoch == pytest.approx(0.0)


def test_brightenings_have_no_power():
    time = np.arange(400.0)
    flux = -box(time, 10.0, 3.0, 2.0)[None]
    # Away from them the flux is lower than the mean, but not in a box of its own.
    power = box_least_squares(time, flux, np.array([10.0]), np.array([2.0]))
    assert 0 < power[0, 0] < 0.3 * box_least_squares(time, -flux, np.array([10.0]), [2.0])[0, 0]
    np.testing.assert_array_equal(
        box_least_squares(time, 0 * flux, np.array([10.0]), np.array([2.0])), 0
    )


def test_a_weight_counts_as_so_many_cadences():
    time = np.sort(np.random.default_rng(0).uniform(0, 30, 500))
    flux = white((1, 500), 1) + box(time, 3.0, 1.0, 0.3, 2.0)
    weights = np.random.default_rng(2).integers(1, 4, 500)
    periods, durations = np.linspace(1, 5, 50), np.array([0.2, 0.4])
    weighted = box_least_squares(time, flux, periods, durations, weights=weights.astype(float))
    repeated = box_least_squares(
        np.repeat(time, weights), np.repeat(flux, weights, axis=1), periods, durations
    )
    np.testing.assert_allclose(weighted, repeated, rtol=1e-4)


def test_cadences_that_are_not_finite_dilute_but_never_make_a_transit():
    flux = np.stack([box(TIME, 4.0, 1.0, 0.2, 9.0)] * 2) + white((2, 3197), 0)
    flux[1, ::2] = [np.nan, np.inf, -np.inf, np.nan] * 399 + [np.nan] * 3
    power = box_least_squares(TIME, flux, np.array([4.0]), np.array([0.2]))[:, 0]
    assert power[1] == pytest.approx(power[0] / 2, rel=0.1)
    nothing = box_least_squares(TIME, np.full((1, 3197), np.nan), np.array([4.0]), np.array([0.2]))
    assert nothing[0, 0] == 0


def test_each_row_has_the_same_power_in_whatever_batch():
    flux = white((300, 500), 3)
    periods, durations = np.linspace(1, 5, 70), np.array([0.1, 0.2])
    whole = box_least_squares(TIME[:500], flux, periods, durations)
    part = box_least_squares(TIME[:500], flux[250:260], periods, durations)
    np.testing.assert_array_equal(whole[250:260], part)


def test_durations_must_be_shorter_than_periods():
    with pytest.raises(ValueError, match=r"durations from 0\.5 to 3 days and periods from 2 days"):
        box_least_squares(TIME, np.zeros((1, 3197)), np.array([2.0]), np.array([0.5, 3.0]))


@pytest.mark.parametrize("time", [[0.0, np.nan, 2.0], [0.0, 2.0, 1.0], [1.0]])
def test_times_must_ascend(time):
    with pytest.raises(ValueError, match="times must be finite and ascend"):
        box_least_squares(
            np.array(time), np.zeros((1, len(time))), np.array([0.5]), np.array([0.1])
        )


def test_one_long_curve_has_nearly_the_periodogram_of_the_plain_search():
    time = np.delete(np.arange(12000) * CADENCE_DAYS, slice(4000, 4400))
    flux = (white(len(time), 5) + box(time, 6.4321, 2.0, 0.2, 0.8))[None]
    (band,) = search_bands(time[-1], 5.0, 8.0)
    plain = box_least_squares(time, flux, band.periods, band.durations)[0]
    quick = _long_periodogram(time, flux, band.periods, band.durations)[0]
    assert abs(int(np.argmax(plain)) - int(np.argmax(quick))) <= 1
    assert quick.max() == pytest.approx(plain.max(), rel=0.05)
    assert np.corrcoef(plain, quick)[0, 1] > 0.9


def test_bands_cover_the_periods_with_durations_that_fit_them():
    bands = search_bands(65.0, 0.5, 30.0)
    assert bands[0].periods[0] == pytest.approx(0.5)
    assert bands[-1].periods[-1] == pytest.approx(30.0)
    for band, following in itertools.pairwise(bands):
        assert band.periods[-1] == pytest.approx(following.periods[0])
    for periods, durations in bands:
        assert durations[0] >= 2 * CADENCE_DAYS
        assert durations[-1] <= periods[0] / 4
        # Over all transits of the curve a step of the grid moves the last by a duration at most.
        assert np.max(np.diff(periods) / periods[1:]) * 65.0 <= durations[0] * 1.001
    middle = np.sqrt(bands[1].periods[0] * bands[1].periods[-1])
    assert bands[1].durations[0] < expected_duration(middle) < bands[1].durations[-1]


def test_a_year_long_orbit_is_expected_to_cross_the_sun_in_13_hours():
    assert expected_duration(365.25) * 24 == pytest.approx(13)


def test_periods_beyond_half_of_the_curve_are_refused():
    with pytest.raises(ValueError, match=r"spans 60\.0 days: .* up to 30\.0 days, not 31"):
        search_bands(60.0, 0.5, 31)
    with pytest.raises(ValueError, match=r"periods must ascend from at least 0\.163 days"):
        search_bands(60.0, 5.0, 4.0)


@pytest.mark.parametrize("period", [0.93, 2.7182, 9.31, 24.0])
def test_an_injected_transit_is_found_with_its_period_and_not_an_alias(period):
    duration = float(expected_duration(period))
    epoch = 0.4 * period
    flux = white((2, 3197), 7) + box(TIME, period, epoch, duration, 1.5)
    for peak in find_boxes(TIME, flux, search_bands(TIME[-1], 0.5, 30.0)):
        # By the end of the curve the transits are off by less than half of their duration.
        assert abs(peak.box.period / period - 1) * TIME[-1] < duration / 2
        assert peak.box.depth == pytest.approx(1.5, rel=0.2)
        assert peak.box.duration == pytest.approx(duration, rel=0.35)
        late = (peak.box.epoch - epoch + period / 2) % period - period / 2
        assert abs(late) < duration / 3
        assert peak.detection_efficiency > 5

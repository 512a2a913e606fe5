"""The transit search: agreement with astropy, injections found again, bins computed by hand."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.exoplanets.transit_search import (
    CADENCE_DAYS,
    CLIP,
    FEATURE_NAMES,
    GLOBAL_BINS,
    LOCAL_BINS,
    Candidate,
    _addition_chain,
    _bin_medians,
    _long_periodogram,
    box_least_squares,
    detrend,
    expected_duration,
    find_boxes,
    fit_box,
    global_view,
    local_view,
    noise,
    phase_fold_and_sort_light_curve,
    search,
    search_bands,
    stitch_quarters,
    transit_statistics,
    verdict,
    vetting_features,
)

TIME = np.arange(3197) * CADENCE_DAYS


def box(time, period, epoch, duration, depth=1.0):
    phase = (time - epoch + period / 2) % period - period / 2
    return -depth * (np.abs(phase) < duration / 2)


def v_shape(time, period, epoch, duration, depth=1.0):
    phase = (time - epoch + period / 2) % period - period / 2
    return -depth * np.clip(1 - np.abs(phase) / (duration / 2), 0, 1)


def white(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def column(features, name):
    return features["features"][:, FEATURE_NAMES.index(name)]


def theirs_wraps(theirs, period, start):
    at = np.argmin(np.abs(theirs.period - period))
    phase = theirs.transit_time[at] - start
    return min(phase, period - phase) < 0.3


# Box least squares


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
        found = fit_box(time, row, periods[at], durations, oversample=5)
        assert found.depth == pytest.approx(theirs.depth[at], rel=1e-4)
        assert found.duration == pytest.approx(theirs.duration[at])
        assert found.snr == pytest.approx(power[at], rel=1e-4)


def test_depth_over_error_is_the_one_computed_by_hand():
    # 4 cycles of 10 cadences, two of each in transit at depth 3: 8 of 40 inside.
    time = np.arange(40.0)
    flux = np.tile([0, 0, -3, -3, 0, 0, 0, 0, 0, 0], 4).astype(float)[None]
    power = box_least_squares(time, flux, np.array([10.0]), np.array([2.0]), oversample=2)
    assert power[0, 0] == pytest.approx(3 * np.sqrt(8 * 32 / 40), rel=1e-6)
    found = fit_box(time, flux[0], 10.0, 2.0, oversample=2)
    assert found.depth == pytest.approx(3)
    assert found.epoch == pytest.approx(3.0)


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


# Trial periods


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


# Detrending


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


# Folding and views


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


# Vetting statistics


def test_a_clean_planet_has_statistics_of_a_planet():
    flux = 0.3 * white(3197, 0) + box(TIME, 3.3, 1.0, 0.2, 5.0)
    found = transit_statistics(TIME, flux, 3.3, 1.0, 0.2)
    assert found["transits"] == 20
    assert found["odd_even_snr"] < 3
    assert found["depth_scatter"] < 0.1
    assert found["deepest_share"] == pytest.approx(1 / 20, rel=0.3)
    assert found["shallowest_depth"] > 0.85
    assert abs(found["opposite_depth"]) < 0.05
    assert found["secondary_snr"] < 5
    assert found["shape"] == pytest.approx(1.0, abs=0.1)
    assert found["v_snr"] < 0
    assert abs(found["asymmetry_snr"]) < 3


def test_unequal_eclipses_show_as_odd_and_even():
    eclipses = box(TIME, 6.6, 1.0, 0.2, 5.0) + box(TIME, 6.6, 4.3, 0.2, 4.0)
    found = transit_statistics(TIME, eclipses + 0.3 * white(3197, 1), 3.3, 1.0, 0.2)
    assert found["odd_even_snr"] > 5
    assert found["odd_even_depth"] == pytest.approx(1 / 4.5, rel=0.2)


def test_a_secondary_eclipse_shows_with_its_phase_and_depth():
    eclipses = box(TIME, 6.6, 1.0, 0.2, 5.0) + box(TIME, 6.6, 1.0 + 0.4 * 6.6, 0.2, 1.0)
    found = transit_statistics(TIME, eclipses + 0.1 * white(3197, 1), 6.6, 1.0, 0.2)
    assert found["secondary_phase"] == pytest.approx(0.4, abs=0.01)
    assert found["secondary_depth"] == pytest.approx(0.2, rel=0.15)
    assert abs(found["opposite_depth"]) < 0.05
    assert found["tertiary_snr"] < found["secondary_snr"] / 3


def test_a_v_is_told_from_a_box():
    time = np.arange(0, 60, CADENCE_DAYS)
    v = transit_statistics(
        time, v_shape(time, 5.0, 1.0, 0.5, 90.0) + white(len(time), 2), 5.0, 1.0, 0.3
    )
    assert v["ingress"] == 0.5
    assert v["v_snr"] > 5
    # Over a box of 0.6 of its width: 1 - 0.3 x 3/2 over 1 - 0.3 / 2.
    assert v["shape"] == pytest.approx(0.55 / 0.85, rel=0.1)


def test_one_deep_dip_has_the_signal_to_itself():
    flux = 0.1 * white(3197, 3)
    flux[(TIME > 12.9) & (TIME < 13.1)] -= 10
    assert transit_statistics(TIME, flux, 6.0, 1.0, 0.2)["deepest_share"] > 0.99


def test_what_is_undefined_is_undefined():
    time = TIME[:200]
    found = transit_statistics(time, white(200, 0), 4.0, 2.0, 0.2)
    assert found["transits"] == 1
    assert np.isnan(found["odd_even_snr"])
    assert np.isnan(found["depth_scatter"])


# Features of a batch


def test_a_planet_a_binary_and_noise_differ_in_their_features():
    planet = box(TIME, 3.3, 1.0, 0.15, 2.0)
    binary = v_shape(TIME, 8.0, 1.0, 0.4, 30.0) + v_shape(TIME, 8.0, 5.0, 0.4, 10.0)
    flux = white((3, 3197), 4) + np.stack([planet, binary, 0 * TIME])
    found = vetting_features(1000 + 25 * flux)
    assert found["features"].shape == (3, len(FEATURE_NAMES))
    assert found["global_view"].shape == (3, GLOBAL_BINS)
    assert found["local_view"].shape == (3, LOCAL_BINS)
    assert all(values.dtype == np.float32 for values in found.values())
    np.testing.assert_allclose(column(found, "period")[:2], [3.3, 8.0], rtol=2e-3)
    assert column(found, "snr")[2] < 8 < column(found, "snr")[0]
    assert column(found, "opposite_depth")[1] == pytest.approx(1 / 3, rel=0.15)
    assert column(found, "v_snr")[1] > 5
    assert np.argmin(found["local_view"][0]) == pytest.approx(30, abs=4)
    assert found["local_view"][0].min() == -1


def test_features_don_t_depend_on_scale_offset_or_the_rest_of_the_batch():
    flux = white((4, 2000), 5) + box(TIME[:2000], 4.0, 1.0, 0.2, 1.0)
    whole = vetting_features(flux)
    for name, values in vetting_features(flux[1:2] * 1024 + 512).items():
        np.testing.assert_allclose(values[0], whole[name][1], rtol=1e-3, atol=1e-3)
    for name, values in vetting_features(flux[2:]).items():
        np.testing.assert_array_equal(values, whole[name][2:])


@pytest.mark.parametrize("value", [0.0, 1e6, np.nan])
def test_a_curve_without_scatter_or_values_has_no_candidate(value):
    flux = white((2, 1000), 6)
    flux[0] = value
    found = vetting_features(flux)
    assert column(found, "snr")[0] == 0
    assert np.isnan(np.delete(found["features"][0], FEATURE_NAMES.index("snr"))).all()
    assert not found["global_view"][0].any()
    assert not found["local_view"][0].any()
    assert column(found, "snr")[1] > 0


def test_holes_in_a_curve_leave_its_transits_findable():
    flux = white((1, 3197), 8) + box(TIME, 5.0, 1.0, 0.2, 2.0)
    flux[0, 400:700] = np.nan
    flux[0, 1500] = np.inf
    found = vetting_features(flux)
    assert column(found, "period")[0] == pytest.approx(5.0, rel=1e-3)
    assert np.isfinite(found["features"]).all()


def test_flares_are_cut_so_that_they_hide_no_transit():
    flux = white((1, 3197), 11) + box(TIME, 5.0, 1.0, 0.2, 2.0)
    clean = column(vetting_features(flux), "snr")[0]
    flux[0, [60, 800, 801, 2000]] += 1e4
    found = vetting_features(flux)
    assert column(found, "snr")[0] > 0.9 * clean
    assert column(found, "flare")[0] > 1000 * CLIP


# Single stars


def quarter(seed, start, days=30.0, transits=(6.0, 2.0, 0.2, 0.004), level=5000.0):
    time = np.arange(start, start + days, CADENCE_DAYS)
    relative = 1 + 1e-3 * white(len(time), seed) + box(time, *transits)
    relative += 0.01 * np.sin(2 * np.pi * time / 20)
    return time, level * relative, np.zeros(len(time), int)


def test_quarters_of_different_levels_join_into_one_flat_curve():
    first, second = quarter(0, 0.0), quarter(1, 40.0, level=8000.0)
    second[2][100:110] = 128
    second[1][100:110] = 1e9
    second[0][5] = second[1][6] = np.nan
    time, flux = stitch_quarters([second, first])
    assert len(time) == len(first[0]) + len(second[0]) - 12
    assert np.all(np.diff(time) > 0)
    assert noise(flux[None])[0] == pytest.approx(1e-3, rel=0.1)


def test_a_quarter_given_twice_and_a_star_without_cadences_are_errors():
    with pytest.raises(ValueError, match="give each quarter of a star once"):
        stitch_quarters([quarter(0, 0.0), quarter(0, 0.0)])
    time, flux, quality = quarter(0, 0.0)
    with pytest.raises(ValueError, match="no cadence has a time, a flux and a clean SAP_QUALITY"):
        stitch_quarters([(time, flux, quality + 1)])


def test_a_planet_in_quarters_with_a_gap_between_is_found_and_believed():
    time, flux = stitch_quarters([quarter(2, 0.0), quarter(3, 45.0)])
    found = search(time, flux, 2.0, 15.0)
    assert found.period == pytest.approx(6.0, rel=1e-3)
    assert found.depth == pytest.approx(0.004, rel=0.15)
    assert found.duration == pytest.approx(0.2, rel=0.3)
    assert (found.epoch + 1.0) % 6.0 == pytest.approx(3.0, abs=0.08)
    assert found.depth_error == pytest.approx(found.depth / found.snr)
    assert verdict(found) == ("planet candidate", ())


def test_a_constant_star_is_an_error():
    with pytest.raises(ValueError, match="no scatter to search"):
        search(TIME, np.zeros(3197), 1.0, 10.0)


def test_noise_holds_no_transit():
    judged = verdict(search(TIME, 1e-3 * white(3197, 9), 5.0, 10.0))
    assert judged.disposition == "no transit"
    assert "below 7.1" in judged.reasons[0]


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (box(TIME, 6.6, 1.0, 0.2, 0.08), "8.0% deep: too large for a planet"),
        (
            box(TIME, 13.2, 1.0, 0.2, 0.01) + box(TIME, 13.2, 7.6, 0.2, 0.006),
            "two stars that eclipse each other every 13.2",
        ),
        (
            box(TIME, 6.6, 1.0, 0.2, 0.01) + box(TIME, 6.6, 4.3, 0.2, 0.003),
            "a second dip at phase 0.50",
        ),
    ],
)
def test_a_binary_is_called_a_false_positive_with_its_reason(signal, reason):
    judged = verdict(search(TIME, signal + 2e-4 * white(3197, 10), 5.0, 10.0))
    assert judged.disposition == "false positive"
    assert any(reason in each for each in judged.reasons), judged.reasons


def test_what_a_planet_could_reflect_is_not_held_against_it():
    features = {
        "phase_scatter": 1.0,
        "odd_even_snr": 0.0,
        "odd_even_depth": 0.0,
        "secondary_snr": 20.0,
        "secondary_depth": 0.02,
        "secondary_phase": 0.5,
        "tertiary_snr": 1.0,
        "shape": 0.9,
        "duration_over_period": 0.05,
        "deepest_share": 0.1,
    }
    # (pi x 0.05)^2 = 2.5 % of the depth.
    candidate = Candidate(2.0, 0.0, 0.1, 0.01, 1e-4, 100.0, features)
    assert verdict(candidate).disposition == "planet candidate"
    bright = Candidate(2.0, 0.0, 0.1, 0.01, 1e-4, 100.0, features | {"secondary_depth": 0.03})
    assert "3.0% of the depth, and a planet could reflect 2.5%" in verdict(bright).reasons[0]


def read_quarters(folder: Path, kic: str):
    for path in sorted(folder.glob(f"*kplr{kic}-*")):
        with gzip.open(path, "rt") as file:
            cells = [line.split(",") for line in file]
        time, flux = (
            np.array([float(row[i]) if row[i].strip() else np.nan for row in cells]) for i in (0, 7)
        )
        yield time, flux, np.array([int(row[9]) for row in cells])


@pytest.mark.parametrize(
    ("kic", "period"),
    [("010666592", 2.204737), ("010748390", 4.887802), ("011446443", 2.470613)],
    ids=["HAT-P-7", "HAT-P-11", "TrES-2"],
)
def test_known_planets_are_found_in_raw_quarters_within_a_thousandth(shared, kic, period):
    quarters = read_quarters(shared / "data" / "kepler" / "raw", kic)
    found = search(*stitch_quarters(quarters), 0.5, 20.0)
    assert found.period == pytest.approx(period, rel=1e-3)
    assert verdict(found) == ("planet candidate", ())


def test_a_real_false_positive_is_given_away_by_its_secondary_eclipse(shared):
    quarters = read_quarters(shared / "data" / "kepler" / "raw", "008655354")
    found = search(*stitch_quarters(quarters), 6.0, 8.0)
    assert found.period == pytest.approx(6.7197, rel=1e-3)
    judged = verdict(found)
    assert judged.disposition == "false positive"
    assert "a second dip at phase 0.500" in judged.reasons[0]

"""Statistics of transits, and the features of a batch."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.transit_search.boxes import CADENCE_DAYS
from models.exoplanets.transit_search.detrending import CLIP
from models.exoplanets.transit_search.statistics import (
    FEATURE_NAMES,
    transit_statistics,
    vetting_features,
)
from models.exoplanets.transit_search.views import GLOBAL_BINS, LOCAL_BINS

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


def test_a_clean_planet_has_statistics_of_a_planet():
    flux = 0.3 * white(3197, 0) + box(TIME, 3.3, 1.0, 0.2, 5.0)
    statistics = transit_statistics(TIME, flux, 3.3, 1.0, 0.2)
    assert statistics["transits"] == 20
    assert statistics["odd_even_snr"] < 3
    assert statistics["depth_scatter"] < 0.1
    assert statistics["deepest_share"] == pytest.approx(1 / 20, rel=0.3)
    assert statistics["shallowest_depth"] > 0.85
    assert abs(statistics["opposite_depth"]) < 0.05
    assert statistics["secondary_snr"] < 5
    assert statistics["shape"] == pytest.approx(1.0, abs=0.1)
    assert statistics["v_snr"] < 0
    assert abs(statistics["asymmetry_snr"]) < 3


def test_unequal_eclipses_show_as_odd_and_even():
    eclipses = box(TIME, 6.6, 1.0, 0.2, 5.0) + box(TIME, 6.6, 4.3, 0.2, 4.0)
    statistics = transit_statistics(TIME, eclipses + 0.3 * white(3197, 1), 3.3, 1.0, 0.2)
    assert statistics["odd_even_snr"] > 5
    assert statistics["odd_even_depth"] == pytest.approx(1 / 4.5, rel=0.2)


def test_a_secondary_eclipse_shows_with_its_phase_and_depth():
    eclipses = box(TIME, 6.6, 1.0, 0.2, 5.0) + box(TIME, 6.6, 1.0 + 0.4 * 6.6, 0.2, 1.0)
    statistics = transit_statistics(TIME, eclipses + 0.1 * white(3197, 1), 6.6, 1.0, 0.2)
    assert statistics["secondary_phase"] == pytest.approx(0.4, abs=0.01)
    assert statistics["secondary_depth"] == pytest.approx(0.2, rel=0.15)
    assert abs(statistics["opposite_depth"]) < 0.05
    assert statistics["tertiary_snr"] < statistics["secondary_snr"] / 3


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
    statistics = transit_statistics(time, white(200, 0), 4.0, 2.0, 0.2)
    assert statistics["transits"] == 1
    assert np.isnan(statistics["odd_even_snr"])
    assert np.isnan(statistics["depth_scatter"])


def test_a_planet_a_binary_and_noise_differ_in_their_features():
    planet = box(TIME, 3.3, 1.0, 0.15, 2.0)
    binary = v_shape(TIME, 8.0, 1.0, 0.4, 30.0) + v_shape(TIME, 8.0, 5.0, 0.4, 10.0)
    flux = white((3, 3197), 4) + np.stack([planet, binary, 0 * TIME])
    result = vetting_features(1000 + 25 * flux)
    assert result["features"].shape == (3, len(FEATURE_NAMES))
    assert result["global_view"].shape == (3, GLOBAL_BINS)
    assert result["local_view"].shape == (3, LOCAL_BINS)
    assert all(values.dtype == np.float32 for values in result.values())
    np.testing.assert_allclose(column(result, "period")[:2], [3.3, 8.0], rtol=2e-3)
    assert column(result, "snr")[2] < 8 < column(result, "snr")[0]
    assert column(result, "opposite_depth")[1] == pytest.approx(1 / 3, rel=0.15)
    assert column(result, "v_snr")[1] > 5
    assert np.argmin(result["local_view"][0]) == pytest.approx(30, abs=4)
    assert result["local_view"][0].min() == -1


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
    result = vetting_features(flux)
    assert column(result, "snr")[0] == 0
    assert np.isnan(np.delete(result["features"][0], FEATURE_NAMES.index("snr"))).all()
    assert not result["global_view"][0].any()
    assert not result["local_view"][0].any()
    assert column(result, "snr")[1] > 0


def test_holes_in_a_curve_leave_its_transits_findable():
    flux = white((1, 3197), 8) + box(TIME, 5.0, 1.0, 0.2, 2.0)
    flux[0, 400:700] = np.nan
    flux[0, 1500] = np.inf
    result = vetting_features(flux)
    assert column(result, "period")[0] == pytest.approx(5.0, rel=1e-3)
    assert np.isfinite(result["features"]).all()


def test_flares_are_cut_so_that_they_hide_no_transit():
    flux = white((1, 3197), 11) + box(TIME, 5.0, 1.0, 0.2, 2.0)
    clean = column(vetting_features(flux), "snr")[0]
    flux[0, [60, 800, 801, 2000]] += 1e4
    result = vetting_features(flux)
    assert column(result, "snr")[0] > 0.9 * clean
    assert column(result, "flare")[0] > 1000 * CLIP

"""The search for several planets of one star: injected systems, binaries, noise, and K2-3."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.exoplanets.simulation import eclipse_model, scaled_axis, transit_model
from models.exoplanets.transit_search.boxes import CADENCE_DAYS
from models.exoplanets.transit_search.planets import (
    Signal,
    _Finder,
    find_planets,
    on_grid,
    trapezoid,
)

CANDIDATE = "planet candidate"


def planet(time, period, epoch, ratio, density=1.0):
    return transit_model(
        time, period=period, epoch=epoch, ratio=ratio, impact=0.3,
        axis=scaled_axis(period, density), limb=(0.4, 0.25),
    )  # fmt: skip


def observed(days, *signals, noise=3e-4, seed=0, gaps=()):
    """A slowly drifting star with noise, without 3 % of its cadences and what lies in gaps."""
    rng = np.random.default_rng(seed)
    time = np.arange(0, days, CADENCE_DAYS)
    flux = 1 + 2e-3 * np.sin(time / 9) + noise * rng.normal(size=len(time))
    for signal in signals:
        flux = flux * signal(time)
    kept = rng.random(len(time)) > 0.03
    for start, stop in gaps:
        kept &= (time < start) | (time > stop)
    return on_grid(time[kept], flux[kept] / np.median(flux[kept]) - 1)


def periods(search, disposition=CANDIDATE):
    return sorted(
        signal.period.value
        for signal in search.signals
        if signal.period is not None and signal.disposition == disposition
    )


def test_three_planets_are_found_beside_deep_dips_of_two_long_period_planets():
    search = find_planets(
        *observed(
            272,
            lambda t: planet(t, 3.3, 1.2, 0.015),
            lambda t: planet(t, 9.7, 4.4, 0.025),
            lambda t: planet(t, 21.3, 11.1, 0.032),
            lambda t: planet(t, 210.6, 40.3, 0.068, 0.6),
            lambda t: planet(t, 331.6, 170.2, 0.093, 0.6),
            gaps=[(89, 91), (181, 183)],
        )
    )
    assert search.complete
    assert periods(search) == pytest.approx([3.3, 9.7, 21.3, 210.6], rel=1e-3)
    singles = [signal for signal in search.signals if signal.period is None]
    assert [signal.epoch.value for signal in singles] == pytest.approx([170.2], abs=0.02)
    assert singles[0].disposition == "single dip"
    assert "its period is unknown" in singles[0].reasons[0]
    assert all(signal.disposition != "false positive" for signal in search.signals)


def test_what_is_measured_lies_within_its_errors():
    search = find_planets(*observed(80, lambda t: planet(t, 6.6, 2.0, 0.05), noise=2e-4))
    [signal] = search.signals
    assert abs(signal.period.value - 6.6) < 4 * signal.period.error
    assert abs(signal.epoch.value - 2.0) < 4 * signal.epoch.error
    assert signal.depth.value == pytest.approx(0.05**2, rel=0.2)
    assert signal.period.error < 1e-3
    assert len(signal.transits) >= 11
    assert search.noise == pytest.approx(2e-4, rel=0.1)


def test_a_planet_seen_twice_has_the_time_between_as_its_period():
    # Half of it would fit as well: its third transit lies in the gap.
    search = find_planets(*observed(80, lambda t: planet(t, 44.6, 15.0, 0.04), gaps=[(36.0, 39.0)]))
    assert periods(search) == pytest.approx([44.6], rel=1e-3)


def test_a_dip_that_was_seen_once_is_no_planet_candidate():
    search = find_planets(*observed(80, lambda t: planet(t, 500.0, 33.0, 0.06)))
    assert periods(search) == []
    [dip] = search.signals
    assert (dip.period, dip.disposition) == (None, "single dip")
    assert dip.epoch.value == pytest.approx(33.0, abs=0.02)


@pytest.mark.parametrize(("shift", "secondary"), [(0.5, 0.3), (0.5, 0.7)])
def test_a_binarys_two_eclipses_are_no_two_planets(shift, secondary):
    def binary(time):
        return eclipse_model(
            time, period=7.3, epoch=2.0, depth=0.01, secondary=secondary, ratio=0.5, impact=0.3,
            axis=15.0, tide=0.0,
        )  # fmt: skip

    search = find_planets(*observed(80, binary))
    assert periods(search) == []
    [pair] = search.signals
    assert pair.disposition == "false positive"
    assert any("second dip" in reason or "odd and even" in reason for reason in pair.reasons)


@pytest.mark.parametrize("seed", range(3))
def test_noise_holds_no_planet(seed):
    search = find_planets(*observed(80, seed=seed))
    assert search.signals == ()
    assert search.complete


def test_flares_and_single_cadences_far_below_are_no_signals():
    time, flux = observed(80, seed=5)
    flux[[500, 1500, 2600]] -= 0.02
    flux[[700, 701]] += 0.03
    assert find_planets(time, flux).signals == ()


def test_a_stretch_far_noisier_than_the_rest_is_left_out():
    time, flux = observed(120, lambda t: planet(t, 9.7, 4.4, 0.025), gaps=[(30, 33)])
    loud = time < 31
    flux[loud] += 5e-3 * np.random.default_rng(1).normal(size=loud.sum())
    search = find_planets(time, flux)
    [(start, stop)] = search.noisy
    assert (start, stop) == pytest.approx((0, 30), abs=0.5)
    assert periods(search) == pytest.approx([9.7], rel=1e-3)
    assert np.isnan(search.flat[loud]).all()


def test_shorter_cadences_are_averaged_and_longer_ones_leave_places_empty():
    time = np.arange(0, 10, 2 / 1440)
    grid, flux = on_grid(time, np.ones(len(time)))
    assert len(grid) == pytest.approx(10 / CADENCE_DAYS, abs=1)
    assert np.isfinite(flux).all()
    slow = np.arange(0, 10, 0.0417)
    assert np.isfinite(on_grid(slow, np.ones(len(slow)))[1]).mean() < 0.6


def test_a_curve_that_is_constant_or_too_short_is_an_error():
    time = np.arange(0, 30, CADENCE_DAYS)
    with pytest.raises(ValueError, match="no scatter"):
        find_planets(time, np.zeros(len(time)))
    with pytest.raises(ValueError, match="don't fit into it"):
        find_planets(time, np.zeros(len(time)), period_max=40.0)


def test_signals_survive_json():
    search = find_planets(*observed(80, lambda t: planet(t, 6.6, 2.0, 0.05)))
    [signal] = search.signals
    again = Signal.from_dict(json.loads(json.dumps(signal.to_dict())))
    assert (again.period, again.transits, again.reasons) == (
        *(signal.period, signal.transits, signal.reasons),
    )
    assert again.box.snr == signal.box.snr


def test_a_trapezoid_is_no_steeper_than_an_exposure():
    phase = np.array([0.0, 0.5, 0.5 - CADENCE_DAYS / 2])
    np.testing.assert_allclose(trapezoid(phase, 1.0, 1.0, 0.0), [-1.0, 0.0, -0.5], atol=1e-12)


@pytest.mark.parametrize("name", ["EPIC201367065", "EPIC201367065_detrended"])
def test_the_three_planets_of_k2_3_are_found_in_raw_and_detrended_flux(shared, name):
    time, flux = np.genfromtxt(shared / "data" / "k2" / f"{name}.csv", delimiter=",").T
    search = find_planets(*on_grid(time, flux / np.median(flux) - 1))
    assert periods(search) == pytest.approx([10.0545, 24.646, 44.556], rel=1e-3)
    assert len(search.signals) == 3


@pytest.mark.parametrize("alias", [7, 3, 3 / 2, 1 / 2, 5 / 2])
def test_an_alias_leads_to_the_period(alias):
    time, flux = observed(150, lambda t: planet(t, 4.0, 1.0, 0.03))
    box = _Finder(time, flux, 3.0).best([(4.0 * alias, 0.12)])
    assert box.period == pytest.approx(4.0, rel=1e-3)

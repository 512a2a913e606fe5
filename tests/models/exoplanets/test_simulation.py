from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from models.exoplanets import bundle
from models.exoplanets import simulation as sim
from models.exoplanets.readers import CADENCE_DAYS, CADENCES

SMALL = {"n_train": 120, "n_test": 40, "train_planets": 12, "test_planets": 4, "seed": 7}
SOURCES = [sim.injected, sim.simulated]


def gathered(blocks):
    parts = list(blocks)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.fixture(scope="module", params=SOURCES, ids=lambda source: source.__name__)
def made(request):
    return gathered(request.param(**SMALL))


# Physics


def transit(time, **changes):
    shape = {
        "period": 5.0,
        "epoch": 2.0,
        "ratio": 0.1,
        "impact": 0.0,
        "axis": 12.0,
        "limb": (0.4, 0.25),
    }
    return sim.transit_model(time, **{**shape, **changes})


def test_a_uniform_star_loses_the_planets_share_of_its_disc():
    flux = transit(sim.times(), limb=(0.0, 0.0))
    assert 1 - flux.min() == pytest.approx(0.1**2, abs=2e-6)


def test_limb_darkening_deepens_a_central_transit_by_the_known_factor():
    # A small planet at the middle hides k^2 of the disc at the central brightness 1, of a mean of
    # 1 - u1/3 - u2/6 (Mandel and Agol 2002, section 4).
    time = np.array([2.0])
    flux = transit(time, ratio=0.01, period=100.0)  # slow: an exposure sees the middle only
    assert 1 - flux[0] == pytest.approx(0.01**2 / (1 - 0.4 / 3 - 0.25 / 6), rel=2e-3)


def test_transits_last_as_long_as_the_geometry_says():
    # T14 = P/pi asin(sqrt((1+k)^2 - b^2) / (a sin i)) (Winn 2010, equation 14)
    impact, axis = 0.4, 12.0
    sine = np.sqrt(1 - (impact / axis) ** 2)
    expected = 5.0 / np.pi * np.arcsin(np.sqrt(1.1**2 - impact**2) / axis / sine)
    time = np.linspace(1.5, 2.5, 20_001)
    inside = transit(time, impact=impact) < 1 - 1e-7
    # Each exposure of 29.4 minutes sees the transit half of its length early and late.
    assert np.ptp(time[inside]) == pytest.approx(expected + CADENCE_DAYS, abs=0.004)


def test_transits_repeat_with_the_period_and_are_centred_on_the_epoch():
    time = sim.times()
    deep = time[transit(time) < 0.99]
    assert np.allclose(np.round((deep - 2.0) / 5.0) * 5.0 + 2.0, deep, atol=0.1)
    assert len(np.unique(np.round((deep - 2.0) / 5.0))) == 13  # 65.3 days: epochs 0 to 12


def test_a_body_that_passes_beside_the_star_changes_nothing():
    assert np.all(transit(sim.times(), impact=1.2) == 1)


def test_keplers_third_law_gives_the_earth_215_solar_radii():
    assert sim.scaled_axis(365.25, 1.0) == pytest.approx(215.032)
    # an eighth of the period: a quarter of the distance
    assert sim.scaled_axis(365.25 / 8, 1.0) == pytest.approx(215.032 / 4)


def eclipse(time, **changes):
    shape = {
        "period": 5.0,
        "epoch": 1.0,
        "depth": 0.02,
        "secondary": 0.4,
        "ratio": 0.6,
        "impact": 0.9,
        "axis": 10.0,
        "tide": 0.0,
    }
    return sim.eclipse_model(time, **{**shape, **changes})


def test_a_binary_has_a_secondary_eclipse_half_a_period_later():
    time = np.array([1.0, 3.5, 6.0, 2.2])
    assert eclipse(time) == pytest.approx([0.98, 1 - 0.4 * 0.02, 0.98, 1.0], abs=1e-6)


def test_at_half_the_period_odd_and_even_eclipses_differ():
    folded = eclipse(np.array([1.0, 3.5, 6.0, 8.5]), secondary=0.7)
    assert 1 - folded == pytest.approx([0.02, 0.014, 0.02, 0.014], abs=1e-6)


def bottom_share(flux):
    """Of the time spent in a dip, the share spent below nine tenths of its depth."""
    dip = 1 - flux
    return (dip > 0.9 * dip.max()).sum() / (dip > 0.01 * dip.max()).sum()


def test_grazing_eclipses_are_v_shaped_and_transits_u_shaped():
    time = np.linspace(0.5, 3.0, 5001)
    assert bottom_share(transit(time)) > 0.45
    assert bottom_share(eclipse(time, impact=1.3)) < 0.35


def test_the_tide_has_two_maxima_an_orbit_and_minima_at_the_eclipses():
    time = np.array([2.25, 4.75, 2.25 + 5])  # quarters of the orbit
    assert eclipse(time, tide=0.001) == pytest.approx([1.001] * 3)
    assert eclipse(np.array([1.0]), tide=0.001)[0] == pytest.approx(0.98 - 0.001)


def test_signal_to_noise_of_a_box_is_depth_root_n_over_sigma():
    box = np.ones(CADENCES)
    box[100:109] -= 4e-4
    assert sim.signal_to_noise(box, 2e-4) == pytest.approx(4e-4 * np.sqrt(9) / 2e-4)


def test_white_noise_is_measured_whatever_is_slower_and_despite_outliers():
    rng = np.random.default_rng(0)
    curve = 5 * np.sin(2 * np.pi * sim.times() / 10) + rng.normal(0, 0.02, CADENCES)
    curve[::200] += 100
    assert sim.white_noise(curve) == pytest.approx(0.02, rel=0.06)


@pytest.mark.parametrize("seed", range(20))
def test_planets_have_the_signal_to_noise_and_depth_that_they_claim(seed):
    rng = np.random.default_rng(seed)
    sigma = 3e-4
    planet = sim.make_planet(rng, sigma)
    assert planet.snr == pytest.approx(np.sqrt(((1 - planet.flux) ** 2).sum()) / sigma)
    # Some cadence comes close to the middle of a transit, none is deeper.
    assert 0.9 * planet.depth < 1 - planet.flux.min() <= planet.depth * (1 + 1e-9)
    low, high = sim.TRANSIT_SNR
    assert 0.9 * low < planet.snr < 1.1 * high
    assert sim.SHORTEST_PERIOD <= planet.period <= sim.LONGEST_PERIOD
    # What repeats after one period: the autocorrelation of the dips, to a cadence.
    lag = round(planet.period / CADENCE_DAYS)
    dips = 1 - planet.flux
    correlation = [dips[: -(lag + d)] @ dips[lag + d :] for d in (-8, 0, 8)]
    assert np.argmax(correlation) == 1


def test_planets_spread_evenly_over_the_logarithm_of_signal_to_noise():
    rng = np.random.default_rng(0)
    snr = np.array([sim.make_planet(rng, 3e-4).snr for _ in range(300)])
    middle = np.sqrt(5 * 60)
    # 300 halves: a standard deviation of 8.7
    assert abs((snr < middle).sum() - 150) < 4 * 8.7


def test_the_longest_period_leaves_three_transits():
    assert sim.times()[-1] > 3 * sim.LONGEST_PERIOD


def test_flares_only_brighten_and_jumps_only_darken():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        flare, jump = sim.make_flare(rng, 1e-3).flux, sim.make_jump(rng, 1e-3).flux
        assert flare.min() >= 1
        assert flare.max() > 1 + 1e-3
        assert jump.max() <= 1
        assert np.diff(jump).min() < -2e-3
        assert np.argmin(np.diff(jump)) + 1 < CADENCES


def test_a_jump_does_not_come_back_all_the_way():
    for seed in range(20):
        jump = sim.make_jump(np.random.default_rng(seed), 1e-3).flux
        assert 1 - jump[-1] > 0.19 * (1 - jump.min())


def test_the_oscillator_peaks_at_its_own_frequency_with_the_square_of_its_quality():
    # S(w0) = Q^2, S(0) = 1 (Foreman-Mackey et al. 2017, equation 20, over sqrt(2/pi) S0)
    omega = np.array([0.0, 3.0])
    assert sim.oscillator_spectrum(omega, 3.0, 5.0) == pytest.approx([1.0, 25.0])


def test_simulated_noise_has_the_variance_that_was_drawn(monkeypatch):
    # All log-uniform choices at their lower ends: level 3000, spots 1e-4, granules 2e-5.
    monkeypatch.setattr(sim, "_log_uniform", lambda rng, low, high: low)
    rng = np.random.default_rng(3)
    curves = np.stack([sim.simulated_noise(rng).flux for _ in range(100)])
    photon = 1 / np.sqrt(3000 * sim.SECONDS)
    white2 = np.mean(np.linspace(1, 3, 1001) ** 2) * photon**2 + 2e-5**2
    assert curves.var(axis=0).mean() == pytest.approx(1e-8 + 4e-10 + white2, rel=0.1)


def test_every_bundled_stretch_is_long_enough_when_prolonged():
    stretches = bundle.read_bundle()
    assert set(sim.TEST_HOSTS) < {stretch.kic for stretch in stretches}
    assert all(len(sim.prolonged(stretch.noise)) >= CADENCES for stretch in stretches)


def test_short_noise_goes_on_with_the_slope_it_had():
    ramp = np.arange(2000, dtype=np.float32)
    longer = sim.prolonged(ramp)
    assert len(longer) == 3999
    # 13 cadences are averaged for the end: 6 of them are lost.
    assert longer[-1] - longer[2000] == pytest.approx(1998)
    assert longer[2000] == pytest.approx(1998 - 2 * 6 + 2)


# Rows


def test_rows_have_the_shape_and_types_of_every_source(made):
    n = 160
    expected = {
        "flux": ((n, CADENCES), "float32"),
        "label": ((n,), "int8"),
        "star": ((n,), "<U48"),
        "host": ((n,), "<U48"),
        "part": ((n,), "int8"),
        "kind": ((n,), "<U16"),
        "period": ((n,), "float64"),
        "depth": ((n,), "float64"),
        "snr": ((n,), "float64"),
    }
    assert {name: (a.shape, str(a.dtype)) for name, a in made.items()} == expected
    assert np.isfinite(made["flux"]).all()
    assert np.abs(np.median(made["flux"], axis=1)).max() < 1e-3 * made["flux"].std()


def test_classes_are_as_many_as_asked_for(made):
    for part, n, planets in ((0, 120, 12), (1, 40, 4)):
        here = made["part"] == part
        kinds, counts = np.unique(made["kind"][here], return_counts=True)
        found = dict(zip(kinds, counts, strict=True))
        others = n - planets
        assert found["planet"] == planets == made["label"][here].sum()
        assert found["eclipsing_binary"] == round(0.15 * others)
        assert found["flare"] == found["jump"] == round(0.10 * others)
        assert here.sum() == n
    assert ((made["kind"] == "planet") == (made["label"] == 1)).all()


def test_only_what_repeats_has_a_period_and_only_planets_a_signal_to_noise(made):
    repeats = np.isin(made["kind"], ("planet", "eclipsing_binary"))
    assert (np.isfinite(made["period"]) == repeats).all()
    assert (np.isfinite(made["depth"]) == repeats).all()
    assert (np.isfinite(made["snr"]) == (made["label"] == 1)).all()


def test_names_are_unique_and_no_host_is_in_two_parts(made):
    assert len(np.unique(made["star"])) == 160
    assert not set(made["host"][made["part"] == 0]) & set(made["host"][made["part"] == 1])


def test_no_two_rows_are_alike(made):
    scaled = made["flux"] - made["flux"].mean(axis=1, keepdims=True)
    assert len(np.unique(scaled.round(2), axis=0)) == 160


def test_every_star_of_a_part_has_planets_and_others():
    made = gathered(sim.injected(**SMALL))
    for part, hosts in ((0, 5), (1, 2)):
        here = made["part"] == part
        assert len(np.unique(made["host"][here])) == hosts
        assert len(np.unique(made["host"][here & (made["label"] == 1)])) == hosts
    test_hosts = set(made["host"][made["part"] == 1])
    assert test_hosts == {f"KIC {kic}" for kic in sim.TEST_HOSTS}


@pytest.mark.parametrize("source", SOURCES)
def test_the_same_seed_gives_the_same_rows_whatever_the_blocks(source):
    whole, parts = gathered(source(**SMALL)), gathered(source(**SMALL, block_rows=33))
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])


@pytest.mark.parametrize("source", SOURCES)
def test_another_seed_gives_other_rows(source):
    other = gathered(source(**{**SMALL, "seed": 8}))
    made = gathered(source(**SMALL))
    assert (made["kind"] != other["kind"]).any()
    assert not (made["flux"] == other["flux"]).all(axis=1).any()


def test_an_injected_planet_is_found_where_it_was_put(made):
    # Fold the strongest planet's row over a grid of periods: its own is the deepest.
    best = np.nanargmax(np.where(made["label"] == 1, made["snr"], np.nan))
    period, time = made["period"][best], sim.times()
    flux = made["flux"][best].astype(np.float64)
    window = 97
    padded = np.pad(flux, window // 2, mode="edge")
    trend = np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1)
    residual = (flux - trend) / sim.white_noise(flux)
    residual = np.minimum(residual, 3)

    def deepest(trial):
        bins = np.floor(time % trial / 0.06).astype(int)
        sums, counts = np.bincount(bins, residual), np.bincount(bins)
        return (-sums / np.sqrt(np.maximum(counts, 1))).max()

    trials = period * np.array([0.83, 0.91, 0.97, 1.0, 1.03, 1.09, 1.17])
    assert np.argmax([deepest(trial) for trial in trials]) == 3


@pytest.mark.parametrize("source", SOURCES)
def test_memory_does_not_grow_with_the_rows(source):
    def peak(blocks):
        options = {**SMALL, "n_train": 10_000, "block_rows": 20}
        stream = iter(source(**options))
        next(stream)
        tracemalloc.start()
        for _ in itertools.islice(stream, blocks):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(8) < 1.3 * peak(2)


@pytest.mark.parametrize(("planets", "rows"), [(0, 10), (10, 10), (11, 10)])
def test_one_class_alone_is_refused(planets, rows):
    with pytest.raises(ValueError, match=f"{planets} planets among {rows} rows"):
        sim.simulated(n_train=rows, train_planets=planets, n_test=5, test_planets=1)

"""The bundled noise: real, without its known dips, and the same when made again."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets import bundle
from models.exoplanets.readers import CADENCES, Quarter, iter_kepler_quarters


def test_the_bundle_holds_seven_stars_and_says_where_it_is_from():
    import h5py

    stretches = bundle.read_bundle()
    assert {stretch.kic for stretch in stretches} == set(bundle.SIGNALS)
    assert bundle.BUNDLE.stat().st_size < 1_500_000
    for stretch in stretches:
        assert stretch.noise.dtype == np.float32
        assert np.isfinite(stretch.noise).all()
        assert abs(np.median(stretch.noise)) < 0.01
    with h5py.File(bundle.BUNDLE) as file:
        assert "NASA Kepler" in file.attrs["provenance"]
        assert "Public domain" in file.attrs["licence"]


def test_the_bundle_comes_out_the_same_from_the_light_curves(shared, tmp_path):
    # Quarters 0 and 1 of HAT-P-7, which are joined, and one each of three other stars.
    for name in ("010666592-", "010748390-2009259", "008655354-2010078", "010464078-2010174"):
        for file in (shared / "data/kepler/raw").glob(f"*{name}*"):
            (tmp_path / file.name).symlink_to(file)
    bundle.write_bundle(bundle.quiet_stretches(tmp_path), tmp_path / "made.h5")
    kept = {(stretch.kic, stretch.quarter): stretch for stretch in bundle.read_bundle()}
    made = bundle.read_bundle(tmp_path / "made.h5")
    assert len(made) == 4
    for stretch in made:
        same = kept[stretch.kic, stretch.quarter]
        assert stretch.level == same.level
        # Least squares differ in the last bits between processors.
        assert np.abs(stretch.noise - same.noise).max() < 1e-6


def test_the_known_dips_are_gone_from_the_bundle(shared):
    noise = {(s.kic, s.quarter): s.noise for s in bundle.read_bundle()}
    checked = 0
    for quarter in iter_kepler_quarters(shared / "data/kepler/raw"):
        clean = noise.get((quarter.kic, quarter.name))
        signal = bundle.SIGNALS[quarter.kic]
        # The two spotted stars vary by more than their eclipses are deep within hours.
        if clean is None or len(clean) < CADENCES or quarter.kic in (10464078, 10485250):
            continue
        time = np.interp(
            np.arange(len(quarter.time)),
            np.flatnonzero(np.isfinite(quarter.time)),
            quarter.time[np.isfinite(quarter.time)],
        )
        phase = (time - signal.centres[0] + signal.period / 2) % signal.period - signal.period / 2
        before, dips = quarter.flux / np.nanmedian(quarter.flux) - 1, []
        for curve in (before, clean):
            inside = np.abs(phase) < 0.03
            beside = (np.abs(phase) > 0.13) & (np.abs(phase) < 0.3)
            dips.append(np.nanmedian(curve[beside]) - np.nanmedian(curve[inside]))
        assert dips[1] < 0.35 * dips[0]
        checked += 1
    assert checked > 20


def test_written_noise_is_read_back_to_a_tenth_of_its_scatter(tmp_path):
    noise = np.random.default_rng(0).normal(0, 1e-4, 2500).astype(np.float32)
    bundle.write_bundle([bundle.Stretch(12, "2009", 1234.5, noise)], tmp_path / "b.h5")
    (stretch,) = bundle.read_bundle(tmp_path / "b.h5")
    assert (stretch.kic, stretch.quarter, stretch.level) == (12, "2009", 1234.5)
    assert np.abs(stretch.noise - noise).max() < 1e-5


def test_a_gap_is_filled_with_the_trend_and_the_scatter_around_it():
    rng = np.random.default_rng(1)
    n, kic = 2100, 10748390
    flux = 1000 * (1 + 1e-3 * np.linspace(-1, 1, n) + rng.normal(0, 1e-4, n))
    flux[1000:1040] = np.nan
    time = 2000.0 + np.arange(n) * 1e-6  # far from all transits of the star
    quarter = Quarter(kic, "2009", time, flux, np.zeros(n, np.int32), "", "file")
    stretch = bundle.clean(quarter)
    assert stretch.level == pytest.approx(1000, rel=1e-3)
    expected = 1e-3 * np.linspace(-1, 1, n)[1000:1040]
    assert np.mean(stretch.noise[1000:1040] - expected) == pytest.approx(0, abs=1e-4)
    assert np.std(stretch.noise[1000:1040] - expected) == pytest.approx(1e-4, rel=0.5)

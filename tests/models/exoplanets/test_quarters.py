"""Raw quarters: the bundled table, and the search of every star in it."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets import quarters
from models.exoplanets.readers import CADENCE_DAYS


def star(kic, period, seed, *, depth=0.01, epoch=1.0):
    """Two quarters of 40 days with transits of 0.15 days."""
    time = np.concatenate([np.arange(0, 40, CADENCE_DAYS), np.arange(45, 85, CADENCE_DAYS)])
    phase = (time - epoch + period / 2) % period - period / 2
    noise = np.random.default_rng(seed).normal(0, 2e-4, len(time))
    return {
        "kic": np.full(len(time), kic, np.int32),
        "quarter": np.where(time < 42, "first", "second"),
        "disposition": np.full(len(time), "CONFIRMED"),
        "time": time,
        "flux": (5000 * (1 + noise - depth * (np.abs(phase) < 0.075))).astype(np.float32),
        "quality": np.zeros(len(time), np.int32),
    }


def test_the_bundle_holds_the_known_planets_with_columns_of_one_length():
    table = quarters.bundled()
    assert set(table) == {"kic", "quarter", "disposition", "time", "flux", "quality"}
    assert len({len(values) for values in table.values()}) == 1
    assert set(quarters.KNOWN_PERIODS) < set(table["kic"].tolist())
    assert table["quarter"].dtype.kind == table["disposition"].dtype.kind == "U"


def test_a_bundle_written_from_light_curves_is_read_back(shared, tmp_path, monkeypatch):
    (file,) = (shared / "data/kepler/raw").glob("*010748390-2009259*")
    (tmp_path / file.name).symlink_to(file)
    quarters.write_bundle(tmp_path, tmp_path / "made.h5")
    monkeypatch.setattr(quarters, "BUNDLE", tmp_path / "made.h5")
    table, cadences = quarters.bundled(), quarters.cadences(tmp_path)
    assert set(table) == set(cadences)
    for name, values in cadences.items():
        np.testing.assert_array_equal(table[name], values)
    assert table["kic"].tolist() == [10748390] * len(table["kic"])


def test_each_star_is_searched_and_a_known_planet_is_recovered_by_its_period():
    known, (planet, period) = next(iter(quarters.KNOWN_PERIODS.items()))
    other = list(quarters.KNOWN_PERIODS)[1]
    tables = [star(known, period, 0), star(other, 3.3, 1), star(12, 5.0, 2)]
    table = {name: np.concatenate([one[name] for one in tables]) for name in tables[0]}
    results = {result["kic"]: result for result in quarters.search_stars(table, 2.0, 10.0)}
    assert list(results) == sorted([known, other, 12])
    assert results[known]["planet"] == planet
    assert results[known]["recovered"] is True
    assert results[other]["recovered"] is False
    assert "planet" not in results[12]
    assert results[12]["period"] == pytest.approx(5.0, rel=1e-3)
    assert results[12]["verdict"] == "planet candidate"
    assert results[12]["quarters"] == 2
    assert results[12]["disposition"] == "CONFIRMED"

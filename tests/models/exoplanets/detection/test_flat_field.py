"""The drift of K2's telescope, put into a curve and taken out again."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.detection import read_recording
from models.exoplanets.detection.flat_field import self_flat_field
from models.exoplanets.transit_search.planets import find_planets, on_grid
from tests.models.exoplanets.detection.test_recordings import write_fits

STEP = 29.4244 / 1440
TIME = 2000 + np.arange(0, 60, STEP)
SINCE = (TIME - 2000) % 0.245  # six hours from one thruster firing to the next
X = 1.5 * SINCE / 0.245 + 0.01 * np.random.default_rng(1).normal(size=len(TIME))
Y = 0.3 * X**2
PHASE = (TIME - 2001 + 5) % 10 - 5
TRANSITS = -2e-3 * (np.abs(PHASE) < 0.1)
OWN = 1 + 3e-3 * np.sin(TIME / 6) + TRANSITS
NOISE = 1e-4 * np.random.default_rng(0).normal(size=len(TIME))
RAW = 5000 * (OWN + NOISE) * (1 + 0.01 * np.sin(2 * X) - 0.004 * X)


def scatter(flux):
    return 1.4826 * np.median(np.abs(np.diff(flux / np.median(flux)))) / np.sqrt(2)


def test_the_drift_goes_and_transits_stay():
    corrected = self_flat_field(TIME, RAW, X, Y)
    assert scatter(RAW) > 5e-4
    assert scatter(corrected) < 1.5e-4
    flat = corrected / np.median(corrected) / (1 + 3e-3 * np.sin(TIME / 6))
    depth = np.median(flat[np.abs(PHASE) > 0.15]) - np.median(flat[np.abs(PHASE) < 0.09])
    assert depth == pytest.approx(2e-3, rel=0.15)


def test_where_the_place_is_unknown_the_flux_stays():
    x = np.where(TIME < 2010, np.nan, X)
    corrected = self_flat_field(TIME, RAW, x, Y)
    np.testing.assert_array_equal(corrected[TIME < 2009], RAW[TIME < 2009])


def test_a_planet_in_raw_k2_flux_is_found(tmp_path):
    columns = {
        "TIME": TIME, "SAP_FLUX": RAW, "SAP_QUALITY": np.zeros(len(TIME), np.int32),
        "POS_CORR1": X, "POS_CORR2": Y,
    }  # fmt: skip
    file = write_fits(tmp_path / "ktwo201367065-c01_llc.fits", columns, MISSION="K2")
    recording = read_recording("EPIC 201367065", [file])
    assert "the telescope's drift removed by the star's place" in recording.notes[0]
    search = find_planets(*on_grid(recording.arrays["time"], recording.arrays["flux"] - 1))
    candidates = [s for s in search.signals if s.disposition == "planet candidate"]
    assert [s.period.value for s in candidates] == pytest.approx([10.0], rel=1e-3)

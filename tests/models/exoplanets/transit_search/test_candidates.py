"""One star: quarters joined, transits found, verdicts with reasons."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from models.exoplanets.transit_search.boxes import CADENCE_DAYS
from models.exoplanets.transit_search.candidates import Candidate, search, stitch_quarters, verdict
from models.exoplanets.transit_search.detrending import noise

TIME = np.arange(3197) * CADENCE_DAYS


def box(time, period, epoch, duration, depth=1.0):
    phase = (time - epoch + period / 2) % period - period / 2
    return -depth * (np.abs(phase) < duration / 2)


def white(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


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
    candidate = search(time, flux, 2.0, 15.0)
    assert candidate.period == pytest.approx(6.0, rel=1e-3)
    assert candidate.depth == pytest.approx(0.004, rel=0.15)
    assert candidate.duration == pytest.approx(0.2, rel=0.3)
    assert (candidate.epoch + 1.0) % 6.0 == pytest.approx(3.0, abs=0.08)
    assert candidate.depth_error == pytest.approx(candidate.depth / candidate.snr)
    assert verdict(candidate) == ("planet candidate", ())


def test_a_constant_star_is_an_error():
    with pytest.raises(ValueError, match="no scatter to search"):
        search(TIME, np.zeros(3197), 1.0, 10.0)


def test_noise_holds_no_transit():
    decision = verdict(search(TIME, 1e-3 * white(3197, 9), 5.0, 10.0))
    assert decision.disposition == "no transit"
    assert "below 7.1" in decision.reasons[0]


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
    decision = verdict(search(TIME, signal + 2e-4 * white(3197, 10), 5.0, 10.0))
    assert decision.disposition == "false positive"
    assert any(reason in each for each in decision.reasons), decision.reasons


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
    candidate = search(*stitch_quarters(quarters), 0.5, 20.0)
    assert candidate.period == pytest.approx(period, rel=1e-3)
    assert verdict(candidate) == ("planet candidate", ())


def test_a_real_false_positive_is_given_away_by_its_secondary_eclipse(shared):
    quarters = read_quarters(shared / "data" / "kepler" / "raw", "008655354")
    candidate = search(*stitch_quarters(quarters), 6.0, 8.0)
    assert candidate.period == pytest.approx(6.7197, rel=1e-3)
    decision = verdict(candidate)
    assert decision.disposition == "false positive"
    assert "a second dip at phase 0.500" in decision.reasons[0]

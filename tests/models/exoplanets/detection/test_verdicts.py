"""From a light curve to verdicts: features as in training, warnings, error rates, the sheet."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.detection import Recording, TrainedModel, Verdict
from models.evaluation import evaluate
from models.exoplanets.detection import readings, sheet, training_range, verdicts
from models.exoplanets.detection.verdicts import band_power, signals_of
from models.exoplanets.networks import random_forest
from models.exoplanets.readers import to_row
from models.exoplanets.transforms import CADENCES, cnn_channels, spectrum, standardise
from models.exoplanets.transit_search import CADENCE_DAYS, vetting_features
from models.exoplanets.vetting import fit_vetting

EVALUATION = evaluate([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], 0.5, seed=0)
RATES = {"missed": {"value": 0.2, "low": 0.1, "high": 0.3}}


def star(days=70.0, cadence=CADENCE_DAYS, transits=(), files=1, seed=0, name="star"):
    """A recording with boxes of transits: (period, epoch, duration, depth)."""
    time = np.concatenate([k * (days + 5) + np.arange(0, days, cadence) for k in range(files)])
    flux = 1 + 3e-4 * np.random.default_rng(seed).normal(size=len(time))
    for period, epoch, duration, depth in transits:
        phase = (time - epoch + period / 2) % period - period / 2
        flux -= depth * (np.abs(phase) < duration / 2)
    facts = {
        "mission": "Kepler", "zero": 2454833.0, "files": [f"{k}.fits" for k in range(files)],
        "column": "pdcsap_flux", "cadence": cadence * 1440, "span": float(np.ptp(time)),
        "cadences": len(time),
    }  # fmt: skip
    arrays = {
        "time": time,
        "flux": flux,
        "file": np.repeat(np.arange(files), len(time) // files),
    }
    return Recording(name, arrays, facts, ("a note",))


@pytest.fixture(scope="module")
def trained():
    """Curves as those of training, the forest and the vetting model fitted to them, ranges."""
    rng = np.random.default_rng(0)
    flux = rng.normal(size=(40, CADENCES)).astype(np.float32)
    time = np.arange(CADENCES) * CADENCE_DAYS
    label = (np.arange(40) % 2 == 0).astype(np.int8)
    for row in np.flatnonzero(label):
        flux[row] -= 4 * (np.abs((time + row) % 6 - 3) < 0.1)
    curve, spectra = cnn_channels(flux), spectrum(standardise(flux))
    candidates = vetting_features(flux)
    models = {
        "random_forest": TrainedModel(
            "random_forest", random_forest(0).fit(curve[..., 0], label), 0.5, EVALUATION
        ),
        "vetting": TrainedModel("vetting", fit_vetting(candidates, label, seed=0), 0.5, EVALUATION),
    }
    training = {name: array[:34] for name, array in candidates.items()}
    test = {"curve": curve[34:], "label": label[34:]}
    ranges = training_range(training, {"spectrum": spectra[:34]}, test)
    return models, json.loads(json.dumps(ranges))


def by_model(found, model):
    return [verdict for verdict in found if verdict.model == model]


def test_a_window_as_long_as_training_curves_is_read_as_in_training():
    recording = star(days=CADENCES * CADENCE_DAYS)
    flux = recording.arrays["flux"][:CADENCES]
    features = readings(recording, {})
    row = to_row(flux)[np.newaxis]
    np.testing.assert_allclose(features["curve"], cnn_channels(row), atol=1e-5)
    np.testing.assert_allclose(features["spectrum"], spectrum(standardise(row)), atol=1e-2)
    assert features["missing"].tolist() == [0.0]


def test_long_curves_are_cut_short_ones_mirrored_and_other_cadences_resampled():
    features = readings(star(days=90.0, files=2), {})
    assert features["curve"].shape == (4, CADENCES, 2)
    assert features["start"].tolist() == pytest.approx([0, 24.7, 95, 119.7], abs=0.1)
    short = readings(star(days=27.0, cadence=10 / 1440), {})
    assert short["curve"].shape == (1, CADENCES, 2)
    assert short["missing"][0] == pytest.approx(1 - 27 / 65.3, abs=0.01)
    end = round((1 - short["missing"][0]) * CADENCES)
    row = short["curve"][0, :, 0]
    np.testing.assert_array_equal(row[end : end + 50], row[end - 50 : end][::-1])


def test_two_planets_get_a_verdict_each_of_search_and_vetting(trained):
    models, ranges = trained
    recording = star(transits=[(6.0, 1.0, 0.2, 2e-3), (14.3, 3.0, 0.25, 3e-3)])
    features = readings(recording, {})
    found = verdicts(recording, features, models, ranges)
    searched = by_model(found, "search")
    assert [v.label for v in searched] == ["planet candidate"] * 2
    assert all(v.positive and v.score > v.threshold == 7.1 for v in searched)
    assert {v.part for v in searched} == {v.part for v in by_model(found, "vetting")}
    periods = sorted(v.details["period"]["value"] for v in searched)
    assert periods == pytest.approx([6.0, 14.3], rel=1e-3)
    vetted = by_model(found, "vetting")
    assert all(v.score is not None and v.error_rates["missed"] for v in vetted)
    assert len(by_model(found, "random_forest")) == 2  # windows
    assert set(searched[0].error_rates) == {"missed", "false_alarms"}
    again = [Verdict.from_dict(json.loads(json.dumps(v.to_dict()))) for v in found]
    assert [v.part for v in again] == [v.part for v in found]


def test_the_search_is_measured_on_test_curves(trained):
    _, ranges = trained
    assert ranges["search"]["missed"]["value"] == 0
    assert ranges["search"]["false_alarms"]["value"] == 0


def test_a_star_without_transits_gets_one_verdict_that_says_so(trained):
    models, ranges = trained
    recording = star()
    features = readings(recording, {})
    found = verdicts(recording, features, models, ranges)
    [verdict] = by_model(found, "search")
    assert (verdict.part, verdict.label, verdict.positive) == ("whole curve", "no transit", False)
    assert verdict.score < 7.1
    assert by_model(found, "vetting") == []


def test_a_long_period_is_not_judged_by_a_model_that_never_saw_one(trained):
    models, ranges = trained
    recording = star(days=80.0, transits=[(44.0, 10.0, 0.3, 4e-3)])
    [verdict] = by_model(verdicts(recording, readings(recording, {}), models, ranges), "vetting")
    assert (verdict.label, verdict.positive, verdict.score) == ("not judged", None, None)
    assert "period of 44" in verdict.warnings[0]
    assert "trained on 0.5 ... 32.6" in verdict.warnings[0]


def test_curves_unlike_those_of_training_carry_warnings(trained):
    models, ranges = trained
    recording = star(days=27.0, cadence=2 / 1440, transits=[(3.0, 1.0, 0.15, 4e-3)])
    recording.arrays["flux"][:] += 0.05 * np.sin(recording.arrays["time"])
    found = verdicts(recording, readings(recording, {}), models, ranges)
    warnings = "; ".join(by_model(found, "random_forest")[0].warnings)
    assert "cadence of 2 min: trained on 29 ... 29.9 min" in warnings
    assert "length of 27.0 days: trained on 65.3 days, so it was mirrored" in warnings
    assert "unlike the training data" in warnings
    assert "59% of its cadences are made up" in warnings


def test_the_power_of_white_noise_is_the_same_in_all_bands():
    noise = np.random.default_rng(0).normal(size=(4, CADENCES)).astype(np.float32)
    power = band_power(spectrum(noise))
    assert power.shape[1] <= 16
    assert np.ptp(power[:, 6:]) < 0.5


def test_the_sheet_shows_every_signal_and_escapes_names(trained):
    models, ranges = trained
    recording = star(
        days=80.0,
        transits=[(6.0, 1.0, 0.2, 2e-3), (500.0, 33.0, 0.4, 5e-3)],
        name="<b>α</b>",
    )
    features = readings(recording, {})
    found = verdicts(recording, features, models, ranges)
    page = sheet(recording, features, found)
    assert "<b>" not in page.html
    for text in (
        "1 planet candidate, 1 single dip",
        "a note",
        "BJD - 2454833",
        "single dip at day 33.0",
        "seen once: its period is unknown",
        "Take care: ",
        "it missed 0%",
    ):
        assert text in page.html, text
    # Curve and periodogram; folded and single transits; the dip.
    assert len(page.files) == 5
    assert len(signals_of(features)) == 2


def test_the_sheet_of_a_star_without_transits(trained):
    models, ranges = trained
    recording = star()
    features = readings(recording, {})
    page = sheet(recording, features, verdicts(recording, features, models, ranges))
    assert "No transit: nothing is above a signal-to-noise of 7.1" in page.html
    assert len(page.files) == 2

"""From recorded traces to those of training scans: places, times, level, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.buried_objects.detection.geometry import (
    Calibration,
    Gridded,
    calibrate,
    dewowed,
    direct_wave,
    echoes_of,
    level_of,
    line_of,
    stretches_of,
    time_step,
    trained_geometry,
)
from models.buried_objects.features import projected_of, without_background
from models.buried_objects.scans import TIME_STEP, TRACES
from models.buried_objects.simulation import ricker
from models.buried_objects.splits import KNOWN
from models.detection import Recording
from tests.models.buried_objects.detection.radar_files import STEP, late

ALL = np.ones(5, bool)


def recording(traces: Any, *, dt: float = STEP, spacing: float = 0.02, **facts: Any) -> Recording:
    values = np.asarray(traces)
    usable = np.isfinite(values.astype(float)).all(axis=1)
    stated = {"dt": dt, "instrument": False, "permittivity": None, "offset": None, **facts}
    place = spacing * np.arange(len(values))
    return Recording("line", {"traces": values, "position": place, "usable": usable}, stated)


# along the line ---------------------------------------------------------------------------------


def weights(position: Any, usable: Any = None) -> Any:
    places = np.asarray(position, float)
    return line_of(places, np.ones(len(places), bool) if usable is None else usable)


def test_traces_at_the_trained_spacing_stay_as_they_are() -> None:
    line = weights(3.1 + 0.02 * np.arange(5))
    assert (line.weights.toarray() == np.eye(5)).all()
    assert line.position == pytest.approx([3.10, 3.12, 3.14, 3.16, 3.18])
    assert line.known.all()
    unknown = weights(np.full(5, np.nan))
    assert (unknown.weights.toarray() == np.eye(5)).all()
    assert unknown.position == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])


def test_wider_ones_are_interpolated() -> None:
    line = weights([0, 0.04, 0.09])
    half, fifth = [0, 0.6, 0.4], [0, 0.2, 0.8]
    wanted = [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], half, fifth]
    assert line.weights.toarray() == pytest.approx(np.array(wanted), abs=1e-6)
    assert line.recorded(1, 1) == (0, 1)
    assert line.recorded(2, 4) == (1, 2)


def test_closer_ones_are_averaged() -> None:
    """Those within 1 cm: at 2 cm, of traces every 5 mm, the ones from 15 to 30 mm."""
    line = weights(0.005 * np.arange(9))
    rows = line.weights.toarray()
    assert len(line.position) == 3
    assert np.flatnonzero(rows[0]).tolist() == [0, 1, 2]
    assert np.flatnonzero(rows[1]).tolist() == [3, 4, 5, 6]
    assert rows[1].max() == pytest.approx(0.25)
    assert rows.sum(axis=1) == pytest.approx([1, 1, 1])


def test_a_line_walked_backwards_is_turned_round() -> None:
    line = weights([0.06, 0.04, 0.02, 0.0])
    assert line.position == pytest.approx([0, 0.02, 0.04, 0.06])
    assert (line.weights.toarray() == np.eye(4)[::-1]).all()


def test_traces_taken_twice_at_a_place_count_once() -> None:
    line = weights([0, 0.02, 0.02, 0.04])
    assert line.weights.toarray().sum(axis=1) == pytest.approx([1, 1, 1])


def test_a_single_trace_that_is_missing_is_interpolated_and_a_gap_is_not_known() -> None:
    usable = np.ones(12, bool)
    usable[2] = usable[6:10] = False
    line = weights(0.02 * np.arange(12), usable)
    assert line.weights.toarray()[2] == pytest.approx([0, 0.5, 0, 0.5] + [0] * 8, abs=1e-6)
    assert np.flatnonzero(~line.known).tolist() == [6, 7, 8, 9]


# in time ----------------------------------------------------------------------------------------


def test_the_step_of_traces_that_hold_the_study_s_window() -> None:
    assert time_step(10_057) == TIME_STEP
    assert time_step(503) == 20 * TIME_STEP


def test_samples_are_shifted_interpolated_and_silent_beyond_the_recording() -> None:
    ramp = np.tile(np.arange(300.0), (2, 1))
    found = recording(ramp, dt=2 * STEP)
    gridded = Gridded(found, line_of(found.arrays["position"], ALL[:2]), 503)
    assert gridded[0:1][0, :5] == pytest.approx([0, 0.5, 1, 1.5, 2])
    assert gridded.covered.all()
    how = Calibration(shift=-4 * STEP, factor=10)
    shifted = Gridded(found, line_of(found.arrays["position"], ALL[:2]), 503, how)
    assert shifted[0:1][0, :7] == pytest.approx([0, 0, 0, 0, 0, 5, 10])
    assert np.flatnonzero(~shifted.covered).tolist() == [0, 1, 2, 3]
    short = recording(ramp[:, :100])
    gridded = Gridded(short, line_of(short.arrays["position"], ALL[:2]), 503)
    assert gridded[0:2][:, 99:101].tolist() == [[99, 0]] * 2
    assert gridded.covered.sum() == 100


def test_traces_of_the_trained_grid_stay_exactly_as_they_are(metal: Any) -> None:
    found = recording(metal)
    gridded = Gridded(found, line_of(found.arrays["position"], np.ones(144, bool)), 503)
    assert gridded[0:144] == pytest.approx(metal, rel=1e-6)
    assert gridded[10:12].shape == (2, 503)


def test_dewow_takes_the_drift_and_leaves_the_wave() -> None:
    time = np.arange(500) * STEP
    wave = ricker(time - 20e-9, 500e6)
    drift = 3 + 4 * np.sin(time / 40e-9)
    [left] = dewowed((wave + drift)[None].astype(np.float32), 51)  # 6 ns, three periods
    assert np.abs(left[30:-30]).max() == pytest.approx(wave.max(), rel=0.1)
    assert np.abs(left[260:470]).max() < 0.05


# without background -----------------------------------------------------------------------------


def test_a_scan_as_long_as_those_of_training_loses_their_background(metal: Any) -> None:
    [(rows, echoes)] = echoes_of(metal, around=25)
    assert rows == slice(0, 144)
    assert echoes == pytest.approx(without_background(metal), abs=1e-3)


def test_along_a_line_the_background_is_that_of_the_144_traces_around() -> None:
    line = np.cumsum(np.ones((600, 20), np.float32), axis=0)  # trace k holds k + 1
    blocks = list(echoes_of(line))
    assert [rows.stop - rows.start for rows, _ in blocks] == [256, 256, 88]
    echoes = np.concatenate([block for _, block in blocks])[:, 0]
    # In the middle traces k - 72 to k + 71, whose mean is half a trace behind.
    assert echoes[72:528] == pytest.approx(0.5)
    assert echoes[0] == 1 - (1 + TRACES) / 2
    assert echoes[-1] == 600 - (457 + 600) / 2
    [_, (rows, more), _] = list(echoes_of(line, around=25))
    assert (rows, len(more)) == (slice(256, 512), 306)
    assert more[:, 0] == pytest.approx(echoes[231:537])


# what is measured -------------------------------------------------------------------------------


def test_the_direct_wave_has_a_frequency_and_a_beginning() -> None:
    time = np.arange(600) * 1e-10
    frequency, begin = direct_wave(7 + 3 * ricker(time - 10e-9, 400e6), 1e-10)
    # The centre of a Ricker wavelet's power is 1.06 of its peak (2 f / sqrt(pi) x 15 / 16).
    assert frequency == pytest.approx(1.06 * 400e6, rel=0.02)
    # It passes 5 % of its height 0.73 periods before its peak, sqrt(2) periods after 10 ns.
    assert begin == pytest.approx(10e-9 + (2**0.5 - 0.73) / 400e6, abs=1.1e-10)
    assert direct_wave(np.full(600, 3.0), 1e-10) == (0, 0)


def test_the_level_is_that_of_the_strongest_late_echoes() -> None:
    echoes = np.zeros((100, 503), np.float32)
    echoes[:, :59] = 1000  # before 7 ns
    echoes[:3] = 5
    assert level_of(echoes, np.ones(503, bool)) == 5
    echoes[1:3] = 0
    assert level_of(echoes, np.ones(503, bool)) == 0


def test_stretches_of_a_raw_trace_in_powers_of_ten() -> None:
    traces = np.zeros((1, 160), np.float32)
    traces[0, :10], traces[0, 150:] = 10, -0.01
    [found] = stretches_of(traces)
    assert found[[0, 15]] == pytest.approx([1, -2])
    assert np.isnan(found[1:15]).all()


def test_training_scans_are_measured(stored: Any, metal: Any, water: Any) -> None:
    training = {"ez": np.concatenate([metal, water]), "scan": np.repeat([0, 2], 144)}
    found = trained_geometry(training, stored["scaling"]["gain"])
    assert found["samples"] == 503
    rms = sorted(float(np.sqrt(np.mean(scan.astype(float) ** 2))) for scan in (metal, water))
    assert found["rms"] == pytest.approx([rms[0], np.mean(rms), rms[1]])
    assert 0.8 < found["first_break"] < 1.05
    assert found["frequency"][0] == pytest.approx(1.2 * 400e6, rel=0.1)


def calibrated(found: Recording, stored: Any) -> Calibration:
    line = line_of(found.arrays["position"], found.arrays["usable"])
    gain = stored["scaling"]["gain"]
    return calibrate(found, line, gain, stored["training_range"]["geometry"])


def test_a_field_in_volts_per_metre_is_left_as_it_is(stored: Any, metal: Any) -> None:
    how = calibrated(recording(metal), stored)
    assert (how.shift, how.wow, how.factor, how.moveout) == (0, 0, 1, 0)
    assert how.frequency == pytest.approx(1.2 * 450e6, rel=0.1)
    # The current's peak comes sqrt(2) periods after time zero, that of its wave little later.
    assert 2**0.5 < how.direct * 450e6 < 1.7


def test_another_unit_gets_the_level_of_training_scans(stored: Any, metal: Any) -> None:
    plain, scaled = (calibrated(recording(k * metal), stored) for k in (1, 1000))
    level = stored["training_range"]["geometry"]["level"][1]
    assert scaled.level == pytest.approx(1000 * plain.level, rel=1e-4)
    assert scaled.factor == pytest.approx(level / scaled.level, rel=1e-4)


@pytest.mark.parametrize("by", [10, 40])
def test_an_instrument_s_time_zero_is_put_where_training_has_it(
    stored: Any, metal: Any, by: int
) -> None:
    counts = np.rint(10 * late(metal, by)).astype(np.int16)
    how = calibrated(recording(counts, instrument=True), stored)
    assert how.shift == pytest.approx(by * STEP, abs=2.5e-10)
    assert how.wow == pytest.approx(3 / how.frequency)


def test_a_gather_has_moveout_and_a_profile_has_none(stored: Any, metal: Any) -> None:
    gather = np.stack([np.roll(trace, 2 * k) for k, trace in enumerate(metal)])
    how = calibrated(recording(gather), stored)
    assert how.moveout == pytest.approx(2 * 144 * STEP * 19 / 20, rel=0.05)
    assert calibrated(recording(gather[::-1]), stored).moveout == how.moveout


def test_without_a_direct_wave_time_is_left_as_recorded(stored: Any, metal: Any) -> None:
    counts = np.rint(100 * without_background(late(metal, 40))).astype(np.int16)
    how = calibrated(recording(counts, instrument=True), stored)
    assert (how.shift, how.direct) == (0, 0)
    # The echo's centre, and not that of noise.
    assert how.frequency == pytest.approx(1.2 * 450e6, rel=0.25)


def test_the_features_of_a_training_scan_are_those_of_training(stored: Any, metal: Any) -> None:
    from models.buried_objects.detection import readings

    features = readings(recording(metal), stored)
    examples = {"ez": metal, **dict.fromkeys(KNOWN, np.zeros(144, np.int32))}
    [block] = projected_of(examples, stored["scaling"]["gain"])
    assert features["projected"] == pytest.approx(block["values"], abs=1e-4)

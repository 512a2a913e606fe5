"""Spans and depths in scans of every format, and what is warned of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.buried_objects.detection import (
    group_files,
    read_recording,
    readings,
    sheet,
    verdicts,
)
from models.buried_objects.features import without_background
from models.buried_objects.simulation import draw_scene, simulate_scan
from models.detection import Verdict
from tests.models.buried_objects.detection.conftest import METAL, Band, Raw, model
from tests.models.buried_objects.detection.radar_files import (
    STEP,
    late,
    write_csv,
    write_dt1,
    write_dzt,
    write_npz,
    write_output,
)

GPR = Path(__file__).parents[5] / "shared" / "data" / "gpr"
UPGRADE = {"upgrade": model("upgrade", Band())}
SAID = {"dt": STEP, "spacing": 0.02, "permittivity": 6.0}
CENTRE = 1.44
"""Of the cylinder, metres from the middle of the antennas at the first trace."""

TOP = METAL.depth - METAL.radius + METAL.height / 6**0.5
"""Metres of ground down to its top; the air under the antennas is as long as less ground."""


def judge(path: Any, stored: Any, models: Any = UPGRADE) -> list[Verdict]:
    [(name, files)] = group_files([path]).items()
    recording = read_recording(name, files)
    return verdicts(recording, readings(recording, stored), models, stored["training_range"])


def written(folder: Path, form: str, scan: Any) -> Path:
    """Write a scan in a format, with a time zero of its own where that is usual."""
    folder.mkdir(exist_ok=True)
    growing = (scan * np.exp(3 * np.linspace(0, 1, scan.shape[1]))).astype(np.float32)
    if form == "gprMax merged":
        return write_output(folder / "scan_merged.out", scan.T, steps=0.02)
    if form == "gprMax traces":
        for k, trace in enumerate(scan):
            write_output(folder / f"trace{k + 1}.h5", trace, place=0.08 + 0.02 * k)
        return folder
    if form == "csv":
        return write_csv(folder / "scan.csv", scan, **SAID)
    if form == "npz":
        return write_npz(folder / "scan.npz", scan, **SAID)
    if form == "npy":
        np.save(folder / "scan.npy", scan)
        return folder / "scan.npy"
    if form == "DZT 32, two channels, gain":
        return write_dzt(folder / "scan.DZT", late(growing, 40), bits=32, channels=2)
    if form == "DZT, a trace a cm":
        twice = np.repeat(late(scan, 40), 2, axis=0)
        return write_dzt(folder / "scan.DZT", twice, per_metre=100)
    if form.startswith("DZT"):
        return write_dzt(folder / "scan.DZT", late(scan, 40), bits=int(form.split()[1]))
    return write_dt1(folder / "scan.DT1", late(scan, 25))[0]


FORMS = (
    *("gprMax merged", "gprMax traces", "csv", "npz", "npy", "DZT 8", "DZT 16"),
    *("DZT 32, two channels, gain", "DZT, a trace a cm", "DT1"),
)


@pytest.mark.parametrize("form", FORMS)
def test_an_object_is_found_in_its_place_and_depth(
    tmp_path: Path, stored: Any, metal: Any, form: str
) -> None:
    """The stand-in scores by the echo above the object, 0.3 m wide, which is symmetric about it."""
    found = judge(written(tmp_path / "a scan ü", form, metal), stored)
    [best] = [v for v in found if v.details["start"] < CENTRE < v.details["stop"]]
    assert (best.label, best.positive) == ("over an object", True)
    middle = (best.details["start"] + best.details["stop"]) / 2
    assert 0.2 < best.details["stop"] - best.details["start"] < 0.5
    assert middle == pytest.approx(CENTRE, abs=0.05)
    assert best.details["apex"] == pytest.approx(CENTRE, abs=0.03)
    assert best.details["depth"] == pytest.approx(TOP, abs=0.04)
    assert best.details["depth_low"] < TOP < best.details["depth_high"]
    assert best.error_rates["missed"]["value"] == pytest.approx(2 / 3)
    first, last = best.details["traces"]
    share = 2 if form == "DZT, a trace a cm" else 1
    assert (first + last) / 2 == pytest.approx(share * (CENTRE / 0.02 + 1), abs=3 * share)


def test_the_top_of_a_pipe_is_found_though_its_bottom_echoes_louder(
    tmp_path: Path, stored: Any, water: Any
) -> None:
    """The pipe's top lies at 1.30 m, under 0.10 m of air; its inner bottom sounds like 2.6 m."""
    models = {"upgrade": model("upgrade", Band(25, 27))}
    found = judge(write_npz(tmp_path / "a.npz", water, **SAID), stored, models)
    depths = [v.details["depth"] for v in found if v.details["start"] < CENTRE < v.details["stop"]]
    assert depths == [pytest.approx(1.3 + 0.1 / 6**0.5, abs=0.05)]


def test_a_training_scan_brings_no_warning(tmp_path: Path, stored: Any) -> None:
    scan = simulate_scan(draw_scene(3, 7))
    models = {"upgrade": model("upgrade", Band(), 1.01, low=1.01)}
    [verdict] = judge(write_npz(tmp_path / "a.npz", scan, **SAID), stored, models)
    assert verdict.warnings == ()


@pytest.mark.parametrize(
    ("said", "scan", "warning"),
    [
        ({"spacing": 0.05}, {}, "trace spacing of 0.05 m: trained on 0.02 m"),
        ({"dt": 2 * STEP}, {}, "sample interval of 238.7 ps: trained on 119.3 ps"),
        ({"dt": 2 * STEP}, {}, "time window of 120.1 ns: trained on 60 ns, the rest is cut off"),
        ({}, {"samples": 250}, "time window of 29.83 ns: trained on 60 ns, the rest is taken as"),
        ({"dt": 4 * STEP}, {}, "radar frequency of 1"),
        ({"permittivity": 12}, {}, "relative permittivity of 12: trained on 5 ... 7"),
        ({}, {"traces": 60}, "length of 1.20 m: models read windows of 2 m, the rest is taken as"),
    ],
)
def test_what_lies_outside_training_is_warned_of(
    tmp_path: Path, stored: Any, metal: Any, said: Any, scan: Any, warning: str
) -> None:
    values = metal[: scan.get("traces"), : scan.get("samples")]
    found = judge(write_npz(tmp_path / "a.npz", values, **(SAID | said)), stored)
    for verdict in found:
        assert [w for w in verdict.warnings if w.startswith(warning)], verdict.warnings


def test_an_amplitude_outside_training_is_warned_of(
    tmp_path: Path, stored: Any, metal: Any
) -> None:
    found = judge(write_npz(tmp_path / "a.npz", 1e4 * metal, **SAID), stored)
    [warning] = [w for w in found[0].warnings if w.startswith("amplitude")]
    assert warning.startswith("amplitude in another unit: multiplied by ")
    assert warning.endswith("where there is none, false alarms are likelier")
    # Of a scan in V/m, echoes weaker than those of every training scan.
    weak = metal.mean(axis=0) + 1e-5 * (metal - metal.mean(axis=0))
    found = judge(write_npz(tmp_path / "b.npz", weak, **SAID), stored)
    [warning] = [w for w in found[0].warnings if w.startswith("amplitude")]
    assert warning.startswith("amplitude of the echoes of 0: trained on ")


def test_unknown_spacing_gives_traces_and_a_warning(
    tmp_path: Path, stored: Any, metal: Any
) -> None:
    np.save(tmp_path / "a.npy", metal)
    found = judge(tmp_path / "a.npy", stored)
    assert all(verdict.part.startswith("trace") for verdict in found)
    assert "trace spacing unknown: 0.02 m is taken, as in training" in found[0].warnings


def test_a_survey_that_is_no_profile_is_warned_of(tmp_path: Path, stored: Any, metal: Any) -> None:
    found = judge(write_dt1(tmp_path / "a.DT1", metal, mode="CMP")[0], stored)
    assert "survey mode CMP: trained on antennas side by side along the line" in found[0].warnings
    gather = np.stack([np.roll(trace, 2 * k) for k, trace in enumerate(metal)])
    found = judge(write_npz(tmp_path / "b.npz", gather, **SAID), stored)
    [warning] = [w for w in found[0].warnings if w.startswith("moveout: the direct wave arrives 3")]
    assert warning.endswith("as in a CMP or WARR gather, which is no profile")


def test_a_line_without_its_direct_wave_is_warned_of(
    tmp_path: Path, stored: Any, metal: Any
) -> None:
    found = judge(write_dzt(tmp_path / "a.DZT", without_background(metal)), stored)
    warning = "no direct wave: time zero is taken as recorded, and depths count from it"
    assert warning in found[0].warnings


def test_traces_unlike_all_of_training_are_warned_of_with_their_distance(
    tmp_path: Path, stored: Any, metal: Any
) -> None:
    loud = metal.copy()
    loud[:, 150:250] += 30 * np.random.default_rng(0).normal(size=(144, 100)).astype(np.float32)
    models = {**UPGRADE, "rnn1": model("rnn1", Raw(100, 503), 0.9)}
    found = judge(write_npz(tmp_path / "a.npz", loud, **SAID), stored, models)
    [first, *_] = [v for v in found if v.model == "upgrade"]
    [warning] = [w for w in first.warnings if w.startswith("unlike the training data: its feat")]
    assert "its echoes at " in warning
    [raw] = [v for v in found if v.model == "rnn1"]
    assert any("its field at " in warning for warning in raw.warnings)


def test_a_line_without_an_object_has_one_verdict(tmp_path: Path, stored: Any, metal: Any) -> None:
    models = {"upgrade": model("upgrade", Band(), 1.01, low=1.01)}
    [verdict] = judge(write_npz(tmp_path / "a.npz", metal, **SAID), stored, models)
    assert (verdict.label, verdict.positive, verdict.threshold) == ("no object", False, 1.01)
    assert verdict.part.startswith("whole line, highest at ")
    assert 0 < verdict.score <= 1


@pytest.mark.parametrize("shape", [(100, 503), (100, 503, 1)])
def test_the_study_s_networks_read_the_raw_traces(
    tmp_path: Path, stored: Any, metal: Any, shape: tuple[int, ...]
) -> None:
    models = {"rnn1": model("rnn1", Raw(*shape), 0.001, low=0.001, median=1)}
    [verdict] = judge(write_npz(tmp_path / "a.npz", metal, **SAID), stored, models)
    power = np.square(metal, dtype=float).mean(axis=1)
    assert verdict.score == pytest.approx((power / (power + 1e4)).max(), rel=1e-4)
    assert len(verdict.details["profile"]) == 144
    assert verdict.part == "-0.01 to 2.87 m"


def test_a_gap_is_never_over_an_object_and_splits_a_span(
    tmp_path: Path, stored: Any, metal: Any
) -> None:
    scan = metal.copy()
    scan[70:76] = np.nan
    models = {"rnn1": model("rnn1", Raw(100, 503), 0.001, low=0.001)}
    first, second = judge(write_npz(tmp_path / "a.npz", scan, **SAID), stored, models)
    assert first.part == "-0.01 to 1.39 m"
    assert second.part == "1.51 to 2.87 m"


def test_a_long_line_is_searched_in_all_its_length(tmp_path: Path, stored: Any, metal: Any) -> None:
    """Three scans one after the other: the object comes every 2.88 m."""
    models = {"upgrade": model("upgrade", Band(least=4.0))}
    found = judge(write_npz(tmp_path / "a.npz", np.tile(metal, (3, 1)), **SAID), stored, models)
    for place in (CENTRE, CENTRE + 2.88, CENTRE + 5.76):
        [own] = [v for v in found if v.details["start"] < place < v.details["stop"]]
        assert own.details["apex"] == pytest.approx(place, abs=0.04)
        assert own.details["depth"] == pytest.approx(TOP, abs=0.04)


def test_verdicts_are_json_and_the_sheet_has_spans_scores_depths_and_processing(
    tmp_path: Path, stored: Any, metal: Any
) -> None:
    path = write_dzt(tmp_path / "Weg <1>.DZT", late(metal, 40))
    [(name, files)] = group_files([path]).items()
    recording = read_recording(name, files)
    features = readings(recording, stored)
    models = {**UPGRADE, "rnn1": model("rnn1", Raw(100, 503), 0.9)}
    found = verdicts(recording, features, models, stored["training_range"])
    again = [Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) for verdict in found]
    assert again == found
    page = sheet(recording, features, found)
    assert "<h1>Buried objects below Weg &lt;1&gt;</h1>" in page.html
    for text in (
        "over an object, says upgrade",
        "dewowed over",
        "direct wave centred on",
        "nominal 400 MHz",
        "0.122 m/ns, from a relative permittivity of 6 as stated",
        "Take care: amplitude in another unit",
    ):
        assert text in page.html, text
    spans = sum(verdict.positive and verdict.model == "upgrade" for verdict in found)
    assert page.html.count("<img") == 1 + min(spans, 6)
    nothing = verdicts(
        recording, features, {"rnn1": model("rnn1", Raw(100, 503), 0.9)}, stored["training_range"]
    )
    page = sheet(recording, features, nothing)
    assert "No object: no trace of 2.88 m reaches the threshold of rnn1, 0.9;" in page.html


@pytest.mark.skipif(not GPR.is_dir(), reason="the shared radar profiles are not here")
def test_real_profiles_are_read_levelled_and_warned_of(stored: Any) -> None:
    groups = group_files([GPR])
    assert set(groups) == {"GSSI FILE____032", "SnS ComOffs XLINE00", "SnS WARR XLINE00"}
    warned = {}
    for name, files in groups.items():
        recording = read_recording(name, files)
        features = readings(recording, stored)
        found = verdicts(recording, features, UPGRADE, stored["training_range"])
        warned[name] = {w.partition(" of ")[0].partition(":")[0] for w in found[0].warnings}
    common = {"time window", "amplitude in another unit"}
    assert warned["GSSI FILE____032"] - {"unlike the training data", "radar frequency"} == common
    coarse = common | {"radar frequency", "sample interval", "trace spacing"}
    assert warned["SnS ComOffs XLINE00"] - {"unlike the training data"} == coarse
    assert warned["SnS WARR XLINE00"] - {"unlike the training data"} == coarse | {"moveout"}

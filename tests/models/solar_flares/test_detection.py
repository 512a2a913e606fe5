"""Forecasts for new recordings: what is read, cut, scaled and said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.detection import TrainedModel, Verdict
from models.errors import BadInput
from models.evaluation import evaluate
from models.metrics import reliability
from models.scaling import Scaling
from models.solar_flares.detection import (
    group_files,
    read_recording,
    readings,
    sheet,
    training_range,
    verdicts,
)
from models.solar_flares.features import sequences
from models.solar_flares.json_lines import to_json_line
from models.solar_flares.records import PARAMETERS, SAMPLES

START = datetime(2014, 2, 3, 17, tzinfo=UTC)
SWAN_SF = Path(__file__).parents[4] / "shared" / "data" / "solar_flares" / "swan_sf"


def series(
    path: Path,
    samples: int,
    *,
    start: datetime = START,
    minutes: float = 12,
    columns: Sequence[str] = PARAMETERS,
    separator: str = ",",
) -> Path:
    """Write a series whose parameters rise by 1 a sample, from their place in the table."""
    lines = [separator.join(["Timestamp", *columns])]
    for sample in range(samples):
        moment = (start + timedelta(minutes=minutes * sample)).strftime("%Y-%m-%d %H:%M:%S")
        values = [str(PARAMETERS.index(name) + sample) for name in columns]
        lines.append(separator.join([moment, *values]))
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path) -> Any:
    return read_recording("region", [path])


SCALING = Scaling(np.full(25, 10.0), np.full(25, 2.0), np.full(25, 9)).to_dict()


class Upgrade:
    """Stands for the classifier: scores by the first statistic, the mean of TOTUSJH."""

    def predict_proba(self, values: Any) -> Any:
        score = 1 / (1 + np.exp(-values[:, 0].astype(float)))
        return np.stack([1 - score, score], axis=1)


class Network:
    """Stands for a network: as far as it goes, the last sample of TOTUSJH."""

    def __init__(self, *shape: int) -> None:
        self.input_shape = (None, *shape)

    def predict_on_batch(self, x: Any) -> Any:
        return np.asarray(x)[:, -1, :1] / 100


def model(name: str, fitted: Any, threshold: float = 0.5) -> TrainedModel:
    labels, scores = np.array([0, 0, 1, 1, 1]), np.array([0.05, 0.62, 0.07, 0.65, 0.9])
    evaluation = evaluate(labels, scores, threshold, seed=0)
    evaluation = evaluation.with_details(reliability=reliability(labels, scores))
    return TrainedModel(name, fitted, threshold, evaluation)


def ranges() -> dict[str, Any]:
    values = np.random.default_rng(0).normal(0, 1, (500, 200))
    return training_range({"values": values})


def test_windows_are_an_hour_apart_and_the_last_one_ends_with_the_series(tmp_path: Path) -> None:
    recording = read(series(tmp_path / "region.csv", 68))
    assert recording.arrays["windows"].shape == (3, SAMPLES, 25)
    assert recording.arrays["windows"][:, 0, 0].tolist() == [0, 5, 8]
    assert recording.arrays["windows"][1, :, 24].tolist() == list(range(29, 89))
    assert recording.arrays["id"].tolist() == [
        "2014-02-04 04:48",
        "2014-02-04 05:48",
        "2014-02-04 06:24",
    ]
    assert recording.notes == ()


def test_series_of_a_patch_are_put_together(tmp_path: Path) -> None:
    first = series(tmp_path / "lab[M]1_id[12]_st[a]_et[b].csv", 60, separator="\t")
    later = START + timedelta(hours=10)
    second = series(tmp_path / "lab[M]1_id[12]_st[c]_et[d].csv", 60, start=later, separator="\t")
    other = series(tmp_path / "AR 11944 größer.csv", 60)
    groups = group_files([tmp_path])
    assert groups == {"AR 11944 größer": (other,), "HARP12": (first, second)}
    recording = read_recording("HARP12", groups["HARP12"])
    assert len(recording.arrays["windows"]) == 11
    assert recording.arrays["end"][-1] == (later + timedelta(minutes=708)).timestamp()


def test_a_gap_is_missing_and_windows_within_it_are_left_out(tmp_path: Path) -> None:
    path = series(tmp_path / "region.csv", 300)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:81], *lines[201:]]))  # 80 samples, a gap of 120, 100 more
    recording = read(path)
    missing = np.isnan(recording.arrays["windows"]).mean(axis=(1, 2))
    assert missing[0] == 0
    assert missing.max() < 1
    assert recording.notes == ("13 windows lie in a gap and are left out.",)


def test_a_short_series_ends_its_one_window(tmp_path: Path) -> None:
    recording = read(series(tmp_path / "region.csv", 20))
    [window] = recording.arrays["windows"]
    assert np.isnan(window[:40]).all()
    assert window[40:, 0].tolist() == list(range(20))
    assert recording.arrays["id"].tolist() == ["2014-02-03 20:48"]
    assert recording.notes == ("20 samples are fewer than 60: the rest is missing.",)
    found = verdicts(
        recording, readings(recording, {"scaling": SCALING}), {"u": model("u", Upgrade())}, ranges()
    )
    assert "67% of its samples are missing" in found[0].warnings


def test_another_cadence_is_put_on_the_grid_and_warned_of(tmp_path: Path) -> None:
    recording = read(series(tmp_path / "region.csv", 119, minutes=6))
    assert recording.arrays["windows"].shape == (1, SAMPLES, 25)
    assert recording.notes == ("A sample every 6 min was put on a grid of 12 min.",)
    found = verdicts(
        recording, readings(recording, {"scaling": SCALING}), {"u": model("u", Upgrade())}, ranges()
    )
    assert found[0].warnings[0] == "cadence of 6 min: trained on 11.98 ... 12.02 min"


def test_times_as_jsoc_writes_them(tmp_path: Path) -> None:
    path = series(tmp_path / "region.csv", 60)
    text = path.read_text().replace("Timestamp", "T_REC").replace("2014-02-0", "2014.02.0")
    path.write_text("\n".join(line.replace(" ", "_", 1) for line in text.splitlines()))
    assert read(path).arrays["id"].tolist() == ["2014-02-04 04:48"]


def test_records_as_json_lines(tmp_path: Path) -> None:
    values = np.arange(2 * 60 * 25, dtype=np.float32).reshape(2, 60, 25)
    block = {"values": values, "label": np.array([0, 1]), "id": np.array(["7", "x8"])}
    path = tmp_path / "new.json"
    path.write_text("".join(to_json_line(block, row) for row in range(2)))
    assert group_files([path]) == {"new": (path,)}
    recording = read(path)
    assert (recording.arrays["windows"] == values).all()
    assert recording.arrays["id"].tolist() == ["7", "x8"]
    found = verdicts(
        recording, readings(recording, {"scaling": SCALING}), {"u": model("u", Upgrade())}, ranges()
    )
    assert [verdict.part for verdict in found] == ["24 h after 7", "24 h after x8"]
    assert sheet(recording, {}, found).html.startswith("<!doctype html>")


def test_features_are_those_of_training(tmp_path: Path) -> None:
    path = series(tmp_path / "region.csv", 60)
    path.write_text(path.read_text().replace(",20,", ",,", 1))  # a missing sample
    recording = read(path)
    features = readings(recording, {"scaling": SCALING})
    scaled = Scaling.from_dict(SCALING).standardise(recording.arrays["windows"])
    assert (features["sequences"] == sequences({"values": scaled})["values"]).all()
    assert features["statistics"].shape == (1, 200)
    assert features["missing"] == pytest.approx([1 / 1500])


def test_every_model_forecasts_every_window(tmp_path: Path) -> None:
    recording = read(series(tmp_path / "region.csv", 68))
    features = readings(recording, {"scaling": SCALING})
    models = {
        "sequence": model("sequence", Network(60, 25), threshold=0.26),
        "step": model("step", Network(1, 25)),
        "window": model("window", Network(100, 26)),
        "upgrade": model("upgrade", Upgrade()),
    }
    found = verdicts(recording, features, models, ranges())
    by_model = {name: [v for v in found if v.model == name] for name in models}
    # The last sample of TOTUSJH is 59, 64, 67; scaled (59 - 10) / 2 = 24.5; the network gives 1 %.
    assert [v.score for v in by_model["sequence"]] == pytest.approx([0.245, 0.27, 0.285])
    assert [v.positive for v in by_model["sequence"]] == [False, True, True]
    assert by_model["sequence"][1].label == "flare of class M or X"
    assert [v.score for v in by_model["step"]] == pytest.approx([0.245, 0.27, 0.285])
    [unable] = by_model["window"]
    assert (unable.label, unable.positive) == ("no forecast: this network reads labels", None)
    assert by_model["upgrade"][0].error_rates["missed"]["value"] == pytest.approx(1 / 3)
    assert by_model["upgrade"][0].threshold == 0.5


def test_a_calibrated_forecast_says_how_often_its_like_came_true(tmp_path: Path) -> None:
    recording = read(series(tmp_path / "region.csv", 60))
    features = {
        "sequences": np.zeros((1, 60, 25)),
        "statistics": np.full((1, 200), np.log(0.64 / 0.36)),
        "missing": np.zeros(1),
    }
    [verdict] = verdicts(recording, features, {"upgrade": model("upgrade", Upgrade())}, ranges())
    assert verdict.score == pytest.approx(0.64)
    # Test forecasts of 0.6 ... 0.7: 0.62 without a flare, 0.65 with one.
    assert verdict.details["observed"] == 0.5
    assert verdict.details["observed count"] == 2
    page = sheet(recording, features, [verdict])
    assert "64 % within 24 hours after 2014-02-04 04:48 (upgrade)." in page.html
    assert "Of test forecasts like this, 50 % came true [1 %, 99 %]." in page.html


def test_a_region_unlike_the_training_regions_is_warned_of(tmp_path: Path) -> None:
    recording = read(series(tmp_path / "region.csv", 60))
    features = readings(recording, {"scaling": SCALING})
    features["statistics"] = np.full((1, 200), 40.0)
    [verdict] = verdicts(recording, features, {"upgrade": model("upgrade", Upgrade())}, ranges())
    assert verdict.warnings[0].startswith("unlike the training data: its features lie ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty; expected a series of one region, or records as JSON lines."),
        (b"\xff\xfe\x00Timestamp", "it is no text table ('utf-8' codec can't decode byte 0xff"),
        (b"a,b\n1,2\n", "it has no column of times; expected a column Timestamp, such as"),
        (b"Timestamp,b\n1,2\n", "it lacks 25 of the 25 parameters, TOTUSJH among them; expected"),
        (b"{}\n", None),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, message: str | None) -> None:
    path = tmp_path / ("records.json" if message is None else "region.csv")
    path.write_bytes(content)
    with pytest.raises(BadInput) as error:
        read(path)
    assert str(error.value).startswith(f"{path}")
    assert message is None or message in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",20,", ",twenty,", "row 1, column TOTFX: 'twenty' is not a finite number"),
        ("2014-02-03 17:12:00", "noon", "row 2, column Timestamp: 'noon' is no time"),
        (",24\n", ",1e300\n", "row 1, column XR_MAX: '1e300' is not a finite number"),
        ("2014-02-03 17:12:00", "1980-01-01 00:00", "column Timestamp: its rows span 12453 days"),
    ],
)
def test_bad_rows(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = series(tmp_path / "region.csv", 60)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadInput) as error:
        read(path)
    assert message in str(error.value)


def test_a_series_without_a_value(tmp_path: Path) -> None:
    path = tmp_path / "region.csv"
    header = ",".join(["Timestamp", *PARAMETERS])
    path.write_text(f"{header}\n2014-02-03 17:00:00" + "," * 25 + "\n")
    with pytest.raises(BadInput, match="it has no value at all"):
        read(path)
    path.write_text(f"{header}\n")
    with pytest.raises(BadInput, match="it has a header and no rows"):
        read(path)
    with pytest.raises(BadInput, match="it is not there"):
        read(tmp_path / "missing.csv")


@pytest.mark.skipif(not SWAN_SF.is_dir(), reason="the shared SWAN-SF series are not here")
def test_real_series() -> None:
    groups = group_files([SWAN_SF])
    assert len(groups) == 9
    windows = {
        name: len(read_recording(name, files).arrays["windows"]) for name, files in groups.items()
    }
    assert windows["HARP3686"] == 11  # two series, the second ten hours on
    assert windows["HARP3648"] == 1


def test_verdicts_are_json(tmp_path: Path) -> None:
    recording = read(series(tmp_path / "region.csv", 60))
    features = readings(recording, {"scaling": SCALING})
    [verdict] = verdicts(recording, features, {"upgrade": model("upgrade", Upgrade())}, ranges())
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict

"""Chirps in new strain: read, whitened, cut, scored and held against the other detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from models.detection import TrainedModel
from models.errors import BadInput
from models.evaluation import evaluate
from models.gravitational_waves.detection import (
    coincident,
    group_files,
    read_recording,
    readings,
    sheet,
    slides,
    training_range,
    triggers,
    verdicts,
    whiten,
)
from models.gravitational_waves.simulation import RATE
from models.gravitational_waves.waveforms import chirp, coloured_noise, signal_to_noise
from models.gravitational_waves.waveforms import whiten as whiten_by_design

LIGO = Path(__file__).parents[4] / "shared" / "data" / "ligo"
START = 1_000_000_000
SECONDS = 12
SCALING = {"mean": [0.2] * 140, "std": [0.1] * 140, "samples": [1] * 140}
CLASSES = {"names": ["Chirp", "No_Glitch"], "positive": [0], "task": "chirp"}


def strain(seed: int, *, rate: int = 4096, at: float | None = 6.0, snr: float = 60.0) -> Any:
    """Noise of design sensitivity with a chirp that merges `at` seconds after the start."""
    noise = coloured_noise(np.random.default_rng(seed), SECONDS * RATE, RATE)
    if at is not None:
        time = np.arange(SECONDS * RATE) / RATE - at
        signal = chirp(time, 30.0, 30.0)
        noise = noise + signal * snr / signal_to_noise(whiten_by_design(signal, RATE))
    spectrum = np.fft.rfft(noise)[: SECONDS * rate // 2 + 1]
    return np.fft.irfft(spectrum, SECONDS * rate) * rate / RATE


def write(folder: Path, detector: str, values: Any, rate: int = 4096, start: int = START) -> Path:
    seconds = len(values) // rate
    path = folder / f"{detector[0]}-{detector}_LOSC_4_V2-{start}-{seconds}.hdf5"
    with h5py.File(path, "w") as file:
        file["strain/Strain"] = values
        file["strain/Strain"].attrs["Xspacing"] = 1 / rate
        file["meta/GPSstart"] = start
        file["meta/Detector"] = detector
    return path


class Cnn:
    """Stands for a network: the share of bright pixels between 30 and 500 Hz, times 20."""

    def predict_on_batch(self, images: Any) -> Any:
        bright = (np.asarray(images)[:, 36:112] > 0.8).mean(axis=(1, 2))
        positive = np.clip(20 * bright, 0, 1)
        return np.stack([1 - positive, positive], axis=1)


def model(threshold: float = 0.4) -> TrainedModel:
    evaluation = evaluate([0, 1, 1], [0.1, 0.9, 0.3], threshold, seed=0)
    evaluation = evaluation.with_details(classes=CLASSES)
    return TrainedModel("deep_cnn", Cnn(), threshold, evaluation)


def ranges(pixels: Any) -> Any:
    return training_range({"values": pixels})


def test_noise_is_whitened_to_variance_1_whatever_its_rate() -> None:
    for rate in (4096, 16384):
        noise = coloured_noise(np.random.default_rng(3), 16 * RATE, RATE)
        spectrum = np.zeros(16 * rate // 2 + 1, complex)
        kept = min(spectrum.size, 8 * RATE + 1)
        spectrum[:kept] = np.fft.rfft(noise)[:kept]
        whitened = whiten(np.fft.irfft(spectrum, 16 * rate) * rate / RATE, rate)
        assert whitened.size == 16 * RATE
        # The ends are tapered for half a second.
        assert whitened[RATE:-RATE].std() == pytest.approx(1, abs=0.05)


def test_gaps_stay_gaps_with_an_eighth_of_a_second_beside_them() -> None:
    values = strain(1, at=None)
    values[4096 * 5 : 4096 * 6] = np.nan
    missing = np.isnan(whiten(values, 4096))
    first, last = np.flatnonzero(missing)[[0, -1]] / RATE
    assert first == pytest.approx(4.875, abs=0.002)
    assert last == pytest.approx(6.125, abs=0.002)


def test_a_chirp_in_both_detectors_is_a_candidate_at_its_time(tmp_path: Path) -> None:
    write(tmp_path, "H1", strain(1, at=6.007))
    write(tmp_path, "L1", strain(2, at=6.0))
    groups = group_files([tmp_path])
    assert list(groups) == [f"GPS{START}-{SECONDS}"]
    recording = read_recording(f"GPS{START}-{SECONDS}", groups[f"GPS{START}-{SECONDS}"])
    features = readings(recording, {"scaling": SCALING})
    assert features["image"].shape[1:] == (140, 170)
    assert features["pixels"].shape == (len(features["time"]), 28 * 34)
    found = verdicts(recording, features, {"deep_cnn": model()}, ranges(features["pixels"]))
    assert [verdict.label for verdict in found] == ["chirp in both"]
    [verdict] = found
    assert verdict.positive
    assert verdict.details["gps"] - START == pytest.approx(6.0, abs=0.05)
    assert abs(verdict.details["delay_ms"]) <= 25
    assert verdict.details["false_alarms_per_hour"] == 0
    assert verdict.error_rates["missed"]["value"] == 0.5
    page = sheet(recording, features, found)
    assert "deep_cnn: 1 above its threshold." in page.html
    assert "white noise stands in there" in page.html
    assert len(page.files) == 2  # the spectrogram of each detector


def test_noise_alone_is_no_chirp(tmp_path: Path) -> None:
    write(tmp_path, "H1", strain(5, at=None))
    name, files = next(iter(group_files([tmp_path]).items()))
    recording = read_recording(name, files)
    features = readings(recording, {"scaling": SCALING})
    [verdict] = verdicts(recording, features, {"deep_cnn": model()}, ranges(features["pixels"]))
    assert (verdict.label, verdict.positive) == ("no chirp", False)
    assert verdict.part.startswith("whole, at most at GPS 10000000")


def test_a_chirp_in_one_detector_alone_is_said_to_be(tmp_path: Path) -> None:
    write(tmp_path, "H1", strain(1))
    write(tmp_path, "L1", strain(2, at=None))
    name, files = next(iter(group_files([tmp_path]).items()))
    recording = read_recording(name, files)
    features = readings(recording, {"scaling": SCALING})
    found = verdicts(recording, features, {"deep_cnn": model()}, ranges(features["pixels"]))
    assert [verdict.label for verdict in found] == ["chirp in one detector alone"]
    assert found[0].part.endswith("H1")


def test_neighbouring_windows_are_one_trigger() -> None:
    scores = np.array([0.1, 0.6, 0.9, 0.7, 0.2, 0.2, 0.8])
    assert triggers(scores, 0.5, np.arange(7) * 0.2) == [2, 6]
    assert triggers(scores, 0.95, np.arange(7) * 0.2) == []


def test_the_nearest_triggers_are_paired_within_what_light_and_timing_allow() -> None:
    assert coincident(np.array([1.0, 5.0]), np.array([1.02, 1.004, 5.03])) == [(0, 1)]
    assert coincident(np.array([]), np.array([1.0])) == []


def test_slides_count_chance_alone() -> None:
    # One trigger each, 3 s apart: exactly one of 9 shifts of 10 s brings them together.
    assert slides(np.array([5.0]), np.array([2.0]), 10.0) == (1, 90.0)
    assert slides(np.array([5.0]), np.array([5.0]), 10.0) == (0, 90.0)


def test_spectrograms_are_recordings_too(tmp_path: Path) -> None:
    image = np.full((2, 140, 170), 0.2, np.float32)
    image[1, 60:80] = 0.86
    np.save(tmp_path / "two.npy", image)
    with h5py.File(tmp_path / "spy.h5", "w") as file:
        file["Blip/train/a/0.5.png"] = image[:1]
    groups = group_files([tmp_path])
    assert set(groups) == {"two", "spy"}
    recording = read_recording("two", groups["two"])
    features = readings(recording, {"scaling": SCALING})
    found = verdicts(recording, features, {"deep_cnn": model()}, ranges(features["pixels"]))
    assert [(v.part, v.label) for v in found] == [("image 1", "no chirp"), ("image 2", "chirp")]
    assert len(read_recording("spy", groups["spy"]).arrays["image"]) == 1
    assert sheet(recording, features, found).files


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.hdf5", b"", "it is empty; expected strain as GWOSC gives it"),
        ("a.hdf5", b"no HDF5", "it can't be read as HDF5"),
        ("a.npy", b"no array", "it is no NumPy array"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput) as error:
        read_recording("a", [path])
    assert str(error.value).startswith(f"{path}: {message}")


def test_strain_that_cannot_be_used(tmp_path: Path) -> None:
    def refused(*files: Path) -> str:
        with pytest.raises(BadInput) as error:
            read_recording("x", files)
        return str(error.value)

    whole = strain(1, at=None)
    first = write(tmp_path, "H1", whole)
    (tmp_path / "b").mkdir()
    assert "it is not there" in refused(tmp_path / "no.hdf5")
    assert "its strain is NaN throughout" in refused(
        write(tmp_path / "b", "H1", np.full(whole.size, np.nan))
    )
    assert "its strain lasts 2 s; 8 s are needed" in refused(
        write(tmp_path / "b", "H1", whole[: 2 * 4096])
    )
    assert "its start is 1e+09" in refused(first, write(tmp_path, "L1", whole, start=START + 7))
    assert "H1 has another file" in refused(first, write(tmp_path / "b", "H1", whole))
    assert "it lasts 10 s" in refused(first, write(tmp_path, "V1", whole[: 10 * 4096]))
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["x"] = [1.0]
    assert "it holds neither strain nor a spectrogram" in refused(tmp_path / "c.h5")
    np.save(tmp_path / "d.npy", np.zeros((3, 3)))
    assert "its array has the shape (3, 3)" in refused(tmp_path / "d.npy")


def test_gaps_are_cut_around_and_said(tmp_path: Path) -> None:
    values = strain(1)
    values[: 2 * 4096] = np.nan
    recording = read_recording("x", [write(tmp_path, "H1", values)])
    assert recording.notes[0] == "H1: 2.00 s without data are cut out."
    features = readings(recording, {"scaling": SCALING})
    assert features["time"].min() > 3
    values[::4096] = np.nan
    nowhere = read_recording("x", [write(tmp_path, "H1", values)])
    with pytest.raises(ValueError, match="no 2 s are free of gaps"):
        readings(nowhere, {"scaling": SCALING})


@pytest.mark.skipif(not LIGO.is_dir(), reason="the shared strain of two mergers is not here")
def test_a_real_merger_is_loudest_where_it_is() -> None:
    groups = group_files([LIGO])
    assert set(groups) == {"GPS1126259446-32", "GPS1135136334-32"}
    recording = read_recording("GPS1126259446-32", groups["GPS1126259446-32"])
    features = readings(recording, {"scaling": SCALING})
    scores = Cnn().predict_on_batch(features["image"])[:, 1]
    for detector in ("H1", "L1"):
        rows = np.flatnonzero(features["detector"] == detector)
        loudest = rows[scores[rows].argmax()]
        assert features["peak"][loudest] == pytest.approx(16.42, abs=0.03)  # GPS 1126259462.42

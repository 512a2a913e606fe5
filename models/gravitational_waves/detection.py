"""Chirps in new strain: whitened, cut into spectrograms, scored, held against the other detector.

A recording is strain of one or more detectors as the Gravitational Wave Open Science Center gives
it (HDF5, 4 or 16 kHz), or a spectrogram: a picture or an array as Gravity Spy's. Strain is whitened
by its own spectrum, the median over half-overlapping stretches (Allen et al. 2012, Physical Review
D 85, 122006, section V.B), and shown in windows of half a second, as the training pictures are. A
model's windows above its threshold that lie side by side are one trigger, timed by the loudest
column; triggers of two detectors that the same wave can have caused (10 ms of light between
Hanford and Livingston, and what the timing may be off) are a candidate. How often noise does that
by chance is counted in time slides (Was et al. 2010, Classical and Quantum Gravity 27, 015005).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.arrays import Arrays
from models.detection import (
    Recording,
    TrainedModel,
    TrainingRange,
    Verdict,
    caveats,
    find_files,
    group_by_name,
    verdict_rows,
)
from models.errors import BadInput
from models.gravitational_waves.evaluation import margin
from models.gravitational_waves.features import BLOCK as POOLED
from models.gravitational_waves.features import columns_of, pixels_of
from models.gravitational_waves.images import BAND, SHAPE
from models.gravitational_waves.readers import picture_values
from models.gravitational_waves.simulation import RATE, pictures, transform_of
from models.gravitational_waves.training import FEATURES, score
from models.reporting import Picture, Report, Section, report
from models.scaling import Scaling
from models.threads import in_order
from models.types import JsonDict

SUFFIXES = (".hdf5", ".h5", ".png", ".npy")
READINGS_FROM = ("scaling",)
"""Stored assets that `readings` needs."""

DURATION = 0.5
"""Seconds that a window shows."""
STEP = 0.2
"""Seconds between windows: no event lies farther off the middle of one than in training."""
STRETCH = 4.0
"""Seconds of a stretch for the spectrum."""
SHORTEST = 8.0
"""Seconds of strain that a spectrum needs."""
BLOCK = 16
"""Windows that a thread transforms at a time."""
LIGHT = 0.010
"""Seconds of light between Hanford and Livingston."""
TIMING = 0.015
"""Seconds that two triggers of one wave may be off besides: a few columns of a picture."""
LOWEST = 20.0
"""Hz from which strain is used: below, detectors hear the ground."""
CHIRP_BAND = (30.0, 500.0)
"""Hz in which a trigger is timed."""

_GWOSC = re.compile(r"[A-Z]+-([A-Z]\d)_.*-(\d+)-(\d+)\.(hdf5|h5)$")
_FILE = "strain as GWOSC gives it (HDF5 with strain/Strain), or a spectrogram of 140 x 170"


def group_files(paths: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Group files by recording: strain of one time by its GPS second, others one by one."""

    def name(file: Path) -> str:
        strain = _GWOSC.match(file.name)
        return f"GPS{strain[2]}-{strain[3]}" if strain else file.stem

    return group_by_name(find_files(paths, SUFFIXES), name)


# reading ----------------------------------------------------------------------------------------


def read_recording(name: str, files: Sequence[Path]) -> Recording:
    """Read strain or a spectrogram.

    Returns
    -------
    Recording
        Of strain: an array a detector, such as ``H1``: float64, shape (samples,), NaN in gaps; the
        facts have ``rate`` (Hz) and ``start`` (GPS seconds). Of a spectrogram: ``image`` float32,
        shape (n, 140, 170).

    Raises
    ------
    BadInput
        A file can't be read, or files don't belong together; names it.
    """
    for file in files:
        if not file.is_file():
            raise _bad("it is not there", file)
        if file.stat().st_size == 0:
            raise _bad("it is empty", file)
    if files[0].suffix == ".png":
        return Recording(name, {"image": picture_values(files[0])[None]}, {"kind": "picture"})
    if files[0].suffix == ".npy":
        return _array(name, files[0])
    read = [_hdf5(file) for file in files]
    if len(read) == 1 and "image" in read[0]:
        return Recording(name, {"image": read[0]["image"]}, {"kind": "spectrograms"})
    return _strain(name, files, read)


def _array(name: str, file: Path) -> Recording:
    try:
        image = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise _bad(f"it is no NumPy array ({error})", file) from error
    if image.shape[-2:] != SHAPE:
        raise _bad(f"its array has the shape {image.shape}", file)
    return Recording(name, {"image": image.reshape(-1, *SHAPE).astype(np.float32)}, {})


def _hdf5(file: Path) -> dict[str, Any]:
    import h5py

    try:
        with h5py.File(file, "r") as opened:
            if "strain/Strain" in opened:
                strain = opened["strain/Strain"]
                spacing = float(strain.attrs["Xspacing"])
                return {
                    "strain": np.asarray(strain, dtype=np.float64),
                    "rate": round(1 / spacing),
                    "start": float(opened["meta/GPSstart"][()]),
                    "detector": opened["meta/Detector"][()].decode(),
                }
            images: list[NDArray[Any]] = []

            def collect(_: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset) and item.shape[-2:] == SHAPE:
                    images.append(np.asarray(item, np.float32).reshape(-1, *SHAPE))

            opened.visititems(collect)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise _bad(f"it can't be read as HDF5 ({error})", file) from error
    if not images:
        raise _bad("it holds neither strain nor a spectrogram", file)
    return {"image": np.concatenate(images)}


def _strain(name: str, files: Sequence[Path], read: Sequence[Mapping[str, Any]]) -> Recording:
    first = read[0]
    arrays: dict[str, NDArray[Any]] = {}
    notes = []
    for file, one in zip(files, read, strict=True):
        if "image" in one:
            raise _bad("it holds spectrograms beside files of strain", file)
        for what in ("rate", "start"):
            if one[what] != first[what]:
                raise _bad(
                    f"its {what} is {one[what]:g}, that of {files[0].name} {first[what]:g}", file
                )
        if one["detector"] in arrays:
            raise _bad(f"{one['detector']} has another file", file)
        strain = np.where(np.isfinite(one["strain"]), one["strain"], np.nan)
        missing = np.isnan(strain)
        seconds = strain.size / one["rate"]
        if missing.all():
            raise _bad("its strain is NaN throughout", file)
        if seconds < SHORTEST:
            raise _bad(f"its strain lasts {seconds:g} s; {SHORTEST:g} s are needed", file)
        if len(arrays) and strain.size != next(iter(arrays.values())).size:
            raise _bad(f"it lasts {seconds:g} s, {files[0].name} another time", file)
        if missing.any():
            notes.append(
                f"{one['detector']}: {missing.sum() / one['rate']:.2f} s without data are cut out."
            )
        arrays[one["detector"]] = strain
    facts = {"rate": int(first["rate"]), "start": float(first["start"]), "kind": "strain"}
    if first["rate"] < RATE:
        notes.append(
            f"Strain of {first['rate']} Hz holds nothing above {first['rate'] / 2:g} Hz: white "
            "noise stands in there, as the models' pictures reach 2048 Hz."
        )
    return Recording(name, arrays, facts, tuple(notes))


def _bad(problem: str, file: Path) -> BadInput:
    return BadInput(problem, file=file, expected=_FILE, remedy="Download it again from gwosc.org.")


# features ---------------------------------------------------------------------------------------


def whiten(strain: NDArray[np.float64], rate: int, seed: int = 0) -> NDArray[np.float64]:
    """Whiten strain by its own spectrum, at `RATE`.

    Parameters
    ----------
    strain
        Shape (samples,); NaN in gaps.
    rate
        Its samples a second.
    seed
        Of the white noise that stands in where the strain has no frequencies.

    Returns
    -------
    float64, shape (samples at `RATE`,)
        Noise has variance 1; NaN in gaps and for an eighth of a second beside them.
    """
    from scipy.ndimage import binary_dilation
    from scipy.signal import welch

    gaps = np.isnan(strain)
    filled = np.where(gaps, 0.0, strain)
    length = int(STRETCH * rate)
    frequencies, density = welch(
        filled[~gaps] if (~gaps).sum() >= length else filled,
        rate, nperseg=length, average="median",
    )  # fmt: skip
    samples = round(strain.size * RATE / rate)
    spectrum = np.fft.rfft(filled * _taper(filled.size, rate))
    here = np.fft.rfftfreq(filled.size, 1 / rate)
    top = 0.9 * rate / 2 if rate < 2 * BAND[1] * 2 else rate / 2
    used = (here >= LOWEST) & (here <= top)
    factor = np.zeros(here.size)
    factor[used] = (np.interp(here[used], frequencies, density) * rate / 2) ** -0.5
    white = np.zeros(samples // 2 + 1, dtype=complex)
    kept = min(white.size, spectrum.size)
    # A transform of n samples scales with n; white noise then keeps its variance.
    white[:kept] = (spectrum * factor)[:kept] * np.sqrt(samples / filled.size)
    noise = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    empty = np.fft.rfftfreq(samples, 1 / RATE)
    stand_in = (empty < LOWEST) | (empty > top)
    white[stand_in] = noise[stand_in]
    whitened = np.fft.irfft(white, samples)
    if gaps.any():
        lost = binary_dilation(gaps, iterations=rate // 8)
        places = np.minimum((np.arange(samples) * rate / RATE).astype(int), gaps.size - 1)
        whitened[lost[places]] = np.nan
    return np.asarray(whitened)


def _taper(samples: int, rate: int) -> NDArray[np.float64]:
    from scipy.signal.windows import tukey

    return np.asarray(tukey(samples, min(1.0, rate / samples)))


def readings(recording: Recording, stored: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Make the windows' spectrograms, and the features that models read.

    Parameters
    ----------
    recording
        From `read_recording`.
    stored
        ``scaling``, as JSON.

    Returns
    -------
    dict
        ``image`` float32 (n, 140, 170); ``columns`` and ``pixels``, the models' features; ``time``
        float64 (n,), seconds from the start to a window's middle, and ``peak``, to its loudest
        column; ``detector`` (n,), its name, empty for a spectrogram.
    """
    if "image" in recording.arrays:
        image = np.asarray(recording.arrays["image"], dtype=np.float32)
        time = np.arange(len(image), dtype=float)
        detector = np.full(len(image), "", dtype="U8")
    else:
        image, time, detector = _windows(recording)
    scaling = Scaling.from_dict(stored["scaling"])
    parts = [image[start : start + POOLED] for start in range(0, len(image), POOLED)]
    return {
        "image": image,
        "time": time,
        "detector": detector,
        "peak": _peaks(image, time),
        "columns": np.concatenate([columns_of(part, scaling) for part in parts]),
        "pixels": np.concatenate([pixels_of(part, scaling) for part in parts]),
    }


def _windows(recording: Recording) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[Any]]:
    transform = transform_of(DURATION)
    rate, start = int(recording.facts["rate"]), int(recording.facts["start"])
    image: list[NDArray[np.float32]] = []
    time: list[float] = []
    detector: list[str] = []
    for number, (name, strain) in enumerate(sorted(recording.arrays.items())):
        whitened = whiten(strain, rate, seed=start + number)
        starts = np.arange(0, whitened.size - transform.samples + 1, round(STEP * RATE))
        series = whitened[starts[:, None] + np.arange(transform.samples)].astype(np.float32)
        whole = np.isfinite(series).all(axis=1)
        parts = np.array_split(series[whole], max(1, int(whole.sum()) // BLOCK))
        tasks = (partial(pictures, transform, part) for part in parts if len(part))
        image += [picture for made in in_order(tasks, workers=2) for picture in made]
        time += ((starts[whole] + transform.samples / 2) / RATE).tolist()
        detector += [name] * int(whole.sum())
    if not image:
        raise ValueError(f"{recording.name}: no {transform.samples / RATE:g} s are free of gaps")
    return np.stack(image), np.array(time), np.array(detector, dtype="U8")


def _peaks(image: NDArray[np.float32], time: NDArray[np.float64]) -> NDArray[np.float64]:
    frequency = np.geomspace(BAND[1], BAND[0], SHAPE[0])
    rows = (frequency >= CHIRP_BAND[0]) & (frequency <= CHIRP_BAND[1])
    column = np.square(image[:, rows]).sum(axis=1).argmax(axis=1)
    return np.asarray(time + (column / SHAPE[1] - 0.5) * DURATION)


def training_range(training: Arrays) -> JsonDict:
    """Say where the training images lie, from their pooled pixels."""
    return {"pixels": TrainingRange.fit(np.asarray(training["values"])).to_dict()}


# verdicts ---------------------------------------------------------------------------------------


def verdicts(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    models: Mapping[str, TrainedModel],
    ranges: Mapping[str, Any],
) -> list[Verdict]:
    """Look for chirps with every model: its candidates, or what came nearest to one.

    Parameters
    ----------
    recording, features
        From `read_recording` and `readings`.
    models
        By name; `TrainedModel.fitted` is the network or estimator.
    ranges
        From `training_range`.
    """
    around = TrainingRange.from_dict(ranges["pixels"])
    result = []
    for name, model in models.items():
        classes = model.evaluation.details["classes"]
        read = FEATURES.get(name)
        examples = {"values": features[read]} if read else {"image": features["image"]}
        scores = margin(score(name, model.fitted, examples, classes), classes)
        if recording.facts.get("kind") == "strain":
            result += _search(recording, features, name, model, scores, around)
            continue
        for row, one in enumerate(scores):
            details: JsonDict = {}
            image = (float(one), features["pixels"][[row]], around, details)
            result.append(_verdict(recording, f"image {row + 1}", name, model, *image))
    return result


def triggers(scores: NDArray[np.float64], threshold: float, time: NDArray[np.float64]) -> list[int]:
    """Pick the best window of each run of neighbouring windows at or above a threshold."""
    rows = np.flatnonzero(scores >= threshold)
    if not rows.size:
        return []
    apart = np.flatnonzero(np.diff(time[rows]) > 1.5 * STEP + 1e-9) + 1
    return [int(run[np.argmax(scores[run])]) for run in np.split(rows, apart)]


def coincident(first: NDArray[np.float64], second: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pair the times of two detectors' triggers that one wave can have caused, nearest first."""
    pairs = sorted(
        (abs(float(a) - float(b)), i, j)
        for (i, a), (j, b) in itertools.product(enumerate(first), enumerate(second))
        if abs(float(a) - float(b)) <= LIGHT + TIMING
    )
    used: tuple[set[int], set[int]] = (set(), set())
    result = []
    for _, i, j in pairs:
        if i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            result.append((i, j))
    return result


def slides(
    first: NDArray[np.float64], second: NDArray[np.float64], seconds: float
) -> tuple[int, float]:
    """Count chance coincidences with one detector's triggers shifted by whole seconds in a circle.

    Returns
    -------
    count : int
        Coincidences in all slides.
    time : float
        Seconds of data in all slides.
    """
    shifts = range(1, int(seconds))
    count = sum(len(coincident(first, (second + shift) % seconds)) for shift in shifts)
    return count, seconds * len(shifts)


def _search(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    name: str,
    model: TrainedModel,
    scores: NDArray[np.float64],
    around: TrainingRange,
) -> list[Verdict]:
    assert model.threshold is not None
    start = float(recording.facts["start"])
    names = sorted(set(features["detector"].tolist()))
    seconds = next(iter(recording.arrays.values())).size / int(recording.facts["rate"])
    rows = {d: np.flatnonzero(features["detector"] == d) for d in names}
    detected = {
        d: rows[d][triggers(scores[rows[d]], model.threshold, features["time"][rows[d]])]
        for d in names
    }
    result = []
    seen: set[int] = set()
    for one, other in itertools.combinations(names, 2):
        peaks = [features["peak"][detected[d]] for d in (one, other)]
        chance, background = slides(peaks[0], peaks[1], seconds)
        for i, j in coincident(*peaks):
            pair = [int(detected[one][i]), int(detected[other][j])]
            seen.update(pair)
            lead = max(pair, key=lambda row: scores[row])
            delay = float(peaks[0][i] - peaks[1][j])
            details = {
                "gps": start + float(features["peak"][lead]),
                "delay_ms": 1000 * delay,
                "scores": {
                    d: float(scores[row]) for d, row in zip((one, other), pair, strict=True)
                },
                "false_alarms_per_hour": chance / background * 3600,
                "background_seconds": background,
            }
            part = f"GPS {details['gps']:.2f}, {one} and {other}"
            pixels = features["pixels"][pair]
            both = (float(scores[lead]), pixels, around, details, "chirp in both")
            result.append(_verdict(recording, part, name, model, *both))
    for d in names:
        for row in map(int, detected[d]):
            if row in seen:
                continue
            details = {"gps": start + float(features["peak"][row])}
            label = "chirp" if len(names) == 1 else "chirp in one detector alone"
            part = f"GPS {details['gps']:.2f}, {d}"
            alone = (float(scores[row]), features["pixels"][[row]], around, details, label)
            result.append(_verdict(recording, part, name, model, *alone))
    if not result:
        best = int(np.argmax(scores))
        details = {"gps": start + float(features["peak"][best])}
        part = f"whole, at most at GPS {details['gps']:.2f}, {features['detector'][best]}"
        nearest = (float(scores[best]), features["pixels"], around, details)
        result.append(_verdict(recording, part, name, model, *nearest))
    return result


def _verdict(
    recording: Recording,
    part: str,
    name: str,
    model: TrainedModel,
    value: float,
    pixels: NDArray[Any],
    around: TrainingRange,
    details: JsonDict,
    label: str = "chirp",
) -> Verdict:
    assert model.threshold is not None
    positive = value >= model.threshold
    warning = around.warning(pixels)
    return Verdict(
        recording.name, part, name, label if positive else "no chirp", positive, value,
        model.threshold, model.error_rates, (warning,) if warning else (), details,
    )  # fmt: skip


# sheet ------------------------------------------------------------------------------------------


def sheet(
    recording: Recording, features: Mapping[str, NDArray[Any]], all_verdicts: Sequence[Verdict]
) -> Report:
    """Render the page of one recording: candidates, and the spectrogram of the best of each.

    Parameters
    ----------
    recording, features, all_verdicts
        From `read_recording`, `readings` and `verdicts`.
    """
    ranked = sorted(all_verdicts, key=lambda v: (v.label != "chirp in both", not v.positive))
    pictures_ = []
    start = float(recording.facts.get("start", 0.0))
    pictured: set[int] = set()
    for verdict in ranked[:6]:
        when = verdict.details.get("gps")
        near = (
            [int(np.argmin(np.abs(features["time"] - (when - start)) + (features["detector"] != d)
                           * 1e6)) for d in sorted(set(features["detector"].tolist()))]
            if when is not None else [0]
        )  # fmt: skip
        for row in near:
            if row not in pictured:
                pictured.add(row)
                pictures_.append(_picture(recording, features, row))
    counts = {
        v.model: sum(w.positive or False for w in all_verdicts if w.model == v.model)
        for v in all_verdicts
    }
    prose = [f"{model}: {count} above its threshold." for model, count in counts.items()]
    return report(
        f"Chirps in {recording.name}",
        [
            Section(
                "Verdicts", [*prose, *recording.notes, *caveats(all_verdicts)], verdict_rows(ranked)
            ),
            Section("Spectrograms", pictures=pictures_),
        ],
    )


def _picture(recording: Recording, features: Mapping[str, NDArray[Any]], row: int) -> Picture:
    figure, (axes,) = plots.new_figure(5.2, 4.2)
    time = float(features["time"][row])
    axes.imshow(
        features["image"][row], aspect="auto", cmap="viridis", vmin=0.08, vmax=0.87,
        extent=(time - DURATION / 2, time + DURATION / 2, np.log2(BAND[0]), np.log2(BAND[1])),
    )  # fmt: skip
    ticks = [16, 32, 64, 128, 256, 512, 1024, 2048]
    axes.set_yticks(np.log2(ticks), [str(tick) for tick in ticks])
    axes.set_xlabel("seconds from the start")
    axes.set_ylabel("frequency (Hz)")
    name = f"{features['detector'][row] or 'image'} {time:.1f}"
    caption = f"{features['detector'][row]} at {time:.1f} s of {recording.name}, energy over noise"
    return Picture(name, plots.to_png(figure, name), caption.strip())

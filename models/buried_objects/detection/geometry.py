"""From a recording's own traces to the grid and the level of those that the models are trained on.

Along the line traces are averaged or interpolated to one every 2 cm; in time they are interpolated
to the trained samples. What an instrument records in counts, from a time zero of its own, gets what
is usual in the field (Daniels 2004, Ground Penetrating Radar, 2nd ed., chapter 7): slow drift is
subtracted (dewow), the first break is put where it is in training scans, and the level of the
echoes is made that of training scans. Nothing is computed before it is read, so that memory doesn't
grow with the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays
from models.buried_objects.features import scans_of, without_background
from models.buried_objects.scans import SAMPLES, SPACING, TIME_STEP, TRACES
from models.detection import Recording
from models.sampling import read_rows
from models.types import JsonDict

BLOCK = 256
"""Traces that are computed at a time."""

FIRST_BREAK = 0.05
"""Of the greatest value of the mean trace: where the direct wave begins."""

WOW = 3.0
"""Periods over which the drift is averaged that dewow subtracts."""

LATE = 7e-9
"""Seconds from which echoes are compared: the direct wave is over."""

STRONG = 0.98
"""Share of the echoes' sizes below their level: only the strongest ones are compared, as an object
is seen in few traces, and what else there is differs most between simulation and field. On
simulated test scans in counts, with a gain that grows by 1 to 6 nepers over the window, F1 at the
stored threshold is 0.67, without these 0.71; compared by the median it falls to 0.58."""

STRETCHES = 16
"""Of a raw trace, whose power tells unlike ones."""

SAMPLED = 8
"""Stretches of a line that its level is measured on."""

UNIT_MARGIN = 2.0
"""Times that the root mean square of a field in V/m may lie outside that of training scans."""

DIRECT = 0.1
"""Of the traces' power, what their mean has at least if there is a direct wave: 0.4 to 0.99 in
profiles, 0.02 in a gather; nothing where the background was subtracted before."""

PARTS = 20
"""Of a line, in which the direct wave's arrival is compared."""

DRIFT = 0.9
"""Rank correlation of the direct wave's arrival with place, from which it is moveout."""

Field = NDArray[np.float32]


def time_step(samples: int) -> float:
    """Return the time step of traces that hold the study's window, seconds.

    >>> round(time_step(503) / TIME_STEP)
    20
    """
    return float(TIME_STEP * max(1, round(SAMPLES / samples)))


# along the line ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """Where the resampled traces lie.

    Attributes
    ----------
    position
        Metres along the line, every `SPACING`; float64, shape (n,).
    known
        Whether recorded traces lie near: False within a gap; shape (n,).
    weights
        Of the recorded traces in each: sparse, shape (n, recorded traces).
    """

    position: NDArray[np.float64]
    known: NDArray[np.bool_]
    weights: Any

    def recorded(self, first: int, last: int) -> tuple[int, int]:
        """Return the first and the last recorded trace, from 0, of a run of resampled ones."""
        columns = self.weights[first : last + 1].indices
        return int(columns.min()), int(columns.max())


def line_of(position: NDArray[np.float64], usable: NDArray[np.bool_]) -> Line:
    """Lay a trace every `SPACING` along a line: the mean of those around it, or interpolated.

    Parameters
    ----------
    position
        Of the recorded traces, metres; NaN throughout where unknown: one every `SPACING` then.
    usable
        Whether a recorded trace has values.
    """
    from scipy.sparse import csr_matrix

    places = position_of(position)
    order = np.flatnonzero(usable)[np.argsort(places[usable], kind="stable")]
    at, first = np.unique(places[order], return_index=True)
    spacing = float(np.median(np.diff(at))) if at.size > 1 else SPACING
    count = int(np.floor((at[-1] - at[0]) / SPACING + 1e-6)) + 1
    wanted = at[0] + SPACING * np.arange(count)
    right = np.clip(np.searchsorted(at, wanted - 1e-9), 1, max(at.size - 1, 1))
    left = right - 1
    right = np.minimum(right, at.size - 1)
    apart = at[right] - at[left]
    share = np.clip((wanted - at[left]) / np.where(apart > 0, apart, 1), 0, 1)
    share[share < 1e-6], share[share > 1 - 1e-6] = 0, 1
    rows = np.tile(np.arange(count), 2)
    columns = order[first[np.r_[left, right]]]
    values = np.r_[1 - share, share]
    known = (apart <= 2.5 * max(spacing, SPACING)) | (share == 0) | (share == 1)
    sorted_at = places[order]
    low, high = (np.searchsorted(sorted_at, wanted + side * SPACING / 2 + 1e-9) for side in (-1, 1))
    many = high - low
    if spacing < 0.75 * SPACING:  # several around each: their mean
        few = np.tile(many < 2, 2)
        rows, columns, values = rows[few], columns[few], values[few]
        chosen = np.flatnonzero(many >= 2)
        lengths = many[chosen]
        places_of = np.repeat(low[chosen], lengths) + _within(lengths)
        rows = np.r_[rows, np.repeat(chosen, lengths)]
        columns = np.r_[columns, order[places_of]]
        values = np.r_[values, np.repeat(1 / lengths, lengths)]
        known = known | (many >= 2)
    kept = values > 0
    weights = csr_matrix(
        (values[kept].astype(np.float32), (rows[kept], columns[kept])), (count, len(usable))
    )
    return Line(wanted, known, weights)


def position_of(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions; where they are unknown, as if traces were `SPACING` apart."""
    if np.isnan(position).any():
        return np.asarray(SPACING * np.arange(len(position)), dtype=np.float64)
    return position


def _within(lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """Count from 0 within runs of these lengths."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - lengths, lengths)


# in time ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calibration:
    """How a recording's samples become those of training scans.

    Attributes
    ----------
    shift
        Seconds of the recording at which the training scans' time begins.
    wow
        Seconds over which the drift to subtract is averaged; 0: none is.
    factor
        By which its values are multiplied.
    frequency
        Centre of the direct wave's spectrum, Hz; without one, of the traces'.
    rms
        Root mean square of its field before ``factor``.
    level
        Of its echoes before ``factor``, see `level_of`.
    direct
        When the direct wave passes, seconds on the training scans' time; 0 where there is none.
    moveout
        Seconds by which the direct wave arrives later at one end of the line than at the other, if
        it does so all along; otherwise 0.
    """

    shift: float = 0.0
    wow: float = 0.0
    factor: float = 1.0
    frequency: float = float("nan")
    rms: float = float("nan")
    level: float = float("nan")
    direct: float = 0.0
    moveout: float = 0.0

    def to_array(self) -> NDArray[np.float64]:
        """Return the fields in their order, shape (8,)."""
        return np.array(list(vars(self).values()), dtype=np.float64)

    @classmethod
    def from_array(cls, stored: AnyArray) -> Calibration:
        """Read what `to_array` returned."""
        return cls(*np.asarray(stored).tolist())


class Gridded:
    """The traces of a recording as training scans have them, computed when they are read.

    Parameters
    ----------
    recording
        From `read_recording`.
    line
        Its line.
    samples
        Of a training trace.
    calibration
        From `calibrate`; by default nothing is changed.

    Attributes
    ----------
    shape
        (n, samples).
    covered
        Whether the recording has values at a sample's time; other samples are 0; shape (samples,).
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self, recording: Recording, line: Line, samples: int, calibration: Calibration | None = None
    ) -> None:
        self._traces, self._line = recording.arrays["traces"], line
        self._usable = recording.arrays["usable"]
        self._how = calibration or Calibration()
        dt = float(recording.facts["dt"])
        self.shape = (len(line.position), samples)
        place = (time_step(samples) * np.arange(samples) + self._how.shift) / dt
        place = np.where(np.abs(place - place.round()) < 1e-3, place.round(), place)
        last = self._traces.shape[1] - 1
        self.covered = (place >= 0) & (place <= last)
        self._left = np.clip(np.floor(place).astype(np.int64), 0, last)
        self._share = np.where(self.covered, place - self._left, 0).astype(np.float32)
        self._wow = round(self._how.wow / dt) | 1 if self._how.wow else 0

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Field:
        """Compute the traces of a slice, float32 (k, samples)."""
        weights = self._line.weights[rows]
        if not weights.nnz:
            return np.zeros((weights.shape[0], self.shape[1]), np.float32)
        first, last = int(weights.indices.min()), int(weights.indices.max()) + 1
        recorded = np.asarray(self._traces[first:last]).astype(np.float32)
        recorded[~self._usable[first:last]] = 0
        if self._wow:
            recorded = dewowed(recorded, self._wow)
        right = np.minimum(self._left + 1, recorded.shape[1] - 1)
        values = recorded[:, self._left]
        values += self._share * (recorded[:, right] - values)
        values[:, ~self.covered] = 0
        return np.asarray(weights[:, first:last] @ values * np.float32(self._how.factor))


def dewowed(traces: Field, width: int) -> Field:
    """Subtract from each sample the mean of the ``width`` samples around it; width is odd."""
    from scipy.ndimage import uniform_filter1d

    return np.asarray(traces - uniform_filter1d(traces, width, axis=1, mode="nearest"))


def echoes_of(gridded: ArrayLike, around: int = 0) -> Iterator[tuple[slice, Field]]:
    """Stream the traces of a line without their background.

    The background of a trace is the mean of the `TRACES` around it, as many as a training scan has;
    at the ends of a line, of its first or last ones.

    Parameters
    ----------
    gridded
        Shape (n, samples).
    around
        Traces to give beside those of a block, where there are any.

    Yields
    ------
    rows : slice
        The block's rows.
    echoes : float32 array, shape (k, samples)
        Of these rows, and of ``around`` before and after them, as far as the line goes.
    """
    n = len(gridded)
    wide = min(TRACES, n)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        first, last = max(start - around, 0), min(stop + around, n)
        window = np.clip(np.arange(first, last) - wide // 2, 0, n - wide)
        low, high = int(window[0]), int(window[-1]) + wide
        values = np.asarray(gridded[low:high])
        sums = np.cumsum(values, axis=0, dtype=np.float64)
        sums = np.concatenate([np.zeros_like(sums[:1]), sums])
        mean = (sums[window - low + wide] - sums[window - low]) / wide
        own = (values[first - low : last - low] - mean).astype(np.float32)
        yield slice(start, stop), own


# what is measured -------------------------------------------------------------------------------


def direct_wave(mean: AnyArray, dt: float) -> tuple[float, float]:
    """Measure the direct wave in a mean trace.

    Returns
    -------
    frequency : float
        Centre of its power spectrum, Hz.
    first_break : float
        Seconds at which it begins.
    """
    trace = np.asarray(mean, dtype=np.float64)
    trace = trace - np.median(trace)
    frequency = _centre(np.abs(np.fft.rfft(trace)) ** 2, trace, dt)
    size = np.abs(trace)
    return frequency, dt * int(np.argmax(size >= FIRST_BREAK * size.max()))


def level_of(echoes: Field, covered: NDArray[np.bool_]) -> float:
    """Return the size that the share `STRONG` of echoes with gain stays below, from `LATE` on."""
    late = covered & (time_step(echoes.shape[1]) * np.arange(echoes.shape[1]) >= LATE)
    return float(np.quantile(np.abs(echoes[:, late if late.any() else covered]), STRONG))


def measures_of(scan: Field, gain: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Measure a training scan: frequency (Hz), first break (s), rms (V/m), level of its echoes."""
    step = time_step(scan.shape[1])
    echoes = without_background(scan) * gain
    rms = float(np.sqrt(np.mean(np.square(scan, dtype=np.float64))))
    return *direct_wave(scan.mean(axis=0), step), rms, level_of(echoes, np.ones(len(gain), bool))


def stretches_of(traces: Field) -> NDArray[np.float64]:
    """Describe raw traces, as the study's networks read them: log10 of the rms in each stretch.

    Returns
    -------
    float64 array, shape (n, `STRETCHES`)
        NaN where a trace is silent.
    """
    edges = np.linspace(0, traces.shape[1], STRETCHES + 1).astype(np.int64)
    power = np.add.reduceat(np.square(traces, dtype=np.float64), edges[:-1], axis=1)
    mean = power / np.diff(edges)
    return np.asarray(0.5 * np.log10(np.where(mean > 0, mean, np.nan)))


def trained_geometry(training: Arrays, gain: AnyArray) -> JsonDict:
    """Say where the training scans lie in what `calibrate` compares.

    Parameters
    ----------
    training
        As of `models.buried_objects.features.scaling_of`.
    gain
        Of the training scans.

    Returns
    -------
    dict
        ``frequency``, ``rms`` and ``level``: least, median and greatest of the training scans;
        ``first_break``, in periods of that frequency; ``samples`` of a trace.
    """
    ez, factors = training["ez"], np.asarray(gain, dtype=np.float32)
    measured = np.array(
        [measures_of(np.asarray(ez[rows], np.float32), factors) for rows in scans_of(training)]
    )
    frequency, first_break, rms, level = measured.T
    spread = {"frequency": frequency, "rms": rms, "level": level}
    ranges = {name: np.quantile(one, [0, 0.5, 1]).tolist() for name, one in spread.items()}
    periods = float(np.median(first_break * frequency))
    return {**ranges, "first_break": periods, "samples": int(ez.shape[1])}


def calibrate(recording: Recording, line: Line, gain: AnyArray, trained: JsonDict) -> Calibration:
    """Find how a recording becomes comparable with training scans.

    The traces of an instrument are dewowed, shifted in time, and get the level of the training
    scans' echoes. Those of a simulation or of unknown origin keep their time, and get that level
    only if their field can't be in V/m for a current of 1 A, as that of the training scans is.

    Parameters
    ----------
    recording, line
        From `read_recording` and `line_of`.
    gain
        Of the training scans, shape (samples,).
    trained
        From `trained_geometry`.
    """
    factors = np.asarray(gain, dtype=np.float32)
    frequency, first_break, moveout = _direct_waves(recording)
    passes = np.isfinite(first_break)
    shift = wow = 0.0
    instrument = bool(recording.facts["instrument"])
    if instrument and frequency > 0:
        wow = WOW / frequency
        shift = first_break - trained["first_break"] / frequency if passes else 0.0
    how = Calibration(shift, wow, 1.0, frequency, moveout=moveout)
    gridded = Gridded(recording, line, len(factors), how)
    n = len(gridded)
    starts = np.unique(np.linspace(0, max(n - TRACES, 0), SAMPLED).astype(int))
    scans = [gridded[start : start + TRACES] for start in starts.tolist()]
    rms = float(np.sqrt(np.mean([np.mean(np.square(scan, dtype=np.float64)) for scan in scans])))
    echoes = np.concatenate([without_background(scan) * factors for scan in scans])
    level = level_of(echoes, gridded.covered)
    low, _, high = trained["rms"]
    alike = low / UNIT_MARGIN <= rms <= high * UNIT_MARGIN
    factor = 1.0 if (alike and not instrument) or not level else trained["level"][1] / level
    direct = _passage(np.concatenate(scans).mean(axis=0), frequency) if passes else 0.0
    return Calibration(shift, wow, float(factor), frequency, rms, level, direct, moveout)


def _passage(mean: Field, frequency: float) -> float:
    """When the wave that is strongest over a period passes in a trace of the trained grid."""
    step = time_step(len(mean))
    return step * int(np.argmax(over_period(np.square(mean), frequency, step)))


def over_period(power: Field, frequency: float, step: float) -> Field:
    """Average power over a period, along the last axis: the phase no longer counts."""
    from scipy.ndimage import uniform_filter1d

    width = max(3, round(1 / (frequency * step))) if frequency > 0 else 3
    return np.asarray(uniform_filter1d(power, width, axis=-1))


def _direct_waves(recording: Recording) -> tuple[float, float, float]:
    """Measure the direct wave: its frequency (Hz), first break (s) and moveout (s).

    Where there is none the first break is NaN, and the frequency that of all that traces hold.
    """
    from scipy.stats import spearmanr

    dt = float(recording.facts["dt"])
    rows = np.flatnonzero(recording.arrays["usable"])
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), 100 * PARTS)).astype(int)]
    traces = read_rows(recording.arrays["traces"], rows).astype(np.float64)
    traces -= np.median(traces, axis=1, keepdims=True)
    mean = traces.mean(axis=0)
    frequency, first_break = direct_wave(mean, dt)
    if np.square(mean).sum() < DIRECT * np.square(traces).sum(axis=1).mean():
        frequency = _centre((np.abs(np.fft.rfft(traces, axis=1)) ** 2).sum(axis=0), traces, dt)
        first_break = float("nan")
    parts = np.array_split(traces, min(PARTS, len(traces)))
    arrival = dt * np.array([np.abs(part.mean(axis=0)).argmax() for part in parts])
    moveout = 0.0
    if len(arrival) == PARTS and np.ptp(arrival) > 0:
        rank = float(spearmanr(np.arange(PARTS), arrival).statistic)
        moveout = float(np.ptp(arrival)) if abs(rank) >= DRIFT else 0.0
    return frequency, first_break, moveout


def _centre(power: NDArray[np.float64], traces: NDArray[np.float64], dt: float) -> float:
    """Return the centre of a power spectrum of traces, Hz; 0 where they are constant."""
    total = power.sum()
    return float((np.fft.rfftfreq(traces.shape[-1], dt) * power).sum() / total) if total else 0.0

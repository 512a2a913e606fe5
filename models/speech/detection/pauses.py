"""Cut a recording at its pauses, by its level alone.

What is louder than its surroundings' quiet by a share of their contrast is taken for speech. Speech
that short pauses part stays together, as long as training utterances are long.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.speech.corpus import RATE
from models.speech.features import HOP

SECOND = RATE // HOP
"""Values of the level in a second: one in 10 ms."""
SILENT = -70.0
"""dB below full scale that nothing can be heard at."""

AROUND = 15 * SECOND
"""Either side of a place, what counts as its surroundings."""
STEP = 5 * SECOND
"""Between places at which the surroundings are looked at."""
QUIET, LOUD = 0.1, 0.98
"""Shares of the surroundings' levels below what counts as their quiet and their loud."""
SHARE = 0.35
"""Of the way from the surroundings' quiet to their loud, in dB, where speech begins."""
CONTRAST = 10.0
"""dB between quiet and loud below which the surroundings are all alike: all speech, or none."""
BELOW = 25.0
"""dB below the recording's loud at which such surroundings are none."""
SMOOTH = 5
"""Values of the level that are averaged."""

PAUSE = SECOND // 4
CLICK = 2 * SECOND // 25
"""The shortest pause, and the shortest speech."""
MARGIN = SECOND * 3 // 20
"""Of quiet left on either side of speech, as in training."""
JOINED = SECOND
"""The longest pause within a segment; within one that would be too short otherwise, twice that."""


@dataclass(frozen=True)
class Lengths:
    """Seconds of training utterances: the shortest, the usual at most, and the longest."""

    shortest: float
    usual: float
    longest: float


def levels(audio: NDArray[np.int16]) -> NDArray[np.float32]:
    """Measure the level of each 10 ms.

    Parameters
    ----------
    audio
        int16, shape (samples,); what is left after the last whole 10 ms is not measured.

    Returns
    -------
    float32, shape (samples // 160,), root mean square in dB below full scale, -100 at least.
    """
    hops = audio[: len(audio) // HOP * HOP].reshape(-1, HOP).astype(np.float32) / np.float32(32768)
    power = np.square(hops).mean(axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-10)), dtype=np.float32)


def segments(level: NDArray[np.float32], lengths: Lengths) -> list[tuple[int, int]]:
    """Cut a recording into segments of speech.

    Parameters
    ----------
    level
        From `levels`, shape (n,).
    lengths
        Speech is joined to segments as long as usual, and cut where it is longer than the longest,
        at the quietest place; what is shorter than the shortest is joined to its neighbour, or has
        more of the quiet around it.

    Returns
    -------
    list of (int, int)
        First value of the level of each segment, and the one after its last; in order, apart.
    """
    shortest, usual, longest = (
        max(1, round(seconds * SECOND))
        for seconds in (lengths.shortest, lengths.usual, lengths.longest)
    )
    smooth = _smoothed(level)
    runs = _runs(smooth > _thresholds(smooth))
    room = longest - 2 * MARGIN
    joined = _joined(runs, shortest, usual, room)
    cut = [part for run in joined for part in _cut(run, smooth, max(room, SECOND))]
    return _with_margins(cut, len(level), shortest)


def _smoothed(level: NDArray[np.float32]) -> NDArray[np.float32]:
    width = min(SMOOTH, len(level))
    power = np.convolve(10 ** (level.astype(np.float64) / 10), np.ones(width) / width, "same")
    return np.asarray(10 * np.log10(np.maximum(power, 1e-10)), dtype=np.float32)


def _thresholds(level: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give the level above which there is speech, at each place."""
    places = np.arange(0, len(level), STEP)
    around = [level[max(0, place - AROUND) : place + AROUND] for place in places]
    quiet, loud = np.array([np.quantile(part, (QUIET, LOUD)) for part in around]).T
    alike = loud - quiet < CONTRAST
    chosen = np.maximum(quiet + SHARE * (loud - quiet), SILENT)
    chosen[alike] = np.where(loud[alike] > loud.max() - BELOW, SILENT, np.inf)
    nearest = np.minimum((np.arange(len(level)) + STEP // 2) // STEP, len(places) - 1)
    return np.asarray(chosen[nearest])


def _runs(speech: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """List where there is speech, across gaps that are no pauses, without clicks."""
    edges = np.flatnonzero(np.diff(speech.astype(np.int8), prepend=0, append=0))
    runs: list[tuple[int, int]] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        if runs and start - runs[-1][1] < PAUSE:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return [run for run in runs if run[1] - run[0] >= CLICK] or runs


def _joined(
    runs: list[tuple[int, int]], shortest: int, usual: int, longest: int
) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, stop in runs:
        if joined:
            first, last = joined[-1]
            small = min(last - first, stop - start) + 2 * MARGIN < shortest
            length = longest if small else usual - 2 * MARGIN
            if start - last <= JOINED * (1 + small) and stop - first <= length:
                joined[-1] = (first, stop)
                continue
        joined.append((start, stop))
    return joined


def _cut(run: tuple[int, int], level: NDArray[np.float32], longest: int) -> list[tuple[int, int]]:
    """Cut a run into parts that are short enough, each at the quietest place of its second half."""
    start, stop = run
    parts = []
    while stop - start > longest:
        # Not so late that less than a half would be left over.
        early, late = start + longest // 2, min(start + longest, stop - longest // 4)
        place = early + int(np.argmin(level[early:late]))
        parts.append((start, place))
        start = place
    return [*parts, (start, stop)]


def _with_margins(runs: list[tuple[int, int]], end: int, shortest: int) -> list[tuple[int, int]]:
    """Give each some quiet on either side, at most up to the middle of the pause."""
    middles = [0, *((before[1] + after[0]) // 2 for before, after in pairwise(runs)), end]
    result = []
    for (start, stop), low, high in zip(runs, middles[:-1], middles[1:], strict=True):
        margin = max(MARGIN, (shortest - (stop - start) + 1) // 2)
        result.append((max(start - margin, low), min(stop + margin, high)))
    return result

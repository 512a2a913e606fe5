"""Search one long curve for periodic dips: the fast folding algorithm over box sums.

A curve of four years at half an hour has some 70,000 cadences and 150,000 trial periods. The fast
folding algorithm adds each pair of neighbouring cycles once for all trial periods that differ too
little to tell them apart, so that all periods together cost as much as a few hundred folds.

References
----------
Staelin 1969, Proc. IEEE 57, 724: the fast folding algorithm.
Morello et al. 2020, MNRAS 497, 4654: its use with boxes of several durations.
Jenkins, Caldwell & Borucki 2002, ApJ 564, 495: single and multiple event statistics.
Pont, Zucker & Queloz 2006, MNRAS 373, 231: red noise, which does not average out within a transit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.exoplanets.transit_search.boxes import CADENCE_DAYS, Floats, expected_duration

DURATION_STEP = 2.0
"""Ratio of neighbouring trial durations, at most; a box that is sqrt(2) times too long or short
loses a sixth of the signal-to-noise, until it is refined."""


class Periodogram(NamedTuple):
    """The best box at every trial period, in order of period.

    Parameters
    ----------
    period, duration : ndarray of shape (trials,)
        Days.
    epoch : ndarray of shape (trials,)
        Middle of the first transit, days after the first cadence.
    snr : ndarray of shape (trials,)
        Depth over its error, red noise included.
    """

    period: Floats
    duration: Floats
    epoch: Floats
    snr: Floats


class _Trial(NamedTuple):
    """Trial periods that share one duration: boxes are a few steps long."""

    width: int  # steps in a box
    step: int  # cadences in a step
    first: int  # period in steps
    last: int


def fold_periodogram(flux: Floats, period_min: float, period_max: float) -> Periodogram:
    """Search a curve for periodic boxes, with durations from 0.5 to 1.5 of a Sun-like star's.

    Parameters
    ----------
    flux : ndarray of shape (m,)
        One value a cadence (`CADENCE_DAYS`), flat, in units of its noise; NaN where there is none.
    period_min, period_max : float
        Days.
    """
    trials = list(_trials(period_min, period_max))
    known = np.isfinite(flux)
    sums = {}
    for trial in trials:
        if (size := (trial.width, trial.step)) not in sums:
            sums[size] = box_sums(np.where(known, flux, 0), known, *size)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(lambda t: _search(*sums[t.width, t.step], t), trials))
    period, duration, epoch, snr = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(period, kind="stable")
    return Periodogram(period[order], duration[order], epoch[order], snr[order])


_BASES = 64
"""Base periods of a trial; a trial is a thread's work."""


def _trials(period_min: float, period_max: float) -> Iterator[_Trial]:
    """Choose durations for each octave of period, and split its periods into pieces of work."""
    low = period_min
    while low < period_max:
        high = min(2 * low, period_max)
        shortest = max(0.5 * float(expected_duration(low)), 2 * CADENCE_DAYS)
        longest = max(min(1.5 * float(expected_duration(high)), 0.25 * low), shortest)
        count = int(np.ceil(np.log(longest / shortest) / np.log(DURATION_STEP))) + 1
        for duration in np.geomspace(shortest, longest, count):
            cadences = max(round(duration / CADENCE_DAYS), 2)
            step = round(cadences / 2)
            width = 2
            bases = range(
                int(low / CADENCE_DAYS / step), int(np.ceil(high / CADENCE_DAYS / step)), _BASES
            )
            for first in bases:
                yield _Trial(width, step, first, min(first + _BASES, bases.stop))
        low = high


def box_sums(
    flux: Floats, known: NDArray[np.bool_], width: int, step: int
) -> tuple[NDArray[np.complex64], float]:
    """Sum boxes of a length at every step.

    Parameters
    ----------
    flux, known : ndarray of shape (m,)
        In units of its noise, 0 where it is not known.
    width, step : int
        Length of a box in steps, and of a step in cadences.

    Returns
    -------
    sums : ndarray of shape (steps,)
        The sum of the flux in each box, and as imaginary part its cadences.
    red : float
        Scatter of the boxes over that of white noise, at least 1.
    """
    steps = -(-len(flux) // step)
    pad = (0, steps * step - len(flux))
    total = np.pad(flux, pad).reshape(steps, step).sum(axis=1)
    count = np.pad(known, pad).reshape(steps, step).sum(axis=1)
    box, inside = (
        np.convolve(values, np.ones(width))[width - 1 :] for values in (total, count.astype(float))
    )
    full = inside >= 0.75 * width * step
    statistic = box[full] / np.sqrt(inside[full])
    red = 1.4826 * float(np.median(np.abs(statistic - np.median(statistic)))) if full.any() else 1.0
    return (box + 1j * inside).astype(np.complex64), max(red, 1.0)


_FEW = 7
"""Cycles up to which folding cycle by cycle costs less than pairs of cycles."""


def _search(sums: NDArray[np.complex64], red: float, trial: _Trial) -> tuple[Floats, ...]:
    """Find the best phase at every period from ``trial.first`` to ``trial.last`` steps."""
    unit = trial.step * CADENCE_DAYS
    if -(-len(sums) // trial.first) <= _FEW:
        folds = [_fold_few(sums, trial.first, trial.last)]
    else:
        folds = [_fold_base(sums, base) for base in range(trial.first, trial.last)]
    periods, phases, snrs = (np.concatenate(column) for column in zip(*folds, strict=True))
    duration = np.full(len(periods), trial.width * unit)
    epochs = (phases + (trial.width - 1) / 2) * unit + (trial.step - 1) / 2 * CADENCE_DAYS
    return periods * unit, duration, epochs, snrs / red


_MANY = 20
"""Cycles from which on gaps are taken as spread evenly over the phases, to fold the flux alone."""


def _fold_base(sums: NDArray[np.complex64], base: int) -> tuple[Floats, Floats, Floats]:
    if len(sums) < _MANY * base:
        folded, offset = fold_all(sums, base)
        return base + offset, *_best_phases(folded)
    folded, offset = fold_all(np.ascontiguousarray(sums.real), base)
    phase = folded.argmin(axis=1)
    lowest = folded[np.arange(len(folded)), phase].astype(np.float64)
    error = np.sqrt(max(float(sums.imag.sum(dtype=np.float64)) / base, 0.5))
    return base + offset, phase.astype(np.float64), -lowest / error


def _best_phases(folded: NDArray[np.complex64]) -> tuple[Floats, Floats]:
    snr = np.maximum(folded.imag, 0.5)
    np.sqrt(snr, out=snr)
    np.divide(folded.real, snr, out=snr)
    phase = snr.argmin(axis=1)
    return phase.astype(np.float64), -snr[np.arange(len(folded)), phase].astype(np.float64)


def _fold_few(sums: NDArray[np.complex64], first: int, last: int) -> tuple[Floats, Floats, Floats]:
    """Fold at periods from ``first`` to ``last`` steps that have few cycles."""
    cycles = -(-len(sums) // first)
    each = max((cycles - 1) // 2, 1)
    periods = np.arange(first * each, last * each) / each
    padded = np.concatenate([sums, np.zeros(cycles * last + 1, sums.dtype)])
    windows = sliding_window_view(padded, last)
    folded = windows[np.zeros(len(periods), np.intp)]
    for cycle in range(1, cycles):
        folded += windows[np.minimum((cycle * periods + 0.5).astype(np.intp), len(windows) - 1)]
    return periods, *_best_phases(folded)


def fold_all(values: NDArray[Any], base: int) -> tuple[NDArray[Any], Floats]:
    """Fold at periods from ``base`` to ``base + 1``, by the fast folding algorithm.

    Parameters
    ----------
    values : ndarray of shape (m,)
        One value a step.
    base : int
        Steps.

    Returns
    -------
    folded : ndarray of shape (periods, base)
        The sum over all cycles, at each phase. From one period to the next, the last cycle moves
        by up to two steps.
    offset : ndarray of shape (periods,)
        Of each period from ``base``, in steps.
    """
    cycles = -(-len(values) // base)
    block, nodes = cycles, 1
    while block > _FEW:
        block, nodes = -(-block // 2), 2 * nodes
    rows = np.zeros(nodes * block * base, values.dtype)
    rows[: len(values)] = values
    leaves = rows.reshape(nodes, block, base)
    twice = np.concatenate([leaves, leaves], axis=2)
    # The last shift of a base period is the first of the next.
    shifts = range(0, max(block - 1, 1), 2) if nodes == 1 else range(block)
    offset: Floats = np.array(shifts) / max(block - 1, 1)
    out = np.empty((nodes, len(shifts), base), values.dtype)
    for place, s in enumerate(shifts):
        out[:, place] = leaves[:, 0]
        for row in range(1, block):
            shift = int(s * row / (block - 1) + 0.5) % base
            out[:, place] += twice[:, row, shift : shift + base]
    while nodes > 1:
        nodes //= 2
        size = out.shape[1]
        pairs = out.reshape(nodes, 2, size, base)
        tails = np.concatenate([pairs[:, 1], pairs[:, 1]], axis=2)
        # Shift s of a pair is s // 2 of each half, and moves the second by what is left of s. Of
        # the whole curve every second shift is enough.
        each = 1 if nodes == 1 else 2
        half = np.arange(size)[:, np.newaxis]
        moved = half + np.arange(each)
        offset = (np.arange(each * size) * (2 // each)) / (2 * size - 1)
        start = np.arange(nodes)[:, np.newaxis, np.newaxis] * size + half
        joined = sliding_window_view(tails.reshape(-1), base)[start * 2 * base + moved % base]
        joined += pairs[:, 0, :, np.newaxis]
        out = joined.reshape(nodes, each * size, base)
    return out[0], offset

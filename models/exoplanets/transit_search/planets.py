"""Search one star for several planets: what is found is cut out, and the search goes on.

The deepest signal hides shallower ones, and its transits look like secondary eclipses at their
periods. So each one found is cut out before the next search, until nothing is above Kepler's
detection threshold, and each is then judged on a curve without the others' transits. A dip that
does not recur is recognised by that: the other cadences at its phase hold none.

References
----------
Jenkins et al. 2010, ApJ 713, L87: Kepler's pipeline, which also searches again after each find.
Coughlin et al. 2016, ApJS 224, 12, section 4.2: a second find at the same period is a secondary.
Thompson et al. 2018, ApJS 235, 38, section 3.2: artefacts among candidates with few transits.
Carter et al. 2008, ApJ 689, 499: trapezoids and the errors of what they measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transit_search.boxes import (
    CADENCE_DAYS,
    Box,
    Floats,
    Peak,
    fit_box,
)
from models.exoplanets.transit_search.candidates import (
    MAX_PLANET_DEPTH,
    MIN_SNR,
    Candidate,
    Verdict,
    verdict,
)
from models.exoplanets.transit_search.detrending import CLIP
from models.exoplanets.transit_search.folding import Periodogram, box_sums, fold_periodogram
from models.exoplanets.transit_search.statistics import _describe
from models.exoplanets.transit_search.trend import best_window, noise_of, segments, trend_of
from models.exoplanets.transit_search.views import _phases
from models.types import JsonDict

PERIOD_MIN = 0.5
"""Days."""

LONG_SPAN = 200.0
"""Days: in longer curves three transits are asked for, as Kepler does; two in shorter ones."""

MOST_SIGNALS = 20
"""Finds after which the search of a star ends."""

JUMP_ASYMMETRY, JUMP_SHARE = 4.5, 0.5
"""Errors, and share of the depth, by which the halves of a dip differ in a jump of sensitivity."""

FEW_TRANSITS = 5
"""Transits up to which artefacts can pass for all of them (Thompson et al. 2018, section 3.2)."""

ODD_EVEN_ERRORS, ODD_EVEN_DEPTH = 4.0, 0.3
"""Errors, and share of the depth, by which odd and even depths of a binary differ."""

NOISY = 3.0
"""Times the noise of most of the curve beyond which a stretch between gaps is left out."""

SHORTEST_DIP = 2.5
"""Cadences: a shorter dip that doesn't recur is a glitch, which is cut out and not reported."""

ALIASES = 12
"""Transits of which an alias may hold one: with fewer of them, a signal is rarely the strongest."""

PEAKS = 40
"""Peaks of a periodogram that are tried again after each cut."""


_NO_BOX = Box(np.nan, np.nan, np.nan, np.nan, 0.0)


@dataclass(frozen=True)
class Measured:
    """A quantity and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Signal:
    """A periodic dip, or one that was seen once.

    Parameters
    ----------
    period : Measured or None
        Days; None for a single dip.
    epoch : Measured
        Middle of the first transit seen, in days, in the time of the curve.
    depth : Measured
        Of the middle of the transit, a fraction of the star's light.
    duration : Measured
        Days, from first to last contact.
    ingress : float
        Days, from first to second contact.
    snr : float
        Depth of the best box over its error, red noise included.
    transits : tuple of float
        Middles of the transits with data, in days.
    disposition : str
        ``planet candidate``, ``false positive`` or ``single dip``.
    reasons : tuple of str
        Why, each a clause.
    features : dict of str to float
        Those of `FEATURE_NAMES` that describe a candidate; empty for a single dip.
    box : Box
        The best box, in units of the noise; its period is NaN for a single dip.
    """

    period: Measured | None
    epoch: Measured
    depth: Measured
    duration: Measured
    ingress: float
    snr: float
    transits: tuple[float, ...]
    disposition: str = ""
    reasons: tuple[str, ...] = ()
    features: dict[str, float] = field(default_factory=dict)
    box: Box = _NO_BOX

    def to_dict(self) -> JsonDict:
        """Return it as JSON; what is not known is None."""
        values: JsonDict = _without_nan(asdict(self) | {"box": self.box._asdict()})
        return values

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Signal:
        """Read what `to_dict` returned."""
        values = _with_nan(stored)
        for name in ("epoch", "depth", "duration"):
            values[name] = Measured(**values[name])
        if stored["period"] is not None:
            values["period"] = Measured(**values["period"])
        else:
            values["period"] = None
        values["box"] = Box(**values["box"])
        return cls(**values | {n: tuple(values[n]) for n in ("transits", "reasons")})

    def inside(self, time: Floats, durations: float = 1.0) -> NDArray[np.bool_]:
        """Tell which times lie within so many durations around a transit, and a cadence more."""
        reach = durations * self.duration.value / 2 + CADENCE_DAYS
        return np.abs(self.phase(time)) < reach

    def phase(self, time: Floats) -> Floats:
        """Return the days since the nearest transit."""
        since = np.asarray(time - self.epoch.value)
        return since if self.period is None else _phases(since, self.period.value, 0.0)

    def model(self, time: Floats) -> Floats:
        """Return the trapezoid, a fraction of the star's light about 0."""
        return trapezoid(self.phase(time), self.depth.value, self.duration.value, self.ingress)


class Search(NamedTuple):
    """What a search found in a curve.

    Parameters
    ----------
    signals : tuple of Signal
        The strongest first.
    flat, trend : ndarray of shape (m,)
        The curve without its trend, a fraction of the star's light about 0, and the trend.
    noise : float
        Of a cadence, in the same unit.
    window : float
        Days in which the trend was fitted.
    periodogram : Periodogram
        Of the whole curve, before anything was cut out.
    complete : bool
        Whether the search ended because nothing was left above the threshold.
    noisy : tuple of (float, float)
        First and last day of stretches that were left out, as their noise is far above the rest's.
    """

    signals: tuple[Signal, ...]
    flat: Floats
    trend: Floats
    noise: float
    window: float
    periodogram: Periodogram
    complete: bool
    noisy: tuple[tuple[float, float], ...] = ()


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _with_nan(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _with_nan(value) if isinstance(value, Mapping) else np.nan if value is None else value
        for name, value in stored.items()
    }


def on_grid(time: Floats, flux: Floats) -> tuple[Floats, Floats]:
    """Put a curve on a grid of Kepler's long cadence: shorter cadences are averaged.

    Parameters
    ----------
    time, flux : ndarray of shape (n,)
        Days, ascending, and any unit; finite.

    Returns
    -------
    time, flux : ndarray of shape (m,)
        The mean time of what was averaged, or the middle of an empty place; NaN where there is
        no flux.
    """
    place = np.floor((time - time[0]) / CADENCE_DAYS + 0.5).astype(np.int64)
    size = int(place[-1]) + 1
    count = np.bincount(place, minlength=size)
    some = np.maximum(count, 1)
    days = np.bincount(place, weights=time - time[0], minlength=size) / some
    values = np.bincount(place, weights=flux, minlength=size) / some
    grid = np.where(count > 0, days, np.arange(size) * CADENCE_DAYS) + time[0]
    return grid, np.where(count > 0, values, np.nan)


def find_planets(
    time: Floats,
    flux: Floats,
    *,
    period_min: float = PERIOD_MIN,
    period_max: float | None = None,
) -> Search:
    """Search a star's curve for transits of several planets, and for single dips.

    Parameters
    ----------
    time, flux : ndarray of shape (m,)
        From `on_grid`; the flux relative to the star's, less 1.
    period_min, period_max : float
        Days; by default as long as three transits fit, or two in less than 200 days.

    Raises
    ------
    ValueError
        The curve has no scatter, or is too short for the periods.
    """
    span = float(time[-1] - time[0])
    if period_max is None:
        period_max = span / (3 if span > LONG_SPAN else 1)
    if not period_min < period_max <= span:
        raise ValueError(
            f"the curve spans {span:.1f} days: periods from {period_min:g} to {period_max:g} days "
            "don't fit into it"
        )
    flux = _without_outliers(flux)
    window = best_window(flux)
    flux, noisy = _without_noisy(time, flux, window)
    finder = _Finder(time, flux, window)
    first: Periodogram | None = None
    complete = False
    while len(finder.signals) < MOST_SIGNALS and finder.cuts < 2 * MOST_SIGNALS:
        periodogram = fold_periodogram(finder.scaled, period_min, period_max)
        first = first or periodogram
        if not finder.take(_peaks(periodogram)):
            complete = True
            break
        finder.flatten()
    assert first is not None
    finder.join()
    finder.flatten()
    strong = (signal for signal in finder.signals_in_turn() if signal.snr >= MIN_SNR)
    signals = sorted(strong, key=lambda signal: -signal.snr)
    return Search(
        tuple(signals),
        flux - finder.trend,
        finder.trend,
        finder.noise,
        window,
        first,
        complete,
        noisy,
    )


def _without_outliers(flux: Floats) -> Floats:
    """Take out single cadences far below both neighbours, which no transit can be."""
    (places,) = np.nonzero(np.isfinite(flux))
    known = flux[places]
    noise = noise_of(np.diff(flux)) / np.sqrt(2)
    before, after = np.roll(known, 1), np.roll(known, -1)
    low = (before - known > 7 * noise) & (after - known > 7 * noise)
    low[[0, -1]] = False
    cleaned = flux.copy()
    cleaned[places[low & (np.abs(before - after) < 5 * noise)]] = np.nan
    return cleaned


def _without_noisy(
    time: Floats, flux: Floats, window: float
) -> tuple[Floats, tuple[tuple[float, float], ...]]:
    """Take out stretches between gaps that are far noisier than most of the curve."""
    flat = flux - trend_of(flux, window)
    parts = segments(np.isfinite(flat))
    noises = np.array([noise_of(flat[start:stop]) for start, stop in parts])
    lengths = np.array([stop - start for start, stop in parts])
    order = np.argsort(noises)
    half = np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)
    loud = noises > NOISY * noises[order[half]]
    kept = flux.copy()
    for start, stop in np.array(parts)[loud]:
        kept[start:stop] = np.nan
    return kept, tuple(
        (float(time[start]), float(time[stop - 1])) for start, stop in np.array(parts)[loud]
    )


def _peaks(periodogram: Periodogram) -> list[tuple[float, float]]:
    """Return period and duration of the highest peaks, the highest first."""
    snr = periodogram.snr.copy()
    peaks: list[tuple[float, float]] = []
    # The trials of an interval of 0.2 % in period are one peak.
    bins = np.floor(np.log(periodogram.period) / 0.002).astype(np.int64)
    order = np.argsort(snr)[::-1]
    seen: set[int] = set()
    for at in order[:20000]:
        if snr[at] < 0.75 * MIN_SNR or len(peaks) == PEAKS:
            break
        if int(bins[at]) not in seen:
            seen.add(int(bins[at]))
            peaks.append((float(periodogram.period[at]), float(periodogram.duration[at])))
    return peaks


class _Event(NamedTuple):
    """One transit at a trial ephemeris, in units of the noise."""

    middle: float
    depth: float
    error: float


class _Finder:
    """A curve, what was found in it, and what is left."""

    def __init__(self, time: Floats, flux: Floats, window: float) -> None:
        self.time, self.flux, self.window = time, flux, window
        self.signals: list[Signal] = []
        self.secondaries: list[Signal] = []
        self.glitches = np.zeros(len(time), bool)
        self.cuts = 0
        self.flatten()

    # what is left ---------------------------------------------------------------------------

    def hidden(self, but: Sequence[Signal] = ()) -> NDArray[np.bool_]:
        hidden = self.glitches.copy()
        for signal in (*self.signals, *self.secondaries):
            if signal not in but:
                hidden |= signal.inside(self.time, 1.3)
        return hidden

    def flatten(self) -> None:
        """Fit the trend below what was found, and take the noise of the rest."""
        hidden = self.hidden()
        self.trend = trend_of(self.flux, self.window, hidden)
        flat = self.flux - self.trend
        self.noise = noise_of(np.where(hidden, np.nan, flat))
        if not self.noise > 1e-12:
            raise ValueError("the curve has no scatter to search: it is constant or has no values")
        self.curve = np.minimum(flat / self.noise, CLIP)
        self.cut()

    def cut(self) -> None:
        self.scaled = np.where(self.hidden(), np.nan, self.curve)
        self.known = np.isfinite(self.scaled)
        self._red: dict[int, float] = {}

    def red(self, duration: float) -> float:
        """Return the scatter of boxes of this length over that of white noise."""
        cadences = max(round(duration / CADENCE_DAYS), 1)
        if cadences not in self._red:
            self._red[cadences] = box_sums(
                np.where(self.known, self.scaled, 0), self.known, cadences, 1
            )[1]
        return self._red[cadences]

    # finding --------------------------------------------------------------------------------

    def take(self, peaks: Sequence[tuple[float, float]]) -> bool:
        """Take signals from a periodogram's peaks until none is left; tell whether any was."""
        took = single = False
        peaks = list(peaks)
        while len(self.signals) < MOST_SIGNALS and self.cuts < 2 * MOST_SIGNALS:
            box = self.best(peaks)
            if box is None:
                return took
            event = self.odd_one_out(box)
            if event is None and single:
                return took  # the single dip has made the peaks: fold again
            took = True
            self.cuts += 1
            if event is not None:
                single = True
                self.take_single(event, box.duration)
            else:
                self.take_periodic(box)
            self.cut()
        return took

    def best(self, peaks: list[tuple[float, float]]) -> Box | None:
        """Fit boxes to what is left at the peaks; None if none is above the threshold.

        Peaks far below it are taken out of the list.
        """
        time, flux = self.time[self.known], self.scaled[self.known]
        measured: list[tuple[float, float, float]] = []
        for period, duration in peaks:
            box = fit_box(time, flux, np.array([period]), np.array([duration]))
            if (snr := box.snr / self.red(duration)) > 0.75 * MIN_SNR:
                measured.append((snr, period, duration))
        peaks[:] = [(period, duration) for _, period, duration in measured]
        for _, period, duration in sorted(measured, reverse=True)[:3]:
            box = self.refined(period, duration)
            better: Box | None = box
            while better is not None:
                box, better = better, self.multiple(better)
            if box.snr / self.red(box.duration) >= MIN_SNR:
                return box
        return None

    def multiple(self, box: Box) -> Box | None:
        """Fit boxes at multiples of a period; one is the true one where this is an alias."""
        for factor in (*(1 / n for n in range(2, ALIASES + 1)), 3 / 2, 2.0, 3.0):
            if PERIOD_MIN <= factor * box.period <= self.time[-1] - self.time[0]:
                other = self.refined(factor * box.period, box.duration, fine=False)
                if other.snr > 0.95 * box.snr:
                    other = self.refined(other.period, other.duration)
                    if other.snr > 1.01 * box.snr:
                        return other
        return None

    def refined(self, period: float, duration: float, *, fine: bool = True) -> Box:
        """Fit the best box around a period."""
        time, flux = self.time[self.known], self.scaled[self.known]
        step = duration / (time[-1] - time[0])
        periods = period * np.exp(np.linspace(-step, step, 21 if fine else 9))
        durations = self.durations(period, duration) if fine else np.array([duration])
        return fit_box(time, flux, periods, durations, oversample=4 if fine else 2)

    @staticmethod
    def durations(period: float, duration: float) -> Floats:
        low, high = duration / 1.6, min(duration * 1.6, 0.25 * period)
        return np.geomspace(min(max(low, 1.5 * CADENCE_DAYS), high), high, 6)

    def events(self, box: Box) -> list[_Event]:
        """Measure each transit of a box that has at least half of its cadences."""
        number = np.floor((self.time - box.epoch) / box.period + 0.5)
        phase = self.time - box.epoch - number * box.period
        at = self.known & (np.abs(phase) < box.duration / 2)
        events = []
        for transit in np.unique(number[at]):
            values = self.scaled[at & (number == transit)]
            if len(values) >= max(0.5 * box.duration / CADENCE_DAYS, 1):
                error = self.red(box.duration) / np.sqrt(len(values))
                middle = float(box.epoch + transit * box.period)
                events.append(_Event(middle, -float(values.mean()), float(error)))
        return events

    def odd_one_out(self, box: Box) -> _Event | None:
        """Return the deepest event of a box if the others are not its like."""
        events = self.events(box)
        if not events:
            return None
        deepest = max(events, key=lambda event: event.depth / event.error)
        others = [event for event in events if event is not deepest]
        if not others:
            return deepest
        if _alike_depths(deepest, others):
            return None
        return deepest

    def take_periodic(self, box: Box) -> None:
        box = self.longest_period(box)
        signal = self.fit(box)
        assert signal.period is not None
        for earlier in self.signals:
            if earlier.period is not None and _same_period(earlier, signal, self.time):
                # A planet's companions don't share its period: the other eclipse of a pair of
                # stars, the light that a planet reflects, or what a cut has left.
                self.secondaries.append(signal)
                return
        self.signals.append(signal)

    def longest_period(self, box: Box) -> Box:
        """Lengthen a period of which only every n-th transit has data."""
        events = [round((event.middle - box.epoch) / box.period) for event in self.events(box)]
        steps = np.diff(events)
        common = int(np.gcd.reduce(steps)) if len(steps) else 1
        if common < 2:
            return box
        first = events[0] % common
        return box._replace(period=common * box.period, epoch=box.epoch + first * box.period)

    def take_single(self, event: _Event, duration: float) -> None:
        near = np.abs(self.time - event.middle) < 2 * duration + 0.5
        time, flux = self.time[near & self.known], self.scaled[near & self.known]
        best: tuple[float, float, float, float] = (0.0, event.middle, duration, event.depth)
        for cadences in np.unique(np.geomspace(1, 1.2 / CADENCE_DAYS, 18).round().astype(int)):
            if cadences > len(flux):
                break
            depth = -np.convolve(flux, np.ones(cadences), "valid") / cadences
            at = int(np.argmax(depth))
            length = cadences * CADENCE_DAYS
            snr = float(depth[at]) * np.sqrt(cadences) / self.red(length)
            if snr > best[0]:
                middle = float(time[at : at + cadences].mean())
                best = (snr, middle, length, float(depth[at]))
        snr, middle, duration, depth = best
        box = Box(np.nan, middle, duration, depth, snr * self.red(duration))
        signal = self.fit(box)
        if snr < MIN_SNR or duration < SHORTEST_DIP * CADENCE_DAYS:
            self.glitches |= signal.inside(self.time, 1.3)
        else:
            self.signals.append(signal)

    # measuring ------------------------------------------------------------------------------

    def fit(self, box: Box) -> Signal:
        """Fit a trapezoid to what is not cut out, from where the box lies."""
        from scipy.optimize import curve_fit

        single = bool(np.isnan(box.period))
        time = self.time[self.known]
        phase = time - box.epoch if single else _phases(time, box.period, box.epoch)
        near = np.abs(phase) < 2 * box.duration + CADENCE_DAYS
        time, flux = time[near], self.scaled[self.known][near]
        cycle = np.zeros(len(time)) if single else np.round((time - box.epoch) / box.period)
        since = phase[near]
        red = self.red(box.duration)

        def shape(
            _: Floats, shift: float, drift: float, depth: float, length: float, share: float
        ) -> Floats:
            return trapezoid(since - shift - drift * cycle, depth, length, share * length)

        shift = np.diff(np.unique(cycle)).size > 0 and not single
        start = [0.0, 0.0, box.depth, 1.1 * box.duration, 0.2]
        wide = box.duration
        cycles = max(float(np.ptp(cycle)), 1.0) if len(cycle) else 1.0
        limit = wide / cycles if shift else 1e-9
        low = [-wide / 2, -limit, 0.0, 0.5 * wide, 0.02]
        high = [wide / 2, limit, max(3 * box.depth, 1e-9), 2.0 * wide, 0.5]
        try:
            best, covariance = curve_fit(
                shape, since, flux, start, bounds=(low, high), sigma=np.full(len(since), red),
                absolute_sigma=True,
                x_scale=[wide, max(limit, 1e-12), max(box.depth, 1e-9), wide, 1],
            )  # fmt: skip
            errors = np.sqrt(np.maximum(np.diag(covariance), 0))
        except (RuntimeError, ValueError, TypeError):
            best, errors = np.array(start), np.full(5, np.inf)
        # A parameter at a limit has no variance, or one without meaning.
        least = _carter_errors(box, red, cycles)
        errors = np.where(errors < 10 * least, np.maximum(errors, least), least)
        seen = self.seen(box)
        # The epoch is that of the first transit seen, the period what the drift leaves of it.
        first = 0 if single or not seen else round((seen[0] - box.epoch) / box.period)
        epoch = box.epoch + best[0] + (0 if single else first * (box.period + best[1]))
        middles = tuple(float(m) for m in seen) if not single else (float(epoch),)
        return Signal(
            period=None if single else Measured(float(box.period + best[1]), float(errors[1])),
            epoch=Measured(float(epoch), float(np.hypot(errors[0], first * errors[1]))),
            depth=Measured(float(best[2] * self.noise), float(errors[2] * self.noise)),
            duration=Measured(float(best[3]), float(errors[3])),
            ingress=float(best[4] * best[3]),
            snr=box.snr / red,
            transits=middles,
            box=box,
        )

    def seen(self, box: Box) -> list[float]:
        return [] if np.isnan(box.period) else [event.middle for event in self.events(box)]

    # judging --------------------------------------------------------------------------------

    def join(self) -> None:
        """Join two single dips that are alike, and give others to planets that they belong to."""
        singles = sorted(
            # A jump of sensitivity or the edge of a gap is no transit.
            (
                signal
                for signal in self.signals
                if signal.period is None and len(_single_reasons(self, signal, self.curve)) == 1
            ),
            key=lambda signal: signal.epoch.value,
        )
        for index, first in enumerate(singles):
            for second in singles[index + 1 :]:
                if first in self.signals and second in self.signals and _alike(first, second):
                    self.signals.remove(first)
                    self.signals.remove(second)
                    self.cut()
                    period = second.epoch.value - first.epoch.value
                    box = Box(period, first.epoch.value, first.box.duration, 0.0, 0.0)
                    time, flux = self.time[self.known], self.scaled[self.known]
                    inside = np.abs(_phases(time, period, box.epoch)) < box.duration / 2
                    depth = -float(flux[inside].mean())
                    snr = depth * float(np.sqrt(inside.sum()))
                    self.signals.append(self.fit(box._replace(depth=depth, snr=snr)))
                    self.cut()
        for single in [signal for signal in self.signals if signal.period is None]:
            for signal in self.signals:
                if (
                    signal.period is not None
                    and abs(float(signal.phase(np.array([single.epoch.value]))[0]))
                    < (signal.duration.value + single.duration.value) / 4
                    and single.depth.value < 2 * signal.depth.value
                ):
                    self.signals.remove(single)
                    break
        self.cut()

    def signals_in_turn(self) -> Iterator[Signal]:
        """Measure each signal with all others cut out, and decide what it is."""
        for signal in self.signals:
            own = [signal, *(s for s in self.secondaries if _same_period(signal, s, self.time))]
            self.scaled = np.where(self.hidden(own), np.nan, self.curve)
            self.known = np.isfinite(self.scaled)
            if signal.period is None:
                again = self.fit(signal.box)
                reasons = _single_reasons(self, again, self.scaled)
                yield replace(again, disposition="single dip", reasons=reasons)
                continue
            time, flux = self.time[self.known], self.scaled[self.known]
            step = signal.box.duration / (time[-1] - time[0]) / 4
            box = fit_box(
                time,
                flux,
                signal.period.value * np.exp(np.linspace(-step, step, 5)),
                self.durations(signal.period.value, signal.box.duration),
                oversample=4,
            )
            again = self.fit(box) if box.snr > 0 else signal
            features = _describe(time, flux, Peak(box, np.nan))
            decision = disposition(again, features)
            yield replace(
                again,
                features=features,
                disposition=decision.disposition,
                reasons=decision.reasons,
            )


def _alike_depths(deepest: _Event, others: Sequence[_Event]) -> bool:
    """Tell whether a deepest event and the others can be transits of one body, or of a binary."""
    gaps = np.array([deepest.depth - event.depth for event in others])
    errors = np.array([np.hypot(deepest.error, event.error) for event in others])
    if len(others) == 1:
        # Two unlike eclipses of a binary may be this too, but then the period is not known either.
        return bool(gaps[0] < max(4 * errors[0], 0.2 * deepest.depth))
    weights = np.array([event.error**-2 for event in others])
    rest = float(np.average([event.depth for event in others], weights=weights))
    error = float(np.hypot(deepest.error, weights.sum() ** -0.5))
    if rest < 0.5 * deepest.depth and deepest.depth - rest > 4 * error:
        return False
    missing = (gaps > 0.75 * deepest.depth) & (gaps > 5 * errors)
    return bool(missing.mean() < 1 / 3)


def _same_period(first: Signal, second: Signal, time: Floats) -> bool:
    """Tell whether two periods agree to less than a duration by the end of the curve."""
    if first.period is None or second.period is None or first is second:
        return False
    cycles = max((time[-1] - time[0]) / first.period.value, 1.0)
    drift = abs(first.period.value - second.period.value) * cycles
    return bool(drift < first.duration.value + second.duration.value)


def _alike(first: Signal, second: Signal) -> bool:
    """Tell whether two single dips can be transits of one body."""
    error = np.hypot(first.depth.error, second.depth.error)
    depth = max(first.depth.value, second.depth.value)
    difference = abs(first.depth.value - second.depth.value)
    ratio = first.duration.value / second.duration.value
    return bool(difference < max(3 * error, 0.15 * depth) and 1 / 1.3 < ratio < 1.3)


def disposition(signal: Signal, features: dict[str, float]) -> Verdict:
    """Decide what a periodic signal is, with reasons either way.

    Parameters
    ----------
    signal : Signal
        Periodic, measured on a curve without the other signals.
    features : dict of str to float
        Of that curve.
    """
    assert signal.period is not None
    candidate = Candidate(
        period=signal.period.value,
        epoch=signal.epoch.value,
        duration=signal.box.duration,
        depth=signal.depth.value,
        depth_error=signal.depth.error,
        snr=signal.snr,
        # That its dips are alike was asked when it was found, also of two or three.
        features=features | {"deepest_share": 0.0},
    )
    decision = verdict(candidate)
    few = len(signal.transits) <= FEW_TRANSITS
    red = max(features["phase_scatter"], 1.0)
    against = list(decision.reasons)
    unequal = features["odd_even_snr"] / red
    if not against and unequal > ODD_EVEN_ERRORS and features["odd_even_depth"] > ODD_EVEN_DEPTH:
        against.append(
            f"odd and even dips differ by {features['odd_even_depth']:.0%}, {unequal:.1f} errors: "
            f"two stars that eclipse each other every {2 * signal.period.value:.4f} days"
        )
    if len(signal.transits) < 2:
        against.append("it was seen once: nothing says that it recurs")
    # A box a little off the middle of a deep dip is asymmetric too.
    uneven = abs(features["asymmetry_snr"])
    if few and uneven / red > JUMP_ASYMMETRY and 2 * uneven / signal.box.snr > JUMP_SHARE:
        against.append("one half is deeper than the other, as after a jump of sensitivity")
    if few and features["brightening_snr"] > 0.8 * signal.box.snr:
        against.append("there are brightenings as strong at its period: variability or artefacts")
    second = features["secondary_depth"]
    if few and second > 0.4 and second * signal.snr > ODD_EVEN_ERRORS:
        against.append(f"it is not unique: another dip at its period has {second:.0%} of the depth")
    if against:
        return Verdict(
            "no transit" if decision.disposition == "no transit" else "false positive",
            tuple(against),
        )
    reasons = [f"{len(signal.transits)} transits, alike in depth"]
    if np.isfinite(features["odd_even_snr"]):
        reasons.append(f"odd and even depths differ by {features['odd_even_snr'] / red:.1f} errors")
    if np.isfinite(features["secondary_snr"]):
        reasons.append(
            f"the next dip at its period has {features['secondary_depth']:.0%} of the depth"
        )
    reasons.append(
        f"it lasts {features['duration_over_expected']:.2f} times as long as a planet's transit of "
        "a star like the Sun would"
    )
    return Verdict("planet candidate", tuple(reasons))


def _single_reasons(finder: _Finder, signal: Signal, curve: Floats) -> tuple[str, ...]:
    """Say what can be said of a dip that was seen once."""
    known = np.isfinite(curve)
    phase, flux = signal.phase(finder.time[known]), curve[known]
    inside = np.abs(phase) < signal.duration.value / 2
    halves = [flux[inside & (side * phase > 0)] for side in (-1, 1)]
    reasons = ["seen once: its period is unknown"]
    red = finder.red(signal.duration.value)
    if all(len(half) > 1 for half in halves):
        first, second = (-float(half.mean()) for half in halves)
        error = red * float(np.sqrt(sum(1 / len(half) for half in halves)))
        unlike = abs(first - second)
        if unlike > JUMP_ASYMMETRY * error and unlike > JUMP_SHARE * max(first, second):
            reasons.append("one half is deeper than the other, as after a jump of sensitivity")
    sides = [np.sum(~inside & (side * phase > 0) & (np.abs(phase) < 1)) for side in (-1, 1)]
    if min(sides) < 0.25 / CADENCE_DAYS:
        reasons.append("it lies at the edge of a gap")
    if signal.depth.value > MAX_PLANET_DEPTH:
        reasons.append(f"it is {signal.depth.value:.1%} deep: too large for a planet")
    return tuple(reasons)


def trapezoid(phase: Floats, depth: float, duration: float, ingress: float) -> Floats:
    """Return a trapezoidal dip about 0; an exposure smears its ingress.

    Parameters
    ----------
    phase : ndarray
        Days from the middle.
    depth, duration, ingress : float
        Of the middle; days from first to last, and from first to second contact.

    Examples
    --------
    >>> trapezoid(np.array([0.0, 0.4, 0.6]), 1.0, 1.0, 0.2).round(2).tolist()
    [-1.0, -0.5, 0.0]
    """
    slope = np.maximum(ingress, CADENCE_DAYS)
    return np.asarray(-depth * np.clip((duration / 2 - np.abs(phase)) / slope, 0, 1)) + 0.0


def _carter_errors(box: Box, red: float, cycles: float) -> Floats:
    """Return errors of shift, drift, depth, length and share: Carter et al. 2008, equation 23."""
    quality = max(box.snr / red, 1e-9)
    share = 0.2
    shift = box.duration / quality * np.sqrt(share / 2)
    drift = shift * np.sqrt(12) / cycles
    length = box.duration / quality * np.sqrt(2 * share)
    return np.array([shift, drift, box.depth / quality, length, share])

"""The page of one star: its curve, periodogram, and each candidate as vetters look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.detection import Recording, Verdict, caveats, verdict_rows
from models.exoplanets.detection.verdicts import SEARCH, name_of, signals_of
from models.exoplanets.transit_search import CADENCE_DAYS
from models.exoplanets.transit_search.candidates import MIN_SNR
from models.exoplanets.transit_search.planets import Measured, Signal
from models.reporting import Picture, Report, Section, report

SHOWN_TRANSITS = 12
"""Single transits drawn of each signal."""

MOST_DRAWN = 8
"""Signals that are drawn one by one; others stand in the table."""

PPM = 1e6


def sheet(
    recording: Recording, features: Mapping[str, NDArray[Any]], all_verdicts: Sequence[Verdict]
) -> Report:
    """Render the page of one star.

    Parameters
    ----------
    recording, features, all_verdicts
        From `read_recording`, `readings` and `verdicts`.
    """
    signals = signals_of(features)
    sections = [
        _summary(recording, features, signals, all_verdicts),
        _curve_section(recording, features, signals),
    ]
    sections += [
        _signal_section(features, signals, place) for place in range(min(len(signals), MOST_DRAWN))
    ]
    trained = [verdict for verdict in all_verdicts if verdict.model != SEARCH]
    if trained:
        sections.append(
            Section(
                "Trained models",
                prose=[
                    "The vetting model judges each periodic candidate; the others read windows of "
                    "65.3 days, and say whether a planet's transits are somewhere in them. Scores "
                    "are no probabilities of a planet.",
                    *caveats(trained),
                ],
                table=verdict_rows(trained),
            )
        )
    return report(f"{recording.name}: search for transiting planets", sections)


# text -------------------------------------------------------------------------------------------


def _summary(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    signals: Sequence[Signal],
    all_verdicts: Sequence[Verdict],
) -> Section:
    facts = recording.facts
    candidates = [s for s in signals if s.disposition == "planet candidate"]
    singles = sum(signal.period is None for signal in signals)
    others = len(signals) - len(candidates) - singles
    counts = [
        f"{count} {what}{'s' if count != 1 else ''}"
        for count, what in (
            (len(candidates), "planet candidate"),
            (others, "false positive"),
            (singles, "single dip"),
        )
        if count
    ]
    searched = [verdict for verdict in all_verdicts if verdict.model == SEARCH]
    mission = f"{facts['mission']}, " if facts.get("mission") else ""
    return Section(
        "Summary",
        prose=[
            (", ".join(counts) or f"No transit: nothing is above a signal-to-noise of {MIN_SNR}")
            + ".",
            f"{mission}{facts['cadences']} cadences of {facts['cadence']:.3g} min over "
            f"{facts['span']:.1f} days in {len(facts['files'])} "
            f"file{'s' if len(facts['files']) > 1 else ''}. Times are {_scale(recording)}. "
            f"Noise of a cadence: {features['noise'][0] * PPM:.0f} ppm.",
            *recording.notes,
            *_rates(searched),
            *caveats(searched),
        ],
        table=[_row(number, signal) for number, signal in enumerate(signals, 1)],
    )


def _scale(recording: Recording) -> str:
    zero = recording.facts.get("zero")
    return f"BJD - {zero:.10g}" if zero else "days as in the file"


def _rates(searched: Sequence[Verdict]) -> list[str]:
    """Say how often the search errs."""
    rates = searched[0].error_rates if searched else {}
    said = {"missed": "it missed {} of the planets", "false_alarms": "it flagged {} of the others"}
    parts = [
        text.format(f"{rate['value']:.0%} [{rate['low']:.0%}, {rate['high']:.0%}]")
        for name, text in said.items()
        if (rate := rates.get(name, {})).get("value") is not None
    ]
    return [f"The search on test curves of 65.3 days: {' and '.join(parts)}."] if parts else []


def _row(number: int, signal: Signal) -> dict[str, Any]:
    return {
        "signal": number,
        "period (days)": _with_error(signal.period) if signal.period else "-",
        "epoch (days)": _with_error(signal.epoch),
        "depth (ppm)": _with_error(_times(signal.depth, PPM)),
        "duration (hours)": _with_error(_times(signal.duration, 24)),
        "radius (of the star)": f"{np.sqrt(max(signal.depth.value, 0)):.4f}",
        "S/N": f"{signal.snr:.1f}",
        "transits": len(signal.transits),
        "disposition": signal.disposition,
    }


def _times(measured: Measured, factor: float) -> Measured:
    return Measured(measured.value * factor, measured.error * factor)


def _with_error(measured: Measured) -> str:
    """Write a value to two digits of its error.

    >>> _with_error(Measured(10.05448, 0.00012))
    '10.05448 ± 0.00012'
    """
    error = measured.error
    if not (np.isfinite(error) and error > 0):
        return f"{measured.value:.5g}"
    digits = max(1 - int(np.floor(np.log10(error))), 0)
    return f"{measured.value:.{digits}f} ± {error:.{digits}f}"


# the whole curve --------------------------------------------------------------------------------


def _curve_section(
    recording: Recording, features: Mapping[str, NDArray[Any]], signals: Sequence[Signal]
) -> Section:
    window = float(features["window"][0])
    return Section(
        "Whole curve",
        pictures=[
            Picture(
                "curve",
                _curve_picture(features, signals),
                f"Above: the light as observed, and its trend (biweight lines in windows of "
                f"{window:g} days, blind to the signals). Below: without it, transits marked.",
            ),
            Picture(
                "periodogram",
                _periodogram_picture(features, signals),
                "Signal-to-noise of the best box at each period before anything is cut out; "
                "dotted: the detection threshold.",
            ),
        ],
    )


def _colour(place: int) -> str:
    return plots.CYCLE[(place + 1) % len(plots.CYCLE)]


def _curve_picture(features: Mapping[str, NDArray[Any]], signals: Sequence[Signal]) -> bytes:
    figure, (above, below) = plots.new_figure(10.5, 5.2, rows=2, share=True)
    time, flat, trend = (features[name] for name in ("time", "flat", "trend"))
    above.plot(time, 1 + flat + trend, ".", color=plots.NEGATIVE, markersize=1.5)
    for part in _unbroken(time, trend):
        above.plot(time[part], 1 + trend[part], "-", color=plots.POSITIVE, linewidth=0.9)
    above.set_ylabel("relative flux")
    below.plot(time, flat * PPM, ".", color=plots.GREY, markersize=1.5)
    for place, signal in enumerate(signals[:MOST_DRAWN]):
        inside = signal.inside(time)
        below.plot(time[inside], flat[inside] * PPM, ".", color=_colour(place), markersize=3,
                   label=_short(place, signal))  # fmt: skip
    low, high = np.nanmin(flat), np.nanquantile(flat, 0.999)
    noise = float(features["noise"][0])
    below.set_ylim((low - 2 * noise) * PPM, (high + 3 * noise) * PPM)
    below.set_ylabel("ppm")
    below.set_xlabel("time (days)")
    if signals:
        below.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False,
                     fontsize=8, markerscale=3)  # fmt: skip
    return plots.to_png(figure, "")


def _short(place: int, signal: Signal) -> str:
    return f"{place + 1}: {name_of(signal)}"


def _unbroken(time: NDArray[Any], values: NDArray[Any]) -> list[NDArray[np.intp]]:
    places = np.flatnonzero(np.isfinite(values))
    return np.split(places, np.flatnonzero(np.diff(time[places]) > 0.75) + 1)


def _periodogram_picture(features: Mapping[str, NDArray[Any]], signals: Sequence[Signal]) -> bytes:
    figure, (axes,) = plots.new_figure(10.5, 2.9)
    axes.plot(features["trial_period"], features["trial_snr"], "-", color=plots.NEGATIVE, lw=0.6)
    axes.axhline(MIN_SNR, color=plots.GREY, linestyle=":", linewidth=1)
    axes.set_xscale("log")
    top = float(features["trial_snr"].max())
    axes.set_ylim(0, 1.15 * max(top, MIN_SNR))
    for place, signal in enumerate(signals[:MOST_DRAWN]):
        if signal.period is not None:
            axes.axvline(signal.period.value, color=_colour(place), linewidth=1.2, alpha=0.7)
            axes.annotate(
                str(place + 1), (signal.period.value, 1.0), xycoords=axes.get_xaxis_transform(),
                ha="center", va="bottom", fontsize=9, color=_colour(place),
            )  # fmt: skip
    axes.set_xlabel("period (days)")
    axes.set_ylabel("S/N")
    return plots.to_png(figure, "")


# one signal -------------------------------------------------------------------------------------


def _signal_section(
    features: Mapping[str, NDArray[Any]], signals: Sequence[Signal], place: int
) -> Section:
    signal = signals[place]
    time, flat = features["time"], features["flat"]
    hidden = np.zeros(len(time), bool)
    for other in signals:
        if other is not signal:
            hidden |= other.inside(time, 1.3)
    hidden &= ~signal.inside(time)
    visible = np.isfinite(flat) & ~hidden
    days, light = time[visible], flat[visible]
    colour = _colour(place)
    pictures = []
    if signal.period is None:
        title = f"Signal {place + 1}: single dip at day {signal.epoch.value:.3f}"
        picture = _single_picture(days, light, signal, colour)
        pictures.append(Picture(f"dip {place + 1}", picture, "The dip, with the trapezoid."))
    else:
        title = f"Signal {place + 1}: period {name_of(signal)}"
        pictures = [
            Picture(
                f"folded {place + 1}",
                _folded_picture(days, light, signal, colour),
                "Folded at the period, other signals cut out: the whole cycle; the transit with "
                "the trapezoid; odd (circles) against even (squares) transits; the deepest dip at "
                "another phase, where a binary's secondary eclipse would be.",
            ),
            Picture(
                f"transits {place + 1}",
                _transits_picture(days, light, signal, colour),
                "Each transit alone"
                + (
                    f": {SHOWN_TRANSITS} of {len(signal.transits)}, evenly picked."
                    if len(signal.transits) > SHOWN_TRANSITS
                    else "."
                ),
            ),
        ]
    reasons = "; ".join(signal.reasons)
    prose = [f"{signal.disposition}: {reasons}." if reasons else f"{signal.disposition}."]
    return Section(title, prose=[prose[0][0].upper() + prose[0][1:]], pictures=pictures)


def _binned(
    phase: NDArray[Any], flux: NDArray[Any], low: float, high: float, bins: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return middles, means and errors of the bins that hold values."""
    edges = np.linspace(low, high, bins + 1)
    index = np.digitize(phase, edges) - 1
    good = (index >= 0) & (index < bins)
    count = np.bincount(index[good], minlength=bins)
    total = np.bincount(index[good], weights=flux[good], minlength=bins)
    square = np.bincount(index[good], weights=flux[good] ** 2, minlength=bins)
    some = count > 0
    mean = total[some] / count[some]
    spread = np.sqrt(np.maximum(square[some] / count[some] - mean**2, 0) / count[some])
    return (edges[:-1] + edges[1:])[some] / 2, mean, spread


def _limits(signal: Signal, light: NDArray[Any]) -> tuple[float, float]:
    noise = 1.4826 * float(np.median(np.abs(light - np.median(light))))
    return (-1.25 * signal.depth.value - 3 * noise) * PPM, (
        0.4 * signal.depth.value + 4 * noise
    ) * PPM


def _folded_picture(days: NDArray[Any], light: NDArray[Any], signal: Signal, colour: str) -> bytes:
    assert signal.period is not None
    period, duration = signal.period.value, signal.duration.value
    phase = signal.phase(days)
    figure, (whole, near, parity, second) = plots.new_figure(10.5, 6.0, rows=2, columns=2)
    limits = _limits(signal, light)
    whole.plot(phase, light * PPM, ".", color="#b8b8b8", markersize=1.5)
    middle, mean, _ = _binned(phase, light, -period / 2, period / 2, 201)
    whole.plot(middle, mean * PPM, ".", color=colour, markersize=3.5)
    whole.set_title("whole cycle", fontsize=9, loc="left")
    whole.set_xlabel("days from transit")
    reach = min(3 * duration, period / 2)
    close = np.abs(phase) < reach
    fine = np.linspace(-reach, reach, 400)
    model = signal.model(fine + signal.epoch.value)
    near.plot(phase[close] * 24, light[close] * PPM, ".", color="#b8b8b8", markersize=2.5)
    middle, mean, error = _binned(phase[close], light[close], -reach, reach, 41)
    near.errorbar(middle * 24, mean * PPM, error * PPM, fmt="o", color=colour, markersize=3.5,
                  elinewidth=0.8)  # fmt: skip
    near.plot(fine * 24, model * PPM, "-", color="black", linewidth=1.2)
    near.set_title("transit", fontsize=9, loc="left")
    odd = np.round((days - signal.epoch.value) / period).astype(int) % 2 == 1
    for chosen, marker, shade, label in (
        (odd, "o", plots.POSITIVE, "odd"), (~odd, "s", plots.NEGATIVE, "even"),
    ):  # fmt: skip
        some = close & chosen
        if some.any():
            middle, mean, error = _binned(phase[some], light[some], -reach, reach, 31)
            parity.errorbar(middle * 24, mean * PPM, error * PPM, fmt=marker, color=shade,
                            markersize=3.5, elinewidth=0.8, label=label)  # fmt: skip
    parity.plot(fine * 24, model * PPM, "-", color="black", linewidth=0.8)
    parity.legend(frameon=False, fontsize=8, loc="lower left")
    parity.set_title("odd and even", fontsize=9, loc="left")
    at = _secondary_phase(phase, light, period, duration)
    away = (phase - at + period / 2) % period - period / 2
    some = np.abs(away) < reach
    second.plot(away[some] * 24, light[some] * PPM, ".", color="#b8b8b8", markersize=2.5)
    if some.any():
        middle, mean, error = _binned(away[some], light[some], -reach, reach, 41)
        second.errorbar(middle * 24, mean * PPM, error * PPM, fmt="o", color=colour, markersize=3.5,
                        elinewidth=0.8)  # fmt: skip
    second.set_title(f"phase {at / period % 1:.3f}", fontsize=9, loc="left")
    for axes in (whole, near, parity, second):
        axes.set_ylim(*limits)
        axes.set_ylabel("ppm")
        if axes is not whole:
            axes.set_xlabel("hours")
    return plots.to_png(figure, "")


def _secondary_phase(
    phase: NDArray[Any], light: NDArray[Any], period: float, duration: float
) -> float:
    """Find the deepest box away from the transit, in days after it."""
    bins = max(int(period / duration * 4), 8)
    index = np.minimum(((phase + period / 2) / period * bins).astype(int), bins - 1)
    count = np.bincount(index, minlength=bins)
    total = np.bincount(index, weights=light, minlength=bins)
    kernel = np.ones(4)
    wrap = np.concatenate([total, total[:3]]), np.concatenate([count, count[:3]])
    sums, inside = (np.convolve(values, kernel, "valid") for values in wrap)
    middle = ((np.arange(bins) + 2) / bins * period) - period / 2
    snr = -sums / np.sqrt(np.maximum(inside, 1))
    apart = np.minimum(np.abs(middle), period - np.abs(middle))
    snr[(apart < 2 * duration) | (inside == 0)] = -np.inf
    return float(middle[int(np.argmax(snr))]) if np.isfinite(snr).any() else period / 2


def _transits_picture(
    days: NDArray[Any], light: NDArray[Any], signal: Signal, colour: str
) -> bytes:
    middles = np.array(signal.transits)
    chosen = np.unique(np.linspace(0, len(middles) - 1, min(len(middles), SHOWN_TRANSITS)).round())
    epochs = middles[chosen.astype(int)]
    columns = min(len(epochs), 4)
    rows = -(-len(epochs) // columns)
    figure, panels = plots.new_figure(
        max(2.6 * columns, 4.0), 0.5 + 1.7 * rows, rows=rows, columns=columns
    )
    reach = max(2.5 * signal.duration.value, 6 * CADENCE_DAYS)
    limits = _limits(signal, light)
    fine = np.linspace(-reach, reach, 200)
    for axes, middle in zip(panels, epochs, strict=False):
        near = np.abs(days - middle) < reach
        axes.plot((days[near] - middle) * 24, light[near] * PPM, ".", color=colour, markersize=4)
        axes.plot(fine * 24, signal.model(fine + middle) * PPM, "-", color="black", linewidth=0.9)
        axes.set_title(f"day {middle:.2f}", fontsize=8, loc="left", pad=2)
        axes.set_ylim(*limits)
        axes.tick_params(labelsize=7)
    for axes in panels[len(epochs) :]:
        axes.set_visible(False)
    figure.supxlabel("hours", fontsize=9)
    figure.supylabel("ppm", fontsize=9)
    return plots.to_png(figure, "")


def _single_picture(days: NDArray[Any], light: NDArray[Any], signal: Signal, colour: str) -> bytes:
    figure, (axes,) = plots.new_figure(6.4, 3.4)
    reach = max(4 * signal.duration.value, 1.0)
    near = np.abs(signal.phase(days)) < reach
    fine = np.linspace(-reach, reach, 400)
    axes.plot(signal.phase(days[near]) * 24, light[near] * PPM, ".", color=colour, markersize=4)
    model = signal.model(fine + signal.epoch.value)
    axes.plot(fine * 24, model * PPM, "-", color="black", linewidth=1.1)
    axes.set_xlabel("hours")
    axes.set_ylabel("ppm")
    return plots.to_png(figure, "")

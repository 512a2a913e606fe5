"""The page of a radar scan: its picture with the spans, depths, scores, and what was done to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.buried_objects.detection.echoes import REACH, velocity_of
from models.buried_objects.detection.geometry import (
    Calibration,
    Field,
    Gridded,
    echoes_of,
    line_of,
    time_step,
)
from models.buried_objects.report import UPGRADE
from models.buried_objects.scans import SAMPLES, SPACING
from models.detection import Recording, Verdict, caveats
from models.reporting import Picture, Report, Section, report
from models.types import JsonDict

DRAWN = -(-SAMPLES // 20)
"""Samples of a trace in a picture: one every 0.12 ns."""

COLUMNS = 1000
"""Traces of a picture at most."""

CLOSE_UPS = 6
MARGIN = 75
"""Traces, 1.5 m, that a close-up shows on either side of a span's apex."""

LISTED = 60
"""Spans in the table at most."""


def sheet(
    recording: Recording, features: Mapping[str, NDArray[Any]], found: Sequence[Verdict]
) -> Report:
    """Render the page of one line: B-scan with spans and scores, depths, close-ups, processing.

    Parameters
    ----------
    recording, features, found
        From `read_recording`, `readings` and `verdicts`.
    """
    by_model: dict[str, list[Verdict]] = {}
    for verdict in found:
        by_model.setdefault(verdict.model, []).append(verdict)
    leading = UPGRADE if UPGRADE in by_model else next(iter(by_model), "")
    own = by_model.get(leading, [])
    spans = [verdict for verdict in own if verdict.positive]
    scan = _Scan(recording, features)
    ranked = sorted(spans, key=lambda verdict: -(verdict.score or 0))
    listed = ranked[:LISTED]
    prose = [_summary(recording, features, leading, own), *_caveats(own)]
    if len(spans) > LISTED:
        prose.append(f"The {LISTED} spans with the highest scores are listed.")
    place = {verdict.part: number for number, verdict in enumerate(spans)}
    overview = Picture("b-scan", scan.overview(by_model, spans), OVERVIEW_CAPTION)
    sections = [
        Section(
            "Spans over an object",
            prose,
            [_depth_row(v) for v in sorted(listed, key=lambda v: place[v.part])],
            [overview],
        ),
        Section(
            "Close-ups",
            [CLOSE_UPS_ARE if spans else "No trace is flagged: there is nothing to look at."],
            pictures=[
                Picture(f"span {number}", scan.close_up(verdict), f"Depth {_depth(verdict)} m")
                for number, verdict in enumerate(ranked[:CLOSE_UPS], start=1)
            ],
        ),
        Section("All models", table=[_model_row(recording, own) for own in by_model.values()]),
        Section("Recording and processing", recording.notes, _facts(recording, features)),
    ]
    return report(f"Buried objects below {recording.name}", sections)


OVERVIEW_CAPTION = (
    "The line without its background, each moment scaled by its own standard deviation, with the "
    "spans (shaded) and the first strong echo in each (circle). Below: every model's "
    "score of each trace with its threshold (dotted), and what it flags."
)

CLOSE_UPS_ARE = (
    f"Around the spans with the highest scores, at most {CLOSE_UPS}: their ends (dashed), and the "
    "hyperbola on which the first strong echo lies."
)


def _caveats(own: Sequence[Verdict]) -> list[str]:
    """List the kinds of warnings; of those that differ in a number from span to span, the first."""
    kinds: dict[str, Verdict] = {}
    for verdict in own:
        for warning in verdict.warnings:
            kinds.setdefault(warning.partition(":")[0], replace(verdict, warnings=(warning,)))
    return caveats(kinds.values())


def _summary(
    recording: Recording,
    features: Mapping[str, NDArray[Any]],
    leading: str,
    own: Sequence[Verdict],
) -> str:
    length = SPACING * len(features["position"])
    spans = [verdict for verdict in own if verdict.positive]
    if not spans:
        return f"No object: no trace of {length:.2f} m reaches the threshold of {leading}" + (
            f", {own[0].threshold:.3g}; the highest score is {own[0].score:.3g}." if own else "."
        )
    covered = sum(verdict.details["stop"] - verdict.details["start"] for verdict in spans)
    many = "1 span lies" if len(spans) == 1 else f"{len(spans)} spans lie"
    return (
        f"{many} over an object, says {leading}: {covered:.2f} m of {length:.2f} m "
        f"({covered / length:.0%})."
    )


def _depth(verdict: Verdict) -> str:
    depth, low, high = (verdict.details[name] for name in ("depth", "depth_low", "depth_high"))
    return f"{depth:.2f} [{low:.2f}, {high:.2f}]"


def _depth_row(verdict: Verdict) -> JsonDict:
    details = verdict.details
    return {
        "span": verdict.part,
        "score": verdict.score,
        "apex (m)": f"{details['apex']:.2f}",
        "two-way time (ns)": f"{details['two_way_ns']:.1f}",
        "depth (m)": _depth(verdict),
        "traces as recorded": "{} to {}".format(*details["traces"]),
    }


def _model_row(recording: Recording, own: Sequence[Verdict]) -> JsonDict:
    spans = [verdict for verdict in own if verdict.positive]
    best = max(own, key=lambda verdict: verdict.score or 0)
    return {
        "model": best.model,
        "spans": len(spans),
        "metres flagged": f"{sum(v.details['stop'] - v.details['start'] for v in spans):.2f}",
        "highest score": best.score,
        "threshold": best.threshold,
        **{f"traces: {name} in tests": rate for name, rate in best.error_rates.items()},
    }


def _facts(recording: Recording, features: Mapping[str, NDArray[Any]]) -> list[JsonDict]:
    facts, how = recording.facts, Calibration.from_array(features["calibration"])
    stated = facts["permittivity"]
    velocity = velocity_of(stated)
    rows = {
        "file": ", ".join(facts["files"]),
        "format": facts["format"],
        "traces": f"{facts['traces']:,} of {facts['samples']:,} samples",
        "time": f"{facts['window_ns']:.4g} ns, a sample every {1e12 * facts['dt']:.4g} ps",
        "spacing of the traces": (
            "unknown" if facts["spacing"] is None else f"{facts['spacing']:.4g} m"
        )
        + f"; resampled to {SPACING} m",
        "frequency": f"{'direct wave' if how.direct else 'traces'} centred on "
        f"{how.frequency / 1e6:.0f} MHz"
        + (f"; nominal {facts['frequency'] / 1e6:.0f} MHz" if facts["frequency"] else ""),
        "velocity in the ground": f"{velocity / 1e9:.3f} m/ns, from a relative permittivity of "
        + (f"{stated:g} as stated" if stated else "6, as trained: it is not stated"),
        "drift": f"dewowed over {1e9 * how.wow:.1f} ns" if how.wow else "left as it is",
        "time zero": f"moved by {-1e9 * how.shift:+.2f} ns: the first break is where training "
        "scans have it"
        if how.shift
        else "as recorded",
        "amplitude": f"times {how.factor:.4g}" if how.factor != 1 else "as recorded (V/m)",
        "background": "the mean of the 144 traces around each is subtracted",
        "gain": "that of the training scans",
    }
    return [{"property": name, "value": text} for name, text in rows.items()]


class _Scan:
    """A line to draw: its traces without background, as far as a picture has room for them."""

    def __init__(self, recording: Recording, features: Mapping[str, NDArray[Any]]) -> None:
        line = line_of(recording.arrays["position"], recording.arrays["usable"])
        self._how = Calibration.from_array(features["calibration"])
        self._gridded = Gridded(recording, line, DRAWN, self._how)
        self._position = features["position"]
        self._known = recording.facts["spacing"] is not None
        self._velocity = velocity_of(recording.facts["permittivity"])
        self._time = 1e9 * time_step(DRAWN) * np.arange(DRAWN)
        covered = self._time[self._gridded.covered]
        self._end = float(covered[-1]) if covered.size else float(self._time[-1])
        self._name = recording.name

    def _thinned(self) -> Field:
        every = -(-len(self._position) // COLUMNS)
        kept = []
        for rows, echoes in echoes_of(self._gridded):
            kept.append(echoes[-rows.start % every :: every])
        return np.concatenate(kept)

    def _draw(self, axes: Any, field: Field, first: float, last: float) -> None:
        std = field.std(axis=0)
        scaled = np.clip(field / np.where(std > 0, std, 1), -3, 3)
        bottom = float(self._time[-1])
        axes.imshow(
            scaled.T, aspect="auto", cmap="gray", extent=(first, last, bottom, 0), zorder=0,
            vmin=-3, vmax=3,
        )  # fmt: skip
        axes.set_ylim(self._end, 0)
        axes.set_ylabel("time (ns)")
        axes.grid(visible=False)
        direct, half = 1e9 * self._how.direct, self._velocity / 2e9
        right = axes.secondary_yaxis(
            "right", functions=(lambda t: (t - direct) * half, lambda d: d / half + direct)
        )
        right.set_ylabel("depth (m)", fontsize=9)
        right.tick_params(labelsize=8)

    def overview(
        self, by_model: Mapping[str, Sequence[Verdict]], spans: Sequence[Verdict]
    ) -> bytes:
        ends = self._position[0] - SPACING / 2, self._position[-1] + SPACING / 2
        low = 0.5 + 0.22 * len(by_model)
        figure, (image, curves, bars) = plots.new_figure(
            10.4, 5.4 + low, rows=3, heights=(3.7, 1.7, low), share=True
        )
        self._draw(image, self._thinned(), *ends)
        for verdict in spans:
            details = verdict.details
            image.axvspan(
                details["start"], details["stop"], color=plots.POSITIVE, alpha=0.22, linewidth=0
            )
            image.plot(
                details["apex"], details["passes_ns"], "o", markersize=6, markerfacecolor="none",
                markeredgecolor=plots.POSITIVE, markeredgewidth=1.4,
            )  # fmt: skip
        for place, (name, own) in enumerate(by_model.items()):
            strong = name == UPGRADE
            colour = plots.POSITIVE if strong else _colour(place)
            profile: list[float] = next(
                (v.details["profile"] for v in own if "profile" in v.details), []
            )
            curves.plot(
                np.linspace(*ends, len(profile) + 1)[:-1] + np.ptp(ends) / max(len(profile), 1) / 2,
                profile, color=colour, linewidth=1.6 if strong else 0.8, zorder=3 if strong else 2,
                label=name,
            )  # fmt: skip
            curves.axhline(own[0].threshold, color=colour, linestyle=":", linewidth=1)
            for verdict in own:
                if verdict.positive:
                    width = verdict.details["stop"] - verdict.details["start"]
                    bars.barh(
                        -place, width, left=verdict.details["start"], height=0.7, color=colour
                    )
        curves.set_ylim(-0.02, 1.02)
        curves.set_ylabel("score")
        bars.set_yticks(-np.arange(len(by_model)), list(by_model))
        bars.set_ylim(0.6 - max(len(by_model), 1), 0.6)
        bars.set_xlim(*ends)
        bars.set_xlabel(self._label())
        return plots.to_png(figure, self._name)

    def close_up(self, verdict: Verdict) -> bytes:
        details = verdict.details
        at = int(np.argmin(np.abs(self._position - details["apex"])))
        first, last = max(at - MARGIN, 0), min(at + MARGIN + 1, len(self._position))
        field = np.concatenate(
            [
                echoes[max(first - rows.start, 0) : last - rows.start]
                for rows, echoes in echoes_of(self._gridded)
                if rows.start < last and rows.stop > first
            ]
        )
        figure, (axes,) = plots.new_figure(5.0, 4.0)
        ends = self._position[first] - SPACING / 2, self._position[last - 1] + SPACING / 2
        self._draw(axes, field, *ends)
        for edge in (details["start"], details["stop"]):
            axes.axvline(edge, color=plots.POSITIVE, linewidth=1.3, linestyle="--")
        aside = SPACING * np.linspace(-REACH, REACH, 101)
        top = details["passes_ns"] - 1e9 * self._how.direct
        late = np.sqrt(top**2 + (2e9 * aside / self._velocity) ** 2) + 1e9 * self._how.direct
        axes.plot(details["apex"] + aside, late, color=plots.POSITIVE, linewidth=1.3, alpha=0.8)
        axes.set_xlim(*ends)
        axes.set_xlabel(self._label())
        return plots.to_png(figure, f"{verdict.part}, score {verdict.score:.2f}")

    def _label(self) -> str:
        return "position along the line (m)" if self._known else "position (m), if 0.02 m a trace"


def _colour(place: int) -> str:
    others = [colour for colour in plots.CYCLE if colour != plots.POSITIVE]
    return others[place % len(others)]

"""The page of a recording: what was said, when, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.arrays import ArrayLike
from models.detection import Recording, Verdict, caveats
from models.reporting import Picture, Report, Section, Sound, report
from models.speech.corpus import RATE
from models.speech.detection.pauses import SECOND
from models.speech.detection.subtitles import files, rate
from models.speech.detection.verdicts import SCORE, clock
from models.speech.features import WINDOW, spectrogram
from models.speech.pictures import draw_spectrogram, sound

STRIP = 12.0
"""Seconds of a picture."""
STRIPS = 5
"""Pictures at most."""
HEARD = 20
"""Seconds that can be listened to."""
LISTED = 200
"""Segments, and words, that a table lists."""
LEVELS = 1500
"""Points of the picture of the whole recording."""
ROWS = 3
"""In which the words of a picture stand, in turn, so that they don't overlap."""


def sheet(
    recording: Recording, features: Mapping[str, ArrayLike], all_verdicts: Sequence[Verdict]
) -> Report:
    """Render the page of one recording, with the transcripts of all models as files beside it.

    Parameters
    ----------
    recording, features, all_verdicts
        From `read_recording`, `readings` and `verdicts`.
    """
    by_model: dict[str, list[Verdict]] = {}
    for verdict in all_verdicts:
        by_model.setdefault(verdict.model, []).append(verdict)
    models = sorted(by_model.values(), key=lambda verdicts: _word_error_rate(verdicts[0]))
    best = models[0]
    rendered = report(
        f"Transcript of {recording.name}",
        [
            _transcript(recording, best),
            _signal(recording, features, best),
            _words(best),
            Section("Models", [_MODELS], [_model_row(verdicts) for verdicts in models]),
        ],
    )
    beside: dict[str, bytes] = {}
    for verdicts in models:
        beside |= files(recording, verdicts)
    return replace(rendered, files={**rendered.files, **beside})


_MODELS = (
    f"Each model's transcript is in the folder transcripts beside this page: as text, as JSON with "
    f"the time of each word, and as subtitles (SRT, WebVTT). The score is the {SCORE}, averaged "
    "over the recording; it is not calibrated."
)


def _word_error_rate(verdict: Verdict) -> float:
    value = verdict.error_rates["word_error_rate"]["value"]
    return float("inf") if value is None else float(value)


def _transcript(recording: Recording, verdicts: Sequence[Verdict]) -> Section:
    always = [w for w in verdicts[0].warnings if all(w in v.warnings for v in verdicts)]
    kinds: dict[str, list[str]] = {}
    for warning in (w for verdict in verdicts for w in verdict.warnings if w not in always):
        kinds.setdefault(_kind(warning), []).append(warning)
    prose = [
        f"By {rate(verdicts[0])}, the best of the models in tests.",
        *caveats([replace(verdicts[0], warnings=tuple(always))]),
        *(
            f"Take care: {len(each)} of {len(verdicts)} segments, such as: {each[0]}."
            for each in kinds.values()
        ),
        *recording.notes,
    ]
    some = {kind for kind, each in kinds.items() if len(each) < len(verdicts)}
    if len(verdicts) > LISTED:
        prose.append(f"The first {LISTED} of {len(verdicts)} segments; the files have all.")
    rows = []
    for verdict in verdicts[:LISTED]:
        more = [w.partition(":")[0] for w in verdict.warnings if _kind(w) in some]
        row = {"time": verdict.part, "said": verdict.label, "score": verdict.score}
        rows.append(row | ({"take care": "; ".join(more) or None} if some else {}))
    return Section("Transcript", prose, rows)


def _kind(warning: str) -> str:
    """Return what a warning is of, without its value.

    >>> _kind("level of -45 dB: trained on -30 ... -18 dB")
    'level'
    """
    return warning.partition(":")[0].partition(" of ")[0]


def _words(verdicts: Sequence[Verdict]) -> Section:
    words = [word for verdict in verdicts for word in verdict.details["words"]]
    prose = ["Seconds from the beginning. Networks learn no times: letters may be a little off."]
    if not words:
        prose = ["None was recognised."]
    if len(words) > LISTED:
        prose.append(f"The first {LISTED} of {len(words)} words; the files have all.")
    return Section("Words", prose, [_word_row(word) for word in words[:LISTED]])


def _word_row(word: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "word": word["word"],
        "from": f"{word['start']:.2f}",
        "to": f"{word['end']:.2f}",
    }


def _model_row(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    scores = [verdict.score for verdict in verdicts if verdict.score is not None]
    rates = verdicts[0].error_rates
    return {
        "model": verdicts[0].model,
        **{f"{name} in tests": value for name, value in rates.items()},
        "words": sum(len(verdict.details["words"]) for verdict in verdicts),
        "score": float(np.mean(scores)) if scores else None,
    }


# pictures ---------------------------------------------------------------------------------------


def _signal(
    recording: Recording, features: Mapping[str, ArrayLike], verdicts: Sequence[Verdict]
) -> Section:
    seconds = float(recording.facts["seconds"])
    strips = list(_strips(verdicts, seconds))
    drawn = []
    if len(strips) > 1:
        drawn.append(Picture("whole", _whole_picture(recording, features), _WHOLE_CAPTION))
    for begin, end in strips[:STRIPS]:
        inside = [v for v in verdicts if v.details["start"] < end and v.details["end"] > begin]
        drawn.append(
            Picture(
                f"from {begin:.1f}",
                _strip_picture(recording, inside, begin, end),
                f"{clock(begin)} to {clock(end)}: waveform, with the segments and their words, and "
                "spectrogram.",
            )
        )
    prose = [f"{seconds:.1f} s, recorded at {recording.facts['rate']} Hz."]
    if len(strips) > STRIPS:
        prose.append(f"The first {STRIPS} of {len(strips)} pictures are drawn.")
    start = strips[0][0] if strips else 0.0
    heard = np.asarray(
        recording.arrays["audio"][round(start * RATE) : round((start + HEARD) * RATE)]
    )
    listen = Sound(
        "recording",
        sound(heard),
        f"{clock(start)} to {clock(start + len(heard) / RATE)}, at 16 kHz as the models hear it.",
    )
    return Section("Signal", prose, pictures=drawn, sounds=[listen])


_WHOLE_CAPTION = "Level of the whole recording, in dB below full scale; its segments are shaded."


def _strips(verdicts: Sequence[Verdict], seconds: float) -> Iterator[tuple[float, float]]:
    """Divide the recording into pictures, from its first segment on, leaving long pauses out."""
    if seconds <= STRIP:
        yield 0.0, seconds
        return
    begin = end = -1.0
    for verdict in verdicts:
        start, stop = verdict.details["start"], verdict.details["end"]
        while stop > end:
            begin = max(start, end)
            end = min(begin + STRIP, seconds)
            yield begin, end
            if end >= seconds:
                return


def _whole_picture(recording: Recording, features: Mapping[str, ArrayLike]) -> bytes:
    level = np.asarray(features["levels"][:])
    width = max(1, -(-len(level) // LEVELS))
    padded = np.pad(level, (0, -len(level) % width), constant_values=-100.0)
    highest = padded.reshape(-1, width).max(axis=1)
    minutes = len(level) > 300 * SECOND
    unit = 60.0 if minutes else 1.0
    figure, (axes,) = plots.new_figure(9.0, 2.0)
    axes.plot(
        np.arange(len(highest)) * width / SECOND / unit,
        highest,
        color=plots.NEGATIVE,
        linewidth=0.6,
    )
    start, stop = (np.asarray(features[edge][:]) / RATE / unit for edge in ("start", "stop"))
    spans = list(zip(start.tolist(), (stop - start).tolist(), strict=True))
    axes.broken_barh(spans, (-100, 110), color=plots.ACCENT, alpha=0.15, lw=0)
    axes.set_xlim(0, len(level) / SECOND / unit)
    axes.set_ylim(max(float(level.min()), -90), min(float(level.max()) + 3, 3))
    axes.set_ylabel("level (dB)")
    axes.set_xlabel("time (minutes)" if minutes else "time (s)")
    return plots.to_png(figure, "")


def _strip_picture(
    recording: Recording, verdicts: Sequence[Verdict], begin: float, end: float
) -> bytes:
    audio = np.asarray(recording.arrays["audio"][round(begin * RATE) : round(end * RATE)])
    figure, (wave, heat) = plots.new_figure(9.0, 3.9, rows=2, heights=[1.15, 1], share=True)
    _draw_wave(wave, audio, begin)
    number = 0
    for verdict in verdicts:
        wave.axvspan(
            verdict.details["start"], verdict.details["end"], color=plots.ACCENT, alpha=0.12, lw=0
        )
        for word in verdict.details["words"]:
            if begin <= word["start"] < end:
                place = 1.04 + 0.11 * (number % ROWS)
                wave.annotate(
                    word["word"], (word["start"], place), xycoords=wave.get_xaxis_transform(),
                    fontsize=7.5, annotation_clip=False,
                )  # fmt: skip
                wave.axvline(word["start"], color=plots.GREY, linewidth=0.5, linestyle=":")
                number += 1
    if len(audio) >= WINDOW:
        draw_spectrogram(heat, spectrogram(audio), begin)
    heat.set_ylabel("frequency (kHz)")
    heat.set_xlabel("time (s)")
    heat.set_xlim(begin, end)
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.94))
    return plots.to_png(figure, "")


def _draw_wave(axes: Any, audio: NDArray[np.int16], begin: float) -> None:
    top = max(float(np.abs(audio.astype(np.int32)).max(initial=1)), 1.0) / 32768
    axes.plot(
        begin + np.arange(len(audio)) / RATE, audio / 32768, color=plots.NEGATIVE, linewidth=0.35
    )
    axes.set_ylim(-1.05 * top, 1.05 * top)
    axes.set_ylabel("amplitude")

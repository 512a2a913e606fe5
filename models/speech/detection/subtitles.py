"""A model's transcript as files: text, JSON with word times, and subtitles as SRT and WebVTT.

Subtitles have two lines of 42 characters at most, and stay long enough to be read.

References
----------
W3C, WebVTT: The Web Video Text Tracks Format, Candidate Recommendation 2019, section 4.
Netflix, English Timed Text Style Guide, sections I.4 (lines) and I.18 (duration), for the limits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from models.detection import Recording, Verdict
from models.types import JsonDict

LINE = 42
"""Characters of a line."""
LINES = 2
SHORTEST = 1.0
"""Seconds that a subtitle stays, if no other one is due."""
LINGERING = 0.3
"""Seconds that it stays after its last word."""


@dataclass(frozen=True)
class Cue:
    """A subtitle: from when to when, in seconds, and its lines."""

    start: float
    end: float
    lines: tuple[str, ...]


def files(recording: Recording, all_verdicts: Sequence[Verdict]) -> dict[str, bytes]:
    """Write a model's verdicts on a recording as files, by name.

    Parameters
    ----------
    recording
        From `read_recording`.
    all_verdicts
        The model's verdicts, in order of time.
    """
    model = all_verdicts[0].model
    subtitles = cues(all_verdicts)
    return {
        f"transcripts/{model}.txt": _text(all_verdicts).encode(),
        f"transcripts/{model}.json": json.dumps(_whole(recording, all_verdicts), indent=1).encode(),
        f"transcripts/{model}.srt": srt(subtitles).encode(),
        f"transcripts/{model}.vtt": vtt(subtitles, rate(all_verdicts[0])).encode(),
    }


def rate(verdict: Verdict) -> str:
    """Say how often a verdict's model errs."""
    value = verdict.error_rates.get("word_error_rate", {})
    if value.get("value") is None:
        return f"{verdict.model}, word error rate in tests unknown"
    interval = f" [{value['low']:.2f}, {value['high']:.2f}]" if value.get("low") is not None else ""
    return f"{verdict.model}, word error rate in tests {value['value']:.2f}{interval}"


def _text(all_verdicts: Iterable[Verdict]) -> str:
    return "".join(f"{verdict.label}\n" for verdict in all_verdicts if verdict.details["words"])


def _whole(recording: Recording, all_verdicts: Sequence[Verdict]) -> JsonDict:
    return {
        "recording": recording.name,
        "seconds": recording.facts["seconds"],
        "model": all_verdicts[0].model,
        "error_rates": all_verdicts[0].error_rates,
        "score": all_verdicts[0].details["score"],
        "segments": [
            {
                "start": verdict.details["start"],
                "end": verdict.details["end"],
                "text": verdict.label if verdict.details["words"] else "",
                "score": verdict.score,
                "warnings": list(verdict.warnings),
                "words": verdict.details["words"],
            }
            for verdict in all_verdicts
        ],
    }


def cues(all_verdicts: Iterable[Verdict]) -> list[Cue]:
    """Make the subtitles of segments; one ends where the next begins, at the latest."""
    parts = [part for verdict in all_verdicts for part in _parts(verdict.details["words"])]
    starts = [part[0][0]["start"] for part in parts]
    result = []
    for part, start, following in zip(parts, starts, [*starts, float("inf")][1:], strict=True):
        end = max(part[-1][-1]["end"] + LINGERING, start + SHORTEST)
        lines = tuple(" ".join(word["word"] for word in line) for line in part)
        result.append(Cue(start, min(end, following), lines))
    return result


def _parts(words: Sequence[dict[str, Any]]) -> list[list[list[dict[str, Any]]]]:
    """Lay words out in lines, and lines in subtitles."""
    lines: list[list[dict[str, Any]]] = []
    for word in words:
        length = len(word["word"]) + 1
        if lines and sum(len(one["word"]) + 1 for one in lines[-1]) + length <= LINE + 1:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [lines[k : k + LINES] for k in range(0, len(lines), LINES)]


def srt(subtitles: Iterable[Cue]) -> str:
    """Write subtitles as SubRip."""
    return "\n".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n"
        + "\n".join(cue.lines)
        + "\n"
        for number, cue in enumerate(subtitles, 1)
    )


def vtt(subtitles: Iterable[Cue], note: str) -> str:
    """Write subtitles as WebVTT, with a note at its head."""
    blocks = [
        f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n" + "\n".join(cue.lines) + "\n"
        for cue in subtitles
    ]
    return "\n".join(["WEBVTT\n", f"NOTE {note}\n", *blocks])


def _time(seconds: float, point: str) -> str:
    """Write a time as both formats have it.

    >>> _time(3723.45, ",")
    '01:02:03,450'
    """
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"

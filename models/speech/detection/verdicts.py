"""Transcribe the segments of a recording with every model, and say where it is unlike training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays
from models.detection import Recording, TrainedModel, TrainingRange, Verdict, outside
from models.speech.batches import Utterances
from models.speech.corpus import RATE
from models.speech.decoding import Heard, Setting, WordSearch, greedy, word_search
from models.speech.designs import output_places
from models.speech.detection.recordings import loudness, shape_names, spectral_shape
from models.speech.features import HOP, WINDOW
from models.speech.training import emissions
from models.threads import in_order
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

TOGETHER = 256
"""Segments whose symbol probabilities are in memory at a time."""

SEARCHED = 8
"""Segments that a thread searches at a time."""

NOTHING = "[no words]"
SCORE = "mean log probability of a letter (nats)"
"""What a verdict's score is: of the best alignment of the text, as the network has it, divided by
the letters and spaces of the text. It is not calibrated."""

POOR = 0.3
"""Word error rate in tests from which on every verdict warns of it."""


def training_range(utterances: pd.DataFrame, frames: Arrays, tally: JsonDict) -> JsonDict:
    """Say where the training utterances lie.

    Parameters
    ----------
    utterances
        Those of the training split, from `models.speech.splits.utterances_in`.
    frames
        Their ``spectrogram``, log, unscaled, end to end.
    tally
        What was read from files; no utterance where all are simulated.

    Returns
    -------
    ``shape``, the range of `spectral_shape`; ``level``, the lowest and highest in dB; ``seconds``,
    the shortest, usual and longest duration; ``rate``, the lowest sampling rate of a recording in
    Hz; ``simulated``, whether the voices are.
    """
    level, shape = [], []
    for start, count in utterances[["start", "frames"]].to_numpy().tolist():
        spectra = np.asarray(frames["spectrogram"][start : start + count])
        level.append(loudness(spectra))
        shape.append(spectral_shape(spectra))
    return {
        "shape": TrainingRange.fit(np.stack(shape)).to_dict(),
        "level": [min(level), max(level)],
        "seconds": {
            "shortest": float(utterances["seconds"].min()),
            "usual": float(utterances["seconds"].quantile(0.75)),
            "longest": float(utterances["seconds"].max()),
        },
        "rate": int(utterances["source_rate"].min()),
        "simulated": tally["utterances"] == 0,
    }


def verdicts(
    recording: Recording,
    features: Mapping[str, ArrayLike],
    models: Mapping[str, TrainedModel],
    ranges: Mapping[str, Any],
) -> list[Verdict]:
    """Transcribe every segment with every model.

    A verdict takes no decision: its label is what was said, its score is `SCORE`, and its details
    have the segment's ``start`` and ``end`` in seconds, its ``words`` with theirs, and what was
    heard ``letter by letter``, without lexicon and language model.

    Parameters
    ----------
    recording, features
        From `read_recording` and `readings`.
    models
        By name, each with its ``architecture``, ``decoder`` and ``language_model``.
    ranges
        From `training_range`.
    """
    warnings = _warnings(recording, features, ranges)
    result = []
    for name, model in models.items():
        rates = {
            f"{unit}_error_rate": model.evaluation.metrics[f"{short}_lm"].to_dict()
            for unit, short in (("word", "wer"), ("character", "cer"))
        }
        always = _of_model(rates["word_error_rate"], simulated=bool(ranges["simulated"]))
        first, step = output_places(model.others["architecture"]["convolutions"])
        for row, (symbols, heard) in enumerate(_transcripts(features, model)):
            start, stop = (float(features[edge][row]) / RATE for edge in ("start", "stop"))
            words = [
                {"word": word, "start": round(begin, 2), "end": round(end, 2)}
                for word, begin, end in _timed(heard, start, stop, first, step)
            ]
            result.append(
                Verdict(
                    recording.name,
                    f"{clock(start)} to {clock(stop)}",
                    name,
                    heard.text or NOTHING,
                    None,
                    heard.score / len(heard.text) if heard.words else None,
                    error_rates=rates,
                    warnings=(*always, *warnings[row]),
                    details={
                        "start": round(start, 2),
                        "end": round(stop, 2),
                        "words": words,
                        "letter by letter": greedy(symbols) if len(symbols) else "",
                        "score": SCORE,
                    },
                )
            )
    return result


def clock(seconds: float) -> str:
    """Write a time of a recording.

    >>> clock(63.27), clock(3723.0)
    ('1:03.3', '1:02:03.0')
    """
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    whole = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{whole}:{rest // 10:02}.{rest % 10}"


def _transcripts(
    features: Mapping[str, ArrayLike], model: TrainedModel
) -> Iterator[tuple[NDArray[np.float32], Heard]]:
    """Give each segment's log probabilities and words, some segments at a time."""
    import pandas as pd

    architecture, chosen = model.others["architecture"], model.others["decoder"]
    search = _search(*(model.others["language_model"][f"words.{kind}"] for kind in ("arpa", "txt")))
    setting = Setting(*(chosen[name] for name in ("beam", "weight", "bonus")))
    values = features[architecture["feature"]]
    table = pd.DataFrame({"start": features["first"][:], "frames": features["frames"][:]})

    def searches() -> Iterator[Callable[[], list[tuple[NDArray[np.float32], Heard]]]]:
        for begin in range(0, len(table), TOGETHER):
            part = table.iloc[begin : begin + TOGETHER].reset_index(drop=True)
            rows = Utterances(part, values, centred=architecture["centred"])
            symbols = emissions(model.fitted, architecture, rows)
            for first in range(0, len(symbols), SEARCHED):
                yield partial(_heard, search, setting, symbols[first : first + SEARCHED])

    for heard in in_order(searches(), workers=2, name="search"):
        yield from heard


def _heard(
    search: WordSearch, setting: Setting, symbols: Sequence[NDArray[np.float32]]
) -> list[tuple[NDArray[np.float32], Heard]]:
    """Search segments; flashlight-text lets go of the interpreter's lock."""
    listen = search.listener(setting)  # of this thread's own
    return [(one, listen(one)) for one in symbols]


@lru_cache(maxsize=1)
def _search(arpa: bytes, words: bytes) -> WordSearch:
    """Open a language model; that of all models and recordings is the same."""
    with word_search({"words.arpa": arpa, "words.txt": words}) as search:
        return search


def _timed(
    heard: Heard, start: float, stop: float, first: float, step: int
) -> Iterator[tuple[str, float, float]]:
    """Place words in seconds: an output stands for the frames from half a step before to after."""
    middle = WINDOW / 2 / RATE
    hop = HOP / RATE
    for word, (begin, end) in zip(heard.words, heard.outputs, strict=True):
        yield (
            word,
            max(start + (first + step * (begin - 0.5)) * hop + middle, start),
            min(start + (first + step * (end + 0.5)) * hop + middle, stop),
        )


def _of_model(rate: Mapping[str, Any], *, simulated: bool) -> list[str]:
    warnings = []
    if rate["value"] is not None and rate["value"] >= POOR:
        often = "most words are" if rate["value"] >= 0.5 else "many words are"
        warnings.append(f"{often} likely wrong: word error rate of {rate['value']:.2f} in tests")
    if simulated:
        warnings.append("trained on synthetic voices alone: people are understood worse than that")
    return warnings


def _warnings(
    recording: Recording, features: Mapping[str, ArrayLike], ranges: Mapping[str, Any]
) -> list[tuple[str, ...]]:
    """Say where each segment lies outside what the models were trained on."""
    around = TrainingRange.from_dict(ranges["shape"])
    names = shape_names()
    seconds, (low, high) = ranges["seconds"], ranges["level"]
    rate, least = float(recording.facts["rate"]), float(ranges["rate"])
    common = outside("sample rate", min(rate, least), least, least, "Hz")
    level, shape, start, stop = (features[n][:] for n in ("level", "shape", "start", "stop"))
    result = []
    for row in range(len(shape)):
        length = float(stop[row] - start[row]) / RATE
        reasons = (
            common,
            outside("length", length, seconds["shortest"], seconds["longest"], "s"),
            outside("level", float(level[row]), low, high, "dB"),
            around.warning(shape[[row]], names),
        )
        result.append(tuple(filter(None, reasons)))
    return result

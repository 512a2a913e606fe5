"""Simulated speech: sentences of public-domain books, read by synthetic voices.

The simulator stands in for LibriSpeech. eSpeak NG, a formant synthesiser, reads sentences of
Alice's Adventures in Wonderland and Through the Looking-Glass (Carroll, 1865 and 1871) and The
Wonderful Wizard of Oz (Baum, 1900). It has the properties that make recognition hard and its
evaluation easy to get wrong:

- A speaker has a voice, an accent, a pitch and its range, a pace, and a length of the vocal tract;
  every utterance also has its own pace and pitch, a level, and coloured noise.
- Parts share neither speakers, nor the voices behind them, nor sentences.
- Sentences that no one reads (see `written`) are of the same books, and so of use to a language
  model; for real speech they are all sentences of the books (see `unread`).

An utterance depends on the seed, its part and its number alone: more utterances of a part change
none.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.sampling import SPLITS
from models.speech.corpus import RATE, Utterance

BOOKS = tuple(
    Path(__file__).parent / "data" / f"{name}.txt"
    for name in ("alice_in_wonderland", "through_the_looking_glass", "wizard_of_oz")
)
"""Texts 11, 12 and 55 of Project Gutenberg, cut at sentence ends, colons and dashes; transcripts of
4 to 18 words, one a line, without repetitions."""

VOICES = (
    *("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5"),
    *("Andy", "Annie", "Alex", "Alicia", "Andrea", "Denis", "Diogo", "Gene", "Hugo", "Jacky"),
    *("Lee", "Marco", "Mario", "Michael", "Mike", "adam", "anika", "antonio", "belinda"),
    *("benjamin", "boris", "david", "ed", "edward", "grandma", "grandpa", "ian", "iven", "john"),
    *("linda", "marcelo", "max", "miguel", "norbert", "pablo", "paul", "rob", "robert", "shelby"),
    *("steph", "travis", "victor", "zac"),
)
"""eSpeak NG's voice variants that sound like a person: no robots, no whispers."""

ACCENTS = ("en-us", "en-gb-x-rp", "en-us", "en-gb-scotland")
"""Accents of a part's speakers, in turn: a few speakers then have about the mix of many, and no
accent is unheard in training."""

HELD_OUT = 0.15
"""Share of the voices and of the sentences that validation has; so has the test."""

PACE = (140, 185)  # words a minute
PITCH = (30, 70)  # eSpeak's scale, 50 being the voice's own
RANGE = (35, 65)  # of intonation, likewise
TRACT = (0.92, 1.08)  # a longer vocal tract has lower formants, in this proportion
SNR = (20.0, 40.0)  # dB
LEVEL = (-30.0, -18.0)  # dB below full scale, root mean square
PAUSE = (0.1, 0.3)  # seconds before and after

_PACE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_SYNCHRONOUS, _NO_EXIT, _UTF8 = 2, 0x8000, 1
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Speaker:
    """A synthetic voice; the ranges are those of the constants of this module."""

    name: str
    voice: str
    pace: float
    pitch: float
    range: float
    tract: float


def simulate(
    utterances: Mapping[str, int], speakers: Mapping[str, int], *, seed: int = 0
) -> Iterator[Utterance]:
    """Speak sentences, part by part; the speakers of a part take turns.

    Parameters
    ----------
    utterances
        Utterances by part: train, validation, test.
    speakers
        Speakers by part. More than a part has voices (see `HELD_OUT`) share those, with other
        accents and pitches.
    seed
        Seed of all choices.

    Raises
    ------
    ValueError
        A part is unknown, a number is below 1, or a part has fewer sentences than utterances.
    """
    if not utterances or not utterances.keys() == speakers.keys() <= set(SPLITS):
        raise ValueError(
            f"parts must be among {', '.join(SPLITS)}, not {sorted(utterances)} and "
            f"{sorted(speakers)}"
        )
    if min(*utterances.values(), *speakers.values()) < 1:
        raise ValueError(
            f"utterances {dict(utterances)} and speakers {dict(speakers)} must be 1 or more"
        )
    texts = {part: _dealt(sentences(), part, seed) for part in utterances}
    for part, count in utterances.items():
        if count > len(texts[part]):
            raise ValueError(
                f"{part} has {len(texts[part])} sentences, but {count} utterances are asked for: "
                "ask for fewer"
            )

    def spoken() -> Iterator[Utterance]:
        for part, count in utterances.items():
            code = SPLITS.index(part)
            cast = [_speaker(part, number, seed) for number in range(speakers[part])]
            for number in range(count):
                speaker, text = cast[number % len(cast)], texts[part][number]
                generator = np.random.default_rng([seed, code, number, 1])
                audio = _record(speaker, text, generator)
                yield Utterance(f"{part}-{number:05d}", speaker.name, text, audio, code)

    return spoken()


def written(utterances: Mapping[str, int], *, seed: int = 0) -> list[str]:
    """Sentences of the training part that `simulate` leaves unread, for a language model."""
    return list(_dealt(sentences(), "train", seed)[utterances["train"] :])


def unread(texts: Iterable[str]) -> list[str]:
    """Sentences of the books that are none of these texts, for a language model of real speech."""
    known = set(texts)
    return [sentence for sentence in sentences() if sentence not in known]


@cache
def sentences() -> tuple[str, ...]:
    """All sentences of the books, each once, as transcripts: 4 to 18 words."""
    lines = [line for file in BOOKS for line in file.read_text("ascii").splitlines()]
    return tuple(dict.fromkeys(lines))


def _dealt(items: Sequence[str], part: str, seed: int) -> list[str]:
    """Return the items of a part, in random order."""
    order = np.random.default_rng([seed, len(items)]).permutation(len(items))
    size = round(HELD_OUT * len(items))
    first, last = {"test": (0, size), "validation": (size, 2 * size)}.get(
        part, (2 * size, len(items))
    )
    return [items[k] for k in order[first:last]]


def _speaker(part: str, number: int, seed: int) -> Speaker:
    voices = _dealt(VOICES, part, seed)
    generator = np.random.default_rng([seed, SPLITS.index(part), number, 0])
    return Speaker(
        f"{part}-{number:03d}",
        f"{ACCENTS[number % len(ACCENTS)]}+{voices[number % len(voices)]}",
        *(float(generator.uniform(*limits)) for limits in (PACE, PITCH, RANGE, TRACT)),
    )


def _record(speaker: Speaker, text: str, generator: np.random.Generator) -> NDArray[np.int16]:
    """Let a speaker read a text; int16, shape (samples,), `RATE`."""
    import soxr
    from scipy.signal import lfilter

    # A tract longer by a tenth is the voice played slower by a tenth, so it speaks faster first.
    pace = speaker.pace * speaker.tract * generator.uniform(0.93, 1.07)
    pitch = speaker.pitch + generator.uniform(-5, 5)
    rate, voice = _synthesise(
        text, speaker.voice, pace, pitch, speaker.range, int(generator.integers(1, 1 << 31))
    )
    voice = soxr.resample(voice / np.float32(32768), rate / speaker.tract, RATE)
    before, after = (int(generator.uniform(*PAUSE) * RATE) for _ in range(2))
    signal = np.concatenate([np.zeros(before), voice, np.zeros(after)])
    signal *= 10 ** (generator.uniform(*LEVEL) / 20) / np.sqrt(np.mean(voice**2, dtype=float))
    # White to brown, as rooms and microphones have it.
    noise = lfilter(
        [1.0], [1.0, -generator.uniform(0.0, 0.95)], generator.standard_normal(signal.size)
    )
    noise *= np.sqrt(np.mean(signal**2) / np.mean(noise**2)) * 10 ** (-generator.uniform(*SNR) / 20)
    levels = np.clip(np.rint((signal + noise) * 32768), -32768, 32767)
    return np.asarray(levels, dtype=np.int16)


_one_at_a_time = threading.Lock()


def _synthesise(
    text: str, voice: str, pace: float, pitch: float, intonation: float, seed: int
) -> tuple[int, NDArray[np.int16]]:
    """Let eSpeak NG read a text; the sampling rate in Hz, and int16 samples.

    The library keeps the phase of its oscillators from one text to the next, which would make an
    utterance depend on those before it. Nothing but loading it anew resets them, in 10 ms.

    Raises
    ------
    RuntimeError
        The library can't be loaded, or has no such voice.
    """
    import espeakng_loader

    chunks: list[NDArray[np.int16]] = []

    def keep(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    callback = _CALLBACK(keep)
    encoded = text.encode() + b"\0"
    data = espeakng_loader.get_data_path()
    with _one_at_a_time:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        try:
            rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _NO_EXIT)
            if rate <= 0 or library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise RuntimeError(f"eSpeak NG has no voice {voice!r} in {data}")
            library.espeak_SetSynthCallback(callback)
            library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
            for parameter, value in ((_PACE, pace), (_PITCH, pitch), (_RANGE, intonation)):
                library.espeak_SetParameter(parameter, round(value), 0)
            library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded)), 0, 0, 0, _UTF8, None, None)
            library.espeak_Synchronize()
            library.espeak_Terminate()
        finally:
            _unload(library)
    return rate, np.concatenate(chunks)


def _unload(library: ctypes.CDLL) -> None:
    loader = ctypes.CDLL(None)
    loader.dlclose.argtypes = [ctypes.c_void_p]
    loader.dlclose(library._handle)

"""Transcribed recordings read from files: LibriSpeech's folders, and corpora as JSON lines.

Audio may be FLAC, WAV, MP3 or any other format that libsndfile reads; several channels are mixed
down to their mean, and other sampling rates are resampled to 16 kHz. Transcripts follow
`models.speech.corpus.normalise`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.sampling import TEST, TRAIN, VALIDATION
from models.speech.corpus import NO_PART, RATE, SHORTEST, Utterance, normalise
from models.speech.sound import open_sound
from models.threads import in_order

AUDIO = (".flac", ".wav", ".mp3")
"""Endings of the recordings beside a ``.trans.txt``, in the order in which they are looked for."""

TOLERANCE = 0.1  # seconds by which a recording may differ from the duration in the corpus
LONGEST = 3600  # seconds of a recording, whose samples are kept together
NAMED = 20  # bad utterances whose reason is kept

_PARTS = ((TRAIN, "train"), (VALIDATION, "dev"), (VALIDATION, "valid"), (TEST, "test"))
_LIBRISPEECH_KEY = re.compile(r"(\d+)-\d+-\d+")


@dataclass
class Tally:
    """What became of a corpus's utterances; complete when the last one has been read.

    Attributes
    ----------
    utterances
        Those taken.
    resampled
        Those of another sampling rate, by the rate in Hz.
    mixed_down
        Those of more than one channel.
    bad
        Those found bad and skipped.
    bad_utterances
        The first of them, each with its reason.
    """

    utterances: int = 0
    resampled: dict[str, int] = field(default_factory=dict)
    mixed_down: int = 0
    bad: int = 0
    bad_utterances: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    """What a corpus says of an utterance."""

    key: str
    audio: Path
    speaker: str
    text: str
    part: int
    duration: float | None = None


@dataclass(frozen=True)
class _Recording:
    entry: _Entry
    audio: NDArray[np.int16]
    rate: int
    channels: int


def read_files(
    path: Path, tally: Tally, *, on_bad: str = "stop", limit: int = 100, workers: int = 2
) -> Iterator[Utterance]:
    """Stream the utterances of a corpus, in its order.

    Parameters
    ----------
    path
        A folder with LibriSpeech's ``<speaker>-<chapter>.trans.txt`` at any depth, each line a key
        and a transcript, beside recordings of those names; or JSON lines (a file, or a folder with
        ``.json`` or ``.jsonl`` files), each an object with ``key``, the recording relative to the
        file, ``text``, and, if known, ``duration`` in seconds and ``speaker``. A speaker that isn't
        given is the first number of LibriSpeech's names, else the recording's folder. Folders and
        files named after train, dev, valid or test say which part their utterances belong to.
    tally
        Filled while the utterances are read.
    on_bad
        ``"stop"`` raises at the first bad utterance; ``"skip"`` leaves bad ones out.
    limit
        Bad utterances that ``"skip"`` leaves out before it raises.
    workers
        Threads that decode.

    Raises
    ------
    BadInput
        There is no corpus; or an utterance is bad: its line, key or transcript is no such, its key
        comes twice, its recording is missing, empty, truncated, shorter than a frame or not of
        the duration given. Raised while utterances are read.
    """
    if on_bad not in {"stop", "skip"}:
        raise ValueError(f"on_bad must be 'stop' or 'skip', not {on_bad!r}")
    # libsndfile and soxr free the interpreter's lock.
    recordings = (partial(_recorded, entry) for entry in _entries(path))
    for recording in in_order(recordings, workers=workers, ahead=4, name="recordings"):
        if isinstance(recording, BadInput):
            _count(recording, tally, path, stop=on_bad == "stop", limit=limit)
            continue
        tally.utterances += 1
        tally.mixed_down += recording.channels > 1
        if recording.rate != RATE:
            rate = f"{recording.rate} Hz"
            tally.resampled[rate] = tally.resampled.get(rate, 0) + 1
        entry = recording.entry
        yield Utterance(
            entry.key, entry.speaker, entry.text, recording.audio, entry.part, recording.rate
        )


def _count(error: BadInput, tally: Tally, path: Path, *, stop: bool, limit: int) -> None:
    if stop:
        raise error
    tally.bad += 1
    if len(tally.bad_utterances) < NAMED:
        tally.bad_utterances.append(str(error))
    if tally.bad > limit:
        raise BadInput(
            f"more than {limit} utterances are bad; the last one: {error}",
            file=path,
            expected=f"at most {limit} bad utterances to skip",
            remedy="Repair the corpus or download it again, or raise the limit.",
        )


def _recorded(entry: _Entry | BadInput) -> _Recording | BadInput:
    if isinstance(entry, BadInput):
        return entry
    try:
        return _decode(entry)
    except BadInput as error:
        return error


def _entries(path: Path) -> Iterator[_Entry | BadInput]:
    """List the utterances of a corpus; one whose key came before is an error."""
    transcripts = sorted(path.rglob("*.trans.txt"))
    corpora = [path] if path.is_file() else sorted([*path.glob("*.json"), *path.glob("*.jsonl")])
    if not transcripts and not corpora:
        raise BadInput(
            "it holds no corpus" if path.exists() else "it is not there",
            file=path,
            expected="LibriSpeech's folders with .trans.txt files, or JSON lines of key, duration "
            "and text",
            remedy="Correct `path`.",
        )
    seen: dict[str, str] = {}
    for file in transcripts or corpora:
        for number, line in enumerate(_lines(file), 1):
            if not line.strip():
                continue
            try:
                entry = (_transcript if transcripts else _object)(path, file, number, line)
            except BadInput as error:
                yield error
                continue
            if entry.key in seen:
                yield _wrong(
                    f"the key {entry.key!r} was given before, in {seen[entry.key]}",
                    file,
                    number,
                    expected="each utterance once",
                    remedy="Remove one of the two.",
                )
                continue
            seen[entry.key] = f"{file.name}, row {number}"
            yield entry


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            yield from stream
    except UnicodeDecodeError as error:
        raise BadInput(
            f"it is not text: {error}",
            file=file,
            expected="text in UTF-8",
            remedy="Convert it, or correct `path`.",
        ) from error


def _wrong(problem: str, file: Path, number: int, *, expected: str, remedy: str) -> BadInput:
    return BadInput(problem, file=file, row=number, expected=expected, remedy=remedy)


def _words(key: str, text: str, file: Path, number: int) -> str:
    try:
        return normalise(text)
    except ValueError as error:
        raise _wrong(
            f"utterance {key}: {error}",
            file,
            number,
            expected="words of the letters a to z and the apostrophe; case and punctuation are "
            "dropped",
            remedy="Write numbers and signs as they were spoken.",
        ) from None


def _transcript(root: Path, file: Path, number: int, line: str) -> _Entry:
    """Read a line of a LibriSpeech transcript: ``1272-128104-0000 MISTER QUILTER IS ...``."""
    key, _, text = line.strip().partition(" ")
    match = _LIBRISPEECH_KEY.fullmatch(key)
    if match is None:
        raise _wrong(
            f"{key!r} is no key",
            file,
            number,
            expected="<speaker>-<chapter>-<number>, a space and the transcript",
            remedy="Repair the line, or write the corpus as JSON lines.",
        )
    places = (file.with_name(key + ending) for ending in AUDIO)
    audio = next((place for place in places if place.is_file()), file.with_name(key + AUDIO[0]))
    folders = [root.name, *file.relative_to(root).parent.parts]
    return _Entry(key, audio, match[1], _words(key, text, file, number), _part(folders))


def _object(root: Path, file: Path, number: int, line: str) -> _Entry:
    """Read a line such as ``{"key": "84/a.mp3", "duration": 5.8, "text": "..."}``."""
    given = "an object with key and text, and if known duration and speaker"
    remedy = "Write one object a line."
    try:
        value = json.loads(line)
    except ValueError as error:
        raise _wrong(f"not JSON: {error}", file, number, expected=given, remedy=remedy) from None
    if not isinstance(value, dict):
        raise _wrong("it is no object", file, number, expected=given, remedy=remedy)
    for name in ("key", "text"):
        if not isinstance(value.get(name), str) or not value[name]:
            problem = f"{name} is {value[name]!r}" if name in value else f"there is no {name}"
            raise _wrong(problem, file, number, expected=given, remedy="Give it as text.")
    key, duration = value["key"], value.get("duration")
    known = isinstance(duration, int | float) and not isinstance(duration, bool)
    if duration is not None and not (known and 0 < duration < float("inf")):
        raise _wrong(
            f"utterance {key}: duration is {duration!r}",
            file,
            number,
            expected="seconds above 0",
            remedy="Correct it, or leave it out.",
        )
    audio = file.parent / key
    match = _LIBRISPEECH_KEY.fullmatch(audio.stem)
    speaker = value.get("speaker")
    if speaker is None:
        speaker = match[1] if match else audio.parent.name
    text = _words(key, value["text"], file, number)
    return _Entry(key, audio, str(speaker), text, _part([file.stem]), duration)


def _part(names: list[str]) -> int:
    """Return the part that the innermost folder names, such as ``train-clean-100``."""
    for name in reversed(names):
        for code, word in _PARTS:
            if re.match(rf"(.*[^a-z])?{word}(ing|ation)?([^a-z]|$)", name.lower()):
                return code
    return NO_PART


def _decode(entry: _Entry) -> _Recording:
    def bad(problem: str) -> BadInput:
        return BadInput(
            f"utterance {entry.key}: {problem}",
            file=entry.audio,
            expected="a whole recording (FLAC, WAV, MP3)",
            remedy="Restore the file, or skip bad utterances.",
        )

    with open_sound(entry.audio, bad) as sound:
        if sound.frames > LONGEST * sound.rate:
            raise bad(f"it says that it lasts more than {LONGEST} s")
        audio = np.concatenate(list(sound.blocks))
    seconds = len(audio) / RATE
    if len(audio) < SHORTEST:
        raise bad(f"it lasts {seconds:.3f} s, less than a frame of {SHORTEST / RATE:g} s")
    if entry.duration is not None and abs(seconds - entry.duration) > TOLERANCE:
        raise bad(f"it lasts {seconds:.2f} s, but the corpus says {entry.duration:.2f} s")
    return _Recording(entry, audio, sound.rate, sound.channels)

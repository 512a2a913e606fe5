"""The layout of a corpus of speech: transcribed utterances, and their audio in one piece.

`models.speech.simulation` simulates utterances, `models.speech.readers` reads them.

Utterances differ in length, so their audio is kept end to end, without padding: ``sample``, int16,
shape (samples of all utterances,), 16 kHz, mono. A table lists them, one row per utterance
in the order of the audio:

=============== ====== =======================================================================
``key``         str    the utterance's name in the corpus
``speaker``     str    who speaks
``part``        int    official split: 0 train, 1 validation, 2 test; -1 where there is none
``text``        str    transcript: lower-case words of `LETTERS`, one space between two
``seconds``     float  duration
``start``       int    its first sample
``samples``     int    how many samples it has
``source_rate`` int    sampling rate of the recording, in Hz, before it was resampled
=============== ====== =======================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Block, Blocks

if TYPE_CHECKING:
    import pandas as pd

RATE = 16_000
"""Samples a second of everything stored."""

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
"""What words are written with; the acoustic models' symbols are these and the space."""

SHORTEST = 320
"""Samples of the shortest utterance: one frame of the spectrogram, 20 ms."""

NO_PART = -1
BLOCK_SAMPLES = 1 << 20  # a block of audio holds 2 MB, or one utterance if that is longer
COLUMNS = ("key", "speaker", "part", "text", "seconds", "start", "samples", "source_rate")

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u00b4": "'"})
_PUNCTUATION = re.compile(r"[.,;:!?\"“”()\[\]…]")  # says nothing
_DASHES = re.compile(r"[-\u2010-\u2015/_\s]+")  # part words
_QUOTES = re.compile(r"(?<![a-z])'+(?![a-z])")


@dataclass(frozen=True)
class Utterance:
    """A transcribed recording.

    Parameters
    ----------
    key, speaker, text, part, source_rate
        As in the table above.
    audio
        int16, shape (samples,), 16 kHz.
    """

    key: str
    speaker: str
    text: str
    audio: NDArray[np.int16]
    part: int = NO_PART
    source_rate: int = RATE


def normalise(text: str) -> str:
    """Make a transcript of a text.

    Letters become lower case, dashes and slashes part words, and punctuation is dropped, as are
    apostrophes that touch no letter. Nothing else is guessed: "1984" or "&" may be read in more
    than one way, and what was said must be written.

    >>> normalise("Mr. Quilter’s  MANNER -- well-known!")
    "mr quilter's manner well known"

    Raises
    ------
    ValueError
        Any other character is left, or no letter at all; names the first.
    """
    plain = _PUNCTUATION.sub(" ", text.translate(_APOSTROPHES).lower())
    plain = _QUOTES.sub(" ", _DASHES.sub(" ", plain))
    for character in plain:
        if character not in LETTERS and character != " ":
            raise ValueError(f"the transcript holds {character!r}")
    words = " ".join(plain.split())
    if not words:
        raise ValueError("the transcript holds no word")
    return words


def audio_blocks(utterances: Iterable[Utterance], rows: list[dict[str, Any]]) -> Blocks:
    """Stream the audio of utterances end to end.

    Parameters
    ----------
    utterances
        Read once, one by one.
    rows
        Filled while the blocks are read: a row of the table for each utterance.
    """

    def blocks() -> Iterator[Block]:
        waiting: list[NDArray[np.int16]] = []
        count = start = 0
        for one in utterances:
            rows.append(
                {
                    "key": one.key,
                    "speaker": one.speaker,
                    "part": one.part,
                    "text": one.text,
                    "seconds": len(one.audio) / RATE,
                    "start": start,
                    "samples": len(one.audio),
                    "source_rate": one.source_rate,
                }
            )
            start += len(one.audio)
            count += len(one.audio)
            waiting.append(one.audio)
            if count >= BLOCK_SAMPLES:
                yield {"sample": np.concatenate(waiting)}
                waiting, count = [], 0
        if waiting:
            yield {"sample": np.concatenate(waiting)}

    return Blocks(blocks())


def table_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make the table of the rows that `audio_blocks` filled.

    Raises
    ------
    ValueError
        There are none.
    """
    import pandas as pd

    if not rows:
        raise ValueError("the corpus holds no utterance: check the source and its tally")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def text_table(texts: list[str]) -> pd.DataFrame:
    """Make a table of texts alone, ``text``; it may be empty."""
    import pandas as pd

    return pd.DataFrame({"text": texts}, dtype="str")


def audio_of(sample: ArrayLike, row: Any) -> NDArray[np.int16]:
    """Read one utterance's audio; ``row`` has its ``start`` and ``samples``."""
    return np.asarray(sample[int(row.start) : int(row.start) + int(row.samples)])

"""The symbols of the acoustic models: 26 letters, space, apostrophe, and the blank of CTC."""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_lowercase

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput

SYMBOLS = (*ascii_lowercase, " ", "'")
"""The characters of a transcript, in the order of the network's outputs."""
SPACE = SYMBOLS.index(" ")
BLANK = len(SYMBOLS)
"""Number of the blank among 29 outputs; in a network with more outputs it is the last one."""
OUTPUTS = len(SYMBOLS) + 1

_CODES = {character: code for code, character in enumerate(SYMBOLS)}


def encode(text: str, utterance: str) -> NDArray[np.int32]:
    """Give the symbol numbers of a transcript, shape (characters,).

    Parameters
    ----------
    text
        Lower-case letters, spaces, apostrophes.
    utterance
        Its key, for the error.

    Raises
    ------
    BadInput
        The transcript is empty or has another character: names the utterance and the character.
    """
    if not text.strip():
        raise BadInput(
            "the transcript is empty",
            file=utterance,
            column="text",
            expected="what is said",
            remedy="Leave the utterance out, or write down what is said.",
        )
    unknown = sorted(set(text) - set(SYMBOLS))
    if unknown:
        raise BadInput(
            f"the transcript has {', '.join(map(repr, unknown))}: {text!r}",
            file=utterance,
            column="text",
            expected="lower-case letters, spaces and apostrophes",
            remedy="Spell it out as it is spoken (digits as words).",
        )
    return np.array([_CODES[character] for character in text], dtype=np.int32)


def decode(codes: Iterable[int]) -> str:
    """Give the text of symbol numbers; a blank is no symbol (`ValueError`)."""
    numbers = list(codes)
    if wrong := [code for code in numbers if not 0 <= code < BLANK]:
        raise ValueError(f"symbols are numbered 0 ... {BLANK - 1}, not {wrong[0]}")
    return "".join(SYMBOLS[code] for code in numbers)


def shortest_output(codes: NDArray[np.int32]) -> int:
    """Count the outputs that CTC needs at least: a blank must part each two equal symbols.

    Graves et al. 2006, section 3.1.
    """
    return len(codes) + int(np.sum(codes[1:] == codes[:-1]))

"""How far transcripts are from what was said: word and character error rates.

Here belong the counts of each utterance, and the rates of a test set with their intervals. A rate
is the edits (substitutions, deletions, insertions) that make the transcript right, by the words or
characters said (Levenshtein 1966). Both can exceed 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.metrics import ratio

if TYPE_CHECKING:
    import pandas as pd


def word_errors(said: str, heard: str) -> int:
    """Count the word edits between two texts, of which the first isn't empty."""
    import jiwer

    return _edits(jiwer.process_words(said, heard))


def character_errors(said: str, heard: str) -> int:
    """Count the character edits between two texts, spaces among them; the first isn't empty."""
    import jiwer

    return _edits(jiwer.process_characters(said, heard))


def _edits(found: Any) -> int:
    return int(found.substitutions + found.deletions + found.insertions)


def judged_table(said: pd.DataFrame, heard: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Put what was said and what each search heard side by side, with the errors of each.

    Parameters
    ----------
    said
        ``key``, ``speaker`` and ``text`` of each utterance.
    heard
        By search, a text an utterance.

    Returns
    -------
    ``key``, ``speaker``, ``text``, ``words``, ``characters``; for each search its text under its
    name, ``<search>_word_errors`` and ``<search>_character_errors``.
    """
    right = said["text"].tolist()
    columns: dict[str, Any] = {
        "words": [len(text.split()) for text in right],
        "characters": [len(text) for text in right],
    }
    for name, texts in heard.items():
        pairs = list(zip(right, texts, strict=True))
        columns |= {
            name: list(texts),
            f"{name}_word_errors": [word_errors(*pair) for pair in pairs],
            f"{name}_character_errors": [character_errors(*pair) for pair in pairs],
        }
    return said[["key", "speaker", "text"]].reset_index(drop=True).assign(**columns)


def rate(
    errors: NDArray[np.int64],
    lengths: NDArray[np.int64],
    speakers: NDArray[Any],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Work out an error rate, and its 95 % interval by resampling whole speakers.

    Parameters
    ----------
    errors, lengths, speakers
        Of each utterance: edits, words or characters said, who said it.
    resamples, seed
        Of the bootstrap.

    Returns
    -------
    ``value``, ``low``, ``high`` and ``method``, as a metric of `models.metrics.evaluate`; where
    there are fewer than two speakers ``low`` and ``high`` are None, and ``reason`` says so.
    """
    said = int(lengths.sum())
    if said == 0:
        return {"value": None, "low": None, "high": None, "reason": "nothing was said"}
    if np.unique(speakers).size < 2:
        none = {"low": None, "high": None, "reason": "there is only one speaker"}
        return {"value": float(errors.sum() / said)} | none
    return ratio(errors, lengths, speakers, resamples=resamples, seed=seed)


def judge(
    table: pd.DataFrame, searches: Sequence[str], *, resamples: int, seed: int
) -> dict[str, Any]:
    """Evaluate transcripts: ``metrics`` and ``counts``.

    Parameters
    ----------
    table
        From `judged_table`.
    searches
        Those to judge: metrics ``wer_<search>`` and ``cer_<search>``.
    resamples, seed
        Of the intervals.
    """
    speakers = table["speaker"].to_numpy().astype(str)
    metrics = {}
    for short, unit, length in (("wer", "word", "words"), ("cer", "character", "characters")):
        for name in searches:
            metrics[f"{short}_{name}"] = rate(
                table[f"{name}_{unit}_errors"].to_numpy(),
                table[length].to_numpy(),
                speakers,
                resamples=resamples,
                seed=seed,
            )
    counts = {
        "utterances": len(table),
        "speakers": int(np.unique(speakers).size),
        "words": int(table["words"].sum()),
        "characters": int(table["characters"].sum()),
    }
    return {"metrics": metrics, "counts": counts}

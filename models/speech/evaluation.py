"""Word and character error rates of transcripts.

A rate is the edits (substitutions, deletions, insertions) that correct the transcript, divided by
the words or characters of the reference (Levenshtein 1966). Both can exceed 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from models.evaluation import Evaluation
from models.intervals import group_metrics, ratio

if TYPE_CHECKING:
    import jiwer
    import pandas as pd

METRICS = ("wer_lm", "wer_beam", "wer_greedy", "cer_lm", "cer_greedy")
"""Error rates that are compared, by what the transcript was searched with."""


def word_errors(reference: str, transcript: str) -> int:
    """Count the word edits between two texts, of which the first isn't empty.

    >>> word_errors("the cat sat", "the bat sat")
    1
    """
    import jiwer

    return _edits(jiwer.process_words(reference, transcript))


def character_errors(reference: str, transcript: str) -> int:
    """Count the character edits between two texts, spaces among them; the first isn't empty.

    >>> character_errors("the cat sat", "the sat")
    4
    """
    import jiwer

    return _edits(jiwer.process_characters(reference, transcript))


def _edits(output: jiwer.WordOutput | jiwer.CharacterOutput) -> int:
    return int(output.substitutions + output.deletions + output.insertions)


def predictions(references: pd.DataFrame, transcripts: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return references and transcripts side by side, with the errors of each search.

    Parameters
    ----------
    references
        ``key``, ``speaker`` and ``text`` of each utterance.
    transcripts
        By search, a text per utterance.

    Returns
    -------
    DataFrame
        ``key``, ``speaker``, ``text``, ``words``, ``characters``; for each search its text under
        its name, ``<search>_word_errors`` and ``<search>_character_errors``.
    """
    right = references["text"].tolist()
    columns: dict[str, list[int] | list[str]] = {
        "words": [len(text.split()) for text in right],
        "characters": [len(text) for text in right],
    }
    for name, texts in transcripts.items():
        pairs = list(zip(right, texts, strict=True))
        columns |= {
            name: list(texts),
            f"{name}_word_errors": [word_errors(*pair) for pair in pairs],
            f"{name}_character_errors": [character_errors(*pair) for pair in pairs],
        }
    return references[["key", "speaker", "text"]].reset_index(drop=True).assign(**columns)


def evaluate_predictions(
    table: pd.DataFrame, searches: Sequence[str], *, resamples: int, seed: int
) -> Evaluation:
    """Evaluate transcripts; intervals resample whole speakers.

    Parameters
    ----------
    table
        From `predictions`.
    searches
        The searches: metrics ``wer_<search>`` and ``cer_<search>``.
    resamples, seed
        Of the intervals.

    Returns
    -------
    Evaluation
        Its counts are ``utterances``, ``speakers``, ``words`` and ``characters``.
    """
    speakers = table["speaker"].to_numpy().astype(str)
    statistics = {
        f"{short}_{name}": ratio(
            table[f"{name}_{unit}_errors"],
            table[f"{unit}s"],
            speakers,
            undefined="the references are empty",
            unit="speaker",
        )
        for short, unit in (("wer", "word"), ("cer", "character"))
        for name in searches
    }
    counts = {
        "utterances": len(table),
        "speakers": int(np.unique(speakers).size),
        "words": int(table["words"].sum()),
        "characters": int(table["characters"].sum()),
    }
    return Evaluation(counts, group_metrics(statistics, resamples=resamples, seed=seed))

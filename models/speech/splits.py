"""The speech splits: no speaker and no text is in two of them; the utterances of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.sampling import SPLITS, TEST, TRAIN, VALIDATION, Split
from models.speech.features import frames_of

if TYPE_CHECKING:
    import pandas as pd


def split_corpus(
    corpus: pd.DataFrame, max_seconds: float, validation: float, test: float, seed: int
) -> Split:
    """Split the utterances, and leave out those that fit in none.

    The three official parts are the splits, where all are there. Otherwise speakers are split, each
    whole. Of utterances with the same text only those of one split stay: the test's, else
    validation's.

    Parameters
    ----------
    corpus
        As in `models.speech.corpus`.
    max_seconds
        Longer utterances are left out.
    validation, test
        Shares of the speech, used where there is no official split.
    seed
        Seed of the random choices.

    Returns
    -------
    Split
        Of the utterances that are kept, in the order of the corpus, with its columns but ``part``.

    Raises
    ------
    ValueError
        No utterance is short enough, a speaker is in two official parts, or there are too few
        speakers for three splits.
    """
    short = corpus[corpus["seconds"] <= max_seconds]
    if short.empty:
        raise ValueError(
            f"all {len(corpus)} utterances last longer than {max_seconds:g} s: raise `max_seconds` "
            'in faint.toml, section ["speech/splits"]'
        )
    official = set(short["part"]) == {TRAIN, VALIDATION, TEST}
    split = short["part"].to_numpy(dtype=np.int8)
    method = "official parts"
    if not official:
        split = _by_speaker(short, validation, test, seed)
        method = "by speaker: there is no official split of all utterances"
    parts = short.assign(split=split).groupby("speaker")["split"].nunique()
    if parts.max() > 1:
        raise ValueError(
            f"speaker {parts.idxmax()!r} is in more than one official part: speakers must not be "
            "shared; name them differently in each part, or put them in one part"
        )
    texts = short["text"].to_numpy()
    # A model must not have seen held-out texts: training gives way, then validation.
    in_test = np.isin(texts, texts[split == TEST])
    in_validation = np.isin(texts, texts[split == VALIDATION])
    shared = (in_test & (split != TEST)) | (in_validation & (split == TRAIN))
    if not {TRAIN, VALIDATION, TEST} <= set(split[~shared].tolist()):
        raise ValueError("the splits share all their texts: none is left for one of them")
    left_out = {
        f"longer than {max_seconds:g} s": len(corpus) - len(short),
        "text shared between splits": int(shared.sum()),
    }
    kept = short[~shared].drop(columns="part")
    columns = {str(name): values.to_numpy() for name, values in kept.items()}
    return Split(split[~shared], method, columns, left_out)


def rows_in(splits: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of a split, by its name."""
    chosen = splits[splits["split"] == SPLITS.index(name)]
    return chosen.drop(columns="split").reset_index(drop=True)


def utterances_in(splits: pd.DataFrame, name: str) -> pd.DataFrame:
    """List the utterances of a split with their frames in its features.

    Parameters
    ----------
    splits
        From `split_corpus`, with the codes as ``split``.
    name
        Of the split.

    Returns
    -------
    DataFrame
        ``key``, ``speaker``, ``text``, ``seconds``, ``source_rate``; ``start`` and ``frames``, of
        10 ms, end to end.
    """
    rows = rows_in(splits, name)
    frames = np.array([frames_of(samples) for samples in rows["samples"].tolist()])
    known = rows[["key", "speaker", "text", "seconds", "source_rate"]]
    return known.assign(start=np.cumsum(frames) - frames, frames=frames)


def _by_speaker(
    corpus: pd.DataFrame, validation: float, test: float, seed: int
) -> NDArray[np.int8]:
    """Assign each speaker to the split that lacks most speech, those who speak most first."""
    spoken = corpus.groupby("speaker")["seconds"].sum()
    if len(spoken) < len(SPLITS):
        raise ValueError(
            f"{len(spoken)} speakers ({', '.join(map(str, spoken.index))}) are too few: each of "
            f"{', '.join(SPLITS)} needs one of its own"
        )
    lacking = np.array([1 - validation - test, validation, test]) * spoken.sum()
    if lacking.min() <= 0:
        raise ValueError(f"validation {validation:g} and test {test:g} leave nothing to train on")
    order = np.random.default_rng(seed).permutation(len(spoken))
    order = order[np.argsort(-spoken.to_numpy()[order], kind="stable")]
    place: dict[Any, int] = {}
    for rank, number in enumerate(order):
        # The last ones go where there is no one yet, so that no split stays empty.
        empty = [code for code in range(len(SPLITS)) if code not in place.values()]
        open_ = empty if len(order) - rank <= len(empty) else range(len(SPLITS))
        code = max(open_, key=lambda one: lacking[one])
        place[spoken.index[number]] = code
        lacking[code] -= spoken.iloc[number]
    return corpus["speaker"].map(place).to_numpy(dtype=np.int8)

"""What must hold of the speech assets."""

from typing import Any

import numpy as np

from assets.checks import check, disjoint, finite, parameter_counts
from assets.speech.inputs import ARCHITECTURES, MODELS
from assets.wiring import BY_SPLIT
from models.sampling import SPLITS
from models.speech.corpus import LETTERS
from models.types import JsonDict


def well_formed(corpus: Any) -> JsonDict:
    """Utterances have a key of their own, words of the alphabet, and audio end to end."""
    problems: JsonDict = {}
    if not corpus["key"].is_unique:
        problems["key"] = f"{corpus['key'][corpus['key'].duplicated()].iat[0]} occurs twice"
    strange = corpus[~corpus["text"].str.fullmatch(f"[{LETTERS}]+( [{LETTERS}]+)*")]
    if len(strange):
        problems["text"] = f"{strange['key'].iat[0]}: {strange['text'].iat[0]!r}"
    ends = (corpus["start"] + corpus["samples"]).to_numpy()
    if not np.array_equal(ends[:-1], corpus["start"].to_numpy()[1:]):
        problems["start"] = "the audio is not end to end"
    return problems


def speakers_apart(splits: Any) -> JsonDict:
    """No speaker is heard in two splits."""
    return disjoint(splits["speaker"], splits["split"])


def texts_apart(splits: Any) -> JsonDict:
    """No text is read in two splits."""
    return disjoint(splits["text"], splits["split"])


def all_splits(splits: Any) -> JsonDict:
    """Every split holds utterances."""
    present = set(splits["split"].tolist())
    return {name: "is empty" for code, name in enumerate(SPLITS) if code not in present}


def unspoken_apart(unspoken: Any, corpus: Any) -> JsonDict:
    """The text for the language model alone holds no transcript."""
    shared = sorted(set(unspoken["text"]) & set(corpus["text"]))
    return {"spoken": "; ".join(shared[:3])} if shared else {}


def helped(evaluation: JsonDict) -> JsonDict:
    """The language model makes no more word errors than greedy decoding."""
    greedy, lm = (evaluation["metrics"][f"wer_{search}"]["value"] for search in ("greedy", "lm"))
    if greedy is None or lm is None:
        return {"wer": "undefined"}
    if lm > greedy:
        return {"wer": f"{lm:.3f} with language model, {greedy:.3f} without"}
    return {}


CORPUS = ("speech", "corpus")

checks = [
    check("well_formed", CORPUS, well_formed),
    check("speakers_apart", ("speech", "splits"), speakers_apart),
    check("texts_apart", ("speech", "splits"), texts_apart),
    check("all_splits", ("speech", "splits"), all_splits),
    check("unspoken_apart", ("speech", "unspoken"), unspoken_apart, CORPUS),
    check("finite", ("speech", "frames"), finite, partitions=BY_SPLIT),
    check("finite", ("speech", "cepstra"), finite, partitions=BY_SPLIT),
    check(
        "parameter_counts", ("speech", "architecture"), parameter_counts, partitions=ARCHITECTURES
    ),
    check("language_model_helps", ("speech", "evaluation"), helped, partitions=MODELS),
]

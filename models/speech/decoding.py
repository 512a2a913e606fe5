"""From symbol probabilities to text: greedy, beam search, and with lexicon and language model.

The settings of the third search are chosen on validation. The beam searches are flashlight-text's
(Collobert et al. 2016, arXiv 1609.03193); KenLM reads the language model inside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.speech.evaluation import word_errors
from models.speech.language import perplexity, train
from models.speech.symbols import BLANK, OUTPUTS, SPACE, decode, encode

if TYPE_CHECKING:
    import pandas as pd

THRESHOLD = 25.0
"""Hypotheses whose score is this much below the best are dropped, in nats."""
IMPOSSIBLE = -100.0
"""Log probability of a symbol that can't be."""
SEARCHES = ("greedy", "beam", "lm")

Emissions = NDArray[np.float32]
"""Log probability of each symbol at each output, shape (outputs, 29), the blank last."""
Decode = Callable[[Emissions], str]


@dataclass(frozen=True)
class Setting:
    """Of the search with a language model.

    Attributes
    ----------
    beam
        Hypotheses kept.
    weight
        Of the language model's base-10 logarithm against the network's natural one.
    bonus
        Added for each word, since the language model likes few.
    """

    beam: int
    weight: float
    bonus: float


@dataclass(frozen=True)
class Heard:
    """Words with their places among the outputs, by the best alignment that the search followed.

    Attributes
    ----------
    words
        In their order.
    outputs
        Of each word, the outputs of its first and of its last letter.
    score
        Natural logarithm of the probability that the network gives to this alignment; that of the
        text is a little higher, as it has others.
    """

    words: tuple[str, ...] = ()
    outputs: tuple[tuple[int, int], ...] = ()
    score: float = 0.0

    @property
    def text(self) -> str:
        """The words with a space between two."""
        return " ".join(self.words)


def greedy(emissions: Emissions) -> str:
    """Take the best symbol at each output, merge repeats, drop blanks (Graves et al. 2006, 3.2)."""
    return _read(emissions.argmax(axis=1))


def beam(emissions: Emissions, width: int) -> str:
    """Find the likeliest symbols over all their alignments, keeping ``width`` hypotheses."""
    from flashlight.lib.text.decoder import (
        CriterionType,
        LexiconFreeDecoder,
        LexiconFreeDecoderOptions,
        ZeroLM,
    )

    options = LexiconFreeDecoderOptions(
        beam_size=width,
        beam_size_token=OUTPUTS,
        beam_threshold=THRESHOLD,
        lm_weight=0.0,
        sil_score=0.0,
        log_add=True,
        criterion_type=CriterionType.CTC,
    )
    if not len(emissions):
        return ""
    search = LexiconFreeDecoder(options, ZeroLM(), SPACE, BLANK, [])
    values = np.ascontiguousarray(emissions, dtype=np.float32)
    hypotheses = search.decode(values.ctypes.data, *values.shape)
    path = np.asarray(hypotheses[0].tokens, dtype=np.int64)
    return _read(path[path >= 0])


def _read(path: NDArray[np.int64]) -> str:
    """Read one alignment: merge repeats, drop blanks; one space between two words."""
    kept = path[np.diff(path, prepend=-1) != 0]
    return " ".join(decode(kept[kept != BLANK]).split())


# with a language model --------------------------------------------------------------------------


def language_model(
    training: pd.DataFrame,
    validation: pd.DataFrame,
    unspoken: pd.DataFrame,
    order: int,
    common: Mapping[str, int] | None = None,
) -> dict[str, bytes]:
    """Train a word n-gram model on training transcripts, and on text that no one reads.

    Parameters
    ----------
    training, validation
        ``text`` of the utterances of both splits.
    unspoken
        More ``text``; it may be empty.
    order
        Words in the longest n-grams.
    common
        Words that it knows besides: see `models.speech.language.train`.

    Returns
    -------
    ``words.arpa``, the model; ``words.txt``, a word a line; and ``perplexity.txt``, that on the
    validation transcripts.
    """
    model = train([*training["text"], *unspoken["text"]], order, common)
    perplexed = perplexity(model, validation["text"])
    return {
        "words.arpa": model.arpa().encode(),
        "words.txt": "".join(f"{word}\n" for word in model.words).encode(),
        "perplexity.txt": f"{perplexed:.6g}\n".encode(),
    }


class WordSearch:
    """Beam search over the words of a lexicon, weighed by a language model.

    Only words of the lexicon come out. Make it with `word_search`.
    """

    def __init__(self, arpa: Path, words: Sequence[str]) -> None:
        from flashlight.lib.text.decoder import SmearingMode, Trie
        from flashlight.lib.text.decoder.kenlm import KenLM
        from flashlight.lib.text.dictionary import Dictionary

        self._words = list(words)
        dictionary = Dictionary([*self._words, "<unk>"])
        self._unknown = dictionary.get_index("<unk>")
        with _unheard():
            self._model = KenLM(str(arpa), dictionary)
        self._trie = Trie(OUTPUTS, SPACE)
        start = self._model.start(False)
        for number, word in enumerate(self._words):
            _, score = self._model.score(start, number)
            spelling = [*encode(word, f"word {word!r} of the lexicon").tolist(), SPACE]
            self._trie.insert(spelling, number, score)
        self._trie.smear(SmearingMode.MAX)

    def decoder(self, setting: Setting) -> Decode:
        """Give the search with one setting, for texts alone."""
        listen = self.listener(setting)
        return lambda emissions: listen(emissions).text

    def listener(self, setting: Setting) -> Callable[[Emissions], Heard]:
        """Give the search with one setting, for words with their places."""
        from flashlight.lib.text.decoder import (
            CriterionType,
            LexiconDecoder,
            LexiconDecoderOptions,
        )

        options = LexiconDecoderOptions(
            beam_size=setting.beam,
            beam_size_token=OUTPUTS,
            beam_threshold=THRESHOLD,
            lm_weight=setting.weight,
            word_score=setting.bonus,
            unk_score=-np.inf,
            sil_score=0.0,
            log_add=True,
            criterion_type=CriterionType.CTC,
        )
        search = LexiconDecoder(
            options, self._trie, self._model, SPACE, BLANK, self._unknown, [], False
        )

        def listen(emissions: Emissions) -> Heard:
            if not len(emissions):
                return Heard()
            # Every word ends with a space, also the last one, which transcripts don't have.
            last = np.full((1, OUTPUTS), IMPOSSIBLE, dtype=np.float32)
            last[0, SPACE] = 0.0
            values = np.ascontiguousarray(np.concatenate([emissions, last]), dtype=np.float32)
            hypotheses = search.decode(values.ctypes.data, *values.shape)
            if not hypotheses:
                return Heard()
            # Before the first output stands where the search began, after the last where it ended.
            path = np.asarray(hypotheses[0].tokens)[1:-1]
            return self._placed(emissions, path, np.asarray(hypotheses[0].words)[1:-1])

        return listen

    def _placed(
        self, emissions: Emissions, path: NDArray[np.int64], words: NDArray[np.int64]
    ) -> Heard:
        """Read a path: a word stands at the space that ends it."""
        letters = (path != BLANK) & (path != SPACE)
        texts, outputs = [], []
        begin = 0
        for end in np.flatnonzero(words >= 0).tolist():
            own = begin + np.flatnonzero(letters[begin:end])
            texts.append(self._words[words[end]])
            outputs.append((int(own[0]), int(own[-1])))
            begin = end
        scores = emissions[np.arange(len(emissions)), path[: len(emissions)]]
        return Heard(tuple(texts), tuple(outputs), float(scores.sum()))


@contextmanager
def _unheard() -> Iterator[None]:
    """Drop what a library writes to the console by itself, such as KenLM's bar."""
    console = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(console, 2)
            os.close(console)


@contextmanager
def word_search(model: Mapping[str, bytes]) -> Iterator[WordSearch]:
    """Open the search over a stored language model, as `language_model` gives it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "words.arpa"
        path.write_bytes(model["words.arpa"])
        yield WordSearch(path, model["words.txt"].decode().split())


def choose(
    search: WordSearch,
    emissions: Sequence[Emissions],
    texts: Sequence[str],
    settings: Iterable[Setting],
) -> dict[str, Any]:
    """Choose the setting with the least word error rate; of equal ones the first.

    Parameters
    ----------
    search
        Over the language model.
    emissions, texts
        Of validation utterances, and what was said.
    settings
        What to try, in the order of preference.

    Returns
    -------
    ``beam``, ``weight``, ``bonus`` and ``wer`` of the chosen one, and ``tried``, the same of all.
    """
    tried = []
    words = sum(len(text.split()) for text in texts)
    for setting in settings:
        decode = search.decoder(setting)
        wrong = sum(
            word_errors(said, decode(heard)) for said, heard in zip(texts, emissions, strict=True)
        )
        tried.append({**asdict(setting), "wer": wrong / words})
    if not tried:
        raise ValueError("there is no setting of the decoder to choose from")
    return min(tried, key=lambda one: float(one["wer"])) | {"tried": tried}


def transcribe(
    search: WordSearch, setting: Setting, emissions: Iterable[Emissions]
) -> dict[str, list[str]]:
    """Give the texts of each of `SEARCHES`, one an utterance."""
    with_words = search.decoder(setting)
    decoded = [(greedy(one), beam(one, setting.beam), with_words(one)) for one in emissions]
    return {name: [texts[k] for texts in decoded] for k, name in enumerate(SEARCHES)}

"""A word n-gram language model, from training transcripts and the words of English.

It is estimated here and stored in the ARPA format, which decoders read.

Counts are smoothed after Kneser and Ney, interpolated: an n-gram's count is less by a discount
``D = (n1 + 1) / (n1 + 2 n2 + 2)`` (n1, n2: n-grams of the order that are seen once and twice; 1 and
2 are added so that a few sentences do, too), and what is taken away goes to the next lower order,
which counts in how many contexts a word occurs, not how often (Chen & Goodman 1999, Computer Speech
& Language 13, 359, section 2.7). Below single words lies what is known without the texts: that all
words are alike, or how common each is in the language at large.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from models.speech.symbols import SYMBOLS

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
Gram = tuple[str, ...]


@dataclass(frozen=True)
class NGrams:
    """An n-gram model.

    Attributes
    ----------
    order
        Words in its longest n-grams.
    probabilities
        Natural logarithm of p(last word | words before), by n-gram.
    backoffs
        Natural logarithm of the weight of the next lower order after a context, by context.
    """

    order: int
    probabilities: Mapping[Gram, float]
    backoffs: Mapping[Gram, float]

    @property
    def words(self) -> list[str]:
        """The words it knows, sorted."""
        markers = {BEGIN, END, UNKNOWN}
        return sorted(g[0] for g in self.probabilities if len(g) == 1 and g[0] not in markers)

    def score(self, word: str, context: Gram) -> float:
        """Give ln p(word | context), backing off to shorter contexts."""
        known = word if (word,) in self.probabilities else UNKNOWN
        context = context[-(self.order - 1) :] if self.order > 1 else ()
        backoff = 0.0
        while (*context, known) not in self.probabilities:
            backoff += self.backoffs.get(context, 0.0)
            context = context[1:]
        return backoff + self.probabilities[*context, known]

    def arpa(self) -> str:
        """Write it in the ARPA form: base-10 logarithms, sorted n-grams by order."""
        by_order: dict[int, list[Gram]] = defaultdict(list)
        for gram in self.probabilities:
            by_order[len(gram)].append(gram)
        lines = ["\\data\\", *(f"ngram {n}={len(by_order[n])}" for n in sorted(by_order))]
        for n in sorted(by_order):
            lines += ["", f"\\{n}-grams:"]
            for gram in sorted(by_order[n]):
                line = f"{_log10(self.probabilities[gram])}\t{' '.join(gram)}"
                if n < self.order:
                    line += f"\t{_log10(self.backoffs.get(gram, 0.0))}"
                lines.append(line)
        return "\n".join([*lines, "", "\\end\\", ""])


def perplexity(model: NGrams, texts: Iterable[str]) -> float:
    """Give the perplexity per word, sentence ends among them; unknown words count as such."""
    scores = [
        model.score(word, context) for text in texts for word, context in _events(text, model.order)
    ]
    return math.exp(-sum(scores) / len(scores))


def english() -> dict[str, int]:
    """Give about 160,000 English words that can be spelt, with how often each is seen.

    They are pyspellchecker's: counts in film subtitles (Lison & Tiedemann 2016, LREC), mended by
    its authors.
    """
    from spellchecker import SpellChecker

    counts = SpellChecker(language="en").word_frequency.dictionary
    spelt = set(SYMBOLS) - {" "}
    return {word: count for word, count in counts.items() if spelt.issuperset(word)}


def train(texts: Iterable[str], order: int = 3, common: Mapping[str, int] | None = None) -> NGrams:
    """Estimate a model from sentences.

    Parameters
    ----------
    texts
        Words with a space between them, a sentence each.
    order
        Words in the longest n-grams.
    common
        Words of the language with how often each is seen, which the model then knows as well. What
        is set aside for words that the texts lack is theirs in this proportion; a word, or mark,
        that is not among them counts as the rarest. None for no others: it is shared alike.

    Raises
    ------
    ValueError
        There is no word, or the order is less than 1.
    """
    if order < 1:
        raise ValueError(f"the order of a language model is 1 or more, not {order}")
    counts: list[Counter[Gram]] = [Counter() for _ in range(order + 1)]
    for text in texts:
        for word, context in _events(text, order):
            counts[order][*context, word] += 1
    # A sentence's first words have fewer before them: their n-grams are of a lower order.
    for gram in [gram for gram in counts[order] if len(gram) < order]:
        counts[len(gram)][gram] += counts[order].pop(gram)
    if not any(counts):
        raise ValueError("there are no words to train a language model from")
    for n in range(order, 1, -1):
        for gram in counts[n]:
            counts[n - 1][gram[1:]] += 1  # in how many contexts, not how often
    return _estimated(counts, order, common or {})


def _events(text: str, order: int) -> Iterator[tuple[str, Gram]]:
    """Give each word of a sentence, and its end, with up to ``order - 1`` words before it."""
    words = [BEGIN, *text.split(), END]
    for place in range(1, len(words)):
        yield words[place], tuple(words[max(0, place - order + 1) : place])


def _estimated(counts: list[Counter[Gram]], order: int, common: Mapping[str, int]) -> NGrams:
    vocabulary = {gram[-1] for gram in counts[1]} | {UNKNOWN}
    rarest = min(common.values(), default=1)
    seen = {**dict.fromkeys(vocabulary, rarest), **common}
    total = sum(seen.values())
    known = {word: count / total for word, count in seen.items()}  # order 0
    lower: dict[Gram, float] = {}
    probabilities: dict[Gram, float] = {}
    backoffs: dict[Gram, float] = {}
    for n in range(1, order + 1):
        frequencies = Counter(counts[n].values())
        discount = (frequencies[1] + 1) / (frequencies[1] + 2 * frequencies[2] + 2)
        totals: Counter[Gram] = Counter()
        kinds: Counter[Gram] = Counter()
        for gram, count in counts[n].items():
            totals[gram[:-1]] += count
            kinds[gram[:-1]] += 1
        left = {context: discount * kinds[context] / totals[context] for context in totals}
        smoothed = {}
        for gram, count in counts[n].items():
            context = gram[:-1]
            below = known[gram[-1]] if n == 1 else lower[gram[1:]]
            smoothed[gram] = (count - discount) / totals[context] + left[context] * below
        if n == 1:
            share = left[()]
            smoothed |= {(word,): share * p for word, p in known.items() if (word,) not in smoothed}
        else:
            backoffs |= {context: math.log(weight) for context, weight in left.items()}
        probabilities |= {gram: math.log(value) for gram, value in smoothed.items()}
        lower = smoothed
    probabilities[BEGIN,] = -99 * math.log(10)  # never asked for; ARPA's mark of that
    return NGrams(order, probabilities, backoffs)


def _log10(value: float) -> str:
    return f"{value / math.log(10):.6f}"

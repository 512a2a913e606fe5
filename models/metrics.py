"""Measures of decisions and of scores.

Counts and what follows from them (precision, recall, F1, skill scores), measures of a ranking
(average precision, ROC area, best recalls), reliability of probabilities, recall by a property of
the positives. `models.evaluation` puts them together with their intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.intervals import Floats, GroupStatistic, Metric, binomial_interval, ratio
from models.sampling import binary_labels
from models.thresholds import labelled_scores
from models.types import JsonDict

FALSE_POSITIVE_RATES = (1e-2, 1e-3)
RECALL_FLOOR = 0.9
PRECISION_FLOOR = 0.9

Values = dict[str, Floats]


@dataclass(frozen=True)
class Counts:
    """True and false positives and negatives."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def positives(self) -> int:
        """Actual positives."""
        return self.tp + self.fn

    @property
    def negatives(self) -> int:
        """Actual negatives."""
        return self.fp + self.tn

    def to_dict(self) -> dict[str, int]:
        """Return the counts: ``found`` is what was flagged, rightly or not, as the studies count.

        >>> Counts(tp=3, fp=1, fn=2, tn=94).to_dict()["found"]
        4
        """
        return {
            "found": self.tp + self.fp,
            "actual": self.positives,
            "missed": self.fn,
            "false_alarms": self.fp,
            **asdict(self),
        }


def confusion(labels: AnyArray, flagged: AnyArray) -> Counts:
    """Count true and false positives and negatives.

    Parameters
    ----------
    labels, flagged : array-like of shape (n,)
        0 or 1.

    Raises
    ------
    ValueError
        If either is malformed, or their lengths differ.
    """
    actual, predicted = binary_labels(labels), binary_labels(flagged, what="predictions")
    if actual.shape != predicted.shape:
        raise ValueError(f"{actual.size} labels and {predicted.size} predictions differ in length")
    return Counts(
        tp=int(np.count_nonzero(actual & predicted)),
        fp=int(np.count_nonzero(~actual & predicted)),
        fn=int(np.count_nonzero(actual & ~predicted)),
        tn=int(np.count_nonzero(~actual & ~predicted)),
    )


def at_threshold(tp: AnyArray, fp: AnyArray, p: AnyArray, n: AnyArray) -> Values:
    """Compute the measures of decisions, elementwise; NaN or infinite where undefined.

    ``accuracy``, ``precision``, ``recall``, ``f1`` = 2 tp / (2 tp + fp + fn); ``tss`` = tp / P -
    fp / N and ``hss2`` = 2 (tp tn - fn fp) / (P (fn + tn) + (tp + fp) N) (Bobra & Couvidat 2015,
    section 4); ``frequency_bias`` = (tp + fp) / P.

    Parameters
    ----------
    tp, fp, p, n
        True and false positives, all positives and all negatives; of equal shapes.
    """
    tp, fp, p, n = (np.asarray(value, dtype=np.float64) for value in (tp, fp, p, n))
    fn, tn = p - tp, n - fp
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "accuracy": (tp + tn) / (p + n),
            "precision": tp / (tp + fp),
            "recall": tp / p,
            "f1": 2 * tp / (2 * tp + fp + fn),
            "tss": tp / p - fp / n,
            "hss2": 2 * (tp * tn - fn * fp) / (p * (fn + tn) + (tp + fp) * n),
            "frequency_bias": (tp + fp) / p,
        }


class Decisions:
    """Flagged rows, so that each measure under any weights of the rows is a few sums.

    Parameters
    ----------
    positive, flagged : bool array of shape (n,)
        Labels and decisions.
    """

    def __init__(self, positive: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> None:
        self.counts = confusion(positive, flagged)
        self._hits, self._alarms = positive & flagged, ~positive & flagged
        self._positive = positive

    def measure(self, weights: Floats) -> Values:
        """Compute `at_threshold` for weights of the rows, shape (b, n); (b,) each."""
        p = weights @ self._positive
        return at_threshold(
            weights @ self._hits, weights @ self._alarms, p, weights.sum(axis=1) - p
        )

    def posterior(self, draws: int, generator: np.random.Generator) -> Values:
        """Draw both rates from their Jeffreys posteriors, Beta(k + 1/2, n - k + 1/2)."""
        counts, p, n = self.counts, self.counts.positives, self.counts.negatives
        return at_threshold(
            p * generator.beta(counts.tp + 0.5, counts.fn + 0.5, draws),
            n * generator.beta(counts.fp + 0.5, counts.tn + 0.5, draws),
            np.full(draws, p),
            np.full(draws, n),
        )

    def undefined(self) -> dict[str, str]:
        """Say which measures the rows do not determine, and why."""
        result: dict[str, str] = {}
        if self.counts.tp + self.counts.fp == 0:
            result["precision"] = "no row is flagged"
        if self.counts.negatives == 0:
            result |= dict.fromkeys(["tss", "hss2"], "there are no negatives")
        if self.counts.positives == 0:
            names = ["recall", "f1", "tss", "hss2", "frequency_bias"]
            result |= dict.fromkeys(names, "there are no positives")
        return result

    def proportion(self, name: str) -> tuple[int, int] | None:
        """Return successes and trials of a measure that is a proportion of counts, else None."""
        counts = self.counts
        match name:
            case "accuracy":
                return counts.tp + counts.tn, counts.positives + counts.negatives
            case "precision":
                return counts.tp, counts.tp + counts.fp
            case "recall":
                return counts.tp, counts.positives
        return None


class Ranking:
    """Rows sorted by score, so that each measure under any weights of the rows is a few sums.

    Only the distinct scores of positives are visited: between them recall stands still, so no
    measure below is decided there.

    Parameters
    ----------
    positive : bool array of shape (n,)
        Labels.
    scores : float64 array of shape (n,)
        Finite, higher for more likely positives.
    """

    def __init__(self, positive: NDArray[np.bool_], scores: Floats) -> None:
        order = np.argsort(-scores, kind="stable")
        self.positive_rows = order[positive[order]]
        self.negative_rows = order[~positive[order]]
        self.positives, self.negatives = self.positive_rows.size, self.negative_rows.size
        high, low = -scores[self.positive_rows], -scores[self.negative_rows]  # ascending
        levels = np.unique(high)
        self._reached = np.searchsorted(high, levels, side="right")
        self._above = np.searchsorted(low, levels, side="left")
        self._upto = np.searchsorted(low, levels, side="right")
        self._errors = (1 + high) ** 2, low**2
        self._span = float(scores.min()), float(scores.max())

    def measure(self, weights: Floats) -> Values:
        """Compute the measures of a ranking for each of b weightings of the rows.

        ``brier``, the mean squared error, and ``brier_skill`` against always forecasting the base
        rate; ``average_precision`` and ``roc_auc`` as in scikit-learn; ``recall_at_fpr_0.01`` and
        ``_0.001``, the best recall with at most this share of negatives flagged;
        ``precision_at_recall_0.9`` and ``recall_at_precision_0.9``, likewise, the latter 0 where no
        threshold is that precise. The best ones choose their threshold on the rows they describe:
        they rank models, and promise nothing at one threshold.

        Parameters
        ----------
        weights : float64 array of shape (b, n)

        Returns
        -------
        dict of str to float64 array of shape (b,)
            NaN where undefined.
        """
        w_pos, w_neg = weights[:, self.positive_rows], weights[:, self.negative_rows]
        sum_pos, sum_neg = _running(w_pos), _running(w_neg)
        p, n = sum_pos[:, -1:], sum_neg[:, -1:]
        result: Values = {}
        with np.errstate(divide="ignore", invalid="ignore"):
            total = p[:, 0] + n[:, 0]
            brier = (w_pos @ self._errors[0] + w_neg @ self._errors[1]) / total
            rate = p[:, 0] / total
            result["brier"] = brier
            result["brier_skill"] = 1 - brier / (rate * (1 - rate))
            tp, fp = sum_pos[:, self._reached], sum_neg[:, self._upto]
            recall, precision, fpr = tp / p, tp / (tp + fp), fp / n
            step = np.diff(recall, axis=1, prepend=0)
            # A resample may lack the first positives and all negatives above them: 0 / 0, step 0.
            usable = np.nan_to_num(precision)
            result["average_precision"] = np.sum(step * usable, axis=1)
            # A positive beats the negatives below it, and half of those level with it.
            beaten = 1 - (sum_neg[:, self._above] + fp) / (2 * n)
            result["roc_auc"] = np.sum(step * beaten, axis=1)
            for limit in FALSE_POSITIVE_RATES:
                allowed = fpr <= limit + 1e-12
                result[f"recall_at_fpr_{limit:g}"] = np.max(recall * allowed, axis=1, initial=0)
            result[f"precision_at_recall_{RECALL_FLOOR:g}"] = np.max(
                usable * (recall >= RECALL_FLOOR - 1e-12), axis=1, initial=0
            )
            result[f"recall_at_precision_{PRECISION_FLOOR:g}"] = np.max(
                recall * (usable >= PRECISION_FLOOR - 1e-12), axis=1, initial=0
            )
        return result

    def undefined(self) -> dict[str, str]:
        """Say which measures the rows do not determine, and why."""
        result: dict[str, str] = {}
        for rate in FALSE_POSITIVE_RATES:
            if self.negatives * rate < 1:
                result[f"recall_at_fpr_{rate:g}"] = (
                    f"{self.negatives} negatives cannot show a rate of {rate:g}"
                )
        low, high = self._span
        if low < 0 or high > 1:
            reason = f"scores are no probabilities: {low:g} ... {high:g}"
            result |= dict.fromkeys(("brier", "brier_skill"), reason)
        ranked = ["average_precision", "roc_auc", "brier_skill"]
        ranked += [f"recall_at_fpr_{rate:g}" for rate in FALSE_POSITIVE_RATES]
        ranked += [
            f"precision_at_recall_{RECALL_FLOOR:g}",
            f"recall_at_precision_{PRECISION_FLOOR:g}",
        ]
        for count, what in ((self.negatives, "negatives"), (self.positives, "positives")):
            if count == 0:
                result |= dict.fromkeys(ranked, f"there are no {what}")
        return result

    def proportion(self, name: str, value: float) -> tuple[int, int] | None:
        """Return successes and trials of a best recall, else None."""
        if name.startswith("recall_at_"):
            return round(value * self.positives), self.positives
        return None


def _running(weights: Floats) -> Floats:
    """Sum weights (b, n) up to and without each place, (b, n + 1)."""
    result = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=result[:, 1:])
    return result


def reliability(labels: AnyArray, scores: AnyArray, bins: int = 10) -> dict[str, list[float]]:
    """Compare forecast probabilities with outcomes, in equal bins of probability.

    Parameters
    ----------
    labels : array-like of shape (n,)
        0 or 1.
    scores : array-like of shape (n,)
        Probabilities, 0 ... 1.
    bins
        Number of bins; the last holds 1 too. Empty ones are left out.

    Returns
    -------
    dict of str to list
        For each bin that is not empty: ``start`` and ``stop``, ``count``, the mean ``forecast``,
        the share ``observed`` to be positive, and its exact 95 % interval ``low``, ``high`` (for
        independent rows).

    Raises
    ------
    ValueError
        If the input is malformed, or a score is no probability.
    """
    positive, values = labelled_scores(labels, scores)
    if bins < 1:
        raise ValueError(f"need 1 bin or more, not {bins}")
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"reliability needs probabilities, but scores span {values.min():g} ... "
            f"{values.max():g}: calibrate them first"
        )
    bin_of = np.minimum((values * bins).astype(np.int64), bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    positives = np.bincount(bin_of, positive, bins)
    forecast = np.bincount(bin_of, values, bins)
    names = ("start", "stop", "count", "forecast", "observed", "low", "high")
    result: dict[str, list[float]] = {name: [] for name in names}
    for k in np.flatnonzero(count):
        interval = binomial_interval(int(positives[k]), int(count[k]))
        share = positives[k] / count[k]
        row = (k / bins, (k + 1) / bins, int(count[k]), forecast[k] / count[k], share, *interval)
        for name, value in zip(names, row, strict=True):
            result[name].append(value if name == "count" else float(value))
    return result


def recall_by_bin(values: AnyArray, flagged: AnyArray, edges: Sequence[float]) -> list[JsonDict]:
    """Compute the recall of positives by one of their properties, such as signal-to-noise.

    Parameters
    ----------
    values : array-like of shape (positives,)
        The property; NaN where not known.
    flagged : array-like of shape (positives,)
        0 or 1.
    edges
        Bin edges, ascending, at least 2; a bin holds its lower edge, the last its upper too.

    Returns
    -------
    list of dict
        ``start`` and ``stop`` of the bin, ``count``, ``found`` and ``recall`` with its exact 95 %
        interval (None where the bin is empty). Values beyond the edges and those not known are in
        two more, ``{"start": None, "stop": None, "outside": ...}``, if there are any.

    Raises
    ------
    ValueError
        If lengths differ, or the edges do not ascend.
    """
    prop = np.asarray(values, dtype=np.float64)
    hit = binary_labels(flagged, what="found")
    if prop.shape != hit.shape:
        raise ValueError(f"{prop.size} values and {hit.size} outcomes differ in length")
    limits = np.asarray(edges, dtype=np.float64)
    if limits.size < 2 or not np.all(np.diff(limits) > 0):
        raise ValueError(f"bin edges must rise, and be 2 or more: {list(edges)}")
    inside = (prop >= limits[0]) & (prop <= limits[-1])
    place = np.clip(np.searchsorted(limits, prop, side="right") - 1, 0, limits.size - 2)
    result: list[JsonDict] = [
        {"start": float(limits[k]), "stop": float(limits[k + 1])}
        | _recall(hit[inside & (place == k)])
        for k in range(limits.size - 1)
    ]
    for what, chosen in (
        ("beyond the edges", ~inside & ~np.isnan(prop)),
        ("not known", np.isnan(prop)),
    ):
        if chosen.any():
            result.append({"start": None, "stop": None, "outside": what} | _recall(hit[chosen]))
    return result


def _recall(hit: NDArray[np.bool_]) -> JsonDict:
    hits, count = int(np.count_nonzero(hit)), int(hit.size)
    recall = Metric.exact(hits, count) if count else Metric.undefined("there are no positives")
    return {"count": count, "found": hits, "recall": recall.to_dict()}


def cross_entropy(labels: AnyArray, scores: AnyArray, groups: AnyArray | None) -> GroupStatistic:
    """Return the mean binary cross-entropy as a statistic of groups.

    Parameters
    ----------
    labels, scores, groups : array-like of shape (n,)
        0 or 1, probability, group (each row its own if None). Scores are kept 1e-7 from 0 and 1,
        as Keras does.
    """
    kept = np.clip(np.asarray(scores, dtype=np.float64), 1e-7, 1 - 1e-7)
    loss = -np.where(np.asarray(labels) == 1, np.log(kept), np.log1p(-kept))
    return ratio(loss, np.ones(len(loss)), groups)


def proportional_chance_criterion(shares: AnyArray) -> JsonDict:
    """Return the accuracy of guessing in proportion to the classes, and the bar 25 % above it.

    ``chance`` is the sum of squared shares and ``bar`` 1.25 times that (Hair et al., Multivariate
    Data Analysis). Where a class holds more than about 88.7 % the bar exceeds 1, and no model can
    pass it: ``note`` says so.

    Parameters
    ----------
    shares : array-like of shape (classes,)
        Share or count of each class.

    Raises
    ------
    ValueError
        If there is none, or one is negative.
    """
    counts = np.asarray(shares, dtype=np.float64)
    if counts.ndim != 1 or counts.size == 0 or not np.all(counts >= 0) or counts.sum() <= 0:
        raise ValueError(f"shares of classes must be 0 or more, and one above 0: {counts}")
    chance = float(np.sum((counts / counts.sum()) ** 2))
    bar = 1.25 * chance
    note = "the bar exceeds 1: no model can pass it" if bar > 1 else None
    return {"chance": chance, "bar": bar, "note": note}

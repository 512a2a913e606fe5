"""What decisions and scores are worth, with how surely that is known.

Here belong the measures of every detector of rare events: counts, proportions, skill scores and
ranking measures, each with a 95 % interval, and the controls that show whether they can be
believed. A value that the rows do not determine is None with the reason, never 0 or 1.

Intervals
---------
Where rows are independent:

- proportions of counts (accuracy, precision, recall): exact binomial (Clopper & Pearson 1934), so
  that 5 found of 5 gives [0.48, 1], where a bootstrap would give [1, 1];
- other measures at the threshold (F1, TSS, HSS2, frequency bias): percentiles over draws of the
  two rates from their Jeffreys posteriors, Beta(k + 1/2, n - k + 1/2), which likewise stay honest
  at small counts;
- measures of the scores (average precision, ROC area, Brier): percentile bootstrap of positives
  and of negatives apart, as the splits were stratified. Best recalls at a given false-positive
  rate or precision also get the exact interval of their count: the wider of both ends counts.

Where rows come in groups (windows of one region, traces of one scan) everything is bootstrapped by
whole groups, those with and those without a positive apart: rows of a group are nearly copies, and
an interval that takes them for independent is far too narrow.

A bootstrap in which every resample gives the same value says nothing, and yields no interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.sampling import binary_labels, group_codes
from models.thresholds import Threshold, labelled_scores

LEVEL = 0.95
FALSE_POSITIVE_RATES = (1e-2, 1e-3)
RECALL_FLOOR = 0.9
PRECISION_FLOOR = 0.9

#: Row weights held at once while resampling: 32 MB.
RESAMPLE_VALUES = 4_000_000

_AT_THRESHOLD = ("accuracy", "precision", "recall", "f1", "tss", "hss2", "frequency_bias")

Values = dict[str, NDArray[np.float64]]


def confusion(labels: AnyArray, predicted: AnyArray) -> dict[str, int]:
    """Count ``tp``, ``fp``, ``fn`` and ``tn``.

    Parameters
    ----------
    labels, predicted
        Shape (n,), 0 or 1.

    Raises
    ------
    ValueError
        If either is malformed, or their lengths differ.
    """
    actual, flagged = binary_labels(labels), binary_labels(predicted, what="predictions")
    if actual.shape != flagged.shape:
        raise ValueError(f"{actual.size} labels and {flagged.size} predictions differ in length")
    return {
        "tp": int(np.count_nonzero(actual & flagged)),
        "fp": int(np.count_nonzero(~actual & flagged)),
        "fn": int(np.count_nonzero(actual & ~flagged)),
        "tn": int(np.count_nonzero(~actual & ~flagged)),
    }


def evaluate(
    labels: AnyArray,
    scores: AnyArray,
    threshold: float | Threshold,
    *,
    groups: AnyArray | None = None,
    resamples: int = 1000,
    seed: int,
    published: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Judge scores against labels: counts, measures and their intervals, as plain data for JSON.

    Parameters
    ----------
    labels
        Shape (n,), 0 or 1.
    scores
        Shape (n,), finite, higher for more likely positives. The Brier score and skill need
        probabilities, 0 ... 1.
    threshold
        Rows scored at or above it are flagged. Choose it elsewhere: see :mod:`models.thresholds`.
    groups
        Shape (n,): rows of equal group are not independent. None where all are.
    resamples
        Resamples and posterior draws for the intervals.
    seed
        Seed of the resampling.
    published
        Figures of the published study under the names used here, passed through.

    Returns
    -------
    dict
        ``rows``, ``groups`` and ``positive_groups`` (those with a positive; None without groups),
        ``base_rate``, ``threshold``; ``counts`` with ``found`` (flagged,
        rightly or not, as the studies count), ``actual``, ``missed``, ``false_alarms``, ``tp``,
        ``fp``, ``fn``, ``tn``; ``metrics`` by name, each with ``value``, ``low`` and ``high``
        (None where undetermined, then with ``reason``) and the ``method`` of the interval;
        ``intervals`` on how they were made; ``published``.

        The metrics: ``accuracy``, ``precision``, ``recall``, ``f1`` = 2 tp / (2 tp + fp + fn);
        ``tss`` = tp / P - fp / N and ``hss2`` = 2 (tp tn - fn fp) / (P (fn + tn) + (tp + fp) N)
        (Bobra & Couvidat 2015, section 4); ``frequency_bias`` = (tp + fp) / P; ``brier``, the mean
        squared error, and ``brier_skill`` against always forecasting the base rate;
        ``average_precision`` and ``roc_auc`` as in scikit-learn; ``recall_at_fpr_0.01`` and
        ``_0.001``, the best recall with at most this share of negatives flagged;
        ``precision_at_recall_0.9`` and ``recall_at_precision_0.9``, likewise, the latter 0 where
        no threshold is that precise. These choose their cut on the rows they describe: they rank
        models, and promise nothing at one cut.

    Raises
    ------
    ValueError
        If the input is malformed.
    """
    positive, values = labelled_scores(labels, scores)
    cut = float(threshold.value if isinstance(threshold, Threshold) else threshold)
    if np.isnan(cut):
        raise ValueError("the threshold is not a number")
    if resamples < 100:
        raise ValueError(f"a 95 % interval needs 100 resamples or more, not {resamples}")
    codes = group_codes(groups, positive.size)
    independent = int(codes.max()) + 1 == positive.size
    held = np.unique(codes[positive]).size
    counts = confusion(positive, values >= cut)
    ranking = _Ranking(positive, values, cut)
    found = ranking.measure(np.ones((1, ranking.positives)), np.ones((1, ranking.negatives)))
    undefined = _undefined(counts, values)
    generator = np.random.default_rng(seed)
    drawn = ranking.resample(codes, resamples, generator)
    if independent:
        drawn |= _posterior(counts, resamples, generator)
    metrics: dict[str, dict[str, Any]] = {}
    for name, measured in found.items():
        if name in undefined:
            metrics[name] = _entry(None, None, None, reason=undefined[name])
            continue
        value = float(measured[0])
        proportion = _proportion(name, value, counts) if independent else None
        if proportion and name in ("accuracy", "precision", "recall"):
            metrics[name] = _entry(value, *binomial_interval(*proportion), method="exact")
        elif independent and name in _AT_THRESHOLD:
            low, high = _percentiles(drawn[name])
            metrics[name] = _entry(value, min(low, value), max(high, value), method="posterior")
        elif not independent and held == 1:
            reason = "one group holds all positives: nothing shows how groups differ"
            metrics[name] = _entry(value, None, None, reason=reason)
        else:
            metrics[name] = _bootstrapped(value, drawn[name], proportion)
    return {
        "rows": positive.size,
        "groups": None if groups is None else int(codes.max()) + 1,
        "positive_groups": None if groups is None else held,
        "base_rate": float(positive.mean()),
        "threshold": cut,
        "counts": {
            "found": counts["tp"] + counts["fp"],
            "actual": counts["tp"] + counts["fn"],
            "missed": counts["fn"],
            "false_alarms": counts["fp"],
            **counts,
        },
        "metrics": metrics,
        "intervals": {
            "level": LEVEL,
            "resamples": resamples,
            "seed": seed,
            "by": "row" if independent else "group",
        },
        "published": dict(published or {}),
    }


def binomial_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a proportion (Clopper & Pearson 1934): (low, high).

    Raises
    ------
    ValueError
        If there were no trials.
    """
    from scipy.stats import beta

    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"no proportion: {successes} of {trials}")
    tail = (1 - LEVEL) / 2
    low = beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def reliability(labels: AnyArray, scores: AnyArray, bins: int = 10) -> dict[str, list[Any]]:
    """Compare forecast probabilities with what came, in equal bins of probability.

    Parameters
    ----------
    labels
        Shape (n,), 0 or 1.
    scores
        Shape (n,), probabilities 0 ... 1.
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
    came = np.bincount(bin_of, positive, bins)
    forecast = np.bincount(bin_of, values, bins)
    names = ("start", "stop", "count", "forecast", "observed", "low", "high")
    result: dict[str, list[Any]] = {name: [] for name in names}
    for k in np.flatnonzero(count):
        interval = binomial_interval(int(came[k]), int(count[k]))
        share = came[k] / count[k]
        row = (k / bins, (k + 1) / bins, int(count[k]), forecast[k] / count[k], share, *interval)
        for name, value in zip(names, row, strict=True):
            result[name].append(value if name == "count" else float(value))
    return result


def by_bin(values: AnyArray, found: AnyArray, edges: Sequence[float]) -> list[dict[str, Any]]:
    """Return the recall of positives by something known of them, such as transit signal-to-noise.

    Parameters
    ----------
    values
        Shape (positives,); NaN where not known.
    found
        Shape (positives,), 0 or 1: whether it was flagged.
    edges
        Bin edges, rising, at least 2; a bin holds its lower edge, the last its upper too.

    Returns
    -------
    list of dict
        ``start`` and ``stop`` of the bin, ``count``, ``found`` and ``recall`` with its exact 95 %
        interval (None where the bin is empty). Values beyond the edges and those not known are in
        two more, ``{"start": None, "stop": None, "outside": ...}``, if there are any.

    Raises
    ------
    ValueError
        If lengths differ, or the edges do not rise.
    """
    known = np.asarray(values, dtype=np.float64)
    hit = binary_labels(found, what="found")
    if known.shape != hit.shape:
        raise ValueError(f"{known.size} values and {hit.size} outcomes differ in length")
    limits = np.asarray(edges, dtype=np.float64)
    if limits.size < 2 or not np.all(np.diff(limits) > 0):
        raise ValueError(f"bin edges must rise, and be 2 or more: {list(edges)}")
    inside = (known >= limits[0]) & (known <= limits[-1])
    place = np.clip(np.searchsorted(limits, known, side="right") - 1, 0, limits.size - 2)
    result = [
        {"start": float(limits[k]), "stop": float(limits[k + 1])}
        | _recall(hit[inside & (place == k)])
        for k in range(limits.size - 1)
    ]
    for what, chosen in (
        ("beyond the edges", ~inside & ~np.isnan(known)),
        ("not known", np.isnan(known)),
    ):
        if chosen.any():
            result.append({"start": None, "stop": None, "outside": what} | _recall(hit[chosen]))
    return result


def cross_entropy(
    labels: AnyArray, scores: AnyArray, groups: AnyArray | None, *, resamples: int, seed: int
) -> dict[str, Any]:
    """Return the binary cross-entropy, its interval by whole groups.

    Parameters
    ----------
    labels, scores, groups
        Shape (n,): 0 or 1, probability, group (each row its own if None).
    resamples, seed
        Bootstrap resamples of groups, and their seed.

    Returns
    -------
    dict
        ``value``, ``low``, ``high`` (95 %) and ``method``, as a metric of
        `evaluate`. Scores are kept 1e-7 from 0 and 1, as Keras does.
    """
    kept = np.clip(np.asarray(scores, dtype=np.float64), 1e-7, 1 - 1e-7)
    loss = -np.where(np.asarray(labels) == 1, np.log(kept), np.log1p(-kept))
    return ratio(loss, np.ones(len(loss)), groups, resamples=resamples, seed=seed)


def ratio(
    numerators: AnyArray,
    denominators: AnyArray,
    groups: AnyArray | None,
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Return the ratio of two sums, such as errors to words, with its interval by whole groups.

    Parameters
    ----------
    numerators, denominators, groups
        Shape (n,): what is summed above and below the line, not 0 in all, and the group (each row
        its own if None).
    resamples, seed
        Bootstrap resamples of groups, and their seed.

    Returns
    -------
    dict
        ``value``, ``low``, ``high`` (95 %) and ``method``, as a metric of `evaluate`.
    """
    above, below = np.asarray(numerators), np.asarray(denominators)
    codes = group_codes(groups, len(above))
    sums, sizes = np.bincount(codes, above), np.bincount(codes, below)
    generator = np.random.default_rng(seed)
    drawn = (generator.integers(0, len(sums), len(sums)) for _ in range(resamples))
    low, high = _percentiles(np.array([sums[rows].sum() / sizes[rows].sum() for rows in drawn]))
    value = float(above.sum() / below.sum())
    return {"value": value, "low": float(low), "high": float(high), "method": "bootstrap"}


def proportional_chance_criterion(shares: AnyArray) -> dict[str, Any]:
    """Return the accuracy of guessing in proportion to the classes, and the bar 25 % above it.

    ``chance`` is the sum of squared shares and ``bar`` 1.25 times that (Hair et al., Multivariate
    Data Analysis). Where a class holds more than about 88.7 % the bar exceeds 1, and no model can
    pass it: ``note`` says so.

    Parameters
    ----------
    shares
        Shape (classes,), share or count of each class.

    Raises
    ------
    ValueError
        If there is none, or one is negative.
    """
    held = np.asarray(shares, dtype=np.float64)
    if held.ndim != 1 or held.size == 0 or not np.all(held >= 0) or held.sum() <= 0:
        raise ValueError(f"shares of classes must be 0 or more, and one above 0: {held}")
    chance = float(np.sum((held / held.sum()) ** 2))
    bar = 1.25 * chance
    note = "the bar exceeds 1: no model can pass it" if bar > 1 else None
    return {"chance": chance, "bar": bar, "note": note}


def permuted_control(
    labels: AnyArray,
    score: Callable[[NDArray[np.bool_]], AnyArray],
    actual: AnyArray,
    *,
    groups: AnyArray | None = None,
    resamples: int = 1000,
    seed: int,
) -> dict[str, Any]:
    """Train on permuted labels, and check that the model then knows nothing.

    A model that still ranks held-out rows better than chance has seen them: the split leaks, or
    the scaling or the resampling was fitted on everything.

    Parameters
    ----------
    labels
        Training labels, shape (n,), 0 or 1.
    score
        Given permuted training labels, trains anew and returns scores of the held-out rows,
        shape (m,).
    actual
        True labels of the held-out rows, shape (m,), with both classes.
    groups
        Groups of the held-out rows; None where they are independent.
    resamples, seed
        Resamples for the spread, and seed of permutation and resampling.

    Returns
    -------
    dict
        ``roc_auc`` with its ``tolerance`` about 0.5, three times the larger of its spread over the
        resamples and its standard deviation under the null hypothesis, sqrt((m + 1) / (12 P N))
        (Mann & Whitney 1947); ``average_precision`` and the ``base_rate`` it should lie near;
        ``as_chance``, whether the ROC area lies within its tolerance.

    Raises
    ------
    ValueError
        If the input is malformed, or the held-out rows are of one class.
    """
    generator = np.random.default_rng(seed)
    positive, values = labelled_scores(actual, score(generator.permutation(binary_labels(labels))))
    positives = int(np.count_nonzero(positive))
    negatives = positive.size - positives
    if positives == 0 or negatives == 0:
        raise ValueError(f"the control needs both classes held out, not {positives} positives")
    ranking = _Ranking(positive, values, np.inf)
    codes = group_codes(groups, positive.size)
    found = ranking.measure(np.ones((1, positives)), np.ones((1, negatives)))
    spread = float(np.std(ranking.resample(codes, resamples, generator)["roc_auc"]))
    null = float(np.sqrt((positive.size + 1) / (12 * positives * negatives)))
    area, tolerance = float(found["roc_auc"][0]), 3 * max(spread, null)
    return {
        "roc_auc": area,
        "tolerance": tolerance,
        "average_precision": float(found["average_precision"][0]),
        "base_rate": positives / positive.size,
        "as_chance": abs(area - 0.5) <= tolerance,
    }


class _Ranking:
    """Rows sorted by score, so that each measure under any weights of the rows is a few sums.

    Only the distinct scores of positives are visited: between them recall stands still, so no
    measure below is decided there.
    """

    def __init__(
        self, positive: NDArray[np.bool_], values: NDArray[np.float64], cut: float
    ) -> None:
        order = np.argsort(-values, kind="stable")
        self.positive_rows = order[positive[order]]
        self.negative_rows = order[~positive[order]]
        self.positives, self.negatives = self.positive_rows.size, self.negative_rows.size
        high, low = -values[self.positive_rows], -values[self.negative_rows]  # ascending
        levels = np.unique(high)
        self._reached = np.searchsorted(high, levels, side="right")
        self._above = np.searchsorted(low, levels, side="left")
        self._upto = np.searchsorted(low, levels, side="right")
        self._cut = np.searchsorted(high, -cut, "right"), np.searchsorted(low, -cut, "right")
        self._errors = (1 + high) ** 2, low**2

    def measure(self, w_pos: NDArray[Any], w_neg: NDArray[Any]) -> Values:
        """Compute every metric for each of b weightings of the rows.

        Parameters
        ----------
        w_pos, w_neg
            Shapes (b, positives) and (b, negatives): weights in falling order of score.

        Returns
        -------
        dict of str to float64 array
            Shape (b,) each; NaN where undefined.
        """
        sum_pos, sum_neg = _running(w_pos), _running(w_neg)
        p, n = sum_pos[:, -1:], sum_neg[:, -1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            result = _at_threshold(
                sum_pos[:, self._cut[0]], sum_neg[:, self._cut[1]], p[:, 0], n[:, 0]
            )
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

    def resample(
        self, codes: NDArray[np.int64], resamples: int, generator: np.random.Generator
    ) -> Values:
        """Measure ``resamples`` bootstrap resamples of whole groups, with and without positives."""
        count = int(codes.max()) + 1
        held = np.zeros(count, dtype=np.bool_)
        held[codes[self.positive_rows]] = True
        strata = np.flatnonzero(held), np.flatnonzero(~held)
        parts: list[Values] = []
        chunk = max(RESAMPLE_VALUES // codes.size, 1)
        for start in range(0, resamples, chunk):
            rows = min(chunk, resamples - start)
            weights = np.empty((rows, count))
            for stratum in strata:
                weights[:, stratum] = _draws(rows, stratum.size, generator)
            parts.append(
                self.measure(
                    weights[:, codes[self.positive_rows]], weights[:, codes[self.negative_rows]]
                )
            )
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _draws(rows: int, size: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw ``size`` of ``size`` things with replacement, ``rows`` times; how often each came."""
    if size == 0:
        return np.zeros((rows, 0), dtype=np.int64)
    picks = generator.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
    return np.bincount(picks.ravel(), minlength=rows * size).reshape(rows, size)


def _running(weights: NDArray[Any]) -> NDArray[np.float64]:
    """Sum weights (b, n) up to and without each place, (b, n + 1)."""
    result = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=result[:, 1:])
    return result


def _at_threshold(tp: AnyArray, fp: AnyArray, p: AnyArray, n: AnyArray) -> Values:
    """Compute the metrics of counts, elementwise; NaN or inf where undefined."""
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


def _posterior(counts: dict[str, int], draws: int, generator: np.random.Generator) -> Values:
    """Draw both rates from their Jeffreys posteriors, and compute the metrics of each draw."""
    tp, fp, fn, tn = (counts[name] for name in ("tp", "fp", "fn", "tn"))
    p, n = tp + fn, fp + tn
    return _at_threshold(
        p * generator.beta(tp + 0.5, fn + 0.5, draws),
        n * generator.beta(fp + 0.5, tn + 0.5, draws),
        np.full(draws, p),
        np.full(draws, n),
    )


def _proportion(name: str, value: float, counts: dict[str, int]) -> tuple[int, int] | None:
    """Return (successes, trials) of a metric that is a proportion of counts, else None."""
    tp, fp, fn, tn = (counts[key] for key in ("tp", "fp", "fn", "tn"))
    if name == "accuracy":
        return tp + tn, tp + fp + fn + tn
    if name == "precision":
        return tp, tp + fp
    if name == "recall" or name.startswith("recall_at_"):
        return round(value * (tp + fn)), tp + fn
    return None


def _undefined(counts: dict[str, int], values: NDArray[np.float64]) -> dict[str, str]:
    """Say which metrics the rows do not determine, and why."""
    positives, negatives = counts["tp"] + counts["fn"], counts["fp"] + counts["tn"]
    ranked = ["average_precision", "roc_auc", "brier_skill"]
    ranked += [f"recall_at_fpr_{rate:g}" for rate in FALSE_POSITIVE_RATES]
    ranked += [f"precision_at_recall_{RECALL_FLOOR:g}", f"recall_at_precision_{PRECISION_FLOOR:g}"]
    result: dict[str, str] = {}
    if counts["tp"] + counts["fp"] == 0:
        result["precision"] = "no row is flagged"
    for rate in FALSE_POSITIVE_RATES:
        if negatives * rate < 1:
            result[f"recall_at_fpr_{rate:g}"] = (
                f"{negatives} negatives cannot show a rate of {rate:g}"
            )
    if values.min() < 0 or values.max() > 1:
        reason = f"scores are no probabilities: {values.min():g} ... {values.max():g}"
        result |= dict.fromkeys(("brier", "brier_skill"), reason)
    if negatives == 0:
        result |= dict.fromkeys(["tss", "hss2", *ranked], "there are no negatives")
    if positives == 0:
        at_threshold = ["recall", "f1", "tss", "hss2", "frequency_bias"]
        result |= dict.fromkeys([*at_threshold, *ranked], "there are no positives")
    return result


def _percentiles(drawn: NDArray[np.float64]) -> tuple[float, float]:
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


def _bootstrapped(
    value: float, drawn: NDArray[np.float64], proportion: tuple[int, int] | None
) -> dict[str, Any]:
    defined = drawn[np.isfinite(drawn)]
    if defined.size < drawn.size / 2:
        return _entry(value, None, None, reason="undefined in most resamples")
    low, high = _percentiles(defined)
    if proportion is not None:
        exact = binomial_interval(*proportion)
        low, high = min(low, exact[0]), max(high, exact[1])
    if high - low < 1e-12:
        return _entry(value, None, None, reason="every resample gives this value: too few to tell")
    return _entry(value, low, high, method="bootstrap")


def _entry(
    value: float | None,
    low: float | None,
    high: float | None,
    *,
    method: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    entry = {"value": value, "low": low, "high": high, "method": method, "reason": reason}
    return {name: held for name, held in entry.items() if held is not None or name in _ALWAYS}


_ALWAYS = ("value", "low", "high")


def _recall(found: NDArray[np.bool_]) -> dict[str, Any]:
    hits, count = int(np.count_nonzero(found)), int(found.size)
    recall = _entry(None, None, None, reason="there are no positives")
    if count:
        recall = _entry(hits / count, *binomial_interval(hits, count), method="exact")
    return {"count": count, "found": hits, "recall": recall}

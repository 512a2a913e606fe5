"""Evaluate scores and decisions on labelled rows: every metric with its 95 % interval.

A metric that the rows do not determine is undefined, with the reason; it is never 0 or 1.

Intervals
---------
Where rows are independent:

- proportions of counts (accuracy, precision, recall): exact binomial (Clopper & Pearson 1934);
- other measures of decisions (F1, TSS, HSS2, frequency bias): percentiles over draws of the two
  rates from their Jeffreys posteriors, Beta(k + 1/2, n - k + 1/2), which stay honest at small
  counts;
- measures of the scores (average precision, ROC area, Brier): percentile bootstrap of positives
  and of negatives apart, as the splits were stratified. Best recalls at a given false-positive
  rate or precision also get the exact interval of their count: the wider of both ends counts.

Where rows come in groups (windows of one region, traces of one scan) everything is bootstrapped by
whole groups, those with and those without a positive apart. Further statistics (`GroupStatistic`)
are bootstrapped over all groups together.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.intervals import (
    LEVEL,
    Floats,
    GroupStatistic,
    Metric,
    bootstrap_metric,
    group_bootstrap,
    group_metrics,
    percentiles,
)
from models.metrics import Decisions, Ranking, Values
from models.sampling import binary_labels, group_codes
from models.thresholds import Threshold, labelled_scores
from models.types import JsonDict


@dataclass(frozen=True)
class Evaluation:
    """A model's metrics on one split.

    Attributes
    ----------
    counts
        ``found`` (flagged, rightly or not), ``actual``, ``missed``, ``false_alarms``, ``tp``,
        ``fp``, ``fn``, ``tn``; speech counts utterances, speakers, words and characters.
    metrics
        By name.
    details
        What else is stored, as JSON: ``rows``, ``groups``, ``positive_groups``, ``base_rate``,
        ``threshold``, ``intervals`` (how they were computed), ``published`` (the study's figures),
        and what a system adds.

    Examples
    --------
    >>> evaluation = evaluate([0, 1, 1, 0], [0.1, 0.9, 0.4, 0.2], 0.5, seed=0)
    >>> evaluation.metrics["recall"].value
    0.5
    >>> Evaluation.from_dict(evaluation.to_dict()) == evaluation
    True
    """

    counts: Mapping[str, int]
    metrics: Mapping[str, Metric]
    details: JsonDict = field(default_factory=dict)

    @property
    def threshold(self) -> float:
        """Scores at or above it are flagged."""
        return float(self.details["threshold"])

    @property
    def published(self) -> Mapping[str, float | int | str | None]:
        """The published study's figures by metric; empty where it gives none."""
        return dict(self.details.get("published") or {})

    def value(self, metric: str) -> float | None:
        """Return a metric's value; None where undefined."""
        return self.metrics[metric].value

    def values(self) -> dict[str, float]:
        """Return the values of the metrics that are defined."""
        return {k: metric.value for k, metric in self.metrics.items() if metric.value is not None}

    def with_metrics(self, metrics: Mapping[str, Metric]) -> Evaluation:
        """Return a copy with more metrics."""
        return replace(self, metrics={**self.metrics, **metrics})

    def with_details(self, **details: object) -> Evaluation:
        """Return a copy with more details."""
        return replace(self, details={**self.details, **details})

    def to_dict(self) -> JsonDict:
        """Return everything as JSON: the details beside ``counts`` and ``metrics``."""
        metrics = {name: metric.to_dict() for name, metric in self.metrics.items()}
        return {**self.details, "counts": dict(self.counts), "metrics": metrics}

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Evaluation:
        """Read what `to_dict` returned."""
        details: JsonDict = dict(stored)
        metrics, counts = details.pop("metrics"), details.pop("counts", {})
        return cls(counts, {k: Metric.from_dict(v) for k, v in metrics.items()}, details)


def evaluate(
    labels: AnyArray,
    scores: AnyArray,
    threshold: float | Threshold,
    *,
    flagged: AnyArray | None = None,
    decisions: Mapping[str, AnyArray] | None = None,
    statistics: Mapping[str, GroupStatistic] | None = None,
    groups: AnyArray | None = None,
    resamples: int = 1000,
    seed: int,
    published: Mapping[str, float | int | str | None] | None = None,
) -> Evaluation:
    """Evaluate scores against labels.

    Parameters
    ----------
    labels : array-like of shape (n,)
        0 or 1.
    scores : array-like of shape (n,)
        Finite, higher for more likely positives. The Brier score and skill need probabilities,
        0 ... 1.
    threshold
        Rows scored at or above it are flagged. Choose it elsewhere: see :mod:`models.thresholds`.
    flagged : array-like of shape (n,), optional
        The decisions, 0 or 1, where they are not simply scores at or above the threshold.
    decisions : mapping of str to array-like of shape (n,), optional
        Further decisions by suffix, such as ``_at_0.5``: each adds the metrics of
        `models.metrics.at_threshold` under ``<name><suffix>``.
    statistics
        Further statistics by name, of the same groups in the order of their codes.
    groups : array-like of shape (n,), optional
        Rows of equal group are not independent. By default all are.
    resamples
        Resamples and posterior draws for the intervals.
    seed
        Seed of the resampling.
    published
        Figures of the published study by metric, passed through.

    Returns
    -------
    Evaluation
        With the metrics of `models.metrics.at_threshold` and `models.metrics.Ranking.measure`, the
        further decisions and statistics.

    Raises
    ------
    ValueError
        If the input is malformed.
    """
    positive, values = labelled_scores(labels, scores)
    limit = float(threshold.value if isinstance(threshold, Threshold) else threshold)
    if np.isnan(limit):
        raise ValueError("the threshold is not a number")
    if resamples < 100:
        raise ValueError(f"a 95 % interval needs 100 resamples or more, not {resamples}")
    codes = group_codes(groups, positive.size)
    group_count = int(codes.max()) + 1
    independent = group_count == positive.size
    positive_groups = np.unique(codes[positive]).size
    ranking = Ranking(positive, values)
    main = values >= limit if flagged is None else binary_labels(flagged, what="predictions")
    decided = {"": Decisions(positive, main)} | {
        suffix: Decisions(positive, binary_labels(rows, what="predictions"))
        for suffix, rows in (decisions or {}).items()
    }
    generator = np.random.default_rng(seed)
    once = _measure_all(ranking, decided, np.ones((1, positive.size)))
    drawn = _resample(ranking, decided, positive, codes, resamples, generator)
    one_group = not independent and positive_groups == 1

    def with_interval(name: str, proportion: tuple[int, int] | None) -> Metric:
        value = float(once[name][0])
        if one_group:
            reason = "one group holds all positives: nothing shows how groups differ"
            return Metric(value, reason=reason)
        return bootstrap_metric(value, drawn[name], proportion if independent else None)

    metrics: dict[str, Metric] = {}
    for suffix, decision in decided.items():
        undefined = decision.undefined()
        # The posterior of each decision is drawn from the same stream, whatever came before it.
        posterior = decision.posterior(resamples, copy.deepcopy(generator)) if independent else {}
        for name in decision.measure(np.ones((1, positive.size))):
            proportion = decision.proportion(name)
            if name in undefined:
                metric = Metric.undefined(undefined[name])
            elif independent and proportion:
                metric = Metric.exact(*proportion)
            elif independent:
                value, (low, high) = float(once[name + suffix][0]), percentiles(posterior[name])
                metric = Metric(value, min(low, value), max(high, value), method="posterior")
            else:
                metric = with_interval(name + suffix, None)
            metrics[name + suffix] = metric
        if suffix == "":
            undefined = ranking.undefined()
            for name in ranking.measure(np.ones((1, positive.size))):
                metrics[name] = (
                    Metric.undefined(undefined[name])
                    if name in undefined
                    else with_interval(name, ranking.proportion(name, float(once[name][0])))
                )
    if statistics:
        metrics |= group_metrics(statistics, resamples=resamples, seed=seed)
    return Evaluation(
        decided[""].counts.to_dict(),
        metrics,
        {
            "rows": positive.size,
            "groups": None if groups is None else group_count,
            "positive_groups": None if groups is None else positive_groups,
            "base_rate": float(positive.mean()),
            "threshold": limit,
            "intervals": {
                "level": LEVEL,
                "resamples": resamples,
                "seed": seed,
                "by": "row" if independent else "group",
            },
            "published": dict(published or {}),
        },
    )


def _measure_all(ranking: Ranking, decided: Mapping[str, Decisions], weights: Floats) -> Values:
    result = ranking.measure(weights)
    for suffix, decision in decided.items():
        result |= {name + suffix: value for name, value in decision.measure(weights).items()}
    return result


def _row_weights(
    positive: NDArray[np.bool_],
    codes: NDArray[np.int64],
    resamples: int,
    generator: np.random.Generator,
) -> Iterator[Floats]:
    """Resample whole groups, with and without a positive apart: weights of the rows, (b, n)."""
    with_positive = np.zeros(int(codes.max()) + 1, dtype=np.bool_)
    with_positive[codes[positive]] = True
    strata = np.flatnonzero(with_positive), np.flatnonzero(~with_positive)
    for weights in group_bootstrap(strata, resamples, generator, columns=codes.size):
        yield weights[:, codes]


def _resample(
    ranking: Ranking,
    decided: Mapping[str, Decisions],
    positive: NDArray[np.bool_],
    codes: NDArray[np.int64],
    resamples: int,
    generator: np.random.Generator,
) -> Values:
    parts = [
        _measure_all(ranking, decided, weights)
        for weights in _row_weights(positive, codes, resamples, generator)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True)
class Control:
    """How a model trained on permuted labels ranks rows that it has not seen.

    Attributes
    ----------
    roc_auc, tolerance
        ROC area, and how far from 0.5 it may lie: three times the larger of its spread over the
        resamples and its standard deviation under the null hypothesis, sqrt((m + 1) / (12 P N))
        (Mann & Whitney 1947).
    average_precision, base_rate
        The first should lie near the second.
    as_chance
        Whether the ROC area lies within its tolerance.
    """

    roc_auc: float
    tolerance: float
    average_precision: float
    base_rate: float
    as_chance: bool

    def to_dict(self) -> JsonDict:
        """Return the fields as JSON."""
        return asdict(self)


def permuted_control(
    labels: AnyArray,
    score: Callable[[NDArray[np.bool_]], AnyArray],
    actual: AnyArray,
    *,
    groups: AnyArray | None = None,
    resamples: int = 1000,
    seed: int,
) -> Control:
    """Train on permuted labels, and check that the model then ranks no better than chance.

    A model that still ranks unseen rows better has seen them: the split leaks, or the scaling or
    the resampling was fitted on everything.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Training labels, 0 or 1.
    score
        Given permuted training labels, trains anew and returns scores of the unseen rows,
        shape (m,).
    actual : array-like of shape (m,)
        True labels of the unseen rows, with both classes.
    groups : array-like of shape (m,), optional
        Groups of the unseen rows; by default they are independent.
    resamples, seed
        Resamples for the spread, and seed of permutation and resampling.

    Raises
    ------
    ValueError
        If the input is malformed, or the unseen rows are of one class.
    """
    generator = np.random.default_rng(seed)
    positive, values = labelled_scores(actual, score(generator.permutation(binary_labels(labels))))
    positives = int(np.count_nonzero(positive))
    negatives = positive.size - positives
    if positives == 0 or negatives == 0:
        raise ValueError(f"the control needs both classes held out, not {positives} positives")
    ranking = Ranking(positive, values)
    codes = group_codes(groups, positive.size)
    once = ranking.measure(np.ones((1, positive.size)))
    drawn = _resample(ranking, {}, positive, codes, resamples, generator)
    null = float(np.sqrt((positive.size + 1) / (12 * positives * negatives)))
    area, tolerance = float(once["roc_auc"][0]), 3 * max(float(np.std(drawn["roc_auc"])), null)
    return Control(
        roc_auc=area,
        tolerance=tolerance,
        average_precision=float(once["average_precision"][0]),
        base_rate=positives / positive.size,
        as_chance=abs(area - 0.5) <= tolerance,
    )

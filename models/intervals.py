"""Metrics with 95 % intervals, and the ways to compute an interval.

- `binomial_interval`: exact, for a proportion of independent rows (Clopper & Pearson 1934). 5 of 5
  gives [0.48, 1], where a bootstrap would give [1, 1].
- `group_bootstrap`: resamples whole groups (regions, scans, speakers). Rows of a group are nearly
  copies of each other; an interval that takes them for independent is far too narrow.

An interval is left out, with the reason, where the data do not determine it: most resamples are
undefined, or all give the same value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.sampling import group_codes
from models.types import JsonDict

LEVEL = 0.95

RESAMPLE_VALUES = 4_000_000
"""Weights that the bootstrap holds at once: 32 MB."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A value with its 95 % interval.

    Attributes
    ----------
    value
        None where the rows do not determine it.
    low, high
        Ends of the interval; None where there is none.
    method
        How the interval was computed: ``exact``, ``posterior`` or ``bootstrap``.
    reason
        Why the value or the interval is missing.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str | None = None
    reason: str | None = None

    @classmethod
    def undefined(cls, reason: str) -> Metric:
        """Return a metric without a value."""
        return cls(None, reason=reason)

    @classmethod
    def exact(cls, successes: int, trials: int) -> Metric:
        """Return a proportion with its exact interval.

        >>> Metric.exact(5, 5).value
        1.0
        """
        return cls(successes / trials, *binomial_interval(successes, trials), method="exact")

    @classmethod
    def from_dict(cls, stored: Mapping[str, float | str | None]) -> Metric:
        """Read what `to_dict` returned."""
        return cls(**stored)  # type: ignore[arg-type]

    def to_dict(self) -> JsonDict:
        """Return ``value``, ``low``, ``high``, and ``method`` and ``reason`` where set."""
        always = ("value", "low", "high")
        return {k: v for k, v in asdict(self).items() if v is not None or k in always}


@dataclass(frozen=True)
class GroupStatistic:
    """A statistic of sums over groups, such as a ratio of errors to words.

    Attributes
    ----------
    sums
        What each group contributes, shape (groups, k).
    measure
        From total sums, shape (m, k), to the statistic, shape (m,); not finite where undefined.
    undefined
        The reason to give where it is.
    unit
        What a group is called in a reason.
    """

    sums: Floats
    measure: Callable[[Floats], Floats]
    undefined: str
    unit: str = "group"


def binomial_interval(successes: int, trials: int) -> tuple[float, float]:
    """Compute the exact 95 % interval of a proportion (Clopper & Pearson 1934).

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If there are no trials, or more successes than trials.
    """
    from scipy.stats import beta

    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"no proportion: {successes} of {trials}")
    tail = (1 - LEVEL) / 2
    low = beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def percentiles(drawn: Floats) -> tuple[float, float]:
    """Return the 2.5th and the 97.5th percentile."""
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


def group_bootstrap(
    strata: Sequence[NDArray[np.int64]],
    resamples: int,
    generator: np.random.Generator,
    *,
    columns: int | None = None,
) -> Iterator[Floats]:
    """Resample groups with replacement, each stratum by itself.

    Parameters
    ----------
    strata
        Group numbers of each stratum; together every group once. One stratum for a plain bootstrap.
    resamples
        Number of resamples.
    generator
        Source of the draws.
    columns
        Values that the caller holds per resample, where more than there are groups: blocks are
        sized for it.

    Yields
    ------
    float64 array of shape (b, groups)
        How often each of b resamples drew each group; the b add up to ``resamples``.
    """
    groups = sum(stratum.size for stratum in strata)
    chunk = max(RESAMPLE_VALUES // (columns or groups), 1)
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        weights = np.empty((rows, groups))
        for stratum in strata:
            weights[:, stratum] = _draws(rows, stratum.size, generator)
        yield weights


def _draws(rows: int, size: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw ``size`` of ``size`` items with replacement, ``rows`` times; count each item."""
    if size == 0:
        return np.zeros((rows, 0), dtype=np.int64)
    picks = generator.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
    return np.bincount(picks.ravel(), minlength=rows * size).reshape(rows, size)


def bootstrap_metric(
    value: float, drawn: Floats, proportion: tuple[int, int] | None = None
) -> Metric:
    """Return a value with the percentile interval of its resamples.

    Parameters
    ----------
    value
        Of the data themselves.
    drawn : float64 array of shape (resamples,)
        Of the resamples; not finite where undefined.
    proportion
        Successes and trials where the value is a proportion of independent rows: the interval then
        also covers the exact one.
    """
    defined = drawn[np.isfinite(drawn)]
    if defined.size < drawn.size / 2:
        return Metric(value, reason="undefined in most resamples")
    low, high = percentiles(defined)
    if proportion is not None:
        exact = binomial_interval(*proportion)
        low, high = min(low, exact[0]), max(high, exact[1])
    if high - low < 1e-12:
        return Metric(value, reason="every resample gives this value: too few to tell")
    return Metric(value, low, high, method="bootstrap")


def group_metrics(
    statistics: Mapping[str, GroupStatistic], *, resamples: int, seed: int
) -> dict[str, Metric]:
    """Compute statistics of one set of groups, their intervals from the same resamples.

    Parameters
    ----------
    statistics
        By name, each with as many groups.
    resamples, seed
        Number of resamples of whole groups, and their seed.
    """
    groups = {len(statistic.sums) for statistic in statistics.values()}
    if len(groups) > 1:
        raise ValueError(f"statistics differ in their number of groups: {sorted(groups)}")
    drawn: dict[str, list[Floats]] = {name: [] for name in statistics}
    strata = [np.arange(*groups)]
    with np.errstate(divide="ignore", invalid="ignore"):
        for weights in group_bootstrap(strata, resamples, np.random.default_rng(seed)):
            for name, statistic in statistics.items():
                drawn[name].append(statistic.measure(weights @ statistic.sums))
        totals = {
            name: float(statistic.measure(statistic.sums.sum(axis=0, keepdims=True))[0])
            for name, statistic in statistics.items()
        }
    result = {}
    for name, statistic in statistics.items():
        if not np.isfinite(totals[name]):
            result[name] = Metric.undefined(statistic.undefined)
        elif len(statistic.sums) < 2:
            result[name] = Metric(totals[name], reason=f"there is only one {statistic.unit}")
        else:
            result[name] = bootstrap_metric(totals[name], np.concatenate(drawn[name]))
    return result


def ratio(
    numerators: AnyArray,
    denominators: AnyArray,
    groups: AnyArray | None,
    *,
    undefined: str = "there is nothing to divide by",
    unit: str = "group",
) -> GroupStatistic:
    """Return the ratio of two sums as a statistic of groups.

    Parameters
    ----------
    numerators, denominators : array-like of shape (n,)
        What is summed above and below the line.
    groups : array-like of shape (n,), optional
        Group of each row; each row its own by default.
    undefined, unit
        As in `GroupStatistic`.

    Examples
    --------
    >>> errors = ratio([1, 0, 2], [4, 4, 2], ["a", "a", "b"])
    >>> group_metrics({"wer": errors}, resamples=100, seed=0)["wer"].value
    0.3
    """
    above, below = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    codes = group_codes(groups, len(above))
    sums: Floats = np.stack(
        [np.bincount(codes, above), np.bincount(codes, below)], axis=1, dtype=np.float64
    )
    return GroupStatistic(sums, lambda s: np.asarray(s[:, 0] / s[:, 1]), undefined, unit)

"""The charts that reports of several systems have, from evaluations, scores and histories."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.evaluation import Evaluation
from models.intervals import Metric
from models.reporting.charts import (
    BLUE,
    GREEN,
    ORANGE,
    Axis,
    Chart,
    Rule,
    Series,
)
from models.reporting.pages import Confusion
from models.thresholds import labelled_scores, roc

SCATTERED = 1500
"""Examples of a class that a chart of scores shows at most, evenly picked."""

STEPS = 500
"""Thresholds that a chart shows at most, evenly picked."""


def decisions(
    name: str,
    labels: AnyArray,
    scores: AnyArray,
    evaluation: Evaluation,
    *,
    classes: tuple[str, str],
    examples: Sequence[str],
) -> list[Chart | Confusion]:
    """Draw scores, ROC, precision and recall, and confusion, with the chosen threshold.

    Parameters
    ----------
    name
        The model, with which names of charts begin.
    labels, scores
        Of the test rows, shape (n,).
    evaluation
        Of these rows.
    classes
        Names of negatives and positives.
    examples
        What each row is, such as the name of a star.
    """
    counts = evaluation.counts
    return [
        score_chart(name, labels, scores, evaluation.threshold, classes=classes, examples=examples),
        confusion(counts, classes),
        *rate_charts(name, labels, scores, evaluation.threshold),
    ]


def confusion(counts: Mapping[str, int], classes: tuple[str, str]) -> Confusion:
    """Show the four counts, and say them in a sentence."""
    negative, positive = classes
    return Confusion(
        "Decisions at the threshold",
        f"Of {counts['tp'] + counts['fn']:,} actual {positive!r}, {counts['tp']:,} are found and "
        f"{counts['fn']:,} missed; of {counts['fp'] + counts['tn']:,} actual {negative!r}, "
        f"{counts['fp']:,} are false alarms.",
        counts,
        classes,
    )


def score_chart(
    name: str,
    labels: AnyArray,
    scores: AnyArray,
    threshold: float,
    *,
    classes: tuple[str, str],
    examples: Sequence[str],
) -> Chart:
    """Draw the score of every test example, by its rank within its class; see `decisions`."""
    positive, values = labelled_scores(labels, scores)
    series, left_out = [], 0
    for rows, kind, tone in (
        (np.flatnonzero(~positive), classes[0], BLUE),
        (np.flatnonzero(positive), classes[1], ORANGE),
    ):
        if not rows.size:
            continue
        ranked = rows[np.argsort(values[rows], kind="stable")]
        share = (np.arange(ranked.size) + 0.5) / ranked.size * 100
        chosen = _evenly(ranked.size, SCATTERED)
        left_out += ranked.size - chosen.size
        shown = ranked[chosen]
        series.append(
            Series(
                f"{kind} ({rows.size:,})", share[chosen], values[shown], "dots", tone,
                dashed=tone == ORANGE, points=[str(examples[row]) for row in shown],
            )
        )  # fmt: skip
    said = f" {left_out:,} examples are left out, evenly." if left_out else ""
    return Chart(
        f"{name} scores",
        "Scores",
        f"The score of every test example, ranked within its class. At or above the threshold of "
        f"{threshold:.3g} it counts as {classes[1]}.{said}",
        Axis("rank within the class (%)", 0, 100),
        Axis("score"),
        series,
        [Rule(f"threshold {threshold:.3g}", y=threshold)],
    )


def rate_charts(name: str, labels: AnyArray, scores: AnyArray, threshold: float) -> list[Chart]:
    """Draw ROC, and precision against recall; see `decisions`."""
    points = roc(labels, scores)
    positive, values = labelled_scores(labels, scores)
    flagged = values >= threshold
    fpr = np.r_[0, points["false_positive_rate"]]
    sensitivity = np.r_[0, points["sensitivity"]]
    area = float(np.trapezoid(sensitivity, fpr))
    at_fpr, at_recall = float(flagged[~positive].mean()), float(flagged[positive].mean())
    above = [f"at or above {value:.4g}" for value in points["thresholds"]]
    chosen = _evenly(fpr.size, STEPS)
    curve = Chart(
        f"{name} roc",
        "ROC",
        f"Area {area:.3f}. At the threshold of {threshold:.3g}: {at_recall:.1%} of the positives "
        f"for {at_fpr:.2%} of the negatives.",
        Axis("false-positive rate", -0.02, 1.02),
        Axis("sensitivity (recall)", -0.02, 1.02),
        [
            Series(
                f"area {area:.3f}", fpr[chosen], sensitivity[chosen], tone=BLUE,
                points=[["above all", *above][k] for k in chosen],
            ),
            Series(f"threshold {threshold:.3g}", [at_fpr], [at_recall], "dots", ORANGE,
                   dashed=True),
        ],
        [Rule("chance", diagonal=True)],
        square=True,
    )  # fmt: skip
    positives = int(np.count_nonzero(positive))
    tp = points["sensitivity"] * positives
    fp = points["false_positive_rate"] * (positive.size - positives)
    precision, recall = tp / (tp + fp), points["sensitivity"]
    average = float(np.sum(np.diff(recall, prepend=0) * precision))
    base = positives / positive.size
    chosen = _evenly(recall.size, STEPS)
    series = [
        Series(
            f"average precision {average:.3f}", recall[chosen], precision[chosen], tone=BLUE,
            points=[above[k] for k in chosen],
        )
    ]  # fmt: skip
    said = "no example is flagged"
    if flagged.any():
        at_precision = float(positive[flagged].mean())
        said = f"{at_precision:.1%} of what is flagged is positive, {at_recall:.1%} are found"
        series.append(
            Series(f"threshold {threshold:.3g}", [at_recall], [at_precision], "dots", ORANGE,
                   dashed=True)
        )  # fmt: skip
    return [
        curve,
        Chart(
            f"{name} precision and recall",
            "Precision and recall",
            f"Average precision {average:.3f}, base rate {base:.3g}. At the threshold of "
            f"{threshold:.3g}: {said}.",
            Axis("recall", -0.02, 1.02),
            Axis("precision", -0.02, 1.02),
            series,
            [Rule(f"base rate {base:.3g}", y=base)],
            square=True,
        ),
    ]


def recall_chart(
    name: str, bins: Sequence[Mapping[str, Any]], *, title: str, x_label: str
) -> Chart:
    """Draw recall by bin with exact 95 % intervals.

    Parameters
    ----------
    name
        Of the chart.
    bins
        As `models.metrics.recall_by_bin` returns.
    title, x_label
        Above it, and the binned quantity with its unit.
    """
    names = [
        f"{entry.get('outside') or _span(entry)} ({entry['found']} of {entry['count']})"
        for entry in bins
    ]
    recall = [_or_nan(entry["recall"]["value"]) for entry in bins]
    low, high = ([_or_nan(entry["recall"][end]) for entry in bins] for end in ("low", "high"))
    found = sum(entry["found"] for entry in bins)
    return Chart(
        name,
        title,
        f"{found} of {sum(entry['count'] for entry in bins)} are found: "
        + ", ".join(names)
        + ". With 95 % intervals.",
        Axis(x_label, names=names),
        Axis("recall", 0, 1.02),
        [Series("", range(len(bins)), recall, "bars", BLUE, low=low, high=high)],
    )


def _span(entry: Mapping[str, Any]) -> str:
    return f"{entry['start']:g}-{entry['stop']:g}"


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)


def reliability_chart(name: str, bins: Mapping[str, Sequence[float]], base_rate: float) -> Chart:
    """Draw observed against forecast frequency; parameters as of `plots.reliability_diagram`."""
    counts = [f"{int(count):,} forecasts" for count in bins["count"]]
    return Chart(
        name,
        "Reliability",
        f"Observed against forecast frequency with 95 % intervals, of {sum(bins['count']):,.0f} "
        f"forecasts; on the diagonal a forecast is as frequent as it says. Base rate "
        f"{base_rate:.3g}.",
        Axis("forecast probability", -0.02, 1.02),
        Axis("observed frequency", -0.02, 1.02),
        [
            Series(
                "forecasts", bins["forecast"], bins["observed"], "dots", BLUE, points=counts,
                low=bins["low"], high=bins["high"],
            ),
            Series("", bins["forecast"], bins["observed"], tone=BLUE),
        ],
        [Rule("perfectly reliable", diagonal=True), Rule("base rate", y=base_rate, tone=GREEN)],
        square=True,
    )  # fmt: skip


def learning_charts(
    name: str,
    values: Mapping[str, Sequence[float]],
    *,
    metric: str = "accuracy",
    phases: Sequence[tuple[int, float]] = (),
    best_epoch: int | None = None,
) -> list[Chart]:
    """Draw loss and one metric by epoch; parameters as of `plots.learning_curves`."""
    charts = []
    for key in ("loss", metric):
        if key not in values:
            continue
        parts = [(key, "training", BLUE, False), (f"val_{key}", "validation", ORANGE, True)]
        series = [
            Series(
                label, np.arange(1, len(values[of]) + 1), values[of], "line", tone, dashed=dashed
            )
            for of, label, tone, dashed in parts
            if of in values
        ]
        if len(values[key]) == 1:  # a line of one point is invisible
            series = [Series(s.name, s.x, s.y, "dots", s.tone, dashed=s.dashed) for s in series]
        rules = [
            Rule(f"learning rate {before:g} to {after:g}", x=end + 0.5)
            for end, before, after in _changes(phases, len(values[key]))
        ]
        if best_epoch is not None and best_epoch < len(values[key]):
            rules.append(Rule("weights kept", x=best_epoch, tone=GREEN, dashed=False))
        last = ", ".join(f"{s.name} {np.asarray(s.y)[-1]:.3g}" for s in series)
        charts.append(
            Chart(
                f"{name} {key}",
                f"{key.replace('_', ' ').capitalize()} by epoch",
                f"After {_epochs(len(values[key]))}: {last}.",
                Axis("epoch", whole=True),
                Axis(key.replace("_", " ")),
                series,
                rules,
            )
        )
    return charts


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' if count != 1 else ''}"


def _changes(phases: Sequence[tuple[int, float]], run: int) -> list[tuple[int, float, float]]:
    ends = itertools.accumulate(epochs for epochs, _ in phases)
    pairs = itertools.pairwise(rate for _, rate in phases)
    return [(end, *pair) for end, pair in zip(ends, pairs, strict=False) if end < run]


def comparison_chart(
    name: str,
    ours: Mapping[str, Metric],
    published: Mapping[str, float | None],
    *,
    label: str,
    least: bool = False,
) -> Chart:
    """Draw one metric of every model with its interval, beside the published figure.

    Parameters
    ----------
    name
        Of the chart.
    ours, published
        By model; None or absent where nothing is published.
    label
        The metric.
    least
        Whether the least is the best, as of an error.
    """
    models = list(ours)[::-1]
    series = [
        Series(
            "ours, 95 % interval",
            [_or_nan(ours[model].value) for model in models],
            range(len(models)),
            "dots",
            BLUE,
            points=[_metric_text(ours[model]) for model in models],
            low=[_or_nan(ours[model].low) for model in models],
            high=[_or_nan(ours[model].high) for model in models],
            across=True,
        )
    ]
    if given := {k: v for k, v in published.items() if v is not None and k in ours}:
        places = [models.index(model) for model in given]
        series.append(
            Series("published", list(given.values()), places, "dots", ORANGE, dashed=True)
        )
    values = [v for m in ours.values() for v in (m.value, m.low, m.high) if v is not None]
    unit = all(0 <= value <= 1 for value in [*values, *given.values()])
    known = {model: metric.value for model, metric in ours.items() if metric.value is not None}
    said = ""
    if known:
        best = (min if least else max)(known, key=lambda model: known[model])
        said = f" {'Least' if least else 'Largest'}: {best}, {_metric_text(ours[best])}."
    undefined = [model for model in ours if ours[model].value is None]
    said += f" Undefined: {', '.join(undefined)}." if undefined else ""
    return Chart(
        name,
        label[0].upper() + label[1:],
        f"{label[0].upper()}{label[1:]} of {len(models)} models with 95 % intervals.{said}",
        Axis(label, -0.02, 1.02) if unit else Axis(label),
        Axis("", names=models),
        series,
        wide=True,
    )


def _metric_text(metric: Metric) -> str:
    if metric.value is None:
        return "undefined"
    ends = f" [{metric.low:.3f}, {metric.high:.3f}]" if metric.low is not None else ""
    return f"{metric.value:.3f}{ends}"


def _evenly(size: int, most: int) -> NDArray[np.int_]:
    """Pick places evenly, the first and the last among them."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))

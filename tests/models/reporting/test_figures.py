"""The charts that systems share show the numbers that they were given."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import evaluate
from models.intervals import Metric
from models.reporting import Section, figures, report
from models.reporting.charts import draw

LABELS = [0, 0, 1, 1]
SCORES = [0.1, 0.6, 0.4, 0.9]
CLASSES = ("quiet", "flare")


@pytest.fixture(scope="module")
def decided():
    evaluation = evaluate(LABELS, SCORES, 0.5, resamples=100, seed=0)
    return figures.decisions("m", LABELS, SCORES, evaluation, classes=CLASSES, examples="abcd")


def test_scores_are_ranked_within_their_class_and_named(decided):
    quiet, flare = decided[0].series
    assert (quiet.name, flare.name) == ("quiet (2)", "flare (2)")
    assert (quiet.x.tolist(), quiet.y.tolist()) == ([25, 75], [0.1, 0.6])
    assert (flare.points, flare.y.tolist()) == (["c", "d"], [0.4, 0.9])
    assert decided[0].rules[0].y == 0.5


def test_many_scores_are_thinned_and_the_caption_says_so():
    count = figures.SCATTERED + 7
    chart = figures.score_chart(
        "m", np.zeros(count), np.linspace(0, 1, count), 2, classes=CLASSES,
        examples=[""] * count,
    )  # fmt: skip
    assert chart.caption.endswith("7 examples are left out, evenly.")
    assert chart.series[0].y[[0, -1]].tolist() == [0, 1]


def test_decisions_are_said_in_a_sentence(decided):
    assert decided[1].caption == (
        "Of 2 actual 'flare', 1 are found and 1 missed; of 2 actual 'quiet', 1 are false alarms."
    )
    assert decided[1].cells() == [("quiet", [(1, 0.5), (1, 0.5)]), ("flare", [(1, 0.5), (1, 0.5)])]


def test_rates_are_marked_at_the_threshold(decided):
    curve, precision = decided[2:]
    assert curve.caption == (
        "Area 0.750. At the threshold of 0.5: 50.0% of the positives for 50.00% of the negatives."
    )
    assert (curve.series[1].x, curve.series[1].y) == ([0.5], [0.5])
    assert curve.series[0].points[:2] == ["above all", "at or above 0.9"]
    assert precision.caption == (
        "Average precision 0.833, base rate 0.5. At the threshold of 0.5: 50.0% of what is flagged "
        "is positive, 50.0% are found."
    )


def test_where_nothing_is_flagged_there_is_no_precision():
    evaluation = evaluate(LABELS, SCORES, 2, resamples=100, seed=0)
    drawn = figures.decisions("m", LABELS, SCORES, evaluation, classes=CLASSES, examples="abcd")
    assert drawn[3].caption.endswith("no example is flagged.")
    assert len(drawn[3].series) == 1


def test_recall_by_bin_names_how_many_were_found():
    bins = [
        {"start": 7, "stop": 10, "count": 2, "found": 1,
         "recall": {"value": 0.5, "low": 0.01, "high": 0.99}},
        {"start": None, "stop": None, "outside": "not known", "count": 0, "found": 0,
         "recall": {"value": None, "low": None, "high": None}},
    ]  # fmt: skip
    chart = figures.recall_chart("m", bins, title="Found", x_label="signal-to-noise")
    assert chart.x.names == ["7-10 (1 of 2)", "not known (0 of 0)"]
    assert chart.caption.startswith("1 of 2 are found")
    assert [row["recall"] for row in draw(chart).rows] == ["0.5"]


def test_a_reliability_chart_says_how_many_forecasts_a_point_is():
    bins = {"count": [30, 10], "forecast": [0.1, 0.8], "observed": [0.2, 0.7], "low": [0, 0.5],
            "high": [0.4, 0.9]}  # fmt: skip
    chart = figures.reliability_chart("m", bins, 0.325)
    assert chart.series[0].points == ["30 forecasts", "10 forecasts"]
    assert "of 40 forecasts" in chart.caption
    assert "Base rate 0.325" in chart.caption


def test_learning_curves_mark_changes_of_the_learning_rate_and_the_weights_kept():
    values = {"loss": [3, 2, 1], "val_loss": [4, 3, 5], "accuracy": [0.1, 0.2, 0.3]}
    loss, accuracy = figures.learning_charts(
        "m", values, phases=[(2, 1e-3), (1, 1e-4)], best_epoch=2
    )
    assert [(rule.name, rule.x) for rule in loss.rules] == [
        ("learning rate 0.001 to 0.0001", 2.5), ("weights kept", 2),
    ]  # fmt: skip
    assert loss.caption == "After 3 epochs: training 1, validation 5."
    assert [series.name for series in accuracy.series] == ["training"]
    [single] = figures.learning_charts("m", {"loss": [1]})
    assert (single.series[0].kind, single.caption) == ("dots", "After 1 epoch: training 1.")


def test_a_comparison_lists_models_from_above_with_the_published_figure_beside():
    ours = {"a": Metric(0.5, 0.4, 0.6), "b": Metric(0.7, 0.6, 0.8), "c": Metric.undefined("none")}
    chart = figures.comparison_chart("f1", ours, {"a": 0.3, "b": None}, label="F1")
    assert chart.y.names == ["c", "b", "a"]
    assert chart.series[0].points == ["undefined", "0.700 [0.600, 0.800]", "0.500 [0.400, 0.600]"]
    assert (chart.series[1].x, chart.series[1].y) == ([0.3], [2])
    assert chart.caption == (
        "F1 of 3 models with 95 % intervals. Largest: b, 0.700 [0.600, 0.800]. Undefined: c."
    )
    assert draw(chart).marks[0].path.count("M") == 2


def test_the_charts_of_a_model_stay_small_however_many_examples_it_has():
    generator = np.random.default_rng(0)
    labels = (generator.random(20_000) < 0.1).astype(int)
    scores = np.clip(generator.normal(0.3 + 0.3 * labels, 0.15), 0, 1)
    evaluation = evaluate(labels, scores, 0.5, resamples=100, seed=0)
    names = [f"region {k}, record {k}" for k in range(20_000)]
    drawn = figures.decisions("m", labels, scores, evaluation, classes=CLASSES, examples=names)
    files = report("t", [Section("s", pictures=drawn)]).as_files()
    assert sum(map(len, files.values())) < 300_000  # 17 models and their examples: below 5 MB

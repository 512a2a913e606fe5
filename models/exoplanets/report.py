"""Pictures, comparison and report of the exoplanet models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from models import plots
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.exoplanets.published import TEST_PLANETS, TEST_STARS
from models.exoplanets.transforms import spectrum, standardise
from models.exoplanets.transit_search import CADENCE_DAYS
from models.reporting import ModelResults, Picture, Report, Section, comparison_rows
from models.reporting import report as render
from models.sampling import Rows, read_rows
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

CLASSES = ("no planet", "planet")
METRICS = (
    *("found", "missed", "precision", "recall", "f1"),
    *("average_precision", "recall_at_fpr_0.01"),
)
EXAMPLES = 3
"""Example curves of each class in the report."""


def pictures(
    model: str,
    table: pd.DataFrame,
    evaluation: Evaluation,
    history: JsonDict | None,
) -> dict[str, bytes]:
    """Draw a model's results; loss and accuracy by epoch where it has a history."""
    labels, scores = table["label"].to_numpy(), table["score"].to_numpy()
    drawn = plots.decisions(
        labels, scores, evaluation.threshold, evaluation.counts, classes=CLASSES, title=model
    )
    drawn["recall by signal-to-noise"] = plots.recall_by_bin(
        evaluation.details["by_snr"], x_label="transit signal-to-noise", title=model
    )
    if history is not None:
        drawn["loss and accuracy"] = plots.learning_curves(
            history["values"],
            phases=[(epochs, learning_rate) for epochs, learning_rate in history["phases"]],
            title=model,
        )
    return drawn


def comparison(
    evaluations: Mapping[str, Evaluation], cross_validation: JsonDict, control: JsonDict
) -> JsonDict:
    """Compare all models with the published ones: ``title``, ``rows`` and ``notes``.

    Rows are those of `models.reporting.comparison_rows`.
    """
    first = next(iter(evaluations.values()))
    rounds = len(cross_validation["rounds"])
    std = cross_validation["sd_average_precision"]
    spread = f", standard deviation {std:.3f} over {rounds} rounds" if rounds > 1 else ""
    chance = "as chance" if control["as_chance"] else "NOT AS CHANCE: something leaks"
    return {
        "title": "exoplanets: all models on the test stars, with 95 % intervals",
        "rows": comparison_rows(evaluations, METRICS),
        "notes": [
            f"Ours: {first.details['rows']} test stars, {first.counts['actual']} with a planet, "
            f"noise of {first.details['hosts']} host stars. Published: {TEST_STARS} stars of "
            f"another data set, {TEST_PLANETS} with a planet: the two can't be compared star by "
            "star.",
            "Found: stars that were flagged, rightly or not. Missed: planets that were not.",
            f"Vetting over all stars, {cross_validation['folds']}-fold cross-validation "
            f"({'host stars kept whole' if cross_validation['by_host'] else 'by star'}): average "
            f"precision {cross_validation['mean_average_precision']:.3f}{spread}.",
            f"Vetting trained on permuted labels: ROC area {control['roc_auc']:.3f}, {chance}.",
        ],
    }


def comparison_picture(evaluations: Mapping[str, Evaluation]) -> bytes:
    """Draw the average precision of every model with its interval."""
    ours = {
        model: evaluation.metrics["average_precision"] for model, evaluation in evaluations.items()
    }
    return plots.comparison(ours, {}, x_label="average precision")


def example_rows(curves: Arrays) -> Rows:
    """Choose the first few curves of each class."""
    label = np.asarray(curves["label"])
    return np.concatenate([np.flatnonzero(label == value)[:EXAMPLES] for value in (1, 0)])


def example_pictures(curves: Arrays) -> dict[str, bytes]:
    """Draw a few curves and spectra of stars with and without a planet."""
    rows = example_rows(curves)
    labels = read_rows(curves["label"], rows)
    kinds = [str(kind) for kind in read_rows(curves["kind"], rows)]
    flux = standardise(read_rows(curves["flux"], rows))
    amplitude = spectrum(flux)[..., 0]
    days = np.arange(flux.shape[1]) * CADENCE_DAYS
    frequency = np.arange(amplitude.shape[1]) / (flux.shape[1] * CADENCE_DAYS * 86400) * 1e6
    return {
        "curves": plots.curves(
            days,
            flux,
            labels,
            x_label="time (days)",
            y_label="flux (standard deviations)",
            names=kinds,
            classes=CLASSES,
        ),
        "spectra": plots.curves(
            frequency,
            amplitude,
            labels,
            x_label="frequency (µHz)",
            y_label="amplitude",
            names=kinds,
            classes=CLASSES,
            log=True,
        ),
    }


def known_planet_rows(stars: Sequence[JsonDict]) -> list[dict[str, str]]:
    """Return the results of `quarters.search_stars` as a table: one row a star, all as text."""
    return [
        {
            "star": f"KIC {star['kic']}",
            "planet": star.get("planet", "-"),
            "archive": star["disposition"].lower(),
            "period (days)": f"{star['period']:.5f}",
            "published": f"{star['published_period']:.5f}" if "planet" in star else "-",
            "depth": f"{star['depth']:.3%}",
            "signal-to-noise": f"{star['snr']:.0f}",
            "verdict": star["verdict"],
            "why": "; ".join(star["reasons"]) or "-",
        }
        for star in stars
    ]


def report(
    compared: JsonDict,
    known_planets: JsonDict,
    curves: Arrays,
    models: Mapping[str, ModelResults],
) -> Report:
    """Write the report of the rebuilt study.

    Parameters
    ----------
    compared
        From `comparison`.
    known_planets
        ``stars``: the transit search's results in raw Kepler quarters.
    curves
        To show examples of.
    models
        Results by model.
    """
    examples = example_pictures(curves)
    sections = [
        Section("All models", prose=compared["notes"], table=compared["rows"]),
        Section(
            "What the models see",
            prose=["The first curves of each class, standardised, and their spectra."],
            pictures=[Picture(name, png, name) for name, png in examples.items()],
        ),
    ]
    for model, results in models.items():
        drawn = pictures(model, results.predictions, results.evaluation, results.history)
        alarms = results.evaluation.details["false_alarms_by_kind"]
        flagged = ", ".join(
            f"{kind.replace('_', ' ')} {count['flagged']} of {count['stars']}"
            for kind, count in alarms.items()
        )
        sections.append(
            Section(
                model,
                prose=[f"Flagged among stars without a planet: {flagged}."],
                pictures=[Picture(f"{model} {k}", png, k) for k, png in drawn.items()],
            )
        )
    sections.append(
        Section(
            "Real planets in raw Kepler quarters",
            prose=[
                "The best periodic dip of each star, from box least squares. A background binary "
                "that looks like a planet in every respect of its light curve passes for one here."
            ],
            table=known_planet_rows(known_planets["stars"]),
        )
    )
    return render("Exoplanets: stars with a transiting planet", sections)

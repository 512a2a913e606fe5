"""Comparison and report of the exoplanet models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.examples import rows_of_names
from models.exoplanets.published import TEST_PLANETS, TEST_STARS
from models.exoplanets.transforms import spectrum, standardise
from models.exoplanets.transit_search import CADENCE_DAYS
from models.reporting import (
    Axis,
    Chart,
    Confusion,
    ModelResults,
    Page,
    Report,
    Section,
    Series,
    comparison_rows,
)
from models.reporting import report as render
from models.reporting.charts import BLUE, ORANGE
from models.reporting.examples import worth_a_look
from models.reporting.figures import comparison_chart, decisions, learning_charts, recall_chart
from models.sampling import read_rows
from models.types import JsonDict

CLASSES = ("no planet", "planet")
METRICS = (
    *("found", "missed", "precision", "recall", "f1"),
    *("average_precision", "recall_at_fpr_0.01"),
)


def charts(model: str, results: ModelResults) -> list[Chart | Confusion]:
    """Draw a model's results; loss and accuracy by epoch where it has a history."""
    table, evaluation, history = results.predictions, results.evaluation, results.history
    drawn = decisions(
        model,
        table["label"].to_numpy(),
        table["score"].to_numpy(),
        evaluation,
        classes=CLASSES,
        examples=table["star"].astype(str).tolist(),
    )
    drawn.append(
        recall_chart(
            f"{model} recall by signal-to-noise",
            evaluation.details["by_snr"],
            title="Planets found, by signal-to-noise",
            x_label="transit signal-to-noise",
        )
    )
    if history is not None:
        phases = [(epochs, learning_rate) for epochs, learning_rate in history["phases"]]
        drawn += learning_charts(model, history["values"], phases=phases)
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


def star_pages(models: Mapping[str, ModelResults], curves: Arrays) -> list[Page]:
    """Write a page for each test star that is worth a look: its curve and what the models say."""
    examples = worth_a_look(models, CLASSES)
    rows = rows_of_names(curves["star"], [example.row["star"] for example in examples])
    flux = standardise(read_rows(curves["flux"], rows))
    amplitude = spectrum(flux)[:, 1:, 0]  # the first is the sum of the curve
    pages = []
    for number, example in enumerate(examples):
        star, name = example.row, example.name
        what = str(star["kind"]).replace("_", " ").capitalize()
        snr = "" if np.isnan(star["snr"]) else f", transit signal-to-noise {star['snr']:.1f}"
        tone = ORANGE if star["label"] else BLUE
        drawn = [
            _curve_chart(name, flux[number], tone),
            _spectrum_chart(name, amplitude[number], flux.shape[1], tone),
        ]
        pages.append(
            Page(
                name,
                f"{star['star']}: {example.said}",
                f"{what}{snr}. Noise of host star {star['host']}.",
                [
                    Section("What the models see", pictures=drawn),
                    Section("What they say", table=example.decisions),
                ],
            )
        )
    return pages


def _curve_chart(name: str, flux: NDArray[np.float64], tone: int) -> Chart:
    days = np.arange(flux.size) * CADENCE_DAYS
    deepest = int(np.nanargmin(flux))
    return Chart(
        f"{name} curve",
        "Light curve",
        f"{flux.size:,} cadences over {days[-1]:.1f} days, standardised. Deepest at day "
        f"{days[deepest]:.2f}: {flux[deepest]:.1f} standard deviations.",
        Axis("time (days)"),
        Axis("flux (standard deviations)"),
        [Series("", days, flux, "dots", tone)],
        wide=True,
    )


def _spectrum_chart(name: str, amplitude: NDArray[np.float64], cadences: int, tone: int) -> Chart:
    frequency = np.arange(1, amplitude.size + 1) / (cadences * CADENCE_DAYS * 86400) * 1e6
    strongest = int(np.argmax(amplitude))
    return Chart(
        f"{name} spectrum",
        "Spectrum",
        f"Amplitudes of the curve's Fourier transform. Largest at {frequency[strongest]:.3g} µHz, "
        f"a period of {1e6 / 86400 / frequency[strongest]:.3g} days.",
        Axis("frequency (µHz)"),
        Axis("amplitude", log=True),
        [Series("", frequency, amplitude, tone=tone)],
        wide=True,
    )


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
    ours = {
        name: results.evaluation.metrics["average_precision"] for name, results in models.items()
    }
    sections = [
        Section(
            "All models",
            table=compared["rows"],
            pictures=[comparison_chart("average precision", ours, {}, label="average precision")],
            notes=compared["notes"],
        ),
        Section(
            "Stars worth a look",
            prose=["The test stars that most models get wrong, and planets that they find."],
            pages=star_pages(models, curves),
        ),
    ]
    for model, results in models.items():
        alarms = results.evaluation.details["false_alarms_by_kind"]
        flagged = ", ".join(
            f"{kind.replace('_', ' ')} {count['flagged']} of {count['stars']}"
            for kind, count in alarms.items()
        )
        sections.append(
            Section(
                model,
                prose=[f"Flagged among stars without a planet: {flagged}."],
                pictures=charts(model, results),
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

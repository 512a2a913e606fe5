"""The exoplanet results put together: predictions, judgement, pictures, comparison, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.arrays import Arrays
from models.exoplanets.published import RESULTS, TEST_PLANETS, TEST_STARS
from models.exoplanets.transforms import standardise
from models.exoplanets.transit_search import CADENCE_DAYS
from models.metrics import by_bin, evaluate
from models.reporting import Picture, Report, Section, comparison_rows
from models.reporting import report as render
from models.sampling import read_rows

if TYPE_CHECKING:
    import pandas as pd

SNR_EDGES = (0.0, 7.1, 10.0, 15.0, 25.0, 50.0, 1000.0)
"""Bins of transit signal-to-noise; 7.1 is Kepler's detection threshold."""

CLASSES = ("no planet", "planet")
MEASURES = (
    *("found", "missed", "precision", "recall", "f1"),
    *("average_precision", "recall_at_fpr_0.01"),
)
SHOWN = 3
"""Example curves of each class in the report."""


def predictions(
    curves: Arrays, rows: NDArray[np.int64], scores: NDArray[np.float64], threshold: float
) -> pd.DataFrame:
    """Give a table of scored stars: star, host, kind, label, snr, score, flagged."""
    import pandas as pd

    columns = {
        name: read_rows(curves[name], rows) for name in ("star", "host", "kind", "label", "snr")
    }
    return pd.DataFrame(columns | {"score": scores, "flagged": scores >= threshold})


def judge(
    model: str, table: pd.DataFrame, threshold: float, resamples: int, seed: int
) -> dict[str, Any]:
    """Evaluate a model's predictions: see `models.metrics.evaluate`, and recall by signal-to-noise.

    Stars count as independent: where noise is borrowed from few host stars (``hosts``), intervals
    say nothing of other hosts.
    """
    labels, scores = table["label"].to_numpy(), table["score"].to_numpy()
    judged = evaluate(
        labels, scores, threshold, resamples=resamples, seed=seed, published=RESULTS.get(model)
    )
    planets = table[table["label"] == 1]
    judged["hosts"] = int(table["host"].nunique())
    judged["by_snr"] = by_bin(planets["snr"], planets["flagged"], SNR_EDGES)
    judged["false_alarms_by_kind"] = {
        str(kind): {"stars": len(group), "flagged": int(group["flagged"].sum())}
        for kind, group in table[table["label"] == 0].groupby("kind")
    }
    return judged


def pictures(
    model: str,
    table: pd.DataFrame,
    judged: Mapping[str, Any],
    history: Mapping[str, Any] | None,
) -> dict[str, bytes]:
    """Draw a model's results; loss and accuracy by epoch where it has a history."""
    labels, scores = table["label"].to_numpy(), table["score"].to_numpy()
    cut = judged["threshold"]
    drawn = {
        "scores": plots.score_scatter(labels, scores, cut, classes=CLASSES, title=model),
        "ROC": plots.roc_curve(labels, scores, cut, title=model),
        "precision and recall": plots.precision_recall(labels, scores, cut, title=model),
        "confusion": plots.confusion_matrix(judged["counts"], classes=CLASSES, title=model),
        "recall by signal-to-noise": plots.recall_by_bin(
            judged["by_snr"], x_label="transit signal-to-noise", title=model
        ),
    }
    if history is not None:
        drawn["loss and accuracy"] = plots.learning_curves(
            history["values"],
            phases=[(epochs, rate) for epochs, rate in history["phases"]],
            title=model,
        )
    return drawn


def comparison(
    evaluations: Mapping[str, Mapping[str, Any]],
    cross_validation: Mapping[str, Any],
    control: Mapping[str, Any],
) -> dict[str, Any]:
    """Compare all models with the published ones: ``title``, ``rows`` and ``notes``.

    Rows are those of `models.reporting.comparison_rows`.
    """
    first = next(iter(evaluations.values()))
    rounds = len(cross_validation["rounds"])
    deviation = cross_validation["sd_average_precision"]
    spread = f", standard deviation {deviation:.3f} over {rounds} rounds" if rounds > 1 else ""
    chance = "as chance" if control["as_chance"] else "NOT AS CHANCE: something leaks"
    return {
        "title": "exoplanets: all models on the test stars, with 95 % intervals",
        "rows": comparison_rows(evaluations, MEASURES),
        "notes": [
            f"Ours: {first['rows']} test stars, {first['counts']['actual']} with a planet, noise "
            f"of {first['hosts']} host stars. Published: {TEST_STARS} stars of another data set, "
            f"{TEST_PLANETS} with a planet: the two can't be compared star by star.",
            "Found: stars that were flagged, rightly or not. Missed: planets that were not.",
            f"Vetting over all stars, {cross_validation['folds']}-fold cross-validation "
            f"({'host stars kept whole' if cross_validation['by_host'] else 'by star'}): average "
            f"precision {cross_validation['mean_average_precision']:.3f}{spread}.",
            f"Vetting trained on permuted labels: ROC area {control['roc_auc']:.3f}, {chance}.",
        ],
    }


def comparison_picture(evaluations: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw the average precision of every model with its interval."""
    ours = {model: judged["metrics"]["average_precision"] for model, judged in evaluations.items()}
    return plots.comparison(ours, {}, x_label="average precision")


def example_rows(curves: Arrays) -> NDArray[np.int64]:
    """Choose the first few curves of each class."""
    label = np.asarray(curves["label"])
    return np.concatenate([np.flatnonzero(label == value)[:SHOWN] for value in (1, 0)])


def example_pictures(curves: Arrays, spectra: Arrays) -> dict[str, bytes]:
    """Draw a few curves and spectra of stars with and without a planet."""
    rows = example_rows(curves)
    labels = read_rows(curves["label"], rows)
    kinds = [str(kind) for kind in read_rows(curves["kind"], rows)]
    flux = standardise(read_rows(curves["flux"], rows))
    spectrum = read_rows(spectra["spectrum"], rows)[..., 0]
    days = np.arange(flux.shape[1]) * CADENCE_DAYS
    frequency = np.arange(spectrum.shape[1]) / (flux.shape[1] * CADENCE_DAYS * 86400) * 1e6
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
            spectrum,
            labels,
            x_label="frequency (µHz)",
            y_label="amplitude",
            names=kinds,
            classes=CLASSES,
            log=True,
        ),
    }


def proof_rows(stars: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give what `quarters.search_stars` found as a table: one row a star, all as text."""
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
    compared: Mapping[str, Any],
    proof: Mapping[str, Any],
    curves: Arrays,
    spectra: Arrays,
    models: Mapping[str, Mapping[str, Any]],
) -> Report:
    """Write the report of the rebuilt study.

    Parameters
    ----------
    compared
        From `comparison`.
    proof
        ``stars``: what the transit search found in raw Kepler quarters.
    curves, spectra
        To show examples of.
    models
        By model: ``evaluation``, ``predictions`` and, for networks, ``history``.
    """
    examples = example_pictures(curves, spectra)
    sections = [
        Section("All models", prose=compared["notes"], table=compared["rows"]),
        Section(
            "What the models see",
            prose=["The first curves of each class, standardised, and their spectra."],
            pictures=[Picture(name, png, name) for name, png in examples.items()],
        ),
    ]
    for model, parts in models.items():
        drawn = pictures(model, parts["predictions"], parts["evaluation"], parts.get("history"))
        alarms = parts["evaluation"]["false_alarms_by_kind"]
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
            table=proof_rows(proof["stars"]),
        )
    )
    return render("Exoplanets: stars with a transiting planet", sections)

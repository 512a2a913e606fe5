"""Pictures of the exoplanet assets: curves, spectra, candidates, real planets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import data_plots, plots
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.examples import evenly, first_of_each, rows_of_names
from models.exoplanets.report import CLASSES
from models.exoplanets.transforms import CADENCES, standardise
from models.exoplanets.transit_search import CADENCE_DAYS, FEATURE_NAMES, stitch_quarters
from models.intervals import Metric
from models.sampling import Rows, read_rows
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

DAYS = "time (days)"
FLUX = "flux (standard deviations)"
THINNED = 4000
"""Cadences of a star that a picture of raw quarters shows about."""


def curves(stored: Arrays, rows: Rows | None = None, notes: Sequence[str] = ()) -> bytes:
    """Draw a few standardised curves.

    Parameters
    ----------
    stored
        ``flux`` (n, 3197), ``label``, ``kind`` and ``snr``.
    rows
        Which ones; by default the first of each class.
    notes
        What to add to the name of each.
    """
    chosen = first_of_each(stored["label"]) if rows is None else rows
    known = [
        f"SNR {snr:.1f}" if label else str(kind).replace("_", " ")
        for kind, snr, label in zip(
            *(read_rows(stored[name], chosen) for name in ("kind", "snr", "label")), strict=True
        )
    ]
    named = [f"{k}, {note}" for k, note in zip(known, notes, strict=True)] if notes else known
    flux = standardise(read_rows(stored["flux"], chosen))
    return plots.curves(
        np.arange(flux.shape[1]) * CADENCE_DAYS,
        flux,
        read_rows(stored["label"], chosen),
        x_label=DAYS,
        y_label=FLUX,
        names=named,
        classes=CLASSES,
    )


def scored_curves(stored: Arrays, table: pd.DataFrame) -> bytes:
    """Draw the curves of some predictions with their scores."""
    rows = rows_of_names(stored["star"], table["star"])
    return curves(stored, rows, [f"score {score:.3f}" for score in table["score"]])


def kinds(stored: Arrays) -> dict[str, int]:
    """Count the curves of each kind, the most frequent first."""
    names, counts = np.unique(np.asarray(stored["kind"]).astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(names[k]).replace("_", " "): int(counts[k]) for k in order}


def channels(scaled: Arrays) -> bytes:
    """Draw both channels of a few curves: points, and the running mean as a line."""
    rows = first_of_each(scaled["label"], 2)
    labels, both = read_rows(scaled["label"], rows), read_rows(scaled["curve"], rows)
    figure, panels = plots.new_figure(6.4, 0.9 + 1.2 * len(rows), rows=len(rows), share=True)
    days = np.arange(both.shape[1]) * CADENCE_DAYS
    for axes, label, curve in zip(panels, labels, both, strict=True):
        colour = plots.POSITIVE if label else plots.NEGATIVE
        axes.plot(days, curve[:, 0], ".", color=colour, markersize=2, alpha=0.5)
        axes.plot(days, curve[:, 1], color="black", linewidth=1.1)
        axes.set_title(CLASSES[int(label)], loc="left", fontsize=8.5, pad=2, color=colour)
        axes.margins(x=0.01)
    panels[-1].set_xlabel(DAYS)
    figure.supylabel(FLUX, fontsize=10)
    return plots.to_png(figure, "")


def spectra(stored: Arrays) -> bytes:
    """Draw the amplitude spectra of a few curves."""
    rows = first_of_each(stored["label"])
    # The first is the sum of the curve.
    amplitude = read_rows(stored["spectrum"], rows)[:, 1:, 0]
    seconds = CADENCES * CADENCE_DAYS * 86400
    return plots.curves(
        np.arange(1, amplitude.shape[1] + 1) / seconds * 1e6,
        amplitude,
        read_rows(stored["label"], rows),
        x_label="frequency (µHz)",
        y_label="amplitude",
        classes=CLASSES,
        log=True,
    )


def candidates(stored: Arrays) -> dict[str, bytes]:
    """Draw folded curves of a few candidates, and the features that tell planets best."""
    rows, some = first_of_each(stored["label"]), evenly(len(stored["label"]))
    labels, views = read_rows(stored["label"], rows), read_rows(stored["global_view"], rows)
    values = read_rows(stored["features"], rows)
    named = ("period", "snr")
    period, snr = (values[:, FEATURE_NAMES.index(name)] for name in named)
    return {
        "folded curves": plots.curves(
            np.linspace(-0.5, 0.5, views.shape[1]),
            views,
            labels,
            x_label="phase of the best period (cycles)",
            y_label="flux (noise of a cadence)",
            names=[f"{p:.2f} days, SNR {s:.1f}" for p, s in zip(period, snr, strict=True)],
            classes=CLASSES,
        ),
        "features": data_plots.distributions(
            stored["features"][some],
            stored["label"][some],
            FEATURE_NAMES,
            classes=CLASSES,
        ),
    }


def quarters(table: Arrays) -> bytes:
    """Draw the raw light curve of every star, each quarter relative to its median."""
    columns = {name: np.asarray(table[name]) for name in ("kic", "quarter", "time", "flux")}
    stars = np.unique(columns["kic"])
    figure, panels = plots.new_figure(7.2, 0.8 + 1.05 * len(stars), rows=len(stars), share=True)
    for axes, kic in zip(panels, stars, strict=True):
        star = {name: values[columns["kic"] == kic] for name, values in columns.items()}
        relative = star["flux"].astype(np.float64)
        for name in np.unique(star["quarter"]):
            part = star["quarter"] == name
            relative[part] /= np.nanmedian(relative[part])
        step = max(1, len(relative) // THINNED)
        axes.plot(
            star["time"][::step], 100 * (relative[::step] - 1), ".", color=plots.NEGATIVE,
            markersize=1,
        )  # fmt: skip
        axes.set_title(f"KIC {kic}", loc="left", fontsize=8.5, pad=2)
        axes.tick_params(labelsize=8)
    panels[-1].set_xlabel("time (days, BKJD)")
    figure.supylabel("flux from its median (%)", fontsize=10)
    return plots.to_png(figure, "")


def folded(table: Arrays, stars: Sequence[JsonDict]) -> bytes:
    """Draw the best periodic dip of every star, folded and averaged.

    Parameters
    ----------
    table
        As `quarters.cadences` gives it.
    stars
        As `quarters.search_stars` gives them.
    """
    columns = {name: np.asarray(table[name]) for name in table}
    figure, panels = plots.new_figure(
        7.2, 0.6 + 1.9 * -(-len(stars) // 2), rows=-(-len(stars) // 2), columns=2
    )
    for axes, star in zip(panels, stars, strict=False):
        own = {name: values[columns["kic"] == star["kic"]] for name, values in columns.items()}
        parts = (own["quarter"] == name for name in np.unique(own["quarter"]))
        time, flux = stitch_quarters(
            (own["time"][part], own["flux"][part], own["quality"][part]) for part in parts
        )
        hours, means = _binned(time, flux, star)
        known = bool(star.get("recovered"))
        colour = plots.POSITIVE if known else plots.NEGATIVE
        axes.plot(hours, 1e6 * means, "o", color=colour, markersize=2.5)
        name = star.get("planet") or f"KIC {star['kic']}"
        axes.set_title(
            f"{name}: {star['period']:.4f} days, {star['verdict']}", loc="left", fontsize=8, pad=2
        )
        axes.tick_params(labelsize=7)
    for axes in panels[len(stars) :]:
        axes.set_visible(False)
    figure.supxlabel("time from mid-dip (hours)", fontsize=10)
    figure.supylabel("flux (parts per million)", fontsize=10)
    return plots.to_png(figure, "")


def _binned(
    time: NDArray[np.float64], flux: NDArray[np.float64], star: JsonDict, bins: int = 61
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fold about the dip, and average in bins of time: hours, and mean flux; NaN where empty."""
    period, wide = star["period"], min(2.5 * star["duration"], star["period"] / 2)
    from_dip = (time - star["epoch"] + period / 2) % period - period / 2
    near = np.abs(from_dip) < wide
    edges = np.linspace(-wide, wide, bins + 1)
    place = np.digitize(from_dip[near], edges) - 1
    count = np.bincount(place, minlength=bins)[:bins]
    total = np.bincount(place, flux[near], minlength=bins)[:bins]
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return 24 * (edges[:-1] + edges[1:]) / 2, means


def importances(forest: Any) -> bytes:
    """Draw how much each cadence weighs in the forest's decisions."""
    weights = np.asarray(forest.feature_importances_, dtype=np.float64)
    return data_plots.spread(
        np.arange(weights.size) * CADENCE_DAYS,
        100 * weights,
        x_label=DAYS,
        y_label="importance of the cadence (%)",
    )


def rounds(cross_validation: JsonDict) -> bytes:
    """Draw the average precision of each round of cross-validation."""
    metrics = [
        Metric.from_dict(r["metrics"]["average_precision"]) for r in cross_validation["rounds"]
    ]
    named = {f"round {number}": metric for number, metric in enumerate(metrics, 1)}
    return plots.comparison(named, {}, x_label="average precision over all stars")


def results(
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

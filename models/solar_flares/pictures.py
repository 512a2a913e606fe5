"""Pictures of the solar-flare assets: series of parameters, statistics, scaling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import data_plots, plots
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.examples import evenly, first_of_each, rows_of_names
from models.sampling import Rows, read_rows
from models.solar_flares.features import STATISTICS
from models.solar_flares.records import PARAMETERS
from models.solar_flares.report import CLASSES, HOURS
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("TOTUSJH", "USFLUX", "R_VALUE")
"""Parameters that pictures of a record show: current helicity, flux, flux near the neutral line."""

STYLES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))


def series(
    values: NDArray[Any], labels: NDArray[Any], names: Sequence[str], *, unit: str, title: str = ""
) -> bytes:
    """Draw some parameters of a few records, one below the other.

    Parameters
    ----------
    values
        Shape (k, 60, 25), parameters in the order of `PARAMETERS`.
    labels
        Shape (k,), 0 or 1.
    names
        Of the records.
    unit
        Of the values.
    title
        The data.
    """
    figure, panels = plots.new_figure(7.2, 0.9 + 1.25 * len(SHOWN), rows=len(SHOWN), share=True)
    hours = np.arange(values.shape[1]) * HOURS
    for axes, parameter in zip(panels, SHOWN, strict=True):
        for record, label, name, style in zip(
            values[:, :, PARAMETERS.index(parameter)], labels, names, _styles(labels), strict=True
        ):
            colour = plots.POSITIVE if label else plots.NEGATIVE
            axes.plot(hours, record, linestyle=style, color=colour, label=name, linewidth=1.1)
        axes.set_title(parameter, loc="left", fontsize=8.5, pad=2)
        axes.margins(x=0.01)
    panels[-1].set_xlabel("time (hours)")
    figure.supylabel(unit, fontsize=10)
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return plots.to_png(figure, title)


def _styles(labels: NDArray[Any]) -> list[Any]:
    """Line styles by which the records of a class differ."""
    earlier = [int(np.sum(labels[:k] == label)) for k, label in enumerate(labels)]
    return [STYLES[number % len(STYLES)] for number in earlier]


def records(stored: Arrays, rows: Rows | None = None, notes: Sequence[str] = ()) -> bytes:
    """Draw a few records as they were observed; ``notes`` are added to their names."""
    chosen = first_of_each(stored["label"], 2) if rows is None else rows
    return series(
        read_rows(stored["values"], chosen),
        read_rows(stored["label"], chosen),
        _names(stored, chosen, notes),
        unit="value in SHARP units",
    )


def _names(stored: Arrays, rows: Rows, notes: Sequence[str] = ()) -> list[str]:
    regions, labels = (read_rows(stored[name], rows) for name in ("region", "label"))
    named = [f"{CLASSES[int(k)]}: {region}" for region, k in zip(regions, labels, strict=True)]
    return [f"{n}, {note}" for n, note in zip(named, notes, strict=True)] if notes else named


def scored_records(stored: Arrays, table: pd.DataFrame) -> bytes:
    """Draw the records of some predictions with their scores."""
    rows = rows_of_names(stored["id"], table["id"])
    return records(stored, rows, [f"score {score:.3f}" for score in table["score"]])


def sequences(stored: Arrays) -> bytes:
    """Draw a few standardised records."""
    rows = first_of_each(stored["label"], 2)
    return series(
        read_rows(stored["values"], rows),
        read_rows(stored["label"], rows),
        _names(stored, rows),
        unit="standard deviations",
    )


def steps(stored: Arrays) -> bytes:
    """Draw histograms by class of the single time steps."""
    some = evenly(len(stored["label"]))
    return data_plots.distributions(
        stored["values"][some][:, 0], stored["label"][some], PARAMETERS, classes=CLASSES
    )


def statistics(stored: Arrays) -> bytes:
    """Draw histograms by class of the statistics that tell flares best."""
    names = [f"{parameter}, {statistic}" for parameter in PARAMETERS for statistic in STATISTICS]
    some = evenly(len(stored["label"]))
    return data_plots.distributions(
        stored["values"][some], stored["label"][some], names, classes=CLASSES
    )


def variation(scaling: JsonDict) -> bytes:
    """Draw how far each parameter varies, relative to its mean."""
    pairs = zip(PARAMETERS, scaling["mean"], scaling["std"], strict=True)
    relative = {name: std / abs(mean) if mean else float("nan") for name, mean, std in pairs}
    return data_plots.bars(relative, x_label="standard deviation over mean")


def chance(criteria: Mapping[str, JsonDict]) -> bytes:
    """Draw the accuracy of guessing, and the study's bar above it, of each split."""
    values = {
        f"{split}: {what}": criterion[name]
        for split, criterion in criteria.items()
        for name, what in (("chance", "chance"), ("bar", "25 % above"))
    }
    return data_plots.bars(values, x_label="accuracy")


def leak(control: JsonDict) -> bytes:
    """Draw the counts of the control that leaks."""
    return plots.confusion_matrix(control["counts"], classes=CLASSES, title="leaky on purpose")


def results(
    title: str,
    table: pd.DataFrame,
    evaluation: Evaluation,
    history: JsonDict | None = None,
) -> dict[str, bytes]:
    """Draw a model's results; loss and recall by epoch where it has a history."""
    labels, scores = table["label"].to_numpy(), table["score"].to_numpy()
    drawn = plots.decisions(
        labels, scores, evaluation.threshold, evaluation.counts, classes=CLASSES, title=title
    )
    details = evaluation.details
    drawn["reliability"] = plots.reliability_diagram(
        details["reliability"], details["base_rate"], title=title
    )
    if history is not None:
        drawn["training"] = plots.learning_curves(history["values"], metric="recall", title=title)
    return drawn

"""Pictures, comparison and report of the solar-flare models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from models import plots
from models.architectures import counts_row
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.reporting import Picture, Report, Section, comparison_rows, three_decimals
from models.reporting import report as render
from models.sampling import read_rows
from models.solar_flares.published import TEST_BAR
from models.solar_flares.records import PARAMETERS
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

CLASSES = ("quiet", "flare")
METRICS = (
    *("accuracy_at_0.5", "recall_at_0.5", "loss", "accuracy", "recall", "tss", "hss2"),
    *("frequency_bias", "brier_skill", "average_precision"),
)
EXAMPLES = 4
"""Example records of each class in the report."""

EXAMPLE_PARAMETERS = ("TOTUSJH", "R_VALUE")

LEAKS = (
    "The published windows leak twice. They run on across records, so that a window mixes active "
    "regions and its target may belong to another record than its rows; and each row carries its "
    "label as a 26th input, so that the labels of the rows tell the label to be predicted. Results "
    "from the form 'windows' are no forecast.",
    "The published single steps take 60 neighbouring samples of a record for 60 examples: accuracy "
    "and recall are then per sample, and an interval that takes samples for independent is far too "
    "narrow. Intervals here resample whole active regions.",
)


def pictures(
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
    drawn["reliability"] = _reliability(evaluation, title)
    if history is not None:
        drawn["training"] = _training(history, title)
    return drawn


def _reliability(evaluation: Evaluation, title: str) -> bytes:
    details = evaluation.details
    return plots.reliability_diagram(details["reliability"], details["base_rate"], title=title)


def _training(history: JsonDict, title: str) -> bytes:
    return plots.learning_curves(history["values"], metric="recall", title=title)


def _title(partition: str) -> str:
    return partition.replace("|", " ")


def comparison(
    networks: Mapping[str, JsonDict],
    upgrade: JsonDict,
    leaky: JsonDict,
    chance: Mapping[str, JsonDict],
) -> JsonDict:
    """Compare all models with the published ones.

    Parameters
    ----------
    networks
        Evaluation by partition, as JSON.
    upgrade, leaky
        Evaluation of the upgrade, and of the control that leaks, as JSON.
    chance
        Proportional chance criterion by split.

    Returns
    -------
    dict
        ``title``, ``tss``, ``rows`` and ``notes``; ``networks``, ``upgrade`` and ``chance`` as they
        are given.
    """
    evaluations = {_title(name): Evaluation.from_dict(one) for name, one in networks.items()}
    whole, control = Evaluation.from_dict(upgrade), Evaluation.from_dict(leaky)
    tss = {name: evaluation.value("tss") for name, evaluation in evaluations.items()}
    best = max(tss, key=lambda name: -1.0 if (value := tss[name]) is None else value)
    ours, test = whole.value("tss"), chance["test"]
    best_tss = tss[best]
    above = ours is not None and (best_tss is None or ours > best_tss)
    verdict = "above" if above else "NOT above"
    return {
        "title": "solar_flares: all models on the test regions, with 95 % intervals by region",
        "tss": tss | {"upgrade": ours},
        "rows": comparison_rows(evaluations | {"upgrade": whole}, METRICS),
        "notes": [
            "Published accuracy and recall have the threshold 0.5 and count single time steps of "
            "another sample. All our other decisions have the threshold of the largest TSS on "
            "validation.",
            f"Proportional chance on test: {test['chance']:.4f}, its bar {test['bar']:.4f} "
            f"(published {TEST_BAR}). {test['note'] or 'An accuracy can exceed it.'}",
            f"Upgrade at equal data: TSS {three_decimals(ours)}, {verdict} the best network's "
            f"{three_decimals(best_tss)} ({best}).",
            f"{control.details['note']} TSS {three_decimals(control.value('tss'))}, by region "
            f"{three_decimals(ours)}.",
        ],
        "networks": dict(networks),
        "upgrade": upgrade,
        "chance": dict(chance),
    }


def comparison_picture(compared: JsonDict) -> bytes:
    """Draw the TSS of every model with its interval, from `comparison`."""
    tss = {
        _title(name): Evaluation.from_dict(stored).metrics["tss"]
        for name, stored in ({"upgrade": compared["upgrade"]} | compared["networks"]).items()
    }
    return plots.comparison(tss, {}, x_label="TSS")


def example_pictures(sequences: Arrays) -> dict[str, bytes]:
    """Draw two parameters of a few records with and without a flare."""
    label = np.asarray(sequences["label"])
    rows = np.concatenate([np.flatnonzero(label == value)[:EXAMPLES] for value in (1, 0)])
    values = read_rows(sequences["values"], rows)
    names = [str(name) for name in read_rows(sequences["region"], rows)]
    hours = np.arange(values.shape[1]) * 0.2
    return {
        parameter: plots.curves(
            hours,
            values[:, :, PARAMETERS.index(parameter)],
            label[rows],
            x_label="time (hours)",
            y_label=f"{parameter} (standard deviations)",
            names=names,
            classes=CLASSES,
        )
        for parameter in EXAMPLE_PARAMETERS
    }


def report(
    compared: JsonDict,
    architectures: Mapping[str, JsonDict],
    histories: Mapping[str, JsonDict],
    predictions: pd.DataFrame,
    sequences: Arrays,
) -> Report:
    """Write the report of the rebuilt study.

    Parameters
    ----------
    compared
        From `comparison`.
    architectures
        By name, from `models.architectures.architecture`.
    histories
        Of the networks, by partition.
    predictions
        Of the upgrade.
    sequences
        Of the test split, to show examples of.
    """
    examples = example_pictures(sequences)
    drawn = pictures("upgrade", predictions, Evaluation.from_dict(compared["upgrade"]))
    sections = [
        Section(
            "All models",
            prose=compared["notes"],
            table=compared["rows"],
            pictures=[Picture("tss", comparison_picture(compared), "TSS, by region")],
        ),
        Section(
            "Proportional chance",
            prose=["The study asks an accuracy to exceed 1.25 times the accuracy of guessing."],
            table=[{"split": name, **each} for name, each in compared["chance"].items()],
        ),
        Section("Two leaks of the published forms", prose=LEAKS),
        Section(
            "The models' inputs",
            prose=["The first test records of each class, standardised, gaps filled."],
            pictures=[Picture(name, png, name) for name, png in examples.items()],
        ),
        Section(
            "Parameters",
            prose=["A tied layer shares its master's weight, which is trained from both uses."],
            table=[counts_row(name, network) for name, network in architectures.items()],
        ),
        Section(
            "The upgrade", pictures=[Picture(f"upgrade {k}", png, k) for k, png in drawn.items()]
        ),
    ]
    sections += [_section(name, compared["networks"], histories) for name in architectures]
    return render("Solar flares: will an active region flare within a day?", sections)


def _section(
    architecture: str, networks: Mapping[str, JsonDict], histories: Mapping[str, JsonDict]
) -> Section:
    drawn: list[Picture] = []
    for name, stored in networks.items():
        if name.split("|")[0] == architecture:
            title = _title(name)
            curves = _training(histories[name], title)
            drawn.append(Picture(f"{title} training", curves, "loss and recall by epoch"))
            diagram = _reliability(Evaluation.from_dict(stored), title)
            drawn.append(Picture(f"{title} reliability", diagram, "reliability"))
    return Section(architecture, pictures=drawn)

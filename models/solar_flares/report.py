"""Comparison and report of the solar-flare models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.architectures import counts_row
from models.arrays import Arrays
from models.evaluation import Evaluation
from models.examples import rows_of_names
from models.reporting import (
    Axis,
    Chart,
    ModelResults,
    Page,
    Report,
    Section,
    Series,
    comparison_rows,
    three_decimals,
)
from models.reporting import report as render
from models.reporting.charts import BLUE, ORANGE
from models.reporting.examples import worth_a_look
from models.reporting.figures import (
    comparison_chart,
    decisions,
    learning_charts,
    reliability_chart,
)
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
SHOWN = {
    "TOTUSJH": "Current helicity",
    "USFLUX": "Unsigned flux",
    "R_VALUE": "Flux near the neutral line",
    "XR_MAX": "X-ray flux",
}
"""Parameters that the page of a record shows."""

HOURS = 0.2
"""Between two samples."""

LEAKS = (
    "The published windows leak twice. They run on across records, so that a window mixes active "
    "regions and its target may belong to another record than its rows; and each row carries its "
    "label as a 26th input, so that the labels of the rows tell the label to be predicted. Results "
    "from the form 'windows' are no forecast.",
    "The published single steps take 60 neighbouring samples of a record for 60 examples: accuracy "
    "and recall are then per sample, and an interval that takes samples for independent is far too "
    "narrow. Intervals here resample whole active regions.",
)


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


def record_pages(upgrade: ModelResults, sequences: Arrays) -> list[Page]:
    """Write a page for each test record worth a look: its parameters and what the upgrade says."""
    examples = worth_a_look({"upgrade": upgrade}, CLASSES)
    rows = rows_of_names(sequences["id"], [example.row["id"] for example in examples])
    pages = []
    for example, values in zip(examples, read_rows(sequences["values"], rows), strict=True):
        record = example.row
        kind = example.name.rpartition(" ")[0]
        pages.append(
            Page(
                example.name,
                f"{record['region']}, record {record['id']}: {kind}",
                f"{CLASSES[int(record['label'])].capitalize()}; forecast {record['score']:.3f}.",
                [
                    Section(
                        "What the models see",
                        prose=["12 hours, standardised, with gaps filled."],
                        pictures=[
                            _parameter_chart(
                                example.name, name, what, values[:, PARAMETERS.index(name)],
                                ORANGE if record["label"] else BLUE,
                            )
                            for name, what in SHOWN.items()
                        ],
                    ),
                    Section("What the upgrade says", table=example.decisions),
                ],
            )
        )  # fmt: skip
    return pages


def _parameter_chart(
    name: str, parameter: str, what: str, values: NDArray[np.float32], tone: int
) -> Chart:
    hours = np.arange(len(values)) * HOURS
    return Chart(
        f"{name} {parameter}",
        f"{what} ({parameter})",
        f"From {values[0]:.3g} to {values[-1]:.3g} standard deviations in "
        f"{hours[-1] + HOURS:.0f} hours.",
        Axis("time (hours)"),
        Axis("standard deviations"),
        [Series("", hours, values, tone=tone)],
    )


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
    upgrade = ModelResults(Evaluation.from_dict(compared["upgrade"]), predictions)
    networks = {
        name: (Evaluation.from_dict(stored), histories[name])
        for name, stored in compared["networks"].items()
    }
    tss = {"upgrade": upgrade.evaluation.metrics["tss"]} | {
        _title(name): evaluation.metrics["tss"] for name, (evaluation, _) in networks.items()
    }
    sections = [
        Section(
            "All models",
            table=compared["rows"],
            pictures=[comparison_chart("tss", tss, {}, label="TSS")],
            notes=compared["notes"],
        ),
        Section(
            "Proportional chance",
            prose=["The study asks an accuracy to exceed 1.25 times the accuracy of guessing."],
            table=[{"split": name, **each} for name, each in compared["chance"].items()],
        ),
        Section("Two leaks of the published forms", prose=LEAKS),
        Section(
            "Records worth a look",
            prose=["The test records that the upgrade gets most wrong, and flares that it finds."],
            pages=record_pages(upgrade, sequences),
        ),
        Section(
            "Parameters",
            prose=["A tied layer shares its master's weight, which is trained from both uses."],
            table=[counts_row(name, network) for name, network in architectures.items()],
        ),
        Section(
            "The upgrade",
            pictures=[
                *decisions(
                    "upgrade",
                    predictions["label"].to_numpy(),
                    predictions["score"].to_numpy(),
                    upgrade.evaluation,
                    classes=CLASSES,
                    examples=[f"{row.region}, record {row.id}" for row in predictions.itertuples()],
                ),
                _reliability("upgrade", upgrade.evaluation),
            ],
        ),
    ]
    sections += [_section(name, networks) for name in architectures]
    return render("Solar flares: will an active region flare within a day?", sections)


def _section(architecture: str, networks: Mapping[str, tuple[Evaluation, JsonDict]]) -> Section:
    drawn: list[Chart] = []
    for name, (evaluation, history) in networks.items():
        if name.split("|")[0] == architecture:
            title = _title(name)
            own = learning_charts(title, history["values"], metric="recall")
            setting = name.partition("|")[2] or title
            drawn += [
                replace(chart, title=f"{setting}: {chart.title[0].lower()}{chart.title[1:]}")
                for chart in (*own, _reliability(title, evaluation))
            ]
    return Section(architecture, pictures=drawn)


def _reliability(name: str, evaluation: Evaluation) -> Chart:
    details = evaluation.details
    return reliability_chart(f"{name} reliability", details["reliability"], details["base_rate"])

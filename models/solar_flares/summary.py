"""The solar-flare results put together: predictions, judgement, pictures, comparison, report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models import plots
from models.arrays import Arrays
from models.metrics import cross_entropy, evaluate, reliability
from models.reporting import Picture, Report, Section, comparison_rows
from models.reporting import report as render
from models.sampling import read_rows
from models.solar_flares.published import TEST_BAR
from models.solar_flares.records import PARAMETERS

if TYPE_CHECKING:
    import pandas as pd

CLASSES = ("quiet", "flare")
MEASURES = (
    *("accuracy_at_0.5", "recall_at_0.5", "loss", "accuracy", "recall", "tss", "hss2"),
    *("frequency_bias", "brier_skill", "average_precision"),
)
SHOWN = 4
"""Example records of each class in the report."""

SHOWN_PARAMETERS = ("TOTUSJH", "R_VALUE")

LEAKS = (
    "The published windows leak twice. They run on across records, so that a window mixes active "
    "regions and its target may belong to another record than its rows; and each row carries its "
    "label as a 26th input, so that the labels of the rows tell the label to be predicted. Results "
    "from the form 'windows' are no forecast.",
    "The published single steps take 60 neighbouring samples of a record for 60 examples: accuracy "
    "and recall are then per sample, and an interval that takes samples for independent is far too "
    "narrow. Intervals here resample whole active regions.",
)


def predictions(
    records: Arrays, record: NDArray[np.int64], scores: NDArray[np.float64], threshold: float
) -> pd.DataFrame:
    """Give a table of scored examples: id, region, label, score, flagged."""
    import pandas as pd

    columns = {name: read_rows(records[name], record) for name in ("id", "region", "label")}
    return pd.DataFrame(columns | {"score": scores, "flagged": scores >= threshold})


def judge(
    table: pd.DataFrame,
    threshold: float,
    resamples: int,
    seed: int,
    published: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Evaluate predictions, with intervals that resample whole active regions.

    Beside the metrics of `models.metrics.evaluate`: ``loss``, and ``accuracy_at_0.5`` and
    ``recall_at_0.5``, which are what the study published; and ``reliability``, the bins of the
    reliability diagram.

    Parameters
    ----------
    table
        From `predictions`.
    threshold
        Chosen on validation.
    resamples, seed
        Of the intervals.
    published
        Accuracy and recall of the study, where there are any.
    """
    label, score = table["label"].to_numpy(), table["score"].to_numpy()
    region = table["region"].to_numpy().astype(str)
    given = dict(zip(("accuracy_at_0.5", "recall_at_0.5"), published or (), strict=False))
    settings: dict[str, Any] = {"groups": region, "resamples": resamples, "seed": seed}
    judged = evaluate(label, score, threshold, **settings, published=given)
    at_half = evaluate(label, score, 0.5, **settings)["metrics"]
    judged["metrics"] |= {
        "accuracy_at_0.5": at_half["accuracy"],
        "recall_at_0.5": at_half["recall"],
        "loss": cross_entropy(label, score, region, resamples=resamples, seed=seed),
    }
    judged["reliability"] = reliability(label, score)
    return judged


def pictures(
    title: str,
    table: pd.DataFrame,
    judged: Mapping[str, Any],
    history: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """Draw a model's results; loss and recall by epoch where it has a history."""
    labels, scores = table["label"].to_numpy(), table["score"].to_numpy()
    cut = judged["threshold"]
    drawn = {
        "scores": plots.score_scatter(labels, scores, cut, classes=CLASSES, title=title),
        "ROC": plots.roc_curve(labels, scores, cut, title=title),
        "precision and recall": plots.precision_recall(labels, scores, cut, title=title),
        "confusion": plots.confusion_matrix(judged["counts"], classes=CLASSES, title=title),
        "reliability": _reliability(judged, title),
    }
    if history is not None:
        drawn["training"] = _training(history, title)
    return drawn


def _reliability(judged: Mapping[str, Any], title: str) -> bytes:
    return plots.reliability_diagram(judged["reliability"], judged["base_rate"], title=title)


def _training(history: Mapping[str, Any], title: str) -> bytes:
    return plots.learning_curves(history["values"], metric="recall", title=title)


def _shown(partition: str) -> str:
    return partition.replace("|", " ")


def comparison(
    networks: Mapping[str, Mapping[str, Any]],
    upgrade: Mapping[str, Any],
    leaky: Mapping[str, Any],
    chance: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Compare all models with the published ones: ``title``, ``tss``, ``rows`` and ``notes``.

    Parameters
    ----------
    networks
        Evaluation by partition.
    upgrade, leaky
        Evaluation of the upgrade, and of the control that leaks.
    chance
        Proportional chance criterion by split.
    """
    tss = {_shown(name): judged["metrics"]["tss"]["value"] for name, judged in networks.items()}
    best = max(tss, key=lambda name: tss[name] if tss[name] is not None else -1.0)
    ours, test = upgrade["metrics"]["tss"]["value"], chance["test"]
    verdict = "above" if (ours or -1) > (tss[best] or -1) else "NOT above"
    evaluations = {_shown(name): judged for name, judged in networks.items()}
    return {
        "title": "solar_flares: all models on the test regions, with 95 % intervals by region",
        "tss": tss | {"upgrade": ours},
        "rows": comparison_rows(evaluations | {"upgrade": upgrade}, MEASURES),
        "notes": [
            "Published accuracy and recall cut at 0.5 and count single time steps of another "
            "sample. All our other decisions cut where TSS is largest on validation.",
            f"Proportional chance on test: {test['chance']:.4f}, its bar {test['bar']:.4f} "
            f"(published {TEST_BAR}). {test['note'] or 'An accuracy can exceed it.'}",
            f"Upgrade at equal data: TSS {_three(ours)}, {verdict} the best network's "
            f"{_three(tss[best])} ({best}).",
            f"{leaky['note']} TSS {_three(leaky['metrics']['tss']['value'])}, by region "
            f"{_three(ours)}.",
        ],
    }


def _three(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def comparison_picture(
    networks: Mapping[str, Mapping[str, Any]], upgrade: Mapping[str, Any]
) -> bytes:
    """Draw the TSS of every model with its interval."""
    ours = {_shown(name): judged["metrics"]["tss"] for name, judged in networks.items()}
    return plots.comparison(ours | {"upgrade": upgrade["metrics"]["tss"]}, {}, x_label="TSS")


def example_pictures(records: Arrays, sequences: Arrays) -> dict[str, bytes]:
    """Draw two parameters of a few records with and without a flare."""
    label = np.asarray(records["label"])
    rows = np.concatenate([np.flatnonzero(label == value)[:SHOWN] for value in (1, 0)])
    values = read_rows(sequences["values"], rows)
    names = [str(name) for name in read_rows(records["region"], rows)]
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
        for parameter in SHOWN_PARAMETERS
    }


def report(
    compared: Mapping[str, Any],
    chance: Mapping[str, Mapping[str, Any]],
    architectures: Mapping[str, Mapping[str, Any]],
    networks: Mapping[str, Mapping[str, Any]],
    upgrade: tuple[pd.DataFrame, Mapping[str, Any]],
    data: Mapping[str, Arrays],
) -> Report:
    """Write the report of the rebuilt study.

    Parameters
    ----------
    compared, chance
        From `comparison`; the chance criterion by split.
    architectures
        By name, as `models.architectures.architecture` describes them.
    networks
        ``evaluation`` and ``history`` by partition.
    upgrade
        Its predictions and its evaluation.
    data
        ``records`` and ``sequences``, to show examples of.
    """
    tss = {
        "upgrade": upgrade[1]["metrics"]["tss"],
        **{_shown(name): parts["evaluation"]["metrics"]["tss"] for name, parts in networks.items()},
    }
    examples = example_pictures(data["records"], data["sequences"])
    drawn = pictures("upgrade", *upgrade)
    sections = [
        Section(
            "All models",
            prose=compared["notes"],
            table=compared["rows"],
            pictures=[Picture("tss", plots.comparison(tss, {}, x_label="TSS"), "TSS, by region")],
        ),
        Section(
            "Proportional chance",
            prose=["The study asks an accuracy to exceed 1.25 times the accuracy of guessing."],
            table=[{"split": name, **held} for name, held in chance.items()],
        ),
        Section("Two leaks of the published forms", prose=LEAKS),
        Section(
            "What the models see",
            prose=["The first records of each class, standardised, gaps filled."],
            pictures=[Picture(name, png, name) for name, png in examples.items()],
        ),
        Section(
            "Parameters",
            prose=["A tied layer shares its master's weight, which is trained from both uses."],
            table=[_counted(name, held) for name, held in architectures.items()],
        ),
        Section(
            "The upgrade", pictures=[Picture(f"upgrade {k}", png, k) for k, png in drawn.items()]
        ),
    ]
    sections += [_section(name, networks) for name in architectures]
    return render("Solar flares: will an active region flare within a day?", sections)


def _counted(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "network": name,
        "parameters": described["parameters"],
        "published": described["published_parameters"],
        "published trainable": described["published_trainable_parameters"],
        "why they differ": described["difference"] or "-",
    }


def _section(architecture: str, networks: Mapping[str, Mapping[str, Any]]) -> Section:
    drawn: list[Picture] = []
    for name, parts in networks.items():
        if name.split("|")[0] == architecture:
            title = _shown(name)
            curves = _training(parts["history"], title)
            drawn.append(Picture(f"{title} training", curves, "loss and recall by epoch"))
            diagram = _reliability(parts["evaluation"], title)
            drawn.append(Picture(f"{title} reliability", diagram, "reliability"))
    return Section(architecture, pictures=drawn)

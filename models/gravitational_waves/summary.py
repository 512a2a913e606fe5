"""The gravitational-wave results put together: pictures, comparison, report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from models import plots
from models.arrays import Arrays
from models.gravitational_waves.images import BAND
from models.gravitational_waves.published import CHIRPS, GRAVITY_SPY
from models.reporting import Picture, Report, Section, comparison_rows
from models.reporting import report as render
from models.sampling import read_rows

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("other", "chirp")
MEASURES = (
    *("accuracy_at_own_cut", "recall_at_own_cut", "loss", "precision", "recall", "f1"),
    *("average_precision", "roc_auc", "recall_at_fpr_0.001"),
)
LISTED = 60
"""Found chirps that the report lists of a model; the asset `chirps` has all."""

DEEP, UPGRADE, SHALLOW = "deep_cnn", "upgrade", "shallow_cnn"


def pictures(
    model: str,
    table: pd.DataFrame,
    judged: Mapping[str, Any],
    history: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """Draw a model's results on the test images; loss and accuracy where it has a history."""
    test = table[table["split"] == "test"]
    labels, scores, cut = test["chirp"].to_numpy(), test["score"].to_numpy(), judged["threshold"]
    drawn = {
        "scores": plots.score_scatter(labels, scores, cut, classes=KINDS, title=model),
        "ROC": plots.roc_curve(labels, scores, cut, title=model),
        "precision and recall": plots.precision_recall(labels, scores, cut, title=model),
        "confusion": plots.confusion_matrix(judged["counts"], classes=KINDS, title=model),
    }
    if judged["by_snr"]:
        drawn["efficiency"] = plots.recall_by_bin(
            judged["by_snr"], x_label="signal-to-noise ratio of injected chirps", title=model
        )
    if history is not None:
        drawn["loss and accuracy"] = plots.learning_curves(
            history["values"],
            phases=[(epochs, rate) for epochs, rate in history["phases"]],
            best_epoch=history["best_epoch"],
            title=model,
        )
    return drawn


def training_cost(architecture: Mapping[str, Any], epochs: int, images: int) -> float:
    """Multiplications of a training: forward, and twice as many back, for each image and epoch."""
    return 3.0 * int(architecture["multiplications"]) * epochs * images


def comparison(
    evaluations: Mapping[str, Mapping[str, Any]], costs: Mapping[str, float]
) -> dict[str, Any]:
    """Compare all models with the published ones: ``title``, ``rows`` and ``notes``.

    Parameters
    ----------
    evaluations
        By model, from `judging.judge`.
    costs
        `training_cost` of the deep CNN and of the upgrade.
    """
    wider = tuple(
        name
        for name in ("class_accuracy", "macro_f1")
        if name in next(iter(evaluations.values()))["metrics"]
    )
    rows = comparison_rows(evaluations, MEASURES + wider)
    model = ""
    for row in rows:
        model = row["model"] or model
        figures = _found(model, evaluations[model], row["result"])
        row.update({f"chirps in {split}": found for split, found in figures.items()})
    first = next(iter(evaluations.values()))
    notes = [
        f"Ours: {first['rows']} test images, {first['counts']['actual']} of them chirps. "
        "Published: 1,179 of another data set, 10 chirps, cut at 0.5; found by ours: at the "
        "threshold chosen on validation, and at the model's own cut (0.5 of a probability, 0 of "
        "the SVC's distance).",
        finding(evaluations[SHALLOW]),
        verdict(evaluations, costs),
        "The study names the linear SVC, the recurrent network and the GAN without figures.",
        GRAVITY_SPY,
    ]
    title = "gravitational_waves: all models on the test images, with 95 % intervals by group"
    return {"title": title, "rows": rows, "notes": notes}


def _found(model: str, judged: Mapping[str, Any], result: str) -> dict[str, str | None]:
    if result == "published":
        given = CHIRPS.get(model, {})
        return {
            split: "{} of {}".format(*given[split]) if split in given else None
            for split in ("validation", "test")
        }
    return {
        split: f"{held['found']} of {held['of']} ({held['found_at_own_cut']} at own cut)"
        for split, held in sorted(judged["chirps"].items(), reverse=True)
    }


def finding(shallow: Mapping[str, Any]) -> str:
    """Say whether the study's finding recurs: a shallow CNN that is right and finds nothing."""
    held = shallow["chirps"]["test"]
    accuracy = shallow["metrics"]["accuracy_at_own_cut"]["value"]
    none = 1 - shallow["base_rate"]
    told = (
        f"the shallow CNN, decided at 0.5 as published, finds {held['found_at_own_cut']} of "
        f"{held['of']} test chirps at an accuracy of {accuracy:.4f}; finding none at all would "
        f"reach {none:.4f}"
    )
    if held["found_at_own_cut"] == 0:
        return f"The study's finding recurs: {told}."
    return f"The study's finding (no chirp found, accuracy 0.992) does not recur here: {told}."


def verdict(evaluations: Mapping[str, Mapping[str, Any]], costs: Mapping[str, float]) -> str:
    """Say whether the upgrade ranks better than the deep CNN, and at what cost."""
    ours, deep = (
        evaluations[name]["metrics"]["average_precision"]["value"] for name in (UPGRADE, DEEP)
    )
    if ours is None or deep is None:
        return "Upgrade against deep CNN: average precision undefined."
    better = "above" if ours > deep else "equal to" if ours == deep else "BELOW"
    share = costs[UPGRADE] / costs[DEEP]
    cheaper = "lower" if share < 1 else "NOT lower"
    return (
        f"Upgrade on the same test images: average precision {ours:.3f}, {better} the deep CNN's "
        f"{deep:.3f}, at a {cheaper} training cost: {share:.2f} of its multiplications "
        f"({costs[UPGRADE]:.2g} against {costs[DEEP]:.2g})."
    )


def comparison_picture(evaluations: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw the average precision of every model with its interval."""
    ours = {model: judged["metrics"]["average_precision"] for model, judged in evaluations.items()}
    return plots.comparison(ours, {}, x_label="average precision")


def example_picture(images: Arrays) -> bytes:
    """Draw the first image of each class, chirps first."""
    label = np.asarray(images["label"]).astype(str)
    names, first = np.unique(label, return_index=True)
    order = np.argsort(names != "Chirp", kind="stable")
    half = float(images["duration"][:1][0]) / 2
    return plots.images(
        read_rows(images["image"], first[order]),
        names[order].tolist(),
        extent=(-half, half, *BAND),
        x_label="time (s)",
        y_label="frequency (Hz)",
        log=True,
    )


def report(
    compared: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
    images: Arrays,
) -> Report:
    """Write the report of the rebuilt study.

    Parameters
    ----------
    compared
        From `comparison`.
    models
        By model: ``evaluation``, ``predictions``, ``chirps`` and, for networks, ``history``.
    images
        The spectrograms, to show examples of.
    """
    ranked = comparison_picture({name: parts["evaluation"] for name, parts in models.items()})
    sections = [
        Section(
            "All models",
            prose=compared["notes"],
            table=compared["rows"],
            pictures=[Picture("average precision", ranked, "average precision")],
        ),
        Section(
            "What the models see",
            prose=["The first spectrogram of each class."],
            pictures=[Picture("classes", example_picture(images), "energy")],
        ),
    ]
    for model, parts in models.items():
        drawn = pictures(model, parts["predictions"], parts["evaluation"], parts.get("history"))
        listed = parts["chirps"].head(LISTED)
        more = len(parts["chirps"]) - len(listed)
        sections.append(
            Section(
                model,
                prose=[
                    "Found to be chirps in validation and test, the surest first"
                    + (f"; {more} more are in the asset." if more else ".")
                    if len(listed)
                    else "Found to be chirps in validation and test: none."
                ],
                table=[
                    {"id": str(row.id), "score": float(row.score), "split": row.split}
                    | {"label": str(row.label)}
                    for row in listed.itertuples()
                ],
                pictures=[Picture(f"{model} {k}", png, k) for k, png in drawn.items()],
            )
        )
        if "by_class" in parts["evaluation"]:
            table = [{"class": k} | v for k, v in parts["evaluation"]["by_class"].items()]
            sections.append(Section(f"{model}: every class", table=table))
    return render("Gravitational waves: chirps among glitches", sections)

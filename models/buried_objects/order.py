"""Why do the models get worse as batches arrive? The study's question, put to an experiment.

Here belongs the same network, trained four times: in the published order and from all scans
shuffled, with and without weights of the classes. After each batch all are asked about the same
test scans; beside the last weights, what the best weights so far are worth, best by average
precision on validation. Everything but the one thing is equal: first weights, windows an epoch,
epochs at most, early stopping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.arrays import Arrays
from models.buried_objects.fitting import Asked, Training, answers, fit_network, measured
from models.sampling import TEST, VALIDATION, rows_of
from models.thresholds import max_f1

ARMS: dict[str, tuple[dict[str, bool], str]] = {
    "published order": ({}, "last"),
    "best weights kept": ({}, "best"),
    "weighted": ({"weighted": True}, "last"),
    "shuffled": ({"shuffled": True}, "last"),
    "all three": ({"shuffled": True, "weighted": True}, "best"),
}
"""How `fit_network` differs, and which weights are asked: the last, or the best so far."""


def study(
    architecture: Mapping[str, Any], features: Mapping[str, Arrays], training: Training
) -> dict[str, Any]:
    """Train a network in each way, and measure it on the test windows after each batch.

    Parameters
    ----------
    architecture, features, training
        As `fitting.fit_network` takes them.

    Returns
    -------
    dict
        ``network``; ``arms``: by name of `ARMS`, a list with one entry a batch: ``batch``,
        ``epochs``, and on the test windows ``f1``, ``precision`` and ``recall`` of the likelier
        class, ``average_precision``, and ``f1_at_threshold``, cut where F1 is largest on
        validation; and ``finding``, in words.
    """
    arms: dict[str, list[dict[str, Any]]] = {}
    done: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, (settings, kept) in ARMS.items():
        if (way := str(sorted(settings))) not in done:
            done[way] = _followed(architecture, features, training, settings)
        arms[name] = done[way][kept]
    found = {"network": architecture["config"]["config"]["name"], "arms": arms}
    return found | {"finding": finding(found)}


def _followed(
    architecture: Mapping[str, Any],
    features: Mapping[str, Arrays],
    training: Training,
    settings: Mapping[str, bool],
) -> dict[str, list[dict[str, Any]]]:
    """Train in one way; after each batch, measure the last weights and the best so far."""
    told: dict[str, list[dict[str, Any]]] = {"last": [], "best": []}

    def after(built: Any, given: Asked, part: Mapping[str, Any]) -> None:
        now = {"batch": part["batch"], "epochs": part["epochs"]} | _tested(built, given, features)
        told["last"].append(now)
        best = now if part["best_batch"] == part["batch"] else told["best"][-1]
        told["best"].append(best | {"batch": part["batch"], "epochs": part["epochs"]})

    fit_network(architecture, features, training, after=after, **settings)
    return told


def _tested(built: Any, given: Asked, features: Mapping[str, Arrays]) -> dict[str, Any]:
    label, score = answers(built, given, rows_of(features["windows"], VALIDATION))
    cut = max_f1(label, score).value
    label, score = answers(built, given, rows_of(features["windows"], TEST))
    own = measured(label, score, 0.5)
    names = ("f1", "precision", "recall", "average_precision")
    return {name: own[name] for name in names} | {
        "f1_at_threshold": measured(label, score, cut)["f1"]
    }


MEANING = {
    "best weights kept": "the last weights are not the best",
    "weighted": "the rare class is drowned out",
    "shuffled": "later batches overwrite what earlier ones taught",
}
"""What it means where one change alone helps most."""

CLEAR = 0.05
"""Gain of average precision below which a change is not said to help."""


def finding(found: Mapping[str, Any]) -> str:
    """Say what the arms show: how F1 went in the published order, and which change helps most."""
    arms = found["arms"]
    published = [entry["f1"] or 0.0 for entry in arms["published order"]]
    best, last = max(published), published[-1]
    top = arms["published order"][published.index(best)]["batch"]
    went = (
        f"falls from {best:.3f} after batch {top} to {last:.3f} after the last"
        if last < best
        else f"is highest after the last batch, {last:.3f}"
    )
    ranked = {name: entries[-1]["average_precision"] or 0.0 for name, entries in arms.items()}
    gain = {name: ranked[name] - ranked["published order"] for name in MEANING}
    most = max(gain, key=lambda name: gain[name])
    meaning = (
        f"Of the changes alone {most!r} gains most, {gain[most]:+.3f}: {MEANING[most]}."
        if gain[most] >= CLEAR
        else f"None of the changes alone gains {CLEAR} or more."
    )
    return (
        f"{found['network']} in the published order: F1 at 0.5 on the test windows {went}. At the "
        f"end, F1 at 0.5, cut where it is largest on validation, and average precision: "
        f"{'; '.join(f'{name} {_end(entries[-1])}' for name, entries in arms.items())}. {meaning}"
    )


def _end(entry: Mapping[str, Any]) -> str:
    """F1 at 0.5, F1 at the threshold and average precision of an entry."""
    return ", ".join(_three(entry[name]) for name in ("f1", "f1_at_threshold", "average_precision"))


def _three(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"

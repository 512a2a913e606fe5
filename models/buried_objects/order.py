"""Why do the models get worse as batches arrive? The study's question as an experiment.

The same network is trained four times: in the published order and from all scans shuffled, with and
without class weights. After each batch all are evaluated on the same test scans, with the last
weights and with the best so far by average precision on validation. All else is equal: first
weights, windows per epoch, epochs at most, early stopping.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.arrays import Arrays
from models.buried_objects.training import (
    Examples,
    Settings,
    examples,
    fit_network,
    measured,
    score_windows,
)
from models.reporting import three_decimals
from models.thresholds import max_f1
from models.training import Network
from models.types import JsonDict

ARMS: dict[str, tuple[dict[str, bool], str]] = {
    "published order": ({}, "last"),
    "best weights kept": ({}, "best"),
    "weighted": ({"weighted": True}, "last"),
    "shuffled": ({"shuffled": True}, "last"),
    "all three": ({"shuffled": True, "weighted": True}, "best"),
}
"""Settings of `fit_network`, and the weights that are evaluated: the last, or the best so far."""


def study(architecture: JsonDict, splits: Mapping[str, Arrays], settings: Settings) -> JsonDict:
    """Train a network in each way, and evaluate it on the test windows after each batch.

    Parameters
    ----------
    architecture, settings
        As `training.fit_network` takes them.
    splits
        The traces of ``train``, ``validation`` and ``test``.

    Returns
    -------
    dict
        ``network``; ``arms``: by name of `ARMS`, a list with one entry a batch: ``batch``,
        ``epochs``, and on the test windows ``f1``, ``precision`` and ``recall`` of the likelier
        class, ``average_precision``, and ``f1_at_threshold``, at the threshold of the largest F1
        on validation; and ``finding``, in words.
    """
    arms: dict[str, list[JsonDict]] = {}
    trained: dict[str, dict[str, list[JsonDict]]] = {}
    for name, (ways, weights) in ARMS.items():
        if (key := str(sorted(ways))) not in trained:
            trained[key] = _train_and_test(architecture, splits, settings, ways)
        arms[name] = trained[key][weights]
    result = {"network": architecture["config"]["config"]["name"], "arms": arms}
    return result | {"finding": finding(result)}


def _train_and_test(
    architecture: JsonDict,
    splits: Mapping[str, Arrays],
    settings: Settings,
    ways: Mapping[str, bool],
) -> dict[str, list[JsonDict]]:
    """Train in one way; after each batch, evaluate the last weights and the best so far."""
    entries: dict[str, list[JsonDict]] = {"last": [], "best": []}

    def after(network: Network, held_out: Examples, part: JsonDict) -> None:
        tested = _tested(network, held_out, examples(network, splits["test"]))
        now = {"batch": part["batch"], "epochs": part["epochs"]} | tested
        entries["last"].append(now)
        best = now if part["best_batch"] == part["batch"] else entries["best"][-1]
        entries["best"].append(best | {"batch": part["batch"], "epochs": part["epochs"]})

    training, validation = splits["train"], splits["validation"]
    fit_network(architecture, training, validation, settings, after=after, **ways)
    return entries


def _tested(network: Network, held_out: Examples, test: Examples) -> JsonDict:
    threshold = max_f1(*score_windows(network, held_out))
    label, score = score_windows(network, test)
    own = measured(label, score, 0.5)
    names = ("f1", "precision", "recall", "average_precision")
    return {name: own[name] for name in names} | {
        "f1_at_threshold": measured(label, score, threshold.value)["f1"]
    }


MEANING = {
    "best weights kept": "the last weights are not the best",
    "weighted": "the rare class is drowned out",
    "shuffled": "later batches overwrite what earlier ones taught",
}
"""Interpretation, where one change alone helps most."""

CLEAR = 0.05
"""Gain of average precision below which a change does not count as help."""


def finding(result: JsonDict) -> str:
    """Describe F1 in the published order, and which change helps most."""
    arms = result["arms"]
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
        f"{result['network']} in the published order: F1 at 0.5 on the test windows {went}. At the "
        "end, F1 at 0.5, F1 at the threshold chosen on validation, and average precision: "
        f"{'; '.join(f'{name} {_end(entries[-1])}' for name, entries in arms.items())}. {meaning}"
    )


def _end(entry: JsonDict) -> str:
    """Return F1 at 0.5, F1 at the threshold and average precision of an entry."""
    names = ("f1", "f1_at_threshold", "average_precision")
    return ", ".join(three_decimals(entry[name]) for name in names)

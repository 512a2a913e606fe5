"""Train the buried-object networks, batch of scans by batch, and score whole scans.

The traces of a split are those of its scans, whole and in order: ``ez`` (raw, V/m) or ``values``
(projected), shape (n, samples) or (n, 128); with ``label``, ``scan``, ``part`` and ``windows``, as
`models.buried_objects.splits.examples_of` gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.architectures import counts_of, from_architecture
from models.arrays import ArrayLike, Arrays
from models.buried_objects.networks import LEARNING_RATE, LOSS, OPTIMISER
from models.buried_objects.scans import Integers, runs
from models.buried_objects.windows import TRACES, places_of, read_windows
from models.metrics import confusion
from models.sampling import Batches, Rows
from models.training import (
    EarlyStopping,
    History,
    Network,
    Phase,
    Progress,
    Timing,
    TrainingResult,
    fresh,
    predict,
    train,
)
from models.types import JsonDict

STEP = 25
"""Traces at most between the windows in which a whole scan is scored."""

SCORED = 32
"""Windows scored at once: 129 MB of published traces."""


class Windows:
    """Windows of neighbouring traces, read on demand, so that memory holds one batch.

    Parameters
    ----------
    traces
        Shape (rows, values), floating point; may lie on disk.
    start, length
        First row and traces of each window, shape (n,); shorter ones are padded with 0.
    channel
        Whether windows get an axis of length 1 at the end, as convolutions take them.

    Attributes
    ----------
    shape
        (n, 100, values), or (n, 100, values, 1).
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self, traces: ArrayLike, start: Rows, length: Rows, *, channel: bool = False
    ) -> None:
        self._traces, self._start, self._length = traces, start, length
        one = (1,) if channel else ()
        self.shape: tuple[int, ...] = (len(start), TRACES, traces.shape[1], *one)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, windows: slice | Rows) -> NDArray[np.float32]:
        """Read the chosen windows; shape (k, ...)."""
        values = read_windows(self._traces, self._start[windows], self._length[windows])
        return values.astype(np.float32, copy=False).reshape(len(values), *self.shape[1:])


def field_of(traces: Arrays) -> ArrayLike:
    """Return what a model reads of traces, shape (n, values): projected, or as recorded."""
    return traces["values"] if "values" in traces else traces["ez"]


@dataclass(frozen=True)
class Examples:
    """Windows with their targets.

    Attributes
    ----------
    x
        Shape (n, 100, values) or (n, 100, values, 1).
    y
        Label of every trace, float32, shape (n, 100, 1), as Keras weights classes.
    known
        Whether a trace is of the scan, not padding; shape (n, 100).
    part
        Of the scans that training takes in turn, shape (n,).
    """

    x: Windows
    y: NDArray[np.float32]
    known: NDArray[np.bool_]
    part: Integers


def examples(network: Network, traces: Arrays) -> Examples:
    """Return the windows of a split in the shape that a network takes."""
    start, length, part = places_of(traces)
    label = np.asarray(traces["label"])[:, None]
    return Examples(
        Windows(field_of(traces), start, length, channel=len(network.input_shape) == 4),
        Windows(label, start, length)[:],
        np.arange(TRACES) < length[:, None],
        part,
    )


def parts_of(data: Examples) -> list[tuple[int, Rows]]:
    """Return number and rows of the study's batches of training windows, in their order."""
    return [(int(number), np.flatnonzero(data.part == number)) for number in np.unique(data.part)]


@dataclass(frozen=True)
class Settings:
    """How a network is trained on each part.

    Attributes
    ----------
    epochs, patience
        Epochs per part at most; epochs without a better validation loss before it stops.
    batch
        Windows per gradient step.
    seed
        Of the weights, the dropout and the order within a part.
    """

    epochs: int = 30
    patience: int = 10
    batch: int = 32
    seed: int = 3


def fit_network(
    architecture: JsonDict,
    training: Arrays,
    validation: Arrays,
    settings: Settings,
    *,
    shuffled: bool = False,
    weighted: bool = False,
    after: Callable[[Network, Examples, JsonDict], None] | None = None,
) -> TrainingResult:
    """Train a network as the study does: one batch of scans after the other, last weights kept.

    Early stopping monitors the validation loss, penalties included, as Keras does. Adam keeps its
    state from part to part.

    Parameters
    ----------
    architecture
        From `networks.describe`.
    training, validation
        The traces of both splits; see the module.
    settings
        How long.
    shuffled
        Whether each part is as many windows drawn from all training scans, instead of those of its
        own scans.
    weighted
        Whether a positive trace is weighted by the number of negative ones for each.
    after
        Called after each part with the network, the validation windows, and the part's entry in
        the history.

    Returns
    -------
    TrainingResult
        Of the network with the last weights. Details of its history: ``parts``, by part ``batch``,
        ``windows``, ``epochs``, the `measures` on validation of the weights after it, and
        ``best_batch``, after which their average precision was largest so far; and those of
        `trained_on`.
    """
    built = fresh(lambda: from_architecture(architecture), settings.seed)
    data, held_out = examples(built, training), examples(built, validation)
    parts = parts_of(data)
    everything = np.concatenate([rows for _, rows in parts])
    weight = class_weight(data) if weighted else None
    values: dict[str, list[float]] = {}
    entries: list[JsonDict] = []
    phases: list[Phase] = []
    weights: list[NDArray[np.float32]] = []
    best, best_batch = -1.0, 0
    seconds, seen = 0.0, 0

    def remember(progress: Progress) -> None:
        # Keras would put the best weights back when it stops; the study kept the last ones.
        weights[:] = built.get_weights()

    followed = Batches(held_out.x, held_out.y, batch=settings.batch, shuffle=False)
    for place, (number, own) in enumerate(parts):
        seed = settings.seed + 1000 * (place + 1)
        phase = Phase(settings.epochs, LEARNING_RATE)
        phases.append(phase)
        # As many gradient steps from all scans as an epoch of the part's own takes.
        rows, steps = (everything, -(-own.size // settings.batch)) if shuffled else (own, None)
        batches = Batches(data.x, data.y, rows, batch=settings.batch, seed=seed, steps=steps)
        history = train(
            built,
            batches,
            followed,
            phases=[phase],
            optimiser=OPTIMISER,
            loss=LOSS,
            metrics=["accuracy"],
            seed=seed,
            class_weight=weight,
            early_stopping=EarlyStopping(settings.patience),
            progress=remember,
            warm_start=place > 0,
        )
        built.set_weights(weights)
        for name, epochs in history.values.items():
            values.setdefault(name, []).extend(epochs)
        seconds += history.timing.seconds
        seen += history.epochs * batches.samples
        now = measures(built, held_out)
        if (now["average_precision"] or 0.0) > best:
            best, best_batch = now["average_precision"] or 0.0, number
        part: JsonDict = {"batch": number, "windows": int(own.size), "epochs": history.epochs}
        entries.append(part | now | {"best_batch": best_batch})
        if after is not None:
            after(built, held_out, entries[-1])
    run = len(values["loss"])
    history = History(
        values=values,
        phases=tuple(phases),
        best_epoch=run,  # the last weights are kept
        stopped_early=run < settings.epochs * len(parts),
        timing=Timing(seconds, seen / seconds),
        details={"parts": entries, **trained_on(architecture, seen)},
    )
    metadata = {"validation F1 after each batch": [entry["f1"] for entry in entries]}
    return TrainingResult(built, history, metadata)


def trained_on(architecture: JsonDict, seen: int) -> JsonDict:
    """Return what the history keeps to compare costs.

    Returns
    -------
    dict
        ``seen``, the windows trained on, each as often as it was used; ``network``, the counts of
        `models.architectures.counts_of`.
    """
    return {"seen": seen, "network": counts_of(architecture)}


def class_weight(data: Examples) -> dict[int, float]:
    """Weight a positive trace by the number of negative ones for each."""
    label = data.y[data.known]
    positives = float(label.sum())
    if positives == 0:
        raise ValueError("no training window has a positive trace: check the labels and the split")
    return {1: (label.size - positives) / positives}


def score_windows(
    network: Network, data: Examples
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return label and score of every trace of windows, without padding; shape (m,) each."""
    score = predict(network, data.x, batch=SCORED)[..., 1]
    return data.y[..., 0][data.known], score[data.known]


def measures(network: Network, data: Examples) -> JsonDict:
    """Evaluate a network by the study's decision, the likelier class, on the traces of windows.

    Returns
    -------
    dict
        ``tp``, ``fp``, ``fn``, ``precision``, ``recall``, ``f1`` (2 tp / (2 tp + fp + fn)) and
        ``average_precision``; None where undefined.
    """
    return measured(*score_windows(network, data), 0.5)


def measured(label: NDArray[np.float32], score: NDArray[np.float64], threshold: float) -> JsonDict:
    """Return the metrics of `measures` from labels and scores, at any threshold."""
    from sklearn.metrics import average_precision_score

    counts = confusion(label, score >= threshold)
    tp, fp, fn = counts.tp, counts.fp, counts.fn
    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "precision": tp / (tp + fp) if tp + fp else None,
        "recall": tp / (tp + fn) if tp + fn else None,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fn else None,
        "average_precision": float(average_precision_score(label, score)) if tp + fn else None,
    }


def score_scans(network: Network, traces: Arrays) -> NDArray[np.float64]:
    """Score every trace of some scans, once.

    A scan is scored in windows at most 25 traces apart, from its first trace to its last; where
    they overlap the score is their mean.

    Parameters
    ----------
    network
        A network from windows (n, 100, ...) to probabilities (n, 100, 2).
    traces
        ``scan``, and what the network reads; see the module.

    Returns
    -------
    float64 array of shape (n,)
        The probability that each is over the object.

    Raises
    ------
    ValueError
        There is no scan, or a score is not finite.
    """
    scan = np.asarray(traces["scan"])
    placed = [
        (first + offset, min(length, TRACES))
        for first, length in zip(*runs(scan), strict=True)
        for offset in offsets(int(length))
    ]
    start, length = np.array(placed, dtype=np.int64).reshape(-1, 2).T
    x = Windows(field_of(traces), start, length, channel=len(network.input_shape) == 4)
    score = predict(network, x, batch=SCORED)[..., 1]
    known = np.arange(TRACES) < length[:, None]
    place = (start[:, None] + np.arange(TRACES))[known]
    return np.bincount(place, score[known], scan.size) / np.bincount(place, minlength=scan.size)


def offsets(length: int) -> Rows:
    """Return the first trace, from 0, of each window that scores a scan of ``length`` traces.

    >>> offsets(144).tolist()
    [0, 22, 44]
    """
    last = max(length - TRACES, 0)
    return np.linspace(0, last, -(-last // STEP) + 1).round().astype(np.int64)

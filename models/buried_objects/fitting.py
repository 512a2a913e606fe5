"""From traces to fitted networks: windows cut when they are read, batch by batch training, scores.

Here belongs which windows a network learns from, in the study's order or shuffled, and how it is
asked about whole scans. The networks are in `networks`, the loop that trains them in
`models.training`, the study of the order in `order`.

``features`` holds what a function reads: ``labels`` (label and scan of every trace), ``splits``
(split of every trace), ``windows`` (first row, length, split and batch of every window), and the
traces: ``scans`` (raw, V/m) or ``projected``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import from_architecture
from models.arrays import ArrayLike, Arrays
from models.buried_objects.networks import LEARNING_RATE, LOSS, OPTIMISER
from models.buried_objects.scans import runs
from models.buried_objects.windows import TRACES, cut
from models.metrics import confusion
from models.sampling import TRAIN, VALIDATION, Batches, Rows, rows_of
from models.training import EarlyStopping, Phase, Progress, Timing, fresh, predict, train

STEP = 25
"""Traces at most between the windows in which a whole scan is asked about."""

SCORED = 32
"""Windows asked about at once: 129 MB of published traces."""


class Windows:
    """Windows of neighbouring traces, cut when they are read, so that memory holds a batch.

    Parameters
    ----------
    traces
        Shape (rows, values), floating point; may lie on disk.
    start, length
        First row and traces of each window, shape (n,); what is short of 100 is padded with 0.
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
        """Cut the windows asked for; shape (k, ...)."""
        found = cut(self._traces, self._start[windows], self._length[windows])
        return found.astype(np.float32, copy=False).reshape(len(found), *self.shape[1:])


def traces_of(features: Mapping[str, Arrays]) -> ArrayLike:
    """Give the traces that a model reads, shape (rows, values): projected ones, or raw ones."""
    if "projected" in features:
        return features["projected"]["values"]
    return features["scans"]["ez"]


@dataclass(frozen=True)
class Asked:
    """Windows with what is known of them.

    Attributes
    ----------
    x
        Shape (n, 100, values) or (n, 100, values, 1).
    y
        Label of every trace, float32, shape (n, 100, 1), as Keras weighs classes.
    known
        Whether a trace is of the scan, not padding; shape (n, 100).
    """

    x: Windows
    y: NDArray[np.float32]
    known: NDArray[np.bool_]


def asked(built: Any, features: Mapping[str, Arrays]) -> Asked:
    """Cut all windows for a network."""
    start, length = (np.asarray(features["windows"][name]) for name in ("start", "length"))
    label = np.asarray(features["labels"]["label"])[:, None]
    return Asked(
        Windows(traces_of(features), start, length, channel=len(built.input_shape) == 4),
        Windows(label, start, length)[:],
        np.arange(TRACES) < length[:, None],
    )


def parts_of(windows: Arrays) -> list[tuple[int, Rows]]:
    """Give number and rows of the study's batches of training windows, in their order."""
    rows = rows_of(windows, TRAIN)
    batch = np.asarray(windows["batch"])[rows]
    return [(int(number), rows[batch == number]) for number in np.unique(batch)]


@dataclass(frozen=True)
class Turns:
    """What a training in parts left behind beside the weights.

    Attributes
    ----------
    values
        Loss and accuracy by epoch, of training and validation, over all parts.
    parts
        By part: ``batch``, ``windows``, ``epochs``, the `measures` on validation of the weights
        after it, and ``best_batch``, after which their average precision was largest so far.
    seen
        Windows learnt from, each as often as it was.
    timing
        How long the fits took, without the measures; not part of `record`.
    """

    values: dict[str, list[float]]
    parts: list[dict[str, Any]]
    seen: int
    timing: Timing = field(compare=False)

    def record(self) -> dict[str, Any]:
        """Return what is the same for the same seed, as plain data for JSON."""
        epochs = len(self.values["loss"])
        return {"epochs": epochs, "values": self.values, "parts": self.parts, "seen": self.seen}


@dataclass(frozen=True)
class Training:
    """How a network is trained on each part.

    Attributes
    ----------
    epochs, patience
        At most so many epochs a part; stopped when the validation loss hasn't improved for so many.
    batch
        Windows of a gradient step.
    seed
        Of the weights, the dropout and the order within a part.
    """

    epochs: int = 30
    patience: int = 10
    batch: int = 32
    seed: int = 3


def fit_network(
    architecture: Mapping[str, Any],
    features: Mapping[str, Arrays],
    training: Training,
    *,
    shuffled: bool = False,
    weighted: bool = False,
    after: Callable[[Any, Asked, Mapping[str, Any]], None] | None = None,
) -> tuple[Any, Turns]:
    """Train a network as the study does: one batch of scans after the other, last weights kept.

    Early stopping watches the validation loss, penalties included, as Keras does by itself. Adam
    goes on from part to part.

    Parameters
    ----------
    architecture
        As `networks.described` gives it.
    features
        See the module.
    training
        How long.
    shuffled
        Whether each part is as many windows drawn from all training scans, instead of those of its
        own scans.
    weighted
        Whether a positive trace weighs as much more as there are more negative ones.
    after
        Called after each part with the network, all windows, and the part's entry of `Turns`.

    Returns
    -------
    network, turns
        With the last weights.

    Raises
    ------
    ValueError
        There is no training or no validation window.
    """
    built = fresh(lambda: from_architecture(architecture), training.seed)
    windows, given = features["windows"], asked(built, features)
    parts, held = parts_of(windows), rows_of(windows, VALIDATION)
    if not parts or held.size == 0:
        raise ValueError(
            f"{len(parts)} batches of training windows and {held.size} validation windows: both "
            "are needed; make more scans, or change the shares of the splits"
        )
    learnt = np.concatenate([rows for _, rows in parts])
    weight = class_weight(given, learnt) if weighted else None
    values: dict[str, list[float]] = {}
    told: list[dict[str, Any]] = []
    weights: list[NDArray[Any]] = []
    best, best_batch = -1.0, 0
    seconds, seen = 0.0, 0

    def remember(progress: Progress) -> None:
        # Keras would put the best weights back when it stops; the study kept the last ones.
        weights[:] = built.get_weights()

    validation = Batches(given.x, given.y, held, batch=training.batch, shuffle=False)
    for place, (number, own) in enumerate(parts):
        seed = training.seed + 1000 * (place + 1)
        # As many gradient steps from all scans as an epoch of the part's own takes.
        rows, steps = (learnt, -(-own.size // training.batch)) if shuffled else (own, None)
        batches = Batches(given.x, given.y, rows, batch=training.batch, seed=seed, steps=steps)
        history = train(
            built,
            batches,
            validation,
            phases=[Phase(training.epochs, LEARNING_RATE)],
            optimiser=OPTIMISER,
            loss=LOSS,
            metrics=["accuracy"],
            seed=seed,
            class_weight=weight,
            early_stopping=EarlyStopping(training.patience),
            progress=remember,
            go_on=place > 0,
        )
        built.set_weights(weights)
        for name, held_values in history.values.items():
            values.setdefault(name, []).extend(held_values)
        seconds += history.timing.seconds
        seen += history.epochs * batches.samples
        now = measures(built, given, held)
        if (now["average_precision"] or 0.0) > best:
            best, best_batch = now["average_precision"] or 0.0, number
        part = {"batch": number, "windows": int(own.size), "epochs": history.epochs}
        told.append(part | now | {"best_batch": best_batch})
        if after is not None:
            after(built, given, told[-1])
    return built, Turns(values, told, seen, Timing(seconds, seen / seconds))


def class_weight(given: Asked, rows: Rows) -> dict[int, float]:
    """Weigh a positive trace by how many negative ones there are to each."""
    label = given.y[rows][given.known[rows]]
    positives = float(label.sum())
    if positives == 0:
        raise ValueError("no training window has a positive trace: check the labels and the split")
    return {1: (label.size - positives) / positives}


def answers(built: Any, given: Asked, rows: Rows) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Give label and score of every trace of some windows, padding left out; shape (m,) each."""
    score = predict(built, given.x, rows, batch=SCORED)[..., 1]
    known = given.known[rows]
    return given.y[rows][..., 0][known], score[known]


def measures(built: Any, given: Asked, rows: Rows) -> dict[str, Any]:
    """Measure a network by the study's decision, the likelier class, on the traces of windows.

    Returns
    -------
    dict
        ``tp``, ``fp``, ``fn``, ``precision``, ``recall``, ``f1`` (2 tp / (2 tp + fp + fn)) and
        ``average_precision``; None where undefined.
    """
    label, score = answers(built, given, rows)
    return measured(label, score, 0.5)


def measured(label: NDArray[Any], score: NDArray[np.float64], cut: float) -> dict[str, Any]:
    """Give what `measures` does of labels and scores, cut anywhere."""
    from sklearn.metrics import average_precision_score

    counts = confusion(label, score >= cut)
    tp, fp, fn = (counts[name] for name in ("tp", "fp", "fn"))
    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "precision": tp / (tp + fp) if tp + fp else None,
        "recall": tp / (tp + fn) if tp + fn else None,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fn else None,
        "average_precision": float(average_precision_score(label, score)) if tp + fn else None,
    }


def score_scans(
    fitted: Any, features: Mapping[str, Arrays], code: int
) -> tuple[Rows, NDArray[np.float64]]:
    """Ask a network about every trace of a split's scans, once.

    A scan is asked about in windows at most 25 traces apart, from its first trace to its last;
    where they overlap the score is their mean.

    Parameters
    ----------
    fitted
        A network from windows (n, 100, ...) to probabilities (n, 100, 2).
    features
        See the module.
    code
        The split.

    Returns
    -------
    rows, scores
        The split's rows, ascending, and the probability that each is over the object.

    Raises
    ------
    ValueError
        The split has no scan, or a score is not finite.
    """
    split = np.asarray(features["splits"]["split"])
    rows = np.flatnonzero(split == code)
    placed = [
        (first + offset, min(length, TRACES))
        for first, length in zip(*runs(np.asarray(features["labels"]["scan"])), strict=True)
        if split[first] == code
        for offset in offsets(int(length))
    ]
    start, length = np.array(placed, dtype=np.int64).reshape(-1, 2).T
    x = Windows(traces_of(features), start, length, channel=len(fitted.input_shape) == 4)
    score = predict(fitted, x, batch=SCORED)[..., 1]
    known = np.arange(TRACES) < length[:, None]
    place = np.searchsorted(rows, (start[:, None] + np.arange(TRACES))[known])
    times = np.bincount(place, minlength=rows.size)
    return rows, np.bincount(place, score[known], rows.size) / times


def offsets(length: int) -> Rows:
    """Where the windows begin in which a scan of so many traces is asked about, from 0.

    >>> offsets(144).tolist()
    [0, 22, 44]
    """
    last = max(length - TRACES, 0)
    return np.linspace(0, last, -(-last // STEP) + 1).round().astype(np.int64)

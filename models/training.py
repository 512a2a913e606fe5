"""Train a network and predict with it.

Seeds that make a training repeatable, the training loop with its phases of learning rate, and
predictions block by block. TensorFlow chooses the device: it uses a GPU where there is one.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays
from models.sampling import Batches, Rows, read_rows, require_finite
from models.tensorflow_repairs import ReleasableBatches, release_validation, released_gradients
from models.types import JsonDict

if TYPE_CHECKING:
    import keras
    from sklearn.base import BaseEstimator

logger = logging.getLogger(__name__)

LOG_EVERY = 5.0
"""Seconds between two messages about a training's progress."""

Network: TypeAlias = "keras.Model"
Estimator: TypeAlias = "BaseEstimator"


class TrainingDivergedError(ValueError):
    """The loss was no longer a finite number."""


@dataclass(frozen=True)
class Phase:
    """A number of epochs at one learning rate."""

    epochs: int
    learning_rate: float


@dataclass(frozen=True)
class EarlyStopping:
    """Stop when ``monitor`` has not improved for ``patience`` epochs, and keep the best weights.

    The best weights are kept also where training was not cut short. ``mode`` says which way is
    better: ``min`` or ``max``.
    """

    patience: int
    monitor: str = "val_loss"
    mode: str = "min"


@dataclass(frozen=True)
class Timing:
    """How long a training took; it differs from run to run, unlike everything else of it.

    ``samples_per_second`` leaves out the first epoch, in which the network is compiled, unless
    there is no other. Validation counts in the time, not in the samples.
    """

    seconds: float
    samples_per_second: float


@dataclass(frozen=True)
class Progress:
    """State after an epoch, from 1; ``remaining_seconds`` assumes no early stopping."""

    epoch: int
    epochs: int
    values: dict[str, float]
    seconds: float
    remaining_seconds: float

    def __str__(self) -> str:
        """Return one line for the log."""
        shown = [name for name in ("loss", "val_loss") if name in self.values]
        losses = ", ".join(f"{name} {self.values[name]:.4g}" for name in shown)
        left = f"about {self.remaining_seconds:.0f} s left"
        return f"epoch {self.epoch} of {self.epochs}, {losses}, {left}"


@dataclass(frozen=True)
class History:
    """How a training went, epoch by epoch.

    Attributes
    ----------
    values
        One number per epoch for ``loss``, each metric, ``val_`` of each where there is
        validation, and ``learning_rate``.
    phases
        The phases that were asked for.
    best_epoch
        The epoch, from 1, whose weights the network now has.
    stopped_early
        Whether fewer epochs were run than asked for.
    timing
        How long it took; not part of :meth:`to_dict`.
    details
        What a system adds, as JSON.
    """

    values: dict[str, list[float]]
    phases: tuple[Phase, ...]
    best_epoch: int
    stopped_early: bool
    timing: Timing = field(compare=False)
    details: JsonDict = field(default_factory=dict)

    @property
    def best_validation_loss(self) -> float | None:
        """Validation loss of the weights kept; None where nothing was validated."""
        losses = self.values.get("val_loss")
        return losses[self.best_epoch - 1] if losses else None

    @property
    def epochs(self) -> int:
        """Epochs that were run."""
        return len(self.values["loss"])

    def to_dict(self) -> JsonDict:
        """Return what is the same for the same seed, as JSON."""
        return {
            "epochs": self.epochs,
            "values": self.values,
            "phases": [[phase.epochs, phase.learning_rate] for phase in self.phases],
            "best_epoch": self.best_epoch,
            "stopped_early": self.stopped_early,
            **self.details,
        }


@dataclass(frozen=True)
class TrainingResult:
    """A trained network, how its training went, and what more the UI shows of it."""

    model: Network
    history: History
    metadata: JsonDict = field(default_factory=dict)


def seeded(seed: int) -> None:
    """Make what follows in this process repeatable: seeds, and deterministic operations.

    Sets the seeds of Python, NumPy's old global generator, Keras and TensorFlow, and asks
    TensorFlow for deterministic operations, on a GPU too. Call it before building a network: the
    first weights and the seeds of its dropout layers are drawn then.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fresh(build: Callable[[], Network], seed: int) -> Network:
    """Build a network whose first weights depend on ``seed`` alone.

    What Keras remembers of earlier networks (names, graphs, caches) is dropped, so that a hundred
    trainings in one process take no more memory than one; networks that are still in use go on
    working.

    Parameters
    ----------
    build
        Builds the network, e.g. ``lambda: keras.models.model_from_json(architecture)``.
    seed
        Seed of the first weights and of the dropout layers.
    """
    import keras

    keras.backend.clear_session()
    seeded(seed)
    return build()


def train(
    network: Network,
    batches: Batches,
    validation: Batches | None,
    *,
    phases: Sequence[Phase],
    optimiser: str | Mapping[str, Any],
    loss: Any,
    metrics: Sequence[Any] = (),
    seed: int,
    class_weight: Mapping[int, float] | None = None,
    early_stopping: EarlyStopping | None = None,
    progress: Callable[[Progress], None] | None = None,
    warm_start: bool = False,
) -> History:
    """Fit ``network`` in place.

    For the same result from the same seed, build the network with :func:`fresh`. Progress is logged
    every few seconds.

    Parameters
    ----------
    network
        A built ``keras.Model``. The weights go on from where they are.
    batches
        Training batches, epoch by epoch.
    validation
        Validation batches, in order: ``Batches(..., shuffle=False)``. None for no validation.
    phases
        Learning rates, one after the other.
    optimiser
        A Keras name such as ``"adam"``, or ``{"class_name": "SGD", "config": {"momentum": 0.9}}``;
        its learning rate is that of the phase.
    loss, metrics
        As ``keras.Model.compile`` takes them.
    seed
        Seed of whatever is drawn at random in training, beside the order of the batches.
    class_weight
        Weight of the loss by class; 1 for classes left out.
    early_stopping
        When to stop before the phases are over. None for never.
    progress
        Called after each epoch.
    warm_start
        Whether to continue an earlier training of this network, with the state of its optimiser and
        what was compiled then: the same ``optimiser``, ``loss`` and ``metrics``.

    Raises
    ------
    TrainingDivergedError
        If the loss, of training or validation, is not finite after an epoch. The network is then
        of no use.
    ValueError
        If the phases are empty, early stopping monitors a value that is not there, or there is no
        earlier training to continue.
    """
    import keras

    if not phases or any(phase.epochs < 1 or phase.learning_rate <= 0 for phase in phases):
        raise ValueError(f"phases need epochs >= 1 and learning rates > 0, not {list(phases)}")
    rates = [phase.learning_rate for phase in phases for _ in range(phase.epochs)]
    seeded(seed)
    if not warm_start:
        network.compile(
            optimizer=keras.optimizers.get(
                optimiser if isinstance(optimiser, str) else dict(optimiser)
            ),
            loss=loss,
            metrics=list(metrics),
        )
    elif not network.compiled:
        raise ValueError("the network was not trained yet: there is no training to continue")
    values: dict[str, list[float]] = {}
    ends: list[float] = []

    def before_epoch(epoch: int, logs: Mapping[str, float]) -> None:
        network.optimizer.learning_rate = rates[epoch]

    def after_epoch(epoch: int, logs: Mapping[str, float]) -> None:
        ends.append(time.perf_counter())
        now = {name: float(value) for name, value in logs.items()} | {"learning_rate": rates[epoch]}
        for name in ("loss", "val_loss"):
            if not math.isfinite(now.get(name, 0.0)):
                raise TrainingDivergedError(
                    f"{name} is {now[name]} after epoch {epoch + 1} of {len(rates)} (learning "
                    f"rate {rates[epoch]:g}): lower the learning rate, or clip the "
                    "gradients"
                )
        if early_stopping is not None and early_stopping.monitor not in now:
            raise ValueError(
                f"early stopping monitors {early_stopping.monitor!r}, but an epoch yields only "
                f"{sorted(now)}"
            )
        for name, value in now.items():
            values.setdefault(name, []).append(value)
        spent = ends[-1] - start
        left = spent / len(ends) * (len(rates) - len(ends))
        reached = Progress(epoch + 1, len(rates), now, spent, left)
        if ends[-1] - logged[-1] >= LOG_EVERY:
            logged.append(ends[-1])
            logger.info("%s: %s", network.name, reached)
        if progress is not None:
            progress(reached)

    callbacks: list[Any] = [
        keras.callbacks.LambdaCallback(on_epoch_begin=before_epoch, on_epoch_end=after_epoch),
    ]
    stopper = None
    if early_stopping is not None:
        stopper = keras.callbacks.EarlyStopping(
            monitor=early_stopping.monitor,
            mode=early_stopping.mode,
            patience=early_stopping.patience,
            restore_best_weights=True,
        )
        callbacks.append(stopper)
    start = time.perf_counter()
    logged = [start]
    with contextlib.ExitStack() as stack:
        stack.enter_context(released_gradients())
        training = stack.enter_context(ReleasableBatches(batches))
        held_out = (
            None if validation is None else stack.enter_context(ReleasableBatches(validation))
        )
        stack.callback(release_validation, network)
        network.fit(
            training.stream(endless=True),
            steps_per_epoch=batches.steps,
            epochs=len(rates),
            validation_data=None if held_out is None else held_out.stream(endless=False),
            class_weight=None if class_weight is None else _every_class(class_weight),
            shuffle=False,  # the stream is in its order already
            callbacks=callbacks,
            verbose=0,
        )
    run = len(ends)
    first = 0 if run == 1 else 1
    busy = ends[-1] - (start if run == 1 else ends[0])
    return History(
        values=values,
        phases=tuple(phases),
        best_epoch=run if stopper is None else int(stopper.best_epoch) + 1,
        stopped_early=run < len(rates),
        timing=Timing(ends[-1] - start, (run - first) * batches.samples / busy),
    )


def predict(
    network: Network, x: ArrayLike | Arrays, rows: Rows | None = None, *, batch: int = 256
) -> NDArray[np.float64]:
    """Score rows with ``network``, reading and holding one batch at a time.

    Parameters
    ----------
    network
        A ``keras.Model`` with one output.
    x
        Its input, shape (n, ...), or several by the name of the input layer.
    rows
        The rows to score, in this order; all by default.
    batch
        Rows read and scored at once.

    Returns
    -------
    float64 array
        Shape (rows,) where the network ends in one unit, else (rows, ...) as it ends.

    Raises
    ------
    ValueError
        If an input or a score is not finite; names the first such row.
    """
    arrays = x if isinstance(x, Mapping) else {"": x}
    wanted = np.arange(len(next(iter(arrays.values())))) if rows is None else np.asarray(rows)
    if wanted.size == 0:
        raise ValueError("there are no rows to score")
    parts = []
    for start in range(0, wanted.size, batch):
        part = wanted[start : start + batch]
        read = {
            name: read_rows(array, part).astype(np.float32, copy=False)
            for name, array in arrays.items()
        }
        for name, values in read.items():
            require_finite(values, part, name)
        inputs = read if isinstance(x, Mapping) else read[""]
        parts.append(np.asarray(network.predict_on_batch(inputs), dtype=np.float64))
    scores = np.concatenate(parts)
    if scores.ndim > 1 and scores.shape[-1] == 1:
        scores = scores[..., 0]
    broken = np.flatnonzero(~np.isfinite(scores.reshape(len(scores), -1)).all(axis=1))
    if broken.size:
        row = int(wanted[broken[0]])
        raise ValueError(
            f"the network gives no finite score for row {row + 1} ({broken.size} of {len(scores)} "
            "rows): its weights are broken, train it again"
        )
    return scores


def _every_class(weights: Mapping[int, float]) -> dict[int, float]:
    """Return a weight for every class, as Keras demands: 1 where none is set."""
    return {label: float(weights.get(label, 1.0)) for label in range(max(1, *weights) + 1)}

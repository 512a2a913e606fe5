"""How a network learns and is asked, the same for every system.

Here belong the seeding that makes a training repeatable, the training loop with its phases of
learning rate, and scoring by blocks. Networks are each system's own; the batches come from
:mod:`models.sampling`; what the scores are worth is for :mod:`models.metrics` to say.

TensorFlow chooses the device: a GPU is used where there is one.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays
from models.sampling import Batch, Batches, Rows, read_rows, require_finite

logger = logging.getLogger(__name__)

#: Seconds between two messages on how far a training is.
TELL_EVERY = 5.0

T = TypeVar("T")
Network = Any
"""A ``keras.Model``; keras is not imported for the sake of a type."""


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
    """What is known after an epoch, from 1; ``remaining_seconds`` assumes no early stopping."""

    epoch: int
    epochs: int
    values: dict[str, float]
    seconds: float
    remaining_seconds: float

    def __str__(self) -> str:
        """Say how far it is, in one line."""
        shown = [name for name in ("loss", "val_loss") if name in self.values]
        losses = ", ".join(f"{name} {self.values[name]:.4g}" for name in shown)
        left = f"about {self.remaining_seconds:.0f} s left"
        return f"epoch {self.epoch} of {self.epochs}, {losses}, {left}"


@dataclass(frozen=True)
class History:
    """What a training left behind beside the weights.

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
        How long it took; not part of :meth:`record`.
    """

    values: dict[str, list[float]]
    phases: tuple[Phase, ...]
    best_epoch: int
    stopped_early: bool
    timing: Timing = field(compare=False)

    @property
    def epochs(self) -> int:
        """Epochs that were run."""
        return len(self.values["loss"])

    def record(self) -> dict[str, Any]:
        """Return what is the same for the same seed, as plain data for JSON."""
        return {
            "epochs": self.epochs,
            "values": self.values,
            "phases": [[phase.epochs, phase.learning_rate] for phase in self.phases],
            "best_epoch": self.best_epoch,
            "stopped_early": self.stopped_early,
        }


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
    go_on: bool = False,
) -> History:
    """Fit ``network`` in place, and say how it went.

    For the same result from the same seed, build the network with :func:`fresh`. How far it is is
    logged every few seconds.

    Parameters
    ----------
    network
        A built ``keras.Model``. The weights go on from where they are.
    batches
        What to learn from, epoch by epoch.
    validation
        What to look at after each epoch, in order: ``Batches(..., shuffle=False)``. None for
        nothing.
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
    go_on
        Whether the optimiser, too, goes on from where an earlier training of this network left it,
        and what was compiled then is used again: the same ``optimiser``, ``loss`` and ``metrics``.

    Raises
    ------
    TrainingDivergedError
        If the loss, of training or validation, is not finite after an epoch. The network is then
        of no use.
    ValueError
        If the phases are empty, early stopping watches a value that is not there, or there is no
        earlier training to go on with.
    """
    import keras

    if not phases or any(phase.epochs < 1 or phase.learning_rate <= 0 for phase in phases):
        raise ValueError(f"phases need epochs >= 1 and learning rates > 0, not {list(phases)}")
    rates = [phase.learning_rate for phase in phases for _ in range(phase.epochs)]
    seeded(seed)
    if not go_on:
        network.compile(
            optimizer=keras.optimizers.get(
                optimiser if isinstance(optimiser, str) else dict(optimiser)
            ),
            loss=loss,
            metrics=list(metrics),
        )
    elif not network.compiled:
        raise ValueError("the network was not trained yet: there is nothing to go on with")
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
                f"early stopping watches {early_stopping.monitor!r}, but an epoch yields only "
                f"{sorted(now)}"
            )
        for name, value in now.items():
            values.setdefault(name, []).append(value)
        spent = ends[-1] - start
        left = spent / len(ends) * (len(rates) - len(ends))
        reached = Progress(epoch + 1, len(rates), now, spent, left)
        if ends[-1] - told[-1] >= TELL_EVERY:
            told.append(ends[-1])
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
    told = [start]
    with contextlib.ExitStack() as stack:
        stack.enter_context(_forgotten_gradients())
        learnt = stack.enter_context(Lent(batches))
        looked_at = None if validation is None else stack.enter_context(Lent(validation))
        stack.callback(_forget_validation, network)
        network.fit(
            learnt.stream(endless=True),
            steps_per_epoch=batches.steps,
            epochs=len(rates),
            validation_data=None if looked_at is None else looked_at.stream(endless=False),
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


def stream(batches: Batches, *, endless: bool) -> Any:
    """Turn batches into a ``tf.data.Dataset``, read ahead while the network is busy.

    Rows in memory are picked by TensorFlow, so that Python is asked once an epoch, for the order;
    stored ones come batch by batch from :meth:`Batches.epoch`. The batches are the same.
    TensorFlow keeps the batches alive; where there will be others, use :class:`Lent`.

    Parameters
    ----------
    batches
        The rows, in batches of float32 ``(x, y)``.
    endless
        Whether to go on to the next epoch, or to stop after the first.
    """
    return Lent(batches).stream(endless=endless)


class Lent:
    """Batches that TensorFlow reads until they are taken back, at the end of a ``with`` block.

    It would keep them otherwise: generators as long as its default graph lives, which may be as
    long as the process, and tensors that a dataset's functions use until Python's next full
    collection of garbage, since functions and their graphs refer to each other. So it is given
    generators that know only this object, and tensors as variables, which can be emptied.

    Parameters
    ----------
    batches
        The rows, in batches of float32 ``(x, y)``.
    """

    def __init__(self, batches: Batches) -> None:
        self._batches: Batches | None = batches
        self._readers: weakref.WeakSet[_Reader[Any]] = weakref.WeakSet()
        self._variables: list[Any] = []
        self._lock = threading.Lock()  # TensorFlow reads in threads of its own

    def __enter__(self) -> Lent:
        return self

    def __exit__(self, *_: object) -> None:
        """Take the batches back: what still reads them finds no more."""
        with self._lock:
            self._batches = None
            for reader in self._readers:
                reader.source = iter(())
        for variable in self._variables:
            variable.assign(np.zeros((0, *variable.shape[1:]), dtype=np.float32))
        self._variables.clear()

    def stream(self, *, endless: bool) -> Any:
        """Give the ``tf.data.Dataset``: see :func:`stream`."""
        import tensorflow as tf

        batches = self._lent()
        # What the functions below refer to must not lead to the batches.
        single, size = batches.single, batches.batch

        def packed(named: dict[str, Any]) -> Any:
            return named[""] if single else named

        if batches.in_memory:
            with tf.device("cpu"):  # the rows stay where they are; a batch goes to the device
                y = self._variable(batches.y)
                x = {name: self._variable(array) for name, array in batches.arrays.items()}
            index = tf.TensorSpec((None,), tf.int64)
            dataset = (
                tf.data.Dataset.from_generator(
                    lambda: self._read(_orders, endless), output_signature=index
                )
                .flat_map(lambda order: tf.data.Dataset.from_tensor_slices(order).batch(size))
                .map(
                    lambda i: (packed({k: tf.gather(v, i) for k, v in x.items()}), tf.gather(y, i))
                )
            )
        else:
            specs = {
                name: tf.TensorSpec((None, *array.shape[1:]), tf.float32)
                for name, array in batches.arrays.items()
            }
            target = tf.TensorSpec((None, *batches.y.shape[1:]), tf.float32)
            dataset = tf.data.Dataset.from_generator(
                lambda: self._read(_epochs, endless), output_signature=(packed(specs), target)
            )
        steps = tf.data.INFINITE_CARDINALITY if endless else batches.steps
        return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)

    def _lent(self) -> Batches:
        if self._batches is None:
            raise ValueError("the batches have been taken back")
        return self._batches

    def _read(
        self, made: Callable[[Batches, Iterable[int]], Iterator[T]], endless: bool
    ) -> Iterator[T]:
        with self._lock:
            epochs = itertools.count() if endless else [0]
            reader = _Reader(made(self._lent(), epochs), self._lock)
            self._readers.add(reader)
        return reader

    def _variable(self, array: ArrayLike) -> Any:
        import tensorflow as tf

        shape = (None, *array.shape[1:])  # any number of rows, so that it can be emptied
        variable = tf.Variable(array, trainable=False, shape=shape, dtype=tf.float32)
        self._variables.append(variable)
        return variable


class _Reader(Iterator[T]):
    """An iterator whose source can be taken away, under the lock, from another thread."""

    def __init__(self, source: Iterator[T], lock: threading.Lock) -> None:
        self.source = source
        self._lock = lock

    def __next__(self) -> T:
        with self._lock:
            return next(self.source)


def _orders(batches: Batches, epochs: Iterable[int]) -> Iterator[Rows]:
    return (batches.order(epoch) for epoch in epochs)


def _epochs(batches: Batches, epochs: Iterable[int]) -> Iterator[Batch]:
    return itertools.chain.from_iterable(batches.epoch(epoch) for epoch in epochs)


@contextlib.contextmanager
def _forgotten_gradients() -> Iterator[None]:
    """Take back the custom gradients that are registered meanwhile.

    TensorFlow registers one for each graph with, say, a sigmoid cross-entropy or a CTC loss, for as
    long as the process lives, and each holds its whole graph: some 10 MB a training. They are
    looked up only while the graph is traced, and traced anew with it.
    """
    from tensorflow.python.framework.ops import gradient_registry

    before = set(gradient_registry.list())
    try:
        yield
    finally:
        for name in set(gradient_registry.list()) - before:
            if name.startswith("CustomGradient-"):
                del gradient_registry._registry[name]


def _forget_validation(network: Network) -> None:
    """Take from a network what Keras reads in validation, and leaves there if the fit fails."""
    network._eval_epoch_iterator = None


def _every_class(weights: Mapping[int, float]) -> dict[int, float]:
    """Give a weight to every class, as Keras demands: 1 where none is set."""
    return {label: float(weights.get(label, 1.0)) for label in range(max(1, *weights) + 1)}

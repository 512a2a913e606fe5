"""Repairs for memory that TensorFlow 2.21 and Keras 3 keep after a training.

Without them a hundred trainings in one process hold the data and graphs of all. Each says what is
kept and why; look again with every new release of TensorFlow.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from models.arrays import ArrayLike
from models.sampling import Batch, Batches, Rows

if TYPE_CHECKING:
    import keras

T = TypeVar("T")


def stream(batches: Batches, *, endless: bool) -> Any:
    """Turn batches into a ``tf.data.Dataset``, read ahead while the network is busy.

    TensorFlow gathers rows in memory, so that Python runs once an epoch, for the order; stored rows
    come batch by batch from :meth:`Batches.epoch`. The batches are the same. TensorFlow keeps them
    alive; where there will be others, use :class:`ReleasableBatches`.

    Parameters
    ----------
    batches
        The rows, in batches of float32 ``(x, y)``.
    endless
        Whether to go on to the next epoch, or to stop after the first.
    """
    return ReleasableBatches(batches).stream(endless=endless)


class ReleasableBatches:
    """Batches that TensorFlow reads until they are released, at the end of a ``with`` block.

    TensorFlow keeps generators as long as its default graph lives, which may be as long as the
    process, and tensors that a dataset's functions use until Python's next full garbage collection,
    since functions and their graphs refer to each other. So it gets generators that know only this
    object, and tensors as variables, which can be emptied.

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

    def __enter__(self) -> ReleasableBatches:
        return self

    def __exit__(self, *_: object) -> None:
        """Release the batches: whatever still reads them gets no more."""
        with self._lock:
            self._batches = None
            for reader in self._readers:
                reader.source = iter(())
        for variable in self._variables:
            variable.assign(np.zeros((0, *variable.shape[1:]), dtype=np.float32))
        self._variables.clear()

    def stream(self, *, endless: bool) -> Any:
        """Return the ``tf.data.Dataset``: see :func:`stream`."""
        import tensorflow as tf

        batches = self._available()
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

    def _available(self) -> Batches:
        if self._batches is None:
            raise ValueError("the batches have been released")
        return self._batches

    def _read(
        self, made: Callable[[Batches, Iterable[int]], Iterator[T]], endless: bool
    ) -> Iterator[T]:
        with self._lock:
            epochs = itertools.count() if endless else [0]
            reader = _Reader(made(self._available(), epochs), self._lock)
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
def released_gradients() -> Iterator[None]:
    """Release the custom gradients that are registered within the block.

    TensorFlow registers one for each graph with, say, a sigmoid cross-entropy or a CTC loss, and
    keeps it as long as the process lives, with its whole graph: some 10 MB a training. They are
    looked up only while the graph is traced, and a later trace registers them again.
    """
    from tensorflow.python.framework.ops import gradient_registry

    before = set(gradient_registry.list())
    try:
        yield
    finally:
        for name in set(gradient_registry.list()) - before:
            if name.startswith("CustomGradient-"):
                del gradient_registry._registry[name]


def release_validation(network: keras.Model) -> None:
    """Release the validation data that Keras leaves on a network if the fit fails."""
    network._eval_epoch_iterator = None

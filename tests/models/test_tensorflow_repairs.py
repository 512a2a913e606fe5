"""Streams hold the batches; nothing of a training stays in memory."""

from __future__ import annotations

import gc
import resource
import weakref
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from models import sampling
from models.sampling import BalancedBatches, Batches
from models.tensorflow_repairs import ReleasableBatches, stream
from models.training import Phase, fresh, predict, train
from orchestration.store.formats import StoredArray

N = 96


def build():
    import keras

    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    y = (np.arange(N) % 4 == 0).astype(np.float32)
    x = generator.standard_normal((N, 6)).astype(np.float32)
    x[:, 0] += 3 * y
    return x, y


def fitted(data, seed=5, **options):
    x, y = data
    network = fresh(build, seed)
    settings = {
        "phases": [Phase(2, 0.05), Phase(1, 0.001)],
        "optimiser": "adam",
        "loss": "binary_crossentropy",
        "metrics": ["accuracy"],
        "seed": seed,
    } | options
    batches = settings.pop("batches", None) or BalancedBatches(x, y, batch=16, seed=seed)
    validation = settings.pop("validation", Batches(x, y, batch=40, shuffle=False))
    return network, train(network, batches, validation, **settings)


def test_a_stream_holds_the_same_batches_from_memory_and_from_disk(data, tmp_path, monkeypatch):
    x, y = data
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = StoredArray(file.create_dataset("x", data=x))
        kept = BalancedBatches({"a": x}, y, batch=8, seed=3)
        monkeypatch.setattr(sampling, "MEMORY_BYTES", 0)
        lazy = BalancedBatches({"a": stored}, y, batch=8, seed=3)
        assert (kept.in_memory, lazy.in_memory) == (True, False)
        steps = 2 * kept.steps
        for batches in (kept, lazy):
            expected = [batch for epoch in (0, 1) for batch in batches.epoch(epoch)]
            streamed = list(stream(batches, endless=True).take(steps).as_numpy_iterator())
            assert len(streamed) == len(expected) == steps
            for (inputs, targets), (inputs_expected, targets_expected) in zip(
                streamed, expected, strict=True
            ):
                assert np.array_equal(inputs["a"], inputs_expected["a"])
                assert np.array_equal(targets, targets_expected)


def test_a_trained_network_and_its_graphs_are_released(data):
    def graphs():
        gc.collect()
        return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())

    fresh(build, 0)
    before = graphs()
    network, _ = fitted(data, phases=[Phase(1, 0.01)])
    predict(network, data[0])
    gone = weakref.ref(network)
    assert graphs() > before
    del network
    fresh(build, 0)
    assert graphs() <= before
    assert gone() is None


class Ragged(Batches):
    """Batches of different widths, as `stream` takes them: made in `epoch`, with shapes alone."""

    def __init__(self, x, y, **settings):
        super().__init__(x, y, **settings)
        self.rows, self.targets, self.in_memory = x, self.y, False
        self.arrays = {"": SimpleNamespace(shape=(len(x), None))}
        self.y = SimpleNamespace(shape=(len(y),))  # type: ignore[assignment]

    def epoch(self, number):
        for part in np.array_split(self.order(number), self.steps):
            yield self.rows[part][:, : 4 + part.size % 3], self.targets[part]


class Stored:
    """Rows that are read when they are asked for."""

    def __init__(self, rows):
        self.rows, self.shape, self.dtype = rows, rows.shape, rows.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, rows):
        return self.rows[rows]


def widths(**_):
    import keras

    inputs = keras.Input((None,))
    total = keras.layers.Lambda(lambda x: keras.ops.sum(x, axis=1, keepdims=True))(inputs)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(total))


@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
@pytest.mark.parametrize("kind", ["memory", "stored", "ragged"])
def test_batches_are_released_after_training(data, monkeypatch, kind, fails):
    """Without a collection of garbage, and though the network lives on."""
    if kind == "stored":
        monkeypatch.setattr(sampling, "MEMORY_BYTES", 0)
    network = fresh(widths if kind == "ragged" else build, 1)

    def fail(progress):
        if fails and progress.epoch == 2:
            raise RuntimeError("failed")

    def run():
        """Train; what is to be gone after it."""
        x, y = data[0].copy(), data[1]
        given = Stored(x) if kind == "stored" else x
        of = Ragged if kind == "ragged" else Batches
        batches, validation = (of(given, y, batch=9, shuffle=s) for s in (True, False))
        assert batches.in_memory == (kind == "memory")
        with pytest.raises(RuntimeError) if fails else nullcontext():
            train(
                network,
                batches,
                validation,
                phases=[Phase(3, 0.01)],
                optimiser="sgd",
                loss="binary_crossentropy",
                seed=1,
                progress=fail,
            )
        return [weakref.ref(thing) for thing in (batches, validation, x)]

    gc.collect()
    gc.disable()
    try:
        assert [thing() for thing in run()] == [None] * 3
    finally:
        gc.enable()


def test_trainings_do_not_add_up_in_memory():
    """Nor before Python collects garbage, which knows nothing of a tensor's size."""

    def resident():
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20

    network = fresh(widths, 1)
    batches = Batches(np.zeros((500, 8192), dtype=np.float32), np.zeros(500), batch=250)
    used = []
    gc.collect()
    gc.disable()
    try:
        for seed in range(10):
            settings = {"optimiser": "sgd", "loss": "mse", "seed": seed}
            train(network, batches, batches, phases=[Phase(1, 0.01)], **settings)
            used.append(resident())
    finally:
        gc.enable()
    # Of 16 MB; six more trainings that kept it would take twelve copies more.
    assert used[9] - used[3] < 4 * 16


def test_released_batches_end_and_cannot_be_streamed_again(data, monkeypatch):
    from tensorflow.errors import OpError

    for limit, error in (
        (sampling.MEMORY_BYTES, r"not in \[0, 0\)"),
        (0, "to contain 96 elements"),
    ):
        monkeypatch.setattr(sampling, "MEMORY_BYTES", limit)
        batches = Batches(Stored(data[0]), data[1], batch=1)
        assert batches.in_memory == bool(limit)
        with ReleasableBatches(batches) as released:
            reading = iter(released.stream(endless=False))
            next(reading)
        # A few that were read ahead are still there.
        with pytest.raises(OpError, match=error):
            list(reading)
        with pytest.raises(ValueError, match="the batches have been released"):
            released.stream(endless=False)

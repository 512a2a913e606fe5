"""Networks learn, repeatably, in phases, and say when they cannot."""

from __future__ import annotations

import gc
import re
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
from models.training import (
    EarlyStopping,
    Lent,
    Phase,
    TrainingDivergedError,
    fresh,
    predict,
    stream,
    train,
)

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


@pytest.fixture(scope="module")
def trained(data):
    told = []
    network, history = fitted(data, progress=told.append)
    return network, history, told


def test_the_same_seed_twice_gives_the_same_weights_and_history(data, trained):
    one, first, _ = trained
    (two, again), (three, other) = (fitted(data, seed) for seed in (5, 6))
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert first.record() == again.record()
    assert not np.array_equal(one.get_weights()[0], three.get_weights()[0])
    assert first.record() != other.record()


def test_learning_rate_follows_the_phases_and_values_are_per_epoch(trained):
    network, history, _ = trained
    assert history.values["learning_rate"] == [0.05, 0.05, 0.001]
    assert float(network.optimizer.learning_rate.numpy()) == pytest.approx(0.001)
    assert set(history.values) == {
        "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate",
    }  # fmt: skip
    assert {len(values) for values in history.values.values()} == {3}
    assert (history.epochs, history.best_epoch, history.stopped_early) == (3, 3, False)
    assert history.timing.seconds > 0
    assert history.timing.samples_per_second > 0
    assert "timing" not in history.record()
    assert history.record()["phases"] == [[2, 0.05], [1, 0.001]]


def test_progress_is_told_after_each_epoch(trained):
    told = trained[2]
    assert [(p.epoch, p.epochs) for p in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[0].remaining_seconds == pytest.approx(2 * told[0].seconds)
    assert told[-1].remaining_seconds == 0
    assert told[0].values["learning_rate"] == 0.05


def test_how_far_it_is_is_logged_every_few_seconds(data, monkeypatch, caplog):
    monkeypatch.setattr("models.training.TELL_EVERY", 0.0)
    with caplog.at_level("INFO", logger="models"):
        told = []
        network, _ = fitted(data, progress=told.append)
    assert caplog.messages == [f"{network.name}: {one}" for one in told]
    assert re.fullmatch(
        r"epoch 2 of 3, loss 0\.\d+, val_loss 0\.\d+, about \d+ s left", str(told[1])
    )
    monkeypatch.setattr("models.training.TELL_EVERY", 1000.0)
    caplog.clear()
    with caplog.at_level("INFO", logger="models"):
        fitted(data)
    assert caplog.messages == []


def test_the_network_learns_and_validation_is_whole(data):
    x, y = data
    network, history = fitted(data, phases=[Phase(12, 0.05)])
    scores = predict(network, x)
    assert scores[y == 1].mean() > scores[y == 0].mean() + 0.4
    # What Keras reports for the last epoch is the mean over every validation row.
    clipped = np.clip(scores, 1e-7, 1 - 1e-7)
    by_hand = -np.mean(y * np.log(clipped) + (1 - y) * np.log(1 - clipped))
    assert history.values["val_loss"][-1] == pytest.approx(by_hand, rel=1e-4)


def test_a_stream_holds_the_same_batches_from_memory_and_from_disk(data, tmp_path, monkeypatch):
    x, y = data
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=x)
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


def test_early_stopping_keeps_the_best_weights(data):
    x, y = data
    network, history = fitted(
        data,
        phases=[Phase(2, 0.01), Phase(20, 5.0)],  # the second phase wrecks it
        early_stopping=EarlyStopping(patience=2),
    )
    losses = history.values["val_loss"]
    assert history.stopped_early
    assert history.epochs < 22
    assert history.best_epoch == int(np.argmin(losses)) + 1 < history.epochs
    scores = np.clip(predict(network, x), 1e-7, 1 - 1e-7)
    assert -np.mean(np.where(y == 1, np.log(scores), np.log(1 - scores))) == pytest.approx(
        min(losses), rel=1e-4
    )


def test_early_stopping_says_what_it_could_have_watched(data):
    with pytest.raises(ValueError, match=r"watches 'val_loss', but an epoch yields only \['acc"):
        fitted(data, validation=None, early_stopping=EarlyStopping(patience=1))


def test_class_weight_multiplies_the_loss(data):
    x, y = data

    def first_loss(weight):
        batches = Batches(x, y, batch=N, shuffle=False)
        options = {"batches": batches, "phases": [Phase(1, 1e-9)], "class_weight": weight}
        return fitted(data, validation=None, metrics=[], **options)[1].values["loss"][0]

    plain, negatives = first_loss(None), first_loss({1: 0.0})
    assert first_loss({1: 5.0}) == pytest.approx(5 * plain - 4 * negatives, rel=1e-5)


def test_a_loss_that_is_not_finite_is_an_error_naming_the_epoch(data):
    message = r"^loss is nan after epoch 2 of 3 \(learning rate 1e\+30\): lower the learning rate"
    with pytest.raises(TrainingDivergedError, match=message):
        fitted(data, loss="mse", phases=[Phase(1, 0.01), Phase(2, 1e30)], optimiser="sgd")
    far = Batches(data[0], np.full(N, 3e38), shuffle=False)
    with pytest.raises(TrainingDivergedError, match=r"^val_loss is inf after epoch 1 of 3"):
        fitted(data, loss="mse", validation=far)


@pytest.mark.parametrize("phases", [[], [Phase(0, 0.1)], [Phase(1, 0.0)]])
def test_phases_that_train_nothing_are_refused(data, phases):
    with pytest.raises(ValueError, match="phases need epochs >= 1"):
        fitted(data, phases=phases)


def test_an_optimiser_may_have_settings(data):
    network, _ = fitted(
        data,
        optimiser={"class_name": "SGD", "config": {"momentum": 0.9, "clipnorm": 5.0}},
        phases=[Phase(1, 0.02)],
    )
    assert (network.optimizer.momentum, network.optimizer.clipnorm) == (0.9, 5.0)


def test_predict_scores_rows_in_their_order_from_memory_and_from_disk(data, tmp_path):
    x, _ = data
    network = fresh(build, 1)
    scores = predict(network, x, batch=40)
    assert scores.dtype == np.float64
    assert scores.shape == (N,)
    rows = np.array([90, 3, 3, 17])
    assert predict(network, x, rows, batch=3) == pytest.approx(scores[rows], abs=1e-6)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=x)
        assert predict(network, stored, rows) == pytest.approx(scores[rows], abs=1e-6)


def test_predict_names_the_row_without_a_score(data):
    x = data[0].copy()
    network = fresh(build, 1)
    x[7] = np.nan
    with pytest.raises(ValueError, match=r"input x holds NaN or inf in row 8 \(1 of 56 rows read"):
        predict(network, x, np.arange(0, 56))
    network.set_weights([weights * np.nan for weights in network.get_weights()])
    with pytest.raises(ValueError, match=r"no finite score for row 10 \(2 of 2 rows\)"):
        predict(network, x, np.array([9, 8]))
    with pytest.raises(ValueError, match="no rows to score"):
        predict(network, x, np.array([], dtype=int))


def test_a_trained_network_and_its_graphs_are_let_go(data):
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
        self.y = SimpleNamespace(shape=(len(y),))

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
def test_batches_are_let_go_after_training(data, monkeypatch, kind, fails):
    """Without a collection of garbage, and though the network lives on."""
    if kind == "stored":
        monkeypatch.setattr(sampling, "MEMORY_BYTES", 0)
    network = fresh(widths if kind == "ragged" else build, 1)

    def told(progress):
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
                progress=told,
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


def test_what_was_taken_back_ends_and_cannot_be_lent_again(data, monkeypatch):
    from tensorflow.errors import OpError

    for limit, error in (
        (sampling.MEMORY_BYTES, r"not in \[0, 0\)"),
        (0, "to contain 96 elements"),
    ):
        monkeypatch.setattr(sampling, "MEMORY_BYTES", limit)
        batches = Batches(Stored(data[0]), data[1], batch=1)
        assert batches.in_memory == bool(limit)
        with Lent(batches) as lent:
            reading = iter(lent.stream(endless=False))
            next(reading)
        # A few that were read ahead are still there.
        with pytest.raises(OpError, match=error):
            list(reading)
        with pytest.raises(ValueError, match="the batches have been taken back"):
            lent.stream(endless=False)


def test_a_training_may_go_on_with_the_optimiser_and_what_was_compiled(data):
    traced = []

    def loss(y_true, y_pred):
        import keras

        traced.append(None)  # only where the step is traced
        return keras.losses.binary_crossentropy(y_true, y_pred)

    x, y = data
    batches = Batches(x, y, batch=32, seed=1)
    network = fresh(build, 1)
    same = {"phases": [Phase(2, 0.01)], "optimiser": "adam", "loss": loss, "seed": 1}
    train(network, batches, None, **same)
    once = len(traced)
    assert int(network.optimizer.iterations) == 2 * 3
    train(network, batches, None, **same, go_on=True)
    assert int(network.optimizer.iterations) == 4 * 3
    assert len(traced) == once
    train(network, batches, None, **same)
    assert int(network.optimizer.iterations) == 2 * 3


def test_what_was_never_trained_cant_go_on(data):
    with pytest.raises(ValueError, match="nothing to go on with"):
        fitted(data, go_on=True)

"""Networks learn, repeatably, in phases, and say when they cannot."""

from __future__ import annotations

import re

import h5py
import numpy as np
import pytest

from models.sampling import BalancedBatches, Batches
from models.training import (
    EarlyStopping,
    Phase,
    TrainingDivergedError,
    fresh,
    predict,
    train,
)
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


@pytest.fixture(scope="module")
def trained(data):
    reached = []
    network, history = fitted(data, progress=reached.append)
    return network, history, reached


def test_the_same_seed_twice_gives_the_same_weights_and_history(data, trained):
    one, first, _ = trained
    (two, again), (three, other) = (fitted(data, seed) for seed in (5, 6))
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert first.to_dict() == again.to_dict()
    assert not np.array_equal(one.get_weights()[0], three.get_weights()[0])
    assert first.to_dict() != other.to_dict()


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
    assert "timing" not in history.to_dict()
    assert history.to_dict()["phases"] == [[2, 0.05], [1, 0.001]]


def test_progress_is_reported_after_each_epoch(trained):
    reached = trained[2]
    assert [(p.epoch, p.epochs) for p in reached] == [(1, 3), (2, 3), (3, 3)]
    assert reached[0].remaining_seconds == pytest.approx(2 * reached[0].seconds)
    assert reached[-1].remaining_seconds == 0
    assert reached[0].values["learning_rate"] == 0.05


def test_progress_is_logged_every_few_seconds(data, monkeypatch, caplog):
    monkeypatch.setattr("models.training.LOG_EVERY", 0.0)
    with caplog.at_level("INFO", logger="models"):
        reached = []
        network, _ = fitted(data, progress=reached.append)
    assert caplog.messages == [f"{network.name}: {one}" for one in reached]
    assert re.fullmatch(
        r"epoch 2 of 3, loss 0\.\d+, val_loss 0\.\d+, about \d+ s left", str(reached[1])
    )
    monkeypatch.setattr("models.training.LOG_EVERY", 1000.0)
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


def test_early_stopping_says_what_it_could_have_monitored(data):
    with pytest.raises(ValueError, match=r"monitors 'val_loss', but an epoch yields only \['acc"):
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
        stored = StoredArray(file.create_dataset("x", data=x))
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


def test_a_warm_start_keeps_the_optimiser_and_what_was_compiled(data):
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
    train(network, batches, None, **same, warm_start=True)
    assert int(network.optimizer.iterations) == 4 * 3
    assert len(traced) == once
    train(network, batches, None, **same)
    assert int(network.optimizer.iterations) == 2 * 3


def test_what_was_never_trained_cannot_start_warm(data):
    with pytest.raises(ValueError, match="no training to continue"):
        fitted(data, warm_start=True)

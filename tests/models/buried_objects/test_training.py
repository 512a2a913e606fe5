"""Windows read lazily, training part by part, and every trace of a scan scored once."""

from __future__ import annotations

import numpy as np
import pytest

from models import sampling
from models.buried_objects import networks
from models.buried_objects import training as trainings
from models.buried_objects.training import Settings, Windows
from models.buried_objects.windows import windows_of
from models.sampling import SPLITS
from models.training import History, Timing

# Keras 3 asks TensorFlow's variables for NumPy arrays in a way that NumPy 2 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SAMPLES = 8


def made(lengths, seed=0, separable=True):
    """Scans whose samples are 3 higher over the object, in the middle third."""
    generator = np.random.default_rng(seed)
    scan = np.repeat(np.arange(len(lengths)), lengths).astype(np.int32)
    trace = np.concatenate([np.arange(n) for n in lengths]).astype(np.int16)
    middle = np.concatenate([np.arange(n) * 3 // n == 1 for n in lengths])
    label = middle.astype(np.int8)
    ez = generator.normal(size=(len(scan), SAMPLES)) + 3 * separable * label[:, None]
    # Of ten scans two are for testing, two for validation, and three each in two batches.
    part = np.resize([-1, 1, 2, 0, 1, 2, 0, 1, 2, -1], len(lengths)).astype(np.int8)[scan]
    windows = [windows_of(k, length, 1, per_scan=4) for k, length in enumerate(lengths)]
    every = {
        "label": label,
        "scan": scan,
        "trace": trace,
        "part": part,
        "windows": np.concatenate(windows),
        "ez": ez.astype(np.float32),
    }
    split = np.select([part == -1, part == 0], [2, 1], 0)
    return {name: chosen(every, split == code) for code, name in enumerate(SPLITS)}


def chosen(traces, rows):
    return {name: values[rows] for name, values in traces.items()}


@pytest.fixture(scope="module")
def splits():
    return made([144] * 9 + [120])


class Counting:
    """Rows that remember how many were read at once."""

    def __init__(self, rows):
        self.rows, self.most = rows, 0
        self.shape, self.dtype = rows.shape, rows.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, wanted):
        found = self.rows[wanted]
        self.most = max(self.most, len(found))
        return found


def test_windows_are_read_on_demand_padded_with_0_and_given_a_channel():
    rows = Counting(np.arange(300, dtype=np.float64).reshape(150, 2) + 1)
    windows = Windows(rows, np.array([0, 100, 40]), np.array([100, 50, 100]), channel=True)
    assert windows.shape == (3, 100, 2, 1)
    assert rows.most == 0
    found = windows[np.array([1, 2])]
    assert rows.most == 100
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[0, :50, :, 0], rows.rows[100:150])
    assert not found[0, 50:].any()
    np.testing.assert_array_equal(windows[1:3], found)


def test_a_scan_is_scored_from_end_to_end():
    for length in (1, 99, 100, 101, 144, 1000):
        offsets = trainings.offsets(length)
        assert offsets[0] == 0
        assert offsets[-1] == max(length - 100, 0)
        assert np.all(np.diff(offsets) <= trainings.STEP)
        assert np.all(np.diff(offsets) > 0)


def test_parts_are_the_training_batches_in_their_order(splits):
    given = trainings.examples(Echo(), splits["train"])
    (first, rows), (second, others) = trainings.parts_of(given)
    assert (first, second) == (1, 2)
    # Scans of both parts alternate, four windows each.
    assert rows.tolist() == [*range(4), *range(8, 12), *range(16, 20)]
    assert others.tolist() == [*range(4, 8), *range(12, 16), *range(20, 24)]


class Echo:
    """A network that says the first sample of each trace, and where in the window it is."""

    input_shape = (None, 100, SAMPLES)

    def predict_on_batch(self, x):
        return np.stack([1 - x[..., 0], x[..., 0]], axis=-1)


def test_every_trace_is_scored_once_whatever_the_length_of_its_scan():
    scan = np.repeat([2, 3, 7, 8, 9], [60, 144, 100, 230, 60])
    first = np.arange(len(scan), dtype=np.float32) / 4096
    traces = {"scan": scan, "ez": np.repeat(first[:, None], SAMPLES, axis=1)}
    np.testing.assert_allclose(trainings.score_scans(Echo(), traces), first, atol=1e-6)


def test_measures_by_hand_and_undefined_ones():
    label, score = np.array([1, 1, 0, 0]), np.array([0.9, 0.2, 0.6, 0.1])
    measures = trainings.measured(label, score, 0.5)
    assert (measures["tp"], measures["fp"], measures["fn"]) == (1, 1, 1)
    assert (measures["precision"], measures["recall"], measures["f1"]) == (0.5, 0.5, 0.5)
    assert measures["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert trainings.measured(label, score, 2.0)["precision"] is None
    none = trainings.measured(np.zeros(2), np.array([0.9, 0.1]), 0.5)
    assert none["recall"] is None
    assert none["f1"] is None


def test_a_positive_trace_weighs_as_many_as_there_are_negative_ones_and_padding_nothing():
    training = made([144] * 4 + [30] * 8)["train"]
    given = trainings.examples(Echo(), training)
    inside = training["windows"].sum(axis=1)  # the windows that a trace is in
    share = np.average(training["label"], weights=inside)
    assert trainings.class_weight(given)[1] == pytest.approx((1 - share) / share)
    given.y[:] = 0
    with pytest.raises(ValueError, match="no training window has a positive trace"):
        trainings.class_weight(given)


def test_a_training_learns_and_repeats_itself_when_windows_are_read_again(splits, monkeypatch):
    first = chosen(splits["train"], splits["train"]["part"] == 1)
    described = networks.describe("rnn1", SAMPLES)
    settings = Settings(epochs=5, patience=10, batch=4, seed=1)
    one = trainings.fit_network(described, first, splits["validation"], settings)
    monkeypatch.setattr(sampling, "MEMORY_BYTES", 0)
    other = trainings.fit_network(described, first, splits["validation"], settings)
    history = one.history
    assert history == other.history
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert history.details["seen"] == 5 * 3 * 4  # epochs, scans, windows
    assert history.details["network"]["multiplications"] == described["multiplications"]
    assert history.to_dict()["epochs"] == 5 == len(history.values["val_accuracy"])
    assert (history.best_epoch, history.stopped_early) == (5, False)
    assert history.values["loss"][-1] < history.values["loss"][0]
    scores = trainings.score_scans(one.model, splits["validation"])
    label = splits["validation"]["label"]
    assert scores[label == 1].mean() > scores[label == 0].mean() + 0.1


def done(losses):
    """What a training of one step an epoch leaves behind."""
    return History({"loss": losses, "val_loss": losses}, (), 1, True, Timing(1.0, 1.0))


def test_the_last_weights_are_kept_where_a_part_stopped_early(splits, monkeypatch):
    """The shared training puts those with the least validation loss back; the study doesn't."""

    def stopped(built, batches, validation, *, progress, early_stopping, **settings):
        assert early_stopping.patience == 7
        first = built.get_weights()
        for epoch in range(3):
            built.set_weights([weight + epoch for weight in first])
            progress(None)
        built.set_weights(first)
        return done([0.5, 0.6, 0.7])

    monkeypatch.setattr(trainings, "train", stopped)
    described = networks.describe("rnn5", SAMPLES)
    result = trainings.fit_network(
        described, splits["train"], splits["validation"], Settings(patience=7)
    )
    built = result.model
    # two parts, each 2 higher than it began
    bias = built.get_layer("classes").get_weights()[1]
    np.testing.assert_allclose(bias, 4)
    assert [part["epochs"] for part in result.history.details["parts"]] == [3, 3]
    assert result.history.values["loss"] == [0.5, 0.6, 0.7] * 2


@pytest.mark.parametrize(("shuffled", "weighted"), [(False, False), (True, True)])
def test_shuffled_parts_are_of_equal_length_and_draw_from_all_scans(
    splits, monkeypatch, shuffled, weighted
):
    seen = []

    class Recorded(sampling.Batches):
        def __init__(self, x, y, rows=None, **settings):
            super().__init__(x, y, rows, **settings)
            self.batch_of = np.zeros(len(y)) if rows is None else np.repeat([1, 2] * 3, 4)[rows]

    def pretended(built, batches, validation, *, progress, **settings):
        positions = batches.order(0)
        drawn = batches.batch_of[positions]
        seen.append((sorted(set(drawn.tolist())), positions.size, settings["class_weight"]))
        assert set(validation.batch_of) == {0}
        progress(None)
        return done([1.0])

    monkeypatch.setattr(trainings, "train", pretended)
    monkeypatch.setattr(trainings, "Batches", Recorded)
    entries = []
    described = networks.describe("rnn5", SAMPLES)
    result = trainings.fit_network(
        described,
        splits["train"],
        splits["validation"],
        Settings(batch=5),
        shuffled=shuffled,
        weighted=weighted,
        after=lambda built, given, part: entries.append(part),
    )
    own = [part["windows"] for part in result.history.details["parts"]]
    assert entries == result.history.details["parts"]
    assert [size for _, size, _ in seen] == ([-(-n // 5) * 5 for n in own] if shuffled else own)
    assert [batches for batches, _, _ in seen] == ([[1, 2]] * 2 if shuffled else [[1], [2]])
    assert all((weight is not None) == weighted for _, _, weight in seen)
    best = [part["average_precision"] for part in result.history.details["parts"]]
    assert result.history.details["parts"][1]["best_batch"] == (2 if best[1] > best[0] else 1)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.architectures import from_architecture
from models.speech import designs, networks, published
from models.speech.designs import DESIGNS, Convolution, Design, output_length, shortest_input

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "speech_architectures.json"
LETTERS = {"relu": "r", "batch_norm": "n", "dropout": "d"}

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_file(), reason="the reference tables are not beside the checkout"
)


@pytest.fixture(scope="module")
def reference() -> dict[str, dict[str, Any]]:
    listed = json.loads(REFERENCE.read_text(encoding="utf-8"))["architectures"]
    return {entry["id"]: entry for entry in listed}


@pytest.fixture(scope="module", autouse=True)
def quick_weights() -> Any:
    """Fill recurrent kernels with zeros: an orthogonal matrix takes a QR decomposition each."""
    import keras

    patch = pytest.MonkeyPatch()
    patch.setattr(
        keras.initializers.OrthogonalInitializer,
        "__call__",
        lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype),
    )
    yield
    patch.undo()


def _order(names: list[str]) -> str:
    return "".join(LETTERS[name] for name in names)


@needs_reference
def test_every_models_settings_are_the_references(reference: dict[str, dict[str, Any]]) -> None:
    assert list(DESIGNS) == list(reference)
    for name, entry in reference.items():
        settings = DESIGNS[name]
        bins = designs.BINS[settings.feature]
        assert entry["feature"] == f"{settings.feature}{bins}", name
        assert (settings.epochs, settings.learning_rate) == (
            entry["epochs"],
            entry["learning_rate"],
        ), name
        _same_convolution(settings.convolution, entry["cnn"], name)
        _same_recurrence(settings, entry["rnn"], name)
        head = entry["head"]
        assert (settings.head is not None) == head["time_distributed_dense"], name
        if settings.head is not None:
            assert settings.head.before == _order(head["order_before_dense"]), name
            if "d" in settings.head.before:
                assert settings.head.dropout == head["dropout"], name


def _same_convolution(part: Convolution | None, entry: dict[str, Any] | None, name: str) -> None:
    assert (part is None) == (entry is None), name
    if part is None or entry is None:
        return
    for ours, theirs in (
        ("layers", "layers"),
        ("filters", "filters"),
        ("kernel", "kernel_size"),
        ("stride", "stride"),
        ("padding", "padding"),
        ("dilation", "dilation"),
        ("dense", "dense_connections"),
    ):
        assert getattr(part, ours) == entry[theirs], (name, ours)
    assert part.after == _order(entry["order_after_conv"]), name
    assert part.after.startswith("r") == entry["activation_inside_conv"], name
    if "d" in part.after:
        assert part.dropout == entry["dropout"], name


def _same_recurrence(settings: Design, entry: dict[str, Any], name: str) -> None:
    part = settings.recurrent
    assert (part is None) == (entry["layers"] == 0), name
    if part is None:
        return
    assert (part.layers, part.cell, part.units) == (entry["layers"], entry["cell"], entry["units"])
    assert part.merge == entry["bidirectional_merge_first_layer"], name
    assert part.dense == entry["dense_connections"], name
    assert part.between == _order(entry["order_between_layers"]), name
    if "d" in part.between:
        assert part.dropout == entry["dropout"], name


def _table(network: Any) -> list[tuple[str, int, int]]:
    return [
        (type(layer).__name__, layer.output.shape[-1], layer.count_params())
        for layer in network.layers
    ]


def _expected(entry: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Give the reference table without the second biases of CuDNN LSTMs, 4 x units each."""
    rows = []
    lstm = entry["rnn"]["cell"] == "LSTM"
    for kind, width, count in entry["layers"]:
        directions = {"CuDNNLSTM": 1, "Bidirectional": 2 * lstm}.get(kind, 0)
        plain = kind.removeprefix("CuDNN").removesuffix("(Dense)")
        rows.append((plain, width, count - directions * 4 * entry["rnn"]["units"]))
    return rows


@needs_reference
def test_layers_widths_and_counts_equal_the_reference(
    reference: dict[str, dict[str, Any]],
) -> None:
    seen: dict[str, str] = {}
    for name, entry in reference.items():
        if "layers" not in entry:
            continue
        table = _expected(entry)
        # Models that differ in dropout rates or epochs alone have one table: build one of them.
        if (key := json.dumps([table, entry["cnn"] and entry["cnn"]["padding"]])) in seen:
            continue
        seen[key] = name
        network = networks.network(name)
        assert _table(network) == table, name
        biases = published.redundant_biases(DESIGNS[name])
        assert network.count_params() + biases == entry["total_params"], name
    assert len(seen) > 35


@needs_reference
def test_published_counts_are_the_references(reference: dict[str, dict[str, Any]]) -> None:
    for name, entry in reference.items():
        if "layers" in entry:
            counts = (entry["total_params"], entry["trainable_params"])
            assert published.PARAMETERS[name] == counts, name


def test_the_final_models_have_the_published_size() -> None:
    spectrogram, cepstra = networks.describe("s111"), networks.describe("s112")
    assert spectrogram["parameters"] == spectrogram["published_parameters"] == 4_823_379
    assert cepstra["parameters"] == cepstra["published_parameters"] == 4_742_379
    assert spectrogram["difference"] == cepstra["difference"] == ""


def test_an_lstms_description_says_why_it_has_fewer_parameters() -> None:
    described = networks.describe("s004")
    assert described["published_parameters"] - described["parameters"] == 800
    assert "second, redundant bias: 800 more" in described["difference"]


def test_a_description_with_13_cepstra_has_no_published_counts() -> None:
    described = networks.describe("s000", 13)
    assert described["output_shapes"][0]["shape"] == [None, 13]
    assert "published_parameters" not in described
    assert networks.describe("s001", 13)["output_shapes"][0]["shape"] == [None, 161]


def test_equal_models_have_equal_descriptions_whatever_was_built_before() -> None:
    first = networks.describe("s011")
    networks.network("s003")
    assert networks.describe("s011") == first


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no model is called 's113'.*narrow"):
        networks.network("s113")


# length of the output ---------------------------------------------------------------------------


def _stacks() -> dict[str, str]:
    """One model of each stack of convolutions that decides a length."""
    return {
        json.dumps(settings.convolutions()): name
        for name, settings in reversed(designs.ALL.items())
    }


def test_the_output_is_as_long_as_keras_says_for_every_input_of_every_model() -> None:
    import keras

    for stack, name in _stacks().items():
        convolutions = json.loads(stack)
        layers = [
            keras.layers.Conv1D(
                1,
                layer["kernel"],
                strides=layer["stride"],
                padding=layer["padding"],
                dilation_rate=layer["dilation"],
            )
            for layer in convolutions
        ]
        shortest = shortest_input(convolutions)
        for frames in [*range(shortest, shortest + 40), 1000]:
            shape = (1, frames, 1)
            for layer in layers:
                shape = layer.compute_output_shape(shape)
            assert output_length(convolutions, frames) == shape[1] >= 1, (name, frames)
        assert output_length(convolutions, shortest) == 1, name
        assert output_length(convolutions, shortest - 1) < 1, name


@pytest.mark.parametrize(
    ("name", "shortest"), [("s003", 1), ("s011", 11), ("s019", 31), ("s053", 127), ("s059", 127)]
)
def test_a_network_returns_as_many_steps_as_it_says_from_the_shortest_input_on(
    name: str, shortest: int
) -> None:
    settings = designs.design(name)
    convolutions = settings.convolutions()
    assert shortest_input(convolutions) == shortest
    network = networks.network(name)
    for frames in (shortest, shortest + 1, shortest + 2, shortest + 41):
        x = np.zeros((3, frames, designs.BINS[settings.feature]), dtype=np.float32)
        assert network(x).shape == (3, output_length(convolutions, frames), 29)


@pytest.mark.parametrize("rows", [1, 7])
def test_each_step_goes_through_the_dense_layer_however_many_rows_there_are(rows: int) -> None:
    design = Design(None, None, designs.Head(), 1)
    network = networks.build(design, "dense", 4)
    x = np.random.default_rng(1).normal(size=(rows, 5, 4)).astype(np.float32)
    kernel, bias = (np.asarray(weight) for weight in network.get_layer("symbols").weights)
    raised = np.exp(x @ kernel + bias)
    expected = raised / raised.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(network.predict_on_batch(x), expected, rtol=1e-5)


def test_a_network_is_built_from_its_description_again() -> None:
    described = networks.describe("narrow")
    again = from_architecture(described)
    assert [type(layer).__name__ for layer in again.layers] == [
        layer["type"] for layer in described["output_shapes"]
    ]
    assert again.count_params() == described["parameters"] < 500_000

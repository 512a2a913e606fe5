"""The seven networks: their counts, and weights that are really shared."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.architectures import architecture, from_architecture
from models.solar_flares.networks import DESIGNS, SETTINGS, network, register
from models.training import seeded

keras = pytest.importorskip("keras")
register()

# Keras 3 asks TensorFlow's variables for NumPy arrays in a way that NumPy 2 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

from models.solar_flares.tied import TiedDense, TiedLSTM  # noqa: E402


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("basic", 7_457),
        ("stacked", 15_777),
        ("embedding26", 6_267),
        ("embedding25", 5_801),
        ("tied_stacked", 5_100 + 100 + 26),
        ("stacked_embedding", 10_901),
        ("tied_stacked_embedding26", 702 + 5_512 + 104 + 26 + 27),
    ],
)
def test_parameter_counts(name, parameters):
    design = DESIGNS[name]
    described = architecture(network(name, 1, design.published_inputs), design.published)
    assert described["parameters"] == described["trainable_parameters"] == parameters
    same = described["published_parameters"] == parameters
    assert same == (described["difference"] == "")


def test_explanations_of_the_published_counts_add_up():
    lstm, tied, flare = 4 * 25 * (25 + 25 + 1), 5_125 + 2_500, 26
    assert lstm + tied + flare == DESIGNS["tied_stacked"].published.parameters
    dense, tied_dense = 25 * 25 + 25, 25 + 625
    published = DESIGNS["tied_stacked_embedding26"].published
    assert dense + lstm + tied + tied_dense + flare == published.parameters
    assert published.parameters - published.trainable == 2_500 + 625
    for name, kernel in (("embedding26", 676), ("embedding25", 625), ("stacked_embedding", 625)):
        published = DESIGNS[name].published
        assert published.parameters - published.trainable == kernel


def test_there_are_21_partitions():
    assert len(DESIGNS) * len(SETTINGS) == 21


@pytest.mark.parametrize("name", DESIGNS)
def test_a_network_is_the_same_data_whenever_it_is_built(name):
    one = architecture(network(name, 60, 25))
    assert one == architecture(network(name, 60, 25))
    json.dumps(one)


@pytest.mark.parametrize("name", DESIGNS)
def test_a_network_is_built_again_from_its_description(name):
    described = architecture(network(name, 4, 25))
    again = from_architecture(json.loads(json.dumps(described)))
    assert architecture(again) == described


def test_a_layer_that_was_never_registered_is_refused():
    described = architecture(network("embedding25", 4, 25))
    text = json.dumps(described)
    for old, new in (("faint_signals>Master", "faint_signals>Other"), ("faint_signals>", "other>")):
        with pytest.raises(
            ValueError, match=r"names models\.solar_flares\.tied.*registered before"
        ):
            from_architecture(json.loads(text.replace(old, new)))


def after_a_step(built, x, y):
    built.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    built.train_on_batch(x, y)


def example(steps=5):
    generator = np.random.default_rng(0)
    return (
        generator.normal(size=(16, steps, 25)).astype(np.float32),
        generator.integers(0, 2, 16).astype(np.float32),
    )


@pytest.mark.parametrize("name", [name for name in DESIGNS if name not in {"basic", "stacked"}])
def test_sharing_survives_storing_and_training(name, tmp_path):
    """Build from stored JSON, train a step, store, load: one weight at each point."""
    seeded(1)
    text = json.dumps(architecture(network(name, 5, 25))["config"])
    built = keras.models.model_from_json(text)
    x, y = example()
    after_a_step(built, x, y)
    built.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    expected = built.predict(x, verbose=0)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-5)
    for one in (built, loaded):
        tied = [layer for layer in one.layers if isinstance(layer, TiedDense | TiedLSTM)]
        assert tied
        for layer in tied:
            assert [weight.name for weight in layer.weights] == ["bias"]
    # To change the master's kernel in place changes what the tied layer gives.
    master = next(layer for layer in loaded.layers if type(layer).__name__.startswith("Master"))
    kernel = master.weights[0]
    hidden = keras.Model(loaded.input, tied_output(loaded))
    before = hidden.predict(x, verbose=0)
    kernel.assign(kernel * 2.0)
    assert not np.allclose(before, hidden.predict(x, verbose=0))


def tied_output(built):
    name = (
        "tied_embedding" if any(x.name == "tied_embedding" for x in built.layers) else "tied_lstm"
    )
    return built.get_layer(name).output


def test_training_twice_gives_the_same_weights():
    weights = []
    for _ in range(2):
        seeded(5)
        built = network("tied_stacked_embedding26", 3, 25)
        after_a_step(built, *example(3))
        weights.append(built.get_weights())
    for one, other in zip(*weights, strict=True):
        assert np.array_equal(one, other)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no network is called 'lstm'; there are basic, stacked"):
        network("lstm", 1, 25)

"""The project's own GRU is Keras' GRU, number for number, forward and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

# Keras hands NumPy 2 its variables the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

N, STEPS, VALUES, UNITS = 3, 7, 4, 5


def numbers(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def both(**settings: Any) -> tuple[Any, Any]:
    """Keras' layer and ours, with the same random weights, biases among them."""
    import keras

    from models.speech.layers import GRU

    layers = keras.layers.GRU(UNITS, **settings), GRU(UNITS, **settings)
    for layer in layers:
        layer.build((None, None, VALUES))
        layer.set_weights([numbers(k, *w.shape) for k, w in enumerate(layer.get_weights())])
    return layers


def gradients(layer: Any, x: Any, state: Any = None) -> list[Any]:
    """The outputs, and the gradients of a weighted sum of them by weights, input and state."""
    import tensorflow as tf

    x, sources = tf.constant(x), list(layer.trainable_variables)
    state = None if state is None else tf.constant(state)
    tensors = [one for one in (x, state) if one is not None]

    def weights(values: Any) -> Any:
        some = tf.sin(tf.cast(tf.range(tf.size(values)), tf.float32))
        return tf.reshape(some, tf.shape(values))

    @tf.function
    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            found = tf.nest.flatten(layer(x, initial_state=state))
            total = tf.add_n([tf.reduce_sum(one * weights(one)) for one in found])
        return found, tape.gradient(total, [one.value for one in sources] + tensors)

    return [np.asarray(one) for one in tf.nest.flatten(run())]


@pytest.mark.parametrize("steps", [1, 2, STEPS])
@pytest.mark.parametrize("backwards", [False, True])
def test_outputs_and_gradients_are_those_of_keras(steps: int, backwards: bool) -> None:
    x = numbers(7, N, steps, VALUES)
    keras_says, we_say = (
        gradients(layer, x)
        for layer in both(return_sequences=True, return_state=True, go_backwards=backwards)
    )
    assert len(keras_says) == 2 + 3 + 1
    for theirs, ours in zip(keras_says, we_say, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


def test_a_state_to_begin_with_counts_and_has_a_gradient() -> None:
    x, state = numbers(7, N, STEPS, VALUES), numbers(8, N, UNITS)
    keras_says, we_say = (gradients(layer, x, state) for layer in both(return_sequences=True))
    assert len(keras_says) == 1 + 3 + 2
    for theirs, ours in zip(keras_says, we_say, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    assert not np.allclose(we_say[0], gradients(both(return_sequences=True)[1], x)[0])


def test_one_step_of_one_unit_by_hand() -> None:
    from models.speech.layers import GRU

    layer = GRU(1, return_sequences=True)
    layer.build((None, None, 1))
    # Order: update, reset, candidate; the second bias is added to what the state gives.
    layer.set_weights(
        [
            np.array([[0.5, -1.0, 2.0]], np.float32),
            np.array([[1.0, 1.0, 1.0]], np.float32),
            np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.3]], np.float32),
        ]
    )
    update, reset = 1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(1.0))
    first = (1 - update) * np.tanh(2.0 + reset * 0.3)
    update, reset = 1 / (1 + np.exp(-first)), 1 / (1 + np.exp(-first))
    second = update * first + (1 - update) * np.tanh(reset * (first + 0.3))
    found = np.asarray(layer(np.array([[[1.0], [0.0]]], np.float32)))
    np.testing.assert_allclose(found[0, :, 0], [first, second], rtol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [{"activation": "relu"}, {"reset_after": False}, {"use_bias": False}, {"dropout": 0.5}],
)
def test_other_settings_are_left_to_keras(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.speech import layers

    def never(*_: Any) -> Any:
        raise AssertionError("called")

    monkeypatch.setattr(layers, "_recurrence", never)
    theirs, ours = both(return_sequences=True, **settings)
    x = numbers(7, N, STEPS, VALUES)
    np.testing.assert_allclose(np.asarray(ours(x)), np.asarray(theirs(x)), rtol=1e-6)
    with pytest.raises(AssertionError, match="called"):
        both(return_sequences=True)[1](x)


def test_a_network_with_it_is_stored_and_read_again(tmp_path: Any) -> None:
    import keras

    from models.speech.layers import GRU

    x = inputs = keras.Input((None, VALUES))
    for _ in range(2):
        x = keras.layers.Bidirectional(GRU(UNITS, return_sequences=True))(x)
    network = keras.Model(inputs, x)
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    frames = numbers(7, N, STEPS, VALUES)
    np.testing.assert_array_equal(again.predict_on_batch(frames), network.predict_on_batch(frames))
    assert type(again.layers[1].backward_layer) is GRU

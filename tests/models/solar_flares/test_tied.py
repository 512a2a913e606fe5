"""Layers that share a weight: its transpose is used, and gradients of both uses reach it."""

from __future__ import annotations

import numpy as np
import pytest

from models.solar_flares.networks import network, register
from models.training import seeded

keras = pytest.importorskip("keras")
register()

# Keras 3 asks TensorFlow's variables for NumPy arrays in a way that NumPy 2 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

from models.solar_flares.tied import MasterLSTM, TiedDense, TiedLSTM  # noqa: E402


def example(steps):
    generator = np.random.default_rng(0)
    return generator.normal(size=(16, steps, 25)).astype(np.float32)


def test_tied_dense_takes_the_transpose_and_both_uses_give_gradient():
    import tensorflow as tf

    seeded(2)
    built = network("embedding25", 1, 25)
    master = built.get_layer("embedding")
    tied = built.get_layer("tied_embedding")
    kernel = master.kernel.numpy()
    out = tied(np.ones((1, 25), np.float32), kernel)
    np.testing.assert_allclose(out.numpy()[0], np.maximum(kernel.sum(axis=1), 0), rtol=1e-5)

    def loss_gradient(first, second):
        """Gradient of the kernel, with either use cut off where asked."""
        x = example(1)
        lstm, flare = built.get_layer("lstm_1"), built.get_layer("flare")
        with tf.GradientTape() as tape:
            k1 = master.kernel.value if first else tf.stop_gradient(master.kernel.value)
            k2 = master.kernel.value if second else tf.stop_gradient(master.kernel.value)
            hidden = lstm(tf.nn.relu(tf.matmul(x, k1) + master.bias.value))
            loss = tf.reduce_sum(flare(tied(hidden, k2)))
        return tape.gradient(loss, master.kernel.value).numpy()

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(built(example(1)))
    whole = tape.gradient(loss, master.kernel.value).numpy()
    one, other = loss_gradient(True, False), loss_gradient(False, True)
    assert np.abs(one).max() > 0
    assert np.abs(other).max() > 0
    np.testing.assert_allclose(whole, one + other, rtol=1e-4, atol=1e-6)


def test_after_a_training_step_the_tied_layer_uses_the_changed_kernel():
    seeded(3)
    built = network("embedding25", 1, 25)
    master, tied = built.get_layer("embedding"), built.get_layer("tied_embedding")
    before = master.kernel.numpy().copy()
    x, y = example(1), np.random.default_rng(1).integers(0, 2, 16).astype(np.float32)
    built.compile(optimizer="adam", loss="binary_crossentropy")
    built.train_on_batch(x, y)
    after = master.kernel.numpy()
    assert not np.allclose(before, after)
    probe = keras.Model(built.input, [built.get_layer("lstm_1").output, tied.output])
    hidden, out = probe.predict(x, verbose=0)
    np.testing.assert_allclose(
        out, np.maximum(hidden @ after.T + tied.bias.numpy(), 0), rtol=1e-4, atol=1e-6
    )


def test_tied_lstm_is_an_lstm_with_every_gate_transposed():
    seeded(4)
    x = example(7)
    inputs = keras.Input((7, 25))
    _, kernel, recurrent = MasterLSTM(25, name="master")(inputs)
    tied = TiedLSTM(name="tied")
    every, last = tied(inputs, kernel, recurrent), tied(inputs, kernel, recurrent, only_last=True)
    built = keras.Model(inputs, [every, last])
    tied.bias.assign(np.linspace(-1, 1, 100))
    plain = keras.layers.LSTM(25, return_sequences=True)
    plain.build((None, 7, 25))

    def transposed(matrix):
        return np.concatenate([gate.T for gate in np.split(matrix, 4, axis=1)], axis=1)

    master = built.get_layer("master").cell
    plain.set_weights(
        [
            transposed(master.kernel.numpy()),
            transposed(master.recurrent_kernel.numpy()),
            tied.bias.numpy(),
        ]
    )
    expected = plain(x).numpy()
    every, last = built.predict(x, verbose=0)
    np.testing.assert_allclose(every, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, expected[:, -1], rtol=1e-4, atol=1e-5)


def test_a_tied_lstm_of_another_width_is_refused():
    inputs = keras.Input((7, 24))
    _, kernel, recurrent = MasterLSTM(25)(inputs)
    with pytest.raises(ValueError, match="25 units with 24 inputs and gets 24; a transposed"):
        TiedLSTM()(inputs, kernel, recurrent)


def test_a_tied_dense_layer_of_another_width_is_refused():
    with pytest.raises(ValueError, match="takes 3 values, as many as its master gives, but gets 4"):
        TiedDense()(keras.Input((4,)), np.ones((2, 3), np.float32))

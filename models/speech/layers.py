"""The layers of the acoustic models that Keras does not give, or not fast enough.

keras is imported at the top, as layer classes can't be defined without it: import this module
inside functions, or through `models.speech.networks.register`.
"""

from __future__ import annotations

from typing import Any

import keras  # noqa: TID253 - see above
import tensorflow as tf  # noqa: TID253

from models.architectures import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class TimeDistributed(keras.layers.TimeDistributed):  # type: ignore[misc]
    """Keras' TimeDistributed for a Dense layer, of any number of steps.

    Keras 3.15 goes over as many steps as the batch has rows where neither number is fixed, and
    drops or invents the rest. A Dense layer needs no loop: it takes each step for itself anyway.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Apply the Dense layer to each step: (n, steps, values) to (n, steps, units)."""
        return self.layer(inputs)


@keras.saving.register_keras_serializable(package=PACKAGE)
class GRU(keras.layers.GRU):  # type: ignore[misc]
    """Keras' GRU, with the loop over the steps cut down to what must be done step by step.

    The same numbers but for rounding, in about half the time on a processor, where Keras runs each
    step's every operation, forward and back, one by one. On a GPU Keras has cuDNN, and this steps
    aside; so it does for settings other than Keras' defaults.
    """

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        """Give last output, all outputs and the last state, as Keras' own does."""
        cell = self.cell
        plain = (
            mask is None
            and not (self.dropout or self.recurrent_dropout)
            and (cell.use_bias and cell.reset_after)
            and cell.activation is keras.activations.tanh
            and cell.recurrent_activation is keras.activations.sigmoid
            and self.compute_dtype == "float32"
        )
        if not plain or tf.config.list_physical_devices("GPU"):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
        weights = cell.kernel, cell.recurrent_kernel, cell.bias
        kernel, recurrent, bias = (tf.convert_to_tensor(one) for one in weights)
        [state] = tf.nest.flatten(initial_state)
        states = _recurrence(tf.matmul(sequences, kernel) + bias[0], recurrent, bias[1], state)
        last = states[:, -1]
        return last, states, [last]


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _recurrence(given: Any, recurrent: Any, bias: Any, state: Any) -> Any:
    """Run gated recurrent units (Cho et al. 2014, EMNLP, section 2.3, as cuDNN has them).

    With h the state before a step, a what is given, and m = h U + b: z = sigmoid(a_z + m_z),
    r = sigmoid(a_r + m_r), c = tanh(a_c + r m_c), and the state after is z h + (1 - z) c.

    Parameters
    ----------
    given
        What the inputs add to z, r and c: shape (n, steps, 3 units).
    recurrent, bias, state
        U, (units, 3 units); b, (3 units,); and the state before the first step, (n, units).

    Returns
    -------
    The states after each step, (n, steps, units), and the function of their gradient.
    """
    units = state.shape[-1]
    given = tf.transpose(given, (1, 0, 2))
    steps = tf.shape(given)[0]

    def gates(given: Any, mixed: Any) -> tuple[Any, Any, Any]:
        """Give z, r and c."""
        both = tf.sigmoid(given[..., : 2 * units] + mixed[..., : 2 * units])
        update, reset = both[..., :units], both[..., units:]
        candidate = tf.tanh(given[..., 2 * units :] + reset * mixed[..., 2 * units :])
        return update, reset, candidate

    def forward(step: Any, state: Any, states: Any) -> Any:
        update, _, candidate = gates(taken.read(step), tf.matmul(state, recurrent) + bias)
        state = candidate + update * (state - candidate)
        return step + 1, state, states.write(step, state)

    taken = _unstacked(given)
    loop = (0, state, tf.TensorArray(tf.float32, steps, element_shape=state.shape))
    states = tf.while_loop(lambda step, *_: step < steps, forward, loop)[-1].stack()

    def gradient(wanted: Any) -> tuple[Any, Any, Any, Any]:
        """Back through time; all that needs no order is done for all steps at once."""
        before = tf.concat([state[None], states[:-1]], axis=0)
        mixed = tf.tensordot(before, recurrent, 1) + bias
        update, reset, candidate = gates(given, mixed)
        # By how much a change of the state after a step changes with each of m_z, m_r, m_c.
        by_candidate = (1 - update) * (1 - candidate**2)
        slopes = tf.concat(
            [
                (before - candidate) * update * (1 - update),
                by_candidate * mixed[..., 2 * units :] * reset * (1 - reset),
                by_candidate * reset,
            ],
            axis=-1,
        )
        wants, keeps, slants = (
            _unstacked(each) for each in (tf.transpose(wanted, (1, 0, 2)), update, slopes)
        )
        back = tf.transpose(recurrent)

        def backward(step: Any, later: Any, gradients: Any) -> Any:
            whole = wants.read(step) + later
            mixed = tf.matmul(tf.tile(whole, (1, 3)) * slants.read(step), back)
            return step - 1, whole * keeps.read(step) + mixed, gradients.write(step, whole)

        gradients = tf.TensorArray(tf.float32, steps, element_shape=state.shape)
        loop = (steps - 1, tf.zeros_like(state), gradients)
        _, first, gradients = tf.while_loop(lambda step, *_: step >= 0, backward, loop)
        whole = gradients.stack()
        by_mixed = tf.tile(whole, (1, 1, 3)) * slopes
        by_given = tf.concat([by_mixed[..., : 2 * units], whole * by_candidate], axis=-1)
        return (
            tf.transpose(by_given, (1, 0, 2)),
            tf.tensordot(before, by_mixed, [[0, 1], [0, 1]]),
            tf.reduce_sum(by_mixed, (0, 1)),
            first,
        )

    return tf.transpose(states, (1, 0, 2)), gradient


def _unstacked(values: Any) -> Any:
    """Make (steps, ...) an array that a loop reads step by step."""
    array = tf.TensorArray(tf.float32, tf.shape(values)[0], element_shape=values.shape[1:])
    return array.unstack(values)

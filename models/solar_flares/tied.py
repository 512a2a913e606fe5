"""Layers that share one weight between two places of a network.

A master passes its kernel on as an output; a tied layer takes it as an input and uses it
transposed. The sharing is an edge of the network's graph: it survives storing and rebuilding a
network, and gradients from both uses reach the one weight. A tied layer owns only a bias.

keras is imported at the top, as layer classes can't be defined without it: import this module
inside functions, or through `models.solar_flares.networks.register`.
"""

from __future__ import annotations

from typing import Any

import keras  # noqa: TID253 - see above
from keras import ops  # noqa: TID253

from models.architectures import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class MasterDense(keras.layers.Dense):  # type: ignore[misc]
    """A Dense layer that also returns its kernel, shape (inputs, units)."""

    def call(self, inputs: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Return the output, shape (..., units), and the kernel."""
        return super().call(inputs, training=training), ops.convert_to_tensor(self.kernel)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any]:
        """Shapes of what `call` returns."""
        return super().compute_output_shape(input_shape), (input_shape[-1], self.units)

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Shapes and types of what `call` returns."""
        output, kernel = self.compute_output_shape(inputs.shape)
        return (
            keras.KerasTensor(output, dtype=self.compute_dtype),
            keras.KerasTensor(kernel, dtype=self.compute_dtype),
        )


@keras.saving.register_keras_serializable(package=PACKAGE)
class MasterLSTM(keras.layers.LSTM):  # type: ignore[misc]
    """An LSTM that also returns its kernels, (inputs, 4 units) and (units, 4 units)."""

    def build(self, sequences_shape: Any) -> None:
        """Make the weights."""
        super().build(sequences_shape)

    def call(self, sequences: Any, training: bool | None = None) -> tuple[Any, Any, Any]:
        """Return the output of the LSTM, the kernel and the recurrent kernel."""
        return (
            super().call(sequences, training=training),
            ops.convert_to_tensor(self.cell.kernel),
            ops.convert_to_tensor(self.cell.recurrent_kernel),
        )

    def compute_output_spec(
        self, sequences: Any, training: bool | None = None
    ) -> tuple[Any, Any, Any]:
        """Shapes and types of what `call` returns."""
        output = self.compute_output_shape(sequences.shape)
        gates = 4 * self.units
        return (
            keras.KerasTensor(output, dtype=self.compute_dtype),
            keras.KerasTensor((sequences.shape[-1], gates), dtype=self.compute_dtype),
            keras.KerasTensor((self.units, gates), dtype=self.compute_dtype),
        )


@keras.saving.register_keras_serializable(package=PACKAGE)
class TiedDense(keras.layers.Layer):  # type: ignore[misc]
    """A Dense layer with the transpose of a master's kernel: act(x K^T + b).

    Parameters
    ----------
    activation
        As for ``keras.layers.Dense``.
    """

    def __init__(self, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)

    def build(self, inputs_shape: Any, kernel_shape: Any) -> None:
        """Make the bias, one per row of the master's kernel (its inputs)."""
        if inputs_shape[-1] != kernel_shape[1]:
            raise ValueError(
                f"{self.name} takes {kernel_shape[1]} values, as many as its master gives, but "
                f"gets {inputs_shape[-1]}"
            )
        self.bias = self.add_weight(shape=(kernel_shape[0],), initializer="zeros", name="bias")

    def call(self, inputs: Any, kernel: Any) -> Any:
        """Map inputs, shape (..., units of the master), back to (..., inputs of the master)."""
        return self.activation(ops.matmul(inputs, ops.transpose(kernel)) + self.bias)

    def compute_output_shape(self, inputs_shape: Any, kernel_shape: Any) -> Any:
        """Shape of what `call` returns."""
        return (*inputs_shape[:-1], kernel_shape[0])

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make the layer again."""
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable(package=PACKAGE)
class TiedLSTM(keras.layers.Layer):  # type: ignore[misc]
    """An LSTM with the transposes of a master's kernels, gate by gate.

    A kernel is four square blocks side by side, for the input gate, the forget gate, the candidate
    and the output gate; each block is transposed. Input and units must be as many for that, which
    is so wherever the study ties an LSTM. Called twice, it is the same layer twice.
    """

    def build(self, inputs_shape: Any, kernel_shape: Any, recurrent_shape: Any) -> None:
        """Make the bias, shape (4 units,), with 1 for the forget gate as Keras does."""
        units = recurrent_shape[0]
        if kernel_shape[0] != units or inputs_shape[-1] != units:
            raise ValueError(
                f"{self.name} is tied to an LSTM of {units} units with {kernel_shape[0]} inputs "
                f"and gets {inputs_shape[-1]}; a transposed kernel fits only where all three are "
                "equal"
            )
        self.units = units
        self.bias = self.add_weight(shape=(4 * units,), initializer=_forgetful, name="bias")

    def call(self, inputs: Any, kernel: Any, recurrent: Any, only_last: bool = False) -> Any:
        """Run over inputs, (n, steps, units), to (n, steps, units), or the last step's (n, units).

        An argument rather than a property of the layer: one layer may be called both ways.
        """
        projected = ops.matmul(inputs, self._by_gate(kernel)) + self.bias
        back = self._by_gate(recurrent)

        def step(state: Any, now: Any) -> tuple[Any, Any]:
            output, cell = ops.unstack(state)
            gates = now + ops.matmul(output, back)
            keep_in, forget, candidate, keep_out = ops.split(gates, 4, axis=-1)
            cell = ops.sigmoid(forget) * cell + ops.sigmoid(keep_in) * ops.tanh(candidate)
            output = ops.sigmoid(keep_out) * ops.tanh(cell)
            state = ops.stack([output, cell])
            return state, state

        # Keras' scan over TensorFlow wants steps to give out what has the shape of the state.
        nothing = ops.zeros_like(inputs[:, 0])
        steps = ops.transpose(projected, (1, 0, 2))
        state, states = ops.scan(step, ops.stack([nothing, nothing]), steps)
        return state[0] if only_last else ops.transpose(states[:, 0], (1, 0, 2))

    def compute_output_spec(
        self, inputs: Any, kernel: Any, recurrent: Any, only_last: bool = False
    ) -> Any:
        """Shape and type of what `call` returns."""
        batch, *_, units = inputs.shape
        return keras.KerasTensor(
            (batch, units) if only_last else inputs.shape, dtype=self.compute_dtype
        )

    def _by_gate(self, kernel: Any) -> Any:
        blocks = ops.reshape(kernel, (self.units, 4, self.units))
        return ops.reshape(ops.transpose(blocks, (2, 1, 0)), (self.units, 4 * self.units))


def _forgetful(shape: tuple[int, ...], dtype: Any = None) -> Any:
    units = shape[0] // 4
    return ops.concatenate(
        [ops.zeros(units, dtype), ops.ones(units, dtype), ops.zeros(2 * units, dtype)]
    )

"""Networks as data: described, costed, rebuilt, and refused where they would run foreign code."""

from __future__ import annotations

import numpy as np
import pytest

from models.architectures import (
    Published,
    architecture,
    architecture_with_cost,
    counts_of,
    from_architecture,
)


def small_network():
    import keras

    values = keras.Input((4,), name="values")
    answer = keras.layers.Dense(3, activation="relu", name="answer")(values)
    return keras.Model(values, answer, name="small")


def test_a_description_has_the_counts_and_shapes_computed_by_hand():
    described = architecture(small_network(), Published(16, 15, "one was not counted"))
    assert described["parameters"] == described["trainable_parameters"] == 4 * 3 + 3
    assert described["output_shapes"] == [
        {"layer": "values", "type": "InputLayer", "shape": [4]},
        {"layer": "answer", "type": "Dense", "shape": [3]},
    ]
    assert counts_of(described) == {
        "parameters": 15,
        "trainable_parameters": 15,
        "published_parameters": 16,
        "published_trainable_parameters": 15,
        "difference": "one was not counted",
    }


def test_the_cost_counts_a_kernel_once_per_position_and_no_bias():
    import keras

    image = keras.Input((5, 6, 1), name="image")
    x = keras.layers.Conv2D(2, 3, name="convolution")(image)  # 3 x 4 positions
    answer = keras.layers.Dense(7, name="dense")(keras.layers.Flatten(name="flat")(x))
    described = architecture_with_cost(keras.Model(image, answer, name="costed"))
    assert described["multiplications"] == 3 * 4 * (9 * 2) + 3 * 4 * 2 * 7
    assert counts_of(described)["multiplications"] == described["multiplications"]


def test_a_layer_with_several_outputs_has_a_shape_for_each():
    import keras

    values = keras.Input((5, 4), name="values")
    outputs = keras.layers.GRU(3, return_sequences=True, return_state=True, name="gru")(values)
    described = architecture(keras.Model(values, outputs, name="several"))
    assert described["output_shapes"][-1]["shape"] == [[5, 3], [3]]


def test_a_network_is_rebuilt_with_weights_from_the_seed():
    import keras

    described = architecture(small_network())
    weights = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        weights.append(from_architecture(described).get_weights()[0])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_a_compiled_network_is_described_as_if_it_were_not():
    network = small_network()
    plain = architecture(network)
    network.compile(optimizer="adam", loss="mse")
    assert architecture(network) == plain


def test_an_unexplained_difference_from_the_published_count_is_an_error():
    with pytest.raises(ValueError, match=r"'small' has 15 parameters .* published are 16 \(15\)"):
        architecture(small_network(), Published(parameters=16, trainable=15))


def test_an_architecture_that_names_foreign_code_is_refused():
    described = architecture(small_network())
    layer = described["config"]["config"]["layers"][1]
    layer["module"], layer["class_name"] = "os", "system"
    with pytest.raises(ValueError, match=r"names os\.system; only classes of keras itself"):
        from_architecture(described)


def test_an_architecture_with_a_lambda_layer_is_refused():
    described = architecture(small_network())
    described["config"]["config"]["layers"][1]["class_name"] = "Lambda"
    with pytest.raises(ValueError, match="Lambda layer, which would run stored code"):
        from_architecture(described)

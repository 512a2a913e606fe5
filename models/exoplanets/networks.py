"""The study's networks and forest, exactly as published.

Builders of uncompiled networks, and the parameter counts published for them.

Layers carry explicit names, so that a network built after many others has the same configuration.
Where the study names no activation, the layer has none (the Keras default), but for the FFT-LSTM's
last: it is a probability like the others'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.architectures import Published
from models.exoplanets.transforms import BINS, CADENCES

if TYPE_CHECKING:
    import keras
    from sklearn.ensemble import RandomForestClassifier

RECURRENT_BIAS = (
    "published with CuDNN LSTMs, which keep a second bias vector of 4 x units per layer "
    "(4 x 75 + 4 x 37 = 448 parameters) that a Keras 3 LSTM does not have"
)

PUBLISHED: dict[str, Published] = {
    "fft_lstm": Published(parameters=41_248, trainable=41_248, difference=RECURRENT_BIAS),
    "cnn": Published(parameters=85_993, trainable=85_881),
    "composite": Published(parameters=127_240, trainable=127_128, difference=RECURRENT_BIAS),
}
"""Published parameter counts, and why ours differ where they do."""

RANDOM_FOREST: dict[str, Any] = {"n_estimators": 100, "criterion": "gini"}
"""Settings of the study's benchmark forest; the rest are scikit-learn's defaults."""


def random_forest(seed: int) -> RandomForestClassifier:
    """Build the benchmark forest.

    Parameters
    ----------
    seed
        Seed of the bootstrap samples and of the features tried at each split.
    """
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**RANDOM_FOREST, random_state=seed)


def cnn() -> keras.Model:
    """Build the convolutional network.

    Returns
    -------
    Uncompiled network from (n, 3197, 2), the output of `transforms.cnn_channels`, to a
    probability (n, 1); 85,993 parameters, 85,881 of them trainable.
    """
    import keras

    curve = keras.Input((CADENCES, 2), name="curve")
    last = _cnn_branch(curve)
    planet = keras.layers.Dense(1, activation="sigmoid", name="planet")(last)
    return keras.Model(curve, planet, name="cnn")


def fft_lstm() -> keras.Model:
    """Build the recurrent network over the spectrum.

    Returns
    -------
    Uncompiled network from (n, 1599, 1), the output of `transforms.spectrum`, to a probability
    (n, 1); 40,800 parameters (`RECURRENT_BIAS` says why 41,248 were published).
    """
    import keras

    spectrum = keras.Input((BINS, 1), name="spectrum")
    last = _fft_lstm_branch(spectrum)
    planet = keras.layers.Dense(1, activation="sigmoid", name="planet")(last)
    return keras.Model(spectrum, planet, name="fft_lstm")


def composite() -> keras.Model:
    """Build the network that joins both: the CNN up to its last Dense 64, the LSTM to its dropout.

    Returns
    -------
    Uncompiled network from ``{"curve": (n, 3197, 2), "spectrum": (n, 1599, 1)}`` (or a list in
    that order) to a probability (n, 1); 126,792 parameters, 126,680 of them trainable.
    """
    import keras

    curve = keras.Input((CADENCES, 2), name="curve")
    spectrum = keras.Input((BINS, 1), name="spectrum")
    joined = keras.layers.Concatenate(name="joined")(
        [_cnn_branch(curve), _fft_lstm_branch(spectrum)]
    )
    planet = keras.layers.Dense(1, activation="sigmoid", name="planet")(joined)
    return keras.Model([curve, spectrum], planet, name="composite")


def _cnn_branch(curve: keras.KerasTensor) -> keras.KerasTensor:
    from keras import layers

    x = curve
    for stage, filters in enumerate((8, 16, 32, 64), start=1):
        x = layers.Conv1D(filters, kernel_size=21, activation="relu", name=f"conv_{stage}")(x)
        x = layers.MaxPooling1D(pool_size=2, strides=4, name=f"pool_{stage}")(x)
        if stage < 4:
            x = layers.BatchNormalization(name=f"batch_norm_{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.5, name="cnn_dropout_1")(x)
    x = layers.Dense(64, activation="relu", name="cnn_dense_1")(x)
    x = layers.Dropout(0.25, name="cnn_dropout_2")(x)
    return layers.Dense(64, activation="relu", name="cnn_dense_2")(x)


def _fft_lstm_branch(spectrum: keras.KerasTensor) -> keras.KerasTensor:
    from keras import layers

    x = layers.LSTM(75, return_sequences=True, name="lstm_1")(spectrum)
    x = layers.LSTM(37, name="lstm_2")(x)
    x = layers.Dense(25, name="fft_dense")(x)
    return layers.Dropout(0.5, name="fft_dropout")(x)

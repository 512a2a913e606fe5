"""Pictures and sound of an utterance, and validation losses of many models in one picture."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.plots import CYCLE, GREY, NEGATIVE, integer_ticks, new_figure, to_png
from models.speech.corpus import RATE

STYLES = ("-", "--", ":", "-.")


def validation_losses(curves: Mapping[str, Sequence[float]], *, title: str = "") -> bytes:
    """Draw the validation loss by epoch of several models in one picture.

    Parameters
    ----------
    curves
        By model, the loss after each epoch; none at all gives a picture that says so.
    title
        What is compared.
    """
    figure, (axes,) = new_figure(7.5, 4.2)
    for number, (name, losses) in enumerate(curves.items()):
        epochs = np.arange(1, len(losses) + 1)
        axes.plot(
            epochs,
            losses,
            STYLES[number // len(CYCLE) % len(STYLES)],
            color=CYCLE[number % len(CYCLE)],
            marker="o" if len(losses) <= 40 else None,
            markersize=3,
            label=name,
        )
    if curves:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
        axes.set_ylim(bottom=0, top=_top(curves))
    else:
        axes.annotate("none trained yet", (0.5, 0.5), xycoords="axes fraction", ha="center")
    integer_ticks(axes)
    axes.set_xlabel("epoch")
    axes.set_ylabel("CTC loss on validation (nats)")
    return to_png(figure, title)


def _top(curves: Mapping[str, Sequence[float]]) -> float:
    """Leave out the first losses where they would hide the rest."""
    later = [value for losses in curves.values() for value in losses[1:] or losses]
    return 1.1 * max(later)


def utterance(
    audio: NDArray[np.int16],
    spectrogram: NDArray[np.float32],
    cepstra: NDArray[np.float32],
    *,
    title: str = "",
) -> bytes:
    """Draw an utterance three times over: waveform, log spectrogram, cepstra.

    Parameters
    ----------
    audio
        int16, shape (samples,), 16 kHz.
    spectrogram, cepstra
        Shapes (frames, 161) and (frames, coefficients), one frame in 10 ms.
    title
        What is said.
    """
    figure, (sound, above, below) = new_figure(8.0, 6.5, rows=3, heights=[1, 1.6, 1], share=True)
    seconds = np.arange(len(audio)) / RATE
    sound.plot(seconds, audio / 32768, color=NEGATIVE, linewidth=0.4)
    sound.set_ylabel("amplitude")
    draw_spectrogram(above, spectrogram)
    above.set_ylabel("frequency (kHz)")
    _heat(below, cepstra, float(cepstra.shape[1]))
    below.set_ylabel("coefficient")
    below.set_xlabel("time (s)")
    below.set_xlim(0, len(audio) / RATE)
    return to_png(figure, title)


def draw_spectrogram(axes: Any, values: NDArray[np.float32], begin: float = 0.0) -> None:
    """Draw a log spectrogram, shape (frames, 161), from ``begin`` (s) on, in kHz."""
    _heat(axes, values, RATE / 2000, begin)


def _heat(axes: Any, values: NDArray[np.float32], top: float, begin: float = 0.0) -> None:
    axes.grid(visible=False)
    axes.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        extent=(begin, begin + len(values) / 100, 0.0, top),
        cmap="viridis",
        interpolation="nearest",
    )
    axes.tick_params(color=GREY)


def sound(audio: NDArray[np.int16]) -> bytes:
    """Write an utterance as WAV: 16 bits, 16 kHz, mono."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.ascontiguousarray(audio, dtype="<i2").tobytes())
    return target.getvalue()

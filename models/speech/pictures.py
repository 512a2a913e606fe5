"""Pictures and sound of utterances, of corpora and decoders, and of many models' losses."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike
from models.data_plots import bars
from models.evaluation import Evaluation
from models.plots import (
    CYCLE,
    GREY,
    NEGATIVE,
    comparison,
    integer_ticks,
    learning_curves,
    new_figure,
    to_png,
)
from models.speech.corpus import RATE
from models.speech.designs import BINS
from models.speech.evaluation import METRICS
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

STYLES = ("-", "--", ":", "-.")
SHOWN_SECONDS = 8.0
"""Of the audio that a waveform shows."""
LETTERS_SHOWN = 90
"""Of a text above a picture."""
SETTINGS_SHOWN = 15
"""Settings of a decoder that a picture shows."""


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


def waveform(audio: NDArray[np.int16]) -> bytes:
    """Draw the beginning of an audio signal, shape (samples,)."""
    shown = np.asarray(audio[: int(SHOWN_SECONDS * RATE)])
    figure, (axes,) = new_figure(8.0, 2.4)
    axes.plot(np.arange(len(shown)) / RATE, shown / 32768, color=NEGATIVE, linewidth=0.4)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("amplitude")
    axes.margins(x=0.01)
    return to_png(figure, "")


def features(stored: ArrayLike, index: pd.DataFrame, names: Sequence[str]) -> bytes:
    """Draw a feature of some utterances, one below the other.

    Parameters
    ----------
    stored
        Spectrogram or cepstra of all utterances end to end, shape (frames, bins), one frame in
        10 ms.
    index
        ``start`` and ``frames`` of the utterances to draw.
    names
        Above each of them.
    """
    spectrogram = stored.shape[1] == BINS["spectrogram"]
    figure, panels = new_figure(7.6, 0.7 + 1.5 * len(index), rows=len(index))
    rows = index[["start", "frames"]].to_numpy().tolist()
    for axes, (start, frames), name in zip(panels, rows, names, strict=True):
        values = np.asarray(stored[start : start + frames])
        if spectrogram:
            draw_spectrogram(axes, values)
        else:
            _heat(axes, values, float(values.shape[1]))
        short = name if len(name) <= LETTERS_SHOWN else f"{name[:LETTERS_SHOWN]} ..."
        axes.set_title(short, loc="left", fontsize=8.5, pad=2)
        axes.tick_params(labelsize=8)
    panels[-1].set_xlabel("time (s)")
    figure.supylabel("frequency (kHz)" if spectrogram else "coefficient", fontsize=10)
    return to_png(figure, "")


def durations(seconds: NDArray[np.float64]) -> bytes:
    """Draw a histogram of the utterances' durations, shape (n,), in seconds."""
    figure, (axes,) = new_figure(5.6, 2.8)
    axes.hist(seconds, bins=min(30, max(5, len(seconds) // 5)), color=NEGATIVE)
    axes.set_xlabel("duration (s)")
    axes.set_ylabel("utterances")
    return to_png(figure, "")


def tried(settings: Sequence[Mapping[str, float]]) -> bytes:
    """Draw the word error rate of the decoder settings that were tried, best first."""
    best = sorted(settings, key=lambda setting: setting["wer"])[:SETTINGS_SHOWN]
    named = {
        f"beam {s['beam']}, weight {s['weight']:g}, bonus {s['bonus']:g}": s["wer"] for s in best
    }
    return bars(named, x_label="word error rate on validation")


def results(title: str, evaluation: Evaluation, history: JsonDict) -> dict[str, bytes]:
    """Draw a model's training, and its error rates."""
    rates = {name: evaluation.metrics[name] for name in METRICS}
    return {
        "training": learning_curves(
            history["values"], best_epoch=history["best_epoch"], title=title
        ),
        "error rates": comparison(rates, {}, x_label="error rate", title=title),
    }

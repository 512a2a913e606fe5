"""Batches of utterances of different lengths, with their transcripts as CTC's targets.

A split's utterances are checked against the length of a model's output, and grouped into batches of
similar length with little padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.arrays import ArrayLike
from models.errors import BadInput
from models.sampling import MEMORY_BYTES, Batch, Batches, Rows, require_finite
from models.speech.designs import output_length
from models.speech.symbols import encode, shortest_output

if TYPE_CHECKING:
    import pandas as pd

SPREAD = 0.03
"""Lengths count as alike within about this share, so that batches differ from epoch to epoch."""

PADDING = -1
"""In place of a symbol, after the end of a transcript."""


@dataclass(frozen=True)
class Utterances:
    """A split's utterances, with one feature.

    Attributes
    ----------
    table
        ``key``, ``speaker``, ``text``, ``start`` and ``frames``, one row an utterance.
    values
        Scaled frames of all utterances end to end, float32, shape (frames, bins); may lie on disk.
    centred
        Whether each bin's mean over the utterance is taken away besides.
    """

    table: pd.DataFrame
    values: ArrayLike
    centred: bool = False

    def __len__(self) -> int:
        """Utterances."""
        return len(self.table)

    @property
    def frames(self) -> NDArray[np.int64]:
        """Frames of each utterance."""
        return self.table["frames"].to_numpy(dtype=np.int64)

    def first(self, count: int) -> Utterances:
        """Give the first so many."""
        return replace(self, table=self.table.head(count))

    def read(self, row: int) -> NDArray[np.float32]:
        """Read one utterance: float32, shape (frames, bins)."""
        start, frames = (self.table[name].to_numpy()[row] for name in ("start", "frames"))
        values = np.asarray(self.values[int(start) : int(start + frames)], dtype=np.float32)
        return values - values.mean(axis=0) if self.centred else values


def targets(
    utterances: Utterances, convolutions: Sequence[Mapping[str, Any]]
) -> tuple[list[NDArray[np.int32]], NDArray[np.int64]]:
    """Encode the transcripts, and count the outputs that a model has for each utterance.

    Parameters
    ----------
    utterances
        The utterances.
    convolutions
        Of the model: see `models.speech.designs.output_length`.

    Returns
    -------
    codes, outputs
        Symbol numbers of each transcript; outputs of each utterance, shape (utterances,).

    Raises
    ------
    BadInput
        A transcript has an unknown character, or is longer than the model's output can spell;
        names the utterance.
    """
    outputs = output_length(convolutions, utterances.frames)
    codes = []
    for row, there in zip(utterances.table.itertuples(), outputs.tolist(), strict=True):
        symbols = encode(str(row.text), str(row.key))
        needed = shortest_output(symbols)
        if needed > there:
            raise BadInput(
                f"the transcript of {len(symbols)} symbols needs {needed} outputs, but the model "
                f"gives {max(there, 0)} for its {row.frames} frames: {row.text!r}",
                file=str(row.key),
                column="text",
                expected="a transcript that fits into the model's output",
                remedy="Check that the transcript belongs to the audio, leave the utterance out, "
                "or take a model with a smaller stride.",
            )
        codes.append(symbols)
    return codes, outputs


class Augmentation(NamedTuple):
    """How utterances are varied in training: played faster or slower, warped, partly hidden.

    The masks are SpecAugment's: how many, and the largest share of bins or frames that one hides.
    By default there are as many as in the policy "LB" of Park et al. 2019 (table 1), but narrower:
    with little speech to learn from, wider ones cost more than they bring. Time is not warped: they
    find that it adds least (section 5). Frequency is, where ``warp`` isn't 0: stretched by up to
    that share either way, as by a shorter or longer vocal tract (Jaitly & Hinton 2013, ICML
    workshop on deep learning for audio). That makes sense of linear frequencies, not of cepstra.
    ``speed`` is the share by which the pace changes at most, as if the same voice spoke faster or
    slower (Ko et al. 2015, Interspeech, "Audio augmentation for speech recognition": there by
    resampling, which moves the pitch, too).
    """

    bins: int = 1
    bin_share: float = 0.2
    times: int = 1
    time_share: float = 0.08
    warp: float = 0.0
    speed: float = 0.0


def played(values: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Stretch an utterance, shape (n, bins), to another number of frames, linearly interpolated."""
    places = np.linspace(0, len(values) - 1, frames)
    below = np.minimum(places.astype(int), max(len(values) - 2, 0))
    above = np.minimum(below + 1, len(values) - 1)
    share = (places - below).astype(np.float32)[:, None]
    return np.asarray(values[below] * (1 - share) + values[above] * share)


def augmented(
    values: NDArray[np.float32], augmentation: Augmentation, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Warp one utterance, shape (frames, bins), and hide bins and frames: 0 is the mean."""
    frames, bins = values.shape
    if augmentation.warp:
        places = np.arange(bins) * generator.uniform(1 - augmentation.warp, 1 + augmentation.warp)
        below = np.minimum(places.astype(int), bins - 2)
        share = np.clip(places - below, 0, 1).astype(np.float32)
        values = values[:, below] * (1 - share) + values[:, below + 1] * share
    else:
        values = values.copy()
    for count, widest, size, axis in (
        (augmentation.bins, augmentation.bin_share, bins, 1),
        (augmentation.times, augmentation.time_share, frames, 0),
    ):
        for _ in range(count):
            width = int(generator.integers(0, int(widest * size) + 1))
            first = int(generator.integers(0, size - width + 1))
            np.moveaxis(values, axis, 0)[first : first + width] = 0
    return values


class _Ragged(NamedTuple):
    """Shape of what has no fixed length, for `models.training.stream`."""

    shape: tuple[Any, ...]


class RaggedBatches(Batches):
    """Utterances in batches of like lengths, padded with zeros (the mean) to the longest of each.

    A batch is ``(x, y)``, float32: ``x`` of shape (batch, frames, bins), ``y`` of shape (batch,
    1 + symbols) with the number of outputs first and then the transcript, padded with `PADDING`.

    Parameters
    ----------
    utterances
        The utterances.
    convolutions
        Of the model that is to read them.
    batch
        Utterances in a batch; the last one of an epoch may be smaller.
    seed
        Seed of the order, and of the augmentation.
    shuffle
        Whether to draw batches anew in each epoch; False for the order of their lengths.
    bucketed
        Whether to put like lengths together.
    sorted_first
        Whether the first epoch goes from the shortest to the longest (SortaGrad: Amodei et al.
        2016, section 3.2).
    augmentation
        What to change about each utterance, anew in each epoch; None for nothing.

    Raises
    ------
    BadInput
        As `targets` does.
    ValueError
        An utterance holds NaN or inf.
    """

    def __init__(
        self,
        utterances: Utterances,
        convolutions: Sequence[Mapping[str, Any]],
        *,
        batch: int = 32,
        seed: int = 0,
        shuffle: bool = True,
        bucketed: bool = True,
        sorted_first: bool = False,
        augmentation: Augmentation | None = None,
    ) -> None:
        if batch < 1:
            raise ValueError(f"batch must be 1 or more, not {batch}")
        self._codes, _ = targets(utterances, convolutions)
        self._utterances = utterances
        self._convolutions = convolutions
        self._augmentation = augmentation
        self._sorted_first = sorted_first
        self._bucketed = bucketed
        self._shuffle = shuffle
        bins = utterances.values.shape[1]
        self._kept: list[NDArray[np.float32]] | None = None
        if int(utterances.frames.sum()) * bins * 4 <= MEMORY_BYTES:
            self._kept = [self._checked(row) for row in range(len(utterances))]
        self.batch, self.seed, self.single, self.in_memory = batch, seed, True, False
        self.samples = len(utterances)
        self.steps = -(-len(utterances) // batch)
        # Read by `stream` for their shapes alone.
        self.arrays = {"": _Ragged((len(utterances), None, bins))}  # type: ignore[dict-item]
        self.y = _Ragged((len(utterances), None))  # type: ignore[assignment]

    def _checked(self, row: int) -> NDArray[np.float32]:
        values = self._utterances.read(row)
        require_finite(
            values[None], np.array([row]), f"utterance {self._utterances.table['key'][row]}"
        )
        return values

    def order(self, number: int) -> Rows:
        """Return the utterances of an epoch in the order of use."""
        return np.concatenate(self.rows(number))

    def rows(self, number: int) -> list[Rows]:
        """Return the utterances of each batch of an epoch."""
        generator = np.random.default_rng([self.seed, number])
        frames = self._utterances.frames
        ascending = not self._shuffle or (self._sorted_first and number == 0)
        if ascending:
            order = np.argsort(frames, kind="stable")
        elif self._bucketed:
            order = np.argsort(frames * generator.uniform(1 - SPREAD, 1 + SPREAD, len(frames)))
        else:
            order = generator.permutation(len(frames))
        parts = [order[k : k + self.batch] for k in range(0, len(order), self.batch)]
        return parts if ascending else [parts[k] for k in generator.permutation(len(parts))]

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of epoch ``number``, from 0."""
        for place, rows in enumerate(self.rows(number)):
            yield self._padded(rows, np.random.default_rng([self.seed, number, place]))

    def _padded(self, rows: Rows, generator: np.random.Generator) -> Batch:
        given = [self._varied(row, generator) for row in rows]
        frames = np.array([len(values) for values in given])
        longest = max(len(self._codes[row]) for row in rows)
        x = np.zeros((len(rows), frames.max(), self._utterances.values.shape[1]), dtype=np.float32)
        y = np.full((len(rows), 1 + longest), PADDING, dtype=np.float32)
        y[:, 0] = output_length(self._convolutions, frames)
        for place, (row, values) in enumerate(zip(rows, given, strict=True)):
            x[place, : len(values)] = values
            y[place, 1 : 1 + len(self._codes[row])] = self._codes[row]
        return x, y

    def _varied(self, row: int, generator: np.random.Generator) -> NDArray[np.float32]:
        """Read an utterance, augmented where that is asked for."""
        values = self._kept[row] if self._kept is not None else self._checked(row)
        if self._augmentation is None:
            return values
        if speed := self._augmentation.speed:
            frames = round(len(values) / generator.uniform(1 - speed, 1 + speed))
            # As fast as its transcript allows.
            if output_length(self._convolutions, frames) >= shortest_output(self._codes[row]):
                values = played(values, frames)
        return augmented(values, self._augmentation, generator)

"""Inject simulated chirps into spectrograms.

A picture keeps energies and no phases, so a chirp is added to a picture by adding energies: that is
their expectation, as noise and signal are independent (Anderson et al. 2001, Physical Review D 63,
042003: the energy of their sum follows a noncentral chi-squared law); the interference, 0 on
average, is left out. The chirp's energy is over white noise's mean, as the picture's is, at the Q
where it is loudest; the picture's own Q isn't known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays, Block, Blocks
from models.gravitational_waves.constant_q import ConstantQ
from models.gravitational_waves.images import SHAPE, blocks_of, columns, energies, pixels
from models.gravitational_waves.simulation import (
    FAINTEST,
    pictures,
    transform_of,
    whitened_chirp,
    whitened_noise,
)
from models.sampling import Rows, read_rows

QUIET = 0.25
"""Share of the images, those with the least energy, that chirps are injected into: from a chirp on
a loud glitch a network would learn the glitch."""


def inject(
    read: Callable[[], Blocks],
    count: int,
    *,
    seed: int = 0,
    faintest: float = FAINTEST,
    duration: float = 0.5,
) -> Blocks:
    """Stream spectrograms with simulated chirps injected into ``count`` copies of them.

    Parameters
    ----------
    read
        Opens the spectrograms; they are read twice, the first time to find the quiet ones.
    count
        Chirps to add, split over the parts as the pictures are. A chirp belongs to the part
        and to the group of the picture that it was injected into, and follows its block.
    seed, faintest, duration
        As `models.gravitational_waves.simulation.simulate`.

    Raises
    ------
    ValueError
        A part has fewer pictures to inject into than chirps.
    """

    def blocks() -> Iterator[Block]:
        loudness, parts = [], []
        for block in read():
            own = np.where(block["label"] == "Chirp", np.inf, _loudness(block["image"]))
            loudness.append(own)
            parts.append(block["part"])
        loud, part = np.concatenate(loudness), np.concatenate(parts)
        generator = np.random.default_rng([seed, 0, 0, 3])
        chosen: set[int] = set()
        for code in np.unique(part):
            rows = np.flatnonzero(part == code)
            wanted = round(count * rows.size / part.size)
            quiet = _quietest(loud[rows], wanted)
            if quiet.size < wanted:
                raise ValueError(
                    f"{wanted} chirps don't go into {quiet.size} pictures of part {code}: ask for "
                    "fewer"
                )
            chosen.update(rows[generator.permutation(quiet)[:wanted]].tolist())
        transform, start = transform_of(duration), 0
        for block in read():
            yield block
            here = [row for row in range(len(block["label"])) if start + row in chosen]
            if here:
                yield _laid(transform, block, here, start, seed, faintest)
            start += len(block["label"])

    return Blocks(blocks())


def _laid(
    transform: ConstantQ, block: Block, rows: list[int], start: int, seed: int, faintest: float
) -> Block:
    image, snrs = np.empty((len(rows), *SHAPE), dtype=np.float32), []
    for place, row in enumerate(rows):
        generator = np.random.default_rng([seed, start + row, 0, 4])
        image[place], snr = _with_chirp(transform, block["image"][row], generator, faintest)
        snrs.append(snr)
    names = [f"chirp-in-{block['id'][row]}" for row in rows]
    parts, groups = ([block[name][row] for row in rows] for name in ("part", "group"))
    return columns(image, ["Chirp"] * len(rows), names, parts, groups, snrs, transform.duration)


def injections(
    images: Arrays,
    rows: Rows,
    count: int,
    *,
    seed: int = 0,
    faintest: float = FAINTEST,
    into: str = "backgrounds",
) -> Blocks:
    """Stream simulated chirps: to train on beside a split's own, or to measure what is found.

    Parameters
    ----------
    images
        ``image``, shape (n, 140, 170), ``label``, ``id``, ``group`` and ``duration``, shape (n,).
    rows
        The images of the split that they are for: no other is read.
    count
        Chirps to make, each as long as the images; a background may serve several times.
    seed, faintest
        As `models.gravitational_waves.simulation.simulate`.
    into
        "backgrounds": each is injected into one of the quietest images of the split that aren't
        chirps, by adding energies, and belongs to its group. "noise": each is added to detector
        noise of design sensitivity before the transform, with all interference.

    Returns
    -------
    Blocks with the columns of the images; ``part`` is -1.

    Raises
    ------
    ValueError
        ``into`` is neither, ``count`` is negative, or there is no background.
    """
    if into not in ("backgrounds", "noise") or count < 0:
        raise ValueError(f"into must be backgrounds or noise, not {into!r}, and count {count} >= 0")
    transform = transform_of(float(images["duration"][:1][0]))
    names = [f"injection-{number:06d}" for number in range(count)]
    groups, backgrounds = names, np.zeros(count, dtype=np.int64)
    if into == "backgrounds":
        empty = rows[np.asarray(images["label"])[rows] != "Chirp"]
        if not empty.size:
            raise ValueError(
                "no image of the split is without a chirp: there is nothing to inject into"
            )
        loudness = [
            _loudness(read_rows(images["image"], empty[part.start : part.stop]))
            for part in blocks_of(empty.size)
        ]
        quiet = empty[_quietest(np.concatenate(loudness), 1)]
        backgrounds = np.random.default_rng([seed, 0, 0, 5]).choice(quiet, size=count)
        groups = np.asarray(images["group"])[backgrounds].tolist()

    def blocks() -> Iterator[Block]:
        for numbers in blocks_of(count):
            chosen = slice(numbers.start, numbers.stop)
            image, snrs = np.empty((len(numbers), *SHAPE), dtype=np.float32), []
            if into == "backgrounds" and len(numbers):
                image[:] = read_rows(images["image"], backgrounds[chosen])
            for place, number in enumerate(numbers):
                generator = np.random.default_rng([seed, number, 0, 6])
                if into == "noise":
                    series, snr = whitened_chirp(generator, transform.samples, faintest)
                    series += whitened_noise(generator, transform.samples)
                    image[place] = pictures(transform, series[None])[0]
                else:
                    image[place], snr = _with_chirp(transform, image[place], generator, faintest)
                snrs.append(snr)
            many = len(numbers)
            yield columns(
                image,
                ["Chirp"] * many,
                names[chosen],
                [-1] * many,
                groups[chosen],
                snrs,
                transform.duration,
            )

    return Blocks(blocks())


def _with_chirp(
    transform: ConstantQ,
    background: NDArray[np.float32],
    generator: np.random.Generator,
    faintest: float,
) -> tuple[NDArray[np.float32], float]:
    """Add a chirp's energy to a picture, shape (140, 170); the picture and the chirp's SNR."""
    signal, snr = whitened_chirp(generator, transform.samples, faintest)
    energy, _ = transform(signal[None], over_median=False)
    return pixels(energies(background) + np.maximum(energy[0], 0)), snr


def _loudness(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean pixel value of each picture."""
    return np.asarray(image.mean(axis=(1, 2), dtype=np.float64))


def _quietest(loudness: NDArray[np.float64], least: int) -> NDArray[np.int64]:
    """Rows of the quietest quarter of the pictures, at least ``least``, none infinitely loud."""
    order = np.argsort(loudness, kind="stable")[: max(int(QUIET * loudness.size), least)]
    return np.asarray(order[np.isfinite(loudness[order])])

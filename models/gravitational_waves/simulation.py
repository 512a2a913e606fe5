"""Simulated spectrograms: merging black holes and glitches in a detector's noise.

The simulator stands in for the published training set, with its classes and their shares. Each
picture is made as the real ones were: two seconds of strain are whitened, transformed to constant
Q, and their middle half second is shown in grey.

- Signal-to-noise ratios of events spread evenly in space fall as the fourth power (Schutz 2011,
  Classical and Quantum Gravity 28, 125023), from a lowest one on: most chirps are faint.
- Every event lies up to a tenth of a second off the middle, which tells no class from another.
- Heavy chirps are as short as blips, and tomtes and bursts lie where chirps begin.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from models.arrays import Block, Blocks
from models.gravitational_waves.constant_q import ConstantQ
from models.gravitational_waves.images import PARTS, SHAPE, blocks_of, columns, pixels
from models.gravitational_waves.waveforms import (
    GLITCHES,
    chirp,
    coloured_noise,
    signal_to_noise,
    whiten,
)

PUBLISHED_IMAGES = {"train": 5587, "validation": 1200, "test": 1179}
"""Pictures in each of the published splits."""

PUBLISHED_CHIRPS = {"train": 41, "validation": 9, "test": 10}
"""Chirps among them."""

SHARES = {
    "Blip": 1869,
    "Koi_Fish": 830,
    "Low_Frequency_Burst": 657,
    "Violin_Mode": 472,
    "Scattered_Light": 459,
    "Power_Line": 453,
    "Scratchy": 354,
    "Whistle": 305,
    "Repeating_Blips": 285,
    "No_Glitch": 181,
    "Tomte": 116,
}
"""Shares of what isn't a chirp: examples of these classes among the 8583 of the training set before
version 1.1 (Bahaadini et al. 2018, Information Sciences 444, 172)."""

RATE = 8192  # Hz, enough for 2048 Hz at the lowest Q
SECONDS = 2.0  # of data behind a picture, at least; twice what it shows, at least
OFFSET = 0.1  # seconds off the middle, at most
MASSES = (7.0, 60.0)  # of one black hole, solar masses at the detector; evenly in the logarithm
FAINTEST = 7.5  # the trigger's threshold (Zevin et al. 2017)
LOUDER = {
    "Koi_Fish": 6.0,
    "Scattered_Light": 2.5,
    "Whistle": 2.0,
    "Violin_Mode": 2.0,
    "Power_Line": 1.5,
    "Scratchy": 1.5,
}
"""How many times louder the faintest of a class is, beyond the trigger's threshold."""
LOUDEST = 200.0
MEDIAN_OVER_MEAN = float(np.log(2))  # of the energy of Gaussian noise, which is exponential


def simulate(
    images: Mapping[str, int],
    chirps: Mapping[str, int],
    *,
    seed: int = 0,
    faintest: float = FAINTEST,
    duration: float = 0.5,
) -> Blocks:
    """Stream simulated pictures.

    A picture depends on the seed, its part and its number alone, but for its class, which also
    depends on the counts. The order of classes is random.

    Parameters
    ----------
    images
        Pictures of each part, by its name: train, validation, test.
    chirps
        Chirps among them, for the same parts; the rest is shared out by `SHARES`.
    seed
        Seed of everything.
    faintest
        Signal-to-noise ratio of the faintest chirps.
    duration
        Seconds that a picture shows.

    Returns
    -------
    Blocks as `models.gravitational_waves.images.columns` describes them; every picture is a group
    of its own, and ``snr`` is that of the signal alone, 0 where there is none.

    Raises
    ------
    ValueError
        A part is unknown, its counts don't fit, or ``faintest`` is not above 0.
    """
    if not images or images.keys() != chirps.keys() or not images.keys() <= set(PARTS):
        raise ValueError(
            f"images and chirps need counts for the same parts among {', '.join(PARTS)}, not for "
            f"{sorted(images)} and {sorted(chirps)}"
        )
    for part, count in images.items():
        if not 0 <= chirps[part] <= count or count < 1:
            raise ValueError(f"{part}: {chirps[part]} chirps don't go into {count} images")
    if not 0 < faintest < LOUDEST:
        raise ValueError(f"faintest must lie between 0 and {LOUDEST:g}, not {faintest}")

    def blocks() -> Iterator[Block]:
        transform = transform_of(duration)
        for part, count in images.items():
            code = PARTS.index(part)
            labels = _labels(count, chirps[part], np.random.default_rng([seed, code, 0, 1]))
            for rows in blocks_of(count):
                yield _block(transform, labels, rows, code, seed, faintest)

    return Blocks(blocks())


def transform_of(duration: float) -> ConstantQ:
    """Return the transform of simulated data for pictures of ``duration`` seconds."""
    return ConstantQ(RATE, int(RATE * max(SECONDS, 2 * duration)), duration=duration)


def whitened_chirp(
    generator: np.random.Generator, samples: int, faintest: float
) -> tuple[NDArray[np.float64], float]:
    """Draw a chirp in whitened data without noise, shape (samples,), and its SNR."""
    low, high = MASSES
    mass_1, mass_2 = low * (high / low) ** generator.random(2)
    phase = float(generator.uniform(0, 2 * np.pi))
    strain = chirp(_time(generator, samples), float(mass_1), float(mass_2), phase=phase)
    snr = _snr(generator, faintest)
    whitened = whiten(strain, RATE)
    return whitened * (snr / signal_to_noise(whitened)), snr


def whitened_noise(generator: np.random.Generator, samples: int) -> NDArray[np.float64]:
    """Draw detector noise and whiten it, shape (samples,)."""
    return whiten(coloured_noise(generator, samples, RATE), RATE)


def draw(
    generator: np.random.Generator, label: str, samples: int, faintest: float
) -> tuple[NDArray[np.float64], float]:
    """Draw whitened data that hold an event of class ``label``, shape (samples,), and its SNR."""
    noise = whitened_noise(generator, samples)
    if label == "No_Glitch":
        return noise, 0.0
    if label == "Chirp":
        signal, snr = whitened_chirp(generator, samples, faintest)
        return noise + signal, snr
    shape = GLITCHES[label](generator, _time(generator, samples))
    snr = _snr(generator, FAINTEST * LOUDER.get(label, 1.0))
    return noise + shape * (snr / signal_to_noise(shape)), snr


def pictures(transform: ConstantQ, series: NDArray[np.floating]) -> NDArray[np.float32]:
    """Published pixel values of whitened series: energies over the mean of noise, in grey."""
    energy, _ = transform(series)
    return pixels(energy * MEDIAN_OVER_MEAN)


def _block(
    transform: ConstantQ, labels: list[str], rows: range, code: int, seed: int, faintest: float
) -> Block:
    image = np.empty((len(rows), *SHAPE), dtype=np.float32)
    snrs = []
    for place, number in enumerate(rows):
        # The last number tells streams apart; the injections have others (a seed's zeros at its end
        # count for nothing).
        generator = np.random.default_rng([seed, code, number, 2])
        series, snr = draw(generator, labels[number], transform.samples, faintest)
        image[place] = pictures(transform, series[None])[0]
        snrs.append(snr)
    names = [f"{PARTS[code]}-{number:06d}" for number in rows]
    kinds = [labels[number] for number in rows]
    return columns(image, kinds, names, [code] * len(rows), names, snrs, transform.duration)


def _labels(count: int, chirps: int, generator: np.random.Generator) -> list[str]:
    """Classes of a part in random order: the chirps asked for, and the rest by `SHARES`."""
    names = list(SHARES)
    due = np.array(list(SHARES.values())) * (count - chirps) / sum(SHARES.values())
    counts = np.floor(due).astype(int)
    most_left = np.argsort(counts - due, kind="stable")[: count - chirps - counts.sum()]
    counts[most_left] += 1
    pairs = zip(["Chirp", *names], [chirps, *counts], strict=True)
    labels = list(itertools.chain.from_iterable([name] * number for name, number in pairs))
    return [labels[k] for k in generator.permutation(count)]


def _time(generator: np.random.Generator, samples: int) -> NDArray[np.float64]:
    """Seconds from the event at each sample; the event lies near the middle."""
    middle = samples / 2 / RATE + generator.uniform(-OFFSET, OFFSET)
    return np.asarray(np.arange(samples) / RATE - middle)


def _snr(generator: np.random.Generator, faintest: float) -> float:
    """Draw from the density ~ snr^-4 from ``faintest`` on, up to `LOUDEST`."""
    return float(min(faintest * (1 - generator.random()) ** (-1 / 3), LOUDEST))

"""Simulated active regions: records with the structure of real ones and a known cause of flares.

The simulator stands in for the published data. It is not a model of the Sun: it has the properties
that make the forecast hard and its evaluation easy to get wrong.

- An active region has a size, a complexity (both fixed) and a state, an AR(1) process with a
  memory of half a day. The 25 parameters are mixtures of the three, so they are collinear, with an
  offset of the region's own and measurement noise on top; XR_MAX shows the flares themselves.
- Flares are a Poisson process whose rate grows exponentially with size, complexity and state. A
  record's label is whether the next 24 hours hold a flare, which even full knowledge of the state
  can't tell for sure.
- Records are windows of 12 hours, an hour apart, so that those of a region are nearly equal: split
  at random they are all but known in training, split by region they are not.
- Folds hold different regions, as they do when they are disjoint in time.

Locations and spreads of the parameters are rounded from SWAN-SF series (Angryk et al. 2020,
Scientific Data 7, 227).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from models.arrays import BLOCK_ROWS, Block, Blocks
from models.solar_flares.records import (
    ID_LENGTH,
    PARAMETERS,
    REGION_LENGTH,
    SAMPLES,
    rebatched,
)

PUBLISHED_RECORDS = {1: 23_085, 2: 9_333, 3: 1_368}
"""Records per fold in the published samples."""

FLARE_SHARES = {1: 3_738 / 23_085, 2: 1_387 / 9_333, 3: 212 / 1_368}
"""Share of flares in the published samples: 16.2, 14.9 and 15.5 %."""

STRIDE = 5  # samples between the starts of two records of a region: an hour
HORIZON = 120  # samples in which a flare counts: 24 hours
MEMORY = 60.0  # samples after which the state's correlation has fallen to 1/e: 12 hours
MISSING = 9e-4  # share of samples without a value: 2.2 % of time steps lack one, as published

SIZE, COMPLEXITY, STATE = 0.9, 0.9, 1.1  # of the logarithm of the flare rate, per unit
OFFSET, NOISE = 0.5, 0.8  # standard deviations, beside mixtures of about unit variance
PILOT_REGIONS = 400  # to find the rate that yields the wanted share of flares


@dataclass(frozen=True)
class _Channel:
    """How a parameter follows from a region: location + spread x mixture, in log10 if ``log``."""

    location: float
    spread: float
    log: bool
    size: float
    complexity: float
    state: float


_CHANNELS = {
    "TOTUSJH": _Channel(3.0, 0.45, True, 0.8, 0.3, 0.4),
    "TOTBSQ": _Channel(10.1, 0.5, True, 0.9, 0.1, 0.2),
    "TOTPOT": _Channel(23.2, 0.6, True, 0.7, 0.4, 0.4),
    "TOTUSJZ": _Channel(13.3, 0.45, True, 0.8, 0.3, 0.3),
    "ABSNJZH": _Channel(2.2, 0.6, True, 0.4, 0.5, 0.5),
    "SAVNCPP": _Channel(12.8, 0.6, True, 0.5, 0.5, 0.5),
    "USFLUX": _Channel(22.1, 0.45, True, 0.9, 0.0, 0.1),
    "TOTFZ": _Channel(-7.7e24, 6e24, False, -0.8, -0.1, -0.2),
    "MEANPOT": _Channel(3.8, 0.25, True, 0.2, 0.6, 0.4),
    "EPSZ": _Channel(-0.27, 0.1, False, -0.3, -0.4, -0.1),
    "MEANSHR": _Channel(37.0, 5.0, False, 0.1, 0.7, 0.3),
    "SHRGT45": _Channel(32.0, 8.0, False, 0.1, 0.7, 0.3),
    "MEANGAM": _Channel(46.0, 4.0, False, 0.3, 0.6, 0.1),
    "MEANGBT": _Channel(112.0, 15.0, False, -0.4, 0.2, 0.1),
    "MEANGBZ": _Channel(116.0, 17.0, False, -0.4, 0.2, 0.1),
    "MEANGBH": _Channel(63.0, 9.0, False, -0.2, 0.4, 0.1),
    "MEANJZH": _Channel(-0.004, 0.012, False, 0.0, 0.3, 0.3),
    "TOTFY": _Channel(-3e23, 1e24, False, 0.3, 0.0, 0.1),
    "MEANJZD": _Channel(0.4, 0.9, False, 0.0, 0.1, 0.1),
    "MEANALP": _Channel(-0.009, 0.035, False, 0.0, 0.3, 0.2),
    "TOTFX": _Channel(2e23, 2e24, False, 0.3, 0.0, 0.1),
    "EPSY": _Channel(0.007, 0.04, False, 0.1, 0.0, 0.1),
    "EPSX": _Channel(0.04, 0.05, False, 0.1, 0.0, 0.1),
    "R_VALUE": _Channel(3.9, 0.5, False, 0.5, 0.6, 0.4),
    "XR_MAX": _Channel(-6.2, 0.25, True, 0.4, 0.2, 0.2),
}


def simulate(records: Mapping[int, int], *, seed: int = 0, per_region: int = 24) -> Blocks:
    """Stream simulated records, region by region.

    A region depends on the seed, its fold and its number alone: more records of a fold add regions
    and change none.

    Parameters
    ----------
    records
        Records per fold; the folds are 1, 2 and 3, with `FLARE_SHARES`.
    seed
        Seed of all regions.
    per_region
        Records of a region; the last region of a fold has what is left.

    Returns
    -------
    Blocks as `models.solar_flares.records` describes them. The share of flares in a fold comes
    near the published one as its regions become many: within about 3 percentage points of it from
    400 regions on.

    Raises
    ------
    ValueError
        A fold is unknown, or a number is below 1.
    """
    if not records or not records.keys() <= FLARE_SHARES.keys():
        raise ValueError(f"folds must be among {sorted(FLARE_SHARES)}, not {sorted(records)}")
    if min(*records.values(), per_region) < 1:
        raise ValueError(f"records {dict(records)} and per_region {per_region} must be 1 or more")

    def regions() -> Iterator[Block]:
        for fold, count in records.items():
            rate = _base_rate(FLARE_SHARES[fold])
            for number, start in enumerate(range(0, count, per_region)):
                yield _region(fold, number, min(per_region, count - start), seed, rate)

    return Blocks(rebatched(regions(), BLOCK_ROWS))


def _region(fold: int, number: int, records: int, seed: int, base_rate: float) -> Block:
    generator = np.random.default_rng([seed, fold, number])
    samples = SAMPLES + (records - 1) * STRIDE
    size, complexity = _character(fold, number, seed)
    state = _autoregressive(generator, samples + HORIZON)
    rate = np.exp(base_rate + SIZE * size + COMPLEXITY * complexity + STATE * state)
    flares = np.cumsum(generator.poisson(rate))
    last = np.arange(records) * STRIDE + SAMPLES - 1
    label = flares[last + HORIZON] > flares[last]
    series = _series(
        generator, size, complexity, state[:samples], np.diff(flares[:samples], prepend=0)
    )
    windows = np.lib.stride_tricks.sliding_window_view(series, SAMPLES, axis=0)[::STRIDE]
    name = f"{fold}{number:05d}"
    return {
        "values": np.ascontiguousarray(windows.transpose(0, 2, 1)),
        "label": label.astype(np.int8),
        "id": np.array([f"{name}-{one:04d}" for one in range(records)], dtype=f"U{ID_LENGTH}"),
        "region": np.full(records, f"AR{name}", dtype=f"U{REGION_LENGTH}"),
        "fold": np.full(records, fold, dtype=np.int8),
    }


def _character(fold: int, number: int, seed: int) -> tuple[float, float]:
    """Size and complexity of a region, standard normal.

    They come from a quasi-random sequence (Roberts 2018, R2: multiples of the powers of the
    plastic number), shifted by the seed: a few regions then have about the mean of many, and with
    it the share of flares.
    """
    shift = np.random.default_rng([seed, fold]).random(2)
    uniform = (shift + (number + 1) * _PLASTIC) % 1.0
    low, high = (NormalDist().inv_cdf(min(max(float(u), 1e-6), 1 - 1e-6)) for u in uniform)
    return low, high


_PLASTIC = 1.324717957244746 ** -np.arange(1.0, 3.0)


def _autoregressive(generator: np.random.Generator, samples: int) -> NDArray[np.float64]:
    """AR(1) process of unit variance, stationary from its start; shape (samples,)."""
    from scipy.signal import lfilter

    keep = np.exp(-1 / MEMORY)
    steps = generator.standard_normal(samples)
    steps[1:] *= np.sqrt(1 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], steps))


def _series(
    generator: np.random.Generator,
    size: float,
    complexity: float,
    state: NDArray[np.float64],
    flares: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Parameters of a region over time; shape (samples, 25)."""
    shape = (len(state), len(PARAMETERS))
    offset = OFFSET * generator.standard_normal(len(PARAMETERS), dtype=np.float32)
    mixture = NOISE * generator.standard_normal(shape, dtype=np.float32)
    mixture += offset + (_SIZE * size + _COMPLEXITY * complexity)
    mixture += state.astype(np.float32)[:, None] * _STATE
    # A flare of class M or X reaches at least 1e-5 W/m2 and fades within the hour.
    mixture[:, -1] += 6.0 * np.minimum(np.convolve(flares, _FADING)[: len(state)], 1.5)
    series = _LOCATION + _SPREAD * mixture
    series[:, _LOG] = 10.0 ** series[:, _LOG]
    missing = generator.random(shape, dtype=np.float32) < MISSING
    series[missing] = np.nan
    return np.asarray(series, dtype=np.float32)


_LOCATION = np.array([_CHANNELS[name].location for name in PARAMETERS])
_SPREAD = np.array([_CHANNELS[name].spread for name in PARAMETERS])
_LOG = np.array([_CHANNELS[name].log for name in PARAMETERS])
_SIZE = np.array([_CHANNELS[name].size for name in PARAMETERS], dtype=np.float32)
_COMPLEXITY = np.array([_CHANNELS[name].complexity for name in PARAMETERS], dtype=np.float32)
_STATE = np.array([_CHANNELS[name].state for name in PARAMETERS], dtype=np.float32)
_FADING = np.exp(-np.arange(6) / 2.0)


def _base_rate(share: float) -> float:
    """Logarithm of the flares per sample at which ``share`` of the records come before a flare.

    Found by bisection on pilot regions, the same for every seed.
    """
    generator = np.random.default_rng(0)
    risks = np.empty(PILOT_REGIONS)
    for number in range(PILOT_REGIONS):
        size, complexity = _character(0, number, 0)
        state = _autoregressive(generator, HORIZON)
        risks[number] = np.exp(SIZE * size + COMPLEXITY * complexity + STATE * state).sum()
    low, high = -30.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.mean(-np.expm1(-np.exp(middle) * risks)) < share:
            low = middle
        else:
            high = middle
    return middle

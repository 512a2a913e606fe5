"""The constant-Q transform: a signal's energy at each time and frequency.

The Q transform (Chatterji et al. 2004, Classical and Quantum Gravity 21, S1809) as in Gravity Spy's
pictures: sine-Gaussian tiles of one Q at logarithmically spaced frequencies,
each row's energy divided by its median, the Q chosen by the loudest tile, and the tiles
interpolated onto the pixels. Tilings, windows and interpolation are those of gwpy's
``q_transform``, so that the pictures are the same; everything that doesn't depend on the data is
computed once for all pictures, and the interpolation, which is linear in the energies, is two
matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISMATCH = 0.2
"""Greatest loss of energy between neighbouring tiles, a fraction; the Omega scan's."""

REACH = 16
"""Tiles on either side of a pixel that its spline sees: their weights fall as 0.27 to their
number."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Rows:
    """Rows of tiles of one plane with equally many tiles: they are transformed in one go."""

    tiles: int
    #: First bin and window of each row: a bi-square in frequency.
    windows: list[tuple[int, Floats]]
    #: Tiles kept, those at the pixels and beside them; the ones that are searched, of these.
    kept: slice
    searched: slice
    #: Cubic splines in time, kept tiles -> pixels: sparse, shape (columns, kept).
    in_time: Any
    #: Mean energy of each row in white noise of variance 1, shape (rows,).
    noise: Floats

    def energies(self, spectrum: NDArray[np.complex64], *, over_median: bool) -> Floats:
        """Energies over their median, or over white noise's mean; shape (rows, kept)."""
        from scipy.fft import ifft

        padded = np.zeros((len(self.windows), self.tiles), dtype=np.complex64)
        for row, (first, window) in enumerate(self.windows):
            # Where the band lies in `padded` turns the phase alone, which energies don't have.
            np.multiply(
                spectrum[first : first + window.size], window, out=padded[row, : window.size]
            )
        tiles = ifft(padded, axis=1, overwrite_x=True)
        energy = tiles.real**2 + tiles.imag**2
        kept = energy[:, self.kept].copy()
        level = self.noise
        if over_median:
            half = self.tiles // 2
            energy.partition(half, axis=1)
            median = (energy[:, :half].max(axis=1) + energy[:, half]) / 2
            # A series of zeros has rows of nothing else.
            level = np.maximum(median, np.finfo(np.float32).tiny)
        return np.asarray(kept / level[:, None])


@dataclass(frozen=True)
class _Plane:
    """All rows of one Q, from the lowest frequency up."""

    q: float
    groups: list[_Rows]
    #: Cubic splines in frequency, rows of tiles -> rows of pixels: shape (pixels, rows).
    in_frequency: Floats


class ConstantQ:
    """Pictures of time series: normalised energy over time and logarithmic frequency.

    Parameters
    ----------
    rate
        Samples a second; a row of tiles reaches above its frequency by up to a factor
        ``1 + sqrt(11) / Q``, which must stay below half the rate.
    samples
        Samples of a series. The picture shows its middle; the rest serves the medians.
    q_range
        Lowest and highest Q; about four planes share the default.
    band
        Lowest and highest frequency of the picture, in Hz.
    shape
        Pixels in frequency and in time.
    duration
        Seconds that the picture shows.

    Raises
    ------
    ValueError
        The rate or the length of the series doesn't allow the band or the picture.

    Examples
    --------
    >>> ConstantQ(8192, 16384).qs.round(2).tolist()
    [5.66, 11.31, 22.63, 45.25]
    """

    def __init__(
        self,
        rate: int,
        samples: int,
        *,
        q_range: tuple[float, float] = (4.0, 64.0),
        band: tuple[float, float] = (10.0, 2048.0),
        shape: tuple[int, int] = (140, 170),
        duration: float = 0.5,
    ) -> None:
        self.rate, self.samples, self.shape, self.duration = rate, samples, shape, duration
        seconds = samples / rate
        step = 2 * math.sqrt(MISMATCH / 3)  # between tiles, in units of the mismatch metric
        extent = math.log(q_range[1] / q_range[0]) / math.sqrt(2)
        planes = max(math.ceil(extent / step), 1)
        #: The Q of each plane, ascending.
        self.qs: NDArray[np.float64] = q_range[0] * np.exp(
            math.sqrt(2) * extent / planes * (np.arange(planes) + 0.5)
        )
        if band[1] * (1 + math.sqrt(11) / self.qs[0]) > rate / 2:
            raise ValueError(
                f"a rate of {rate} Hz doesn't reach {band[1]:g} Hz at Q {self.qs[0]:g}"
            )
        if duration > seconds:
            raise ValueError(f"{seconds:g} s of data don't fill a picture of {duration:g} s")
        start = (seconds - duration) / 2
        #: Time of each column, in seconds from the series' first sample; shape (columns,).
        self.times = start + duration / shape[1] * np.arange(shape[1])
        #: Frequency of each row in Hz, descending as in the published pictures; shape (rows,).
        self.frequencies = np.geomspace(band[1], band[0], shape[0])
        self._planes = [self._plane(float(q), seconds, step, band, duration) for q in self.qs]

    def __call__(
        self, series: NDArray[np.floating], *, over_median: bool = True
    ) -> tuple[Floats, NDArray[np.float64]]:
        """Transform whitened series.

        Parameters
        ----------
        series
            Shape (n, samples).
        over_median
            True: energies are over the median of their row of tiles, whatever the series' unit.
            False: over the mean that white noise of variance 1 has, for signals without noise.

        Returns
        -------
        energy : float32 array of shape (n, *shape)
            Normalised energy, from the highest frequency down. It is interpolated by cubic
            splines, which may undershoot 0 slightly.
        q : float64 array of shape (n,)
            Q of the plane that was taken: the one with the loudest tile within the picture's time.

        Raises
        ------
        ValueError
            The series have another length, or hold NaN or inf.
        """
        from scipy.fft import rfft

        series = np.asarray(series)
        if series.ndim != 2 or series.shape[1] != self.samples:
            raise ValueError(f"series must have shape (n, {self.samples}), not {series.shape}")
        if not np.isfinite(series).all():
            raise ValueError("series hold NaN or inf: cut such stretches out before transforming")
        if over_median:  # the squares of strain are below what single precision holds
            loudest_sample = np.abs(series).max(axis=1, keepdims=True)
            series = series / np.where(loudest_sample > 0, loudest_sample, 1)
        series = series.astype(np.float32)
        energy = np.empty((len(series), *self.shape), dtype=np.float32)
        q = np.empty(len(series))
        for row, one in enumerate(series):  # one by one: no result depends on its neighbours
            spectrum = rfft(one)
            loudest = -1.0
            for plane in self._planes:
                tiles = [
                    group.energies(spectrum, over_median=over_median) for group in plane.groups
                ]
                peak = max(
                    float(energies[:, group.searched].max())
                    for group, energies in zip(plane.groups, tiles, strict=True)
                )
                if peak > loudest:
                    loudest, chosen, chosen_tiles = peak, plane, tiles
            in_time = [
                (group.in_time @ energies.T).T
                for group, energies in zip(chosen.groups, chosen_tiles, strict=True)
            ]
            np.matmul(chosen.in_frequency, np.concatenate(in_time), out=energy[row])
            q[row] = chosen.q
        return energy, q

    def _plane(
        self, q: float, seconds: float, step: float, band: tuple[float, float], duration: float
    ) -> _Plane:
        from scipy.interpolate import make_interp_spline

        extent = math.log(band[1] / band[0]) * math.sqrt(2 + q**2) / 2
        rows = max(math.ceil(extent / step), 1)
        spaced = band[0] * np.exp(2 / math.sqrt(2 + q**2) * extent / rows * (np.arange(rows) + 0.5))
        bins = np.unique(np.floor(spaced * seconds).astype(np.int64))
        by_tiles: dict[int, list[tuple[int, Floats]]] = {}
        for centre in bins.tolist():
            half = int(centre * math.sqrt(11) / q)
            offsets = np.arange(-half, half + 1)
            window = (1 - (offsets * q / (math.sqrt(11) * centre)) ** 2) ** 2
            tiles = 2 ** math.ceil(math.log2(2 * math.pi * centre / q / step))
            # The Omega scan counts bins from 1, and so do all since: the band lies a bin higher.
            first = centre + 1 - half
            by_tiles.setdefault(tiles, []).append((first, window.astype(np.float32)))
        groups = [
            self._rows(tiles, windows, seconds, duration) for tiles, windows in by_tiles.items()
        ]
        frequencies = bins / seconds
        within = np.clip(self.frequencies, frequencies[0], frequencies[-1])
        splines = make_interp_spline(frequencies, np.eye(len(bins)), k=3)(within)
        return _Plane(q, groups, splines.astype(np.float32))

    def _rows(
        self, tiles: int, windows: list[tuple[int, Floats]], seconds: float, duration: float
    ) -> _Rows:
        from scipy.interpolate import make_interp_spline
        from scipy.sparse import csr_array

        first, last = (
            math.ceil((seconds + sign * duration) / 2 * tiles / seconds) for sign in (-1, 1)
        )
        kept = slice(max(first - REACH, 0), min(last + REACH, tiles))
        searched = slice(first - kept.start, last - kept.start)
        # Tiles are equally spaced: every pixel's spline is that of its nearest tiles.
        place = self.times * tiles / seconds - kept.start
        seen = min(2 * REACH, kept.stop - kept.start)
        start = np.clip(np.floor(place).astype(int) - REACH + 1, 0, kept.stop - kept.start - seen)
        spline = make_interp_spline(np.arange(seen), np.eye(seen), k=3)
        weights = spline(place - start).astype(np.float32)
        columns = start[:, None] + np.arange(seen)
        ends = np.arange(0, weights.size + 1, seen)
        shape = (len(place), kept.stop - kept.start)
        in_time = csr_array((weights.ravel(), columns.ravel(), ends), shape=shape)
        # A bin of white noise of variance 1 has an energy of its number of samples.
        noise = [self.samples * float((w**2).sum()) / tiles**2 for _, w in windows]
        return _Rows(
            *(tiles, windows, kept, searched, in_time),
            noise=np.array(noise, dtype=np.float32),
        )

"""Signals and noise of a detector: chirps of merging black holes, glitches, coloured noise.

- Chirps are strain: post-Newtonian inspiral, merger and ringdown, spins ignored.
- Noise is strain with the spectrum of Advanced LIGO's design.
- Glitches have no theory. They are simulated as they look in whitened data, after the descriptions
  of the classes in Zevin et al. 2017 (Classical and Quantum Gravity 34, 064003) and Soni et al.
  2021 (38, 195016): each function draws one at random.

In whitened data noise has variance 1, and a signal's signal-to-noise ratio is its norm.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SOLAR_MASS = 4.925491e-6
"""G M_sun / c^3, in seconds."""

LOWEST = 8.0
"""Frequency in Hz from which a chirp is followed, below all that a detector hears."""

Series = NDArray[np.float64]
Glitch = Callable[[np.random.Generator, Series], Series]


def strain_psd(frequency: Series) -> Series:
    """Return the power spectral density of Advanced LIGO's design noise, in 1/Hz.

    Sathyaprakash and Schutz 2009 (Living Reviews in Relativity 12, 2, table 1):
    1e-49 [x^-4.14 - 5 x^-2 + 111 (1 - x^2 + x^4/2) / (1 + x^2/2)] with x = f / 215 Hz. Below 10 Hz,
    where no detector hears, it is held at its value there.
    """
    x = np.maximum(frequency, 10.0) / 215.0
    shape = x**-4.14 - 5 * x**-2 + 111 * (1 - x**2 + x**4 / 2) / (1 + x**2 / 2)
    return np.asarray(1e-49 * shape)


def coloured_noise(generator: np.random.Generator, samples: int, rate: int) -> Series:
    """Draw Gaussian noise with the spectrum `strain_psd`; strain, shape (samples,)."""
    white = np.fft.rfft(generator.standard_normal(samples))
    return np.asarray(np.fft.irfft(white / _whitening(samples, rate), samples))


def whiten(strain: Series, rate: int) -> Series:
    """Divide strain, shape (samples,), by the noise's amplitude: noise gets variance 1."""
    samples = strain.shape[-1]
    return np.asarray(np.fft.irfft(np.fft.rfft(strain) * _whitening(samples, rate), samples))


@functools.lru_cache(maxsize=4)
def _whitening(samples: int, rate: int) -> Series:
    """Factor per bin: a one-sided density S means a variance of S rate / 2 over all bins."""
    return np.asarray(
        (strain_psd(np.asarray(np.fft.rfftfreq(samples, 1 / rate), dtype=np.float64)) * rate / 2)
        ** -0.5
    )


def signal_to_noise(whitened: Series) -> float:
    """Return the optimal signal-to-noise ratio of a signal in whitened data, shape (samples,).

    The matched filter's, 4 times the integral of |h(f)|^2 / S(f), is the sum of squares there.
    """
    return float(np.linalg.norm(whitened))


def chirp(time: Series, mass_1: float, mass_2: float, *, phase: float = 0.0) -> Series:
    """Return the strain of two black holes merging at time 0, up to its amplitude.

    Inspiral: orbital speed over time to second post-Newtonian order, TaylorT4 (Buonanno et al.
    2009, Physical Review D 80, 084043, eq. 3.6), and the quadrupole's amplitude, v^2, up to the
    light ring, v = 3^-1/2. From there the frequency goes over to the ringing of the black hole left
    behind, exponentially and without a kink; from 9/10 of it on the amplitude falls with the
    ringing's damping time (Berti, Cardoso and Will 2006, Physical Review D 73, 064030, table VIII,
    l = m = 2; spin of the remnant 2 sqrt(3) eta - 3.87 eta^2, as Berti et al. 2007, Physical Review
    D 76, 064034). That is time 0.

    Parameters
    ----------
    time
        Equally spaced, in seconds, ascending, shape (n,).
    mass_1, mass_2
        In solar masses, as seen at the detector (with redshift).
    phase
        Phase at the first sample, in radians.

    Returns
    -------
    Shape (n,), of any amplitude.
    """
    mass = (mass_1 + mass_2) * SOLAR_MASS
    eta = mass_1 * mass_2 / (mass_1 + mass_2) ** 2
    v = np.linspace((math.pi * mass * LOWEST) ** (1 / 3), 3**-0.5, 4000)
    series = 1 - (743 / 336 + 11 / 4 * eta) * v**2 + 4 * math.pi * v**3
    series += (34_103 / 18_144 + 13_661 / 2016 * eta + 59 / 18 * eta**2) * v**4
    rise = 32 / 5 * eta / mass * v**9 * series  # dv/dt
    frequency = v**3 / (math.pi * mass)
    steps = np.diff(v) * (1 / rise[1:] + 1 / rise[:-1]) / 2
    before = np.concatenate([-np.cumsum(steps[::-1])[::-1], [0.0]])  # seconds to the light ring

    spin = 2 * math.sqrt(3) * eta - 3.87 * eta**2
    ringing = (1.5251 - 1.1568 * (1 - spin) ** 0.1292) / (2 * math.pi * mass)
    quality = 0.7 + 1.4187 * (1 - spin) ** -0.499
    left = ringing - frequency[-1]
    change = left * math.pi * mass / (3 * v[-1] ** 2 * rise[-1])  # seconds of its going over
    since = time + change * math.log(10 * left / ringing)  # since the light ring
    after = ringing - left * np.exp(-np.maximum(since, 0) / change)
    f = np.where(since < 0, np.interp(since, before, frequency, left=0.0), after)
    amplitude = f ** (2 / 3) * np.exp(-np.maximum(time, 0) * math.pi * ringing / quality)
    turns = np.cumsum(f) * (time[1] - time[0])
    return np.asarray(amplitude * np.cos(2 * math.pi * turns + phase))


def _wavelet(time: Series, frequency: float, width: float, phase: float) -> Series:
    """Sine under a Gaussian of standard deviation ``width`` seconds."""
    return np.asarray(
        np.exp(-((time / width) ** 2) / 2) * np.cos(math.tau * frequency * time + phase)
    )


def _sweep(time: Series, frequency: Series, phase: float) -> Series:
    """Wave of a frequency that changes over time."""
    return np.asarray(np.cos(math.tau * np.cumsum(frequency) * (time[1] - time[0]) + phase))


def _log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** generator.random())


def blip(generator: np.random.Generator, time: Series) -> Series:
    """Draw a blip: a cycle or two around 50 to 350 Hz, over in 10 ms."""
    frequency = _log_uniform(generator, 50, 350)
    cycles = generator.uniform(0.15, 0.45)  # in a standard deviation
    phase = generator.uniform(0, math.tau)
    return _wavelet(time, frequency, cycles / frequency, phase)


def tomte(generator: np.random.Generator, time: Series) -> Series:
    """Draw a tomte: as a blip, lower and longer, a triangle on its base."""
    frequency = _log_uniform(generator, 28, 60)
    phase = generator.uniform(0, math.tau)
    foot = _wavelet(time, frequency, generator.uniform(0.4, 0.9) / frequency, phase)
    tip = _wavelet(time, 2.2 * frequency, 0.35 / frequency, phase)
    return np.asarray(foot + generator.uniform(0.3, 0.8) * tip)


def koi_fish(generator: np.random.Generator, time: Series) -> Series:
    """Draw a koi fish: a loud blip with a head, fins and a tail at 20 to 50 Hz around it."""
    body = blip(generator, time)
    fins = np.zeros_like(time)
    for side in (-1, 1):
        shift = side * generator.uniform(0.03, 0.1)
        fins += _wavelet(time - shift, generator.uniform(20, 50), generator.uniform(0.01, 0.03), 0)
    return np.asarray(body + generator.uniform(0.1, 0.4) * fins)


def low_frequency_burst(generator: np.random.Generator, time: Series) -> Series:
    """Draw a burst: a hump below 30 Hz, a tenth of a second wide."""
    frequency = generator.uniform(11, 24)
    phase = generator.uniform(0, math.tau)
    return _wavelet(time, frequency, generator.uniform(0.02, 0.12), phase)


def power_line(generator: np.random.Generator, time: Series) -> Series:
    """Draw a switched load: 60 Hz and a harmonic for a tenth of a second or longer."""
    width = generator.uniform(0.04, 0.15)
    result = _wavelet(time, 60, width, generator.uniform(0, math.tau))
    harmonic = 60.0 * float(generator.integers(2, 4))
    weight = generator.uniform(0, 0.5)
    return np.asarray(result + weight * _wavelet(time, harmonic, width, 0))


def scattered_light(generator: np.random.Generator, time: Series) -> Series:
    """Draw scattered light: arches of twice the speed of a swinging mirror over the wavelength.

    f(t) = f_max |cos(2 pi f_swing t)|, and its double where light bounces twice (Accadia et
    al. 2010, Classical and Quantum Gravity 27, 194011).
    """
    peak, swing = generator.uniform(20, 70), generator.uniform(0.15, 0.9)
    frequency = peak * np.abs(np.cos(math.tau * swing * (time - generator.normal(0, 0.05))))
    result = _sweep(time, frequency, generator.uniform(0, math.tau))
    if generator.random() < 0.5:
        result += generator.uniform(0.3, 0.8) * _sweep(time, 2 * frequency, 0)
    return np.asarray(result * np.exp(-((time / generator.uniform(0.3, 0.8)) ** 2)))


def scratchy(generator: np.random.Generator, time: Series) -> Series:
    """Draw a scratch: a train of short waves at about one frequency, 20 to 50 ms apart."""
    frequency, gap = _log_uniform(generator, 80, 350), generator.uniform(0.018, 0.05)
    count = int(generator.integers(5, 18))
    result = np.zeros_like(time)
    for number in range(count):
        at = (number - count / 2 + generator.normal(0, 0.15)) * gap
        own = frequency * generator.uniform(0.8, 1.25)
        wave = _wavelet(time - at, own, generator.uniform(0.4, 1.0) / own, 0)
        result += generator.uniform(0.3, 1.0) * wave
    return result


def whistle(generator: np.random.Generator, time: Series) -> Series:
    """Draw a whistle: a beat of two oscillators, |f_0 + a t^2|, shaped like a V, a U or an arch."""
    extremum = _log_uniform(generator, 150, 1500)
    bend = _log_uniform(generator, 3e3, 1e5) * generator.choice([-1, 1], p=[0.3, 0.7])
    frequency = np.minimum(np.abs(extremum + bend * time**2), 3500)
    shape = np.exp(-((time / generator.uniform(0.08, 0.3)) ** 2))
    return np.asarray(shape * _sweep(time, frequency, generator.uniform(0, math.tau)))


def repeating_blips(generator: np.random.Generator, time: Series) -> Series:
    """Draw two to four blips of one shape, 0.1 to 0.25 s apart."""
    gap, shape = generator.uniform(0.1, 0.25), int(generator.integers(2**31))
    result = np.zeros_like(time)
    for number in range(int(generator.integers(2, 5))):
        at = (number - 0.5) * gap + generator.normal(0, 0.01)
        one = blip(np.random.default_rng(shape), time - at)
        result += generator.uniform(0.5, 1.0) * one
    return result


def violin_mode(generator: np.random.Generator, time: Series) -> Series:
    """Draw ringing suspension fibres: 500 Hz and multiples, short lines."""
    width = generator.uniform(0.02, 0.08)
    result = np.zeros_like(time)
    for multiple in generator.choice([1, 2, 3], size=generator.integers(1, 4), replace=False):
        frequency = generator.uniform(495, 515) * multiple
        result += generator.uniform(0.4, 1.0) * _wavelet(time, frequency, width, 0)
    return result


GLITCHES: dict[str, Glitch] = {
    "Blip": blip,
    "Koi_Fish": koi_fish,
    "Low_Frequency_Burst": low_frequency_burst,
    "Power_Line": power_line,
    "Repeating_Blips": repeating_blips,
    "Scattered_Light": scattered_light,
    "Scratchy": scratchy,
    "Tomte": tomte,
    "Violin_Mode": violin_mode,
    "Whistle": whistle,
}
"""The families by the name of their class: each draws a glitch in whitened data, at time 0 and of
any amplitude."""

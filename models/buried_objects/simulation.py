"""Scans simulated by a fast model of waves in the ground, in place of finite differences.

The model is two-dimensional, as the study's: the antennas
are lines of current along the cylinder, the field is along them too (transverse magnetic). A trace
is the sum, over frequencies, of

- the direct wave through the air and the reflection off a half-space (Chew 1995, Waves and Fields
  in Inhomogeneous Media, chapter 2), whose spectral integral over the wave numbers along the ground
  also holds the near field of antennas close to it;
- the echo of the cylinder: the field that reaches its axis through the surface, times what a
  cylinder of metal, or a pipe with its wall and filling, scatters back (series of cylinder
  functions: Balanis 2012, Advanced Engineering Electromagnetics, 2nd ed., sections 11.5.1 and
  11.6.2), times the way back. Its travel time is the hyperbola 2 (sqrt(d^2 + (x - x0)^2) - r) / v,
  and spreading, absorption, refraction and reflection coefficients need no further formulas;
- echoes of stones, thin dielectric cylinders (Rayleigh scattering), and white noise.

The rough surface changes the height of the antennas trace by trace and delays what passes through
it. What is left out: waves between cylinder and surface, and a pipe's near field beyond its
geometrical spreading. `tests/models/buried_objects/test_simulation.py` compares it with gprMax.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.buried_objects.scans import (
    CENTRE,
    CONDUCTIVITY,
    FILLINGS,
    OFFSET,
    PERMITTIVITY,
    SAMPLES,
    SPACING,
    SPEED,
    TIME_STEP,
    TRACES,
    WALL,
    Scene,
    positions,
    surface,
)

Complex = NDArray[np.complex128]

RADII, DEPTHS, HEIGHTS = (0.005, 0.25), (1.0, 2.0), (0.01, 0.2)  # m
FREQUENCIES = (200e6, 900e6)  # Hz
HYPERCUBE = 50  # scenes of a Latin hypercube

MU_0 = 4e-7 * np.pi  # H/m
EPSILON_0 = 1 / (MU_0 * SPEED**2)  # F/m
PVC, WATER = 3.0, 80.0  # relative permittivities (Daniels 2004, table 4.1)

BAND = 4.0  # times the wavelet's centre, where 2e-5 of its spectrum's peak is left
PERIOD = 1.25  # times the window: what comes later would wrap around into it
DAMPING = 1e-3  # what is left of a wave after a period, so that nothing wraps around
LENGTH = 20.0  # m between the source and its images, which a sum over wave numbers brings with it
SHORTEST = 0.01  # m: half the shortest wavelength along the ground

EVANESCENT = 14.0  # nepers that waves along the ground fade by on their way, to be left out

STONES = 6
STONE_RADII, STONE_PERMITTIVITIES = (0.005, 0.02), (4.0, 9.0)
NOISE = 2e-5
"""Standard deviation of the receiver's noise in 4.2 GHz, of the scan's greatest value."""


def draw_scene(scan: int, seed: int) -> Scene:
    """Draw the scene of a scan; it depends on its number and the seed alone.

    Every `HYPERCUBE` scans are a Latin hypercube (McKay, Beckman and Conover 1979, Technometrics
    21, 239): each property takes one value from each of as many equal parts of its range.
    """
    cube, place = divmod(scan, HYPERCUBE)
    generator = np.random.default_rng([seed, cube])
    cells = np.argsort(generator.random((5, HYPERCUBE)), axis=1)[:, place]
    jitter = np.random.default_rng([seed, cube, place]).random(5)
    share = (cells + jitter) / HYPERCUBE
    radius, depth, height, frequency = (
        low + (high - low) * float(u)
        for u, (low, high) in zip(share, (RADII, DEPTHS, HEIGHTS, FREQUENCIES), strict=False)
    )
    kinds = [(material, filling) for material, fillings in FILLINGS.items() for filling in fillings]
    material, filling = kinds[int(share[4] * len(kinds))]
    own = int(np.random.SeedSequence([seed, scan]).generate_state(1)[0])
    return Scene(radius, depth, height, material, filling, frequency, OFFSET, own)


def simulate_scan(
    scene: Scene,
    *,
    traces: int = TRACES,
    step: int = 20,
    rough: bool = True,
    stones: int = STONES,
    noise: float = NOISE,
) -> NDArray[np.float32]:
    """Make the scan over a scene.

    Parameters
    ----------
    scene
        All of it known.
    traces
        How many, from the first.
    step
        Every ``step``-th of the study's 10,057 samples is computed. With 20 nothing is lost: the
        waves end at 3.6 GHz, and 8.4 GHz are sampled.
    rough
        Whether the surface is rough, or flat.
    stones
        How many lie in the ground.
    noise
        Standard deviation of the receiver's noise with step 20, of the scan's greatest value. Its
        power per Hz is the same with other steps.

    Returns
    -------
    float32 array, shape (traces, ceil(10057 / step))
        V/m for a current of 1 A, from the time when the current begins.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    samples, spacing = -(-SAMPLES // step), step * TIME_STEP
    length = next_fast_len(round(PERIOD * samples), real=True)
    damping = -np.log(DAMPING) / (length * spacing)  # 1/s
    time = np.arange(length) * spacing
    frequencies = np.fft.rfftfreq(length, spacing)
    frequencies = frequencies[frequencies <= BAND * scene.frequency]
    omega = 2 * np.pi * frequencies - 1j * damping
    current = rfft(ricker(time, scene.frequency) * np.exp(-damping * time))[: len(omega)]
    field = _Field(scene, omega, traces, rough)
    response = field.direct() + field.echo() + field.stones(stones)
    spectrum = -1j * omega * MU_0 * current * response
    scan = irfft(spectrum, length, axis=1)[:, :samples] * np.exp(damping * time[:samples])
    draws = np.random.default_rng([scene.seed, 3]).standard_normal(scan.shape, np.float32)
    scan += noise * np.sqrt(20 / step) * np.abs(scan).max() * draws
    return np.asarray(scan, dtype=np.float32)


def ricker(time: NDArray[np.float64], frequency: float) -> NDArray[np.float64]:
    """Ricker wavelet of the given centre, Hz, as gprMax begins it: 1 at sqrt(2) / frequency."""
    phase = (np.pi * frequency * (time - np.sqrt(2) / frequency)) ** 2
    return np.asarray((1 - 2 * phase) * np.exp(-phase))


class _Field:
    """Fields of a line current of 1 / (-j omega mu_0) over a scene; shape (traces, frequencies).

    Frequencies are complex: waves decay by `DAMPING` in a period. Time goes as exp(j omega t).
    """

    def __init__(self, scene: Scene, omega: Complex, traces: int, rough: bool) -> None:
        self.scene, self.omega = scene, omega
        self.air = omega / SPEED
        self.ground = _wave_number(omega, PERMITTIVITY, CONDUCTIVITY)
        self.at = np.stack([positions(traces), positions(traces) + scene.offset])
        places = SPACING * np.arange(len(surface(scene.seed)))
        self.heights = np.interp(self.at, places, surface(scene.seed) * rough)

    def _decays(self, last: float) -> tuple[NDArray[np.float64], Complex, Complex]:
        """Wave numbers along the ground up to ``last``, and the decays per metre up and down."""
        along = np.arange(0, last, 2 * np.pi / LENGTH)
        air, ground = (np.sqrt(along**2 - k[:, None] ** 2) for k in (self.air, self.ground))
        return along, air, ground

    def _integrate(self, spectrum: Complex, along: NDArray[np.float64], at: Any) -> Complex:
        """Sum plane waves at places along the line, metres; (..., frequencies)."""
        x = np.asarray(at)
        # Each wave number but 0 stands for its negative too.
        weights = np.where(along == 0, 1.0, 2.0) / LENGTH
        waves = weights[:, None] * np.cos(along[:, None] * x.ravel())
        summed = spectrum @ waves.astype(np.complex128)
        return np.asarray(summed.T.reshape(*x.shape, len(self.omega)))

    def _down(self, depth: float, x: float) -> Complex:
        """Field of transmitter and receiver at a depth below ``x``; (2, traces, frequencies)."""
        # Waves that are shorter along the ground fade before they get there.
        last = float(np.hypot(np.abs(self.ground).max(), EVANESCENT / depth))
        along, air, ground = self._decays(last)
        through = np.exp(-air * self.scene.height - ground * depth) / (air + ground)
        rough = np.exp(1j * (self.air - self.ground) * self.heights[..., None])
        return self._integrate(through, along, self.at - x) * rough

    def direct(self) -> Complex:
        """Direct wave and the surface's reflection, to second order in the surface's height."""
        from scipy.special import hankel2

        along, air, ground = self._decays(np.pi / SHORTEST)
        reflected = (air - ground) / (air + ground) * np.exp(-2 * air * self.scene.height)
        terms = (reflected / (2 * air), reflected, reflected * air)
        flat, linear, square = (self._integrate(one, along, self.scene.offset) for one in terms)
        heights = self.heights.mean(axis=0)[:, None]
        direct = -0.25j * hankel2(0, self.air * self.scene.offset)
        return np.asarray(direct + flat + heights * linear + heights**2 * square)

    def echo(self) -> Complex:
        """Echo of the cylinder."""
        scene = self.scene
        ways = self._down(scene.depth, CENTRE)
        # The series holds for a distant antenna; a near one sees more of a wide cylinder: the rays
        # that leave it spread as if from half its radius behind its front.
        distance = np.hypot(scene.depth, self.at.mean(axis=0) - CENTRE)[:, None]
        nearness = np.sqrt(distance / (distance - scene.radius))
        return np.asarray(4j * backscatter(scene, self.omega) * nearness * ways[0] * ways[1])

    def stones(self, count: int) -> Complex:
        """Echoes of stones at random places in the ground."""
        generator = np.random.default_rng([self.scene.seed, 2])
        xs, depths = generator.uniform((-0.5, 0.1), (3.5, 3.0), (count, 2)).T
        radii = generator.uniform(*STONE_RADII, count)
        contrasts = generator.uniform(*STONE_PERMITTIVITIES, count) / PERMITTIVITY - 1
        total: Complex = np.zeros((self.at.shape[1], len(self.omega)), np.complex128)
        for x, depth, radius, contrast in zip(xs, depths, radii, contrasts, strict=True):
            small = 0.25j * np.pi * contrast * (self.ground * radius) ** 2
            ways = self._down(depth, x)
            total -= 4j * small / (1 + small) * ways[0] * ways[1]
        return total


def _wave_number(omega: Complex, permittivity: float, conductivity: float = 0.0) -> Complex:
    """Radians per metre, shape (frequencies,)."""
    loss = conductivity / (1j * omega * EPSILON_0)
    return np.asarray(omega / SPEED * np.sqrt(permittivity + loss))


def backscatter(scene: Scene, omega: Complex) -> Complex:
    """What a cylinder in the ground scatters back, shape (frequencies,).

    The scattered field far away is this, times the incident field at the axis, times the Hankel
    function H0(2)(k r). It is the sum over orders n of (-1)^n c_n, with c_n from the continuity of
    the field and of its slope at each radius.
    """
    from scipy.special import hankel2, jv, yv

    outside = _wave_number(omega, PERMITTIVITY, CONDUCTIVITY)
    radius = scene.radius
    last = int(np.ceil(np.abs(outside * radius).max())) + 8
    orders = np.arange(last + 2)[:, None]

    def waves(function: np.ufunc, k: Complex, at: float) -> tuple[Complex, Complex]:
        """Values and slopes of the orders, from the next order's values."""
        values = function(orders, k * at)
        return values[:-1], orders[:-1] / at * values[:-1] - k * values[1:]

    j_out, j_out_slope = waves(jv, outside, radius)
    h_out, h_out_slope = waves(hankel2, outside, radius)
    if scene.material == "metal":
        terms = -j_out / h_out
    else:
        wall = _wave_number(omega, PVC)
        inside = _wave_number(omega, WATER if scene.filling == "water" else 1.0)
        inner = (1 - WALL) * radius
        core, core_slope = waves(jv, inside, inner)
        j_in, j_in_slope = waves(jv, wall, inner)
        y_in, y_in_slope = waves(yv, wall, inner)
        j_at, j_at_slope = waves(jv, wall, radius)
        y_at, y_at_slope = waves(yv, wall, radius)
        mixed = -(j_in_slope * core - core_slope * j_in) / (y_in_slope * core - core_slope * y_in)
        value, slope = j_at + mixed * y_at, j_at_slope + mixed * y_at_slope
        terms = -(j_out_slope * value - slope * j_out) / (h_out_slope * value - slope * h_out)
    signs = np.where(orders[:-1] % 2, -2.0, 2.0)
    signs[0] = 1.0
    return np.asarray((signs * terms).sum(axis=0))

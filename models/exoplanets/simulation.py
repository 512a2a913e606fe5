"""Simulated light curves with known signals: planets, eclipsing binaries, flares and jumps.

`injected` adds signals to real Kepler noise (see `models.exoplanets.bundle`), `simulated` to
simulated noise. Both return the arrays that `models.exoplanets.readers` describes; each row depends
only on the seed and its number, so the size of the blocks does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.arrays import BLOCK_ROWS, Blocks
from models.exoplanets.bundle import Stretch, read_bundle
from models.exoplanets.readers import CADENCE_DAYS, CADENCES, KIND, NAME

Floats = NDArray[np.floating[Any]]

KINDS = ("quiet", "planet", "eclipsing_binary", "flare", "jump")

SHARES = {"eclipsing_binary": 0.15, "flare": 0.10, "jump": 0.10}
"""Of the rows without a planet; the others are quiet. About one Kepler target in 60 is an eclipsing
binary (Kirk et al. 2016); here they are more, since they are what a detector must learn to tell
from planets."""

TEST_HOSTS = (8655354, 10485250)
"""Stars whose noise is kept for the test set: one calm, one spotted, both as faint as most of the
Kaggle set. The other five are as varied."""

SECONDS = 1625.3
"""Seconds of light in a long cadence: 270 frames of 6.02 s (Kepler Data Characteristics Handbook,
section 2.1)."""

SOLAR_YEARS = 365.25
"""Days in a year, for Kepler's third law in solar units."""

AU_PER_SOLAR_RADIUS = 215.032
"""Solar radii in an astronomical unit (IAU 2015 nominal values)."""

SHORTEST_PERIOD, LONGEST_PERIOD = 0.8, 21.0
"""Days; three transits of the longest fit into the 65.3 days of a row."""

TRANSIT_SNR = (5.0, 60.0)
"""Planets are spread evenly in the logarithm of their signal-to-noise between these."""

ECLIPSE_SNR = (8.0, 300.0)

LARGEST_PLANET, DEEPEST_ECLIPSE = 0.2, 0.5
"""In stellar radii, and relative: nothing beyond is made, whatever the signal-to-noise asked."""


def times() -> Floats:
    """Return the (3197,) middles of a row's cadences, in days from the first."""
    return np.linspace(0, (CADENCES - 1) * CADENCE_DAYS, CADENCES, dtype=np.float64)


def scaled_axis(period: float, density: float) -> float:
    """Return the semi-major axis in stellar radii of a small body's orbit, by Kepler's third law.

    Parameters
    ----------
    period
        Days.
    density
        Mean density of the star, in the Sun's.

    Notes
    -----
    a^3 = M P^2 in AU, solar masses and years, so (a / R)^3 = rho P^2 with R in solar radii (Seager
    and Mallén-Ornelas 2003, equation 9).
    """
    return AU_PER_SOLAR_RADIUS * float(np.cbrt(density * (period / SOLAR_YEARS) ** 2))


def transit_model(
    time: Floats,
    *,
    period: float,
    epoch: float,
    ratio: float,
    impact: float,
    axis: float,
    limb: tuple[float, float],
) -> Floats:
    """Return the relative flux of a star with a dark body in a circular orbit.

    Mandel and Agol (2002) with quadratic limb darkening, by batman (Kreidberg 2015), averaged over
    each exposure of 29.4 minutes (Kipping 2010).

    Parameters
    ----------
    time
        (n,) middles of the exposures, days.
    period, epoch
        Days; ``epoch`` is the middle of a transit.
    ratio
        Radius of the body in stellar radii.
    impact
        Distance of the body from the star's middle at mid-transit, in stellar radii.
    axis
        Semi-major axis in stellar radii.
    limb
        Quadratic coefficients u1, u2.

    Returns
    -------
    ndarray
        (n,) float64, 1 out of transit.
    """
    import batman

    flux = np.ones(len(time))
    if impact >= min(axis, 1 + ratio):  # it never crosses the star
        return flux
    # Winn (2010), equation 14, without its small-angle step; then only what can be in transit is
    # computed, which is a twentieth of most curves.
    half = period / (2 * np.pi) * np.arcsin(min(1.0, (1 + ratio) / axis))
    phase = (time - epoch + period / 2) % period - period / 2
    inside = np.abs(phase) <= half + CADENCE_DAYS
    if not inside.any():
        return flux
    parameters = batman.TransitParams()
    parameters.t0, parameters.per, parameters.a = 0.0, period, axis
    parameters.rp, parameters.inc = ratio, np.degrees(np.arccos(impact / axis))
    parameters.ecc, parameters.w = 0.0, 90.0
    parameters.limb_dark, parameters.u = "quadratic", list(limb)
    model = batman.TransitModel(
        parameters, phase[inside], supersample_factor=7, exp_time=CADENCE_DAYS
    )
    flux[inside] = model.light_curve(parameters)
    return flux


def eclipse_model(
    time: Floats,
    *,
    period: float,
    epoch: float,
    depth: float,
    secondary: float,
    ratio: float,
    impact: float,
    axis: float,
    tide: float,
) -> Floats:
    """Return the relative flux of an eclipsing binary, or of a star blended with one.

    Parameters
    ----------
    time, period, epoch, ratio, impact, axis
        As in `transit_model`, for the two stars. A grazing eclipse (``impact`` > 1 - ``ratio``) is
        V-shaped.
    depth
        Of the middle of the primary eclipse, averaged over an exposure: what a third light leaves
        of it.
    secondary
        Depth of the secondary eclipse, half a period later, in primary depths. Near 1 the pair
        looks like a planet of half the period whose odd and even transits differ.
    tide
        Half the range of the ellipsoidal variation, which has two maxima an orbit (Morris 1985).

    Returns
    -------
    ndarray
        (n,) float64, about 1 between the eclipses.
    """
    shape: dict[str, Any] = {"period": period, "ratio": ratio, "impact": impact, "axis": axis}
    shape["limb"] = (0.4, 0.25)
    primary, other = (
        1 - transit_model(time, epoch=epoch + shift, **shape) for shift in (0.0, period / 2)
    )
    undiluted = 1 - float(transit_model(np.array([epoch]), epoch=epoch, **shape)[0])
    if not undiluted:
        raise ValueError(f"nothing is eclipsed at impact {impact} and ratio {ratio}")
    flux: Floats = 1 - depth / undiluted * (primary + secondary * other)
    flux -= tide * np.cos(4 * np.pi * (time - epoch) / period)
    return flux


def white_noise(curve: NDArray[np.floating[Any]]) -> float:
    """Return the noise of one cadence: robust, and blind to whatever is slower.

    1.4826 times the median absolute second difference, over the square root of 6, which is the
    standard deviation for independent Gaussian values. First differences would take the slope of a
    spotted bright star for noise.
    """
    bends = np.abs(np.diff(curve.astype(np.float64), n=2))
    return float(1.4826 * np.median(bends) / np.sqrt(6))


def signal_to_noise(model: Floats, sigma: float) -> float:
    """Return the signal-to-noise of all transits of a row together.

    That of the matched filter in white noise: sqrt(sum (1 - model)^2) / sigma. For a box of depth d
    over n cadences it is d sqrt(n) / sigma (Kovács, Zucker and Mazeh 2002, section 3).
    """
    return float(np.sqrt(np.sum((1 - model) ** 2)) / sigma)


@dataclass(frozen=True)
class Injection:
    """What is put into a row's noise.

    Parameters
    ----------
    flux
        (3197,) relative flux, multiplied onto the star's.
    period
        Days; NaN if it does not repeat.
    depth
        Of the middle of a transit or primary eclipse, averaged over an exposure; NaN if there is
        none.
    snr
        See `signal_to_noise`; NaN unless it is a planet.
    """

    flux: Floats
    period: float = np.nan
    depth: float = np.nan
    snr: float = np.nan


def _log_uniform(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _orbit(rng: Generator, shortest: float = SHORTEST_PERIOD) -> tuple[float, float]:
    """Period, and a mid-transit within the first period of the row."""
    period = _log_uniform(rng, shortest, LONGEST_PERIOD)
    return period, float(rng.uniform(0, period))


def make_quiet(rng: Generator, sigma: float) -> Injection:
    """Return nothing at all."""
    return Injection(np.ones(CADENCES))


def make_planet(rng: Generator, sigma: float) -> Injection:
    """Return transits of a planet as large as its signal-to-noise asks for.

    Parameters
    ----------
    rng
        Where all choices come from.
    sigma
        Relative noise of one cadence.
    """
    period, epoch = _orbit(rng)
    wanted = _log_uniform(rng, *TRANSIT_SNR)
    axis = max(scaled_axis(period, _log_uniform(rng, 0.3, 3.0)), 1.5)
    # Uniform in the triangle of physical coefficients (Kipping 2013).
    q1, q2 = rng.uniform(0.1, 0.9, 2)
    limb = (2 * np.sqrt(q1) * q2, np.sqrt(q1) * (1 - 2 * q2))
    fixed: dict[str, Any] = {"period": period, "epoch": epoch, "axis": axis, "limb": limb}
    fixed["impact"] = rng.uniform(0, 0.85)
    time, ratio = times(), 0.03
    for _ in range(2):  # the depth goes nearly as the square of the radius
        snr = signal_to_noise(transit_model(time, ratio=ratio, **fixed), sigma)
        ratio = min(LARGEST_PLANET, float(ratio * np.sqrt(wanted / snr)))
    flux = transit_model(time, ratio=ratio, **fixed)
    depth = 1 - float(transit_model(np.array([epoch]), ratio=ratio, **fixed)[0])
    return Injection(flux, period, depth, signal_to_noise(flux, sigma))


def make_eclipsing_binary(rng: Generator, sigma: float) -> Injection:
    """Return eclipses, about as deep as transits: most such pairs are blended with another star."""
    period, epoch = _orbit(rng, shortest=0.5)
    wanted = _log_uniform(rng, *ECLIPSE_SNR)
    ratio = rng.uniform(0.3, 1.0)
    shape = {
        "period": period,
        "epoch": epoch,
        "ratio": ratio,
        "impact": rng.uniform(0.3, 0.95) * (1 + ratio),
        # Two like stars weigh twice as much as one: the cube root of 2. Never in contact.
        "axis": max(1.26 * scaled_axis(period, _log_uniform(rng, 0.3, 2.0)), 1.3 * (1 + ratio)),
        "secondary": rng.uniform(0.1, 0.95),
    }
    unit = eclipse_model(times(), depth=1.0, tide=0.0, **shape)
    depth = min(DEEPEST_ECLIPSE, wanted / signal_to_noise(unit, sigma))
    # Tides fall as the cube of the distance, and the third light hides as much of them.
    tide = depth * min(0.3, 2.0 / shape["axis"] ** 3)
    flux = eclipse_model(times(), depth=depth, tide=tide, **shape)
    return Injection(flux, period, depth)


def make_flare(rng: Generator, sigma: float) -> Injection:
    """Return one to five flares: up within a cadence, down exponentially in hours."""
    time, flux = times(), np.ones(CADENCES)
    for _ in range(rng.integers(1, 6)):
        since = (time - rng.uniform(0, time[-1])) / _log_uniform(rng, 0.02, 0.3)
        flux += _log_uniform(rng, 5, 100) * sigma * np.exp(-np.maximum(since, 0)) * (since >= 0)
    return Injection(flux)


def make_jump(rng: Generator, sigma: float) -> Injection:
    """Return one or two sudden drops of a pixel's sensitivity, each recovering in part.

    As in Kepler Data Characteristics Handbook, section 5.9: a cosmic ray hits, the flux falls at
    once and comes back exponentially over hours to days, but not all the way.
    """
    time, flux = times(), np.ones(CADENCES)
    for _ in range(rng.integers(1, 3)):
        since = (time - rng.uniform(0, time[-1])) / _log_uniform(rng, 0.2, 5.0)
        recovered = rng.uniform(0, 0.8) * (1 - np.exp(-np.maximum(since, 0)))
        flux -= _log_uniform(rng, 3, 30) * sigma * (1 - recovered) * (since >= 0)
    return Injection(flux)


MAKERS: dict[str, Callable[[Generator, float], Injection]] = {
    "quiet": make_quiet,
    "planet": make_planet,
    "eclipsing_binary": make_eclipsing_binary,
    "flare": make_flare,
    "jump": make_jump,
}


@dataclass(frozen=True)
class Noise:
    """A row without a signal.

    Parameters
    ----------
    flux
        (3197,) float64, relative to ``level``.
    level
        The star's flux, e-/s.
    """

    flux: Floats
    level: float


def prolonged(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return noise of at least 3197 cadences: less is turned about its end, so its slope goes on.

    Only the bright calm stars, of which two short quarters are all there is, need it; upside down
    their noise is like itself. A mirror would leave a kink that looks like half an eclipse.
    """
    if len(noise) >= CADENCES:
        return noise
    end = np.median(noise[-13:])
    return np.concatenate([noise, 2 * end - noise[-2::-1]])


def real_noise(rng: Generator, stretches: Sequence[Stretch]) -> Noise:
    """Return a row of real noise, unlike any other: another place, direction, strength.

    A stretch is drawn and read from a random cadence on, forwards or backwards. It is made up to
    1.4 times stronger or weaker, and white noise is added, up to 1.5 times what is there, as in a
    fainter star.
    """
    stretch = stretches[int(rng.integers(len(stretches)))]
    whole = prolonged(stretch.noise)
    start = rng.integers(len(whole) - CADENCES + 1)
    noise = whole[start : start + CADENCES].astype(np.float64)
    if rng.random() < 0.5:
        noise = noise[::-1]
    noise *= _log_uniform(rng, 1 / 1.4, 1.4)
    noise += rng.normal(0, white_noise(noise) * rng.uniform(0, 1.5), CADENCES)
    return Noise(1 + noise, stretch.level)


def oscillator_spectrum(omega: Floats, natural: float, quality: float) -> Floats:
    """Return the power spectrum of a damped oscillator driven at random, to a constant factor.

    Foreman-Mackey et al. (2017), equation 20. A quality of 1 / sqrt(2) is granulation (section 4
    there, Harvey 1985), a larger one the rotation of a spotted star.
    """
    away: Floats = (omega**2 - natural**2) ** 2
    return natural**4 / (away + (omega * natural / quality) ** 2)


def simulated_noise(rng: Generator) -> Noise:
    """Return a row of a star with spots, granulation and white noise.

    Levels run from 3,000 to 3 million e-/s, which is about magnitude 15.5 to 8; the white noise is
    1 to 3 times that of the photons.
    """
    level = _log_uniform(rng, 3e3, 3e6)
    white = np.hypot(rng.uniform(1, 3) / np.sqrt(level * SECONDS), 2e-5)
    n = 8192  # more than twice a row, so that the end does not join the beginning
    omega = np.arange(1.0, n // 2) * (2 * np.pi / (n * CADENCE_DAYS))  # all but 0 and Nyquist
    spots = oscillator_spectrum(
        omega, 2 * np.pi / _log_uniform(rng, 2, 45), _log_uniform(rng, 1, 20)
    )
    granules = oscillator_spectrum(omega, 2 * np.pi / _log_uniform(rng, 0.2, 2), np.sqrt(0.5))
    power = (
        _log_uniform(rng, 1e-4, 2e-2) ** 2 * spots / spots.sum()
        + _log_uniform(rng, 2e-5, 3e-4) ** 2 * granules / granules.sum()
        + white**2 / len(omega)
    )
    waves = np.zeros(n // 2 + 1, np.complex128)
    waves[1:-1] = (
        n / 2 * np.sqrt(power) * (rng.normal(size=len(omega)) + 1j * rng.normal(size=len(omega)))
    )
    return Noise(1 + np.fft.irfft(waves, n)[:CADENCES], level)


@dataclass(frozen=True)
class _Part:
    """Kind and host star of each row of the training pool or of the test set."""

    kinds: NDArray[np.int8]
    hosts: NDArray[np.int16]


def _plan(rows: int, planets: int, hosts: int, seed: int, part: int) -> _Part:
    """Deal out kinds, and hosts evenly within each kind, in random order."""
    if not 0 < planets < rows:
        raise ValueError(
            f"{planets} planets among {rows} rows: both kinds of row are needed; ask for more than "
            "0 and fewer than all"
        )
    counts = {kind: round(share * (rows - planets)) for kind, share in SHARES.items()}
    counts["planet"] = planets
    counts["quiet"] = rows - sum(counts.values())
    kinds = np.repeat(np.arange(len(KINDS), dtype=np.int8), [counts[kind] for kind in KINDS])
    dealt = np.concatenate([np.arange(counts[kind]) % hosts for kind in KINDS]).astype(np.int16)
    order = np.random.default_rng([seed, part]).permutation(rows)
    return _Part(kinds[order], dealt[order])


def injected(
    *,
    n_train: int = 1600,
    n_test: int = 400,
    train_planets: int = 80,
    test_planets: int = 20,
    seed: int = 0,
    block_rows: int = BLOCK_ROWS,
) -> Blocks:
    """Signals in real Kepler noise.

    Parameters
    ----------
    n_train, n_test
        Rows of part 0 and of part 1. Part 1 has the noise of the stars in `TEST_HOSTS`, part 0
        that of the five others.
    train_planets, test_planets
        Rows among them with a planet.
    seed
        Same seed, same rows.
    block_rows
        Rows a block holds at most.

    Returns
    -------
    Blocks
        Rows as `models.exoplanets.readers` says; ``star`` is ``injected:<row>``, ``host``
        ``KIC <number>``.
    """
    by_star: dict[int, list[Stretch]] = {}
    for stretch in read_bundle():
        by_star.setdefault(stretch.kic, []).append(stretch)
    stars = [[kic for kic in by_star if (kic in TEST_HOSTS) == test] for test in (False, True)]

    def noise(rng: Generator, part: int, host: int, star: str) -> tuple[Noise, str]:
        kic = stars[part][host]
        return real_noise(rng, by_star[kic]), f"KIC {kic}"

    plans = [
        _plan(n_train, train_planets, len(stars[0]), seed, 0),
        _plan(n_test, test_planets, len(stars[1]), seed, 1),
    ]
    return Blocks(_blocks("injected", plans, noise, seed, block_rows))


def simulated(
    *,
    n_train: int = 1600,
    n_test: int = 400,
    train_planets: int = 80,
    test_planets: int = 20,
    seed: int = 0,
    block_rows: int = BLOCK_ROWS,
) -> Blocks:
    """Signals in simulated noise: as many stars as rows.

    Parameters and result are those of `injected`, but ``star`` is ``simulated:<row>`` and every
    row is its own host.
    """

    def noise(rng: Generator, part: int, host: int, star: str) -> tuple[Noise, str]:
        return simulated_noise(rng), star

    plans = [
        _plan(n_train, train_planets, 1, seed, 0),
        _plan(n_test, test_planets, 1, seed, 1),
    ]
    return Blocks(_blocks("simulated", plans, noise, seed, block_rows))


def _blocks(
    source: str,
    plans: list[_Part],
    noise: Callable[[Generator, int, int, str], tuple[Noise, str]],
    seed: int,
    block_rows: int,
) -> Iterator[dict[str, NDArray[Any]]]:
    first = 0
    for part, plan in enumerate(plans):
        for start in range(0, len(plan.kinds), block_rows):
            kinds = plan.kinds[start : start + block_rows]
            n = len(kinds)
            names = np.array(KINDS)[kinds]
            block: dict[str, NDArray[Any]] = {
                "flux": np.empty((n, CADENCES), np.float32),
                "label": (names == "planet").astype(np.int8),
                "star": np.empty(n, NAME),
                "host": np.empty(n, NAME),
                "part": np.full(n, part, np.int8),
                "kind": names.astype(KIND),
                "period": np.empty(n),
                "depth": np.empty(n),
                "snr": np.empty(n),
            }
            for i, kind in enumerate(names):
                row = first + start + i
                rng = np.random.default_rng([seed, 2, row])  # 0 and 1 are the plans'
                star = f"{source}:{row + 1}"
                background, host = noise(rng, part, int(plan.hosts[start + i]), star)
                made = MAKERS[kind](rng, white_noise(background.flux))
                flux = background.level * background.flux * made.flux
                block["flux"][i] = flux - np.median(flux)
                block["star"][i], block["host"][i] = star, host
                block["period"][i], block["depth"][i] = made.period, made.depth
                block["snr"][i] = made.snr
            yield block
        first += len(plan.kinds)

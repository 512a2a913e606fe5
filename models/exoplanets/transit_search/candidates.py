"""Search one star: join its quarters, find its best candidate, decide what it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.exoplanets.transit_search.boxes import (
    Floats,
    _long_periodogram,
    find_boxes,
    search_bands,
)
from models.exoplanets.transit_search.detrending import CLIP, detrend, noise
from models.exoplanets.transit_search.statistics import _describe

GAP_DAYS = 0.75
"""A longer gap in a raw curve ends a segment: segments are detrended separately."""


@dataclass(frozen=True)
class Candidate:
    """The best periodic dip of one star.

    Parameters
    ----------
    period, epoch, duration : float
        Days; the epoch in the time scale given (raw Kepler quarters: BJD - 2454833).
    depth, depth_error : float
        Fractions of the star's light.
    snr : float
        Depth over its error for white noise.
    features : dict of str to float
        The columns of `FEATURE_NAMES` that describe a candidate.
    """

    period: float
    epoch: float
    duration: float
    depth: float
    depth_error: float
    snr: float
    features: dict[str, float]


def stitch_quarters(
    quarters: Iterable[tuple[Floats, NDArray[np.floating], NDArray[np.integer]]],
) -> tuple[Floats, Floats]:
    """Join the quarters of one star into one detrended curve.

    Each quarter is divided by its median and split at gaps of over 0.75 days; each segment is
    detrended separately.

    Parameters
    ----------
    quarters : iterable of (time, flux, quality)
        For each quarter: time in days, flux in any unit, and SAP_QUALITY. Cadences with a
        quality flag, without a time or without flux are dropped.

    Returns
    -------
    time : ndarray of shape (m,), float64
        Days, ascending.
    flux : ndarray of shape (m,), float64
        Fractions of the star's light, about 0.

    Raises
    ------
    ValueError
        No usable cadence is left, or quarters overlap.
    """
    times, fluxes = [], []
    for time, flux, quality in quarters:
        good = (np.asarray(quality) == 0) & np.isfinite(time) & np.isfinite(flux)
        if not good.any():
            continue
        days, light = np.asarray(time)[good], np.asarray(flux, np.float64)[good]
        relative = light / np.median(light) - 1
        for piece in np.split(relative, np.nonzero(np.diff(days) > GAP_DAYS)[0] + 1):
            fluxes.append(detrend(piece[np.newaxis])[0])
        times.append(days)
    if not times:
        raise ValueError("no cadence has a time, a flux and a clean SAP_QUALITY")
    joined, flat = np.concatenate(times), np.concatenate(fluxes)
    order = np.argsort(joined, kind="stable")
    if np.any(np.diff(joined[order]) == 0):
        raise ValueError("the same time stands in two places: give each quarter of a star once")
    return joined[order], flat[order]


def search(time: Floats, flux: Floats, period_min: float, period_max: float) -> Candidate:
    """Search one star's curve, which may have gaps, for transits.

    Parameters
    ----------
    time, flux : ndarray of shape (m,), float64
        From `stitch_quarters`: days and fractions of the star's light.
    period_min, period_max : float
        Days.

    Raises
    ------
    ValueError
        The curve is constant, or too short for the periods.
    """
    scale = float(noise(flux[np.newaxis])[0])
    if not scale > 0:
        raise ValueError("the curve has no scatter to search: it is constant or has no values")
    known = np.isfinite(flux)
    time, scaled = time[known], flux[known] / scale
    bands = search_bands(time[-1] - time[0], period_min, period_max)
    (peak,) = find_boxes(
        time, np.minimum(scaled, CLIP)[np.newaxis], bands, periodogram=_long_periodogram
    )
    box = peak.box
    return Candidate(
        period=box.period,
        epoch=box.epoch,
        duration=box.duration,
        depth=box.depth * scale,
        depth_error=box.depth * scale / box.snr if box.snr > 0 else np.nan,
        snr=box.snr,
        features=_describe(time, scaled, peak),
    )


class Verdict(NamedTuple):
    """The disposition of a candidate, from its light curve.

    Parameters
    ----------
    disposition : str
        ``"planet candidate"``, ``"false positive"`` or ``"no transit"``.
    reasons : tuple of str
        Why it is not a planet candidate; empty for one.
    """

    disposition: str
    reasons: tuple[str, ...]


MIN_SNR = 7.1
"""Kepler's detection threshold (Jenkins, Caldwell & Borucki 2002, ApJ 564, 495)."""

MAX_PLANET_DEPTH = 0.035
"""A planet of 1.8 Jupiter radii, the largest known, before a star like the Sun."""

MIN_SIGNIFICANCE = 5.0
"""Errors by which odd and even depths must differ, or a secondary exceed 0."""

MIN_MARGIN = 3.0
"""Errors by which a secondary must be deeper than the next dip (Coughlin et al. 2016)."""

MIN_SHAPE = 0.45
"""Outer over inner depth below which a dip is V-shaped, as of two grazing stars."""


def verdict(candidate: Candidate) -> Verdict:
    """Decide whether a candidate can be a planet, from its light curve alone.

    A background binary whose light curve looks like a planet's passes; only centroids or spectra
    could tell.

    Parameters
    ----------
    candidate : Candidate
        From `search`.
    """
    features = candidate.features
    if candidate.snr < MIN_SNR:
        return Verdict("no transit", (f"signal-to-noise {candidate.snr:.1f} is below {MIN_SNR}",))
    reasons = []
    if candidate.depth > MAX_PLANET_DEPTH:
        reasons.append(f"the dips are {candidate.depth:.1%} deep: too large for a planet")
    # Starspots and detrending residuals are red noise: compare with their scatter.
    red = max(features["phase_scatter"], 1.0)
    if features["odd_even_snr"] / red > MIN_SIGNIFICANCE and features["odd_even_depth"] > 0.02:
        reasons.append(
            f"odd and even dips differ by {features['odd_even_depth']:.0%}: two stars that eclipse "
            f"each other every {2 * candidate.period:.4f} days"
        )
    # (Star's radius / distance)^2, from the time in transit: the share of a planet's transit
    # depth that it could reflect at full phase if it threw back all light.
    reflected = (np.pi * candidate.duration / candidate.period) ** 2
    if (
        features["secondary_snr"] / red > MIN_SIGNIFICANCE
        and features["secondary_snr"] - features["tertiary_snr"] > MIN_MARGIN
        and features["secondary_depth"] > reflected
    ):
        reasons.append(
            f"a second dip at phase {features['secondary_phase']:.3f} has "
            f"{features['secondary_depth']:.1%} of the depth, and a planet could reflect "
            f"{reflected:.1%}: its companion shines by itself"
        )
    shape = features["shape"]
    if shape < MIN_SHAPE:
        reasons.append(
            f"the dips are V-shaped (outer half {shape:.2f} of the inner): grazing stars"
        )
    if features["duration_over_period"] > 0.15:
        reasons.append(f"the dips last {features['duration_over_period']:.0%} of the period")
    if features["deepest_share"] > 0.5:
        reasons.append("one dip has over half of the signal: it doesn't recur")
    return Verdict("false positive" if reasons else "planet candidate", tuple(reasons))

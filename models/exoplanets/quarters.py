"""Search raw Kepler quarters, and compare the periods of known planets with published ones.

``python -m models.exoplanets.quarters FOLDER`` rebuilds the bundled quarters of seven stars,
``data/kepler_quarters.h5`` (NASA Kepler mission, public domain), from the archive's light curves.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.exoplanets.readers import read_kepler_quarters
from models.exoplanets.transit_search import search, stitch_quarters, verdict

BUNDLE = Path(__file__).parent / "data" / "kepler_quarters.h5"

KNOWN_PERIODS = {
    10666592: ("HAT-P-7 b", 2.204737),
    10748390: ("HAT-P-11 b", 4.887802),
    11446443: ("TrES-2 b", 2.470613),
}
"""Planets of stars in the bundle: name and period in days (NASA Exoplanet Archive)."""

TOLERANCE = 1e-3
"""Maximum relative difference between our period of a planet and the published one."""


def cadences(folder: Path) -> dict[str, NDArray[Any]]:
    """Read all quarters below a folder as one table of cadences.

    Returns
    -------
    dict of arrays, shape (cadences,)
        ``kic`` int32, ``quarter`` (file stamp) and ``disposition`` strings, ``time`` float64 (days,
        BKJD), ``flux`` float32 (electrons per second), ``quality`` int32 (SAP_QUALITY).
    """
    quarters = read_kepler_quarters(folder)
    lengths = [len(quarter.time) for quarter in quarters]
    return {
        "kic": np.repeat(np.array([q.kic for q in quarters], np.int32), lengths),
        "quarter": np.repeat(np.array([q.name for q in quarters], "U16"), lengths),
        "disposition": np.repeat(np.array([q.disposition for q in quarters], "U16"), lengths),
        "time": np.concatenate([q.time for q in quarters]),
        "flux": np.concatenate([q.flux for q in quarters]).astype(np.float32),
        "quality": np.concatenate([q.quality for q in quarters]).astype(np.int32),
    }


def bundled() -> dict[str, NDArray[Any]]:
    """Read the bundled quarters, in the form of `cadences`."""
    with h5py.File(BUNDLE, "r") as file:
        arrays = {name: np.asarray(file[name]) for name in file}
    return {n: np.char.decode(a) if a.dtype.kind == "S" else a for n, a in arrays.items()}


def write_bundle(folder: Path, target: Path = BUNDLE) -> None:
    """Write the quarters below a folder to one compressed file."""
    with h5py.File(target, "w", libver="latest") as file:
        file.attrs["source"] = "NASA Kepler mission, long-cadence light curves, PDCSAP_FLUX"
        file.attrs["licence"] = "public domain"
        for name, values in cadences(folder).items():
            stored = np.char.encode(values) if values.dtype.kind == "U" else values
            file.create_dataset(
                name,
                data=stored,
                compression="gzip",
                compression_opts=9,
                shuffle=True,
                track_times=False,
            )


def search_stars(table: Arrays, period_min: float, period_max: float) -> list[dict[str, Any]]:
    """Search every star for its best periodic dip, and give a verdict on it.

    Parameters
    ----------
    table : Arrays
        As `cadences` returns it.
    period_min, period_max : float
        Days; at most half of the time that a star was observed.

    Returns
    -------
    list of dict
        By star: ``kic``, ``disposition`` (of the archive), ``quarters``, ``period``, ``epoch``,
        ``duration`` (days), ``depth``, ``snr``, ``verdict``, ``reasons``, and for known planets
        ``planet``, ``published_period`` and ``recovered`` (period within `TOLERANCE`).
    """
    columns = {name: np.asarray(table[name]) for name in table}
    results = []
    for kic in np.unique(columns["kic"]):
        star = {name: values[columns["kic"] == kic] for name, values in columns.items()}
        names = np.unique(star["quarter"])
        time, flux = stitch_quarters(
            (star["time"][chosen], star["flux"][chosen], star["quality"][chosen])
            for chosen in (star["quarter"] == name for name in names)
        )
        best = search(time, flux, period_min, min(period_max, (time[-1] - time[0]) / 2))
        decision = verdict(best)
        result: dict[str, Any] = {
            "kic": int(kic),
            "disposition": str(star["disposition"][0]),
            "quarters": len(names),
            **{k: float(getattr(best, k)) for k in ("period", "epoch", "duration", "depth", "snr")},
            "verdict": decision.disposition,
            "reasons": list(decision.reasons),
        }
        if known := KNOWN_PERIODS.get(int(kic)):
            name, period = known
            off = abs(best.period / period - 1)
            result |= {"planet": name, "published_period": period, "recovered": off <= TOLERANCE}
        results.append(result)
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Bundle raw Kepler quarters.")
    parser.add_argument("folder", type=Path, help="light curves as the archive gives them")
    write_bundle(parser.parse_args().folder)

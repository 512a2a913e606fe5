"""The layout of a record of an active region, and helpers of all readers.

The readers are `models.solar_flares.ingestion` (JSON lines as on Kaggle) and
`models.solar_flares.swan_sf`; `models.solar_flares.simulation` simulates records.

A record is 12 hours of an active region: 25 parameters of its magnetic field (SHARP, Bobra et al.
2014, Solar Physics 289, 3549; with the X-ray flux of GOES as the 25th), 60 samples 12 minutes
apart. Every reader streams blocks of

=========== ========== ============= ==========================================================
``values``  float32    (n, 60, 25)   parameters in the order of `PARAMETERS`, in SHARP units
``label``   int8       (n,)          1: a flare of class M or X within 24 hours; 0: none
``id``      U32        (n,)          the record's name in its file
``region``  U40        (n,)          active region; where it is unknown, the record is its own
``fold``    int8       (n,)          the time-disjoint fold that the file belongs to
=========== ========== ============= ==========================================================

Missing samples are NaN. JSON lines hold them as the bare word ``NaN``, which is not JSON: most
parsers refuse it, or read it as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from models.arrays import Block

PARAMETERS = (
    "TOTUSJH",  # total unsigned current helicity, G2/m
    "TOTBSQ",  # total magnitude of the Lorentz force, dyn
    "TOTPOT",  # total photospheric magnetic energy density, erg/cm
    "TOTUSJZ",  # total unsigned vertical current, A
    "ABSNJZH",  # absolute value of the net current helicity, G2/m
    "SAVNCPP",  # sum of the absolute net current per polarity, A
    "USFLUX",  # total unsigned flux, Mx
    "TOTFZ",  # sum of the z-component of the Lorentz force, dyn
    "MEANPOT",  # mean photospheric excess magnetic energy density, erg/cm3
    "EPSZ",  # sum of the z-component of the normalised Lorentz force
    "MEANSHR",  # mean shear angle, degrees
    "SHRGT45",  # share of the area with a shear angle above 45 degrees, %
    "MEANGAM",  # mean inclination angle, degrees
    "MEANGBT",  # mean gradient of the total field, G/Mm
    "MEANGBZ",  # mean gradient of the vertical field, G/Mm
    "MEANGBH",  # mean gradient of the horizontal field, G/Mm
    "MEANJZH",  # mean current helicity, G2/m
    "TOTFY",  # sum of the y-component of the Lorentz force, dyn
    "MEANJZD",  # mean vertical current density, mA/m2
    "MEANALP",  # mean twist parameter, 1/Mm
    "TOTFX",  # sum of the x-component of the Lorentz force, dyn
    "EPSY",  # sum of the y-component of the normalised Lorentz force
    "EPSX",  # sum of the x-component of the normalised Lorentz force
    "R_VALUE",  # flux near polarity inversion lines, log10 Mx
    "XR_MAX",  # greatest X-ray flux of the sample's 12 minutes (GOES), W/m2
)
"""The 25 parameters of a record, in the order in which ``values`` holds them."""

SAMPLES = 60
"""Samples of a record, 12 minutes apart."""

ID_LENGTH = 32
REGION_LENGTH = 40

LARGEST = float(np.finfo(np.float32).max)
"""Values beyond it don't fit ``values``."""


def rebatched(blocks: Iterable[Block], rows: int) -> Iterator[Block]:
    """Cut blocks anew, so that their length doesn't show how they were read."""
    waiting: list[Block] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += len(block["label"])
        if count >= rows:
            whole = {name: np.concatenate([b[name] for b in waiting]) for name in block}
            cut = count - count % rows
            for start in range(0, cut, rows):
                yield {name: array[start : start + rows] for name, array in whole.items()}
            count -= cut
            waiting = [{name: array[cut:].copy() for name, array in whole.items()}]
    if count:
        yield {name: np.concatenate([b[name] for b in waiting]) for name in waiting[0]}

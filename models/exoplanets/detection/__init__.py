"""Verdicts on new light curves: which planets a star may have, and what the trained models say.

A recording is all that was observed of one star: the archive's files of its quarters, campaigns or
sectors (Kepler, K2, TESS; FITS), or a table of time and flux (CSV, Parquet). It is searched for
several planets (`transit_search.find_planets`); the networks read it in windows as long as the
curves that they were trained on.
"""

from models.exoplanets.detection.recordings import SUFFIXES, group_files, read_recording
from models.exoplanets.detection.sheet import sheet
from models.exoplanets.detection.verdicts import (
    READINGS_FROM,
    SEARCH,
    readings,
    training_range,
    verdicts,
)

__all__ = [
    "READINGS_FROM",
    "SEARCH",
    "SUFFIXES",
    "group_files",
    "read_recording",
    "readings",
    "sheet",
    "training_range",
    "verdicts",
]

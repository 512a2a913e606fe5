"""Search light curves for transits, and tell planets from mimics.

A batch of curves goes through `vetting_features`, whose columns `vetting` classifies. One star goes
through `stitch_quarters`, `search` and `verdict`. Times and folded phases are in days; a transit
lies around phase 0.
"""

from models.exoplanets.transit_search.boxes import CADENCE_DAYS, box_least_squares, fit_box
from models.exoplanets.transit_search.candidates import search, stitch_quarters, verdict
from models.exoplanets.transit_search.statistics import FEATURE_NAMES, vetting_features

__all__ = [
    "CADENCE_DAYS",
    "FEATURE_NAMES",
    "box_least_squares",
    "fit_box",
    "search",
    "stitch_quarters",
    "verdict",
    "vetting_features",
]

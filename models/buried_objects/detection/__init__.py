"""Verdicts on new radar scans: over which traces an object lies, and how deep.

A recording is a line (B-scan): gprMax output, a table or an array, or a profile of a field radar
(GSSI's DZT, Sensors & Software's DT1). It is brought to the trained geometry and level
(`geometry`), scored trace by trace, and cut into spans by each model's own decision; the strongest
echo below a span gives its depth (`echoes`).
"""

from models.buried_objects.detection.recordings import SUFFIXES, group_files, read_recording
from models.buried_objects.detection.sheet import sheet
from models.buried_objects.detection.verdicts import (
    LARGE,
    READINGS_FROM,
    readings,
    training_range,
    verdicts,
)

__all__ = [
    "LARGE",
    "READINGS_FROM",
    "SUFFIXES",
    "group_files",
    "read_recording",
    "readings",
    "sheet",
    "training_range",
    "verdicts",
]

"""Transcripts of new recordings by the trained acoustic models.

A recording is an audio file of any rate, length and number of channels. It is decoded block by
block, cut at its pauses into segments about as long as training utterances, and each is transcribed
by every model as its test utterances were: the same features and scaling, the same decoder settings
and language model. Memory doesn't grow with the length of a recording: its audio and features lie
in temporary files, and networks read some segments at a time.
"""

from models.speech.detection.recordings import (
    LARGE,
    READINGS_FROM,
    SUFFIXES,
    group_files,
    read_recording,
    readings,
)
from models.speech.detection.sheet import sheet
from models.speech.detection.verdicts import training_range, verdicts

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

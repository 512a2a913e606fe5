"""Where results are stored: records and artifacts, their formats, integrity, garbage collection.

This is the public interface, with `gc` and `formats`; the latter imports NumPy and is imported only
where a value is written or read.
"""

from orchestration.store.records import (
    FORMAT_NAMES,
    PARTITION,
    PICTURES,
    VERSION_PARTS,
    Artifact,
    Record,
    Slot,
)
from orchestration.store.storage import ArtifactError, Description, Store, Stored, unfit

__all__ = [
    "FORMAT_NAMES",
    "PARTITION",
    "PICTURES",
    "VERSION_PARTS",
    "Artifact",
    "ArtifactError",
    "Description",
    "Record",
    "Slot",
    "Store",
    "Stored",
    "unfit",
]

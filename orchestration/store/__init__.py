"""Where results are stored: records and artifacts, their formats, integrity, garbage collection.

This is the public interface, with `gc` and `formats`; the latter imports NumPy and is imported only
where a value is written or read.
"""

from orchestration.store.records import Artifact, Record, Slot
from orchestration.store.storage import RESERVED, ArtifactError, Store

__all__ = ["RESERVED", "Artifact", "ArtifactError", "Record", "Slot", "Store"]

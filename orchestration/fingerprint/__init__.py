"""The code version of a stage: a digest of everything in the project that it uses.

This is the public interface; the modules behind it are for each other only.
"""

from orchestration.fingerprint.tree import (
    Dynamic,
    Fingerprint,
    SourceError,
    SourceTree,
    cells,
    changed,
)

__all__ = ["Dynamic", "Fingerprint", "SourceError", "SourceTree", "cells", "changed"]

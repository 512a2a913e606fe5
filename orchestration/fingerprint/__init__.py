"""The code version of a stage: a digest of everything in the project that it uses.

This is the public interface; other rooms import nothing else of the package.
"""

from orchestration.fingerprint.nodes import Dynamic
from orchestration.fingerprint.source_files import SourceError
from orchestration.fingerprint.tree import Definition, Fingerprint, SourceTree, changed
from orchestration.fingerprint.values import cells

__all__ = [
    "Definition", "Dynamic", "Fingerprint", "SourceError", "SourceTree", "cells", "changed",
]  # fmt: skip

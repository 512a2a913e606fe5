"""Whether a stored file still is what was stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from orchestration.store.files import Files, Stat
from orchestration.store.records import Artifact


@dataclass(frozen=True)
class Defect:
    """Why a stored file can't be used."""

    kind: Literal["missing", "corrupt"]
    detail: str


def inspect(
    files: Files, path: Any, artifact: Artifact, *, verify: bool = False
) -> tuple[Defect | None, Stat]:
    """Compare a file with the artifact that was stored there.

    Size and stat (times, inode, or the remote entity tag) are always compared; where they differ,
    or with ``verify``, the whole file is hashed.

    Returns
    -------
    defect, stat
        None where the file is intact; and its state, which may be newer than the artifact's.
    """
    try:
        stat = files.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Defect("missing", f"{path} is gone"), ()
    if stat[0] != artifact.bytes:
        detail = f"{path} has {stat[0]:,} bytes, {artifact.bytes:,} were stored"
        return Defect("corrupt", detail), stat
    if (verify or stat != artifact.stat) and files.sha256(path) != artifact.sha256:
        return Defect("corrupt", f"{path} is not what was stored: its SHA-256 differs"), stat
    return None, stat

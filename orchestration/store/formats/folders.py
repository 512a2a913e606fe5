"""Files by relative path, in one archive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestration.store.formats.base import Written, content_hash


def write_folder(value: Mapping[str, bytes], path: Path) -> Written:
    """Write files by relative path to one archive, the same bytes for the same files."""
    import zipfile

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(value):
            archive.writestr(zipfile.ZipInfo(name), value[name])
    content = content_hash(
        "folder", *(part for name in sorted(value) for part in (name, value[name]))
    )
    return Written(content, None, {name: ("bytes", (len(value[name]),)) for name in sorted(value)})


def read_folder(path: Path) -> dict[str, bytes]:
    """Read files by relative path."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}

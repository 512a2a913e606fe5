"""Download from Kaggle, with the user's credentials."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from models.download.fetching import (
    CHUNK,
    DownloadError,
    expected_hashes,
    fetch,
    safe_url,
    sync_folder,
    wrong_file,
)
from models.download.unpacking import ArchiveError, starts_with, unpack

if TYPE_CHECKING:
    import requests


KAGGLE_API = "https://www.kaggle.com/api/v1"


def kaggle_credentials() -> tuple[str, str]:
    """Return Kaggle's user name and key.

    They come from ``KAGGLE_USERNAME`` and ``KAGGLE_KEY``, else from ``kaggle.json`` in the folder
    ``KAGGLE_CONFIG_DIR`` (``~/.kaggle`` by default).

    Raises
    ------
    DownloadError
        There are none; the text says where to get them.
    """
    user, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    if user and key:
        return user, key
    folder = os.environ.get("KAGGLE_CONFIG_DIR")
    path = (Path(folder) if folder else Path.home() / ".kaggle") / "kaggle.json"
    wrong = "is not there"
    if path.is_file():
        wrong = 'does not hold {"username": "...", "key": "..."}'
        try:
            credentials = json.loads(path.read_text())
            user, key = credentials["username"], credentials["key"]
        except (ValueError, KeyError, TypeError):
            user = key = None
        if isinstance(user, str) and isinstance(key, str) and user and key:
            return user, key
    raise DownloadError(
        "Kaggle needs credentials: KAGGLE_USERNAME and KAGGLE_KEY are not both set, and "
        f"{path} {wrong}. Make a key under Settings, API on kaggle.com and set both."
    )


def kaggle_dataset_file(
    dataset: str,
    name: str,
    target: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    max_bytes: int = 1 << 30,
    base_url: str = KAGGLE_API,
    session: requests.Session | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    r"""Download one text file of a Kaggle data set.

    Kaggle sends files plain or zipped, with either kind of line end. Size and hash are those of
    the unzipped file with ``\r\n`` read as ``\n``.

    Parameters
    ----------
    dataset : str
        ``owner/slug``.
    name : str
        Name of the file in the set.
    target : Path
        The file to write. If it exists and matches, it is returned with no request.
    size, sha256 : optional
        Length in bytes and hash of the file, line ends as above.
    max_bytes : int
        Bytes that a zipped file may unpack to.
    base_url : str
        Address of the API.
    session, sleep
        As for `fetch`.

    Raises
    ------
    DownloadError
        As `fetch` and `kaggle_credentials`.
    ArchiveError
        If Kaggle sent a zip file that doesn't hold exactly that file.
    """
    if target.is_file() and (size or sha256) and not _text_fault(target, size, sha256):
        return target
    url = f"{base_url.rstrip('/')}/datasets/download/{dataset}/{name}"
    sent = fetch(
        url,
        target.with_name(target.name + ".sent"),
        auth=kaggle_credentials(),
        session=session,
        sleep=sleep,
    )
    folder = target.with_name(target.name + ".unpacked")
    shutil.rmtree(folder, ignore_errors=True)  # left by a run that was killed
    try:
        file = sent
        if starts_with(sent, b"PK\x03\x04"):
            unpack(sent, folder, max_bytes=max_bytes, max_files=1)
            file = folder / name
            if not file.is_file():
                raise ArchiveError(f"{safe_url(url)}: the zip file does not hold {name}")
        if wrong := _text_fault(file, size, sha256):
            raise wrong_file(safe_url(url), wrong)
        file.replace(target)
        sync_folder(target.parent)
    finally:
        sent.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _text_fault(path: Path, size: int | None, sha256: str | None) -> str:
    r"""Return the fault in a text file's size or hash, ``\r\n`` read as ``\n``; "" if none."""
    digest, length, pending = hashlib.sha256(), 0, b""
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            data = pending + data
            pending = b"\r" if data.endswith(b"\r") else b""  # its \n may come with the next chunk
            data = data[: len(data) - len(pending)].replace(b"\r\n", b"\n")
            digest.update(data)
            length += len(data)
    digest.update(pending)
    length += len(pending)
    if size is not None and length != size:
        return f"has {length} bytes, expected {size}"
    if sha256 is not None and f"sha256:{digest.hexdigest()}" not in expected_hashes(sha256, None):
        return f"has sha256 {digest.hexdigest()}, expected {sha256.lower()}"
    return ""

"""Pictures and reports in the web UI: links in metadata, and what they name in the store.

Dagster's UI shows an image inline where Markdown links it; Markdown that holds the image itself is
too long for it, and hidden behind "[Show Markdown]". So the pictures of a materialisation are put
into the store, named by their content, and its metadata link them. `faint ui` answers the links
(`orchestration.webserver`); with any other server a page shows their alternative text, which says
so.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import dagster as dg

from orchestration.store import PARTITION, PICTURES, Slot, unfit

PICTURE_ROUTE = "/faint/picture"
REPORT_ROUTE = "/faint/report"
PAGE = "index.html"
"""A stored folder that has it is a report."""

_EMBEDDED = re.compile(r"!\[([^\]]*)\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)")
_PICTURE = re.compile(r"[0-9a-f]{32}\.png")
_ARCHIVE = re.compile(r"[0-9a-f]{24}-[0-9a-f]{8}\.zip")


def picture_name(png: bytes) -> str:
    """Return the file name of a picture: a digest of its content."""
    return f"{hashlib.sha256(png).hexdigest()[:32]}.png"


def linked(metadata: Mapping[str, Any], slot: Slot) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Link the pictures that metadata embed.

    Parameters
    ----------
    metadata
        Of a materialisation; its Markdown may embed PNGs as data URIs.
    slot
        What was materialised.

    Returns
    -------
    metadata
        With links to the pictures.
    pictures
        Their contents by file name.
    """
    pictures: dict[str, bytes] = {}

    def link(title: str, match: re.Match[str]) -> str:
        png = base64.b64decode(match[2])
        name = picture_name(png)
        pictures[name] = png
        text = f"{match[1] or re.sub(r'[][]', '', title)} (faint ui shows this picture)"
        where = f"{PICTURE_ROUTE}/{_address(slot)}/{name}"
        return f"[![{text}]({where})]({where})"  # a click shows it in full size

    shown: dict[str, Any] = {}
    for title, value in metadata.items():
        if isinstance(value, dg.MarkdownMetadataValue):
            text = _EMBEDDED.sub(partial(link, title), value.md_str or "")
            shown[title] = dg.MetadataValue.md(text)
        else:
            shown[title] = value
    return shown, pictures


def report_link(slot: Slot, archive: str) -> dg.MetadataValue:
    """Return a link to the page of a report that is stored as the folder ``archive``."""
    where = f"{REPORT_ROUTE}/{_address(slot)}/{archive}/{PAGE}"
    return dg.MetadataValue.md(f"[Open the report]({where}) (faint ui shows it)")


def _address(slot: Slot) -> str:
    return quote(slot.folder, safe="/@")


def picture_path(address: str) -> str | None:
    """Return the path of a picture below the store's root.

    Parameters
    ----------
    address
        What follows `PICTURE_ROUTE`, decoded.

    Returns
    -------
    str or None
        None for what is no address of a picture.
    """
    folder, _, name = address.rpartition("/")
    return f"{folder}/{PICTURES}/{name}" if _is_slot(folder) and _PICTURE.fullmatch(name) else None


def report_path(address: str) -> tuple[str, str] | None:
    """Return the path of a report's archive below the store's root, and a file's path within it.

    Parameters
    ----------
    address
        What follows `REPORT_ROUTE`, decoded.

    Returns
    -------
    tuple of str, or None
        None for what is no address of a file of a report.
    """
    parts = address.split("/")
    place = next((k for k, part in enumerate(parts) if _ARCHIVE.fullmatch(part)), None)
    if place is None or not _is_slot("/".join(parts[:place])):
        return None
    return "/".join(parts[: place + 1]), "/".join(parts[place + 1 :])


def _is_slot(folder: str) -> bool:
    asset, _, partition = folder.partition(f"/{PARTITION}")
    return all(part.isprintable() and not unfit(part) for part in asset.split("/")) and (
        partition.isprintable() and "/" not in partition and "\\" not in folder
    )

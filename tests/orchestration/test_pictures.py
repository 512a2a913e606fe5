"""Pictures are taken out of metadata, and an address names nothing but pictures and reports."""

from __future__ import annotations

import base64
import hashlib

import dagster as dg
import pytest

from orchestration.pictures import linked, picture_name, picture_path, report_link, report_path
from orchestration.store import Slot

HASH = "0123456789abcdef" * 2
ARCHIVE = f"{HASH[:24]}-{HASH[:8]}.zip"


def embedded(png: bytes, alt: str = "") -> str:
    return f"![{alt}](data:image/png;base64,{base64.b64encode(png).decode()})"


def test_an_embedded_picture_becomes_a_link_that_says_how_to_see_it() -> None:
    text = f"before {embedded(b'one')} and {embedded(b'two', 'a curve')}"
    metadata, pictures = linked(
        {"ROC [test]": dg.MetadataValue.md(text), "n": dg.MetadataValue.int(1)}, Slot("s/cnn")
    )
    one, two = picture_name(b"one"), picture_name(b"two")
    assert one == f"{hashlib.sha256(b'one').hexdigest()[:32]}.png"
    assert pictures == {one: b"one", two: b"two"}
    at = "/faint/picture/s/cnn"
    assert metadata["ROC [test]"].value == (
        f"before [![ROC test (faint ui shows this picture)]({at}/{one})]({at}/{one})"
        f" and [![a curve (faint ui shows this picture)]({at}/{two})]({at}/{two})"
    )
    assert metadata["n"].value == 1


def test_text_without_pictures_stays_as_it_is() -> None:
    given = {"notes": dg.MetadataValue.md("![here](https://example.org/a.png)")}
    assert linked(given, Slot("s/cnn")) == (given, {})


@pytest.mark.parametrize("partition", [None, "a|b", "50 %", "(x)", "ä/ö"])
def test_a_link_leads_to_the_file_in_the_slots_folder(partition: str | None) -> None:
    from urllib.parse import unquote

    slot = Slot("s/cnn", partition)
    metadata, pictures = linked({"p": dg.MetadataValue.md(embedded(b"png"))}, slot)
    [name] = pictures
    address = metadata["p"].value.split("](")[-1].rstrip(")")
    assert picture_path(unquote(address.removeprefix("/faint/picture/"))) == (
        f"{slot.folder}/_pictures/{name}"
    )
    link = report_link(slot, ARCHIVE).value
    address = link.split("](/faint/report/")[1].split(")")[0]
    assert report_path(unquote(address)) == (f"{slot.folder}/{ARCHIVE}", "index.html")


@pytest.mark.parametrize(
    "address",
    [
        f"{HASH}.png",
        f"/{HASH}.png",
        f"../{HASH}.png",
        f"s/../../{HASH}.png",
        f"s/./{HASH}.png",
        f"s//{HASH}.png",
        f"s\\..\\{HASH}.png",
        f"s\0/{HASH}.png",
        f"s/_builds/{HASH}.png",
        f"s/_pictures/{HASH}.png",
        f"s/{HASH[1:]}.png",
        f"s/{HASH}.PNG",
        f"s/{HASH}.png/",
        f"s/{HASH}.png\n",
        "s/current.json",
        "",
    ],
)
def test_what_is_no_picture_has_no_address(address: str) -> None:
    assert picture_path(address) is None


@pytest.mark.parametrize(
    "address",
    [
        f"{ARCHIVE}/index.html",
        f"../{ARCHIVE}/index.html",
        f"s/_builds/{ARCHIVE}/index.html",
        "s/current.json",
        f"s/{ARCHIVE[:-4]}.h5/index.html",
    ],
)
def test_what_is_no_report_has_no_address(address: str) -> None:
    assert report_path(address) is None

"""LibriSpeech is downloaded once, resumed, verified and unpacked."""

from __future__ import annotations

import hashlib
import io
import tarfile

import numpy as np
import pytest

from models.download import ArchiveError, DownloadError
from models.speech.librispeech import PARTS, download_librispeech
from models.speech.readers import Tally, read_files

PART = "dev-clean"


def archive(names=("LibriSpeech/dev-clean/84/7/84-7",)):
    """An archive as OpenSLR's, of more bytes than are fetched at a time."""
    import soundfile

    sound = io.BytesIO()
    audio = np.random.default_rng(0).integers(-9000, 9000, 150_000).astype(np.int16)
    soundfile.write(sound, audio, 16000, format="FLAC")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            for path, body in (
                (f"{name}.trans.txt", b"84-7-0000 THE END\n"),
                (f"{name}-0000.flac", sound.getvalue()),
            ):
                member = tarfile.TarInfo(path)
                member.size = len(body)
                tar.addfile(member, io.BytesIO(body))
    return buffer.getvalue()


def download(folder, site, session, body, **options):
    digest = hashlib.sha256(body).hexdigest()
    return download_librispeech(
        folder, [PART], base_url=site.url(""), hashes={PART: digest}, session=session, **options
    )


def test_a_part_is_downloaded_once_resumed_and_read(misbehaving, session, tmp_path):
    body = archive()
    misbehaving.put(f"/{PART}.tar.gz", body, misbehaving.reset_after(len(body) // 2))
    for _ in range(2):
        (folder,) = download(tmp_path, misbehaving, session, body, sleep=lambda seconds: None)
    assert len(misbehaving.requests) == 2
    assert misbehaving.requests[1][1]["Range"].startswith("bytes=")
    (found,) = read_files(folder, Tally())
    assert (found.key, found.speaker, found.part, found.text) == ("84-7-0000", "84", 1, "the end")


def test_another_file_than_expected_is_refused_and_removed(misbehaving, session, tmp_path):
    misbehaving.put(f"/{PART}.tar.gz", archive() + b"more")
    with pytest.raises(DownloadError, match="sha256"):
        download(tmp_path, misbehaving, session, archive())
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_leaves_its_folder_is_refused(misbehaving, session, tmp_path):
    body = archive(["../84-7"])
    misbehaving.put(f"/{PART}.tar.gz", body)
    with pytest.raises(ArchiveError, match=r"\.\./84-7"):
        download(tmp_path, misbehaving, session, body)
    assert not (tmp_path / PART).exists()


@pytest.mark.parametrize("parts", [[], ["dev-tidy"], ["dev-clean", "../x"]])
def test_unknown_parts_are_refused(tmp_path, parts):
    with pytest.raises(ValueError, match="parts of LibriSpeech are dev-clean, dev-other"):
        download_librispeech(tmp_path, parts)


def test_hashes_are_hashes():
    assert all(len(bytes.fromhex(digest)) == 32 for digest in PARTS.values())
    assert len(set(PARTS.values())) == 7

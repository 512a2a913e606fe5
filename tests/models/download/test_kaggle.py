"""Kaggle's files, zipped or not, and its credentials."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from models.download import DownloadError, kaggle_credentials, kaggle_dataset_file

TEXT = b"LABEL,FLUX.1\n2,0.5\n1,0.25\n"
TEXT_SHA = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture
def kaggle(misbehaving, session, tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "s3cr3t")

    def get(**changes):
        options = {"size": len(TEXT), "sha256": TEXT_SHA, "base_url": misbehaving.url("/api/v1")}
        return kaggle_dataset_file(
            *("owner/slug", "t.csv", tmp_path / "t.csv"),
            **{**options, **changes},
            session=session,
            sleep=[].append,
        )

    return get


PATH = "/api/v1/datasets/download/owner/slug/t.csv"


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("zipped", [False, True])
def test_kaggle_sends_a_file_plain_or_zipped_with_either_line_end(
    misbehaving, kaggle, tmp_path, ends, zipped
):
    body = TEXT.replace(b"\n", ends)
    sent = body
    if zipped:
        with zipfile.ZipFile(buffer := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as pack:
            pack.writestr("t.csv", body)
        sent = buffer.getvalue()
    misbehaving.put(PATH, sent)
    assert kaggle().read_bytes() == body
    assert kaggle().read_bytes() == body
    ((path, headers),) = misbehaving.requests  # the second call needed none
    assert path == PATH
    assert headers["Authorization"] == "Basic bWU6czNjcjN0"  # base64 of me:s3cr3t
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_a_kaggle_file_with_another_hash_is_removed(misbehaving, kaggle, tmp_path):
    misbehaving.put(PATH, TEXT.replace(b"5", b"6"))
    with pytest.raises(DownloadError, match=f"expected {TEXT_SHA}"):
        kaggle()
    assert list(tmp_path.iterdir()) == []


def test_a_line_end_across_two_chunks_is_read_as_one(misbehaving, kaggle, monkeypatch):
    monkeypatch.setattr(
        "models.download.kaggle.CHUNK", 13
    )  # the first line's \r ends the first chunk
    misbehaving.put(PATH, TEXT.replace(b"\n", b"\r\n"))
    kaggle()


def test_kaggle_credentials_come_from_its_file(tmp_path, monkeypatch):
    monkeypatch.delenv("KAGGLE_USERNAME", raising=False)
    monkeypatch.delenv("KAGGLE_KEY", raising=False)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    file = tmp_path / "kaggle.json"
    with pytest.raises(DownloadError, match=r"KAGGLE_USERNAME and KAGGLE_KEY.*is not there"):
        kaggle_credentials()
    file.write_text('{"username": "me", "key": s3cr3t}')
    with pytest.raises(DownloadError, match="does not hold") as caught:
        kaggle_credentials()
    assert "s3cr3t" not in str(caught.value) + repr(caught.value.__context__)
    file.write_text(json.dumps({"username": "me", "key": "s3cr3t"}))
    assert kaggle_credentials() == ("me", "s3cr3t")

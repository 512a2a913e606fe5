"""A folder's files are found, and the competition's are downloaded."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from models.download import DownloadError
from models.errors import BadInput
from models.solar_flares.ingestion import Tally
from models.solar_flares.readers import (
    COMPETITION,
    download_competition,
    fold_files,
    open_files,
)
from models.solar_flares.records import PARAMETERS

ALL = {1: 1.0, 2: 1.0, 3: 1.0}
READ = {"seed": 0, "on_bad": "stop", "limit": 0, "engine": "arrow", "master": "local[2]"}


def line(name, flare):
    values = {p: {str(k): float(k) for k in range(60)} for p in PARAMETERS}
    return json.dumps({"id": name, "classNum": flare, "values": values})


def zipped(name, text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def test_folds_are_found_plain_or_zipped_with_their_fractions(tmp_path):
    (tmp_path / "fold1Training.json").write_text(line(1, 0) + "\n")
    (tmp_path / "fold3Training.json.zip").write_bytes(zipped("fold3Training.json", line(2, 1)))
    files = fold_files(tmp_path, {1: 0.3, 2: 0.1, 3: 0.05})
    assert [(file.path.name, file.fold, file.fraction) for file in files] == [
        ("fold1Training.json", 1, 0.3),
        ("fold3Training.json.zip", 3, 0.05),
    ]
    tallies: dict[int, Tally] = {}
    blocks = list(open_files(tmp_path, ALL, tallies, **READ))
    assert np.concatenate([block["fold"] for block in blocks]).tolist() == [1, 3]
    assert np.concatenate([block["label"] for block in blocks]).tolist() == [0, 1]
    assert {fold: tally.records for fold, tally in tallies.items()} == {1: 1, 3: 1}


@pytest.mark.parametrize(
    ("name", "what"), [("", "neither records nor series"), ("no", "not there")]
)
def test_a_path_without_records_says_what_was_expected(tmp_path, name, what):
    with pytest.raises(BadInput, match=f"{what}.*fold1Training.json.*{COMPETITION}"):
        fold_files(tmp_path / name, ALL)


def test_a_folder_of_series_is_read_as_such(shared):
    tallies: dict[int, Tally] = {}
    blocks = list(open_files(shared / "data/solar_flares/swan_sf", ALL, tallies, **READ))
    assert sum(len(block["label"]) for block in blocks) == 12
    assert tallies == {}


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", "a-secret")


def test_the_competition_is_downloaded_once_and_read_zipped(
    misbehaving, session, credentials, tmp_path
):
    for fold in (1, 2, 3):
        name = f"fold{fold}Training.json"
        body = zipped(name, line(fold, fold % 2) + "\n")
        misbehaving.put(f"/competitions/data/download/{COMPETITION}/{name}", body)
    for _ in range(2):
        download_competition(tmp_path, base_url=misbehaving.url(""), session=session)
    assert len(misbehaving.requests) == 3
    blocks = list(open_files(tmp_path, ALL, {}, **READ))
    assert np.concatenate([block["label"] for block in blocks]).tolist() == [1, 0, 1]


def test_a_refusal_says_to_accept_the_rules(misbehaving, session, credentials, tmp_path):
    path = f"/competitions/data/download/{COMPETITION}/fold1Training.json"
    misbehaving.put(path, b"", *[misbehaving.status(403)] * 10)
    with pytest.raises(DownloadError, match=r"accept the rules on kaggle\.com") as error:
        download_competition(tmp_path, base_url=misbehaving.url(""), session=session)
    assert "a-secret" not in str(error.value)

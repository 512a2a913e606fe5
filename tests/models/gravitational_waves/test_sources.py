"""The record is downloaded whole or not at all, and chirps are laid into quiet pictures."""

from __future__ import annotations

import hashlib
import io
import json
import threading

import h5py
import numpy as np
import pytest

from models.arrays import Blocks
from models.download import DownloadError
from models.errors import BadInput
from models.gravitational_waves import images as layout
from models.gravitational_waves.images import SHAPE, columns, energies, pixels
from models.gravitational_waves.simulation import FAINTEST, simulate, transform_of
from models.gravitational_waves.sources import (
    FILE,
    METADATA,
    RECORD,
    _with_chirp,
    download_record,
    inject,
    injections,
    open_files,
)


def published() -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for part in ("train", "validation", "test"):
            file[f"Blip/{part}/{part}/0.5.png"] = np.full((1, *SHAPE), 0.1, dtype=np.float32)
    return buffer.getvalue()


def listing(site, files: dict[str, bytes], **wrong: str) -> bytes:
    entries = [
        {
            "key": key,
            "size": len(body),
            "checksum": wrong.get("checksum", f"md5:{hashlib.md5(body).hexdigest()}"),
            "links": {"self": site.url(f"/files/{key}")},
        }
        for key, body in files.items()
    ]
    return json.dumps({"files": entries}).encode()


@pytest.fixture
def get(misbehaving, session, tmp_path):
    def download():
        return download_record(
            tmp_path, base_url=misbehaving.url(""), session=session, sleep=lambda _: None
        )

    return download


def test_the_record_is_downloaded_once_verified_and_read(misbehaving, get):
    body = published()
    table = b"gravityspy_id,event_time,snr\ntrain,100.5,9\n"
    files = {FILE: body, METADATA: table, "other.tar.gz": b"not wanted"}
    misbehaving.put(f"/records/{RECORD}", listing(misbehaving, files))
    misbehaving.put(f"/files/{FILE}", body)
    misbehaving.put(f"/files/{METADATA}", table)
    for _ in range(2):
        folder = get()
    assert [path for path, _ in misbehaving.requests] == [
        f"/records/{RECORD}",
        f"/files/{FILE}",
        f"/files/{METADATA}",
    ]
    block = next(iter(open_files(folder)))
    assert block["part"].tolist() == [2, 0, 1]
    assert block["group"].tolist() == ["test", "gps-100", "validation"]


def test_a_download_cut_off_goes_on_from_where_it_stopped(misbehaving, get):
    body = published()
    misbehaving.put(f"/records/{RECORD}", listing(misbehaving, {FILE: body}))
    half = len(body) // 2
    misbehaving.put(f"/files/{FILE}", body, misbehaving.reset_after(half), misbehaving.status(503))
    assert (get() / FILE).read_bytes() == body
    ranges = [headers.get("Range") for path, headers in misbehaving.requests if FILE in path]
    assert ranges[0] is None
    assert int(ranges[-1].removeprefix("bytes=").rstrip("-")) > 0


def test_another_file_than_listed_is_removed(misbehaving, get, tmp_path):
    body = published()
    wrong = listing(misbehaving, {FILE: body}, checksum="md5:" + "0" * 32)
    misbehaving.put(f"/records/{RECORD}", wrong)
    misbehaving.put(f"/files/{FILE}", body)
    with pytest.raises(DownloadError, match=rf"{FILE}: the file has md5:\w+, expected md5:0000"):
        get()
    assert not list(tmp_path.glob("*"))
    # Nothing of it hinders the next attempt.
    misbehaving.put(f"/records/{RECORD}", listing(misbehaving, {FILE: body}))
    assert (get() / FILE).read_bytes() == body


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"files": [{"key": "a.txt"}]}'])
def test_a_record_without_the_file_is_said(misbehaving, get, tmp_path, body):
    misbehaving.put(f"/records/{RECORD}", body)
    with pytest.raises(DownloadError, match=rf"records/{RECORD}: the record doesn't list {FILE}"):
        get()
    assert not list(tmp_path.glob("*.json"))


def test_two_downloads_at_once_get_one_file(misbehaving, session, tmp_path):
    body = published()
    misbehaving.put(f"/records/{RECORD}", listing(misbehaving, {FILE: body}))
    misbehaving.put(f"/files/{FILE}", body)
    found = []

    def one():
        found.append(download_record(tmp_path, base_url=misbehaving.url(""), session=session))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [tmp_path] * 2
    assert (tmp_path / FILE).read_bytes() == body


def test_a_path_is_a_file_or_a_folder_of_pictures(tmp_path):
    with pytest.raises(BadInput, match="not there"):
        open_files(tmp_path / "no.h5")
    with pytest.raises(BadInput, match="holds no spectrogram"):
        open_files(tmp_path)


def quiet_and_loud():
    """20 pictures of noise, every second one with a blaze; ten rows a part and a block."""
    noise = np.random.default_rng(0).exponential(size=(20, *SHAPE))
    noise[1::2, 40:100] = 25
    names = [f"n{number:02d}" for number in range(20)]
    parts = [0] * 10 + [2] * 10
    labels = ["Blip"] * 20
    groups = [f"gps-{number // 2}" for number in range(20)]
    return columns(pixels(noise), labels, names, parts, groups, [float("nan")] * 20, 0.5)


def in_blocks(rows, size):
    def read():
        return Blocks(
            {name: values[start : start + size] for name, values in rows.items()}
            for start in range(0, len(rows["label"]), size)
        )

    return read


def gathered(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def test_chirps_are_laid_into_copies_of_quiet_pictures_of_their_part():
    rows = quiet_and_loud()
    made = gathered(inject(in_blocks(rows, 10), 4, seed=1))
    assert len(made["label"]) == 24
    chirps = np.flatnonzero(made["label"] == "Chirp")
    assert made["part"][chirps].tolist() == [0, 0, 2, 2]
    for row in chirps:
        origin = rows["id"].tolist().index(made["id"][row].removeprefix("chirp-in-"))
        assert origin % 2 == 0  # quiet
        assert made["group"][row] == rows["group"][origin]
        assert made["part"][row] == rows["part"][origin]
        # Energy is added, never taken away.
        assert (made["image"][row] >= rows["image"][origin] - 1e-6).all()
        assert made["image"][row].sum() > rows["image"][origin].sum()
        assert made["snr"][row] >= FAINTEST
    kept = made["label"] == "Blip"
    np.testing.assert_array_equal(made["image"][kept], rows["image"])


def test_injected_pictures_do_not_depend_on_the_blocks():
    rows = quiet_and_loud()
    one, other = (gathered(inject(in_blocks(rows, size), 4, seed=1)) for size in (20, 3))
    for made in (one, other):
        order = np.argsort(made["id"])
        made.update({name: values[order] for name, values in made.items()})
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_more_chirps_than_pictures_are_refused():
    with pytest.raises(ValueError, match="30 chirps don't go into 10 pictures of part 0"):
        gathered(inject(in_blocks(quiet_and_loud(), 10), 60))


def test_a_laid_chirp_has_the_energy_of_its_signal():
    # On nothing, a chirp's loudest pixel is at most SNR^2 / 2, and a good part of it.
    background = pixels(np.zeros(SHAPE))
    shares = []
    for seed in range(8):
        generator = np.random.default_rng(seed)
        image, snr = _with_chirp(transform_of(0.5), background, generator, 3.0)
        if snr < 6:  # not saturated
            shares.append(energies(image).max() / (snr**2 / 2))
    assert len(shares) > 3
    assert min(shares) > 0.15
    assert max(shares) < 1.2


SPLIT = {"split": np.array([0] * 10 + [2] * 10)}


@pytest.mark.parametrize("into", ["backgrounds", "noise"])
def test_injections_are_made_of_training_pictures_alone(into, monkeypatch):
    rows = quiet_and_loud()
    made = gathered(injections(rows, SPLIT, 9, seed=5, into=into))
    assert made["image"].shape == (9, *SHAPE)
    assert set(made["label"]) == {"Chirp"}
    assert set(made["part"]) == {0}
    assert len(set(made["id"])) == 9
    assert (made["snr"] >= FAINTEST).all()
    assert made["image"].min() > 0.08
    assert made["image"].max() < 0.87
    # Whatever the test pictures hold, and however the blocks are cut, the same.
    changed = rows | {"image": rows["image"].copy()}
    changed["image"][10:] = np.nan
    monkeypatch.setattr(layout, "BLOCK_ROWS", 4)
    again = gathered(injections(changed, SPLIT, 9, seed=5, into=into))
    for name, values in made.items():
        np.testing.assert_array_equal(values, again[name])
    if into == "backgrounds":
        assert set(made["group"]) <= {f"gps-{number}" for number in range(5)}


def test_injections_share_nothing_with_simulated_pictures_of_the_same_seed():
    simulated = gathered(simulate({"train": 4, "validation": 4}, {"train": 4, "validation": 4}))
    splits = {"split": simulated["part"]}
    made = gathered(injections(simulated, splits, 4, into="noise"))
    for image in made["image"]:
        assert not (image == simulated["image"]).all(axis=(1, 2)).any()
    assert not set(made["snr"].tolist()) & set(simulated["snr"].tolist())


def test_impossible_injections_are_refused():
    rows = quiet_and_loud()
    with pytest.raises(ValueError, match="backgrounds or noise, not 'glitches'"):
        injections(rows, SPLIT, 1, into="glitches")
    only = rows | {"label": np.full(20, "Chirp")}
    with pytest.raises(ValueError, match="nothing to inject into"):
        injections(only, SPLIT, 1)


def test_no_injections_are_an_empty_block():
    (block,) = injections(quiet_and_loud(), SPLIT, 0)
    assert block["image"].shape == (0, *SHAPE)
    assert block["label"].dtype == "U24"

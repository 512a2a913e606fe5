"""Files are read as published, and a broken one says what is wrong and where."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from models.download import DownloadError
from models.errors import BadInput
from models.gravitational_waves import images as layout
from models.gravitational_waves.images import SHAPE
from models.gravitational_waves.readers import (
    FILE,
    METADATA,
    RECORD,
    download_record,
    open_files,
    picture_values,
    read_folder,
    read_hdf5,
)

PARTS = ("train", "validation", "test")


def image(number):
    return np.random.default_rng(number).random((1, *SHAPE), dtype=np.float32)


def write(path: Path, examples: dict[str, np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        for place, values in examples.items():
            file.create_dataset(place, data=values, compression="gzip")
    return path


def whole() -> dict[str, np.ndarray]:
    """Two classes, three splits, six examples of two durations."""
    return {
        f"{label}/{part}/{label}{part}/{duration}.png": image(10 * number + k)
        for number, (label, part) in enumerate((a, b) for a in ("Blip", "Chirp") for b in PARTS)
        for k, duration in enumerate(("0.5", "4.0"))
    }


def gathered(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def test_every_example_comes_with_its_class_and_split(tmp_path):
    examples = whole()
    rows = gathered(read_hdf5(write(tmp_path / "set.h5", examples)))
    assert rows["id"].tolist() == [f"{a}{b}" for a in ("Blip", "Chirp") for b in sorted(PARTS)]
    assert rows["part"].tolist() == [2, 0, 1] * 2
    for row, name in enumerate(rows["id"]):
        place = f"{rows['label'][row]}/{PARTS[rows['part'][row]]}/{name}/0.5.png"
        np.testing.assert_array_equal(rows["image"][row], examples[place][0])
    assert rows["group"].tolist() == rows["id"].tolist()
    assert np.isnan(rows["snr"]).all()


def test_another_duration_is_another_picture(tmp_path):
    examples = whole()
    rows = gathered(read_hdf5(write(tmp_path / "set.h5", examples), "4.0"))
    np.testing.assert_array_equal(rows["image"][1], examples["Blip/train/Bliptrain/4.0.png"][0])
    with pytest.raises(ValueError, match=r"one of 0\.5, 1\.0, 2\.0, 4\.0, not '3\.0'"):
        read_hdf5(tmp_path / "set.h5", "3.0")


def test_metadata_beside_the_file_give_snr_and_the_second(tmp_path):
    write(tmp_path / "set.h5", whole())
    (tmp_path / "trainingset_v1d1_metadata.csv").write_text(
        "ifo,gravityspy_id,event_time,snr\n"
        "H1,Bliptrain,1134216192.93,7.5\nL1,Chirptrain,1134216192.04,\n"
    )
    rows = gathered(read_hdf5(tmp_path / "set.h5"))
    of = dict(zip(rows["id"].tolist(), zip(rows["group"], rows["snr"], strict=True), strict=True))
    # Two detectors, one second: one group.
    assert of["Bliptrain"] == ("gps-1134216192", 7.5)
    assert of["Chirptrain"][0] == "gps-1134216192"
    assert np.isnan(of["Chirptrain"][1])
    assert of["Bliptest"][0] == "Bliptest"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("gravityspy_id,snr\n", "column 'event_time' is missing"),
        ("gravityspy_id,event_time,snr\na,1,loud\n", "row 1, column snr: 'loud' is not a number"),
    ],
)
def test_broken_metadata_say_where(tmp_path, text, error):
    write(tmp_path / "set.h5", whole())
    (tmp_path / "metadata.csv").write_text(text)
    with pytest.raises(BadInput, match=rf"metadata\.csv.*{error}"):
        gathered(read_hdf5(tmp_path / "set.h5"))


def test_blocks_are_small_and_read_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "BLOCK_ROWS", 4)
    examples = whole() | {"Whistle/train/broken/0.5.png": np.full((1, *SHAPE), np.nan)}
    blocks = iter(read_hdf5(write(tmp_path / "set.h5", examples)))
    assert len(next(blocks)["id"]) == 4  # the broken one lies further on
    with pytest.raises(BadInput, match="broken"):
        next(blocks)


def without(examples, part):
    return {place: values for place, values in examples.items() if f"/{part}/" not in place}


def test_a_missing_split_is_said_unless_the_splits_are_left_aside(tmp_path):
    path = write(tmp_path / "set.h5", without(whole(), "validation"))
    with pytest.raises(BadInput, match=r"set\.h5: no example is in split 'validation'.*official"):
        read_hdf5(path)
    assert gathered(read_hdf5(path, official=False))["part"].tolist() == [-1] * 4


BROKEN = {
    "shape": ({"Blip/train/x/0.5.png": np.zeros((1, 170, 140))}, r"shape \(1, 170, 140\).*1, 140"),
    "nan": ({"Blip/train/x/0.5.png": np.full((1, *SHAPE), np.nan)}, "23800 of its values are NaN"),
    "scale": ({"Blip/train/x/0.5.png": np.full((1, *SHAPE), 255.0)}, r"span 255 \.\.\. 255"),
    "text": ({"Blip/train/x/0.5.png": np.array([b"picture"])[:1]}, "not an array of numbers"),
    "duration": ({"Blip/train/x/1.0.png": image(1)}, r"no picture of 0\.5 s, only 1\.0\.png"),
    "twice": (
        {"Blip/test/Bliptrain/0.5.png": image(1)},
        "'Bliptrain' comes twice, at /Blip/test/Bliptrain and at /Blip/train/Bliptrain",
    ),
    "split": ({"Blip/x/0.5.png": image(1)}, "/Blip/x: 'x' is not a split"),
    "long": ({f"Blip/test/{'x' * 30}/0.5.png": image(1)}, "a name of 30 characters"),
    "array": ({"Blip/all": image(1)}, "/Blip/all: it is an array, not a group"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_example_names_its_place(tmp_path, kind):
    added, text = BROKEN[kind]
    path = write(tmp_path / "set.h5", whole() | added)
    with pytest.raises(BadInput, match=text) as error:
        gathered(read_hdf5(path))
    assert str(path) in str(error.value)
    if kind in ("shape", "nan", "scale", "text"):
        assert "set.h5:/Blip/train/x/0.5.png: " in str(error.value)


def test_what_is_not_hdf5_is_said(tmp_path):
    path = tmp_path / "set.h5"
    with pytest.raises(BadInput, match="not there"):
        read_hdf5(path)
    path.write_bytes(b"<html>Sign in</html>")
    with pytest.raises(BadInput, match=r"set\.h5: it is not HDF5"):
        read_hdf5(path)
    write(path, {})
    with pytest.raises(BadInput, match="holds no spectrogram"):
        read_hdf5(path)


def test_a_truncated_file_is_said(tmp_path):
    path = write(tmp_path / "set.h5", whole())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match=r"it is truncated.*Zenodo"):
        read_hdf5(path)


def test_damage_within_is_said_with_its_place(tmp_path):
    path = write(tmp_path / "set.h5", whole())
    with h5py.File(path) as file:
        chunk = file["Blip/train/Bliptrain/0.5.png"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"/Blip/train/Bliptrain/0\.5\.png: it can't be read"):
        gathered(read_hdf5(path))


def test_the_published_arrays_are_read_as_published(shared):
    folder = shared / "data/gravity_spy"
    rows = gathered(read_hdf5(folder / "gravityspy_mini_v1d1_layout.h5", official=False))
    assert rows["image"].shape == (120, *SHAPE)
    texts = sorted(folder.glob("*__0.5.png.txt"))
    assert len(texts) == 3
    for text in texts:
        label, _, name = text.name.split("__")[:3]
        row = rows["id"].tolist().index(name)
        published = np.loadtxt(text).astype(np.float32).reshape(SHAPE)
        np.testing.assert_array_equal(rows["image"][row], published)
        assert rows["label"][row] == label


def test_pictures_become_the_published_arrays_bit_for_bit(shared):
    folder = shared / "data/gravity_spy"
    rows = gathered(read_hdf5(folder / "gravityspy_mini_v1d1_layout.h5", official=False))
    published = dict(zip(rows["id"].tolist(), rows["image"], strict=True))
    pictures = sorted((folder / "png").glob("*.png"))
    assert len(pictures) == 18
    for path in pictures:
        np.testing.assert_array_equal(picture_values(path), published[path.name.split("_")[1]])


def draw(path: Path, size=(800, 600), mode="RGBA"):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, 128 if mode == "L" else (255, 0, 0, 255)).save(path)


def test_a_folder_of_pictures_is_read_by_its_folders(tmp_path):
    for part in PARTS:
        draw(tmp_path / f"Blip/{part}/H1_{part}_spectrogram_0.5.png")
        draw(tmp_path / f"Blip/{part}/H1_{part}_spectrogram_1.0.png")
    rows = gathered(read_folder(tmp_path))
    assert rows["id"].tolist() == sorted(PARTS)
    assert rows["part"].tolist() == [2, 0, 1]
    assert rows["label"].tolist() == ["Blip"] * 3
    # Red alone is 0.2125 of white.
    np.testing.assert_allclose(rows["image"], 0.2125, rtol=1e-6)
    assert gathered(read_folder(tmp_path, official=False))["part"].tolist() == [-1] * 3
    shutil.rmtree(tmp_path / "Blip/test")
    with pytest.raises(BadInput, match="no example is in split 'test'"):
        read_folder(tmp_path)


def test_a_folder_without_splits_is_taken_as_it_is(tmp_path):
    draw(tmp_path / "Chirp/L1_abc_spectrogram_0.5.png")
    rows = gathered(read_folder(tmp_path))
    assert (rows["label"][0], rows["id"][0], rows["part"][0]) == ("Chirp", "abc", -1)


def test_pictures_that_are_none_of_gravity_spys_are_refused(tmp_path):
    path = tmp_path / "Blip/H1_a_spectrogram_0.5.png"
    draw(path, size=(640, 480))
    with pytest.raises(BadInput, match=r"it is RGBA of 640 x 480; expected .*800 x 600"):
        gathered(read_folder(tmp_path))
    draw(path, mode="L")
    with pytest.raises(BadInput, match="it is L of 800 x 600"):
        gathered(read_folder(tmp_path))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    with pytest.raises(BadInput, match="can't be read as a picture"):
        gathered(read_folder(tmp_path))
    path.rename(tmp_path / "Blip/a.png")
    with pytest.raises(BadInput, match="doesn't say which glitch"):
        read_folder(tmp_path)
    (tmp_path / "Blip/a.png").rename(tmp_path / "H1_a_spectrogram_0.5.png")
    with pytest.raises(BadInput, match="doesn't say which class"):
        read_folder(tmp_path)


def test_a_picture_cut_off_is_refused(tmp_path):
    path = tmp_path / "Blip/H1_a_spectrogram_0.5.png"
    draw(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadInput, match="can't be read as a picture"):
        picture_values(path)


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

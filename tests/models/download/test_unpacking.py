"""Archives, good and hostile."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import tarfile
import zipfile

import pytest

from models.download import ArchiveError, unpack


def tar_with(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def zip_with(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for info, data in members:
            pack.writestr(info, data)
    return path


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


LIMITS = {"max_bytes": 100_000, "max_files": 5}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_files_unpack(tmp_path, mode):
    archive = tar_with(
        tmp_path / "a.tar",
        (tarfile.TarInfo("in/a.csv"), b"1"),
        (tarfile.TarInfo("b"), b""),
        mode=mode,
    )
    folder = unpack(archive, tmp_path / "out", **LIMITS)
    assert (folder / "in/a.csv").read_bytes() == b"1"
    assert (folder / "b").read_bytes() == b""


def test_zip_and_gzip_files_unpack(tmp_path):
    archive = zip_with(tmp_path / "a.zip", ("in/", b""), ("in/a.csv", b"12"))
    assert (unpack(archive, tmp_path / "z", **LIMITS) / "in/a.csv").read_bytes() == b"12"
    single = tmp_path / "b.csv.gz"
    single.write_bytes(gzip.compress(b"345"))
    assert (unpack(single, tmp_path / "g", **LIMITS) / "b.csv").read_bytes() == b"345"


@pytest.mark.parametrize("name", ["../evil", "/evil", "in/../../evil", "..\\evil", "C:/evil"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_name_leaves_the_folder(tmp_path, name, kind):
    folder = tmp_path / "here"
    folder.mkdir()
    if kind == "zip":
        archive = zip_with(folder / "a", ("fine", b"1"), (name, b"2"))
    else:
        archive = tar_with(
            folder / "a", (tarfile.TarInfo("fine"), b"1"), (tarfile.TarInfo(name), b"2")
        )
    with pytest.raises(ArchiveError, match=r"leaves the folder|drive"):
        unpack(archive, folder / "out", **LIMITS)
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "member",
    [
        link("a", "/etc/passwd"),
        link("a", "b", tarfile.LNKTYPE),
        link("a", "", tarfile.FIFOTYPE),
        link("a", "", tarfile.CHRTYPE),
    ],
)
def test_links_and_devices_are_refused_in_tar(tmp_path, member):
    with pytest.raises(ArchiveError, match="'a' is a link or a device"):
        unpack(tar_with(tmp_path / "a.tgz", member), tmp_path / "out", **LIMITS)
    assert not (tmp_path / "out").exists()


def test_links_are_refused_in_zip(tmp_path):
    info = zipfile.ZipInfo("a")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ArchiveError, match="'a' is a link or a device"):
        unpack(zip_with(tmp_path / "a.zip", (info, b"/etc")), tmp_path / "out", **LIMITS)


@pytest.mark.parametrize("kind", ["zip", "tar", "gz", "header"])
def test_bombs_are_stopped_by_what_comes_out(tmp_path, kind):
    zeros = bytes(3_000_000)
    path = tmp_path / "bomb"
    if kind == "zip":
        zip_with(path, ("zeros", zeros))
        # Lie about the size in the central directory and the local header.
        path.write_bytes(path.read_bytes().replace(len(zeros).to_bytes(4, "little"), bytes(4)))
    elif kind == "tar":
        tar_with(path, (tarfile.TarInfo("zeros"), zeros))
    elif kind == "gz":
        path.write_bytes(gzip.compress(zeros))
    else:  # the bomb is in a header
        info = tarfile.TarInfo("a")
        info.pax_headers = {"comment": "0" * len(zeros)}
        tar_with(path, (info, b""))
    assert path.stat().st_size < 20_000
    with pytest.raises(ArchiveError):
        unpack(path, tmp_path / "out", **LIMITS)
    assert [file.name for file in tmp_path.iterdir()] == ["bomb"]


def test_too_many_files_are_refused(tmp_path):
    archive = zip_with(tmp_path / "a.zip", *[(f"{i}", b"") for i in range(6)])
    with pytest.raises(ArchiveError, match="more than 5 files"):
        unpack(archive, tmp_path / "out", **LIMITS)


def test_a_name_twice_is_refused(tmp_path):
    members = [(tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("./a"), b"2")]
    with pytest.raises(ArchiveError, match="occurs twice"):
        unpack(tar_with(tmp_path / "a.tgz", *members), tmp_path / "out", **LIMITS)


@pytest.mark.parametrize("kind", ["zip", "tar", "gz"])
def test_a_truncated_archive_is_an_error_that_names_it(tmp_path, kind):
    noise = hashlib.shake_256(b"").digest(50_000)
    path = tmp_path / "archive"
    if kind == "zip":
        zip_with(path, ("a", noise))
    elif kind == "tar":
        tar_with(path, (tarfile.TarInfo("a"), noise))
    else:
        path.write_bytes(gzip.compress(noise))
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(ArchiveError, match=str(path)):
        unpack(path, tmp_path / "out", **LIMITS)
    assert [file.name for file in tmp_path.iterdir()] == ["archive"]


def test_an_existing_folder_is_left_alone(tmp_path):
    with pytest.raises(FileExistsError, match="remove it"):
        unpack(zip_with(tmp_path / "a.zip", ("a", b"")), tmp_path, **LIMITS)

"""Profiles of field radars, read as the makers' documents have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.buried_objects.detection import instruments
from models.buried_objects.detection.instruments import read_dt1, read_dzt
from models.errors import BadInput
from tests.models.buried_objects.detection.radar_files import counts, write_dt1, write_dzt

SCAN = np.random.default_rng(1).normal(size=(12, 64)).astype(np.float32)
GPR = Path(__file__).parents[5] / "shared" / "data" / "gpr"


def expected(bits: int) -> Any:
    """The counts of the scan, the third sample in place of number and marks."""
    values = counts(SCAN, bits)
    values[:, :2] = values[:, 2:3]
    return values


@pytest.mark.parametrize(("bits", "kind"), [(8, "int8"), (16, "int16"), (32, "int32")])
@pytest.mark.parametrize("channels", [1, 3])
def test_samples_of_all_widths_and_the_first_of_several_channels(
    tmp_path: Path, bits: int, kind: str, channels: int
) -> None:
    profile = read_dzt(write_dzt(tmp_path / "line.DZT", SCAN, bits=bits, channels=channels))
    assert profile.traces.dtype == kind
    assert (profile.traces[:] == expected(bits)).all()
    said = [] if channels == 1 else ["The first of its 3 channels is used."]
    assert profile.notes == said


@pytest.mark.parametrize("data", [1, 2, 128, 1024, 36_864])
def test_the_data_begin_where_the_header_says(tmp_path: Path, data: int) -> None:
    """In blocks of 1024 bytes where it says less than that, else after a block a channel."""
    profile = read_dzt(write_dzt(tmp_path / "line.DZT", SCAN, data=data))
    assert (profile.traces[:] == expected(16)).all()


def test_a_dzt_says_its_grid_its_antenna_and_the_ground(tmp_path: Path) -> None:
    path = write_dzt(tmp_path / "a.DZT", SCAN, dt=1e-10, per_metre=40, permittivity=9)
    profile = read_dzt(path)
    assert profile.dt == pytest.approx(1e-10, rel=1e-6)
    assert profile.position == pytest.approx(np.arange(12) / 40)
    assert (profile.frequency, profile.permittivity, profile.offset) == (400e6, 9, None)
    assert profile.instrument
    path = write_dzt(tmp_path / "b.DZT", SCAN, per_metre=0, permittivity=0, antenna=b"50400S")
    profile = read_dzt(path)
    assert (profile.position, profile.frequency, profile.permittivity) == (None, None, None)


def test_a_dzt_that_is_cut_short_gives_its_whole_traces(tmp_path: Path) -> None:
    path = write_dzt(tmp_path / "line.DZT", SCAN)
    path.write_bytes(path.read_bytes()[:-100])
    profile = read_dzt(path)
    assert (profile.traces[:] == expected(16)[:11]).all()
    assert profile.notes == ["The file is cut short: its 11 whole traces are used."]


@pytest.mark.parametrize(
    ("size", "place", "value", "message"),
    [
        (500, 0, b"", "it ends after 500 bytes, within its header"),
        (1024, 0, b"", "it ends after 1024 bytes, before its first trace"),
        (1100, 0, b"", "it ends after 1100 bytes, before its first trace"),
        (None, 6, b"\x0c\x00", "its header says 12 bits a sample, not 8, 16 or 32"),
        (None, 4, b"\x02\x00", "its header says 2 samples in 7.63773 ns, 1 channels"),
        (None, 26, b"\0\0\0\0", "its header says 64 samples in 0 ns, 1 channels"),
        (None, 26, b"\0\0\xc0\x7f", "its header says 64 samples in nan ns, 1 channels"),
    ],
)
def test_a_dzt_without_traces_or_with_another_header_is_refused(
    tmp_path: Path, size: int | None, place: int, value: bytes, message: str
) -> None:
    path = write_dzt(tmp_path / "line.DZT", SCAN)
    stored = bytearray(path.read_bytes()[:size])
    stored[place : place + len(value)] = value
    path.write_bytes(stored)
    with pytest.raises(BadInput) as error:
        read_dzt(path)
    assert str(error.value) == (
        f"{path}: {message}; expected a profile of a GSSI radar (DZT). "
        "Copy it from the instrument again."
    )


@pytest.mark.parametrize("name", ["line.DT1", "line.dt1"])
def test_a_dt1_with_its_hd_in_feet(tmp_path: Path, name: str) -> None:
    both = write_dt1(tmp_path / name, SCAN, dt=4e-10, unit="ft", spacing=2, offset=3)
    profile = read_dt1(both)
    assert (profile.traces[:] == counts(SCAN, 16)).all()
    assert profile.dt == pytest.approx(4e-10)
    assert profile.position == pytest.approx(0.6096 * np.arange(12))
    assert profile.frequency == 400e6
    assert profile.offset == pytest.approx(0.9144)
    assert (profile.permittivity, profile.survey, profile.notes) == (None, "", [])


def test_positions_come_from_the_hd_where_the_traces_have_none(tmp_path: Path) -> None:
    both = write_dt1(tmp_path / "line.DT1", SCAN, spacing=0.25, positions=False)
    assert read_dt1(both).position == pytest.approx(0.25 * np.arange(12))
    text = both[1].read_text().replace("STEP SIZE USED", "STEP")
    both[1].write_text(text)
    assert read_dt1(both).position is None


def test_a_dt1_that_is_cut_short_or_shorter_than_its_hd_says(tmp_path: Path) -> None:
    both = write_dt1(tmp_path / "line.DT1", SCAN, said=20, mode="CMP")
    profile = read_dt1(both)
    assert profile.notes == ["The HD says 20 traces, the DT1 holds 12."]
    assert profile.survey == "CMP"
    both[0].write_bytes(both[0].read_bytes()[:-1])
    profile = read_dt1(both)
    assert len(profile.traces) == 11
    assert profile.notes == ["The file is cut short: its 11 whole traces are used."]


def test_an_unknown_unit_is_said(tmp_path: Path) -> None:
    both = write_dt1(tmp_path / "line.DT1", SCAN, unit="rods")
    assert read_dt1(both).notes == ["Positions in 'rods' are taken as metres."]


@pytest.mark.parametrize("alone", [0, 1])
def test_one_of_the_two_without_the_other(tmp_path: Path, alone: int) -> None:
    both = write_dt1(tmp_path / "line.DT1", SCAN)
    with pytest.raises(BadInput) as error:
        read_dt1([both[alone]])
    other = ("HD", "DT1")[alone]
    assert str(error.value) == (
        f"{both[alone]}: there is no {other} beside it; expected a profile of a Sensors & Software "
        f"radar (DT1, with its HD beside it). Copy the {other} too."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("NUMBER OF PTS/TRC", "POINTS", "line.HD: it lacks NUMBER OF PTS/TRC; expected the header"),
        ("= 64", "= many", "line.HD: its NUMBER OF PTS/TRC is 'many'; expected the header of a"),
        ("= 64", "= 32", "line.DT1: its first trace has 64 samples of 2 bytes, the HD says 32"),
        ("TOTAL TIME WINDOW  = 7", "TOTAL TIME WINDOW  = -7", "its TOTAL TIME WINDOW is '-7.6"),
        ("= 64", "= 5000", "line.DT1: it ends after 3072 bytes, within its first trace"),
    ],
)
def test_an_hd_that_does_not_fit(tmp_path: Path, old: str, new: str, message: str) -> None:
    both = write_dt1(tmp_path / "line.DT1", SCAN)
    text = both[1].read_text()
    assert old in text
    both[1].write_text(text.replace(old, new, 1))
    with pytest.raises(BadInput) as error:
        read_dt1(both)
    assert message in str(error.value)


def test_a_file_that_becomes_shorter_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_dzt(tmp_path / "line.DZT", SCAN)
    whole = path.stat()
    path.write_bytes(path.read_bytes()[:-1000])
    monkeypatch.setattr(Path, "stat", lambda *_, **__: whole)
    with pytest.raises(BadInput, match=r"line.DZT: it became shorter while it was read; expected"):
        read_dzt(path)


def test_a_line_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "READ", 300)  # two traces of 64 samples
    profile = read_dzt(write_dzt(tmp_path / "line.DZT", SCAN))
    assert (profile.traces[:] == expected(16)).all()
    profile = read_dt1(write_dt1(tmp_path / "line.DT1", SCAN))
    assert (profile.traces[:] == counts(SCAN, 16)).all()
    assert profile.position == pytest.approx(0.02 * np.arange(12))


@pytest.mark.skipif(not GPR.is_dir(), reason="the shared radar profiles are not here")
def test_real_profiles() -> None:
    profile = read_dzt(GPR / "GSSI" / "FILE____032.DZT")
    assert profile.traces.shape == (1040, 512)
    assert (profile.frequency, profile.permittivity) == (400e6, 6)
    assert profile.dt == pytest.approx(93.75e-12)
    assert profile.position[-1] == pytest.approx(20.78)
    assert np.abs(profile.traces[:, :40]).max() < 100  # before the direct wave: nearly 0
    for name, shape, last in (("ComOffs", (531, 1500), 323.088), ("WARR", (164, 1900), 16.3)):
        folder = GPR / "SnS" / name
        profile = read_dt1([folder / "XLINE00.DT1", folder / "XLINE00.HD"])
        assert profile.traces.shape == shape
        assert profile.position[-1] == pytest.approx(last)
        assert profile.notes == []

"""Which files are one line, what each format gives, and what is wrong with the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.buried_objects.detection import group_files, read_recording
from models.buried_objects.scans import TIME_STEP
from models.errors import BadInput
from tests.models.buried_objects.detection.radar_files import (
    write_csv,
    write_dt1,
    write_dzt,
    write_npz,
    write_output,
)

SCAN = (10 * np.sin(np.arange(40) / 3) + np.random.default_rng(1).normal(size=(6, 40))).astype(
    np.float32
)
SAID = {"dt": 1e-10, "spacing": 0.05, "frequency": 4e8, "permittivity": 9, "offset": 0.1}


def read(*files: Path) -> Any:
    return read_recording("line", files)


# which files belong together --------------------------------------------------------------------


def test_a_line_is_named_for_its_file_and_the_folders_below_the_path(tmp_path: Path) -> None:
    for folder in ("north field", "süd"):
        (tmp_path / folder).mkdir()
        write_dt1(tmp_path / folder / "XLINE00.DT1", SCAN)
    dzt = write_dzt(tmp_path / "line 1.DZT", SCAN)
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "scenes.csv").write_text("name,radius\n")
    groups = group_files([tmp_path])
    north, south = (
        tuple(tmp_path / folder / f"XLINE00.{suffix}" for suffix in ("DT1", "HD"))
        for folder in ("north field", "süd")
    )
    assert groups == {
        "line 1": (dzt,), "north field XLINE00": north, "süd XLINE00": south
    }  # fmt: skip
    recording = read_recording("süd XLINE00", groups["süd XLINE00"])
    assert recording.facts["files"] == ["XLINE00.DT1", "XLINE00.HD"]
    # Named by themselves, two of one name get their folders'; one keeps its own.
    assert set(group_files([north[0], south[0]])) == {"north field XLINE00", "süd XLINE00"}
    assert group_files([south[1]]) == {"XLINE00": south}


def test_files_of_one_name_and_folder_are_told_apart_by_their_suffix(tmp_path: Path) -> None:
    dzt, csv = write_dzt(tmp_path / "a.DZT", SCAN), write_csv(tmp_path / "a.csv", SCAN)
    folder = tmp_path.name
    groups = group_files([csv, dzt])
    assert groups == {f"csv {folder} a": (csv,), f"dzt {folder} a": (dzt,)}


def test_numbered_outputs_are_the_traces_of_a_line_and_merged_ones_are_lines(
    tmp_path: Path,
) -> None:
    line = tmp_path / "line"
    line.mkdir()
    traces = [write_output(line / f"trace{k}.out", SCAN[k]) for k in range(6)]
    traces += [write_output(line / "trace10.out", SCAN[0])]
    merged = [write_output(tmp_path / f"run{k}_merged.out", SCAN.T) for k in (1, 2)]
    assert group_files([tmp_path]) == {
        "line trace": tuple(traces), "run1_merged": (merged[0],), "run2_merged": (merged[1],)
    }  # fmt: skip
    assert read(*traces).arrays["traces"].shape == (7, 40)
    assert (read(*traces).arrays["traces"][6] == SCAN[0]).all()


def test_an_empty_folder_holds_no_line(tmp_path: Path) -> None:
    assert group_files([tmp_path]) == {}


# what each format gives -------------------------------------------------------------------------


def test_a_table_and_an_array_say_what_they_are(tmp_path: Path) -> None:
    for path in (
        write_csv(tmp_path / "a.csv", SCAN, **SAID),
        write_npz(tmp_path / "b ü.npz", SCAN, **SAID),
    ):
        recording = read(path)
        assert recording.arrays["traces"] == pytest.approx(SCAN, rel=1e-6)
        assert recording.arrays["traces"].dtype == np.float32
        assert recording.arrays["position"] == pytest.approx(0.05 * np.arange(6))
        assert recording.arrays["usable"].all()
        assert recording.notes == ()
        facts = recording.facts
        assert {name: facts[name] for name in SAID} == pytest.approx(SAID)
        assert facts["window_ns"] == pytest.approx(4)
        assert not facts["instrument"]


def test_a_table_that_says_nothing_is_taken_for_a_training_scan(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", SCAN.astype(np.float64))
    recording = read(tmp_path / "a.npy")
    # 10,057 samples of 60 ns over 40: every 251st.
    assert recording.facts["dt"] == pytest.approx(251 * TIME_STEP)
    assert recording.facts["spacing"] is None
    assert np.isnan(recording.arrays["position"]).all()
    assert recording.notes == (
        "Its time step isn't stated: a sample every 1498 ps is taken, 59.9 ns in all.",
        "The spacing of its traces is unknown: 0.02 m is taken.",
    )


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_tables_of_other_separators(tmp_path: Path, separator: str) -> None:
    path = write_csv(tmp_path / "a.csv", SCAN, **SAID)
    path.write_text("\ufeff" + path.read_text().replace(",", separator) + "\n\n")
    assert read(path).arrays["traces"] == pytest.approx(SCAN, rel=1e-6)


def test_integers_stay_integers(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", (100 * SCAN).astype(np.int16))
    assert read(tmp_path / "a.npy").arrays["traces"].dtype == np.int16


@pytest.mark.parametrize("suffix", [".out", ".h5"])
def test_outputs_know_their_grid(tmp_path: Path, suffix: str) -> None:
    merged = write_output(tmp_path / f"a_merged{suffix}", SCAN.T, dt=5e-12, steps=0.04)
    recording = read(merged)
    assert (recording.arrays["traces"] == SCAN).all()
    assert recording.facts["spacing"] == pytest.approx(0.04)
    assert recording.facts["dt"] == 5e-12
    traces = [
        write_output(tmp_path / f"b{k}{suffix}", SCAN[k], place=0.08 + 0.03 * k) for k in range(6)
    ]
    recording = read(*traces)
    assert (recording.arrays["traces"] == SCAN).all()
    assert recording.facts["spacing"] == pytest.approx(0.03)
    assert read(write_output(tmp_path / f"c_merged{suffix}", SCAN.T)).facts["spacing"] is None


def test_traces_with_gaps_and_dead_ones_are_left_out(tmp_path: Path) -> None:
    scan = SCAN.copy()
    scan[2, 7:9] = np.nan
    scan[4] = 3.0
    recording = read(write_csv(tmp_path / "a.csv", scan, **SAID))
    assert recording.arrays["usable"].tolist() == [True, True, False, True, False, True]
    assert recording.notes == ("2 of its 6 traces are constant or hold NaN: they are left out.",)
    path = tmp_path / "b.csv"
    path.write_text((tmp_path / "a.csv").read_text().replace("nan", ""))
    assert read(path).arrays["usable"].tolist() == [True, True, False, True, False, True]


# what is wrong ----------------------------------------------------------------------------------


def broken(path: Path, content: Any) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content)
    else:
        np.save(path, content)
    return path


LINE = "1," * 19 + "1\n"
FORMATS = "a radar scan: DZT, DT1 with HD, gprMax output, CSV, .npy or .npz"
TABLE = "expected numbers, a row a trace."
ARRAY = "expected a NumPy array of numbers, traces x samples."


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.DZT", b"", f": it is empty; expected {FORMATS}. Copy it again."),
        ("a.csv", b"", f": it is empty; expected {FORMATS}. Copy it again."),
        ("a.sgy", b"x", f": files that end in '.sgy' aren't known; expected {FORMATS}."),
        ("a.csv", "x1,x2\n1,2\n", f", row 1, column 1: 'x1' is not a number; {TABLE}"),
        ("a.csv", f"{LINE}1,2,three\n", f", row 2, column 3: 'three' is not a number; {TABLE}"),
        ("a.csv", f"{LINE}1,2\n", ", row 2: it has 2 values, the first trace 20; expected traces"),
        ("a.csv", f"{LINE}1,{LINE}", ", row 2: it has 21 values, the first trace 20; expected"),
        ("a.csv", b"\xff\xfe\x00", ": it is no text ('utf-8' codec can't decode byte 0xff in"),
        ("a.csv", "# dt: 1e-10\n", f": it holds no trace; {TABLE}"),
        ("a.csv", f"# dt: 3\n{LINE}", ": dt is 3; expected dt of 1e-14 to 1e-09, in SI units."),
        ("a.csv", f"# spacing: far\n{LINE}", ": spacing is far; expected spacing of 0.0001 to"),
        ("a.csv", LINE, ": it is a single trace (A-scan); expected the traces of a line."),
        ("a.csv", LINE * 9, ": 9 of its 9 traces are constant or hold NaN; expected traces of"),
        ("a.csv", ("nan," * 19 + "1\n") * 9, ": 9 of its 9 traces are constant or hold NaN;"),
        ("a.csv", "1,2,3\n4,5,6\n", ": it holds 2 traces of 3 samples: rows and columns may be"),
        ("a.npy", b"torn", ": it can't be read ("),
        ("a.npy", np.zeros(40), f": its array is float64 of shape (40,); {ARRAY}"),
        ("a.npy", np.zeros((2, 3, 40)), f": its array is float64 of shape (2, 3, 40); {ARRAY}"),
        ("a.npy", np.zeros((3, 40), complex), ": its array is complex128 of shape (3, 40);"),
        ("a.npy", np.full((3, 40), "x"), f": its array is <U1 of shape (3, 40); {ARRAY}"),
        ("a.npy", np.array([{}, 1]), ": it can't be read (Object arrays cannot be loaded when"),
        ("a.npz", b"PK\x03\x04torn", ": it can't be read ("),
        ("a.out", b"no HDF5 at all", ": it can't be read ("),
    ],
)  # fmt: skip
def test_bad_files(tmp_path: Path, name: str, content: Any, message: str) -> None:
    path = broken(tmp_path / name, content)
    with pytest.raises(BadInput) as error:
        read(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone.DZT: it is not there; expected a radar scan"):
        read(tmp_path / "gone.DZT")
    with pytest.raises(BadInput, match=r"it is no file; expected a radar scan"):
        read(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_dzt(tmp_path / "line.DZT", SCAN)

    def refuse(self: Path, *_: object) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError):  # `faint detect` names file and reason, and goes on
        read(path)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", ez=np.array([[object()] * 40] * 3))
    with pytest.raises(BadInput, match=r"a.npz: it can't be read \(Object arrays cannot be"):
        read(tmp_path / "a.npz")


def test_an_archive_of_several_tables(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", one=SCAN, two=SCAN)
    with pytest.raises(BadInput, match=r"it holds 2 arrays of two dimensions, not one; expected"):
        read(tmp_path / "a.npz")


def test_outputs_that_lack_the_field_or_the_line(tmp_path: Path) -> None:
    path = write_output(tmp_path / "a.out", SCAN[0], component="Hx")
    with pytest.raises(BadInput, match=r"a.out: it has no /rxs/rx1/Ez, only Hx; expected a gprMax"):
        read(path)
    path = write_output(tmp_path / "b.out", SCAN[0])
    with pytest.raises(BadInput, match=r"b.out: it is a single trace \(A-scan\); expected the tr"):
        read(path)
    both = [path, write_output(tmp_path / "b2.out", SCAN.T)]
    with pytest.raises(BadInput, match=r"b2.out: it holds 6 traces, though by its name it is one"):
        read(*both)
    both[1] = write_output(tmp_path / "b3.out", SCAN[0, :30])
    with pytest.raises(BadInput, match=r"b3.out: it has 30 samples, b.out 40; expected the traces"):
        read(*both)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(BadInput, match=r"b.out: it can't be read \("):
        read(path)


def test_rows_and_columns_that_are_exchanged(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", np.tile(SCAN, (4, 1)).T)
    with pytest.raises(BadInput, match=r"40 traces of 24 samples: rows and columns may be exchang"):
        read(path)
    # More traces than samples are no reason by themselves.
    assert len(read(write_csv(tmp_path / "b.csv", np.tile(SCAN, (10, 1)))).arrays["traces"]) == 60


def test_lines_of_no_place_or_beyond_all_measure(tmp_path: Path) -> None:
    recording = read(*write_dt1(tmp_path / "a.DT1", SCAN, positions=False, spacing=0.0))
    assert recording.facts["spacing"] is None
    both = write_dt1(tmp_path / "b.DT1", SCAN, spacing=1e6)
    with pytest.raises(BadInput, match=r"b.DT1: its traces span 5000 km; expected a line of up to"):
        read(*both)


def test_a_table_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "line.csv"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)  # a hole: nothing is written
    monkeypatch.setattr(Path, "open", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(BadInput, match=r"it holds 3.0 GB; expected at most 1 GB. Cut the line"):
        read(path)

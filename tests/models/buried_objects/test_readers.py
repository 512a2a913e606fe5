"""Scans in gprMax's outputs of both generations, tables and arrays; what is broken is named."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from models.buried_objects.readers import find_scans, read_scan, read_scenes, read_trace
from models.buried_objects.scans import TIME_STEP
from models.errors import BadInput

SCAN = np.arange(24, dtype=np.float32).reshape(3, 8) ** 2


def output(path, field, dt=TIME_STEP, *, iterations=None):
    """Write what gprMax leaves of one trace, or merged ones: samples first."""
    with h5py.File(path, "w") as file:
        file.attrs["Iterations"] = len(field) if iterations is None else iterations
        file.attrs["dt"] = dt
        file["/rxs/rx1/Ez"] = field
    return path


def folder_of(path, suffix, numbers=(1, 2, 3)):
    path.mkdir()
    for number, trace in zip(numbers, SCAN, strict=True):
        output(path / f"line{number}{suffix}", trace)
    return path


@pytest.mark.parametrize("suffix", [".out", ".h5"])
def test_both_generations_of_outputs_are_read_in_the_order_of_their_numbers(tmp_path, suffix):
    path = folder_of(tmp_path / "scan", suffix, (9, 10, 100))
    assert np.array_equal(read_scan(path), SCAN)
    assert np.array_equal(read_scan(path, step=3), SCAN[:, [0, 3, 6]])


def test_a_merged_output_holds_samples_by_traces(tmp_path):
    path = output(tmp_path / "scan_merged.out", SCAN.T)
    assert np.array_equal(read_scan(path), SCAN)


def test_tables_and_arrays_hold_traces_by_samples(tmp_path):
    np.savetxt(tmp_path / "one.csv", SCAN, delimiter=",")
    np.save(tmp_path / "two.npy", SCAN.astype(np.float64))
    for name in ("one.csv", "two.npy"):
        scan = read_scan(tmp_path / name, step=2)
        assert scan.dtype == np.float32
        assert np.array_equal(scan, SCAN[:, ::2])


def test_other_time_steps_are_brought_to_the_study_s(tmp_path):
    coarse = output(tmp_path / "coarse.h5", np.arange(4.0), 4 * TIME_STEP)
    assert read_trace(coarse, step=2).tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]


def test_scans_are_found_by_name_and_other_files_left_alone(tmp_path):
    folder_of(tmp_path / "scan10", ".out")
    np.save(tmp_path / "scan9.npy", SCAN)
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "scenes.csv").write_text("name,radius\nscan9,0.1\n")
    assert [(name, path.name) for name, path in find_scans(tmp_path)] == [
        ("scan9", "scan9.npy"),
        ("scan10", "scan10"),
    ]
    np.save(tmp_path / "scan10.npy", SCAN)
    with pytest.raises(BadInput, match=r"scan10 and scan10.npy are both called 'scan10'"):
        find_scans(tmp_path)


@pytest.mark.parametrize(("made", "text"), [(True, "it holds no scan"), (False, "not a folder")])
def test_a_folder_without_scans_is_refused(tmp_path, made, text):
    if made:
        (tmp_path / "no").mkdir()
    with pytest.raises(BadInput, match=f"{text}; expected gprMax outputs"):
        find_scans(tmp_path / "no")


def test_scenes_keep_what_is_known(tmp_path):
    (tmp_path / "scenes.csv").write_text(
        "name,radius,depth,material,frequency\na,0.1,1.5,PVC,4e8\nb,0.2,,,\n"
    )
    scenes = read_scenes(tmp_path)
    assert (scenes["a"].radius, scenes["a"].depth, scenes["a"].material) == (0.1, 1.5, "PVC")
    assert np.isnan([scenes["b"].depth, scenes["b"].frequency, scenes["a"].height]).all()


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (None, "it is not there"),
        ("name,depth\na,1\n", "column 'radius' is missing"),
        ("name,radius\na,0.1\nb,wide\n", "row 2, column radius: 'wide' is not a radius"),
        ("name,radius\na,-1\n", "row 1, column radius: '-1' is not a radius"),
        ("name,radius\na,0\n", "row 1, column radius: '0' is not a radius"),
        ("name,radius\na\n", "row 1, column radius: '' is not a radius"),
        ("name,radius,depth\na,0.1,nan\n", "row 1, column depth: 'nan' is not a depth"),
        ("name,radius\na,0.1\na,0.2\n", "row 2, column name: 'a' comes twice"),
    ],
)
def test_wrong_scenes_are_named(tmp_path, table, text):
    if table is not None:
        (tmp_path / "scenes.csv").write_text(table)
    with pytest.raises(BadInput, match=text):
        read_scenes(tmp_path)


def without(name):
    def spoil(path):
        output(path, SCAN[0])
        with h5py.File(path, "a") as file:
            del (file if name.startswith("/") else file.attrs)[name]

    return spoil


def truncated(path):
    output(path, np.zeros(4000))
    path.write_bytes(path.read_bytes()[:20_000])


BROKEN = {
    "truncated.out": (truncated, "can't be read"),
    "text.h5": (lambda path: path.write_text("no"), "can't be read"),
    "step.out": (without("dt"), "it lacks Iterations or dt"),
    "field.out": (without("/rxs/rx1/Ez"), "it has no /rxs/rx1/Ez"),
    "cut.h5": (lambda path: output(path, SCAN[0], iterations=9), r"shape \(8,\) for 9 iterations"),
    "nan.out": (lambda path: output(path, [0, 1, np.nan]), "trace 1 holds an empty value, NaN"),
    "slow.out": (lambda path: output(path, SCAN[0], 60.0), "its time step is 60 s"),
    "endless.out": (lambda path: output(path, SCAN[0], np.nan), "its time step is nan s"),
    "scalar.out": (lambda path: output(path, 1.0, iterations=1), r"shape \(\) for 1 iterations"),
    "words.out": (lambda path: output(path, SCAN[0], "soon"), "can't be read"),
    "cube.out": (lambda path: output(path, np.zeros((2, 2, 2))), r"shape \(2, 2, 2\)"),
    "merged.out": (lambda path: output(path, SCAN.T), "it holds 3 traces"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_trace_is_named(tmp_path, name):
    spoil, text = BROKEN[name]
    spoil(tmp_path / name)
    with pytest.raises(BadInput, match=rf"{name}: .*{text}"):
        read_trace(tmp_path / name)


TABLES = {
    "words.csv": (b"1,2,3\n4,five,6\n", "can't be read"),
    "ragged.csv": (b"1,2,3\n4,5,6,7\n", "can't be read"),
    "gap.csv": (b"1,2,3\n4,,6\n", "trace 2 holds an empty value"),
    "empty.csv": (b"", "can't be read"),
    "bytes.csv": (b"\xff\xfe\x00,1\n", "can't be read"),
    "turned.csv": (b"1,2\n3,4\n5,6\n", "rows and columns may be exchanged"),
    "text.npy": (b"no", "can't be read"),
    "empty.npy": (b"", "can't be read"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_broken_table_is_named(tmp_path, name):
    content, text = TABLES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=rf"{name}: .*{text}"):
        read_scan(tmp_path / name)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros(5), r"float64 of shape \(5,\)"),
        (np.full((2, 3), "a"), "<U1 of shape"),
        (np.full((2, 3), 1e300), "trace 1 holds an empty value, NaN or inf"),
        (np.zeros((2, 3), object), "can't be read"),
    ],
)
def test_an_array_of_other_things_is_named(tmp_path, array, text):
    np.save(tmp_path / "scan.npy", array)
    with pytest.raises(BadInput, match=text):
        read_scan(tmp_path / "scan.npy")


def test_traces_of_a_scan_have_one_length(tmp_path):
    path = folder_of(tmp_path / "scan", ".out")
    output(path / "line4.out", SCAN[0][:5])
    with pytest.raises(BadInput, match=r"line4.out: it has 5 samples, line1.out 8"):
        read_scan(path)


def test_a_single_trace_is_no_scan(tmp_path):
    with pytest.raises(BadInput, match=r"single trace.*folder of their own"):
        read_scan(output(tmp_path / "one.out", SCAN[0]))

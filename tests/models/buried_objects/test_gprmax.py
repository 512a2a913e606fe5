"""gprMax is given the scene, run once a trace, and not again for what is there."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from models.buried_objects.gprmax import input_text, run_scan, scan_name
from models.buried_objects.scans import Scene, surface
from models.buried_objects.simulation import simulate_scan
from models.errors import BadInput

SCENE = Scene(0.2, 1.25, 0.1, "PVC", "water", 500e6, seed=8)

# What the solver leaves: its input's last receiver as a ramp, in the file of either generation.
FAKE = """
import sys, pathlib, h5py
name = pathlib.Path(sys.argv[1])
with open({log!r}, "a") as log:
    log.write(name.stem + "\\n")
if name.stem in {failing}:
    sys.exit("the solver gave up")
place = next(line for line in name.read_text().splitlines() if line.startswith("#rx:"))
with h5py.File(name.with_suffix({suffix!r}), "w") as file:
    file.attrs["Iterations"], file.attrs["dt"] = 6, 5.967e-12
    file["/rxs/rx1/Ez"] = [float(place.split()[1]) * k for k in range(6)]
"""


@pytest.fixture
def solver(tmp_path, monkeypatch):
    """A package that stands in for gprMax; returns what makes it, and its log."""
    package = tmp_path / "gprMax"
    package.mkdir()
    log = tmp_path / "log"
    log.touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(suffix=".h5", failing=()):
        code = FAKE.format(log=str(log), suffix=suffix, failing=list(failing))
        (package / "__main__.py").write_text(code)

    make()
    return make, lambda: log.read_text().split()


def test_the_input_holds_the_scene():
    lines = input_text(SCENE, 73).splitlines()
    for line in (
        "#domain: 3 3.25 0.002",
        "#dx_dy_dz: 0.002 0.004 0.002",
        "#time_window: 6e-08",
        "#material: 6 0.002 1 0 ground",
        "#material: 3 0 1 0 PVC",
        "#material: 80 0 1 0 water",
        "#waveform: ricker 1 500000000 wavelet",
        "#hertzian_dipole: z 1.5 3.1 0 wavelet",
        "#rx: 1.54 3.1 0",
    ):
        assert line in lines
    # The wall is 15 % of the radius: the filling is laid over the middle.
    assert lines[-2:] == [
        "#cylinder: 1.5 1.75 0 1.5 1.75 0.002 0.2 PVC",
        "#cylinder: 1.5 1.75 0 1.5 1.75 0.002 0.17 water",
    ]


def test_metal_is_solid_and_brings_no_other_material():
    lines = input_text(Scene(0.1, 1.0, 0.05, "metal", "solid", 3e8), 0).splitlines()
    assert lines[-1] == "#cylinder: 1.5 2 0 1.5 2 0.002 0.1 pec"
    assert [line for line in lines if line.startswith("#material")] == [
        "#material: 6 0.002 1 0 ground"
    ]


def test_the_ground_is_as_rough_as_in_the_simulation():
    boxes = [line.split() for line in input_text(SCENE, 0).splitlines() if "#box" in line]
    tops = np.array([float(box[5]) for box in boxes])
    heights = surface(8)
    assert len(boxes) == 150
    assert tops == pytest.approx(3 + (heights[1:] + heights[:-1]) / 2, abs=1e-5)
    assert [box[1:5:3] for box in boxes[:2]] == [["0", "0.02"], ["0.02", "0.04"]]
    flat = [line for line in input_text(SCENE, 0, rough=False).splitlines() if "#box" in line]
    assert flat == ["#box: 0 0 0 3 3 0.002 ground"]


@pytest.mark.parametrize("suffix", [".h5", ".out"])
def test_each_trace_is_a_run_and_none_is_run_twice(tmp_path, solver, suffix):
    make, log = solver
    make(suffix)
    scan = run_scan(SCENE, tmp_path / "made", traces=[0, 2], step=2)
    # The receiver stands 4 cm beyond the transmitter, which moves 2 cm a trace.
    assert scan == pytest.approx(np.array([[0, 2, 4]]) * np.array([[0.08], [0.12]]))
    assert log() == ["trace_000", "trace_002"]
    (folder,) = (tmp_path / "made").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [
        f"trace_000{suffix}", f"trace_002{suffix}",
    ]  # fmt: skip
    assert run_scan(SCENE, tmp_path / "made", traces=[0, 1, 2]).shape == (3, 6)
    assert log() == ["trace_000", "trace_002", "trace_001"]


def test_a_scan_goes_on_from_where_it_failed(tmp_path, solver):
    make, log = solver
    make(failing=["trace_001"])
    with pytest.raises(RuntimeError, match=r"no trace 1 of scan_.*exit status 1.*solver gave up"):
        run_scan(SCENE, tmp_path / "made", traces=[0, 1, 2])
    make()
    assert run_scan(SCENE, tmp_path / "made", traces=[0, 1, 2]).shape == (3, 6)
    assert log() == ["trace_000", "trace_001", "trace_001", "trace_002"]


def test_what_cannot_be_read_is_not_kept(tmp_path, solver):
    make, _ = solver
    script = tmp_path / "gprMax" / "__main__.py"
    script.write_text("import pathlib; pathlib.Path('trace_000.h5').write_text('half')")
    with pytest.raises(BadInput, match=r"trace_000.h5: it can't be read"):
        run_scan(SCENE, tmp_path / "made", traces=[0])
    make()
    assert run_scan(SCENE, tmp_path / "made", traces=[0]).shape == (1, 6)


def test_without_gprmax_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    if find_spec("gprMax"):
        pytest.skip("gprMax is installed")
    with pytest.raises(RuntimeError, match=r"pip install 'faint-signals\[gprmax\]'"):
        run_scan(SCENE, tmp_path, traces=[0])


def test_scans_of_other_scenes_cells_or_surfaces_have_other_folders():
    other = Scene(0.2, 1.25, 0.1, "PVC", "water", 500e6, seed=9)
    names = {
        scan_name(SCENE), scan_name(other), scan_name(SCENE, (0.004, 0.004)),
        scan_name(SCENE, rough=False), scan_name(other, rough=False),
    }  # fmt: skip
    assert len(names) == 5
    assert scan_name(SCENE) == scan_name(Scene(0.2, 1.25, 0.1, "PVC", "water", 500e6, seed=8))


@pytest.mark.skipif(find_spec("gprMax") is None, reason="needs the extra gprmax")
def test_gprmax_itself_agrees_with_the_simulation(tmp_path):
    scene = Scene(0.15, 1.2, 0.1, "metal", "solid", 300e6)
    options = {"cells": (0.01, 0.01), "rough": False, "python": sys.executable}
    solved = run_scan(scene, tmp_path, traces=[73], step=20, **options)[0]
    ours = simulate_scan(scene, rough=False, stones=0, noise=0.0)[73][: len(solved)]
    late = slice(round(12e-9 / (20 * 5.97e-12)), None)
    assert np.corrcoef(solved[late], ours[: len(solved)][late])[0, 1] > 0.98

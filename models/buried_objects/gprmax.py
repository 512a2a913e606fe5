"""Scans made by gprMax, the finite-difference solver that the study used.

Write the input file of a trace and run it (Warren, Giannopoulos and Giannakis 2016, Computer
Physics Communications 209, 163). gprMax is under the GPL and is never imported: every trace is a
process of its own. Finished traces are kept, so that an interrupted scan resumes with the next one.
A trace on the study's cells takes minutes, a scan hours.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.buried_objects.readers import read_trace
from models.buried_objects.scans import (
    AIR,
    CELLS,
    CENTRE,
    CONDUCTIVITY,
    GROUND,
    PERMITTIVITY,
    SPACING,
    TIME_WINDOW,
    TRACES,
    WALL,
    WIDTH,
    Scene,
    positions,
    surface,
)
from models.buried_objects.simulation import PVC, WATER

SUFFIXES = (".h5", ".out")
"""Of gprMax's output, from version 4 on and before."""

ERROR_TAIL = 2000  # characters of what gprMax said that an error repeats


def input_text(
    scene: Scene, trace: int, *, cells: tuple[float, float] = CELLS, rough: bool = True
) -> str:
    """Write gprMax's input of one trace: a plane, z being the axis of cylinder and currents.

    Parameters
    ----------
    scene
        All of it known; stones and noise are not modelled.
    trace
        Which one, from 0.
    cells
        Metres along the line and down. gprMax lays 10 absorbing cells inside the edges, which with
        cells above 4 mm reach the first and last traces.
    rough
        Whether the surface is rough, or flat.
    """
    along, down = cells
    x = float(positions(TRACES)[trace])
    axis, antennas = GROUND - scene.depth, GROUND + scene.height
    heights = GROUND + surface(scene.seed)
    columns = enumerate((heights[:-1] + heights[1:]) / 2)
    ground = [
        f"#box: {k * SPACING:.6g} 0 0 {(k + 1) * SPACING:.6g} {top:.6g} {along:.6g} ground"
        for k, top in columns
    ]
    if not rough:
        ground = [f"#box: 0 0 0 {WIDTH:.6g} {GROUND:.6g} {along:.6g} ground"]
    # gprMax refuses a material that its cells can't resolve, whether or not it is used.
    materials, parts = [], [(scene.radius, "pec")]
    if scene.material == "PVC":
        materials.append(f"#material: {PVC:.6g} 0 1 0 PVC")
        inside = "free_space"
        if scene.filling == "water":
            materials.append(f"#material: {WATER:.6g} 0 1 0 water")
            inside = "water"
        parts = [(scene.radius, "PVC"), ((1 - WALL) * scene.radius, inside)]
    place = f"{CENTRE:.6g} {axis:.6g} 0 {CENTRE:.6g} {axis:.6g} {along:.6g}"
    lines = [
        f"#title: trace {trace}",
        f"#domain: {WIDTH:.6g} {GROUND + AIR:.6g} {along:.6g}",
        f"#dx_dy_dz: {along:.6g} {down:.6g} {along:.6g}",
        f"#time_window: {TIME_WINDOW:.6g}",
        f"#material: {PERMITTIVITY:.6g} {CONDUCTIVITY:.6g} 1 0 ground",
        *materials,
        f"#waveform: ricker 1 {scene.frequency:.9g} wavelet",
        f"#hertzian_dipole: z {x:.6g} {antennas:.6g} 0 wavelet",
        f"#rx: {x + scene.offset:.6g} {antennas:.6g} 0",
        *ground,
        *(f"#cylinder: {place} {radius:.6g} {material}" for radius, material in parts),
    ]
    return "\n".join(lines) + "\n"


def run_scan(
    scene: Scene,
    folder: Path,
    *,
    traces: Iterable[int] = range(TRACES),
    step: int = 1,
    cells: tuple[float, float] = CELLS,
    rough: bool = True,
    python: str = sys.executable,
) -> NDArray[np.float32]:
    """Have gprMax make the traces of a scan that ``folder`` doesn't hold yet, and read them all.

    Parameters
    ----------
    scene, cells, rough
        As for `input_text`.
    folder
        Where the traces are kept, in a folder named for everything they depend on.
    traces
        Which ones, from 0.
    step
        Every ``step``-th sample is read.
    python
        The interpreter that gprMax is installed for.

    Returns
    -------
    float32 array, shape (traces, samples)

    Raises
    ------
    RuntimeError
        gprMax failed; the error ends with what it said.
    """
    kept = folder / scan_name(scene, cells, rough)
    kept.mkdir(parents=True, exist_ok=True)
    return np.stack(
        [read_trace(_made(scene, trace, kept, cells, rough, python), step=step) for trace in traces]
    )


def scan_name(scene: Scene, cells: tuple[float, float] = CELLS, rough: bool = True) -> str:
    """Name the folder of a scan for everything that its traces depend on."""
    text = json.dumps([input_text(scene, 0, cells=cells, rough=rough), asdict(scene)])
    return f"scan_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _made(
    scene: Scene, trace: int, folder: Path, cells: tuple[float, float], rough: bool, python: str
) -> Path:
    name = f"trace_{trace:03d}"
    for suffix in SUFFIXES:
        if (done := folder / f"{name}{suffix}").is_file():
            return done
    work = folder / f"{name}.running"
    work.mkdir(exist_ok=True)
    (work / f"{name}.in").write_text(input_text(scene, trace, cells=cells, rough=rough))
    ran = subprocess.run(
        [python, "-m", "gprMax", f"{name}.in"],
        cwd=work,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    made = [path for suffix in SUFFIXES if (path := work / f"{name}{suffix}").is_file()]
    if ran.returncode or not made:
        raise RuntimeError(
            f"gprMax made no trace {trace} of {folder.name} (exit status {ran.returncode}). It "
            f"must be installed for {python}: pip install 'faint-signals[gprmax]'. It said: "
            f"{(ran.stdout + ran.stderr)[-ERROR_TAIL:].strip()}"
        )
    read_trace(made[0])  # only what can be read is kept
    kept = made[0].replace(folder / made[0].name)
    shutil.rmtree(work)
    return kept

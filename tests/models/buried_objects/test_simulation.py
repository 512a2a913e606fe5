"""Simulated scans are reproducible, match finite differences, and have echoes where they must be.

`gprmax_traces.npz` holds traces that gprMax 4.0.1 made of the inputs of
`models.buried_objects.gprmax.input_text`, without noise or stones, on cells of 4 to 10 mm; every
few samples of them, 57 ps apart or more.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.buried_objects import simulation
from models.buried_objects.scans import FILLINGS, PERMITTIVITY, SPEED, TIME_STEP, Scene
from models.buried_objects.simulation import (
    DEPTHS,
    FREQUENCIES,
    HEIGHTS,
    HYPERCUBE,
    RADII,
    backscatter,
    draw_scene,
    ricker,
    simulate_scan,
)

V = SPEED / PERMITTIVITY**0.5  # m/s in the ground
QUIET = {"rough": False, "stones": 0, "noise": 0.0}
with np.load(Path(__file__).with_name("gprmax_traces.npz")) as _file:
    SOLVED = dict(_file)
CASES = {case["name"]: case for case in json.loads(str(SOLVED["about"]))}


def beside_gprmax(name):
    """Time, s, gprMax's trace and ours, 24 ps apart."""
    case = CASES[name]
    quiet = QUIET | {"rough": case["rough"]}
    ours = simulate_scan(Scene(**case["scene"]), traces=case["trace"] + 1, step=4, **quiet)[-1]
    time = np.arange(len(ours)) * 4 * TIME_STEP
    given = SOLVED[name].astype(np.float64)
    return time, np.interp(time, np.arange(len(given)) * case["seconds"], given), ours


@pytest.mark.parametrize("name", CASES)
def test_direct_wave_and_surface_are_those_of_gprmax(name):
    """Within 2 % of the peak at every moment, in V/m, with nothing fitted.

    gprMax moves the antennas to the corners of its cells, up to 2 mm here.
    """
    time, solved, ours = beside_gprmax(name)
    early = time < 10e-9
    assert np.abs(ours - solved)[early].max() < 0.02 * np.abs(solved).max()


@pytest.mark.parametrize("name", CASES)
def test_echoes_are_those_of_gprmax(name):
    """Correlation above 0.98, strength within 10 %, arrival within 0.05 ns (3 mm of ground)."""
    time, solved, ours = beside_gprmax(name)
    late = (time > 12e-9) & (time < 45e-9)
    assert np.corrcoef(ours[late], solved[late])[0, 1] > 0.98
    assert ours[late].std() == pytest.approx(solved[late].std(), rel=0.1)
    lags = np.correlate(solved[late], ours[late], mode="full")
    shift = (np.argmax(lags) - (late.sum() - 1)) * 4 * TIME_STEP
    assert abs(shift) <= 0.05e-9


def test_the_cases_span_materials_and_places():
    """So that the comparison doesn't pass for want of echoes."""
    scenes = [case["scene"] for case in CASES.values()]
    assert {scene["filling"] for scene in scenes} == {"solid", "air", "water"}
    assert {case["rough"] for case in CASES.values()} == {True, False}
    for name in CASES:
        time, solved, _ = beside_gprmax(name)
        assert np.abs(solved[time > 12e-9]).max() > 2  # V/m


@pytest.mark.parametrize("trace", [73, 93, 113])
def test_the_echo_lies_on_the_hyperbola(trace):
    """Peak at 2 (sqrt(d^2 + x^2) - r) / v, and the wavelet's delay; antennas on the ground."""
    scene = Scene(0.1, 1.5, 0.0, "metal", "solid", 500e6, offset=0.02)
    scan = simulate_scan(scene, step=10, **QUIET)
    # Between the antennas, 1 cm further on; seen beneath the air, the pulse is turned a little.
    x = 0.04 + 0.02 * trace + 0.01 - 1.5
    due = 2 * (np.hypot(1.5, x) - 0.1) / V + np.sqrt(2) / 500e6
    late = round(12e-9 / (10 * TIME_STEP))
    found = (late + np.argmax(np.abs(scan[trace, late:]))) * 10 * TIME_STEP
    assert found == pytest.approx(due, abs=0.6e-9)


def test_the_wavelet_is_1_where_it_peaks_and_sums_to_0():
    time = np.arange(0, 20e-9, 1e-11)
    pulse = ricker(time, 400e6)
    assert time[np.argmax(pulse)] == pytest.approx(np.sqrt(2) / 400e6, abs=1e-11)
    assert pulse.max() == pytest.approx(1, abs=1e-4)
    assert abs(pulse.sum()) < 1e-6
    spectrum = np.abs(np.fft.rfft(pulse, 1 << 14))
    assert np.fft.rfftfreq(1 << 14, 1e-11)[np.argmax(spectrum)] == pytest.approx(400e6, rel=0.02)


def bare(monkeypatch, **constants):
    """A ground without losses, and other constants."""
    for name, value in ({"CONDUCTIVITY": 0.0} | constants).items():
        monkeypatch.setattr(simulation, name, value)


OMEGA = 2 * np.pi * np.array([50e6, 400e6, 1e9]) + 0j


def test_a_wide_metal_cylinder_scatters_as_its_curvature_says(monkeypatch):
    """Geometrical optics: |S| = sqrt(pi k a) / 2 (echo width pi a)."""
    bare(monkeypatch)
    found = np.abs(backscatter(Scene(0.25, material="metal"), OMEGA))[1:]
    assert found == pytest.approx(np.sqrt(np.pi * OMEGA.real[1:] / V * 0.25) / 2, rel=0.03)


@pytest.mark.parametrize("filling", ["air", "water"])
def test_a_pipe_of_ground_in_ground_scatters_nothing(monkeypatch, filling):
    air = {"SPEED": SPEED, "PERMITTIVITY": 1.0} if filling == "air" else {"WATER": PERMITTIVITY}
    bare(monkeypatch, PVC=air.get("PERMITTIVITY", PERMITTIVITY), **air)
    amplitude = backscatter(Scene(0.1, material="PVC", filling=filling), OMEGA)
    assert np.abs(amplitude).max() < 1e-9


def test_a_thin_pipe_scatters_as_its_mean_permittivity_says(monkeypatch):
    """Rayleigh: -j pi / 4 (k a)^2 (mean / 6 - 1), 0.85^2 of the area being air."""
    bare(monkeypatch)
    mean = 3.0 + (1.0 - 3.0) * 0.85**2
    k = OMEGA[:1] / V
    due = -0.25j * np.pi * (k * 0.005) ** 2 * (mean / PERMITTIVITY - 1)
    amplitude = backscatter(Scene(0.005, material="PVC", filling="air"), OMEGA[:1])
    assert amplitude == pytest.approx(due, rel=0.02)


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(("material", "filling"), [("metal", ""), ("PVC", "air"), ("PVC", "water")])
def test_no_scene_is_too_extreme(radius, frequency, material, filling):
    """Orders of cylinder functions grow beyond all numbers if there are too many of them."""
    for depth, height in zip(DEPTHS, HEIGHTS, strict=True):
        scene = Scene(radius, depth, height, material, filling, frequency)
        scan = simulate_scan(scene, traces=2)
        assert np.isfinite(scan).all()
        assert np.abs(scan[:, -50:]).max() < 0.1 * np.abs(scan).max()


def test_a_few_samples_are_those_of_many():
    scene = draw_scene(4, 7)
    few, many = (simulate_scan(scene, traces=20, step=step, noise=0.0) for step in (20, 5))
    assert few.shape == (20, 503)
    assert many.shape == (20, 2012)
    assert np.abs(few - many[:, ::4]).max() < 2e-4 * np.abs(few).max()


def test_noise_is_as_loud_as_said():
    scene = Scene(0.1, 2.0, 0.1, "metal", "solid", 400e6, seed=3)
    noisy, quiet = (
        simulate_scan(scene, rough=False, stones=0, noise=noise) for noise in (1e-3, 0.0)
    )
    assert (noisy - quiet).std() == pytest.approx(1e-3 * np.abs(quiet).max(), rel=0.01)


def test_roughness_and_stones_make_traces_differ_before_the_echo():
    scene = Scene(0.1, 2.0, 0.1, "metal", "solid", 400e6, seed=3)

    def differences(**options):
        scan = simulate_scan(scene, **(QUIET | options))[:, : round(24e-9 / (20 * TIME_STEP))]
        return (scan - scan.mean(axis=0)).std(), np.abs(scan).max()

    flat, peak = differences()
    assert flat < 1e-5 * peak
    assert differences(rough=True)[0] > 1e-3 * peak
    assert differences(stones=6)[0] > 10 * flat


def test_the_same_seed_gives_the_same_scan_and_another_seed_another():
    one, again, other = (simulate_scan(draw_scene(3, seed)) for seed in (1, 1, 2))
    assert one.dtype == np.float32
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()


def test_scenes_are_a_latin_hypercube():
    scenes = [draw_scene(scan, 5) for scan in range(HYPERCUBE)]
    for name, (low, high) in {
        "radius": RADII, "depth": DEPTHS, "height": HEIGHTS, "frequency": FREQUENCIES,
    }.items():  # fmt: skip
        share = np.array([(getattr(scene, name) - low) / (high - low) for scene in scenes])
        assert sorted((share * HYPERCUBE).astype(int)) == list(range(HYPERCUBE))
    kinds = [(scene.material, scene.filling) for scene in scenes]
    assert set(kinds) == {(m, filling) for m, fillings in FILLINGS.items() for filling in fillings}
    assert max(kinds.count(kind) for kind in set(kinds)) <= HYPERCUBE // 3 + 1
    radii = [scene.radius for scene in scenes]
    assert abs(np.corrcoef(radii, [scene.depth for scene in scenes])[0, 1]) < 0.4
    assert len({scene.seed for scene in scenes}) == HYPERCUBE
    assert draw_scene(HYPERCUBE, 5) not in scenes

"""Background, gain and projection, by hand; and from the training scans alone."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects.features import (
    FEATURES,
    project,
    projected_of,
    scaling_of,
    without_background,
)
from models.buried_objects.scans import Scene
from models.buried_objects.simulation import simulate_scan

LABELS = {"scan": np.repeat([0, 1, 2], [4, 3, 5])}


def field(seed=0, samples=300):
    return np.random.default_rng(seed).standard_normal((12, samples)).astype(np.float32)


def splits(*codes):
    return {"split": np.repeat(codes, [4, 3, 5])}


def test_the_mean_trace_is_subtracted():
    scan = np.array([[1, 5, 0], [3, 5, 1]], np.float32)
    assert without_background(scan).tolist() == [[-1, 0, -0.5], [1, 0, 0.5]]


def test_scaling_is_that_of_the_training_scans():
    ez = field()
    scaling = scaling_of(ez, LABELS, splits(0, 1, 0))
    chosen = ez[[0, 1, 2, 3, 7, 8, 9, 10, 11]]
    assert scaling.traces == 9
    assert scaling.to_dict()["mean"] == pytest.approx(chosen.mean(), abs=1e-6)
    assert scaling.to_dict()["std"] == pytest.approx(chosen.std(), rel=1e-6)
    spoilt = ez.copy()
    spoilt[4:7] = 1e6  # the validation scan
    assert scaling_of(spoilt, LABELS, splits(0, 1, 0)).to_dict() == scaling.to_dict()


def test_a_large_mean_does_not_cancel_in_the_std():
    ez = field().astype(np.float64) + 1e8
    assert scaling_of(ez, LABELS, splits(0, 0, 0)).scaling.std == pytest.approx(ez.std(), rel=1e-6)


def test_gain_makes_up_for_what_fades():
    fading = np.exp(-np.arange(300) / 60).astype(np.float32)
    scaling = scaling_of(field() * fading, LABELS, splits(0, 0, 0))
    gain = scaling.gain
    assert gain.shape == (300,)
    level = (gain * fading)[20:-20]
    # The mean trace takes a share of the power with it: (3 + 2 + 4) / 12 is left.
    assert np.median(level) == pytest.approx(np.sqrt(12 / 9), rel=0.1)
    assert level.max() < 1.6 * level.min()


def test_gain_is_limited_in_silence():
    ez = field()
    ez[:, 100:] = 0
    gain = scaling_of(ez, LABELS, splits(0, 0, 0)).gain
    assert np.isfinite(gain).all()
    assert gain.max() / gain.min() == pytest.approx(1e6, rel=1e-6)
    silent = scaling_of(np.zeros((12, 300), np.float32), LABELS, splits(0, 0, 0))
    assert set(silent.gain.tolist()) == {1.0}


def test_projection_is_the_logarithm_of_the_mean_power():
    scan = np.array([[1, 1, 2, 0, 0, 0, 3]], np.float32)
    # Stretches of 7 samples by 3: 0-1, 2-3, 4-6.
    assert project(scan, 3)[0] == pytest.approx(np.log([2, 3, 4]))
    assert project(-scan, 3).tolist() == project(scan, 3).tolist()


@pytest.mark.parametrize("samples", [128, 503, 10_057])
def test_any_sampling_gives_128_numbers_of_the_same_stretches(samples):
    time = np.linspace(0, 1, samples, endpoint=False)
    echo = np.where(np.abs(time - 0.51) < 0.02, 2.0, 0.0).astype(np.float32)[None]
    projected = project(echo)
    assert projected.shape == (1, FEATURES)
    assert projected.dtype == np.float32
    assert np.average(np.arange(FEATURES) + 0.5, weights=projected[0]) == pytest.approx(
        65.3, abs=0.6
    )
    assert projected.max() == pytest.approx(np.log(5))


def test_every_scan_is_projected_by_itself():
    ez = field()
    scaling = scaling_of(ez, LABELS, splits(0, 1, 2))
    blocks = list(projected_of(ez, LABELS, scaling.gain))
    assert [block["values"].shape for block in blocks] == [(4, 128), (3, 128), (5, 128)]
    ez[7:] = 0  # no other scan's concern
    again = list(projected_of(ez, LABELS, scaling.gain))
    assert np.array_equal(blocks[0]["values"], again[0]["values"])
    assert not again[2]["values"].any()


def test_the_echo_stands_out_where_the_cylinder_is():
    scan = simulate_scan(Scene(0.2, 1.2, 0.1, "metal", "solid", 400e6, seed=5))
    rows = {"scan": np.zeros(144, np.int32)}
    scaling = scaling_of(scan, rows, {"split": np.zeros(144, np.int8)})
    (block,) = projected_of(scan, rows, scaling.gain)
    # 2 x (1.2 - 0.2) m at 0.1224 m/ns, 0.1 m of air twice, and the wavelet's delay: 20.5 ns.
    stretch = int(20.5 / 60 * FEATURES)
    seen = block["values"][:, stretch - 2 : stretch + 5].max(axis=1)
    assert seen[66:81].min() > 3 * np.median(seen[:30])

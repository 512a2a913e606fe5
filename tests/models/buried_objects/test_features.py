"""Background, gain and projection, by hand."""

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
from models.buried_objects.splits import KNOWN

SCAN = np.repeat([0, 1, 2], [4, 3, 5])


def field(seed=0, samples=300):
    return np.random.default_rng(seed).standard_normal((12, samples)).astype(np.float32)


def examples(ez, scan=SCAN):
    return {"ez": ez, **dict.fromkeys(KNOWN, np.arange(len(ez))), "scan": scan}


def test_the_mean_trace_is_subtracted():
    scan = np.array([[1, 5, 0], [3, 5, 1]], np.float32)
    assert without_background(scan).tolist() == [[-1, 0, -0.5], [1, 0, 0.5]]


def test_scaling_is_that_of_all_traces():
    ez = field()
    scaling = scaling_of(examples(ez))
    assert scaling.traces == 12
    assert scaling.to_dict()["mean"] == pytest.approx(ez.mean(), abs=1e-6)
    assert scaling.to_dict()["std"] == pytest.approx(ez.std(), rel=1e-6)


def test_a_large_mean_does_not_cancel_in_the_std():
    ez = field().astype(np.float64) + 1e8
    assert scaling_of(examples(ez)).scaling.std == pytest.approx(ez.std(), rel=1e-6)


def test_gain_makes_up_for_what_fades():
    fading = np.exp(-np.arange(300) / 60).astype(np.float32)
    scaling = scaling_of(examples(field() * fading))
    gain = scaling.gain
    assert gain.shape == (300,)
    level = (gain * fading)[20:-20]
    # The mean trace takes a share of the power with it: (3 + 2 + 4) / 12 is left.
    assert np.median(level) == pytest.approx(np.sqrt(12 / 9), rel=0.1)
    assert level.max() < 1.6 * level.min()


def test_gain_is_limited_in_silence():
    ez = field()
    ez[:, 100:] = 0
    gain = scaling_of(examples(ez)).gain
    assert np.isfinite(gain).all()
    assert gain.max() / gain.min() == pytest.approx(1e6, rel=1e-6)
    silent = scaling_of(examples(np.zeros((12, 300), np.float32)))
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
    scaling = scaling_of(examples(ez))
    blocks = list(projected_of(examples(ez), scaling.gain))
    assert all(list(block) == ["values", *KNOWN] for block in blocks)
    assert blocks[1]["label"].tolist() == [4, 5, 6]
    assert [block["values"].shape for block in blocks] == [(4, 128), (3, 128), (5, 128)]
    ez[7:] = 0  # no other scan's concern
    again = list(projected_of(examples(ez), scaling.gain))
    assert np.array_equal(blocks[0]["values"], again[0]["values"])
    assert not again[2]["values"].any()


def test_the_echo_stands_out_where_the_cylinder_is():
    scan = simulate_scan(Scene(0.2, 1.2, 0.1, "metal", "solid", 400e6, seed=5))
    rows = examples(scan, np.zeros(144, np.int32))
    (block,) = projected_of(rows, scaling_of(rows).gain)
    # 2 x (1.2 - 0.2) m at 0.1224 m/ns, 0.1 m of air twice, and the wavelet's delay: 20.5 ns.
    stretch = int(20.5 / 60 * FEATURES)
    seen = block["values"][:, stretch - 2 : stretch + 5].max(axis=1)
    assert seen[66:81].min() > 3 * np.median(seen[:30])

"""Chirps are injected into quiet pictures."""

from __future__ import annotations

import numpy as np
import pytest

from models.arrays import Blocks
from models.gravitational_waves import images as layout
from models.gravitational_waves.images import SHAPE, columns, energies, pixels
from models.gravitational_waves.injections import _with_chirp, inject, injections
from models.gravitational_waves.simulation import FAINTEST, simulate, transform_of


def quiet_and_loud():
    """20 pictures of noise, every second one with a blaze; ten rows a part and a block."""
    noise = np.random.default_rng(0).exponential(size=(20, *SHAPE))
    noise[1::2, 40:100] = 25
    names = [f"n{number:02d}" for number in range(20)]
    parts = [0] * 10 + [2] * 10
    labels = ["Blip"] * 20
    groups = [f"gps-{number // 2}" for number in range(20)]
    return columns(pixels(noise), labels, names, parts, groups, [float("nan")] * 20, 0.5)


def in_blocks(rows, size):
    def read():
        return Blocks(
            {name: values[start : start + size] for name, values in rows.items()}
            for start in range(0, len(rows["label"]), size)
        )

    return read


def gathered(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def test_chirps_are_injected_into_copies_of_quiet_pictures_of_their_part():
    rows = quiet_and_loud()
    made = gathered(inject(in_blocks(rows, 10), 4, seed=1))
    assert len(made["label"]) == 24
    chirps = np.flatnonzero(made["label"] == "Chirp")
    assert made["part"][chirps].tolist() == [0, 0, 2, 2]
    for row in chirps:
        origin = rows["id"].tolist().index(made["id"][row].removeprefix("chirp-in-"))
        assert origin % 2 == 0  # quiet
        assert made["group"][row] == rows["group"][origin]
        assert made["part"][row] == rows["part"][origin]
        # Energy is added, never taken away.
        assert (made["image"][row] >= rows["image"][origin] - 1e-6).all()
        assert made["image"][row].sum() > rows["image"][origin].sum()
        assert made["snr"][row] >= FAINTEST
    kept = made["label"] == "Blip"
    np.testing.assert_array_equal(made["image"][kept], rows["image"])


def test_injected_pictures_do_not_depend_on_the_blocks():
    rows = quiet_and_loud()
    one, other = (gathered(inject(in_blocks(rows, size), 4, seed=1)) for size in (20, 3))
    for made in (one, other):
        order = np.argsort(made["id"])
        made.update({name: values[order] for name, values in made.items()})
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_more_chirps_than_pictures_are_refused():
    with pytest.raises(ValueError, match="30 chirps don't go into 10 pictures of part 0"):
        gathered(inject(in_blocks(quiet_and_loud(), 10), 60))


def test_an_injected_chirp_has_the_energy_of_its_signal():
    # On nothing, a chirp's loudest pixel is at most SNR^2 / 2, and a good part of it.
    background = pixels(np.zeros(SHAPE))
    shares = []
    for seed in range(8):
        generator = np.random.default_rng(seed)
        image, snr = _with_chirp(transform_of(0.5), background, generator, 3.0)
        if snr < 6:  # not saturated
            shares.append(energies(image).max() / (snr**2 / 2))
    assert len(shares) > 3
    assert min(shares) > 0.15
    assert max(shares) < 1.2


FIRST = np.arange(10)


@pytest.mark.parametrize("into", ["backgrounds", "noise"])
def test_injections_are_made_of_the_pictures_of_one_split_alone(into, monkeypatch):
    rows = quiet_and_loud()
    made = gathered(injections(rows, FIRST, 9, seed=5, into=into))
    assert made["image"].shape == (9, *SHAPE)
    assert set(made["label"]) == {"Chirp"}
    assert set(made["part"]) == {-1}
    assert len(set(made["id"])) == 9
    assert (made["snr"] >= FAINTEST).all()
    assert made["image"].min() > 0.08
    assert made["image"].max() < 0.87
    # Whatever the other pictures hold, and however the blocks are cut, the same.
    changed = rows | {"image": rows["image"].copy()}
    changed["image"][10:] = np.nan
    monkeypatch.setattr(layout, "BLOCK_ROWS", 4)
    again = gathered(injections(changed, FIRST, 9, seed=5, into=into))
    for name, values in made.items():
        np.testing.assert_array_equal(values, again[name])
    if into == "backgrounds":
        assert set(made["group"]) <= {f"gps-{number}" for number in range(5)}


def test_injections_share_nothing_with_simulated_pictures_of_the_same_seed():
    simulated = gathered(simulate({"train": 4, "validation": 4}, {"train": 4, "validation": 4}))
    made = gathered(injections(simulated, np.arange(4), 4, into="noise"))
    for image in made["image"]:
        assert not (image == simulated["image"]).all(axis=(1, 2)).any()
    assert not set(made["snr"].tolist()) & set(simulated["snr"].tolist())


def test_impossible_injections_are_refused():
    rows = quiet_and_loud()
    with pytest.raises(ValueError, match="backgrounds or noise, not 'glitches'"):
        injections(rows, FIRST, 1, into="glitches")
    only = rows | {"label": np.full(20, "Chirp")}
    with pytest.raises(ValueError, match="nothing to inject into"):
        injections(only, FIRST, 1)


def test_no_injections_are_an_empty_block():
    (block,) = injections(quiet_and_loud(), FIRST, 0)
    assert block["image"].shape == (0, *SHAPE)
    assert block["label"].dtype == "U24"

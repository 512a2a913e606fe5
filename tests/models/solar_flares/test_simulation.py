"""Simulated regions: reproducible, balanced as published, and with a cause to be found."""

from __future__ import annotations

import numpy as np
import pytest

from models.solar_flares.records import PARAMETERS, SAMPLES
from models.solar_flares.simulation import FLARE_SHARES, HORIZON, STRIDE, simulate


def joined(blocks):
    parts = list(blocks)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.fixture(scope="module")
def sample():
    return joined(simulate({1: 6000, 2: 2400}, seed=0, per_region=12))


def test_records_have_the_layout_of_real_ones(sample):
    assert sample["values"].shape == (8400, SAMPLES, len(PARAMETERS))
    assert {name: array.dtype.str for name, array in sample.items()} == {
        "values": "<f4", "label": "|i1", "id": "<U32", "region": "<U40", "fold": "|i1",
    }  # fmt: skip
    assert np.bincount(sample["fold"]).tolist() == [0, 6000, 2400]
    assert len(set(sample["id"])) == 8400


def test_the_same_seed_gives_the_same_records_and_another_seed_others():
    one, again, other = (joined(simulate({1: 30}, seed=seed)) for seed in (7, 7, 8))
    for name in one:
        assert np.array_equal(one[name], again[name], equal_nan=name == "values")
    assert not np.array_equal(one["values"], other["values"], equal_nan=True)


def test_more_records_change_none_of_the_regions():
    few = joined(simulate({2: 48}, seed=1, per_region=24))
    many = joined(simulate({1: 10, 2: 96}, seed=1, per_region=24))
    of_fold = many["fold"] == 2
    assert np.array_equal(many["values"][of_fold][:48], few["values"], equal_nan=True)
    assert np.array_equal(many["label"][of_fold][:48], few["label"])


def test_folds_share_no_region(sample):
    regions = [set(sample["region"][sample["fold"] == fold]) for fold in (1, 2)]
    assert [len(one) for one in regions] == [500, 200]
    assert not regions[0] & regions[1]


def test_the_share_of_flares_is_near_the_published_one(sample):
    share = sample["label"][sample["fold"] == 1].mean()
    assert share == pytest.approx(FLARE_SHARES[1], abs=0.03)


def test_steps_lack_values_about_as_often_as_published(sample):
    lacking = np.isnan(sample["values"]).any(axis=2).mean()
    assert lacking == pytest.approx(1 - 547_472 / 559_980, abs=0.003)


def test_records_of_a_region_overlap(sample):
    first, second = sample["values"][:2]
    assert sample["region"][0] == sample["region"][1]
    assert np.array_equal(first[STRIDE:], second[:-STRIDE], equal_nan=True)


def test_parameters_are_collinear_and_in_their_ranges(sample):
    values = sample["values"][:, 0].astype(np.float64)
    names = {name: values[:, column] for column, name in enumerate(PARAMETERS)}
    known = ~np.isnan(values).any(axis=1)
    flux = np.log10(names["USFLUX"][known])
    assert np.corrcoef(flux, np.log10(names["TOTUSJH"][known]))[0, 1] > 0.4
    assert 21 < np.median(flux) < 23
    assert np.nanmin(names["XR_MAX"]) > 1e-9
    assert np.nanmax(names["TOTPOT"]) < 1e30


def test_a_flare_shows_in_the_x_ray_flux(sample):
    """A record that ends as another of its region begins sees the flares the other was before."""
    later = HORIZON // STRIDE
    block = joined(simulate({1: 4000}, seed=2, per_region=later + 20))
    flux = np.nanmax(block["values"][:, :, PARAMETERS.index("XR_MAX")], axis=1)
    same = block["region"][later:] == block["region"][:-later]
    seen = flux[later:][same]
    before = block["label"][:-later][same] == 1
    assert np.median(seen[before]) > 3 * np.median(seen[~before])


@pytest.mark.parametrize(
    ("records", "text"),
    [
        ({4: 10}, r"folds must be among \[1, 2, 3\], not \[4\]"),
        ({}, r"folds must be among"),
        ({1: 0}, "must be 1 or more"),
    ],
)
def test_impossible_folds_are_refused(records, text):
    with pytest.raises(ValueError, match=text):
        simulate(records)

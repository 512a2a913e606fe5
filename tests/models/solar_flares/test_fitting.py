"""Features by blocks, examples of the three forms, and a training that repeats itself."""

from __future__ import annotations

import numpy as np
import pytest

from models.arrays import iter_blocks
from models.sampling import TEST, TRAIN
from models.solar_flares import fitting, networks
from models.solar_flares.forms import DELAY, LOOKBACK
from models.solar_flares.networks import DESIGNS, FORM_SHAPES, Setting
from models.solar_flares.simulation import simulate
from models.solar_flares.splits import split_records


def whole(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


@pytest.fixture(scope="module")
def features():
    records = whole(simulate({1: 480, 2: 240, 3: 240}, seed=5))
    splits = {"split": split_records(records, 0.2, 0.2, 0)[0]}
    scaling = fitting.scaling_of(records, splits)
    return {
        "records": records,
        "splits": splits,
        "sequences": whole(fitting.sequences_of(records, scaling)),
        "steps": whole(fitting.steps_of(records, scaling)),
        "statistics": whole(fitting.statistics_of(records, scaling)),
    }


def test_scaling_knows_the_training_records_alone(features):
    records, splits = features["records"], features["splits"]
    before = fitting.scaling_of(records, splits)
    values = records["values"].copy()
    values[splits["split"] != TRAIN] *= 1000
    assert fitting.scaling_of(records | {"values": values}, splits) == before
    values[np.flatnonzero(splits["split"] == TRAIN)[0]] *= 1000
    assert fitting.scaling_of(records | {"values": values}, splits) != before


def test_training_sequences_are_standardised_and_without_gaps(features):
    values = features["sequences"]["values"]
    assert values.shape == (960, 60, 25)
    assert np.isfinite(values).all()
    learnt = values[features["splits"]["split"] == TRAIN].reshape(-1, 25)
    np.testing.assert_allclose(learnt.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(learnt.std(axis=0), 1, atol=0.02)


def test_steps_are_of_their_record_and_those_with_a_gap_are_gone(features):
    steps, records = features["steps"], features["records"]
    whole_steps = ~np.isnan(records["values"]).any(axis=2)
    assert np.bincount(steps["record"]).tolist() == whole_steps.sum(axis=1).tolist()
    record = int(np.flatnonzero(whole_steps.all(axis=1))[0])
    mine = steps["values"][steps["record"] == record][:, 0]
    np.testing.assert_array_equal(mine, features["sequences"]["values"][record])


def test_record_numbers_run_on_over_blocks():
    values = np.zeros((2500, 60, 25), np.float32)
    scaling = {"mean": [0.0] * 25, "deviation": [1.0] * 25, "samples": [1] * 25}
    numbers = [
        np.unique(block["record"]) for block in fitting.steps_of({"values": values}, scaling)
    ]
    assert [len(part) for part in numbers] == [
        len(b["values"]) for b in iter_blocks({"values": values})
    ]
    assert np.concatenate(numbers).tolist() == list(range(2500))


def test_features_of_another_form_are_refused(features):
    others = {name: features[name] for name in ("records", "splits", "steps")}
    with pytest.raises(ValueError, match="takes sequences, made of 'sequences', and is given"):
        fitting.examples(FORM_SHAPES["sequences"], others, TRAIN)


@pytest.mark.parametrize("form", FORM_SHAPES)
def test_examples_are_of_their_split_and_carry_their_record(features, form):
    shape = FORM_SHAPES[form]
    asked = fitting.examples(shape, features, TEST)
    split = features["splits"]["split"]
    assert asked.x.shape[1:] == shape
    assert len(asked.x) == len(asked.record)
    assert set(split[asked.record[asked.rows]]) == {TEST}
    if form == "sequences":
        assert len(asked.rows) == 240
    if form == "windows":
        steps = int(np.sum(split[features["steps"]["record"]] == TEST))
        assert len(asked.rows) == steps - LOOKBACK - DELAY
        targets = features["records"]["label"][asked.record]
        np.testing.assert_array_equal(asked.x.targets, targets)


@pytest.mark.parametrize("form", FORM_SHAPES)
@pytest.mark.parametrize("name", DESIGNS)
def test_other_inputs_than_published_are_said(name, form):
    inputs = FORM_SHAPES[form][1]
    difference = networks.published_counts(name, inputs).difference
    same = inputs == DESIGNS[name].published_inputs
    assert ("built here for" in difference) != same


def test_a_training_repeats_itself_and_reports_recall(features):
    described = fitting.described("tied_stacked_embedding26", "sequences")
    setting = Setting(2, 2, 1, 5.0)
    (one, history), (other, again) = (
        fitting.fit_network(described, setting, features, seed=7) for _ in range(2)
    )
    assert history == again
    assert set(history.values) >= {"loss", "recall", "val_loss", "val_recall", "accuracy"}
    for left, right in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    record, scores = fitting.score_network(one, features, TEST)
    assert record.tolist() == list(range(720, 960))
    assert ((scores > 0) & (scores < 1)).all()


def test_a_flare_weighs_what_the_setting_says(features):
    described = fitting.described("embedding25", "steps")
    losses = [
        fitting.fit_network(described, Setting(4, 1, 1, weight), features, seed=7)[1].values["loss"]
        for weight in (1.0, 5.0)
    ]
    assert losses[1][0] > losses[0][0] * 1.1


def test_the_upgrade_takes_fewer_folds_where_few_regions_flare(features):
    fitted = fitting.fit_upgrade(features, seed=0)
    record, scores = fitting.score_upgrade(fitted, features, TEST)
    label = features["records"]["label"][record]
    assert scores[label == 1].mean() > scores[label == 0].mean()

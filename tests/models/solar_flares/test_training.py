"""Features by blocks, examples of the three forms, and a training that repeats itself."""

from __future__ import annotations

import numpy as np
import pytest

from models.arrays import iter_blocks
from models.sampling import TEST, TRAIN
from models.scaling import Scaling
from models.solar_flares import features as forms
from models.solar_flares import networks, training
from models.solar_flares.features import DELAY, LOOKBACK
from models.solar_flares.networks import DESIGNS, FORM_SHAPES, Setting
from models.solar_flares.simulation import simulate
from models.solar_flares.splits import split_records


def whole(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


@pytest.fixture(scope="module")
def features():
    records = whole(simulate({1: 480, 2: 240, 3: 240}, seed=5))
    splits = {"split": split_records(records, 0.2, 0.2, 0).codes}
    scaling = forms.scaling_of(records, splits)
    return {
        "records": records,
        "splits": splits,
        "sequences": whole(forms.sequences_of(records, scaling)),
        "steps": whole(forms.steps_of(records, scaling)),
        "statistics": whole(forms.statistics_of(records, scaling)),
    }


def test_scaling_knows_the_training_records_alone(features):
    records, splits = features["records"], features["splits"]
    before = forms.scaling_of(records, splits).to_dict()
    values = records["values"].copy()
    values[splits["split"] != TRAIN] *= 1000
    assert forms.scaling_of(records | {"values": values}, splits).to_dict() == before
    values[np.flatnonzero(splits["split"] == TRAIN)[0]] *= 1000
    assert forms.scaling_of(records | {"values": values}, splits).to_dict() != before


def test_training_sequences_are_standardised_and_without_gaps(features):
    values = features["sequences"]["values"]
    assert values.shape == (960, 60, 25)
    assert np.isfinite(values).all()
    rows = values[features["splits"]["split"] == TRAIN].reshape(-1, 25)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(rows.std(axis=0), 1, atol=0.02)


def test_steps_are_of_their_record_and_those_with_a_gap_are_gone(features):
    steps, records = features["steps"], features["records"]
    whole_steps = ~np.isnan(records["values"]).any(axis=2)
    assert np.bincount(steps["record"]).tolist() == whole_steps.sum(axis=1).tolist()
    record = int(np.flatnonzero(whole_steps.all(axis=1))[0])
    mine = steps["values"][steps["record"] == record][:, 0]
    np.testing.assert_array_equal(mine, features["sequences"]["values"][record])


def test_record_numbers_run_on_over_blocks():
    values = np.zeros((2500, 60, 25), np.float32)
    scaling = Scaling(np.zeros(25), np.ones(25), np.ones(25, np.int64))
    numbers = [np.unique(block["record"]) for block in forms.steps_of({"values": values}, scaling)]
    assert [len(part) for part in numbers] == [
        len(b["values"]) for b in iter_blocks({"values": values})
    ]
    assert np.concatenate(numbers).tolist() == list(range(2500))


def test_features_of_another_form_are_refused(features):
    others = {name: features[name] for name in ("records", "splits", "steps")}
    with pytest.raises(ValueError, match="takes sequences, made of 'sequences', and is given"):
        training.examples(FORM_SHAPES["sequences"], others, TRAIN)


@pytest.mark.parametrize("form", FORM_SHAPES)
def test_examples_are_of_their_split_and_carry_their_record(features, form):
    shape = FORM_SHAPES[form]
    chosen = training.examples(shape, features, TEST)
    split = features["splits"]["split"]
    assert chosen.x.shape[1:] == shape
    assert len(chosen.x) == len(chosen.record)
    assert set(split[chosen.record[chosen.rows]]) == {TEST}
    if form == "sequences":
        assert len(chosen.rows) == 240
    if form == "windows":
        steps = int(np.sum(split[features["steps"]["record"]] == TEST))
        assert len(chosen.rows) == steps - LOOKBACK - DELAY
        targets = features["records"]["label"][chosen.record]
        np.testing.assert_array_equal(chosen.x.targets, targets)


@pytest.mark.parametrize("form", FORM_SHAPES)
@pytest.mark.parametrize("name", DESIGNS)
def test_other_inputs_than_published_are_said(name, form):
    inputs = FORM_SHAPES[form][1]
    difference = networks.published_counts(name, inputs).difference
    same = inputs == DESIGNS[name].published_inputs
    assert ("built here for" in difference) != same


def test_a_training_repeats_itself_and_reports_recall(features):
    described = training.describe("tied_stacked_embedding26", "sequences")
    setting = Setting(2, 2, 1, 5.0)
    one, other = (training.fit_network(described, setting, features, seed=7) for _ in range(2))
    history = one.history
    assert history == other.history
    assert set(history.values) >= {"loss", "recall", "val_loss", "val_recall", "accuracy"}
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    record, scores = training.score_network(one.model, features, TEST)
    assert record.tolist() == list(range(720, 960))
    assert ((scores > 0) & (scores < 1)).all()


def test_a_flare_weighs_what_the_setting_says(features):
    described = training.describe("embedding25", "steps")
    losses = [
        training.fit_network(described, Setting(4, 1, 1, weight), features, seed=7).history.values[
            "loss"
        ]
        for weight in (1.0, 5.0)
    ]
    assert losses[1][0] > losses[0][0] * 1.1


def test_the_upgrade_takes_fewer_folds_where_few_regions_flare(features):
    fitted = training.fit_upgrade(features, seed=0)
    record, scores = training.score_upgrade(fitted, features, TEST)
    label = features["records"]["label"][record]
    assert scores[label == 1].mean() > scores[label == 0].mean()

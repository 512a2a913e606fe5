"""Features by blocks, examples of the three forms, and a training that repeats itself."""

from __future__ import annotations

import numpy as np
import pytest

from models.sampling import SPLITS, TRAIN
from models.solar_flares import features as forms
from models.solar_flares import networks, training
from models.solar_flares.features import DELAY, LOOKBACK, STEP
from models.solar_flares.networks import DESIGNS, FORM_SHAPES, Setting
from models.solar_flares.simulation import simulate
from models.solar_flares.splits import KNOWN, split_records


def whole(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


@pytest.fixture(scope="module")
def records():
    return whole(simulate({1: 480, 2: 240, 3: 240}, seed=5))


@pytest.fixture(scope="module")
def features(records):
    splits = split_records(records, 0.2, 0.2, 0).to_arrays()
    scaling = forms.scaling_of(records, splits)

    def by_split(compute):
        return {
            name: whole(forms.features_of(records, splits, name, compute, scaling))
            for name in SPLITS
        }

    return {
        "sequences": by_split(forms.sequences_of),
        "steps": by_split(forms.steps_of),
        "statistics": by_split(forms.statistics_of),
    }


def test_scaling_knows_the_training_records_alone(records):
    splits = split_records(records, 0.2, 0.2, 0).to_arrays()
    before = forms.scaling_of(records, splits).to_dict()
    values = records["values"].copy()
    values[splits["split"] != TRAIN] *= 1000
    assert forms.scaling_of(records | {"values": values}, splits).to_dict() == before
    values[np.flatnonzero(splits["split"] == TRAIN)[0]] *= 1000
    assert forms.scaling_of(records | {"values": values}, splits).to_dict() != before


def test_training_sequences_are_standardised_and_without_gaps(features):
    values = features["sequences"]["train"]["values"]
    assert values.shape == (480, 60, 25)
    assert all(np.isfinite(part["values"]).all() for part in features["sequences"].values())
    rows = values.reshape(-1, 25)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(rows.std(axis=0), 1, atol=0.02)


def test_features_hold_what_is_known_of_the_records_of_their_split(records, features):
    for form in ("sequences", "statistics"):
        for name in KNOWN:
            held = features[form]["test"][name]
            np.testing.assert_array_equal(held, records[name][720:])


def test_steps_are_of_their_record_and_those_with_a_gap_are_gone(records, features):
    steps = features["steps"]["validation"]
    whole_steps = ~np.isnan(records["values"][480:720]).any(axis=2)
    names, counts = np.unique(steps["id"], return_counts=True)
    expected = dict(zip(records["id"][480:720], whole_steps.sum(axis=1), strict=True))
    assert dict(zip(names, counts, strict=True)) == {k: n for k, n in expected.items() if n}
    row = int(np.flatnonzero(whole_steps.all(axis=1))[0])
    mine = steps["id"] == records["id"][480 + row]
    sequence = features["sequences"]["validation"]["values"][row]
    np.testing.assert_array_equal(steps["values"][mine][:, 0], sequence)
    assert set(steps["label"][mine]) == {records["label"][480 + row]}
    assert set(steps["region"][mine]) == {records["region"][480 + row]}


@pytest.mark.parametrize(("form", "others"), [("sequences", "steps"), ("windows", "sequences")])
def test_features_of_another_form_are_refused(features, form, others):
    with pytest.raises(
        ValueError, match=f"takes {form}, made of .* and is given features of shape"
    ):
        training.examples(FORM_SHAPES[form], features[others]["train"])


@pytest.mark.parametrize("form", FORM_SHAPES)
def test_examples_carry_what_is_known_of_the_record_that_their_label_is_from(features, form):
    shape = FORM_SHAPES[form]
    read = features["sequences" if form == "sequences" else "steps"]["test"]
    chosen = training.examples(shape, read)
    assert chosen.x.shape[1:] == shape
    ahead = LOOKBACK + DELAY if form == "windows" else 0
    assert len(chosen.x) == len(read["label"]) - ahead
    for name in KNOWN:
        np.testing.assert_array_equal(chosen.known(name), read[name][ahead:])
    if form == "windows":
        np.testing.assert_array_equal(chosen.x.targets, chosen.known("label"))
        np.testing.assert_array_equal(chosen.x[:1][0, :, 25], read["label"][:LOOKBACK:STEP])


@pytest.mark.parametrize("form", FORM_SHAPES)
@pytest.mark.parametrize("name", DESIGNS)
def test_other_inputs_than_published_are_said(name, form):
    inputs = FORM_SHAPES[form][1]
    difference = networks.published_counts(name, inputs).difference
    same = inputs == DESIGNS[name].published_inputs
    assert ("built here for" in difference) != same


def fit(described, setting, features):
    return training.fit_network(
        described, setting, features["train"], features["validation"], seed=7
    )


def test_a_training_repeats_itself_and_reports_recall(features):
    described, read = (
        training.describe("tied_stacked_embedding26", "sequences"),
        features["sequences"],
    )
    setting = Setting(2, 2, 1, 5.0)
    one, other = (fit(described, setting, read) for _ in range(2))
    history = one.history
    assert history == other.history
    assert set(history.values) >= {"loss", "recall", "val_loss", "val_recall", "accuracy"}
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    chosen, scores = training.score_network(one.model, read["test"])
    assert chosen.known("id").tolist() == read["test"]["id"].tolist()
    assert scores.shape == (240,)
    assert ((scores > 0) & (scores < 1)).all()


def test_a_flare_weighs_what_the_setting_says(features):
    described = training.describe("embedding25", "steps")
    losses = [
        fit(described, Setting(4, 1, 1, weight), features["steps"]).history.values["loss"]
        for weight in (1.0, 5.0)
    ]
    assert losses[1][0] > losses[0][0] * 1.1


def test_the_upgrade_takes_fewer_folds_where_few_regions_flare(features):
    fitted = training.fit_upgrade(features["statistics"]["train"], seed=0)
    chosen, scores = training.score_upgrade(fitted, features["statistics"]["test"])
    label = chosen.known("label")
    assert scores[label == 1].mean() > scores[label == 0].mean()

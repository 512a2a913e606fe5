"""The published test file stays whole, and host stars are not split apart."""

from __future__ import annotations

import numpy as np
import pytest

from models.exoplanets.splits import features_of, inputs_of, split_curves
from models.sampling import SPLITS, TEST


def curves(label, part, host=None):
    names = [f"star {k}" for k in range(len(label))] if host is None else host
    return {"label": np.array(label), "part": np.array(part), "host": np.array(names)}


def test_the_test_file_is_the_test_split_and_the_rest_is_shared_out_by_class():
    table = curves([1, 0] * 20 + [1, 0], [0] * 40 + [1, 1])
    split = split_curves(table, 0.25, 0.5, seed=0)
    assert split.codes[40:].tolist() == [TEST, TEST]
    rows = [np.flatnonzero(split.codes == code) for code in range(len(SPLITS))]
    assert [len(one) for one in rows] == [30, 10, 2]
    assert [int(table["label"][one].sum()) for one in rows] == [15, 5, 1]
    assert split.columns["label"].tolist() == table["label"].tolist()
    assert split.columns["host"].tolist() == table["host"].tolist()
    assert split.method == "the published test file; by curve"


def test_without_a_test_file_its_share_comes_first_and_validation_has_a_share_of_the_rest():
    split = split_curves(curves([1, 0] * 50, [0] * 100), 0.25, 0.2, seed=0)
    assert [int((split.codes == code).sum()) for code in range(3)] == [60, 20, 20]
    assert split.method == "no test file; by curve"


def test_a_host_star_is_in_one_split():
    host = np.repeat([f"host {k}" for k in range(20)], 5)
    split = split_curves(curves([1, 0, 0, 0, 0] * 20, [0] * 100, host), 0.25, 0.2, seed=1)
    for name in np.unique(host):
        assert len(set(split.codes[host == name])) == 1
    assert split.method.endswith("host stars kept whole")


def test_the_seed_decides():
    table = curves([1, 0] * 50, [0] * 100)
    first, again, other = (split_curves(table, 0.25, 0.2, seed=seed).codes for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


def test_a_test_file_without_a_planet_is_refused():
    with pytest.raises(
        ValueError, match=r"the test file \(part 1\) needs at least one row of label"
    ):
        split_curves(curves([1, 0] * 10 + [0], [0] * 20 + [1]), 0.25, 0.2, seed=0)


def test_too_few_planets_are_refused():
    with pytest.raises(ValueError, match="would get no positives: there are 1 positives"):
        split_curves(curves([1, *[0] * 19, 1], [0] * 20 + [1]), 0.25, 0.2, seed=0)


def test_a_splits_features_have_its_rows_in_order_and_what_is_known_of_them():
    table = {
        "flux": np.arange(12.0).reshape(6, 2),
        "star": np.array(list("abcdef")),
        "host": np.array(list("xxyyzz")),
        "kind": np.array(["quiet"] * 6),
        "label": np.array([0, 1, 0, 1, 0, 1]),
        "snr": np.array([np.nan, 8.0] * 3),
        "part": np.zeros(6),
    }
    splits = {"split": np.array([0, 1, 0, 2, 0, 2])}

    def features(name):
        blocks = list(features_of(table, splits, name, lambda flux: {"sum": flux.sum(1)}, rows=2))
        return {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}

    train = features("train")
    assert list(train) == ["sum", "star", "host", "kind", "label", "snr"]
    assert train["sum"].tolist() == [1.0, 9.0, 17.0]
    assert train["star"].tolist() == ["a", "c", "e"]
    assert features("test")["sum"].tolist() == [13.0, 21.0]
    assert list(inputs_of(train)) == ["sum"]

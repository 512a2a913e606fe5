"""Each check of the system passes on good data and names what is wrong with bad data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from assets.buried_objects import checks, inputs


def scene(skipped: int) -> pd.DataFrame:
    status = ["skipped: no /rxs/rx1/Ez"] * skipped + ["read"] * (100 - skipped)
    return pd.DataFrame({"name": [f"scan{k}" for k in range(100)], "status": status})


def test_many_skipped_scans_are_named() -> None:
    assert checks.few_skipped(scene(2)) == {}
    problems = checks.few_skipped(scene(3))
    assert problems["skipped"].startswith("3 of 100: scan0: skipped: no /rxs/rx1/Ez; scan1")


def labels() -> dict[str, np.ndarray]:
    return {"label": np.array([0, 1, 0, 1]), "scan": np.array([0, 0, 1, 1])}


def test_every_trace_needs_a_label_of_0_or_1() -> None:
    ez = {"ez": np.zeros((4, 3), np.float32)}
    assert checks.rows_agree(labels(), ez) == {}
    assert checks.rows_agree(labels(), {"ez": ez["ez"][:3]}) == {"rows": "4 labels of 3 traces"}
    wrong = labels() | {"label": np.array([0, 2, 0, 1])}
    assert checks.rows_agree(wrong, ez) == {"label": "holds [0, 1, 2], expected 0 and 1"}


def test_a_scan_in_two_splits_is_named() -> None:
    assert checks.scans_apart({**labels(), "split": np.array([0, 0, 1, 1])}) == {}
    problems = checks.scans_apart({**labels(), "split": np.array([0, 0, 1, 2])})
    assert problems == {"in two splits": "1"}


def test_a_split_without_objects_is_named() -> None:
    problems = checks.classes_present({**labels(), "split": np.array([0, 0, 1, 2])})
    assert problems == {
        "validation": "holds only the labels [0]",
        "test": "holds only the labels [1]",
    }


def test_an_upgrade_that_guesses_fails() -> None:
    def evaluated(value: float | None) -> dict[str, object]:
        return {"metrics": {"f1": {"value": value}}}

    assert checks.good_enough(evaluated(0.31)) == {}
    assert checks.good_enough(evaluated(0.29)) == {"f1": "0.290 is below 0.3"}
    assert checks.good_enough(evaluated(None)) == {"f1": "undefined"}


def test_a_network_level_with_the_upgrade_is_named() -> None:
    f1 = {"rnn1": 0.3, "lstm2": None, "upgrade": 0.4}
    assert checks.upgrade_leads({"f1": f1}) == {}
    assert checks.upgrade_leads({"f1": f1 | {"rnn1": 0.4}}) == {"rnn1": "0.400 against 0.400"}
    assert checks.upgrade_leads({"f1": f1 | {"upgrade": None}}) == {"upgrade": "undefined"}


def test_what_is_trained_are_networks_of_the_study_in_its_order() -> None:
    assert inputs.Models(trained=["rnn5", "lstm2", "rnn5"]).trained == ["lstm2", "rnn5"]
    for names in (["lstm6"], []):
        with pytest.raises(ValidationError, match=r"name one or more of lstm1, lstm2"):
            inputs.Models(trained=names)


def test_all_architectures_are_partitions_and_some_are_trained() -> None:
    assert len(inputs.ARCHITECTURES.get_partition_keys()) == 16
    assert set(inputs.MODELS.get_partition_keys()) <= set(inputs.ARCHITECTURES.get_partition_keys())

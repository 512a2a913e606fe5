"""The examples that are worth a look."""

from __future__ import annotations

import numpy as np
import pytest

from models.examples import caught, evenly, first_of_each, most_wrong, of_all_models, rows_of_names


def test_the_most_wrong_lie_farthest_beyond_the_threshold_counted_in_examples() -> None:
    #         missed    rightly not  false alarm  hit   barely missed
    labels = [1, 0, 0, 0, 1, 1]
    scores = [0.0, 0.1, 0.2, 0.9, 0.95, 0.3]
    flagged = [0, 0, 0, 1, 1, 0]
    # Ranks 0 1 2 4 5 3, the threshold between 3 and 4: the missed one is 3.5 away, the others 0.5.
    assert most_wrong(labels, scores, flagged).tolist() == [0, 3, 5]
    assert most_wrong(labels, scores, flagged, count=1).tolist() == [0]
    assert most_wrong(labels, np.array(scores) * 1000, flagged).tolist() == [0, 3, 5]


def test_none_is_wrong_where_all_is_right() -> None:
    assert most_wrong([1, 0], [0.9, 0.1], [1, 0]).tolist() == []


def test_what_was_caught_comes_by_score() -> None:
    labels, scores, flagged = [1, 1, 0, 1], [0.6, 0.9, 0.95, 0.2], [1, 1, 1, 0]
    assert caught(labels, scores, flagged).tolist() == [1, 0]
    assert caught(labels, scores, flagged, count=1).tolist() == [1]
    assert caught(labels, scores, [0, 0, 0, 0]).tolist() == []


def test_the_first_of_a_class_that_is_rare_are_all_there_are() -> None:
    assert first_of_each([0, 0, 1, 0, 0]).tolist() == [2, 0, 1, 3]


def test_rows_are_looked_up_by_name_and_repeated_names_give_the_first() -> None:
    assert rows_of_names(np.array(["b", "a", "b"]), ["b", "a", "b"]).tolist() == [0, 1, 0]
    assert rows_of_names(["a"], []).tolist() == []


@pytest.mark.parametrize("names", [["a", "c"], [], ["z"]])
def test_a_name_in_no_row_is_an_error(names: list[str]) -> None:
    with pytest.raises(ValueError, match="not in its data set"):
        rows_of_names(names, ["b"])


def test_every_nth_row_gives_about_the_limit() -> None:
    assert len(range(100)[evenly(100, 30)]) == 34
    assert len(range(10)[evenly(10, 30)]) == 10


def test_what_some_models_miss_is_not_shown_again_as_found() -> None:
    scores = {"a": [0.9, 0.8, 0.1], "b": [0.2, 0.7, 0.3]}
    flagged = {"a": [1, 1, 0], "b": [0, 1, 0]}
    chosen = of_all_models([1, 1, 0], scores, flagged, 2)
    assert {kind: rows.tolist() for kind, rows in chosen.items()} == {
        "missed": [0], "false alarm": [], "found": [1],
    }  # fmt: skip

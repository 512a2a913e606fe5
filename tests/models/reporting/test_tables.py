"""Tables say what they were given, and how sure it is."""

from __future__ import annotations

import re

import numpy as np
import pytest

from models.evaluation import evaluate
from models.reporting import comparison_rows, comparison_table
from models.reporting.tables import Cell, cell, groups, numeric_columns


@pytest.fixture(scope="module")
def evaluation():
    labels = np.r_[np.ones(5, int), np.zeros(565, int)]
    scores = np.r_[np.full(4, 0.95), 0.1, np.full(6, 0.94), np.linspace(0, 0.9, 559)]
    published = {"found": 3, "missed": 4, "precision": 0.33, "recall": 0.2, "f1": 0.25}
    return evaluate(labels, scores, 0.93, seed=0, published=published)


def test_the_comparison_puts_published_figures_below_ours(evaluation):
    lone = evaluation.with_details(published={})
    rows = comparison_rows({"CNN": evaluation, "search": lone}, ["found", "precision", "roc_auc"])
    assert [(row["model"], row["result"]) for row in rows] == [
        ("CNN", "ours"), ("", "published"), ("search", "ours"),
    ]  # fmt: skip
    assert rows[0]["found"] == 10
    assert rows[0]["precision"]["value"] == 0.4
    assert rows[1] == {
        "model": "", "result": "published", "found": 3, "precision": 0.33, "roc_auc": None,
    }  # fmt: skip


def test_the_table_is_aligned_and_gives_intervals(evaluation):
    table = comparison_table(comparison_rows({"CNN": evaluation}, ["found", "precision", "f1"]))
    lines = table.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert re.split(r" *\| *", lines[0]) == ["", "model", "result", "found", "precision", "F1", ""]
    assert set(lines[1]) == set("| -")
    assert "0.400 [0.122, 0.738]" in lines[2]  # Clopper-Pearson of 4 of 10
    assert re.split(r" *\| *", lines[3]) == ["", "", "published", "3", "0.330", "0.250", ""]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ({"value": None, "low": None, "high": None, "reason": "no row is flagged"}, "undefined"),
        ({"value": 1.0, "low": None, "high": None}, "1.000"),
        ({"value": 0.8, "low": 0.28, "high": 0.99}, "0.800 [0.280, 0.990]"),
        (85993, "85,993"),
        (0.53, "0.530"),
        (0.00042, "4.2e-04"),
        (12345.6, "12,346"),
        (0.0, "0.000"),
        (True, "True"),
        ("a|b", "a\\|b"),
    ],
)
def test_a_cell_reads_as_it_should(value, shown):
    assert comparison_table([{"x": value}]).splitlines()[2].strip("| ") == shown


def test_no_rows_make_no_table():
    assert comparison_table([]) == ""


def test_columns_are_those_of_all_rows():
    lines = comparison_table([{"a": 1}, {"b": 2}]).splitlines()
    assert lines[0].split() == ["|", "a", "|", "b", "|"]
    assert lines[3].split() == ["|", "-", "|", "2", "|"]


def test_a_page_gets_a_value_apart_from_its_interval_and_a_number_to_sort_by():
    metric = {"value": 0.8, "low": 0.28, "high": 0.99}
    assert cell(metric) == Cell("0.800", "[0.280, 0.990]", 0.8)
    assert cell({"value": None, "reason": "no row"}) == Cell("undefined", reason="no row")
    assert cell(3) == Cell("3", value=3.0)
    assert cell("x" * 51) == Cell("x" * 51, long=True)


def test_a_column_of_numbers_may_have_gaps_but_no_text():
    rows = [{"a": 1, "b": 0.5, "c": None}, {"a": "x", "b": None, "c": None}]
    assert numeric_columns(rows) == ["b"]


def test_rows_without_a_first_cell_belong_to_the_one_above():
    rows = [{"model": "a"}, {"model": "", "x": 1}, {"model": "b"}]
    assert groups(rows) == [rows[:2], rows[2:]]

"""An error about data says where, what, what was expected, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import BadInput


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ({}, "a.csv"),
        ({"row": 3}, "a.csv, row 3"),
        ({"column": "FLUX.1"}, "a.csv, column FLUX.1"),
        ({"row": 1, "column": "LABEL"}, "a.csv, row 1, column LABEL"),
    ],
)
def test_the_text_names_file_row_and_column_as_far_as_they_are_known(place, where):
    error = BadInput("it is empty", file=Path("a.csv"), expected="rows", remedy="Fix it.", **place)
    assert str(error) == f"{where}: it is empty; expected rows. Fix it."
    assert (error.file, error.row, error.column) == ("a.csv", place.get("row"), place.get("column"))


def test_it_is_a_value_error():
    assert issubclass(BadInput, ValueError)

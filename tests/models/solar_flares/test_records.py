"""Blocks of records are cut anew to one length."""

from __future__ import annotations

import numpy as np
import pytest

from models.solar_flares.records import PARAMETERS, rebatched


def blocks(*lengths):
    start = 0
    for length in lengths:
        numbers = np.arange(start, start + length)
        yield {"label": numbers, "values": numbers[:, None] * 10.0}
        start += length


@pytest.mark.parametrize("lengths", [(7,), (3, 4), (1,) * 7, (6, 1), (1, 6)])
def test_blocks_have_one_length_however_the_rows_come(lengths):
    cut = list(rebatched(blocks(*lengths), 3))
    assert [block["label"].tolist() for block in cut] == [[0, 1, 2], [3, 4, 5], [6]]
    assert all(np.array_equal(block["values"][:, 0], block["label"] * 10) for block in cut)


def test_rows_that_fill_their_blocks_leave_no_rest():
    assert [len(block["label"]) for block in rebatched(blocks(4, 2), 3)] == [3, 3]
    assert list(rebatched(blocks(), 3)) == []


def test_the_parameters_are_25_different_ones():
    assert len(set(PARAMETERS)) == len(PARAMETERS) == 25

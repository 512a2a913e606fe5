"""Labels follow from the radius; positions, runs, the surface and the table of scenes."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects.scans import (
    COLUMNS,
    label_blocks,
    labels_of,
    positions,
    runs,
    surface,
    table_of,
)


@pytest.mark.parametrize(
    ("radius", "first", "last"),
    [(0.005, 73, 73), (0.02, 72, 74), (0.039, 72, 74), (0.04, 71, 75), (0.25, 61, 85)],
)
def test_traces_within_the_radius_are_positive_edges_included(radius, first, last):
    """Trace 73 stands at 0.04 + 73 x 0.02 = 1.5 m; 0.25 m are twelve and a half traces."""
    assert np.flatnonzero(labels_of(144, radius)).tolist() == list(range(first, last + 1))
    assert labels_of(70, radius).sum() == max(0, 70 - first)


def test_positions_are_metres_along_the_line():
    assert positions()[[0, 1, 143]] == pytest.approx([0.04, 0.06, 2.90])


def test_runs_give_where_each_scan_begins_and_its_length():
    starts, lengths = runs(np.array([0, 0, 0, 2, 5, 5]))
    assert starts.tolist() == [0, 3, 4]
    assert lengths.tolist() == [3, 1, 2]


def test_the_surface_is_rough_as_said():
    heights = np.stack([surface(seed) for seed in range(300)])
    assert heights.shape == (300, 151)
    assert np.abs(heights).max() <= 0.008
    assert heights.std() == pytest.approx(0.003, rel=0.05)
    # exp(-(0.1 / 0.1)^2) at the length of correlation, 5 points on
    later = np.mean(heights[:, 5:] * heights[:, :-5]) / heights.var()
    assert later == pytest.approx(np.exp(-1), abs=0.05)
    assert not np.array_equal(surface(0), surface(1))


def test_a_skipped_scan_has_no_labels():
    scenes = table_of([])
    assert list(scenes.columns) == list(COLUMNS)
    assert scenes.dtypes["scan"] == np.int32
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"scan": scan, "traces": traces, "radius": 2.0}
        | dict.fromkeys(("depth", "height", "frequency", "offset"), np.nan)
        | {"seed": 0, "test": scan == 1}
        for scan, traces in ((0, 0), (1, 3))
    ]
    (block,) = label_blocks(table_of(rows))
    assert block["scan"].tolist() == [1, 1, 1]
    assert block["trace"].tolist() == [0, 1, 2]
    assert block["label"].tolist() == [1, 1, 1]
    assert block["test"].tolist() == [True, True, True]

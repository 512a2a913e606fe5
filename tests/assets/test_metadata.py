"""What the UI shows of a materialisation."""

from __future__ import annotations

import numpy as np

from assets.metadata import split_counts


def test_positives_and_others_are_counted_in_each_split() -> None:
    split = np.array([0, 0, 0, 1, 1, 2], dtype=np.int8)
    label = np.array([1, 0, 0, 0, 0, 1], dtype=np.int8)
    assert split_counts(split, label, "flares", "quiet") == {
        "train (flares)": 1,
        "train (quiet)": 2,
        "validation (flares)": 0,
        "validation (quiet)": 2,
        "test (flares)": 1,
        "test (quiet)": 0,
    }

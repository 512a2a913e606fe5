"""Pictures of the buried-object assets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.buried_objects import pictures

PNG = b"\x89PNG"
GENERATOR = np.random.default_rng(1)
LABELS = {
    "scan": np.repeat([0, 1, 2], 10),
    "label": np.tile([0, 0, 0, 1, 1, 1, 0, 0, 0, 0], 3),
    "trace": np.tile(np.arange(10), 3),
}
TRACES = GENERATOR.normal(size=(30, 50)).astype(np.float32)


def test_windows_are_counted_by_batch():
    inside = np.zeros((30, 2), bool)
    inside[:, 0] = inside[np.r_[0:5, 10:15, 20:25], 1] = True
    part = np.repeat([1, 2, 2], 10)
    counted = pictures.windows({**LABELS, "part": part, "windows": inside})
    assert counted == {"batch 1": 2.0, "batch 2": 4.0}
    held_out = {**LABELS, "part": np.zeros(30, int), "windows": inside}
    assert pictures.windows(held_out) == {"not for training": 6.0}


def test_the_first_scans_are_drawn():
    drawn = pictures.first_scans({**LABELS, "ez": TRACES})
    assert list(drawn) == ["scan 0", "scan 1"]
    assert all(png.startswith(PNG) for png in drawn.values())


def test_the_scans_with_the_most_wrong_traces_come_first():
    flagged = LABELS["label"].astype(bool)
    flagged[:2] = True  # two wrong in scan 0
    flagged[13:16] = False  # three in scan 1, none in scan 2
    table = pd.DataFrame({**LABELS, "flagged": flagged})
    drawn = pictures.worst_scans(table, TRACES, title="rnn1")
    assert list(drawn) == ["scan 1", "scan 0", "scan 2"]
    assert all(png.startswith(PNG) for png in drawn.values())


def test_every_picture_is_drawn_and_always_the_same():
    scenes = pd.DataFrame(
        {
            "radius": [0.1, 0.2],
            "depth": [1.0, np.nan],
            "material": ["metal", ""],
            "filling": ["solid", ""],
        }
    )
    for draw in (
        lambda: pictures.traces(TRACES),
        lambda: pictures.labels(LABELS),
        lambda: pictures.projected({**LABELS, "values": GENERATOR.uniform(size=(30, 16))}),
        lambda: pictures.gain({"gain": [1.0, 10.0, 100.0]}),
        lambda: pictures.scenes(scenes),
    ):
        assert draw().startswith(PNG)
    assert pictures.labels(LABELS) == pictures.labels(LABELS)

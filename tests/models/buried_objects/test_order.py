"""The study's question: what each arm trains, which weights it asks, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from models.buried_objects import order
from models.buried_objects.training import Examples, Settings
from models.buried_objects.windows import windows_of

LABEL = np.tile(np.arange(100) // 10 == 4, (2, 1)).astype(np.float32)
TRACES = {
    "ez": LABEL.reshape(-1, 1),
    "label": LABEL.ravel(),
    "scan": np.repeat([0, 1], 100),
    "part": np.full(200, -1),
    "windows": np.tile(windows_of(0, 100, seed=0, per_scan=1), (2, 1)),
}
SPLITS = {"train": {}, "validation": {}, "test": TRACES}


class Scripted:
    """A network whose scores separate object from background as well as is asked."""

    input_shape = (None, 100, 1)

    def __init__(self, skill):
        self.skill = skill

    def predict_on_batch(self, x):
        score = 0.3 + self.skill * x[..., 0] + 0.01 * np.arange(x.shape[1]) / x.shape[1]
        return np.stack([1 - score, score], axis=-1)


def pretended(skills, calls):
    """Stand in for a training: the network has one skill after each of its parts."""

    def fit(architecture, training, validation, settings, *, after, **ways):
        calls.append(ways)
        both = LABEL[..., None]
        given = Examples(both, both, np.ones(LABEL.shape, bool), np.zeros(2))
        best = -1.0
        for batch, skill in enumerate(skills, start=1):
            if skill > best:
                best, best_batch = skill, batch
            part = {"batch": batch, "epochs": 2, "best_batch": best_batch}
            after(Scripted(skill), given, part)

    return fit


def test_every_arm_is_followed_and_the_best_weights_stay(monkeypatch):
    calls: list[dict[str, bool]] = []
    monkeypatch.setattr(order, "fit_network", pretended([0.05, 0.6, -0.2], calls))
    architecture = {"config": {"config": {"name": "rnn5"}}}
    study = order.study(architecture, SPLITS, Settings())
    # the published order serves two arms
    assert calls == [
        {},
        {"weighted": True},
        {"shuffled": True},
        {"shuffled": True, "weighted": True},
    ]
    assert list(study["arms"]) == list(order.ARMS)
    last, best = study["arms"]["published order"], study["arms"]["best weights kept"]
    assert [entry["f1"] for entry in last] == [0.0, 1.0, 0.0]
    assert [entry["f1"] for entry in best] == [0.0, 1.0, 1.0]
    assert [entry["batch"] for entry in best] == [1, 2, 3]
    # a score too low for 0.5 still ranks: the threshold from validation finds the object
    assert last[0]["f1_at_threshold"] == 1.0
    assert last[0]["precision"] is None
    assert last[0]["average_precision"] == pytest.approx(1)
    assert "falls from 1.000 after batch 2 to 0.000 after the last" in study["finding"]
    assert "best weights kept 1.000, 1.000, 1.000; weighted 0.000" in study["finding"]
    assert "'best weights kept' gains most, +0.9" in study["finding"]
    assert "the last weights are not the best" in study["finding"]


def test_what_does_not_recur_is_said_so(monkeypatch):
    monkeypatch.setattr(order, "fit_network", pretended([0.1, 0.6], []))
    architecture = {"config": {"config": {"name": "lstm3"}}}
    study = order.study(architecture, SPLITS, Settings())
    assert "lstm3 in the published order" in study["finding"]
    assert "is highest after the last batch, 1.000" in study["finding"]
    assert "None of the changes alone gains 0.05 or more" in study["finding"]

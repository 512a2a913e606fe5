"""Verdicts, error rates and the training range."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.detection import (
    TrainedModel,
    TrainingRange,
    Verdict,
    caveats,
    find_files,
    group_by_name,
    name_each,
    outside,
    verdict_rows,
    verdict_table,
)
from models.evaluation import evaluate


def test_error_rates_are_those_of_the_test_rows_at_the_threshold() -> None:
    labels = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    scores = [0.9, 0.8, 0.7, 0.1, 0.6, 0.2, 0.2, 0.1, 0.1, 0.0]
    model = TrainedModel("cnn", None, 0.5, evaluate(labels, scores, 0.5, seed=0))
    rates = model.error_rates
    assert rates["missed"]["value"] == 0.25
    assert rates["false_alarms"]["value"] == pytest.approx(1 / 6)
    # Clopper & Pearson: 1 of 4 is 0.6 ... 81 %.
    assert rates["missed"]["low"] == pytest.approx(0.0063, abs=1e-4)
    assert rates["missed"]["high"] == pytest.approx(0.8059, abs=1e-4)


def test_a_rate_without_rows_says_so() -> None:
    evaluation = evaluate([1, 1], [0.9, 0.2], 0.5, seed=0)
    rate = TrainedModel("cnn", None, 0.5, evaluation).error_rates["false_alarms"]
    assert rate["value"] is None
    assert rate["reason"] == "the test rows have no negatives"


def test_verdicts_survive_json() -> None:
    verdict = Verdict("star", "3.3 d", "cnn", "planet candidate", True, 0.9, 0.5, warnings=("far",))
    stored = json.loads(json.dumps(verdict.to_dict()))
    assert Verdict.from_dict(stored) == verdict
    assert Verdict.from_dict(stored).warned(["short"]).warnings == ("far", "short")


def test_the_training_range_holds_99_percent_of_the_training_rows() -> None:
    rows = np.random.default_rng(0).normal(5, 2, (2000, 6))
    around = TrainingRange.fit(rows)
    assert np.mean(around.distance(rows) <= 1) == pytest.approx(0.99, abs=1e-3)
    assert around.warning(rows) is None
    assert around.warning(rows + 40) == (
        "unlike the training data: its features lie 12.3 times as far out as 99% of them"
    )


def test_a_warning_names_the_feature_that_lies_farthest_out() -> None:
    rows = np.random.default_rng(0).normal(5, 2, (2000, 2))
    warning = TrainingRange.fit(rows).warning([[5.0, 45.0]], ["period", "depth"])
    assert warning is not None
    assert warning.endswith(", depth +20.1 standard deviations")


def test_files_are_found_below_folders_and_grouped(tmp_path: Path) -> None:
    for name in ("b/two.CSV", "b/one.csv", "a.csv", "b/.hidden.csv", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    missing, notes = tmp_path / "missing.fits", tmp_path / "b" / "notes.txt"
    files = find_files([tmp_path, notes, missing, tmp_path / "a.csv"], [".csv"])
    names = [file.relative_to(tmp_path).as_posix() for file in files]
    assert names == ["a.csv", "b/one.csv", "b/two.CSV", "b/notes.txt", "missing.fits"]
    groups = group_by_name(files, lambda file: file.parent.name)
    assert [len(group) for group in groups.values()] == [2, 3]


def test_files_that_share_a_stem_are_named_apart(tmp_path: Path) -> None:
    paths = ["a/x/talk.wav", "a/y/talk.wav", "b/y/talk.wav", "b/y/talk.mp3", "b/größer als.ogg"]
    files = [tmp_path / path for path in paths]
    named = name_each([*files, tmp_path / "a" / "x" / ".." / "x" / "talk.wav"])
    assert {name: file.relative_to(tmp_path).as_posix() for name, (file,) in named.items()} == {
        "größer als": "b/größer als.ogg",
        "talk.wav": "b/y/talk.wav",
        "talk.mp3": "b/y/talk.mp3",
        "x/talk": "a/x/../x/talk.wav",
        "y/talk": "a/y/talk.wav",
    }


def test_missing_features_and_constant_ones_leave_the_distance_finite() -> None:
    around = TrainingRange.fit([[0.0, 7.0], [2.0, 7.0], [np.nan, 7.0]])
    distance = around.distance([[np.nan, 7.0], [np.nan, np.nan], [1.0, 7.0]])
    assert distance.tolist() == [0.0, 0.0, 0.0]


def test_the_training_range_survives_json() -> None:
    around = TrainingRange.fit([[0.0, 1.0], [2.0, 5.0], [4.0, 2.0]])
    again = TrainingRange.from_dict(json.loads(json.dumps(around.to_dict())))
    assert again.distance([[9.0, 9.0]]) == around.distance([[9.0, 9.0]])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4096.0, None),
        (16384.0, "sample rate of 16384 Hz: trained on 4096 Hz"),
    ],
)
def test_outside_names_what_was_trained_on(value: float, expected: str | None) -> None:
    assert outside("sample rate", value, 4096, 4096, "Hz") == expected


def test_rows_of_a_sheet_show_scores_and_rates() -> None:
    verdict = Verdict("a", "p", "m", "chirp", True, 0.9, 0.5, {"missed": {"value": 0.1}}, ("far",))
    assert verdict_rows([verdict]) == [
        {
            "part": "p",
            "model": "m",
            "verdict": "chirp",
            "score": 0.9,
            "threshold": 0.5,
            "missed in tests": {"value": 0.1},
        }
    ]
    assert caveats([verdict, verdict]) == ["Take care: far."]


def test_a_terminal_shows_error_rates_once_a_model() -> None:
    rates = {"missed": {"value": 0.1, "low": 0.05, "high": 0.2}}
    first = Verdict("a", "1 s", "cnn", "chirp", True, 0.9, 0.5, rates, ("far: by 3",))
    second = Verdict("a", "2 s", "cnn", "noise", False, 0.25, 0.5, rates)
    assert verdict_table([first, second]).splitlines() == [
        "| recording | part | model | verdict | score | warnings |",
        "| --------- | ---- | ----- | ------- | ----- | -------- |",
        "| a         | 1 s  | cnn   | chirp   | 0.900 | far      |",
        "| a         | 2 s  | cnn   | noise   | 0.250 | -        |",
        "",
        "| model | threshold | missed in tests      |",
        "| ----- | --------- | -------------------- |",
        "| cnn   | 0.500     | 0.100 [0.050, 0.200] |",
    ]


def test_warnings_of_all_verdicts_stand_below_them_in_full() -> None:
    warned = [
        Verdict("a", part, "cnn", "chirp", True, 0.9, 0.5, warnings=("far: by 3", *more))
        for part, more in (("1 s", ()), ("2 s", ("short: 1 s",)))
    ]
    assert verdict_table(warned).splitlines() == [
        "| recording | part | model | verdict | score | warnings |",
        "| --------- | ---- | ----- | ------- | ----- | -------- |",
        "| a         | 1 s  | cnn   | chirp   | 0.900 | -        |",
        "| a         | 2 s  | cnn   | chirp   | 0.900 | short    |",
        "",
        "Take care: far: by 3.",
    ]


def test_a_terminal_shows_the_error_rates_of_a_model_that_takes_no_decision() -> None:
    rates = {"word_error_rate": {"value": 0.5}}
    verdict = Verdict("a", "1 s", "swift", "hello", None, -0.5, None, rates)
    assert verdict_table([verdict]).splitlines()[4:] == [
        "| model | word error rate in tests |",
        "| ----- | ------------------------ |",
        "| swift | 0.500                    |",
    ]

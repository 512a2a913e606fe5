from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.evaluation import Evaluation
from models.speech import pictures, report
from models.speech.evaluation import evaluate_predictions, predictions
from models.speech.studies import STUDIES

PNG = b"\x89PNG\r\n\x1a\n"


def results(*models: str) -> dict[str, dict[str, Any]]:
    """Results of models, the first of which is the best."""
    said = pd.DataFrame({"key": ["u1", "u2"], "speaker": ["a", "b"], "text": ["the cat", "a dog"]})
    found: dict[str, dict[str, Any]] = {
        name: {} for name in ("histories", "evaluations", "transcripts")
    }
    for number, model in enumerate(models):
        heard = ["the cat", "a dog" if number == 0 else "a hog"]
        table = predictions(said, dict.fromkeys(("greedy", "beam", "lm"), heard))
        losses = [90.0, 50.0 + number, 60.0]
        found["histories"][model] = {
            "values": {"loss": losses, "val_loss": losses},
            "epochs": 3,
            "best_epoch": 2,
            "network": {"parameters": 1000 + number},
        }
        evaluation = evaluate_predictions(table, ("greedy", "beam", "lm"), resamples=100, seed=1)
        found["evaluations"][model] = evaluation.to_dict()
        found["transcripts"][model] = table
    return found


def test_a_study_shows_the_trained_models_and_names_the_others() -> None:
    compared = report.study_comparison("cells", results("s103", "s108"))
    assert compared["trained"] == ["s103", "s108"]
    assert compared["not_trained"] == ["s107"]
    assert compared["losses"] == {"s103": [90.0, 50.0, 60.0], "s108": [90.0, 51.0, 60.0]}
    first = compared["rows"][0]
    assert (first["model"], first["parameters"], first["best epoch"]) == ("s103", 1000, 2)
    assert first["validation loss"] == 50.0
    assert first["wer_lm"]["value"] == 0
    assert compared["rows"][1]["wer_lm"]["value"] == 0.25
    assert report.standing(compared) == (
        "Least validation loss: s103, 50.0. Not trained yet: s107."
    )


def test_transcripts_of_both_features_stand_side_by_side() -> None:
    said = report.study_comparison("final", results("s111", "s112"))["said"]
    assert said[1] == {
        "said": "a dog",
        "s111 (spectrogram), greedy": "a dog",
        "s111 (spectrogram), lm": "a dog",
        "s112 (mfcc), greedy": "a hog",
        "s112 (mfcc), lm": "a hog",
    }


def test_a_study_of_which_nothing_is_trained_says_so() -> None:
    compared = report.study_comparison("merges", results())
    assert compared["rows"] == compared["said"] == []
    assert compared["not_trained"] == list(STUDIES["merges"].models)
    assert report.standing(compared) == "Not trained yet: s005, s007, s008, s009, s010."
    assert report.study_picture(compared).startswith(PNG)


def test_the_comparison_lists_each_model_once_and_names_those_missing() -> None:
    studies = {
        "final": report.study_comparison("final", results("s111")),
        "features": report.study_comparison("features", results("s000", "s111")),
    }
    table = report.comparison(studies)
    assert [row["model"] for row in table["rows"]] == ["s000", "s111"]
    assert [row["feature"] for row in table["rows"]] == ["mfcc", "spectrogram"]
    assert table["studies"] == studies
    assert table["notes"][-1] == (
        "2 of 115 models are trained; not trained: s001-s110, s112-swift."
    )
    assert report.comparison_picture(table).startswith(PNG)


def test_a_models_pictures_are_of_its_training_and_its_rates() -> None:
    stored = results("s111")
    evaluation = Evaluation.from_dict(stored["evaluations"]["s111"])
    drawn = pictures.results("s111", evaluation, stored["histories"]["s111"])
    assert set(drawn) == {"training", "error rates"}
    assert all(png.startswith(PNG) for png in drawn.values())


@pytest.fixture
def data() -> dict[str, Any]:
    generator = np.random.default_rng(1)
    sample = generator.integers(-3000, 3000, 8000).astype(np.int16)
    return {
        "splits": pd.DataFrame(
            {
                "key": ["u1", "u2"],
                "speaker": ["b", "a"],
                "text": ["the <b>cat</b>", "a dog"],
                "start": [0, 4800],
                "samples": [4800, 3200],
                "split": [2, 2],
            }
        ),
        "audio": {"sample": sample},
        "cepstra": {"mfcc": generator.normal(size=(48, 26)).astype(np.float32)},
    }


def test_the_example_is_seen_and_its_own_audio_is_heard(data: dict[str, Any]) -> None:
    section = report.example(data)
    assert [chart.title for chart in section.pictures] == ["Waveform", "Spectrogram", "Cepstra"]
    assert section.pictures[0].x.high == 0.3  # 4800 samples
    assert section.pictures[2].x.high == 0.29
    assert section.pictures[1].y.high == 8
    with wave.open(io.BytesIO(section.sounds[0].wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        played = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_array_equal(played, data["audio"]["sample"][:4800])


def test_the_report_holds_every_study_transcripts_and_the_sound(data: dict[str, Any]) -> None:
    studies = {name: report.study_comparison(name, results()) for name in STUDIES} | {
        "final": report.study_comparison("final", results("s111", "s112"))
    }
    written = report.report(report.comparison(studies), data)
    assert "the &lt;b&gt;cat&lt;/b&gt;" in written.html
    assert "a hog" in written.html
    assert set(written.files) == {
        *(f"charts/{name}.svg" for name in ("error-rates", "final-losses")),
        *(f"charts/example-{name}.svg" for name in ("waveform", "spectrogram", "cepstra")),
        *(f"charts/misheard-1-{name}.svg" for name in ("waveform", "spectrogram")),
        *("sounds/example.wav", "sounds/misheard-1.wav"),
        *("examples/misheard-1.html", "examples/misheard-1.md"),
    }
    page = written.files["examples/misheard-1.md"].decode()
    assert page.startswith("# Misheard: a dog\n")  # u1 is heard rightly
    assert "Speaker a; 2 words; the transcripts have 0 to 1 word errors." in page
    assert "| s112  | a hog | 1           |" in page
    for name in STUDIES:
        assert name.replace("_", " ") in written.html
    assert "Not trained yet: s005, s007" in written.html


def test_the_worst_heard_come_first_and_long_ones_have_no_page(data: dict[str, Any]) -> None:
    compared = report.study_comparison("final", results("s111", "s112"))
    assert [(one["key"], one["wrong"]) for one in compared["misheard"]] == [("u2", 0.25)]
    data["splits"]["samples"] = [4800, 13 * 16000]
    assert report.misheard_pages({"final": compared}, data) == []


def test_a_losses_chart_has_its_range_from_the_later_epochs() -> None:
    chart = report.losses_chart(report.study_comparison("final", results("s111", "s112")))
    assert chart.y.high == pytest.approx(1.1 * 60)
    assert chart.caption == "Least: s111, 50.0 nats."

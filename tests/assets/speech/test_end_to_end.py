"""The speech graph at a toy size, through the command that users run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.speech.corpus import RATE
from models.speech.studies import STUDIES

MODELS = ("s000", "swift")
"""The first hears cepstra, the second spectrograms."""

SETTINGS = """
["speech/corpus"]
train = 24
validation = 8
test = 8
train_speakers = 4
validation_speakers = 2
test_speakers = 2
["speech/models"]
trained = ["s000", "swift"]
["speech/network"]
epochs = 1
batch = 4
["speech/decoder"]
beams = [10]
weights = [1.0]
bonuses = [0.0]
utterances = 4
["speech/evaluation"]
resamples = 100
"""

ARCHITECTURE = 'key:"speech/architecture"'
REST = f"group:speech and not {ARCHITECTURE}"
SPLITS = ("train", "validation", "test")
FAMILY = ("network", "history", "decoder", "transcripts", "evaluation")


def rebuilt(run: Any) -> dict[str, set[str]]:
    """What was done to bring the models and everything below them up to date."""
    done: dict[str, set[str]] = {"materialized": set(), "restored": set()}
    for asked in ((ARCHITECTURE, "--partitions", ",".join(MODELS)), (REST,)):
        outcome = run.json("rebuild", *asked)
        assert outcome["failed"] == []
        for kind, names in done.items():
            names.update(outcome[kind])
    return done


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, new_run: Any) -> Any:
    """The graph with two models, built; the other architectures are not."""
    run = new_run(tmp_path_factory.mktemp("speech"), SETTINGS)
    built = rebuilt(run)["materialized"]
    assert {f"speech/{name}[{model}]" for name in FAMILY for model in MODELS} <= built
    assert {"speech/language_model", "speech/comparison", "speech/report"} <= built
    assert run.failed_runs() == []
    return run


def test_every_file_read_below_models_counts_for_its_stage(run: Any) -> None:
    assert len(run.opened()) >= 3
    assert run.uncounted() == set()


def test_a_second_rebuild_runs_nothing(run: Any) -> None:
    assert run.json("rebuild", REST)["materialized"] == []
    assert run.json("plan", REST)["stale"] == []


def test_nothing_in_the_store_is_a_pickle(run: Any) -> None:
    assert run.stored_kinds() <= {".h5", ".parquet", ".json", ".keras", ".zip", ".png"}
    assert run.pickles() == []


def test_every_result_could_be_drawn(run: Any) -> None:
    assert run.undrawn() == {}


def test_speakers_and_texts_are_apart_and_every_utterance_is_transcribed(run: Any) -> None:
    corpus = run.load("speech/splits")
    assert corpus.groupby("speaker")["split"].nunique().max() == 1
    assert corpus.groupby("text")["split"].nunique().max() == 1
    table = run.load("speech/transcripts", "s000")
    assert set(table["key"]) == set(corpus["key"][corpus["split"] == 2])
    assert {"greedy", "beam", "lm"} <= set(table.columns)
    rate = run.load("speech/evaluation", "s000")["metrics"]["wer_greedy"]
    assert rate["value"] > 0
    if rate["low"] is None:  # both speakers at the same rate, as networks of one epoch have it
        assert "every resample gives this value" in rate["reason"]
    else:
        assert rate["low"] <= rate["value"] <= rate["high"]


def test_the_comparison_and_the_report_show_what_was_trained_and_let_it_be_heard(
    run: Any, tmp_path: Path
) -> None:
    done = run.faint("compare", "speech")
    assert done.returncode == 0, done.stderr
    assert all(model in done.stdout for model in MODELS)
    done = run.faint("report", "speech", "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "speech" / "index.html").read_text()
    assert "<audio" in page
    assert "data:image/png;base64," in page  # a spectrogram


def test_a_decoders_setting_makes_no_network_stale(run: Any) -> None:
    run.settings.write_text(SETTINGS.replace("weights = [1.0]", "weights = [1.0, 2.0]"))
    stale = run.json("plan", REST)["stale"]
    run.settings.write_text(SETTINGS)
    certain = {(item["asset"], item["partition"]) for item in stale if item["certain"]}
    assert certain == {("speech/decoder", model) for model in MODELS}
    perhaps = {item["asset"] for item in stale if not item["certain"]}
    assert "speech/transcripts" in perhaps
    assert not perhaps & {"speech/network", "speech/history", "speech/language_model"}


def test_fewer_cepstra_retrain_the_model_that_hears_them_and_none_that_hears_spectrograms(
    run: Any,
) -> None:
    run.settings.write_text(f'{SETTINGS}["speech/cepstra"]\ncoefficients = 13\n')
    done = rebuilt(run)
    shape = run.load("speech/architecture", "s000")["output_shapes"][0]["shape"]
    run.settings.write_text(SETTINGS)
    back = rebuilt(run)
    models = {f"speech/architecture[{model}]" for model in MODELS}  # one setting for them all
    features = {f"speech/cepstra[{split}]" for split in SPLITS}
    features |= {f"speech/scaled[mfcc_{split}]" for split in SPLITS}
    looked_at = {f"speech/scaled[spectrogram_{split}]" for split in SPLITS}  # come out as they were
    heard = {f"speech/{name}[s000]" for name in FAMILY}
    below = {f"speech/study_comparison[{study}]" for study in ("parts", "features")}
    below |= {"speech/scaling", "speech/comparison", "speech/report"}
    assert done["materialized"] == models | features | looked_at | heard | below
    assert done["restored"] == set()
    assert shape[-1] == 13
    assert back == {"materialized": set(), "restored": done["materialized"]}


def test_a_larger_test_set_trains_nothing(run: Any) -> None:
    run.settings.write_text(SETTINGS.replace("test = 8", "test = 9"))
    larger = run.json("rebuild", REST)
    tested = len(run.load("speech/transcripts", "swift"))
    run.settings.write_text(SETTINGS)
    before = run.json("rebuild", REST)
    assert larger["failed"] == []
    assert tested == 9
    data = {f"speech/{name}" for name in ("audio", "corpus", "unspoken", "tally", "splits")}
    features = {f"speech/{n}[{s}]" for n in ("utterances", "frames", "cepstra") for s in SPLITS}
    scaled = {f"speech/scaled[{kind}_test]" for kind in ("spectrogram", "mfcc")}
    heard = {f"speech/{n}[{model}]" for n in ("transcripts", "evaluation") for model in MODELS}
    studies = {f"speech/study_comparison[{study}]" for study in ("parts", "features", "final")}
    below = {"speech/comparison", "speech/report"}
    assert set(larger["materialized"]) == data | features | scaled | heard | studies | below
    assert set(before["restored"]) == set(larger["materialized"])


def test_a_study_of_which_nothing_is_trained_says_so(run: Any) -> None:
    assert run.load("speech/study_comparison", "merges")["trained"] == []
    assert run.load("speech/study_comparison", "parts")["trained"] == ["s000"]
    assert set(run.load("speech/comparison")["studies"]) == set(STUDIES)


def test_new_recordings_are_transcribed_with_subtitles_and_how_often_models_err(
    run: Any, tmp_path: Path
) -> None:
    import soundfile

    heard = run.load("speech/audio")["sample"][: 8 * RATE]
    for name, rate in (("two folders/a/talk ü.wav", RATE), ("two folders/b/talk ü.flac", 8000)):
        (tmp_path / name).parent.mkdir(parents=True)
        soundfile.write(tmp_path / name, heard[:: RATE // rate], rate)
    (tmp_path / "two folders" / "no sound.wav").write_text("text")
    to = tmp_path / "to"
    done = run.faint("detect", "speech", str(tmp_path / "two folders"), "--json", "--to", str(to))
    assert done.returncode == 1
    assert "skipped no sound: " in done.stderr
    assert "Models: s000, swift. Trained on: corpus, source simulated." in done.stderr
    found = json.loads(done.stdout)
    assert found["notes"]["b/talk ü"] == ["Its 8000 samples a second were resampled to 16000."]
    verdicts = found["verdicts"]
    assert {v["model"] for v in verdicts} == set(MODELS)
    assert {v["recording"] for v in verdicts} == {"a/talk ü", "b/talk ü"}
    for verdict in verdicts:
        assert verdict["error_rates"]["word_error_rate"]["value"] > 0.5
        assert verdict["warnings"][0].startswith("most words are likely wrong: ")
        assert verdict["warnings"][1].startswith("trained on synthetic voices alone: ")
        slow = verdict["recording"] == "b/talk ü"
        assert ("sample rate of 8000 Hz: trained on 16000 Hz" in verdict["warnings"]) == slow
    assert (to / "a" / "talk ü" / "index.html").is_file()
    transcripts = to / "b" / "talk ü" / "transcripts"
    assert {file.name for file in transcripts.iterdir()} == {
        f"{model}.{kind}" for model in MODELS for kind in ("txt", "json", "srt", "vtt")
    }


@pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy:DeprecationWarning")  # MLflow's
def test_every_training_is_in_mlflow_with_its_error_rates(run: Any) -> None:
    _, runs = run.trainings("speech")
    assert set(runs) == set(MODELS)
    assert all("test wer_greedy" in found.data.metrics for found in runs.values())


def test_a_recording_in_the_inbox_is_read_once_and_transcribed_anew_by_retrained_networks(
    run: Any, tmp_path: Path
) -> None:
    import soundfile

    heard = run.load("speech/audio")["sample"][: 5 * RATE]
    soundfile.write(tmp_path / "talk.wav", heard, RATE)
    inbox = f'{SETTINGS}["speech/recording"]\nfolder = "{tmp_path}"\n'
    run.settings.write_text(inbox)
    run.add_partitions("speech_recordings", ["talk"])
    parts = ("recording", "readings", "verdicts", "sheet")
    built = set(run.json("rebuild", REST)["materialized"])
    assert built == {*(f"speech/{part}[talk]" for part in parts), "speech/catalogue"}
    said = json.loads(run.faint("detect", "speech", str(tmp_path), "--json").stdout)["verdicts"]
    assert run.load("speech/verdicts", "talk") == said
    assert "transcripts/swift.srt" in run.load("speech/sheet", "talk")
    run.settings.write_text(inbox.replace("epochs = 1", "epochs = 1\nmasks = 2"))
    stale = run.json("plan", REST)["stale"]
    run.settings.write_text(SETTINGS)
    certain = {(item["asset"], item["partition"]) for item in stale if item["certain"]}
    trained = {(f"speech/{name}", model) for name in ("network", "history") for model in MODELS}
    assert certain == trained
    perhaps = {item["asset"] for item in stale if not item["certain"]}
    assert {"speech/verdicts", "speech/sheet", "speech/catalogue"} <= perhaps
    assert not perhaps & {"speech/recording", "speech/readings"}

"""The whole exoplanet graph once, at a toy size, through the command that users run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestration.store import Slot

ROOT = Path(__file__).resolve().parents[3]
SPLITS = ("train", "validation", "test")
FEATURES = ("scaled", "spectra", "candidates")
MODELS = ("random_forest", "fft_lstm", "cnn", "composite", "vetting")

SETTINGS = """
["exoplanets/curves"]
train = 120
train_planets = 30
test = 40
test_planets = 10
["exoplanets/cnn_network"]
first_epochs = 1
second_epochs = 1
steps = 2
["exoplanets/fft_lstm_network"]
first_epochs = 1
steps = 1
batch = 4
["exoplanets/composite_network"]
first_epochs = 1
second_epochs = 0
steps = 1
batch = 4
["exoplanets/*_evaluation"]
resamples = 100
["exoplanets/vetting_cross_validation"]
folds = 3
repeats = 1
["exoplanets/transit_search"]
period_min = 2.0
period_max = 6.0
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, new_run: Any) -> Any:
    run = new_run(tmp_path_factory.mktemp("exoplanets"), SETTINGS)
    outcome = run.json("rebuild", "group:exoplanets")
    assert outcome["failed"] == []
    assert len(outcome["materialized"]) == 45
    return run


def test_every_file_read_below_models_counts_for_its_stage(run: Any) -> None:
    assert run.uncounted() == set()


def test_a_second_rebuild_runs_nothing(run: Any) -> None:
    assert run.json("rebuild", "group:exoplanets")["materialized"] == []
    assert run.json("plan", "group:exoplanets")["stale"] == []


def test_nothing_in_the_store_is_a_pickle(run: Any) -> None:
    assert run.stored_kinds() <= {".h5", ".parquet", ".json", ".keras", ".skops", ".zip", ".png"}
    assert run.pickles() == []


def test_every_result_could_be_drawn(run: Any) -> None:
    assert run.undrawn() == {}


def test_the_comparison_lists_five_models_ours_beside_the_published(run: Any) -> None:
    done = run.faint("compare", "exoplanets")
    assert done.returncode == 0, done.stderr
    for model in MODELS:
        assert model in done.stdout
    assert done.stdout.count("published") >= 4


def test_the_report_is_written_with_its_charts_and_a_page_for_each_star_worth_a_look(
    run: Any, tmp_path: Path
) -> None:
    done = run.faint("report", "exoplanets", "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "exoplanets" / "index.html").read_text()
    assert page.count('<figure class="chart') > 20
    assert "HAT-P-7" not in page or "KIC 10666592" in page
    text = (tmp_path / "exoplanets" / "report.md").read_text()
    assert "KIC 10666592" in text
    files = [path for path in (tmp_path / "exoplanets").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 5_000_000
    stars = list((tmp_path / "exoplanets" / "examples").glob("*.html"))
    assert len(stars) > 5
    assert all(f'href="examples/{path.name}"' in page for path in stars)


def test_one_models_setting_makes_only_that_model_stale(run: Any) -> None:
    run.settings.write_text(SETTINGS.replace("second_epochs = 1", "second_epochs = 2"))
    stale = run.json("plan", "group:exoplanets")["stale"]
    certain = {item["asset"] for item in stale if item["certain"]}
    assert certain == {"exoplanets/cnn_network", "exoplanets/cnn_history"}
    assert stale[0]["reasons"][0]["kind"] == "config"
    assert {item["asset"] for item in stale} - certain == {
        *(f"exoplanets/cnn_{name}" for name in ("threshold", "evaluation", "predictions")),
        *("exoplanets/comparison", "exoplanets/report"),
    }
    run.settings.write_text(SETTINGS)
    assert run.json("plan", "group:exoplanets")["stale"] == []


def test_a_larger_test_set_trains_nothing(run: Any) -> None:
    run.settings.write_text(SETTINGS.replace("test = 40", "test = 44"))
    larger = run.json("rebuild", "group:exoplanets")
    tested = len(run.load("exoplanets/cnn_predictions"))
    run.settings.write_text(SETTINGS)
    before = run.json("rebuild", "group:exoplanets")
    assert tested == 44
    assert set(larger["materialized"]) == {
        *("exoplanets/curves", "exoplanets/splits"),
        *(f"exoplanets/{name}[{split}]" for name in FEATURES for split in SPLITS),
        *(
            f"exoplanets/{model}_{name}"
            for name in ("predictions", "evaluation")
            for model in MODELS
        ),
        *("exoplanets/vetting_cross_validation", "exoplanets/vetting_permuted_control"),
        *("exoplanets/training_range", "exoplanets/comparison", "exoplanets/report"),
    }
    assert set(before["restored"]) == set(larger["materialized"])


def test_a_retrained_network_gives_its_verdicts_on_recordings_anew(
    run: Any, tmp_path: Path
) -> None:
    days = np.arange(0, 30, 0.02043)
    light = 1 + 1e-4 * np.random.default_rng(1).normal(size=days.size)
    table = np.column_stack([days, light])
    np.savetxt(tmp_path / "star.csv", table, delimiter=",", header="time,flux", comments="")
    longer = SETTINGS.replace("second_epochs = 1", "second_epochs = 2")
    arrived, anew = run.with_recording("exoplanets", tmp_path, "star", SETTINGS, longer)
    below = {f"exoplanets/{name}[star]" for name in ("verdicts", "sheet")} | {
        "exoplanets/catalogue"
    }
    assert arrived == below | {f"exoplanets/{name}[star]" for name in ("recording", "readings")}
    ours = ("network", "history", "threshold", "predictions", "evaluation")
    assert anew == below | {f"exoplanets/cnn_{name}" for name in ours}


def test_bad_input_is_named_and_what_was_stored_is_kept(run: Any, tmp_path: Path) -> None:
    bad = tmp_path / "exoTrain.csv"
    bad.write_text("LABEL," + ",".join(f"FLUX.{k}" for k in range(1, 3198)) + "\n3,1.0\n")
    run.settings.write_text(
        SETTINGS.replace(
            '["exoplanets/curves"]', f'["exoplanets/curves"]\nsource = "files"\npath = "{bad}"'
        )
    )
    done = run.faint("rebuild", "exoplanets/curves")
    assert done.returncode == 1
    assert "exoTrain.csv" in done.stderr
    assert "row 1" in done.stderr
    run.settings.write_text(SETTINGS)
    assert run.json("plan", "group:exoplanets")["stale"] == []


@pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy:DeprecationWarning")  # MLflow's
def test_every_training_is_in_mlflow(run: Any) -> None:
    client, runs = run.trainings("exoplanets")
    assert set(runs) == set(MODELS)
    assert runs["cnn"].data.params["steps"] == "2"
    tags = runs["cnn"].data.tags
    assert tags["dagster.asset"] == "exoplanets/cnn_network"
    name = f"exoplanets/cnn_network {tags['dagster.run_id'][:8]}"
    assert runs["cnn"].info.run_name == name
    assert "(http://127.0.0.1:3000/assets/exoplanets/cnn_network)" in tags["mlflow.note.content"]
    assert run.store().current(Slot("exoplanets/cnn_network")).run == tags["dagster.run_id"]
    assert len(client.get_metric_history(runs["cnn"].info.run_id, "val_loss")) == 2

"""The gravitational-wave graph at a toy size, through the command that users run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pytest

from models.sampling import SPLITS

ROOT = Path(__file__).resolve().parents[3]
MODELS = ("shallow_cnn", "deep_cnn", "linear_svc", "recurrent", "gan", "upgrade")
NETWORKS = tuple(model for model in MODELS if model != "linear_svc")

SMALL = """
["gravitational_waves/examples"]
injections = 8
trials = 12
["gravitational_waves/*_evaluation"]
resamples = 100
""" + "".join(f'["gravitational_waves/{model}_network"]\nepochs = 1\n' for model in NETWORKS)

MADE = """
["gravitational_waves/images"]
train = 40
train_chirps = 10
validation = 16
validation_chirps = 5
test = 16
test_chirps = 5
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, new_run: Any) -> Any:
    run = new_run(tmp_path_factory.mktemp("gravitational_waves"), MADE + SMALL)
    outcome = run.json("rebuild", "group:gravitational_waves")
    assert outcome["failed"] == []
    # Images, classes, splits, scaling; examples, columns and pixels of three splits and two sets of
    # simulated chirps; per network 6 (architecture to evaluation), of the SVC 4; comparison,
    # report, training range and catalogue.
    assert len(outcome["materialized"]) == 4 + 3 * 5 + 5 * 6 + 4 + 4
    return run


def test_every_file_read_below_models_counts_for_its_stage(run: Any) -> None:
    assert run.uncounted() == set()


def test_a_second_rebuild_runs_nothing(run: Any) -> None:
    assert run.json("rebuild", "group:gravitational_waves")["materialized"] == []
    assert run.json("plan", "group:gravitational_waves")["stale"] == []


def test_nothing_in_the_store_is_a_pickle(run: Any) -> None:
    assert run.stored_kinds() <= {".h5", ".parquet", ".json", ".keras", ".skops", ".zip", ".png"}
    assert run.pickles() == []


def test_every_result_could_be_drawn(run: Any) -> None:
    assert run.undrawn() == {}


def test_the_comparison_and_the_report_say_what_was_found(run: Any, tmp_path: Path) -> None:
    done = run.faint("compare", "gravitational_waves")
    assert done.returncode == 0, done.stderr
    assert all(model in done.stdout for model in MODELS)
    assert done.stdout.count("published") >= 2
    assert "9 of 10" in done.stdout
    assert "The study's finding" in done.stdout
    assert "97.1 %" in done.stdout
    done = run.faint("report", "gravitational_waves", "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "gravitational_waves" / "index.html").read_text()
    assert page.count('<figure class="chart') == 1 + 6 * 4 + 2 * 5
    assert "Flagged as chirps" in page


def test_validation_test_and_simulated_chirps_are_scored(run: Any) -> None:
    table = run.load("gravitational_waves/upgrade_predictions")
    assert table["split"].tolist() == ["validation"] * 16 + ["test"] * 16
    assert table["id"].tolist()[15:17] == ["validation-000015", "test-000000"]
    assert int(table["chirp"].sum()) == 10
    by_snr = run.load("gravitational_waves/upgrade_evaluation")["by_snr"]
    assert sum(each["count"] for each in by_snr) == 12


def test_a_larger_test_set_is_scored_and_retrains_nothing(run: Any) -> None:
    run.settings.write_text(MADE.replace("test = 16", "test = 20") + SMALL)
    outcome = run.json("rebuild", "group:gravitational_waves")
    evaluation = run.load("gravitational_waves/gan_evaluation")
    run.settings.write_text(MADE + SMALL)
    assert outcome["failed"] == []
    names = {
        *("images", "classes", "splits", "comparison", "report"),
        *(f"examples[{name}]" for name in (*SPLITS, "injections", "trials")),
        *("columns[test]", "pixels[test]"),
        *(f"{model}_{name}" for model in MODELS for name in ("predictions", "evaluation")),
    }
    assert set(outcome["materialized"]) == {f"gravitational_waves/{name}" for name in names}
    assert evaluation["rows"] == 20
    assert run.json("rebuild", "group:gravitational_waves")["materialized"] == []


def test_one_models_setting_makes_only_that_model_stale(run: Any) -> None:
    changed = SMALL.replace(
        '["gravitational_waves/gan_network"]\nepochs = 1',
        '["gravitational_waves/gan_network"]\nepochs = 2',
    )
    run.settings.write_text(MADE + changed)
    stale = run.json("plan", "group:gravitational_waves")["stale"]
    run.settings.write_text(MADE + SMALL)
    certain = {item["asset"] for item in stale if item["certain"]}
    own = "gravitational_waves/gan"
    assert certain == {f"{own}_network", f"{own}_history"}
    assert {item["asset"] for item in stale} - certain == {
        *(f"{own}_{name}" for name in ("threshold", "predictions", "evaluation")),
        *("gravitational_waves/comparison", "gravitational_waves/report"),
    }


@pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy:DeprecationWarning")  # MLflow's
def test_every_training_is_in_mlflow(run: Any) -> None:
    client, runs = run.trainings("gravitational_waves")
    assert set(runs) == set(MODELS)
    assert len(client.get_metric_history(runs["gan"].info.run_id, "generated")) == 1
    assert all("test average_precision" in found.data.metrics for found in runs.values())


def test_the_same_assets_learn_every_class(run: Any) -> None:
    """Only what is asked changes: the images are not made again."""
    asked = '["gravitational_waves/classes"]\ntask = "classes"\n'
    run.settings.write_text(MADE + SMALL + asked)
    some = ("deep_cnn", "linear_svc", "gan")
    selection = " or ".join(f'+key:"gravitational_waves/{model}_evaluation"' for model in some)
    outcome = run.json("rebuild", selection)
    run.settings.write_text(MADE + SMALL)
    assert outcome["failed"] == []
    assert "gravitational_waves/classes" in outcome["materialized"]
    assert "gravitational_waves/images" not in outcome["materialized"]
    names = run.load("gravitational_waves/classes")["names"]
    for model in some:
        evaluation = run.load(f"gravitational_waves/{model}_evaluation")
        assert 0 <= evaluation["metrics"]["macro_f1"]["value"] <= 1
        accuracy = evaluation["metrics"]["class_accuracy"]
        assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
        assert sum(sum(row.values()) for row in evaluation["confusion"].values()) == 16
        assert set(run.load(f"gravitational_waves/{model}_predictions")["predicted"]) <= set(names)
    assert run.load("gravitational_waves/deep_cnn_architecture")["output_shapes"][-1]["shape"] == [
        len(names)
    ]


def test_120_real_spectrograms_run_through_the_same_graph(
    shared: Path, new_run: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Blip against the rest, as there is no chirp among them; two models, to be quick."""
    file = shared / "data" / "gravity_spy" / "gravityspy_mini_v1d1_layout.h5"
    source = f'["gravitational_waves/images"]\nsource = "files"\npath = "{file}"\n'
    source += "official_split = false\n"  # none of them is for validation
    asked = '["gravitational_waves/classes"]\npositive = "Blip"\n'
    own = new_run(
        tmp_path_factory.mktemp("real"),
        source
        + asked
        + SMALL.replace('upgrade_network"]\nepochs = 1', 'upgrade_network"]\nepochs = 8'),
    )
    models = ("linear_svc", "upgrade")
    selection = " or ".join(f'+key:"gravitational_waves/{model}_evaluation"' for model in models)
    assert own.json("rebuild", selection)["failed"] == []
    split = own.load("gravitational_waves/splits")["split"][:]
    assert [int((split == code).sum()) for code in range(3)] == [84, 18, 18]
    for model in models:
        evaluation = own.load(f"gravitational_waves/{model}_evaluation")
        assert evaluation["counts"]["actual"] == 9
        assert evaluation["metrics"]["roc_auc"]["value"] > 0.8
        assert evaluation["by_snr"] == []


def test_a_retrained_network_gives_its_verdicts_on_recordings_anew(
    run: Any, tmp_path: Path
) -> None:
    """An image of the test set, as Gravity Spy's file has it."""
    image = run.load("gravitational_waves/examples", "test")["image"][:1]
    with h5py.File(tmp_path / "new.h5", "w") as file:
        file["Blip/test/a/0.5.png"] = image
    settings, own = MADE + SMALL, '["gravitational_waves/shallow_cnn_network"]\nepochs = '
    arrived, anew = run.with_recording(
        "gravitational_waves", tmp_path, "new", settings, settings.replace(own + "1", own + "2")
    )
    system = "gravitational_waves"
    below = {f"{system}/catalogue", f"{system}/verdicts[new]", f"{system}/sheet[new]"}
    assert arrived == below | {f"{system}/recording[new]", f"{system}/readings[new]"}
    trained = ("network", "history", "threshold", "predictions", "evaluation")
    assert anew == below | {f"{system}/shallow_cnn_{name}" for name in trained}

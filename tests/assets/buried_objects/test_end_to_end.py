"""The buried-object graph at a toy size, through the command that users run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.buried_objects.detection.radar_files import write_dzt

MODELS = ("rnn1", "convrnn1")

SETTINGS = """
["buried_objects/scans"]
scans = 24
["buried_objects/splits"]
parts = 3
["buried_objects/examples"]
per_scan = 1
["buried_objects/models"]
trained = ["rnn1", "convrnn1"]
["buried_objects/network"]
epochs = 1
["buried_objects/upgrade_network"]
epochs = 2
["buried_objects/order_study"]
network = "rnn1"
epochs = 1
["buried_objects/*_evaluation"]
resamples = 100
"""

EVERY = 40
"""After so many requests one goes wrong."""

SPLITS = ("train", "validation", "test")

FAMILY = ("architecture", "network", "history", "threshold", "predictions", "evaluation")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, new_run: Any) -> Any:
    run = new_run(tmp_path_factory.mktemp("buried_objects"), SETTINGS)
    outcome = run.json("rebuild", "group:buried_objects")
    assert outcome["failed"] == []
    built = set(outcome["materialized"])
    assert {f"buried_objects/{name}[{model}]" for name in FAMILY for model in MODELS} <= built
    assert {f"buried_objects/{n}" for n in ("order_study", "comparison", "report")} <= built
    assert run.failed_runs() == []
    return run


def test_every_file_read_below_models_counts_for_its_stage(run: Any) -> None:
    assert run.uncounted() == set()


def test_a_second_rebuild_runs_nothing(run: Any) -> None:
    assert run.json("rebuild", "group:buried_objects")["materialized"] == []
    assert run.json("plan", "group:buried_objects")["stale"] == []


def test_nothing_in_the_store_is_a_pickle(run: Any) -> None:
    assert run.stored_kinds() <= {".h5", ".parquet", ".json", ".keras", ".zip", ".png"}
    assert run.pickles() == []


def test_every_result_could_be_drawn(run: Any) -> None:
    assert run.undrawn() == {}


def test_every_test_trace_is_evaluated_with_both_f1s(run: Any) -> None:
    scan = run.load("buried_objects/examples", "test")["scan"][:]
    for key, partition in (("buried_objects/", "rnn1"), ("buried_objects/upgrade_", None)):
        table = run.load(f"{key}predictions", partition)
        assert table["scan"].tolist() == scan.tolist()
        evaluation = run.load(f"{key}evaluation", partition)
        assert evaluation["counts"]["actual"] == int(table["label"].sum())


def test_the_comparison_and_the_report_answer_the_studys_question(run: Any, tmp_path: Path) -> None:
    done = run.faint("compare", "buried_objects")
    assert done.returncode == 0, done.stderr
    assert all(model in done.stdout for model in (*MODELS, "upgrade"))
    assert "published" in done.stdout
    finding = run.load("buried_objects/order_study")["finding"]
    assert finding in done.stdout
    done = run.faint("report", "buried_objects", "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "buried_objects" / "index.html").read_text()
    assert page.count('<figure class="chart') > 6


def test_new_lines_get_verdicts_of_what_was_trained(run: Any, tmp_path: Path) -> None:
    scan = run.load("buried_objects/scans")["ez"][:144]
    write_dzt(tmp_path / "new line.DZT", scan)
    (tmp_path / "empty.DT1").touch()
    done = run.faint(
        "detect", "buried_objects", str(tmp_path), "--json", "--to", str(tmp_path / "to")
    )
    assert done.returncode == 1
    assert f"skipped empty: {tmp_path / 'empty.DT1'}: it is empty" in done.stderr
    assert "Trained on: scans, source simulated." in done.stderr
    found = json.loads(done.stdout)["verdicts"]
    assert {verdict["model"] for verdict in found} == {*MODELS, "upgrade"}
    assert {verdict["recording"] for verdict in found} == {"new line"}
    for verdict in found:
        assert 0 <= verdict["score"] <= 1
        assert verdict["positive"] == (verdict["label"] == "over an object")
        assert verdict["error_rates"]["missed"]["value"] is not None
        assert any(text.startswith("amplitude") for text in verdict["warnings"])
    assert (tmp_path / "to" / "new line" / "index.html").is_file()


def test_the_networks_setting_leaves_the_upgrade_alone(run: Any) -> None:
    changed = SETTINGS.replace(
        '["buried_objects/network"]\nepochs = 1', '["buried_objects/network"]\nepochs = 2'
    )
    run.settings.write_text(changed)
    stale = run.json("plan", "group:buried_objects")["stale"]
    run.settings.write_text(SETTINGS)
    certain = {item["asset"] for item in stale if item["certain"]}
    assert certain == {"buried_objects/network", "buried_objects/history"}
    assert not [item for item in stale if "/upgrade_" in item["asset"]]


def test_more_scans_to_test_train_nothing(run: Any) -> None:
    more = SETTINGS.replace("scans = 24", "scans = 24\nmore_to_test = 2")
    run.settings.write_text(more)
    larger = run.json("rebuild", "group:buried_objects")
    scans = set(run.load("buried_objects/upgrade_predictions")["scan"])
    run.settings.write_text(SETTINGS)
    before = run.json("rebuild", "group:buried_objects")
    assert larger["failed"] == []
    assert {24, 25} <= scans
    assert set(larger["materialized"]) == {
        *(f"buried_objects/{name}" for name in ("scans", "labels", "scene", "splits")),
        *(f"buried_objects/examples[{split}]" for split in SPLITS),
        "buried_objects/projected[test]",
        *(f"buried_objects/{name}[{m}]" for name in ("predictions", "evaluation") for m in MODELS),
        *(f"buried_objects/upgrade_{name}" for name in ("predictions", "evaluation")),
        *(f"buried_objects/{name}" for name in ("order_study", "comparison", "report")),
    }
    assert set(before["restored"]) == set(larger["materialized"])


def test_a_scan_that_cant_be_read_is_skipped_named_and_counted(
    new_run: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    generator = np.random.default_rng(0)
    lines = ["name,radius"]
    for number in range(6):
        np.save(folder / f"scan{number}.npy", generator.normal(size=(144, 400)).astype(np.float32))
        lines.append(f"scan{number},0.1")
    (folder / "scan2.npy").write_bytes(b"torn")
    (folder / "scenes.csv").write_text("\n".join(lines) + "\n")
    own = new_run(
        tmp_path,
        f'["buried_objects/scans"]\nsource = "files"\npath = "{folder}"\nstep = 1\nretries = 0\n',
    )
    selection = " or ".join(f'key:"buried_objects/{n}"' for n in ("scans", "labels", "scene"))
    assert own.json("rebuild", selection)["failed"] == []
    scene = own.load("buried_objects/scene")
    [skipped] = scene[scene["traces"] == 0].itertuples()
    assert "scan2" in skipped.name
    assert skipped.status.startswith("skipped: ")
    assert len(own.load("buried_objects/scans")["ez"]) == 5 * 144


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's
def test_the_graph_is_built_into_a_bucket_whose_server_fails_delays_and_drops(
    run: Any, new_run: Any, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    from orchestration.store.formats import FORMATS

    remote = new_run(tmp_path, SETTINGS)
    remote.env |= s3.environment
    s3.handler.every = EVERY
    outcome = remote.json("rebuild", "group:buried_objects")
    assert outcome["failed"] == []
    local = {slot: run.store().current(slot).content for slot in run.store().slots()}
    assert sorted(outcome["materialized"]) == sorted(map(str, local))
    assert set(s3.handler.faults) == {"500", "slow", "dropped"}
    assert not (tmp_path / "state" / "store").exists()
    assert remote.json("plan", "group:buried_objects", "--verify")["stale"] == []

    # What is read back is, stored again, what the same graph leaves in a folder.
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    store = remote.store()
    try:
        for slot, content in local.items():
            record, value = store.read(slot)
            format_ = FORMATS[record.format]
            again = format_.write(value, tmp_path / f"again{format_.suffix}").content
            assert (slot, record.content, again) == (slot, content, content)
    finally:
        s3fs.S3FileSystem.clear_instance_cache()


def test_a_retrained_network_gives_its_verdicts_on_lines_anew(run: Any, tmp_path: Path) -> None:
    write_dzt(tmp_path / "line.DZT", run.load("buried_objects/scans")["ez"][:144])
    own = '["buried_objects/upgrade_network"]\nepochs = '
    assert own + "2" in SETTINGS
    arrived, anew = run.with_recording(
        "buried_objects", tmp_path, "line", SETTINGS, SETTINGS.replace(own + "2", own + "3")
    )
    system = "buried_objects"
    below = {f"{system}/catalogue", f"{system}/verdicts[line]", f"{system}/sheet[line]"}
    assert arrived == below | {f"{system}/recording[line]", f"{system}/readings[line]"}
    trained = ("network", "history", "threshold", "predictions", "evaluation")
    assert anew == below | {f"{system}/upgrade_{name}" for name in trained}

"""The solar-flare graph at a toy size, through the command that users run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models.sampling import SPLITS
from models.solar_flares.json_lines import to_json_line
from models.solar_flares.simulation import simulate

ROOT = Path(__file__).resolve().parents[3]
NAMES = (
    *("basic", "stacked", "embedding26", "embedding25", "tied_stacked"),
    *("stacked_embedding", "tied_stacked_embedding26"),
)
BUILT = ("embedding25|short", "tied_stacked_embedding26|short")

SETTINGS = """
["solar_flares/records"]
train = 480
validation = 240
test = 240
["solar_flares/network"]
steps_share = 0.02
epochs_share = 0.1
["solar_flares/*_evaluation"]
resamples = 100
"""

UPGRADE = 'key:"solar_flares/upgrade_*"'
SHARED = " or ".join(
    f'key:"solar_flares/{name}"'
    for name in (
        *("records", "tally", "splits", "chance", "scaling"),
        *("sequences", "steps", "statistics", "architecture", "training_range"),
    )
)
FAMILY = ("network", "history", "threshold", "predictions", "evaluation")
FEATURES = ("sequences", "steps", "statistics")


def stale(plan: dict[str, Any], *, certain: bool = True) -> set[str]:
    return {
        f"{item['asset'].removeprefix('solar_flares/')}[{item['partition']}]"
        if item.get("partition")
        else item["asset"].removeprefix("solar_flares/")
        for item in plan["stale"]
        if item["certain"] == certain and item["asset"].startswith("solar_flares/")
    }


def family(partitions: Sequence[str], names: Sequence[str] = FAMILY) -> set[str]:
    return {f"{name}[{partition}]" for name in names for partition in partitions}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, new_run: Any) -> Any:
    run = new_run(tmp_path_factory.mktemp("solar_flares"), SETTINGS)
    outcome = run.json("rebuild", f"({SHARED}) or {UPGRADE}")
    assert outcome["failed"] == []
    assert len(outcome["materialized"]) == 6 + len(FEATURES) * len(SPLITS) + len(NAMES) + 5
    selection = " or ".join(f'key:"solar_flares/{name}"' for name in FAMILY)
    outcome = run.json("rebuild", selection, "--partitions", ",".join(BUILT))
    assert outcome["failed"] == []
    assert len(outcome["materialized"]) == len(FAMILY) * len(BUILT)
    assert run.failed_runs() == []
    return run


def test_every_file_read_below_models_counts_for_its_stage(run: Any) -> None:
    assert run.uncounted() == set()


def test_what_was_built_is_fresh_and_the_other_partitions_are_missing(run: Any) -> None:
    others = {f"{name}|{setting}" for name in NAMES for setting in ("short", "medium", "long")}
    others -= set(BUILT)
    assert len(others) == 19
    assets = stale(run.json("plan", "group:solar_flares"))
    assert assets == family(sorted(others)) | {"comparison", "report", "catalogue"}


def test_an_evaluation_has_the_fields_measures_by_region_beside_the_published(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg

    monkeypatch.setenv("DAGSTER_HOME", str(run.folder / "state" / "dagster"))
    metadata = _metadata(run, ["solar_flares", "evaluation"], BUILT[0])
    for name in ("tss", "hss2", "frequency_bias", "brier_skill", "average_precision", "loss"):
        assert isinstance(metadata[name], dg.FloatMetadataValue), name
    assert {"reliability", "training", "ROC"} <= set(metadata)
    counts = _metadata(run, ["solar_flares", "architecture"], "embedding25")
    assert counts["parameters"].value == 5_801
    assert counts["published_parameters"].value == 6_426
    assert "shared kernel" in str(counts["difference"].value)


def test_the_published_steps_are_a_setting_and_only_they_are_read_then(run: Any) -> None:
    run.settings.write_text(SETTINGS + '["solar_flares/architecture"]\nform = "steps"\n')
    try:
        asked = ("--partitions", "embedding25")
        assert run.json("rebuild", "solar_flares/architecture", *asked)["failed"] == []
        asked = ("--partitions", BUILT[0])
        outcome = run.json("rebuild", "solar_flares/network", *asked)
        assert outcome["failed"] == []
        network = run.load("solar_flares/network", BUILT[0])
        assert network.input_shape == (None, 1, 25)
    finally:
        run.settings.write_text(SETTINGS)
    put_back = run.json("rebuild", "solar_flares/architecture", "--partitions", "embedding25")
    both = 'key:"solar_flares/network" or key:"solar_flares/history"'
    more = run.json("rebuild", both, "--partitions", BUILT[0])
    assert put_back["materialized"] == more["materialized"] == []
    assert set(put_back["restored"] + more["restored"]) == {
        "solar_flares/architecture[embedding25]",
        *(f"solar_flares/{name}[{BUILT[0]}]" for name in ("network", "history")),
    }


def test_a_larger_test_set_is_scored_and_retrains_nothing(run: Any) -> None:
    built = " or ".join(f'key:"solar_flares/{name}"' for name in FAMILY)
    shared, networks = (f"({SHARED}) or {UPGRADE}",), (built, "--partitions", ",".join(BUILT))
    run.settings.write_text(SETTINGS.replace("test = 240", "test = 264"))
    try:
        outcomes = [run.json("rebuild", *asked) for asked in (shared, networks)]
        tables = [run.load("solar_flares/predictions", name) for name in BUILT]
    finally:
        run.settings.write_text(SETTINGS)
    assert [outcome["failed"] for outcome in outcomes] == [[], []]
    assert {name.removeprefix("solar_flares/") for name in outcomes[0]["materialized"]} == {
        *("records", "tally", "splits", "chance", "scaling"),
        *(f"{name}[{split}]" for name in FEATURES for split in SPLITS),
        *("upgrade_predictions", "upgrade_evaluation", "upgrade_leaky_control"),
    }
    assert {name.removeprefix("solar_flares/") for name in outcomes[1]["materialized"]} == family(
        BUILT, ["predictions", "evaluation"]
    )
    assert [len(table) for table in tables] == [264, 264]
    put_back = [run.json("rebuild", *asked) for asked in (shared, networks)]
    assert [outcome["materialized"] for outcome in put_back] == [[], []]


def test_new_recordings_get_verdicts_of_what_was_trained(run: Any, tmp_path: Path) -> None:
    block = next(iter(simulate({1: 1}, seed=5, per_region=1)))
    (tmp_path / "new region.json").write_text(to_json_line(block, 0))
    (tmp_path / "empty.csv").touch()
    done = run.faint(
        "detect", "solar_flares", str(tmp_path), "--json", "--to", str(tmp_path / "to")
    )
    assert done.returncode == 1
    assert f"skipped empty: {tmp_path / 'empty.csv'}: it is empty" in done.stderr
    assert "Trained on: records, source simulated." in done.stderr
    found = json.loads(done.stdout)["verdicts"]
    assert {verdict["model"] for verdict in found} == {*BUILT, "upgrade"}
    assert {verdict["recording"] for verdict in found} == {"new region"}
    for verdict in found:
        assert 0 <= verdict["score"] <= 1
        assert verdict["positive"] == (verdict["score"] >= verdict["threshold"])
        assert verdict["error_rates"]["missed"]["value"] is not None
    assert (tmp_path / "to" / "new region" / "index.html").is_file()


def test_a_retrained_upgrade_makes_its_verdicts_stale_and_no_readings(
    run: Any, tmp_path: Path
) -> None:
    """By the plan: verdicts need all 21 networks, of which two are built here."""
    block = next(iter(simulate({1: 1}, seed=5, per_region=1)))
    (tmp_path / "region.json").write_text(to_json_line(block, 0))
    inbox = f'{SETTINGS}["solar_flares/recording"]\nfolder = "{tmp_path}"\n'
    run.settings.write_text(inbox)
    run.add_partitions("solar_flares_recordings", ["region"])
    selection = 'key:"solar_flares/recording" or key:"solar_flares/readings"'
    arrived = run.json("rebuild", selection)["materialized"]
    run.settings.write_text(f'{inbox}["solar_flares/upgrade_estimator"]\nseed = 5\n')
    plan = run.json("plan", "group:solar_flares")
    run.settings.write_text(SETTINGS)
    run.remove_partition("solar_flares_recordings", "region")
    assert set(arrived) == {f"solar_flares/{k}[region]" for k in ("recording", "readings")}
    assert "upgrade_estimator" in stale(plan)
    assert not stale(plan, certain=False) & {"recording[region]", "readings[region]"}
    assert {"verdicts[region]", "sheet[region]"} <= stale(plan) | stale(plan, certain=False)


@pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy:DeprecationWarning")  # MLflow's
def test_both_trainings_are_in_mlflow_with_their_settings_and_curves(run: Any) -> None:
    client, runs = run.trainings("solar_flares")
    assert set(runs) == {"upgrade", *(name.replace("|", " ") for name in BUILT)}
    one = runs["embedding25 short"]
    assert one.data.params["flare_weight"] == "5.0"
    assert one.data.params["architecture"] == "embedding25"
    assert len(client.get_metric_history(one.info.run_id, "val_recall")) == 1
    assert -1 <= one.data.metrics["test tss"] <= 1
    [artifact] = client.list_artifacts(one.info.run_id, "model")
    assert artifact.path == "model/model.keras"
    assert artifact.file_size > 10_000
    [artifact] = client.list_artifacts(runs["upgrade"].info.run_id, "model")
    assert artifact.path == "model/model.skops"


def test_nothing_in_the_store_is_a_pickle(run: Any) -> None:
    assert run.stored_kinds() <= {".h5", ".parquet", ".json", ".keras", ".skops", ".zip", ".png"}
    assert run.pickles() == []


def test_every_result_could_be_drawn(run: Any) -> None:
    assert run.undrawn() == {}


def test_a_change_of_one_architecture_makes_its_three_networks_stale(
    run: Any, tmp_path: Path
) -> None:
    """Edit a dropout in a copy of the code: the other networks come out as they were."""
    for name in ("assets", "models", "orchestration"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "models" / "solar_flares" / "networks.py"
    text = path.read_text()
    edited = text.replace('"embedding25": Design(', '"embedding25": Design(\n        dropout=0.1,')
    assert edited != text
    before = stale(run.json("plan", "group:solar_flares", root=tmp_path))
    path.write_text(edited)
    assert stale(run.json("plan", "group:solar_flares", root=tmp_path)) - before == {
        f"architecture[{name}]" for name in NAMES
    }
    run.json("rebuild", 'key:"solar_flares/architecture"', root=tmp_path)
    plan = run.json("plan", "group:solar_flares", root=tmp_path)
    assert stale(plan) - before == family([BUILT[0]], ["network", "history"])
    assert stale(plan, certain=False) == family([BUILT[0]]) - family(
        [BUILT[0]], ["network", "history"]
    )


def test_twelve_real_series_are_read_to_their_features(
    shared: Path, new_run: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As far as twelve records go: two of three splits would be without a flare."""
    run = new_run(tmp_path_factory.mktemp("series"))
    folder = shared / "data" / "solar_flares"
    source = '["solar_flares/records"]\nsource = "files"\ntrain_fraction = 1.0\npath = '
    for path, regions in ((folder / "swan_sf", True), (folder / LINES, False)):
        run.settings.write_text(f'{source}"{path}"\n')
        done = run.json("rebuild", 'key:"solar_flares/records" or key:"solar_flares/tally"')
        assert done["failed"] == []
        stored = run.load("solar_flares/records")
        assert stored["values"].shape == (12, 60, 25)
        assert int(stored["label"][:].sum()) > 0
        assert (len(set(stored["region"][:].tolist())) < 12) == regions
    seed = '["solar_flares/splits"]\nvalidation = 0.34\ntest = 0.33\n'
    run.settings.write_text(f'{source}"{folder / LINES}"\n{seed}')
    rest = ("splits", "chance", "scaling", "sequences", "steps", "statistics")
    selection = " or ".join(f'key:"solar_flares/{name}"' for name in rest)
    assert run.json("rebuild", selection)["failed"] == []
    sequences, statistics = (
        [run.load(f"solar_flares/{name}", split)["values"].shape for split in SPLITS]
        for name in ("sequences", "statistics")
    )
    assert sum(shape[0] for shape in sequences) == 12
    assert {shape[1:] for shape in sequences} == {(60, 25)}
    assert statistics == [(shape[0], 200) for shape in sequences]


LINES = "swan_mvts_12_kaggle_layout.json"


def test_a_broken_line_is_named_and_can_be_skipped(new_run: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"  # apart from the state, which grows while it is read
    data.mkdir()
    bad = data / "fold1Training.json"
    values = {name: {str(k): 1.0 for k in range(60)} for name in _parameters()}
    good = [json.dumps({"id": k, "classNum": k % 2, "values": values}) for k in range(200)]
    bad.write_text("\n".join([*good[:2], '{"id": 3, "classNum": 7}', *good[2:]]) + "\n")
    source = f'source = "files"\ntrain_fraction = 1.0\npath = "{data}"'
    own = new_run(tmp_path)
    own.settings.write_text(f'["solar_flares/records"]\n{source}\n')
    selection = 'key:"solar_flares/records" or key:"solar_flares/tally"'
    done = own.faint("rebuild", selection)
    assert done.returncode == 1
    assert "fold1Training.json" in done.stderr
    assert "line 3" in done.stderr
    own.settings.write_text(f'["solar_flares/records"]\n{source}\non_bad = "skip"\n')
    assert own.json("rebuild", selection)["failed"] == []
    tally = own.load("solar_flares/tally")["fold 1"]
    assert (tally["lines"], tally["records"], tally["bad"]) == (201, 200, 1)
    assert tally["bad_lines"][0].startswith("fold1Training.json, line 3: ")


def _parameters() -> tuple[str, ...]:
    from models.solar_flares.records import PARAMETERS

    return PARAMETERS


def _metadata(run: Any, key: list[str], partition: str) -> dict[str, Any]:
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(dg.AssetKey(key), asset_partitions=[partition]), limit=1
        ).records
    assert records[0].asset_materialization is not None
    return dict(records[0].asset_materialization.metadata)

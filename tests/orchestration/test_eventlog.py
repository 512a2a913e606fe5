"""Dagster's local storage as the `dagster.yaml` we write names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from orchestration.eventlog import EventLog, PrintedLogs, RunStorage
from orchestration.project import DAGSTER_YAML

SYNCHRONOUS_NORMAL = 1


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML.replace("SOURCES", "toy"))
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_a_home_of_ours_uses_the_quick_storage(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_storage, RunStorage)
    assert isinstance(instance.compute_log_manager, PrintedLogs)
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    with log.index_connection() as first, log.run_connection() as second:
        assert first.engine is second.engine
        setting = first.exec_driver_sql("PRAGMA synchronous").scalar()
    assert setting == SYNCHRONOUS_NORMAL


def test_a_run_is_logged_and_what_it_prints_goes_to_a_file(
    instance: dg.DagsterInstance, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    @dg.asset
    def curves() -> None:
        print("a line of the stage")

    result = dg.materialize([curves], instance=instance)
    assert result.success
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert instance.get_latest_materialization_event(dg.AssetKey("curves")) is not None
    assert "a line of the stage" not in capfd.readouterr().out
    assert [path.read_text() for path in tmp_path.rglob("*.out")] == ["a line of the stage\n"]

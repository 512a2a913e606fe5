"""Dagster's local storage at a fraction of its cost a stage; named in the `dagster.yaml` we write.

Dagster logs some ten events a stage. Its SQLite storage makes an engine and a connection for each
statement, so that every statement is compiled anew, and waits for the disk at every commit; its log
capture starts four processes a run to copy what a stage prints to the terminal. These subclasses of
Dagster's public storage classes keep one engine, don't wait for the disk, and let what stages print
go to the web UI only. In write-ahead mode, which Dagster uses, `synchronous=NORMAL` can't corrupt
the log and loses nothing when a process is killed; a power cut may lose the latest events, which
the next rebuild reports to Dagster again from the store.

This is the one place that imports from `dagster._core`: Dagster offers these classes by that path.
A home with another `dagster.yaml` works as well, only slower.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.event_log.polling_event_watcher import SqlPollingEventWatcher
from dagster._core.storage.local_compute_log_manager import (
    IO_TYPE_EXTENSION,
    LocalComputeLogManager,
)
from dagster._core.storage.runs import SqliteRunStorage
from sqlalchemy import Connection, Engine, create_engine, event

BUSY_SECONDS = 30
Tags = Mapping[str, str] | None


def _json(column: str) -> str:
    """A column of JSON as SQLite takes it: Dagster writes NaN and Infinity as Python does."""
    for number in ("-Infinity", "Infinity", "NaN"):
        column = f"replace({column}, '{number}', 'null')"
    return column


_TAGS = "dagster_event.event_specific_data.materialization.tags"
LATEST_TAGS = f"""
SELECT asset_key, asset_details,
    last_materialization IS NOT NULL OR EXISTS (
        SELECT 1 FROM event_logs AS e WHERE e.asset_key = k.asset_key
        AND e.dagster_event_type = 'ASSET_MATERIALIZATION'),
    json_extract({_json("last_materialization")}, '$.event_log_entry.{_TAGS}')
FROM asset_keys AS k
"""
TAGS_BY_ID = (
    f"SELECT partition, json_extract({_json('event')}, '$.{_TAGS}') FROM event_logs WHERE id = ?"
)


class EventLog(ConsolidatedSqliteEventLogStorage):
    """One SQLite event log for all runs, over one engine."""

    @property
    def path(self) -> Path:
        """The file it is in."""
        return Path(str(self.get_db_path()))  # type: ignore[no-untyped-call]

    @cached_property
    def _engine(self) -> Engine:
        return _kept_engine(self._conn_string)

    @cached_property
    def _tables(self) -> dict[str, bool]:
        return {}

    @contextmanager
    def run_connection(self, run_id: str | None = None) -> Iterator[Connection]:
        """Open a connection for a run's events."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def index_connection(self) -> Iterator[Connection]:
        """Open a connection for the index of assets."""
        with self._engine.begin() as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether a table is there; one that is there stays."""
        if not self._tables.get(table_name):
            self._tables[table_name] = bool(super().has_table(table_name))
        return self._tables[table_name]

    def latest_tags(self, assets: Iterable[dg.AssetKey]) -> dict[dg.AssetKey, Tags]:
        """Tags of the latest materialisation of assets without partitions; None of one without any.

        Read out of the stored JSON in the database: to make Dagster's objects of all of them takes
        30 times as long. Assets that must be asked of Dagster (once wiped) are left out.
        """
        wanted = {key.to_string(): key for key in assets}
        found: dict[dg.AssetKey, Tags] = dict.fromkeys(wanted.values())
        with self.index_connection() as connection:
            for name, wiped, logged, tags in connection.exec_driver_sql(LATEST_TAGS):
                if name not in wanted:
                    continue
                if wiped is None and (tags or not logged):
                    found[wanted[name]] = json.loads(tags) if tags else None
                else:
                    del found[wanted[name]]
        return found

    def tags_of(self, ids: Iterable[int]) -> Iterator[tuple[str | None, Tags]]:
        """Partition and tags of materialisations, by their ids."""
        with self.index_connection() as connection:
            for each in ids:
                for partition, tags in connection.exec_driver_sql(TAGS_BY_ID, (each,)):
                    yield partition, json.loads(tags) if tags else None

    @cached_property
    def _watcher(self) -> SqlPollingEventWatcher:
        return SqlPollingEventWatcher(self)

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        """Call ``callback`` with a run's new events, for the web UI.

        Polls, since watching the file misses what is in the write-ahead log.
        """
        self._watcher.watch_run(run_id, cursor, callback)

    def end_watch(self, run_id: str, handler: Any) -> None:
        """Stop watching a run."""
        self._watcher.unwatch_run(run_id, handler)

    def dispose(self) -> None:
        """Stop watching and close all connections."""
        if "_watcher" in self.__dict__:
            self._watcher.close()
        self._engine.dispose()


class RunStorage(SqliteRunStorage):
    """Runs in SQLite, over one engine."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Self:
        """Create it from its settings in `dagster.yaml`."""
        return cls.from_local(inst_data=inst_data, **config_value)

    @cached_property
    def _engine(self) -> Engine:
        return _kept_engine(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a connection."""
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close all connections."""
        super().dispose()
        self._engine.dispose()


class PrintedLogs(LocalComputeLogManager):
    """What stages print, kept in files for the web UI and not copied to the terminal."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Self:
        """Create it from its settings in `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Send what this process prints to files."""
        out, err = (
            self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[stream])
            for stream in (ComputeIOType.STDOUT, ComputeIOType.STDERR)
        )
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        with redirect_to_file(sys.stdout, out), redirect_to_file(sys.stderr, err):
            yield CapturedLogContext(log_key)
        Path(self.get_captured_local_path(log_key, "complete")).touch()


def _kept_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine

"""Dagster's SQLite event log without a disk flush for each event.

Dagster commits each of some ten events a stage by itself and opens a connection for each; with
SQLite's defaults every commit and every last close waits for the disk, which costs a trivial stage
a multiple of its own time. In write-ahead mode, which Dagster uses, `synchronous=NORMAL` can't
corrupt the log and loses nothing when a process is killed; a power cut may lose the latest events,
which the next rebuild tells Dagster again from the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def relaxed() -> Iterator[None]:
    """While entered, SQLite connections that SQLAlchemy opens don't wait for the disk."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    held: dict[str, sqlite3.Connection] = {}

    def connected(connection: Any, _: object) -> None:
        raw = getattr(connection, "driver_connection", connection)
        if not isinstance(raw, sqlite3.Connection):
            return
        raw.execute("PRAGMA synchronous=NORMAL")
        path = raw.execute("PRAGMA database_list").fetchone()[2]
        if path and path not in held:
            # The last connection to close folds the log into the database: keep one that isn't.
            keeper = sqlite3.connect(path, check_same_thread=False)
            with suppress(sqlite3.Error):
                keeper.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            held[path] = keeper

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)
        for keeper in held.values():
            keeper.close()

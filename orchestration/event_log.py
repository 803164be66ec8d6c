"""Dagster's event log in SQLite with its files held open; what is in the log, and where, stays Dagster's own.

Dagster opens and closes a file for each of the thousands of statements of a run, which was half of a small night.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import StaticPool


class HeldOpenEventLog(SqliteEventLogStorage):
    """One connection to the log's index and one to the log of the run that was asked for last, until it is disposed of."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, sqlalchemy.Engine] = {}
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> HeldOpenEventLog:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        with self._db_lock:
            if shard not in self._engines:
                self._close({*self._engines} - {INDEX_SHARD_NAME})
                self._engines[shard] = _engine(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(self._engines[shard])
                self._initialized_dbs.add(shard)
            with self._engines[shard].begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """A table that was there stays: it is looked for at every event of a check, and a column at every event of an asset."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: sqlalchemy.Connection, column_name: str) -> bool:
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return column_name in self._columns

    def wipe(self) -> None:
        with self._db_lock:
            self._close({*self._engines})
        super().wipe()

    def dispose(self) -> None:
        super().dispose()
        with self._db_lock:
            self._close({*self._engines})

    def _close(self, shards: set[str]) -> None:
        for shard in shards:
            self._engines.pop(shard).dispose()


def _engine(conn_string: str) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(
        conn_string,
        poolclass=StaticPool,
        # The log's lock lets one thread at a time to it.
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    # A run that is killed loses nothing; only where the power fails may the last words of the log be lost.
    sqlalchemy.event.listen(engine, "connect", lambda raw, _: raw.execute("pragma synchronous = normal"))
    return engine

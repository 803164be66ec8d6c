"""An opened release, and how it is asked: on a connection of one's own, for so long and no longer. What to ask is in the other modules."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import QueryTooLong, ReleaseDamaged
from orchestration.sql import literal

#: What nobody waits for is cancelled.
LIMIT_SECONDS = 30.0
#: The name of the release among the databases of its connection.
DATABASE = "release"
#: A cancellation that comes between two queries finds nothing to cancel: it is said again.
SECONDS_BETWEEN_CANCELLATIONS = 0.2


@dataclass(frozen=True)
class Release:
    """A release that many threads may read at once. Nothing that is asked of it reaches a file, or can change that.

    ``connection`` is the one behind all; ``rows`` and ``cursor`` ask beside it, and raise QueryTooLong after ``limit_seconds``, and
    ReleaseDamaged where the file cannot be read.
    """

    connection: duckdb.DuckDBPyConnection
    name: str
    as_of_date: date
    first_as_of_date: date
    published_at: str
    limit_seconds: float = LIMIT_SECONDS
    #: What its sums of money are in, where whoever opened it knew.
    currency: str = ""

    def rows(
        self, sql: str, parameters: Mapping[str, object] | Sequence[object] | None = None
    ) -> list[tuple[Any, ...]]:
        with self.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the same release, with temporary tables of its own; the limit holds for all that it is asked together."""
        cursor, is_done = self.connection.cursor(), threading.Event()

        def watch() -> None:
            waits = self.limit_seconds
            while not is_done.wait(waits):
                cursor.interrupt()
                waits = SECONDS_BETWEEN_CANCELLATIONS

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        try:
            cursor.execute(f"use {DATABASE}")
            yield cursor
        except duckdb.InterruptException as cancelled:
            raise QueryTooLong(
                f"The query took longer than {self.limit_seconds:,g} seconds and was cancelled: ask for less, or query the release's file itself."
            ) from cancelled
        except (
            duckdb.IOException,
            duckdb.FatalException,
            duckdb.InternalException,
            duckdb.SerializationException,
        ) as damaged:
            raise ReleaseDamaged(
                f"Release {self.name} cannot be read ({type(damaged).__name__}): use another release (`segments rollback`)."
            ) from damaged
        finally:
            is_done.set()
            watching.join()
            cursor.close()

    def has(self, table: str) -> bool:
        with self.cursor() as cursor:
            return has_table(cursor, table)

    def close(self) -> None:
        self.connection.close()


def has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the release has the table, ``<schema>.<name>``: one that was made before there was such a table has not."""
    asked = "select count(*) from duckdb_tables() where schema_name || '.' || table_name = $1"
    return bool(connection.execute(asked, [table]).fetchall()[0][0])


def opened(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a release's file that can read it, and neither write it, nor reach another file, nor be set to.

    It is a database of its own beside the file: whoever else has the file open in this process keeps their settings.
    """
    connection = duckdb.connect()
    connection.execute(f"attach {literal(file)} as {DATABASE} (read_only)")
    for said in (f"use {DATABASE}", "set enable_external_access = false", "set lock_configuration = true"):
        connection.execute(said)
    return connection

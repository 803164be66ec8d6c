"""The attributes of a customer that a rule may ask, in the release's own words."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from orchestration.read.conditions import TODAY
from orchestration.read.opened import Release
from orchestration.transform.meaning import KEY


@dataclass(frozen=True)
class Attribute:
    name: str
    type: str
    description: str


def attributes(release: Release) -> list[Attribute]:
    """In the order of the table, less the day and the id."""
    with release.cursor() as cursor:
        return attributes_in(cursor)


def attributes_in(connection: duckdb.DuckDBPyConnection) -> list[Attribute]:
    found = connection.execute(
        "select column_name, data_type, coalesce(comment, '') from duckdb_columns() "
        "where database_name = current_database() and schema_name || '.' || table_name = $1 order by column_index",
        [TODAY],
    )
    return [Attribute(*row) for row in found.fetchall() if row[0] not in KEY]

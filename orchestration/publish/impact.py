"""Which segments hang on a column of the extracts, as the current release has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from expectations.contracts import EXTRACT_TABLES
from orchestration.errors import ConfigurationError, nearest
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home


@dataclass(frozen=True)
class Impact:
    """The segments of the current release whose members depend on each of some raw columns."""

    release: str
    as_of_date: date
    segments: dict[str, list[str]]


def read_impact(home: Home, asked: str) -> Impact | None:
    """The segments behind ``crm/customers.email_opt_in``, or behind each column of ``crm/customers``; None before the
    first release.

    Raises ConfigurationError, with the nearest name, where no extract table has such a column.
    """
    columns = _columns(asked)
    manifest = current_release(home)
    if manifest is None:
        return None
    with open_release(home, manifest) as release:
        hanging: dict[str, list[str]] = dict(
            release.execute(
                "select raw_column, list(segment order by segment) "
                "from (select unnest(raw_columns) as raw_column, segment from catalog.segments) group by raw_column"
            ).fetchall()
        )
    return Impact(manifest.release, manifest.as_of_date, {column: hanging.get(column, []) for column in columns})


def _columns(asked: str) -> list[str]:
    """The raw columns that a name of a column or of a table stands for."""
    known = {id_: [f"{id_}.{column}" for column in table.columns] for id_, table in EXTRACT_TABLES.items()}
    table, _, column = asked.partition(".")
    if table not in known:
        raise ConfigurationError(f"There is no extract table {table}; {nearest(table, known)}")
    if column and asked not in known[table]:
        raise ConfigurationError(f"The extract table {table} has no column {column}; {nearest(asked, known[table])}")
    return [asked] if column else known[table]

"""The dated archive of accepted rows and the quarantine of broken ones: one Parquet file per table and extract date.

An archive file carries, in its own metadata, which extract it came from, what the checks found in it and its profile, so
that one rename makes rows, origin, quality and profile known together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from expectations.contracts import EXTRACT_TABLES, ExtractTable
from orchestration.ingest.extracts import Extract
from orchestration.sql import literal

#: The expectation that a file is not that of the day before.
REPEATED_FILE = "is_not_the_file_of_the_day_before"
#: The expectation that a file can be read; a day without it has no rows.
FILE_IS_READABLE = "file_is_readable"
#: The expectation that no more rows of an extract are refused than may be.
REFUSED_SHARE = "refused_share_is_within_limit"

_QUALITY_TYPE = (
    '[{"expectation": "VARCHAR", "column_name": "VARCHAR", "severity": "VARCHAR", "success": "BOOLEAN", '
    '"observed": "VARCHAR", "rows": "BIGINT", "unexpected_rows": "BIGINT"}]'
)


@dataclass(frozen=True)
class Quality:
    """What one expectation found in one extract; one row of ``metrics.input_quality``. Holds counts, never a customer's
    value.
    """

    expectation: str
    column_name: str
    severity: str
    success: bool
    observed: str
    rows: int
    unexpected_rows: int


@dataclass(frozen=True)
class Origin:
    """Where an archived partition came from."""

    file: str
    stamp: str
    sha256: str
    rows: int
    refused: int


def partition(folder: Path, table: ExtractTable, day: date) -> Path:
    """The file of one table and day in the archive or the quarantine."""
    return folder / table.source / table.name / f"extract_date={day}" / "data.parquet"


def archived_days(archive: Path, table: ExtractTable) -> set[date]:
    """The days of a table that are in the archive, told by the names of its folders alone."""
    folders = (path.parent.name for path in (archive / table.source / table.name).glob("extract_date=*/data.parquet"))
    return {date.fromisoformat(name.removeprefix("extract_date=")) for name in folders}


def archived(connection: duckdb.DuckDBPyConnection, archive: Path, table: ExtractTable) -> dict[date, Origin]:
    """The origin of every archived partition of a table, by extract date."""
    if not _has_partitions(archive, table):
        return {}
    rows = connection.execute(
        "select regexp_extract(file_name, 'extract_date=([0-9-]+)', 1)::date, decode(value) "
        f"from parquet_kv_metadata({_files(archive, table)}) where decode(key) = 'origin'"
    ).fetchall()
    return {day: Origin(**json.loads(origin)) for day, origin in rows}


def quality_of(
    connection: duckdb.DuckDBPyConnection, archive: Path, table: ExtractTable, days: Iterable[date]
) -> dict[date, list[Quality]]:
    """What the checks found in the archived partitions of the given days."""
    found = connection.execute(
        f"select * exclude (source, table_name) from ({_quality_query(f'({_notes(archive, [table])})')}) "
        "where list_contains($days, extract_date)",
        {"days": list(days)},
    ).fetchall()
    quality: dict[date, list[Quality]] = {}
    for day, *one in found:
        quality.setdefault(day, []).append(Quality(*one))
    return quality


def keep_accepted(
    connection: duckdb.DuckDBPyConnection,
    archive: Path,
    extract: Extract,
    relation: str,
    quality: list[Quality],
    profile: dict[str, Any],
    refused: int,
) -> Origin:
    """Writes the rows of a day that are not refused into the archive, without the values that broke a rule, replacing
    the day's earlier version by one rename. The profile is any JSON object that describes them.
    """
    day = extract.extract_date
    rows = connection.execute(f"select count(*) from {relation} where extract_date = $day", {"day": day}).fetchall()[0][
        0
    ]
    origin = Origin(extract.path.name, extract.stamp, extract.sha256, rows, refused)
    metadata = {
        "origin": json.dumps(asdict(origin)),
        "quality": json.dumps([asdict(found) for found in quality]),
        "profile": json.dumps(profile),
    }
    nulled = connection.execute(
        f"select distinct unnest(nulled_columns) from {relation} where extract_date = $day", {"day": day}
    ).fetchall()
    columns = ", ".join(
        f"case when not list_contains(nulled_columns, '{column}') then {column} end as {column}"
        if (column,) in nulled
        else column
        for column in extract.table.columns
    )
    _write(
        connection,
        f"select {columns} from {relation} where extract_date = date '{day}' and not is_refused",
        partition(archive, extract.table, day),
        metadata,
    )
    return origin


def keep_broken(connection: duckdb.DuckDBPyConnection, quarantine: Path, extract: Extract, relation: str) -> None:
    """Writes the rows of a day that are refused or accepted without some of their values, whole and with every rule that
    each broke; a day without any has no file.
    """
    path = partition(quarantine, extract.table, extract.extract_date)
    broken = f"from {relation} where extract_date = date '{extract.extract_date}' and len(broken_rules) > 0"
    if connection.execute(f"select 1 {broken} limit 1").fetchone() is None:
        path.unlink(missing_ok=True)
        return
    columns = ", ".join(extract.table.columns)
    _write(
        connection,
        f"select {columns}, file_row, broken_rules, nulled_columns, is_refused, unreadable {broken} order by file_row",
        path,
        {"origin": json.dumps({"file": extract.path.name})},
    )


def register_archive(connection: duckdb.DuckDBPyConnection, archive: Path) -> None:
    """Makes the archive readable: ``crm.customers`` and so on, where each extract came from as ``quality.extracts``, what the
    checks found as ``quality.results``, and what each looks like as ``quality.profiles``.

    A table that never had an extract is an empty view, so that the models need not know. An archive file that was written
    before there were profiles has none. What the files say of themselves is read once, into ``quality.notes``.
    """
    for schema in ("crm", "shop", "quality"):
        connection.execute(f"create schema if not exists {schema}")
    for table in EXTRACT_TABLES.values():
        if _has_partitions(archive, table):
            rows = f"from read_parquet({_files(archive, table)}, hive_partitioning = true, hive_types = {{'extract_date': date}})"
        else:
            nulls = ", ".join(f"null::{type_} as {column}" for column, type_ in table.columns.items())
            rows = f"from (select {nulls}, null::date as extract_date) where false"
        connection.execute(f"create or replace view {table.source}.{table.name} as {rows}")
    connection.execute(f"create or replace table quality.notes as {_notes(archive, EXTRACT_TABLES.values())}")
    connection.execute(f"create or replace view quality.results as {_quality_query('quality.notes')}")
    connection.execute(
        "create or replace view quality.profiles as select extract_date, source, table_name, said as profile "
        "from quality.notes where note = 'profile'"
    )
    connection.execute(
        "create or replace view quality.extracts as select extract_date, source, table_name, said ->> '$.file' as file, "
        "said ->> '$.sha256' as sha256, (said ->> '$.rows')::bigint as rows, (said ->> '$.refused')::bigint as refused "
        "from quality.notes where note = 'origin'"
    )


def _quality_query(notes: str) -> str:
    """What the checks found in every partition, one row per extract and expectation.

    Whether a file is that of the day before is not kept but seen from the two, for either may come late.
    """
    return f"""
        with notes as (from {notes}),
        origins as (
            select
                extract_date, source, table_name,
                (said ->> '$.rows')::bigint as rows,
                lag(said ->> '$.file') over extracts as file_before,
                (said ->> '$.rows')::bigint > 0
                and lag(extract_date) over extracts = extract_date - 1
                and lag(said ->> '$.sha256') over extracts = (said ->> '$.sha256') as is_repeated
            from notes
            where note = 'origin'
            window extracts as (partition by source, table_name order by extract_date)
        )
        select extract_date, source, table_name, unnest(from_json(said, '{_QUALITY_TYPE}'), recursive := true)
        from notes
        where note = 'quality'
        union all
        select
            extract_date, source, table_name, '{REPEATED_FILE}', '', 'warning', is_repeated is not true,
            case when is_repeated then 'the same bytes as ' || file_before else '' end, rows, 0
        from origins"""


def _notes(archive: Path, tables: Iterable[ExtractTable]) -> str:
    """What every partition says of itself in its metadata, one row per extract and kind of note."""
    notes = [
        "select regexp_extract(file_name, 'extract_date=([0-9-]+)', 1)::date as extract_date, "
        f"'{table.source}' as source, '{table.name}' as table_name, decode(key) as note, decode(value)::json as said "
        f"from parquet_kv_metadata({_files(archive, table)})"
        for table in tables
        if _has_partitions(archive, table)
    ]
    nothing = (
        "select null::date as extract_date, '' as source, '' as table_name, '' as note, '{}'::json as said where false"
    )
    return " union all ".join(notes) or nothing


def _has_partitions(archive: Path, table: ExtractTable) -> bool:
    return any((archive / table.source / table.name).glob("*/data.parquet"))


def _files(archive: Path, table: ExtractTable) -> str:
    return literal(archive / table.source / table.name / "*" / "data.parquet")


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path, metadata: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    pairs = ", ".join(f"{key}: {literal(value)}" for key, value in metadata.items())
    target = literal(unfinished)
    connection.execute(f"copy ({query}) to {target} (format parquet, compression zstd, kv_metadata {{{pairs}}})")
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())  # a power cut after the rename must not leave a name without its rows
    unfinished.rename(path)

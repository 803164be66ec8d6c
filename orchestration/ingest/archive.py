"""The dated archive of accepted rows and the quarantine of refused ones: one Parquet file per table and extract date.

An archive file carries, in its own metadata, which extract it came from and what the checks found in it, so that one
rename makes rows, origin and quality known together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.ingest.contracts import EXTRACT_TABLES, ExtractTable
from orchestration.ingest.extracts import Extract


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


def archived(connection: duckdb.DuckDBPyConnection, archive: Path, table: ExtractTable) -> dict[date, Origin]:
    """The origin of every archived partition of a table, by extract date."""
    files = str(partition(archive, table, date.min).parent.parent / "*" / "data.parquet")
    if not any((archive / table.source / table.name).glob("*/data.parquet")):
        return {}
    rows = connection.execute(
        "select regexp_extract(file_name, 'extract_date=([0-9-]+)', 1)::date, decode(value) "
        "from parquet_kv_metadata($files) where decode(key) = 'origin'",
        {"files": files},
    ).fetchall()
    return {day: Origin(**json.loads(origin)) for day, origin in rows}


def quality_of(
    connection: duckdb.DuckDBPyConnection, archive: Path, table: ExtractTable, days: Iterable[date]
) -> dict[date, list[Quality]]:
    """What the checks found in the archived partitions of the given days."""
    files = [str(path) for day in days if (path := partition(archive, table, day)).exists()]
    if not files:
        return {}
    rows = connection.execute(
        "select regexp_extract(file_name, 'extract_date=([0-9-]+)', 1)::date, decode(value) "
        "from parquet_kv_metadata($files) where decode(key) = 'quality'",
        {"files": files},
    ).fetchall()
    return {day: [Quality(**found) for found in json.loads(quality)] for day, quality in rows}


def keep_accepted(
    connection: duckdb.DuckDBPyConnection,
    archive: Path,
    extract: Extract,
    relation: str,
    quality: list[Quality],
    refused: int,
) -> Origin:
    """Writes the rows of a day that broke no critical rule into the archive, replacing the day's earlier version by one
    rename.
    """
    day = extract.extract_date
    rows = connection.execute(f"select count(*) from {relation} where extract_date = $day", {"day": day}).fetchall()[0][
        0
    ]
    origin = Origin(extract.path.name, extract.stamp, extract.sha256, rows, refused)
    metadata = {"origin": json.dumps(asdict(origin)), "quality": json.dumps([asdict(found) for found in quality])}
    columns = ", ".join(extract.table.columns)
    _write(
        connection,
        f"select {columns} from {relation} where extract_date = date '{day}' and len(broken_rules) = 0",
        partition(archive, extract.table, day),
        metadata,
    )
    return origin


def keep_refused(
    connection: duckdb.DuckDBPyConnection, quarantine: Path, extract: Extract, relation: str, refused: int
) -> None:
    """Writes the refused rows of a day, with every rule that each broke; a day without any has no file."""
    path = partition(quarantine, extract.table, extract.extract_date)
    if not refused:
        path.unlink(missing_ok=True)
        return
    columns = ", ".join(extract.table.columns)
    _write(
        connection,
        f"select {columns}, file_row, broken_rules, unreadable from {relation} "
        f"where extract_date = date '{extract.extract_date}' and len(broken_rules) > 0 order by file_row",
        path,
        {"origin": json.dumps({"file": extract.path.name})},
    )


def register_archive(connection: duckdb.DuckDBPyConnection, archive: Path) -> None:
    """Makes the archive readable as views: ``crm.customers`` and so on, and what the checks found as
    ``quality.results``.

    A table that never had an extract is an empty view, so that the models need not know.
    """
    connection.execute(
        "create schema if not exists crm; create schema if not exists shop; create schema if not exists quality"
    )
    found = []
    for table in EXTRACT_TABLES.values():
        files = f"{archive / table.source / table.name}/*/data.parquet".replace("'", "''")
        if any((archive / table.source / table.name).glob("*/data.parquet")):
            rows = f"from read_parquet('{files}', hive_partitioning = true, hive_types = {{'extract_date': date}})"
            found.append(
                f"select regexp_extract(file_name, 'extract_date=([0-9-]+)', 1)::date as extract_date, '{table.source}' as source, "
                f"'{table.name}' as table_name, decode(value) as quality "
                f"from parquet_kv_metadata('{files}') where decode(key) = 'quality'"
            )
        else:
            nulls = ", ".join(f"null::{type_} as {column}" for column, type_ in table.columns.items())
            rows = f"from (select {nulls}, null::date as extract_date) where false"
        connection.execute(f"create or replace view {table.source}.{table.name} as {rows}")
    nothing = "select null::date as extract_date, '' as source, '' as table_name, '[]' as quality where false"
    connection.execute(
        "create or replace view quality.results as "
        "select extract_date, source, table_name, unnest(from_json(quality, '[{"
        '"expectation": "VARCHAR", "column_name": "VARCHAR", "severity": "VARCHAR", "success": "BOOLEAN", '
        '"observed": "VARCHAR", "rows": "BIGINT", "unexpected_rows": "BIGINT"'
        f"}}]'), recursive := true) from ({' union all '.join(found) or nothing})"
    )


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path, metadata: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    pairs = ", ".join(f"{key}: '{value.replace(chr(39), chr(39) * 2)}'" for key, value in metadata.items())
    target = str(unfinished).replace("'", "''")
    connection.execute(f"copy ({query}) to '{target}' (format parquet, compression zstd, kv_metadata {{{pairs}}})")
    unfinished.rename(path)

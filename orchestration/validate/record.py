"""The record of what was judged, in the warehouse: each night judges the new extracts and those after them, and no others.

Disposable like all of the warehouse: from nothing, everything is judged again from the archive, and comes out the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pandas as pd

from expectations import PAST
from expectations.contracts import EXTRACT_TABLES, ExtractTable
from orchestration.validate import figures, past, usual
from orchestration.validate.figures import Compared, compared, read_profiles, rows_with_repeated_keys, series
from orchestration.validate.overrides import Doubt
from orchestration.validate.past import PastVerdict, judge_series, shown

#: What verdicts rest on: digests of extracts by table and day, and what people said of a day.
Basis = Mapping[tuple[str, date], str]

CREATE = """
create schema if not exists quality;
create table if not exists quality.judged_from (name varchar, extract_date date, said varchar);
create table if not exists quality.compared (
    table_id varchar, measure varchar, column_name varchar, value varchar, extract_date date, rows bigint, hits bigint
);
create table if not exists quality.verdicts (
    extract_date date, table_id varchar, expectation varchar, column_name varchar, columns varchar[], value varchar,
    measure varchar, severity varchar, success boolean, observed varchar, rows bigint, unexpected_rows bigint,
    figure double, lower double, upper double, sentence varchar, is_shown boolean
);
"""


def judge_what_is_new(
    connection: duckdb.DuckDBPyConnection,
    digests: Basis,
    released: Sequence[Doubt],
    known_days: Mapping[date, str],
) -> date | None:
    """Brings ``quality.verdicts`` up to date; gives the first day that was judged, None where nothing was new.

    ``digests`` are those of the archived extracts, ``released`` is what somebody had used of them all the same.
    Grain: one row per extract, expectation, column and value; ``is_shown`` marks one per extract, expectation and column.
    """
    connection.execute(CREATE)
    basis = (
        dict(digests)
        | {(f"released {one.table} {','.join(one.columns)}", one.extract_date): one.digest for one in released}
        | {("known day", day): reason for day, reason in known_days.items()}
        | {("the judge", date.min): _fingerprint()}
    )
    known = connection.execute("select name, extract_date, said from quality.judged_from").fetchall()
    since = min(
        (day for (_, day), _ in basis.items() ^ {(name, day): said for name, day, said in known}.items()), default=None
    )
    if since is None:
        return None
    connection.execute("begin")
    for name in ("verdicts", "compared"):
        connection.execute(f"delete from quality.{name} where extract_date >= $since", {"since": since})
    profiles, repeated = read_profiles(connection), rows_with_repeated_keys(connection)
    for table in EXTRACT_TABLES.values():
        _keep_compared(connection, table, compared(connection, table, since))
        failed = _failed(connection, table)
        before = [day for day in profiles[table.id] if day < since]
        verdicts: list[PastVerdict] = []
        for one in series(table, profiles[table.id], _compared(connection, table), repeated[table.id]):
            of_series = (one.expectation.name, one.expectation.column, one.value)
            settled = {day: (*of_series, day) not in failed for day in before}
            anew = {
                doubt.extract_date
                for doubt in released
                if doubt.table == table.id and set(one.expectation.columns) <= set(doubt.columns)
            }
            verdicts += judge_series(table, one, settled, anew, known_days)
        _keep(connection, verdicts)
    connection.execute("delete from quality.judged_from")
    _insert(connection, "quality.judged_from", [(name, day, said) for (name, day), said in basis.items()])
    connection.execute("commit")
    return since


@cache
def _fingerprint() -> str:
    """Changes with what is expected and with the way in which it is judged: then everything is judged anew."""
    seen = hashlib.sha256(repr(PAST).encode())
    for module in (figures, past, usual):
        seen.update(Path(str(module.__file__)).read_bytes())
    return seen.hexdigest()


def _keep_compared(connection: duckdb.DuckDBPyConnection, table: ExtractTable, found: Compared) -> None:
    rows = [
        (table.id, measure, column, value, day, *counted)
        for (measure, column, value), days in found.items()
        for day, counted in days.items()
    ]
    _insert(connection, "quality.compared", rows)


def _compared(connection: duckdb.DuckDBPyConnection, table: ExtractTable) -> Compared:
    found: dict[tuple[str, str, str | None], dict[date, tuple[int, int]]] = {}
    rows = connection.execute(
        "select measure, column_name, value, extract_date, rows, hits from quality.compared where table_id = $table",
        {"table": table.id},
    ).fetchall()
    for measure, column, value, day, compared_rows, hits in rows:
        found.setdefault((measure, column, value), {})[day] = (compared_rows, hits)
    return dict(found)


def _failed(connection: duckdb.DuckDBPyConnection, table: ExtractTable) -> set[tuple[str, str, str | None, date]]:
    rows = connection.execute(
        "select expectation, column_name, value, extract_date from quality.verdicts where not success and table_id = $table",
        {"table": table.id},
    ).fetchall()
    return {(expectation, column, value, day) for expectation, column, value, day in rows}


def _keep(connection: duckdb.DuckDBPyConnection, verdicts: list[PastVerdict]) -> None:
    """All that failed, and of the others what is shown."""
    to_show = shown(verdicts)
    rows = [
        (
            *(verdict.extract_date, verdict.table, verdict.expectation.name, verdict.expectation.column),
            *(
                list(verdict.expectation.columns),
                verdict.value,
                verdict.expectation.measure,
                verdict.expectation.severity,
            ),
            *(verdict.success, verdict.observed, verdict.rows, verdict.unexpected_rows),
            *(verdict.figure, verdict.lower, verdict.upper, verdict.sentence, verdict in to_show),
        )
        for verdict in verdicts
        if not verdict.success or verdict in to_show
    ]
    _insert(connection, "quality.verdicts", rows)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Many rows at once: one by one a year of verdicts would take half a minute."""
    if rows:
        columns = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
        connection.register("many_rows", pd.DataFrame(rows, columns=columns).astype(object))
        connection.execute(f"insert into {table} select {', '.join(columns)} from many_rows")
        connection.unregister("many_rows")


def digests_of(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, date], str]:
    """The digest of every archived extract, by table and day."""
    rows = connection.execute(
        "select source || '/' || table_name, extract_date, sha256 from quality.extracts"
    ).fetchall()
    return {(table, day): digest for table, day, digest in rows}


def failures(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, date, str, str, str, list[str], str]]:
    """What failed and is critical: table, day, expectation, its column, measure, the columns it vouches for, and the sentence,
    one per extract, expectation and column.
    """
    return connection.execute(
        "select table_id, extract_date, expectation, column_name, measure, columns, sentence from quality.verdicts "
        "where is_shown and not success and severity = 'critical'"
    ).fetchall()

"""What speaks against believing an extract: which of its columns, since when, until when, and in which words.

Derived from what the archive holds and what people said of it, so that a rebuild finds the same. Which segments a finding
touches is told by lineage, not here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from expectations import PAST
from expectations.contracts import BASE, EXTRACT_TABLES
from orchestration.ingest.archive import FILE_IS_READABLE, REFUSED_SHARE, REPEATED_FILE
from orchestration.ingest.reading import MISSING_COLUMN
from orchestration.known_days import KnownDays
from orchestration.settings import Settings
from orchestration.validate.overrides import Doubt
from orchestration.validate.record import Basis, digests_of, failures, judge_what_is_new
from orchestration.validate.usual import DAYS_BEFORE, DAYS_NEEDED

#: While a column has too little past to be judged by, it is not believed where values were emptied in so many rows of an extract, and in
#: such a share of them.
MANY_ROWS_EMPTIED, SHARE_EMPTIED = 10, 0.5

#: An extract with this share of all customers is one of everybody.
EXPORT_OF_EVERYBODY = 0.5
#: What is said of a file that lacks rows of its day.
OF_THE_NUMBER_OF_ROWS = {"row_count_is_not_below_the_usual", "events_are_of_the_day", FILE_IS_READABLE}
#: Measures that fail for want of rows: those that came are right.
OF_MISSING_ROWS = {"rows", "of the day", "region"}


@dataclass(frozen=True)
class Finding:
    """One reason not to believe ``columns`` of an extract, in words.

    It lasts from the extract date until, and without, ``until``: None as long as the extract stands as it is. With
    ``leaves_out`` the values of the columns are not used; otherwise rows are missing, and those that came are.
    """

    table: str
    extract_date: date
    digest: str
    expectation: str
    columns: tuple[str, ...]
    because: str
    leaves_out: bool
    until: date | None = None

    @property
    def doubt(self) -> Doubt:
        return Doubt(self.table, self.extract_date, self.digest, self.columns)


def find(
    connection: duckdb.DuckDBPyConnection, settings: Settings, known_days: KnownDays, released: Collection[Doubt]
) -> list[Finding]:
    """Everything that speaks against the archived extracts, by day, after what is new in the archive was judged.

    The archive must be registered. ``released`` is what somebody had used all the same.
    """
    digests = digests_of(connection)
    stands = [doubt for doubt in released if digests.get((doubt.table, doubt.extract_date)) == doubt.digest]
    judge_what_is_new(connection, digests, stands, known_days.among({day for _, day in digests}))
    found = [
        *_in_files(connection, digests, settings.refused_share_limit),
        *_out_of_the_usual(connection, digests),
        *_repeated_files(connection, digests),
    ]
    ended = (replace(one, until=_end(connection, one, found, settings.business_timezone)) for one in found)
    # The first reason of a day is the one that is told: what is plainly wrong with the file, and then what is unusual in it.
    return sorted(ended, key=lambda one: one.extract_date)


def _in_files(connection: duckdb.DuckDBPyConnection, digests: Basis, limit: float) -> Iterator[Finding]:
    """A column that is not there, a rule that more rows break than may be refused, too many rows refused."""
    broken = connection.execute(
        "select source || '/' || table_name, extract_date, expectation, column_name, observed, rows, unexpected_rows "
        "from quality.results where not success and (expectation in ($refused, $unreadable) "
        "or severity = 'critical' and unexpected_rows > $limit * rows "
        "or unexpected_rows >= greatest($many, $much * rows) and column_name <> '' and not exists ("
        "from quality.verdicts as judged where judged.table_id = source || '/' || table_name "
        "and judged.extract_date = results.extract_date and judged.column_name = results.column_name "
        "and judged.measure = 'empty')) order by extract_date, expectation <> $missing, 1, 3, 4",
        {
            "limit": limit,
            "refused": REFUSED_SHARE,
            "unreadable": FILE_IS_READABLE,
            "missing": MISSING_COLUMN,
            "many": MANY_ROWS_EMPTIED,
            "much": SHARE_EMPTIED,
        },
    ).fetchall()
    for table, day, expectation, column, observed, rows, unexpected in broken:
        contract = EXTRACT_TABLES[table]
        columns = tuple(column.split(", ")) if column else ()
        of_all = f"{unexpected:,} of {rows:,} rows"
        if expectation == MISSING_COLUMN:
            because = f"{column} was {observed}, so that it is unknown in {of_all} of {table}"
        elif expectation == FILE_IS_READABLE:
            because = observed
        elif expectation == REFUSED_SHARE:
            because = f"{of_all} of {table} were refused"
        elif set(columns) & set(contract.key) or not columns:
            continue  # its rows were refused, and are counted among those
        else:
            because = f"{' and '.join(columns)} broke the rule {expectation} in {of_all} of {table}"
        yield Finding(
            table,
            day,
            digests[table, day],
            expectation,
            columns or tuple(contract.columns),
            because if expectation == FILE_IS_READABLE else f"{because} on {day}",
            leaves_out=bool(columns),
        )


def _out_of_the_usual(connection: duckdb.DuckDBPyConnection, digests: Basis) -> Iterator[Finding]:
    order = [(table, one.name, one.column) for table, expectations in PAST.items() for one in expectations]
    # Of several things that are unusual in a column, the plainest is told: the order of the lists.
    failed = sorted(failures(connection), key=lambda one: (one[1], order.index((one[0], one[2], one[3]))))
    for table, day, expectation, _, measure, columns, sentence in failed:
        yield Finding(
            table,
            day,
            digests[table, day],
            expectation,
            tuple(columns),
            sentence,
            leaves_out=measure not in OF_MISSING_ROWS,
        )


def _repeated_files(connection: duckdb.DuckDBPyConnection, digests: Basis) -> Iterator[Finding]:
    """The same bytes as the day before, where changes are expected and files have differed so far: nothing of the day is known.
    It lasts until a file comes that differs.
    """
    for table in EXTRACT_TABLES.values():
        if table.is_snapshot:
            continue
        repeated = {
            day: (observed, rows)
            for day, observed, rows in connection.execute(
                "select extract_date, observed, rows from quality.results where source || '/' || table_name = $table "
                "and expectation = $expectation and not success order by extract_date",
                {"table": table.id, "expectation": REPEATED_FILE},
            ).fetchall()
        }
        days = sorted(day for name, day in digests if name == table.id)
        for day, (observed, rows) in repeated.items():
            differed = [d for d in days if d < day and digests[table.id, d] != digests[table.id, day]]
            if table.id == BASE and rows >= EXPORT_OF_EVERYBODY * _customers_until(connection, day):
                continue  # whoever sends everybody every day sends the same file when nothing changed
            if len(differed) >= DAYS_NEEDED and not repeated.keys() & set(differed[-DAYS_BEFORE:]):
                yield Finding(
                    table.id,
                    day,
                    digests[table.id, day],
                    REPEATED_FILE,
                    tuple(table.columns),
                    f"{table.id} of {day} has {observed}, {rows:,} rows",
                    leaves_out=False,
                    until=next((d for d in days if d > day and digests[table.id, d] != digests[table.id, day]), None),
                )


def _customers_until(connection: duckdb.DuckDBPyConnection, day: date) -> int:
    customers: int = connection.execute(
        "select count(distinct customer_id) from crm.customers where extract_date <= $day", {"day": day}
    ).fetchall()[0][0]
    return customers


# ---- when a finding ends although its extract stands ----


def _end(
    connection: duckdb.DuckDBPyConnection, finding: Finding, found: Sequence[Finding], business_timezone: str
) -> date | None:
    """The day from which on nothing of the extract is left that the finding speaks against; None while anything is."""
    table = EXTRACT_TABLES[finding.table]
    if finding.until is not None or finding.expectation == REPEATED_FILE:
        return finding.until
    if table.is_snapshot:
        return _next_believed(connection, finding, found)
    if finding.leaves_out and table.id == BASE and not set(table.key) & set(finding.columns):
        return _all_sent_again(connection, finding, found)
    if finding.expectation in OF_THE_NUMBER_OF_ROWS and table.id == "shop/order_lines":
        return _delivered_late(connection, finding, business_timezone)
    return None


def _next_believed(connection: duckdb.DuckDBPyConnection, finding: Finding, found: Sequence[Finding]) -> date | None:
    """The next extract of a table whose extracts are the whole of it, if its columns are believed."""
    doubtful = [
        other.extract_date
        for other in found
        if other.table == finding.table and set(other.columns) & set(finding.columns)
    ]
    ended = connection.execute(
        "select min(extract_date) from quality.extracts where source || '/' || table_name = $table "
        "and extract_date > $day and not list_contains($doubtful::date[], extract_date)",
        {"table": finding.table, "day": finding.extract_date, "doubtful": doubtful},
    ).fetchall()[0][0]
    return ended if isinstance(ended, date) else None


def _all_sent_again(connection: duckdb.DuckDBPyConnection, finding: Finding, found: Sequence[Finding]) -> date | None:
    """When the last customer of the extract has come again in one whose columns are believed. Who is deleted does not come again."""
    doubtful = [
        other.extract_date
        for other in found
        if other.table == finding.table and other.leaves_out and set(other.columns) & set(finding.columns)
    ]
    ended = connection.execute(
        """
        with again as (
            select customer_id, min(extract_date) as extract_date
            from crm.customers
            where extract_date > $day and (not list_contains($doubtful::date[], extract_date) or is_deleted and not $of_deletions)
            group by customer_id
        )
        select case when count(*) = count(again.extract_date) then max(again.extract_date) end
        from (
            select distinct customer_id from crm.customers
            where extract_date = $day and (is_deleted is not true or $of_deletions)
        ) as sent
        left join again using (customer_id)
        """,
        {"day": finding.extract_date, "doubtful": doubtful, "of_deletions": "is_deleted" in finding.columns},
    ).fetchall()[0][0]
    return ended if isinstance(ended, date) else None


def _delivered_late(connection: duckdb.DuckDBPyConnection, finding: Finding, business_timezone: str) -> date | None:
    """When so many lines of the day have come with later extracts that the day has as many as usual; None where those of the day itself
    were not too few.
    """
    needed = connection.execute(
        "select lower from quality.verdicts where table_id = $table and extract_date = $day and measure = 'of the day' "
        "and is_shown and not success",
        {"table": finding.table, "day": finding.extract_date},
    ).fetchall()
    if not needed:
        return None
    ended = connection.execute(
        """
        with arrived as (
            select extract_date, count(distinct order_line_id) as lines
            from shop.order_lines
            where extract_date >= $day and timezone($zone, timezone('UTC', ordered_at))::date = $day
                -- what no time zone makes that day need not be read
                and ordered_at between $day - interval 1 day and $day + interval 2 days
            group by extract_date
        ),
        so_far as (select extract_date, sum(lines) over (order by extract_date) as lines from arrived)
        select min(extract_date) from so_far where lines >= $needed
        """,
        {"day": finding.extract_date, "zone": business_timezone, "needed": needed[0][0]},
    ).fetchall()[0][0]
    return ended if isinstance(ended, date) and ended > finding.extract_date else None

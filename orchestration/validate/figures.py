"""The figures of every extract that are held against the days before: taken from its profile, and from what was known before it.

Measures and counts; what is usual of a figure is worked out in ``usual``, and what a figure out of bounds means in ``past``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import log

import duckdb

from expectations import PAST
from expectations.contracts import EXTRACT_TABLES, ExtractTable
from expectations.past import PastExpectation
from orchestration.validate.profile import ROWS_OF_A_LISTED_VALUE, VALUES_LISTED, Profile
from orchestration.validate.usual import DAYS_BEFORE

#: Below so many rows of a file a middle or an hour says little.
ENOUGH_ROWS = 30
#: Below so many, values that are not rare are missing from its profile.
MANY_ROWS = 100

#: The places of two quantiles in a profile.
MEDIAN, UPPER_QUARTILE = 2, 3

#: Where a reference leads: the table and column that must know it.
REFERENCES = {
    ("shop/order_lines", "customer_id"): ("crm.customers", "customer_id"),
    ("shop/order_lines", "product_id"): ("shop.products", "product_id"),
}


@dataclass(frozen=True)
class Figure:
    """One figure of one extract: ``hits`` of ``rows`` for a share, a ``level`` for the others; None where it has none."""

    day: date
    rows: int
    hits: int = 0
    level: float | None = None


@dataclass(frozen=True)
class Series:
    """One figure over all extracts of a table, in order. ``value`` is the value whose share it is, if it is one's."""

    expectation: PastExpectation
    value: str | None
    figures: list[Figure]


Profiles = Mapping[date, Profile]
#: Rows compared and hits by day, by measure, column and, where it is one's, value.
Compared = Mapping[tuple[str, str, str | None], Mapping[date, tuple[int, int]]]


def read_profiles(connection: duckdb.DuckDBPyConnection) -> dict[str, Profiles]:
    """The profile of every archived extract, by table and day."""
    found: dict[str, dict[date, Profile]] = {table: {} for table in EXTRACT_TABLES}
    rows = connection.execute(
        "select source || '/' || table_name, extract_date, profile from quality.profiles order by extract_date"
    ).fetchall()
    for table, day, said in rows:
        found[table][day] = Profile.from_json(json.loads(said))
    return dict(found)


def series(
    table: ExtractTable, profiles: Profiles, compared: Compared, repeated: Mapping[date, int]
) -> Iterator[Series]:
    """Every figure of a table's extracts that an expectation asks for. ``repeated`` counts the rows with a repeated key.

    The table's first extract may hold its whole past: it has no figure that speaks of one day.
    """
    for expectation in PAST[table.id]:
        column = expectation.column
        match expectation.measure:
            case "rows":
                figures = [Figure(day, profile.rows) for day, profile in profiles.items()]
            case "repeated":
                sent = {day: profile.rows + repeated.get(day, 0) for day, profile in profiles.items()}
                figures = [Figure(day, rows, repeated.get(day, 0)) for day, rows in sent.items()]
            case "changed" | "unknown" | "again" | "orders" | "shared":
                counted = compared.get((expectation.measure, column, None), {})
                figures = [Figure(day, *counted[day]) for day in profiles if day in counted]
            case "region":
                yield from _shares_of_regions(expectation, profiles, compared)
                continue
            case "zero":
                zeros = {day: profile.columns[column].zeros for day, profile in profiles.items()}
                figures = [
                    Figure(day, profiles[day].rows - profiles[day].columns[column].nulls, hits)
                    for day, hits in zeros.items()
                    if hits is not None
                ]
            case "value":
                yield from _shares_of_values(expectation, profiles)
                continue
            case "new value":
                figures = list(_new_values(column, profiles))
            case "of the day" | "hour":
                figures = [_event(expectation.measure, day, profiles[day]) for day in list(profiles)[1:]]
            case "level":
                figures = list(_levels(column, table.columns[column], profiles))
            case "empty":
                figures = [
                    Figure(day, profile.rows, profile.columns[column].nulls) for day, profile in profiles.items()
                ]
        yield Series(expectation, None, figures)


def _shares_of_values(expectation: PastExpectation, profiles: Profiles) -> Iterator[Series]:
    """A series for each value of a column from the day on which it first came; of a yes or no, for yes alone, in files of any size.

    A value that is missing from a full list may be there all the same: it has no figure on that day.
    """
    listed = {day: profile.columns[expectation.column].frequent or {} for day, profile in profiles.items()}
    values = sorted({value for frequent in listed.values() for value in frequent})
    is_boolean = bool(values) and set(values) <= {"true", "false"}
    for value in ["true"] if is_boolean else values:
        figures: list[Figure] = []
        for day, frequent in listed.items():
            given = profiles[day].rows - profiles[day].columns[expectation.column].nulls
            is_counted = value in frequent or (figures and len(frequent) < VALUES_LISTED)
            if is_boolean or (given >= MANY_ROWS and is_counted):
                figures.append(Figure(day, given, frequent.get(value, 0)))
        yield Series(expectation, value, figures)


def _shares_of_regions(expectation: PastExpectation, profiles: Profiles, compared: Compared) -> Iterator[Series]:
    """A series for each region of customers from the day on which it first came; one without a row on a later day has none of its rows."""
    counted = {value: days for (measure, _, value), days in compared.items() if measure == "region"}
    rows = {day: of_day[0] for days in counted.values() for day, of_day in days.items()}
    for value, days in sorted(counted.items(), key=lambda item: str(item[0])):
        figures = [
            Figure(day, rows[day], days[day][1] if day in days else 0)
            for day in profiles
            if day in rows and day >= min(days)
        ]
        yield Series(expectation, value, figures)


def _new_values(column: str, profiles: Profiles) -> Iterator[Figure]:
    """Rows with a value that no extract before had, as long as the lists before were whole."""
    seen: set[str] = set()
    for day, profile in profiles.items():
        frequent, given = profile.columns[column].frequent or {}, profile.rows - profile.columns[column].nulls
        if given >= MANY_ROWS:
            yield Figure(day, given, sum(rows for value, rows in frequent.items() if value not in seen))
        seen |= set(frequent)
        if len(frequent) >= VALUES_LISTED:
            return


def _event(measure: str, day: date, profile: Profile) -> Figure:
    if measure == "of the day":
        return Figure(day, profile.on_the_day or 0)
    return Figure(day, profile.rows, level=profile.median_hour if profile.rows >= ENOUGH_ROWS else None)


def _levels(column: str, kind: str, profiles: Profiles) -> Iterator[Figure]:
    """The median of a date, in years; the upper quartile of a number, on the logarithm, for many numbers are mostly zero."""
    for day, profile in profiles.items():
        measured, level = profile.columns[column], None
        given = profile.rows - measured.nulls
        if measured.quantiles and given >= ENOUGH_ROWS:
            if kind == "DATE":
                level = _in_years(date.fromisoformat(str(measured.quantiles[MEDIAN])))
            elif float(measured.quantiles[UPPER_QUARTILE]) > 0:
                level = log(float(measured.quantiles[UPPER_QUARTILE]))
        yield Figure(day, given, level=level)


def _in_years(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 366


# ---- what was known before ----

_Counted = dict[tuple[str, str, str | None], dict[date, tuple[int, int]]]


def compared_customers(connection: duckdb.DuckDBPyConnection, since: date) -> _Counted:
    """Of each extract of customers since a day: how many of the rows are of customers nobody knew, and of the others how
    many have a value in a column that the customer never had before. The first extract has nothing before it.
    """
    columns = [expectation.column for expectation in PAST["crm/customers"] if expectation.measure == "changed"]
    never_had = ", ".join(
        f"count(*) filter (not list_contains(before.{column}, hash(sent.{column})))" for column in columns
    )
    had = ", ".join(f"list(hash({column})) over before as {column}" for column in columns)
    rows = connection.execute(
        f"""
        with sent as (
            select * from crm.customers
            where extract_date >= $since and extract_date > (select min(extract_date) from crm.customers)
        ),
        history as (
            select * from crm.customers where customer_id in (select customer_id from sent)
        ),
        before as (
            select customer_id, extract_date, count(*) over before as times, {had}
            from history
            window before as (
                partition by customer_id order by extract_date rows between unbounded preceding and 1 preceding
            )
        )
        select sent.extract_date, count(*), count(*) filter (before.times > 0), {never_had}
        from sent
        inner join before using (customer_id, extract_date)
        group by sent.extract_date
        """,
        {"since": since},
    ).fetchall()
    found: _Counted = {}
    for day, sent, known, *changed in rows:
        found.setdefault(("unknown", "customer_id", None), {})[day] = (sent, sent - known)
        for column, hits in zip(columns, changed, strict=True):
            found.setdefault(("changed", column, None), {})[day] = (known, hits)
    return found


def compared_order_lines(connection: duckdb.DuckDBPyConnection, since: date) -> _Counted:
    """Of each extract of order lines since a day, the lines whose customer or product nobody knew by that day."""
    found: _Counted = {}
    for (table, column), (reference, key) in REFERENCES.items():
        rows = connection.execute(
            f"""
            with lines as (
                select {column} as id, extract_date, count(*) as lines
                from {table.replace("/", ".")}
                where extract_date >= $since and extract_date > (select min(extract_date) from {table.replace("/", ".")})
                group by all
            ),
            known as (
                select {key} as id, min(extract_date) as known_from
                from {reference} where {key} in (select id from lines) group by all
            )
            select extract_date, sum(lines)::bigint, coalesce(sum(lines) filter (known_from is null or known_from > extract_date), 0)::bigint
            from lines left join known using (id)
            group by extract_date
            """,
            {"since": since},
        ).fetchall()
        found["unknown", column, None] = {day: (lines, unknown) for day, lines, unknown in rows}
    found["again", "", None] = _sent_again(connection, since)
    found |= _orders(connection, since)
    for region, days in _by_region(connection, since).items():
        found["region", "customer_id", region] = days
    return found


def _sent_again(connection: duckdb.DuckDBPyConnection, since: date) -> dict[date, tuple[int, int]]:
    """Lines of each extract, and those of them that are there twice: of the same customer, product, second and amount under another id
    within the days that an extract is held against, or in another order of the same extract.
    """
    rows = connection.execute(
        f"""
        with lines as (
            select
                extract_date,
                order_line_id,
                order_id,
                min(order_id) over this_day as least_order_of_the_day,
                min(order_line_id) over before as least_id_before,
                max(order_line_id) over before as greatest_id_before
            from shop.order_lines
            where extract_date >= $since::date - {DAYS_BEFORE}
                and extract_date > (select min(extract_date) from shop.order_lines)
            window this_day as (
                partition by customer_id, product_id, ordered_at, amount, extract_date
            ),
            before as (
                partition by customer_id, product_id, ordered_at, amount order by extract_date
                range between interval {DAYS_BEFORE} day preceding and interval 1 day preceding
            )
        )
        select extract_date, count(*), count(*) filter (
            least_id_before <> order_line_id or greatest_id_before <> order_line_id or least_order_of_the_day <> order_id
        )
        from lines where extract_date >= $since group by extract_date
        """,
        {"since": since},
    ).fetchall()
    return {day: (sent, again) for day, sent, again in rows}


def _orders(connection: duckdb.DuckDBPyConnection, since: date) -> _Counted:
    """Of the lines of each extract: how many orders they make, and how many are of an order with several customers."""
    rows = connection.execute(
        """
        with orders as (
            select extract_date, order_id, count(*) as lines, count(distinct customer_id) as customers
            from shop.order_lines
            where extract_date >= $since and extract_date > (select min(extract_date) from shop.order_lines)
            group by all
        )
        select extract_date, sum(lines)::bigint, count(*), coalesce(sum(lines) filter (customers > 1), 0)::bigint
        from orders group by extract_date
        """,
        {"since": since},
    ).fetchall()
    return {
        ("orders", "order_id", None): {day: (lines, orders) for day, lines, orders, _ in rows},
        ("shared", "order_id", None): {day: (lines, shared) for day, lines, _, shared in rows},
    }


def _by_region(connection: duckdb.DuckDBPyConnection, since: date) -> dict[str, dict[date, tuple[int, int]]]:
    """Lines of each extract whose customer has a region, and those of each region: the one in which a customer was first seen, so
    that a fault of the night's customers does not show as one of its orders. A region of so few customers that it may be an address
    is none.
    """
    rows = connection.execute(
        f"""
        with lines as (
            select customer_id, extract_date, count(*) as lines
            from shop.order_lines
            where extract_date >= $since and extract_date > (select min(extract_date) from shop.order_lines)
            group by all
        ),
        regions as (
            select customer_id, arg_min(region, extract_date) as region, min(extract_date) as known_from
            from crm.customers
            where region is not null and not contains(region, '@') and customer_id in (select customer_id from lines)
            group by customer_id
        ),
        of_regions as (
            select regions.region, lines.extract_date, sum(lines.lines) as lines
            from lines
            inner join regions on regions.customer_id = lines.customer_id and regions.known_from <= lines.extract_date
            group by all
            having count(*) >= {ROWS_OF_A_LISTED_VALUE}
        )
        select region, extract_date, sum(lines) over (partition by extract_date)::bigint, lines::bigint from of_regions
        """,
        {"since": since},
    ).fetchall()
    found: dict[str, dict[date, tuple[int, int]]] = {}
    for region, day, all_lines, lines in rows:
        found.setdefault(region, {})[day] = (all_lines, lines)
    return found


def compared(connection: duckdb.DuckDBPyConnection, table: ExtractTable, since: date) -> _Counted:
    """The figures of a table's extracts since a day that take what was known before."""
    how = {"crm/customers": compared_customers, "shop/order_lines": compared_order_lines}
    return how[table.id](connection, since) if table.id in how else {}


def rows_with_repeated_keys(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[date, int]]:
    """Rows refused because their key comes again later in the file, by table and day."""
    rows = connection.execute(
        "select source || '/' || table_name, extract_date, unexpected_rows from quality.results where expectation = 'key_is_unique'"
    ).fetchall()
    found: dict[str, dict[date, int]] = {table: {} for table in EXTRACT_TABLES}
    for table, day, repeated in rows:
        found[table][day] = repeated
    return found

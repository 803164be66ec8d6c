"""Measures what the accepted rows of an extract look like: how full each column is, how its values spread, when its events
happened.

Figures only. Whether a figure is good or bad is not decided here, and no text that may tell who a customer is gets in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import duckdb

from expectations.contracts import ExtractTable
from orchestration.sql import literal

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

#: A category's value is listed from so many rows on: after a fault an address may stand in any column, and an address is
#: held by one customer.
ROWS_OF_A_LISTED_VALUE = 5
#: From so many values of a column on, their spread tells nothing of one customer.
VALUES_OF_A_SPREAD = 5
#: How many values of a category are listed, the most frequent ones.
VALUES_LISTED = 40

#: Above so many rows of one extract, quantiles are those of one row in ``ONE_IN``.
ROWS_MEASURED_WHOLE = 1_000_000
ONE_IN = 10


@dataclass(frozen=True)
class ColumnProfile:
    """One column: ``nulls`` are the rows without a value, a blank text, an empty list and a value that a rule emptied
    included; ``distinct`` is an estimate, the same each time, that may be about a tenth off where there are many values.

    ``zeros`` are the rows in which a number is 0. ``least``, ``greatest``, ``mean`` and ``quantiles`` (at ``QUANTILES``, each a value that occurs) are there for numbers,
    and for dates and times as ISO text, the mean to the whole day
    or second. They are None where fewer than ``VALUES_OF_A_SPREAD`` rows have a value.
    ``frequent`` is there for booleans, both values with the rows that hold each, and for the contract's categories, the
    values held by enough rows to say nothing of one customer and without an @, the most frequent first.
    """

    nulls: int
    distinct: int
    least: float | str | None = None
    greatest: float | str | None = None
    mean: float | str | None = None
    quantiles: list[float] | list[str] | None = None
    frequent: dict[str, int] | None = None
    zeros: int | None = None

    def as_json(self) -> dict[str, Any]:
        return _without_none(asdict(self))


@dataclass(frozen=True)
class Profile:
    """The accepted rows of one extract; ``columns`` in the order of the contract.

    For tables whose rows are events: ``on_the_day`` counts those of the extract date, ``newest_on`` is the date of the newest
    and ``median_hour`` the hour of the day of the median one (14.5 is half past two), all in the business time zone. The
    latter two are None where there is no event.
    """

    rows: int
    columns: dict[str, ColumnProfile]
    on_the_day: int | None = None
    newest_on: date | None = None
    median_hour: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The profile as a JSON object that leaves out what is None."""
        columns = {name: column.as_json() for name, column in self.columns.items()}
        newest_on = self.newest_on.isoformat() if self.newest_on else None
        return _without_none({**asdict(self), "columns": columns, "newest_on": newest_on})

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Profile:
        columns = {name: ColumnProfile(**column) for name, column in said["columns"].items()}
        newest_on = date.fromisoformat(said["newest_on"]) if "newest_on" in said else None
        return cls(**{**said, "columns": columns, "newest_on": newest_on})


def profiles(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    table: ExtractTable,
    *,
    business_timezone: str,
    days: Sequence[date],
) -> dict[date, Profile]:
    """The profile of each extract date of ``relation``, a table as ``read_extracts`` makes it and ``judge`` marked it, and of
    the given ``days``, which may have no rows.

    Refused rows do not count. An extract has the same profile each time and whatever it is measured with: sums are exact
    before they are divided, and quantiles are those of all its rows or, above ``ROWS_MEASURED_WHOLE``, of the tenth that the
    hash of the key chooses.
    """
    measures = ", ".join(_measures(table))
    rows = connection.execute(
        f"with accepted as not materialized ({_accepted(relation, table, business_timezone)}) "
        f"select extract_date, {measures} from accepted group by extract_date "
        f"union all select null, {measures} from accepted where false"
    ).fetchall()
    by_day = {day: _profile(table, *measured) for day, *measured in rows}
    no_rows = by_day.pop(None)
    return {day: by_day.get(day, no_rows) for day in sorted({*by_day, *days})}


def _accepted(relation: str, table: ExtractTable, business_timezone: str) -> str:
    """The rows that are archived, with what they lost or never said as null, and whether each counts for quantiles."""
    values = ", ".join(
        f"case when not list_contains(nulled_columns, '{column}'){_is_said(column, type_)} then {column} end as {column}"
        for column, type_ in table.columns.items()
    )
    if table.happened_at:
        utc = f"timezone('UTC', {table.happened_at})"
        values += f", timezone({literal(business_timezone)}, {utc}) as local_time"
    large = (
        f"select extract_date from {relation} where not is_refused group by all having count(*) > {ROWS_MEASURED_WHOLE}"
    )
    return (
        f"select extract_date, {values}, "
        f"extract_date not in ({large}) or hash({', '.join(table.key)}) % {ONE_IN} = 0 as is_measured "
        f"from {relation} where not is_refused"
    )


def _is_said(column: str, type_: str) -> str:
    return {"VARCHAR": f" and trim({column}) <> ''", "VARCHAR[]": f" and len({column}) > 0"}.get(type_, "")


def _measures(table: ExtractTable) -> Iterator[str]:
    yield "count(*)"
    yield _struct({column: _column(table, column) for column in table.columns})
    if table.happened_at:
        minute = "hour(local_time) * 60 + minute(local_time)"
        yield "count(*) filter (local_time::date = extract_date)"
        yield "max(local_time::date)"
        yield f"quantile_disc({minute}, 0.5) filter (is_measured) / 60"


def _column(table: ExtractTable, column: str) -> str:
    """One column's measures as a struct with the names of ``ColumnProfile``."""
    measures = {"nulls": f"count(*) - count({column})", "distinct": f"approx_count_distinct({column})"}
    type_ = table.columns[column]
    if type_ == "BOOLEAN":
        measures["frequent"] = f"map {{'true': count_if({column}), 'false': count_if(not {column})}}"
    elif column in table.categories:
        held_by_many = f"lambda held: held.value >= {ROWS_OF_A_LISTED_VALUE} and not contains(held.key, '@')"
        measures["frequent"] = f"map_from_entries(list_filter(map_entries(histogram({column})), {held_by_many}))"
    elif not type_.startswith("VARCHAR"):
        said_as = "varchar" if type_ in ("DATE", "TIMESTAMP") else "double"
        quantiles = f"quantile_disc({column}, {list(QUANTILES)}) filter (is_measured)"
        measures |= {
            "least": f"min({column})::{said_as}",
            "greatest": f"max({column})::{said_as}",
            "mean": _mean(column, type_),
            "quantiles": f"{quantiles}::{said_as}[]",
        }
        if said_as == "double":
            measures["zeros"] = f"count_if({column} = 0)"
    return _struct(measures)


def _struct(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"'{name}': {sql}" for name, sql in fields.items()) + "}"


def _mean(column: str, type_: str) -> str:
    """Summed as whole numbers or decimals: a sum of floats depends on the order in which threads come to it."""
    if type_ == "DATE":
        days = f"datediff('day', date '1970-01-01', {column})"
        return f"(date '1970-01-01' + (sum({days}) // nullif(count({days}), 0))::integer)::date::varchar"
    if type_ == "TIMESTAMP":
        seconds = f"epoch_us({column}) // 1_000_000"
        return f"make_timestamp((sum({seconds}) // nullif(count({seconds}), 0) * 1_000_000)::bigint)::varchar"
    return f"sum({column})::double / nullif(count({column}), 0)"


def _profile(
    table: ExtractTable,
    rows: int,
    columns: Mapping[str, Mapping[str, Any]],
    on_the_day: int | None = None,
    newest_on: date | None = None,
    median_hour: float | None = None,
) -> Profile:
    found = {
        name: ColumnProfile(**{**_spread_of_many(rows, measured), "frequent": _most_frequent(table, name, measured)})
        for name, measured in columns.items()
    }
    return Profile(rows, found, on_the_day, newest_on, median_hour)


def _spread_of_many(rows: int, measured: Mapping[str, Any]) -> dict[str, Any]:
    """The measures, without the spread of so few values that one of them is a customer's own."""
    spread = ("least", "greatest", "mean", "quantiles")
    few = rows - measured["nulls"] < VALUES_OF_A_SPREAD
    return {name: value for name, value in measured.items() if not (few and name in spread)}


def _most_frequent(table: ExtractTable, column: str, measured: Mapping[str, Any]) -> dict[str, int] | None:
    if column not in table.categories:
        return measured.get("frequent")
    held = measured["frequent"] or {}
    return dict(sorted(held.items(), key=lambda item: (-item[1], item[0]))[:VALUES_LISTED])


def _without_none(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}

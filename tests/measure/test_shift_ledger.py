"""The ledger of shifts over a made-up history of counts: what is alerted, what is known, what is only noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from orchestration.known_days import Calendar, KnownDays
from orchestration.measure.shift_ledger import record_shifts

FIRST, DAYS = date(2024, 1, 1), 75
DAY = DAYS - 5
SEGMENTS = [f"s{number:02}" for number in range(12)]

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema refresh; create schema metrics; create schema crm;
            create table metrics.segment_moves (as_of_date date, segment varchar, customer_id varchar, cause varchar, clause varchar, detail varchar, revenue decimal(18, 2));
            create table metrics.segment_membership_history (segment varchar, customer_id varchar, entered_on date, exited_on date);
            create table metrics.input_quality (extract_date date, source varchar, table_name varchar, column_name varchar, expectation varchar, severity varchar, success boolean, observed varchar);
            create table crm.campaigns (campaign_id varchar, campaign_name varchar, segment varchar, starts_on date, ends_on date, extract_date date);
            """
        )
        yield connection


def history(connection: duckdb.DuckDBPyConnection, change: Change = lambda counts: counts) -> None:
    """Twelve segments of about 500 members over 100 days, quiet but for what is changed."""
    chance = np.random.default_rng(3)
    rows = []
    for segment in SEGMENTS:
        members = 500 + np.cumsum(chance.integers(-3, 4, DAYS))
        for passed in range(DAYS):
            entered, exited = (None, None) if passed == 0 else (int(chance.poisson(20)), int(chance.poisson(20)))
            rows.append((FIRST + timedelta(passed), segment, int(members[passed]), entered, exited, 10_000))
    counts = pd.DataFrame(rows, columns=["as_of_date", "segment", "members", "entered", "exited", "base_customers"])
    counts = counts.assign(state="fresh", definition_hash="first", held_because=None)
    connection.register("made_up", change(counts))
    connection.execute("create or replace table metrics.segment_counts_daily as from made_up")
    connection.execute(
        "create or replace table refresh.definitions as select distinct segment, null::varchar as scheme, "
        "['shop/order_lines.amount'] as raw_columns, 'crm' as owner from made_up where segment <> 'gone'"
    )


def of(counts: pd.DataFrame, segment: str, since: int, until: int = DAYS) -> pd.Series:
    days = pd.to_datetime(counts["as_of_date"])
    first, last = pd.Timestamp(FIRST + timedelta(since)), pd.Timestamp(FIRST + timedelta(until))
    return (counts["segment"] == segment) & (days >= first) & (days < last)


def with_members(counts: pd.DataFrame, where: pd.Series, share: float) -> pd.DataFrame:
    return counts.assign(members=counts["members"].where(~where, (counts["members"] * share).astype(int)))


def halved(counts: pd.DataFrame) -> pd.DataFrame:
    return with_members(counts, of(counts, "s03", DAY), 0.5)


def alerts(connection: duckdb.DuckDBPyConnection, calendar: Calendar | None = None) -> list[tuple[Any, ...]]:
    record_shifts(connection, KnownDays(calendar or Calendar()))
    return connection.execute(
        "select as_of_date, segment, kind, state, severity, message from metrics.segment_shifts "
        "where state <> 'continuing' order by as_of_date, segment"
    ).fetchall()


def test_a_quiet_history_raises_no_alert(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse)
    assert alerts(warehouse) == []


def test_a_segment_that_halves_is_alerted_on_the_day_with_what_was_expected(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    history(warehouse, halved)
    ((day, segment, _, state, severity, message),) = alerts(warehouse)
    assert (day, segment, state, severity) == (FIRST + timedelta(DAY), "s03", "opened", "critical")
    assert message.startswith("s03 lost ")
    assert "expected" in message


@pytest.mark.parametrize(
    "known",
    [
        {"days": {FIRST + timedelta(DAY + passed): "the shops are closed" for passed in range(5)}},
        {
            "events": [
                {"name": "a letter", "from": FIRST + timedelta(DAY), "to": FIRST + timedelta(DAYS), "segments": ["s03"]}
            ]
        },
    ],
)
def test_what_the_calendar_knows_is_not_alerted_but_named(
    warehouse: duckdb.DuckDBPyConnection, known: dict[str, Any]
) -> None:
    history(warehouse, halved)
    assert alerts(warehouse, Calendar.model_validate(known)) == []
    named = warehouse.execute(
        "select distinct known_because, state from metrics.segment_expectations where segment = 's03' and as_of_date >= $day",
        {"day": FIRST + timedelta(DAY)},
    ).fetchall()
    assert named in ([("the shops are closed", "known")], [("a letter", "known")])


def test_a_campaign_on_the_segment_is_known(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse, halved)
    first, last = FIRST + timedelta(DAY), FIRST + timedelta(DAYS)
    warehouse.execute(
        "insert into crm.campaigns values ('1', 'Easter', 's03', $first, $last, $first)", {"first": first, "last": last}
    )
    assert alerts(warehouse) == []


def test_a_campaign_on_another_segment_excuses_nothing(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse, halved)
    first, last = FIRST + timedelta(DAY), FIRST + timedelta(DAYS)
    warehouse.execute(
        "insert into crm.campaigns values ('1', 'Easter', 's04', $first, $last, $first)", {"first": first, "last": last}
    )
    assert [segment for _, segment, *_ in alerts(warehouse)] == ["s03"]


def test_a_held_day_and_the_day_after_it_are_known(warehouse: duckdb.DuckDBPyConnection) -> None:
    def held(counts: pd.DataFrame) -> pd.DataFrame:
        days = of(counts, "s03", DAY, DAY + 2)
        states = counts["state"].where(~days, "held"), counts["held_because"].where(~days, "no file")
        return with_members(counts, days, 0.5).assign(state=states[0], held_because=states[1])

    history(warehouse, held)
    assert alerts(warehouse) == []
    named = warehouse.execute(
        "select distinct as_of_date, known_because from metrics.segment_expectations where known_because is not null order by 1"
    ).fetchall()
    assert [said for _, said in named] == ["held: no file", "held: no file", "the first day after a hold"]


def test_a_day_of_late_orders_is_known(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse, lambda counts: with_members(counts, of(counts, "s03", DAY, DAY + 1), 0.5))
    warehouse.execute(
        "insert into metrics.segment_moves select $day, 's03', 'c' || n, if(n < 60, 'late_or_corrected_data', 'own_behaviour'), null, null, 0 from range(100) as r(n)",
        {"day": FIRST + timedelta(DAY)},
    )
    told = {day for day, *_ in alerts(warehouse)}
    assert FIRST + timedelta(DAY) not in told


def test_a_new_definition_is_noted_and_begins_the_series_anew(warehouse: duckdb.DuckDBPyConnection) -> None:
    def redefined(counts: pd.DataFrame) -> pd.DataFrame:
        hashes = counts["definition_hash"].where(~of(counts, "s03", DAY), "second")
        return halved(counts).assign(definition_hash=hashes)

    history(warehouse, redefined)
    ((day, segment, kind, state, severity, message),) = alerts(warehouse)
    assert (day, segment, kind, state, severity) == (FIRST + timedelta(DAY), "s03", "redefined", "noted", "info")
    assert "defined anew" in message


def test_a_retired_segment_is_noted_once_on_the_day_after_its_last(warehouse: duckdb.DuckDBPyConnection) -> None:
    def retired(counts: pd.DataFrame) -> pd.DataFrame:
        left = counts[~of(counts, "s11", DAY)]
        return left.assign(segment=left["segment"].replace("s11", "gone"))

    history(warehouse, retired)
    ((day, segment, kind, *_),) = alerts(warehouse)
    assert (day, segment, kind) == (FIRST + timedelta(DAY), "gone", "retired")


def test_a_segment_that_loses_everybody_vanished(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse, lambda counts: with_members(counts, of(counts, "s03", DAY), 0.0))
    day, segment, kind, state, severity, _ = alerts(warehouse)[0]
    assert (day, segment, kind, state, severity) == (FIRST + timedelta(DAY), "s03", "vanished", "opened", "critical")


def test_a_day_on_which_everything_falls_is_one_alert(warehouse: duckdb.DuckDBPyConnection) -> None:
    def all_fall(counts: pd.DataFrame) -> pd.DataFrame:
        days = pd.concat([of(counts, segment, DAY, DAY + 1) for segment in SEGMENTS], axis=1).any(axis=1)
        return with_members(counts, days, 0.7)

    history(warehouse, all_fall)
    on_the_day = [(segment, kind) for day, segment, kind, *_ in alerts(warehouse) if day == FIRST + timedelta(DAY)]
    assert on_the_day == [(None, "everything_at_once")]


@pytest.mark.parametrize("days", [0, 1, 5])
def test_too_short_a_history_raises_nothing(warehouse: duckdb.DuckDBPyConnection, days: int) -> None:
    history(
        warehouse, lambda counts: counts[pd.to_datetime(counts["as_of_date"]) < pd.Timestamp(FIRST + timedelta(days))]
    )
    warehouse.execute(
        "create or replace table refresh.definitions as "
        "select unnest($segments) as segment, null::varchar as scheme, ['shop/order_lines.amount'] as raw_columns",
        {"segments": SEGMENTS},
    )
    assert alerts(warehouse) == []
    states = warehouse.execute("select distinct state from metrics.segment_expectations").fetchall()
    assert set(states) <= {("insufficient_history",), ("no_value",)}


def test_the_ledger_is_the_same_when_it_is_written_again(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse, halved)
    assert alerts(warehouse) == alerts(warehouse)


def test_the_message_names_the_causes_and_the_unusual_input(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse, halved)
    day = FIRST + timedelta(DAY)
    warehouse.execute(
        "insert into metrics.segment_membership_history select 's03', 'c' || n, $first, $day from range(30) as r(n)",
        {"first": FIRST, "day": day},
    )
    warehouse.execute(
        "insert into metrics.segment_moves select $day, 's03', 'c' || n, if(n < 20, 'own_behaviour', 'deleted'), if(n < 20, 'orders > 3', null), null, 5 from range(30) as r(n)",
        {"day": day},
    )
    warehouse.execute(
        "insert into metrics.input_quality values ($day, 'shop', 'order_lines', '', 'row_count_is_not_above_the_usual', 'warning', false, '90, usually 40–50')",
        {"day": day},
    )
    ((*_, message),) = alerts(warehouse)
    assert "20 left by their own orders (orders > 3), 10 were deleted" in message
    assert message.endswith(f"; shop/order_lines of {day}: 90, usually 40–50 (row_count_is_not_above_the_usual)")


def up_to(day: int, change: Change) -> Change:
    return lambda counts: change(counts)[
        lambda rows: pd.to_datetime(rows["as_of_date"]) < pd.Timestamp(FIRST + timedelta(day))
    ]


def everything_but(gone: str) -> Change:
    return lambda counts: counts[counts["segment"] != gone]


def recorded(connection: duckdb.DuckDBPyConnection) -> list[str]:
    record_shifts(connection, KnownDays(Calendar()))
    return [
        str(connection.execute(f"from metrics.{table} order by all").fetchall())  # in which NaN is like NaN
        for table in ("segment_expectations", "segment_shifts")
    ]


@pytest.mark.parametrize(
    "nights",
    [
        [up_to(day, halved) for day in range(DAYS - 2, DAYS + 1)],
        [up_to(DAY + 2, halved), up_to(DAY + 2, halved), up_to(DAYS, halved)],
        [up_to(DAY + 3, halved), up_to(DAY + 1, halved), up_to(DAYS, halved)],
        [up_to(DAY + 2, lambda counts: counts), up_to(DAY + 3, halved)],
        [up_to(DAY, everything_but("s05")), up_to(DAY + 1, halved), up_to(DAY + 2, everything_but("s05"))],
    ],
    ids=["night by night", "a night again", "days out of order", "the past corrected", "a segment comes and goes"],
)
def test_what_is_carried_on_from_the_night_before_is_what_would_be_judged_anew(
    warehouse: duckdb.DuckDBPyConnection, nights: list[Change]
) -> None:
    for night in nights:
        history(warehouse, night)
        carried = recorded(warehouse)
        warehouse.execute("drop table refresh.watched")
        anew = recorded(warehouse)
        assert carried == anew


def test_a_day_that_is_as_it_was_is_not_judged_again(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse, up_to(DAYS - 1, halved))
    record_shifts(warehouse, KnownDays(Calendar()))
    warehouse.execute("update metrics.segment_expectations set effect = 7")
    history(warehouse, halved)
    record_shifts(warehouse, KnownDays(Calendar()))
    marked = warehouse.execute(
        "select max(as_of_date), count(distinct as_of_date) from metrics.segment_expectations where effect = 7"
    ).fetchone()
    assert marked == (FIRST + timedelta(DAYS - 3), DAYS - 2)

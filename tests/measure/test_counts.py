"""The daily counts on sizes and changes that a test lays down: zeros, holds, reruns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from orchestration.days import Days
from orchestration.measure.counts import record_counts

FIRST, SECOND, THIRD = (date(2024, 3, day) for day in (9, 10, 11))


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """Two segments: `some` has two members, one of whom leaves on the second day; `none` has nobody."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema refresh; create schema metrics;
            create table refresh.segments as select unnest(['some', 'none']) as segment;
            create table refresh.definitions as select segment, 'hash of ' || segment as definition_hash from refresh.segments;
            create table refresh.held (as_of_date date, because varchar);
            create table metrics.segment_sizes (as_of_date date, segment varchar, members bigint, base_customers bigint, is_held boolean, remark varchar);
            insert into metrics.segment_sizes values
                ('2024-03-09', 'some', 2, 4, false, null), ('2024-03-09', 'none', 0, 4, false, null),
                ('2024-03-10', 'some', 1, 4, false, null), ('2024-03-10', 'none', 0, 4, false, null);
            create table metrics.segment_membership_changes (as_of_date date, segment varchar, customer_id varchar, change varchar);
            insert into metrics.segment_membership_changes values ('2024-03-10', 'some', 'C1', 'exited');
            """
        )
        yield connection


def counts(connection: duckdb.DuckDBPyConnection, segment: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select as_of_date, members, entered, exited, share_of_base, state from metrics.segment_counts_daily "
        "where segment = $segment order by as_of_date",
        {"segment": segment},
    ).fetchall()


def test_the_first_day_knows_no_entries_and_the_next_counts_them(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert record_counts(warehouse, Days(FIRST, SECOND)) == {str(FIRST): 2, str(SECOND): 2}
    assert counts(warehouse, "some") == [(FIRST, 2, None, None, 0.5, "fresh"), (SECOND, 1, 0, 1, 0.25, "fresh")]


def test_a_segment_with_nobody_in_it_has_a_row_that_says_zero(warehouse: duckdb.DuckDBPyConnection) -> None:
    record_counts(warehouse, Days(FIRST, SECOND))
    assert counts(warehouse, "none") == [(FIRST, 0, None, None, 0.0, "fresh"), (SECOND, 0, 0, 0, 0.0, "fresh")]


def test_a_held_day_carries_the_figures_of_the_last_good_one(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("insert into refresh.held values ($day, 'it never arrived')", {"day": THIRD})
    record_counts(warehouse, Days(FIRST, SECOND))
    record_counts(warehouse, Days(THIRD, THIRD))
    assert counts(warehouse, "some")[-1] == (THIRD, 1, 0, 0, 0.25, "held")


def test_counting_a_day_again_changes_nothing(warehouse: duckdb.DuckDBPyConnection) -> None:
    record_counts(warehouse, Days(FIRST, SECOND))
    once = counts(warehouse, "some")
    record_counts(warehouse, Days(SECOND, SECOND))
    assert counts(warehouse, "some") == once

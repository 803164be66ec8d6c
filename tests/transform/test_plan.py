"""The plan of a run and what is noted of it: nothing counts as done before it is, and nothing that came late is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pytest

from expectations.contracts import EXTRACT_TABLES
from orchestration.days import Days
from orchestration.errors import ConfigurationError, ExtractMissing, StepTooEarly
from orchestration.ingest.archive import partition, register_archive
from orchestration.ingest.assets import ingest
from orchestration.selection import Selection
from orchestration.settings import Home, Settings
from orchestration.transform import plan
from orchestration.transform.catalogue import Segment
from orchestration.transform.plan import (
    NEVER,
    Plan,
    built_days,
    chunk_built,
    finish,
    make_plan,
    next_chunk,
    write_segments,
)
from orchestration.validate.gate import judge_with
from orchestration.warehouse import Warehouse
from tests.builders import CUSTOMERS, ORDER_LINES, customer, drop_rows, order_line

FIRST, SECOND, THIRD, FOURTH = (date(2024, 3, day) for day in (9, 10, 11, 12))
NEW = Segment("new", "New", "Just came.", "welcome", "crm", "email", "lifecycle", None, ())
LAPSED = Segment("lapsed", "Lapsed", "Stopped.", "win back", "crm", "email", "lifecycle", None, ())


@dataclass
class Night:
    """A warehouse over an archive of the two required tables; the test stands in for dbt."""

    home: Home
    connection: duckdb.DuckDBPyConnection

    def archive(self, *days: date, people: int = 2) -> None:
        for day in days:
            drop_rows(self.home, CUSTOMERS, day, [customer(f"C{number}") for number in range(people)])
            drop_rows(self.home, ORDER_LINES, day, [order_line(f"L{day}", ordered_at=f"{day} 12:00:00")])
        for table_id in (CUSTOMERS, ORDER_LINES):
            table = EXTRACT_TABLES[table_id]
            ingest(self.connection, self.home, table, Days(days[-1], days[-1]), judge_with(self.home, Settings()))
        register_archive(self.connection, self.home.archive)

    def plan(self, first: date, last: date, foundation: str = "f") -> Plan:
        write_segments(self.connection, [LAPSED])
        return make_plan(self.connection, self.home.archive, Days(first, last), None, foundation)

    def plan_past(self, days: Days | None = None, foundation: str = "f") -> Plan:
        """A plan of the new segment alone."""
        selection = Selection((NEW.name,), days)
        write_segments(self.connection, [LAPSED, NEW], selection)
        return make_plan(
            self.connection, self.home.archive, Days(FOURTH, FOURTH), None, foundation, selection=selection
        )

    def record(self, first: date, last: date) -> None:
        self.archive(*Days(first, last))
        self.plan(first, last)
        self.build()
        finish(self.connection)

    def build(self) -> None:
        """What dbt does to the sizes, of every chunk that is left."""
        self.connection.execute("create schema if not exists metrics")
        self.connection.execute(
            "create table if not exists metrics.segment_sizes (as_of_date date, segment varchar, members bigint, is_held boolean)"
        )
        while next_chunk(self.connection):
            self.connection.execute(
                "insert into metrics.segment_sizes select as_of_date, 'lapsed', 1, false from refresh.as_of_dates"
            )
            chunk_built(self.connection)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()


@pytest.fixture
def night(home: Home) -> Iterator[Night]:
    with Warehouse(home, Settings()).connect() as connection:
        yield Night(home, connection)


@pytest.fixture
def one_day_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "CUSTOMER_DAYS_AT_ONCE", 1)


def test_after_a_finished_run_no_extract_is_read_again(night: Night) -> None:
    night.archive(FIRST, SECOND)
    assert night.plan(FIRST, SECOND).rebuild_from == date.min
    night.build()
    finish(night.connection)
    again = night.plan(SECOND, SECOND)
    assert (again.days, again.rebuild_from) == (Days(SECOND, SECOND), NEVER)


def test_an_extract_that_comes_during_a_run_is_read_by_the_next(night: Night) -> None:
    night.archive(FIRST, SECOND)
    night.plan(FIRST, SECOND)
    night.archive(SECOND, people=3)
    night.build()
    finish(night.connection)
    assert night.plan(SECOND, SECOND).rebuild_from == SECOND


def test_a_changed_model_has_every_extract_read_again(night: Night) -> None:
    night.archive(FIRST, SECOND)
    night.plan(FIRST, SECOND)
    night.build()
    finish(night.connection)
    assert night.plan(SECOND, SECOND, foundation="another").rebuild_from == date.min


def test_a_plan_that_was_not_finished_is_part_of_the_next(night: Night) -> None:
    night.archive(FIRST, SECOND, THIRD)
    night.plan(FIRST, SECOND)
    assert night.plan(THIRD, THIRD).days == Days(FIRST, THIRD)


@pytest.mark.usefixtures("one_day_at_once")
def test_a_chunk_stays_on_the_list_until_it_is_built(night: Night) -> None:
    night.archive(FIRST, SECOND)
    assert night.plan(FIRST, SECOND).chunks == [[FIRST], [SECOND]]
    assert next_chunk(night.connection) == next_chunk(night.connection) == Days(FIRST, FIRST)
    chunk_built(night.connection)
    assert next_chunk(night.connection) == Days(SECOND, SECOND)
    chunk_built(night.connection)
    assert next_chunk(night.connection) is None


@pytest.mark.usefixtures("one_day_at_once")
def test_only_the_first_chunk_reads_extracts_again(night: Night) -> None:
    night.archive(FIRST, SECOND)
    night.plan(FIRST, SECOND)
    next_chunk(night.connection)
    assert night.rows("from refresh.run") == [(date.min,)]
    chunk_built(night.connection)
    next_chunk(night.connection)
    assert night.rows("from refresh.run") == [(NEVER,)]


def test_a_run_whose_chunk_is_not_built_does_not_finish(night: Night) -> None:
    night.archive(FIRST, SECOND)
    night.plan(FIRST, SECOND)
    next_chunk(night.connection)
    with pytest.raises(StepTooEarly, match="has not built 2 of the days 2024-03-09 to 2024-03-10"):
        finish(night.connection)
    assert night.rows("from refresh.recorded") == []


def test_a_run_with_a_day_that_has_no_sizes_does_not_finish(night: Night) -> None:
    night.archive(FIRST, SECOND)
    night.plan(FIRST, SECOND)
    night.build()
    night.connection.execute("delete from metrics.segment_sizes where as_of_date = $day", {"day": SECOND})
    with pytest.raises(StepTooEarly, match=r"lacks 1 of the days .* the first of them 2024-03-10"):
        finish(night.connection)


def test_without_a_plan_there_are_no_built_days(night: Night) -> None:
    with pytest.raises(StepTooEarly, match="no plan at work"):
        built_days(night.connection)


def test_a_day_whose_extract_never_came_is_held_and_the_run_finishes(night: Night) -> None:
    night.archive(FIRST, SECOND, THIRD)
    partition(night.home.archive, EXTRACT_TABLES[CUSTOMERS], SECOND).unlink()
    assert night.plan(FIRST, THIRD).chunks == [[FIRST, THIRD]]
    assert night.rows("from refresh.held") == [(SECOND, "crm/customers of 2024-03-10 never arrived")]
    night.build()
    finish(night.connection)
    assert night.rows("from refresh.recorded") == [(FIRST, THIRD)]


def test_a_plan_in_which_every_day_is_held_says_which_extract_is_missing(night: Night) -> None:
    night.archive(FIRST)
    with pytest.raises(ExtractMissing, match="shop/order_lines of 2024-03-11 never arrived"):
        night.plan(THIRD, FOURTH)
    assert night.rows("from refresh.unfinished") == []


def test_a_selection_is_evaluated_on_all_days_on_record_or_from_the_first_that_is_asked_for(night: Night) -> None:
    night.record(FIRST, FOURTH)
    assert night.plan_past(Days(SECOND, THIRD)).days == Days(SECOND, FOURTH)
    assert night.rows("select segment from refresh.segments") == [("new",)]
    assert night.rows("from refresh.left_alone") == [("lapsed", None, True)]
    assert night.plan_past().days == Days(FIRST, FOURTH)


def test_a_selection_leaves_a_segment_alone_that_there_is_no_more(night: Night) -> None:
    night.record(FIRST, FOURTH)
    night.connection.execute(
        "insert into metrics.segment_sizes by name select 'gone' as segment, date '2024-03-09' as as_of_date"
    )
    night.plan_past()
    assert night.rows("from refresh.left_alone order by all") == [("gone", None, False), ("lapsed", None, True)]


def test_a_selection_reads_no_extract_again_and_leaves_the_record_as_long_as_it_was(night: Night) -> None:
    night.record(FIRST, FOURTH)
    assert night.plan_past().rebuild_from == NEVER
    night.build()
    finish(night.connection)
    assert night.rows("from refresh.recorded") == [(FIRST, FOURTH)]
    assert night.plan(FOURTH, FOURTH).days == Days(FOURTH, FOURTH)


@pytest.mark.parametrize("asked", [Days(FIRST, THIRD), Days(SECOND, FOURTH)])
def test_a_selection_on_days_that_are_not_on_record_is_refused(night: Night, asked: Days) -> None:
    night.record(SECOND, THIRD)
    with pytest.raises(ConfigurationError, match="On record are 2024-03-10 to 2024-03-11"):
        night.plan_past(asked)
    assert night.rows("from refresh.unfinished") == []


def test_a_selection_waits_for_a_refresh_where_there_is_no_record_or_it_rests_on_less_than_there_is(
    night: Night,
) -> None:
    night.archive(FIRST)
    with pytest.raises(ConfigurationError, match="No day is on record on which new could be evaluated"):
        night.plan_past()
    night.record(FIRST, SECOND)
    with pytest.raises(ConfigurationError, match="`segments refresh` first"):
        night.plan_past(foundation="another")
    night.archive(THIRD)
    with pytest.raises(ConfigurationError, match="`segments refresh` first, then give new its past"):
        night.plan_past()


def test_a_selection_does_not_take_the_place_of_a_night_that_did_not_get_to_its_end(night: Night) -> None:
    night.record(FIRST, SECOND)
    night.plan(SECOND, SECOND)
    with pytest.raises(ConfigurationError, match="`segments refresh` first"):
        night.plan_past()


def test_a_selection_that_did_not_get_to_its_end_is_part_of_the_next_and_of_the_next_night(night: Night) -> None:
    night.record(FIRST, FOURTH)
    night.plan_past(Days(SECOND, SECOND))
    assert night.plan_past(Days(THIRD, THIRD)).days == Days(SECOND, FOURTH)
    assert night.plan(FOURTH, FOURTH).days == Days(SECOND, FOURTH)

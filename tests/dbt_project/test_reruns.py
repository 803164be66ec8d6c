"""What the hooks do around the incremental models: a later run forgets what it learns again, and ends what has ended.

dbt's unit tests do not run hooks; here the models run for real, on rows that the tests put before them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from orchestration.settings import Home
from tests.dbt_project.conftest import Results

ALL_EXTRACTS = "0001-01-01"
VERSIONED = [
    "int_customer_versions",
    "int_product_versions",
    "int_order_lines",
    "int_customer_days",
    "int_customer_category_days",
]
MODELS = [*VERSIONED, "int_order_references", "segment_sizes", "segment_days", "segment_membership_history"]

#: order_line_id, amount by extract date: what the shop sends at first, and what the two later extracts then really say.
LINES_AT_FIRST = [
    ("2024-06-01", "corrected later", 10),
    ("2024-06-01", "corrected twice", 10),
    ("2024-06-01", "corrected and the correction withdrawn", 10),
    ("2024-06-02", "corrected twice", 20),
    ("2024-06-02", "corrected and the correction withdrawn", 20),
    ("2024-06-02", "withdrawn", 10),
]
LINES_IN_THE_END = [
    ("2024-06-01", "corrected later", 10),
    ("2024-06-01", "corrected twice", 10),
    ("2024-06-01", "corrected and the correction withdrawn", 10),
    ("2024-06-02", "corrected twice", 25),
    ("2024-06-03", "corrected later", 30),
    ("2024-06-03", "corrected twice", 35),
]
PRODUCTS_AT_FIRST = [("2024-06-01", "p", "CHEESE"), ("2024-06-02", "p", "MILK")]
PRODUCTS_IN_THE_END = [("2024-06-01", "p", "CHEESE"), ("2024-06-02", "p", "CHEESE"), ("2024-06-03", "p", "SNACKS")]

#: Who is a member on which day of June: the first run evaluates 1 to 3, the second 3 to 6 and finds another 3.
FIRST_RUN, SECOND_RUN = [1, 2, 3], [3, 4, 5, 6]
MEMBERS_AT_FIRST = {
    "stays": [1, 2, 3],
    "leaves": [1, 2, 3],
    "leaves and comes back": [1, 2, 3],
    "leaves and comes back twice": [1, 2],
    "was thought to leave on the 3rd": [1, 2],
    "was thought to join on the 3rd": [3],
    "came back before": [1, 3],
}
MEMBERS_IN_THE_END = {
    "stays": [1, 2, 3, 4, 5, 6],
    "leaves": [1, 2, 3, 4],
    "leaves and comes back": [1, 2, 3, 6],
    "leaves and comes back twice": [1, 2, 4, 6],
    "was thought to leave on the 3rd": [1, 2, 3, 4, 5, 6],
    "was thought to join on the 3rd": [],
    "came back before": [1, 3, 4, 5, 6],
    "joins": [5, 6],
    "is there for a day": [4],
}

Rows = list[tuple[Any, ...]]


class Scene:
    """The tiny home's warehouse with the test's own rows in place of extracts, plan and segments."""

    def __init__(self, home: Home, dbt: Callable[..., Results]) -> None:
        self._home, self._dbt = home, dbt
        with self._warehouse() as warehouse:
            for source in ("shop.order_lines", "shop.products"):
                warehouse.execute(f"create table columns as select * from {source} limit 0")
                warehouse.execute(f"drop view {source}; create table {source} as from columns; drop table columns")
            warehouse.execute(
                "drop schema intermediate cascade; delete from metrics.segment_sizes; delete from metrics.segment_membership_history"
            )
            warehouse.execute("delete from refresh.segments; insert into refresh.segments (segment) values ('s')")
            warehouse.execute("drop view metrics.segment_membership")
            warehouse.execute(
                "create table metrics.segment_membership (segment varchar, as_of_date date, customer_id varchar)"
            )

    def extracts(self, lines: Rows, products: Rows) -> None:
        with self._warehouse() as warehouse:
            warehouse.execute("delete from shop.order_lines; delete from shop.products")
            warehouse.executemany(
                "insert into shop.order_lines by name select $1::date as extract_date, $2 as order_line_id, $2 as order_id, "
                "'c' as customer_id, 'p' as product_id, timestamp '2024-06-01 12:00' as ordered_at, 1 as quantity, $3 as amount",
                lines,
            )
            warehouse.executemany(
                "insert into shop.products by name select $1::date as extract_date, $2 as product_id, $3 as category, 'D' as department",
                products,
            )

    def members(self, days: list[int], members: dict[str, list[int]]) -> None:
        dates = [date(2024, 6, day) for day in days]
        rows = [("s", date(2024, 6, day), who) for who, at in members.items() for day in at if day in days]
        with self._warehouse() as warehouse:
            warehouse.execute("delete from metrics.segment_membership; delete from refresh.as_of_dates")
            warehouse.executemany("insert into metrics.segment_membership values (?, ?, ?)", rows)
            warehouse.executemany(
                "insert into refresh.as_of_dates values (?, ?, ?)",
                list(zip(dates, [None, *dates], [*dates[1:], None], strict=False)),
            )

    def run(self, rebuild_from: str, *models: str) -> None:
        with self._warehouse() as warehouse:
            if rebuild_from == ALL_EXTRACTS:
                warehouse.execute("drop schema if exists intermediate cascade")
            warehouse.execute("update refresh.run set rebuild_from = $1", [rebuild_from])
        results = self._dbt("run", "--select", "staging", *models)
        assert [result["message"] for result in results if result["status"] != "success"] == []

    def rows(self, table: str) -> Rows:
        with self._warehouse() as warehouse:
            return warehouse.execute(f"select * from {table} order by all").fetchall()

    def _warehouse(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self._home.warehouse))


@pytest.fixture(scope="module")
def after_two_runs(tiny_home: Home, dbt: Callable[..., Results]) -> Iterator[Scene]:
    """The first run saw the extracts of the 1st and 2nd; then the 2nd was sent anew, and the 3rd came."""
    kept = tiny_home.warehouse.with_suffix(".kept")
    shutil.copy(tiny_home.warehouse, kept)
    scene = Scene(tiny_home, dbt)
    scene.extracts(LINES_AT_FIRST, PRODUCTS_AT_FIRST)
    scene.members(FIRST_RUN, MEMBERS_AT_FIRST)
    scene.run(ALL_EXTRACTS, *MODELS)
    scene.extracts(LINES_IN_THE_END, PRODUCTS_IN_THE_END)
    scene.members(SECOND_RUN, MEMBERS_IN_THE_END)
    scene.run("2024-06-02", *MODELS)
    yield scene
    kept.replace(tiny_home.warehouse)


def test_a_membership_is_ended_once_and_a_later_one_is_left_alone(after_two_runs: Scene) -> None:
    day = {n: date(2024, 6, n) for n in range(1, 7)}
    assert after_two_runs.rows("metrics.segment_membership_history") == sorted(
        [
            ("s", "came back before", day[1], day[2]),
            ("s", "came back before", day[3], None),
            ("s", "is there for a day", day[4], day[5]),
            ("s", "joins", day[5], None),
            ("s", "leaves", day[1], day[5]),
            ("s", "leaves and comes back", day[1], day[4]),
            ("s", "leaves and comes back", day[6], None),
            ("s", "leaves and comes back twice", day[1], day[3]),
            ("s", "leaves and comes back twice", day[4], day[5]),
            ("s", "leaves and comes back twice", day[6], None),
            ("s", "stays", day[1], None),
            ("s", "was thought to leave on the 3rd", day[1], None),
        ]
    )


def test_versions_learnt_in_two_runs_are_those_learnt_in_one(after_two_runs: Scene) -> None:
    tables = [f"intermediate.{model}" for model in (*VERSIONED, "int_order_references")]
    in_two = {table: after_two_runs.rows(table) for table in tables}
    after_two_runs.run(ALL_EXTRACTS, *VERSIONED, "int_order_references")
    assert in_two == {table: after_two_runs.rows(table) for table in tables}
    assert all(in_two.values())

"""Every table of a segment in the warehouse has each member once on each as-of date."""

from __future__ import annotations

import duckdb
import pytest

from tests.builders import SHOP_DAYS, Refreshed


@pytest.fixture(scope="module")
def warehouse(shop: Refreshed) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(shop.aside / "warehouse.duckdb"), read_only=True)


def test_no_segment_has_a_customer_twice_on_a_day(warehouse: duckdb.DuckDBPyConnection) -> None:
    tables = warehouse.execute("select table_name from duckdb_tables() where schema_name = 'segments'").fetchall()
    assert len(tables) > 24
    for (segment,) in tables:
        twice = f'select * from segments."{segment}" group by as_of_date, customer_id having count(*) > 1'
        assert warehouse.execute(twice).fetchall() == [], segment


def test_a_segment_has_no_other_days_than_those_of_the_run(warehouse: duckdb.DuckDBPyConnection) -> None:
    days = warehouse.execute("select distinct as_of_date from metrics.segment_membership order by all").fetchall()
    assert [day for (day,) in days] == SHOP_DAYS

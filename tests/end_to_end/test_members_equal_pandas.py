"""The members of a segment are, one by one, those whom an independent computation finds, on every last day of a month."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import pytest

from orchestration.settings import Home
from tests.builders import ask
from tests.end_to_end.pandas_oracle import Oracle

MONTH_ENDS = [date(2017, month, monthrange(2017, month)[1]) for month in range(1, 13)]
SEGMENTS = [
    "men_18_25",
    "bought_product_x_3m_over_500",
    "slowing_down",
    "won_back",
    "top_spenders",
    "new_top_spenders",
]


@pytest.fixture(scope="module")
def oracle(year_of_the_demo: Home) -> Oracle:
    return Oracle.of(year_of_the_demo.extracts / "crm" / "customers")


@pytest.mark.parametrize("day", MONTH_ENDS, ids=str)
@pytest.mark.parametrize("segment", SEGMENTS)
def test_members_are_those_that_pandas_finds(year_of_the_demo: Home, oracle: Oracle, segment: str, day: date) -> None:
    rows = ask(
        year_of_the_demo,
        f"select customer_id from metrics.segment_membership_history where segment = '{segment}' "
        f"and entered_on <= date '{day}' and (exited_on is null or exited_on > date '{day}')",
    )
    members = {customer_id for (customer_id,) in rows}
    assert len(rows) == len(members)
    assert members == oracle.members(segment, day)


@pytest.mark.parametrize("segment", SEGMENTS)
def test_the_comparison_is_of_somebody(oracle: Oracle, segment: str) -> None:
    sizes = [len(oracle.members(segment, day)) for day in MONTH_ENDS]
    assert sum(size > 0 for size in sizes) >= 6


def test_todays_table_of_each_segment_is_what_pandas_finds_on_the_last_day(
    year_of_the_demo: Home, oracle: Oracle
) -> None:
    for segment in SEGMENTS:
        rows = ask(year_of_the_demo, f"select customer_id from segments.{segment}")
        assert {customer_id for (customer_id,) in rows} == oracle.members(segment, MONTH_ENDS[-1])


def test_the_base_is_what_pandas_finds(year_of_the_demo: Home, oracle: Oracle) -> None:
    import pandas as pd

    said = dict(
        ask(
            year_of_the_demo,
            "select distinct as_of_date, base_customers from metrics.segment_counts_daily "
            "where as_of_date = last_day(as_of_date)",
        )
    )
    assert said == {day: len(oracle.base(pd.Timestamp(day))) for day in MONTH_ENDS}

"""What is said of an extract that is not as usual: one sentence each, with the column, the figure, the day and what was usual."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import get_args

import pytest

from expectations import PAST
from expectations.contracts import EXTRACT_TABLES
from expectations.past import Measure, PastExpectation
from orchestration.validate.figures import Figure, Series
from orchestration.validate.past import PastVerdict, judge_series, shown

FIRST = date(2024, 5, 1)
TODAY = FIRST + timedelta(days=20)


def judged(
    expectation: PastExpectation,
    past: list[Figure],
    today: Figure,
    value: str | None = None,
    table: str = "crm/customers",
) -> PastVerdict:
    return judge_series(EXTRACT_TABLES[table], Series(expectation, value, [*past, today]), {}, (), ())[-1]


def expectation(table: str, measure: Measure, column: str = "") -> PastExpectation:
    return next(one for one in PAST[table] if (one.measure, one.column) == (measure, column))


def days(rows: int, hits: int = 0, level: float | None = None) -> list[Figure]:
    return [Figure(FIRST + timedelta(days=n), rows, hits, level) for n in range(20)]


LINES, PEOPLE = "shop/order_lines", "crm/customers"

CASES = [
    (
        PEOPLE,
        "empty",
        "email_opt_in",
        days(1000, 10),
        Figure(TODAY, 1204, 1120),
        "email_opt_in was empty in 93 % of 1,204 rows",
    ),
    (
        PEOPLE,
        "changed",
        "birth_date",
        days(100, 0),
        Figure(TODAY, 90, 88),
        "birth_date had a value that the customer never had in 98 % of 90 rows",
    ),
    (
        PEOPLE,
        "unknown",
        "customer_id",
        days(100, 2),
        Figure(TODAY, 90, 90),
        "customer_id was unknown in 100 % of 90 rows of crm/customers",
    ),
    (
        PEOPLE,
        "new value",
        "region",
        days(1000, 0),
        Figure(TODAY, 1000, 900),
        "region had values never seen before in 90 % of 1,000 rows",
    ),
    (
        PEOPLE,
        "level",
        "birth_date",
        days(1000, level=1985.0),
        Figure(TODAY, 1000, level=2020.0),
        "birth_date was 2020 in the middle of 1,000 rows",
    ),
    (LINES, "rows", "", days(4000), Figure(TODAY, 1900), "shop/order_lines had 1,900 rows"),
    (LINES, "of the day", "ordered_at", days(4000), Figure(TODAY, 3), "shop/order_lines had 3 rows of the day itself"),
    (
        LINES,
        "hour",
        "ordered_at",
        days(4000, level=15.5),
        Figure(TODAY, 4000, level=10.5),
        "ordered_at was at 10:30 in the middle of 4,000 rows",
    ),
    (
        LINES,
        "level",
        "amount",
        days(4000, level=math.log(2.5)),
        Figure(TODAY, 4000, level=math.log(250.0)),
        "amount was 250 or more in a quarter of 4,000 rows",
    ),
    (
        LINES,
        "unknown",
        "customer_id",
        days(4000, 4),
        Figure(TODAY, 4000, 1600),
        "customer_id was unknown in 40 % of 4,000 rows of shop/order_lines",
    ),
    (
        LINES,
        "orders",
        "order_id",
        days(4000, 1000),
        Figure(TODAY, 4000, 4000),
        "shop/order_lines had 4,000 orders in 4,000 rows, 100 %,",
    ),
    (
        LINES,
        "shared",
        "order_id",
        days(4000, 0),
        Figure(TODAY, 4000, 2900),
        "order_id was of an order with several customers in 72 % of 4,000 rows",
    ),
    (LINES, "zero", "discount", days(4000, 1800), Figure(TODAY, 4000, 0), "discount was 0 in 0 % of 4,000 rows"),
    (
        LINES,
        "again",
        "",
        days(4000, 1),
        Figure(TODAY, 8000, 4000),
        "shop/order_lines had lines that are there twice under other ids in 50 % of 8,000 rows",
    ),
    (
        LINES,
        "repeated",
        "",
        days(4000, 0),
        Figure(TODAY, 8000, 4000),
        "the key of shop/order_lines was repeated in 50 % of 8,000 rows",
    ),
]


@pytest.mark.parametrize(
    ("table", "measure", "column", "past", "today", "said"), CASES, ids=[f"{c[1]} {c[2]}" for c in CASES]
)
def test_a_figure_that_is_not_as_usual_is_told_in_a_sentence(
    table: str, measure: Measure, column: str, past: list[Figure], today: Figure, said: str
) -> None:
    verdict = judged(expectation(table, measure, column), past, today, table=table)
    assert not verdict.success
    assert verdict.sentence.startswith(f"{said} on {TODAY}, usually ")
    assert verdict.lower <= verdict.upper


@pytest.mark.parametrize(
    ("table", "measure", "column", "past", "today", "said"), CASES, ids=[f"{c[1]} {c[2]}" for c in CASES]
)
def test_a_figure_as_on_the_days_before_is_believed(
    table: str, measure: Measure, column: str, past: list[Figure], today: Figure, said: str
) -> None:
    as_ever = Figure(TODAY, past[-1].rows, past[-1].hits, past[-1].level)
    verdict = judged(expectation(table, measure, column), past, as_ever, table=table)
    assert (verdict.success, verdict.sentence) == (True, "")


def test_the_value_whose_share_moved_is_named() -> None:
    verdict = judged(expectation(PEOPLE, "value", "gender"), days(1000, 480), Figure(TODAY, 1000, 20), value="male")
    assert verdict.sentence.startswith(f"gender was male in 2 % of 1,000 rows on {TODAY}, usually 4")


def test_a_region_whose_customers_bought_nothing_is_named() -> None:
    region = expectation(LINES, "region", "customer_id")
    verdict = judged(region, days(4000, 560), Figure(TODAY, 3500, 0), value="Ohio", table=LINES)
    assert verdict.sentence.startswith(f"customers of Ohio bought in 0 % of 3,500 rows of shop/order_lines on {TODAY}")


def test_every_measure_that_an_expectation_may_have_is_in_a_list() -> None:
    listed = {one.measure for expectations in PAST.values() for one in expectations}
    assert listed == set(get_args(Measure))


def test_every_column_but_the_key_is_vouched_for_by_more_than_the_number_of_rows() -> None:
    for table_id, expectations in PAST.items():
        table = EXTRACT_TABLES[table_id]
        vouched = {column for one in expectations if one.measure != "rows" for column in one.columns}
        assert set(table.columns) - set(table.key) <= vouched


def test_on_a_known_day_counts_and_times_are_not_judged_and_columns_are() -> None:
    table = EXTRACT_TABLES[LINES]
    for measure, column, judged_on_it in (
        ("rows", "", False),
        ("of the day", "ordered_at", False),
        ("empty", "amount", True),
    ):
        series = Series(
            expectation(LINES, measure, column), None, [*days(4000), Figure(TODAY, 0 if measure != "empty" else 10)]
        )
        verdicts = judge_series(table, series, {}, (), {TODAY})
        assert (TODAY in {verdict.extract_date for verdict in verdicts}) is judged_on_it


def test_of_a_column_s_values_one_that_failed_is_shown() -> None:
    gender = expectation(PEOPLE, "value", "gender")
    failed = judged(gender, days(1000, 480), Figure(TODAY, 1000, 0), value="male")
    fine = judged(gender, days(1000, 100), Figure(TODAY, 1000, 100), value="other")
    assert shown([fine, failed]) == shown([failed, fine]) == {failed}

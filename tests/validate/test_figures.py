"""Figures of extracts: which there are on a day does not hang on what comes after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from expectations.contracts import EXTRACT_TABLES
from orchestration.validate.figures import Series, series
from orchestration.validate.profile import VALUES_LISTED, ColumnProfile, Profile

FIRST = date(2024, 5, 1)
CUSTOMERS, LINES = EXTRACT_TABLES["crm/customers"], EXTRACT_TABLES["shop/order_lines"]


def customers(regions: Mapping[str, int]) -> Profile:
    rows = sum(regions.values())
    columns = {column: ColumnProfile(nulls=0, distinct=1) for column in CUSTOMERS.columns}
    return Profile(rows, columns | {"region": ColumnProfile(nulls=0, distinct=len(regions), frequent=dict(regions))})


def of_region(days: list[Profile]) -> list[Series]:
    profiles = {FIRST + timedelta(days=n): profile for n, profile in enumerate(days)}
    return [
        one
        for one in series(CUSTOMERS, profiles, {}, {})
        if one.expectation.measure == "value" and one.expectation.column == "region"
    ]


def test_a_value_has_figures_from_the_day_on_which_it_first_came() -> None:
    days = [customers({"Ohio": 200})] * 3 + [customers({"Ohio": 100, "Alaska": 100})] + [customers({"Ohio": 200})]
    found = {one.value: [(figure.day.day, figure.hits) for figure in one.figures] for one in of_region(days)}
    assert found == {"Ohio": [(1, 200), (2, 200), (3, 200), (4, 100), (5, 200)], "Alaska": [(4, 100), (5, 0)]}


def test_a_value_that_is_not_in_a_full_list_has_no_figure_that_day() -> None:
    full = {f"R{n:02}": 10 for n in range(VALUES_LISTED)}
    without_the_first = {name: rows for name, rows in full.items() if name != "R00"} | {"R99": 10}
    days = [customers(full), customers(without_the_first)]
    figures = {one.value: [figure.day.day for figure in one.figures] for one in of_region(days)}
    assert figures["R00"] == [1]
    assert figures["R01"] == [1, 2]


def test_new_values_are_not_counted_after_a_list_that_was_full() -> None:
    profiles = {
        FIRST + timedelta(days=n): customers(regions)
        for n, regions in enumerate([{"Ohio": 200}, {f"R{n:02}": 10 for n in range(VALUES_LISTED)}, {"Utah": 200}])
    }
    [new] = [
        one
        for one in series(CUSTOMERS, profiles, {}, {})
        if (one.expectation.measure, one.expectation.column) == ("new value", "region")
    ]
    assert [(figure.day.day, figure.hits) for figure in new.figures] == [(1, 200), (2, 10 * VALUES_LISTED)]


def test_a_region_without_a_line_has_none_of_the_day_s() -> None:
    day, next_day = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
    columns = {column: ColumnProfile(nulls=0, distinct=1) for column in LINES.columns}
    profiles = {one: Profile(100, columns, on_the_day=100) for one in (FIRST, day, next_day)}
    compared = {
        ("region", "customer_id", "Ohio"): {day: (100, 60), next_day: (100, 100)},
        ("region", "customer_id", "Utah"): {day: (100, 40)},
    }
    found = {
        one.value: [figure.hits for figure in one.figures]
        for one in series(LINES, profiles, compared, {})
        if one.expectation.measure == "region"
    }
    assert found == {"Ohio": [60, 100], "Utah": [40, 0]}

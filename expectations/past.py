"""What of an extract must be as it usually is, and which columns each such expectation vouches for. Plain data.

What is usual is worked out from the profiles of the days before (``orchestration/validate``), not here. An expectation that fails
is ``critical`` where the segments that depend on its columns must not be refreshed from such an extract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from expectations.contracts import ExtractTable
from expectations.rules import Severity

#: What is measured: the rows of the file; the share of rows in which a column is empty, has one of its values, has a value that
#: it never had, or one that the same key never had; the level of a number or date; the rows that happened on the day itself; the
#: hour of the day; the share of zeros in a number; the share of rows that are there twice under another key; orders for each line; the share of
#: lines in an order of several customers; that of rows whose customer is
#: of one region; the share of rows whose reference nobody knows; the share of rows whose key is repeated.
Measure = Literal[
    "rows",
    "empty",
    "value",
    "new value",
    "changed",
    "level",
    "zero",
    "of the day",
    "hour",
    "again",
    "orders",
    "shared",
    "region",
    "unknown",
    "repeated",
]

#: Which way a figure may not leave what is usual.
Side = Literal["below", "above", "either"]


@dataclass(frozen=True)
class PastExpectation:
    """One figure of an extract that must be as usual. ``column`` is what is measured, empty for the table as a whole;
    ``columns`` are those that it vouches for.
    """

    name: str
    measure: Measure
    column: str
    columns: tuple[str, ...]
    side: Side
    severity: Severity
    because: str


def row_count(table: ExtractTable) -> list[PastExpectation]:
    everything = tuple(table.columns)
    return [
        PastExpectation(
            "row_count_is_not_below_the_usual",
            "rows",
            "",
            everything,
            "below",
            "critical",
            "A file cut short lacks rows that nobody misses until somebody counts.",
        ),
        PastExpectation(
            "row_count_is_not_above_the_usual",
            "rows",
            "",
            everything,
            "above",
            "warning",
            "Far more rows than usual are possible, a late delivery or a sale, and worth a look.",
        ),
    ]


def repeated_keys(table: ExtractTable) -> PastExpectation:
    return PastExpectation(
        "repeated_keys_are_as_usual",
        "repeated",
        "",
        table.key,
        "above",
        "warning",
        "A key that comes twice is counted once; many at once mean that the export ran twice.",
    )


def empty_shares(columns: Sequence[str]) -> list[PastExpectation]:
    return [
        PastExpectation(
            "empty_share_is_as_usual",
            "empty",
            column,
            (column,),
            "either",
            "critical",
            "A column that goes missing upstream arrives empty, and one that is filled in by default arrives full.",
        )
        for column in columns
    ]


def value_shares(columns: Sequence[str]) -> list[PastExpectation]:
    """For columns that hold one of few values."""
    return [
        expectation
        for column in columns
        for expectation in (
            PastExpectation(
                "value_shares_are_as_usual",
                "value",
                column,
                (column,),
                "either",
                "critical",
                "Values swapped, defaulted or left out change how often each of them comes.",
            ),
            PastExpectation(
                "values_are_known_ones",
                "new value",
                column,
                (column,),
                "above",
                "critical",
                "Values that were never there before are old ones written in another way.",
            ),
        )
    ]


def changed_shares(columns: Sequence[str]) -> list[PastExpectation]:
    """For columns of a table whose rows replace earlier ones of the same key."""
    return [
        PastExpectation(
            "changed_share_is_as_usual",
            "changed",
            column,
            (column,),
            "above",
            "critical",
            "One column that changes for nearly everybody in one night was not changed by everybody.",
        )
        for column in columns
    ]


def zero_shares(columns: Sequence[str]) -> list[PastExpectation]:
    """For numbers."""
    return [
        PastExpectation(
            "zero_share_is_as_usual",
            "zero",
            column,
            (column,),
            "either",
            "critical",
            "A number that is often 0 and suddenly never, or the other way round, is another number.",
        )
        for column in columns
    ]


def rows_sent_again(table: ExtractTable) -> PastExpectation:
    return PastExpectation(
        "rows_are_not_there_twice_under_other_keys",
        "again",
        "",
        tuple(table.columns),
        "above",
        "critical",
        "Lines that were counted before and come again under new ids would be counted twice.",
    )


def orders_of_lines(order: str, customer: str) -> list[PastExpectation]:
    return [
        PastExpectation(
            "orders_for_each_line_are_as_usual",
            "orders",
            order,
            (order,),
            "either",
            "critical",
            "With an order for each line, or one order for all, every count of orders is wrong.",
        ),
        PastExpectation(
            "orders_are_of_one_customer_as_usual",
            "shared",
            order,
            (order, customer),
            "above",
            "critical",
            "Orders with several customers mean that lines have slid to somebody else.",
        ),
    ]


def regions_of_customers(table: ExtractTable) -> PastExpectation:
    return PastExpectation(
        "regions_of_customers_are_as_usual",
        "region",
        "customer_id",
        tuple(table.columns),
        "below",
        "critical",
        "A shop whose sales are missing shows as the region whose customers bought nothing.",
    )


def levels(columns: Sequence[str]) -> list[PastExpectation]:
    """For numbers and dates."""
    return [
        PastExpectation(
            "level_is_as_usual",
            "level",
            column,
            (column,),
            "either",
            "critical",
            "Another unit or another column moves the middle of all values at once.",
        )
        for column in columns
    ]


def events(column: str) -> list[PastExpectation]:
    """For the column that says when an event happened."""
    return [
        PastExpectation(
            "events_are_of_the_day",
            "of the day",
            column,
            (column,),
            "below",
            "critical",
            "An extract of old events is yesterday's file again, or times from another zone; those of its own day are missing.",
        ),
        PastExpectation(
            "hours_are_as_usual",
            "hour",
            column,
            (column,),
            "either",
            "critical",
            "Times that all move by some hours are in another time zone, and fall on other days at the edges of windows.",
        ),
    ]


def unknown_reference(column: str) -> PastExpectation:
    """For a column that names a row of another table."""
    return PastExpectation(
        "reference_is_known_as_usual",
        "unknown",
        column,
        (column,),
        "above",
        "critical",
        "Ids that nobody knows any more have been given anew, and what hangs on them is lost to its customers.",
    )

"""What is said of the inputs: what stands against an extract and on whom it falls, since when a check fails, which day nothing came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import duckdb

from orchestration.read.opened import DATABASE, Release
from orchestration.read.quality import DAYS_SHOWN, Quality, quality

DAY = date(2024, 3, 31)
CUSTOMERS, LINES, PRODUCTS = "crm/customers", "shop/order_lines", "shop/products"


def result(
    table: str, days_ago: int, expectation: str = "key_is_unique", column: str = "", **said: object
) -> tuple[object, ...]:
    source, name = table.split("/")
    good = {"severity": "critical", "success": True, "observed": "", "rows": 100, "unexpected_rows": 0} | said
    return (DAY - timedelta(days_ago), source, name, expectation, column, *good.values())


def extract(table: str, days_ago: int, rows: int = 100, refused: int = 0) -> tuple[object, ...]:
    return result(table, days_ago, "refused_share_is_within_limit", rows=rows, unexpected_rows=refused)


def finding(
    days_ago: int, columns: list[str], until: int | None = None, is_released: bool = False
) -> tuple[object, ...]:
    day = DAY - timedelta(days_ago)
    held_until = None if until is None else DAY - timedelta(until)
    return (
        day,
        "crm",
        "customers",
        "empty_share_is_as_usual",
        columns,
        "gender was empty",
        held_until,
        True,
        is_released,
    )


def told_of(
    results: Sequence[tuple[object, ...]], findings: Sequence[tuple[object, ...]] = (), held: Sequence[str] = ()
) -> Quality:
    """Of two segments: men depend on the gender of customers, buyers on the lines' customers."""
    connection = duckdb.connect()
    connection.execute(
        f"""
        attach ':memory:' as {DATABASE}; use {DATABASE}; create schema catalog; create schema metrics;
        create table catalog.segments (segment varchar, raw_columns varchar[], state varchar, held_since date, held_because varchar, released_by varchar);
        insert into catalog.segments values
            ('men', ['crm/customers.gender'], 'fresh', null, null, null), ('buyers', ['shop/order_lines.customer_id'], 'fresh', null, null, null);
        create table metrics.input_quality (extract_date date, source varchar, table_name varchar, expectation varchar, column_name varchar,
            severity varchar, success boolean, observed varchar, rows bigint, unexpected_rows bigint);
        create table metrics.input_findings (extract_date date, source varchar, table_name varchar, expectation varchar, columns varchar[],
            because varchar, held_until date, is_left_out boolean, is_released boolean);
        create table metrics.segment_counts_daily (as_of_date date, segment varchar, state varchar, held_because varchar);
        """
    )
    for table, rows in (("metrics.input_quality", results), ("metrics.input_findings", findings)):
        for row in rows:
            connection.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)
    for segment in held:
        connection.execute(
            "update catalog.segments set state = 'held', held_since = $1, held_because = 'it fell' where segment = $2",
            [DAY, segment],
        )
    return quality(Release(connection, "by hand", DAY, DAY - timedelta(90), "2024-04-01T02:00:00+00:00"))


BOTH_CAME = [extract(CUSTOMERS, 0), extract(LINES, 0)]


def test_without_anything_against_it_the_data_is_believed() -> None:
    told = told_of(BOTH_CAME)
    assert told.is_good
    assert told.verdict == (
        "It is believed: nothing stands against an extract, and all 2 segments are fresh. None of 2 checks of the extracts of 2024-03-31 failed."
    )


def test_a_finding_that_stands_is_told_with_the_segments_that_hang_on_its_columns() -> None:
    told = told_of(BOTH_CAME, [finding(2, ["gender"])], held=["men"])
    assert not told.is_good
    assert told.verdict.startswith(
        "Not all of it is believed: 1 finding stands against an extract; 1 of 2 segments is held."
    )
    [found] = told.findings
    assert found.segments == ("men",)
    assert found.to_do.startswith("Deliver the corrected extract of crm/customers for 2024-03-29 and refresh")


def test_what_is_over_or_released_stands_against_nothing() -> None:
    told = told_of(BOTH_CAME, [finding(2, ["gender"], until=1), finding(3, ["gender"], is_released=True)])
    assert told.is_good
    assert [found.is_open for found in told.findings] == [False, False]


def test_an_extract_that_is_due_every_day_and_did_not_come_is_missing_and_another_is_not() -> None:
    told = told_of([extract(LINES, 3), extract(LINES, 1), extract(CUSTOMERS, 0), extract(PRODUCTS, 40)])
    assert {source.newest.table: source.missing for source in told.sources} == {
        CUSTOMERS: (),
        LINES: (DAY - timedelta(2), DAY),
        PRODUCTS: (),
    }
    assert "of shop/order_lines no extract of 2024-03-31 came" in told.verdict


def test_usual_rows_are_the_median_of_the_other_extracts() -> None:
    told = told_of([extract(CUSTOMERS, days_ago, rows) for days_ago, rows in enumerate([900, 10, 20, 40])])
    assert told.sources[0].usual_rows == 20


def test_a_check_fails_since_the_first_of_the_failures_in_a_row() -> None:
    kept = [True, False, True, False, False]
    results = [
        result(LINES, 4 - number, "product_is_known", "product_id", success=good) for number, good in enumerate(kept)
    ]
    [check] = told_of([*results, *(extract(LINES, days_ago) for days_ago in range(5))]).checks
    assert (check.since, len(check.failures), len(check.results)) == (DAY - timedelta(1), 3, 5)
    assert check.segments == ()


def test_a_check_that_the_newest_extract_keeps_or_does_not_meet_fails_no_more() -> None:
    told = told_of(
        [
            *BOTH_CAME,
            result(LINES, 1, success=False),
            result(LINES, 0),
            result(LINES, 1, "line_is_readable", success=False),
        ]
    )
    assert {check.expectation: check.since for check in told.checks} == {
        "key_is_unique": None,
        "line_is_readable": None,
    }


def test_a_check_of_a_whole_table_touches_all_that_hang_on_the_table() -> None:
    [check] = told_of([*BOTH_CAME, result(LINES, 0, success=False)]).checks
    assert check.segments == ("buyers",)


def test_what_to_do_depends_on_whether_rows_were_refused_or_a_warning_was_given() -> None:
    told = told_of(
        [
            *BOTH_CAME,
            result(LINES, 0, "a_refusal", success=False, unexpected_rows=3),
            result(LINES, 0, "a_doubt", success=False),
            result(LINES, 0, "a_warning", success=False, severity="warning", unexpected_rows=3),
        ]
    )
    said = {check.expectation: check.to_do for check in told.checks}
    assert "quarantine/shop/order_lines/extract_date=2024-03-31" in said["a_refusal"]
    assert "not believed" in said["a_doubt"]
    assert said["a_warning"].startswith("Nothing is refused or held for it")
    assert [(refusal.expectation, refusal.unexpected_rows) for refusal in told.refused] == [("a_refusal", 3)]


def test_an_extract_is_as_bad_as_the_worst_that_is_known_of_it() -> None:
    told = told_of(
        [
            *(extract(CUSTOMERS, days_ago) for days_ago in range(3)),
            result(CUSTOMERS, 2, success=False, severity="warning"),
            extract(CUSTOMERS, 3, refused=2),
            extract(CUSTOMERS, 4, refused=2),
        ],
        [finding(4, ["gender"], until=2)],
    )
    assert [one.state for one in told.extracts] == [
        "not believed",
        "rows refused",
        "warnings",
        "as expected",
        "as expected",
    ]


def test_older_than_the_days_that_are_looked_at_nothing_is_shown_but_the_newest_extract() -> None:
    told = told_of([*BOTH_CAME, extract(PRODUCTS, DAYS_SHOWN), result(PRODUCTS, DAYS_SHOWN, success=False)])
    assert {one.table for one in told.extracts} == {CUSTOMERS, LINES}
    assert told.sources[-1].newest.failures == 1
    assert told.checks == ()


def test_a_release_without_checks_knows_nothing() -> None:
    assert not told_of([]).is_good

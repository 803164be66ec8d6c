"""What speaks against an extract, and when it ends: told from what the archive says, on a made-up archive of a few days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import duckdb
import pytest

from expectations.contracts import EXTRACT_TABLES
from orchestration.known_days import Calendar, KnownDays
from orchestration.settings import Settings
from orchestration.validate.findings import Finding, find

FIRST = date(2024, 5, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(12)]
BAD, NEXT = DAYS[9], DAYS[10]
CUSTOMERS, LINES, PRODUCTS = "crm/customers", "shop/order_lines", "shop/products"


@pytest.fixture
def archive() -> duckdb.DuckDBPyConnection:
    """The tables that register_archive makes, for an archive without a fault and without profiles."""
    made = duckdb.connect()
    made.execute("set TimeZone = 'UTC'")
    made.execute("create schema quality")
    made.execute(
        "create table quality.results (extract_date date, source varchar, table_name varchar, expectation varchar, column_name varchar, "
        "severity varchar, success boolean, observed varchar, rows bigint, unexpected_rows bigint)"
    )
    made.execute(
        "create table quality.extracts (extract_date date, source varchar, table_name varchar, sha256 varchar)"
    )
    made.execute("create table quality.profiles (extract_date date, source varchar, table_name varchar, profile json)")
    for table in EXTRACT_TABLES.values():
        made.execute(f"create schema if not exists {table.source}")
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
        made.execute(f"create table {table.id.replace('/', '.')} ({columns}, extract_date date)")
        for day in DAYS:
            arrived(made, table.id, day)
    return made


def arrived(archive: duckdb.DuckDBPyConnection, table: str, day: date) -> None:
    archive.execute("insert into quality.extracts values (?, ?, ?, ?)", [day, *table.split("/"), f"{table} {day}"])


def broken(
    archive: duckdb.DuckDBPyConnection,
    table: str,
    day: date,
    rule: str,
    column: str,
    rows: int,
    severity: str = "critical",
) -> None:
    archive.execute(
        "insert into quality.results values (?, ?, ?, ?, ?, ?, false, 'seen', 100, ?)",
        [day, *table.split("/"), rule, column, severity, rows],
    )


def found(archive: duckdb.DuckDBPyConnection) -> list[Finding]:
    return find(archive, Settings(), KnownDays(Calendar()), ())


def columns_of(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    return [finding.columns for finding in findings]


def test_a_good_archive_has_none(archive: duckdb.DuckDBPyConnection) -> None:
    assert found(archive) == []


def test_a_rule_that_too_many_rows_break_speaks_against_its_columns(archive: duckdb.DuckDBPyConnection) -> None:
    broken(archive, LINES, BAD, "amount_is_readable", "amount", 2)
    broken(archive, LINES, NEXT, "amount_is_readable", "amount", 1)
    [one] = found(archive)
    assert (one.columns, one.extract_date, one.leaves_out) == (("amount",), BAD, True)
    assert one.because == f"amount broke the rule amount_is_readable in 2 of 100 rows of shop/order_lines on {BAD}"


def test_a_missing_column_is_told_before_what_follows_from_it(archive: duckdb.DuckDBPyConnection) -> None:
    broken(archive, LINES, BAD, "amount_is_present", "amount", 100)
    broken(archive, LINES, BAD, "every_column_is_in_the_file", "amount", 100)
    assert [one.expectation for one in found(archive)] == ["every_column_is_in_the_file", "amount_is_present"]
    assert found(archive)[0].because.startswith(
        "amount was seen, so that it is unknown in 100 of 100 rows of shop/order_lines"
    )


def test_rows_without_a_key_speak_against_the_whole_table_once_they_are_too_many(
    archive: duckdb.DuckDBPyConnection,
) -> None:
    broken(archive, LINES, BAD, "key_is_present", "order_line_id", 40)
    assert found(archive) == []
    broken(archive, LINES, BAD, "refused_share_is_within_limit", "", 40)
    [one] = found(archive)
    assert one.columns == tuple(EXTRACT_TABLES[LINES].columns)
    assert not one.leaves_out


def test_an_attribute_that_is_emptied_in_many_rows_is_not_believed_and_in_a_few_it_is(
    archive: duckdb.DuckDBPyConnection,
) -> None:
    broken(archive, CUSTOMERS, NEXT, "gender_is_known", "gender", 9, severity="warning")
    assert found(archive) == []
    broken(archive, CUSTOMERS, BAD, "gender_is_known", "gender", 90, severity="warning")
    assert columns_of(found(archive)) == [("gender",)]


def same_file(archive: duckdb.DuckDBPyConnection, table: str, *days: date) -> None:
    """The days have the file of the day before the first of them."""
    for day in days:
        broken(archive, table, day, "is_not_the_file_of_the_day_before", "", 0, severity="warning")
        archive.execute(
            "update quality.extracts set sha256 = (select sha256 from quality.extracts where source || '/' || table_name = $table "
            "and extract_date = $before) where source || '/' || table_name = $table and extract_date = $day",
            {"table": table, "day": day, "before": day - timedelta(days=1)},
        )


def test_the_file_of_the_day_before_holds_until_another_comes_where_changes_are_sent(
    archive: duckdb.DuckDBPyConnection,
) -> None:
    many_customers(archive)
    same_file(archive, PRODUCTS, BAD)
    assert found(archive) == []
    same_file(archive, CUSTOMERS, BAD)
    assert [(one.extract_date, one.until) for one in found(archive)] == [(BAD, NEXT)]
    same_file(archive, CUSTOMERS, NEXT)
    assert [(one.extract_date, one.until) for one in found(archive)] == [(BAD, DAYS[11]), (NEXT, DAYS[11])]
    same_file(archive, CUSTOMERS, DAYS[11])
    assert [one.until for one in found(archive)] == [None] * 3


def many_customers(archive: duckdb.DuckDBPyConnection) -> None:
    """So many that a file of a hundred rows is no export of everybody."""
    archive.execute(
        "insert into crm.customers (customer_id, extract_date) select 'C' || n, $day from range(1000) as people(n)",
        {"day": FIRST},
    )


def test_who_sends_everybody_every_day_may_send_the_same_file_again(archive: duckdb.DuckDBPyConnection) -> None:
    same_file(archive, CUSTOMERS, BAD)
    assert found(archive) == []


def test_where_files_are_often_the_same_nobody_wonders(archive: duckdb.DuckDBPyConnection) -> None:
    many_customers(archive)
    same_file(archive, CUSTOMERS, DAYS[3])
    same_file(archive, CUSTOMERS, DAYS[10])
    assert found(archive) == []


def test_a_bad_list_of_products_ends_with_the_next_good_one(archive: duckdb.DuckDBPyConnection) -> None:
    broken(archive, PRODUCTS, BAD, "every_column_is_in_the_file", "category", 100)
    assert [one.until for one in found(archive)] == [NEXT]
    archive.execute("delete from quality.extracts where table_name = 'products' and extract_date > $day", {"day": BAD})
    assert [one.until for one in found(archive)] == [None]


def sent(archive: duckdb.DuckDBPyConnection, day: date, *customers: str) -> None:
    for customer in customers:
        archive.execute("insert into crm.customers (customer_id, extract_date) values (?, ?)", [customer, day])


def test_a_finding_about_customers_ends_when_the_last_of_them_has_come_again(
    archive: duckdb.DuckDBPyConnection,
) -> None:
    broken(archive, CUSTOMERS, BAD, "email_opt_in_is_readable", "email_opt_in", 50)
    sent(archive, BAD, "a", "b")
    sent(archive, NEXT, "a")
    assert [one.until for one in found(archive)] == [None]
    sent(archive, DAYS[11], "b")
    assert [one.until for one in found(archive)] == [DAYS[11]]


def test_coming_again_with_the_same_fault_ends_nothing(archive: duckdb.DuckDBPyConnection) -> None:
    for day in (BAD, NEXT):
        broken(archive, CUSTOMERS, day, "email_opt_in_is_readable", "email_opt_in", 50)
        sent(archive, day, "a")
    assert [one.until for one in found(archive)] == [None, None]


def test_who_is_deleted_is_not_waited_for(archive: duckdb.DuckDBPyConnection) -> None:
    broken(archive, CUSTOMERS, BAD, "email_opt_in_is_readable", "email_opt_in", 50)
    sent(archive, BAD, "a", "b", "left with that extract")
    archive.execute("update crm.customers set is_deleted = true where customer_id = 'left with that extract'")
    sent(archive, NEXT, "a", "b")
    archive.execute(
        "update crm.customers set is_deleted = true where customer_id = 'b' and extract_date = $day", {"day": NEXT}
    )
    assert [one.until for one in found(archive)] == [NEXT]

"""Rows that cannot be believed: each is refused, or loses a value, with its reason; quarantine has it whole, and the
others go on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import duckdb
import pytest

from orchestration.days import Days
from orchestration.errors import ExtractRefused
from orchestration.settings import Settings
from tests.builders import CUSTOMERS, MARKER, ORDER_LINES, Row, as_csv, customer, order_line
from tests.ingest.conftest import DAY, Counter


def take(counter: Counter, table_id: str, rows: Sequence[Row]) -> None:
    """Ingests the rows as one CSV file: each of them is accepted or refused, and no check says what is in them."""
    counter.take(table_id, f"{DAY}.csv", as_csv(table_id, rows))
    assert len(counter.accepted(table_id)) + len(counter.refused(table_id)) == len(rows)
    assert MARKER not in json.dumps([asdict(found) for found in counter.quality(table_id)])


def refused_for(counter: Counter, table_id: str) -> list[list[str]]:
    return [row["broken_rules"] for row in counter.refused(table_id)]


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("quantity", "two", "quantity_is_readable"),
        ("amount", "n/a", "amount_is_readable"),
        ("amount", "7,98", "amount_is_readable"),
        ("ordered_at", "31/12/2017 10:15:00", "ordered_at_is_readable"),
        ("ordered_at", "", "ordered_at_is_present"),
        ("ordered_at", "2024-03-10 04:00:00", "order_is_not_in_the_future"),
        ("order_line_id", "", "key_is_present"),
        ("customer_id", " ", "customer_id_is_present"),
    ],
)
def test_an_order_line_is_refused_with_its_reason(counter: Counter, column: str, text: str, rule: str) -> None:
    # the day of the extract ends at 05:00 UTC: New York's clocks go forward only the next morning
    late = {"ordered_at": "2024-03-10 05:00:00"} if rule == "order_is_not_in_the_future" else {column: text}
    take(counter, ORDER_LINES, [order_line("L1"), order_line("L2", **late)])
    assert refused_for(counter, ORDER_LINES) == [[rule]]
    assert counter.failed(ORDER_LINES) == {rule: "1 row"}


def test_an_order_at_one_second_to_midnight_is_of_the_day(counter: Counter) -> None:
    take(counter, ORDER_LINES, [order_line("L1", ordered_at="2024-03-10 04:59:59")])
    assert counter.refused(ORDER_LINES) == []


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("email_opt_in", "perhaps", "email_opt_in_is_readable"),
        ("is_deleted", "perhaps", "is_deleted_is_readable"),
        ("customer_id", "", "key_is_present"),
    ],
)
def test_a_customer_is_refused_with_the_reason(counter: Counter, column: str, text: str, rule: str) -> None:
    take(counter, CUSTOMERS, [customer("C1"), customer("C2", **{column: text})])
    assert refused_for(counter, CUSTOMERS) == [[rule]]
    assert counter.failed(CUSTOMERS) == {rule: "1 row"}


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("birth_date", "31/12/2017", "birth_date_is_readable"),
        ("birth_date", "2024-03-10", "birth_date_is_possible"),
        ("birth_date", "1899-12-31", "birth_date_is_possible"),
        ("household_size", "two", "household_size_is_readable"),
        ("household_size", "2.5", "household_size_is_readable"),
        ("household_size", "-1", "household_size_is_positive"),
        ("signed_up_on", "2024-03-10", "sign_up_is_not_in_the_future"),
        ("preferred_channel", "fax", "preferred_channel_is_known"),
        ("interests", '["cooking"', "interests_is_readable"),
        ("gender", "M", "gender_is_known"),
        ("email", "jane.roe", "email_looks_like_an_address"),
    ],
)
def test_a_customer_loses_a_bad_attribute_and_never_a_withdrawn_consent(
    counter: Counter, column: str, text: str, rule: str
) -> None:
    good = customer("C1", email_opt_in="false")
    take(counter, CUSTOMERS, [good, good | {"customer_id": "C2", column: text}])
    one, other = counter.accepted(CUSTOMERS)
    assert other == one | {"customer_id": "C2", column: None}
    assert other["email_opt_in"] is False
    assert counter.failed(CUSTOMERS) == {rule: "1 row"}
    [kept] = counter.set_aside(CUSTOMERS)
    assert (kept["broken_rules"], kept["nulled_columns"], kept["is_refused"]) == ([rule], [column], False)
    assert text in (str(kept[column]), kept["unreadable"].get(column))


def test_a_row_that_lost_a_value_is_no_refused_row(counter: Counter) -> None:
    counter.settings = Settings(refused_share_limit=0)
    take(counter, CUSTOMERS, [customer("C1", gender="M"), customer("C2", birth_date="31/12/2017")])
    assert len(counter.accepted(CUSTOMERS)) == 2


def test_a_refused_row_keeps_what_stood_in_it_and_every_rule_it_broke(counter: Counter) -> None:
    wrong = customer("C2", birth_date="31/12/2017", gender="M", email_opt_in="perhaps")
    take(counter, CUSTOMERS, [customer("C1"), wrong])
    [row] = counter.refused(CUSTOMERS)
    assert set(row["broken_rules"]) == {"birth_date_is_readable", "gender_is_known", "email_opt_in_is_readable"}
    assert row["unreadable"] == {"birth_date": "31/12/2017", "email_opt_in": "perhaps"}
    assert (row["customer_id"], row["email"], row["gender"], row["file_row"]) == ("C2", MARKER, "M", 2)


def test_of_rows_with_one_key_the_last_is_believed_and_the_others_are_kept_aside(counter: Counter) -> None:
    take(counter, CUSTOMERS, [customer("C1", region="old"), customer("C2"), customer("C1", region="new")])
    assert {row["customer_id"]: row["region"] for row in counter.accepted(CUSTOMERS)} == {"C1": "new", "C2": "Ohio"}
    assert [(row["region"], row["broken_rules"]) for row in counter.refused(CUSTOMERS)] == [("old", ["key_is_unique"])]


def test_a_negative_quantity_that_gives_no_money_back_is_refused_and_a_return_is_not(counter: Counter) -> None:
    take(
        counter,
        ORDER_LINES,
        [order_line("return", quantity="-1", amount="-7.98"), order_line("odd", quantity="-2", amount="3.98")],
    )
    assert [row["order_line_id"] for row in counter.accepted(ORDER_LINES)] == ["return"]
    assert refused_for(counter, ORDER_LINES) == [["negative_quantity_is_a_return"]]


def test_two_zones_in_one_column_mean_the_same_instants_and_are_reported(counter: Counter) -> None:
    times = ["2024-03-09T15:00:00Z", "2024-03-09T10:00:00-05:00", "2024-03-09 16:00:00+01:00"]
    take(counter, ORDER_LINES, [order_line(f"L{n}", ordered_at=time) for n, time in enumerate(times)])
    assert {str(row["ordered_at"]) for row in counter.accepted(ORDER_LINES)} == {"2024-03-09 15:00:00"}
    assert set(counter.failed(ORDER_LINES)) == {"times_are_in_one_zone"}


def test_times_without_a_zone_are_utc(counter: Counter) -> None:
    take(counter, ORDER_LINES, [order_line("L1", ordered_at="2024-03-09T15:00:00")])
    assert [str(row["ordered_at"]) for row in counter.accepted(ORDER_LINES)] == ["2024-03-09 15:00:00"]


def test_a_parquet_time_with_a_zone_is_the_same_instant(counter: Counter, tmp_path: Path) -> None:
    file = tmp_path / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'America/New_York'")
        connection.execute(
            "copy (select 'L1' as order_line_id, 'O1' as order_id, 'C1' as customer_id, 'P1' as product_id, "
            "timestamptz '2024-03-09 10:00:00-05' as ordered_at, 1 as quantity, 2.5 as amount, 0 as discount) "
            f"to '{file}' (format parquet)"
        )
    counter.take(ORDER_LINES, f"{DAY}.parquet", file.read_bytes())
    assert [str(row["ordered_at"]) for row in counter.accepted(ORDER_LINES)] == ["2024-03-09 15:00:00"]


@pytest.mark.parametrize("stray", [f"{MARKER},too,many" + ",x" * 20, f"{MARKER},too few"], ids=["many", "few"])
def test_a_line_that_cannot_be_split_is_one_refused_row(counter: Counter, stray: str) -> None:
    lines = as_csv(CUSTOMERS, [customer("C1"), customer("C2")]).splitlines()
    counter.take(CUSTOMERS, f"{DAY}.csv", "\n".join([*lines[:2], stray, *lines[2:], ""]))
    assert {row["customer_id"] for row in counter.accepted(CUSTOMERS)} == {"C1", "C2"}
    assert refused_for(counter, CUSTOMERS) == [["line_is_readable"]]
    assert stray in counter.refused(CUSTOMERS)[0]["unreadable"]["line"]
    assert MARKER not in str(counter.quality(CUSTOMERS))


def test_a_quote_that_is_never_closed_loses_no_line(counter: Counter) -> None:
    lines = as_csv(CUSTOMERS, [customer("C1"), customer("C2"), customer("C3")]).replace("C2,", '"C2,')
    counter.take(CUSTOMERS, f"{DAY}.csv", lines)
    kept = {row["customer_id"] for row in counter.accepted(CUSTOMERS)}
    set_aside = " ".join(str(row) for row in counter.refused(CUSTOMERS))
    assert "C1" in kept
    assert all(one in kept or one in set_aside for one in ("C2", "C3"))


def test_a_json_line_that_is_no_json_is_one_refused_row(counter: Counter) -> None:
    good = [json.dumps(customer(one)) for one in ("C1", "C2")]
    counter.take(CUSTOMERS, f"{DAY}.jsonl", "\n".join([good[0], f'{{"customer_id": "{MARKER}', good[1]]) + "\n")
    assert {row["customer_id"] for row in counter.accepted(CUSTOMERS)} == {"C1", "C2"}
    assert refused_for(counter, CUSTOMERS) == [["line_is_readable"]]
    assert MARKER not in str(counter.quality(CUSTOMERS))


def test_a_json_line_that_cannot_be_read_is_kept_as_it_stood(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.jsonl", json.dumps(customer("C1")) + '\n{"customer_id": "C2"\n')
    assert "C2" in counter.refused(CUSTOMERS)[0]["unreadable"]["line"]


def test_interests_may_be_a_list_or_text(counter: Counter) -> None:
    people = [customer("C1") | {"interests": ["cooking", "wine"]}, customer("C2"), customer("C3", interests="")]
    counter.take(CUSTOMERS, f"{DAY}.jsonl", "".join(json.dumps(person) + "\n" for person in people))
    interests = {row["customer_id"]: row["interests"] for row in counter.accepted(CUSTOMERS)}
    assert interests == {"C1": ["cooking", "wine"], "C2": ["cooking", "wine"], "C3": None}


@pytest.mark.parametrize("nothing", ["null", "NULL", "", " "])
@pytest.mark.parametrize("extension", ["csv", "jsonl", "parquet"])
def test_the_word_null_and_an_empty_text_are_nothing_in_every_format(
    counter: Counter, tmp_path: Path, extension: str, nothing: str
) -> None:
    row = customer("C1", gender=nothing, email=nothing, interests=nothing, birth_date=nothing)
    file = tmp_path / f"{DAY}.{extension}"
    if extension == "parquet":
        with duckdb.connect() as connection:
            values = ", ".join(f"'{value}' as {name}" for name, value in row.items())
            connection.execute(f"copy (select {values}) to '{file}' (format parquet)")
    else:
        file.write_text(as_csv(CUSTOMERS, [row]) if extension == "csv" else json.dumps(row))
    counter.take(CUSTOMERS, file.name, file.read_bytes())
    [kept] = counter.accepted(CUSTOMERS)
    assert {kept[name] for name in ("gender", "email", "interests", "birth_date")} == {None}
    assert counter.failed(CUSTOMERS) == {}


def test_too_many_refused_rows_stop_the_run_with_shares_and_reasons(counter: Counter) -> None:
    counter.settings = Settings(business_timezone="America/New_York", refused_share_limit=0.01)
    rows = [customer("" if n < 2 else f"C{n}") for n in range(100)]
    with pytest.raises(ExtractRefused) as refusal:
        take(counter, CUSTOMERS, rows)
    assert f"crm/customers of {DAY}: 2 of 100 rows refused (2 %, the limit is 1 %)" in str(refusal.value)
    assert "2 key_is_present" in str(refusal.value)
    [quarantine] = counter.home.quarantine.rglob("*.parquet")
    assert f"are in {quarantine}." in str(refusal.value)
    assert counter.accepted(CUSTOMERS) == []
    assert len(counter.refused(CUSTOMERS)) == 2


def test_too_many_refused_order_lines_do_not_stop_what_hangs_on_customers_alone(counter: Counter) -> None:
    counter.settings = Settings(business_timezone="America/New_York", refused_share_limit=0.01)
    take(counter, ORDER_LINES, [order_line("" if n < 2 else f"L{n}") for n in range(100)])
    assert len(counter.accepted(ORDER_LINES)) == 98
    assert counter.failed(ORDER_LINES)["refused_share_is_within_limit"] == "2 rows refused"


def test_a_refused_share_at_the_limit_goes_on(counter: Counter) -> None:
    counter.settings = Settings(business_timezone="America/New_York", refused_share_limit=0.02)
    take(counter, ORDER_LINES, [order_line(f"L{n}", quantity="two" if n < 2 else "1") for n in range(100)])
    assert len(counter.accepted(ORDER_LINES)) == 98


def test_one_bad_extract_does_not_keep_the_good_ones_of_other_days_out(counter: Counter) -> None:
    counter.settings = Settings(refused_share_limit=0.01)
    counter.take(CUSTOMERS, "2024-03-07.csv", as_csv(CUSTOMERS, [customer("C1")]))
    with pytest.raises(ExtractRefused):
        counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, [customer("")]))
    assert counter.ingest(CUSTOMERS, Days(*[DAY.replace(day=7)] * 2)).new == []
